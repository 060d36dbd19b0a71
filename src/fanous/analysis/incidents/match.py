"""Matches the incidents found now with those already known.

Late measurements move onsets and add networks; the event keeps its id.
"""

from collections.abc import Sequence

from fanous.analysis.incidents.group import SAME_NETWORK_GAP
from fanous.model.incident import Incident

SAME_KIND = 2.0
"""As much as two targets: those that an outage held as its parts do not take its id along when they part."""

TOLD = 4.0
"""A confirmed one was told to people: where two that overlap become one, its id goes on, of whatever kind."""


def match(found: Sequence[Incident], known: Sequence[Incident]) -> list[tuple[Incident, Incident | None]]:
    """Each found incident with the known one that it continues; ``None`` = new.

    A known incident continues at most once, in the found one that shares most targets, networks and time.
    """
    pairs = sorted(
        ((_likeness(f, k), i, j) for i, f in enumerate(found) for j, k in enumerate(known)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for likeness, i, j in pairs:
        if likeness > 0 and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return [(f, known[partner[i]] if i in partner else None) for i, f in enumerate(found)]


def _likeness(found: Incident, known: Incident) -> float:
    """0 = cannot be the same event."""
    targets = set(found.targets) & set(known.targets)
    lines = _is_of_lines(found) and _is_of_lines(known) and found.kind is known.kind
    if not (targets or lines) or _apart(found, known) > SAME_NETWORK_GAP:
        return 0.0
    networks = set(found.entities) & set(known.entities)
    near = 1 / (1 + abs(found.onset - known.onset) / 3600)
    kind = SAME_KIND * (found.kind is known.kind)
    told = TOLD * (known.confirmed_at is not None and _apart(found, known) == 0)
    return len(targets) + lines + 0.5 * len(networks) + near + kind + told


def _is_of_lines(incident: Incident) -> bool:
    """It cuts the line itself, whatever targets besides."""
    return any(not part.target for part in incident.parts)


def _apart(one: Incident, other: Incident) -> float:
    """Seconds between the two; 0 where they overlap."""
    first, second = sorted((one, other), key=lambda incident: incident.onset)
    return 0.0 if first.end is None else max(0.0, second.onset - first.end)
