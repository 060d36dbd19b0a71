"""Members of a tar stream: names of any kind, and archives made to exhaust memory."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.read import BLOCK, LONGEST_EXTENSION, is_tar, members
from tests.each import each
from tests.sources.test_stream import stream_of


def tar_of(*files: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@each("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@each("name", ["a.post", "x" * 90 + "/" + "y" * 90 + ".post", "é" * 200 + ".post"])
def test_names_of_any_length_come_back(form: int, name: str) -> None:
    archive = tar_of((name, b"one"), ("b.post", b"2" * 600), form=form)
    assert [(m.name, m.data) for m in members(stream_of(archive), 1000)] == [
        (name, b"one"),
        ("b.post", b"2" * 600),
    ]


def test_a_member_over_the_limit_is_skipped_and_the_next_is_whole() -> None:
    archive = tar_of(("big", b"x" * 5000), ("small", b"y"))
    assert [(m.name, m.data, m.size) for m in members(stream_of(archive), 1000)] == [
        ("big", None, 5000),
        ("small", b"y", 1),
    ]


def test_folders_and_links_are_no_members() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE):
            info = tarfile.TarInfo("thing")
            info.type = kind
            archive.addfile(info)
    assert list(members(stream_of(packed.getvalue()), 1000)) == []


def test_an_extended_header_that_asks_for_gigabytes_is_skipped_not_held() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, LONGEST_EXTENSION + 1
    path = b"16 path=a/b.post\n".ljust(LONGEST_EXTENSION + BLOCK, b"\0")
    bomb = header.tobuf(tarfile.USTAR_FORMAT) + path + tar_of(("after", b"z"))
    assert [m.name for m in members(stream_of(bomb), 1000)] == ["after"]


@each("name", ["a.post", "report.json"])
def test_a_member_of_a_terabyte_ends_the_archive_unread(name: str, tmp_path: Path) -> None:
    """It was skipped, byte for byte: the hole in this file takes no room, and half an hour."""
    header = tarfile.TarInfo(name)
    header.size = 1 << 40
    path, rejects = tmp_path / "can.tar", []
    path.write_bytes(
        tar_of(("first.post", b'{"test_name": "none"}'))[: 2 * BLOCK] + header.tobuf(tarfile.GNU_FORMAT)
    )
    os.truncate(path, header.size)
    read = MEASUREMENT_SOURCES["ooni"].read(path, lambda line, why: rejects.append((line, why)))
    assert len(list(read)) == 1
    assert [line for line, why in rejects if "a member of 1,099,511,627,776 bytes" in why] == [2]


@pytest.mark.parametrize("cut", [600, 700, BLOCK + 1])
def test_an_archive_that_breaks_off_says_so(cut: int) -> None:
    archive = tar_of(("a", b"1" * 2000))
    with pytest.raises(EOFError):
        list(members(stream_of(archive[:cut]), 5000))


def test_a_damaged_header_is_no_member() -> None:
    archive = bytearray(tar_of(("a", b"1"), ("b", b"2")))
    archive[2 * BLOCK] ^= 0xFF
    with pytest.raises(tarfile.HeaderError):
        list(members(stream_of(bytes(archive)), 1000))


def test_tar_is_told_by_its_header() -> None:
    assert is_tar(tar_of(("a", b"1"))[:BLOCK])
    assert not is_tar(b"{" + b" " * 600)
    assert not is_tar(b"\0" * BLOCK)
