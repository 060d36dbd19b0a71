"""Tells a policer, which holds traffic to a fixed rate, from a congested connection.  Pure.

Across probes, ln(rate of the target) is regressed on ln(rate of the control).  Under a policer the target's
rate does not follow the line's (slope 0); under congestion it does (slope 1).  Both rates are measured with
error, so ordinary least squares would read a true 1 as .75: Deming regression, errors alike on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fanous.model.incident import Estimate
from fanous.model.rate_pair import RatePair
from fanous.model.series import Floats

PROBES = 5
"""With fewer a slope is known to no better than a coin (METHODS 1)."""

SPREAD = 0.3
"""Least standard deviation of ln(control rate) across probes (a third up or down): where all lines are alike,
a fixed rate and a shared line look the same."""

SURE = 1.645
"""Of a normal distribution, for 90 % intervals."""


class SlownessCause(StrEnum):
    """What holds the rate down."""

    POLICER = "policer"
    CONGESTION = "congestion"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Policing:
    """What the rates say.

    Attributes:
        slope: ``None`` = too few probes, or their lines are too alike.
        kbps: of the target, over probes; ``None`` = no rate was measured.
        why: in words, for a reader; never more than was measured.
    """

    cause: SlownessCause
    probes: int
    slope: Estimate | None
    kbps: Estimate | None
    why: str


def policing(rates: Sequence[RatePair]) -> Policing:
    """Tell a policer from congestion, one point a probe (its median rates)."""
    target, control = _by_probe(rates)
    n = len(target)
    kbps = _mean_rate(target)
    if n < PROBES:
        why = f"{n} probes with a rate of the target and of another name; it takes {PROBES} to tell"
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, why)
    if control.std(ddof=1) < SPREAD:
        why = "the lines of the probes are too alike: a fixed rate and a crowded line would look the same"
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, why)
    slope = _with_interval(control, target)
    return Policing(_cause(slope), n, slope, kbps, _why(_cause(slope), slope, n))


def _by_probe(rates: Sequence[RatePair]) -> tuple[Floats, Floats]:
    """Logarithms of the median rates of each probe: of the target, of the control."""
    own: dict[str, list[RatePair]] = {}
    for rate in rates:
        own.setdefault(rate.probe, []).append(rate)
    target = [float(np.median([r.kbps for r in each])) for each in own.values()]
    control = [float(np.median([r.control_kbps for r in each])) for each in own.values()]
    return np.log(np.array(target)), np.log(np.array(control))


def deming(x: Floats, y: Floats) -> float:
    """Slope of y on x where both have errors of the same size."""
    xx, yy = float(x.var(ddof=1)), float(y.var(ddof=1))
    xy = float(((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1))
    if xy == 0:
        return 0.0
    gap = yy - xx
    root = float(np.hypot(gap, 2 * xy))
    return (gap + root) / (2 * xy) if gap > 0 else 2 * xy / (root - gap)


def _with_interval(x: Floats, y: Floats) -> Estimate:
    """The slope with its 90 % interval, by leaving out one probe after another (jackknife)."""
    n, whole = len(x), deming(x, y)
    without = np.array([deming(np.delete(x, i), np.delete(y, i)) for i in range(n)])
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    return Estimate(whole, whole - SURE * error, whole + SURE * error)


def _cause(slope: Estimate) -> SlownessCause:
    """A policer only if 1 is excluded and the slope lies nearer to 0, and the other way round."""
    if slope.high < 1 and slope.mean < 0.5:
        return SlownessCause.POLICER
    return SlownessCause.CONGESTION if slope.low > 0 and slope.mean > 0.5 else SlownessCause.CANNOT_TELL


def _why(cause: SlownessCause, slope: Estimate, n: int) -> str:
    measured = f"slope {slope.mean:.2f} ({slope.low:.2f} to {slope.high:.2f}) across {n} probes"
    told = {
        SlownessCause.POLICER: "its rate hardly follows the line's: held to a fixed one, as by a policer",
        SlownessCause.CONGESTION: "its rate follows that of the line, as on a crowded path",
        SlownessCause.CANNOT_TELL: "the rates fit a fixed limit and a crowded path alike",
    }[cause]
    return f"{told} ({measured})"


def _mean_rate(logs: Floats) -> Estimate | None:
    """Geometric mean over probes with its 90 % interval."""
    if not len(logs):
        return None
    half = SURE * float(logs.std(ddof=1)) / float(np.sqrt(len(logs))) if len(logs) > 1 else 0.5
    mean = float(logs.mean())
    return Estimate(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)))
