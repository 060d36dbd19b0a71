"""Policing: is a slow flow held to a fixed rate, or is the line crowded?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fanous.base.groups import grouped
from fanous.model.incident import Estimate
from fanous.model.reason import Reason
from fanous.model.series import Floats, RatePair
from fanous.model.threshold import threshold

PROBES = threshold(
    "incidents.policing_probes",
    5,
    "Fewest probes to tell a fixed limit from congestion: with fewer, a slope is known no better than by "
    "tossing a coin.",
)

SPREAD = threshold(
    "incidents.policing_spread",
    0.3,
    "Least standard deviation of ln(control rate) across probes: if all lines are alike, a fixed rate and a "
    "shared line look the same.",
)

SURE = threshold(
    "incidents.policing_deviations",
    1.645,
    "Standard errors on either side of the 90 % interval of the slope that tells a fixed limit from congestion.",
)


class SlownessCause(StrEnum):
    """What limits the rate."""

    POLICER = "policer"
    CONGESTION = "congestion"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Policing:
    """What the rates show.

    Attributes:
        slope: ``None`` = too few probes, or their lines are too alike.
        kbps: rate of the target, over probes; ``None`` = no rate was measured.
        reason: the reason for the cause; claims no more than was measured.
    """

    cause: SlownessCause
    probes: int
    slope: Estimate | None
    kbps: Estimate | None
    reason: Reason


def policing(rates: Sequence[RatePair]) -> Policing:
    """Tell a policer, which holds traffic to a fixed rate, from congestion; each probe is one point (its median rates).

    Across probes, ln(rate of the target) is regressed on ln(rate of the control).  Under a policer the target's rate
    does not follow the line's (slope 0); under congestion it does (slope 1).  Both rates are measured with error, so
    ordinary least squares would read a true 1 as .75; Deming regression assumes equal errors on both sides.
    """
    target, control = _by_probe(rates)
    n = len(target)
    kbps = mean_rate(target)
    if n < PROBES:
        why = Reason("slow.few_probes", {"probes": n, "needed": PROBES})
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, why)
    if np.log(control).std(ddof=1) < SPREAD:
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, Reason("slow.alike"))
    slope = _with_interval(np.log(control), np.log(target))
    cause = _cause(slope)
    told = {"probes": n, "slope": slope.mean, "slope_low": slope.low, "slope_high": slope.high}
    return Policing(cause, n, slope, kbps, Reason(f"slow.{cause}", told))


def _by_probe(rates: Sequence[RatePair]) -> tuple[Floats, Floats]:
    """Median rates of each probe, in kbit/s: of the target, of the control."""
    probes = grouped(rates, lambda rate: rate.probe).values()
    target = [float(np.median([rate.kbps for rate in pairs])) for pairs in probes]
    control = [float(np.median([rate.control_kbps for rate in pairs])) for pairs in probes]
    return np.array(target), np.array(control)


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
    """A policer only if 1 is excluded and the slope is nearer to 0; congestion the other way round."""
    if slope.high < 1 and slope.mean < 0.5:
        return SlownessCause.POLICER
    return SlownessCause.CONGESTION if slope.low > 0 and slope.mean > 0.5 else SlownessCause.CANNOT_TELL


def mean_rate(rates: Floats) -> Estimate | None:
    """Geometric mean of rates, each finite and above 0, with its 90 % interval; None = there are none."""
    if not len(rates):
        return None
    logs = np.log(rates)
    half = SURE * float(logs.std(ddof=1)) / float(np.sqrt(len(logs))) if len(logs) > 1 else 0.5
    mean = float(logs.mean())
    return Estimate(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)))
