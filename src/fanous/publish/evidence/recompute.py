"""Recompute: records -> incidents through the live pipeline, in a store that vanishes."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fanous.analysis.incidents.match import match
from fanous.errors import Rejected
from fanous.model.incident import Incident
from fanous.model.record import Record
from fanous.model.source_series import SourceSeries
from fanous.model.weights import UserWeights
from fanous.pipeline import stages
from fanous.pipeline.judge import rules_version
from fanous.publish.evidence.container import BundleRefused
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.batch import Judged
from fanous.store.local import open_store
from fanous.store.protocol import Store

BATCH = 2000
"""Records in memory at once, as in the pipeline."""

REJECTS = 20

MADE_UP = b'"synthetic":'
"""What the generators of made-up events write into every record, spelled as packed lines spell it."""


@dataclass(frozen=True, slots=True)
class RecomputeWindow:
    """What is computed again: a country, and unix seconds, half-open."""

    country: str
    since: float
    until: float


@dataclass(slots=True)
class Recomputed:
    """What the records amount to.

    Attributes:
        records: that were used; ``series``: ready-made ones.
        synthetic: records that say of themselves that a generator made them up.
        rejects: of those that could not be used, the first ``REJECTS`` with why.
    """

    incidents: list[Incident] = field(default_factory=list)
    records: int = 0
    series: int = 0
    synthetic: int = 0
    rejects: list[str] = field(default_factory=list)


def recompute(
    records: Iterable[Record],
    levels: Sequence[SourceSeries],
    window: RecomputeWindow,
    shares: UserWeights | None,
) -> Recomputed:
    """Judge, gather, detect, correlate and confirm, as ``ingest`` does.

    No other store may be open in this process meanwhile.
    """
    done = Recomputed()
    with (
        tempfile.TemporaryDirectory(prefix="fanous-evidence-") as scratch,
        open_store(Path(scratch) / "store") as store,
    ):
        batch: list[Judged] = []
        for record in records:
            if record.source not in MEASUREMENT_SOURCES:
                raise BundleRefused(f"{record.file}, line {record.line}: no source {record.source!r}")
            try:
                batch.append(Judged(record, *stages.judge_record(record)))
            except Rejected as reason:
                if len(done.rejects) < REJECTS:
                    done.rejects.append(f"{record.file}, line {record.line}: {reason}")
            done.synthetic += MADE_UP in record.data
            if len(batch) >= BATCH:
                _keep(store, batch, done)
        _keep(store, batch, done)
        store.put_series(levels)
        done.series = len(levels)
        done.incidents = stages.find_incidents(store, window.country, window.since, window.until, shares)
    return done


def _keep(store: Store, batch: list[Judged], done: Recomputed) -> None:
    done.records += store.append(batch, rules_version=rules_version()).stored
    batch.clear()


def closest(found: list[Incident], known: Incident) -> Incident | None:
    """The incident among ``found`` that ``known`` is; ``None`` = none."""
    pairs = match(found, [known])
    return next((incident for incident, partner in pairs if partner is not None), None)
