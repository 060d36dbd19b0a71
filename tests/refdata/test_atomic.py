"""A file is replaced whole: who reads the old one goes on reading it."""

from pathlib import Path

import pytest

from fanous.base.overwrite import replace_file


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    replace_file(path, b"old")
    with path.open("rb") as reader:
        replace_file(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["set.csv"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "set.csv").mkdir()
    with pytest.raises(OSError):
        replace_file(tmp_path / "set.csv", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["set.csv"]
