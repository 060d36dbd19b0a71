import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.store.archive import SEGMENT_BYTES, Archive, DamagedSegment, Location, Received, Segment
from tests.store.cases import NOON


def received(data: bytes, country: str = "PK", test_name: str = "web_connectivity") -> Received:
    return Received(Record("ooni", data), country, test_name)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def file_of(archive: Archive, segment: Segment) -> Path:
    return archive.folder / segment.path


def test_records_come_back_from_where_the_archive_says(archive: Archive) -> None:
    lines = [b'{"a": 1}', "{\"ü\": 'x'}".encode(), b'{"c": 3}']
    places = archive.append(
        [received(line, country) for line, country in zip(lines, ["PK", "IR", "PK"], strict=True)], NOON
    )
    assert [archive.read(place) for place in places] == lines
    assert [(place.segment.country, place.position) for place in places] == [("PK", 0), ("IR", 0), ("PK", 1)]


def test_records_know_their_source_and_line(archive: Archive) -> None:
    (place, _) = archive.append([received(b"1"), received(b"2")], NOON)
    assert list(archive.records(place.segment)) == [
        Record("ooni", b"1", file=place.segment.name, line=1),
        Record("ooni", b"2", file=place.segment.name, line=2),
    ]


def test_the_same_content_in_the_same_hour_is_one_segment(archive: Archive) -> None:
    first = archive.append([received(b"1")], NOON)
    assert archive.append([received(b"1")], NOON + 60) == first
    assert len(list(archive.segments())) == 1


def test_segments_are_listed_in_order_of_receipt(archive: Archive) -> None:
    for at in (NOON + 86400, NOON, NOON + 3600):
        archive.append([received(b"1", "PK"), received(b"1", "AE")], at)
    found = list(archive.segments())
    assert found == sorted(found)
    assert len(found) == 6


def test_foreign_files_are_no_segments_and_stay(archive: Archive) -> None:
    (place,) = archive.append([received(b"1")], NOON)
    folder = file_of(archive, place.segment).parent
    foreign = [folder / "notes.txt", archive.folder / "raw" / file_of(archive, place.segment).name]
    for path in foreign:
        path.write_text("mine")
    assert list(archive.segments()) == [place.segment]
    archive.sweep()
    assert all(path.exists() for path in foreign)


def test_what_a_killed_writer_left_is_swept_away(archive: Archive) -> None:
    (place,) = archive.append([received(b"1")], NOON)
    path = file_of(archive, place.segment)
    half = path.with_name(path.name + ".tmp")
    half.write_bytes(b"half")
    assert list(archive.segments()) == [place.segment]
    assert (archive.sweep(), half.exists(), path.exists()) == (1, False, True)


def test_a_segment_holds_no_more_than_is_checked_in_memory(archive: Archive) -> None:
    big = b"x" * (SEGMENT_BYTES // 2)
    places = archive.append(
        [received(big), received(b"1"), received(big), received(b"y" * SEGMENT_BYTES)], NOON
    )
    assert [place.position for place in places] == [0, 1, 0, 0]
    assert archive.read(places[2]) == big


def test_the_time_of_receipt_is_kept(archive: Archive) -> None:
    (place,) = archive.append([received(b"1")], NOON + 1234.5)
    assert archive.received_at(place.segment) == NOON + 1234.5
    os.utime(file_of(archive, place.segment), (0, 0))  # a copy that lost it
    assert archive.received_at(place.segment) == NOON


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(b"not zstd at all"),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(next((path.parents[1] / "ndt").iterdir()).read_bytes()),
    ],
    ids=["empty", "cut", "other bytes", "gone", "the content of another"],
)
def test_a_damaged_segment_is_named_and_others_go_on(archive: Archive, damage: object) -> None:
    good, bad = archive.append([received(b"1", test_name="ndt"), received(b"2")], NOON)
    assert callable(damage)
    damage(file_of(archive, bad.segment))
    with pytest.raises(DamagedSegment, match=bad.segment.digest):
        next(archive.records(bad.segment))
    assert archive.read(good) == b"1"


def test_a_segment_is_named_by_the_digest_of_its_file(archive: Archive) -> None:
    (place,) = archive.append([received(b"1")], NOON)
    assert sha256(file_of(archive, place.segment).read_bytes()).hexdigest().startswith(place.segment.digest)


def test_a_segment_named_by_the_digest_of_its_content_is_read(archive: Archive) -> None:
    (place,) = archive.append([received(b"1"), received(b"2")], NOON)[:1]
    older = replace(place.segment, digest=sha256(b"1\n2\n").hexdigest()[:16])
    file_of(archive, place.segment).rename(file_of(archive, older))
    assert [record.data for record in archive.records(older)] == [b"1", b"2"]
    (other,) = archive.append([received(b"3")], NOON)
    file_of(archive, older).write_bytes(file_of(archive, other.segment).read_bytes())
    with pytest.raises(DamagedSegment, match="its digest differs"):
        next(archive.records(older))


def test_a_record_that_is_not_there_is_said_to_be_missing(archive: Archive) -> None:
    (place,) = archive.append([received(b"1")], NOON)
    with pytest.raises(DamagedSegment, match="no record 7"):
        archive.read(Location(place.segment, 7))


def test_a_record_with_a_line_break_is_a_bug(archive: Archive) -> None:
    with pytest.raises(ValueError, match="line break"):
        archive.append([received(b"1\n2")], NOON)


FULL_DISK = """
import resource, sys
from pathlib import Path
from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.store.archive import Archive, Received
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import random
data = random.Random(1).randbytes(100_000).replace(b"\\n", b" ")
archive = Archive(Path(sys.argv[1]))
try:
    archive.append([Received(Record("ooni", data), "PK", "ndt")], 0.0)
except FanousError as error:
    print(error)
print([path.name for path in archive.folder.rglob("*") if path.is_file()])
"""


def test_a_file_that_cannot_be_written_whole_is_not_there_at_all(tmp_path: Path) -> None:
    """The kernel's own refusal, by a limit on the size of files: the path that a full disk takes."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "archive")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot write to the archive" in done.stdout
    assert "raise it and try again" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_an_archive_below_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FanousError, match="choose another store"):
        Archive(tmp_path / "file" / "archive").append([received(b"1")], NOON)
