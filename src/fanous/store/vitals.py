"""Vitals: what a store tells of the monitor's own health - who delivers, in what state, how late.

Everything counts by when it was *received*: the clocks of probes are one of the things that are looked at.
"""

from dataclasses import dataclass

from fanous.store.columns import ticks
from fanous.store.engine import Engine

STEP = 3600
"""Width of the bins of ``Arrivals``; seconds."""

_RECEIVED = "received_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')"
_ARRIVALS = f"""
SELECT source,
    arraySort(groupUniqArray(intDiv(toUnixTimestamp64Micro(received_at), {STEP} * 1000000) * {STEP})),
    max(toUnixTimestamp64Micro(received_at)) / 1000000, count()
FROM measurements WHERE {_RECEIVED} GROUP BY source ORDER BY source
"""
_SOUNDNESS = f"""
SELECT software, count(), countIf(defect != ''), uniqExact(probe)
FROM measurements WHERE {_RECEIVED} AND software != '' GROUP BY software ORDER BY software
"""
_CLOCKS = f"""
SELECT count(), countIf(started_at > addSeconds(received_at, {{slack:Int64}})),
    uniqExactIf(probe, started_at > addSeconds(received_at, {{slack:Int64}})), uniqExact(probe)
FROM measurements WHERE {_RECEIVED}
"""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When measurements came through one source.

    Attributes:
        bins: unix seconds, ascending: hours in which any came.
        last: unix seconds; when the last one came.
        measurements: in all.
    """

    source: str
    bins: tuple[int, ...]
    last: float
    measurements: int


@dataclass(frozen=True, slots=True)
class Soundness:
    """How much of what one version of a probe's software sends cannot be used.

    Attributes:
        unsound: of ``measurements``, those with a defect.
    """

    software: str
    measurements: int
    unsound: int
    probes: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """Measurements that were made, by their own account, after they were received.

    Attributes:
        ahead: of ``measurements``; likewise ``probes_ahead`` of ``probes``.
    """

    measurements: int
    ahead: int
    probes_ahead: int
    probes: int


class VitalAnswers:
    """The monitor's own health.

    Attributes:
        _engine: with the table ``measurements``.
    """

    _engine: Engine

    def arrivals(self, since: float) -> list[Arrivals]:
        """See ``Questions.arrivals``."""
        rows = self._engine.rows(_ARRIVALS, since=ticks(since))
        return [Arrivals(source, tuple(bins), last, count) for source, bins, last, count in rows]

    def soundness(self, since: float) -> list[Soundness]:
        """See ``Questions.soundness``."""
        return [Soundness(*row) for row in self._engine.rows(_SOUNDNESS, since=ticks(since))]

    def clocks(self, since: float, slack: float) -> Clocks:
        """See ``Questions.clocks``."""
        return Clocks(*self._engine.rows(_CLOCKS, since=ticks(since), slack=int(slack))[0])
