"""Publishers: the registry of every source of series and of claims, and how the configuration has them asked."""

from dataclasses import dataclass, replace
from pathlib import Path

from fanous.config import Table, config_table, nearest, network_numbers, web_address
from fanous.refdata.countries import country_codes
from fanous.sources.claims.ioda import IODA_OUTAGES
from fanous.sources.claims.radar import RADAR_OUTAGES
from fanous.sources.connector import LiveSource, SeriesFiles, Source, by_name
from fanous.sources.measurements import MEASUREMENTS
from fanous.sources.signals.google import GOOGLE
from fanous.sources.signals.ioda import IODA
from fanous.sources.signals.ioda_csv import IODA_CSV
from fanous.sources.signals.live import Documents
from fanous.sources.signals.mrt import MRT
from fanous.sources.signals.ndt import NDT
from fanous.sources.signals.radar import RADAR
from fanous.sources.signals.ripestat import RIPESTAT
from fanous.sources.signals.ris import RIS
from fanous.sources.signals.table import CSV
from fanous.sources.signals.tor import TOR

SCAN = Source(
    name="scan",
    title="our own active probing",
    help="what `fanous scan` measures; there are no files of it",
    licence="ours",
    is_open=True,
    credit="Fanous",
    is_own=True,
)
"""Declared here, since ``fanous.scan`` lies above this room."""

PUBLISHERS = by_name(
    IODA,
    IODA_OUTAGES,
    IODA_CSV,
    RIPESTAT,
    RIS,
    MRT,
    RADAR,
    RADAR_OUTAGES,
    TOR,
    GOOGLE,
    NDT,
    CSV,
)
"""Name, which is also ``SeriesKey.source`` -> declaration."""

SOURCES: dict[str, Source] = by_name(*PUBLISHERS.values(), *MEASUREMENTS.values(), SCAN)
"""Every source, by name."""


def has_series(name: str) -> bool:
    """Is it a source that a series can be of?"""
    return name in SOURCES and SOURCES[name].has_series


LIVE_SOURCES: dict[str, LiveSource] = {name: one.live for name, one in PUBLISHERS.items() if one.live}
"""Name -> how a publisher is asked, and how its answers are read."""

SERIES_FILES: dict[str, SeriesFiles] = {
    name: files
    for name, one in PUBLISHERS.items()
    if (files := one.files or (Documents(one.live) if one.live else None))
}
"""Name -> how a file of it is read."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one public source is asked; a table ``[sources.NAME]`` gives the fields by name.

    Attributes:
        enabled: does ``fanous run`` pull it?
        countries: of which ``fanous run`` pulls it.
        every: seconds between two pulls; never less than the source's own interval.
        networks: ASNs of which series are wanted too.
        regions: are the regions' series wanted too?
        token: environment variable that holds the key; empty = none is needed.
        mirror: is asked in place of the publisher; empty = the publisher.
    """

    enabled: bool = False
    countries: tuple[str, ...] = ()
    every: int = 0
    networks: tuple[int, ...] = ()
    regions: bool = False
    token: str = ""
    mirror: str = ""

    def with_more(self, networks: "list[int]", regions: bool, mirror: str) -> "SourceSettings":
        """What the command line adds."""
        return replace(
            self,
            networks=tuple(dict.fromkeys((*self.networks, *networks))),
            regions=self.regions or regions,
            mirror=mirror or self.mirror,
        )


def source_settings(config: Path | None) -> dict[str, SourceSettings]:
    """Settings of every public source; those that the file does not name are switched off.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    table = config_table(config, "sources")
    known = [source.name for source in SOURCES.values() if source.every]
    for name in table.values:
        if name not in known:
            told = f"known are {', '.join(known)}{nearest(name, known)}"
            raise table.wrong(name, f"there is no such source; {told}")
    return {name: _settings(table, name) for name in SOURCES}


def _settings(sources: Table, name: str) -> SourceSettings:
    terms = SOURCES[name]
    if not sources.has(name):
        return SourceSettings(every=terms.every, token=terms.token)
    table = sources.table(name)
    table.allow("enabled", "countries", "every", "networks", "regions", "token", "mirror")
    return SourceSettings(
        enabled=table.flag("enabled", default=True),
        countries=country_codes(table, "countries"),
        every=max(terms.every, table.integer("every", default=terms.every)),
        networks=network_numbers(table, "networks"),
        regions=table.flag("regions", default=False),
        token=table.text("token", default=terms.token),
        mirror=web_address(table, "mirror"),
    )
