"""Registry: the labs on this machine, the programs in them, and the removal of labs whose process has died.

A process that holds a lab locks a file: the kernel releases the lock however the process dies, so the next ``up`` or
``down`` knows what it may remove.  Programs are recorded as soon as they run, with their start time, since the kernel
reuses process ids; so none outlives its lab.  They take orders as one JSON line over a unix socket, and answer with
one line.
"""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanous.errors import FanousError
from fanous_lab.space import FOLDER as NAMESPACES
from fanous_lab.space import entered, run, socket_in

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
class LabFolder:
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


def labs() -> list[LabFolder]:
    """All labs on this machine, complete or not."""
    folders = sorted(RUN.iterdir()) if RUN.is_dir() else []
    return [LabFolder(folder) for folder in folders if folder.is_dir()]


def remove_dead(also: str = "") -> list[str]:
    """Take down labs that no process holds, and the lab named ``also``; returns their names."""
    with _alone():
        dead = [lab for lab in labs() if lab.name == also or not lab.is_held]
        for lab in dead:
            remove(lab)
    return [lab.name for lab in dead]


def remove(lab: LabFolder) -> None:
    """Take a lab down: its programs, anything else that runs in its namespaces, the namespaces, its files."""
    names = namespaces_of(lab)
    end([child.pid for child in lab.children() if child.is_alive])
    end(inside(names))
    if names:
        run(["ip", "-batch", "-"], "\n".join(f"netns del {name}" for name in names))
    for name in names:
        shutil.rmtree(RESOLV_CONF / name, ignore_errors=True)
    shutil.rmtree(lab.folder, ignore_errors=True)


def namespaces_of(lab: LabFolder) -> list[str]:
    if not NAMESPACES.is_dir():
        return []
    return sorted(path.name for path in NAMESPACES.iterdir() if path.name.startswith(lab.prefix))


def inside(namespaces: Iterable[str]) -> list[int]:
    """Processes that run in the namespaces."""
    wanted = set()
    for name in namespaces:
        stat = (NAMESPACES / name).stat()
        wanted.add((stat.st_dev, stat.st_ino))
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
    running = [pid for pid in pids if _signal(pid, signal.SIGTERM)]
    until = time.monotonic() + PATIENCE
    while running and time.monotonic() < until:
        running = [pid for pid in running if not _has_ended(pid)]
        if running:
            time.sleep(0.005)
    for pid in running:
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


START_SECONDS = 15.0
"""Seconds within which a program must be ready; it takes a quarter of one."""

LOOK = 0.005


class Programs:
    """The programs of one lab."""

    def __init__(self, lab: LabFolder) -> None:
        self._lab = lab
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, namespace: str, argv: Sequence[str]) -> None:
        """Start one; its output goes to ``NAME.log`` in the lab's folder.

        Raises:
            FanousError: it is not installed.
        """
        with (
            entered(namespace) if namespace else nullcontext(),
            (self._lab.folder / f"{name}.log").open("wb") as log,
        ):
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C must reach only us: we take them down in order
                    cwd="/",
                    env=os.environ | {"PYTHONUNBUFFERED": "1"},
                )
            except FileNotFoundError:
                raise FanousError(f"{argv[0]} is not installed: `fanous doctor` names its package") from None
        self._lab.record_child(child.pid)
        self._running[name] = child

    def wait(self) -> None:
        """Wait until all have ended on request."""
        for child in self._running.values():
            child.wait()
        self._running.clear()

    def wait_for_socket(self, name: str, path: Path) -> None:
        """Wait until a program takes orders."""

        def try_it() -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(path))

        self._wait(name, try_it)

    def wait_for_port(self, name: str, namespace: str, address: str, port: int) -> None:
        """Wait until a program accepts connections."""

        def try_it() -> None:
            with socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM) as there:
                there.connect((address, port))

        self._wait(name, try_it)

    def _wait(self, name: str, try_it: Callable[[], None]) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                try_it()
                return
            except OSError:
                time.sleep(LOOK)
            if self._running[name].poll() is not None:
                break
        text = (self._lab.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip()
        last = text.splitlines()[-1] if text else "it said nothing"
        raise FanousError(f"the lab's {name} did not start: {last}")


ANSWER_SECONDS = 20.0
"""Seconds to wait for an answer; one that takes longer will not come."""

DONE = "ok"

Obey = Callable[[dict[str, Any]], None]


def tell(path: Path, message: dict[str, Any]) -> None:
    """Send an order, and wait until it is done.

    Raises:
        FanousError: no one answers, or the order could not be carried out.
    """
    try:
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(ANSWER_SECONDS)
            there.connect(str(path))
            there.sendall(json.dumps(message).encode() + b"\n")
            answer = there.makefile().readline().strip()
    except OSError as error:
        raise FanousError(
            f"the lab's program at {path} does not answer ({error}): is the lab running?"
        ) from None
    if answer != DONE:
        raise FanousError(f"the lab could not carry out an order ({path.stem}): {answer or 'it ended'}")


async def listen(path: Path, obey: Obey) -> asyncio.Server:
    """Take orders."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            obey(json.loads(await reader.readline()))
            answer = DONE
        except (OSError, ValueError, KeyError) as error:
            answer = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the asker did not wait
            writer.write(answer.encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(one, str(path), limit=1 << 24)
