"""Score: how each incident of a rehearsal developed, with the seconds at which its status changed, compared with what
was done.

A clock maps moments of the lab to instants of the monitor's time.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanous.model.incident import Kind, Scope, Status
from fanous.refdata.platforms import target_of
from fanous_lab.censors import TECHNIQUES
from fanous_lab.scenario import TICK_STANDS_FOR, Expectation, Scenario, ScenarioStep

Document = dict[str, Any]


@dataclass(slots=True)
class Sighting:
    """One incident.

    Attributes:
        document: its last known state (``publish.document.detailed_document``).
        suspected: seconds of the lab at which it was first claimed.
        confirmed: at which it was first said to be confirmed; ``None`` = never.
        by_target: target -> seconds at which it was first named in a confirmed incident.
        nation: at which it was first confirmed as nation-wide.
        ended: at which its end was first said; ``None`` = never.
    """

    document: Document
    suspected: float
    confirmed: float | None = None
    nation: float | None = None
    ended: float | None = None
    by_target: dict[str, float] = field(default_factory=dict)

    def see(self, document: Document, at: float) -> None:
        """Record its present state."""
        self.document = document
        if document["confirmed_at"] and self.confirmed is None:
            self.confirmed = at
        if document["confirmed_at"]:
            if document["scope"] == Scope.NATION and self.nation is None:
                self.nation = at
            for target in self.targets:
                self.by_target.setdefault(target, at)
        if document["end"] and self.ended is None:
            self.ended = at
        if not document["end"]:
            self.ended = None  # its end was claimed, but it goes on

    @property
    def stands(self) -> bool:
        """True unless it was retracted."""
        return bool(self.document["status"] != Status.RETRACTED)

    @property
    def targets(self) -> frozenset[str]:
        """Targets of its parts; an outage has none, which is the empty name here."""
        return frozenset(part["target"] for part in self.document["parts"])

    @property
    def networks(self) -> frozenset[int]:
        return frozenset(
            int(e[2:]) for e in self.document["entities"] if e.startswith("AS") and e[2:].isdigit()
        )


class Sightings:
    """All of one rehearsal, in order of their first claim."""

    def __init__(self) -> None:
        self._by_id: dict[str, Sighting] = {}

    def see(self, document: Document, at: float) -> None:
        """Record an incident that is new or has changed."""
        sighting = self._by_id.setdefault(document["id"], Sighting(document, at))
        sighting.see(document, at)

    def all(self) -> list[Sighting]:
        return list(self._by_id.values())


@dataclass(frozen=True, slots=True)
class LabClock:
    """Maps the lab's time to the monitor's.

    Attributes:
        began: ``time.monotonic`` at which the scenario began (one clock for all processes of a machine).
        begins: unix seconds of the monitor's clock at that moment.
        stretch: seconds of the monitor's clock in one second of the lab.
    """

    began: float
    begins: float
    stretch: float

    def lab(self) -> float:
        """Seconds since the scenario began."""
        return time.monotonic() - self.began

    def monitor(self, lab: float) -> float:
        """Unix seconds of the monitor's clock at ``lab`` seconds."""
        return self.begins + lab * self.stretch


def clock_of(scenario: Scenario, began: float) -> LabClock:
    """Begins at a whole bin of the monitor, so that a round of all probes falls into one bin."""
    begins = scenario.begins
    if begins is None:
        begins = time.time() - scenario.duration * scenario.stretch
    return LabClock(began, begins // TICK_STANDS_FOR * TICK_STANDS_FOR, scenario.stretch)


@dataclass(frozen=True, slots=True)
class Found:
    """An incident and the events it belongs to.

    Attributes:
        events: indices in the scenario; empty = nothing that was done explains it: it is false.
        label: ``exact``, ``coarser``, ``wrong`` or ``none``: its mechanisms against those events.
        extra_networks: named in it, though nothing was done there.
    """

    sighting: Sighting
    events: tuple[int, ...]
    label: str
    extra_networks: tuple[int, ...]
    seconds_to_confirm: float | None
    seconds_to_end: float | None

    @property
    def id(self) -> str:
        return str(self.sighting.document["id"])


@dataclass(frozen=True, slots=True)
class Met:
    """An expectation and its outcome: ``why`` is empty if it was met."""

    expectation: Expectation
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """The whole of it."""

    found: tuple[Found, ...]
    met: tuple[Met, ...]

    @property
    def missed(self) -> tuple[Met, ...]:
        return tuple(met for met in self.met if met.why)

    @property
    def false(self) -> tuple[Found, ...]:
        """Claims, confirmed or suspected at any time, that nothing explains."""
        return tuple(incident for incident in self.found if not incident.events)

    @property
    def false_confirmed(self) -> tuple[Found, ...]:
        return tuple(incident for incident in self.false if incident.sighting.confirmed is not None)


def score(scenario: Scenario, sightings: Sequence[Sighting]) -> Score:
    """Match incidents with events, and expectations with incidents."""
    incidents = tuple(_found(scenario, sighting) for sighting in sightings)
    return Score(incidents, tuple(_met(expected, incidents) for expected in scenario.expects))


def _found(scenario: Scenario, sighting: Sighting) -> Found:
    like = [n for n, event in enumerate(scenario.events) if _explains(scenario, event, sighting)]
    # Later events may join an incident that an earlier one began; none explains what was claimed before it.
    events = like if any(scenario.events[n].at <= sighting.suspected for n in like) else []
    done = [scenario.events[n] for n in events]
    hit = {asn for event in done for asn in event.networks}
    begins = min((event.at for event in done), default=None)
    ends = max((event.until for event in done), default=None)
    return Found(
        sighting=sighting,
        events=tuple(events),
        label=_label(done, sighting),
        extra_networks=tuple(sorted(sighting.networks - hit)) if done else (),
        seconds_to_confirm=after(sighting.confirmed, begins),
        seconds_to_end=after(sighting.ended, ends),
    )


def after(moment: float | None, start: float | None) -> float | None:
    """Seconds from ``start`` on, to a tenth; ``None`` = there was no such moment."""
    return None if moment is None or start is None else round(moment - start, 1)


def _explains(scenario: Scenario, event: ScenarioStep, sighting: Sighting) -> bool:
    """Is the incident of a kind, on a network and about a target that the event explains?"""
    truth = TECHNIQUES[event.technique].truth
    kinds = {Kind(part["kind"]) for part in sighting.document["parts"]} or {Kind(sighting.document["kind"])}
    if not kinds & set(truth.kinds):
        return False
    if not sighting.networks & set(event.networks):
        return False
    concerned = as_measured(event.targets) or as_measured(scenario.targets) | {"", _BY_THE_WAY}
    return bool(sighting.targets & concerned)


def as_measured(targets: Iterable[str]) -> set[str]:
    """The targets as measurements name them: a host of a known platform by the platform."""
    return {target_of(target) if "." in target else target for target in targets}


_BY_THE_WAY = "encrypted_dns"
"""The target that a block of encrypted DNS hits, though it names none."""


def _label(events: Sequence[ScenarioStep], sighting: Sighting) -> str:
    """How well its mechanisms fit all the techniques that explain it together; each has its own mechanisms."""
    mechanisms = sighting.document["mechanisms"]
    if not events:
        return "none"
    truths = [TECHNIQUES[event.technique].truth for event in events]
    labels = [truth.label(mechanisms) for truth in truths]
    if len(set(labels)) > 1 or "wrong" in labels:
        allowed = {m for truth in truths for m in (*truth.exact, *truth.coarser)}
        exact = {m for truth in truths for m in truth.exact}
        if not set(mechanisms) <= allowed:
            return "wrong"
        return "exact" if set(mechanisms) & exact else "coarser"
    return labels[0]


def _met(expected: Expectation, incidents: Sequence[Found]) -> Met:
    """Met by the first incident that has everything expected; otherwise the nearest one, and what it lacks."""
    tried = sorted(((_lacks(expected, i), i) for i in incidents if i.events), key=lambda t: len(t[0]))
    if not tried:
        return Met(expected, "", "nothing was found")
    lacks, best = tried[0]
    return Met(expected, best.id, "; ".join(lacks))


def _lacks(expected: Expectation, incident: Found) -> list[str]:
    document, lacks = incident.sighting.document, []
    if expected.status == "confirmed" and incident.sighting.confirmed is None:
        lacks.append(f"{incident.id} was never confirmed ({document['reason']})")
    kinds = {part["kind"] for part in document["parts"]}
    if expected.kind not in kinds:
        lacks.append(f"{incident.id} is {document['kind']}, not {expected.kind}")
    if expected.scope is not None and document["scope"] != expected.scope:
        lacks.append(f"its scope is {document['scope']}, not {expected.scope}")
    if expected.access is not None and document["access"] != expected.access:
        lacks.append(f"its access is {document['access']}, not {expected.access}")
    unseen = as_measured(expected.targets) - incident.sighting.targets
    if unseen:
        lacks.append(f"{', '.join(sorted(unseen))} not named")
    if expected.mechanisms and not set(expected.mechanisms) & set(document["mechanisms"]):
        named = ", ".join(document["mechanisms"]) or "none"
        lacks.append(f"mechanisms {named}, not {' or '.join(expected.mechanisms)}")
    if incident.extra_networks:
        lacks.append(f"networks on which nothing was done: {', '.join(map(str, incident.extra_networks))}")
    return lacks
