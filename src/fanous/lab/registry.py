"""Registry: the labs on this machine, and the removal of those whose process has died.

A process that holds a lab locks a file: the kernel releases the lock however the process dies, so the next ``up`` or
``down`` knows what it may remove.  Programs are recorded before anything else happens, with their start time,
since the kernel reuses process ids.
"""

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fanous.errors import FanousError
from fanous.lab.space import FOLDER as NAMESPACES
from fanous.lab.space import run

RUN = Path("/run/fanous-lab")
"""One folder per lab; a reboot removes it, as it does the namespaces."""

PREFIX = "fanous-"
RESOLV_CONF = Path("/etc/netns")
"""Where ``ip netns exec`` finds a namespace's own resolv.conf (ip-netns(8))."""

LOCK, CHILDREN, RECORD = "lock", "children", "lab.json"

PATIENCE = 3.0
"""Seconds that a program has to end when asked; then it is killed."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program of a lab.

    Attributes:
        started: clock ticks since the machine started (proc(5), field 22).
    """

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class Standing:
    """A lab's folder.

    Attributes:
        name: ``lab`` if ``fanous lab up`` left it running, else random.
    """

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def prefix(self) -> str:
        """Prefix of its namespaces."""
        return f"{PREFIX}{self.name}-"

    def record_child(self, pid: int) -> None:
        with (self.folder / CHILDREN).open("a", encoding="ascii") as file:
            file.write(f"{pid} {start_time(pid)}\n")

    def children(self) -> list[Child]:
        try:
            lines = (self.folder / CHILDREN).read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []
        return [Child(*map(int, line.split())) for line in lines if len(line.split()) == 2]

    def record(self) -> dict[str, object]:
        """What ``up`` wrote down; empty if it did not get that far."""
        try:
            return dict(json.loads((self.folder / RECORD).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            return {}

    @property
    def is_held(self) -> bool:
        """Does a live process hold it, or was it left running on purpose?"""
        if self.record().get("is_standing"):
            return True
        try:
            descriptor = os.open(self.folder / LOCK, os.O_RDWR)
        except FileNotFoundError:
            return False
        except PermissionError:
            return True  # root's: other users must treat it as held
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def hold(folder: Path) -> int:
    """Make the folder of a new lab and lock it; the lock lasts until the descriptor is closed.

    Raises:
        FanousError: a lab of that name already exists, or this is not root.
    """
    with _alone():
        try:
            folder.mkdir(mode=0o755)
        except FileExistsError:
            raise FanousError(
                f"a lab {folder.name!r} already exists: remove it with `fanous lab down`"
            ) from None
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor


@contextmanager
def _alone() -> Iterator[None]:
    """Keeps other processes from making or removing labs at the same time.

    Raises:
        FanousError: this is not root, or the folder cannot be made.
    """
    try:
        RUN.mkdir(mode=0o755, exist_ok=True)
        descriptor = os.open(RUN / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise FanousError(
            "a lab needs root, because its networks are kernel namespaces: run it with sudo"
        ) from None
    except OSError as error:
        raise FanousError(
            f"cannot keep a lab in {RUN}: {error.strerror}; a lab needs a /run that can be written to"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def labs() -> list[Standing]:
    """All labs on this machine, complete or not."""
    folders = sorted(RUN.iterdir()) if RUN.is_dir() else []
    return [Standing(folder) for folder in folders if folder.is_dir()]


def remove_dead(also: str = "") -> list[str]:
    """Take down labs that no process holds, and the lab named ``also``; returns their names."""
    with _alone():
        dead = [lab for lab in labs() if lab.name == also or not lab.is_held]
        for lab in dead:
            remove(lab)
    return [lab.name for lab in dead]


def remove(lab: Standing) -> None:
    """Take a lab down: its programs, anything else that runs in its namespaces, the namespaces, its files."""
    names = namespaces_of(lab)
    end([child.pid for child in lab.children() if child.is_alive])
    end(inside(names))
    if names:
        run(["ip", "-batch", "-"], "\n".join(f"netns del {name}" for name in names))
    for name in names:
        shutil.rmtree(RESOLV_CONF / name, ignore_errors=True)
    shutil.rmtree(lab.folder, ignore_errors=True)


def namespaces_of(lab: Standing) -> list[str]:
    if not NAMESPACES.is_dir():
        return []
    return sorted(path.name for path in NAMESPACES.iterdir() if path.name.startswith(lab.prefix))


def inside(namespaces: Iterable[str]) -> list[int]:
    """Processes that run in the namespaces."""
    wanted = set()
    for name in namespaces:
        found = (NAMESPACES / name).stat()
        wanted.add((found.st_dev, found.st_ino))
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                where = (entry / "ns" / "net").stat()
            except OSError:
                continue  # it has ended in the meantime
            if (where.st_dev, where.st_ino) in wanted:
                pids.append(int(entry.name))
    return [pid for pid in pids if pid != os.getpid()]


def end(pids: Iterable[int]) -> None:
    """Ask processes to end; kill those that do not."""
    left = [pid for pid in pids if _signal(pid, signal.SIGTERM)]
    until = time.monotonic() + PATIENCE
    while left and time.monotonic() < until:
        left = [pid for pid in left if not _has_ended(pid)]
        if left:
            time.sleep(0.005)
    for pid in left:
        _signal(pid, signal.SIGKILL)
        while not _has_ended(pid) and time.monotonic() < until + PATIENCE:
            time.sleep(0.005)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _has_ended(pid: int) -> bool:
    """Also true of our own child that was not waited for."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return start_time(pid) < 0


def start_time(pid: int) -> int:
    """proc(5), field 22; -1 = no such process (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] == "Z" else int(fields[19])
