"""Copies of stores: one is filled once, each test gets its own, in a twentieth of a second."""

import shutil
from pathlib import Path


def copy_of(store: Path, to: Path) -> Path:
    """A closed store, copied: the engine keeps links in its folder, which must stay links."""
    return shutil.copytree(store, to, symlinks=True)
