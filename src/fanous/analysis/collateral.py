"""Collateral: what was cut before an incident, and what was hit with it unintentionally.  Shown, never counted as
evidence.

Means of circumvention are cut first: when QUIC, encrypted DNS or app stores are cut, platforms often follow
within days.

Censors cause collateral damage: one that looks for part of a name hits every name that contains it; one that cuts
an address hits every name behind it.
"""

from collections.abc import Mapping, Sequence

from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.model.reason import Param, Reason
from fanous.model.threshold import threshold

PRECURSOR = threshold(
    "incidents.precursor_seconds",
    7.0 * DAY,
    "Time before the onset in which a precursor may have begun. Our choice: tools went days before platforms in "
    "Russia in March 2022.",
)

FIRST = ("quic.", "encdns.")
"""Mechanisms that take away a way around censorship rather than a platform."""

FIRST_TARGETS = ("tor", "psiphon", "play.google.com", "apps.apple.com", "f-droid.org")
"""Means of circumvention, and where people get them."""

LEAST_PIECE = threshold(
    "incidents.collateral_piece", 4, "Fewest letters: a shorter name is by chance a piece of too many others."
)

BY_ADDRESS = ("tcp.", "ip.")
"""Mechanisms that act on an address without seeing a name."""

NAMED = threshold("incidents.collateral_named", 5, "Targets that a hint names; the others are counted.")


def beside(
    incident: Incident,
    others: Sequence[Incident],
    domains: Mapping[str, Sequence[str]],
    addresses: Mapping[str, frozenset[str]],
) -> list[Reason]:
    """What was cut before the incident, and what may have been hit unintentionally.

    Args:
        others: incidents of the same country.
        domains: domains of each target of the incident.
        addresses: addresses to which connections failed at the time, for each target that was measured there.
    """
    return [*_precursors(incident, others), *_collateral(domains), *_neighbours(incident, addresses)]


def _precursors(incident: Incident, others: Sequence[Incident]) -> list[Reason]:
    if _goes_first(incident):
        return []
    found = []
    for other in sorted(others, key=lambda one: one.onset):
        ahead = incident.onset - other.onset
        stands = other.status is not Status.RETRACTED and other.id != incident.id
        if stands and _goes_first(other) and 0 < ahead <= PRECURSOR:
            sure = Status.SUSPECTED if other.confirmed_at is None else Status.CONFIRMED
            about: dict[str, Param] = {"incident": other.id, "status": str(sure), "ahead": round(ahead)}
            if other.targets and set(other.targets) <= set(FIRST_TARGETS):
                found.append(Reason("hint.precursor", about | {"targets": other.targets}))
            else:
                found.append(Reason("hint.precursor_method", about | {"mechanisms": other.mechanisms}))
    return found


def _goes_first(incident: Incident) -> bool:
    """Does it cut only means of circumvention?"""
    mechanisms = incident.mechanisms
    if mechanisms and all(name.startswith(FIRST) for name in mechanisms):
        return True
    return bool(incident.targets) and set(incident.targets) <= set(FIRST_TARGETS)


def _collateral(domains: Mapping[str, Sequence[str]]) -> list[Reason]:
    """Targets whose name contains a name of another target without belonging to it."""
    found = []
    for target, own in sorted(domains.items()):
        pieces = {
            (one, piece)
            for one in own
            for other, names in domains.items()
            if other != target
            for piece in names
            if len(piece) >= LEAST_PIECE and piece in one and one != piece and not one.endswith(f".{piece}")
        }
        if pieces:
            one, piece = min(pieces)
            found.append(Reason("hint.part_of_name", {"targets": (target,), "name": one, "part": piece}))
    return found


def _neighbours(incident: Incident, addresses: Mapping[str, frozenset[str]]) -> list[Reason]:
    """Targets behind an address at which one of the incident's own targets is cut."""
    found = []
    cut = {part.target for part in incident.parts if any(m.startswith(BY_ADDRESS) for m in part.mechanisms)}
    for target in sorted(cut):
        own = addresses.get(target, frozenset())
        shared = sorted(other for other, theirs in addresses.items() if other not in cut and own & theirs)
        if shared:
            others = max(0, len(shared) - NAMED)
            found.append(
                Reason(
                    "hint.shared_address",
                    {"neighbours": (*shared[:NAMED],), "others": others, "target": target},
                )
            )
    return found
