"""Default ranges: locates an address by the tables included in Fanous; the collector's default.

The network is the one that announces the address (``refdata.prefixes``), the country the one in which it was
registered (``iptocc``, from the registries' own lists).
"""

from pathlib import Path

import iptocc

from fanous.collector.origin import NoOrigins, Origin, Origins
from fanous.collector.ranges import read_ranges
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.refdata.countries import is_country
from fanous.refdata.prefixes import network_of

NOTHING = "none"
"""In place of a file: derive nothing from an address."""


class ShippedOrigins:
    """By the tables of this release."""

    def of(self, address: str, /) -> Origin:
        country: str = iptocc.country_code(address) or UNKNOWN_COUNTRY
        return Origin(country if is_country(country) else UNKNOWN_COUNTRY, network_of(address))


def origins_named(networks: Path | None) -> Origins:
    """What the operator wants: a table of their own, nothing, or what ships.

    Raises:
        FanousError: the file cannot be read as a table.
    """
    if networks is None:
        known = ShippedOrigins()
        known.of("192.0.2.1")  # unpacked before the first probe calls
        return known
    is_word = networks.name == NOTHING and not networks.exists()
    return NoOrigins() if is_word else read_ranges(networks)
