"""Library: loads chDB, the engine in the process, and says what a machine or a process lacks for it.

Loading it starts an engine in a temporary folder, with a memory of its own, so whatever this needs may be
missing already then.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from fanous.errors import FanousError
from fanous.files import allow_descriptors
from fanous.text import printable

MOST_SAID = 300
"""Most characters of the engine's error that are repeated."""

LEAST_DESCRIPTORS = 256
"""Files and connections that a process with a store must be able to open: the engine has some sixty open when
idle, and merges open as many again."""

LEAST_ADDRESS_SPACE = 3 << 30
"""Bytes.  The engine and its threads reserve 2.1 GB of address space on two cores, of which some 0.3 GB become
memory; if they get less, the process dies without a message."""

LEAST_MEMORY = 120 << 20
"""Bytes that the process's control group must allow: with 112 MiB a small store is opened and asked on two cores; with
96 MiB the system kills the process without a message."""

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")

MORE_THREADS = "allow this process more threads: `ulimit -u`, or TasksMax= of the unit"

_CAUSES = {
    "CANNOT_SCHEDULE_TASK": MORE_THREADS,
    "create_directories": "let it write to the folder for temporary files: set TMPDIR to one that exists",
    "MEMORY_LIMIT_EXCEEDED": "check the limits of memory in /sys/fs/cgroup, which it reads",
    "Cannot determine memory amount": "check the limits of memory in /sys/fs/cgroup, which it reads",
}
"""Text in the engine's error when it is loaded -> what the operator can do."""

_UNEXPLAINED = f"{MORE_THREADS}, and check that the folder for temporary files can be written to"
"""Where a thread could not be started, the engine occasionally gives no reason."""

_NO_CGROUPS = b"Cannot use cgroups reader"
"""Begins the trace of 35 lines that it prints where no group of the kernel counts its memory, as in a container
without /sys/fs/cgroup, a chroot or a sandbox; it then counts for itself."""


def load_library() -> None:
    """Raise ``FanousError`` if the engine is not installed, or cannot be loaded here."""
    if "chdb" in sys.modules:
        return
    _check_address_space()
    _check_memory()
    allow_descriptors(LEAST_DESCRIPTORS, "the engine of the store")
    here = Path.cwd()  # importing chdb 4.4 may leave the process in another folder
    try:
        with _own_words(), _in_utc():
            _leave_signals()
            import chdb  # noqa: F401  # 0.1 s of processor time, which a store on a server does not need
    except ModuleNotFoundError as error:
        raise FanousError("a store needs the server parts: pip install 'fanous[server]'") from error
    except (ImportError, OSError) as error:
        raise FanousError(
            f"the engine of the store, chdb, cannot be loaded: {error}; install it again: "
            f"pip install --force-reinstall chdb"
        ) from error
    except RuntimeError as error:
        said = str(error)
        advice = next((advice for words, advice in _CAUSES.items() if words in said), _UNEXPLAINED)
        raise FanousError(
            f"the engine of the store, chdb, cannot start: {without_trace(said)}; {advice}", permanent=False
        ) from error
    finally:
        os.chdir(here)


def _leave_signals() -> None:
    """Have the engine handle no signals.

    Its handler of a crash waits for five minutes for another thread to print a trace, with the store locked, and
    that of Ctrl-Z does nothing.  The engine must be told before it starts, and importing ``chdb`` starts it, so its
    extension is loaded first, bound to its own symbols as there.
    """
    package = find_spec("chdb")
    if package is None or not package.submodule_search_locations:
        return  # importing it says what is wrong
    file = str(Path(package.submodule_search_locations[0]) / "_chdb.abi3.so")
    ctypes.CDLL(file, mode=sys.getdlopenflags() | os.RTLD_DEEPBIND)
    spec = spec_from_file_location("chdb._chdb", file)
    if spec is None or spec.loader is None:
        return
    extension = module_from_spec(spec)
    spec.loader.exec_module(extension)
    extension.set_signal_handlers_enabled(0)
    sys.modules["chdb._chdb"] = extension


def without_trace(said: str) -> str:
    """What the engine said, before the trace of its C++ code."""
    return printable(said.partition("Stack trace")[0]).strip(" ,")[:MOST_SAID]


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
        before, found, trace = text.partition(_NO_CGROUPS)
        with suppress(OSError):
            os.write(2, before + (trace.partition(b"(version ")[2].partition(b"\n")[2] if found else b""))


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


def _check_address_space() -> None:
    """Raise ``FanousError`` if the process may not reserve what the engine needs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < LEAST_ADDRESS_SPACE:
        raise FanousError(
            f"this process may reserve {allowed / 2**30:.1f} GiB of address space (`ulimit -v`), and the engine of "
            f"the store needs {LEAST_ADDRESS_SPACE >> 30} GiB, though little of it as memory: raise that limit. "
            f"To limit memory, use MemoryMax= of a systemd unit or the container's limit"
        )


def _check_memory() -> None:
    """Raise ``FanousError`` if the process's control group has too little memory for the engine."""
    allowed = min(_memory_limits(), default=None)
    if allowed is not None and allowed < LEAST_MEMORY:
        raise FanousError(
            f"the control group of this process allows {allowed / 2**20:.0f} MiB of memory, and the engine of the "
            f"store needs at least {LEAST_MEMORY >> 20}, in use several hundred: raise MemoryMax= of the unit, or the "
            "container's limit (in /sys/fs/cgroup)",
            permanent=False,
        )


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
