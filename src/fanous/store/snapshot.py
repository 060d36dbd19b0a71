"""Snapshot: a store that another process has open, copied for reading.

The in-process engine has one owner.  Its data parts are never changed once they are written, only replaced by merged
ones, so they can be linked instead of copied; the copy is whole once it has every part that exists.  The archive
is read in place.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from fanous.errors import FanousError
from fanous.files import disk_errors
from fanous.store.location import FACTS, LEDGER, StoreLocation

ROUNDS = 100
"""How often the copy is completed with what was written since: each round has less to do."""

LINKED = 1 << 16
"""Bytes; smaller files are copied, so that whatever an engine writes into one stays in its own store."""

PARTS = "store/*/*/*"
"""Where a table's data parts are, among its own files."""

_PASSING = ("tmp_", "delete_tmp_", "tmp-fetch_")
"""Prefixes of parts that the engine is still writing, or has discarded."""


def snapshot(location: StoreLocation, folder: Path) -> StoreLocation:
    """A copy of what the store's owner has written, in an empty folder.

    Raises:
        FanousError: the owner writes faster than it can be copied, or the folder cannot be written.
    """
    facts = location.engine_folder
    if facts is None:
        raise FanousError("facts on a server can be read there by any number of processes: no copy is needed")
    copy = folder / FACTS
    with disk_errors(f"copy the store into {folder}"):
        _copy_all(facts, copy)
        ledger = location.ledger
        if ledger.startswith("sqlite"):
            _copy_ledger(Path(unquote(urlsplit(ledger).path.removeprefix("/"))), folder / LEDGER)
            ledger = f"sqlite:///{folder / LEDGER}"
    return replace(location, facts=f"chdb://{quote(str(copy))}", ledger=ledger)


def parts_of(facts: Path) -> set[Path]:
    """The data parts of all tables, relative to the folder."""
    found = (one.relative_to(facts) for one in facts.glob(PARTS))
    return {one for one in found if (facts / one).is_dir() and not one.name.startswith(_PASSING)}


def _copy_all(facts: Path, copy: Path) -> None:
    """Copy everything except parts once, then parts until none is missing."""
    _copy_tree(facts, copy, without=lambda path: path.relative_to(facts).match(PARTS) and path.is_dir())
    done: set[Path] = set()
    for _ in range(ROUNDS):
        missing = parts_of(facts) - done
        if not missing:
            return
        for part in sorted(missing):
            try:
                _copy_tree(facts / part, copy / part)
            except FileNotFoundError:  # it has just been merged into another part, which comes next
                shutil.rmtree(copy / part, ignore_errors=True)
            else:
                done.add(part)
    raise FanousError("the process that has the store open writes faster than it can be copied: try again")


def _copy_tree(found: Path, target: Path, without: Callable[[Path], bool] = lambda _: False) -> None:
    """Copy a tree; links stay links, and are not followed.

    Raises:
        FileNotFoundError: something vanished while it was read.
    """
    target.mkdir(parents=True, exist_ok=True)
    for one in sorted(found.iterdir()):
        if without(one):
            continue
        beside = target / one.name
        if one.is_symlink():
            beside.symlink_to(one.readlink())
        elif one.is_dir():
            _copy_tree(one, beside, without)
        elif one.stat().st_size < LINKED or not _linked(one, beside):
            shutil.copyfile(one, beside)


def _linked(found: Path, target: Path) -> bool:
    """Hard-link a file if possible, which needs one file system and permission to read it."""
    try:
        target.hardlink_to(found)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _copy_ledger(ledger: Path, copy: Path) -> None:
    """Copy the ledger through SQLite itself, which knows what other processes are writing."""
    with (
        closing(sqlite3.connect(f"file:{quote(str(ledger))}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
