"""Networks: which networks of an event have enough evidence to be named, and which anomalies are strays.

During the alert that an event causes, ordinary failures on the same networks become anomalies too; left in, they
would move its onset and its end by days (``without_strays``).  And one probe with its own fault, or one that lies,
says the same bin after bin, until the filter, which takes each bin for new evidence, believes it: if its neighbours
reach the target, there are no grounds for a suspicion (``is_lone_dissent``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.confirm import (
    COMPANY,
    COMPANY_SHARE,
    NETWORK_SHARE,
    beyond_baseline,
    is_long,
    mostly_controlled,
    nameable,
    nameable_in_company,
    names_of,
)
from fanous.analysis.incidents.group import Finding
from fanous.analysis.series.repeats import MEMORY
from fanous.model.incident import NetworkPart
from fanous.model.reason import Reason
from fanous.model.series import SeriesKey, Votes, within

RAISED = 0.99
"""Probability from which a network counts as affected (the detectors' ``raise_at``)."""


# --- networks to name -----------------------------------------------------------------------------------


def nameable_of(
    group: Sequence[Finding], votes: Votes, findings: Sequence[Finding], bad: frozenset[int]
) -> list[Finding]:
    """Findings on networks whose own evidence is enough to name them, alone or next to others.

    Args:
        group: findings of one event.
        findings: all of the country, including the group's.
        bad: networks on which lines failed altogether.
    """
    sound = [f for f in group if f.asn not in bad]
    raised = _standing_out([f for f in sound if f.anomaly.probability >= RAISED], votes)
    own = _beyond_baseline(raised, votes, findings)
    alone = {asn for asn, one in own.items() if nameable(one.votes, one.strangers, one.regulars)}
    good = alone | _in_company(own, NETWORK_SHARE)
    if len(good) == 1:
        good = alone
    named = [f for f in raised if f.asn in good]
    if len(alone) < COMPANY:
        return named
    others = [f for f in sound if f.asn not in good]
    joining = _in_company(_beyond_baseline(others, votes, findings), COMPANY_SHARE)
    return named + [f for f in others if f.asn in joining]


class _Own(NamedTuple):
    """The evidence for the findings on one network.

    Attributes:
        votes: inside their stretches.
        strangers: see ``confirm.Names``.
        regulars: known probes that measured the same within ``MEMORY`` of these.
    """

    votes: Votes
    strangers: frozenset[str]
    regulars: int


def _in_company(own: Mapping[int, _Own], share: float) -> set[int]:
    return {asn for asn, one in own.items() if nameable_in_company(one.votes, one.strangers, share)}


def _beyond_baseline(group: Sequence[Finding], votes: Votes, findings: Sequence[Finding]) -> dict[int, _Own]:
    """Networks on which it fails beyond their baseline."""
    own: dict[int, _Own] = {}
    for asn, on_it in _by_network(group).items():
        of_it = votes.where(inside(votes, on_it))
        if beyond_baseline(of_it, votes.where(_outside(votes, on_it, findings))):
            names = names_of(votes.where(votes.asns == asn))
            lately = names.regulars.intersection(votes.probes[inside(votes, on_it, MEMORY)])
            own[asn] = _Own(of_it, names.strangers, len(lately))
    return own


def _standing_out(raised: Sequence[Finding], votes: Votes) -> list[Finding]:
    """Findings whose target fails on their network beyond its baseline whenever the event was on anywhere.

    During the alert of a long event, a few failures close together make an anomaly on any line that ever fails.  A
    failure with a normal control is not the line's fault.
    """
    during = np.zeros(len(votes), np.bool_)
    for finding in raised:
        during[_span(votes, finding.anomaly.start_latest, finding.anomaly.last_seen)] = True
    by_key: dict[SeriesKey, list[Finding]] = {}
    for finding in raised:
        by_key.setdefault(finding.anomaly.key, []).append(finding)
    out: set[SeriesKey] = set()
    for key, own in by_key.items():
        _, rows = _of(votes, own[0], -np.inf, np.inf)
        if mostly_controlled(votes.where(inside(votes, own) & votes.seen)) or beyond_baseline(
            votes.where(rows & during), votes.where(rows & ~during)
        ):
            out.add(key)
    return [finding for finding in raised if finding.anomaly.key in out]


def of_the_line(
    group: Sequence[Finding], votes: Votes, findings: Sequence[Finding], bad: frozenset[int]
) -> Reason | None:
    """Why networks that would be named are not, if their lines were bad; None = they would not be named anyway."""
    spared = nameable_of(group, votes, findings, frozenset()) if bad else []
    if not spared:
        return None
    return Reason("line.at_fault", {"networks": tuple(f"AS{asn}" for asn in sorted(_by_network(spared)))})


# --- strays ---------------------------------------------------------------------------------------------

MAIN_SHARE = 0.1
"""Share of an event's failures from which a mechanism counts as one of the event's."""


def without_strays(group: Sequence[Finding], votes: Votes) -> list[Finding]:
    """The group without findings that lead or trail it, share no mechanism with it and would not stand alone.

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


def _is_stray(finding: Finding, others: Sequence[Finding], votes: Votes) -> bool:
    """Does it share no mechanism with most of the other failures of its target?"""
    target = finding.target
    raised = [f for f in others if f.target == target and f.anomaly.probability >= RAISED]
    counts = Counter(votes.mechanisms[inside(votes, raised) & votes.seen].tolist())
    main = {mechanism for mechanism, n in counts.items() if n >= MAIN_SHARE * counts.total()}
    seen = votes.where(inside(votes, [finding]) & votes.seen)
    if not main or not len(seen) or not main.isdisjoint(seen.mechanisms.tolist()):
        return False
    return not mostly_controlled(seen) and not is_long(seen)


# --- one probe against its neighbours -------------------------------------------------------------------


def is_lone_dissent(group: Sequence[Finding], votes: Votes) -> bool:
    """Is one probe behind the whole group, while others on its network reach the target throughout?

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


# --- the votes behind anomalies -------------------------------------------------------------------------


def inside(votes: Votes, findings: Sequence[Finding], beside: float = 0.0) -> NDArray[np.bool_]:
    """Rows behind any of the findings: same network, target, signal and stretch.

    Args:
        beside: seconds before and after each stretch that count too.
    """
    rows = np.zeros(len(votes), np.bool_)
    for finding in findings:
        start, end = finding.anomaly.start_latest - beside, finding.anomaly.last_seen + beside
        span, of_it = _of(votes, finding, start, end)
        rows[span] |= of_it
    return rows


def that_saw(votes: Votes, networks: Sequence[NetworkPart]) -> NDArray[np.bool_]:
    """Rows that saw an incident: its targets failed on its networks while it was on there, whatever signal shows it.

    These are what its figures count, so anyone can count them again from the incident and the measurements alone.
    """
    return votes.seen & that_measured(votes, networks)


def that_measured(votes: Votes, networks: Sequence[NetworkPart]) -> NDArray[np.bool_]:
    """Rows about the targets of an incident on its networks while it was on there, whatever they say."""
    rows = np.zeros(len(votes), np.bool_)
    for network in (one for one in networks if one.asn):
        of_it = (votes.asns == network.asn) & np.isin(votes.targets, network.targets)
        rows |= of_it & within(votes.times, network.intervals)
    return rows


def made(votes: Votes) -> int:
    """How many measurements cast the votes: one may vote in several signals, and on several targets."""
    return len(set(votes.uids.tolist()))


def _outside(votes: Votes, own: Sequence[Finding], findings: Sequence[Finding]) -> NDArray[np.bool_]:
    """Rows of the same networks, targets and signals at times without any finding there."""
    rows = np.zeros(len(votes), np.bool_)
    keys = {finding.anomaly.key: finding for finding in own}
    for finding in keys.values():
        span, of_it = _of(votes, finding, -np.inf, np.inf)
        rows[span] |= of_it
    for finding in (f for f in findings if f.anomaly.key in keys):
        span, of_it = _of(votes, finding, finding.anomaly.start, finding.anomaly.known_until)
        rows[span] &= ~of_it
    return rows


def _of(votes: Votes, finding: Finding, start: float, end: float) -> tuple[slice, NDArray[np.bool_]]:
    """A span of rows, and which of them are of the finding's network, target, signal and resolver.

    If a provider's own resolver denies a name, users of another resolver do not contradict it.
    """
    key = finding.anomaly.key
    span = _span(votes, start, end)
    return span, (
        (votes.asns[span] == key.place.asn)
        & (votes.targets[span] == key.target)
        & (votes.signals[span] == key.signal)
        & (votes.resolver_asns[span] == key.resolver_asn)
    )


def _span(votes: Votes, start: float, end: float) -> slice:
    low, high = np.searchsorted(votes.times, [start, end])
    return slice(int(low), int(high))


def _by_network(findings: Sequence[Finding]) -> dict[int, list[Finding]]:
    by_network: dict[int, list[Finding]] = {}
    for finding in findings:
        by_network.setdefault(finding.asn, []).append(finding)
    return by_network
