"""Groups the anomalies that belong to one event.

One real event is one incident: the same target failing on several networks, in sessions, with weekends
between; or several targets that began to fail together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fanous.model.anomaly import Anomaly
from fanous.model.incident import Kind

HOUR = 3600.0

SAME_NETWORK_GAP = 96 * HOUR
"""Sessions on one network are one event across a long weekend (Friday noon to Tuesday morning)."""

OTHER_NETWORK_GAP = 36 * HOUR
"""A second network joins an event within the time in which orders are carried out (the detectors'
alert lasts as long)."""

TOGETHER = 6 * HOUR
"""Targets whose onsets lie this close were cut by one order; a day apart they may not have been."""


@dataclass(frozen=True, slots=True)
class TypedAnomaly:
    """An anomaly with what its detector takes it for."""

    anomaly: Anomaly
    kind: Kind


def correlate(findings: Sequence[TypedAnomaly]) -> list[list[TypedAnomaly]]:
    """Groups of findings that are one event, each in order of onset."""
    ordered = sorted(findings, key=lambda f: f.anomaly.start)
    parents = list(range(len(ordered)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    near: list[int] = []
    for later, finding in enumerate(ordered):
        near = [i for i in near if _may_still_join(ordered[i].anomaly, finding.anomaly.start)]
        for earlier in near:
            if root(later) != root(earlier) and _one_event(ordered[earlier].anomaly, finding.anomaly):
                parents[root(later)] = root(earlier)
        near.append(later)
    groups: dict[int, list[TypedAnomaly]] = {}
    for index, finding in enumerate(ordered):
        groups.setdefault(root(index), []).append(finding)
    return list(groups.values())


def _may_still_join(anomaly: Anomaly, start: float) -> bool:
    """Whether anything that begins at ``start`` or later can be one event with it."""
    return start <= max(_reaches(anomaly) + SAME_NETWORK_GAP, anomaly.start + TOGETHER)


def _one_event(first: Anomaly, second: Anomaly) -> bool:
    """``first`` begins no later than ``second``; both are of one country."""
    if bool(first.key.target) != bool(second.key.target):
        return False  # cutting the network off and blocking a platform are two orders
    if first.key.target == second.key.target:
        same_network = first.key.place == second.key.place
        gap = second.start - _reaches(first)
        return gap <= (SAME_NETWORK_GAP if same_network else OTHER_NETWORK_GAP)
    if first.start_earliest is None or second.start_earliest is None:
        return False  # already so when the record begins: nothing says that they began together
    return second.start - first.start <= TOGETHER


def _reaches(anomaly: Anomaly) -> float:
    return anomaly.last_seen if anomaly.end is None else anomaly.end
