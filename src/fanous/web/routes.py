"""Routes: declarations of pages and resources, a request as they see it, and their reply.

The decorators ``page`` and ``resource`` register the function that answers. A wrong declaration (a missing
template, a path that is taken, a path parameter of unknown form) raises an error on import.
"""

import gzip
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from fanous.pipeline.vitals import Workings
from fanous.publish.alerts.settings import Alerting
from fanous.publish.edition import Edition
from fanous.publish.feeds import Feed
from fanous.store.protocol import Store
from fanous.web.limits import ReaderLimits, SiteNames
from fanous.wording.language import chosen, preferred


@dataclass(frozen=True, slots=True)
class Incoming:
    """Measurements of a country that are still being brought in, the newest first.

    Attributes:
        share: share already imported.
        back_to: everything uploaded since then is in; unix seconds, UTC; ``None`` = nothing yet.
        failing_since: since when some of it cannot be fetched, and is tried again; ``None`` = all is well.
    """

    country: str
    share: float
    back_to: float | None = None
    failing_since: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Settings of the pages, by the monitor's owner.

    Attributes:
        url: public address without a slash at its end, ``https://fanous.example``; empty = as each request
            names it.  It must be set behind a reverse proxy, or permanent links will use the inner address.
        notice: shown on every page, in English: "Recorded event ..."; empty = none. clock: unix seconds, UTC; the
        *now* of the pages.
        world: file of map shapes in the format of ``refdata/world.tsv``; ``None`` = that file.
        heard: (country, ASN) -> when a probe there was last heard, if heartbeats know more than the stored
            measurements.
        incoming: what is still being imported, if the monitor itself fetches measurements.
        offline: has no public source been reachable since the monitor started?
        key: Ed25519 key that signs evidence bundles; ``None`` = the user's own, made once.
        limits: how much work one reader may cause.
        names: host names accepted if ``url`` is empty.
        token: opens the desk, and is required in administrators' requests; empty = there are none.
        workings: what the monitor knows about itself, for the desk.
        alerting: the channels that the desk can test.
        passphrase: opens the desk too, as ``passphrase.hashed`` keeps it; empty = none does.
        channels: addresses at which the owner publishes, for readers to follow.
    """

    url: str = ""
    notice: str = ""
    clock: Callable[[], float] = time.time
    world: Path | None = None
    heard: Callable[[], dict[tuple[str, int], float]] = field(default=dict)
    incoming: Callable[[], "list[Incoming]"] = field(default=list)
    offline: Callable[[], bool] = field(default=bool)
    key: Path | None = None
    limits: ReaderLimits = field(default_factory=ReaderLimits)
    names: SiteNames = field(default_factory=SiteNames)
    token: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    workings: Workings = field(default_factory=Workings)
    alerting: Alerting = field(default_factory=Alerting)
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Edition):
    """One request: its language, address, time, path and parameters.

    Attributes:
        path: of the request, ``/PK``.
        asked: parameters of the path, and those of the query that the page declares.
        query: the latter alone, which a link to the same page in another language keeps.
    """

    site: Site
    path: str
    asked: Mapping[str, str]
    query: Mapping[str, str]


MOMENT = 15.0
"""Seconds; pages requested within this time have the same *now* and share their queries."""


NOTHING_ASKED: Mapping[str, str] = {}


class Several(str):
    """The pattern of a parameter that boxes of a form may give several times: the values become one, with commas."""


LANGUAGE = "lang"
"""The query parameter that every page has."""


def canonical(request: Request, asks: Mapping[str, str]) -> str | None:
    """The same address without parameters that are ignored; ``None`` = there are none.

    Otherwise every cache, ours included, would keep a copy for any text after the question mark.

    Args:
        asks: as in ``Page``.
    """
    given, kept = request.query_params.multi_items(), dict[str, str]()
    for name, value in given:
        if name == LANGUAGE:
            is_heeded = chosen(value) is not None
        else:
            is_heeded = name in asks and re.fullmatch(asks[name], value) is not None
        if is_heeded and name in kept and isinstance(asks.get(name), Several):
            kept[name] += f",{value}"
        elif is_heeded:
            kept.setdefault(name, value)
    if len(kept) == len(given):
        return None
    path = request.url.path
    return quote(path) + (f"?{urlencode(kept)}" if kept else "")


def visit_of(request: Request, site: Site, asks: Mapping[str, str] = NOTHING_ASKED) -> Visit:
    """What a request asks for.

    Args:
        asks: query parameters besides the language, as in ``Page``.
    """
    named = chosen(request.query_params.get("lang"))
    host = "" if site.url else site.names.chosen(request.headers.get("host", ""), request.scope.get("server"))
    scheme = "https" if request.url.scheme == "https" else "http"
    own = f"{scheme}://{host}" if host else ""
    query = {name: request.query_params[name] for name in asks if name in request.query_params}
    return Visit(
        language=named or preferred(request.headers.get("accept-language", "")),
        base=site.url or own,
        now=site.clock() // MOMENT * MOMENT,
        named=named is not None,
        url=site.url,
        notice=site.notice,
        site=site,
        path=request.url.path,
        asked=query | request.path_params,
        query=query,
    )


REVALIDATE = "no-cache"
"""Browsers keep it but ask each time, since a page about an outage must not be out of date."""

FOR_GOOD = "public, max-age=31536000, immutable"
"""For addresses that contain a digest of the content."""

LEAST_COMPRESSED = 600
"""Bytes; a smaller answer fits into one packet uncompressed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Attributes:
    packed: gzip of ``body``; empty if that would save nothing.
    tag: digest of ``body``.
    """

    body: bytes
    packed: bytes
    media: str
    tag: str
    kept: str = REVALIDATE

    @property
    def size(self) -> int:
        """Bytes of both forms."""
        return len(self.body) + len(self.packed)

    @classmethod
    def of(cls, body: bytes | str, media: str, *, kept: str = REVALIDATE) -> "Reply":
        """Text is compressed; pictures are already."""
        raw = body.encode() if isinstance(body, str) else body
        is_text = not media.startswith("image/") or media.startswith("image/svg")
        packed = gzip.compress(raw, 9, mtime=0) if is_text and len(raw) >= LEAST_COMPRESSED else b""
        return cls(raw, packed, media, blake2b(raw, digest_size=9).hexdigest(), kept)

    def answer(self, request: Request) -> Response:
        """The response to this request: plain, compressed, or 304 if the client has it already."""
        pack = bool(self.packed) and "gzip" in request.headers.get("accept-encoding", "").lower()
        tag = f'"{self.tag}{"-gz" if pack else ""}"'
        headers = {
            "ETag": tag,
            "Cache-Control": self.kept,
            "Vary": "Accept-Encoding, Accept-Language",
        }
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        if pack:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if pack else self.body, media_type=self.media, headers=headers)


def _has(header: str, tag: str) -> bool:
    """Is the tag in the header?  Compared weakly (RFC 9110, section 13.1.2)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in header.split(","))


FORMS = {
    "country": "[A-Z]{2}",
    "lower": "[a-z]{2}",
    "network": "AS[1-9][0-9]{0,9}",
    "incident": "[A-Z]{2}-[0-9]{4}-[0-9]{4,6}",
    "event": "[A-Z]{2}-watch-[0-9]{1,6}",
    # A measurement's uid: 20231217150203.123_PK_webconnectivity_0123456789abcdef, or a digest.
    "uid": "[0-9A-Za-z][0-9A-Za-z._-]{0,119}",
}
"""Forms of path parameters: ``{country:country}`` matches ``PK``, but neither ``pk`` nor ``PKX``."""

for _name, _form in FORMS.items():
    register_url_convertor(_name, type(f"{_name.title()}Convertor", (StringConvertor,), {"regex": _form})())


class Elsewhere(Exception):
    """Redirects the reader to the canonical address of what was asked for.

    Attributes:
        address: path and query on this site.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


Facts = Mapping[str, Any]
"""Variables of a template."""

Gather = Callable[[Store, Visit], Facts | None]
"""Reads the store, in its thread; ``None`` = there is no such page.  Raises ``Elsewhere``."""

Later = Callable[[], Reply]
"""Slow work that needs no store, such as drawing a picture."""

Maker = Callable[[Store, Visit], Reply | Later | None]
"""Reads the store, in its thread, and makes the reply; ``None`` = not found.  Raises ``Elsewhere``."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of HTML in six languages.

    Attributes:
        path: as Starlette writes routes, with the parts named in ``FORMS``: ``/{country:country}``.
        template: file in ``web/templates``.
        title: title in the navigation, in English (a key of the catalogues); empty = not listed there.
        place: position in the navigation, from 1.
        asks: query parameter -> pattern of accepted values.
        feed: content of the feeds below its path; ``None`` = it has none.
        feed_asks: as ``asks``, for the feeds.
    """

    path: str
    template: str
    gather: Gather
    title: str = ""
    place: int = 0
    asks: Mapping[str, str] = field(default_factory=dict)
    feed: Callable[[Store, Visit], Feed] | None = None
    feed_asks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything that is not a page: a picture, a citation, a document for programs.

    Attributes:
        path, asks: as in ``Page``.
    """

    path: str
    make: Maker
    asks: Mapping[str, str] = field(default_factory=dict)


PAGES: list[Page] = []
RESOURCES: list[Resource] = []
"""Everything declared; importing ``fanous.web.pages`` fills both."""

G = TypeVar("G", bound=Gather)
M = TypeVar("M", bound=Maker)


def page(
    path: str,
    template: str,
    *,
    title: str = "",
    place: int = 0,
    asks: Mapping[str, str] = NOTHING_ASKED,
    feed: Callable[[Store, Visit], Feed] | None = None,
    feed_asks: Mapping[str, str] = NOTHING_ASKED,
) -> Callable[[G], G]:
    """Declares a page whose facts the function returns; the arguments are the attributes of ``Page``.

    Raises:
        ValueError: the declaration is wrong.
    """

    def declare(gather: G) -> G:
        _check_path(path)
        if not (files("fanous.web") / "templates" / template).is_file():
            raise ValueError(f"page {path}: web/templates has no {template}")
        if bool(title) != bool(place):
            raise ValueError(f"page {path}: a title for the navigation needs a place in it, and the reverse")
        if place and place in (one.place for one in PAGES):
            raise ValueError(f"page {path}: place {place} in the navigation is taken")
        PAGES.append(Page(path, template, gather, title, place, asks, feed, feed_asks))
        return gather

    return declare


def resource(path: str, *, asks: Mapping[str, str] = NOTHING_ASKED) -> Callable[[M], M]:
    """Declares a resource that the function makes; the arguments are the attributes of ``Resource``.

    Raises:
        ValueError: as in ``page``.
    """

    def declare(make: M) -> M:
        _check_path(path)
        RESOURCES.append(Resource(path, make, asks))
        return make

    return declare


def _check_path(path: str) -> None:
    try:
        compile_path(path)
    except AssertionError as error:
        raise ValueError(
            f"{path}: {error}; FORMS in fanous.web.routes lists the forms of path parameters"
        ) from None
    if not path.startswith("/"):
        raise ValueError(f"{path}: a path begins with a slash")
    if path in paths():
        raise ValueError(f"{path}: there is a page or resource at this path already")


def paths() -> list[str]:
    """The routes of everything declared."""
    return [*(one.path for one in PAGES), *(one.path for one in RESOURCES)]


def navigation() -> list[Page]:
    """The pages that every page links to, in order."""
    return sorted((one for one in PAGES if one.place), key=lambda one: one.place)
