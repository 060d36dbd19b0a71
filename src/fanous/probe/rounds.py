"""Rounds: the same round again and again, with jitter, within what volunteers' safety allows."""

import random
import time
from collections.abc import Callable

from fanous.errors import FanousError

VOLUNTEER_LEAST = 600.0
"""Seconds between two triggers of one target from a volunteer's line."""

ORGANISATION_LEAST = 60.0
"""Likewise from an organisation's own vantage point."""

JITTER = 0.2
"""Share of the interval by which a round may come earlier or later: rounds of many probes must not meet."""


def least_interval(*, organisation: bool) -> float:
    """Seconds that two rounds must lie apart."""
    return ORGANISATION_LEAST if organisation else VOLUNTEER_LEAST


def check_interval(seconds: float, *, organisation: bool) -> None:
    """Refuse a cadence that is not safe.

    Raises:
        FanousError: it is too fast.
    """
    least = least_interval(organisation=organisation)
    if seconds < least:
        hint = "" if organisation else "; an organisation's own vantage point may say --organisation"
        raise FanousError(f"a round every {seconds:.0f} s is too fast: at least {least:.0f} s here{hint}")


def pause(seconds: float, least: float, chance: random.Random) -> float:
    """Seconds until the next round; jitter never makes it faster than ``least``."""
    return max(least, seconds * chance.uniform(1 - JITTER, 1 + JITTER))


def repeat(
    one_round: Callable[[int], None],
    seconds: float | Callable[[], float],
    least: float,
    *,
    rounds: int = 0,
    chance: random.Random | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``one_round`` with its number, from 0; ``rounds`` 0 = until interrupted.

    ``seconds`` may be a function, asked before each pause.  The pause begins when a round ends: a round that
    takes long never makes the next one come at once.
    """
    number, dice = 0, chance or random.Random()
    while True:
        one_round(number)
        number += 1
        if number == rounds:
            return
        sleep(pause(seconds() if callable(seconds) else seconds, least, dice))
