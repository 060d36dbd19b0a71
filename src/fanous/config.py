"""Config: which store a command works on, and which public sources are asked - by option, environment, TOML
file, or default."""

import os
import tomllib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanous.errors import FanousError
from fanous.refdata.countries import is_country
from fanous.sources import SOURCES

if TYPE_CHECKING:
    from fanous.store import StoreLocation

LEAST_KEPT_DAYS = 150
"""Of observations: detection of what comes in late looks back on up to 120 days (``pipeline.HISTORY`` and
``LATE``), and must find what it found before."""

STORE_KEYS = ("folder", "archive", "facts", "ledger")

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


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one public source is asked; a table ``[sources.NAME]`` gives the fields by name.

    Attributes:
        enabled: does ``fanous run`` pull it?
        countries: of which ``fanous run`` pulls it.
        every: seconds between two pulls; never less than the source's own interval.
        networks: ASNs of which series are wanted too.
        regions: are the regions' series wanted too?
        token: environment variable that holds the key; empty = none is needed.
        mirror: is asked in place of the publisher; empty = the publisher.
    """

    enabled: bool = False
    countries: tuple[str, ...] = ()
    every: int = 0
    networks: tuple[int, ...] = ()
    regions: bool = False
    token: str = ""
    mirror: str = ""

    def with_more(self, networks: "list[int]", regions: bool, mirror: str) -> "SourceSettings":
        """What the command line adds."""
        return replace(
            self,
            networks=tuple(dict.fromkeys((*self.networks, *networks))),
            regions=self.regions or regions,
            mirror=mirror or self.mirror,
        )


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


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is stored stays as it is; ``None`` = for good.

    Attributes:
        observations_days: after which rows of observations are dropped.
        archive_days: after which raw records go from the local folder to ``bucket``.
        bucket: ``s3://bucket/prefix``.
    """

    observations_days: float | None = None
    archive_days: float | None = None
    bucket: str = ""


def retention(config: Path | None) -> Retention:
    """The table ``[retention]``; without one everything stays.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    if config is None:
        return Retention()
    from fanous.store.location import check_bucket
    from fanous.table import Table

    table = Table(str(config), "retention", read_config(config).get("retention", {}))
    table.allow("observations_days", "archive_days", "bucket")
    if table.has("archive_days") != table.has("bucket"):
        raise table.wrong(
            "archive_days", "it goes with `bucket`, the s3://bucket/prefix that takes the records"
        )
    if table.has("bucket"):
        check_bucket(table.text("bucket"))
    return Retention(
        table.number("observations_days", default=0, least=LEAST_KEPT_DAYS)
        if table.has("observations_days")
        else None,
        table.number("archive_days", default=0, least=0) if table.has("archive_days") else None,
        table.text("bucket", default=""),
    )


def source_settings(config: Path | None) -> dict[str, SourceSettings]:
    """Settings of every public source; those that the file does not name are switched off.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    told = read_config(config).get("sources", {}) if config is not None else {}
    for name in told:
        if name not in SOURCES or not SOURCES[name].every:
            known = ", ".join(source.name for source in SOURCES.values() if source.every)
            raise FanousError(f"{config}: no source [sources.{name}]; known are {known}")
    return {name: _settings(config, name, told.get(name)) for name in SOURCES}


def _settings(config: Path | None, name: str, told: Any) -> SourceSettings:
    terms = SOURCES[name]
    if told is None:
        return SourceSettings(every=terms.every, token=terms.token)
    if not isinstance(told, dict):
        raise FanousError(f"{config}: `sources.{name}` must be a table")
    kinds = {"enabled": bool, "countries": list, "every": int, "networks": list, "regions": bool}
    kinds |= {"token": str, "mirror": str}
    for key, value in told.items():
        if key not in kinds:
            near = get_close_matches(key, kinds, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(kinds)}"
            raise FanousError(f"{config}: unknown key `{key}` in [sources.{name}]; {hint}")
        if not isinstance(value, kinds[key]) or (kinds[key] is int and isinstance(value, bool)):
            raise FanousError(f"{config}: `{key}` in [sources.{name}] is no {kinds[key].__name__}: {value!r}")
    _check_items(config, name, told)
    return SourceSettings(
        enabled=told.get("enabled", True),
        countries=tuple(str(code).upper() for code in told.get("countries", ())),
        every=max(terms.every, told.get("every", terms.every)),
        networks=tuple(int(asn) for asn in told.get("networks", ())),
        regions=told.get("regions", False),
        token=told.get("token", terms.token),
        mirror=told.get("mirror", ""),
    )


def _check_items(config: Path | None, name: str, told: dict[str, Any]) -> None:
    for asn in told.get("networks", ()):
        if not isinstance(asn, int) or not 0 < asn < 2**32:
            raise FanousError(f"{config}: `networks` in [sources.{name}] holds no ASN such as 17557: {asn!r}")
    for code in told.get("countries", ()):
        if not isinstance(code, str) or not is_country(code.upper()):
            raise FanousError(f"{config}: `countries` in [sources.{name}] holds no code such as PK: {code!r}")


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
