"""Coverage: how much was measured in a window, without which "nothing was seen" means nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts over one window.

    Attributes:
        measurements: that say yes or no of one of the targets.
        failing: of these, those in which a target was blocked or throttled.
        probes: independent ones.
        networks: ASNs, ascending.
        hours: of the window.
        hours_measured: in which at least one measurement was made.
        targets: that were measured, sorted.
    """

    measurements: int
    failing: int
    probes: int
    networks: tuple[int, ...]
    hours: int
    hours_measured: int
    targets: tuple[str, ...]

    @property
    def failing_share(self) -> float | None:
        """``None`` = nothing was measured."""
        return self.failing / self.measurements if self.measurements else None
