"""Rules for transfers: a rate means something only next to that of a control at the same time."""

from collections.abc import Iterable
from math import isnan, nan

from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.threshold import threshold
from fanous.model.verdict import FROZEN, FROZEN_BY_NAME, LEAST_RATIO, State

LEAST_REFUSAL = threshold(
    "rules.refusal_status",
    300,
    "HTTP status from which a page is not the one that was requested (RFC 9110, section 15): too short for a "
    "rate.",
)

LEAST_BYTES = threshold(
    "rules.transfer_bytes",
    65_536,
    "Least bytes of a download that completed: with fewer, one round trip more or less decides.",
)

CONTROL = "control"
"""Role of the download with which the target's is compared."""

FREEZE = threshold(
    "rules.transfer_freeze_bytes",
    (10_000, 24_000),
    "A download that stops between these sizes was frozen: as `rules.page_freeze_bytes`, since a download is "
    "counted from its request on, too.",
)

SILENT_SHARE = threshold(
    "rules.freeze_silent_share",
    0.8,
    "Share of a frozen download's time that is one silence: the first 20 KB arrive within a few round trips, "
    "while a lossy flow continues in fits and starts.",
)

LEAST_PAIRS = threshold(
    "rules.transfer_pairs",
    2,
    "Downloads under either name from the same address: a single slow one may have met a burst.",
)


def control_kbps(o: Observation, c: Controls) -> float:
    """Median rate of other names in the same measurement; NaN = there was none.

    The helper's own rate is that of another line and does not measure this one.
    """
    return _median(
        s.kbps
        for s in c.evidence.of(Layer.TRANSFER)
        if s.hostname != o.hostname and s.target != o.target and s.failure is None and not _is_no_rate(s)
    )


def _is_no_rate(o: Observation) -> bool:
    """Does it refuse, redirect or end after a few bytes?  Then its time is only that of round trips."""
    ends_soon = o.failure is None and 0 <= o.received < LEAST_BYTES
    return ends_soon or o.status_code >= LEAST_REFUSAL


def own_kbps(o: Observation, c: Controls) -> float:
    """Median rate of all downloads from this name in the measurement, including those cut off."""
    return _median(
        s.kbps for s in c.evidence.of(Layer.TRANSFER) if (s.hostname, s.target) == (o.hostname, o.target)
    )


def line_kbps(c: Controls) -> float:
    """The best rate of a control in the measurement, including one that ran out of time; NaN = there was none.

    A line gives what its fastest control gets; one at the target's own address may be slowed down with it.
    """
    rates = [
        s.received * 8 / 1000 / s.seconds
        for s in c.evidence.of(Layer.TRANSFER)
        if s.role == CONTROL and s.received > 0 and s.seconds > 0 and not _is_no_rate(s)
    ]
    return max(rates, default=nan)


def outside_kbps(o: Observation, c: Controls) -> float:
    """The rate at which the helper got the target's page; NaN = it was not timed."""
    return _median(s.kbps for s in c.evidence.helper.get(Layer.TRANSFER, ()) if s.target == o.target)


def _median(rates: Iterable[float]) -> float:
    known = sorted(rate for rate in rates if not isnan(rate))
    middle = len(known) // 2
    if not known:
        return nan
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def _slow_beside_itself(o: Observation, c: Controls) -> bool:
    """Is only the name slow, while the same server is fast under another name?"""
    if o.role == CONTROL or _is_no_rate(o):
        return False
    beside = [s for s in c.same_server if not _is_no_rate(s)]
    own = [s for s in c.evidence.of(Layer.TRANSFER) if (s.hostname, s.ip) == (o.hostname, o.ip)]
    enough = min(len(own), len(beside)) >= LEAST_PAIRS
    return enough and own_kbps(o, c) < LEAST_RATIO * _median(s.kbps for s in beside)


def _slow(o: Observation, c: Controls) -> bool:
    """Is it slow next to the control?  Never true of a control: being slower than a target says nothing about
    it."""
    if o.role == CONTROL or _is_no_rate(o):
        return False
    return own_kbps(o, c) < LEAST_RATIO * control_kbps(o, c)  # false if either is NaN


def _slow_for_all(o: Observation, c: Controls) -> bool:
    """Is it slow from outside too?  A site that cannot do better is slow next to any control."""
    return _slow(o, c) and own_kbps(o, c) >= LEAST_RATIO * outside_kbps(o, c)


def _slow_here(o: Observation, c: Controls) -> bool:
    return _slow(o, c) and own_kbps(o, c) < LEAST_RATIO * outside_kbps(o, c)


def froze(o: Observation, c: Controls) -> bool:
    """Did a download stop for good within ``FREEZE`` while a control went on?"""
    return o.role != CONTROL and _is_cut(o, c) and not isnan(control_kbps(o, c))


def _is_cut(o: Observation, c: Controls) -> bool:
    in_window = FREEZE[0] <= o.received <= FREEZE[1]
    goes_on = o.largest_gap < SILENT_SHARE * o.seconds  # false if the reads were not recorded
    return c.cause is Cause.TIMEOUT and in_window and not goes_on


def of_freeze(_o: Observation, c: Controls) -> str:
    """By name only where another name did well at that address: Russia has frozen whole hosting providers since June
    2025, whatever name a connection carries.
    """
    return FROZEN_BY_NAME if c.same_server else FROZEN


def of_slow_data(o: Observation, c: Controls) -> str:
    """By name only where another name did well at that address."""
    if o.url.startswith("http:"):
        return "http.throttle.host"
    is_by_name = any(own_kbps(o, c) < LEAST_RATIO * s.kbps for s in c.same_server)
    return "tls.throttle.sni" if is_by_name else "tls.throttle"


def _rates(o: Observation, c: Controls) -> str:
    outside = outside_kbps(o, c)
    told = "" if isnan(outside) else f", from outside {outside:.0f} kbit/s"
    name = o.hostname or o.target
    return f"{name}: {own_kbps(o, c):.0f} kbit/s, control {control_kbps(o, c):.0f} kbit/s{told}"


def _failure(o: Observation, _c: Controls) -> str:
    after = f" after {o.received} bytes" if o.received >= 0 else ""
    return f"{o.hostname or o.target}: {o.failure}{after}"


TRANSFER_RULES = (
    # The control is another download on this line, which went on: it speaks for the line.
    Rule(
        id="transfer.frozen",
        state=State.THROTTLED,
        why="The data stopped for good after the first 10 to 24 KB, while the control's continued.",
        holds=froze,
        mechanism=of_freeze,
        figures=_failure,
    ),
    Rule(
        id="transfer.slow_beside_itself",
        state=State.THROTTLED,
        why="The speed is less than a fifth of what the same server gives under an innocuous name in the same "
        "measurement.",
        holds=_slow_beside_itself,
        mechanism=of_slow_data,
        figures=_rates,
    ),
    # One control speaks for the line, the rate outside for the site.
    Rule(
        id="transfer.slow",
        state=State.THROTTLED,
        why="The speed is less than a fifth of the control's in the same measurement, and less than a fifth "
        "of what the target gives outside.",
        holds=_slow_here,
        mechanism=of_slow_data,
        figures=_rates,
    ),
    Rule(
        id="transfer.slow_for_all",
        state=State.INSUFFICIENT,
        why="The speed is far below the control's, but the target is slow from outside too.",
        holds=_slow_for_all,
        figures=_rates,
    ),
    Rule(
        id="transfer.slow_no_outside",
        state=State.INSUFFICIENT,
        why="The speed is less than a fifth of the control's in the same measurement, but nothing shows how "
        "fast the target is elsewhere.",
        holds=_slow,
        mechanism=of_slow_data,
        figures=_rates,
        symptom=True,
    ),
    Rule(
        id="transfer.ok",
        state=State.OK,
        why="The data arrived.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="transfer.failed",
        state=State.INSUFFICIENT,
        why="The transfer was not completed, and no control shows why.",
        holds=lambda _o, _c: True,
        figures=_failure,
    ),
)
