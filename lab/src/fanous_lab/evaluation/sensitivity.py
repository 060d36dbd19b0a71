"""Sensitivity: are events found as often as is stated?

Failures are put into real votes, from random moments on and for as long as ``analysis.sensitivity`` states, and for
half as long; then the live series and detector look at all networks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from fanous.analysis.detectors.interference import BLOCKING
from fanous.analysis.sensitivity import DEPTHS, sensitivities
from fanous.analysis.series.aggregate import BLOCKED_PATH
from fanous.model.score import SensitivityScore
from fanous.model.series import Series, Votes
from fanous.store.protocol import Store
from fanous_lab.evaluation.corpus import PlantedFailures
from fanous_lab.evaluation.votes import series_of


def sensitivity_scores(store: Store, planted: PlantedFailures, seed: int) -> Iterator[SensitivityScore]:
    """A row for each network and depth for which a length is stated."""
    votes = store.facts.votes(planted.country, planted.since, planted.until, [planted.target])
    votes = votes.where(votes.signals == BLOCKED_PATH)
    series = series_of(votes, planted.country)
    chance = Random(seed)
    for sensitivity in sensitivities(series, BLOCKING.options, planted.since, planted.until):
        country = _Country(planted, votes.where(votes.asns == sensitivity.asn), sensitivity.asn, series)
        for depth, seconds in zip(DEPTHS, (sensitivity.seconds_all, sensitivity.seconds_half), strict=True):
            if seconds is not None:
                yield SensitivityScore(
                    asn=sensitivity.asn,
                    measurements=sensitivity.measurements,
                    depth=depth,
                    minutes=seconds / 60,
                    times=planted.times,
                    found=_share_found(country, depth, seconds, chance),
                    found_half_as_long=_share_found(country, depth, seconds / 2, chance),
                    stated_half_as_long=_stated(country, seconds / 2) if depth == 1 else None,
                )


@dataclass(frozen=True, slots=True)
class _Country:
    """The votes of the network that is struck, and the series of all networks as they were."""

    planted: PlantedFailures
    votes: Votes
    asn: int
    series: Sequence[Series]


def _stated(country: _Country, length: float) -> float | None:
    """The share of events of this length of which it is said that they are found, if all measurements fail."""
    planted, options = country.planted, BLOCKING.options
    (sensitivity,) = sensitivities(
        country.series, options, planted.since, planted.until, length, lambda asn: asn == country.asn
    )
    return sensitivity.found_alike


def _share_found(country: _Country, depth: float, length: float, chance: Random) -> float:
    """All events at once: under names of their own they are as far apart as two platforms."""
    planted, others = country.planted, [s for s in country.series if s.key.place.asn != country.asn]
    starts = {
        f"{planted.target} {number}": chance.uniform(planted.since, planted.until - length)
        for number in range(planted.times)
    }
    worlds = [
        replace(series, key=replace(series.key, target=name))
        for name, start in starts.items()
        for series in [*_struck(country, depth, (start, start + length), chance), *others]
    ]
    found = {
        anomaly.key.target
        for anomaly in BLOCKING.found(worlds)
        if anomaly.key.place.asn == country.asn and anomaly.raised_at is not None
        if anomaly.start_latest < starts[anomaly.key.target] + length
        if anomaly.last_seen > starts[anomaly.key.target]
    }
    return len(found) / planted.times


def _struck(country: _Country, depth: float, event: tuple[float, float], chance: Random) -> list[Series]:
    votes = country.votes
    hit = (votes.times >= event[0]) & (votes.times < event[1])
    fails = np.array([chance.random() < depth for _ in range(len(votes))])
    return series_of(replace(votes, seen=np.where(hit, fails, votes.seen)), country.planted.country)
