"""Feeds: incidents for programs that look again and again.  ``entries`` says what is listed, one module a
format how; each entry has an id that never changes and the time of the revision that it shows."""

from collections.abc import Callable
from dataclasses import dataclass

from fanous.publish.edition import Edition
from fanous.publish.feeds import atom, jsonfeed
from fanous.publish.feeds.entries import Feed


@dataclass(frozen=True, slots=True)
class Format:
    """Attributes:
    media: type of the document, for those to whom it is sent.
    """

    write: Callable[[Feed, Edition], bytes]
    media: str


FORMATS: dict[str, Format] = {
    "atom": Format(atom.atom, atom.MEDIA),
    "json": Format(jsonfeed.json_feed, jsonfeed.MEDIA),
}
"""Ending of a feed's address -> how it is written."""
