"""Tables: opens the included files of reference data.

They are next to this module and part of the wheel; README.md has each file's source, date and licence.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def toml_table(name: str) -> dict[str, Any]:
    """The parsed TOML file ``name`` of this package; everyone gets the same table and leaves it as it is."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def bytes_of(name: str) -> bytes:
    """The bytes of the file ``name`` of this package."""
    return (files(__package__) / name).read_bytes()
