"""Cut: what a censor does, and to whom; a technique is how it is done.

A strike is a cut applied to a running lab: the vantage points that it hits, router by router.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from math import floor
from random import Random

from fanous.errors import FanousError
from fanous.model.incident import Kind
from fanous.model.place import Access
from fanous_lab.internet import Internet
from fanous_lab.plan import VantagePoint

DEFAULT_KBPS = 137.0
"""The middle of 130-150 kbit/s, Russia 2021 (Xue et al., Throttling Twitter, IMC 2021)."""

SLOW_LINE_KBPS = 1500.0
"""Rate of a general slow-down: a fifth of what the lab's lines give, and more than probing uses (a round every two
seconds); below 500 a probe sees the effect of its own traffic."""

CROWDED_KBPS = 10_000.0
"""Rate of a line's pipe in the rush hour; neighbours take two thirds of it on average (``boxes.line``)."""

RESIDUAL_SECONDS = 60
"""How long an address stays blocked after the trigger; 60-180 s have been seen in the wild."""

FREEZE_BYTES = 16_384
"""Bytes from a server after which nothing more arrives; Russia's freezes of 2025 came after 16-20 KB."""

Undo = Callable[[], None]
"""Undoes a cut; call it once."""


def rate_of(technique: str) -> float:
    """kbit/s if no rate is given."""
    return {"slowdown_general": SLOW_LINE_KBPS, "rush_hour": CROWDED_KBPS}.get(technique, DEFAULT_KBPS)


@dataclass(frozen=True, slots=True)
class Cut:
    """One act of censorship (or a harmless mishap).

    Attributes:
        targets: platforms or host names; none if the technique affects everything.
        networks: ASNs; empty = all.
        access: only networks of this access.
        vantage_points: names of those hit; empty = ``compliance`` of all that match.
        compliance: share of the matching vantage points that are hit, drawn with ``seed``.
        rate_kbps: for throttling; 1 kbit = 1000 bits.
        keep: the targets that an allow-list lets through.
        residual_seconds: how long an address stays blocked after the trigger.
    """

    technique: str
    targets: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    access: Access = Access.ANY
    vantage_points: tuple[str, ...] = ()
    compliance: float = 1.0
    seed: int = 0
    rate_kbps: float = DEFAULT_KBPS
    keep: tuple[str, ...] = ()
    residual_seconds: int = RESIDUAL_SECONDS


def hit_by(internet: Internet, cut: Cut) -> tuple[VantagePoint, ...]:
    """The vantage points that ``cut`` hits, in the plan's order; the same for the same seed.

    Raises:
        FanousError: it hits none, or names something that the lab does not have.
    """
    if cut.vantage_points:
        return tuple(internet.vantage_point(name) for name in cut.vantage_points)
    known = {point.asn for point in internet.vantage_points}
    for asn in cut.networks:
        if asn not in known:
            raise FanousError(f"no network AS{asn} in this lab; there are {sorted(known)[:12]}")
    matching = [
        point
        for point in internet.vantage_points
        if (not cut.networks or point.asn in cut.networks) and cut.access in (Access.ANY, point.access)
    ]
    count = floor(len(matching) * cut.compliance + 0.5)
    if not count:
        raise FanousError(
            f"{cut.technique} hits no vantage point: {len(matching)} match, but compliance leaves none; raise it"
        )
    drawn = set(Random(cut.seed).sample(range(len(matching)), count))
    return tuple(point for nth, point in enumerate(matching) if nth in drawn)


@dataclass(frozen=True, slots=True)
class Strike:
    """A cut on a lab.

    Attributes:
        number: counts the cuts of a lab; the names of chains, queues and tables are derived from it.
        points: the vantage points hit.
        hosts, addresses: the targets'.
    """

    internet: Internet
    cut: Cut
    number: int
    points: tuple[VantagePoint, ...]

    @property
    def hosts(self) -> list[str]:
        return self.internet.hosts_of(self.cut.targets)

    @property
    def addresses(self) -> list[str]:
        return self.internet.addresses_of(self.cut.targets)

    @property
    def identity(self) -> str:
        return f"c{self.number}"

    @property
    def bit(self) -> int:
        """The cut's bit in connection marks."""
        return 1 << self.number % 31

    @property
    def versions(self) -> tuple[int, ...]:
        return (4, 6) if self.internet.plan.is_ipv6 else (4,)

    def by_router(self) -> dict[str, list[VantagePoint]]:
        """Namespace of a router -> the vantage points hit behind it."""
        return {router: list(points) for router, points in groupby(self.points, lambda p: p.router)}

    def is_whole(self, router: str) -> bool:
        """Are all vantage points of that router hit, and therefore the provider itself?"""
        hit = {point.name for point in self.points}
        behind = [point for point in self.internet.vantage_points if point.router == router]
        return all(point.name in hit for point in behind)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a technique is, in OONI's taxonomy (ooni/data, ontology 12) with our additions.

    Attributes:
        kinds: kinds of incident that may be claimed for it, likeliest first; empty = none may be.
        exact: mechanisms that name it.
        coarser: mechanisms that say less but nothing false.
    """

    kinds: tuple[Kind, ...] = ()
    exact: tuple[str, ...] = ()
    coarser: tuple[str, ...] = ()

    @property
    def is_incident(self) -> bool:
        return bool(self.kinds)

    def label(self, mechanisms: Iterable[str]) -> str:
        """How well the named mechanisms fit: ``exact``, ``coarser``, ``wrong`` or ``none``."""
        named = set(mechanisms)
        if not named:
            return "none"
        if not named <= {*self.exact, *self.coarser}:
            return "wrong"
        return "exact" if named & set(self.exact) else "coarser"


@dataclass(frozen=True, slots=True)
class Technique:
    """A way to interfere, or a mishap that looks like it.

    Attributes:
        does: one sentence.
        mechanism: what a perfect observer would call it; empty = not interference, or without a name.
        needs_targets: does it act on single targets?
        strike: does it, and returns how to undo it.
        truth: what may be claimed for it; nothing for what a monitor must not take for censorship.
    """

    name: str
    does: str
    mechanism: str
    strike: Callable[[Strike], Undo]
    truth: Truth
    needs_targets: bool = True

    @property
    def is_interference(self) -> bool:
        return self.truth.is_incident
