"""Heartbeats: when a network was last heard, and whether its silence is longer than it is used to.  Pure.

Probes sleep at night and at weekends, so each network is held against its own habit and no other.  Silence is
evidence of nothing by itself: a cut line and volunteers who are offline look alike.
"""

from dataclasses import dataclass

import numpy as np

from fanous.model.place import Place
from fanous.model.series import Series

MEMORY = 28 * 86_400.0
"""Of a network's past that make its habit: four weekends."""

HEARD_BINS = 24
"""With fewer bins in which it was heard a network has no habit yet."""

RARE = 2
"""So many silences of the memory may have been longer than its habit: past cuts must not become the norm."""

SLACK = 1.5
"""Times as long as the longest habitual silence: habits drift."""

LEAST_BINS = 2
"""No silence is shorter than this: a probe that measures in every bin may miss one."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One network.

    Attributes:
        place: country and ASN.
        last: unix seconds, the end of the last bin in which a probe was heard.
        habit: seconds; the longest silence that it is used to; ``None`` = not known yet.
        silent: it is silent now, for longer than it is used to.
    """

    place: Place
    last: float
    habit: float | None
    silent: bool


def heartbeat(volume: Series, now: float) -> Heartbeat:
    """What the bins of a network in which something was measured say of it.

    Args:
        volume: at least one bin; those of ``MEMORY`` (``Store.volume``).
        now: unix seconds.
    """
    last = min(float(volume.times[-1]) + volume.step, now)
    habit = _habit(volume)
    limit = None if habit is None else max(SLACK * habit, LEAST_BINS * volume.step)
    return Heartbeat(volume.key.place, last, habit, limit is not None and now - last > limit)


def _habit(volume: Series) -> float | None:
    if len(volume) < HEARD_BINS:
        return None
    silences = np.sort(np.diff(volume.times) - volume.step)
    return float(silences[-1 - RARE])
