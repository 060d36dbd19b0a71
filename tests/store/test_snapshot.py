"""A copy of a store that another process has open: whole, or refused."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.store import location as copying
from fanous.store.location import LINKED, StoreLocation, at_urls, in_folder, parts_of, snapshot


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    """A folder that looks like the engine's: a table with one part, a link, and a ledger."""
    facts = tmp_path / "store" / "facts"
    part = facts / "store" / "abc" / "abc-uuid" / "all_1_1_0"
    part.mkdir(parents=True)
    (part / "data.bin").write_bytes(b"x" * (2 * LINKED))
    (part / "count.txt").write_text("7")
    (part.parent / "tmp_insert_2").mkdir()
    (facts / "data").mkdir()
    (facts / "data" / "verdicts").symlink_to("../store/abc/abc-uuid")
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.sqlite")) as ledger:
        ledger.execute("CREATE TABLE incidents (id TEXT)")
    return in_folder(tmp_path / "store")


def test_large_files_are_linked_small_ones_copied_and_links_kept(
    location: StoreLocation, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    made = snapshot(location, copy)
    part = copy / "facts" / "store" / "abc" / "abc-uuid" / "all_1_1_0"
    assert made.engine_folder == copy / "facts"
    assert made.archive == location.archive
    assert made.ledger == f"sqlite:///{copy / 'ledger.sqlite'}"
    assert (part / "data.bin").stat().st_nlink == 2
    assert (part / "count.txt").stat().st_nlink == 1
    assert (copy / "facts" / "data" / "verdicts" / "all_1_1_0" / "count.txt").read_text() == "7"
    assert not (part.parent / "tmp_insert_2").exists()


def test_what_is_merged_or_added_meanwhile_is_fetched(
    location: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = location.engine_folder
    assert facts is not None
    table = facts / "store" / "abc" / "abc-uuid"
    real = copying._copy_tree

    def disturbed(found: Path, target: Path, *more: Any, **named: Any) -> None:
        if found.name == "all_1_1_0":  # it is merged while it is copied
            found.rename(found.with_name("all_1_2_1"))
        real(found, target, *more, **named)

    monkeypatch.setattr(copying, "_copy_tree", disturbed)
    (tmp_path / "copy").mkdir()
    snapshot(location, tmp_path / "copy")
    assert (
        parts_of(tmp_path / "copy" / "facts") == parts_of(facts) == {(table / "all_1_2_1").relative_to(facts)}
    )


def test_a_store_that_never_rests_is_refused(
    location: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (Path(f"store/abc/abc-uuid/all_{n}_{n}_0") for n in count())
    monkeypatch.setattr(copying, "parts_of", lambda _facts: {next(names)})
    (tmp_path / "copy").mkdir()
    with pytest.raises(FanousError, match="writes faster than it can be copied"):
        snapshot(location, tmp_path / "copy")


def test_facts_on_a_server_need_no_copy(tmp_path: Path) -> None:
    place = at_urls(str(tmp_path / "archive"), "clickhouse://me@127.0.0.1:9/db", str(tmp_path / "l.sqlite"))
    with pytest.raises(FanousError, match="no copy is needed"):
        snapshot(place, tmp_path)
