"""Rates: what the reads of one download say.  Pure.

A policer lets a first burst through (a 64 KB file read 397-479 kbit/s on a true 137), so a rate also stands
for what came after the first third: of the bytes, and of the time, since a bucket of half a short download is
empty at once.
"""

from math import isnan

from fanous.probe.trace import Entry

Reads = list[tuple[float, int]]
"""(seconds since the measurement began, bytes on the wire) of each read, in order."""

BURST_SHARE = 1 / 3
"""Share of the bytes, and of the time, after which a token bucket is taken for empty.  Of downloads of 85 KB
behind a policer of 137 kbit/s in the lab, whose bucket let 45 KB through, the rate read 179 by bytes alone
and 147 by both."""

LEAST_TAIL = 1 / 3
"""Share of the time that what came after the burst must have taken, or it has no rate of its own: the last
64 KB of a short page came in one piece in the lab, and read 900 Mbit/s on a line that gave 2 in all."""

STALL = 3.0
"""Seconds of silence that a slow flow does not have: a few retransmissions come in less."""

MOST_POINTS = 200
"""Of a curve in the record: enough to see a bucket, a slope and a stall."""


def rates(reads: Reads, began: float, ended: float) -> Entry:
    """What the reads of one download say.

    Args:
        began, ended: of the request; silence before ``ended`` counts as a gap.

    Returns:
        ``kbps`` over all of it, ``kbps_late`` after the first third (``BURST_SHARE``) where that is not one
        piece (``LEAST_TAIL``), ``largest_gap`` in seconds, ``stall_offset`` in bytes that had come before it
        where it is a stall, and ``reads`` as [seconds since the request, bytes in all]; ``None`` = cannot be
        told, or no stall.
    """
    total = sum(count for _, count in reads)
    curve, sum_so_far, gap, last, before = [], 0, 0.0, began, 0
    for at, count in [*reads, (ended, 0)]:
        if at - last > gap:
            gap, before = at - last, sum_so_far
        if count:
            sum_so_far, last = sum_so_far + count, at
            curve.append((round(at - began, 4), sum_so_far))
    return {
        "bytes": total,
        "seconds": round(ended - began, 4),
        "kbps": _kbps(total, last - began),
        "kbps_late": _late(curve, total, ended - began if ended - last < STALL else last - began),
        "largest_gap": round(gap, 4),
        "stall_offset": before if gap >= STALL else None,
        "reads": [list(point) for point in _thinned(curve)],
    }


def _late(curve: list[tuple[float, int]], total: int, ends: float) -> float | None:
    """Until the download ends, not its last read: a policed flow comes in bursts, with pauses between.

    Of 71 downloads cut off after 2.5 s behind a policer of 137 kbit/s the rate read 160 without that pause
    and 140 with it.
    """
    for at, count in curve:
        if count >= total * BURST_SHARE and at >= ends * BURST_SHARE:
            return _kbps(total - count, ends - at) if ends - at >= ends * LEAST_TAIL else None
    return None


def _kbps(count: int, seconds: float) -> float | None:
    """``None`` where it all came in one read."""
    if isnan(seconds) or seconds <= 0 or count <= 0:
        return None
    return round(count * 8 / 1000 / seconds, 1)


def _thinned(curve: list[tuple[float, int]]) -> list[tuple[float, int]]:
    step = max(1, -(-len(curve) // MOST_POINTS))
    kept = curve[::step]
    return kept if not curve or kept[-1] == curve[-1] else [*kept, curve[-1]]
