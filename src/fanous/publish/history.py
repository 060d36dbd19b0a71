"""History: how often a country restricted a platform or cut the internet, as far as incidents on record tell.

Only what was confirmed and not taken back counts; an incident that names several targets counts for each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fanous.model.incident import Incident, Status

ACCESS = ""
"""Instead of a target: internet access itself."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was done to one target (or ``ACCESS``) in one country.

    Attributes:
        incidents: oldest first; never empty.
    """

    target: str
    incidents: tuple[Incident, ...]

    @property
    def count(self) -> int:
        return len(self.incidents)

    @property
    def since(self) -> int:
        """Year of the first, UTC, as in its id."""
        return datetime.fromtimestamp(self.incidents[0].onset, UTC).year

    @property
    def last(self) -> Incident:
        return self.incidents[-1]


def history(known: Iterable[Incident]) -> list[Past]:
    """By target, most often first.

    Args:
        known: of one country.
    """
    found: dict[str, list[Incident]] = {}
    for one in sorted(known, key=lambda one: (one.onset, one.id)):
        if _counts(one):
            for target in subjects(one):
                found.setdefault(target, []).append(one)
    rows = [Past(target, tuple(incidents)) for target, incidents in found.items()]
    return sorted(rows, key=lambda row: (-row.count, -row.last.onset, row.target))


def until_now(incident: Incident, known: Sequence[Incident]) -> list[Past]:
    """For each subject of an incident that counts: the history that ends with it.

    Args:
        known: of its country, itself included.
    """
    if not _counts(incident):
        return []
    before = [one for one in known if (one.onset, one.id) <= (incident.onset, incident.id)]
    return [row for row in history(before) if row.target in subjects(incident)]


def subjects(one: Incident) -> tuple[str, ...]:
    """Targets that were restricted, or ``ACCESS``; a fall of a platform's traffic restricts none."""
    if one.is_of_line:
        return (ACCESS,)
    return () if one.is_of_traffic else tuple(dict.fromkeys(one.targets))


def _counts(one: Incident) -> bool:
    return one.confirmed_at is not None and one.status is not Status.RETRACTED
