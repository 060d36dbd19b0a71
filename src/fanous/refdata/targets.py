"""Targets: the lists of URLs that a probe tries, each entry with its source.

A list is a TOML file beside this module in ``targets/``; to add one, write it there.
"""

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.refdata.platforms import ROLES
from fanous.refdata.tables import toml_table

FOLDER = "targets"
DO_NOT_RUN = "do_not_run"


@dataclass(frozen=True, slots=True)
class TargetList:
    """One list.

    Attributes:
        title: for people.
        opt_in: sensitive: only measured where its name is given, never by default.
        urls: in order, each once.
        apps: nettests that try an app's own endpoints.
    """

    name: str
    title: str
    opt_in: bool
    urls: tuple[str, ...]
    apps: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def list_names() -> tuple[str, ...]:
    """Names of the lists that ship with the product."""
    names = sorted(one.name for one in (files(__package__) / FOLDER).iterdir() if one.name.endswith(".toml"))
    return tuple(stem for name in names if (stem := name.removesuffix(".toml")) != DO_NOT_RUN)


@lru_cache(maxsize=1)
def do_not_run() -> dict[str, str]:
    """Country code -> why nobody should measure from there."""
    return {code: str(entry["why"]) for code, entry in toml_table(f"{FOLDER}/{DO_NOT_RUN}.toml").items()}


def target_list(name: str) -> TargetList:
    """A list by name, or out of a file: TOML as ours, CSV with a column ``url`` (Citizen Lab), or lines.

    Raises:
        FanousError: there is none of that name, or the file cannot be read.
    """
    if name in list_names():
        return _from_table(name, toml_table(f"{FOLDER}/{name}.toml"))
    path = Path(name)
    if not path.is_file():
        raise FanousError(f"no list {name!r}: known are {', '.join(list_names())}, or the path of a file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            return _from_table(path.stem, tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FanousError(f"the list {path} cannot be read: {error}") from None
    found = _csv_urls(text) if path.suffix == ".csv" else text.splitlines()
    return TargetList(path.stem, path.stem, False, _usable(found))


def _from_table(name: str, table: dict[str, Any]) -> TargetList:
    urls = [url for entry in table.get("target", ()) for role in ROLES for url in entry.get(role, ())]
    apps = tuple(str(entry["app"]) for entry in table.get("target", ()) if "app" in entry)
    return TargetList(name, str(table.get("title", name)), bool(table.get("opt_in")), _usable(urls), apps)


def _csv_urls(text: str) -> Iterator[str]:
    for row in csv.DictReader(text.splitlines()):
        yield row.get("url") or ""


def _usable(urls: Any) -> tuple[str, ...]:
    """The URLs that a probe can try, each once; blank lines and comments are none."""
    return tuple(dict.fromkeys(url.strip() for url in urls if _is_url(url.strip())))


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
