"""Weights: which share of a country's users each network has, of the best figures that are at hand.

For a country of which no figures are known the answer is ``None``, and what is said about a nation must
widen accordingly.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from pathlib import Path

import msgspec

from fanous.errors import FanousError
from fanous.model.weights import NetworkWeight, UserWeights
from fanous.refdata.figures import Figures, Operator
from fanous.refdata.tables import toml_table

MAIN_ASN_SHARE = 0.9
"""Part of an operator's users on its first ASN where it has several; no operator publishes the split, and
measurements come almost only from the first."""

FOLDER = "users"
"""Of installed figures, in the folder of reference data: ``own`` and ``apnic``, a file a country."""


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Figures]:
    return msgspec.convert(toml_table("user_shares.toml"), dict[str, Figures])


def figures_path(folder: Path, kind: str, cc: str) -> Path:
    """Where figures of one kind stand; ``folder`` is that of reference data."""
    return folder / FOLDER / kind / f"{cc}.json"


@lru_cache(maxsize=512)
def weights(cc: str, folder: Path | None = None) -> UserWeights | None:
    """The country's weights; ``None`` = no figures are known.

    Args:
        folder: of installed reference data; ``None`` = only what ships.

    Raises:
        FanousError: installed figures cannot be read.
    """
    figures = _figures(cc, folder)
    if figures is None:
        return None
    total = sum(entry.users_m for entry in figures.network) + sum(figures.unlisted_m.values())
    return UserWeights(
        country=cc,
        networks=tuple(weight for entry in figures.network for weight in _over_asns(entry, total)),
        error=_joint_error(figures.network, total, figures.error),
        source=f"{figures.source} ({figures.date or figures.year})",
    )


def _figures(cc: str, folder: Path | None) -> Figures | None:
    own = _installed(folder, "own", cc)
    return own or _shipped().get(cc) or _installed(folder, "apnic", cc)


def _installed(folder: Path | None, kind: str, cc: str) -> Figures | None:
    if folder is None:
        return None
    path = figures_path(folder, kind, cc)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise FanousError(f"{path} cannot be read: {error}; remove it, or update again") from None


@dataclass(frozen=True, slots=True)
class InstalledUsers:
    """Figures of one kind (``own``, ``shipped``, ``apnic``) and source; ``date`` = of the newest."""

    kind: str
    countries: tuple[str, ...]
    source: str
    date: str
    licence: str


def installed_users(folder: Path) -> list[InstalledUsers]:
    """Whose figures there are, in the order in which they count."""
    found: dict[tuple[str, str], list[tuple[str, Figures]]] = {}
    for kind in ("own", "shipped", "apnic"):
        paths = sorted((folder / FOLDER / kind).glob("*.json"))
        known = (
            sorted(_shipped().items())
            if kind == "shipped"
            else [(path.stem, one) for path in paths if (one := _installed(folder, kind, path.stem))]
        )
        for country, figures in known:
            found.setdefault((kind, figures.source), []).append((country, figures))
    return [
        InstalledUsers(
            kind,
            tuple(country for country, _ in own),
            source,
            max(one.date or str(one.year) for _, one in own),
            own[0][1].licence,
        )
        for (kind, source), own in found.items()
    ]


def _over_asns(entry: Operator, total: float) -> list[NetworkWeight]:
    """One operator's users over its ASNs."""
    whole = entry.users_m / total
    others = len(entry.asns) - 1
    first = whole * (MAIN_ASN_SHARE if others else 1.0)
    shares = [first] + [(whole - first) / others for _ in range(others)]
    return [
        NetworkWeight(asn, share, entry.access, entry.operator)
        for asn, share in zip(entry.asns, shares, strict=True)
    ]


def _joint_error(entries: list[Operator], total: float, ordinary: float) -> float:
    """Root mean square of the entries' relative errors, by users: one figure for the whole table."""
    errors = ((entry.users_m, ordinary if entry.error is None else entry.error) for entry in entries)
    return sqrt(sum(users / total * error**2 for users, error in errors))
