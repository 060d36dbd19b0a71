"""Score: compares what was found in a rehearsal with what was done.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fanous.evaluation.rehearsal.course import Sighting
from fanous.lab.scenario import Expectation, Scenario, ScenarioStep
from fanous.lab.truth import TRUTHS
from fanous.model.incident import Kind
from fanous.refdata.platforms import target_of


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
        return tuple(one for one in self.met if one.why)

    @property
    def false(self) -> tuple[Found, ...]:
        """Claims, confirmed or suspected at any time, that nothing explains."""
        return tuple(one for one in self.found if not one.events)

    @property
    def false_confirmed(self) -> tuple[Found, ...]:
        return tuple(one for one in self.false if one.sighting.confirmed is not None)


def score(scenario: Scenario, sightings: Sequence[Sighting]) -> Score:
    """Match incidents with events, and expectations with incidents."""
    found = tuple(_found(scenario, sighting) for sighting in sightings)
    return Score(found, tuple(_met(expected, found) for expected in scenario.expects))


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
        seconds_to_confirm=_after(sighting.confirmed, begins),
        seconds_to_end=_after(sighting.ended, ends),
    )


def _after(moment: float | None, start: float | None) -> float | None:
    return None if moment is None or start is None else round(moment - start, 1)


def _explains(scenario: Scenario, event: ScenarioStep, sighting: Sighting) -> bool:
    """Is the incident of a kind, on a network and about a target that the event explains?"""
    truth = TRUTHS[event.technique]
    kinds = {Kind(part["kind"]) for part in sighting.document["parts"]} or {Kind(sighting.document["kind"])}
    if not kinds & set(truth.kinds):
        return False
    if not sighting.networks & set(event.networks):
        return False
    concerned = as_measured(event.targets) or as_measured(scenario.targets) | {"", *_BY_THE_WAY}
    return bool(sighting.targets & concerned)


def as_measured(targets: Iterable[str]) -> set[str]:
    """The targets as measurements name them: a host of a known platform by the platform."""
    return {target_of(target) if "." in target else target for target in targets}


_BY_THE_WAY = ("dns.google", "cloudflare-dns.com", "dns.quad9.net")
"""Targets that a block of encrypted DNS hits, though it names none."""


def _label(events: Sequence[ScenarioStep], sighting: Sighting) -> str:
    """How well its mechanisms fit all the techniques that explain it together; each has its own mechanisms."""
    mechanisms = sighting.document["mechanisms"]
    if not events:
        return "none"
    labels = [TRUTHS[event.technique].label(mechanisms) for event in events]
    if len(set(labels)) > 1 or "wrong" in labels:
        allowed = {m for e in events for m in (*TRUTHS[e.technique].exact, *TRUTHS[e.technique].coarser)}
        exact = {m for e in events for m in TRUTHS[e.technique].exact}
        if not set(mechanisms) <= allowed:
            return "wrong"
        return "exact" if set(mechanisms) & exact else "coarser"
    return labels[0]


def _met(expected: Expectation, found: Sequence[Found]) -> Met:
    """Met by the first incident that has everything expected; otherwise the nearest one, and what it lacks."""
    tried = sorted(((_lacks(expected, one), one) for one in found if one.events), key=lambda t: len(t[0]))
    if not tried:
        return Met(expected, "", "nothing was found")
    lacks, best = tried[0]
    return Met(expected, best.id, "; ".join(lacks))


def _lacks(expected: Expectation, one: Found) -> list[str]:
    document, lacks = one.sighting.document, []
    if expected.status == "confirmed" and one.sighting.confirmed is None:
        lacks.append(f"{one.id} was never confirmed ({document['reason']})")
    kinds = {part["kind"] for part in document["parts"]}
    if expected.kind not in kinds:
        lacks.append(f"{one.id} is {document['kind']}, not {expected.kind}")
    if expected.scope is not None and document["scope"] != expected.scope:
        lacks.append(f"its scope is {document['scope']}, not {expected.scope}")
    if expected.access is not None and document["access"] != expected.access:
        lacks.append(f"its access is {document['access']}, not {expected.access}")
    unseen = as_measured(expected.targets) - one.sighting.targets
    if unseen:
        lacks.append(f"{', '.join(sorted(unseen))} not named")
    if expected.mechanisms and not set(expected.mechanisms) & set(document["mechanisms"]):
        named = ", ".join(document["mechanisms"]) or "none"
        lacks.append(f"mechanisms {named}, not {' or '.join(expected.mechanisms)}")
    if one.extra_networks:
        lacks.append(f"networks on which nothing was done: {', '.join(map(str, one.extra_networks))}")
    return lacks
