"""Visit: one request as the pages see it - what is asked for, in which language, when, by which address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request

from fanous.languages.choosing import chosen, preferred
from fanous.languages.language import Language
from fanous.web.site import Site

HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
"""Only such a Host header is repeated in an address on a page."""

MOMENT = 15.0
"""Seconds: pages that are asked for within one moment speak of the same *now*, and share what they read."""

ASKED = ("days", "page", "url")
"""Names of the query that change a page, beside the language."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Attributes:
    path: of the request, ``/PK``.
    named: the language stands in the address, so links of the page carry it on.
    base: scheme and host for permanent addresses, without a slash at the end.
    now: unix seconds, UTC.
    asked: parts of the path and the query that the page may read.
    """

    site: Site
    language: Language
    named: bool
    path: str
    base: str
    now: float
    asked: Mapping[str, str]

    def link(self, path: str, **query: str) -> str:
        """An address on this site that keeps the reader's language."""
        if self.named and "lang" not in query:
            query["lang"] = self.language.code
        return quote(path, safe="/:,.-") + (f"?{urlencode(query)}" if query else "")

    def permanent(self, path: str) -> str:
        """The address that is cited: whole, and without a language."""
        return self.base + quote(path, safe="/:,.-")


def visit_of(request: Request, site: Site) -> Visit:
    """What a request asks for."""
    named = chosen(request.query_params.get("lang"))
    host = request.headers.get("host", "")
    scheme = "https" if request.url.scheme == "https" else "http"
    own = f"{scheme}://{host}" if HOST.fullmatch(host) else ""
    query = {name: request.query_params[name] for name in ASKED if name in request.query_params}
    return Visit(
        site=site,
        language=named or preferred(request.headers.get("accept-language", "")),
        named=named is not None,
        path=request.url.path,
        base=site.url or own,
        now=site.clock() // MOMENT * MOMENT,
        asked=query | request.path_params,
    )
