"""Settings: how each public source is asked, out of the tables ``[sources.NAME]`` of the configuration."""

from dataclasses import dataclass, replace
from pathlib import Path

from fanous.config import Table, config_table, nearest, network_numbers, web_address
from fanous.refdata.countries import country_codes
from fanous.refdata.sources import SOURCES


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
