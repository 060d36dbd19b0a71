"""Tables: the one place that opens a file of reference data.

Every file stands beside this module and is part of the wheel; each says its source, date and licence.

Atomic: replaces a file as a whole, so that the old or the new one is always there, even after a crash.
"""

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any


def toml_table(name: str) -> dict[str, Any]:
    """The parsed TOML file ``name`` of this package."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def bytes_of(name: str) -> bytes:
    """The bytes of the file ``name`` of this package."""
    return (files(__package__) / name).read_bytes()


def replace_file(path: Path, data: bytes) -> None:
    """Write beside, flush to the disk, and rename over.

    Raises:
        OSError: the old file stands as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
