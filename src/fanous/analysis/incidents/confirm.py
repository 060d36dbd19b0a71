"""Confirm: the published rules that turn a suspicion into a confirmed incident.

- **C1**: two families of sources that could see it did, each with two probes and most of its voices.
- **C2**: the edge or OONI family alone, with independent probes on the networks named and a normal
  control: the outside helper, or the same target working on an unaffected network at the time.  The
  country's own notice of the block serves as one: neither a site that is down nor a bad line shows it.
- **C3**: for outages, two of routing, probing, usage, darknet.

All else stays suspected.  A scheduled event raises attention, never the evidence.

Voices: who says that a target fails, and how much that weighs.

A probe has one voice a target and hour, however often it measures, and half a one if it has no other.  Names
cost nothing: on a network where most voices come from probes that are heard again and again, one that is
heard in a single hour of all that is known is a stranger, and two of them count as one probe.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.aggregate import PROBE_MAJORITY
from fanous.analysis.series.repeats import KNOWN, NEW
from fanous.model.incident import Interval, Kind, Stretches
from fanous.model.place import Family
from fanous.model.series import Floats, Ints, Votes


class Voices:
    """Of some votes on one network.

    Attributes:
        saw: bool, shape (n,).
        weights: shape (n,).
    """

    saw: NDArray[np.bool_]
    weights: Ints

    def __init__(self, votes: Votes, strangers: Collection[str] = ()) -> None:
        names, hours = _heard(votes)
        probes = np.searchsorted(names, votes.probes.astype(str))
        targets = np.unique(votes.targets.astype(str), return_inverse=True)[1]
        slots = (votes.times // HOUR).astype(np.int64)
        cells, voice = np.unique(np.stack([probes, slots, targets]), axis=1, return_inverse=True)
        made = np.bincount(voice.ravel())
        seen = np.bincount(voice.ravel(), weights=votes.seen)
        weights = np.where((hours > 1) & ~np.isin(names, list(strangers)), KNOWN, NEW)
        self.saw = np.asarray(seen >= PROBE_MAJORITY * made)
        self.weights = weights[cells[0]]

    def mostly_saw(self, share: float) -> bool:
        """At least ``share`` of what the voices weigh say so."""
        return int(self.weights[self.saw].sum()) >= share * int(self.weights.sum())


class Names(NamedTuple):
    """Of the probes on one network.

    Attributes:
        regulars: heard in more than one hour.
        strangers: heard in one hour only, where most voices are of others; else nobody.
    """

    regulars: frozenset[str]
    strangers: frozenset[str]


def names_of(votes: Votes) -> Names:
    """Who is known.

    Args:
        votes: all that is known of one network.
    """
    names, hours = _heard(votes)
    once = hours == 1
    strangers = names[once] if 2 * int(once.sum()) < int(hours.sum()) else names[:0]
    return Names(frozenset(names[~once].tolist()), frozenset(strangers.tolist()))


def _heard(votes: Votes) -> tuple[NDArray[np.str_], Ints]:
    """Each probe, and in how many hours it is heard."""
    names, probes = np.unique(votes.probes.astype(str), return_inverse=True)
    hours = (votes.times // HOUR).astype(np.int64)
    return names, np.bincount(np.unique(np.stack([probes, hours]), axis=1)[0], minlength=len(names))


def independent(probes: Collection[str], strange: Collection[str]) -> float:
    """How many independent probes so many names are: strangers never more than those who are known."""
    known = set(probes) - set(strange)
    return len(known) + min(len(known), (len(set(probes)) - len(known)) * NEW / KNOWN)


HOUR = 3600.0

PROBES = 3
"""C2: least independent probes on the networks named."""

NETWORK_PROBES = 3
NETWORK_HOURS = 2
NETWORK_SHARE = 0.7
"""A network is named only if three probes saw it, in two different hours unless their own controls were
normal, and if most voices of those stretches (a probe has one an hour, half a one if it has no other) say
so: in the alert that another network causes, a burst of failures, or a line that always fails a little, would
be enough for the filter."""

NEIGHBOUR_SHARE = 0.4
NEIGHBOURS = 10
"""More than two fifths of the probes that are known on the network and measured the same lately must have
seen it, or ten: a fifth that lies would need as many that fail by chance while the others do not measure."""

COMPANY_PROBES = 2
"""The same for a network in company: where another network is named too, and the measurements of both carried
normal controls of their own, the networks vouch for each other."""

COMPANY = 2
COMPANY_SHARE = 0.5
"""In the company of two networks that are named by themselves, a suspicion and half of the voices are enough:
a fifth of a network's probes that deny a restriction, beside what any restriction lets through, would else
take their network out of the claim now and then."""

LONE_PROBES = 6
LONE_HOURS = 8
"""A lone network without controls of its own: nobody beside it shows that it is not a fault of its own, so
it must be seen longer than faults last.  Where controls are missing that others there bring (``LOST_SHARE``),
in one stretch: three faults on three days, or one on each of two networks, add up to as many hours."""

LOST_SHARE = 0.5
"""Where at least half of the measurements that reach the target carry a normal control, and the failing ones
do not, the controls failed with them: that is what a bad line looks like, on each network for itself."""

TOGETHER = 1 * HOUR
"""Without controls of their own, two networks are witnesses to each other only if both fail within this
time of each other: faults of two networks days apart are two faults."""

BURST = 3 * HOUR
"""Failures this close are one burst (METHODS: at 1 % overall a failure within 3 hours of another was 4 of 24
in real data), and a fault upstream of two networks makes both fail together: where controls were lost, they
must be seen to fail together again after it."""

HABIT = 3.0
HABIT_VOICES = 5
HABIT_SHARE = 0.1
"""A network is named only if the target fails there this many times as often as it does while nothing is
found: stretches are cut out of a record where failures happen to stand close, so of a line on which half
of everything fails by chance, always, each looks like seven in ten.  A habit is known by five voices, and by
a tenth of those in the stretches: between those of a block that never ends, odd ones are left over."""

CONTROLS = 3
"""Measurements in which the target worked elsewhere at the time."""

CONTROL_WINDOW = 1 * HOUR
"""How far beside a failing hour a control may stand and still be *at the same time*."""

SPARED_SHARE = 0.7
"""A network is a control only if the target works there as clearly as it fails on those that are named.
Where a site is down for everybody, networks too thin to be named fail too, and only what they measured just
before and just after works."""

SERVED = {
    ("dns.injection.blockpage", "http.blockpage", "http.redirect"): "the outside helper or the notice itself",
    ("dns.injection.bogon",): "the outside helper or the notice's known address",
    ("slowdown.general",): "networks that were not slow meanwhile",
}
"""What served as control where it was not the helper alone: where most that failed was shown, or led to, the
country's own notice of a block, and where everything was slow."""

FAMILY_PROBES = 2
"""C1: least probes of each family, and most of its voices: one failure that somebody sends under the name of
another family is no second witness."""

OUTAGE_FAMILIES = frozenset({Family.ROUTING, Family.PROBING, Family.USAGE, Family.DARKNET})


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether, by which rule, and since when it is confirmed.

    Attributes:
        rule: ``C1``, ``C2``, ``C3`` or empty.
        at: unix seconds at which the rule was first met with what was known then.
        reason: in words; where no rule is met, what is lacking.
    """

    rule: str
    at: float | None
    reason: str


def nameable(votes: Votes, strange: Collection[str] = (), regulars: int = 0) -> bool:
    """Whether one network's votes, yes and no, inside its stretches are enough to name it.

    Args:
        strange: names that count half there (``fanous.analysis.incidents.confirm.Names``).
        regulars: probes known there that measured the same at about the time.
    """
    witness = votes.where(votes.seen)
    known = len(set(witness.probes) - set(strange))
    if known < NEIGHBOURS and known <= NEIGHBOUR_SHARE * regulars:
        return False
    enough = independent(witness.probes, strange) >= NETWORK_PROBES
    if not enough or not Voices(votes, strange).mostly_saw(NETWORK_SHARE):
        return False
    return vouched(witness, NETWORK_PROBES, strange) or len(np.unique(witness.times // HOUR)) >= NETWORK_HOURS


def nameable_in_company(votes: Votes, strange: Collection[str], share: float) -> bool:
    """Whether they are enough beside other networks'.

    Args:
        strange: as for ``nameable``.
        share: 0..1, of the voices that must say so.
    """
    witness = votes.where(votes.seen)
    return vouched(witness, COMPANY_PROBES, strange) and Voices(votes, strange).mostly_saw(share)


def beyond_baseline(inside: Votes, outside: Votes) -> bool:
    """Does it fail far more often than it is used to?  With too little to know the habit: yes.

    Args:
        inside: a network's votes while it is said to fail.
        outside: those about the same targets at all other times.
    """
    here, elsewhere = Voices(inside).saw, Voices(outside).saw
    seeing, failing, made = int(here.sum()), int(elsewhere.sum()), len(elsewhere)
    is_known = made >= max(HABIT_VOICES, HABIT_SHARE * len(here))
    return not is_known or seeing * made >= HABIT * failing * len(here)


def mostly_controlled(witness: Votes) -> bool:
    """At least half of the failing measurements carried a normal control of their own."""
    return len(witness) > 0 and 2 * int(witness.controlled.sum()) >= len(witness)


def vouched(witness: Votes, probes: int, strange: Collection[str] = ()) -> bool:
    """Did so many probes fail with a normal control of their own, and most of what failed carry one?

    A failure whose own control failed with it, or is missing, is no witness beside others' controls.
    """
    return mostly_controlled(witness) and independent(witness.probes[witness.controlled], strange) >= probes


def lost_controls(working: Votes, witness: Votes) -> frozenset[int]:
    """Networks on which what works carries controls, and what fails does not.

    Args:
        working: votes that reach the target.
        witness: failing ones.
    """
    return frozenset(
        int(asn)
        for asn in np.unique(witness.asns)
        if _carried(working, asn) >= LOST_SHARE > _carried(witness, asn)
    )


def spared(asns: Ints, failed: NDArray[np.bool_]) -> list[int]:
    """Networks on which the target mostly works.

    Args:
        asns: of what was measured near the failing hours on networks that are not named.
        failed: shape as ``asns``.
    """
    return [int(asn) for asn in np.unique(asns) if (~failed[asns == asn]).mean() >= SPARED_SHARE]


def _carried(votes: Votes, asn: int) -> float:
    own = votes.controlled[votes.asns == asn]
    return float(own.mean()) if len(own) else 0.0


def rule_c2(witness: Votes, control_times: Floats, raised: dict[int, float], lost: Stretches) -> Ruling:
    """C2, and the first moment at which it was met.

    Args:
        witness: failing votes on the networks named, ascending in time.
        control_times: shape (m,), ascending: when the target worked elsewhere, near a failing hour.
        raised: ASN -> when a live watcher would have raised it.
        lost: the stretches of networks that lost their controls (``lost_controls``).
    """
    if not raised:
        return Ruling("", None, "no network's own measurements are enough to name it")
    case = _Case(witness, control_times, raised, lost)
    lacking = case.lacking(np.inf)
    if lacking:
        return Ruling("", None, lacking)
    moments = np.unique(np.concatenate([witness.times, control_times, list(raised.values())]))
    moments = moments[moments >= min(raised.values())]
    low, high = 0, len(moments) - 1
    while low < high:  # what is known only grows with time, so the first moment is found by bisection
        middle = (low + high) // 2
        if case.lacking(float(moments[middle])):
            low = middle + 1
        else:
            high = middle
    return Ruling("C2", float(moments[high]), _met(witness, raised))


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """What C2 is held against; fields as in ``rule_c2``."""

    witness: Votes
    control_times: Floats
    raised: dict[int, float]
    lost: Stretches

    def lacking(self, now: float) -> str:
        """What C2 still lacks at ``now``; empty = nothing."""
        networks = {asn for asn, at in self.raised.items() if at <= now}
        seen = self.witness.where((self.witness.times <= now) & np.isin(self.witness.asns, list(networks)))
        probes = len(set(seen.probes))
        if probes < PROBES:
            return f"{_probes(probes)} saw it; {PROBES} are needed"
        if helped(seen):
            return ""
        if int(np.searchsorted(self.control_times, now, side="right")) < CONTROLS:
            return "nothing shows that the target worked elsewhere at the time"
        if _fail_together(seen, BURST if self._has_lost(seen) else 0.0) or self._lasts(seen):
            return ""
        return _lacking_alone(seen)

    def _has_lost(self, seen: Votes) -> bool:
        return any(asn in self.lost for asn in seen.asns.tolist())

    def _lasts(self, seen: Votes) -> bool:
        """For longer than faults do; where controls were lost, in one stretch."""
        return is_long(seen.where(~np.isin(seen.asns, list(self.lost)))) or any(
            is_long(seen.where((seen.asns == asn) & (seen.times >= one.start) & (seen.times < _end(one))))
            for asn, own in self.lost.items()
            for one in own
        )


def _end(stretch: Interval) -> float:
    return np.inf if stretch.end is None else stretch.end


def helped(seen: Votes) -> bool:
    """Three probes with normal controls of their own, on networks on which most of what failed carried one.

    Network by network: a machine that is broken on one lends no control to a line that is bad on another.
    """
    networks = [seen.where(seen.asns == asn) for asn in np.unique(seen.asns)]
    good = [set(own.probes[own.controlled]) for own in networks if mostly_controlled(own)]
    return len(set().union(*good)) >= PROBES


def _fail_together(seen: Votes, beyond: float) -> bool:
    """Do two networks, three probes each, fail within ``TOGETHER`` of each other, in two different hours?

    Args:
        beyond: seconds that must lie between the first and the last time that they do.
    """
    thick = [asn for asn in np.unique(seen.asns) if len(set(seen.probes[seen.asns == asn])) >= NETWORK_PROBES]
    seen = seen.where(np.isin(seen.asns, thick))
    later = np.flatnonzero(np.diff(seen.times) <= TOGETHER)
    both = seen.times[later[seen.asns[later] != seen.asns[later + 1]]]
    return len(np.unique(both // HOUR)) >= NETWORK_HOURS and float(both[-1] - both[0]) >= beyond


def is_long(seen: Votes) -> bool:
    """Do so many probes see it for so long that no fault of a line explains it?"""
    return len(set(seen.probes)) >= LONE_PROBES and len(np.unique(seen.times // HOUR)) >= LONE_HOURS


def _lacking_alone(seen: Votes) -> str:
    hours, probes = len(np.unique(seen.times // HOUR)), len(set(seen.probes))
    return (
        f"no two networks failed together for longer than a fault lasts: {_probes(probes)} in {hours} hours "
        f"without controls of their own saw it; {LONE_PROBES} probes in {LONE_HOURS} hours of one stretch on "
        "one network are needed then"
    )


def _probes(count: int) -> str:
    return f"{count} independent probe{'' if count == 1 else 's'}"


def _met(witness: Votes, raised: dict[int, float]) -> str:
    probes, networks = len(set(witness.probes)), len(raised)
    return (
        f"C2: {_probes(probes)} on {networks} network{'s' if networks > 1 else ''} saw it, "
        f"with {_control(witness)} as control"
    )


def _control(witness: Votes) -> str:
    if not helped(witness):
        return "networks that still reach it"
    own = witness.mechanisms[witness.controlled]
    words = (said for mechanisms, said in SERVED.items() if 2 * np.isin(own, mechanisms).sum() > len(own))
    return next(words, "the outside helper")


def families_seen(sources: Iterable[str], family_of: dict[str, Family]) -> tuple[Family, ...]:
    """Families behind the sources, each once, in the order of ``Family``."""
    present = {family_of.get(source, Family.REPORTS) for source in sources}
    return tuple(family for family in Family if family in present)


def families_that_saw(votes: Votes, family_of: dict[str, Family]) -> dict[Family, float]:
    """Each family that could see it and did -> the moment at which ``FAMILY_PROBES`` of its probes had.

    Args:
        votes: on the networks named while it is on, those that saw nothing too.
    """
    families = np.array([family_of.get(source, Family.REPORTS) for source in votes.sources.tolist()])
    saw: dict[Family, float] = {}
    for family in (f for f in Family if f in families):
        own = votes.where(families == family)
        first: dict[str, float] = {}
        for probe, at in zip(own.probes[own.seen].tolist(), own.times[own.seen].tolist(), strict=True):
            first[probe] = min(first.get(probe, np.inf), at)
        if len(first) >= FAMILY_PROBES and Voices(own).mostly_saw(NETWORK_SHARE):
            saw[family] = sorted(first.values())[FAMILY_PROBES - 1]
    return saw


def rule_c1_c3(kind: Kind, saw: Mapping[Family, float], raised: dict[int, float]) -> Ruling:
    """C1 or C3: families that fail independently agree.

    Args:
        saw: family -> since when it is a witness (``families_that_saw``).
        raised: ASN -> when a live watcher would have raised it.
    """
    counted: dict[Family, float] = {f: at for f, at in saw.items() if f is not Family.REPORTS}
    outage: dict[Family, float] = {f: at for f, at in counted.items() if f in OUTAGE_FAMILIES}
    if kind is Kind.OUTAGE and len(outage) >= 2:
        return Ruling("C3", _when(outage, raised), f"C3: seen by {' and '.join(outage)}")
    if len(counted) >= 2:
        return Ruling("C1", _when(counted, raised), f"C1: seen by {' and '.join(counted)}")
    return Ruling("", None, "one family of sources")


def _when(saw: Mapping[Family, float], raised: dict[int, float]) -> float | None:
    """Raised, and seen by a second family; ``None`` = nothing was raised."""
    return max(min(raised.values()), sorted(saw.values())[1]) if raised else None
