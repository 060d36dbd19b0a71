"""Collateral damage: what else was blocked around an incident, perhaps unintentionally.  Hints only.

Circumvention goes first: where QUIC, encrypted DNS or the stores of apps are cut, platforms often follow
within days.  And a censor that looks for a piece of a name hits every name that holds it; one that cuts an
address hits every name that stands behind it.
"""

from collections.abc import Mapping, Sequence

from fanous.model.incident import Incident, Status

DAY = 86400.0

PRECURSOR = 7 * DAY
"""How long before the onset what goes first may have begun: ours, after the weeks before elections and after
Russia in March 2022, where tools went days before platforms."""

FIRST = ("quic.", "encdns.")
"""Mechanisms that take a way around away, rather than a platform."""

FIRST_TARGETS = ("tor", "psiphon", "play.google.com", "apps.apple.com", "f-droid.org")
"""Ways around, and where people get them."""

LEAST_PIECE = 4
"""Letters: a shorter name is a piece of too many others for chance."""


BY_ADDRESS = ("tcp.", "ip.")
"""Mechanisms that see an address and no name."""

NAMED = 5
"""Targets that a remark names; the others are counted."""


def beside(
    incident: Incident,
    others: Sequence[Incident],
    domains: Mapping[str, Sequence[str]],
    addresses: Mapping[str, frozenset[str]],
) -> list[str]:
    """Remarks for a reader, in words; they count for nothing.

    Args:
        others: incidents of the same country.
        domains: of each target of the incident.
        addresses: of each target that was measured there meanwhile: those to which connections failed.
    """
    return [*_precursors(incident, others), *_collateral(domains), *_neighbours(incident, addresses)]


def _precursors(incident: Incident, others: Sequence[Incident]) -> list[str]:
    if _goes_first(incident):
        return []
    found = []
    for other in sorted(others, key=lambda one: one.onset):
        ahead = incident.onset - other.onset
        stands = other.status is not Status.RETRACTED and other.id != incident.id
        if stands and _goes_first(other) and 0 < ahead <= PRECURSOR:
            sure = "" if other.confirmed_at is not None else " (suspected)"
            what = ", ".join([*other.targets, *other.mechanisms][:3])
            found.append(f"{other.id}{sure} began {_before(ahead)} before: {what}, which often goes first")
    return found


def _goes_first(incident: Incident) -> bool:
    """It cuts nothing but ways around."""
    mechanisms = incident.mechanisms
    if mechanisms and all(name.startswith(FIRST) for name in mechanisms):
        return True
    return bool(incident.targets) and set(incident.targets) <= set(FIRST_TARGETS)


def _before(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"


def _collateral(domains: Mapping[str, Sequence[str]]) -> list[str]:
    """Targets whose name holds a name of another target without belonging to it."""
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
            found.append(
                f"{target} may have been hit without being meant: {one} holds {piece}, and a filter that "
                "looks for a piece of a name sees no difference"
            )
    return found


def _neighbours(incident: Incident, addresses: Mapping[str, frozenset[str]]) -> list[str]:
    """Targets behind an address at which one of the incident's own is cut."""
    found = []
    cut = {part.target for part in incident.parts if any(m.startswith(BY_ADDRESS) for m in part.mechanisms)}
    for target in sorted(cut):
        own = addresses.get(target, frozenset())
        shared = sorted(other for other, theirs in addresses.items() if other not in cut and own & theirs)
        if shared:
            more = f" and {len(shared) - NAMED} more" if len(shared) > NAMED else ""
            found.append(
                f"{', '.join(shared[:NAMED])}{more} may have been hit without being meant: behind an address "
                f"of {target} to which connections fail, and a filter by address sees no names"
            )
    return found
