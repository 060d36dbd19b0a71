"""Files of any kind are opened and read in bounded memory."""

import gzip
import zlib
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import cast

import pytest

from fanous.errors import FanousError
from fanous.sources.stream import BROKEN, CHUNK, broken_why, open_source, read_line
from tests.each import each


def stream_of(data: bytes) -> BufferedReader:
    return BufferedReader(cast("BufferedReader", BytesIO(data)))


@pytest.mark.parametrize("suffix", ["txt", "jsonl.gz", "whatever"])
def test_gzip_is_told_by_its_first_bytes_not_by_the_name(tmp_path: Path, suffix: str) -> None:
    packed, plain = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    packed.write_bytes(gzip.compress(b"one\ntwo\n"))
    plain.write_bytes(b"one\ntwo\n")
    for path in (packed, plain):
        with open_source(path) as source:
            assert source.stream.read() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("start", "word"),
    [(b"PK\x03\x04rest", "zip"), (b"\x28\xb5\x2f\xfdrest", "zstd"), (b"BZhrest", "bzip2")],
)
def test_a_format_that_must_be_unpacked_first_is_named(tmp_path: Path, start: bytes, word: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(start)
    with pytest.raises(FanousError, match=word), open_source(path):
        pass


def test_a_missing_file_and_a_folder_say_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(FanousError, match=r"nowhere\.jsonl.*Check the path"),
        open_source(tmp_path / "nowhere.jsonl"),
    ):
        pass
    with pytest.raises(FanousError, match="is a folder: name the files"), open_source(tmp_path):
        pass


def test_progress_counts_compressed_bytes_and_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path, told = tmp_path / "a.gz", list[int]()
    path.write_bytes(gzip.compress(b"x" * 100_000))
    with open_source(path, told.append) as source:
        source.stream.read()
        source.tell_progress()
    assert told[-1] == path.stat().st_size


@each(
    ("data", "lines"),
    [
        (b"", [(b"", 0)]),
        (b"ab\ncd", [(b"ab\n", 3), (b"cd", 2), (b"", 0)]),
        (b"1234\n", [(b"1234\n", 5), (b"", 0)]),  # as long as the limit: kept
        (b"12345\nab\n", [(b"", 6), (b"ab\n", 3), (b"", 0)]),  # longer: skipped, the next one is whole
        (b"1" * 12, [(b"", 12), (b"", 0)]),  # longer, and the last
        (b"1" * (2 * CHUNK) + b"\nz", [(b"", 2 * CHUNK + 1), (b"z", 1)]),
    ],
)
def test_a_line_over_the_limit_is_skipped_and_counted(data: bytes, lines: list[tuple[bytes, int]]) -> None:
    stream = stream_of(data)
    assert [read_line(stream, 4) for _ in lines] == lines


def test_what_came_before_a_broken_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    lines = b"".join(b"%064d\n" % zlib.crc32(b"%d" % n) for n in range(20_000))
    path.write_bytes(gzip.compress(lines)[:-100])
    with open_source(path) as source:
        first = read_line(source.stream)
        assert first[1] == 65
        with pytest.raises(BROKEN) as caught:
            while read_line(source.stream)[1]:
                pass
    assert "ends too early" in broken_why(caught.value)
