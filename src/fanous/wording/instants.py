"""Instants: a moment as people read it, on the clock of the country and in UTC."""

from datetime import UTC, datetime, timedelta

from fanous.refdata.countries import local, zone_name


def clock(instant: float, country: str, *, day: bool = True) -> str:
    """``17 December 2023, 19:55 PKT``: the country's clock; without ``day`` the time alone."""
    moment = local(instant, country)
    text = f"{moment:%H:%M} {zone_name(instant, country)}"
    return f"{_date(moment)}, {text}" if day else text


def both_clocks(instant: float, country: str, *, day: bool = True) -> str:
    """``18 December 2023, 03:25 PKT (17 December, 22:25 UTC)``; the UTC date only where it is another."""
    there, utc = local(instant, country), datetime.fromtimestamp(instant, UTC)
    own = clock(instant, country, day=day)
    if there.utcoffset() == timedelta(0):
        return own if own.endswith("UTC") else f"{own} (the same in UTC)"
    date = "" if there.date() == utc.date() else f"{utc.day} {utc:%B}, "
    return f"{own} ({date}{utc:%H:%M} UTC)"


def span(start: float, end: float, country: str, *, about: str = "about ") -> tuple[str, str]:
    """Both ends on both clocks; a day that both share is said once."""
    same = local(start, country).date() == local(end, country).date()
    later = f"{both_clocks(end, country, day=not same)}{' the same day' if same else ''}"
    return f"{about}{both_clocks(start, country)}", f"{about}{later}"


def short_clock(instant: float, country: str) -> str:
    """``8 Nov 14:05`` on the country's clock, where the year and the zone stand elsewhere."""
    moment = local(instant, country)
    return f"{moment.day} {moment:%b %H:%M}"


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
