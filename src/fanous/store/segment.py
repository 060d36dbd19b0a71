"""Segment: the name of one archive file.  The name says all there is to know without opening it.

OONI's folder layout (``raw/YYYYMMDD/HH/CC/testname/``, test names without underscores), by the hour of
*receipt*, with the source and a digest of the file where OONI has a serial number.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from fanous.model.noun import noun
from fanous.model.place import UNKNOWN_COUNTRY

SUFFIX = ".jsonl.zst"
_NAME = re.compile(r"(\d{10})_([A-Z]{2})_([a-z0-9]{1,64})\.([a-z0-9-]{1,32})\.([0-9a-f]{16})")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the archive.

    Attributes:
        hour: of receipt, UTC, ``YYYYMMDDHH``.
        country: ISO 3166-1 alpha-2.
        test_name: OONI's nettest without underscores, as in OONI's own folders.
        source: connector that read the records and reads them again.
        digest: first 16 hex digits of the SHA-256 of the file; before November 2026, of what it unpacks to.
    """

    hour: str
    country: str
    test_name: str
    source: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.hour}_{self.country}_{self.test_name}.{self.source}.{self.digest}"

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
    """Where one raw record lies.

    Attributes:
        position: 0-based line in the uncompressed segment.
    """

    segment: Segment
    position: int


@dataclass(frozen=True, slots=True)
class SegmentFolder:
    """The folder a record belongs to: everything of a segment's name but its digest."""

    hour: str
    country: str
    test_name: str
    source: str

    def holding(self, digest: str) -> Segment:
        return Segment(self.hour, self.country, self.test_name, self.source, digest)


def shelf(received_at: float, country: str, test_name: str, source: str) -> SegmentFolder:
    """The folder for a record; what a probe wrote never becomes part of a path unchecked."""
    plain = re.sub(r"[^a-z0-9]", "", test_name.lower())[:64]
    return SegmentFolder(
        hour=datetime.fromtimestamp(received_at, UTC).strftime("%Y%m%d%H"),
        country=country if _COUNTRY.fullmatch(country) else UNKNOWN_COUNTRY,
        test_name=plain or "unknown",
        source=re.sub(r"[^a-z0-9-]", "-", source.lower())[:32] or "unknown",
    )


def parse_name(name: str) -> Segment | None:
    """The segment of a file name without suffix; ``None`` = no segment has such a name."""
    match = _NAME.fullmatch(name)
    return Segment(*match.groups()) if match else None
