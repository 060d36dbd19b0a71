"""Slow-down: speed and delay of a network against the hour of the week, and whether a rate was imposed.

The evening's congestion is ordinary: it is in the norm of the hour.  An imposed rate shows besides in
speeds that hardly vary: congestion makes them vary more (Anderson 2013, on Iran's slow-downs).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fanous.analysis.detectors.baseline import DropOptions
from fanous.analysis.detectors.drop import find_drops
from fanous.analysis.series.signals import SIGNALS
from fanous.model.anomaly import Anomaly
from fanous.model.series import Floats, Series


@dataclass(frozen=True, slots=True)
class SlowdownOptions:
    """What differs from the level detector, and the test for an imposed rate.

    Attributes:
        hours: over which losses of speed are averaged: single tests differ by a factor of two, a quarter
            and half of an hour of them do not, and half an hour is what is promised.
        steady: ratio of the typical change from bin to bin, meanwhile over before, up to which a rate is
            imposed: a variance of a quarter, which chance does not give from ``changes`` on.
        changes: least changes to judge by: the spread of fewer is known to no better than a half.
    """

    hours: tuple[float, ...] = (0.25, 0.5, 1.0, 3.0)
    steady: float = 0.5
    changes: int = 12


def find_slowdowns(series: Sequence[Series], options: SlowdownOptions) -> list[Anomaly]:
    """Stretches in which networks are slow for the hour, in order of onset."""
    of_key = {one.key: one for one in series}
    found = find_drops(series, replace(DropOptions(), hours=options.hours))
    return [_judged(anomaly, of_key[anomaly.key], options) for anomaly in found]


def _judged(anomaly: Anomaly, one: Series, options: SlowdownOptions) -> Anomaly:
    """The same with its answer to whether a rate was imposed; only speeds can tell."""
    if anomaly.departure is None or SIGNALS[one.key.signal].unit != "kbps":
        return anomaly
    inside = (one.times >= anomaly.start_latest) & (one.times < anomaly.last_seen)
    meanwhile, before = _changes(one, inside), _changes(one, one.times < anomaly.start_latest)
    if min(len(meanwhile), len(before)) < options.changes:
        return anomaly
    steady = float(np.median(meanwhile)) <= options.steady * float(np.median(before))
    return replace(anomaly, departure=replace(anomaly.departure, steady=steady))


def _changes(one: Series, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Size of the change of the log of a speed from one bin to the next one."""
    kept = rows & (one.values > 0)
    logs, times = np.log(one.values[kept]), one.times[kept]
    return np.asarray(np.abs(np.diff(logs))[np.diff(times) == one.step])
