"""Matrix: networks x targets, what could be reached on which network while an incident was on.

A cell is *blocked* or *slowed* only where the incident names the network and the target; which of the two is
what most of its failing measurements show.  No data is a state of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fanous.model.incident import Incident, Kind
from fanous.model.place import Access
from fanous.model.votes import Votes
from fanous.model.weights import UserWeights

THROTTLED = "throttled"
"""The signal of ``fanous.analysis.series.signals`` whose votes say *slowed*."""


LARGE = 0.02
"""A network with this share of the users has its row even where nobody measured: the hole must show."""


class Reachability(StrEnum):
    """One target on one network."""

    NO_DATA = "no data"
    REACHABLE = "reachable"
    SOME_FAILED = "some failed"
    SLOWED = "slowed"
    BLOCKED = "blocked"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Reached:
    """One network: a cell for each target.

    Attributes:
        share: of the country's users, 0..1; ``None`` = not known.
        measurements: of these targets while it was on.
    """

    asn: int
    share: float | None
    access: Access
    cells: tuple[Reachability, ...]
    measurements: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows by users where these are known, then by measurements.

    Attributes:
        unseen: networks with fewer than ``LARGE`` of the users, and without a measurement: not listed.
    """

    targets: tuple[str, ...]
    rows: tuple[Reached, ...]
    unseen: int = 0


def matrix(incident: Incident, votes: Votes, targets: Sequence[str], weights: UserWeights | None) -> Matrix:
    """Who could reach what.

    Args:
        votes: of the country; those outside the incident's intervals are left out here.
        targets: columns, in order.
    """
    made, failed, slowed = _counts(votes.where(_within(votes, incident)))
    named = {network.asn: network.targets for network in incident.networks if network.asn}
    known = {weight.asn: weight for weight in weights.networks} if weights else {}
    rows = []
    for asn in {asn for asn, target in made if target in targets} | set(named) | set(known):
        cells = tuple(
            _cell(
                incident.kind,
                target in named.get(asn, ()),
                made[asn, target],
                failed[asn, target],
                slowed[asn, target],
            )
            for target in targets
        )
        weight = known.get(asn)
        rows.append(
            Reached(
                asn,
                weight.share if weight else None,
                weight.access if weight else Access.ANY,
                cells,
                sum(made[asn, target] for target in targets),
            )
        )
    rows.sort(key=lambda row: (-(row.share or 0.0), -row.measurements, row.asn))
    shown = [row for row in rows if row.measurements or row.asn in named or (row.share or 0.0) >= LARGE]
    return Matrix(tuple(targets), tuple(shown), len(rows) - len(shown))


def beside(incident: Incident, votes: Votes, most: int) -> list[str]:
    """Targets that were measured as well while it was on, and that it does not name: most measured first."""
    inside = votes.where(_within(votes, incident))
    uids: dict[str, set[str]] = defaultdict(set)
    for uid, target in zip(inside.uids.tolist(), inside.targets.tolist(), strict=True):
        uids[target].add(uid)
    others = [target for target in uids if target and target not in incident.targets]
    return sorted(others, key=lambda target: (-len(uids[target]), target))[:most]


Places = Counter[tuple[int, str]]
"""(ASN, target) -> measurements."""


def _counts(votes: Votes) -> tuple[Places, Places, Places]:
    """Measurements made, failed, and failed by being slowed."""
    made: dict[tuple[int, str], set[str]] = defaultdict(set)
    failed: dict[tuple[int, str], set[str]] = defaultdict(set)
    slowed: dict[tuple[int, str], set[str]] = defaultdict(set)
    columns = (votes.uids, votes.asns, votes.targets, votes.signals, votes.seen)
    for uid, asn, target, signal, seen in zip(*(column.tolist() for column in columns), strict=True):
        made[asn, target].add(uid)
        if seen:
            (slowed if signal == THROTTLED else failed)[asn, target].add(uid)
    for place, uids in slowed.items():
        failed[place] |= uids
    return (
        Counter({place: len(uids) for place, uids in made.items()}),
        Counter({place: len(uids) for place, uids in failed.items()}),
        Counter({place: len(uids) for place, uids in slowed.items()}),
    )


def _within(votes: Votes, incident: Incident) -> NDArray[np.bool_]:
    inside = np.zeros(len(votes), np.bool_)
    for interval in incident.intervals:
        end = np.inf if interval.end is None else interval.end
        inside |= (votes.times >= interval.start) & (votes.times < end)
    return inside


def _cell(kind: Kind, named: bool, made: int, failed: int, slowed: int) -> Reachability:
    if named:
        if kind is Kind.OUTAGE:
            return Reachability.OFFLINE
        return Reachability.SLOWED if slowed * 2 > failed or kind is Kind.SLOWDOWN else Reachability.BLOCKED
    if not made:
        return Reachability.NO_DATA
    return Reachability.SOME_FAILED if failed else Reachability.REACHABLE
