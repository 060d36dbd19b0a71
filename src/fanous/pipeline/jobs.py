"""Jobs: what commands bring into a store and detect, as typed calls (``pipeline.call``)."""

from collections.abc import Callable, Sequence
from logging import getLogger
from math import inf
from pathlib import Path
from threading import Event

from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.measurement import Provenance
from fanous.model.series import SourceSeries
from fanous.pipeline import detect, ingest
from fanous.pipeline.call import Call
from fanous.pipeline.judge import Ingested
from fanous.pipeline.series import ingest_series, put_series
from fanous.sources.connector import About
from fanous.store.database import LEASE_SECONDS
from fanous.store.protocol import Store

log = getLogger("fanous.detect")

LOOK = 1.0
"""Seconds between two checks for work that another process may have left."""


class Ingest(Call[Ingested], frozen=True, tag="ingest"):
    """Import files of measurements, judge them and detect; the arguments of ``pipeline.ingest.ingest``."""

    source: str
    files: tuple[Path, ...]
    provenance: Provenance = Provenance.IMPORTED
    late: float = inf
    detects: bool = True

    def perform(
        self, store: Store, moved: Callable[[Path, int], None] | None = None, jobs: int = 1
    ) -> Ingested:
        """Args:
        jobs: processes that read.  Only the command's own process starts others: a monitor has other work, too.
        """
        return ingest.ingest(
            store,
            self.source,
            self.files,
            moved,
            provenance=self.provenance,
            late=self.late,
            detects=self.detects,
            jobs=jobs,
        )


class IngestSeries(Call[Ingested], frozen=True, tag="ingest_series"):
    """Import files of series or claims, and detect."""

    source: str
    files: tuple[Path, ...]
    about: About

    def perform(self, store: Store, moved: Callable[[Path, int], None] | None = None) -> Ingested:
        return ingest_series(store, self.source, self.files, self.about, moved)


class BringSeries(Call[None], frozen=True, tag="bring_series"):
    """Store what this process measured or was sent, and detect.

    Attributes:
        mirror: host that sent it in the publisher's place; empty = none.
    """

    series: tuple[SourceSeries, ...]
    mirror: str = ""

    def perform(self, store: Store) -> None:
        for line in self.series if self.mirror else ():
            span = float(line.times.min()), float(line.times.max()) + line.step
            store.facts.put_mirrors(line.key.source, line.key.place.country, [self.mirror], *span)
        put_series(store, self.series)
        detect.detect_all(store)


class Detect(Call[list[str]], frozen=True, tag="detect"):
    """Detect in all countries with undetected measurements; gives these in order.

    Attributes:
        countries, since, until: what must be detected again first; all ``None`` or empty = nothing.
        lease: seconds after which another process takes over a country from one that died.
    """

    countries: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    lease: float = LEASE_SECONDS

    def perform(self, store: Store) -> list[str]:
        if self.countries or self.since is not None or self.until is not None:
            mark(store, self.countries, self.since, self.until)
        return work(store, 0, self.lease, Event().wait)


def mark(store: Store, codes: Sequence[str], first: float | None, last: float | None) -> None:
    """Mark all measurements of these countries and times as undetected.

    Args:
        codes: empty = all countries.

    Raises:
        FanousError: nothing was measured in one of them.
    """
    spans = {}
    for country in codes or store.countries():
        span = store.about(country).facts.span(country)
        if span is None:
            if codes:
                raise FanousError(f"no measurements in {country}: there is nothing to detect")
            continue
        since = span[0] if first is None else max(first, span[0])
        until = span[1] if last is None else min(last, span[1])
        if since <= until:
            spans[country] = since, until
    store.ledger.mark_undetected(spans)


def work(store: Store, every: float, lease: float, ended: Callable[[float], bool]) -> list[str]:
    """Detect in one country after another, until nothing waits and no other process is at work that might
    leave some.

    Args:
        every: seconds between two checks once nothing waits; 0 = end then.
        ended: waits this many seconds, and returns whether it is time to end.
    """
    done: list[str] = []
    while not ended(0):
        country = detect.detect_next(store, seconds=lease)
        if country:
            done.append(country)
            log.info(logline("detected", country=country))
        if country is not None:
            continue
        is_over = not (store.ledger.undetected() and store.ledger.leases())
        if is_over and not every:
            break
        if ended(every if is_over else LOOK):
            break
    return done
