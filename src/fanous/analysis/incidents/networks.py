"""Networks: which networks of an event have enough evidence to be named, which parts of a service failed on them, and
which anomalies are strays.

During the alert that an event causes, ordinary failures on the same networks become anomalies too; left in, they
would move its onset and its end by days (``without_strays``).  And one probe with its own fault, or one that lies,
says the same bin after bin, until the filter, which takes each bin for new evidence, believes it: if its neighbours
reach the target, there are no grounds for a suspicion.  Nor are there if all of it comes from one line of a stranger,
who could say it for nothing (``is_groundless``).

OONI's measurements name the run of a test, not a probe that anyone could check.  Two runs certainly come from two
probes if they overlapped in time, or if their software or their resolver differs.  The largest number of runs of which
any two certainly differ is a lower bound for the number of probes, and that is what C2 counts.  A ``probe_id`` is only
the sender's word: it groups the measurements of one probe, but never counts as proof of two.

A measurement votes on a service as a whole, so one whose web client alone fails says *blocked*.  That is right for the
detectors (something is cut), but not for readers, so the votes behind an event are examined once more, role by role and
network by network (``roles_of``).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.detectors.finding import RAISED, Finding, by_network, failures, inside, rows_of, span_of
from fanous.analysis.incidents.confirm import (
    COMPANY,
    COMPANY_SHARE,
    NETWORK_SHARE,
    beyond_baseline,
    nameable,
    nameable_in_company,
)
from fanous.analysis.series.aggregate import MEMORY
from fanous.analysis.series.voices import NETWORK_PROBES, is_long, mostly_controlled, names_of
from fanous.base.groups import grouped
from fanous.model.incident import Interval, NetworkPart, RolePart, Run, union
from fanous.model.instant import DAY, HOUR, MINUTE
from fanous.model.measurement import Role, is_stated
from fanous.model.place import Family, Place
from fanous.model.reason import Reason
from fanous.model.series import SeriesKey, Votes, within
from fanous.model.threshold import threshold

# --- the least number of probes behind test runs ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Distinct:
    """Counts the independent probes behind votes.

    Attributes:
        runs: name of the run -> what is known about it; only needed for families whose probes are not known.
        family_of: name of a source -> family.
    """

    runs: Mapping[str, Sequence[Run]]
    family_of: Mapping[str, Family]

    def count(self, votes: Votes) -> int:
        """What C2 counts: known probes, plus for the others the lower bound, or each run if too little is known."""
        known, others = self._names(votes)
        return len(known) + (self._bound(others) if self._is_enough(others) else len(others))

    def at_least(self, votes: Votes) -> int | None:
        """The lower bound of the number of probes; None = nothing is known about the runs."""
        known, others = self._names(votes)
        return None if others and not self.runs else len(known) + self._bound(others)

    def remarks(self, votes: Votes) -> tuple[Reason, ...]:
        """What a claim that rests on runs says about them: the least number of probes behind them, and whether that
        counts.
        """
        _, others = self._names(votes)
        if not others or not self.runs:
            return ()
        code = "runs.bound" if self._is_enough(others) else "runs.unclear"
        return (Reason(code, {"at_least": self._bound(others), "test_runs": len(others)}),)

    def _names(self, votes: Votes) -> tuple[set[str], set[str]]:
        """Probes that are known, and runs."""
        names: tuple[set[str], set[str]] = set(), set()
        for probe, source in set(zip(votes.probes.tolist(), votes.sources.tolist(), strict=True)):
            names[self.family_of.get(source) is Family.OONI].add(probe)
        return names

    def _is_enough(self, names: Iterable[str]) -> bool:
        """Are software and resolver of every run known?  Tables of observations have no software."""
        return all(
            own.resolver_asn and own.software for name in names for own in self.runs.get(name, (_UNKNOWN,))
        )

    def _bound(self, names: set[str]) -> int:
        return at_least(run for name in names for run in self.runs.get(name, (_UNKNOWN,)))


_UNKNOWN = Run("", "", "", "", 0, 0.0, 0.0)


def at_least(runs: Iterable[Run]) -> int:
    """The least number of probes that made these runs.

    If a table lacks the software, the version of the nettest distinguishes two runs of that nettest, but not
    runs of two nettests.
    """
    known = list(runs)
    by_test = grouped(known, lambda run: run.test_name).values()
    bounds = (_apart(of_test, lambda run: run.test_version) for of_test in by_test)
    return max(_apart([run for run in known if run.software], lambda run: run.software), *bounds, 0)


def _apart(runs: Iterable[Run], version: Callable[[Run], str]) -> int:
    """The largest number of runs that pairwise come from different probes.

    Runs alike in software and resolver do so only if they overlap, and runs that overlap at one instant all overlap
    each other.
    """
    return sum(map(_at_once, grouped(runs, lambda run: (version(run), run.resolver_asn)).values()))


def _at_once(runs: Sequence[Run]) -> int:
    """The largest number of runs under way at the turn of one minute, and at least one.

    By whole minutes, since a redacted record has no seconds.
    """
    edges: list[tuple[float, int]] = []
    for run in runs:
        start, end = (at // MINUTE for at in (run.since, run.until))
        if start < end and not is_stated(run.probe):
            edges += [(start, 1), (end, -1)]
    return max([1, *accumulate(step for _, step in sorted(edges))])


# --- networks to name -----------------------------------------------------------------------------------


def nameable_of(
    group: Sequence[Finding], votes: Votes, findings: Sequence[Finding], bad: Collection[int | str]
) -> list[Finding]:
    """Findings on networks whose own evidence is enough to name them, alone or next to others.

    Args:
        group: findings of one event.
        findings: all of the country, including the group's.
        bad: networks that another explanation leaves out.
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
    for asn, on_it in by_network(group).items():
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
        during[span_of(votes, finding.anomaly.start_latest, finding.anomaly.last_seen)] = True
    out: set[SeriesKey] = set()
    for key, of_series in grouped(raised, lambda finding: finding.anomaly.key).items():
        _, rows = rows_of(votes, of_series[0], -np.inf, np.inf)
        if mostly_controlled(failures(votes, of_series)) or beyond_baseline(
            votes.where(rows & during), votes.where(rows & ~during)
        ):
            out.add(key)
    return [finding for finding in raised if finding.anomaly.key in out]


# --- strays ---------------------------------------------------------------------------------------------

MECHANISM_SHARE = threshold(
    "incidents.mechanism_share",
    0.1,
    "A mechanism is named, and counts as one of an incident's main ones, if at least this share of the failing "
    "measurements showed it.",
)


def mechanisms_of(seen: Votes) -> dict[str, int]:
    """The main mechanisms of failing votes, and how many showed each; the most frequent first."""
    counts = Counter(seen.mechanisms.tolist())
    least = MECHANISM_SHARE * counts.total()
    return {mechanism: n for mechanism, n in counts.most_common() if n >= least}


def without_strays(group: Sequence[Finding], votes: Votes) -> list[Finding]:
    """The group without findings that lead or trail it and would not stand alone: they share no mechanism with it, or
    one line of a stranger reports them, and would move its onset or its end.

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
    """Does it share no mechanism with most of the other failures of its target, or is it alone of one line?"""
    seen = failures(votes, [finding])
    if is_one_line(seen):
        return not all(is_one_line(failures(votes, [other])) for other in others)
    raised = [f for f in others if f.target == finding.target and f.anomaly.probability >= RAISED]
    main = mechanisms_of(failures(votes, raised))
    if not main or not len(seen) or not main.keys().isdisjoint(seen.mechanisms.tolist()):
        return False
    return not mostly_controlled(seen) and not is_long(seen)


# --- one voice ------------------------------------------------------------------------------------------


def is_groundless(group: Sequence[Finding], votes: Votes) -> bool:
    """Is one stranger's line behind the whole group, or one probe, while others on its network reach the target
    throughout?

    Args:
        group: findings of one event.
        votes: of the country on the group's targets.
    """
    rows = np.zeros(len(votes), np.bool_)
    for finding in group:  # through any resolver
        of_it = (votes.asns == finding.asn) & (votes.targets == finding.target)
        rows |= of_it & (votes.signals == finding.anomaly.key.signal) & within(votes.times, [finding.stretch])
    seen = votes.where(rows & votes.seen)
    for_it, heard = set(seen.probes.tolist()), set(votes.probes[rows].tolist())
    return len(for_it) == 1 < len(heard) or is_one_line(seen)


def is_one_line(seen: Votes) -> bool:
    """May all of this have come from one line of someone for whom no one answers?"""
    return len(np.unique(seen.asns)) == 1 and beyond_one_line(seen) == len(seen)


def beyond_one_line(seen: Votes) -> int:
    """The first vote, in order of time, that shows that more than one line of a stranger cast them; else their number.

    A collector gives a line two names a day, one for its IPv4 and one for its IPv6 addresses.
    """
    daily = defaultdict[int, set[str]](set)
    each = zip(seen.probes.tolist(), seen.vouched.tolist(), (seen.times // DAY).tolist(), strict=True)
    for n, (probe, is_vouched, day) in enumerate(each):
        daily[day].add(probe)
        if is_vouched or not is_stated(probe) or len(daily[day]) >= NETWORK_PROBES:
            return n
    return len(seen)


# --- the votes behind anomalies -------------------------------------------------------------------------


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


def _outside(votes: Votes, own: Sequence[Finding], findings: Sequence[Finding]) -> NDArray[np.bool_]:
    """Rows of the same networks, targets and signals at times without any finding there."""
    rows = np.zeros(len(votes), np.bool_)
    keys = {finding.anomaly.key: finding for finding in own}
    for finding in keys.values():
        rows |= rows_of(votes, finding, -np.inf, np.inf)[1]
    for finding in (f for f in findings if f.anomaly.key in keys):
        span, of_it = rows_of(votes, finding, finding.anomaly.start, finding.anomaly.known_until)
        rows[span] &= ~of_it
    return rows


# --- parts of a service ----------------------------------------------------------------------------------

FEW = threshold(
    "incidents.role_turn",
    2,
    "Measurements of a part of a service that worked before it failed, or after, from which it failed for a "
    "part of the event only: one may be a stray.",
)

WORKS_AGAIN = threshold(
    "incidents.role_back_seconds",
    HOUR,
    "Time after its last failure for which a part of a service must have worked before it counts as back while "
    "the incident goes on: between two volunteers' measurements it would flap.",
)


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
    parts = []
    for asn, spells in sorted(spans.items()):
        rows = (votes.asns == asn) & (votes.targets == target) & within(votes.times, spells)
        said = _by_role(votes.where(rows))
        witnesses = len({one.probe for of_role in said.values() for one in of_role if one.failed})
        for role, of_role in said.items():
            parts.append(
                _on_network(role, str(Place("", asn)), of_role, spells, min(NETWORK_PROBES, witnesses))
            )
    return united_roles(parts)


def united_roles(parts: Iterable[RolePart]) -> tuple[RolePart, ...]:
    """How each role fared, in order of ``Role``; one that failed at any time did not work all the time."""
    found = []
    by_role = grouped(parts, lambda part: part.role)
    for alike in (by_role[role] for role in Role if role in by_role):
        cut = dict.fromkeys(name for part in alike for name in part.entities)
        worked = dict.fromkeys(name for part in alike for name in part.worked if name not in cut)
        intervals = union(interval for part in alike for interval in part.intervals)
        found.append(RolePart(alike[0].role, tuple(cut), tuple(worked), intervals))
    return tuple(found)


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
) -> RolePart:
    """How a role fared on one network: it neither failed nor worked where its measurements do not agree.

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
    return RolePart(role, (), (entity,) if worked >= NETWORK_SHARE * len(said) else (), ())


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
