"""Publishers: the registry of every source of series and claims, and their settings in the configuration."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta
from msgspec.structs import force_setattr, replace

from fanous.config import Asn, Section, check_web_address, nearest, section, wrong
from fanous.model.registry import registered
from fanous.model.series import Series, SeriesKey
from fanous.refdata.countries import check_countries
from fanous.sources.claims.ioda import IodaOutages
from fanous.sources.claims.radar import RadarOutages
from fanous.sources.connector import OWN_DATA, SeriesFiles, Source, open_licence
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.remote.atlas import Atlas
from fanous.sources.signals.google import Google
from fanous.sources.signals.ioda import Ioda
from fanous.sources.signals.ioda_csv import IodaCsv
from fanous.sources.signals.live import LiveSource
from fanous.sources.signals.mrt import Mrt
from fanous.sources.signals.ndt import Ndt
from fanous.sources.signals.radar import Radar
from fanous.sources.signals.ripestat import RipeStat
from fanous.sources.signals.ris import Ris
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor


class Scan(Source):
    """Declared here, since ``fanous.scan`` is in a higher layer."""

    name = "scan"
    title = "our own active probing"
    help = "measured by `fanous scan`; it has no files to ingest"
    licence = OWN_DATA
    is_open = True
    credit = "Fanous"


PUBLISHERS: dict[str, Source] = registered(
    Ioda(),
    IodaOutages(),
    IodaCsv(),
    Atlas(),
    RipeStat(),
    Ris(),
    Mrt(),
    Radar(),
    RadarOutages(),
    Tor(),
    Google(),
    Ndt(),
    CsvTable(),
)
"""Name, which is also ``SeriesKey.source`` -> source."""

SOURCES: dict[str, Source] = registered(*PUBLISHERS.values(), *MEASUREMENT_SOURCES.values(), Scan())
"""Every source, by name."""


class Terms(NamedTuple):
    """The licence of values, and whether they may be passed on."""

    licence: str
    is_open: bool


def terms(name: str, stated: Sequence[str] = ()) -> Terms:
    """The terms of a series from a source.

    Args:
        stated: licences that the operator stated for their own tables, which replace the source's.
    """
    source = SOURCES.get(name)
    if source is None:
        return Terms("none stated", False)
    if source.takes_columns and stated:
        return Terms("; ".join(stated), all(map(open_licence, stated)))
    return Terms(source.licence, source.is_open)


def licences_by_source(
    series: Iterable[Series], stated: Mapping[tuple[SeriesKey, int], Sequence[str]]
) -> dict[str, str]:
    """Source -> the licences of its series; a table may have several.

    Args:
        stated: licences that the operator stated, by key and step of a series (``facts.series_licences``).
    """
    found: dict[str, dict[str, None]] = {}
    for one in series:
        licence = terms(one.key.source, stated.get((one.key, one.step), ())).licence
        found.setdefault(one.key.source, {})[licence] = None
    return {source: "; ".join(own) for source, own in found.items()}


def has_series(name: str) -> bool:
    """Can a series come from this source?"""
    return name in SOURCES and SOURCES[name].has_series


LIVE_SOURCES = {name: source for name, source in PUBLISHERS.items() if isinstance(source, LiveSource)}
"""Those that are asked, answer by answer."""

SERIES_FILES = {name: source for name, source in PUBLISHERS.items() if isinstance(source, SeriesFiles)}
"""Those of which there are files."""


class SourceSettings(Section, frozen=True):
    """How to pull one public source; a table ``[sources.NAME]``.

    Attributes:
        enabled: does ``fanous run`` pull it?
        countries: countries for which ``fanous run`` pulls it.
        every: seconds between two pulls; never less than the source's own interval.
        networks: ASNs whose series are wanted too.
        regions: are the regions' series wanted too?
        days: how far back the first pull goes; 0 = as far as the source's baseline needs.
        token: environment variable that holds the key; empty = the source's own, if it needs one.
        mirror: asked instead of the publisher; empty = the publisher.
        lists: names of lists of targets, for sources whose measurements are ordered.
        consent: does the operator accept what ``Source.consent`` says?
        credits: what a round may cost, for sources that charge credits.
    """

    enabled: bool = True
    countries: tuple[str, ...] = ()
    every: int = 0
    networks: tuple[Asn, ...] = ()
    regions: bool = False
    days: Annotated[int, Meta(ge=0, le=3650)] = 0
    token: str = ""
    mirror: str = ""
    lists: tuple[str, ...] = ("social",)
    consent: bool = False
    credits: Annotated[int, Meta(ge=0, le=1_000_000)] = 5000

    def __post_init__(self) -> None:
        force_setattr(self, "countries", check_countries("countries", self.countries))
        check_web_address("mirror", self.mirror)

    def with_more(self, networks: "list[int]", regions: bool, mirror: str) -> "SourceSettings":
        """These settings with additions from the command line."""
        return replace(
            self,
            networks=tuple(dict.fromkeys((*self.networks, *networks))),
            regions=self.regions or regions,
            mirror=mirror or self.mirror,
        )


def source_settings(config: Path | None) -> dict[str, SourceSettings]:
    """Settings of every public source; those that the file does not name are disabled.

    Raises:
        FanousError: the TOML file is missing or has something unknown in it.
    """
    named = section(config, "sources", dict[str, SourceSettings])
    known = [source.name for source in SOURCES.values() if source.every]
    for name in named:
        if name not in known:
            told = f"known: {', '.join(known)}{nearest(name, known)}"
            raise wrong(config or "defaults", "sources", name, f"unknown source; {told}")
    found = {}
    for name, source in SOURCES.items():
        settings = named.get(name, SourceSettings(enabled=False))
        found[name] = replace(
            settings, every=max(source.every, settings.every), token=settings.token or source.token
        )
    return found
