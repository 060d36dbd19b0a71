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

TABLES = ("store", "review", "run", "clock", "rounds", "probe", "collector")
"""One file serves all commands; ``fanous run`` reads the others (``fanous.live.configuration``)."""


def data_folder() -> Path:
    """Where programs keep what belongs to a user (XDG base directories: a relative path is ignored)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "fanous"


def store_place(store: Path | None, config: Path | None) -> "Path | StoreLocation":
    """The folder, or the three addresses, that the options name; ``store`` wins.

    A relative ``folder`` stands beside the TOML file: what it names must not depend on where one calls from.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    if store is not None:
        return store
    table = _store_table(config) if config is not None else {}
    if config is None or not table:
        return data_folder() / "store"
    if "folder" in table:
        if len(table) > 1:
            raise FanousError(f"{config}: table [store] gives `folder` and addresses; keep one of them")
        return config.parent / Path(table["folder"]).expanduser()
    from fanous.store.location import at_urls

    missing = [key for key in ("archive", "facts", "ledger") if key not in table]
    if missing:
        raise FanousError(f"{config}: table [store] lacks {', '.join(missing)} (or give `folder` alone)")
    return at_urls(table["archive"], table["facts"], table["ledger"])


def review_national(config: Path | None) -> bool | None:
    """``national`` of the table ``[review]``: are national claims held?  ``None`` = it does not say.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    if config is None:
        return None
    table = read_config(config).get("review", {})
    if set(table) - {"national"}:
        raise FanousError(f"{config}: [review] has one key, `national`, which is true or false")
    national = table.get("national")
    if national is not None and not isinstance(national, bool):
        raise FanousError(f"{config}: `national` in [review] must be true or false, not {national!r}")
    return national


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


def _store_table(config: Path) -> dict[str, str]:
    settings: dict[str, str] = read_config(config).get("store", {})
    for key, value in settings.items():
        if key not in STORE_KEYS:
            near = get_close_matches(key, STORE_KEYS, 1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(STORE_KEYS)}"
            raise FanousError(f"{config}: unknown key `{key}` in [store]{hint}")
        if not isinstance(value, str) or not value:
            raise FanousError(f"{config}: `{key}` in [store] must be a text, not {value!r}")
    return settings
