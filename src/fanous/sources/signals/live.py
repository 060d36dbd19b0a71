"""Live: how a source on the net is asked, piece by piece, and how each answer is read.

A piece is one document: a window of time of some places.  Whoever asks fetches it, hands the bytes to
``parse`` (pure), stores what comes out, and remembers the piece; so a backfill goes on where it stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from fanous.model.claim import Claim
from fanous.model.source_series import SourceSeries

Get = Callable[[str], bytes]
"""Fetches one address; raises ``FanousError``."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted.  Times are unix seconds, UTC; half-open.

    Attributes:
        country: ISO 3166-1 alpha-2.
        networks: ASNs of which series are wanted too.
        regions: are series of the regions wanted too?
    """

    country: str
    since: int
    until: int
    networks: tuple[int, ...] = ()
    regions: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One document.

    Attributes:
        name: what it is about, in the source's words, without the window.
        url: where it is.
        since: unix seconds; likewise ``until``: the window that it speaks of.
    """

    name: str
    url: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a document held.

    Attributes:
        series: each key and step once.
        rejects: (number of the value, series, line or entry, from 1; reason).
        claims: what the source itself says of outages; never evidence.
    """

    series: tuple[SourceSeries, ...]
    rejects: tuple[tuple[int, str], ...] = ()
    claims: tuple[Claim, ...] = ()


class LiveSource(Protocol):
    """One source on the net."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        """What to fetch, oldest first; ``get`` is for lists of places that must be asked for."""
        ...

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        """The series in one document; pure.

        Args:
            name: of the piece, or of the file that holds the document.

        Raises:
            Rejected: it is no document of this source; the message is the reason.
        """
        ...


def windows(since: int, until: int, width: int) -> Iterator[tuple[int, int]]:
    """The time in windows of at most ``width`` seconds, oldest first.

    Where there are several, they begin at fixed places, so that a question is asked again in the same words;
    the first may begin before ``since``, the last ends at ``until``.
    """
    if until - since <= width:
        yield since, until
        return
    start = since // width * width
    while start < until:
        yield start, min(start + width, until)
        start += width
