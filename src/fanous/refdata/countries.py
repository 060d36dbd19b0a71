"""Countries: their names for people, their clocks, their regions, their shapes, and their exam seasons.

- Names come from Unicode CLDR through babel, the main time zone of each country from ``countries.toml``.
- Regions have the ISO 3166-2 code that belongs to the name a source writes.  Names are compared without accents and
  words such as "province", and never by similarity: the names of two provinces may differ in one letter.  An unknown
  name stays as the source wrote it.  A reader is shown similar names to choose from.
- Shapes are SVG paths for a quiet map.  ``tools/draw_world.py`` draws ``world.tsv``; the owner of a site may name
  another file of the same form.  Disputed borders are drawn as in the source, without judgement.
- Exam seasons, in which the internet was cut before, come from ``examinations.toml``.
"""

import lzma
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import lru_cache
from math import asin, cos, inf, radians, sin, sqrt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fanous.config import WrongKey
from fanous.errors import FanousError
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.model.reason import Reason
from fanous.refdata import bytes_of, toml_table


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, Any]]:
    return toml_table("countries.toml")


@lru_cache(maxsize=16)
def _names(locale: str) -> dict[str, str]:
    from babel import Locale, localedata  # 33 MB that a light probe does without, since it names no country

    if locale == "en":  # the locale has all of them; merging them with inherited data takes 50 ms
        return dict(localedata.load("en", merge_inherited=False)["territories"])
    return dict(Locale.parse(locale).territories)


def country_name(cc: str, locale: str = "en") -> str:
    """``PK`` -> ``Pakistan``; an unknown code is returned unchanged.

    Args:
        locale: as babel knows it: ``en``, ``ur``, ``fa``, ``ar``, ``fr``, ``pt_BR`` ...
    """
    if cc == UNKNOWN_COUNTRY:
        return "an unknown country" if locale == "en" else cc
    shown = toml_table("country_names.toml")["shown"].get(locale, {})
    return str(shown.get(cc, "")) or cldr_name(cc, locale)


def cldr_name(cc: str, locale: str) -> str:
    """The name in Unicode CLDR, which is made for lists: ``Congo - Kinshasa``; people may type it."""
    return _names(locale).get(cc, cc)


def is_country(cc: str) -> bool:
    """Is it the code of a country with people in it (or ``XK``)?"""
    return cc in _table()


def country_codes() -> tuple[str, ...]:
    """Codes of all countries with people in them."""
    return tuple(_table())


@lru_cache(maxsize=1)
def other_names() -> dict[str, list[str]]:
    """Code -> names that people type, in addition to ``country_name``."""
    return dict(toml_table("country_names.toml")["names"])


@lru_cache(maxsize=1)
def shared_names() -> dict[str, list[str]]:
    """Name, in lower case -> codes of the countries that people may mean by it."""
    return dict(toml_table("country_names.toml")["several"])


def check_countries(key: str, codes: Iterable[str]) -> tuple[str, ...]:
    """The codes listed in ``key`` of a configuration, in upper case.

    Raises:
        WrongKey: one is not the code of a country.
    """
    for code in codes:
        if not is_country(code.upper()):
            raise WrongKey(key, f"an ISO 3166-1 code such as 'PK' is needed, not {code!r}")
    return tuple(code.upper() for code in codes)


def main_zone(cc: str) -> str:
    """The IANA zone of the capital; ``UTC`` if the country is unknown."""
    return str(_table().get(cc, {}).get("zone", "UTC"))


EARTH = 6371.0
"""Mean radius in km."""


def distance(cc: str, other: str) -> float:
    """Kilometres between the capitals of two countries, to about a hundred; infinite if one is unknown."""
    spots = [[radians(one) for one in _table().get(each, {}).get("at", ())] for each in (cc, other)]
    if not all(spots):
        return inf
    (north, east), (north_too, east_too) = spots
    chord = sin((north - north_too) / 2) ** 2 + cos(north) * cos(north_too) * sin((east - east_too) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(chord)))


def has_several_clocks(cc: str) -> bool:
    """Does the country use several zones, so that ``local`` is only the capital's clock?"""
    return bool(_table().get(cc, {}).get("several", False))


def local(instant: float, cc: str) -> datetime:
    """The instant (unix seconds, UTC) in the local time of the country's capital, as an aware datetime."""
    moment = datetime.fromtimestamp(instant, UTC)
    try:
        return moment.astimezone(ZoneInfo(main_zone(cc)))
    except OverflowError:  # the last hours of the year 9999, with which people write "until now"
        return moment


def midnight(day: date, country: str) -> float:
    """When a day begins in a country's local time; unix seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(main_zone(country))).timestamp()


_KINDS = re.compile(
    r"\b(province|state|region|district|governorate|territory|division|county|oblast|prefecture|ostan|of)\b"
)


@lru_cache(maxsize=1)
def _regions_names() -> dict[str, str]:
    lines = lzma.decompress(bytes_of("regions.tsv.xz")).decode("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=16)
def _codes(country: str) -> dict[str, str]:
    """Folded name -> code; a name shared by two regions of the country means neither."""
    found: dict[str, str] = {}
    for code, name in _regions_names().items():
        if code.startswith(f"{country}-"):
            key = folded(name)
            found[key] = "" if key in found else code
    also = toml_table("region_names.toml")["names"].get(country, {})
    return found | {folded(name): code for code, names in also.items() for name in names}


def folded(name: str) -> str:
    """``Balōchistān Province`` -> ``balochistan``."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", " ", _KINDS.sub(" ", letters)).strip()


def region_of(country: str, name: str) -> str:
    """``("PK", "Punjab")`` -> ``PK-PB``; a place without a known code is ``PK:name`` (``Place.region``).

    An empty name means the whole country, and stays empty.
    """
    text = " ".join(name.split())
    if not text:
        return ""
    if text.upper() in _regions_names() and text.upper().startswith(f"{country}-"):
        return text.upper()
    return _codes(country).get(folded(text)) or f"{country}:{text[:80]}"


NEAR = 0.7
"""Share of letters in common from which a name is suggested for another one, as ``difflib`` counts: one or two typing
mistakes in a name of eight letters."""


def near_regions(country: str, text: str, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Regions of the country whose names or codes are most like the text, best first; at most three.

    Args:
        also: regions of sources that have no known code (``KE:Old Town``).
    """
    known = _codes(country) | {folded(region_name(region)): region for region in also}
    known |= {code.lower(): code for code in known.values() if code}
    wanted = text.partition(":")[2] if text.startswith(f"{country}:") else text
    near = get_close_matches(folded(wanted), known, n=3, cutoff=NEAR) or get_close_matches(
        wanted.lower(), known, n=3, cutoff=NEAR
    )
    return tuple(dict.fromkeys(known[name] for name in near if known[name]))


def region_name(region: str) -> str:
    """The name for people."""
    country, colon, name = region.partition(":")
    return name if colon else _regions_names().get(country, region)


def region_names(region: str) -> list[str]:
    """All names under which it is known here, that for people first: ``Panjāb``, ``Punjab``."""
    also = toml_table("region_names.toml")["names"].get(region[:2], {})
    return [region_name(region), *also.get(region, ())]


WIDTH, HEIGHT = 1000, 460
"""Pixels of the map for which every file of shapes is drawn."""

NO_CODE = "-"
"""Land without a code of ISO 3166-1."""


@lru_cache(maxsize=4)
def shapes(file: Path | None = None) -> dict[str, str]:
    """ISO 3166-1 alpha-2 (or ``NO_CODE``) -> path.

    Raises:
        FanousError: ``file`` is not such a file.
    """
    try:
        text = bytes_of("world.tsv").decode() if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"the map {file} cannot be read: {error}") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        code, tab, path = line.partition("\t")
        if not tab or not path.startswith("M"):
            raise FanousError(f"{file}:{number}: a line of a map is a country code, a tab and an SVG path")
        found[code] = path
    return found


def exam_season(cc: str, instant: float) -> Reason | None:
    """The hint that exams are held at that time, for which access was restricted in earlier years; None = it was not.

    Args:
        cc: ISO 3166-1 alpha-2.
        instant: unix seconds, UTC.
    """
    season = toml_table("examinations.toml").get(cc)
    if season is None:
        return None
    moment, (first, last) = local(instant, cc), season["hours"]
    if moment.month not in season["months"] or not first <= moment.hour + moment.minute / 60 <= last:
        return None
    before = tuple(year for year in season["years"] if year < moment.year)  # no event is a sign of itself
    return Reason("hint.exams", {"exam": season["exam"], "years": before}) if before else None
