"""Stream: reads files written by anyone: their bytes and lines, compressed or not, in bounded memory whatever a file
claims to contain, and no record stops what comes after it.

File names are not trusted: gzip and LZ4 (OONI's cans from before October 2020) are recognised by their first bytes,
since archives of measurements often have names that do not say what they are.  A truncated file yields every byte it
can before the error is reported; the readers of ``gzip`` and ``isal`` would lose the content of the last block, up to a
megabyte of measurements.

A record that ends the process which reads it (by a fault in a library, or because memory runs out) would do so again
and again, and keep everything behind it from being read.  So each is noted before the work on it begins, where the note
outlives the process.  One that was being worked on when a process ended is suspected: it may have been another's fault,
so it is tried a second time.  If that ends in the same way, the record is known as fatal, by the digest of its bytes,
and is rejected without being read.  A suspect is known by its length and a checksum of its beginning, which cost next
to nothing; the digest is computed for those alone.
"""

import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from io import BufferedReader, FileIO
from pathlib import Path
from struct import Struct
from time import time
from typing import Any, cast

import msgspec
from isal import isal_zlib
from isal.igzip_lib import IsalError

from fanous.base.files import open_regular, read_regular, write_durably
from fanous.errors import FanousError, Rejected
from fanous.model.threshold import threshold
from fanous.sources.connector import OnProgress

LINE_LIMIT = threshold(
    "sources.line_bytes",
    64 << 20,
    "A longer line is not a measurement: the largest in OONI's archive are around 20 MB.",
)

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
        return "the file ends too early; what came before is kept, download it again for the rest"
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


# --- records that end the process ------------------------------------------------------------------------

MOST_FATAL = 10_000
"""Records remembered as fatal; of more, the newest."""

_LARGEST_BOOK = 4 << 20

_NOTE = Struct("<QQII32s")
_BETWEEN = _NOTE.pack(0, 0, 0, 0, b"")
"""The note between two records."""

CHECKED = 16 << 10
"""Bytes at the beginning of a record that its mark depends on."""

Mark = tuple[int, int]
"""What a suspect is known by: bytes, and checksum of its beginning."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A record that is being worked on.

    Attributes:
        line: 1-based number of the line or member; 0 = between two records.
        size: bytes.
        file: place of its file among those of a worker.
        digest: SHA-256 of its bytes, if it was suspected before; else zeros.
    """

    line: int
    size: int
    crc: int
    file: int
    digest: bytes

    @property
    def mark(self) -> Mark:
        return self.size, self.crc


class _Written(msgspec.Struct):
    """The book as it is kept: marks, and hexadecimal digests with the size of the record."""

    suspected: list[Mark] = []
    fatal: dict[str, int] = {}


@dataclass(slots=True)
class Book:
    """The records whose reading ended a process.

    Attributes:
        path: where it is kept; ``None`` = in memory only.
    """

    path: Path | None = None
    suspected: set[Mark] = field(default_factory=set)
    fatal: dict[bytes, int] = field(default_factory=dict)
    sizes: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.path is not None:
            with suppress(OSError, FanousError, msgspec.MsgspecError, ValueError):
                read = msgspec.json.decode(read_regular(self.path, _LARGEST_BOOK, "a list"), type=_Written)
                self.suspected = set(read.suspected)
                self.fatal = {bytes.fromhex(digest): size for digest, size in read.fatal.items()}
        self._measure()

    def died(self, note: Begun) -> bool:
        """Record that a process ended while it worked on this; returns whether the record is now known as fatal."""
        is_second = note.mark in self.suspected and any(note.digest)
        if is_second:
            self.suspected.discard(note.mark)
            self.fatal[note.digest] = note.size
            while len(self.fatal) > MOST_FATAL:
                del self.fatal[next(iter(self.fatal))]
        else:
            if len(self.suspected) >= MOST_FATAL:
                self.suspected.clear()
            self.suspected.add(note.mark)
        self._keep()
        return is_second

    def survived(self, mark: Mark) -> None:
        """A suspect was read to its end."""
        self.suspected.discard(mark)
        self._keep()

    def digest_for(self, data: bytes) -> bytes:
        """The digest to note for a record of a size that is in the book.

        Raises:
            Rejected: it is known as fatal.
        """
        digest = sha256(data).digest()
        if digest in self.fatal:
            again = f"; to have it tried again, remove {self.path}" if self.path else ""
            raise Rejected(f"the process that read it was killed or crashed, twice: it is left out{again}")
        return digest

    def _measure(self) -> None:
        self.sizes = {size for size, _ in self.suspected} | set(self.fatal.values())

    def _keep(self) -> None:
        self._measure()
        if self.path is None:
            return
        if not self.sizes:
            self.path.unlink(missing_ok=True)
            return
        written = _Written(sorted(self.suspected), {one.hex(): size for one, size in self.fatal.items()})
        with suppress(OSError):  # a full disk: the next death writes it
            write_durably(self.path, msgspec.json.encode(written), ".new", time())


class Slot:
    """The note of one process, in a file; a ``connector.Working``.

    Args:
        file: a descriptor.
        on_survived: called with a suspect that was read to its end.
    """

    def __init__(self, file: int, book: Book, on_survived: Callable[[Mark], None]) -> None:
        self._file, self._book, self._on_survived = file, book, on_survived
        self._is_noted = False
        self._suspect: Mark | None = None
        self._index = 0
        self._between = _BETWEEN

    def turn_to(self, index: int) -> None:
        """The file with this place among those of a worker is read next."""
        self._index = index
        self._between = _NOTE.pack(0, 0, 0, index, b"")
        self._write(self._between)

    def begin(self, line: int, data: bytes) -> None:
        self.end()
        size, crc = len(data), isal_zlib.crc32(data[:CHECKED])
        digest = self._book.digest_for(data) if size in self._book.sizes else b""
        if digest and (size, crc) in self._book.suspected:
            self._suspect = size, crc
        self._is_noted = True
        self._write(_NOTE.pack(line, size, crc, self._index, digest))

    def end(self) -> None:
        if not self._is_noted:
            return
        self._is_noted = False
        self._write(self._between)
        if self._suspect is not None:
            self._on_survived(self._suspect)
            self._suspect = None

    def _write(self, note: bytes) -> None:
        with suppress(OSError):  # a full disk must not keep anything from being read
            os.pwrite(self._file, note, 0)


def noted(file: int) -> Begun:
    """What a slot says."""
    written = os.pread(file, _NOTE.size, 0)
    return Begun(*_NOTE.unpack(written.ljust(_NOTE.size, b"\0")))
