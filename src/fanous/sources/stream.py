"""Stream: the bytes and lines of a file, compressed or not, in bounded memory whatever the file claims to contain.

File names are not trusted: gzip and LZ4 (OONI's cans from before October 2020) are recognised by their first bytes,
since archives of measurements often have names that do not say what they are.  A truncated file yields every byte it
can before the error is reported; the readers of ``gzip`` and ``isal`` would lose the content of the last block, up to a
megabyte of measurements.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

from fanous.errors import FanousError
from fanous.files import open_regular
from fanous.sources.connector import OnProgress

LINE_LIMIT = 64 << 20
"""Bytes.  The largest measurements in OONI's archive are around 20 MB; a longer line is not one."""

CHUNK = 1 << 20
"""Bytes between two reports of progress; an endless line is skipped in pieces of this size."""

BUFFER = 4 << 20
"""Bytes to read at a time.  A line that crosses the end of the buffer is copied once more, and lines of a megabyte
are common."""

ENDLESS = 4 << 30
"""Bytes of one line after which the rest of a file is left unread: it would take hours where a file of some MB
unpacks to a terabyte, or a disk holds nothing but zeros."""


class EndlessLine(EOFError):
    """A line has more than ``ENDLESS`` bytes."""


BROKEN = (EOFError, OSError, zlib.error, cast(type[Exception], IsalError))  # its stub says: an instance
"""What reading raises if compressed bytes end too early or are damaged."""

FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"BZh": "compressed with bzip2",
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
}


class ByteSource:
    """An open file.

    Attributes:
        stream: the decompressed bytes.
        path: for messages.
    """

    def __init__(
        self, path: Path, raw: FileIO, stream: BufferedReader, on_progress: OnProgress | None
    ) -> None:
        self.path = path
        self.stream = stream
        self._raw = raw
        self._on_progress = on_progress
        self._told = 0

    def tell_progress(self) -> None:
        """Report how far the file has been read, at most once a chunk."""
        if self._on_progress is None:
            return
        consumed = self._raw.tell()
        if consumed - self._told >= CHUNK:
            self._told = consumed
            self._on_progress(consumed)


@contextmanager
def open_source(path: Path, on_progress: OnProgress | None = None) -> Iterator[ByteSource]:
    """The file, decompressed if it is gzip or LZ4; once it was read, its end is reported.

    Raises:
        FanousError: missing, not a file, unreadable, or in a format that has to be unpacked first.
    """
    if path.is_dir():
        raise FanousError(f"{path} is a folder: name the files in it, for example {path}/*.jsonl.gz")
    try:
        raw = cast(FileIO, open_regular(path).detach())
        try:
            magic = raw.read(16)
            raw.seek(0)
        except OSError:
            raw.close()
            raise
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise FanousError(f"Cannot read {path}: {reason}. Check the path and its permissions.") from error
    with raw:
        _refuse_foreign(path, magic)
        unpacked = Inflater(raw) if magic.startswith(MAGIC) else _unpacked_lz4(path, raw, magic)
        yield ByteSource(path, raw, BufferedReader(unpacked, BUFFER), on_progress)
        if on_progress is not None:
            on_progress(raw.tell())


LZ4 = b"\x04\x22\x4d\x18"
"""How an LZ4 frame begins."""


def _unpacked_lz4(path: Path, raw: FileIO, magic: bytes) -> io.RawIOBase:
    """The bytes of an LZ4 frame; other files as they are.  Raises ``FanousError``: the package ``lz4`` is missing."""
    if not magic.startswith(LZ4):
        return raw
    try:
        import lz4.frame
    except ImportError:
        raise FanousError(
            f"{path} is compressed with lz4: `pip install lz4`, or unpack it with `lz4 -d`"
        ) from None
    return Lz4Reader(raw, lz4.frame.LZ4FrameDecompressor)


class Lz4Reader(io.RawIOBase):
    """Decompressed bytes of ``raw``; several frames in a row are one stream.

    Raises on reading:
        EOFError: the file breaks off.
        OSError: it is damaged.
    """

    def __init__(self, raw: io.RawIOBase, begin: Callable[[], Any]) -> None:
        self._raw, self._begin = raw, begin
        self._frame: Any = begin()
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            if self._frame.eof:
                self._waiting = self._frame.unused_data or b""
                if not self._waiting:
                    self._waiting = self._raw.read(COMPRESSED) or b""
                if not self._waiting:
                    return 0
                self._frame = self._begin()
            if self._frame.needs_input and not self._waiting:
                self._waiting = self._raw.read(COMPRESSED) or b""
                if not self._waiting:
                    raise EOFError
            try:
                data: bytes = self._frame.decompress(self._waiting, max_length=min(len(view), AT_ONCE))
            except RuntimeError as error:
                raise OSError(str(error)) from error
            self._waiting = b""
            if data:
                view[: len(data)] = data
                return len(data)


def _refuse_foreign(path: Path, magic: bytes) -> None:
    for start, what in FOREIGN.items():
        if magic.startswith(start):
            raise FanousError(f"{path} is {what}: unpack it, or name a .jsonl, .csv, .gz or .tar.gz file.")


def broken_why(error: Exception) -> str:
    """The reason for people: the file breaks off, or its compressed bytes are damaged."""
    if isinstance(error, EndlessLine):
        return f"a line of more than {ENDLESS >> 20:,} MiB: the rest of the file is left unread"
    if isinstance(error, EOFError):
        return "the compressed file ends too early; what came before is kept, download it again for the rest"
    return f"the compressed file is damaged here ({error}); what came before is kept"


def read_line(stream: BufferedReader, limit: int = LINE_LIMIT) -> tuple[bytes, int]:
    """The next line with its line break, and its full length in bytes.

    A line longer than ``limit`` is skipped without being kept in memory, and the first part is then empty.  The
    end of the file is ``(b"", 0)``.

    Raises:
        EndlessLine: it does not end.
    """
    line = stream.readline(limit + 1)
    length = len(line)
    if length <= limit or line.endswith(b"\n"):
        return line, length
    del line
    while True:
        more = stream.readline(CHUNK)
        length += len(more)
        if not more or more.endswith(b"\n"):
            return b"", length
        if length > ENDLESS:
            raise EndlessLine


MAGIC = b"\x1f\x8b"
COMPRESSED = 1 << 17
"""Bytes read from the file at a time."""

RAW_DEFLATE = -15
"""zlib's ``wbits`` for raw deflate.  Header and trailer are read here: the library verifies the checksum in the
call that decompresses the last block, and would lose everything that this call had unpacked."""

AT_ONCE = 1 << 18
"""Bytes unpacked in one call.  If compressed bytes are damaged in the middle, the library keeps nothing from the call:
the rest is unpacked again, by ``_before_damage``."""

DAMAGED = cast("type[Exception]", IsalError)
SLOWLY = 1 << 12
"""Compressed bytes unpacked at a time there; then one by one."""

LONGEST_HEADER = 1 << 17
"""Most bytes of a gzip header.  It may have a file name and a comment of any length; none is longer than this."""

TRAILER = 8
"""Bytes: CRC-32 and length modulo 2**32 of what was compressed (RFC 1952, section 2.3.1)."""

FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED = 2, 4, 8, 16, 0xE0
"""Bits of a gzip header's flags."""


class Inflater(io.RawIOBase):
    """Decompressed bytes of ``raw``; several gzip members in a row are one stream (RFC 1952 section 2.2).

    Everything that was unpacked is returned before an error is raised.

    Raises on reading:
        EOFError: the file breaks off.
        OSError, isal's IsalError: it is damaged.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._waiting = b""
        self._member: Any = None
        self._crc = self._length = self._member_at = 0
        self._damage: Exception | None = None
        self._saved = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._damage is not None:
            return self._salvage(view, self._damage)
        while self._member is not None or self._begin_member():
            if self._member.eof:
                self._end_member()
                continue
            ended = not self._waiting and not self._more()
            try:
                data = self._member.decompress(self._waiting, min(len(view), AT_ONCE))
            except DAMAGED as damage:
                self._damage, self._saved = damage, self._before_damage()
                return self._salvage(view, damage)
            self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if data:
                self._crc, self._length = isal_zlib.crc32(data, self._crc), self._length + len(data)
                view[: len(data)] = data
                return len(data)
            if ended and not self._member.eof:
                raise EOFError
        return 0

    def _salvage(self, view: memoryview, damage: Exception) -> int:
        if not self._saved:
            raise damage
        data, self._saved = self._saved[: len(view)], self._saved[len(view) :]
        view[: len(data)] = data
        return len(data)

    def _before_damage(self) -> bytes:
        """The content of the damaged member after what was already returned, up to the first byte that makes no
        sense."""
        unpacker, known, found = zlib.decompressobj(RAW_DEFLATE), self._length, b""
        self._raw.seek(self._member_at)
        while piece := self._raw.read(SLOWLY):
            before = unpacker.copy()
            try:
                found += unpacker.decompress(piece)
            except zlib.error:
                with suppress(zlib.error):
                    for byte in piece:
                        found += before.decompress(bytes([byte]))
                return found[known:]
            known, found = max(0, known - len(found)), found[known:]
            if len(found) > AT_ONCE:  # more than the call would have given
                break
        return found

    def _more(self) -> bool:
        """Add the next bytes of the file to those waiting; false at its end."""
        more = self._raw.read(COMPRESSED) or b""
        self._waiting += more
        return bool(more)

    def _take(self, count: int) -> bytes:
        while len(self._waiting) < count:
            if not self._more():
                raise EOFError
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _begin_member(self) -> bool:
        """Read the next member's header, if there is one; zeros after the last are padding."""
        self._waiting = self._waiting.lstrip(b"\0")
        while len(self._waiting) < len(MAGIC) and self._more():
            self._waiting = self._waiting.lstrip(b"\0")
        if not self._waiting:
            return False
        if not self._waiting.startswith(MAGIC):
            raise OSError("unexpected bytes follow the compressed data")
        flags = self._header()
        if flags & FEXTRA:
            self._take(int.from_bytes(self._take(2), "little"))
        for flag in (FNAME, FCOMMENT):
            if flags & flag:
                self._skip_text()
        if flags & FHCRC:
            self._take(2)
        self._member = isal_zlib.decompressobj(RAW_DEFLATE)
        self._member_at = self._raw.tell() - len(self._waiting)
        self._crc = self._length = 0
        return True

    def _header(self) -> int:
        """The flags."""
        header = self._take(10)
        if header[2] != 8 or header[3] & RESERVED:
            raise OSError("this is not a gzip header")
        return header[3]

    def _skip_text(self) -> None:
        """Skip up to and including the next zero byte."""
        at = self._waiting.find(b"\0")
        while at < 0:
            if len(self._waiting) > LONGEST_HEADER:
                raise OSError("a gzip header is cut short")
            if not self._more():
                raise EOFError
            at = self._waiting.find(b"\0")
        self._waiting = self._waiting[at + 1 :]

    def _end_member(self) -> None:
        self._member = None
        trailer = self._take(TRAILER)
        written = self._crc.to_bytes(4, "little") + (self._length & 0xFFFFFFFF).to_bytes(4, "little")
        if trailer != written:
            raise OSError("its checksum does not match the content")
