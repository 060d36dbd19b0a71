"""Clock: which instant of the monitor's time a moment of the lab stands for."""

import time
from dataclasses import dataclass

from fanous.lab.scenario import TICK_STANDS_FOR, Scenario


@dataclass(frozen=True, slots=True)
class LabClock:
    """The lab's time beside the monitor's.

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

    def lab_at(self, monitor: float) -> float:
        """The other way round."""
        return (monitor - self.begins) / self.stretch


def clock_of(scenario: Scenario, began: float) -> LabClock:
    """Begins at a whole bin of the monitor, so that a round of all probes falls into one bin."""
    begins = scenario.begins
    if begins is None:
        begins = time.time() - scenario.duration * scenario.stretch
    return LabClock(began, begins // TICK_STANDS_FOR * TICK_STANDS_FOR, scenario.stretch)
