"""Config: which store a command works on, and which public sources are asked - by option, environment, TOML
file, or default."""

import os
import tomllib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from fanous.errors import FanousError
from fanous.refdata.countries import is_country
from fanous.sources import SOURCES
from fanous.table import Table, nearest

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
    table = _table(config, "store")
    table.allow(*STORE_KEYS)
    given = {key: table.text(key) for key in table.values}
    if config is None or not given:
        return data_folder() / "store"
    if "folder" in given:
        if len(given) > 1:
            raise table.wrong("folder", f"it stands beside {_listed(given, 'folder')}; keep one of them")
        return config.parent / Path(given["folder"]).expanduser()
    return _store_at(table, given)


def _store_at(table: Table, given: dict[str, str]) -> "StoreLocation":
    from fanous.store.location import PLACES, at_urls

    for key in PLACES:
        if key not in given:
            raise table.wrong(key, f"it is missing beside {_listed(given)} (or give `folder` alone)")
    for key, check in PLACES.items():
        with table.about(key):
            check(given[key])
    return at_urls(given["archive"], given["facts"], given["ledger"])


def _listed(given: dict[str, str], *but: str) -> str:
    return ", ".join(f"`{key}`" for key in given if key not in but)


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
    table = _table(config, "review")
    table.allow("national")
    return table.flag("national", default=False) if table.has("national") else None


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

    table = _table(config, "retention")
    table.allow("observations_days", "archive_days", "bucket")
    if table.has("archive_days") and not table.has("bucket"):
        raise table.wrong(
            "archive_days", "it goes with `bucket`, the s3://bucket/prefix that takes the records"
        )
    bucket = table.text("bucket") if table.has("bucket") else ""
    if bucket:
        with table.about("bucket"):
            check_bucket(bucket)
        if not table.has("archive_days"):
            raise table.wrong("bucket", "it goes with `archive_days`, the age at which records move there")
    return Retention(
        table.number("observations_days", default=0, least=LEAST_KEPT_DAYS)
        if table.has("observations_days")
        else None,
        table.number("archive_days", default=0, least=0) if table.has("archive_days") else None,
        bucket,
    )


def source_settings(config: Path | None) -> dict[str, SourceSettings]:
    """Settings of every public source; those that the file does not name are switched off.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    table = _table(config, "sources")
    known = [source.name for source in SOURCES.values() if source.every]
    for name in table.values:
        if name not in known:
            told = f"known are {', '.join(known)}{nearest(name, known)}"
            raise table.wrong(name, f"there is no such source; {told}")
    return {name: _settings(table, name) for name in SOURCES}


def _settings(sources: Table, name: str) -> SourceSettings:
    terms = SOURCES[name]
    if not sources.has(name):
        return SourceSettings(every=terms.every, token=terms.token)
    table = sources.table(name)
    table.allow("enabled", "countries", "every", "networks", "regions", "token", "mirror")
    return SourceSettings(
        enabled=table.flag("enabled", default=True),
        countries=country_codes(table, "countries"),
        every=max(terms.every, table.integer("every", default=terms.every)),
        networks=network_numbers(table, "networks"),
        regions=table.flag("regions", default=False),
        token=table.text("token", default=terms.token),
        mirror=web_address(table, "mirror"),
    )


def network_numbers(table: Table, key: str) -> tuple[int, ...]:
    """ASNs; none where the key is missing."""
    found = table.integers(key) if table.has(key) else ()
    for asn in found:
        if not 0 < asn < 2**32:
            raise table.wrong(key, f"{asn} is no ASN such as 17557")
    return found


def country_codes(table: Table, key: str) -> tuple[str, ...]:
    """Codes in upper case; none where the key is missing or its list is empty."""
    found = table.texts(key) if table.has(key) and table.values[key] != [] else ()
    for code in found:
        if not is_country(code.upper()):
            raise table.wrong(key, f"{code!r} is no ISO 3166-1 code such as 'PK'")
    return tuple(code.upper() for code in found)


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


def _table(config: Path | None, name: str) -> Table:
    """One table; an empty one where there is none, or no file."""
    values = read_config(config).get(name, {}) if config is not None else {}
    return Table(str(config or "defaults"), name, values)
