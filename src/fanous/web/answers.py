"""Answers: turns requests into replies, from the shelf or from the store.

New pages are kept on a shelf, so that many readers cost the store one query.

Answers about facts are cached too, because pages in several languages, and several parts of a page, ask the same, and
in a large store each query takes tenths of a second of its only thread. Facts change only when measurements arrive,
so these answers stay valid until then. Incidents, claims and events are never cached.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, ParamSpec, TypeVar, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fanous.model.place import Place
from fanous.model.series import Series, Votes
from fanous.store import facts as stored
from fanous.store.coverage import Freshness, Heard, Insufficient, KnownNetwork
from fanous.store.protocol import Ask, Store
from fanous.store.series import KnownSignal
from fanous.web.limits import Budget
from fanous.web.routes import NOTHING_ASKED, Elsewhere, Maker, Page, Reply, Site, Visit, canonical, visit_of
from fanous.web.templates import rendered

P = ParamSpec("P")
T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[Response]]
HTML = "text/html; charset=utf-8"


class Answers:
    """What all endpoints share."""

    def __init__(self, ask: Ask, site: Site) -> None:
        self.ask = ask
        self.site = site
        self._shelf = Shelf()
        self._work = Budget(site.limits, site.limits.work)
        self._remembered: dict[bool, RememberedFacts] = {}

    def forget(self) -> None:
        """Something changed, so the next reply is made anew."""
        self._shelf.empty()
        for facts in self._remembered.values():
            facts.forget()

    def _remembering(self, store: Store) -> Store:
        """The store as readers see it, with a cache of facts, but not of incidents, claims or events."""
        return store.for_readers().with_facts(self._remembers)

    def _remembers(self, facts: stored.Facts) -> stored.Facts:
        known = self._remembered.get(facts.synthetic)
        if known is None or known.inner is not facts:
            known = self._remembered[facts.synthetic] = RememberedFacts(facts)
        return known

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
"""After a reply was made ahead, none is made ahead for this many times as long. Refreshing pages thus takes at most
a quarter of the time, however many pages and languages are read."""

MOST_REPLIES = 512
"""Replies on the shelf, of at most a hundred kilobytes each."""


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
        self._kept: OrderedDict[Hashable, _Shelved] = OrderedDict()
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
            self._kept.move_to_end(key)
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
        self._kept[key] = _Shelved(began, fresh, reply)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_REPLIES:
            self._kept.popitem(last=False)
        return reply


def _heed(task: asyncio.Task[Reply]) -> None:
    """No request awaits a reply that was made ahead, so an error in it is left for the next reader."""
    if not task.cancelled():
        task.exception()


KEPT_SECONDS = {
    "networks": 300.0,
    "countries": 60.0,
    "series_fetched": 60.0,
    "known_networks": 300.0,
    "known_signals": 300.0,
    "known_targets": 300.0,
    "heard": 15.0,
    "freshness": 60.0,
    "heard_in": 15.0,
    "volume": 15.0,
    "votes": 15.0,
    "insufficient": 60.0,
    "levels": 60.0,
}
"""Query -> seconds for which its answer is valid, whatever arrives. Names change within months, measurements within
minutes."""

MEASURED = frozenset({"networks", "heard", "heard_in", "freshness", "volume", "votes", "insufficient"})
"""Queries whose answers change only when measurements arrive. Their first argument is a country, except for
``heard`` and ``freshness``, which concern all."""

LONGEST_SECONDS = 600.0
"""If a database server holds the facts, another process may delete rows during a query."""

MARKS_SECONDS = 1.0
"""Seconds for which the last check for new measurements is trusted, since pages make many queries at once."""


MOST_KEPT = 24
"""Cached answers; the largest, the votes of a busy country, takes some 20 MB."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Attributes:
    at: monotonic seconds of the query. mark: of the data that had arrived by then.
    """

    at: float
    mark: Hashable
    answer: Any


class RememberedFacts(stored.Facts):
    """The facts of a store with a cache of answers; used only in the store's thread.

    Args:
        inner: queried if there is no valid answer.
        clock: monotonic seconds.
    """

    def __init__(self, inner: stored.Facts, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(inner.engine, read_only=True, synthetic=inner.synthetic)
        self.inner = inner
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._marks: dict[str, tuple[int, int]] = {}
        self._marked, self._changed = -inf, -inf

    def forget(self) -> None:
        """Something changed, so only answers that are still valid are kept."""
        self._marked, self._changed = -inf, self._clock()

    def networks(self, country: str) -> dict[int, str]:
        return self._asked("networks", self.inner.networks, country)

    def countries(self, since: float = -inf, until: float = inf) -> list[str]:
        return self._asked("countries", self.inner.countries, since, until)

    def series_fetched(self, country: str) -> dict[str, float]:
        return self._asked("series_fetched", self.inner.series_fetched, country)

    def known_networks(self) -> list[KnownNetwork]:
        return self._asked("known_networks", self.inner.known_networks)

    def known_targets(self) -> dict[str, int]:
        return self._asked("known_targets", self.inner.known_targets)

    def known_signals(self) -> list[KnownSignal]:
        return self._asked("known_signals", self.inner.known_signals)

    def heard(self, since: float, until: float) -> list[Heard]:
        return self._asked("heard", self.inner.heard, since, until)

    def freshness(self, since: float, until: float) -> list[Freshness]:
        return self._asked("freshness", self.inner.freshness, since, until)

    def heard_in(self, country: str, since: float, until: float) -> list[Heard]:
        return self._asked("heard_in", self.inner.heard_in, country, since, until)

    def volume(self, country: str, since: float, until: float, step: int = 3600) -> list[Series]:
        return self._asked("volume", self.inner.volume, country, since, until, step)

    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        return self._asked("votes", self.inner.votes, country, since, until, targets)

    def insufficient(self, country: str, since: float, until: float) -> list[Insufficient]:
        return self._asked("insufficient", self.inner.insufficient, country, since, until)

    def levels(
        self,
        country: str,
        since: float = -inf,
        until: float = inf,
        signals: Sequence[str] | None = None,
        entities: Sequence[Place] | None = None,
    ) -> list[Series]:
        return self._asked("levels", self.inner.levels, country, since, until, signals, entities)

    def _asked(self, name: str, question: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """The cached answer if it is valid, or a new one; all parameters are positional."""
        key = (name, _fixed(args))
        mark = self._brought_in(args[0]) if name in MEASURED else None
        kept = self._answers.get(key)
        if kept is not None and self._is_good(kept, mark, KEPT_SECONDS[name]):
            self._answers.move_to_end(key)
            return cast(T, kept.answer)
        began = self._clock()
        answer = question(*args, **named)
        self._answers[key] = _Kept(began, mark, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)
        return answer

    def _is_good(self, kept: _Kept, mark: Hashable, seconds: float) -> bool:
        """Whether nothing arrived since, or the answer is recent and younger than the last change."""
        age = self._clock() - kept.at
        if mark is not None and kept.mark == mark:
            return age < LONGEST_SECONDS
        return kept.at > self._changed and age < seconds

    def _brought_in(self, about: Any) -> Hashable:
        """The mark of the data of a country, or of all countries."""
        if self._clock() - self._marked >= MARKS_SECONDS:
            self._marked = self._clock()
            self._marks = self.inner.brought_in()
        return self._marks.get(about, (0, 0)) if isinstance(about, str) else tuple(self._marks.items())


def _fixed(value: Any) -> Hashable:
    """Lists become tuples, so that they can be part of a key."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_fixed(one) for one in value)
    return cast(Hashable, value)
