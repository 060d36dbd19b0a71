"""Attempts: which record a process is working on, written where it outlives the process.

A record that ends the process which reads it (by a fault in a library, or because memory runs out) would do so again
and again, and keep everything behind it from being read.  So each is noted before the work on it begins.  One that was
being worked on when a process ended is suspected: it may have been another's fault, so it is tried a second time.
If that ends in the same way, the record is known as fatal, by the digest of its bytes, and is rejected without being
read.

A suspect is known by its length and a checksum of its beginning, which cost next to nothing; the digest is computed for
those alone.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from struct import Struct
from time import time

import msgspec
from isal.isal_zlib import crc32

from fanous.errors import FanousError, Rejected
from fanous.files import read_regular, write_durably
from fanous.store.location import FATAL, READING

MOST_SLOTS = 64
"""Threads of one process that read records at the same time, at most; further ones note nothing."""

MOST_FATAL = 10_000
"""Records remembered as fatal; of more, the newest."""

_LARGEST_BOOK = 4 << 20

_NOTE = Struct("<QQII32s")
_BETWEEN = _NOTE.pack(0, 0, 0, 0, b"")
"""The note between two records."""

CHECKED = 16 << 10
"""Bytes at the beginning of a record that its mark depends on."""

SLOT = 64
"""Bytes from one note to the next."""


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
    """The records that a process died of.

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
        """Take down that a process ended while it worked on this; returns whether the record is now known as fatal."""
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
    """The note of one thread, in a file; see ``connector.Working``.

    Args:
        file: a descriptor.
        on_survived: called with a suspect that was read to its end.
        at: where in the file, in bytes.
    """

    def __init__(self, file: int, book: Book, on_survived: Callable[[Mark], None], at: int = 0) -> None:
        self._file, self._book, self._on_survived, self._at = file, book, on_survived, at
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
        size, crc = len(data), crc32(data[:CHECKED])
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
            os.pwrite(self._file, note, self._at)


def noted(file: int, at: int = 0) -> Begun:
    """What a slot says."""
    written = os.pread(file, _NOTE.size, at)
    return Begun(*_NOTE.unpack(written.ljust(_NOTE.size, b"\0")))


class Attempts:
    """The notes and the book of a store; they belong to the process that has its lock.

    Args:
        lock: path of the lock, next to which both files are; ``None`` = nothing outlives the process.
    """

    def __init__(self, lock: Path | None) -> None:
        self.book = Book(lock.with_suffix(FATAL) if lock else None)
        self._free = list(range(MOST_SLOTS))
        self._taking = threading.Lock()
        self._file = -1
        if lock is not None:
            with suppress(OSError):
                self._file = os.open(
                    lock.with_suffix(READING), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                )
        if self._file >= 0:
            for n in self._free:
                self._look(n)

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """A slot for the thread that reads.  Only a fault in Fanous leaves its note behind."""
        with self._taking:
            n = self._free.pop(0) if self._free else -1
        slot = Slot(self._file if n >= 0 else -1, self.book, self.book.survived, max(0, n) * SLOT)
        try:
            yield slot
        except BaseException as error:
            if n >= 0 and isinstance(error, Exception) and not isinstance(error, FanousError):
                self._look(n)
            raise
        finally:
            slot.end()
            if n >= 0:
                with self._taking:
                    self._free.append(n)

    def _look(self, n: int) -> None:
        """Take down what was being worked on in a slot when its user ended."""
        if self._file < 0:
            return
        with suppress(OSError):
            note = noted(self._file, n * SLOT)
            if note.line:
                self.book.died(note)
                os.pwrite(self._file, bytes(SLOT), n * SLOT)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
