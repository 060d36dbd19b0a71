"""Files: opens the files of reference data that ship, and replaces files without ever leaving half of one.

What ships lies next to this module and is part of the wheel; README.md has each file's source, date and licence.
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
    """Replace a file as a whole: the old or the new one is always there, even after a crash.

    Raises:
        OSError: it failed, and the old file is unchanged.
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
