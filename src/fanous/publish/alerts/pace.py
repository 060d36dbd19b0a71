"""Pace: when a channel may be written to - quiet hours, a limit an hour, patience after failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fanous.model.alert import Happening

HOUR = 3600.0

FIRST_WAIT = 15.0
"""Seconds after the first failure; each further one doubles it: a service that restarts is back by then."""

LONGEST_WAIT = HOUR

MOST_ATTEMPTS = 14
"""Some nine hours with the waits above: a night in which a mail server is down."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of each day on the clock of a place; past midnight where the end lies before the start."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: float) -> float:
        """When this quiet is over; ``now`` where it is not quiet."""
        here = datetime.fromtimestamp(now, self.zone)
        for day in (here.date() - timedelta(days=1), here.date()):
            begins = datetime.combine(day, self.start, self.zone)
            last = day if self.end > self.start else day + timedelta(days=1)
            ends = datetime.combine(last, self.end, self.zone)
            if begins.astimezone(UTC) <= here.astimezone(UTC) < ends.astimezone(UTC):
                return ends.timestamp()
        return now


@dataclass(frozen=True, slots=True)
class Pace:
    """Attributes:
    per_hour: messages.
    even_when_quiet: news that does not wait for the end of quiet hours.
    """

    quiet: tuple[QuietHours, ...] = ()
    even_when_quiet: tuple[Happening, ...] = ()
    per_hour: int = 30

    def allowed_at(self, now: float, happening: Happening, sent: Sequence[float]) -> float:
        """``now``, or when it may be tried again.

        Args:
            sent: when messages were sent within the last hour, oldest first.
        """
        quiet = () if happening in self.even_when_quiet else self.quiet
        over = max((one.until(now) for one in quiet), default=now)
        recent = [at for at in sent if at > now - HOUR]
        room = recent[-self.per_hour] + HOUR if len(recent) >= self.per_hour else now
        return max(over, room)


def wait_after(attempts: int, asked: float | None = None) -> float:
    """Seconds until the next attempt; ``asked``: what the receiver asked for (``Retry-After``)."""
    own = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** max(0, attempts - 1))
    return own if asked is None else max(own, min(asked, LONGEST_WAIT))
