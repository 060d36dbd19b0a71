"""Bucket: an archive in S3-compatible object storage, under the names that it has in a folder.

An object is there whole or not at all, and is acknowledged when the storage says that it has it.  Its name
holds the digest of its content, so writing it twice does no harm.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from fanous.errors import FanousError
from fanous.store.archive import Archive, DamagedSegment
from fanous.store.segment import SUFFIX, Segment, parse_name

RECEIVED_AT = "received-at"
"""Of an object's own attributes: unix seconds."""

PATIENCE = timedelta(seconds=60)
"""How long a request is tried again before whoever waits is told."""


class BucketArchive(Archive):
    """Segments in one bucket.

    Args:
        url: ``s3://bucket/prefix?endpoint=https://host&region=name``.  Keys come from the environment, as for
            every program of its kind: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``.
        folder: for messages.
    """

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(folder)
        self.url = url
        self._store = _store_at(url)

    def _write_packed(self, segment: Segment, packed: bytes, received_at: float) -> None:
        with self._errors("write to"):
            if not self._has(segment):
                attributes = {RECEIVED_AT: repr(received_at)}
                obstore.put(
                    self._store, str(segment.path), packed, attributes=attributes, use_multipart=False
                )

    def has(self, segment: Segment) -> bool:
        """Is it there?"""
        with self._errors("read"):
            return self._has(segment)

    def _has(self, segment: Segment) -> bool:
        try:
            obstore.head(self._store, str(segment.path))
        except FileNotFoundError:
            return False
        return True

    def remove(self, segment: Segment) -> None:
        with self._errors("remove from"):
            obstore.delete(self._store, str(segment.path))

    def received_at(self, segment: Segment) -> float:
        """As ``Archive.received_at``; the beginning of the hour where a copy lost the attribute."""
        with self._errors("read"):
            try:
                attributes = obstore.get(self._store, str(segment.path)).attributes
            except FileNotFoundError as error:
                raise self._gone(segment) from error
        try:
            written = float(attributes.get(RECEIVED_AT, ""))
        except ValueError:
            return segment.begins
        return written if 0 <= written - segment.begins < 3600 else segment.begins

    def segments(self) -> Iterator[Segment]:
        """All segments in order of receipt, as the storage lists names in order."""
        with self._errors("list"):
            for chunk in obstore.list(self._store, prefix="raw"):
                for path in sorted(found["path"] for found in chunk):
                    name = PurePosixPath(path).name
                    segment = parse_name(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
                    if segment and str(segment.path) == path:
                        yield segment

    def sweep(self) -> int:
        """Nothing is left half-written."""
        return 0

    def _packed(self, segment: Segment) -> bytes:
        with self._errors("read"):
            try:
                return bytes(obstore.get(self._store, str(segment.path)).bytes())
            except FileNotFoundError as error:
                raise self._gone(segment) from error

    def _gone(self, segment: Segment) -> DamagedSegment:
        return DamagedSegment(f"{self.url} has no {segment.path}; restore it from a copy")

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            advice = "see that it can be reached, and try again"
            if isinstance(error, PermissionDeniedError | UnauthenticatedError):
                advice = "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may read and write there"
            elif isinstance(error, FileNotFoundError):
                advice = "make the bucket first"
            cause = " ".join(str(error).partition("Debug source")[0].split())[:300]
            raise FanousError(
                f"cannot {what} the archive {self.url}: {cause}; {advice}", permanent=False
            ) from error


def _store_at(url: str) -> S3Store:
    parts = urlsplit(url)
    told = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    endpoint = told.get("endpoint", "")
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        region=told.get("region", "us-east-1"),
        client_options={"allow_http": endpoint.startswith("http://")},
        retry_config={"max_retries": 5, "retry_timeout": PATIENCE},
        config={"endpoint": endpoint} if endpoint else None,
    )
