"""Native: columns as bytes in ClickHouse's format of that name, as the engine reads an insert.

The client can write it too, row by row in Python, which took longer than what the engine does with it.  Here each
column takes a few passes at the speed of C, and a value that is the same in all rows of a measurement is written once
and repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, repeat
from struct import calcsize, pack
from typing import Any


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column in which each value is in several rows, one after another.

    Attributes:
        values: one per run.
        sizes: rows of each run.
    """

    values: list[Any]
    sizes: list[int]

    def __len__(self) -> int:
        return sum(self.sizes)


Columns = Mapping[str, list[Any] | Repeated]
"""Name of a column -> its values, one per row."""

_CODES = {
    "UInt16": "H",
    "UInt32": "I",
    "Int32": "i",
    "Int64": "q",
    "Float64": "d",
    "DateTime64(6, 'UTC')": "q",  # microseconds
}
"""Kind of a column -> its values' code of ``struct``."""

_KEYS_VERSION = (1).to_bytes(8, "little")
_OWN_WORDS = 1 << 9 | 1 << 10
"""Flags of a column of words: they come with it, and are its own."""

_LENGTHS = [bytes([length]) for length in range(128)]


def native(columns: Columns, kinds: Mapping[str, str]) -> bytes:
    """Columns of equal length, at least one row, as one block.

    Raises:
        UnicodeError, struct.error, TypeError, ValueError: a value does not fit its column.
    """
    rows = len(next(iter(columns.values())))
    parts = [_length(len(columns)), _length(rows)]
    for name, column in columns.items():
        kind = kinds[name]
        parts += [_text(name), _text(kind)]
        if isinstance(column, Repeated):
            some = [*compress(column.values, column.sizes)]  # no word is written that no row has
            parts += _written(kind, some, [*filter(None, column.sizes)])
        else:
            parts += _written(kind, column, None)
    return b"".join(parts)


def _written(kind: str, values: Sequence[Any], sizes: Sequence[int] | None) -> list[bytes]:
    if kind.startswith("LowCardinality("):
        return _words(values, sizes, is_nullable="Nullable(" in kind)
    if kind == "String":
        written = map(_Texts().__getitem__, values)
        return [*(written if sizes is None else map(bytes.__mul__, written, sizes))]
    if kind in _CODES:
        return [_numbers(_CODES[kind], values, sizes)]
    if kind == "Bool":
        return [_repeated(bytes(map(bool, values)), 1, sizes)]
    if sizes is not None:
        return _written(kind, [*chain.from_iterable(map(repeat, values, sizes))], None)
    inner = kind.partition("(")[2].removesuffix(")")
    if kind.startswith("Array("):
        ends = _numbers("Q", [*accumulate(map(len, values))], None)
        return [ends, *_written(inner, [*chain.from_iterable(filter(None, values))], None)]
    if kind.startswith("Nullable("):
        missing = bytes([one is None for one in values])
        return [missing, *_written(inner, [0 if one is None else one for one in values], None)]
    raise ValueError(f"no column of this store is of the kind {kind}")


class _Places(dict[Any, int]):
    """Each different word, and how many came before it."""

    def __missing__(self, word: Any) -> int:
        self[word] = place = len(self)
        return place


class _Texts(dict[str, bytes]):
    """Each different text as it is written."""

    def __missing__(self, text: str) -> bytes:
        self[text] = written = _text(text)
        return written


def _words(values: Sequence[Any], sizes: Sequence[int] | None, *, is_nullable: bool) -> list[bytes]:
    """The different texts, and for each row the place of its own among them.

    Args:
        is_nullable: the first place stands for None.
    """
    places = _Places({None: 0} if is_nullable else {})
    own = [*map(places.__getitem__, values)]
    count = len(places)
    width = (count.bit_length() - 1) // 8  # of a place: 1, 2, 4 or 8 bytes
    return [
        _KEYS_VERSION,
        pack("<QQ", _OWN_WORDS | width, count),
        *(b"\0" if is_nullable and word is None else _text(word) for word in places),
        pack("<Q", len(values) if sizes is None else sum(sizes)),
        _repeated(bytes(own), 1, sizes) if width == 0 else _numbers("BHIQ"[width], own, sizes),
    ]


def _numbers(code: str, values: Sequence[Any], sizes: Sequence[int] | None) -> bytes:
    return _repeated(pack(f"<{len(values)}{code}", *values), calcsize(f"<{code}"), sizes)


def _repeated(written: bytes, width: int, sizes: Sequence[int] | None) -> bytes:
    if sizes is None:
        return written
    places = range(0, len(written), width)
    return b"".join([written[at : at + width] * size for at, size in zip(places, sizes, strict=True)])


def _text(text: str) -> bytes:
    written = text.encode()
    length = len(written)
    return (_LENGTHS[length] if length < 128 else _length(length)) + written


def _length(length: int) -> bytes:
    """As a variable number of bytes (LEB128)."""
    written = bytearray()
    while length > 127:
        written.append(length & 127 | 128)
        length >>= 7
    written.append(length)
    return bytes(written)
