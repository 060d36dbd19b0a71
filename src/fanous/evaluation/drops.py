"""Drops: adds losses to quiet series, and compares them with what the live code finds.

The live detectors and incident code run unchanged; IODA's rule sees the same series.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import median

import numpy as np

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.ioda import IODA
from fanous.analysis.detectors.shift import SHIFT
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.evaluation.corpus import Corpus, Injection
from fanous.model.anomaly import Anomaly
from fanous.model.instant import DAY, HOUR
from fanous.model.score import YEAR, LossScore, QuietScore
from fanous.model.series import Series
from fanous.pipeline.outages import outages_of, quantity_series
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store

MONTH = YEAR / 12

COMPARED = (DROP, IODA)
"""Detectors that see the same series."""

WARM_UP = 14 * DAY
"""Losses begin once both rules have the history that they need: two weeks, and IODA's seven days."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss: ``[start, end)`` in unix seconds."""

    signals: tuple[str, ...]
    share: float
    start: float
    end: float


def inject(
    store: Store, corpus: Corpus, injection: Injection
) -> tuple[tuple[LossScore, ...], tuple[QuietScore, ...]]:
    """Every combination of signals, loss and length, and the unchanged series.

    Raises:
        FanousError: a signal is not in the corpus.
    """
    series = [
        one
        for one in quantity_series(store, injection.country, corpus.since, corpus.until)
        if not one.key.place.asn and not one.key.place.region
    ]
    missing = {n for names in injection.signals for n in names} - {one.key.signal for one in series}
    if missing:
        raise FanousError(f"{corpus.folder} injects into {', '.join(sorted(missing))}, which its files lack")
    chance = np.random.default_rng(corpus.seed)
    calm = {detector.name: detector.found(series) for detector in (*COMPARED, SHIFT)}
    scores = []
    for signals, share, hours in product(injection.signals, injection.losses, injection.hours):
        busy = [a for a in calm["drop"] if a.key.signal in signals]
        spans = [one for one in series if one.key.signal in signals]
        begins = max(corpus.since, *(float(one.times[0]) for one in spans))
        ends = min(corpus.until, *(float(one.times[-1]) for one in spans))
        first, last = begins + WARM_UP, ends - DAY - hours * HOUR
        losses: list[Loss] = []
        while len(losses) < injection.times:
            start = float(chance.uniform(first, last) // injection.aligned * injection.aligned)
            loss = Loss(signals, share, start, start + hours * HOUR)
            wide = replace(loss, start=start - 2 * HOUR, end=loss.end + 2 * HOUR)
            if not any(_overlap(a, wide) for a in busy):  # nothing was raised there without the loss
                losses.append(loss)
        scores.append(_score(losses, hours, series, calm, injection.country))
    return tuple(scores), tuple(_quiet(one, calm) for one in series)


def _score(
    losses: Sequence[Loss],
    hours: float,
    series: Sequence[Series],
    calm: dict[str, list[Anomaly]],
    country: str,
) -> LossScore:
    signals = losses[0].signals
    raised, peers, found, confirmed = [], 0, 0, 0
    onsets, depths = list[bool](), list[float]()
    step = max(one.step for one in series if one.key.signal in signals)
    for loss in losses:
        cut = [struck(one, loss) for one in series if one.key.signal in signals]
        ours, theirs = (detector.found(cut) for detector in COMPARED)
        own = [a for a in ours if a.key.signal == signals[0] and _is_of(a, loss)]
        raised += [min((a.raised_at or a.last_seen) - loss.start for a in own) / 60] if own else []
        peers += any(a.key.signal == signals[0] and _is_of(a, loss) for a in theirs)
        calmly = [*calm["drop"], *calm["shift"]]
        rest = [a for a in calmly if a.key.signal not in signals]
        whole = [*cut, *(one for one in series if one.key.signal not in signals)]
        setting = Setting(country, user_weights(country), "", "")
        everything = [*ours, *SHIFT.found(cut), *rest]
        told = [
            i for i in outages_of(everything, Quantities(whole), setting) if i.is_on(loss.start, loss.end)
        ]
        if told:
            first = min(told, key=lambda i: abs(i.onset - loss.start))
            onsets.append(abs(first.onset - loss.start) <= step)
            depths += [abs(first.level.mean - (1 - loss.share))] if first.level is not None else []
        found += bool(told)
        confirmed += any(i.confirmed_at is not None for i in told)
    times = len(losses)
    watched = IODA.options.of(SIGNALS[signals[0]].family) is not None
    return LossScore(
        signals=signals,
        loss=losses[0].share,
        hours=hours,
        times=times,
        recall=len(raised) / times,
        peer_recall=peers / times if watched else None,
        minutes=median(raised) if raised else None,
        found=found / times,
        confirmed=confirmed / times,
        onset_within=sum(onsets) / len(onsets) if onsets else None,
        depth_error=median(depths) if depths else None,
    )


def struck(one: Series, loss: Loss) -> Series:
    """The series with the loss: a bin that it covers in part loses that part."""
    within = np.minimum(one.times + one.step, loss.end) - np.maximum(one.times, loss.start)
    return replace(one, values=one.values * (1 - loss.share * np.clip(within / one.step, 0, 1)))


def _is_of(anomaly: Anomaly, loss: Loss) -> bool:
    """Was it raised during the loss, or within an hour after it, since averages lag?"""
    raised = anomaly.raised_at or anomaly.last_seen
    return loss.start < raised <= loss.end + HOUR and _overlap(anomaly, loss)


def _overlap(anomaly: Anomaly, loss: Loss) -> bool:
    return anomaly.start < loss.end and anomaly.until > loss.start


def _quiet(one: Series, calm: dict[str, list[Anomaly]]) -> QuietScore:
    watched = IODA.options.of(SIGNALS[one.key.signal].family) is not None
    count = {name: sum(a.key == one.key for a in found) for name, found in calm.items()}
    span = float(one.times[-1] + one.step - one.times[0])
    return QuietScore(one.key.signal, span / MONTH, count["drop"], count["ioda"] if watched else None)
