"""Container: named parts in one plain tar file in which every byte is determined.

``tar xf`` opens it.  The reader accepts only what the writer writes - fixed headers, zero padding, two zero blocks,
nothing after them - so that no byte can change unnoticed.

Redacted records are zstd JSON lines, each with the name of its source; series from public sources are lines too,
one per series. They contain nothing about a person: a source, a place, a signal, and one value per bin. Where the
terms of a source do not allow passing on its values, a digest stands for them.
"""

import io
import os
import sys
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import nan
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType

from fanous.analysis.series.signals import SIGNALS
from fanous.base.files import open_regular
from fanous.base.text import quoted
from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.model.place import Access, Place
from fanous.model.series import Floats, Ints, Series, SeriesKey, SourceSeries
from fanous.sources.publishers import has_series
from fanous.store.series import check_series

BLOCK = 512
MOST_BYTES = 1 << 30
"""Bytes; a bundle of a million measurements has some 100 MB, and a larger file is not read into memory."""

MOST_PARTS = 32


class BundleRefused(FanousError):
    """The bundle must not be trusted; the message says which part and why."""


def pack_parts(parts: Mapping[str, bytes]) -> bytes:
    """The file, in the order of the parts."""
    blocks = []
    for name, content in parts.items():
        blocks += [_header(name, len(content)), content, bytes(-len(content) % BLOCK)]
    return b"".join([*blocks, bytes(2 * BLOCK)])


def read_parts(path: Path) -> dict[str, bytes]:
    """The parts by name, in order.

    Raises:
        BundleRefused: it is not a bundle, or a byte differs from what the writer writes.
        FanousError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                raise BundleRefused(f"{path} is larger than {MOST_BYTES >> 20} MiB, which no bundle is")
            if file.peek(BLOCK):
                _read_header(file.peek(BLOCK)[:BLOCK])  # before a large file of another kind fills the memory
            content = file.read()
    except OSError as error:
        raise FanousError(f"cannot read the bundle {path}: {error.strerror}; check the path") from error
    return unpack_parts(content)


def unpack_parts(content: bytes) -> dict[str, bytes]:
    """See ``read_parts``."""
    parts: dict[str, bytes] = {}
    at = 0
    while content[at : at + BLOCK].strip(b"\0"):
        name, size = _read_header(content[at : at + BLOCK])
        at += BLOCK
        end = at + size
        padded = end + -size % BLOCK
        if padded > len(content) or any(content[end:padded]):
            raise BundleRefused(
                f"the part {quoted(name)} is cut off, or followed by something that is not padding"
            )
        if name in parts or len(parts) >= MOST_PARTS:
            raise BundleRefused(
                f"the part {quoted(name)} is there twice, or there are more parts than a bundle has"
            )
        parts[name] = content[at:end]
        at = padded
    if not parts or content[at:] != bytes(2 * BLOCK):
        raise BundleRefused(
            "this is not an evidence bundle, or it is cut off, or something was added at its end"
        )
    return parts


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.USTAR_FORMAT)


def _read_header(block: bytes) -> tuple[str, int]:
    try:
        entry = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.TarError, UnicodeError, ValueError) as error:
        raise BundleRefused(
            f"this is not an evidence bundle: its tar headers are damaged ({quoted(error)})"
        ) from error
    try:
        same = 0 <= entry.size <= MOST_BYTES and _header(entry.name, entry.size) == block
    except (ValueError, UnicodeError):
        same = False
    if not same:
        raise BundleRefused("one of its headers does not belong to a bundle")
    return entry.name, entry.size


if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 9
"""zstd level. Records repeat each other: on the Kenyan ones, level 9 takes half the bytes of the default and 1 s
more."""

WINDOW_LOG = 27
"""Log2 of the most memory that unpacking may take, 128 MiB (zstd's own limit for untrusted frames)."""

MOST_UNPACKED = 8 << 30
"""Bytes of all unpacked lines: 100 times the Kenyan case, and far less than a decompression bomb."""

MOST_RATIO, LEAST_UNPACKED = 200, 64 << 20
"""How many times its packed size a part may unpack to, and how many bytes any part may: redacted records of one network
repeat each other up to fiftyfold.
"""

MOST_SERIES, MOST_BINS = 100_000, 50_000_000
"""Series of a bundle, and values of all of them, which are held in memory: 130 MB and 800 MB.  A country with all its
networks has some hundreds, of some thousand values."""

LONGEST_LINE = 64 << 20
CHUNK = 1 << 20

Decoded = TypeVar("Decoded")


class RecordLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line: ``record`` is the redacted record as its source parses it."""

    source: str
    record: Raw


_decoder = msgspec.json.Decoder(RecordLine)


class LineWriter:
    """Compresses lines as they come, so that only packed lines are held in memory.

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


def unpack_lines(packed: bytes, name: str) -> Iterator[Record]:
    """The records of a part, one by one.

    Raises:
        BundleRefused: it does not unpack, is longer than any bundle's, or contains something else.
    """
    for number, decoded in unpacked(packed, name, _decoder, "a record"):
        yield Record(decoded.source, bytes(decoded.record), file=name, line=number)


def unpacked(
    packed: bytes, name: str, decoder: msgspec.json.Decoder[Decoded], what: str
) -> Iterator[tuple[int, Decoded]]:
    """Number and content of each line of a packed part.

    Raises:
        BundleRefused: it does not unpack, is longer than any bundle, or a line is not ``what``.
    """
    for number, line in enumerate(_lines(packed, name), 1):
        try:
            yield number, decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BundleRefused(f"{name}, line {number}: not {what} ({quoted(error)})") from error


def _lines(packed: bytes, name: str) -> Iterator[bytes]:
    rest, total = b"", 0
    most = min(MOST_UNPACKED, max(LEAST_UNPACKED, MOST_RATIO * len(packed)))
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
    try:
        with zstd.ZstdFile(io.BytesIO(packed), options=options) as file:
            while chunk := file.read(CHUNK):
                total += len(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                if total > most or len(rest) > LONGEST_LINE:
                    raise BundleRefused(f"{name} unpacks to more than any bundle holds")
                yield from whole
    except (zstd.ZstdError, EOFError, MemoryError) as error:
        raise BundleRefused(f"{name} does not unpack: {error}") from error
    if rest:
        raise BundleRefused(f"{name} ends in the middle of a line")


class SeriesLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One series; ``times`` are unix seconds at which each bin begins, ``values`` as published by the source.

    Either has ``values`` or, if they may not be passed on, their digest ``sha256`` (``digest_of``).
    """

    source: str
    signal: str
    subtype: str
    country: str
    region: str
    asn: int
    access: Access
    target: str
    step: int
    times: list[int]
    values: list[float] | UnsetType = UNSET
    sha256: str | UnsetType = UNSET


_series_lines_decoder = msgspec.json.Decoder(SeriesLine)


def digest_of(times: Ints, values: Floats) -> str:
    """SHA-256, in hex, of the times and then the values: 8 bytes each, little-endian integers and IEEE 754 doubles."""
    return sha256(times.astype("<i8").tobytes() + values.astype("<f8").tobytes()).hexdigest()


def pack_series(series: Iterable[Series], closed: Collection[tuple[SeriesKey, int]] = ()) -> bytes:
    """Series as one packed part.

    Args:
        closed: key and step of those whose values may not be passed on.
    """
    writer = LineWriter()
    for packed in series:
        key, place = packed.key, packed.key.place
        is_closed = (key, packed.step) in closed
        writer.add_line(
            SeriesLine(
                key.source, key.signal, key.subtype, place.country, place.region, place.asn, key.access,
                key.target, packed.step, packed.times.tolist(),
                UNSET if is_closed else packed.values.tolist(),
                digest_of(packed.times, packed.values) if is_closed else UNSET,
            )
        )  # fmt: skip
    return writer.packed()


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """A series without its values, which may not be passed on.

    Attributes:
        series: all values are NaN.
        sha256: digest of the values (``digest_of``).
    """

    series: SourceSeries
    sha256: str

    def found_in(self, series_here: Sequence[SourceSeries]) -> SourceSeries | None:
        """Its values, if one of these series has exactly them."""
        series = self.series
        for candidate in series_here:
            if (candidate.key, candidate.step) == (series.key, series.step):
                same = np.isin(candidate.times, series.times)
                if digest_of(candidate.times[same], candidate.values[same]) == self.sha256:
                    return replace(series, times=candidate.times[same], values=candidate.values[same])
        return None


class Unpacked(NamedTuple):
    """The series of a part, and those that it names without their values."""

    series: list[SourceSeries]
    withheld: list[Withheld]


def unpack_series(packed: bytes, name: str) -> Unpacked:
    """The series of a part, as a store accepts them.

    Raises:
        BundleRefused: it does not unpack, or a line is not a series that this version knows.
    """
    found, bins = Unpacked([], []), 0
    for number, line in unpacked(packed, name, _series_lines_decoder, "a series"):
        bins += len(line.times)
        if number > MOST_SERIES or bins > MOST_BINS:
            raise BundleRefused(f"{name} holds more series or values than any bundle")
        if not has_series(line.source) or line.signal not in SIGNALS or line.step <= 0:
            raise BundleRefused(
                f"{name}, line {number}: no source {quoted(line.source)} with the signal {quoted(line.signal)}"
            )
        place = f"{name}, line {number}"
        if (line.values is UNSET) == (line.sha256 is UNSET):
            raise BundleRefused(f"{place}: a series has either values or their digest")
        values = [nan] * len(line.times) if line.values is UNSET else line.values
        if len(line.times) != len(values):
            raise BundleRefused(f"{place}: {len(line.times)} times and {len(values)} values")
        levels = _levels(line, values, place)
        if line.sha256 is UNSET:
            found.series.append(levels)
        else:
            found.withheld.append(Withheld(levels, line.sha256))
    return found


def _levels(line: SeriesLine, values: list[float], place: str) -> SourceSeries:
    key = SeriesKey(
        Place(line.country, line.asn, line.region), line.target, line.signal, line.access, 0,
        line.source, line.subtype,
    )  # fmt: skip
    try:
        levels = SourceSeries(key, line.step, np.array(line.times, np.int64), np.array(values, np.float64))
        check_series([levels])
    except (ValueError, OverflowError) as error:
        raise BundleRefused(f"{place}: {quoted(error)}") from error
    return levels
