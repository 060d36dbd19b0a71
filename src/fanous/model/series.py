"""Series: values of one signal for one place (and target) in equal bins, with counts; what they are computed from; and
anomalies, the stretches that depart from a baseline.

``Votes`` record whether each measurement saw one target fail.  A ``SourceSeries`` is a series as published by
a public source, before it is stored.  A ``Rate`` is how fast data reached a probe under innocuous names, and
so what its line can do; a ``RatePair`` compares a target with another name in the same measurement.

This is the only module of the model that needs numpy, so that a probe does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from fanous.model.incident import Interval
from fanous.model.place import Access, Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def within(times: Ints | Floats, intervals: Iterable[Interval], margin: float = 0.0) -> NDArray[np.bool_]:
    """Which instants lie in one of the intervals, or no more than ``margin`` seconds off?"""
    inside = np.zeros(len(times), np.bool_)
    for interval in intervals:
        inside |= (times >= interval.start - margin) & (times < interval.until + margin)
    return inside


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What a series is about.

    Attributes:
        signal: a name in ``fanous.analysis.series.signals``.
        resolver_asn: for signals of the DNS layer: the resolver's network; 0 = does not apply.
        source: of a quantity series: the name of its source in ``fanous.sources.publishers``; the same signal
            from two sources is two series, in units that need not be the same.
        subtype: what else the source tells apart (a product, a telescope); empty = nothing.
    """

    place: Place
    target: str
    signal: str
    access: Access = Access.ANY
    resolver_asn: int = 0
    source: str = ""
    subtype: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values in bins of equal width; only bins in which something was measured are listed.

    Attributes:
        key: what it is about.
        step: bin width in seconds.
        times: int64, shape (n,), ascending.  Unix seconds, UTC, at which each listed bin begins; a multiple of
            ``step``.  A bin that is not listed was not measured (never 0).
        values: float64, shape (n,).  For shares: probes that saw it / probes.
        counts: int64, shape (n,).  Independent probes behind each value, at least 1.
        controlled: int64, shape (n,).  Of those, probes whose own control was normal at the time.
        measurements: int64, shape (n,).  Measurements behind each value.
        vouched: int64, shape (n,).  Of the probes, those that an operator answers for; None = of none.
    """

    key: SeriesKey
    step: int
    times: Ints
    values: Floats
    counts: Ints
    controlled: Ints
    measurements: Ints
    vouched: Ints | None = None

    def __len__(self) -> int:
        return len(self.times)

    def where(self, kept: NDArray[np.bool_]) -> "Series":
        """The bins for which ``kept``, shape (n,), is true."""
        if kept.all():
            return self
        counts, controlled, measurements = (
            c[kept] for c in (self.counts, self.controlled, self.measurements)
        )
        return Series(
            self.key,
            self.step,
            self.times[kept],
            self.values[kept],
            counts,
            controlled,
            measurements,
            None if self.vouched is None else self.vouched[kept],
        )


@dataclass(frozen=True, slots=True)
class Spread:
    """The values that begin in one step of a chart: their median, the lowest, the highest, and how many they are."""

    median: float
    lowest: float
    highest: float
    values: int


@dataclass(frozen=True, slots=True)
class BinnedSeries:
    """A series in steps of a chart's choice.

    Attributes:
        step: width of its source's bins, in seconds.
        bins: beginning of a step -> the values that begin in it; steps without values are not listed.
    """

    key: SeriesKey
    step: int
    bins: Mapping[int, Spread]

    def over(self, edges: Sequence[float]) -> tuple[Spread | None, ...]:
        """The values of each step between ascending edges; ``None`` = it has none.  A value counts in every step that
        its source's bin covers."""
        steps: list[Spread | None] = [None] * (len(edges) - 1)
        at = {int(edge): n for n, edge in enumerate(edges[:-1])}
        for edge, spread in sorted(self.bins.items()):
            first = at[edge]
            for n in range(first, len(steps)):
                if n > first and edges[n] >= edge + self.step:
                    break
                steps[n] = spread
        return tuple(steps)


Names = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """One row for each (measurement, target, signal) that says yes or no; all arrays have shape (n,).

    Attributes:
        uids: str, of the measurement.
        times: float64, unix seconds, ascending.
        asns: int64.
        resolver_asns: int64, 0 but for signals of the DNS layer.
        targets: str.
        signals: str, a name in ``fanous.analysis.series.signals``.
        probes: str, what counts as one independent probe.
        seen: bool, the measurement saw it (blocked, throttled, or a symptom of it).
        controlled: bool, a normal control travelled with the measurement.
        mechanisms: str, of the most severe verdict behind a yes; empty = unknown.
        kbps: float64, NaN = not measured.
        access: str, ``any``, ``mobile`` or ``fixed``.
        sources: str, the source it came through.
        receipts: float64, unix seconds at which a collector received it; its own time if only its sender dates it.
        vouched: bool, an operator answers for who made it (``Measurement.vouched``).
        volunteer: bool, a known volunteer made it (``Measurement.volunteer``).
        cut: str, names of the roles of the target that failed, between blanks; empty = unknown.
        reached: str, those of the roles that worked.
    """

    uids: Names
    times: Floats
    asns: Ints
    resolver_asns: Ints
    targets: Names
    signals: Names
    probes: Names
    seen: NDArray[np.bool_]
    controlled: NDArray[np.bool_]
    mechanisms: Names
    kbps: Floats
    access: Names
    sources: Names
    receipts: Floats
    vouched: NDArray[np.bool_]
    volunteer: NDArray[np.bool_]
    cut: Names
    reached: Names

    def __len__(self) -> int:
        return len(self.times)

    @property
    def known_at(self) -> Floats:
        """float64, unix seconds from which each is known."""
        return np.maximum(self.times, self.receipts)

    def by_target(self) -> dict[str, Ints]:
        """Target -> its rows, ascending, so that many queries about few targets stay cheap."""
        rows: dict[str, list[int]] = {}
        for row, target in enumerate(self.targets.tolist()):
            rows.setdefault(target, []).append(row)
        return {target: np.array(indices, np.int64) for target, indices in rows.items()}

    def of(self, targets: Iterable[str], rows: Mapping[str, Ints]) -> "Votes":
        """The rows of some targets, by time; ``rows`` as ``by_target`` gives them."""
        indices = [rows[target] for target in targets if target in rows]
        return self.where(np.sort(np.concatenate(indices)) if indices else np.array([], np.int64))

    def where(self, rows: NDArray[np.bool_] | Ints) -> "Votes":
        """The rows for which ``rows`` (bool, shape (n,)) is true, or the rows of these indices."""
        return Votes(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class SourceSeries:
    """Values of one signal in bins of equal width; all arrays have shape (n,).

    Attributes:
        key: what it is about; its ``source`` is never empty.
        step: bin width in seconds.
        times: int64, unix seconds, UTC, at which each bin begins; in any order, each once.
        values: float64.  NaN = the source says that it has no value there (never 0).
        licence: as who supplied a table states it; empty = that of the source.
    """

    key: SeriesKey
    step: int
    times: Ints
    values: Floats
    licence: str = ""

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Rate:
    """The controls of the downloads of one measurement.

    Attributes:
        uid: of the measurement.
        at: unix seconds, UTC, at which it was made (not at which it arrived).
        kbps: of the fastest of them.
        rtt_ms: median time of the measurement's connections that stood; NaN = unknown.
        beside: the target whose downloads they accompanied, mostly from its own address.
        source: the source it came through.
        receipt, vouched: see ``Measurement``.
    """

    uid: str
    country: str
    asn: int
    access: Access
    probe: str
    at: float
    kbps: float
    rtt_ms: float
    beside: str
    source: str
    receipt: float
    vouched: bool


@dataclass(frozen=True, slots=True)
class RatePair:
    """One measurement; rates in kbit/s, both above 0."""

    probe: str
    asn: int
    target: str
    kbps: float
    control_kbps: float


@dataclass(frozen=True, slots=True)
class Departure:
    """How far a quantity departed, in shares of its baseline.

    Attributes:
        step: bin width in seconds, which bounds how exact its times can be.
        left: median of what remains during the stretch; low, high: its 5 % and 95 % quantiles.
        ratio: the deepest drop, divided by what it had to exceed; at least 1.
        unlike: share of its bins that lay below every day of the week before at that hour.
        short: the series had less than a week of history, so more was demanded.
        accepted: it lasted so long without recovery that it became the baseline of what follows.
        deep_from: beginning of the first bin in which more than half was gone, unix seconds; None = none.
        deep_until: end of the last such bin.
        steady: values hardly vary from bin to bin during it, as under an imposed rate.
        sudden_from: beginning of the bin in which most of the loss happened at once; None = it declined
            gradually, as human activity does on a holiday, or the signal does not show human activity.
        lasting_since: when the lower level was accepted as the baseline, unix seconds; None = it was not.
        single: one deep bin raised it, and never as many in a row as one series alone needs; only another family from
            another publisher can support it.
        gone_at: end of the first bin that had lost so much that it counts alone if another publisher's had too, unix
            seconds; None = none had.
        rest: share of the level that has stayed since most of what was lost was back; None = nothing stays lower.
        earlier_year: a year in which the same place lost as much on the same days; None = none known.
    """

    step: int
    left: float
    low: float
    high: float
    ratio: float
    unlike: float
    short: bool
    accepted: bool
    steady: bool = False
    deep_from: float | None = None
    deep_until: float | None = None
    sudden_from: float | None = None
    lasting_since: float | None = None
    single: bool = False
    gone_at: float | None = None
    earlier_year: int | None = None
    rest: float | None = None


NO_DEPARTURE = Departure(
    step=0, left=1.0, low=1.0, high=1.0, ratio=1.0, unlike=0.0, short=False, accepted=False
)
"""That of a series that is not a quantity."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One stretch.  Times are unix seconds, UTC.

    Attributes:
        key: the series.
        start: best estimate of the onset.
        start_earliest: end of the last bin that was normal; None = the series begins abnormal.
        start_latest: beginning of the first bin that was abnormal.
        end: best estimate of the end; None = no end was seen.
        raised_at: when a live monitor, with only the data up to then, would have raised it; None = it never
            reached the threshold.
        last_seen: end of the last bin in which it was seen.
        probability: the highest that the stretch reached, 0..1.
        bins: bins in which it was seen.
        probes: sum over bins of the probes that saw it.
        controlled: of those, with a normal control of their own.
        departure: how far a quantity departed.
    """

    key: SeriesKey
    start: float
    start_earliest: float | None
    start_latest: float
    end: float | None
    raised_at: float | None
    last_seen: float
    probability: float
    bins: int
    probes: int
    controlled: int
    departure: Departure = NO_DEPARTURE

    @property
    def until(self) -> float:
        """The end; infinity while ongoing."""
        return inf if self.end is None else self.end

    @property
    def known_until(self) -> float:
        """The end; as long as there is none, the end of the last bin in which it was seen."""
        return self.last_seen if self.end is None else self.end
