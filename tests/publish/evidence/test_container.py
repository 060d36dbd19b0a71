"""The file around the parts: one spelling, and every other refused."""

import io
import tarfile
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.publish.evidence.container import BundleRefused, pack_parts, read_parts, unpack_parts
from tests.each import each

PARTS = {"one.json": b"{}", "two.bin": bytes(range(256)) * 3, "empty": b""}
PACKED = pack_parts(PARTS)


def test_what_was_packed_comes_out() -> None:
    assert unpack_parts(PACKED) == PARTS


def test_tar_opens_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(PACKED)) as archive:
        opened = {member.name: archive.extractfile(member) for member in archive}
    assert {name: file.read() for name, file in opened.items() if file} == PARTS


def test_every_byte_around_the_content_is_determined() -> None:
    """If any byte changes, the content changes with it or the file is refused."""
    for at in range(len(PACKED)):
        changed = bytearray(PACKED)
        changed[at] ^= 1
        try:
            parts = unpack_parts(bytes(changed))
        except BundleRefused:
            continue
        assert pack_parts(parts) == bytes(changed)
        assert parts != PARTS


@each("cut", [0, 1, 511, 512, 700, len(PACKED) - 1024, len(PACKED) - 1])
def test_a_file_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(BundleRefused):
        unpack_parts(PACKED[:cut])


def test_something_added_is_refused() -> None:
    with pytest.raises(BundleRefused):
        unpack_parts(PACKED + bytes(512))


def test_a_part_that_is_there_twice_is_refused() -> None:
    once = pack_parts({"a": b"1"})[:-1024]
    with pytest.raises(BundleRefused, match="twice"):
        unpack_parts(once + once + bytes(1024))


def test_more_parts_than_a_bundle_has_are_refused() -> None:
    with pytest.raises(BundleRefused, match="more parts"):
        unpack_parts(pack_parts({str(n): b"" for n in range(100)}))


def test_a_length_that_is_a_lie_is_refused() -> None:
    entry = tarfile.TarInfo("a")
    entry.size = 1 << 29
    with pytest.raises(BundleRefused, match="cut off"):
        unpack_parts(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))


def test_links_and_folders_are_refused() -> None:
    entry = tarfile.TarInfo("a")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(BundleRefused, match="header"):
        unpack_parts(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"b\.fan"):
        read_parts(tmp_path / "b.fan")


def test_a_file_larger_than_any_bundle_is_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "b.fan"
    with huge.open("wb") as file:
        file.truncate(1 << 31)  # sparse: it takes no room
    with pytest.raises(BundleRefused, match="larger"):
        read_parts(huge)
