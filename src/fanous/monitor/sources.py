"""Sources: the public sources that the configuration enables, pulled at their own intervals, and rounds from other
people's vantage points.

Requests run in a separate thread, so that pages and detection never wait for a publisher; the store's thread
only stores the results.  The pace of rounds never changes: the lines are other people's, and the hourly tests are few.

Of OONI's measurements, in its public bucket, the newest come first and the past follows, so that ongoing events show
within minutes; they are stored a few at a time, between other calls.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from math import inf
from pathlib import Path

from fanous.errors import FanousError, Rejected
from fanous.log import logline
from fanous.model.instant import DAY, HOUR
from fanous.model.verdict import Judged
from fanous.monitor.clock import Clock
from fanous.pipeline.controls import wanted_controls
from fanous.pipeline.detect import detect_all
from fanous.pipeline.ingest import append, batches, judged_records
from fanous.pipeline.judge import Ingested, log_rejects, rules_version
from fanous.pipeline.pull import Fetched, Pull, due, fetch, keep, newest
from fanous.pipeline.pull_ooni import (
    DETECT_EVERY,
    SOURCE,
    FetchedObject,
    PulledMeasurements,
    Wanted,
    addresses,
    arrived,
    end_backfill,
    fetched,
    first_wanted,
    note_progress,
    plan,
    provenance_of,
    remember,
    taken,
    together,
)
from fanous.pipeline.remote import (
    RemotePlan,
    begin_round,
    bring_round,
    check_consent,
    one_round,
    popular_urls,
)
from fanous.pipeline.replay import finish_interrupted, remarks
from fanous.pipeline.scheduler import pause, unless
from fanous.pipeline.vitals import PullStates
from fanous.pipeline.workers import judged_by
from fanous.probe.consent import check_country
from fanous.probe.run import wanted_of
from fanous.sources.connector import Get, Query, Transport
from fanous.sources.fetch import Polite, host_of
from fanous.sources.ooni.bucket import Bucket, PublishedObject
from fanous.sources.publishers import SOURCES, SourceSettings
from fanous.store.protocol import Ask, Store
from fanous.store.series import Pulled
from fanous.web.answers import Incoming

LOOK = 60.0
"""Seconds, by the monitor's clock, between two checks for what is due; the shortest interval is ten minutes."""

SHORTEST = 0.5
"""Shortest pause in a lab, in machine seconds."""

AGAIN = 120.0
"""Seconds after which an unreachable source is tried again; doubled each time, up to its own interval."""

log = getLogger("fanous.monitor")


class Turns:
    """When each errand is to be tried next: unix seconds, by the monitor's clock.

    An errand counts as failed until it has succeeded, so that one that meets a bug never holds up another.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, float] = {}
        self._failures: Counter[Hashable] = Counter()

    def has_come(self, name: Hashable, now: float) -> bool:
        return now >= self._next.get(name, 0.0)

    def took(self, name: Hashable, now: float, every: float) -> None:
        self._next[name] = now + every
        del self._failures[name]

    def failed(self, name: Hashable, now: float, every: float) -> None:
        """Note a failure: a source that recovers must not wait a day to be noticed."""
        self._next[name] = now + min(every, AGAIN * 2 ** min(self._failures[name], 20))
        self._failures[name] += 1


@dataclass(frozen=True, slots=True)
class Errand:
    """One source for one country."""

    source: str
    country: str
    settings: SourceSettings


def errands(settings: dict[str, SourceSettings]) -> tuple[Errand, ...]:
    """The sources that the configuration enables.

    Raises:
        FanousError: an enabled source names no country, or its key is missing.
    """
    wanted = []
    for source, table in settings.items():
        if not table.enabled:
            continue
        if source == "ris":
            raise FanousError(
                "[sources.ris]: not pulled by `fanous run`; follow the stream with `fanous "
                "pull ris --table FILE`"
            )
        if not table.countries:
            raise FanousError(f"[sources.{source}]: set `countries`, or enabled = false")
        if table.token:
            _key(source, table.token)
        if SOURCES[source].pulled is Transport.ORDERS:
            _check_order(source, table)
        wanted += [Errand(source, country, table) for country in table.countries]
    return tuple(wanted)


def _check_order(source: str, source_settings: SourceSettings) -> None:
    """Raises:
    FanousError: the order names something that may not be measured from other people's lines.
    """
    try:
        popular_urls(wanted_of((), source_settings.lists, lambda _: None).urls)
        for country in source_settings.countries:
            check_country(country)
    except FanousError as error:
        raise FanousError(f"[sources.{source}]: {error}") from None
    check_consent(source, source_settings)


class Errands:
    """Runs errands, each when its turn has come, and remembers how that went."""

    def __init__(self, ask: Ask, wanted: Sequence[Errand], clock: Clock) -> None:
        self._ask, self._wanted, self._clock = ask, tuple(wanted), clock
        self._turns = Turns()
        self.states = PullStates([(errand.source, errand.country) for errand in wanted])

    async def pull(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            for errand in self._wanted:
                if not stop.is_set():
                    await unless(stop, self.run_one(errand))
            await pause(stop, max(SHORTEST, self._clock.lasts(LOOK)))

    async def run_one(self, errand: Errand) -> object:
        """One errand, if it is due."""
        raise NotImplementedError


class Sources(Errands):
    """Pulls each public source when it is due, and remembers how that went.

    Args:
        cache: folder for publishers' responses, with one folder per source.
    """

    def __init__(self, ask: Ask, wanted: Sequence[Errand], clock: Clock, cache: Path) -> None:
        super().__init__(ask, wanted, clock)
        self._cache = cache

    async def run_one(self, errand: Errand) -> Pull | None:
        """Pull one source, if it is due; ``None`` = it was not, or could not be reached."""
        now = self._clock()
        name = errand.source, errand.country
        if not self._turns.has_come(name, now):
            return None
        query = await self._ask(partial(_to_ask, errand, now))
        if query is None:
            return None
        self._turns.failed(name, now, errand.settings.every)
        ask, known = query
        try:
            # A thread that is not waited for: a publisher may ask us to come back in five minutes.
            fetched = await asyncio.to_thread(self._fetch, errand, ask, known)
        except FanousError as error:
            log.warning(logline("pull_failed", source=errand.source, country=errand.country, why=error))
            self.states.note(*name, now, str(error))
            return None
        done = await self._ask(partial(_keep, errand, fetched))
        _say(done)
        self.states.note(*name, now, done.failures[0][1] if done.failures else "")
        if done.pieces or not done.failures:
            self._turns.took(name, now, errand.settings.every)
        return done

    def _fetch(self, errand: Errand, ask: Query, known: Sequence[Pulled]) -> list[Fetched]:
        with polite(errand, self._cache) as get:
            return list(fetch(errand.source, ask, get, self._clock, known, onwards=True))


@contextmanager
def polite(errand: Errand, cache: Path) -> Iterator[Get]:
    """Makes requests within the source's budget."""
    settings = errand.settings
    headers = {"Authorization": f"Bearer {_key(errand.source, settings.token)}"} if settings.token else None
    with Polite(
        SOURCES[errand.source], cache / errand.source, mirror=settings.mirror, headers=headers
    ) as client:
        yield client.get


def _key(source: str, variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise FanousError(f"[sources.{source}] needs a key: set the environment variable {variable}")
    return key


def _to_ask(errand: Errand, now: float, store: Store) -> tuple[Query, list[Pulled]] | None:
    """What to request, and what is already stored; ``None`` = not due yet."""
    settings = errand.settings
    if not due(store, errand.source, errand.country, settings.every, now):
        return None
    since, until = newest(errand.source, now, settings.days)
    ask = Query(errand.country, since, until, settings.networks, settings.regions)
    return ask, store.facts.pulled(errand.source, errand.country)


def _keep(errand: Errand, fetched: Sequence[Fetched], store: Store) -> Pull:
    done = Pull(errand.source, errand.country, host_of(errand.settings.mirror))
    for piece in fetched:
        keep(store, piece, done)
    detect_all(store)
    return done


def _say(done: Pull) -> None:
    line: Callable[..., None] = log.warning if done.failures else log.info
    line(
        logline(
            "pulled",
            source=done.source,
            country=done.country,
            pieces=done.pieces,
            new=done.new,
            rejected=len(done.rejects) or None,
            failed=done.failures[0][1] if done.failures else None,
        )
    )


class Remote(Errands):
    """Measures from other people's vantage points, each country when its round is due; its errands are those of
    sources that measure on order."""

    async def run_one(self, errand: Errand) -> Ingested | None:
        """One country's round, if it is due; ``None`` = it was not, or nothing could be measured.

        A round that could not even be planned has requested nothing, so it is tried again within minutes.
        """
        now, source, country, every = self._clock(), errand.source, errand.country, errand.settings.every
        if not self._turns.has_come((source, country), now):
            return None
        if not await self._ask(lambda store: due(store, source, country, every, now)):
            return None
        self._turns.failed((source, country), now, every)
        left_out: list[str] = []
        plans: list[RemotePlan] = []
        loop = asyncio.get_running_loop()

        async def note_begin() -> None:
            await self._ask(partial(begin_round, source=source, country=country, now=now))

        def begin(planned: RemotePlan) -> None:
            plans.append(planned)
            self._turns.took((source, country), now, every)
            asyncio.run_coroutine_threadsafe(note_begin(), loop).result()

        try:
            lines = await asyncio.to_thread(_measured, errand, int(now // every), left_out, begin)
        except (FanousError, Rejected) as error:
            log.warning(logline("round_failed", source=source, country=country, why=error))
            self.states.note(source, country, now, str(error))
            return None
        (planned,) = plans
        self.states.note(source, country, now)
        is_publisher = not errand.settings.mirror
        tally: Ingested = await self._ask(
            partial(
                bring_round, source=source, country=country, lines=lines, now=now, is_publisher=is_publisher
            )
        )
        log_rejects(log, tally)
        log.info(
            logline(
                "round",
                source=source,
                country=country,
                targets=len(planned.urls),
                networks=len(planned.networks),
                tests=planned.tests,
                new=tally.stored,
                rejected=tally.rejected or None,
                left_out=len(planned.left_out) + len(left_out) or None,
            )
        )
        for sentence in (*planned.left_out, *left_out):
            log.info(logline("left_out", source=source, country=country, what=sentence))
        return tally


def _measured(
    errand: Errand, turn: int, left_out: list[str], on_plan: Callable[[RemotePlan], None]
) -> list[bytes]:
    settings = errand.settings
    urls = wanted_of((), settings.lists, left_out.append).urls
    return list(
        one_round(errand.source, settings, errand.country, urls, turn, left_out.append, on_plan=on_plan)
    )


AT_ONCE = 200
"""Measurements stored at a time; they take a fraction of a second of the store's thread."""

OneFile = tuple[PublishedObject, Path]

FEW = 50
"""Number of objects that are imported before a reader could notice."""

SAID_EVERY = 60.0
"""Seconds between two log lines about a long pull."""


class Measurements(Errands):
    """Pulls OONI's measurements of countries, again and again.

    Args:
        cache: folder for what is fetched until it is stored.

    Attributes:
        doing: country -> the pull in progress.
    """

    def __init__(self, ask: Ask, wanted: Sequence[Errand], clock: Clock, cache: Path) -> None:
        super().__init__(ask, wanted, clock)
        self._cache = cache
        self._failing: dict[str, float] = {}
        self.doing: dict[str, PulledMeasurements] = {}

    async def run_one(self, errand: Errand) -> PulledMeasurements | None:
        """Pull one country, if it is due."""
        return await self.pull_one(errand) if self._turns.has_come(errand.country, self._clock()) else None

    def incoming(self) -> list[Incoming]:
        """Pulls in progress, for the pages."""
        going = [
            Incoming(country, done.size / done.plan.size if done.plan.size else 1.0, done.back_to)
            for country, done in self.doing.items()
            if len(done.plan.objects) > FEW
        ]
        return going + [
            Incoming(country, 0.0, None, since) for country, since in sorted(self._failing.items())
        ]

    async def pull_one(self, errand: Errand) -> PulledMeasurements | None:
        """Pull one country's new measurements; ``None`` = the bucket could not be listed."""
        now, country = self._clock(), errand.country
        self._turns.failed(country, now, errand.settings.every)
        bucket = Bucket(errand.settings.mirror)
        wanted = first_wanted(country, errand.settings.days, now)
        known: list[Pulled] = await self._ask(partial(_pulled_of, country=country))
        try:
            planned = await asyncio.to_thread(plan, bucket, wanted, known, now)
        except FanousError as error:
            log.warning(logline("pull_failed", source=SOURCE, country=country, why=error))
            self._failing.setdefault(country, now)
            await self._note_failure(country, now, str(error))
            return None
        done = PulledMeasurements.begun(wanted, planned)
        done.tally.remarks += remarks(await self._ask(finish_interrupted))
        if planned.objects:
            log.info(
                logline(
                    "pulling",
                    source=SOURCE,
                    country=country,
                    objects=len(planned.objects),
                    bytes=planned.size,
                )
            )
        self.doing[country] = done
        objects = fetched(bucket, planned.objects, self._cache / SOURCE / country)
        try:
            await self._take_all(objects, done, bucket)
            await self._ask(partial(end_backfill, country=country, if_stalled=done.missing > 0))
        finally:
            objects.close()
            del self.doing[country]
            await self._ask(detect_all)
        await self._ask(partial(remember, done=done, now=now))
        await self._pull_controls(wanted, bucket)
        if done.missing and not done.objects:
            self._failing.setdefault(country, now)
        else:
            self._failing.pop(country, None)
        if done.missing:
            await self._note_failure(country, now, done.failures[0][1])
        else:
            self._turns.took(country, now, errand.settings.every)
            self.states.note(SOURCE, country, now, done.failures[0][1] if done.failures else "")
        _say_pulled(done)
        return done

    async def _note_failure(self, country: str, now: float, why: str) -> None:
        self.states.note(SOURCE, country, now, why)
        await self._ask(partial(end_backfill, country=country, if_stalled=True))

    async def _take_all(
        self,
        objects: Generator[FetchedObject],
        done: PulledMeasurements,
        bucket: Bucket,
    ) -> None:
        loop = asyncio.get_running_loop()
        said = detected = loop.time()
        newest = done.plan.objects[0].hour if done.plan.objects else 0.0
        await self._note(done, newest + HOUR)
        is_first_day = True
        groups = together(objects)
        while (group := await asyncio.to_thread(next, groups, None)) is not None:
            if (is_first_day and group[0][0].hour <= newest - DAY) or loop.time() - detected > DETECT_EVERY:
                await self._ask(detect_all)
                detected, is_first_day = loop.time(), False
            await self._take_group(group, done, bucket)
            await self._note(done, group[-1][0].hour)
            if loop.time() - said > SAID_EVERY:
                said = loop.time()
                _say_pulled(done)

    async def _take_group(
        self, group: Sequence[FetchedObject], done: PulledMeasurements, bucket: Bucket
    ) -> None:
        files = arrived(group, done)
        try:
            await self._take(files, done, bucket)
        except FanousError:
            for file in files:  # one object failed; the others count
                try:
                    await self._take([file], done, bucket)
                except FanousError as error:
                    done.failures.append((file[0].key, str(error)))
        finally:
            for _, path in files:
                path.unlink(missing_ok=True)

    async def _pull_controls(self, wanted: Wanted, bucket: Bucket) -> None:
        """Bring what shows whether the targets of suspected incidents worked elsewhere."""
        lacking: list[Wanted] = await self._ask(
            partial(wanted_controls, country=wanted.country, since=wanted.since, until=wanted.until)
        )
        folder = self._cache / SOURCE / wanted.country / "controls"
        for asked in lacking:
            known: list[Pulled] = await self._ask(partial(_pulled_of, country=asked.country))
            try:
                planned = await asyncio.to_thread(plan, bucket, asked, known, self._clock())
            except FanousError as error:
                log.warning(logline("pull_failed", source=SOURCE, country=asked.country, why=error))
                break
            done = PulledMeasurements.begun(asked, planned)
            groups = together(fetched(bucket, planned.objects, folder))
            while (group := await asyncio.to_thread(next, groups, None)) is not None:
                await self._take_group(group, done, bucket)
            await self._ask(partial(remember, done=done, now=self._clock()))
            _say_pulled(done)
        if lacking:
            await self._ask(detect_all)

    async def _note(self, done: PulledMeasurements, back_to: float) -> None:
        now = self._clock()
        await self._ask(lambda store: note_progress(store, done, back_to, now))

    async def _take(self, files: Sequence[OneFile], done: PulledMeasurements, bucket: Bucket) -> None:
        span = (done.wanted.since, done.wanted.until)
        paths = [path for _, path in files]
        provenance, there = provenance_of(bucket), addresses(bucket, files)
        older, book = await self._ask(lambda store: (store.holds_older(), store.book))
        version = rules_version()
        read = partial(
            judged_records, SOURCE, provenance=provenance, began=span, published=there, older=older
        )
        judged = batches(judged_by(1, read, paths, done.tally, None, book), AT_ONCE)
        while (chunk := await asyncio.to_thread(next, judged, None)) is not None:
            batch: list[Judged] = chunk
            await self._ask(partial(append, batch=batch, tally=done.tally, late=inf, version=version))
        now = self._clock()
        await self._ask(lambda store: taken(store, [one for one, _ in files], done, now))


def _pulled_of(store: Store, country: str) -> list[Pulled]:
    return store.facts.pulled(SOURCE, country)


def _say_pulled(done: PulledMeasurements) -> None:
    log_rejects(log, done.tally)
    line = log.warning if done.failures else log.info
    line(
        logline(
            "pulled",
            source=SOURCE,
            country=done.wanted.country,
            objects=f"{done.objects}/{len(done.plan.objects)}",
            bytes=done.size,
            new=done.tally.stored,
            rejected=done.tally.rejected or None,
            failed=done.failures[0][1] if done.failures else None,
        )
    )
