"""Economies: what the World Bank publishes about a country, and what studies of shutdowns cite for it."""

from functools import lru_cache
from typing import Any

from fanous.analysis.cost import Economy, Figure, Phrase
from fanous.refdata import bytes_of, toml_table

WORLD_BANK = "World Bank, World Development Indicators"


def economy(cc: str) -> Economy:
    """The figures of a country, by any code; an unknown figure is ``None``."""
    gdp, population, users = _published().get(cc, (None, None, None))
    studies = toml_table("costs.toml")
    return Economy(
        country=cc,
        gdp=gdp,
        population=population,
        users=users,
        digital=_figure("digital share of GDP", "share", studies["digital_share"].get(cc), "share"),
        cipesa=_figure("a day of a national shutdown", "dollars", studies["cipesa"].get(cc), "US$"),
        in_cipesa=cc in studies["sub_saharan"]["codes"],
    )


def region_share(region: str) -> Figure | None:
    """Share of the country's people who live in ``PK-PB``; ``None`` = no figure is included."""
    table = toml_table("costs.toml")["region_share"]
    share = table.get(region)
    if not isinstance(share, float):
        return None
    return Figure(Phrase(region), share, "share", table["year"], table["source"])


def _figure(name: str, key: str, entry: dict[str, Any] | None, unit: str) -> Figure | None:
    if entry is None:
        return None
    return Figure(Phrase(name), float(entry[key]), unit, entry["year"], entry["source"])


@lru_cache(maxsize=1)
def _published() -> dict[str, tuple[Figure | None, Figure | None, Figure | None]]:
    found = {}
    for line in bytes_of("economies.tsv").decode().splitlines():
        if line.startswith("#"):
            continue
        cc, gdp, gdp_year, people, people_year, users, users_year = line.split("\t")
        found[cc] = (
            _of("GDP", gdp, gdp_year, "US$ a year"),
            _of("population", people, people_year, "people"),
            _of("people who use the internet", users, users_year, "share", 100),
        )
    return found


def _of(name: str, text: str, year: str, unit: str, parts: int = 1) -> Figure | None:
    return None if text == "-" else Figure(Phrase(name), float(text) / parts, unit, int(year), WORLD_BANK)
