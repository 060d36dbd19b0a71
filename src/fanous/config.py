"""Config: which store a command works on - the option, the environment, a TOML file, or the default."""

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.store import StoreLocation

STORE_KEYS = ("folder", "archive", "facts", "ledger")


def data_folder() -> Path:
    """Where programs keep what belongs to a user (XDG base directories)."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "fanous"


def store_place(store: Path | None, config: Path | None) -> "Path | StoreLocation":
    """The folder, or the three addresses, that the options name.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    if store is not None:
        return store
    table = _store_table(config) if config is not None else {}
    if not table:
        return data_folder() / "store"
    if "folder" in table:
        return Path(str(table["folder"]))
    from fanous.store.location import at_urls

    missing = [key for key in ("archive", "facts", "ledger") if key not in table]
    if missing:
        raise FanousError(f"{config}: table [store] lacks {', '.join(missing)} (or give `folder` alone)")
    return at_urls(str(table["archive"]), str(table["facts"]), str(table["ledger"]))


def _store_table(config: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FanousError(f"no configuration file {config}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FanousError(f"{config} cannot be read as TOML: {error}") from None
    for table in document:
        if table != "store":
            raise FanousError(f"{config}: unknown table [{table}]; known is [store]")
    settings = document.get("store", {})
    if not isinstance(settings, dict):
        raise FanousError(f"{config}: `store` must be a table: [store]")
    for key in settings:
        if key not in STORE_KEYS:
            near = get_close_matches(key, STORE_KEYS, 1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(STORE_KEYS)}"
            raise FanousError(f"{config}: unknown key `{key}` in [store]{hint}")
    return settings
