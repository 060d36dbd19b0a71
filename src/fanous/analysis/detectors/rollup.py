"""Roll-up: a country's own line from the lines of its regions, where a source gives no other.

The national line of a source hides a regional cut; the other way round, many regions at once are a nation.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from bottleneck import nanmedian

from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

REGIONS = 10
"""Regions from which on their median speaks for the country: half of them must fall before it falls."""

REPORTING = 0.5
"""Share of the regions that must be measured in a bin; else the median is of other regions each time."""

ROLLED_UP = "median of regions"
"""Subtype of the series that come out."""


def rolled_up(series: Sequence[Series]) -> list[Series]:
    """The median over regions, bin by bin, for each source and signal without a line of the country itself.

    Every region counts once: how many users live in each is not known here.
    """
    regional: dict[tuple[str, str, str, str, int], list[Series]] = defaultdict(list)
    own = set()
    for one in series:
        key = one.key
        name = (key.place.country, key.source, key.signal, key.subtype, one.step)
        if key.place.region and not key.place.asn and len(one):
            regional[name].append(one)
        elif not key.place.asn:
            own.add(name[:3])
    return [
        _median(group, country, source, signal)
        for (country, source, signal, _, _), group in sorted(regional.items())
        if len(group) >= REGIONS and (country, source, signal) not in own
    ]


def _median(group: list[Series], country: str, source: str, signal: str) -> Series:
    times = np.unique(np.concatenate([one.times for one in group]))
    values = np.full((len(times), len(group)), np.nan)
    for column, one in enumerate(group):
        values[np.searchsorted(times, one.times), column] = one.values
    counts = (~np.isnan(values)).sum(axis=1)
    kept = counts >= REPORTING * len(group)
    middle = nanmedian(values[kept], axis=1) if kept.any() else np.array([])
    none = np.zeros(int(kept.sum()), np.int64)
    key = SeriesKey(Place(country), "", signal, source=source, subtype=ROLLED_UP)
    return Series(key, group[0].step, times[kept], np.asarray(middle), counts[kept], none, none)
