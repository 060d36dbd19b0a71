"""Workings: what the running monitor knows of itself, for the operator's pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fanous.model.vitals import Need, Spell
from fanous.pipeline.vitals import Ailment, Vitals


@dataclass(slots=True)
class PullState:
    """How one source fared for one country since the monitor started.  Times are unix seconds, UTC.

    Attributes:
        tried_at: of the last attempt; None = none yet.
        succeeded_at: of the last one that reached the source; None = none did.
        why: what failed last; empty = the last attempt succeeded.
    """

    source: str
    country: str
    tried_at: float | None = None
    succeeded_at: float | None = None
    why: str = ""


class PullStates:
    """The states of the errands of one task, in their order."""

    def __init__(self, errands: Sequence[tuple[str, str]]) -> None:
        self._states = {errand: PullState(*errand) for errand in errands}

    def note(self, source: str, country: str, at: float, why: str = "") -> None:
        """An attempt ended; ``why`` as in ``PullState``."""
        one = self._states.setdefault((source, country), PullState(source, country))
        one.tried_at, one.why = at, why
        if not why:
            one.succeeded_at = at

    def all(self) -> list[PullState]:
        return list(self._states.values())


@dataclass(frozen=True, slots=True)
class HeardNetwork:
    """When a network was last heard; unix seconds.

    Attributes:
        silent: for longer than it is used to.
    """

    country: str
    asn: int
    last: float
    silent: bool


@dataclass(frozen=True, slots=True)
class Workings:
    """Attributes:
    vitals, ailments, feed: as of the last self-check; ``vitals`` gives None before the first.
    pulls: sources and their last error.
    heard: networks in which probes were heard lately.
    needs: what this machine lacks for its parts, as ``fanous doctor`` says; examined when it is asked for.
    collector: address at which probes deliver; empty = this monitor has no collector.
    """

    vitals: Callable[[], Vitals | None] = field(default=lambda: None)
    ailments: Callable[[], list[Ailment]] = field(default=list)
    feed: Callable[[], list[Spell]] = field(default=list)
    pulls: Callable[[], list[PullState]] = field(default=list)
    heard: Callable[[], list[HeardNetwork]] = field(default=list)
    needs: Callable[[], list[Need]] = field(default=list)
    collector: str = ""
