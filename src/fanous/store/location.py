"""StoreLocation: where the three parts of a store stand."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from fanous.errors import FanousError

ARCHIVE, FACTS, LEDGER, LOCK = "archive", "facts", "ledger.sqlite", "facts.lock"
SOCKET = "fanous.sock"
"""Beside the lock: where the store's owner answers other commands."""

_OURS = {ARCHIVE, FACTS, LEDGER, LOCK, SOCKET, f"{LEDGER}-wal", f"{LEDGER}-shm"}
_EMBEDDED = "chdb"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Three addresses; ``in_folder`` gives them for the ordinary store, one folder.

    Attributes:
        archive: local folder.
        facts: ``chdb:///folder`` (in-process), or ``clickhouse://host/database``: the same client and
            SQL, but nobody has tried it against a server yet.
        ledger: ``sqlite:////folder/ledger.sqlite`` or ``postgresql://user@host/database``.
    """

    archive: Path
    facts: str
    ledger: str

    @property
    def engine_folder(self) -> Path | None:
        """Folder of the in-process engine; ``None`` = a server has the facts."""
        parts = urlsplit(self.facts)
        return Path(unquote(parts.path)) if parts.scheme == _EMBEDDED else None

    @property
    def lock(self) -> Path | None:
        """The lock stands beside the engine it guards; a server needs none."""
        folder = self.engine_folder
        return folder.with_name(LOCK if folder.name == FACTS else f"{folder.name}.lock") if folder else None


def in_folder(where: str | Path) -> StoreLocation:
    """The ordinary store: one folder, which may not exist yet."""
    folder = Path(where).expanduser().resolve()
    return StoreLocation(folder / ARCHIVE, _in_process(folder / FACTS), f"sqlite:///{folder / LEDGER}")


def at_urls(archive: str, facts: str, ledger: str) -> StoreLocation:
    """A store from three URLs or paths, as a configuration file gives them.

    Raises:
        FanousError: a kind of place that is not known.
    """
    place = urlsplit(archive)
    if place.scheme not in ("", "file"):
        raise FanousError(f"the archive cannot be kept in {archive}: name a local folder")
    folder = Path(unquote(place.path)).expanduser().resolve()
    scheme = urlsplit(facts).scheme
    if scheme not in ("", _EMBEDDED, "clickhouse", "clickhouses"):
        raise FanousError(
            f"facts cannot be kept in {facts}: use chdb:///folder or clickhouse://host/database"
        )
    facts = facts if scheme else _in_process(Path(facts).expanduser().resolve())
    ledger = ledger if "://" in ledger else f"sqlite:///{Path(ledger).expanduser().resolve()}"
    return StoreLocation(folder, facts, ledger)


def _in_process(folder: Path) -> str:
    return f"{_EMBEDDED}://{quote(str(folder))}"


def check_folder(folder: Path, *, must_exist: bool) -> None:
    """Refuse a folder that is not a store before anything is written into it.

    Raises:
        FanousError: it is a file, holds something else, or is not there and must be.
    """
    if folder.exists() and not folder.is_dir():
        raise FanousError(f"{folder} is a file, not a store: name a folder with --store")
    entries = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(entries - _OURS)
    if foreign and LEDGER not in entries:
        raise FanousError(
            f"{folder} is not a store: it holds other files ({', '.join(foreign[:3])}); "
            "name an empty or a new folder with --store"
        )
    if must_exist and LEDGER not in entries:
        raise FanousError(f"there is no store at {folder}: bring measurements in first (fanous ingest)")
