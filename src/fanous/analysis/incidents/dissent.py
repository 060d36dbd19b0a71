"""Dissent: one probe alone says that a target fails, and its neighbours reach it - no ground for a suspicion.

A probe with a fault of its own, or one that lies, says the same bin after bin; the filter, which takes each
bin for a new piece of evidence, believes it in the end.
"""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.incidents.group import TypedAnomaly
from fanous.model.votes import Votes


def is_lone_dissent(group: Sequence[TypedAnomaly], votes: Votes) -> bool:
    """Does one probe stand behind the whole group, while others on its network reach the target all the time?

    Args:
        group: findings of one event.
        votes: of the country on the group's targets.
    """
    rows = np.zeros(len(votes), np.bool_)
    for finding in group:
        key, stretch = finding.anomaly.key, finding.anomaly
        rows |= (
            (votes.asns == key.place.asn)
            & (votes.targets == key.target)
            & (votes.signals == key.signal)
            & (votes.times >= stretch.start_latest)
            & (votes.times < stretch.last_seen)
        )
    inside = votes.where(rows)
    for_it = set(inside.probes[inside.seen].tolist())
    others = set(inside.probes.tolist()) - for_it
    return len(for_it) == 1 and bool(others)
