"""Playback: plays what was received at the bit rates of live video.  Pure.

A player begins when two seconds are there, and stands still whenever nothing is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = {"240p": 400, "480p": 1_200, "720p": 2_700}
"""kbit/s with sound.  480p and 720p: as YouTube's were measured (1.2 and 2.7 Mbit/s, blog.wirelessmoves.com,
2011), close to the 1.1 and 2.5 of YouTube's own advice; 240p: what messengers and news sites use, ours."""

SECONDS = 10.0
"""Of video, at least, that must be there to tell: a policer's bucket is empty by then."""

BEGIN, RESUME = 2.0, 1.0
"""Seconds of video that a player waits for at first, and after it stood still."""

PATIENCE = 6.0
"""Seconds until it begins, at most."""

MOST_STALLED = 0.1
"""Share of the time after it began: viewers leave when a few per cent of the time is spent waiting, and a
live video that stands still more than this falls behind."""


@dataclass(frozen=True, slots=True)
class Playback:
    """One level.

    Attributes:
        watchable: ``None`` = the source gave too little to tell.
        startup: seconds until it began; ``None`` = never.
        stalled: seconds in which it stood still after that.
    """

    kbps: float
    watchable: bool | None
    startup: float | None
    stalled: float


def play(reads: Sequence[Sequence[float]], ended: float, kbps: float, *, was_cut_off: bool) -> Playback:
    """Play a download.

    Args:
        reads: [seconds since the request, bytes in all] in order.
        ended: when the download ended.
        was_cut_off: it ended because time was over, or it broke; ``False`` = the source had no more.
    """
    rate, last, total = kbps * 125, 0.0, 0.0
    buffered, startup, stalled, playing, needed = 0.0, 0.0, 0.0, False, BEGIN
    began = False
    for at, count in [*reads, (ended, reads[-1][1] if reads else 0.0)]:
        passed = max(at - last, 0.0)
        if playing:
            stalled += max(passed - buffered, 0.0)
            playing, buffered = buffered > passed, max(buffered - passed, 0.0)
        elif began:
            stalled += passed
        else:
            startup += passed
        buffered += (count - total) / rate
        last, total = at, count
        if not playing and buffered >= needed:
            playing, began, needed = True, True, RESUME
    # What is there when a download is done plays to its end.
    if not was_cut_off and total < SECONDS * rate:
        return Playback(kbps, None, round(startup, 2) if began else None, round(stalled, 2))
    fine = began and startup <= PATIENCE and stalled <= MOST_STALLED * max(ended - startup, 1.0)
    return Playback(kbps, fine, round(startup, 2) if began else None, round(stalled, 2))
