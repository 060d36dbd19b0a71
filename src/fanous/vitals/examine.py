"""Examine: one look at a store and the folders around it."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fanous.collector.drain import sealed_files
from fanous.collector.inbox import APART, bytes_in
from fanous.heartbeats import MEMORY
from fanous.store import Store
from fanous.vitals.ailments import CLOCK_SLACK
from fanous.vitals.vitals import Disk, Queue, Vitals

RECENT = 86_400.0
"""Seconds of receipt by which software and clocks are judged: what was mended yesterday is forgotten."""


def examine(
    store: Store,
    folders: Iterable[Path],
    inboxes: Sequence[Path],
    machine_at: float,
    known: Mapping[str, float],
) -> Vitals:
    """The vitals of a monitor.

    Args:
        folders: on the disks that it writes to.
        inboxes: of what waits for the store; one that is not there has nothing waiting.
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
        queues=tuple(queue(inbox) for inbox in inboxes if inbox.is_dir()),
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


def queue(inbox: Path) -> Queue:
    """What waits in a collector's inbox; files that are taken meanwhile count as gone."""
    waiting = sealed_files(inbox)
    since = _begun(waiting[0]) if waiting else None
    apart = len(sealed_files(inbox / APART))
    return Queue(str(inbox), len(waiting), bytes_in(inbox), since, apart)


def _begun(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
