"""An archive whose older segments are in a bucket (of a real S3 server): one archive for every reader."""

from pathlib import Path

import obstore
import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.store.archive import Archive, DamagedSegment, Received, Segment, tiered
from fanous.store.bucket import MOVED, TieredArchive, begin
from tests.store.cases import NOON


@pytest.fixture
def archive(served: tuple[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> TieredArchive:
    return TieredArchive(tmp_path / "archive", f"s3://raw/{request.node.name}?endpoint={served[0]}")


def kept(archive: Archive, data: bytes, at: float = NOON) -> Segment:
    return archive.append([Received(Record("ooni", data), "PK", "web_connectivity")], at)[0].segment


def test_a_segment_that_moved_is_read_as_before(archive: TieredArchive) -> None:
    old, new = kept(archive, b"1", NOON + 7), kept(archive, b"2", NOON + 7200)
    archive.move(old)
    assert not archive.is_here(old)
    assert archive.is_here(new)
    assert list(archive.segments()) == [old, new]
    assert [record.data for one in (old, new) for record in archive.records(one)] == [b"1", b"2"]
    assert archive.received_at(old) == NOON + 7


def test_a_move_that_died_before_the_folder_was_cleared_is_completed(archive: TieredArchive) -> None:
    one = kept(archive, b"1")
    archive.cold._write(one, Archive(archive.folder)._packed(one), NOON)
    assert list(archive.segments()) == [one]
    archive.move(one)
    assert not archive.is_here(one)
    assert list(archive.segments()) == [one]


def test_what_is_damaged_stays_where_it_is_and_is_named(archive: TieredArchive) -> None:
    one = kept(archive, b"1")
    (archive.folder / one.path).write_bytes(b"not zstd at all")
    with pytest.raises(DamagedSegment, match="restore it from a backup"):
        archive.move(one)
    assert archive.is_here(one)


def test_a_bucket_that_gives_something_else_back_keeps_the_segment_here(archive: TieredArchive) -> None:
    one = kept(archive, b"1")
    obstore.put(archive.cold._store, str(one.path), b"something else")
    with pytest.raises(DamagedSegment):
        archive.move(one)
    assert archive.is_here(one)


def test_what_is_removed_is_gone_from_both(archive: TieredArchive) -> None:
    here, far = kept(archive, b"1"), kept(archive, b"2")
    archive.move(far)
    archive.remove(here)
    archive.remove(far)
    assert list(archive.segments()) == []


def test_what_is_unfinished_is_found_without_listing_the_bucket(
    archive: TieredArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, gone = kept(archive, b"1", NOON), kept(archive, b"2", NOON + 3600), kept(archive, b"3")
    here = kept(archive, b"4", NOON + 7200)
    for one in (second, first, gone):
        archive.move(one)
    archive.cold.remove(gone)  # and died before it was taken off the list
    with monkeypatch.context() as patch:
        patch.setattr(obstore, "list", None)
        assert list(archive.unmarked({first.name, second.name, here.name, gone.name})) == []
        assert list(archive.unmarked({first.name})) == [second, here]
        again = TieredArchive(archive.folder, archive.cold.url)
        assert list(again.unmarked(set())) == [first, second, here]
        again.remove(second)
        assert list(again.unmarked(set())) == [first, here]


def test_a_list_that_was_cut_off_or_is_missing_loses_no_segment(archive: TieredArchive) -> None:
    first, second = kept(archive, b"1", NOON), kept(archive, b"2", NOON + 3600)
    archive.move(first)
    with (archive.folder / MOVED).open("a") as file:
        file.write("2023121")  # as a crash leaves it
    archive.move(second)
    assert list(archive.unmarked(set())) == [first, second]
    (archive.folder / MOVED).unlink()  # as older versions left it
    third = kept(archive, b"3", NOON + 7200)
    archive.move(third)
    assert list(archive.unmarked(set())) == [first, second, third]


def test_the_folder_knows_its_bucket_and_takes_no_second_one(tmp_path: Path) -> None:
    assert tiered(tmp_path) == ""
    begin(tmp_path, "s3://raw/a", NOON)
    begin(tmp_path, "s3://raw/a", NOON)
    assert tiered(tmp_path) == "s3://raw/a"
    with pytest.raises(FanousError, match=r"older segments of .* are in s3://raw/a"):
        begin(tmp_path, "s3://raw/b", NOON)
