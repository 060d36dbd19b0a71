"""Event: something announced beforehand (an election, a rally, exams, a trial) and registered before it
begins.
"""

from dataclasses import dataclass
from hashlib import sha256
from json import dumps

from fanous.model.instant import to_iso


@dataclass(frozen=True, slots=True)
class AnnouncedEvent:
    """One event.  Times are unix seconds, UTC, half-open.

    Attributes:
        targets: expected to be restricted, if anything is; empty = none in particular.
        id: label, ``PK-watch-1``; empty until the ledger has given one.
        registered_at: when it came into the ledger.
    """

    country: str
    start: float
    end: float
    title: str
    targets: tuple[str, ...] = ()
    id: str = ""
    registered_at: float = 0.0

    @property
    def is_late(self) -> bool:
        """Was it registered after it had begun?  Then it may have been chosen because of what happened."""
        return self.registered_at >= self.start

    @property
    def digest(self) -> str:
        """SHA-256 of what was registered, without label and time of registration; publish it beforehand."""
        content = {
            "country": self.country,
            "start": to_iso(self.start),
            "end": to_iso(self.end),
            "title": self.title,
            "targets": list(self.targets),
        }
        canonical = dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return sha256(canonical.encode()).hexdigest()
