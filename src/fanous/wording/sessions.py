"""Sessions: did an incident recur at the same hours on many days, as with examinations and curfews?

Kenya blocked Telegram in November 2023 for two sessions of examinations on each weekday.  Networks with few
measurements hide it (no one saw them recover between two sessions), so each network is examined separately.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fanous.model.incident import Incident, Interval, NetworkPart
from fanous.model.instant import DAY

SLOT = 1800.0
"""Hours are given to the half hour: volunteers measure a few times an hour at best."""

SLOTS = int(DAY / SLOT)

LONGEST = 12 * 3600.0
"""A longer stretch is not a session: no one saw the pause."""

LEAST_DAYS = 4
"""Least days: with fewer on one network, the same hours may be chance."""

MOSTLY = 0.5
"""Share of a network's days on which the busiest half hour must have failed; half as often still belongs to the
session.  Networks with sessions must also have made this share of the measurements that saw the incident."""

MOST_SESSIONS = 3
MOST_HOURS = 14 * 3600.0
"""Most hours a day: incidents that last longer each day, or in more pieces, are not described as sessions."""

WORKDAYS = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class DailySessions:
    """When it recurred, in local time.

    Attributes:
        hours: (start, end) of each session of a day, seconds after midnight; one that ends after midnight has the
            smaller end.
        weekdays: weekdays on which it was seen, Monday = 0.
    """

    hours: tuple[tuple[float, float], ...]
    weekdays: frozenset[int]


def sessions_of(incident: Incident, offset: float) -> DailySessions | None:
    """The sessions of an incident; None = it had none, or too little was measured to tell.

    Args:
        offset: seconds by which local time is ahead of UTC.
    """
    short = [(network, _short(network)) for network in incident.networks]
    own = [(network, found) for network, found in short if len(_days(found, offset)) >= LEAST_DAYS]
    measured = sum(network.measurements for network in incident.networks)
    if not own or sum(network.measurements for network, _ in own) < MOSTLY * measured:
        return None
    days = sum(len(_days(found, offset)) for _, found in own)
    hours = _busy([_slots(found, offset) for _, found in own], days)
    length = sum((end - start) % DAY for start, end in hours)
    if not 1 <= len(hours) <= MOST_SESSIONS or not 0 < length <= MOST_HOURS:
        return None
    weekdays = {
        int((day + 3) % 7) for _, found in own for day in _days(found, offset)
    }  # 1 January 1970: Thursday
    return DailySessions(hours, frozenset(weekdays))


def _short(network: NetworkPart) -> list[Interval]:
    """Its intervals, if most of them can be sessions."""
    found = [one for one in network.intervals if one.end is not None and one.end - one.start <= LONGEST]
    return found if len(found) >= MOSTLY * len(network.intervals) else []


def _days(intervals: Sequence[Interval], offset: float) -> set[int]:
    return {int((one.start + offset) // DAY) for one in intervals}


def _slots(intervals: Sequence[Interval], offset: float) -> Counter[int]:
    """How many days failed in each half hour of the day."""
    covered = {
        slot
        for one in intervals
        if one.end is not None
        for slot in range(int((one.start + offset) // SLOT), int(-((one.end + offset) // -SLOT)))
    }
    return Counter(slot % SLOTS for slot in covered)


def _busy(counts: Sequence[Counter[int]], days: int) -> tuple[tuple[float, float], ...]:
    """The stretches of half hours that fail on most days, around the clock."""
    total = sum(counts, Counter[int]())
    top = max(total.values(), default=0)
    if top < MOSTLY * days:
        return ()
    busy = {slot for slot, n in total.items() if n >= MOSTLY * top}
    starts = sorted(slot for slot in busy if (slot - 1) % SLOTS not in busy)
    found = []
    for start in starts:
        end = start
        while end % SLOTS in busy:
            end += 1
        found.append((start * SLOT, end * SLOT % DAY))
    return tuple(found)
