"""Roles: which parts of a service an event cut on which networks, and which still worked there.

A measurement votes on a service as a whole, so one whose web client alone fails says *blocked*.  That is right for the
detectors (something is cut), but not for readers, so the votes behind an event are asked once more, role by role and
network by network.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fanous.analysis.incidents.confirm import NETWORK_PROBES, NETWORK_SHARE
from fanous.model.incident import Interval, RolePart, union
from fanous.model.instant import HOUR
from fanous.model.place import Place
from fanous.model.role import Role
from fanous.model.series import Votes, within

FEW = 2
"""Measurements of a role that worked before it failed, or after, without which nothing shows that it failed for a part
of the event only."""

WORKS_AGAIN = HOUR
"""Seconds for which a role must have worked after its last failure before it counts as back while the event goes on:
between two volunteers' measurements, or for minutes in between, it would flap."""


class _Said(NamedTuple):
    """What one measurement says about one role."""

    at: float
    probe: str
    failed: bool


def roles_of(votes: Votes, target: str, spans: Mapping[int, Sequence[Interval]]) -> tuple[RolePart, ...]:
    """The roles of a target that were tried during an event, in order of ``Role``.

    Args:
        votes: of the country.
        spans: ASN of a network on which the target failed -> when, in order; the last is open if it still does.
    """
    found: dict[Role, RolePart] = {}
    for asn, spells in sorted(spans.items()):
        rows = (votes.asns == asn) & (votes.targets == target) & within(votes.times, spells)
        said = _by_role(votes.where(rows))
        witnesses = len({one.probe for own in said.values() for one in own if one.failed})
        for role, own in said.items():
            part = _on_network(role, str(Place("", asn)), own, spells, min(NETWORK_PROBES, witnesses))
            if part is not None:
                found[role] = _both(found[role], part) if role in found else part
    return tuple(found[role] for role in Role if role in found)


def _by_role(votes: Votes) -> dict[Role, list[_Said]]:
    """What each measurement says about each role; a role failed if any of its votes says so."""
    said: dict[tuple[str, str], _Said] = {}
    for uid, at, probe, cut, reached in zip(
        votes.uids, votes.times.tolist(), votes.probes, votes.cut, votes.reached, strict=True
    ):
        for role in cut.split():
            said[uid, role] = _Said(at, probe, failed=True)
        for role in reached.split():
            said.setdefault((uid, role), _Said(at, probe, failed=False))
    by_role: dict[Role, list[_Said]] = {}
    for (_, name), one in said.items():
        if name in _NAMES:
            by_role.setdefault(Role(name), []).append(one)
    return {role: sorted(own) for role, own in by_role.items()}


_NAMES = frozenset(map(str, Role))


def _on_network(
    role: Role, entity: str, said: Sequence[_Said], spells: Sequence[Interval], probes: int
) -> RolePart | None:
    """How a role fared on one network; None = its measurements do not agree.

    Args:
        probes: that must have seen it fail: as many as name a network, or as many as saw anything fail there.
    """
    first, last = _worst_run(said)
    run = said[first:last]
    failing = [one for one in run if one.failed]
    if run and len(failing) >= NETWORK_SHARE * len(run) and len({one.probe for one in failing}) >= probes:
        start = failing[0].at if first >= FEW else spells[0].start
        is_back = len(said) - last >= FEW and (
            spells[-1].end is not None or said[-1].at - failing[-1].at >= WORKS_AGAIN
        )
        end = failing[-1].at if is_back else spells[-1].end
        return RolePart(role, (entity,), (), (Interval(start, end),))
    worked = sum(not one.failed for one in said)
    return RolePart(role, (), (entity,), ()) if worked >= NETWORK_SHARE * len(said) else None


def _worst_run(said: Sequence[_Said]) -> tuple[int, int]:
    """First and last index (not included) of the run with most failures over successes, the longest of these."""
    best, begin, total, found = 0, 0, 0, (0, 0)
    for index, one in enumerate(said):
        if total < 0:
            begin, total = index, 0
        total += 1 if one.failed else -1
        if total > best or (total == best > 0 and one.failed and begin == found[0]):
            best, found = total, (begin, index + 1)
    return found


def _both(one: RolePart, other: RolePart) -> RolePart:
    return RolePart(
        one.role,
        one.entities + other.entities,
        one.worked + other.worked,
        union([*one.intervals, *other.intervals]),
    )
