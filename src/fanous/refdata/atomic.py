"""Atomic: replaces a file as a whole, so that the old or the new one is always there, even after a crash."""

import os
from pathlib import Path


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
