"""Clock: the monitor's time, which is the machine's or, in a lab, runs faster.

Detection needs hours of data.  A lab that cannot wait shortens the hours, never the thresholds.
"""

import time
from dataclasses import dataclass

import msgspec

from fanous.model.instant import to_iso
from fanous.probe.net.network import Meter
from fanous.probe.net.sockets import SocketNetwork


@dataclass(frozen=True, slots=True)
class Clock:
    """Call it to read it, like ``time.time``.

    Attributes:
        rate: monitor seconds per machine second.
        since: unix seconds at which both clocks agree, so that a killed monitor resumes at the right time.
    """

    rate: float = 1.0
    since: float = 0.0

    def __call__(self) -> float:
        now = time.time()
        return now if self.rate == 1.0 else self.since + (now - self.since) * self.rate

    def lasts(self, seconds: float) -> float:
        """Machine seconds in this many monitor seconds."""
        return seconds / self.rate

    @property
    def notice(self) -> str:
        """What to say wherever its times are shown; empty = they are real times."""
        if self.rate == 1.0:
            return ""
        return (
            f"Lab: the clock here runs {self.rate:g} times as fast as real time, since {to_iso(self.since)}"
        )

    def marked(self, record: bytes) -> bytes:
        """A measurement dated by this clock and marked, so that it is not taken for one in real time."""
        if self.rate == 1.0:
            return record
        document = msgspec.json.decode(record)
        document["annotations"]["x_clock"] = f"{self.rate:g} times as fast since {to_iso(self.since)}"
        return msgspec.json.encode(document)


class ClockedNetwork(SocketNetwork):
    """The machine's own network; measurements made over it are dated by another clock."""

    def __init__(self, clock: Clock, meter: Meter) -> None:
        super().__init__(meter)
        self._clock = clock

    def wall(self) -> float:
        return self._clock()
