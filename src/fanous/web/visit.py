"""Visit: one request as the pages see it - what is asked for, and the edition in which it is answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from fanous.publish.edition import Edition
from fanous.web.site import Site
from fanous.wording.language import Language
from fanous.wording.negotiate import chosen, preferred

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
