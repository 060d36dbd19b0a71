"""Where the real measurements for development are, and what a test says if they are missing."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_file(name: str) -> Path:
    """Path of ``name`` among the real measurements, or a skip that names the file.

    The files are research copies that the project may not redistribute; ``FANOUS_SHARED_DATA`` names
    the folder.
    """
    path = Path(os.environ.get("FANOUS_SHARED_DATA", _DEFAULT)) / name
    if not path.exists():
        pytest.skip(f"not present: {name} (set FANOUS_SHARED_DATA)")
    return path
