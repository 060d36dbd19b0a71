"""Scenario: a country, what happens in it, and what must be found.

``tick`` is the pause between two rounds of a vantage point in the lab; unless a scenario says otherwise it
stands for ten minutes of a monitor's time, so a two-second tick compresses time three hundredfold.
"""

from dataclasses import dataclass

from fanous.model.incident import Kind, Scope
from fanous.model.place import Access

TICK_STANDS_FOR = 600.0
"""Seconds of a monitor's time that one tick of the lab stands for (the pipeline's bin)."""

TRANSFER_EVERY = 2
"""Ticks from one measurement of rates to the next, at each vantage point, the targets in turn: twenty minutes of the
monitor's clock; after six of them a probe has an ordinary rate."""


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """One network of the lab's country.

    Attributes:
        country: where it is; another one than the scenario's = abroad.
        users_share: of the country's users, 0..1.
        lying: vantage points (the last ones) that report failures that did not happen.
        broken: vantage points (those before the lying) whose own line loses most packets.
        portal: vantage points behind a login page.
    """

    country: str
    asn: int
    name: str
    access: Access
    users_share: float
    vantage_points: int
    lying: int = 0
    broken: int = 0
    portal: int = 0


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One technique, applied for a while.

    Attributes:
        at: seconds since the scenario began; likewise ``until``.
        targets: platforms or domains; empty = does not apply.
        networks: ASNs.
        compliance: share of the matching vantage points that are hit, 0..1.
        rate_kbps: of a throttle; 0 = does not apply.
        keep: targets that an allow-list leaves.
    """

    at: float
    until: float
    technique: str
    targets: tuple[str, ...]
    networks: tuple[int, ...]
    compliance: float = 1.0
    rate_kbps: float = 0.0
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One incident that must be found.

    Attributes:
        kind: ``blocking``, ``throttling``, ``outage`` or ``slowdown``.
        scope: ``None`` = any.
        targets: that it must name; empty = whatever.
        mechanisms: one of these must be named; empty = whatever.
        access: ``None`` = any.
        confirmed: ``False`` = a suspicion is enough (and a confirmation no error).
    """

    kind: Kind
    scope: Scope | None
    targets: tuple[str, ...]
    mechanisms: tuple[str, ...]
    access: Access | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """A country, what happens in it, and what must be found; without an expectation nothing may be.

    Attributes:
        tick: seconds between the rounds of a vantage point.
        duration: seconds.
        targets: what is probed: those of the events, or ``targets`` of the file.
        begins: instant of the monitor's clock at which it begins; ``None`` = so that it ends now.
        tick_stands_for: seconds of the monitor's clock in a tick.
        transfer_every: ticks from one measurement of rates to the next; 0 = none is made.
    """

    title: str
    country: str
    seed: int
    tick: float
    duration: float
    targets: tuple[str, ...]
    networks: tuple[LabNetwork, ...]
    events: tuple[ScenarioStep, ...]
    expects: tuple[Expectation, ...]
    begins: float | None = None
    tick_stands_for: float = TICK_STANDS_FOR
    transfer_every: int = TRANSFER_EVERY

    @property
    def stretch(self) -> float:
        """Seconds of the monitor's clock in one second of the lab."""
        return self.tick_stands_for / self.tick

    @property
    def vantage_points(self) -> int:
        return sum(line.vantage_points for line in self.networks)
