"""Visit: one request as the pages see it - what is asked for, and the edition in which it is answered.

Site: what the owner of a monitor may set about its pages.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from fanous.publish.edition import Edition
from fanous.wording.language import Language, chosen, preferred

DEFAULT_PORT = 8470


@dataclass(frozen=True, slots=True)
class Site:
    """Settings of the public side.

    Attributes:
        url: public address without a slash at its end, ``https://fanous.example``; empty = as the request
            names it.  Behind a reverse proxy it must be set, or permanent links name the inner address.
        notice: said on every page, in English: "Recorded event ..."; empty = nothing.
        clock: unix seconds, UTC; what the pages call *now*.
        world: file of map shapes in the format of ``refdata/world.tsv``; ``None`` = that file.
        heard: (country, ASN) -> when a probe there was last heard, where something knows better than the
            stored measurements (heartbeats).
        key: Ed25519 key that signs evidence bundles; ``None`` = the user's own, made once.
        token: what an administrator's requests must carry; empty = the pages have no such door.
    """

    url: str = ""
    notice: str = ""
    clock: Callable[[], float] = time.time
    world: Path | None = None
    heard: Callable[[], dict[tuple[str, int], float]] = field(default=dict)
    key: Path | None = None
    token: str = field(default="", repr=False)


HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
"""Only such a Host header is repeated in an address on a page."""

MOMENT = 15.0
"""Seconds: pages that are asked for within one moment speak of the same *now*, and share what they read."""

ASKED = ("days", "page", "url")
"""Names of the query that change a page, beside the language."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Attributes:
    edition: in which language, by which address and when.
    path: of the request, ``/PK``.
    asked: parts of the path and the query that the page may read.
    """

    site: Site
    edition: Edition
    path: str
    asked: Mapping[str, str]

    @property
    def language(self) -> Language:
        return self.edition.language

    @property
    def base(self) -> str:
        return self.edition.base

    @property
    def now(self) -> float:
        return self.edition.now

    def link(self, path: str, **query: str) -> str:
        """See ``Edition.link``."""
        return self.edition.link(path, **query)

    def permanent(self, path: str) -> str:
        """See ``Edition.permanent``."""
        return self.edition.permanent(path)


def visit_of(request: Request, site: Site) -> Visit:
    """What a request asks for."""
    named = chosen(request.query_params.get("lang"))
    host = request.headers.get("host", "")
    scheme = "https" if request.url.scheme == "https" else "http"
    own = f"{scheme}://{host}" if HOST.fullmatch(host) else ""
    query = {name: request.query_params[name] for name in ASKED if name in request.query_params}
    edition = Edition(
        language=named or preferred(request.headers.get("accept-language", "")),
        base=site.url or own,
        now=site.clock() // MOMENT * MOMENT,
        named=named is not None,
        url=site.url,
        notice=site.notice,
    )
    return Visit(
        site=site,
        edition=edition,
        path=request.url.path,
        asked=query | request.path_params,
    )
