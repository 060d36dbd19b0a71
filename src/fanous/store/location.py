"""Location: where the three parts of a store are, the lock that says which process owns them, and copies for reading.

The engine refuses a second process too, but does not say why.  The kernel holds the lock (``flock``), so it
is free the moment its owner dies, however it dies; the file's text only says who the owner is.
"""

import fcntl
import os
import re
import shlex
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

import msgspec

from fanous.base.files import PRIVATE_FILE, close_to_others, disk_errors, make_folder
from fanous.base.overwrite import check_file, refusal
from fanous.base.text import printable
from fanous.config import Section, Text, WrongKey, about, data_folder, nearest, section, split_url
from fanous.errors import FanousError
from fanous.model.instant import to_iso

FACTS = "facts"
"""Name of the facts' folder, and of its lock."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a store.

    Attributes:
        since: unix seconds, UTC.
    """

    pid: int
    command: str
    since: float

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {to_iso(self.since)}"


class StoreHeld(FanousError):
    """Another process has the store open.

    Attributes:
        lock: the lock file; what belongs to this very store is next to it.
    """

    def __init__(self, message: str, lock: Path) -> None:
        super().__init__(message, permanent=False)
        self.lock = lock


class OlderStore(FanousError):
    """The store would have to be migrated before it could be read, and it was opened only for reading."""

    def __init__(self) -> None:
        super().__init__(
            "this store was written by an older Fanous, and a command that only reads does not change it. `fanous run` "
            "upgrades it when it starts, and so does `fanous detect` if it is in a folder. After that the older Fanous "
            "cannot open it: copy the store first if you may go back"
        )


class DataLost(FanousError):
    """A part of the store was removed or replaced while it was open; it is left alone until it is opened again
    (``Store.reopen``)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class StoreLock:
    """Held from construction to ``release``.

    The file names the owner; the folder is locked as well, since a second process must not get in after the
    file was removed.

    Args:
        path: the file; other users can neither read nor lock it.
        folder: what it protects.

    Attributes:
        left_by: the owner that died without releasing it; ``None`` = it was released properly.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._descriptor, self._folder = path, -1, -1
        check_file(path, _is_lock)
        with disk_errors(f"lock the store with {path}"):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(path, flags, PRIVATE_FILE)
        close_to_others(path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._held() from None
        self.protect(folder)
        self.left_by = _owner(self._descriptor)
        command = printable(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))[:200]
        try:
            with disk_errors(f"lock the store with {path}"):
                _write(self._descriptor, msgspec.json.encode(Owner(os.getpid(), command, time.time())))
        except BaseException:
            self._forget()
            raise
        # A forked child shares the lock and would keep it when its parent is killed.
        os.register_at_fork(after_in_child=self._forget)

    def protect(self, folder: Path) -> None:
        """Lock the folder that is there now, which may have taken the place of another.

        Raises:
            StoreHeld: another process has it.
        """
        with disk_errors(f"lock the store with {self._path}"):
            make_folder(folder)
            before, self._folder = self._folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if before >= 0:
            os.close(before)
        close_to_others(folder)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._held() from None

    def _held(self) -> StoreHeld:
        owner = _owner(self._descriptor)
        self._forget()
        return StoreHeld(_refusal(self._path, owner), self._path)

    def release(self) -> None:
        """Release the store; the empty file shows that this was done properly."""
        if self._descriptor >= 0:
            _write(self._descriptor, b"")
            self._forget()

    def _forget(self) -> None:
        for descriptor in (self._descriptor, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._folder = -1


def _refusal(path: Path, owner: Owner | None) -> str:
    # A usual store's lock is in its folder; the lock of a facts folder elsewhere is next to that folder.
    store = path.parent if path.stem == FACTS else path.with_suffix("")
    if owner and owner.pid == os.getpid():
        return f"this process already has the store at {store} open: close it first"
    who = str(owner) if owner else "another process"
    stop = f"stop it (kill {owner.pid}) or wait for it" if owner else "stop it or wait for it"
    return f"cannot open the store at {store}, in use by {who}: {stop}, or choose another store with --store"


LONGEST_OWNER = 4096
"""Most bytes of the lock's text."""


def _owner(descriptor: int) -> Owner | None:
    """``None`` = no owner is named (released properly, or just being written)."""
    try:
        return msgspec.json.decode(os.pread(descriptor, LONGEST_OWNER, 0), type=Owner)
    except msgspec.MsgspecError:
        return None


def _is_lock(path: Path) -> bool:
    """Is the file empty (a power cut may leave zeros), or does it name an owner, even if cut off?"""
    with path.open("rb") as file:
        text = file.read(LONGEST_OWNER + 1)
    text = text.rstrip(b"\0")
    return len(text) <= LONGEST_OWNER and text[: len(_OWNER_BEGINS)] == _OWNER_BEGINS[: len(text)]


_OWNER_BEGINS = b'{"pid":'


def _write(descriptor: int, text: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


ARCHIVE, LEDGER, LOCK = "archive", "ledger.sqlite", f"{FACTS}.lock"
SOCKET = "fanous.sock"
"""Socket next to the lock, on which the store's owner answers other commands."""
CREDENTIALS = ("credentials.json", "credentials.json.pub", "credentials.json.days")
"""Keys of the credentials that a collector issues (``collector.credentials``), their public half, and the folder with
the days on which volunteers measured (``collector.volunteers``)."""

FATAL = ".fatal"
"""Ending of the file next to the lock that says which records ended the process that read them
(``sources.stream.Book``)."""

_OURS = {ARCHIVE, FACTS, LEDGER, LOCK, SOCKET, f"{LEDGER}-wal", f"{LEDGER}-shm", *CREDENTIALS}
_OURS |= {f"{FACTS}{FATAL}", f"{FACTS}.reading"}  # the second until December 2026
_EMBEDDED, _BUCKET = "chdb", "s3"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Three addresses; ``in_folder`` makes them for the usual store in one folder.

    Attributes:
        archive: local folder; if the archive is in a bucket, it holds only a lock.
        facts: ``chdb:///folder`` (in-process), ``clickhouse://user:password@host:8123/database`` (one
            server), or that with ``?cluster=NAME`` (its tables on every shard of the cluster); with
            ``clickhouses`` over TLS.
        bucket: ``s3://bucket/prefix`` that has the archive; empty = the folder has it.
        ledger: ``sqlite:////folder/ledger.sqlite`` or ``postgresql://user@host/database``.
    """

    archive: Path
    facts: str
    ledger: str
    bucket: str = ""

    @property
    def engine_folder(self) -> Path | None:
        """Folder of the in-process engine; ``None`` = a server has the facts."""
        parts = urlsplit(self.facts)
        return Path(unquote(parts.path)) if parts.scheme == _EMBEDDED else None

    @property
    def cluster(self) -> str:
        """Name of the server's cluster that has the tables; empty = the server itself has them."""
        clusters = parse_qs(urlsplit(self.facts).query).get("cluster", [""])
        return "" if self.engine_folder else clusters[-1]

    @property
    def server(self) -> str:
        """``facts`` as the client takes it."""
        parts = urlsplit(self.facts)
        kept = [pair for pair in parts.query.split("&") if pair and not pair.startswith("cluster=")]
        return urlunsplit((parts.scheme.removesuffix("s"), parts.netloc, parts.path, "&".join(kept), ""))

    @property
    def is_encrypted(self) -> bool:
        return urlsplit(self.facts).scheme == "clickhouses"

    @property
    def facts_name(self) -> str:
        """``facts`` for people: without a password."""
        parts = urlsplit(self.facts)
        user, at, host = parts.netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:***@{host}" if at and ":" in user else parts.netloc
        return urlunsplit(parts._replace(netloc=netloc))

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders on all disks that are written to for this store."""
        ledger = Path(unquote(urlsplit(self.ledger).path.removeprefix("/"))).parent
        beside = (ledger,) if self.ledger.startswith("sqlite") else ()
        return (self.archive, self.lock.parent, *beside)

    @property
    def lock(self) -> Path:
        """Next to the in-process engine that it protects; if the facts are on a server, next to the archive,
        which has one writer at a time."""
        folder = self.locked
        return folder.with_name(LOCK if folder.name == FACTS else f"{folder.name}.lock")

    @property
    def locked(self) -> Path:
        """The folder that has one owner."""
        return self.engine_folder or self.archive


def in_folder(where: str | Path) -> StoreLocation:
    """The usual store: one folder, which may not exist yet."""
    folder = Path(where).expanduser().resolve()
    return StoreLocation(folder / ARCHIVE, _in_process(folder / FACTS), f"sqlite:///{folder / LEDGER}")


def at_urls(archive: str, facts: str, ledger: str) -> StoreLocation:
    """A store from three URLs or paths, as a configuration file gives them.

    Raises:
        FanousError: an unknown kind of address.
    """
    for check, given in zip(PLACES.values(), (archive, facts, ledger), strict=True):
        check(given)
    place = urlsplit(archive)
    bucket = archive if place.scheme == _BUCKET else ""
    folder = _of_bucket(bucket) if bucket else Path(unquote(place.path)).expanduser().resolve()
    scheme = urlsplit(facts).scheme
    facts = facts if scheme else _in_process(Path(facts).expanduser().resolve())
    ledger = ledger if "://" in ledger else f"sqlite:///{Path(ledger).expanduser().resolve()}"
    return StoreLocation(folder, facts, ledger, bucket)


def check_bucket(url: str) -> None:
    """Refuse an invalid address.

    Raises:
        FanousError: with an example of a valid one.
    """
    parts = split_url(url)
    asked = set(parse_qs(parts.query)) - {"endpoint", "region"} if parts else set()
    if parts is None or parts.scheme != _BUCKET or not parts.hostname or parts.username or asked:
        raise FanousError(
            f"{hidden(url)} is not a bucket: write s3://bucket/prefix, with ?endpoint=https://host and "
            f"&region=name unless it is Amazon's; keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )


def _of_bucket(bucket: str) -> Path:
    """A folder that is the same for each process of this user that names the bucket."""
    digest = sha256(bucket.encode()).hexdigest()[:16]
    return data_folder().resolve() / f"bucket-{digest}"


def _check_archive(archive: str) -> None:
    parts = _parts_of(
        archive, ("", "file", _BUCKET), "the archive", "use a local folder, or s3://bucket/prefix"
    )
    if parts.scheme == _BUCKET:
        check_bucket(archive)


def _check_facts(facts: str) -> None:
    schemes = ("", _EMBEDDED, "clickhouse", "clickhouses")
    parts = _parts_of(facts, schemes, "facts", "use chdb:///folder or clickhouse://host/database")
    if parts.scheme.startswith("clickhouse"):
        _check_server(parts)


def _check_ledger(ledger: str) -> None:
    if "://" not in ledger:
        return  # a path, regardless of its characters
    schemes = ("sqlite", "postgresql", "postgres")
    instead = "use sqlite:////folder/file or postgresql://user@host/database"
    kind, _, rest = ledger.partition("://")
    kind = kind.partition("+")[0]  # a driver may be named: postgresql+psycopg
    _parts_of(f"{kind}://{rest}", schemes, "the ledger", instead)


PLACES = {"archive": _check_archive, "facts": _check_facts, "ledger": _check_ledger}
"""The keys of a configuration -> the check of their addresses."""


def _parts_of(url: str, schemes: tuple[str, ...], what: str, instead: str) -> SplitResult:
    parts = split_url(url)
    if parts is None or parts.scheme not in schemes:
        hint = nearest(parts.scheme, [name for name in schemes if name]) if parts else ""
        raise FanousError(f"cannot keep {what} in {hidden(url)}: {instead}{hint}")
    return parts


def hidden(url: str) -> str:
    """The URL without its password, even if the rest cannot be parsed."""
    head, at, tail = url.rpartition("@")
    kind, _, user = head.partition("://")
    return f"{kind}://{user.partition(':')[0]}:***@{tail}" if at and ":" in user else url


def _check_server(parts: SplitResult) -> None:
    cluster = parse_qs(parts.query).get("cluster", ["x"])[-1]
    if not parts.hostname or parts.path.count("/") != 1 or parts.path == "/":
        raise FanousError("facts on a server: write clickhouse://user:password@host:8123/database")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", cluster):
        raise FanousError(f"the name of a cluster may only have letters, digits and _.-, not {cluster!r}")


def _in_process(folder: Path) -> str:
    return f"{_EMBEDDED}://{quote(str(folder))}"


class StoreTable(Section, frozen=True):
    """The table ``[store]``: one folder, or the three addresses; all are empty = the folder of the user's data."""

    folder: Text = ""
    archive: Text = ""
    facts: Text = ""
    ledger: Text = ""

    def __post_init__(self) -> None:
        given = {key: getattr(self, key) for key in PLACES if getattr(self, key)}
        told = ", ".join(f"`{key}`" for key in given)
        if self.folder and given:
            raise WrongKey("folder", f"it conflicts with {told}; keep one of them")
        for key in PLACES if given else ():
            if key not in given:
                raise WrongKey(key, f"it is missing, although {told} is given (or give `folder` alone)")
        for key, address in given.items():
            with about(key):
                PLACES[key](address)


def store_place(store: Path | None, config: Path | None) -> Path | StoreLocation:
    """The folder, or the three addresses, that the options name; ``store`` wins.

    A relative ``folder`` is relative to the TOML file: its meaning must not depend on the current folder.

    Raises:
        FanousError: the TOML file is missing or has something unknown in it.
    """
    if store is not None:
        return store
    table = section(config, "store", StoreTable)
    if config is not None and table.folder:
        return config.parent / Path(table.folder).expanduser()
    if table.archive:
        return at_urls(table.archive, table.facts, table.ledger)
    return data_folder() / "store"


class Review(Section, frozen=True):
    """The table ``[review]``: which incidents wait for a person; a store remembers it.

    Attributes:
        national: are national claims held until a person approves them?  ``None`` = as the store remembers.
        public: are waiting incidents shown to readers, as suspected?  Otherwise only on the desk and the command line.
            ``None`` = as the store remembers.
    """

    national: bool | None = None
    public: bool | None = None


def review(config: Path | None) -> Review:
    """The table ``[review]``.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    return section(config, "review", Review)


def check_folder(folder: Path, *, must_exist: bool) -> None:
    """Refuse a folder that is not a store before anything is written to it.

    Raises:
        FanousError: it is a file, contains something else, or does not exist but must.
    """
    if folder.exists() and not folder.is_dir():
        raise FanousError(f"{folder} is a file, not a store: choose a folder with --store")
    entries = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(entries - _OURS)
    if foreign and LEDGER not in entries:
        raise FanousError(
            f"{folder} is not a store: it contains other files ({', '.join(foreign[:3])}); choose an empty "
            f"or new folder with --store"
        )
    if must_exist and LEDGER not in entries:
        raise FanousError(
            f"no store at {folder}: check --store, or bring measurements in first with `fanous run` or "
            "`fanous ingest`"
        )


_SQLITE = b"SQLite format 3\0"
_LEDGER_TABLES = {"meta", "incidents"}
"""Tables that every ledger has had since the first version."""


def check_parts(location: StoreLocation) -> None:
    """Refuse parts that are not a store's before anything is written to them.

    Raises:
        FanousError: the lock, the ledger or the folder of facts is something else.
    """
    if location.lock.parent.is_dir():
        check_file(location.lock, _is_lock)
    with disk_errors(f"open the store at {location.archive}"):
        if location.ledger.startswith("sqlite"):
            check_ledger(Path(location.ledger.partition(":///")[2].partition("?")[0]))
        if location.engine_folder is not None:
            check_facts(location.engine_folder)


def check_ledger(path: Path) -> None:
    """Refuse another program's database, or another file, before SQLite opens it, which would change it.

    Raises:
        FanousError: it is not a ledger.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        is_sqlite = file.read(len(_SQLITE)) == _SQLITE
    tables = _tables(path) if is_sqlite else {"none"}
    if tables and not tables >= _LEDGER_TABLES:
        raise refusal(path, "a file that is not a ledger of Fanous")


def _tables(path: Path) -> set[str]:
    """The tables of a database, read without its write-ahead log, so that no file is touched."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
            return {
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
    except sqlite3.Error:
        return set()  # damaged; opening it will say so


_ENGINE = {"data", "metadata", "store", "tmp"}
"""Folders that the in-process engine creates first; a killed one may have created any of them."""


def check_facts(folder: Path) -> None:
    """Refuse a folder of something else before the engine takes it over.

    Raises:
        FanousError: it has files, but not those that the engine creates first.
    """
    entries = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set[str]()
    if entries and not entries & _ENGINE:
        raise FanousError(
            f"{folder} does not hold facts of Fanous: it holds other files ({', '.join(sorted(entries)[:3])}). "
            "Nothing was changed: name an empty or a new folder."
        )


# --- a copy for reading ---------------------------------------------------------------------------------------

# The in-process engine has one owner.  Its data parts are never changed once they are written, only replaced by merged
# ones, so they can be linked instead of copied; the copy is whole once it has every part that exists.  The archive
# is read in place.

ROUNDS = 100
"""How often the copy is completed with what was written since: each round has less to do."""

LINKED = 1 << 16
"""Bytes; smaller files are copied, so that whatever an engine writes into one stays in its own store."""

PARTS = "store/*/*/*"
"""Where a table's data parts are, among its own files."""

_PASSING = ("tmp_", "delete_tmp_", "tmp-fetch_")
"""Prefixes of parts that the engine is still writing, or has discarded."""


def snapshot(location: StoreLocation, folder: Path) -> StoreLocation:
    """A copy of what the store's owner has written, in an empty folder.

    Raises:
        FanousError: the owner writes faster than it can be copied, or the folder cannot be written.
    """
    facts = location.engine_folder
    if facts is None:
        raise FanousError("facts on a server can be read there by any number of processes: no copy is needed")
    copy = folder / FACTS
    with disk_errors(f"copy the store into {folder}"):
        _copy_all(facts, copy)
        ledger = location.ledger
        if ledger.startswith("sqlite"):
            _copy_ledger(Path(unquote(urlsplit(ledger).path.removeprefix("/"))), folder / LEDGER)
            ledger = f"sqlite:///{folder / LEDGER}"
    return replace(location, facts=f"chdb://{quote(str(copy))}", ledger=ledger)


def parts_of(facts: Path) -> set[Path]:
    """The data parts of all tables, relative to the folder."""
    found = (part.relative_to(facts) for part in facts.glob(PARTS))
    return {part for part in found if (facts / part).is_dir() and not part.name.startswith(_PASSING)}


def _copy_all(facts: Path, copy: Path) -> None:
    """Copy everything except parts once, then parts until none is missing."""
    _copy_tree(facts, copy, without=lambda path: path.relative_to(facts).match(PARTS) and path.is_dir())
    done: set[Path] = set()
    for _ in range(ROUNDS):
        missing = parts_of(facts) - done
        if not missing:
            return
        for part in sorted(missing):
            try:
                _copy_tree(facts / part, copy / part)
            except FileNotFoundError:  # it has just been merged into another part, which comes next
                shutil.rmtree(copy / part, ignore_errors=True)
            else:
                done.add(part)
    raise FanousError("the process that has the store open writes faster than it can be copied: try again")


def _copy_tree(path: Path, target: Path, without: Callable[[Path], bool] = lambda _: False) -> None:
    """Copy a tree; links stay links, and are not followed.

    Raises:
        FileNotFoundError: something vanished while it was read.
    """
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(path.iterdir()):
        if without(entry):
            continue
        beside = target / entry.name
        if entry.is_symlink():
            beside.symlink_to(entry.readlink())
        elif entry.is_dir():
            _copy_tree(entry, beside, without)
        elif entry.stat().st_size < LINKED or not _linked(entry, beside):
            shutil.copyfile(entry, beside)


def _linked(path: Path, target: Path) -> bool:
    """Hard-link a file if possible, which needs one file system and permission to read it."""
    try:
        target.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _copy_ledger(ledger: Path, copy: Path) -> None:
    """Copy the ledger through SQLite itself, which knows what other processes are writing."""
    with (
        closing(sqlite3.connect(f"file:{quote(str(ledger))}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
