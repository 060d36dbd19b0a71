"""Inflate: a gzip file as a stream that gives every byte it can before it reports a broken end.

The readers of ``gzip`` and ``isal`` lose what their last block held when a file breaks off, up to a
megabyte of measurements.  Memory is bounded, whatever the file claims to hold.
"""

import io
from typing import Any

from isal import isal_zlib

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
        """Begin the member that follows, if one does; zeros behind the last are padding."""
        while len(self._waiting) < len(MAGIC):
            more = self._raw.read(COMPRESSED)
            if not more:
                break
            self._waiting = (self._waiting + more).lstrip(b"\0")
        self._waiting = self._waiting.lstrip(b"\0")
        if not self._waiting:
            return False
        if not self._waiting.startswith(MAGIC):
            raise OSError("other bytes follow the compressed ones")
        self._member = isal_zlib.decompressobj(GZIP_WINDOW)
        return True
