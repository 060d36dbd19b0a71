"""Window: times as parameters of a question, half-open, in the engine's microseconds."""

from collections.abc import Sequence
from math import inf

from fanous.model.incident import Interval, Stretches
from fanous.store.columns import ticks

IN_WINDOW = (
    "started_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') "
    "AND started_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')"
)
AT_IN_WINDOW = IN_WINDOW.replace("started_at", "at")
"""The same for bins of ready-made series."""
# The plain bounds come first: they alone let the engine skip what is outside.
IN_INTERVALS = (
    f"{IN_WINDOW} AND arrayExists((a, b) -> toUnixTimestamp64Micro(started_at) >= a "
    "AND toUnixTimestamp64Micro(started_at) < b, {starts:Array(Int64)}, {ends:Array(Int64)})"
)
IN_STRETCHES = (
    f"{IN_WINDOW} AND arrayExists((n, a, b) -> asn = n AND toUnixTimestamp64Micro(started_at) >= a "
    "AND toUnixTimestamp64Micro(started_at) < b, {places:Array(UInt32)}, {starts:Array(Int64)}, "
    "{ends:Array(Int64)})"
)
"""The same where each network has intervals of its own."""


def window(since: float, until: float) -> dict[str, int]:
    """Parameters of ``IN_WINDOW``."""
    return {"since": ticks(since), "until": ticks(until)}


def in_any(intervals: Sequence[Interval]) -> dict[str, int | list[int]]:
    """Parameters of ``IN_INTERVALS``; an interval without end goes on for ever."""
    starts = [ticks(interval.start) for interval in intervals]
    ends = [ticks(inf if interval.end is None else interval.end) for interval in intervals]
    return {"starts": starts, "ends": ends, "since": min(starts, default=0), "until": max(ends, default=0)}


def in_stretches(stretches: Stretches) -> dict[str, int | list[int]]:
    """Parameters of ``IN_STRETCHES``: ASN -> its intervals."""
    rows = [(asn, interval) for asn, own in stretches.items() for interval in own]
    return {"places": [asn for asn, _ in rows], **in_any([interval for _, interval in rows])}
