"""Slowdown: finds where speeds and delays are worse than usual for the hour, and whether a rate was imposed.

Congestion in the evening is part of the baseline of the hour.  An imposed rate also shows in speeds that hardly vary,
while congestion makes them vary more (Anderson 2013, on slow-downs in Iran).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fanous.analysis.detectors.detector import Detector, Reads, option
from fanous.analysis.detectors.drop import QUANTITY_DETECTOR_VERSION, find_drops
from fanous.analysis.detectors.grid import DropOptions
from fanous.analysis.series.signals import SIGNALS, shown_by
from fanous.model.incident import Kind
from fanous.model.series import Anomaly, Floats, Series


@dataclass(frozen=True, slots=True)
class SlowdownOptions:
    """Options that differ from ``DropOptions``, and the test for an imposed rate."""

    hours: tuple[float, ...] = option(
        (0.25, 0.5, 1.0, 3.0),
        "Hours over which losses of speed are averaged: single tests differ by a factor of two, half an hour of "
        "them does not.",
    )
    steady: float = option(
        0.5,
        "Typical change from bin to bin, during the slow-down to before it, up to which a rate counts as imposed: "
        "a quarter of the variance, which does not happen by chance.",
    )
    changes: int = option(
        12, "Fewest changes to judge by: the spread of fewer is known to no better than a half."
    )


def find_slowdowns(series: Sequence[Series], options: SlowdownOptions) -> list[Anomaly]:
    """Stretches in which networks are slow for the hour, in order of onset."""
    of_key = {one.key: one for one in series}
    found = find_drops(series, replace(DropOptions(), hours=options.hours))
    return [_judged(anomaly, of_key[anomaly.key], options) for anomaly in found]


def _judged(anomaly: Anomaly, one: Series, options: SlowdownOptions) -> Anomaly:
    """The anomaly, and whether a rate was imposed; only speeds can tell."""
    if SIGNALS[one.key.signal].unit != "kbps":
        return anomaly
    inside = (one.times >= anomaly.start_latest) & (one.times < anomaly.last_seen)
    meanwhile, before = _changes(one, inside), _changes(one, one.times < anomaly.start_latest)
    if min(len(meanwhile), len(before)) < options.changes:
        return anomaly
    steady = float(np.median(meanwhile)) <= options.steady * float(np.median(before))
    return replace(anomaly, departure=replace(anomaly.departure, steady=steady))


def _changes(one: Series, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Absolute change of the logarithm of a speed from each bin to the next."""
    kept = rows & (one.values > 0)
    logs, times = np.log(one.values[kept]), one.times[kept]
    return np.asarray(np.abs(np.diff(logs))[np.diff(times) == one.step])


SLOWDOWN = Detector(
    name="slowdown",
    version=QUANTITY_DETECTOR_VERSION,
    kind=Kind.SLOWDOWN,
    reads=Reads.QUANTITIES,
    signals=shown_by(Kind.SLOWDOWN, quantities=True),
    options=SlowdownOptions(),
    find=find_slowdowns,
)
