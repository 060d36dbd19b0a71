"""Cases: the runs that make up the truth table: every technique in three placements, and quiet ones.

Techniques that concern one target are tried two at a time, on two platforms, since countries do the same and
it halves the work; each is scored by its own part of the findings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from fanous.lab.censors import TECHNIQUES, Technique
from fanous.lab.censors.cut import DEFAULT_KBPS
from fanous.lab.scenario import (
    TICK_STANDS_FOR,
    TRANSFER_EVERY,
    LabNetwork,
    Scenario,
    ScenarioStep,
    scenario_names,
    shipped,
)
from fanous.lab.truth import TRUTHS
from fanous.model.incident import Kind
from fanous.model.place import Access

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

LEAVES_PAGES_UNFINISHED = frozenset(
    {"sni_freeze", "sni_loss", "sni_slow_handshake", "sni_throttle_police", "sni_throttle_shape"}
    | {"loss_burst", "quiet-loss-20", "quiet-loss-bursts"}
)
"""Techniques and quiet cases in which a page begins to arrive and never completes."""

SHOWS_OTHER_PAGES = frozenset(
    {"dns_blockpage", "http_blockpage", "quiet-captive-portal", "quiet-server-down"}
)
"""Those in which another page replaces the site's, or the site is down for everyone."""

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
        likeliest = TRUTHS[technique.name].kinds[0]
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
    lines = tuple(replace(one, vantage_points=3) if one.asn == more else one for one in _LINES)
    targets = _targets(tried)
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


def _targets(tried: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The targets that are cut, or the usual two."""
    return tuple(target for _, target in tried if target) or TARGETS


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
