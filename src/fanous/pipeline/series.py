"""Series: imports series from files into the store, and reads their latest values.

    file -> reading -> store

The countries concerned are marked, and ``pipeline.detect.detect_all`` does the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from fanous.analysis.detectors.grid import rolled_up
from fanous.analysis.series.artefacts import is_scaled, on_known_scale
from fanous.analysis.series.baselines import Spans, baseline_level, outage_times, traffic_losses
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.analysis.series.slowness import speed_series
from fanous.charts.connectivity import SeriesNow
from fanous.errors import FanousError
from fanous.model.claim import Claim
from fanous.model.instant import DAY
from fanous.model.measurement import Provenance
from fanous.model.series import Series, SourceSeries
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import Ingested
from fanous.pipeline.replay import finish_interrupted, remarks
from fanous.sources.claims import same
from fanous.sources.connector import WHOLE_FILE, About, PublishedClaim, Reading, SeriesFiles
from fanous.sources.publishers import SERIES_FILES, licences_by_source, terms
from fanous.store.database import spans_of
from fanous.store.facts import Facts
from fanous.store.protocol import Store

RATES = 28 * DAY
"""Seconds of our own downloads from which the usual rate of an hour is computed."""

BATCH = 200
"""Series written at once."""

Bring = Callable[[Sequence[SourceSeries]], object]
"""Stores series as they come, and detects (``pipeline.jobs.BringSeries``)."""


def ingest_series(
    store: Store,
    source: str,
    paths: Sequence[Path],
    about: About,
    on_progress: Callable[[Path, int], None] | None = None,
) -> Ingested:
    """Import files of quantity series into the store, and detect where they changed something.

    Counts are in lines of the files.  Repeating it changes nothing; a line whose value differs from the
    stored one counts as stored, and replaces it.

    Raises:
        FanousError: unknown source, or a file that cannot be read at all.
    """
    if source not in SERIES_FILES:
        raise FanousError(f"unknown source of series {source!r}: use one of {', '.join(SERIES_FILES)}")
    tally = Ingested()
    tally.remarks += remarks(finish_interrupted(store))
    files = SERIES_FILES[source].begin()
    for path in paths:
        _bring_in(store, files, path, about, tally, on_progress)
    detect_all(store)
    return tally


def _bring_in(
    store: Store,
    files: SeriesFiles,
    path: Path,
    about: About,
    tally: Ingested,
    on_progress: Callable[[Path, int], None] | None,
) -> None:
    def on_reject(line: int, why: str) -> None:
        if line == WHOLE_FILE:
            tally.notes.append(f"{path}: {why}")
        else:
            tally.reject(str(path), line, why)

    def on_repeat(_: int) -> None:
        tally.duplicate += 1

    watch = None if on_progress is None else partial(on_progress, path)
    seen: set[int] = set()
    fresh: set[int] = set()
    sayings: list[PublishedClaim] = []
    for batch in _batches(files.read(path, about, on_reject, on_repeat, watch), sayings):
        written = put_series(store, [reading.levels for reading in batch], Provenance.IMPORTED)
        for reading, which in zip(batch, written, strict=True):
            seen.update(reading.lines.tolist())
            fresh.update(reading.lines[which[reading.bins]].tolist())
            tally.by_test[reading.levels.key.signal] += int(which.sum())
    new = put_claims(store, [saying.claim for saying in sayings])
    if new:
        tally.by_test["claims"] += new
    tally.stored += len(fresh) + new
    tally.duplicate += len(seen - fresh) + len(sayings) - new


def put_claims(store: Store, claims: Sequence[Claim]) -> int:
    """Record what sources say about outages, each once; returns how many were new."""
    known = {country: store.ledger.claims(country) for country in {claim.country for claim in claims}}
    new = 0
    for claim in claims:
        before = known[claim.country]
        if not any(same(claim, other) for other in before):
            before.append(store.ledger.add_claim(claim))
            new += 1
    return new


def put_series(
    store: Store, batch: Sequence[SourceSeries], provenance: Provenance = Provenance.REAL
) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Mark the countries of series, then store the series: in this order, a crash loses none."""
    ends = ((one, at) for one in batch if len(one) for at in (one.times.min(), one.times.max()))
    store.ledger.mark_undetected(spans_of((one.key.place.country, float(at)) for one, at in ends))
    provenance = Provenance.SYNTHETIC if store.staged else provenance
    facts = store.of(provenance).facts
    return list(facts.put_series([_on_known_scale(facts, one) for one in batch], provenance))


def _on_known_scale(facts: Facts, one: SourceSeries) -> SourceSeries:
    if not is_scaled(one) or not len(one):
        return one
    place, ends = one.key.place, (float(one.times.min()), float(one.times.max()) + one.step)
    for known in facts.levels(place.country, *ends, [one.key.signal], [place]):
        if (known.key, known.step) == (one.key, one.step):
            return replace(one, values=on_known_scale(one.times, one.values, known.times, known.values))
    return one


def _batches(
    found: Iterable[Reading | PublishedClaim], sayings: list[PublishedClaim]
) -> Iterable[list[Reading]]:
    """Readings in batches; outages that sources report go into ``sayings``."""
    batch: list[Reading] = []
    for reading in found:
        if isinstance(reading, PublishedClaim):
            sayings.append(reading)
            continue
        batch.append(reading)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def series_now(store: Store, country: str, at: float) -> list[SeriesNow]:
    """The latest complete bin of every series of a country at an instant, the country's own first; reads
    only.

    If a source has only regions, their median is the country's series, as for outages.  The baseline leaves
    out the outages and losses of traffic that the store knows.

    Raises:
        FanousError: there is none.
    """
    store = store.about(country)
    own = speed_series(store.facts.rates(country, at - RATES, at), country)
    levels = store.facts.levels(country, -inf, at, settled=True) or store.facts.levels(country, -inf, at)
    series = [*levels, *rolled_up([one for one in levels if not one.key.target]), *own]
    incidents = store.ledger.incidents(country, until=at, synthetic=store.is_synthetic)
    lost = {place: outage_times(incidents, place) for place in {one.key.place for one in series}}
    licences = licences_by_source(levels, store.facts.series_licences(country))
    traffic = {
        target: traffic_losses(incidents, country, [target])
        for target in {target_of_series(one.key) for one in series}
    }
    whole = [
        level
        for one in series
        if (level := newest(one, at, [*lost[one.key.place], *traffic[target_of_series(one.key)]], licences))
    ]
    if not whole:
        raise FanousError(
            f"no series of {country} in this store: fetch some with `fanous pull ripestat --country "
            f"{country}` or `fanous ingest ioda-csv FILE --country {country}`"
        )
    return sorted(whole, key=_by_place)


def newest(series: Series, now: float, outages: Spans, licences: Mapping[str, str]) -> SeriesNow | None:
    """The newest whole bin, since an incomplete one would look like a drop; ``None`` = there is none.

    Args:
        outages: known ones of the place, which are not part of the baseline.
        licences: of sources for which they vary.
    """
    ended = np.flatnonzero((series.times + series.step <= now) & ~np.isnan(series.values))
    if not len(ended):
        return None
    at, value = int(series.times[ended[-1]]), float(series.values[ended[-1]])
    ordinary = baseline_level(series, outages)(at)
    licence = licences.get(series.key.source) or terms(series.key.source).licence
    return SeriesNow(series.key, series.step, at, value, None if ordinary != ordinary else ordinary, licence)


def _by_place(level: SeriesNow) -> tuple[int, str, str, str, str]:
    place = level.key.place
    rank = 2 if place.asn else 1 if place.region else 0
    return rank, str(place), SIGNALS[level.key.signal].family, level.key.signal, level.key.source
