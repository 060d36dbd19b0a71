"""Config: reads a configuration file in TOML, and finds the folder of the user's data.

What a table says belongs to the part of Fanous that it is about: each reads its own with ``config_table``.
"""

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from fanous.errors import FanousError
from fanous.table import Table, nearest

TABLES = (
    "store",
    "review",
    "sources",
    "run",
    "web",
    "clock",
    "rounds",
    "probe",
    "collector",
    "alerts",
    "retention",
)
"""One file serves all commands, and each reads what it needs of it."""


def data_folder() -> Path:
    """Where programs keep what belongs to a user (XDG base directories: a relative path is ignored)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "fanous"


def network_numbers(table: Table, key: str) -> tuple[int, ...]:
    """ASNs; none where the key is missing."""
    found = table.integers(key) if table.has(key) else ()
    for asn in found:
        if not 0 < asn < 2**32:
            raise table.wrong(key, f"{asn} is no ASN such as 17557")
    return found


def web_address(table: Table, key: str) -> str:
    """An address of the web; empty where the key is missing.  A complaint does not repeat it: it may hold a
    password."""
    address = table.text(key, default="")
    parts = split_url(address)
    if address and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
        hint = nearest(address.partition(":")[0], ("http", "https"))
        raise table.wrong(key, f"an address such as 'https://fanous.example' is needed{hint}")
    return address


def split_url(text: str) -> SplitResult | None:
    """Its parts; ``None`` = its brackets or its port are none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def read_config(config: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        FanousError: it cannot be read, or has a table that nobody knows.
    """
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FanousError(f"no configuration file {config}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FanousError(f"{config} cannot be read as TOML: {error}") from None
    for name, table in document.items():
        if name not in TABLES:
            near = get_close_matches(name, TABLES, 1)
            hint = (
                f"did you mean [{near[0]}]?" if near else f"known are {', '.join(f'[{t}]' for t in TABLES)}"
            )
            raise FanousError(f"{config}: unknown table [{name}]; {hint}")
        if not isinstance(table, dict):
            raise FanousError(f"{config}: `{name}` must be a table: [{name}]")
    return document


def config_table(config: Path | None, name: str) -> Table:
    """One table of a configuration file; an empty one where there is none, or no file.

    Raises:
        FanousError: the file cannot be read, or has a table that nobody knows.
    """
    values = read_config(config).get(name, {}) if config is not None else {}
    return Table(str(config or "defaults"), name, values)
