"""Stream: the bytes and lines of a file, compressed or not, with bounded memory whatever the file claims to hold.

File names are not trusted: gzip is recognised by its first bytes, since archives of measurements often have
names that do not say what they are.  A truncated file yields every byte it can before the error is reported;
the readers of ``gzip`` and ``isal`` would lose the content of the last block, up to a megabyte of
measurements.
"""

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

from fanous.errors import FanousError
from fanous.sources.connector import OnProgress

LINE_LIMIT = 64 << 20
"""Bytes.  The largest measurements in OONI's archive are around 20 MB; a longer line is not one."""

CHUNK = 1 << 20
"""Bytes between two reports of progress; an endless line is skipped in pieces of this size."""

BUFFER = 4 << 20
"""Bytes to read at a time.  A line that crosses the end of the buffer is copied once more, and lines of a megabyte
are common."""

BROKEN = (EOFError, OSError, zlib.error, cast(type[Exception], IsalError))  # its stub says: an instance
"""What reading raises if compressed bytes end too early or are damaged."""

FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
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

    def finish(self) -> None:
        """Report the end of the file."""
        if self._on_progress is not None:
            self._on_progress(self._raw.tell())


@contextmanager
def open_source(path: Path, on_progress: OnProgress | None = None) -> Iterator[ByteSource]:
    """The file, decompressed if it is gzip.

    Raises:
        FanousError: missing, not a file, unreadable, or in a format that has to be unpacked first.
    """
    if path.is_dir():
        raise FanousError(f"{path} is a folder: name the files in it, for example {path}/*.jsonl.gz")
    try:
        raw = FileIO(path, "r")
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise FanousError(f"Cannot read {path}: {reason}. Check the path and its permissions.") from error
    with raw:
        magic = raw.read(16)
        raw.seek(0)
        _refuse_foreign(path, magic)
        unpacked = Inflater(raw) if magic.startswith(MAGIC) else raw
        yield ByteSource(path, raw, BufferedReader(unpacked, BUFFER), on_progress)


def _refuse_foreign(path: Path, magic: bytes) -> None:
    for start, what in FOREIGN.items():
        if magic.startswith(start):
            raise FanousError(f"{path} is {what}: unpack it, or name a .jsonl, .csv, .gz or .tar.gz file.")


def broken_why(error: Exception) -> str:
    """The reason for people: the file breaks off, or its compressed bytes are damaged."""
    if isinstance(error, EOFError):
        return "the compressed file ends too early; what came before is kept, download it again for the rest"
    return f"the compressed file is damaged here ({error}); what came before is kept"


def read_line(stream: BufferedReader, limit: int = LINE_LIMIT) -> tuple[bytes, int]:
    """The next line with its line break, and its full length in bytes.

    A line longer than ``limit`` is skipped without being kept in memory, and the first part is then empty.  The
    end of the file is ``(b"", 0)``.
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


MAGIC = b"\x1f\x8b"
COMPRESSED = 1 << 17
"""Bytes read from the file at a time."""

GZIP_WINDOW = 31
"""zlib's ``wbits`` for a gzip header and trailer, whose checksum is verified."""


class Inflater(io.RawIOBase):
    """Decompressed bytes of ``raw``; several gzip members in a row are one stream (RFC 1952 section 2.2).

    Raises on reading:
        EOFError: the file breaks off.
        OSError, isal's IsalError: it is damaged.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._waiting = b""
        self._member: Any = isal_zlib.decompressobj(GZIP_WINDOW)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            if self._member.eof and not self._next_member():
                return 0
            if not self._waiting:
                self._waiting = self._raw.read(COMPRESSED) or b""
                ended = not self._waiting
            else:
                ended = False
            data = self._member.decompress(self._waiting, len(view))
            self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if data:
                view[: len(data)] = data
                return len(data)
            if ended and not self._member.eof:
                raise EOFError

    def _next_member(self) -> bool:
        """Begin the next member, if there is one; zeros after the last are padding."""
        while len(self._waiting) < len(MAGIC):
            more = self._raw.read(COMPRESSED)
            if not more:
                break
            self._waiting = (self._waiting + more).lstrip(b"\0")
        self._waiting = self._waiting.lstrip(b"\0")
        if not self._waiting:
            return False
        if not self._waiting.startswith(MAGIC):
            raise OSError("there are other bytes after the compressed data")
        self._member = isal_zlib.decompressobj(GZIP_WINDOW)
        return True
