"""IODA's rule: a value below a fixed share of its sliding median, with inpainting.

It runs alongside our own detectors in evaluations and confirms nothing.  Source: InetIntel's public ``ioda-alerts``,
with the thresholds of its papers and API.  The critical share is .50 for routing (a median of 24 hours) and active
probing (7 days) and .10 for the telescope (7 days); the warning shares, which are used here, are .99, .80 and .25.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from fanous.analysis.detectors.detector import Detector, Reads, option
from fanous.analysis.series.baselines import as_level
from fanous.analysis.series.signals import SIGNALS
from fanous.model.incident import Kind
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.series import Anomaly, Departure, Floats, Series


@dataclass(frozen=True, slots=True)
class IodaOptions:
    """IODA's published thresholds: shares of the sliding median that warn, and the days it spans."""

    warn_routing: float = option(0.99, "Share of the median that warns for routing (published).")
    warn_probing: float = option(0.80, "Share of the median that warns for active probing (published).")
    warn_darknet: float = option(0.25, "Share of the median that warns for stray traffic (published).")
    days_routing: int = option(1, "Days of the median for routing (published).")
    days_probing: int = option(7, "Days of the median for active probing (published).")
    days_darknet: int = option(7, "Days of the median for stray traffic (published).")
    inpaint_days: int = option(
        7, "Days for which values that warn are recorded as they were expected (published)."
    )

    def of(self, family: Family) -> tuple[float, int] | None:
        """Share and days; ``None`` = the rule does not cover the family."""
        return {
            Family.ROUTING: (self.warn_routing, self.days_routing),
            Family.PROBING: (self.warn_probing, self.days_probing),
            Family.DARKNET: (self.warn_darknet, self.days_darknet),
        }.get(family)


def find_below_median(series: Sequence[Series], options: IodaOptions) -> list[Anomaly]:
    """Stretches of warnings, in order of onset."""
    found = []
    for one in series:
        rule = options.of(SIGNALS[one.key.signal].family)
        if rule is not None and len(one):
            found += _warnings(one, *rule, options.inpaint_days * DAY)
    return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.signal))


def _warnings(one: Series, share: float, days: int, inpaint: float) -> list[Anomaly]:
    levels = as_level(one)
    expected = _sliding_median(one, levels, share, days * DAY, inpaint)
    with np.errstate(invalid="ignore"):
        low = levels < share * expected
    cuts = np.diff(np.concatenate([[0], low.astype(np.int8), [0]]))
    runs = zip(np.flatnonzero(cuts > 0), np.flatnonzero(cuts < 0), strict=True)
    return [_anomaly(one, levels / expected, int(a), int(b), share) for a, b in runs]


def _sliding_median(one: Series, levels: Floats, share: float, window: int, inpaint: float) -> Floats:
    """Median of the window before each bin, in which a warning bin has its expected value until the warning has lasted
    ``inpaint`` seconds; NaN until the window has been filled once."""
    held: deque[tuple[float, float]] = deque()
    ordered: list[float] = []
    expected = np.full(len(one), np.nan)
    since: float | None = None
    for row, (time, value) in enumerate(zip(one.times.tolist(), levels.tolist(), strict=True)):
        while held and held[0][0] < time - window:
            ordered.pop(bisect_left(ordered, held.popleft()[1]))
        if time - one.times[0] >= window and ordered:
            expected[row] = median(ordered)
        warns = value < share * expected[row]
        since = (time if since is None else since) if warns else None
        kept = expected[row] if warns and since is not None and time - since < inpaint else value
        held.append((time, kept))
        insort(ordered, kept)
    return expected


def _anomaly(one: Series, left: Floats, begin: int, end: int, share: float) -> Anomaly:
    inside = np.clip(left[begin:end], 0, 1)
    low, middle, high = np.quantile(inside, [0.05, 0.5, 0.95])
    start, last_seen = float(one.times[begin]), float(one.times[end - 1] + one.step)
    ratio = float((1 - inside.min()) / (1 - share))
    return Anomaly(
        key=one.key,
        start=start,
        start_earliest=float(one.times[begin - 1] + one.step) if begin else None,
        start_latest=start,
        end=last_seen if end < len(one) else None,
        raised_at=start + one.step,
        last_seen=last_seen,
        probability=1.0,
        bins=end - begin,
        probes=0,
        controlled=0,
        departure=Departure(one.step, float(middle), float(low), float(high), ratio, 1.0, False, False),
    )


OPTIONS = IodaOptions()

IODA = Detector(
    name="ioda",
    version="2026.17-ioda",
    kind=Kind.OUTAGE,
    reads=Reads.QUANTITIES,
    signals=tuple(
        name for name, signal in SIGNALS.items() if signal.is_quantity and OPTIONS.of(signal.family)
    ),
    options=OPTIONS,
    find=find_below_median,
    is_peer=True,
)
