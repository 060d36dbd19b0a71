"""Answers: a request as pages see it, and the reply to it, from the shelf or from the store.

New replies are kept on a shelf, so that many readers cost the store one query.

Answers about facts are cached too, because pages in several languages, and several parts of a page, ask for the same,
and in a large store each query takes tenths of a second of its only thread (``store.cache``). Incidents, claims and
events are never cached.
"""

import asyncio
import gzip
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from unicodedata import decimal
from urllib.parse import quote, urlencode

from markupsafe import escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fanous.errors import FanousError
from fanous.pipeline.vitals import Workings
from fanous.publish.alerts.settings import Alerting
from fanous.publish.edition import Edition
from fanous.store.cache import Cache, Memory
from fanous.store.location import DataLost
from fanous.store.protocol import Ask, Store
from fanous.web.limits import Budget, ReaderLimits, too_many
from fanous.wording import clocks
from fanous.wording.language import chosen, preferred

Endpoint = Callable[[Request], Awaitable[Response]]
HTML = "text/html; charset=utf-8"
SVG, PNG, JSON = "image/svg+xml", "image/png", "application/json"


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
        url: public address without a slash at its end, ``https://fanous.example``; empty = links name no host.  A
            request's ``Host`` is never repeated: anyone can choose it, and replies are kept for all readers.
        notice: shown on every page, in English: "Recorded event ..."; empty = none. clock: unix seconds, UTC; the
        *now* of the pages.
        world: file of map shapes in the format of ``refdata/world.tsv``; ``None`` = that file.
        heard: (country, ASN) -> when a probe there was last heard, if heartbeats know more than the stored
            measurements.
        incoming: what is still being imported, if the monitor itself fetches measurements.
        offline: has no public source been reachable since the monitor started?
        key: Ed25519 key that signs evidence bundles; ``None`` = the user's own.
        limits: how much work one reader may cause.
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


HOW_MUCH = ("page", "days")
"""Parameters that choose how much is shown, not what; a value that a page does not know is ignored."""


class NotUnderstood(HTTPException):
    """A parameter has a value that means nothing here (400). Without it, the answer would be to another question.

    Attributes:
        asked: name and value.
    """

    def __init__(self, name: str, value: str) -> None:
        super().__init__(400)
        self.asked = name, value


def canonical(request: Request, asks: Mapping[str, str]) -> str | None:
    """The same address without parameters that are ignored, and with values in their usual form; ``None`` = it is
    this one.

    Otherwise every cache, ours included, would keep a copy for any text after the question mark.

    Args:
        asks: as in ``Page``.

    Raises:
        NotUnderstood: a parameter has a value that means nothing.
    """
    items, kept = request.query_params.multi_items(), dict[str, str]()
    for name, text in items:
        if name == LANGUAGE:
            value = text if chosen(text) is not None else None
        else:
            value = fitting(text, asks[name]) if name in asks else None
            if value is None and text.strip() and name in asks and name not in HOW_MUCH:
                raise NotUnderstood(name, text)
        if value is not None and name in kept and isinstance(asks.get(name), Several):
            kept[name] += f",{value}"
        elif value is not None:
            kept.setdefault(name, value)
    if items == list(kept.items()):
        return None
    path = request.url.path
    return quote(path) + (f"?{urlencode(kept)}" if kept else "")


def fitting(text: str, pattern: str) -> str | None:
    """The text as the pattern has it: codes may be typed in small letters, dates in any script's digits; ``None`` = it
    does not fit."""
    latin = "".join(str(decimal(one, one)) for one in text.strip())
    return next((one for one in (text, latin, latin.upper()) if re.fullmatch(pattern, one)), None)


def visit_of(request: Request, site: Site, asks: Mapping[str, str] = NOTHING_ASKED) -> Visit:
    """What a request asks for.

    Args:
        asks: query parameters besides the language, as in ``Page``.
    """
    named = chosen(request.query_params.get("lang"))
    language = named or preferred(request.headers.get("accept-language", ""))
    query = {name: request.query_params[name] for name in asks if name in request.query_params}
    return Visit(
        language=language,
        base=site.url,
        now=site.clock() // MOMENT * MOMENT,
        named=named is not None,
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
        headers = {"ETag": tag, "Cache-Control": self.kept, "Vary": "Accept-Encoding, Accept-Language"}
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        if pack:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if pack else self.body, media_type=self.media, headers=headers)


def _has(header: str, tag: str) -> bool:
    """Is the tag in the header?  Compared weakly (RFC 9110, section 13.1.2)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in header.split(","))


class Elsewhere(Exception):
    """Redirects the reader to the canonical address of what was asked for.

    Attributes:
        address: path and query on this site.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


Later = Callable[[], Reply]
"""Slow work that needs no store, such as writing HTML or drawing a picture."""

Maker = Callable[[Store, Visit], Reply | Later | None]
"""Reads the store, in its thread, and makes the reply; ``None`` = not found.  Raises ``Elsewhere``."""


COSTLY_AT_ONCE = 2
"""Replies with a cost above 1 that are made at once.  Sixty readers who asked for pictures filled the queue of the
store and the threads, so that a page took 12 s."""

MOST_COSTLY, COSTLY_SECONDS = 40, 15
"""Most of them in all, and seconds that these take."""


class Answers:
    """What all endpoints share.

    Attributes:
        lost_at: since when it has been known that a part of the store was removed or replaced, by the site's clock;
            ``None`` = it is whole.
    """

    def __init__(self, ask: Ask, site: Site) -> None:
        self.ask = ask
        self.site = site
        self._shelf = Shelf(clock=site.clock)
        self._dated: dict[tuple[str, str], Reply] = {}
        self.lost_at: float | None = None
        self._work = Budget(site.limits, site.limits.work)
        self._memory = Memory()
        self._costly, self._waiting = asyncio.Semaphore(COSTLY_AT_ONCE), 0

    def forget(self) -> None:
        """Something changed, so make the next reply anew."""
        self._shelf.empty()
        self._memory.forget()

    async def shelved(
        self, request: Request, key: Hashable, make: Callable[[], Awaitable[Reply]], cost: float = 1.0
    ) -> Reply:
        """The reply on the shelf under this key, or a new one, charged to the reader (in pages).

        Raises:
            FanousError: the store cannot be read.
        """
        if self.lost_at is not None:
            raise DataLost("a part of the store was removed or replaced")
        return await self._shelf.get(key, make, partial(self._work.spend, request, cost))

    def spend(self, request: Request, cost: float) -> None:
        """Charges the reader for a reply that is not kept on the shelf; raises ``HTTPException`` (429)."""
        self._work.spend(request, cost)

    def _last(self, key: Hashable, visit: Visit) -> Reply | None:
        """The last reply under this key, if it is a page, which says when it was made; ``None`` = there is none."""
        kept = self._shelf.last(key)
        if kept is None or kept.reply.media != HTML:
            return None
        language, since = visit.language, kept.failing_since or self.lost_at or visit.now
        notice = language.say(
            "Since {since}, this monitor has not been able to read its data. What you see here is from {at}, and may "
            "no longer be true.",
            since=clocks.utc_dates(since, since, language),
            at=clocks.utc_dates(kept.at, kept.at, language),
        )
        if (reply := self._dated.get((kept.reply.tag, notice))) is None:
            body = _MAIN.sub(
                lambda main: main[0] + f'<p class="notice">{escape(notice)}</p>'.encode(), kept.reply.body, 1
            )
            if len(self._dated) >= MOST_DATED:
                self._dated.clear()
            self._dated[kept.reply.tag, notice] = reply = Reply.of(body, HTML)
        return reply

    @asynccontextmanager
    async def _turn(self, cost: float) -> AsyncGenerator[None]:
        """Wait for the other costly replies; raises ``HTTPException`` (503) if there are too many."""
        if cost <= 1:
            yield
            return
        if self._waiting >= MOST_COSTLY:
            raise too_many(COSTLY_SECONDS, 503)
        self._waiting += 1
        try:
            async with self._costly:
                yield
        finally:
            self._waiting -= 1

    def of(self, maker: Maker, asks: Mapping[str, str] = NOTHING_ASKED, cost: float = 1.0) -> Endpoint:
        """The endpoint of a page or a resource; ``asks`` as in ``Page``."""

        async def answer(request: Request) -> Response:
            better = canonical(request, asks)
            if better is not None:
                return RedirectResponse(better, 308, {"Cache-Control": "public, max-age=3600"})
            visit = visit_of(request, self.site, asks)

            async def make() -> Reply:
                async with self._turn(cost):
                    content = await self.ask(lambda store: maker(store.for_readers(self._memory), visit))
                    if content is None:
                        raise HTTPException(404)
                    # In a thread, so that readers of other pages do not wait while this one is written or drawn.
                    return content if isinstance(content, Reply) else await asyncio.to_thread(content)

            asked = tuple(sorted(visit.asked.items()))
            key = (visit.path, visit.language.code, visit.named, asked)
            try:
                reply = await self.shelved(request, key, make, cost)
            except Elsewhere as elsewhere:
                return RedirectResponse(elsewhere.address, 307, {"Cache-Control": "no-store"})
            except FanousError as error:
                last = self._last(key, visit)
                if last is None:
                    raise HTTPException(503, headers=TRY_AGAIN) from error
                reply = last
            return reply.answer(request)

        return answer


TRY_AGAIN = {"Retry-After": "60"}
"""Header of an answer while the store cannot be read."""

MOST_DATED = 64
"""Pages kept with a note that they are old."""

_MAIN = re.compile(rb"<main\b[^>]*>")

FRESH_SECONDS = 2.0
"""Seconds until a reply goes stale. A change appears on the pages after this and one rendering, well within 5 s."""

WORK_SHARE = 20
"""A slow reply is kept this many times as long as it took, so that no page uses more than a twentieth of the
store's time. A changed incident empties the shelf nevertheless."""

MOST_FRESH_SECONDS = 60.0
GRACE_SECONDS = 600.0
"""Seconds for which a stale reply is still given while the next one is being made, so that readers of a popular
page never wait. A changed incident empties the shelf at once (``Live``)."""

REST = 3.0
"""After a reply has been made ahead, none is made ahead for this many times as long. Refreshing pages thus takes at
most a quarter of the time, however many pages and languages are read."""

MOST_BYTES = 24 << 20
"""Of all replies on the shelf together, compressed forms included: some 400 pages, or a few long tables."""


@dataclass(frozen=True, slots=True)
class _Shelved:
    """Attributes:
    began: monotonic seconds; later changes are not in the reply.
    fresh: seconds from ``began`` for which it is fresh.
    at: ``began`` by the shelf's clock.
    failing_since: since when the store could not be read for a newer one; ``None`` = it could.
    """

    began: float
    fresh: float
    reply: Reply
    at: float
    failing_since: float | None = None


class Shelf:
    """Keeps the newest replies, and makes each only once, however many readers wait for it."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS, clock: Callable[[], float] = time.time) -> None:
        self._fresh, self._clock = fresh_seconds, clock
        self._kept: Cache[Hashable, _Shelved] = Cache(MOST_BYTES, lambda kept: kept.reply.size)
        self._making: dict[Hashable, asyncio.Task[Reply]] = {}
        self._emptied = 0.0
        self._ahead: asyncio.Task[Reply] | None = None
        self._rested, self._took = 0.0, 0.0

    def empty(self) -> None:
        """Something changed, so replies begun before now are stale."""
        self._emptied = monotonic()
        self._making.clear()

    def last(self, key: Hashable) -> "_Shelved | None":
        """The last reply under this key, however old."""
        return self._kept.get(key)

    async def get(
        self, key: Hashable, make: Callable[[], Awaitable[Reply]], before: Callable[[], None] = lambda: None
    ) -> Reply:
        """A reply that is fresh, or went stale only just now. Errors of ``make`` are raised for all who wait.

        Args:
            before: called if this request causes the reply to be made; its errors are raised for this request only.
        """
        kept = self._kept.get(key)
        is_sound = kept is not None and kept.began > self._emptied and kept.failing_since is None
        age = monotonic() - kept.began if kept and is_sound else None
        if kept is not None and age is not None and age < kept.fresh:
            return kept.reply
        if kept is not None and age is not None and age < kept.fresh + GRACE_SECONDS:
            if key not in self._making and self._ahead is None and monotonic() >= self._rested:
                self._ahead = self._begin(key, make)
                self._ahead.add_done_callback(self._rest)
            return kept.reply
        making = self._making.get(key)
        if making is None:
            before()
            making = self._begin(key, make)
        return await asyncio.shield(making)

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> asyncio.Task[Reply]:
        making = asyncio.ensure_future(self._make(key, make))
        making.add_done_callback(_heed)
        self._making[key] = making
        return making

    def _rest(self, _made: asyncio.Task[Reply]) -> None:
        """A reply that was made ahead is ready."""
        self._ahead = None
        self._rested = monotonic() + REST * self._took

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        began, at = monotonic(), self._clock()
        try:
            reply = await make()
        except FanousError:
            kept = self._kept.get(key)
            if kept is not None and kept.failing_since is None:
                self._kept.put(key, replace(kept, failing_since=at))
            raise
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        self._took = took = monotonic() - began
        fresh = min(max(self._fresh, WORK_SHARE * took), max(MOST_FRESH_SECONDS, self._fresh))
        self._kept.put(key, _Shelved(began, fresh, reply, at))
        return reply


def _heed(task: asyncio.Task[Reply]) -> None:
    """No request awaits a reply that was made ahead, so an error in it is left for the next reader."""
    if not task.cancelled():
        task.exception()
