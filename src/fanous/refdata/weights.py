"""Weights: which share of a country's users each network has, read from ``user_shares.toml``.

Only countries with published figures are here; for all others the answer is ``None``, and what is said
about a nation must widen accordingly.
"""

from functools import lru_cache
from math import sqrt
from typing import Any

from fanous.model.entity import Access
from fanous.model.weights import NetworkWeight, UserWeights
from fanous.refdata.tables import toml_table

MAIN_ASN_SHARE = 0.9
"""Part of an operator's users on its first ASN where it has several; no operator publishes the split, and
measurements come almost only from the first."""


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    return toml_table("user_shares.toml")


@lru_cache(maxsize=256)
def weights(cc: str) -> UserWeights | None:
    """The country's weights; ``None`` = no figures are known."""
    table = _tables().get(cc)
    if table is None:
        return None
    entries = table["network"]
    total = sum(entry["users_m"] for entry in entries) + sum(table["unlisted_m"].values())
    return UserWeights(
        country=cc,
        networks=tuple(weight for entry in entries for weight in _over_asns(entry, total)),
        error=_joint_error(entries, total, table["error"]),
        source=f"{table['source']} ({table['year']})",
    )


def _over_asns(entry: dict[str, Any], total: float) -> list[NetworkWeight]:
    """One operator's users over its ASNs."""
    asns, whole = entry["asns"], entry["users_m"] / total
    others = len(asns) - 1
    first = whole * (MAIN_ASN_SHARE if others else 1.0)
    shares = [first] + [(whole - first) / others for _ in range(others)]
    access = Access(entry["access"])
    return [
        NetworkWeight(asn, share, access, entry["operator"]) for asn, share in zip(asns, shares, strict=True)
    ]


def _joint_error(entries: list[dict[str, Any]], total: float, ordinary: float) -> float:
    """Root mean square of the entries' relative errors, by users: one figure for the whole table."""
    squares = sum(entry["users_m"] / total * entry.get("error", ordinary) ** 2 for entry in entries)
    return sqrt(squares)
