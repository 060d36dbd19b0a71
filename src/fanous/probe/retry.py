"""Retry: a step that failed as chance may make it fail is tried again, at once and after a pause.

Every attempt stands in the record (``x_attempt``), so the rules see that one worked.  With 20 % loss in both
directions a connection of 5 s fails in one of twenty cases, all three attempts in one of ten thousand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fanous.probe.settings import Settings
from fanous.probe.trace import Trace

T = TypeVar("T")

LOST = frozenset({"generic_timeout_error", "dns_temporary_failure", "dns_servfail_error"})
"""What lost packets look like: tried again at once, and after a pause."""

CUT = frozenset({"connection_reset", "connection_aborted", "eof_error"})
"""What loss never looks like, but a busy server may: tried again once, after the pause.  Each attempt is one
more trigger from the user's line, so there are no further ones."""

Attempt = Callable[[int], Awaitable[tuple[T | None, str | None]]]
"""Number of the attempt, from 1 -> what it gave, or its failure."""


async def retried(
    trace: Trace, settings: Settings, needs: float, attempt: Attempt[T], first: int = 1
) -> T | None:
    """What an attempt gave; ``None`` = all failed.

    Args:
        needs: seconds that an attempt may take; none is begun for which no time is left.
        first: number of the first attempt made here.
    """
    number, was_delayed = first, not settings.retries
    while True:
        result, failure = await attempt(number)
        at_once = failure in LOST and number == 1
        pause = 0.0 if at_once else settings.retry_delay
        worth = failure in LOST | CUT and not was_delayed and trace.time_left() > pause + needs
        if result is not None or not worth:
            return result
        await asyncio.sleep(pause)
        number, was_delayed = number + 1, not at_once
