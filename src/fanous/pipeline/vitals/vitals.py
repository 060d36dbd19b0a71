"""Vitals: one look at a monitor - the noun of this package."""

from dataclasses import dataclass, field

from fanous.model.backlog import Backlog
from fanous.store.vitals import Arrivals, Clocks, Soundness

NO_CLOCKS = Clocks(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that the monitor writes to; bytes."""

    folder: str
    free: int
    size: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """Attributes:
    at: unix seconds, by the store's clock; what was received is told by it.
    machine_at: by the machine's, for files.
    undetected: countries with measurements that no detection has seen -> since when that is known here.
    damaged: segments of the archive that cannot be read -> why.
    """

    at: float
    machine_at: float
    arrivals: tuple[Arrivals, ...] = ()
    soundness: tuple[Soundness, ...] = ()
    clocks: Clocks = NO_CLOCKS
    disks: tuple[Disk, ...] = ()
    backlogs: tuple[Backlog, ...] = ()
    undetected: dict[str, float] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
