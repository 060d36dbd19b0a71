"""Coverage: how much was measured in a window, without which "nothing was seen" means nothing.

Arrival: what came in after something had been claimed.

Look: a probe looked at its own line, and what it found.

Outcome: how many measurements were made on a network in a stretch of time, and how many failed.
"""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.place import Access


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts over one window.

    Attributes:
        measurements: that say yes or no of one of the targets.
        failing: of these, those in which a target was blocked or throttled.
        probes: independent ones.
        networks: ASNs, ascending.
        hours: of the window.
        hours_measured: in which at least one measurement was made.
        targets: that were measured, sorted.
    """

    measurements: int
    failing: int
    probes: int
    networks: tuple[int, ...]
    hours: int
    hours_measured: int
    targets: tuple[str, ...]

    @property
    def failing_share(self) -> float | None:
        """``None`` = nothing was measured."""
        return self.failing / self.measurements if self.measurements else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Measurements of one network.

    Attributes:
        measurements: that came in.
        late: of these, made before the newest that was known then.
    """

    asn: int
    measurements: int
    late: int


@dataclass(frozen=True, slots=True)
class SeriesArrival:
    """Bins of ready-made series, of all places of a country together.

    Attributes:
        source: a name in ``fanous.sources.publishers``; ``signal``: one in ``fanous.analysis.series.signals``.
        bins: that came in, or came in with another value.
        late: of these, before the newest that was known then and is the same still.
    """

    source: str
    signal: str
    bins: int
    late: int


class LineState(StrEnum):
    """What a probe's own line was like: with a network, without one, with sites inside the country alone, or
    besides with those outside that somebody put on a list."""

    ONLINE = "online"
    OFFLINE = "offline"
    INTRANET = "intranet"
    ALLOW_LIST = "allow_list"


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        source: the source it came through.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    line: LineState
    source: str


@dataclass(frozen=True, slots=True)
class MeasurementCount:
    """One network and stretch.

    Attributes:
        start: unix seconds, UTC, at which the stretch begins.
        failed: of those made; one fails if it saw interference with any of the targets asked for.
    """

    asn: int
    start: float
    made: int
    failed: int
