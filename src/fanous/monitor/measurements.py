"""Measurements: OONI's, pulled from its public bucket for the countries that the configuration names.

The newest come first and the past follows, so that ongoing events show within minutes.  Objects are fetched and judged
in separate threads; the store's thread only stores a few measurements at a time, between other calls.
"""

import asyncio
from collections.abc import Generator, Sequence
from functools import partial
from logging import getLogger
from math import inf
from pathlib import Path

from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY, HOUR
from fanous.monitor.clock import Clock
from fanous.monitor.sources import LOOK, SHORTEST, Errand, Turns
from fanous.pipeline.detect import detect_all
from fanous.pipeline.ingest import append, batches, finish_interrupted, remarks
from fanous.pipeline.judge import judged_records, log_rejects, rules_version
from fanous.pipeline.pull_ooni import (
    DETECT_EVERY,
    SOURCE,
    FetchedObject,
    PulledMeasurements,
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
from fanous.pipeline.scheduler import pause, unless
from fanous.pipeline.vitals import PullStates
from fanous.sources.ooni.bucket import Bucket, PublishedObject
from fanous.store.batch import Judged
from fanous.store.protocol import Ask
from fanous.store.series import Pulled
from fanous.web.answers import Incoming

SOME = 200
"""Measurements stored at a time; they take a fraction of a second of the store's thread."""

OneFile = tuple[PublishedObject, Path]

FEW = 50
"""Number of objects that are imported before a reader could notice."""

SAID_EVERY = 60.0
"""Seconds between two log lines about a long pull."""

log = getLogger("fanous.monitor")


class Measurements:
    """Pulls OONI's measurements of countries, again and again.

    Args:
        cache: folder for what is fetched until it is stored.

    Attributes:
        doing: country -> the pull in progress.
    """

    def __init__(self, ask: Ask, wanted: Sequence[Errand], clock: Clock, cache: Path) -> None:
        self._ask, self._wanted, self._clock, self._cache = ask, tuple(wanted), clock, cache
        self._turns = Turns()
        self._failing: dict[str, float] = {}
        self.doing: dict[str, PulledMeasurements] = {}
        self.states = PullStates([(SOURCE, one.country) for one in wanted])

    async def pull(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            for errand in self._wanted:
                if not stop.is_set() and self._turns.has_come(errand.country, self._clock()):
                    await unless(stop, self.pull_one(errand))
            await pause(stop, max(SHORTEST, self._clock.lasts(LOOK)))

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
        known: list[Pulled] = await self._ask(lambda store: store.facts.pulled(SOURCE, country))
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
        if done.missing and not done.objects:
            self._failing.setdefault(country, now)
        else:
            self._failing.pop(country, None)
        if done.missing:
            await self._note_failure(country, now, done.failures[0][1])
        else:
            self._turns.took(country, now, errand.settings.every)
            self.states.note(SOURCE, country, now, done.failures[0][1] if done.failures else "")
        _say(done)
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
            files = arrived(group, done)
            try:
                await self._take_or_each(files, done, bucket)
            finally:
                for _, path in files:
                    path.unlink(missing_ok=True)
            await self._note(done, group[-1][0].hour)
            if loop.time() - said > SAID_EVERY:
                said = loop.time()
                _say(done)

    async def _note(self, done: PulledMeasurements, back_to: float) -> None:
        now = self._clock()
        await self._ask(lambda store: note_progress(store, done, back_to, now))

    async def _take_or_each(self, files: Sequence[OneFile], done: PulledMeasurements, bucket: Bucket) -> None:
        try:
            await self._take(files, done, bucket)
        except FanousError:
            for one in files:  # one object failed; the others count
                try:
                    await self._take([one], done, bucket)
                except FanousError as error:
                    done.failures.append((one[0].key, str(error)))

    async def _take(self, files: Sequence[OneFile], done: PulledMeasurements, bucket: Bucket) -> None:
        span = (done.wanted.since, done.wanted.until)
        paths = [path for _, path in files]
        provenance, there = provenance_of(bucket), addresses(bucket, files)
        older, attempts = await self._ask(lambda store: (store.holds_older(), store.attempts))
        version = rules_version()
        with attempts.slot() as working:
            records = judged_records(
                SOURCE, paths, done.tally, None, provenance, span, there, older=older, working=working
            )
            judged = batches(records, SOME)
            while (some := await asyncio.to_thread(next, judged, None)) is not None:
                batch: list[Judged] = some
                await self._ask(partial(append, batch=batch, tally=done.tally, late=inf, version=version))
        now = self._clock()
        await self._ask(lambda store: taken(store, [one for one, _ in files], done, now))


def _say(done: PulledMeasurements) -> None:
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
