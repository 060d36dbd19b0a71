"""Brackets: do the brackets of onsets and ends hold the truth where real series are thinned and shifted?

    FANOUS_SHARED_DATA=FOLDER python -m benchmarks.brackets [--truths N] [--seed N]

Two kinds of truth, each through the whole search for outages:

- losses put into real series of times without an outage, from any second on and for any time, as the publisher of the
  signal would have seen them, of which then only every so many-th value is kept, from any phase on;
- the outages of the corpora whose times are known, with all values of their series and with every so many-th.

Prints how many truths lie inside their bracket, how wide it is in steps of what was left, and how far the best estimate
is from the truth.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.anomalies import is_country
from fanous.analysis.series.signals import SIGNALS, Value
from fanous.model.incident import Incident, Kind, Status
from fanous.model.measurement import Provenance
from fanous.model.series import Series
from fanous.pipeline.outages import found_in, quantity_series
from fanous.pipeline.series import ingest_series
from fanous.store.local import open_store
from fanous_lab.evaluation.corpus import Corpus, KnownTime, corpus_files, load_corpus

CORPORA = Path(__file__).resolve().parents[1] / "corpora"
QUIET = ("injected-drops", "india-2020")
"""Corpora whose series hold no outage."""

KNOWN = ("iran-2019-ioda", "iran-2019", "uganda-2021", "venezuela-2019")
EVERY = (1, 2, 3, 4, 6, 12)
DAY, HOUR = 86400, 3600
BEFORE, AFTER = 15 * DAY, 5 * DAY
"""Time of a series before the earliest planted loss, and after the longest."""

LONGEST = 12 * HOUR
"""Widest steps that are left: beyond it a day has too few values to compare."""


@dataclass(frozen=True, slots=True)
class Score:
    """One truth: is it inside, how wide is the bracket in steps, and how far off is the estimate in minutes?"""

    inside: bool
    width: float
    error: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--truths", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    shared = Path(os.environ["FANOUS_SHARED_DATA"])
    quiet = [one for name in QUIET for one in series_of(load_corpus(CORPORA / name), shared)]
    planted = list(plants(quiet, chosen.truths // 2, np.random.default_rng(chosen.seed)))
    missed = sum(not scores for scores in planted)
    _report(f"put into {len(quiet)} real series ({missed} of {len(planted)} not found)", planted)
    whole, every = list[list[Score]](), list[list[Score]]()
    for name in KNOWN:
        corpus = load_corpus(CORPORA / name)
        series = series_of(corpus, shared)
        as_published, thin = (list(outages(corpus, series, each)) for each in ((1,), EVERY[1:]))
        _report(f"{name}, as published", as_published)
        _report(f"{name}, thinned", thin)
        whole += as_published
        every += thin
    _report("all outages, as published", whole)
    _report("all that were made", [*planted, *every])


def _report(name: str, found: Sequence[Sequence[Score]]) -> None:
    scores = [score for own in found for score in own]
    if not scores:
        print(f"{name}: none found")
        return
    print(
        f"{name}: {sum(one.inside for one in scores)} of {len(scores)} truths inside "
        f"({np.mean([one.inside for one in scores]):.1%}), median width {np.median([one.width for one in scores]):.2f} "
        f"steps, median error {np.median([one.error for one in scores]):.0f} min"
    )


def series_of(corpus: Corpus, shared: Path) -> list[Series]:
    """The series of a corpus' files, as the store gives them."""
    with tempfile.TemporaryDirectory() as scratch, open_store(Path(scratch) / "store", staged=True) as store:
        for file, path in corpus_files(corpus, shared, Path(scratch)):
            assert file.about is not None
            ingest_series(store, file.source, [path], file.about)
        kept = store.of(Provenance.SYNTHETIC)
        found = [quantity_series(kept, cc, corpus.since, corpus.until) for cc in corpus.countries]
    return [one for own in found for one in own if len(one)]


def thinned(one: Series, every: int, phase: int) -> Series:
    """Every so many-th of its values, from one on."""
    kept = (one.times // one.step) % every == phase
    return replace(
        one,
        step=one.step * every,
        times=one.times[kept],
        values=one.values[kept],
        counts=one.counts[kept],
        controlled=one.controlled[kept],
        measurements=one.measurements[kept],
    )


# --- losses put into real series -----------------------------------------------------------------------


def plants(quiet: Sequence[Series], count: int, chance: np.random.Generator) -> Iterator[list[Score]]:
    """Scores of both times of each planted loss; empty = it was not found."""
    able = [one for one in quiet if _is_able(one)]
    for _ in range(count):
        one = able[int(chance.integers(len(able)))]
        every = int(chance.choice([n for n in EVERY if one.step * n <= LONGEST]))
        lasts = float(chance.uniform(30 * HOUR, 90 * HOUR))
        start = (
            float(one.times[0])
            + BEFORE
            + chance.uniform(0, float(one.times[-1] - one.times[0]) - BEFORE - AFTER)
        )
        left = float(chance.choice([0.02, 0.3, 0.6]))
        seen = thinned(struck(one, start, start + lasts, left), every, int(chance.integers(every)))
        told = [i for i in _found([seen]) if i.onset < start + lasts and i.until > start]
        yield [] if not told else _scores(told[0], seen.step, (start, start), (start + lasts, start + lasts))


def _is_able(one: Series) -> bool:
    """Does it hold no gap that a loss could hide in, and last long enough?"""
    span = float(one.times[-1] - one.times[0])
    is_level = bool(np.nanmedian(one.values) >= 20) and SIGNALS[one.key.signal].bad.value == "down"
    return (
        is_country(one.key.place) and is_level and span > BEFORE + AFTER and len(one) > 0.95 * span / one.step
    )


def struck(one: Series, start: float, end: float, left: float) -> Series:
    """The series with so much left between two seconds, as its publisher's samples or bins would have shown it."""
    if SIGNALS[one.key.signal].value is Value.SAMPLE:
        lost = ((one.times >= start) & (one.times < end)).astype(np.float64)
    else:
        lost = np.clip(
            (np.minimum(one.times + one.step, end) - np.maximum(one.times, start)) / one.step, 0, 1
        )
    return replace(one, values=one.values * (1 - (1 - left) * lost))


# --- outages that happened -----------------------------------------------------------------------------


def outages(corpus: Corpus, series: Sequence[Series], thinning: Sequence[int]) -> Iterator[list[Score]]:
    """Scores of the known times of each event, by every so many-th value of each phase."""
    for event in corpus.events:
        truth = event.truth
        if event.networks or truth is None or (truth.onset is None and truth.end is None):
            continue  # a network that was cut first has times, but no bracket, of its own
        for every in thinning:
            for phase in sorted({0, every // 2, every - 1}):
                seen = [thinned(one, every, phase) for one in series if one.step * every <= LONGEST]
                told = [
                    i for i in _found([one for one in seen if len(one)]) if _is_of(i, truth.onset, truth.end)
                ]
                if told:
                    step = max(one.step for one in seen)
                    yield _scores(told[0], step, _bounds(truth.onset), _bounds(truth.end))


def _is_of(incident: Incident, *known: KnownTime | None) -> bool:
    return any(
        one is not None
        and incident.onset - DAY / 4 <= one.latest
        and incident.until + DAY / 4 >= one.earliest
        for one in known
    )


def _bounds(known: KnownTime | None) -> tuple[float, float] | None:
    return None if known is None else (float(known.earliest), float(known.latest))


# --- both ----------------------------------------------------------------------------------------------


def _found(series: Sequence[Series]) -> list[Incident]:
    country = series[0].key.place.country if series else "XA"
    told = found_in(Quantities(series), Setting(country, None, "", ""))
    return [one for one in told if one.kind is Kind.OUTAGE and one.status is not Status.RETRACTED]


def _scores(
    told: Incident, step: int, onset: tuple[float, float] | None, end: tuple[float, float] | None
) -> list[Score]:
    """A truth is inside if the bracket meets the time in which it is known to lie."""
    found = []
    brackets = (
        (onset, told.onset_earliest, told.onset, told.onset_latest),
        (end, told.end_earliest, told.end, told.end_latest),
    )
    for truth, earliest, at, latest in brackets:
        if truth is not None and earliest is not None and at is not None and latest is not None:
            inside = earliest <= truth[1] and latest >= truth[0]
            off = max(truth[0] - at, at - truth[1], 0.0)
            found.append(Score(inside, (latest - earliest) / step, off / 60))
    return found


if __name__ == "__main__":
    main()
