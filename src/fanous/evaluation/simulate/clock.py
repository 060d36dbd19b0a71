"""FakeClock: time that moves only when a test says so."""

from dataclasses import dataclass

from fanous.evaluation.simulate.notation import DAY


@dataclass(slots=True)
class FakeClock:
    """Call it to read it, as one calls ``time.time``.

    Attributes:
        now: unix seconds, UTC.
    """

    now: float = float(DAY)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on by ``seconds`` (never back) and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back ({seconds} s)")
        self.now += seconds
        return self.now
