"""Names: what targets, networks and countries are called in a sentence, and lists that end.

Names of networks and hosts come from measurements that anybody may send, so they are made printable: an
escape sequence must not reach a terminal.
"""

from collections.abc import Mapping, Sequence

from fanous.refdata.countries import country_name
from fanous.refdata.networks import network_name
from fanous.refdata.platforms import title

NAMED = 4
"""Names in a row that a reader still takes in; beyond, the rest is counted."""

_WITH_THE = frozenset(
    {
        "AE",
        "BS",
        "CC",
        "CF",
        "CK",
        "DO",
        "FK",
        "FO",
        "GB",
        "GM",
        "IM",
        "KM",
        "KY",
        "MH",
        "MP",
        "MV",
        "NL",
        "PH",
        "PS",
        "SB",
        "SC",
        "TC",
        "TF",
        "UM",
        "US",
        "VA",
        "VG",
        "VI",
    }
)
"""Countries whose English name has an article: *in the Philippines*."""


def printable(text: str) -> str:
    """Less what is no visible character; white space is one blank."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def target_title(target: str) -> str:
    """``x`` -> ``X (Twitter)``; the empty target of an outage is the internet itself."""
    return printable(title(target)) or "Internet access"


def network_title(asn: int, names: Mapping[int, str]) -> str:
    """The network's name, ours before the one that measurements give; empty = unknown."""
    name = printable(network_name(asn) or names.get(asn, ""))
    return "" if name == f"AS{asn}" else name


def in_country(country: str) -> str:
    """``in Kenya``, ``in the Philippines``."""
    article = "the " if country in _WITH_THE else ""
    return f"in {article}{country_name(country)}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``; of more than ``NAMED`` the first ones and how many more."""
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(n: int, noun: str) -> str:
    """``1 probe``, ``1,234 probes``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
