"""Bucket: an archive in S3-compatible object storage, alone or for the older segments of a local one.

Names are those of the folder.  An object exists completely or not at all, and is acknowledged when the
storage says that it has it.  Its name holds the digest of its content, so writing it twice is harmless.

If older segments are in a bucket and the rest in a folder, readers see one archive.  A file in the folder
names the bucket, so that anyone who opens the store finds everything.  A segment leaves the folder only after
the bucket has returned it byte for byte; until then it may be in both.  A list in the folder names those that
left, so that finding unfinished ones does not mean listing years of a bucket.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import timedelta
from heapq import merge
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from fanous.base.files import disk_errors, write_durably
from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.store.archive import COLD, SUFFIX, TEMPORARY, Archive, DamagedSegment, Segment, parse_name, tiered

RECEIVED_AT = "received-at"
"""Attribute of an object: when its records were received, unix seconds."""

PATIENCE = timedelta(seconds=60)
"""How long a request is retried before it is reported as failed."""


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

    def _write(self, segment: Segment, packed: bytes, received_at: float) -> None:
        with self._errors("write to"):
            if not self._has(segment):
                attributes = {RECEIVED_AT: repr(received_at)}
                obstore.put(
                    self._store, str(segment.path), packed, attributes=attributes, use_multipart=False
                )

    def damaged(self) -> Iterator[tuple[Segment, str]]:
        """Always empty: to look for them, the whole bucket would have to be fetched."""
        return iter(())

    def _note_origins(self, _segment: Segment, _records: Sequence[Record], _received_at: float) -> None:
        """A bucket keeps whole records."""

    def _is_thin(self, _segment: Segment) -> bool:
        return False

    def has(self, segment: Segment) -> bool:
        """Does the bucket have it?"""
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
        """As ``Archive.received_at``; the beginning of the hour if a copy lost the attribute."""
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
                for path in sorted(entry["path"] for entry in chunk):
                    name = PurePosixPath(path).name
                    segment = parse_name(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
                    if segment and str(segment.path) == path:
                        yield segment

    def sweep(self) -> int:
        """Nothing to do: an object is never left half-written."""
        return 0

    def _packed(self, segment: Segment) -> bytes:
        with self._errors("read"):
            try:
                return bytes(obstore.get(self._store, str(segment.path)).bytes())
            except FileNotFoundError as error:
                raise self._gone(segment) from error

    def _gone(self, segment: Segment) -> DamagedSegment:
        return DamagedSegment(f"{self.url} has no {segment.path}; restore it from a backup")

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            advice = "check that it can be reached, and try again"
            if isinstance(error, PermissionDeniedError | UnauthenticatedError):
                advice = "check that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have read and write access"
            elif isinstance(error, FileNotFoundError):
                advice = "create the bucket first"
            cause = " ".join(str(error).partition("Debug source")[0].split())[:300]
            raise FanousError(
                f"cannot {what} the archive {self.url}: {cause}; {advice}", permanent=False
            ) from error


def _store_at(url: str) -> S3Store:
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint", "")
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        region=options.get("region", "us-east-1"),
        client_options={"allow_http": endpoint.startswith("http://")},
        retry_config={"max_retries": 5, "retry_timeout": PATIENCE},
        config={"endpoint": endpoint} if endpoint else None,
    )


MOVED = "cold.segments"
"""File in the archive's folder, one name per line.  It may name more segments than the bucket has, but not fewer."""


class TieredArchive(Archive):
    """New segments go to the folder; ``move`` takes them to the bucket."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.cold = BucketArchive(url, folder)

    def is_here(self, segment: Segment) -> bool:
        """Is it in the folder?"""
        return self.is_whole(segment) or self._is_thin(segment)

    def move(self, segment: Segment) -> None:
        """Move a segment to the bucket; when this returns it is only there.

        If killed at any point, it is whole in at least one place, and moving it again completes it.

        Raises:
            DamagedSegment: it is not what was written here, or the bucket returns something else.
        """
        self._lines(segment)
        packed, at = super()._packed(segment), super().received_at(segment)
        self.cold._write(segment, packed, at)
        if self.cold._packed(segment) != packed and self.cold._lines(segment) != self._lines(segment):
            raise DamagedSegment(f"{self.cold.url} has a different {segment.path}: the local one is kept")
        with disk_errors(f"write to the archive {self.folder}"), self._list().open("a") as file:
            file.write(f"\n{segment.name}\n")  # also after a line that a crash cut off
            file.flush()
            os.fsync(file.fileno())
        super().remove(segment)

    def remove(self, segment: Segment) -> None:
        super().remove(segment)
        self.cold.remove(segment)
        self._write_moved(moved for moved in self._moved() if moved != segment)

    def received_at(self, segment: Segment) -> float:
        return super().received_at(segment) if self.is_here(segment) else self.cold.received_at(segment)

    def segments(self) -> Iterator[Segment]:
        return _merged(super().segments(), self.cold.segments())

    def unmarked(self, marked: Set[str]) -> Iterator[Segment]:
        here = (segment for segment in super().segments() if segment.name not in marked)
        there = (moved for moved in self._moved() if moved.name not in marked and self.cold.has(moved))
        return _merged(here, there)

    def _moved(self) -> list[Segment]:
        """Names of moved segments, in order of receipt."""
        names = self._list().read_text().split()
        return sorted({segment for name in names if (segment := parse_name(name))}, key=_place)

    def _list(self) -> Path:
        """The list, rebuilt from the bucket if it is missing."""
        path = self.folder / MOVED
        if not path.exists():
            self._write_moved(self.cold.segments())
        return path

    def _write_moved(self, segments: Iterable[Segment]) -> None:
        text = "".join(f"{segment.name}\n" for segment in segments)
        with disk_errors(f"write to the archive {self.folder}"):
            write_durably(self.folder / MOVED, text.encode(), TEMPORARY, time.time())

    def _lines(self, segment: Segment) -> list[bytes]:
        return super()._lines(segment) if self.is_here(segment) else self.cold._lines(segment)


def _place(segment: Segment) -> str:
    return str(segment.path)


def _merged(here: Iterable[Segment], there: Iterable[Segment]) -> Iterator[Segment]:
    """Both merged in order, each segment once."""
    before = None
    for segment in merge(here, there, key=_place):
        if segment != before:
            yield segment
        before = segment


def begin(folder: Path, url: str, at: float) -> None:
    """Record, before anything is moved, that this bucket takes the older segments.

    Raises:
        FanousError: another bucket already has some.
    """
    archive = tiered(folder)
    if archive and archive != url:
        raise FanousError(
            f"older segments of {folder} are in {archive}: name that bucket in [retention], or copy its "
            f"contents to {url} and write that URL to {folder / COLD}"
        )
    if not archive:
        with disk_errors(f"write to the archive {folder}"):
            write_durably(folder / COLD, f"{url}\n".encode(), TEMPORARY, at)
