"""The reference for counts of measurements: what each measurement's votes on a target amount to, in plain Python."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from fanous.model.coverage import Outcomes
from fanous.model.series import Votes
from fanous.store.votes import AxisValue, CountedMeasurement, CountScope

OUTCOMES = {"blocked_dns": "blocked", "blocked_path": "blocked", "throttled": "throttled"}
SEVEREST = ("blocked", "throttled", "ok")

Said = list[tuple[str, str]]
"""Outcome and mechanism of each vote of a measurement on a target."""


def counted(
    votes: Votes, scope: CountScope, axes: Sequence[str], edges: Sequence[float], country: str
) -> list[tuple[tuple[AxisValue, ...], Outcomes]]:
    """As ``Facts.tally``, of the votes of one country; measurements that say nothing have no votes, and are missing."""
    found: defaultdict[tuple[AxisValue, ...], Outcomes] = defaultdict(Outcomes)
    for place, outcome in _measurements(votes, scope, edges, country):
        found[tuple(place[axis] for axis in axes)] += Outcomes(1, **{outcome: 1})
    return sorted(found.items(), key=lambda pair: pair[0])


def listed(votes: Votes, scope: CountScope, country: str) -> list[CountedMeasurement]:
    """As ``Facts.counted_ones``."""
    found = [
        CountedMeasurement(
            str(place["uid"]),
            round(float(place["at"]) * 1e6),
            str(place["target"]),
            int(place["network"]),
            country,
            str(place["source"]),
            "web_connectivity",
            outcome,
            str(place["mechanism"]),
        )
        for place, outcome in _measurements(votes, scope, [0.0], country)
    ]
    return sorted(found, key=lambda one: (one.micros, one.uid, one.target), reverse=True)


def _measurements(
    votes: Votes, scope: CountScope, edges: Sequence[float], country: str
) -> list[tuple[dict[str, Any], str]]:
    """What is known of each measurement of a target, and its outcome."""
    places: dict[tuple[str, str], dict[str, Any]] = {}
    said: defaultdict[tuple[str, str], Said] = defaultdict(list)
    columns = (votes.uids, votes.times, votes.asns, votes.targets, votes.signals, votes.seen)
    rows = zip(
        *(one.tolist() for one in (*columns, votes.mechanisms, votes.sources)),
        strict=True,
    )
    for uid, time, asn, target, signal, seen, mechanism, source in rows:
        if not _is_within(scope, time, asn, target):
            continue
        edge = int(edges[max(0, bisect_right(edges, time) - 1)])
        places[uid, target] = {
            "uid": uid,
            "at": time,
            "network": asn,
            "target": target,
            "source": source,
            "country": country,
            "time": edge,
        }
        said[uid, target].append((OUTCOMES[signal] if seen else "ok", mechanism))
    found = []
    for key, own in said.items():
        outcome = next(word for word in SEVEREST if word in (told for told, _ in own))
        named = [mechanism for word, mechanism in own if word == outcome and mechanism]
        found.append((places[key] | {"mechanism": named[0] if named and outcome != "ok" else ""}, outcome))
    return found


def _is_within(scope: CountScope, time: float, asn: int, target: str) -> bool:
    return (
        scope.since <= time < scope.until
        and (not scope.networks or asn in scope.networks)
        and (target in scope.targets if scope.targets else target not in scope.but)
    )
