"""Incident: anomalies that are one event in the real world, with what is claimed about it and how sure that is.

An incident is never edited: a change is a new revision with its reason.  This module also has what each
source says about it (``Witness``), what was compared to find what else could explain it, and what
people did with an incident (``Approval``, ``Correction``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from fanous.model.explanation import Weighed
from fanous.model.measurement import Provenance, Role, named
from fanous.model.place import Access, Family, asn_of
from fanous.model.reason import Param, Reason
from fanous.model.threshold import threshold
from fanous.model.verdict import SLOWNESS


class Kind(StrEnum):
    """What happened, from the most to the least severe."""

    OUTAGE = "outage"
    BLOCKING = "blocking"
    THROTTLING = "throttling"
    SLOWDOWN = "slowdown"


class Status(StrEnum):
    """Where an incident stands; ``confirmed_at`` tells whether an ended one was ever confirmed."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    RETRACTED = "retracted"


class Scope(StrEnum):
    """How far an incident reaches."""

    NATION = "nation"
    REGION = "region"
    MULTI_ISP = "multi_isp"
    ISP = "isp"
    INSUFFICIENT = "insufficient"


class Basis(StrEnum):
    """What an incident rests on: who answers for it, and whether more than one hand shows it."""

    VOUCHED = "vouched"  # of probes that an operator answers for
    VOLUNTEERS = "volunteers"  # of strangers: whoever sends measurements
    ONE_PUBLISHER = "one_publisher"  # of one deliverer, whose fault or lie would look like it
    TWO_HANDS = "two_hands"  # of several that fail, and lie, independently


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open ``[start, end)`` in unix seconds; ``end`` None = ongoing."""

    start: float
    end: float | None

    @property
    def until(self) -> float:
        """The end; infinity while ongoing."""
        return inf if self.end is None else self.end


JOIN = threshold(
    "incidents.interval_join_seconds",
    1800.0,
    "Intervals of different networks closer than this are one interval of the incident.",
)


def union(intervals: Iterable[Interval], gap: float = 0.0) -> tuple[Interval, ...]:
    """Merge intervals into an ordered list without overlaps; those at most ``gap`` seconds apart become one."""
    merged: list[Interval] = []
    for later in sorted(intervals, key=lambda interval: interval.start):
        last = merged[-1] if merged else None
        if last is None or (last.end is not None and later.start > last.end + gap):
            merged.append(later)
        elif last.end is not None:
            merged[-1] = Interval(last.start, None if later.end is None else max(last.end, later.end))
    return tuple(merged)


Stretches = Mapping[int, Sequence[Interval]]
"""ASN -> when it failed without recovering in between."""


@dataclass(frozen=True, slots=True)
class RolePart:
    """How one role of a target fared during an incident.

    Attributes:
        entities: networks on which it failed.
        worked: networks on which it always worked; on networks in neither list, its measurements disagree.
        intervals: when it failed, over all these networks, in order; the last is open if it still does.
    """

    role: Role
    entities: tuple[str, ...]
    worked: tuple[str, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What the incident does to one target; an empty target is the line itself.

    Attributes:
        roles: those of the target that were tried; empty = not distinguished (by series, or before rules 2026.24).
        intervals: when the target failed, over all its networks; empty = not distinguished from the incident's (by
            series, or before detectors 2026.30).
    """

    target: str
    kind: Kind
    mechanisms: tuple[str, ...]
    entities: tuple[str, ...]
    roles: tuple[RolePart, ...] = ()
    intervals: tuple[Interval, ...] = ()

    @property
    def cut(self) -> tuple[Role, ...]:
        """Roles that failed where most networks of the part are, and not on fewer than they worked on."""
        return tuple(
            role.role
            for role in self.roles
            if 2 * len(role.entities) >= max(len(self.entities), 1) and len(role.entities) >= len(role.worked)
        )

    @property
    def spared(self) -> tuple[Role, ...]:
        """Roles that worked on more networks than they failed on."""
        return tuple(role.role for role in self.roles if len(role.worked) > len(role.entities))

    @property
    def named(self) -> tuple[str, ...]:
        """What may be called cut (``model.measurement.named``); if no role clearly is, those that were not spared. For
        throttling it is always the target: a small answer does not show that a role is spared.
        """
        cut = self.cut or tuple(role.role for role in self.roles if role.role not in self.spared)
        return named(self.target, cut if self.kind is Kind.BLOCKING else (), self.spared)

    @property
    def named_now(self) -> tuple[str, ...]:
        """As ``named``, for what is still cut: a role that works again counts as spared."""
        on = tuple(r.role for r in self.roles if r.role in self.cut and r.intervals[-1].end is None)
        if self.kind is not Kind.BLOCKING or not on:
            return self.named
        again = (role for role in self.cut if role not in on)
        return named(self.target, on, (*self.spared, *again))

    @property
    def is_of_service(self) -> bool:
        """Is it the service itself that is cut, and not only parts of it?"""
        return self.named == (self.target,)

    def cuts(self, name: str) -> bool:
        """Did users lose what is called by this name (``telegram``, ``telegram/client``)?

        A service takes its parts with it, except those that still worked; a part does not take the service.
        """
        if name == self.target or name in self.named:
            return name in self.named
        target, _, role = name.rpartition("/")
        return target == self.target and (
            role in self.cut or (self.is_of_service and role not in self.spared)
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 90 % interval.

    Attributes:
        mean: of a share of a baseline: what is typically left while it lasts.
        worst: the least that was left for an hour; None = not measured in quantities.
        now: what is left according to the newest values of sources that still report; None as for ``worst``.
        now_at: until when these are known, unix seconds.
        now_of: the family that gives ``now`` if the series that give the other figures have fallen silent; empty = they
            have not.
        last, last_at: as ``now`` and ``now_at``, of the series that have fallen silent.
    """

    mean: float
    low: float
    high: float
    worst: float | None = None
    now: float | None = None
    now_at: float | None = None
    now_of: str = ""
    last: float | None = None
    last_at: float | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of an outage during which the share that was left stayed the same.

    Attributes:
        start, end: half-open, unix seconds; None = ongoing.
        left: share of the baseline before the event.
    """

    start: float
    end: float | None
    left: float


@dataclass(frozen=True, slots=True)
class UsersShare:
    """Share of users affected, 0..1, with its 90 % interval.

    Of the country's users, or of those of the incident's access class where it names one.

    Attributes:
        observed: share of users on networks that were measured during the incident.
    """

    mean: float
    low: float
    high: float
    observed: float


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """When the incident was seen on one network.

    Attributes:
        entity: ``AS17557``; for an outage seen in quantities also a region, or the country.
        targets: that failed there.
        intervals: when it was seen there, in order.
        measurements: that saw it there.
        probes: independent probes that saw it there.
        probability: the highest that a series of this network reached.
    """

    entity: str
    targets: tuple[str, ...]
    intervals: tuple[Interval, ...]
    measurements: int
    probes: int
    probability: float

    @property
    def asn(self) -> int:
        """0 = a region, or the country."""
        return asn_of(self.entity)


UNLISTED = "unlisted"
"""What readers see in place of the names of targets that no one watches."""


@dataclass(frozen=True, slots=True)
class EvidenceCounts:
    """What the claim rests on, in numbers.

    Attributes:
        measurements: that saw it.
        probes: independent probes that saw it; test runs where probes are not known (``probes_are``).
        networks: on which it was seen.
        controls: measurements that show the target worked elsewhere at the time.
        families: source families that saw it.
        probes_at_least: how many of ``probes`` are certainly different ones; None = not computed.
    """

    measurements: int
    probes: int
    networks: int
    controls: int
    families: tuple[str, ...]
    probes_at_least: int | None = None

    @property
    def probes_are(self) -> str:
        """``test_runs`` where OONI's measurements count: they name no probe, only a run of its tests."""
        return "test_runs" if Family.OONI in self.families else "probes"


class Says(StrEnum):
    """What a family of sources says about a place during an incident."""

    DOWN = "down"
    ORDINARY = "ordinary"
    BLIND = "blind"
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FamilyView:
    """What one family of sources says about an outage, whether or not it saw it.

    Attributes:
        family: ``probing``.
        says: ``silent`` = it stopped reporting; ``unknown`` = it has no history to compare with; ``blind`` = it was as
            usual, but cannot show an outage of this kind.
        sources: the series behind it, as ``source signal``.
        entities: where it says so.
        left: share of the baseline, 0..1; None unless it is down, or was lower without being down.
        onset: of the first departure, unix seconds; None unless it is down.
        raised_at: when a live monitor of this family would have raised it, unix seconds; None unless it is down.
    """

    family: str
    says: Says
    sources: tuple[str, ...]
    entities: tuple[str, ...]
    left: Estimate | None = None
    onset: float | None = None
    raised_at: float | None = None

    @property
    def reason(self) -> Reason:
        """What it says, as a code; places are named only where they are less than a country, since what is left of a
        country is not what is left of each of its networks."""
        params: dict[str, Param] = {"sources": self.sources}
        code = _SAID[self.says]
        if self.left is not None:
            params |= {"left": self.left.mean, "lowest": self.left.low, "highest": self.left.high}
            low, high = self.left.low, self.left.high
            is_even = high < LEAST_SAID or round(low, 2) == round(high, 2)
            fell = "sight.fell_evenly" if is_even else "sight.fell_to"
            code = "sight.lower" if self.says is Says.ORDINARY else fell
        is_whole = any(len(entity) <= CODE for entity in self.entities)
        if self.entities and not is_whole and self.says is Says.DOWN:
            params["entities"] = self.entities
            code += "_there"
        return Reason(code, params)


LEAST_SAID = 0.01
"""Smallest share to write as a number: below one in a hundred, the digit is noise."""

CODE = 2
"""Letters of a country's code; regions and networks have longer names."""

_SAID = {
    Says.DOWN: "sight.fell",
    Says.ORDINARY: "sight.usual",
    Says.BLIND: "sight.blind",
    Says.SILENT: "sight.silent",
    Says.UNKNOWN: "sight.no_history",
}


@dataclass(frozen=True, slots=True)
class Note:
    """A person's note on an incident, for readers.

    Attributes:
        by: name or role of the person; published.
        at: unix seconds, UTC.
    """

    text: str
    by: str
    at: float


BACKFILL = "backfill"
"""What holds a claim until the measurements of the days before it have come in."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One event.  Times are unix seconds, UTC.

    Attributes:
        id: label, ``PK-2023-0042``; empty until the ledger has given one.
        entities: the places affected; the country itself if the scope is the nation, or if only its own series shows
            it.
        networks: when it was seen on each network named.
        onset: best estimate of the beginning.
        onset_earliest: None = already under way when the data begin (open onset).
        end: None = it is ongoing, or there are no measurements since.
        reached: of an outage, when it was first at its stated level, and the bounds; None = at once, or unknown.
        end_earliest, end_latest: its bounds: the last value or measurement that was bad and the first that was good;
            None = there is no end, or they are not known (in series before detectors 2026.27, else before 2026.37).
        intervals: when it was on; daily sessions are several intervals of one incident.
        confirmed_at: when the rule was first met with what was known then; None = never.
        confidence: probability that this is interference, 0..1.
        users: None = cannot be said.
        kbps: for throttling; None = not measured.
        level: for outages: share of the baseline that is left; None = not measured.
        rule: the confirmation rule that was met (``C1``, ``C2``, ``C3``); empty = none.
        reasons: why the status is what it is, the most important first.
        explanations: what else it could be, each as it was weighed; empty = revised before they were kept.
        opinions: for outages: what each family of sources says.
        hints: what may point to a cause; never evidence.
        held_by: what a claim has to wait for: ``review`` (as all national ones do here), ``person`` (someone asked for
            it) or ``backfill`` (see ``is_provisional``); empty = it does not.
        withdrawn_by: the person who withdrew it for good; empty = not withdrawn.
        merged_into: id of the incident that it turned out to be part of; empty = none.
        named_by: the person who let readers see names of it that are on no list; empty = none did.
        lasting_since: when detectors accepted a lower level that lasted as their baseline; the incident goes on
            until the level is back.  None = none lasted.
        levels: of an outage seen in quantities: what was left, step by step.
        first_published_at: when the ledger first had it as more than provisional; given with the id, and no part of
            what was concluded.  None = it never had, or an older Fanous wrote it.
        note: by a person, kept from revision to revision; None = there is none.
        provenance: the weakest of what it is made of; stands first wherever an incident is printed.
    """

    provenance: Provenance = field(default=Provenance.IMPORTED, kw_only=True)
    country: str
    kind: Kind
    status: Status
    scope: Scope
    access: Access
    entities: tuple[str, ...]
    parts: tuple[Part, ...]
    networks: tuple[NetworkPart, ...]
    onset: float
    onset_earliest: float | None
    onset_latest: float
    end: float | None
    intervals: tuple[Interval, ...]
    confirmed_at: float | None
    confidence: float
    users: UsersShare | None
    kbps: Estimate | None
    level: Estimate | None
    evidence: EvidenceCounts
    rule: str
    rules_version: str
    detector_version: str
    reasons: tuple[Reason, ...] = ()
    id: str = ""
    opinions: tuple[FamilyView, ...] = ()
    hints: tuple[Reason, ...] = ()
    held_by: str = ""
    withdrawn_by: str = ""
    merged_into: str = ""
    lasting_since: float | None = None
    levels: tuple[Stage, ...] = ()
    note: Note | None = None
    explanations: tuple[Weighed, ...] = ()
    end_earliest: float | None = None
    end_latest: float | None = None
    reached: float | None = None
    reached_earliest: float | None = None
    reached_latest: float | None = None
    first_published_at: float | None = field(default=None, compare=False)
    named_by: str = ""

    @property
    def basis(self) -> Basis | None:
        """What it rests on; None = a suspicion that lacks more than another hand, or decided before detectors
        `2026.30-levels`, which said nothing of it.
        """
        stated = (reason.params["basis"] for reason in self.reasons if "basis" in reason.params)
        return next((Basis(str(basis)) for basis in stated), None)

    @property
    def reported_by(self) -> tuple[str, ...]:
        """The deliverer behind a suspicion (``analysis.series.signals.deliverer_of``); empty = there are more."""
        if self.basis is not Basis.ONE_PUBLISHER:
            return ()
        named = next(reason.params["deliverers"] for reason in self.reasons if "deliverers" in reason.params)
        return tuple(map(str, named)) if isinstance(named, tuple) else ()

    @property
    def until(self) -> float:
        """The end; infinity while ongoing."""
        return inf if self.end is None else self.end

    def is_on(self, since: float, until: float) -> bool:
        """Is it on at any time in ``[since, until)``?"""
        return self.onset < until and self.until > since

    @property
    def is_open(self) -> bool:
        """Is it ongoing, as far as measurements show?"""
        return self.status in (Status.SUSPECTED, Status.CONFIRMED)

    @property
    def seen_until(self) -> float | None:
        """Until when the level of one without an end was measured; None = it is over, or has no level."""
        if self.end is not None or self.level is None:
            return None
        return self.level.now_at if self.level.last_at is None else self.level.last_at

    @property
    def kinds(self) -> frozenset[Kind]:
        """Every kind that occurs in it: blocking that some networks carried out by throttling counts as both."""
        slows = any(SLOWNESS in mechanism for mechanism in self.mechanisms)
        own = {self.kind, *(part.kind for part in self.parts)}
        return frozenset(own | {Kind.THROTTLING} if slows else own)

    @property
    def is_provisional(self) -> bool:
        """Does it rest on only some of the measurements, because those of earlier days are still being brought in?"""
        return self.held_by == BACKFILL

    @property
    def was_dropped(self) -> bool:
        """Was it only ever provisional, and not supported once all measurements were in?  Then nothing was claimed."""
        return self.is_provisional and self.status is Status.RETRACTED

    @property
    def stands(self) -> bool:
        """Was it claimed publicly, and not withdrawn since?"""
        return self.status is not Status.RETRACTED and not self.is_provisional

    @property
    def awaits_review(self) -> bool:
        """Does it wait for a person?"""
        return bool(self.held_by) and not self.is_provisional

    @property
    def is_unlisted(self) -> bool:
        """Is all that it is about withheld from readers?  Then only country, kind and times are published."""
        return bool(self.parts) and all(part.target == UNLISTED for part in self.parts)

    @property
    def withholds_names(self) -> bool:
        """Is some of what it is about withheld from readers?"""
        return any(part.target == UNLISTED for part in self.parts)

    @property
    def is_of_line(self) -> bool:
        """Is it about connectivity itself, whatever platforms it names as well?"""
        return any(not part.target for part in self.parts)

    @property
    def is_of_traffic(self) -> bool:
        """Did the traffic of platforms fall, with nothing to show how?"""
        return self.kind is Kind.OUTAGE and bool(self.parts) and not self.is_of_line

    @property
    def led_up_by(self) -> Stage | None:
        """The higher level that preceded the onset, such as a soft start; None = it fell from its usual level."""
        first = self.levels[0] if self.levels else None
        if first is None or first.end is None or not first.start < first.end <= self.onset:
            return None
        return first

    @property
    def fall_earliest(self) -> float | None:
        """The earliest time at which the fall itself may have begun; None = before our data begin.  Up to detectors
        `2026.30-levels` the onset's bracket held what led up to it, too.
        """
        if self.onset_earliest is None or self.led_up_by is None or self.led_up_by.end is None:
            return self.onset_earliest
        return max(self.onset_earliest, self.led_up_by.end)

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets that are cut by name; an outage of the line itself names none."""
        return tuple(part.target for part in self.parts if part.target)

    @property
    def named(self) -> tuple[str, ...]:
        """The targets, or the parts of them, that may be called cut (``Part.named``)."""
        return tuple(name for part in self.parts if part.target for name in part.named)

    @property
    def named_now(self) -> tuple[str, ...]:
        """As ``named``, without parts of services that work again (``Part.named_now``)."""
        return tuple(name for part in self.parts if part.target for name in part.named_now)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """All mechanisms, each once, in the order of the parts."""
        return tuple(dict.fromkeys(m for part in self.parts for m in part.mechanisms))


class Sight(StrEnum):
    """Did a source see the incident?"""

    SAW = "saw"
    DID_NOT_SEE = "did_not_see"
    COULD_NOT_SEE = "could_not_see"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Witness:
    """What one source says about an incident, or a family without any source.

    Attributes:
        source: its name; empty = no source of the family says anything.
        reasons: what it saw, or why it saw nothing.
        saw: measurements on the networks named, while it was on, that saw it.
        contrary: those of them that reached the target.
    """

    family: Family
    source: str
    sight: Sight
    reasons: tuple[Reason, ...]
    saw: int = 0
    contrary: int = 0


@dataclass(frozen=True, slots=True)
class Onset:
    """How targets fared in another country at the times at which they failed here.

    Attributes:
        probes: that failed then.
        failing: measurements that failed then (blocked, throttled, down, or a symptom).
        measured: measurements then that say anything.
        failing_before: as ``failing``, in the days before the first of these times.
        measured_before: as ``measured``, in the same days.
    """

    country: str
    probes: int
    failing: int
    measured: int
    failing_before: int
    measured_before: int


@dataclass(frozen=True, slots=True)
class Software:
    """How one version of a probe's software, or of a nettest, fared on one network during the event, in probes.

    Attributes:
        failing: for which the target failed at least once.
        working: for which it only ever worked.
    """

    name: str
    asn: int
    failing: int
    working: int


@dataclass(frozen=True, slots=True)
class Release:
    """How one version of a nettest fared with the targets of the event, in one country and in measurements."""

    country: str
    test_name: str
    version: str
    failing: int
    measured: int


@dataclass(frozen=True, slots=True)
class LineRecord:
    """How one probe that saw the event fared at the same time with everything it measured.

    Attributes:
        targets: that it measured.
        others: of them, those about which nothing is claimed.
        failing: 0..``others``, how many of these failed as on a bad line; one that failed now and then counts
            by its share.
        of_all: True = all probes of the network together, including those that did not see it.
    """

    asn: int
    targets: int
    others: int
    failing: float
    of_all: bool = False


@dataclass(frozen=True, slots=True)
class ForeignNetwork:
    """A network of the event whose addresses are registered in another country.

    Attributes:
        home: that country.
        elsewhere: how the event's targets fared on it in other countries at the time: country, failing
            measurements, all measurements.
    """

    asn: int
    home: str
    elsewhere: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NameRecord:
    """How the lookups of one target through one network's resolvers fared on one network while the event was on there.

    Attributes:
        resolver_asn: 0 = unknown.
        failing, answered: measurements.
    """

    asn: int
    resolver_asn: int
    target: str
    failing: int
    answered: int


@dataclass(frozen=True, slots=True)
class Hosting:
    """The networks of a target's addresses, as the outside helper looked them up."""

    target: str
    networks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SharedPage:
    """Targets for which probes on one network got the very same page, which is not the helper's for any of them.

    Attributes:
        others: further targets, whose unencrypted page was the helper's there.
    """

    asn: int
    targets: tuple[str, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a test run, to tell whether two runs were made by two probes.

    Attributes:
        probe: the run's name (``Measurement.probe``).
        software: name, with the platform, and version of what measured; empty = unknown.
        since, until: when its first and its last measurement began, unix seconds.
    """

    probe: str
    software: str
    test_name: str
    test_version: str
    resolver_asn: int
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Approval:
    """A person reviewed a held incident and approved it.

    Attributes:
        revision: the one that was reviewed.
        at: unix seconds, UTC.
        note: in their words; empty = none.
    """

    incident: str
    revision: int
    who: str
    at: float
    note: str = ""


class Decided(StrEnum):
    """What a person decided about an incident, besides approving or withdrawing it."""

    HOLD = "hold"
    NOTE = "note"
    MERGE = "merge"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person held an incident, wrote a note on it, merged it into another, or let readers see what it is about.

    Attributes:
        who: name or role; published.
        at: unix seconds, UTC.
        text: the note, or why; empty = none.
        whole: for a merge: id of the incident of which this one is a part; empty otherwise.
        revision: for a merge: the last revision of the whole's own; for names: the one whose targets were named; 0
            otherwise.
    """

    incident: str
    decided: Decided
    who: str
    at: float
    text: str = ""
    whole: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class MethodChange:
    """What became of published incidents when the method by which they are found changed.

    Attributes:
        at: unix seconds, UTC.
        revised: incidents that were computed again.
        corrected: those of them of which something was withdrawn.
        unvouched: those of them that turned out to rest on measurements of strangers.
    """

    at: float
    revised: int
    corrected: int
    unvouched: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A revision that withdrew something.

    Attributes:
        incident: its label.
        provenance: of the incident.
        n: number of the revision.
        at: unix seconds, UTC.
        taken_back: each thing that is no longer claimed.
        reasons: of the revision.
        by_method: another method withdrew it: readers are told of these in one notice (``MethodChange``).
    """

    incident: str
    country: str
    provenance: Provenance
    n: int
    at: float
    taken_back: tuple[Reason, ...]
    reasons: tuple[Reason, ...]
    by_method: bool
