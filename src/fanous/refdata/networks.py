"""Networks: an ASN's name for people.

``networks.tsv.xz`` has the registered name of every announced network; ``network_names.toml`` puts the
name that users know before it.  Sources and licences: README.md beside this file.
"""

import lzma
from functools import lru_cache

from fanous.refdata.tables import bytes_of, toml_table


@lru_cache(maxsize=1)
def _registered() -> dict[int, str]:
    """Names by ASN; each line is the distance to the ASN before it, a tab, and the name."""
    names: dict[int, str] = {}
    asn = 0
    for line in lzma.decompress(bytes_of("networks.tsv.xz")).decode("utf-8").splitlines():
        if line.startswith("#"):
            continue
        step, _, name = line.partition("\t")
        asn += int(step)
        names[asn] = name
    return names


@lru_cache(maxsize=1)
def _known_as() -> dict[int, str]:
    names = toml_table("network_names.toml")["names"]
    return {int(asn): name for asn, name in names.items()}


def network_name(asn: int) -> str:
    """The name for people; empty = unknown.  The first call takes about 0.1 s to unpack the table."""
    return _known_as().get(asn) or _registered().get(asn, "")


def is_same_operator(one: int, other: int) -> bool:
    """Have both one name?  Operators have networks for mobile lines, fixed lines and transit."""
    return any(of(one) != "" and of(one) == of(other) for of in (registered_name, network_name))


def registered_name(asn: int) -> str:
    """The name in the registries; empty = unknown."""
    return _registered().get(asn, "")
