"""Rules for transfers: a rate means something only beside the rate of a control at the same time."""

from math import isnan

from fanous.model.observation import Layer, Observation
from fanous.model.verdict import State
from fanous.rules import mechanisms
from fanous.rules.controls import Controls
from fanous.rules.failures import Cause
from fanous.rules.rule import Rule

LEAST_RATIO = 0.2
"""Of the control's rate.  With a spread of 0.5 in the log ratio of one pair, a factor of 5 is over three
standard deviations."""

FREEZE = (14_000, 24_000)
"""Bytes after which a flow freezes; see the rules for pages."""


def control_kbps(o: Observation, c: Controls) -> float:
    """The best rate that another name had in the same measurement; NaN = there was none.

    The helper's own rate is of another line and says nothing.
    """
    rates = [
        s.kbps
        for s in c.evidence.of(Layer.TRANSFER)
        if s.hostname != o.hostname and s.target != o.target and s.failure is None and not isnan(s.kbps)
    ]
    return max(rates, default=float("nan"))


def _slow(o: Observation, c: Controls) -> bool:
    return o.kbps < LEAST_RATIO * control_kbps(o, c)  # false where either is NaN


def _froze(o: Observation, c: Controls) -> bool:
    return c.cause is Cause.TIMEOUT and FREEZE[0] <= o.received <= FREEZE[1] and not isnan(control_kbps(o, c))


def _rates(o: Observation, c: Controls) -> str:
    return f"{o.hostname or o.target}: {o.kbps:.0f} kbit/s, control {control_kbps(o, c):.0f} kbit/s"


def _failure(o: Observation, _c: Controls) -> str:
    return f"{o.hostname or o.target}: {o.failure} after {o.received} bytes"


TRANSFER_RULES = (
    Rule(
        id="transfer.frozen",
        layer=Layer.TRANSFER,
        state=State.THROTTLED,
        why="The data stopped for good after the first 14-24 KB, while the control's went on.",
        holds=_froze,
        mechanism=mechanisms.FROZEN,
        figures=_failure,
    ),
    Rule(
        id="transfer.slow",
        layer=Layer.TRANSFER,
        state=State.THROTTLED,
        why="The rate is below a fifth of the control's in the same measurement.",
        holds=_slow,
        mechanism=mechanisms.of_slow_data,
        figures=_rates,
    ),
    Rule(
        id="transfer.ok",
        layer=Layer.TRANSFER,
        state=State.OK,
        why="The data came.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="transfer.failed",
        layer=Layer.TRANSFER,
        state=State.INSUFFICIENT,
        why="The transfer did not end, and no control tells why.",
        holds=lambda _o, _c: True,
        figures=_failure,
    ),
)
