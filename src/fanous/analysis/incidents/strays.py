"""Strays: stretches before or after an event that fail in another way than it does, and on little evidence.

In the alert of an event ordinary failures on the same networks are stretches too; left in, they move its
onset and its end by days.
"""

from collections import Counter
from collections.abc import Sequence

from fanous.analysis.incidents.confirm import is_long, mostly_controlled
from fanous.analysis.incidents.group import TypedAnomaly
from fanous.analysis.incidents.networks import RAISED, inside
from fanous.model.votes import Votes

MAIN_SHARE = 0.1
"""Of what failed in an event, for a mechanism to be one of its own."""


def without_strays(group: Sequence[TypedAnomaly], votes: Votes) -> list[TypedAnomaly]:
    """The group less what leads it or trails it, shares no mechanism with it and would not stand alone.

    Args:
        group: findings of one event (``group``).
        votes: of the country, on the group's targets.
    """
    kept = sorted(group, key=lambda f: f.anomaly.start)
    while _is_stray(kept[0], kept[1:], votes):
        kept.pop(0)
    kept.sort(key=lambda f: f.anomaly.last_seen)
    while _is_stray(kept[-1], kept[:-1], votes):
        kept.pop()
    left = set(map(id, kept))
    return [finding for finding in group if id(finding) in left]


def _is_stray(finding: TypedAnomaly, others: Sequence[TypedAnomaly], votes: Votes) -> bool:
    """Does it share nothing with what most of the others fail by that are about its target?"""
    target = finding.anomaly.key.target
    raised = [f for f in others if f.anomaly.key.target == target and f.anomaly.probability >= RAISED]
    counts = Counter(votes.mechanisms[inside(votes, raised) & votes.seen].tolist())
    main = {mechanism for mechanism, n in counts.items() if n >= MAIN_SHARE * counts.total()}
    seen = votes.where(inside(votes, [finding]) & votes.seen)
    if not main or not len(seen) or not main.isdisjoint(seen.mechanisms.tolist()):
        return False
    return not mostly_controlled(seen) and not is_long(seen)
