"""Publishers: every source of series and of claims, by the name that the command line knows it by.

Settings: how each public source is asked, out of the tables ``[sources.NAME]`` of the configuration.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from fanous.config import Table, config_table, nearest, network_numbers, web_address
from fanous.refdata.countries import country_codes
from fanous.sources.claims.ioda import IodaOutages
from fanous.sources.claims.radar import RadarOutages
from fanous.sources.connector import SOURCES
from fanous.sources.signals.files import SeriesFiles
from fanous.sources.signals.google import Google
from fanous.sources.signals.ioda import Ioda
from fanous.sources.signals.ioda_csv import IodaCsv
from fanous.sources.signals.live import Documents, LiveSource
from fanous.sources.signals.mrt import Mrt
from fanous.sources.signals.ndt import Ndt
from fanous.sources.signals.radar import Radar
from fanous.sources.signals.ripestat import RipeStat
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor

LIVE_SOURCES: dict[str, LiveSource] = {
    "ioda": Ioda(),
    "ripestat": RipeStat(),
    "radar": Radar(),
    "tor": Tor(),
    "google": Google(),
    "ioda-outages": IodaOutages(),
    "radar-outages": RadarOutages(),
}
"""On the net: how each is asked, and how its answers are read."""

SERIES_FILES: dict[str, SeriesFiles] = {
    "ioda-csv": IodaCsv(),
    "csv": CsvTable(),
    "mrt": Mrt(),
    "ndt": Ndt(),
    **{name: Documents(source) for name, source in LIVE_SOURCES.items()},
}
"""Files of series: how each kind is read."""


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
