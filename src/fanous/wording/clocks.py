"""Clocks: a moment as people read it, in the country's local time and in UTC.

The functions at the end are for the command line, which speaks English only.
"""

from datetime import UTC, datetime, timedelta

from fanous.model.instant import DAY, HOUR, MINUTE
from fanous.refdata.countries import local
from fanous.wording.language import ENGLISH, Language


def date(moment: datetime, language: Language, *, year: bool = True) -> str:
    """``17 December 2023``, or ``17 December``."""
    if language.code == "en":
        return f"{moment.day} {moment:%B %Y}" if year else f"{moment.day} {moment:%B}"
    from babel.dates import format_date, format_skeleton

    day = moment.date()
    if year:
        return language.in_digits(format_date(day, "long", locale=language.locale))
    return language.in_digits(format_skeleton("MMMMd", day, locale=language.locale))


def month_of(year: int, month: int, language: Language) -> str:
    """``December 2023``."""
    first = datetime(year, month, 1, tzinfo=UTC)
    if language.code == "en":
        return f"{first:%B} {year}"
    from babel.dates import format_skeleton

    return language.in_digits(format_skeleton("yMMMM", first, locale=language.locale))


def short_month(year: int, month: int, language: Language) -> str:
    """``Dec 2023``, for axes."""
    first = datetime(year, month, 1, tzinfo=UTC)
    if language.code == "en":
        return f"{first:%b} {year}"
    from babel.dates import format_skeleton

    return language.in_digits(format_skeleton("yMMM", first, locale=language.locale))


def days_between(start: datetime, end: datetime, language: Language) -> str:
    """``8 to 24 November 2023``: parts common to both dates appear once."""
    if language.code == "en":
        if start.date() == end.date():
            return date(end, language)
        same_year, same_month = start.year == end.year, (start.year, start.month) == (end.year, end.month)
        first = (
            f"{start.day}"
            if same_month
            else f"{start.day} {start:%B}"
            if same_year
            else date(start, language)
        )
        return f"{first} to {date(end, language)}"
    from babel.dates import format_interval

    text = format_interval(start.date(), end.date(), skeleton="yMMMMd", locale=language.locale)
    return language.in_digits(text)


def day(moment: datetime, language: Language) -> str:
    """``17 Dec``."""
    if language.code == "en":
        return f"{moment.day} {moment:%b}"
    from babel.dates import format_skeleton

    return language.in_digits(format_skeleton("MMMd", moment, locale=language.locale))


def zone_name(instant: float, country: str) -> str:
    """The name of the country's time zone at that instant."""
    return zone_of(local(instant, country))


def zone_of(moment: datetime) -> str:
    """The usual name of a local time's zone: ``PKT``, ``EAT``; ``UTC+05:45`` if it has no name."""
    name = moment.tzname() or ""
    if name.isalpha():
        return name
    sign, digits = moment.strftime("%z")[:1], moment.strftime("%z")[1:]
    return f"UTC{sign}{digits[:2]}" + (f":{digits[2:4]}" if digits[2:4] != "00" else "")


def hour(instant: float, country: str, language: Language) -> str:
    """``19:55 PKT``."""
    moment = local(instant, country)
    return f"{language.in_digits(f'{moment:%H:%M}')} {zone_of(moment)}"


def zones_of(start: float, end: float, country: str) -> str:
    """The zones of both instants: ``EAT``, ``CEST/CET``."""
    return "/".join(dict.fromkeys(zone_name(at, country) for at in (start, end)))


def hours_between(start: float, end: float, country: str, language: Language) -> tuple[str, str]:
    """``10:40`` and ``11:30 EAT``, the bounds of a moment in local time; with their days if these differ."""
    if local(start, country).date() == local(end, country).date():
        first = language.in_digits(f"{local(start, country):%H:%M}")
        return first, language.apart(hour(end, country, language))
    first, last = (moment(at, country, language) for at in (start, end))
    return first, f"{last} {zone_name(end, country)}"


def utc_hour(instant: float, language: Language) -> str:
    """``14:55 UTC``."""
    return f"{language.in_digits(f'{datetime.fromtimestamp(instant, UTC):%H:%M}')} UTC"


def utc_span(start: float, end: float, language: Language) -> str:
    """``14:52-15:04 UTC``; one time if they are within a minute."""
    first, last = (utc_hour(at, language).removesuffix(" UTC") for at in (start, end))
    return f"{first} UTC" if first == last else f"{first}–{last} UTC"


def utc_day(instant: float, country: str, language: Language) -> str:
    """``16 November, ``, for a time in UTC below a local date: empty if both clocks show the same day."""
    there, utc = local(instant, country), datetime.fromtimestamp(instant, UTC)
    return "" if there.date() == utc.date() else f"{date(utc, language, year=False)}{language.comma}"


def utc_dates(start: float, end: float, language: Language) -> str:
    """``17 December 2023, 14:52–15:04 UTC``, or with both days if they differ."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (start, end))
    if first.date() == last.date():
        return f"{date(first, language)}{language.comma}{language.apart(utc_span(start, end, language))}"
    began, ended = (
        f"{date(day, language)}{language.comma}{language.apart(utc_hour(at, language))}"
        for day, at in ((first, start), (last, end))
    )
    return f"{began} – {ended}"


def moment(instant: float, country: str, language: Language) -> str:
    """``17 Dec, 19:55``: local time, for places where the year and the zone are given elsewhere."""
    there = local(instant, country)
    return f"{day(there, language)}{language.comma}{language.in_digits(f'{there:%H:%M}')}"


def both_clocks(instant: float, country: str, language: Language) -> str:
    """``17 December 2023, 19:55 PKT (14:55 UTC)``; the UTC day only if it differs."""
    there, utc = local(instant, country), datetime.fromtimestamp(instant, UTC)
    local_time = f"{date(there, language)}{language.comma}{language.apart(hour(instant, country, language))}"
    if there.utcoffset() == timedelta(0):
        return local_time
    day = "" if there.date() == utc.date() else f"{date(utc, language)}{language.comma}"
    return f"{local_time} ({day}{language.apart(utc_hour(instant, language))})"


def ago(instant: float, now: float, language: Language) -> str:
    """``12 minutes ago``, coarse: for when something was last heard."""
    from babel.dates import format_timedelta

    text = format_timedelta(
        timedelta(seconds=-max(now - instant, MINUTE)),
        granularity="minute",
        threshold=1.2,
        add_direction=True,
        locale=language.locale,
    )
    return language.in_digits(text)


def length(seconds: float, language: Language) -> str:
    """``80 minutes``, ``7 hours``, ``12 days``: the largest unit that counts at least two."""
    if seconds >= 2 * DAY:
        return language.count("{n} day", "{n} days", round(seconds / DAY))
    if seconds >= 2 * HOUR:
        return language.count("{n} hour", "{n} hours", round(seconds / HOUR))
    return language.count("{n} minute", "{n} minutes", round(seconds / MINUTE))


def clock(instant: float, country: str, *, day: bool = True) -> str:
    """``17 December 2023, 19:55 PKT``: local time; only the time without ``day``."""
    moment = local(instant, country)
    text = f"{moment:%H:%M} {zone_of(moment)}"
    return f"{date(moment, ENGLISH)}, {text}" if day else text


def english_clocks(instant: float, country: str, *, day: bool = True) -> str:
    """``18 December 2023, 03:25 PKT (17 December, 22:25 UTC)``; the UTC date only if it differs."""
    there, utc = local(instant, country), datetime.fromtimestamp(instant, UTC)
    local_time = clock(instant, country, day=day)
    if there.utcoffset() == timedelta(0):
        return local_time if local_time.endswith("UTC") else f"{local_time} (the same in UTC)"
    date = "" if there.date() == utc.date() else f"{utc.day} {utc:%B}, "
    return f"{local_time} ({date}{utc:%H:%M} UTC)"


def span(start: float, end: float, country: str, *, about: str = "about ") -> tuple[str, str]:
    """Both ends on both clocks; a day common to both appears once."""
    same = local(start, country).date() == local(end, country).date()
    later = f"{english_clocks(end, country, day=not same)}{' the same day' if same else ''}"
    return f"{about}{english_clocks(start, country)}", f"{about}{later}"


def short_clock(instant: float, country: str) -> str:
    """``8 Nov 14:05`` in local time, for places where the year and the zone are given elsewhere."""
    moment = local(instant, country)
    return f"{moment.day} {moment:%b %H:%M}"
