"""Tables: the one place that opens a file of reference data.

Every file stands beside this module and is part of the wheel; each says its source, date and licence.
"""

import tomllib
from importlib.resources import files
from typing import Any


def toml_table(name: str) -> dict[str, Any]:
    """The parsed TOML file ``name`` of this package."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def bytes_of(name: str) -> bytes:
    """The bytes of the file ``name`` of this package."""
    return (files(__package__) / name).read_bytes()
