"""Answers: turns requests into replies, from the shelf or from the store.

New pages are kept on a shelf, so that many readers cost the store one query.

Answers about facts are cached too, because pages in several languages, and several parts of a page, ask the same, and
in a large store each query takes tenths of a second of its only thread (``store.memory``). Incidents, claims and events
are never cached.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fanous.cache import Cache
from fanous.store.facts import Facts
from fanous.store.memory import Memory
from fanous.store.protocol import Ask, Store
from fanous.web.limits import Budget
from fanous.web.routes import NOTHING_ASKED, Elsewhere, Maker, Page, Reply, Site, Visit, canonical, visit_of
from fanous.web.templates import rendered

Endpoint = Callable[[Request], Awaitable[Response]]
HTML = "text/html; charset=utf-8"


class Answers:
    """What all endpoints share."""

    def __init__(self, ask: Ask, site: Site) -> None:
        self.ask = ask
        self.site = site
        self._shelf = Shelf()
        self._work = Budget(site.limits, site.limits.work)
        self._memories: dict[bool, Memory] = {}

    def forget(self) -> None:
        """Something changed, so make the next reply anew."""
        self._shelf.empty()
        for memory in self._memories.values():
            memory.forget()

    def _remembering(self, store: Store) -> Store:
        """The store as readers see it, with a cache of facts, but not of incidents, claims or events."""
        return store.for_readers().with_facts(self._remembers)

    def _remembers(self, facts: Facts) -> Facts:
        memory = self._memories.get(facts.synthetic)
        if memory is None or memory.facts is not facts:
            memory = self._memories[facts.synthetic] = Memory(facts)
        return facts.remembering(memory)

    async def shelved(
        self, request: Request, key: Hashable, make: Callable[[], Awaitable[Reply]], cost: float = 1.0
    ) -> Reply:
        """The reply on the shelf under this key, or a new one, charged to the reader (in pages)."""
        return await self._shelf.get(key, make, lambda: self._work.spend(request, cost))

    def spend(self, request: Request, cost: float) -> None:
        """Charges the reader for a reply that is not kept on the shelf; raises ``HTTPException`` (429)."""
        self._work.spend(request, cost)

    def page(self, page: Page) -> Endpoint:
        """The endpoint of a page: facts are gathered in the store's thread, HTML is written here."""

        async def make(visit: Visit) -> Reply:
            facts = await self.ask(lambda store: page.gather(self._remembering(store), visit))
            if facts is None:
                raise HTTPException(404)
            # In a thread, so that readers of other pages do not wait while this one is rendered.
            return await asyncio.to_thread(lambda: Reply.of(rendered(page.template, visit, facts), HTML))

        return self._endpoint(make, page.asks)

    def of(self, maker: Maker, asks: Mapping[str, str] = NOTHING_ASKED, cost: float = 1.0) -> Endpoint:
        """The endpoint of anything else made from the store; ``asks`` as in ``Resource``."""

        async def make(visit: Visit) -> Reply:
            reply = await self.ask(lambda store: maker(self._remembering(store), visit))
            if reply is None:
                raise HTTPException(404)
            return reply if isinstance(reply, Reply) else await asyncio.to_thread(reply)

        return self._endpoint(make, asks, cost)

    def _endpoint(
        self, make: Callable[[Visit], Awaitable[Reply]], asks: Mapping[str, str], cost: float = 1.0
    ) -> Endpoint:
        async def answer(request: Request) -> Response:
            better = canonical(request, asks)
            if better is not None:
                return RedirectResponse(better, 308, {"Cache-Control": "public, max-age=3600"})
            visit = visit_of(request, self.site, asks)
            asked = tuple(sorted(visit.asked.items()))
            key = (visit.path, visit.base, visit.language.code, visit.named, asked)
            try:
                reply = await self.shelved(request, key, lambda: make(visit), cost)
            except Elsewhere as elsewhere:
                return RedirectResponse(elsewhere.address, 307, {"Cache-Control": "no-store"})
            return reply.answer(request)

        return answer


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
    """

    began: float
    fresh: float
    reply: Reply


class Shelf:
    """Keeps the newest replies, and makes each only once, however many readers wait for it."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh = fresh_seconds
        self._kept: Cache[Hashable, _Shelved] = Cache(MOST_BYTES, lambda kept: kept.reply.size)
        self._making: dict[Hashable, asyncio.Task[Reply]] = {}
        self._emptied = 0.0
        self._ahead: asyncio.Task[Reply] | None = None
        self._rested, self._took = 0.0, 0.0

    def empty(self) -> None:
        """Something changed, so replies begun before now are stale."""
        self._emptied = monotonic()
        self._making.clear()

    async def get(
        self,
        key: Hashable,
        make: Callable[[], Awaitable[Reply]],
        before: Callable[[], None] = lambda: None,
    ) -> Reply:
        """A reply that is fresh, or went stale only just now. Errors of ``make`` are raised for all who wait.

        Args:
            before: called if this request causes the reply to be made; its errors are raised for this request only.
        """
        kept = self._kept.get(key)
        age = monotonic() - kept.began if kept and kept.began > self._emptied else None
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
        began = monotonic()
        try:
            reply = await make()
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        self._took = took = monotonic() - began
        fresh = min(max(self._fresh, WORK_SHARE * took), max(MOST_FRESH_SECONDS, self._fresh))
        self._kept.put(key, _Shelved(began, fresh, reply))
        return reply


def _heed(task: asyncio.Task[Reply]) -> None:
    """No request awaits a reply that was made ahead, so an error in it is left for the next reader."""
    if not task.cancelled():
        task.exception()
