"""Examine: one look at a store and the disks that it stands on."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fanous.analysis.series.heartbeats import MEMORY
from fanous.model.backlog import Backlog
from fanous.pipeline.vitals.ailments import CLOCK_SLACK
from fanous.pipeline.vitals.vitals import Disk, Vitals
from fanous.store.protocol import Store

RECENT = 86_400.0
"""Seconds of receipt by which software and clocks are judged: what was mended yesterday is forgotten."""


def examine(
    store: Store,
    folders: Iterable[Path],
    backlogs: Sequence[Backlog],
    machine_at: float,
    known: Mapping[str, float],
) -> Vitals:
    """The vitals of a monitor.

    Args:
        folders: on the disks that it writes to.
        backlogs: of every inbox.
        machine_at: unix seconds, by the machine's clock.
        known: ``Vitals.undetected`` of the look before; a country that is new waits since now.
    """
    now = store.now()
    return Vitals(
        at=now,
        machine_at=machine_at,
        arrivals=tuple(store.arrivals(now - MEMORY)),
        soundness=tuple(store.soundness(now - RECENT)),
        clocks=store.clocks(now - RECENT, CLOCK_SLACK),
        disks=disks(folders),
        backlogs=tuple(backlogs),
        undetected={country: known.get(country, machine_at) for country in store.undetected()},
        damaged={segment.name: why for segment, why in store.damaged()},
    )


def disks(folders: Iterable[Path]) -> tuple[Disk, ...]:
    """One a file system."""
    found: dict[int, Disk] = {}
    for folder in folders:
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            found.setdefault(folder.stat().st_dev, Disk(str(folder), usage.free, usage.total))
    return tuple(found.values())
