"""Anomalies: from the bins that lie too low to anomalies with an onset and an end."""

from collections.abc import Iterator

import numpy as np

from fanous.analysis.detectors.departures import Departures
from fanous.analysis.detectors.options import DropOptions
from fanous.analysis.detectors.sudden import sudden_from
from fanous.analysis.series.baselines import Single
from fanous.model.anomaly import Anomaly, Departure
from fanous.model.series import Ints

HALF_GAP = 1800.0
"""Seconds by which an onset may lie before the first low bin where bins before it are missing (and an end
after the last): midway, but never further, as the filter's ``back_date``."""

DEEP = 0.5
"""Share of the level: what has less left is deep down, which no ordinary day is."""

CERTAIN = 0.9999
"""No single series says more."""


def stretches(found: Departures, options: DropOptions) -> Iterator[Anomaly]:
    """The anomalies of a grid, series by series, in order of onset."""
    for column in np.flatnonzero(found.on.any(axis=0)).tolist():
        accepted = [row for row, own in found.accepted if own == column]
        yield from _of_series(found, column, accepted, options)


def _of_series(
    found: Departures, column: int, accepted: list[int], options: DropOptions
) -> Iterator[Anomaly]:
    on = found.on[:, column].astype(np.int8)
    cuts = np.diff(np.concatenate([[0], on, [0]]))
    begins, ends = np.flatnonzero(cuts > 0).tolist(), np.flatnonzero(cuts < 0).tolist()
    for row in accepted:
        if row not in ends:  # the next day is down again, from the level that was accepted
            ends.append(row)
            begins.append(row)
    measured = np.flatnonzero(~np.isnan(found.drop[:, column]))
    floor = 0
    for begin, end in zip(sorted(begins), sorted(ends), strict=True):
        yield _stretch(found, column, measured, (floor, begin, end), options)
        floor = end


def _stretch(
    found: Departures, column: int, measured: Ints, bounds: tuple[int, int, int], options: DropOptions
) -> Anomaly:
    """One stretch; ``bounds``: end of the one before, first bin said down, first bin said up again."""
    floor, begin, end = bounds
    lead = found.lead(begin, column, floor)
    first = int(lead[-1]) if len(lead) else begin
    inside = measured[(measured >= first) & (measured < end)]
    low = inside[found.drop[inside, column] >= found.edge[begin, column]]
    last = int(low[-1]) if len(low) else end - 1
    accepted = (end, column) in found.accepted
    earlier, later = measured[measured < first], measured[measured > last]
    before = _at(found, int(earlier[-1]) + 1) if len(earlier) else None
    after = _at(found, int(later[0])) if len(later) and end < len(found.drop) else None
    start, last_seen = _at(found, first), _at(found, last + 1)
    return Anomaly(
        key=found.grid.series[column].key,
        start=start if before is None else start - min((start - before) / 2, HALF_GAP),
        start_earliest=before,
        start_latest=start,
        end=_at(found, end) if accepted else _end(last_seen, after),
        raised_at=_at(found, begin + 1),
        last_seen=last_seen,
        probability=_probability(found.ratio[begin:end, column]),
        bins=len(low),
        probes=0,
        controlled=0,
        departure=_departure(found, column, low if len(low) else np.array([begin]), begin, accepted, options),
    )


def _at(found: Departures, row: int) -> float:
    """When a bin begins."""
    return float(found.grid.start + row * found.grid.step)


def _end(last_seen: float, after: float | None) -> float | None:
    """Where it was seen to come back; ``None`` = it was not."""
    return None if after is None else last_seen + min((after - last_seen) / 2, HALF_GAP)


def _probability(ratio: Single) -> float:
    """.99 where the threshold was just reached, a tenth of the doubt for each time more.

    An order of trust, not a calibrated chance.
    """
    return float(min(1 - 0.1 * 10.0 ** -float(ratio.max(initial=1.0)), CERTAIN))


def _departure(
    found: Departures, column: int, low: Ints, begin: int, accepted: bool, options: DropOptions
) -> Departure:
    left = np.clip(1 - found.drop[low, column], 0, 1)
    bottom, middle, top = np.quantile(left, [0.05, 0.5, 0.95])
    deep = low[left < DEEP]
    return Departure(
        step=found.grid.step,
        left=float(middle),
        low=float(bottom),
        high=float(top),
        ratio=float(found.ratio[begin : max(begin, int(low[-1])) + 1, column].max(initial=1.0)),
        unlike=float(found.unlike[low, column].mean()),
        short=bool(found.short[begin // found.grid.bins, column]),
        accepted=accepted,
        deep_from=_at(found, int(deep[0])) if len(deep) else None,
        deep_until=_at(found, int(deep[-1]) + 1) if len(deep) else None,
        sudden_from=sudden_from(found, column, low, options),
    )
