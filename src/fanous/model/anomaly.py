"""Anomaly: a stretch of a series that departs from its baseline."""

from dataclasses import dataclass
from math import inf

from fanous.model.series import SeriesKey


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
        gone_at: end of the first bin that had lost so much that it counts alone if another publisher's has too,
            unix seconds; None = none had.
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
        departure: how far a quantity departed; None = the series is not a quantity.
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
    departure: Departure | None = None

    @property
    def until(self) -> float:
        """The end; infinity while ongoing."""
        return inf if self.end is None else self.end

    @property
    def known_until(self) -> float:
        """The end; as long as there is none, the end of the last bin in which it was seen."""
        return self.last_seen if self.end is None else self.end
