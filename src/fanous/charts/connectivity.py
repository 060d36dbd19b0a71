"""Connectivity: each source's latest value for a country, in % of its baseline at that time of day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.model.instant import to_iso
from fanous.model.series import SeriesKey
from fanous.refdata.countries import country_name, region_name
from fanous.refdata.networks import network_name
from fanous.sources.publishers import SOURCES
from fanous.wording.words import target_title


@dataclass(frozen=True, slots=True)
class SeriesNow:
    """The newest value of one series.  Times are unix seconds, UTC.

    Attributes:
        at: beginning of its bin; ``step`` later it ends.
        ordinary: usual level at that time of day; ``None`` = there is no history.
        licence: the licence of the value.
    """

    key: SeriesKey
    step: int
    at: int
    value: float
    ordinary: float | None
    licence: str

    @property
    def percent(self) -> float | None:
        """Share of the baseline; ``None`` = cannot be said."""
        if self.ordinary is None or self.ordinary <= 0:
            return None
        return 100 * self.value / self.ordinary

    def age(self, now: float) -> float:
        """Seconds since its bin ended."""
        return max(0.0, now - self.at - self.step)


def connectivity_document(country: str, levels: Sequence[SeriesNow], now: float) -> dict[str, Any]:
    """The answer as one JSON document (docs/formats.md)."""
    return {"country": country, "at": to_iso(now), "signals": [_row(level, now) for level in levels]}


def _row(level: SeriesNow, now: float) -> dict[str, Any]:
    key, source = level.key, SOURCES[level.key.source]
    return {
        "entity": str(key.place),
        "name": place_name(key),
        "signal": key.signal,
        "source": key.source,
        "subtype": key.subtype,
        "target": key.target or None,
        "family": str(SIGNALS[key.signal].family),
        "unit": SIGNALS[key.signal].unit,
        "bad": str(SIGNALS[key.signal].bad),
        "at": to_iso(level.at),
        "step": level.step,
        "age_seconds": round(level.age(now)),
        "value": level.value,
        "ordinary": level.ordinary,
        "percent_of_ordinary": None if level.percent is None else round(level.percent, 1),
        "licence": level.licence,
        "credit": source.credit,
    }


def print_connectivity(console: Console, country: str, levels: Sequence[SeriesNow], now: float) -> None:
    """One line per series, grouped by place, the country first; then the sources of the figures."""
    table = Table(
        title=f"{country_name(country)}: latest values in % of their baselines", title_justify="left"
    )
    for head, justify in (("place", "left"), ("signal", "left"), ("source", "left"), ("level", "right")):
        table.add_column(head, justify="right" if justify == "right" else "left")
    table.add_column("age", justify="right")
    for level in levels:
        key = level.key
        which = ", ".join(filter(None, (key.target and target_title(key.target), key.subtype)))
        what = SIGNALS[key.signal].title + (f" ({which})" if which else "")
        cells = (place_name(key), what, key.source, _percent(level), age_words(level.age(now)))
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    for name, licence in dict.fromkeys((level.key.source, level.licence) for level in levels):
        source = SOURCES[name]
        credit = f", by {source.credit}" if source.credit else ""
        console.print(Text(f"{name}: {source.title}{credit}; licence: {licence}"))


def _percent(level: SeriesNow) -> str:
    if level.percent is None:
        return "no history"
    worse = " (more is worse)" if SIGNALS[level.key.signal].bad is Direction.UP else ""
    return f"{level.percent:,.0f}%{worse}"


def place_name(key: SeriesKey) -> str:
    """The place as people call it: ``Panjāb``, ``AS17557 Pakistan Telecom``."""
    place = key.place
    if place.asn:
        return f"AS{place.asn} {network_name(place.asn)}".strip()
    return region_name(place.region) if place.region else country_name(place.country)


def age_words(seconds: float) -> str:
    """``4 min``, ``3 h``, ``12 days``."""
    for width, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * width:
            return f"{seconds / width:,.0f} {unit}"
    return f"{seconds:.0f} s"
