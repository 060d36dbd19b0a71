"""Publishers: every source of series and of claims, by the name that the command line knows it by.

Settings: how each public source is asked, out of the tables ``[sources.NAME]`` of the configuration.
"""

from pathlib import Path

from msgspec.structs import force_setattr, replace

from fanous.config import Asn, Section, check_web_address, nearest, section, wrong
from fanous.refdata.countries import check_countries
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


class SourceSettings(Section, frozen=True):
    """How one public source is asked; a table ``[sources.NAME]``.

    Attributes:
        enabled: does ``fanous run`` pull it?
        countries: of which ``fanous run`` pulls it.
        every: seconds between two pulls; never less than the source's own interval.
        networks: ASNs of which series are wanted too.
        regions: are the regions' series wanted too?
        token: environment variable that holds the key; empty = the source's own, if it needs one.
        mirror: is asked in place of the publisher; empty = the publisher.
    """

    enabled: bool = True
    countries: tuple[str, ...] = ()
    every: int = 0
    networks: tuple[Asn, ...] = ()
    regions: bool = False
    token: str = ""
    mirror: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "countries", check_countries("countries", self.countries))
        check_web_address("mirror", self.mirror)

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
    named = section(config, "sources", dict[str, SourceSettings])
    known = [source.name for source in SOURCES.values() if source.every]
    for name in named:
        if name not in known:
            told = f"known are {', '.join(known)}{nearest(name, known)}"
            raise wrong(config or "defaults", "sources", name, f"there is no such source; {told}")
    found = {}
    for name, source in SOURCES.items():
        settings = named.get(name, SourceSettings(enabled=False))
        found[name] = replace(
            settings, every=max(source.every, settings.every), token=settings.token or source.token
        )
    return found
