"""Lines: redacted records as zstd JSON lines, each with the name of its source."""

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from fanous.model.record import Record
from fanous.publish.evidence.container import BundleRefused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 9
"""Records repeat each other: on the Kenyan ones 9 takes half the bytes of the default and 1 s more."""

WINDOW_LOG = 27
"""128 MiB: the most memory that reading may take (zstd's own limit for untrusted frames)."""

MOST_UNPACKED = 8 << 30
"""Bytes of all lines: 100 times the Kenyan case; a bomb of a thousandfold ratio ends here."""

LONGEST_LINE = 64 << 20
CHUNK = 1 << 20

Decoded = TypeVar("Decoded")


class RecordLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line: ``record`` is the redacted record as its source parses it."""

    source: str
    record: Raw


_decoder = msgspec.json.Decoder(RecordLine)


class LineWriter:
    """Compresses lines as they come, so that memory holds the packed ones alone.

    Attributes:
        count: lines written.
    """

    def __init__(self) -> None:
        self.count = 0
        self._compressor = zstd.ZstdCompressor(LEVEL)
        self._packed: list[bytes] = []

    def add(self, record: Record) -> None:
        self.add_line(RecordLine(record.source, Raw(record.data)))

    def add_line(self, line: Struct) -> None:
        self._packed.append(self._compressor.compress(msgspec.json.encode(line) + b"\n"))
        self.count += 1

    def packed(self) -> bytes:
        """One zstd frame; nothing can be added after it."""
        return b"".join([*self._packed, self._compressor.flush()])


def pack_lines(records: Iterable[Record]) -> bytes:
    """Records as one packed part."""
    writer = LineWriter()
    for record in records:
        writer.add(record)
    return writer.packed()


def unpack_lines(packed: bytes, name: str) -> Iterator[Record]:
    """The records of a part, one by one.

    Raises:
        Refused: it does not unpack, is longer than any bundle, or holds something else.
    """
    for number, decoded in unpacked(packed, name, _decoder, "a record"):
        yield Record(decoded.source, bytes(decoded.record), file=name, line=number)


def unpacked(
    packed: bytes, name: str, decoder: msgspec.json.Decoder[Decoded], what: str
) -> Iterator[tuple[int, Decoded]]:
    """Number and content of each line of a packed part.

    Raises:
        Refused: it does not unpack, is longer than any bundle, or a line is not ``what``.
    """
    for number, line in enumerate(_lines(packed, name), 1):
        try:
            yield number, decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BundleRefused(f"{name}, line {number}: not {what} ({error})") from error


def _lines(packed: bytes, name: str) -> Iterator[bytes]:
    rest, total = b"", 0
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
    try:
        with zstd.ZstdFile(io.BytesIO(packed), options=options) as file:
            while chunk := file.read(CHUNK):
                total += len(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                if total > MOST_UNPACKED or len(rest) > LONGEST_LINE:
                    raise BundleRefused(f"{name} unpacks to more than any bundle holds")
                yield from whole
    except (zstd.ZstdError, EOFError, MemoryError) as error:
        raise BundleRefused(f"{name} does not unpack: {error}") from error
    if rest:
        raise BundleRefused(f"{name} ends in the middle of a line")
