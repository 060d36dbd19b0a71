"""Targets: the lists of URLs that a probe tries, each entry with its source.

A list is a TOML file in ``targets/``, next to this module; to add one, write it there.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fanous.base.files import text_of_regular
from fanous.config import nearest, toml
from fanous.errors import FanousError
from fanous.refdata import toml_table
from fanous.refdata.platforms import ROLES

FOLDER = "targets"

MOST_BYTES = 16 << 20
"""Bytes of a list of targets; the largest public one, of all countries, has 2 MB."""

DO_NOT_RUN = "do_not_run"


@dataclass(frozen=True, slots=True)
class TargetList:
    """One list.

    Attributes:
        title: for people.
        opt_in: sensitive, so it is measured only if its name is given.
        urls: in order, each once.
        apps: nettests that try an app's own endpoints.
        left_out: ``line 4: 'no url'`` for each entry that is not a URL a probe could try.
    """

    name: str
    title: str
    opt_in: bool
    urls: tuple[str, ...]
    apps: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def list_names() -> tuple[str, ...]:
    """Names of the included lists."""
    names = sorted(one.name for one in (files(__package__) / FOLDER).iterdir() if one.name.endswith(".toml"))
    return tuple(stem for name in names if (stem := name.removesuffix(".toml")) != DO_NOT_RUN)


@lru_cache(maxsize=1)
def do_not_run() -> dict[str, str]:
    """Country code -> why measuring from there is dangerous."""
    return {code: str(entry["why"]) for code, entry in toml_table(f"{FOLDER}/{DO_NOT_RUN}.toml").items()}


def target_list(name: str) -> TargetList:
    """A list by name, or from a file: TOML like ours, CSV with a column ``url`` (Citizen Lab), or lines.

    Raises:
        FanousError: there is no list of that name, or the file cannot be read.
    """
    if name in list_names():
        return _from_table(name, toml_table(f"{FOLDER}/{name}.toml"))
    path = Path(name)
    if not path.is_file():
        known = list(list_names())
        told = f"known: {', '.join(known)}, or the path of a file{nearest(name, known)}"
        raise FanousError(f"no list {name!r}: {told}")
    try:
        text = text_of_regular(path, MOST_BYTES, "a list of targets", "utf-8-sig")
        if path.suffix == ".toml":
            return _from_table(path.stem, toml(text, path))
        lines = list(_csv_urls(text) if path.suffix == ".csv" else _plain_urls(text))
    except (OSError, ValueError, csv.Error) as error:
        raise FanousError(f"the list {path} cannot be read: {error}") from None
    odd = tuple(f"line {number}: {text[:80]!r}" for number, text in lines if not _is_url(text.strip()))
    return TargetList(path.stem, path.stem, False, _usable(text for _, text in lines), left_out=odd)


def _from_table(name: str, table: dict[str, Any]) -> TargetList:
    entries = table.get("target", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("its targets must be [[target]] tables")
    given = [entry.get(role, []) for entry in entries for role in ROLES]
    if not all(isinstance(urls, list) for urls in given):
        raise ValueError(f"{', '.join(ROLES)} must be lists of URLs")
    urls = [str(url) for own in given for url in own]
    apps = tuple(str(entry["app"]) for entry in entries if "app" in entry)
    left_out = tuple(repr(url) for url in urls if not _is_url(url.strip()))
    return TargetList(
        name, str(table.get("title", name)), bool(table.get("opt_in")), _usable(urls), apps, left_out
    )


def _csv_urls(text: str) -> Iterator[tuple[int, str]]:
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        yield reader.line_num, row.get("url") or ""


def _plain_urls(text: str) -> Iterator[tuple[int, str]]:
    """Blank lines and comments are skipped."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _usable(urls: Iterable[str]) -> tuple[str, ...]:
    """The URLs that a probe can try, each once."""
    return tuple(dict.fromkeys(url.strip() for url in urls if _is_url(url.strip())))


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
