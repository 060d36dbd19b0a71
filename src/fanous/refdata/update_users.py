"""Update of user numbers: turns the user's own file, or APNIC's table, into one small file per country."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from fanous.errors import FanousError
from fanous.refdata.atomic import replace_file
from fanous.refdata.download import download
from fanous.refdata.figures import (
    APNIC_URL,
    LARGEST_FIGURES,
    FiguresFile,
    is_apnic,
    parse_apnic,
    parse_own,
)
from fanous.refdata.update import Updated, UpdateOutcome
from fanous.refdata.weights import FOLDER, figures_path

LEAST_COUNTRIES = 0.7
"""APNIC's table with less than this share of the countries that stand is taken for a broken file."""

APNIC_FILE = "APNIC's users by network"


def fetch_apnic(url: str) -> bytes:
    return download(url, largest=LARGEST_FIGURES)


def is_figures(path: Path) -> bool:
    """Is a file that the user gives one of user figures, rather than of fingerprints?"""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return is_apnic(text) or (path.suffix == ".toml" and "users_m" in text)


def update_users(
    source: Path | None, folder: Path, *, fetch: Callable[[str], bytes] = fetch_apnic
) -> Updated:
    """Install the figures of ``source``; what fails leaves what stands.

    Args:
        source: ``None`` = APNIC's table, fetched.
        folder: of reference data.
    """
    name, place = (APNIC_FILE, APNIC_URL) if source is None else (source.name, str(source))
    try:
        data = fetch(APNIC_URL) if source is None else _read(source)
        text = _decoded(data, place)
        told = parse_apnic(text, place) if is_apnic(text) or source is None else parse_own(text, place)
        changed = _install(told, folder)
    except FanousError as error:
        return Updated(name, place, UpdateOutcome.FAILED, str(error), of="countries' users")
    outcome = UpdateOutcome.UPDATED if changed else UpdateOutcome.UNCHANGED
    return Updated(name, place, outcome, usable=len(told.countries), of="countries' users")


def forget_users(country: str, folder: Path) -> bool:
    """Remove the user's own figures of a country, so that what ships counts again; was there any?"""
    path = figures_path(folder, "own", country)
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FanousError(f"{path} cannot be read: {error.strerror}; give the file you have") from error


def _decoded(data: bytes, place: str) -> str:
    if len(data) > LARGEST_FIGURES:
        raise FanousError(f"{place} has more than {LARGEST_FIGURES >> 20} MiB: these are no user figures")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FanousError(f"{place} is not UTF-8 ({error}); fetch the file again") from error


def _install(told: FiguresFile, folder: Path) -> bool:
    """Put each country's file in its place; did any change?"""
    kind = folder / FOLDER / told.kind
    standing = {path.stem for path in kind.glob("*.json")} if told.kind == "apnic" else set()
    if len(told.countries) < LEAST_COUNTRIES * len(standing):
        raise FanousError(
            f"it names {len(told.countries)} countries and what stands {len(standing)}, so that is kept; if "
            f"the new one is right, remove {kind} and update again"
        )
    changed = False
    try:
        kind.mkdir(parents=True, exist_ok=True)
        for country, figures in told.countries.items():
            path, data = figures_path(folder, told.kind, country), msgspec.json.encode(figures)
            if not path.exists() or path.read_bytes() != data:
                replace_file(path, data)
                changed = True
    except OSError as error:
        raise FanousError(f"{kind} cannot be written: {error.strerror}; mend the folder") from error
    return changed
