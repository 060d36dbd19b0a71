"""Independence: the least number of probes behind test runs.

OONI's measurements name the run of a test, not a probe that anyone could check.  Two runs are certainly two
probes' if they overlapped in time, or if their software or their resolver differs.  The largest number of runs of which
any two certainly differ is a lower bound of the number of probes, and that is what C2 counts.

A ``probe_id`` is only the sender's word.  It groups the measurements of one probe, but never counts as proof of two.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from fanous.model.incident import Run
from fanous.model.instant import MINUTE
from fanous.model.measurement import is_stated
from fanous.model.place import Family
from fanous.model.reason import Reason
from fanous.model.series import Votes


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
        """What a claim that rests on runs says about them: the least number of probes behind them, and if that
        counts."""
        _, others = self._names(votes)
        if not others or not self.runs:
            return ()
        if self._is_enough(others):
            return (Reason("runs.bound", {"at_least": self._bound(others), "test_runs": len(others)}),)
        return (Reason("runs.unclear", {"at_least": self._bound(others), "test_runs": len(others)}),)

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


def by_name(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs by name, as ``Distinct`` takes them."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found[run.probe].append(run)
    return dict(found)


_UNKNOWN = Run("", "", "", "", 0, 0.0, 0.0)


def at_least(runs: Iterable[Run]) -> int:
    """The least number of probes that made these runs.

    If a table lacks the software, the version of the nettest distinguishes two runs of that nettest, but not
    runs of two nettests.
    """
    whole: list[Run] = []
    by_test: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_test[run.test_name].append(run)
        if run.software:
            whole.append(run)
    bounds = (_apart(own, with_software=False) for own in by_test.values())
    return max(_apart(whole, with_software=True), *bounds, 0)


def _apart(runs: Iterable[Run], *, with_software: bool) -> int:
    """The largest number of runs that pairwise come from different probes.

    Runs alike in software and resolver do so only if they overlap, and runs that overlap at one instant all overlap
    each other.
    """
    alike: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        alike[run.software if with_software else run.test_version, run.resolver_asn].append(run)
    return sum(_at_once(own) for own in alike.values())


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
