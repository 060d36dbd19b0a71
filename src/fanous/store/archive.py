"""Archive: raw records as they were received, append-only.

The one part of the store that cannot be computed again: a segment, one file of records, is complete and on the disk,
under a name that contains the file's digest, before anything is acknowledged.  The layout is OONI's
(``raw/YYYYMMDD/HH/CC/testname/``, test names without underscores), by the hour of *receipt*, with the source and a
digest of the file in place of OONI's serial number: the name says everything without opening the file.

For each record that came from a published object, the archive notes the object, the line and a digest of what was
kept.  If nothing rests on a record, retention replaces it by that note (``Reference``).  When the record is needed
again, it is fetched, and it counts only if it is what was stored.  An object that has vanished, or has been rewritten,
is named in the error.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from fanous.base.files import disk_errors, make_folder, sync, write_durably
from fanous.errors import FanousError
from fanous.model.measurement import Provenance, Record, noun, weakest
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.model.verdict import Judged
from fanous.sources.marks import shown_by

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


ENTRIES_LEVEL = 9
"""zstd level: an object's address is repeated in every line."""


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """Where a record is published.

    Attributes:
        object: its address.
        line: 1-based line or member in it.
        digest: SHA-256 in hex of the record as it was kept here.
    """

    object: str
    line: int
    digest: str


Entry = bytes | Reference
"""An entry of a thinned segment: a record that is still here, or where it is published."""


class VanishedObject(FanousError):
    """A published object no longer gives the record that was taken from it."""


def digest_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def pack_entries(entries: Iterable[Entry | None]) -> bytes:
    """The entries as a file; None = the record came from no published object."""
    lines = (entry if isinstance(entry, bytes) else msgspec.json.encode(entry) for entry in entries)
    return zstd.compress(b"".join(line + b"\n" for line in lines), level=ENTRIES_LEVEL)


def unpack_entries(packed: bytes) -> list[Entry | None]:
    """What ``pack_entries`` packed.

    Raises:
        FanousError: it is damaged.
    """
    try:
        return [_entry(line) for line in zstd.decompress(packed).split(b"\n")[:-1]]
    except (zstd.ZstdError, msgspec.MsgspecError) as error:
        raise FanousError(f"{error}") from error


def _entry(line: bytes) -> Entry | None:
    """A record is a JSON object, a reference an array."""
    return line if line.startswith(b"{") else msgspec.json.decode(line, type=Reference | None)


Refetch = Callable[[Sequence[Reference], str], Mapping[Reference, bytes]]
"""Fetches records of a source again (``pipeline.refetch``).  It raises ``VanishedObject`` if an object is gone or holds
something else, and ``FanousError`` if it cannot be reached now."""


def not_fetched(references: Sequence[Reference], _source: str) -> Mapping[Reference, bytes]:
    """For those who read only what is here."""
    if references:
        raise VanishedObject(
            f"{references[0].object} is not fetched for this: its records are kept there by reference"
        )
    return {}


SUFFIX = ".jsonl.zst"
_NAME = re.compile(
    r"(\d{10})_([A-Z]{2})_([a-z0-9]{1,64})\.([a-z0-9-]{1,32})(?:\.(real|imported|unvouched|synthetic))?\.([0-9a-f]{16})"
)
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the archive.

    Attributes:
        hour: of receipt, UTC, ``YYYYMMDDHH``.
        country: ISO 3166-1 alpha-2.
        test_name: OONI's nettest without underscores, as in OONI's own folders.
        source: connector that reads the records.
        digest: first 16 hex digits of the SHA-256 of the file; before November 2026, of what it unpacks to.
        provenance: that of all its records; empty = written before provenance was recorded (November 2026).
    """

    hour: str
    country: str
    test_name: str
    source: str
    digest: str
    provenance: Provenance | Literal[""] = ""

    @property
    def assumed(self) -> Provenance:
        """The provenance assumed for an old segment: what probes sent is real; the rest, as far as is known, came
        from files."""
        return self.provenance or (Provenance.REAL if self.source == "edge" else Provenance.IMPORTED)

    @property
    def name(self) -> str:
        mark = f".{self.provenance}" if self.provenance else ""
        return f"{self.hour}_{self.country}_{self.test_name}.{self.source}{mark}.{self.digest}"

    @property
    def begins(self) -> float:
        """The beginning of the hour of receipt; unix seconds, UTC."""
        return datetime.strptime(self.hour, "%Y%m%d%H").replace(tzinfo=UTC).timestamp()

    @property
    def path(self) -> PurePosixPath:
        """Relative to the archive's folder."""
        folder = PurePosixPath("raw", self.hour[:8], self.hour[8:], self.country, self.test_name)
        return folder / f"{self.name}{SUFFIX}"


@noun
class Location:
    """Where one raw record is.

    Attributes:
        position: 0-based line in the uncompressed segment.
    """

    segment: Segment
    position: int


@noun
class Placed:
    """A judged measurement, where its raw record is, and when that came (unix seconds, UTC)."""

    judged: Judged
    location: Location
    received_at: float


@dataclass(frozen=True, slots=True)
class SegmentFolder:
    """The folder a record belongs to: everything in a segment's name except its digest."""

    hour: str
    country: str
    test_name: str
    source: str
    provenance: Provenance | Literal[""]

    def holding(self, digest: str) -> Segment:
        return Segment(self.hour, self.country, self.test_name, self.source, digest, self.provenance)


def shelf(
    received_at: float, country: str, test_name: str, source: str, provenance: Provenance | Literal[""] = ""
) -> SegmentFolder:
    """The folder for a record; text from a probe never becomes part of a path unchecked."""
    plain = re.sub(r"[^a-z0-9]", "", test_name.lower())[:64]
    return SegmentFolder(
        hour=datetime.fromtimestamp(received_at, UTC).strftime("%Y%m%d%H"),
        country=country if _COUNTRY.fullmatch(country) else UNKNOWN_COUNTRY,
        test_name=plain or "unknown",
        source=re.sub(r"[^a-z0-9-]", "-", source.lower())[:32] or "unknown",
        provenance=provenance,
    )


def parse_name(name: str) -> Segment | None:
    """The segment for a file name without suffix; ``None`` = not the name of a segment."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    hour, country, test_name, source, provenance, digest = match.groups()
    return Segment(hour, country, test_name, source, digest, Provenance(provenance) if provenance else "")


LEVEL = 2
"""zstd level.  On real web_connectivity measurements, 3 takes 1.6 times as long to save 6 %; 1 is hardly
faster and a fifth larger."""
DIGITS = 16
"""Digits of the digest in a segment's name."""

SEGMENT_BYTES = 32 * 1024 * 1024
"""A segment is read whole to check its digest, so this limits memory; a larger record gets a segment to
itself.
"""
TEMPORARY = ".tmp"

ORIGINS, THIN = ".origins.zst", ".thin.zst"
"""Files next to a segment, or in its place: where each record is published, and a segment in which retention has left
only that for most records (``Reference``)."""

COLD = "cold"
"""File in the archive's folder with the address of the bucket that has the older segments (``store.bucket``)."""


class DamagedSegment(FanousError):
    """A file of the archive does not match its name.  The others are not affected."""


@dataclass(frozen=True, slots=True)
class Received:
    """A raw record, and the folder it belongs to."""

    record: Record
    country: str
    test_name: str


class Archive:
    """Segments below one local folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, received: Sequence[Received], received_at: float) -> list[Location]:
        """Write records; once this returns they would survive a power cut.

        Returns:
            Where each record is, in the order given.
        """
        shelves: dict[SegmentFolder, list[int]] = {}
        for index, item in enumerate(received):
            record = item.record
            place = shelf(received_at, item.country, item.test_name, record.source, record.provenance)
            shelves.setdefault(place, []).append(index)
        locations: dict[int, Location] = {}
        packed: dict[Segment, bytes] = {}
        for place, indexes in shelves.items():
            for part in _parts(indexes, received):
                segment, content = _segment(place, [received[index].record.data for index in part])
                packed[segment] = content
                self._note_origins(segment, [received[index].record for index in part], received_at)
                for position, index in enumerate(part):
                    locations[index] = Location(segment, position)
        for segment, content in packed.items():
            self._write(segment, content, received_at)
        return [locations[index] for index in range(len(received))]

    def _note_origins(self, segment: Segment, records: Sequence[Record], received_at: float) -> None:
        """Note where records are published, before the segment is written: no segment is ever without its note."""
        if not any(record.published for record in records):
            return
        origins = [
            Reference(record.published, record.line, digest_of(record.data)) if record.published else None
            for record in records
        ]
        path = self._beside(segment, ORIGINS)
        with disk_errors(f"write to the archive {self.folder}"):
            make_folder(path.parent)
            write_durably(path, pack_entries(origins), TEMPORARY, received_at)

    def _beside(self, segment: Segment, suffix: str) -> Path:
        path = self.folder / segment.path
        return path.with_name(path.name.removesuffix(SUFFIX) + suffix)

    def is_whole(self, segment: Segment) -> bool:
        """Are all of its records in the folder?"""
        return (self.folder / segment.path).exists()

    def can_be_thinned(self, segment: Segment) -> bool:
        """Is it whole, and known where its records are published?"""
        return self.is_whole(segment) and self._beside(segment, ORIGINS).exists()

    def thin(self, segment: Segment, kept: Set[int]) -> int:
        """Replace records by references; if killed, thinning it again completes it.

        Args:
            kept: positions of records that stay.

        Returns:
            How many became references.
        """
        path = self._beside(segment, ORIGINS)
        origins = unpack_entries(path.read_bytes())
        entries = [
            line if position in kept or origin is None else origin
            for position, (line, origin) in enumerate(zip(self._lines(segment), origins, strict=True))
        ]
        gone = sum(isinstance(entry, Reference) for entry in entries)
        if gone:
            with disk_errors(f"write to the archive {self.folder}"):
                write_durably(
                    self._beside(segment, THIN), pack_entries(entries), TEMPORARY, self.received_at(segment)
                )
                (self.folder / segment.path).unlink()
                path.unlink()
                sync(path.parent)
        return gone

    def _write(self, segment: Segment, packed: bytes, received_at: float) -> None:
        """Durable under its name when this returns; an existing file has the same content."""
        path = self.folder / segment.path
        with disk_errors(f"write to the archive {self.folder}"):
            if not path.exists():
                make_folder(path.parent)
                write_durably(path, packed, TEMPORARY, received_at)

    def without(self, segment: Segment, positions: set[int]) -> Segment | None:
        """Write a copy of a segment without some of its records; the segment itself stays.

        Returns:
            The segment with the rest; ``None`` = nothing is left.
        """
        place = SegmentFolder(
            segment.hour, segment.country, segment.test_name, segment.source, segment.provenance
        )
        if self._is_thin(segment):
            return self._thin_without(segment, place, positions)
        lines = [line for n, line in enumerate(self._lines(segment)) if n not in positions]
        if not lines:
            return None
        rest, content = _segment(place, lines)
        self._write(rest, content, self.received_at(segment))
        return rest

    def _thin_without(self, segment: Segment, place: SegmentFolder, positions: Set[int]) -> Segment | None:
        entries = [entry for n, entry in enumerate(self._entries(segment)) if n not in positions]
        if not entries:
            return None
        packed = pack_entries(entries)
        rest = place.holding(_digest(packed))
        with disk_errors(f"write to the archive {self.folder}"):
            write_durably(self._beside(rest, THIN), packed, TEMPORARY, self.received_at(segment))
        return rest

    def remove(self, segment: Segment) -> None:
        """Remove a segment permanently."""
        path = self.folder / segment.path
        with disk_errors(f"remove from the archive {self.folder}"):
            for obsolete in (path, self._beside(segment, ORIGINS), self._beside(segment, THIN)):
                obsolete.unlink(missing_ok=True)
            sync(path.parent)

    def received_at(self, segment: Segment) -> float:
        """When its records came: the file's time, or the beginning of the hour if a copy lost that.

        Raises:
            DamagedSegment: the file is gone.
        """
        path = self._beside(segment, THIN) if self._is_thin(segment) else self.folder / segment.path
        try:
            written = path.stat().st_mtime
        except OSError as error:
            raise DamagedSegment(f"cannot read {path}: {error}; restore it from a backup") from error
        return written if 0 <= written - segment.begins < 3600 else segment.begins

    def segments(self) -> Iterator[Segment]:
        """All segments in order of receipt; files with other names are not ours and stay untouched."""
        for folder, folders, files in os.walk(self.folder / "raw"):
            folders.sort()
            names = {file.removesuffix(end) for end in (SUFFIX, THIN) for file in files if file.endswith(end)}
            for name in sorted(names):
                segment = parse_name(name)
                if segment and Path(folder) == (self.folder / segment.path).parent:
                    yield segment

    def unmarked(self, marked: Set[str]) -> Iterator[Segment]:
        """Segments whose names are not among ``marked``, in order of receipt."""
        return (segment for segment in self.segments() if segment.name not in marked)

    def sweep(self) -> int:
        """Remove what a killed writer left half-written; only the owner of the store may call it."""
        ends = (SUFFIX, ORIGINS, THIN)
        remains = [path for end in ends for path in (self.folder / "raw").rglob(f"*{end}{TEMPORARY}")]
        for path in remains:
            path.unlink(missing_ok=True)
        return len(remains)

    def records(
        self, segment: Segment, wanted: Set[int] | None = None, refetch: Refetch = not_fetched
    ) -> Iterator[Record]:
        """The raw records of a segment; ``file`` and ``line`` (1-based) say where each is.

        Args:
            wanted: lines; ``None`` = all.
            refetch: fetches those that are kept by reference.

        Raises:
            DamagedSegment: before the first record, if the content does not match the name, or a published
                object has vanished.
            FanousError: a publisher cannot be reached now.
        """
        entries = enumerate(self.entries(segment), 1)
        chosen = [(line, entry) for line, entry in entries if wanted is None or line in wanted]
        try:
            found = refetch([one for _, one in chosen if isinstance(one, Reference)], segment.source)
        except VanishedObject as error:
            raise DamagedSegment(f"{segment.name}: {error}") from error
        for line, one in chosen:
            data = found[one] if isinstance(one, Reference) else one or b""
            # Also what a record itself shows, since older versions wrote segments without looking for all of it.
            provenance = weakest((segment.assumed, shown_by(data)))
            yield Record(segment.source, data, file=segment.name, line=line, provenance=provenance)

    def read(self, location: Location) -> bytes | Reference:
        """One raw record, or where it is published."""
        segment = location.segment
        entries = self.entries(segment)
        found = entries[location.position] if location.position < len(entries) else None
        if found is None:
            raise DamagedSegment(f"{segment.name} has no record {location.position}")
        return found

    def entries(self, segment: Segment) -> Sequence[Entry | None]:
        """What is here of each record: itself, or where it is published.

        Raises:
            DamagedSegment: it cannot be read.
        """
        return self._entries(segment) if self._is_thin(segment) else self._lines(segment)

    def damaged(self) -> Iterator[tuple[Segment, str]]:
        """Segments in the folder whose content is not what was written, and what is wrong; reads them all."""
        for segment in Archive.segments(self):
            try:
                self.entries(segment)
            except DamagedSegment as error:
                yield segment, str(error)

    def _is_thin(self, segment: Segment) -> bool:
        """Is it thinned?  A killed thinning leaves both files; then the whole one counts."""
        return not self.is_whole(segment) and self._beside(segment, THIN).exists()

    def _entries(self, segment: Segment) -> list[Entry | None]:
        path = self._beside(segment, THIN)
        try:
            return unpack_entries(path.read_bytes())
        except (OSError, FanousError) as error:
            raise DamagedSegment(f"cannot read {path}: {error}; restore it from a backup") from error

    def _lines(self, segment: Segment) -> list[bytes]:
        path, packed = self.folder / segment.path, self._packed(segment)
        try:
            content = zstd.decompress(packed)
        except zstd.ZstdError as error:
            raise DamagedSegment(f"cannot read {path}: {error}; restore it from a backup") from error
        # Older ones are named by the digest of what they unpack to.
        if segment.digest != _digest(packed) and segment.digest != _digest(content):
            raise DamagedSegment(
                f"{path} is not what was written (its digest differs); restore it from a backup"
            )
        return content.split(b"\n")[:-1]

    def _packed(self, segment: Segment) -> bytes:
        path = self.folder / segment.path
        try:
            return path.read_bytes()
        except OSError as error:
            raise DamagedSegment(f"cannot read {path}: {error}; restore it from a backup") from error


def tiered(folder: Path) -> str:
    """Address of the bucket that has the older segments; empty = there is none."""
    try:
        return (folder / COLD).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _digest(packed: bytes) -> str:
    return sha256(packed).hexdigest()[:DIGITS]


def _segment(place: SegmentFolder, lines: Sequence[bytes]) -> tuple[Segment, bytes]:
    """The lines as a segment: its name, and one zstd frame."""
    compressor = zstd.ZstdCompressor(LEVEL)
    parts: list[bytes] = []
    for line in lines:  # one by one: joining them first would cost a copy
        if b"\n" in line:
            raise ValueError("a record must not contain a line break")
        parts += compressor.compress(line), compressor.compress(b"\n")
    parts.append(compressor.flush())
    packed = b"".join(parts)
    return place.holding(_digest(packed)), packed


def _parts(indexes: list[int], received: Sequence[Received]) -> Iterator[list[int]]:
    """Runs of records that fit in a segment."""
    part: list[int] = []
    size = 0
    for index in indexes:
        length = len(received[index].record.data) + 1
        if part and size + length > SEGMENT_BYTES:
            yield part
            part, size = [], 0
        part.append(index)
        size += length
    if part:
        yield part
