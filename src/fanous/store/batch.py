"""Batch: measurements as they enter the store, and the result."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.noun import noun
from fanous.model.verdict import Verdict

if TYPE_CHECKING:
    from fanous.store.archive import Location


@noun
class Judged:
    """One raw record and everything read from it.

    Attributes:
        record: goes to the archive.  One that comes from the archive (``Records.records``) keeps its
            ``line``, which says where in its segment it is.
        came: the record before anything was dropped from it, for a store that may know it by its former name
            (``Store.holds_older``); else empty.
    """

    record: Record
    parsed: ParsedMeasurement
    verdicts: tuple[Verdict, ...]
    came: bytes = b""


@noun
class Placed:
    """A judged measurement, where its raw record is, and when that came (unix seconds, UTC)."""

    judged: Judged
    location: "Location"
    received_at: float


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of a batch; all of it is on disk when this is returned.

    Attributes:
        stored: measurements that are new.
        duplicate: measurements that were already stored, or occur again in the batch.
        fresh: ``id()`` of those in the batch that are new.
    """

    stored: int
    duplicate: int
    fresh: frozenset[int]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was permanently deleted from a store.

    Attributes:
        measurements: how many.
        spans: country -> (first, last) instant of these; unix seconds, UTC.
    """

    measurements: int
    spans: dict[str, tuple[float, float]]
