"""Course: how each incident of a rehearsal developed, with the seconds at which its status changed.

A clock maps moments of the lab to instants of the monitor's time.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from fanous.lab.scenario import TICK_STANDS_FOR, Scenario
from fanous.model.incident import Scope, Status

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
