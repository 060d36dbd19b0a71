"""Cases: the runs that make up the truth table (every technique in three placements, and quiet ones), and the results.

Techniques that concern one target are tried two at a time, on two platforms, since countries do the same and
it halves the work; each is scored by its own part of the findings.  A result is one technique in one run, as one line
of an append-only file.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from fanous.analysis.detectors.interference import DETECTOR_VERSION, SLOWDOWN_DETECTOR_VERSION
from fanous.analysis.rules import RULES_VERSION
from fanous.model.incident import Kind, Scope, Status
from fanous.model.place import Access
from fanous_lab.censors import TECHNIQUES, Technique
from fanous_lab.censors.cut import DEFAULT_KBPS, Truth
from fanous_lab.evaluation.rehearsal.run import Rehearsal
from fanous_lab.evaluation.rehearsal.score import Document, Score, Sighting, after
from fanous_lab.scenario import (
    TICK_STANDS_FOR,
    TRANSFER_EVERY,
    LabNetwork,
    Scenario,
    ScenarioStep,
    scenario_names,
    shipped,
)

TARGETS = ("x", "youtube")


@dataclass(frozen=True, slots=True)
class CaseTiming:
    """Seconds of the lab: of a tick, of ordinary time, of the event, and of its end.

    Attributes:
        tick_stands_for, transfer_every: as in ``Scenario``.
    """

    tick: float
    warm_up: float
    cut: float
    after: float
    tick_stands_for: float = TICK_STANDS_FOR
    transfer_every: int = TRANSFER_EVERY

    @property
    def duration(self) -> float:
        return self.warm_up + self.cut + self.after


ORDINARY = CaseTiming(2.0, 20.0, 24.0, 12.0)
"""Ten rounds of baseline are needed first."""

SLOW_LINES = CaseTiming(8.0, 56.0, 72.0, 40.0, tick_stands_for=300.0, transfer_every=1)
"""For slow lines: a probe measures rates every five minutes, and must have done so six times to have an
ordinary rate; on a line of 1.5 Mbit/s one takes seven seconds, and rounds at a tick of 2 s would fill it."""

UNHURRIED = CaseTiming(6.0, 60.0, 72.0, 36.0, transfer_every=0)
"""For allow-lists, where probes wait for what is dropped, and a check of the line takes 20 s.  At a tick of 2 s more
than a tenth of the rounds was missed nation-wide, even on an idle machine; and most rounds saw the end of an event of
24 s, and rightly reported that the line was back.

Also for an address that stays blocked after a trigger, for a second of the lab: a minute or two of the clock.  At
a tick of 2 s one round's trigger would still silence the next round, and rates measured alongside a round
would silence it."""

CADENCE = CaseTiming(4.0, 40.0, 36.0, 8.0)
"""Ten minutes in four seconds rather than two.  A time-out of the screening profile takes two seconds of the lab, which
at 300-fold speed is ten minutes, where a probe in production waits for ten seconds; at this pace that distortion is
halved, as is that from the machine's own delays."""

OF_LINES = frozenset({"slowdown_general", "rush_hour"})
"""Techniques by which lines become slow."""

_LINES = (
    LabNetwork("PK", 45669, "Jazz", Access.MOBILE, 0.30, 2),
    LabNetwork("PK", 59257, "Zong", Access.MOBILE, 0.25, 2),
    LabNetwork("PK", 24499, "Telenor Pakistan", Access.MOBILE, 0.15, 2),
    LabNetwork("PK", 17557, "PTCL", Access.FIXED, 0.15, 2),
    LabNetwork("PK", 9541, "Cybernet", Access.FIXED, 0.10, 2),
    LabNetwork("PK", 38193, "Transworld", Access.FIXED, 0.05, 2),
)
"""Twelve vantage points on six networks of six operators."""

LONE = 17557
"""The network hit in the single-network cases has a third vantage point: with fewer, nothing is confirmed (rule
C2).
"""

PLACEMENTS: dict[str, tuple[int, ...]] = {
    "nation": tuple(line.asn for line in _LINES),
    "isp": (LONE,),
    "mobile": tuple(line.asn for line in _LINES if line.access is Access.MOBILE),
    "cadence": tuple(line.asn for line in _LINES),
}
"""Name -> networks."""

SEEDED = ("nation", "isp", "mobile")
"""Placements run with every seed.  The other, the nation at ``CADENCE``, is run with the first seed only, for what is
blocked or throttled: it shows how many minutes of the monitor's clock pass."""

KEPT = ("google.com",)
"""What an allow-list lets through; one without foreign sites would be ``intranet_only``."""

QUIET = "quiet"
"""Placement of a run in which nothing may be found."""

_ONLY = {
    "outage_national": "nation",
    "outage_isp": "isp",
    "outage_mobile": "mobile",
}
"""Techniques whose name says where they apply."""

_ALONE = frozenset({"residual", "tls_mitm"})
"""Never run together with others, because they affect a whole address."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        tried: (technique, target) pairs; the target is empty if the technique affects everything.
        placement: a name of ``PLACEMENTS``, or ``quiet``.
    """

    tried: tuple[tuple[str, str], ...]
    placement: str
    scenario: Scenario

    @property
    def seed(self) -> int:
        return self.scenario.seed

    @property
    def names(self) -> list[str]:
        """How many results it has: one per technique."""
        return [f"{technique} {self.placement} {self.seed}" for technique, _ in self.tried]


def cases(seeds: int) -> Iterator[Case]:
    """All cases; those of the first seed come first, with the placements in turn, so that a run cut short has
    seen a little of everything."""
    for seed in range(1, seeds + 1):
        ways = [*(_interference(seed, placement) for placement in SEEDED), _quiet(seed)]
        for together in zip_longest(*ways):
            yield from (case for case in together if case is not None)
    yield from _interference(1, "cadence")


def _interference(seed: int, placement: str) -> Iterator[Case]:
    wanted = [t for t in TECHNIQUES.values() if _is_tried(t, placement)]
    by_target = [t.name for t in wanted if t.needs_targets and t.name not in _ALONE]
    turned = TARGETS[seed % len(TARGETS) :] + TARGETS[: seed % len(TARGETS)]
    groups = -(-len(by_target) // len(TARGETS))
    for nth in range(
        groups
    ):  # unlike techniques go together: an incident has one rate, so no two throttles share a run
        yield _case(tuple(zip(by_target[nth::groups], turned, strict=False)), placement, seed)
    for technique in wanted:
        if technique.name in _ALONE:
            yield _case(((technique.name, TARGETS[0]),), placement, seed)
        elif not technique.needs_targets:
            yield _case(((technique.name, ""),), placement, seed)


def _is_tried(technique: Technique, placement: str) -> bool:
    if not technique.is_interference or technique.name == "none":
        return False
    if placement == "cadence":  # cases with their own pace already have it
        likeliest = technique.truth.kinds[0]
        return likeliest in (Kind.BLOCKING, Kind.THROTTLING) and pace_of([technique.name]) is ORDINARY
    return _ONLY.get(technique.name, placement) == placement


def _case(tried: tuple[tuple[str, str], ...], placement: str, seed: int) -> Case:
    networks = PLACEMENTS[placement]
    pace = CADENCE if placement == "cadence" else pace_of(name for name, _ in tried)
    events = tuple(
        ScenarioStep(
            pace.warm_up,
            pace.warm_up + pace.cut,
            technique,
            (target,) if target else (),
            networks,
            rate_kbps=DEFAULT_KBPS if technique.startswith("sni_throttle") else 0.0,
            keep=KEPT if technique == "allow_list" else (),
        )
        for technique, target in tried
    )
    title = f"{', '.join(name for name, _ in tried)} on {placement}"
    more = LONE if placement == "isp" else 0
    lines = tuple(replace(line, vantage_points=3) if line.asn == more else line for line in _LINES)
    # The targets that are cut, or the usual two.
    targets = tuple(target for _, target in tried if target) or TARGETS
    scenario = Scenario(
        *(title, "PK", seed, pace.tick, pace.duration, targets, lines, events, ()),
        tick_stands_for=pace.tick_stands_for,
        transfer_every=pace.transfer_every,
    )
    return Case(tried, placement, scenario)


def pace_of(techniques: Iterable[str]) -> CaseTiming:
    """The timing of a run with these techniques."""
    tried = set(techniques)
    if OF_LINES & tried:
        return SLOW_LINES
    return UNHURRIED if {"residual", "allow_list"} & tried else ORDINARY


def _quiet(seed: int) -> Iterator[Case]:
    """The shipped scenarios without an expectation, and faults of servers and lines."""
    for name in scenario_names():
        if name.startswith(QUIET):
            yield Case(((name, ""),), QUIET, replace(shipped(name), seed=seed))
    for technique in TECHNIQUES.values():
        name = f"{QUIET}-{technique.name.replace('_', '-')}"
        if technique.name != "none" and not technique.is_interference and name not in scenario_names():
            target = TARGETS[0] if technique.needs_targets else ""
            case = _case(((technique.name, target),), "nation", seed)
            yield Case(case.tried, QUIET, case.scenario)


MOST_MISSED = 0.1
"""Share of rounds missed beyond which a run does not count: if probes cannot begin on time, time-outs measure the
machine."""

MOST_HURRIED = 0.5
"""Share of measurements on untouched lines that took too long, beyond which a run does not count.  Under a load that
missed no round it was nine in ten when QUIC was tried too seldom for its block to be found, and one in four when it was
found."""


class TechniqueResult(msgspec.Struct, kw_only=True):
    """The result for one technique.

    Attributes:
        found: an incident of a kind that the technique explains, about its target, on its networks.
        label: of the mechanisms of the target's part: ``exact``, ``coarser``, ``wrong`` or ``none``.
        suspected, confirmed, nation, ended: seconds after the onset (``ended``: after the end); ``None`` = never.
        minutes: of the monitor's clock from the onset to ``confirmed_at``.
        scope: the last known; ``scope_right``: it says no more than is true.
        kbps, true_kbps: of a throttle; 0 = none.
        extra_networks: networks named though nothing was done there.
        false_suspected, false_confirmed: claims of the whole run that nothing explains.
        false_left: those of them not retracted by the end; older results do not say.
        claims: stated confidence of each incident of the run, and whether something done explains it; the
            first result of a run has them, the others an empty list, older ones ``None``.
        rounds_missed: share of the rounds that the machine could not make.
        hurried: share of the measurements on lines where nothing was done that left no time for one more handshake
            to time out (``vantage_point.Kept``); ``None`` = an older result, which does not say.
        load: of the machine over the run's last minute, for each core.
    """

    technique: str
    placement: str
    seed: int
    target: str = ""
    found: bool = False
    label: str = "none"
    mechanisms: list[str] = []
    suspected: float | None = None
    confirmed: float | None = None
    nation: float | None = None
    ended: float | None = None
    minutes: float | None = None
    scope: str = ""
    access: str = ""
    scope_right: bool | None = None
    kbps: float = 0.0
    true_kbps: float = 0.0
    extra_networks: list[int] = []
    false_suspected: int = 0
    false_confirmed: int = 0
    false_left: int | None = None
    claims: list[tuple[float, bool]] | None = None
    rounds_missed: float = 0.0
    hurried: float | None = None
    load: float = 0.0
    rules: str = RULES_VERSION
    detectors: str = DETECTOR_VERSION
    slowdown_detectors: str = ""

    @property
    def kept_up(self) -> bool:
        """Did the machine keep up?  If not, the run says nothing about Fanous, and is repeated."""
        return self.rounds_missed <= MOST_MISSED and (self.hurried or 0.0) <= MOST_HURRIED

    @property
    def is_of_today(self) -> bool:
        """Was it played with the rules and detectors of this program?

        Slow-downs have detectors of their own, which decide where lines were slow, or nothing may be found.
        """
        is_of_lines = self.placement == QUIET or self.technique in OF_LINES
        same_slowdowns = not is_of_lines or self.slowdown_detectors == SLOWDOWN_DETECTOR_VERSION
        return same_slowdowns and (self.rules, self.detectors) == (RULES_VERSION, DETECTOR_VERSION)

    @property
    def place(self) -> "Place":
        """The technique and where it was applied: records of one seed stand for the others.

        Those of the nation stand for the nation at half the compression, which differs in nothing that they hold.
        """
        return self.technique, "nation" if self.placement == "cadence" else self.placement

    @property
    def key(self) -> str:
        return f"{self.technique} {self.placement} {self.seed}"


Place = tuple[str, str]
"""Technique and placement."""


def results_of(case: Case, rehearsal: Rehearsal, score: Score) -> list[TechniqueResult]:
    """One for each technique tried."""
    rounds = sum(probe.rounds for probe in rehearsal.kept.values())
    missed = sum(probe.missed for probe in rehearsal.kept.values())
    # Lines where nothing was done and nothing is broken; the probe abroad is always one of them.
    touched = {name for names in rehearsal.hit for name in names}
    sound = [probe for name, probe in rehearsal.kept.items() if name not in touched and not probe.fault]
    hurried = sum(probe.hurried for probe in sound) / max(sum(probe.sites for probe in sound), 1)
    shared: dict[str, Any] = {
        "placement": case.placement,
        "seed": case.seed,
        "false_suspected": len(score.false) - len(score.false_confirmed),
        "false_confirmed": len(score.false_confirmed),
        "false_left": sum(i.sighting.document["status"] != Status.RETRACTED for i in score.false),
        "slowdown_detectors": SLOWDOWN_DETECTOR_VERSION,
        "rounds_missed": round(missed / max(rounds + missed, 1), 3),
        "hurried": round(hurried, 3),
        "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    }
    sightings = [i.sighting for i in score.found]
    claims = [(float(i.sighting.document["confidence"]), bool(i.events)) for i in score.found]
    return [
        TechniqueResult(
            technique=technique,
            target=target,
            claims=claims if number == 0 else [],
            **_fared(case, number, rehearsal, sightings),
            **shared,
        )
        for number, (technique, target) in enumerate(case.tried)
    ]


def _fared(case: Case, number: int, rehearsal: Rehearsal, sightings: Iterable[Sighting]) -> dict[str, Any]:
    if case.placement == QUIET:
        return {}
    event = case.scenario.events[number]
    truth = TECHNIQUES[event.technique].truth
    parts = [(sighting, _part(sighting, event, truth)) for sighting in sightings]
    seen = [(sighting, part) for sighting, part in parts if part is not None]
    if not seen:
        return {}
    # The confirmed one, otherwise the one claimed first.
    best, part = min(seen, key=lambda pair: (pair[0].confirmed is None, pair[0].suspected))
    confirmed, document = best.by_target.get(part["target"]), best.document
    at = document["confirmed_at"]
    minutes = None
    if at is not None and confirmed is not None:
        minutes = round((confirmed - event.at) * rehearsal.scenario.stretch / 60, 1)
    return {
        "found": True,
        "label": truth.label(part["mechanisms"]),
        "mechanisms": part["mechanisms"],
        "suspected": after(best.suspected, event.at),
        "confirmed": after(confirmed, event.at),
        "nation": after(best.nation, event.at),
        "ended": after(best.ended, event.until),
        "minutes": minutes,
        "scope": document["scope"],
        "access": document["access"],
        "scope_right": _scope_right(case.placement, document),
        "kbps": (document["kbps"] or {}).get("mean", 0.0) if "throttle" in event.technique else 0.0,
        "true_kbps": event.rate_kbps if "throttle" in event.technique else 0.0,
        "extra_networks": sorted(best.networks - set(PLACEMENTS[case.placement])),
    }


def _part(sighting: Sighting, event: ScenarioStep, truth: Truth) -> Document | None:
    """The part about the event's target (any part if the event affects everything), if it is of its kind."""
    if sighting.suspected < event.at or not sighting.networks & set(event.networks):
        return None
    for part in sighting.document["parts"]:
        of_target = not event.targets or part["target"] in event.targets
        if of_target and Kind(part["kind"]) in truth.kinds:
            return dict(part)
    return None


def _scope_right(placement: str, document: Document) -> bool:
    """Does the scope say no more than is true?  Saying less is not an error: *insufficient* is an answer."""
    scope, access = document["scope"], document["access"]
    if placement == "isp":
        return bool(scope in (Scope.ISP, Scope.INSUFFICIENT))
    if placement == "mobile":
        return bool(scope != Scope.NATION or access == "mobile")
    return True


def known(path: Path) -> list[TechniqueResult]:
    """The results of earlier runs."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=TechniqueResult) for line in lines if line.strip()]


def append(path: Path, results: Iterable[TechniqueResult]) -> None:
    with path.open("ab") as file:
        for result in results:
            file.write(msgspec.json.encode(result) + b"\n")
