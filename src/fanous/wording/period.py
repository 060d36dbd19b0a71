"""Period: from when to when an incident lasted, in words, and whether it came in sessions on many days.

Times are local, and only as exact as they were measured.  Sessions recur at the same hours, as with examinations and
curfews: Kenya blocked Telegram in November 2023 for two sessions of examinations on each weekday.  Networks with few
measurements hide it (no one saw them recover between two sessions), so each network is examined separately.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fanous.model.incident import Incident, Interval, NetworkPart
from fanous.model.instant import DAY, HOUR
from fanous.refdata.countries import local
from fanous.wording.clocks import both_clocks, date, days_between
from fanous.wording.language import Language, Sentence

SLOT = 1800.0
"""Hours are given to the half hour: volunteers measure a few times an hour at best."""

SLOTS = int(DAY / SLOT)

LONGEST = 12 * 3600.0
"""A longer stretch is not a session: no one saw the pause."""

LEAST_DAYS = 4
"""Fewest days: with fewer on one network, the same hours may be chance."""

MOSTLY = 0.5
"""Share of a network's days on which the busiest half hour must have failed; half as often still belongs to the
session.  Networks with sessions must also have made this share of the measurements that saw the incident."""

MOST_SESSIONS = 3
MOST_HOURS = 14 * 3600.0
"""Most hours a day: incidents that last longer each day, or in more pieces, are not described as sessions."""

WORKDAYS = frozenset(range(5))
DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class DailySessions:
    """When it recurred, in local time.

    Attributes:
        hours: (start, end) of each session of a day, seconds after midnight; one that ends after midnight has the
            smaller end.
        weekdays: weekdays on which it was seen, on any network, Monday = 0.
        longer: networks on which it also went on for longer than ``LONGEST``, or no one saw the pause.
    """

    hours: tuple[tuple[float, float], ...]
    weekdays: frozenset[int]
    longer: tuple[str, ...] = ()


def sessions(incident: Incident) -> DailySessions | None:
    """The sessions in which it occurred; None = it did not, or too little was measured to tell."""
    ahead = local(incident.onset, incident.country).utcoffset()
    return sessions_of(incident, ahead.total_seconds() if ahead is not None else 0.0)


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
    seen = [
        interval
        for network in incident.networks
        for interval in network.intervals
        if not _is_longer(interval)
    ]
    weekdays = {int((day + 3) % 7) for day in _days(seen, offset)}  # 1 January 1970: Thursday
    longer = (network.entity for network in incident.networks if any(map(_is_longer, network.intervals)))
    return DailySessions(hours, frozenset(weekdays), tuple(longer))


def _is_longer(interval: Interval) -> bool:
    return interval.end is not None and interval.end - interval.start > LONGEST


def _short(network: NetworkPart) -> list[Interval]:
    """Its intervals, if most of them can be sessions."""
    intervals = [
        interval for interval in network.intervals if interval.end is not None and not _is_longer(interval)
    ]
    return intervals if len(intervals) >= MOSTLY * len(network.intervals) else []


def _days(intervals: Sequence[Interval], offset: float) -> set[int]:
    return {int((interval.start + offset) // DAY) for interval in intervals}


def _slots(intervals: Sequence[Interval], offset: float) -> Counter[int]:
    """How many days failed in each half hour of the day."""
    covered = {
        slot
        for interval in intervals
        if interval.end is not None
        for slot in range(int((interval.start + offset) // SLOT), int(-((interval.end + offset) // -SLOT)))
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


EXACT = 1 * HOUR
"""A moment with wider bounds is not "about" a time: both bounds are given."""

LONG = 2 * DAY
"""From this length on, dates matter and hours do not."""

SINCE = {
    "about": "since about {start}, local time",
    "before": "since before {start}, local time",
    "between": "since some time between {earliest} and {start}, local time",
}
FROM = {
    ("about", True): "from about {start} to about {end}, local time",
    ("before", True): "from before {start} to about {end}, local time",
    ("between", True): "from some time between {earliest} and {start} to about {end}, local time",
    ("about", False): "from about {start} to some time between {over} and {end}, local time",
    ("before", False): "from before {start} to some time between {over} and {end}, local time",
    ("between", False): (
        "from some time between {earliest} and {start} to some time between {over} and {end}, local time"
    ),
}
"""(how well the onset is known, is the end exact) -> wording with hours."""

SEEN_UNTIL = {
    "about": "from about {start} to at least {end}, local time",
    "before": "from before {start} to at least {end}, local time",
    "between": "from some time between {earliest} and {start} to at least {end}, local time",
}
"""The same of what goes on, up to its newest value: nothing is known of the time after it."""

DAYS = {
    (True, True): "from {dates}",
    (False, True): "from {start} or earlier to {end}",
    (True, False): "from {start} to {end} at the latest",
    (False, False): "from {start} or earlier to {end} at the latest",
}
ON_DAY, UNTIL_DAY = "on {end}", {True: "until {end}", False: "until {end} at the latest"}
DAYS_SEEN = {True: "from {start} to at least {end}", False: "from {start} or earlier to at least {end}"}
UNTIL_DAY_SEEN = "until at least {end}"
SINCE_DAY = {True: "since {start}", False: "since {start} or earlier"}
"""Are the first and the last day known -> wording with dates: for an event of two days or more, or if hours take too
much room."""

SESSIONS = {
    "weekdays": (
        "in {sessions} session a day on weekdays from {dates}",
        "in {sessions} sessions a day on weekdays from {dates}",
    ),
    "daily": ("in {sessions} session a day from {dates}", "in {sessions} sessions a day from {dates}"),
    "some": (
        "in {sessions} session a day on some days from {dates}",
        "in {sessions} sessions a day on some days from {dates}",
    ),
}
OPEN_SESSIONS = {
    "weekdays": (
        "in {sessions} session a day on weekdays since {start}",
        "in {sessions} sessions a day on weekdays since {start}",
    ),
    "daily": ("in {sessions} session a day since {start}", "in {sessions} sessions a day since {start}"),
    "some": (
        "in {sessions} session a day on some days since {start}",
        "in {sessions} sessions a day on some days since {start}",
    ),
}

MOSTLY_SO = "mostly {when}"
"""Said of sessions where it also went on for longer."""


def _onset_known(incident: Incident) -> str:
    earliest = incident.fall_earliest
    if earliest is None:
        return "before"
    return "between" if incident.onset_latest - earliest > EXACT else "about"


def _end_between(incident: Incident) -> tuple[float, float] | None:
    """The bounds of an end that is not exact; None = it is, or there are none."""
    first, last = incident.end_earliest, incident.end_latest
    return (first, last) if first is not None and last is not None and last - first > EXACT else None


def period_said(incident: Incident, language: Language, by_hour: bool | None) -> str:
    """From when to when, in local time, as far as it was measured."""
    country, end, known = incident.country, incident.end, _onset_known(incident)
    start = local(incident.onset, country)
    first = incident.fall_earliest
    earliest = start if first is None else local(first, country)
    latest = local(incident.onset_latest, country)
    in_sessions = sessions(incident)
    if in_sessions is not None:
        last = incident.seen_until if end is None else end
        forms = (OPEN_SESSIONS if last is None else SESSIONS)[_rhythm(in_sessions)]
        until = start if last is None else local(last, country)
        when = language.count(
            *forms,
            len(in_sessions.hours),
            sessions=language.few(len(in_sessions.hours)),
            dates=days_between(start, until, language),
            start=date(start, language),
        )
        return language.say(MOSTLY_SO, when=when) if in_sessions.longer else when
    began = latest if known == "between" else start
    sure = known == "about" or (known == "between" and earliest.date() == began.date())
    if end is None and incident.seen_until is not None:
        return _seen_until(incident, incident.seen_until, began, language, by_hour=by_hour, sure=sure)
    if end is None:
        if not by_hour:
            return language.say(SINCE_DAY[sure], start=date(began, language))
        earlier = _before(earliest, began, began, language)
        return language.say(SINCE[known], start=_at(began, language), earliest=earlier)
    over, until = (local(at, country) for at in _end_between(incident) or (end, end))
    if end - incident.onset >= LONG or not by_hour:
        return _in_dates(began, over, until, sure=sure, known_only=by_hour is None, language=language)
    return language.say(
        FROM[known, over == until],
        earliest=_before(earliest, began, until, language),
        start=_before(began, over, until, language),
        over=_before(over, until, until, language),
        end=_at(until, language),
    )


def _seen_until(
    incident: Incident, last: float, began: datetime, language: Language, *, by_hour: bool | None, sure: bool
) -> str:
    """The period of an incident that goes on, up to its newest value."""
    until = local(last, incident.country)
    if by_hour and last - incident.onset < LONG:
        first = incident.fall_earliest
        earliest = began if first is None else local(first, incident.country)
        return language.say(
            SEEN_UNTIL[_onset_known(incident)],
            earliest=_before(earliest, began, until, language),
            start=_before(began, until, until, language),
            end=_at(until, language),
        )
    one_day = began.date() == until.date()
    form = ON_DAY if one_day and sure else DAYS_SEEN[sure]
    if not sure and (one_day or by_hour is None):
        form = UNTIL_DAY_SEEN
    return language.say(form, start=date(began, language), end=date(until, language))


def _in_dates(
    began: datetime, over: datetime, until: datetime, *, sure: bool, known_only: bool, language: Language
) -> str:
    """The period in dates.

    Args:
        over, until: bounds of the end.
        sure: is the first day known?
        known_only: leave out a first day that is not.
    """
    # what ends at midnight does not reach into the next day
    over, until = (at - timedelta(seconds=1) for at in (over, until))
    is_over = over.date() == until.date()
    one_day = began.date() == until.date()
    is_end_alone = not sure and (one_day or known_only)
    form = UNTIL_DAY[is_over] if is_end_alone else ON_DAY if one_day else DAYS[sure, is_over]
    return language.say(
        form,
        dates=days_between(began, until, language),
        start=date(began, language),
        end=date(until, language),
    )


AT = "{time} on {date}"


def _at(moment: datetime, language: Language) -> str:
    return language.say(AT, time=_hour(moment, language), date=date(moment, language))


def _before(moment: datetime, next_one: datetime, last: datetime, language: Language) -> str:
    """A time followed by others: without the date if the next one gives it, or the year if the last one does."""
    time = _hour(moment, language)
    if moment.date() == next_one.date():
        return time
    return language.say(AT, time=time, date=date(moment, language, year=moment.year != last.year))


def _hour(moment: datetime, language: Language) -> str:
    return language.in_digits(f"{moment:%H:%M}")


def _rhythm(found: DailySessions) -> str:
    if found.weekdays <= WORKDAYS and len(found.weekdays) >= len(WORKDAYS) - 1:
        return "weekdays"
    return "daily" if len(found.weekdays) == DAYS_OF_WEEK else "some"


WHEN = {
    ("before", "open"): "Already under way at {onset}, when our data begin; no end has been seen.",
    ("before", "about"): "Already under way at {onset}, when our data begin; it ended about {end}.",
    (
        "before",
        "between",
    ): "Already under way at {onset}, when our data begin; it ended between {over} and {end}.",
    ("before", "seen"): (
        "Already under way at {onset}, when our data begin, and still at {end}; no end has been seen."
    ),
    ("between", "seen"): (
        "It began between {earliest} and {latest}, and was still on at {end}; no end has been seen."
    ),
    ("about", "seen"): "From about {onset} to at least {end}; no end has been seen.",
    ("between", "open"): "It began between {earliest} and {latest}; no end has been seen.",
    ("between", "about"): "It began between {earliest} and {latest}, and ended about {end}.",
    ("between", "between"): "It began between {earliest} and {latest}, and ended between {over} and {end}.",
    ("about", "open"): "Since about {onset}; no end has been seen.",
    ("about", "about"): "From about {onset} to about {end}.",
    ("about", "between"): "It began about {onset}, and ended between {over} and {end}.",
}
"""(how well the onset is known, and the end) -> sentence on both clocks."""


def exactly_when(incident: Incident, language: Language) -> Sentence:
    """From when to when on both clocks."""
    return language.sentence(
        WHEN[_onset_known(incident), _end_known(incident)], **_on_clocks(incident, language)
    )


def _end_known(incident: Incident) -> str:
    if incident.end is None:
        return "open" if incident.seen_until is None else "seen"
    return "about" if _end_between(incident) is None else "between"


def _on_clocks(incident: Incident, language: Language) -> dict[str, str]:
    """The moments of the sentences above, on both clocks."""
    end = incident.seen_until if incident.end is None else incident.end
    over, until = _end_between(incident) or (end, end)
    times = {
        "onset": incident.onset,
        "latest": incident.onset_latest,
        "earliest": incident.onset if incident.fall_earliest is None else incident.fall_earliest,
        "over": over,
        "end": until,
    }
    return {
        name: "" if at is None else both_clocks(at, incident.country, language) for name, at in times.items()
    }


ROUGHLY = {
    "open": "Since {latest} at the latest; no end has been seen.",
    "seen": "Under way by {latest}, and still at {end}; no end has been seen.",
    "about": "From {latest} at the latest to about {end}.",
    "between": "Under way by {latest}; over by {end}.",
}
"""How well the end is known -> the line of an event whose onset is not known: the middle of a gap would be a guess."""


def roughly_when(incident: Incident, language: Language) -> Sentence:
    """From when to when in one line, for the foot of a picture; the page says how certain it is."""
    known, ended = _onset_known(incident), _end_known(incident)
    text = ROUGHLY[ended] if known == "between" else WHEN[known, ended]
    return language.sentence(text, **_on_clocks(incident, language))
