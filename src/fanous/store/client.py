"""Client: connects an engine, chDB loaded into this process or a ClickHouse server, and says what either lacks.

chDB can have one folder open at a time in a process; after ``Engine.close`` another may be opened.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fanous.base.files import allow_descriptors, check_address_space
from fanous.errors import EngineFault, FanousError
from fanous.store.engine import MORE_THREADS, Engine, engine_errors
from fanous.store.location import StoreLocation

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ON_A_CLUSTER = {
    "distributed_foreground_insert": 1,  # acknowledged = on the shards, not in a queue before them
    "distributed_product_mode": "global",  # a subquery is run once, not by each shard
    "optimize_distributed_group_by_sharding_key": 1,  # a measurement's rows are on the same shard
    "load_balancing": "in_order",  # read from the replica that was written to
}
"""Settings for every query and insert.  They have never been used on a real cluster."""

_IN_PROCESS = {
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
    "optimize_and_compare_chain": 0,
}
"""Settings of the in-process engine: by default it compiles queries to machine code the third time they run, which
takes 50 to 300 ms of processor time per query and process, and looks for further comparisons that follow from those of
a query, which takes 20 to 50 ms each time; queries over a million verdicts were no faster for either."""


def engine_at(location: StoreLocation, *, read_only: bool = False) -> Engine:
    """The engine of a store.

    Args:
        location: the caller holds its lock.
        read_only: see ``Engine``.
    """
    folder = location.engine_folder
    client = _to_server(location) if folder is None else _in_process(folder)
    return Engine(client, folder, location.cluster, read_only=read_only)


def _in_process(folder: Path) -> "Client":
    _check_links(folder)
    if "?" in str(folder):
        raise FanousError(f"the engine cannot open a path with a question mark: {folder}")
    load_library()
    try:
        with _own_words(), _in_utc(), engine_errors(f"open the facts at {folder}"):
            return _client(interface="chdb", path=str(folder), settings=_IN_PROCESS)
    except EngineFault as fault:  # where it cannot start a thread, it occasionally gives no reason
        raise FanousError(f"{fault}; {MORE_THREADS}, and check the folder", permanent=False) from None


def _to_server(location: StoreLocation) -> "Client":
    from fanous.store.server import connections

    try:
        with engine_errors(f"reach the facts at {location.facts_name}"):
            return _client(
                dsn=location.server,
                secure=location.is_encrypted,
                autogenerate_session_id=False,
                form_encode_query_params=True,  # lists of names are longer than a URL may be
                settings=_ON_A_CLUSTER if location.cluster else {},
                pool_mgr=connections(location.server, is_encrypted=location.is_encrypted),
                compress=False,  # of answers: see ``connections``
            )
    except EngineFault as fault:  # a proxy's page, another program's answer, a server that is not well
        raise FanousError(
            f"{fault}; check that it is the HTTP interface of a ClickHouse server", permanent=False
        ) from None


def _client(**settings: Any) -> "Client":
    # Not at the top: first comes what the engine needs of the process, and loading this needs open files too.
    import clickhouse_connect

    return clickhouse_connect.get_client(**settings)


def _check_links(folder: Path) -> None:
    """Raise ``FanousError`` if the folder is a copy without the engine's links: the engine would open it empty, or not
    at all."""
    link = folder / "metadata" / "default"
    if link.is_symlink() or not (link.exists() or any(folder.glob("store/*/*/*.sql"))):
        return
    raise FanousError(
        f"{folder} is a copy that lacks the links of the original: copy the store again with cp -a (or rsync -a), or "
        f"delete that folder and run `fanous rejudge`, which computes the facts again from the archive"
    )


# --- chDB --------------------------------------------------------------------------------------------------

LEAST_DESCRIPTORS = 256
"""Files and connections that a process with a store must be able to open: the engine has some sixty open when
idle, and merges open as many again."""

LEAST_ADDRESS_SPACE = 3 << 30
"""Bytes.  The engine and its threads reserve 2.1 GB of address space on two cores, of which some 0.3 GB become
memory; if they get less, the process dies without a message."""

LEAST_MEMORY = 120 << 20
"""Bytes that the process's control group must allow: with 112 MiB a small store is opened and queried on two cores;
with 96 MiB the system kills the process without a message.
"""

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")

_NO_CGROUPS = b"Cannot use cgroups reader"
"""Begins the trace of 35 lines that it prints where no group of the kernel counts its memory, as in a container
without /sys/fs/cgroup, a chroot or a sandbox; it then counts for itself."""


def load_library() -> None:
    """Raise ``FanousError`` if the engine is not installed, or cannot be loaded here."""
    if "chdb" in sys.modules:
        return
    check_address_space(LEAST_ADDRESS_SPACE, "the engine of the store")
    allowed = min(_memory_limits(), default=None)
    if allowed is not None and allowed < LEAST_MEMORY:
        raise FanousError(
            f"the control group of this process allows {allowed / 2**20:.0f} MiB of memory, and the engine of the "
            f"store needs at least {LEAST_MEMORY >> 20}, in use several hundred: raise MemoryMax= of the unit, or the "
            "container's limit (in /sys/fs/cgroup)",
            permanent=False,
        )
    allow_descriptors(LEAST_DESCRIPTORS, "the engine of the store")
    here = Path.cwd()  # importing chdb 4.4 may leave the process in another folder
    try:
        with _own_words(), _in_utc(), _loaded_alone():
            # 0.1 s of processor time, which a store on a server does not need.  The packages chdb and chdb-core both
            # bring chdb/__init__.py; the one installed last stays, and one of them loads its state only when asked.
            import chdb.state  # noqa: F401
    except ModuleNotFoundError as error:
        raise FanousError("a store needs the server parts: pip install 'fanous[server]'") from error
    except (ImportError, OSError) as error:
        raise FanousError(
            f"the engine of the store, chdb, cannot be loaded: {error}; install it again: "
            f"pip install --force-reinstall chdb"
        ) from error
    finally:
        os.chdir(here)


@contextmanager
def _loaded_alone() -> Iterator[None]:
    """Have the engine handle no signals, and importing ``chdb`` neither start one nor load Arrow.

    Its handler of a crash waits for five minutes for another thread to print a trace, with the store locked, and
    that of Ctrl-Z does nothing.  It must be told before it starts, so its extension is loaded first, bound to its own
    symbols as there.  Importing ``chdb`` would start an engine in a temporary folder, to ask for its version, and load
    Arrow for answers that nothing here asks for.
    """
    package = find_spec("chdb")
    if package is None or not package.submodule_search_locations:
        yield  # importing it says what is wrong
        return
    file = str(Path(package.submodule_search_locations[0]) / "_chdb.abi3.so")
    ctypes.CDLL(file, mode=sys.getdlopenflags() | os.RTLD_DEEPBIND)
    spec = spec_from_file_location("chdb._chdb", file)
    if spec is None or spec.loader is None:
        yield
        return
    extension: Any = module_from_spec(spec)
    spec.loader.exec_module(extension)
    extension.set_signal_handlers_enabled(0)
    sys.modules["chdb._chdb"] = extension
    connect, extension.connect = extension.connect, _NotStarted
    modules: dict[str, Any] = sys.modules
    is_loaded = modules.setdefault("pyarrow", None) is not None
    try:
        yield
    finally:
        extension.connect = connect
        if not is_loaded:
            del modules["pyarrow"]


class _NotStarted:
    """What importing ``chdb`` is given for an engine: it asks for its version."""

    def query(self, *_asked: str) -> Self:
        return self

    def bytes(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


@contextmanager
def _own_words() -> Iterator[None]:
    """Keeps back what the engine prints to standard error: if loading fails, its exception says the same."""
    if sys.stderr is None:  # it was closed, and 2 is another file's number
        yield
        return
    sys.stderr.flush()
    printed = os.memfd_create("chdb")
    stderr = os.dup(2)
    os.dup2(printed, 2)
    try:
        yield
    except BaseException:
        os.ftruncate(printed, 0)
        raise
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        text = os.pread(printed, os.fstat(printed).st_size, 0)
        os.close(printed)
        before, match, trace = text.partition(_NO_CGROUPS)
        with suppress(OSError):
            os.write(2, before + (trace.partition(b"(version ")[2].partition(b"\n")[2] if match else b""))


@contextmanager
def _in_utc() -> Iterator[None]:
    """The engine takes the machine's zone once, when it is loaded, and refuses to start where TZ is a rule, such as
    ``PKT-5``, or names no zone.  All our times are UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before


def _memory_limits() -> Iterator[int]:
    """Limits of the process's control groups and of those around them (cgroups(7)), in bytes; those that can be
    read."""
    try:
        lines = OWN_GROUPS.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers not in ("", "memory"):
            continue
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        inner = Path(group.lstrip("/"))
        for folder in (inner, *inner.parents):
            with suppress(OSError, ValueError):
                yield int((CONTROL_GROUPS / controllers / folder / name).read_text().strip())
