"""Copies of stores: one is filled once, each test gets its own, in a twentieth of a second."""

import shutil
from pathlib import Path

from fanous.evaluation.demo import MARK


def copy_of(store: Path, to: Path) -> Path:
    """A closed store, copied: the engine keeps links in its folder, which must stay links."""
    return shutil.copytree(store, to, symlinks=True)


def demo_copy(demo: Path, to: Path) -> Path:
    """A copy of a demonstration's store that is a demonstration's, too."""
    to.with_name(f"{to.name}.{MARK}").touch()
    return copy_of(demo, to)
