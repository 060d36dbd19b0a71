"""Tally: what became of the measurements that were brought in."""

from collections import Counter
from dataclasses import dataclass, field

REJECTS_LISTED = 1000
"""All rejects are counted; so many are listed, so that a bad file of any size fits in memory."""

AHEAD = 86_400.0
"""Seconds that the clock of a probe may be ahead (the collector's door refuses more): a later date would
stretch every window to it."""


@dataclass(frozen=True, slots=True)
class Reject:
    file: str
    line: int
    why: str


@dataclass(slots=True)
class Ingested:
    """What became of the files, in measurements (rows for CSVs): read = stored + duplicate + rejected.

    Attributes:
        rejects: the first ``REJECTS_LISTED``.
        remarks: what an interrupted run left behind that cannot be used, in words.
        notes: what is to be said of whole files, in words: columns that were passed over, and the like.
        by_test: stored measurements by nettest.
        late: stored measurements that are too old for detection to go back to (``LATE``).
        ahead: stored measurements of a date that has not been yet (``AHEAD``); no detection looks there.
    """

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    by_test: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    late: int = 0
    ahead: int = 0

    @property
    def read(self) -> int:
        return self.stored + self.duplicate + self.rejected

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        self.rejected += items
        if len(self.rejects) < REJECTS_LISTED:
            self.rejects.append(Reject(file, line, why))
