"""Reference data: facts that are not measured: countries, networks, platforms, user shares, block pages.

To add a table: one data file, one module that reads it through ``toml_table`` or ``bytes_of``, and its source, date and
licence in README.md next to them.  All of them are part of the wheel.
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
