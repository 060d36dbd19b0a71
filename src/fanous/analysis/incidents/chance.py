"""Chance: networks that fell together, and sessions at the same hours, that unrelated falls may have made up.

Among hundreds of small networks, one or another blips in most of the hours that a table of routes covers.  How often
such falls would meet anyway is counted in these very falls: each network's own, moved by one circular shift of the time
that was measured, keep their number and their distances, and lose only what they have to do with others.  Networks of
one operator, or behind one upstream, are moved together and count once.

A curfew is told from blips that happen to lie at the same hours in the same way: each day moved by a shift of its own.
"""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.incidents.assemble import FLAPS, SAME_NETWORK_GAP, events, hours_apart, of_quantities
from fanous.analysis.incidents.families import alone
from fanous.analysis.series.anomalies import is_country
from fanous.base.groups import grouped
from fanous.model.incident import Interval, union
from fanous.model.instant import DAY
from fanous.model.series import Floats
from fanous.model.threshold import threshold

BY_CHANCE = threshold(
    "incidents.outage_chance_groups",
    0.1,
    "Groups of networks, or of sessions at the same hours, that may come about by chance in a month of one country, "
    "of all sizes together: two may take half of that, and each further one half of what is left.",
)

SHIFTS = threshold(
    "incidents.outage_chance_shifts",
    200,
    "Times that the falls of a country are moved to count what chance makes up: with 200, a tenth of a group a "
    "month is known to within a fifth.",
)

Falls = Sequence[Sequence[Finding]]
"""Findings of each fall of a region, operator or network, in order of their onset."""


class Chance:
    """Splits groups that chance explains.

    Attributes:
        seconds: time that was measured.
    """

    def __init__(
        self, findings: Sequence[Finding], seconds: float, units: Mapping[int, str] | None = None
    ) -> None:
        """
        Args:
            findings: all of the country; those of the country's own series are not moved.
            units: network -> what falls as one: its operator, or the upstream that it stands behind, where known.
        """
        self.seconds = max(seconds, DAY)
        self._unit_of = units or {}
        self.units = grouped((f for f in findings if not is_country(f.anomaly.key.place)), self._unit)

    def apart(self, group: Sequence[Finding]) -> Sequence[Sequence[Finding]]:
        """The group in the parts that more than chance holds together; whole if the country fell."""
        if any(is_country(finding.anomaly.key.place) for finding in group):
            return (group,)
        units = grouped(group, self._unit).values()
        falls = [fall for findings in units for fall in events(findings, of_quantities)]
        return self._split(sorted((part for fall in falls for part in self._sessions(fall)), key=_onset))

    def _unit(self, finding: Finding) -> Hashable:
        place = finding.anomaly.key.place
        return self._unit_of.get(place.asn, place)

    def _a_month(self, found: float) -> float:
        """A number found in the time that was measured, as one of thirty days."""
        return found * 30 * DAY / self.seconds

    # networks ------------------------------------------------------------------------------------

    def _split(self, falls: Falls) -> list[list[Finding]]:
        """Falls in order of onset; those that chance explains part where most time lies between two."""
        if len(falls) > 1 and self._may_meet(falls):
            gaps = [_onset(later) - _onset(fall) for fall, later in itertools.pairwise(falls)]
            cut = gaps.index(max(gaps)) + 1
            return [*self._split(falls[:cut]), *self._split(falls[cut:])]
        return [sorted((f for fall in falls for f in fall), key=lambda finding: finding.anomaly.start)]

    def _may_meet(self, falls: Falls) -> bool:
        """Would so many networks that lost most of what they had be found together anyway?"""
        fell = {self._unit(fall[0]) for fall in falls if any(alone(f.anomaly) for f in fall)}
        within = _onset(falls[-1]) - _onset(falls[0])
        return len(fell) < 2 or self.groups(len(fell), within) >= _allowed(len(fell))

    def groups(self, size: int, within: float) -> float:
        """Groups of so many networks or more that begin within so many seconds by chance, in a month."""
        moved = self._moved
        if moved.shape[1] < size:
            return 0.0
        near = moved[:, size - 1 :] - moved[:, : moved.shape[1] - size + 1] <= within
        begun = near[:, 0].sum() + (near[:, 1:] & ~near[:, :-1]).sum()
        return self._a_month(float(begun) / len(moved))

    @cached_property
    def _moved(self) -> Floats:
        """Onsets of all falls worth a suspicion, ascending, a row for each shift."""
        chance = np.random.default_rng(len(self.units))
        moved: list[Floats] = []
        for findings in self.units.values():
            step = max(1, *(finding.anomaly.departure.step for finding in findings))
            span = max(1, int(self.seconds // step)) * step
            shifts = step * chance.integers(0, span // step, SHIFTS)
            begun = {finding.anomaly.start // step * step for finding in findings if alone(finding.anomaly)}
            moved += [np.asarray((start + shifts) % span, np.float64) for start in sorted(begun)]
        return np.sort(np.stack(moved, axis=1), axis=1) if moved else np.zeros((SHIFTS, 0))

    # sessions ------------------------------------------------------------------------------------

    def _sessions(self, fall: Sequence[Finding]) -> list[list[Finding]]:
        """A fall of one operator or region; sessions that chance explains part where their hours differ most."""
        stretches = _stretches(fall)
        if len(stretches) < 2:
            return [list(fall)]
        apart = [hours_apart(session, other) for session, other in itertools.pairwise(stretches)]
        step = max(finding.anomaly.departure.step for finding in fall)
        if self.runs(len(stretches), max(apart), step) < _allowed(len(stretches)):
            return [list(fall)]
        cut = stretches[apart.index(max(apart)) + 1].start
        before = [finding for finding in fall if finding.anomaly.start < cut]
        after = [finding for finding in fall if finding.anomaly.start >= cut]
        return [*self._sessions(before), *self._sessions(after)]

    def runs(self, length: int, apart: float, step: float) -> float:
        """Runs of so many sessions or more, each of which begins or ends within so many seconds of the hour of the one
        before, by chance in a month: with days that are moved by any amount, the share of pairs is known."""
        alike = min(1.0, (2 * apart + step) / DAY)
        pairs: float = 1 - (1 - alike) ** 2
        return self._a_month(self._candidates(length) * pairs ** (length - 1))

    def _candidates(self, length: int) -> int:
        """Runs of so many falls of one, none of them later than one event may go on."""
        found = 0
        for stretches in self._all_stretches:
            near = [b.start - a.until <= SAME_NETWORK_GAP for a, b in itertools.pairwise(stretches)]
            found += sum(all(near[n : n + length - 1]) for n in range(len(near) - length + 2))
        return found

    @cached_property
    def _all_stretches(self) -> list[tuple[Interval, ...]]:
        return [_stretches(findings) for findings in self.units.values()]


def _allowed(size: int) -> float:
    """Groups of just so many that may come about by chance in a month."""
    return BY_CHANCE * 0.5 ** (size - 1)


def _onset(fall: Sequence[Finding]) -> float:
    return fall[0].anomaly.start


def _stretches(fall: Sequence[Finding]) -> tuple[Interval, ...]:
    """When a place was down, without the times in which it never settled."""
    return union((Interval(f.anomaly.start, f.anomaly.end) for f in fall), FLAPS)
