"""Drain: what the owner of the store does with an inbox - bring sealed files in, then remove them.

Killed in between, it does the same files again: the store knows each measurement by its identity, so
nothing is stored twice, and a file goes only when its measurements are in the store.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.collector.journal import SEALED
from fanous.store.disk import disk_errors, sync_folder

MOST_FILES = 16
"""At once, most of them small (one is sealed every few seconds): the store detects after each call."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What was taken; ``more`` = files are left for the next call."""

    files: int
    more: bool


def sealed_files(inbox: Path) -> list[Path]:
    """Oldest first.  What stands in ``apart`` is not among them."""
    return sorted(path for path in inbox.glob(f"*{SEALED}") if path.is_file())


def drain(inbox: Path, bring_in: Callable[[Sequence[Path]], object]) -> Drained:
    """Bring what is sealed into the store.

    Args:
        bring_in: has all measurements of the files on the disk when it returns (``pipeline.stages.ingest``).
    """
    waiting = sealed_files(inbox)
    files = waiting[:MOST_FILES]
    if files:
        bring_in(files)
        with disk_errors(f"remove what was stored from the inbox {inbox}"):
            for path in files:
                path.unlink(missing_ok=True)
            sync_folder(inbox)
    return Drained(len(files), len(waiting) > len(files))
