"""Gzip that breaks off, is damaged, or holds far more than it seems."""

import gzip
import random
import tempfile

import pytest

from fanous.sources.stream import BROKEN, Inflater

LINES = b"".join(b"%032x\n" % random.Random(1).getrandbits(128) for _ in range(40_000))
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


@pytest.mark.parametrize(
    "packed",
    [PACKED + b"not gzip", PACKED[:-6] + b"abcdef", PACKED[:9000] + b"\x55" * 40 + PACKED[9040:]],
    ids=["bytes behind it", "wrong checksum", "damaged"],
)
def test_damage_is_told_apart_from_an_early_end(packed: bytes) -> None:
    assert read_all(packed)[1] not in (None, EOFError)
