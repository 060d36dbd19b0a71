"""Confirm: the published rules that turn a suspicion into a confirmed incident.

- **C1**: two families of sources that could see it did, each with two probes and most of its voices.
- **C2**: the edge or OONI family alone, with independent probes on the networks named and a normal control: the outside
  helper, or the same target working on an unaffected network at the time.  The country's own notice of the block counts
  as one, since neither a site that is down nor a bad line shows it.
- **C3**: for outages, two of routing, probing, usage, darknet and the connections of RIPE Atlas' probes.

Everything else stays suspected.  A scheduled event raises attention, but is never evidence.  Other people's vantage
points (``remote``) may be the second family of C1, but do not count in C2.

Anyone can be a stranger, many times over.  What strangers alone say (``Votes.vouched``) confirms only at a price: three
of them on each of two networks in three separate hours, or on one over a day and a night, received as it was made,
while others reach the target.  Anything less is only *reported by volunteers*.

Known volunteers (``Votes.volunteer``) are strangers who measured there, under one proved pseudonym, long before the
event: three of them on each of two networks, or six on one, confirm as vouched probes do, while others reach the
target.  Fewer count as strangers.

Probes are counted by their voices.  A probe has one voice per target and hour, however often it measures, and half a
voice if it is heard in no other hour.  Names cost nothing: on a network where most voices come from probes heard
repeatedly, a probe heard in only one hour of the whole record is a stranger, and two strangers count as one
probe.  C2 counts the number of probes that there certainly are (``independence``).
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fanous.analysis.explanations.fall import names
from fanous.analysis.explanations.site import may_be_sites_own
from fanous.analysis.series.controls import CONTROL_WINDOW, CONTROLS
from fanous.analysis.series.voices import (
    LONE_HOURS,
    LONE_PROBES,
    NETWORK_PROBES,
    PROBES,
    Count,
    Voices,
    helped,
    independent,
    is_long,
    mostly_controlled,
    named_probes,
    strangers_in,
    vouched,
)
from fanous.model.incident import Basis, Kind, Stretches
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.series import Floats, Votes, within
from fanous.model.threshold import threshold


@dataclass(frozen=True, slots=True)
class Ruling:
    """Is it confirmed, by which rule, and since when?

    Attributes:
        rule: ``C1``, ``C2``, ``C3`` or empty.
        at: unix seconds at which the rule was first met with what was known then.
        reason: the rule that is met, or what is missing.
    """

    rule: str
    at: float | None
    reason: Reason


# --- may a network be named? ----------------------------------------------------------------------------

NETWORK_HOURS = threshold(
    "incidents.network_hours",
    2,
    "Different hours in which probes must have seen it on a network to name it, unless their own controls were "
    "normal: one burst is not enough.",
)
NETWORK_SHARE = threshold(
    "incidents.network_share",
    0.7,
    "Share of the voices in its anomalies that must say so: during the alert that another network causes, a "
    "line that always fails a little would be enough for the filter.",
)

NEIGHBOUR_SHARE = threshold(
    "incidents.neighbour_share",
    0.4,
    "More than this share of the probes known on the network that measured the same within six hours must have "
    "seen it: if a fifth of them lie, as many again would have to fail by chance while the others do not "
    "measure.",
)
NEIGHBOURS = threshold(
    "incidents.neighbours",
    10,
    "Probes that saw the failure that are enough to name a network, however many are known there.",
)

COMPANY_PROBES = threshold(
    "incidents.company_probes",
    2,
    "Probes needed on a network, instead of three, if another network is named too and the measurements of both "
    "carried normal controls of their own: the two vouch for each other.",
)

COMPANY = threshold(
    "incidents.company_networks",
    2,
    "Networks named by themselves; next to so many, a network with normal controls of its own is named on a "
    "suspicion and `incidents.company_share` of its voices.",
)
COMPANY_SHARE = threshold(
    "incidents.company_share",
    0.5,
    "Share of the voices that is enough next to networks named by themselves: a fifth of the probes that deny a "
    "restriction, together with what any restriction lets through, would now and then take their network out of "
    "the incident.",
)

HABIT = threshold(
    "incidents.failing_baseline_ratio",
    3.0,
    "A network is named only if the target fails there during its anomalies so many times as often as at all "
    "other times: on a line where half of everything fails by chance, each anomaly looks like seven in ten.",
)
HABIT_VOICES = threshold(
    "incidents.failing_baseline_voices",
    5,
    "Voices outside a network's anomalies without which its habit is unknown.",
)
HABIT_SHARE = threshold(
    "incidents.failing_baseline_share",
    0.1,
    "Share of the voices in a network's anomalies; with fewer outside them its habit is unknown, as with a "
    "block that never ends.",
)


def nameable(votes: Votes, strange: Collection[str] = (), regulars: int = 0) -> bool:
    """Are one network's votes inside its anomalies enough to name it?

    Args:
        votes: those that saw it and those that did not.
        strange: names that count half there (``Names.strangers``).
        regulars: probes known there that measured the same at about that time.
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
    """Are they enough to name it next to other networks that are named?

    Args:
        strange: as for ``nameable``.
        share: 0..1, of the voices that must say so.
    """
    witness = votes.where(votes.seen)
    return vouched(witness, COMPANY_PROBES, strange) and Voices(votes, strange).mostly_saw(share)


def beyond_baseline(inside: Votes, outside: Votes) -> bool:
    """Does it fail far more often than its own baseline?  True if too little is known about the baseline.

    Args:
        inside: a network's votes during its anomalies.
        outside: its votes about the same targets at all other times.
    """
    here, elsewhere = Voices(inside).saw, Voices(outside).saw
    seeing, failing, made = int(here.sum()), int(elsewhere.sum()), len(elsewhere)
    is_known = made >= max(HABIT_VOICES, HABIT_SHARE * len(here))
    return not is_known or seeing * made >= HABIT * failing * len(here)


# --- C2: one family, with controls ----------------------------------------------------------------------


BURST = threshold(
    "incidents.burst_seconds",
    3 * HOUR,
    "Failures this close are one burst (at 1 % overall, 4 of 24 lay within 3 hours of another). A fault "
    "upstream of two networks makes both fail together, so if controls were lost, they must fail together for "
    "longer.",
)


SERVED = {
    ("dns.injection.blockpage", "http.blockpage", "http.redirect"): "helper_or_notice",
    ("dns.injection.bogon",): "helper_or_notice_address",
    ("slowdown.general",): "networks_not_slow",
    ("encdns", "encdns.doh", "encdns.dot"): "other_names",
}
"""What served as control if not only the helper did, by mechanism: most failing measurements met, or were led
to, the country's own notice of a block, or everything was slow, or other names were found without encryption."""


Left = Callable[[Votes, float], Reason | None]
"""The explanation that is left for failing votes, with what is known at a time (``explanations.table``); None = none.
"""


STRANGER_NETWORKS = threshold(
    "incidents.stranger_networks",
    2,
    "Networks on which strangers alone must see it, unless they do for `incidents.stranger_seconds` on one: a "
    "liar needs lines on both.",
)
STRANGER_HOURS = threshold(
    "incidents.stranger_hours",
    3,
    "Different hours in which strangers alone must see it on each network, and in which that must have been received: "
    "a lie must be kept up, which leaves others time to see through it.",
)
STRANGER_SECONDS = threshold(
    "incidents.stranger_seconds",
    DAY,
    "Time over which strangers alone must see it on a single network, as made and as received: a day and a night.",
)


def is_paid_for(seen: Votes) -> bool:
    """Do strangers see it on so many networks, or for so long, that a lie would have cost as much?"""
    spread, lasting = 0, False
    for asn in np.unique(seen.asns):
        own = seen.where(seen.asns == asn)
        instants = (own.times, own.receipts)
        hours = min(len(np.unique(at // HOUR)) for at in instants)
        if hours >= STRANGER_HOURS and strangers_in(own) >= NETWORK_PROBES:
            spread += 1
            lasting |= min(float(np.ptp(at)) for at in instants) >= STRANGER_SECONDS
    return spread >= STRANGER_NETWORKS or lasting


def known_volunteers(seen: Votes) -> Votes:
    """What known volunteers saw, where there are as many of them as of vouched probes; otherwise nothing.

    Each is also another block of addresses, so that one patient line is not three of them.
    """
    known = seen.where(seen.volunteer)
    numbers = [strangers_in(known.where(known.asns == asn)) for asn in np.unique(known.asns)]
    spread = sum(number >= NETWORK_PROBES for number in numbers) >= STRANGER_NETWORKS
    return known.where(np.full(len(known), spread or max(numbers, default=0) >= LONE_PROBES))


@dataclass(frozen=True, slots=True, eq=False)
class ControlledCase:
    """What is known for C2.

    Attributes:
        witness: failing votes on the networks named, ascending in time.
        control_times: shape (m,), ascending: since when it is known that the target worked elsewhere, near a failing
            hour.
        raised: ASN -> when a live monitor would have raised it.
        lost: the stretches of networks that lost their controls (``lost_controls``).
        count: counts independent probes (``independence``).
        left: the explanation that is left.
    """

    witness: Votes
    control_times: Floats
    raised: dict[int, float]
    lost: Stretches
    count: Count = named_probes
    left: Left = lambda _seen, _now: None

    def ruling(self) -> Ruling:
        """C2, and the first moment at which it was met."""
        if not self.raised:
            return Ruling("", None, Reason("lacks.network"))
        lacking = self.lacking(np.inf)
        if lacking:
            return Ruling("", None, lacking)
        raised = list(self.raised.values())
        moments = np.unique(np.concatenate([self.witness.known_at, self.control_times, raised]))
        moments = moments[moments >= min(raised)]
        # knowledge only grows with time, so the first moment is found by bisection
        first = bisect_left(moments, True, hi=len(moments) - 1, key=lambda at: self.lacking(at) is None)
        basis = Basis.VOUCHED if self.is_vouched(self.witness, np.inf) else Basis.VOLUNTEERS
        figures: dict[str, Param] = {"probes": named_probes(self.witness), "networks": len(self.raised)}
        met = Reason(
            "rule.c2", figures | {"control": _control(self.witness, self.count), "basis": str(basis)}
        )
        return Ruling("C2", float(moments[first]), met)

    def lacking(self, now: float) -> Reason | None:
        """What C2 still lacks at ``now``; None = nothing."""
        networks = {asn for asn, at in self.raised.items() if at <= now}
        seen = self.witness.where((self.witness.known_at <= now) & np.isin(self.witness.asns, list(networks)))
        if self.is_vouched(seen, now) or self._is_of_volunteers(seen, now):
            return None
        return self._lacking_in(seen, now) or self._lacking_of_strangers(seen, now)

    def is_vouched(self, seen: Votes, now: float) -> bool:
        """Is what operators answer for enough by itself?"""
        return self._lacking_in(seen.where(seen.vouched), now) is None

    def _is_of_volunteers(self, seen: Votes, now: float) -> bool:
        """Is what known volunteers saw enough by itself, with controls that are not their own?"""
        return self._controls(now) and self._lacking_in(known_volunteers(seen), now) is None

    def _lacking_of_strangers(self, seen: Votes, now: float) -> Reason | None:
        """What votes still lack that would be enough if an operator answered for them."""
        if self._controls(now) and is_paid_for(seen):
            return None
        figures = {"probes": self.count(seen), "networks": len(np.unique(seen.asns))}
        return Reason("basis.volunteers", figures | {"basis": str(Basis.VOLUNTEERS)})

    def _controls(self, now: float) -> bool:
        return int(np.searchsorted(self.control_times, now, side="right")) >= CONTROLS

    def _lacking_in(self, seen: Votes, now: float) -> Reason | None:
        """What these votes lack, no matter who cast them."""
        if named_probes(seen) < PROBES:
            return Reason("lacks.probes", {"probes": named_probes(seen), "needed": PROBES})
        if self.count(seen) < PROBES:
            return Reason("lacks.distinct", {"at_least": self.count(seen), "needed": PROBES})
        explained = self.left(seen, now)
        if explained is not None or helped(seen, self.count):
            return explained
        if not self._controls(now):
            return Reason("lacks.control_here" if may_be_sites_own(seen) else "lacks.control")
        beyond = BURST if any(asn in self.lost for asn in seen.asns.tolist()) else 0.0
        if _fail_together(seen, beyond) or self._lasts(seen):
            return None
        return Reason(
            "lacks.duration",
            {
                "probes": named_probes(seen),
                "hours": len(np.unique(seen.times // HOUR)),
                "probes_needed": LONE_PROBES,
                "hours_needed": LONE_HOURS,
            },
        )

    def _lasts(self, seen: Votes) -> bool:
        """Does it last longer than faults do (if controls were lost: in one stretch)?"""
        return is_long(seen.where(~np.isin(seen.asns, list(self.lost)))) or any(
            is_long(seen.where((seen.asns == asn) & within(seen.times, [one])))
            for asn, own in self.lost.items()
            for one in own
        )


def _fail_together(seen: Votes, beyond: float) -> bool:
    """Do two networks, three probes each, fail within ``CONTROL_WINDOW`` of each other, in two different hours?

    Args:
        beyond: least seconds between the first and the last time that they do.
    """
    networks = np.unique(seen.asns)
    thick = [asn for asn in networks if named_probes(seen.where(seen.asns == asn)) >= NETWORK_PROBES]
    seen = seen.where(np.isin(seen.asns, thick))
    later = np.flatnonzero(np.diff(seen.times) <= CONTROL_WINDOW)
    both = seen.times[later[seen.asns[later] != seen.asns[later + 1]]]
    return len(np.unique(both // HOUR)) >= NETWORK_HOURS and float(both[-1] - both[0]) >= beyond


def lost_controls(working: Votes, witness: Votes) -> frozenset[int]:
    """Networks on which working measurements carry controls and failing ones do not: the controls failed with them,
    which is what a bad line looks like.

    Args:
        working: votes that reach the target.
        witness: failing ones.
    """
    return frozenset(
        int(asn)
        for asn in np.unique(witness.asns)
        if mostly_controlled(working.where(working.asns == asn))
        and not mostly_controlled(witness.where(witness.asns == asn))
    )


def _control(witness: Votes, count: Count) -> str:
    if not helped(witness, count):
        return "other_networks"
    own = witness.mechanisms[witness.controlled]
    served = (code for mechanisms, code in SERVED.items() if 2 * np.isin(own, mechanisms).sum() > len(own))
    return next(served, "helper")


# --- C1 and C3: families that fail independently --------------------------------------------------------

FAMILY_PROBES = threshold(
    "incidents.family_probes",
    2,
    "Fewest probes of each family (C1): one failure sent under another family's name is not a second witness.",
)

OUTAGE_FAMILIES = frozenset({Family.ATLAS, Family.ROUTING, Family.PROBING, Family.USAGE, Family.DARKNET})


def without_remote(votes: Votes, family_of: Mapping[str, Family]) -> Votes:
    """The votes that C2 counts: without other people's vantage points, which someone else chose and only we asked."""
    remote = [name for name, family in family_of.items() if family is Family.REMOTE]
    return votes.where(~np.isin(votes.sources.astype(str), remote)) if remote else votes


def families_seen(sources: Iterable[str], family_of: Mapping[str, Family]) -> tuple[Family, ...]:
    """Families behind the sources, each once, in the order of ``Family``."""
    present = {family_of.get(source, Family.REPORTS) for source in sources}
    return tuple(family for family in Family if family in present)


def families_that_saw(votes: Votes, family_of: Mapping[str, Family]) -> dict[Family, float]:
    """Each family that could see it and did -> when it was known that ``FAMILY_PROBES`` of its probes had seen it.

    Empty if it is none that an operator answers for: families of strangers do not fail independently, since one person
    can be all of them.

    Args:
        votes: votes on the networks named while it is on, including those that saw nothing.
    """
    families = np.array([family_of.get(source, Family.REPORTS) for source in votes.sources.tolist()])
    saw: dict[Family, float] = {}
    answered = False
    for family in (f for f in Family if f in families):
        own = votes.where(families == family)
        first: dict[str, float] = {}
        for probe, at in zip(own.probes[own.seen].tolist(), own.known_at[own.seen].tolist(), strict=True):
            first[probe] = min(first.get(probe, np.inf), at)
        if len(first) >= FAMILY_PROBES and Voices(own).mostly_saw(NETWORK_SHARE):
            saw[family] = sorted(first.values())[FAMILY_PROBES - 1]
            answered |= named_probes(own.where(own.seen & own.vouched)) >= FAMILY_PROBES
    return saw if answered else {}


def rule_c1_c3(kind: Kind, saw: Mapping[Family, float], raised: dict[int, float]) -> Ruling:
    """C1 or C3: families that fail independently agree.

    Args:
        saw: family -> since when it is a witness (``families_that_saw``).
        raised: ASN -> when a live monitor would have raised it.
    """
    counted = {family: at for family, at in saw.items() if family is not Family.REPORTS}
    outage = {family: at for family, at in counted.items() if family in OUTAGE_FAMILIES}
    agreeing = outage if kind is Kind.OUTAGE and len(outage) >= 2 else counted
    if len(agreeing) < 2 or not raised:
        return Ruling("", None, Reason("lacks.family", {"families": names(agreeing)}))
    return two_hands(kind, agreeing, max(min(raised.values()), sorted(agreeing.values())[1]))


def two_hands(kind: Kind, families: Collection[Family], at: float) -> Ruling:
    """The rule by which families that fail independently confirm."""
    rule = "C3" if kind is Kind.OUTAGE and OUTAGE_FAMILIES.issuperset(families) else "C1"
    reason = Reason(f"rule.{rule.lower()}", {"families": names(families), "basis": str(Basis.TWO_HANDS)})
    return Ruling(rule, at, reason)
