"""Tarball: the members of a tar stream, one at a time, with bounded memory.

Headers are parsed by ``tarfile``; the loop is our own, since ``tarfile`` remembers every member and reads
extended headers whole, so that a few kilobytes can ask for gigabytes.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from fanous.sources.stream import CHUNK

BLOCK = 512
LONGEST_EXTENSION = 1 << 20
"""Bytes.  An extended header holds a file name; 4 KiB is the longest that Linux allows."""

_LONG_NAME = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file in the archive.

    Attributes:
        name: path in the archive.
        data: content; ``None`` = larger than the limit and skipped.
        size: bytes.
    """

    name: str
    data: bytes | None
    size: int


def is_tar(head: bytes) -> bool:
    """Do these first bytes (512 or more) begin a tar archive?"""
    if len(head) < BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def members(stream: BufferedReader, limit: int) -> Iterator[Member]:
    """Regular files in order.

    Raises:
        EOFError: the archive breaks off.
        tarfile.HeaderError: it is damaged.
    """
    name = ""
    while True:
        block = stream.read(BLOCK)
        if not block or not block.strip(b"\0"):
            return
        if len(block) < BLOCK:
            raise EOFError
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.size < 0:
            raise tarfile.HeaderError("negative size")
        if header.type in _LONG_NAME or header.type in _EXTENDED:
            extension = _take(stream, header.size, LONGEST_EXTENSION)
            if extension is not None:
                name = _extended_name(header.type, extension) or name
            continue
        data = _take(stream, header.size, limit if header.isreg() else 0)
        if header.isreg():
            yield Member(name or header.name, data, header.size)
        name = ""


def _take(stream: BufferedReader, size: int, limit: int) -> bytes | None:
    """The next ``size`` bytes, and the padding behind them; ``None`` if over ``limit`` (then skipped)."""
    padded = size + -size % BLOCK
    if size <= limit:
        data = stream.read(padded)
        if len(data) < size:
            raise EOFError
        return data[:size]
    while padded:
        skipped = len(stream.read(min(padded, CHUNK)))
        if not skipped:
            raise EOFError
        padded -= skipped
    return None


def _extended_name(kind: bytes, extension: bytes) -> str:
    """``path`` of a pax header (POSIX.1-2001: ``length key=value\\n``), or GNU's long name."""
    if kind in _LONG_NAME:
        return extension.rstrip(b"\0").decode("utf-8", "replace") if kind == tarfile.GNUTYPE_LONGNAME else ""
    for entry in extension.split(b"\n"):
        _, separator, path = entry.partition(b" path=")
        if separator:
            return path.decode("utf-8", "replace")
    return ""
