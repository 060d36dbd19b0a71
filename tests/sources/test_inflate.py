"""Gzip that breaks off, is damaged, or holds far more than it seems."""

import gzip
import random
import tempfile

import pytest

from fanous.sources.stream import AT_ONCE, BROKEN, Inflater
from tests.each import each

LINES = b"%032x\n" % random.Random(1).getrandbits(128) * 40_000
PACKED = gzip.compress(LINES)


def read_all(packed: bytes) -> tuple[bytes, type[Exception] | None]:
    """What can be read, and what stopped it."""
    parts: list[bytes] = []
    buffer = bytearray(1 << 16)
    with tempfile.TemporaryFile(buffering=0) as raw:
        raw.write(packed)
        raw.seek(0)
        stream = Inflater(raw)
        try:
            while size := stream.readinto(buffer):
                parts.append(bytes(buffer[:size]))
        except BROKEN as error:
            return b"".join(parts), type(error)
    return b"".join(parts), None


@pytest.mark.parametrize(
    ("packed", "content"),
    [
        (PACKED, LINES),
        (PACKED + PACKED, LINES + LINES),  # members in a row are one stream
        (PACKED + b"\0" * 1000, LINES),  # tapes and tar pad with zeros
        (gzip.compress(b"") + PACKED, LINES),
    ],
)
def test_a_whole_file_is_read_whole(packed: bytes, content: bytes) -> None:
    assert read_all(packed) == (content, None)


@pytest.mark.parametrize("missing", [1, 8, 9])
def test_a_file_without_its_trailer_gives_all_its_bytes_and_then_its_end(missing: int) -> None:
    assert read_all(PACKED[:-missing]) == (LINES, EOFError)


def test_a_file_cut_in_the_middle_gives_all_that_can_be_unpacked() -> None:
    content, error = read_all(PACKED[: len(PACKED) // 2])
    assert error is EOFError
    assert LINES.startswith(content)
    assert len(content) > 0.49 * len(LINES)


def test_a_wrong_checksum_costs_no_byte_of_what_was_unpacked() -> None:
    """The library raised in the call that unpacked the last block, and of a small file that is all there is."""
    for packed in (PACKED[:-6] + b"abcdef", PACKED[:-4] + b"abcd", PACKED + PACKED[:-8] + bytes(8)):
        content, error = read_all(packed)
        assert content == LINES * (1 + (len(packed) > len(PACKED)))
        assert error is OSError


def test_damage_in_the_middle_costs_the_block_that_was_being_unpacked() -> None:
    at = len(PACKED) // 2
    content, error = read_all(PACKED[:at] + b"\x55" * 40 + PACKED[at + 40 :])
    assert error is not None
    assert len(content) > len(LINES) // 2 - 2 * AT_ONCE


def header(flags: int, rest: bytes = b"") -> bytes:
    return b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + rest


@pytest.mark.parametrize(
    "head",
    [header(4, b"\x03\x00abc"), header(8, b"name\0"), header(16, b"words\0"), header(31, b"\0\0n\0c\0\1\2")],
)
def test_every_field_of_a_header_is_passed_over(head: bytes) -> None:
    assert read_all(head + PACKED[10:]) == (LINES, None)


@each(
    ("packed", "error"),
    [
        (header(0xE0) + PACKED[10:], OSError),
        (b"\x1f\x8b\x07" + PACKED[3:], OSError),
        (header(8, b"x" * 1_000_000), OSError),
        (header(8, b"x" * 1000), EOFError),
        (header(4, b"\xff\xff"), EOFError),
        (PACKED[:5], EOFError),
    ],
)
def test_a_header_that_makes_no_sense_ends_the_reading(packed: bytes, error: type[Exception]) -> None:
    assert read_all(packed) == (b"", error)


@pytest.mark.parametrize(
    "packed",
    [PACKED + b"not gzip", PACKED[:-6] + b"abcdef", PACKED[:9000] + b"\x55" * 40 + PACKED[9040:]],
    ids=["bytes behind it", "wrong checksum", "damaged"],
)
def test_damage_is_told_apart_from_an_early_end(packed: bytes) -> None:
    assert read_all(packed)[1] not in (None, EOFError)
