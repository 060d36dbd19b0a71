"""A file leaves the inbox when its measurements are in the store, and not before."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from fanous.collector import inbox as drain_module
from fanous.collector.inbox import Drained, drain, sealed_files
from fanous.errors import FanousError
from tests.collector.files import kept

FIRST, SECOND, THIRD = (kept(n, "") for n in range(3))


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"{}\n")


def test_sealed_files_are_brought_in_oldest_first_and_removed(tmp_path: Path) -> None:
    put(
        tmp_path,
        *(f"{SECOND}.jsonl", f"{FIRST}.jsonl", f"{THIRD}.jsonl.part"),
        *(f"apart/{FIRST}.jsonl", "lock", "notes.jsonl"),
    )
    seen: list[str] = []

    def bring_in(files: Sequence[Path]) -> None:
        seen.extend(path.name for path in files)
        assert all(path.exists() for path in files)

    assert drain(tmp_path, bring_in) == Drained(2, more=False)
    assert seen == [f"{FIRST}.jsonl", f"{SECOND}.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{THIRD}.jsonl.part",
        "apart",
        "lock",
        "notes.jsonl",
    ]
    assert drain(tmp_path, bring_in) == Drained(0, more=False)
    assert (tmp_path / "apart" / f"{FIRST}.jsonl").exists()


def test_what_the_store_did_not_take_stays(tmp_path: Path) -> None:
    put(tmp_path, f"{FIRST}.jsonl")

    def fails(_files: Sequence[Path]) -> None:
        raise FanousError("disk full")

    with pytest.raises(FanousError):
        drain(tmp_path, fails)
    assert [path.name for path in sealed_files(tmp_path)] == [f"{FIRST}.jsonl"]


def test_a_long_queue_is_taken_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_module, "MOST_FILES", 2)
    put(tmp_path, *(f"{name}.jsonl" for name in (FIRST, SECOND, THIRD)))
    assert drain(tmp_path, len) == Drained(2, more=True)
    assert drain(tmp_path, len) == Drained(1, more=False)
