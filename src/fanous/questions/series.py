"""Series: the latest values of a country's series of public sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from fanous.analysis.detectors.grid import rolled_up
from fanous.analysis.series.baselines import Spans, baseline_level, outage_times, traffic_losses
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.analysis.series.slowness import speed_series
from fanous.charts.connectivity import SeriesNow
from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.series import Series
from fanous.pipeline.call import Call
from fanous.sources.publishers import licences_by_source, terms
from fanous.store.protocol import Store

RATES = 28 * DAY
"""Seconds of our own downloads from which the usual rate of an hour is computed."""


@dataclass(frozen=True, slots=True)
class SignalsNow:
    """The latest bin of every series of a country; ``synthetic``: everything known about it was staged."""

    series: Sequence[SeriesNow]
    synthetic: bool


class ReadSignals(Call[SignalsNow], frozen=True, tag="signals"):
    """Each source's signals at an instant, unix seconds."""

    country: str
    at: float

    def perform(self, store: Store) -> SignalsNow:
        return SignalsNow(series_now(store, self.country, self.at), store.about(self.country).is_synthetic)


def series_now(store: Store, country: str, at: float) -> list[SeriesNow]:
    """The latest complete bin of every series of a country at an instant, the country's own first; reads
    only.

    If a source has only regions, their median is the country's series, as for outages.  The baseline leaves
    out the outages and losses of traffic that the store knows.

    Raises:
        FanousError: there is none.
    """
    store = store.about(country)
    speeds = speed_series(store.facts.rates(country, at - RATES, at), country)
    levels = store.facts.levels(country, -inf, at, settled=True) or store.facts.levels(country, -inf, at)
    series = [*levels, *rolled_up([line for line in levels if not line.key.target]), *speeds]
    incidents = store.ledger.incidents(country, until=at, synthetic=store.is_synthetic)
    lost = {place: outage_times(incidents, place) for place in {line.key.place for line in series}}
    licences = licences_by_source(levels, store.facts.series_licences(country))
    traffic = {
        target: traffic_losses(incidents, country, [target])
        for target in {target_of_series(line.key) for line in series}
    }
    outages = ([*lost[line.key.place], *traffic[target_of_series(line.key)]] for line in series)
    newest_bins = (newest(line, at, spans, licences) for line, spans in zip(series, outages, strict=True))
    whole = list(filter(None, newest_bins))
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
