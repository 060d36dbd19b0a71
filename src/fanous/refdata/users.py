"""Users: how many users each network has, and so its share of a country's users.

Figures are data with a source and a date, which anyone may replace.  There are three kinds, in this order of trust:
the user's own file, the included figures (``user_shares.toml``), and APNIC's estimates for the rest of the world.
If a country has none, its weights are ``None``, and an estimate of how many users are affected must be
correspondingly wide.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import sqrt
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from fanous.config import data_folder, toml
from fanous.errors import FanousError
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.threshold import threshold
from fanous.refdata import toml_table
from fanous.refdata.countries import is_country

APNIC_URL = "https://stats.labs.apnic.net/cgi-bin/aspop?f=j"
APNIC_LICENCE = "(C) APNIC Pty Ltd, re-use with attribution permitted"
"""As stated in the file itself, in the copies that we have seen."""

APNIC_ERROR = threshold(
    "refdata.apnic_error",
    0.5,
    "Relative error of one network's estimate: the estimates agree with the counts of a large content network "
    "in about half of the countries.",
)

APNIC_LEAST = threshold(
    "refdata.apnic_least_share",
    0.05,
    "Per cent of a country's users below which an estimate rests on a handful of samples.",
)

LARGEST_FIGURES = 64 << 20
"""Bytes.  APNIC's file names about 80,000 pairs of network and country, 10 to 15 MB."""

Share = Annotated[float, Meta(ge=0, le=4)]
PEOPLE_M = 10_000.0
"""Millions; more than there are people.  A larger figure is a mistake, and infinite ones have no shares."""
Count = Annotated[float, Meta(ge=0, le=PEOPLE_M)]
Asn = Annotated[int, Meta(gt=0, lt=2**32)]


class Operator(Struct, frozen=True, forbid_unknown_fields=True):
    """One operator's users of one access class, over its networks.

    Attributes:
        users_m: in millions; only the ratios within a country are used.
        error: relative standard deviation of the figure; ``None`` = the country's.
        asns: its main network first.
        evidence: where the figure comes from.
    """

    operator: str
    users_m: Count
    asns: Annotated[list[Asn], Meta(min_length=1)]
    access: Access = Access.ANY
    error: Share | None = None
    evidence: str = ""


class Figures(Struct, frozen=True, forbid_unknown_fields=True):
    """One country's figures.

    Attributes:
        error: relative standard deviation of a figure that states none.
        unlisted_m: users on networks that are not listed, by access, in millions.
        date: date of the figures, if the source gives more than the year.
        abroad: networks in the country that are registered in another one, by the same source.
    """

    source: str
    year: int
    error: Share
    network: Annotated[list[Operator], Meta(min_length=1)]
    unlisted_m: dict[str, Count] = field(default_factory=dict)
    licence: str = ""
    date: str = ""
    abroad: list[Asn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FiguresFile:
    """What a file contains: its kind (``own`` or ``apnic``), its licence, and figures by country."""

    kind: str
    licence: str
    countries: dict[str, Figures]


def parse_own(text: str, name: str) -> FiguresFile:
    """A TOML file in the form of ``user_shares.toml``: one table per country.

    Raises:
        FanousError: it is not such a file; the message says where and what to do.
    """
    try:
        figures = msgspec.convert(toml(text, name), dict[str, Figures])
    except msgspec.ValidationError as error:
        raise FanousError(
            f"{name}: {str(error)[:200]}; docs/formats.md has the form of user figures"
        ) from None
    for country, one in figures.items():
        if not is_country(country):
            raise FanousError(f"{name}: [{country}] is not a country code such as PK")
        seen = Counter(asn for operator in one.network for asn in operator.asns)
        if twice := [asn for asn, times in seen.items() if times > 1]:
            raise FanousError(f"{name}: AS{min(twice)} is listed twice in [{country}]")
        if not sum(operator.users_m for operator in one.network):
            raise FanousError(f"{name}: no network in [{country}] has any users")
    if not figures:
        raise FanousError(f"{name}: no country in it: begin a table with a code, such as [PK]")
    return FiguresFile("own", "the user's own", figures)


class _Row(Struct, rename={"asn": "AS", "told": "Description", "country": "CC", "users": "Users"}):
    asn: int
    country: str
    users: float
    told: str = ""
    percent: float = field(default=0.0, name="Percent of CC Pop")


class _Apnic(Struct, rename={"date": "Date", "rows": "Data"}):
    date: str
    rows: list[_Row]


def is_apnic(text: str) -> bool:
    return text.lstrip()[:1] == "{" and '"Percent of CC Pop"' in text


def parse_apnic(text: str, name: str) -> FiguresFile:
    """APNIC Labs' estimates, as ``APNIC_URL`` gives them: one row for each network and economy.

    Users not covered by a country's rows (``Percent of CC Pop``) are on networks that are not listed.

    Raises:
        FanousError: it is not that file, or its form has changed.
    """
    try:
        told = msgspec.json.decode(text, type=_Apnic, strict=False)
        date = datetime.strptime(told.date, "%d/%m/%Y")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FanousError(
            f"{name} is not APNIC's table of users in the form that is known: {error}"
        ) from None
    rows: dict[str, list[_Row]] = {}
    abroad: dict[str, set[int]] = {}
    for row in told.rows:
        is_known = is_country(row.country) and 0 < row.asn < 2**32
        if not (is_known and 0 < row.users <= PEOPLE_M * 1e6 and 0 <= row.percent <= 100):
            continue
        registered = _COUNTRY.search(row.told.strip())
        if registered and is_country(registered[1]) and registered[1] != row.country:
            abroad.setdefault(row.country, set()).add(row.asn)
        if row.percent >= APNIC_LEAST:
            rows.setdefault(row.country, []).append(row)
    if not rows:
        raise FanousError(f"{name}: no network with users in it")
    source = "APNIC Labs, estimates from advertisements (stats.labs.apnic.net/aspop)"
    return FiguresFile(
        "apnic",
        APNIC_LICENCE,
        {
            country: Figures(
                source, date.year, APNIC_ERROR, [_operator(row) for row in own],
                {"any": _rest(own)}, APNIC_LICENCE, date.strftime("%Y-%m-%d"), sorted(abroad.get(country, ())),
            )
            for country, own in rows.items()
        },
    )  # fmt: skip


_COUNTRY = re.compile(r",\s*([A-Z]{2})$")
"""End of a description: the country in which the network is registered, according to the registries."""


def _operator(row: _Row) -> Operator:
    """``CMPAKLIMITED-AS-AP CMPak Limited, PK`` is CMPak Limited: a handle precedes the name."""
    name = _COUNTRY.sub("", row.told.strip()).strip()
    _, _, behind = name.partition(" ")
    return Operator(behind.removeprefix("- ").strip() or name or f"AS{row.asn}", row.users / 1e6, [row.asn])


def _rest(rows: list[_Row]) -> float:
    """Users, in millions, that the percentages leave for networks not listed."""
    listed = sum(row.percent for row in rows)
    rest = sum(row.users for row in rows) / 1e6 * max(0.0, 100 - listed) / listed if listed else 0.0
    return min(rest, PEOPLE_M)


MAIN_ASN_SHARE = threshold(
    "refdata.main_asn_share",
    0.9,
    "Share of an operator's users on its first ASN if it has several: no operator publishes the split, and "
    "almost all measurements come from the first.",
)

FOLDER = "users"
"""Folder of installed figures, within that of reference data: ``own`` and ``apnic``, one file per country."""


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Figures]:
    return msgspec.convert(toml_table("user_shares.toml"), dict[str, Figures])


def figures_path(folder: Path, kind: str, cc: str) -> Path:
    """Path of a country's figures of one kind; ``folder`` is that of reference data."""
    return folder / FOLDER / kind / f"{cc}.json"


def weights(cc: str, folder: Path | None = None) -> UserWeights | None:
    """The country's weights; ``None`` = no figures are known.

    Args:
        folder: folder of installed reference data; ``None`` = only the included figures.

    Raises:
        FanousError: installed figures cannot be read.
    """
    estimates = _installed(folder, "apnic", cc)
    figures = _installed(folder, "own", cc) or _shipped().get(cc) or estimates
    if figures is None:
        return None
    total = sum(entry.users_m for entry in figures.network) + sum(figures.unlisted_m.values())
    return UserWeights(
        country=cc,
        networks=tuple(weight for entry in figures.network for weight in _over_asns(entry, total)),
        error=_joint_error(figures.network, total, figures.error),
        source=f"{figures.source} ({figures.date or figures.year})",
        abroad=tuple(sorted({*figures.abroad, *(estimates.abroad if estimates else ())})),
    )


def _installed(folder: Path | None, kind: str, cc: str) -> Figures | None:
    if folder is None:
        return None
    path = figures_path(folder, kind, cc)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
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
    """The sources of the figures, in the order in which they count."""
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
    """Root mean square of the entries' relative errors, weighted by users: one figure for the whole table."""
    errors = ((entry.users_m, ordinary if entry.error is None else entry.error) for entry in entries)
    return sqrt(sum(users / total * error**2 for users, error in errors))


@lru_cache(maxsize=512)
def user_weights(country: str) -> UserWeights | None:
    """The weights as of the process's first call; ``None`` = no figures for this country."""
    return weights(country, data_folder() / "refdata")
