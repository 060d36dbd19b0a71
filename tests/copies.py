"""Stores and files that are made once for all workers of a run; a copy for a test takes a twentieth of a second."""

import os
import shutil
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest


def copy_of(store: Path, to: Path) -> Path:
    """A closed store, copied: the engine keeps links in its folder, which must stay links."""
    return shutil.copytree(store, to, symlinks=True)


def once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A file or folder that the first worker to ask for it makes, and the others find.

    Args:
        make: writes it at the path that it is given, from where it is moved when it is whole.
    """
    root = temporary.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder of its own in it
    shared = root / "once"
    (shared / "making").mkdir(parents=True, exist_ok=True)
    with (shared / f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (shared / name).exists():
            make(shared / "making" / name)
            (shared / "making" / name).rename(shared / name)
    return shared / name
