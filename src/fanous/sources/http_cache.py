"""HTTP cache: documents of publishers that can say whether they have changed (ETag, Last-Modified).

Each is one file, written aside and renamed: a crash leaves the old one or the new one.  Losing it costs a
fetch, nothing else.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

MOST = 64 << 20
"""Bytes of a document that is kept; a larger one is fetched again."""


@dataclass(frozen=True, slots=True)
class Cached:
    """One document with what its publisher calls this state of it."""

    url: str
    etag: str
    modified: str
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for it only if it has changed (RFC 9110, 13.1)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


class HttpCache:
    """A folder of documents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, url: str) -> Cached | None:
        """``None`` = it is not there, or cannot be read."""
        try:
            found = msgspec.msgpack.decode(self._path(url).read_bytes(), type=Cached)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.url == url else None

    def keep(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep it, if the publisher named this state of it; a full disk loses no more than that."""
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        if not (etag or modified) or len(body) > MOST:
            return
        path = self._path(url)
        aside = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(msgspec.msgpack.encode(Cached(url, etag, modified, body)))
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._folder / f"{sha256(url.encode()).hexdigest()}.cached"
