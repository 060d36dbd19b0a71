"""Countries: the name of a country for people, and the clock on its walls.

Names come from Unicode CLDR through babel; the main zone of each country stands in ``countries.toml``.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fanous.config import Table
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.refdata.tables import toml_table


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, Any]]:
    return toml_table("countries.toml")


@lru_cache(maxsize=16)
def _names(locale: str) -> dict[str, str]:
    from babel import Locale  # 33 MB that a light probe does not carry: it names no country

    return dict(Locale.parse(locale).territories)


def country_name(cc: str, locale: str = "en") -> str:
    """``PK`` -> ``Pakistan``; an unknown code stands for itself.

    Args:
        locale: as babel knows it: ``en``, ``ur``, ``fa``, ``ar``, ``fr``, ``pt_BR`` ...
    """
    if cc == UNKNOWN_COUNTRY:
        return "an unknown country" if locale == "en" else cc
    return _names(locale).get(cc, cc)


def is_country(cc: str) -> bool:
    """Is it the code of a country with people in it (or ``XK``)?"""
    return cc in _table()


def country_codes(table: Table, key: str) -> tuple[str, ...]:
    """Codes that a configuration lists, in upper case; none where the key is missing or its list is empty.

    Raises:
        FanousError: one is no code of a country.
    """
    found = table.texts(key) if table.has(key) and table.values[key] != [] else ()
    for code in found:
        if not is_country(code.upper()):
            raise table.wrong(key, f"{code!r} is no ISO 3166-1 code such as 'PK'")
    return tuple(code.upper() for code in found)


def main_zone(cc: str) -> str:
    """The IANA zone of the capital; ``UTC`` where the country is unknown."""
    return str(_table().get(cc, {}).get("zone", "UTC"))


def has_several_clocks(cc: str) -> bool:
    """Does the country use more than one zone, so that ``local`` is the capital's clock only?"""
    return bool(_table().get(cc, {}).get("several", False))


def local(instant: float, cc: str) -> datetime:
    """The instant (unix seconds, UTC) on the clock of the country's capital, aware."""
    return datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(main_zone(cc)))


def zone_name(instant: float, cc: str) -> str:
    """What people call the clock at that instant: ``PKT``, ``EAT``; ``UTC+05:45`` where it has no name."""
    moment = local(instant, cc)
    name = moment.tzname() or ""
    if name.isalpha():
        return name
    sign, digits = moment.strftime("%z")[:1], moment.strftime("%z")[1:]
    return f"UTC{sign}{digits[:2]}" + (f":{digits[2:4]}" if digits[2:4] != "00" else "")
