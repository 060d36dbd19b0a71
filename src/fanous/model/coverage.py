"""Coverage: how much was measured, without which "nothing was seen" means nothing.

Counts over a window or by network and time, what arrived after something had been claimed, and what a probe
found when it checked its own line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fanous.model.place import Access, Family
from fanous.model.threshold import threshold


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts over one window.

    Attributes:
        measurements: number that give a clear answer about one of the targets.
        failing: of these, those in which a target was blocked or throttled.
        probes: number of independent probes.
        networks: ASNs, ascending.
        hours: length of the window.
        hours_measured: hours in which at least one measurement was made.
        targets: those that were measured, sorted.
        by_source: source -> its measurements, those failing, and the probes of these.
        series: series that have values in the window and are about the targets, or the place if there are none:
            ``source signal``, or ``source signal target``.
        watched: families of those series in which detectors would have found a loss.
    """

    measurements: int
    failing: int
    probes: int
    networks: tuple[int, ...]
    hours: int
    hours_measured: int
    targets: tuple[str, ...]
    by_source: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    series: tuple[str, ...] = ()
    watched: tuple[Family, ...] = ()

    @property
    def failing_share(self) -> float | None:
        """None = nothing was measured."""
        return self.failing / self.measurements if self.measurements else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Measurements of one network that came in after a claim.

    Attributes:
        measurements: number that came in.
        late: of these, those made before the newest that was known then.
    """

    asn: int
    measurements: int
    late: int


@dataclass(frozen=True, slots=True)
class SeriesArrival:
    """Bins of a country's quantity series, all its places together, that came in after a claim.

    Attributes:
        source: a name in ``fanous.sources.publishers``; ``signal``: one in ``fanous.analysis.series.signals``.
        bins: number that came in, or whose value changed.
        late: of these, those before the newest that was known then and has not changed since.
    """

    source: str
    signal: str
    bins: int
    late: int


class LineState(StrEnum):
    """What a probe's own line reached: everything, nothing, only sites within the country, or those and a list of sites
    outside."""

    ONLINE = "online"
    OFFLINE = "offline"
    INTRANET = "intranet"
    ALLOW_LIST = "allow_list"


NO_NETWORK = "no network"
PORTAL = "captive portal"
NOTHING_OUTSIDE = "nothing outside the country answers"
ALLOW_LIST = "outside the country only sites of a list answer"
"""What a check of a line found wrong with it: the ``defect`` of its measurement."""


@dataclass(frozen=True, slots=True)
class Look:
    """A probe's check of its own line.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        source: the source it came through.
        receipt, vouched: see ``Measurement``.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    line: LineState
    source: str
    receipt: float
    vouched: bool


@dataclass(frozen=True, slots=True)
class MeasurementCount:
    """Measurements on one network in one stretch of time.

    Attributes:
        start: unix seconds, UTC, at which the stretch begins.
        made: in the stretch.
        failed: of them; one fails if it saw interference with any of the targets asked for.
    """

    asn: int
    start: float
    made: int
    failed: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of some measurements; one that covers two targets counts once for each.

    Attributes:
        measurements: all, of which the others are parts.
        unclear: no rule could say whether the target works.
    """

    measurements: int = 0
    ok: int = 0
    blocked: int = 0
    throttled: int = 0
    unclear: int = 0

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(
            self.measurements + other.measurements,
            self.ok + other.ok,
            self.blocked + other.blocked,
            self.throttled + other.throttled,
            self.unclear + other.unclear,
        )

    @property
    def decided(self) -> int:
        """Measurements that say whether the target works: the denominator of all shares."""
        return self.ok + self.blocked + self.throttled

    @property
    def hit(self) -> int:
        return self.blocked + self.throttled


@dataclass(frozen=True, slots=True)
class Backfill:
    """Measurements of a country's past that are still being brought in, the newest first; times are unix seconds, UTC.

    Attributes:
        since: start of the wanted period.
        back_to: everything uploaded since then is in.
        at: when it last made progress.
    """

    since: float
    back_to: float
    at: float


CHANCE = threshold(
    "sensitivity.chance",
    0.9,
    "Share of the moments at which an event may begin from which it is found. An event of this length is missed once "
    "in ten times: that nothing was found makes it unlikely, and does not rule it out.",
)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What would have been found of one target on one network (``analysis.sensitivity``).

    Attributes:
        bins, measurements: bins with votes, and measurements in them.
        seconds_all, seconds_half: the shortest event that is found nine times in ten, if all measurements fail, or
            half; None = even one of a week, or of half the time asked about, is missed more often.
        found_alike: share of the events that are found, of those that last as long as the one asked about, if all
            measurements fail; None = none was asked about.
    """

    asn: int
    target: str
    bins: int
    measurements: int
    seconds_all: float | None
    seconds_half: float | None
    found_alike: float | None = None

    @property
    def is_seen(self) -> bool:
        """Would the event asked about have been found, or if none is, any event at all?"""
        if self.found_alike is None:
            return self.seconds_all is not None
        return self.found_alike >= CHANCE
