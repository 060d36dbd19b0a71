"""A confined process keeps what it was left with, and nothing else; each feature of the kernel is really used."""

import ctypes
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from fanous.base.confine import FIRST_USER, Confinement, Grant, available, confine
from fanous.base.forkserver import ForkServer, NotStarted
from fanous.pipeline.doctor import tried_confinement


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.stop()


def refused(attempts: dict[str, Callable[[], object]]) -> list[str]:
    found = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except PermissionError:
            found.append(name)
    return found


def as_door(connection: Connection, _descriptors: Sequence[int], folder: Path, port: int) -> None:
    """Does what a door may and what it may not, and says what was refused."""
    confine(Grant(reads=(folder / "read",), writes=(folder / "inbox",), internet=True))
    new, sealed = folder / "inbox" / "new.part", folder / "inbox" / "new"
    connection.send(
        refused(
            {
                "read": (folder / "read" / "file").read_bytes,
                "connect": lambda: socket.create_connection(("127.0.0.1", port), 5).close(),
                "write": lambda: new.write_bytes(b"x"),
                "rename": lambda: new.rename(sealed),
                "list": lambda: list((folder / "inbox").iterdir()),
                "remove": sealed.unlink,
                "read what is waiting": (folder / "inbox" / "waiting").read_bytes,
                "write elsewhere": lambda: (folder / "read" / "file").write_bytes(b"x"),
                "make a folder": (folder / "inbox" / "folder").mkdir,
                "link to elsewhere": lambda: (folder / "inbox" / "link").symlink_to(folder),
                "listen": lambda: socket.create_server(("127.0.0.1", 0)),
                "a unix socket": lambda: socket.socket(socket.AF_UNIX),
            }
        )
    )


def test_a_door_adds_files_and_connects_but_reads_no_inbox_and_accepts_no_one_else(
    server: ForkServer, tmp_path: Path
) -> None:
    assert not available().gaps, f"this kernel cannot confine a door: {available().gaps}"
    for name in ("read/file", "inbox/waiting"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = server.start(as_door, tmp_path, listening.getsockname()[1])
        assert child.connection.recv() == [
            "read what is waiting",
            "write elsewhere",
            "make a folder",
            "link to elsewhere",
            "listen",
            "a unix socket",
        ]
        child.end()


def as_someone(connection: Connection, _descriptors: Sequence[int], folder: Path, work: Path) -> None:
    """Says who it is, which of root's powers it kept, and whether it still reads what it was granted."""
    means = confine(Grant(reads=(folder / "granted", Path("/proc/self")), scratch=work))
    capabilities = re.findall(r"Cap(?:Prm|Eff):\s+(\w+)", Path("/proc/self/status").read_text())
    (work / "own").write_bytes((folder / "granted" / "file").read_bytes())
    tried: dict[str, Callable[[], object]] = {
        "another file": (folder / "other").read_bytes,
        "be root": lambda: os.setuid(0),
        "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
        "give a file away": lambda: os.chown(work / "own", 0, 0),
    }
    is_owner = Path("/proc/self/status").stat().st_uid == os.geteuid()
    ids = os.getresuid(), os.getresgid(), os.getgroups()
    connection.send((means.is_root, is_owner, ids, capabilities, refused(tried)))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root can become another user")
def test_one_that_root_started_is_a_user_of_its_own_and_reads_only_what_it_was_granted(
    server: ForkServer, tmp_path: Path
) -> None:
    (tmp_path / "granted").mkdir(0o700)
    (tmp_path / "work").mkdir(0o700)
    for name in ("granted/file", "other"):
        (tmp_path / name).touch(0o600)
    users = set()
    for _ in range(2):
        child = server.start(as_someone, tmp_path, tmp_path / "work")
        is_root, is_owner, (user, group, groups), capabilities, stopped = child.connection.recv()
        child.end()
        assert not is_root
        assert is_owner
        assert [int(one, 16) for one in capabilities] == [1 << 2] * 2  # CAP_DAC_READ_SEARCH
        assert user == group == (user[0],) * 3
        assert user[0] >= FIRST_USER
        assert groups == []
        assert stopped == ["another file", "be root", "set the clock", "give a file away"]
        users.add(user[0])
        (tmp_path / "work" / "own").unlink()
    assert len(users) == 2


def without_powers(connection: Connection, _descriptors: Sequence[int], folder: Path) -> None:
    """Is root that may not open other users' files."""
    libc, kept = ctypes.CDLL(None), 1 << 0 | 1 << 2 | 1 << 6 | 1 << 7  # all it takes but CAP_DAC_OVERRIDE
    libc.capset(struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", kept, kept, 0, 0, 0, 0))
    connection.send((confine(Grant(reads=(folder,))).is_root, (folder / "file").read_bytes()))


def as_signer(connection: Connection, _descriptors: Sequence[int], folder: Path) -> None:
    confine(Grant(reads=(folder,), writes=(folder,), keeps_user=True))
    (folder / "log").write_bytes(b"x")
    connection.send((folder / "log").stat().st_uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root can become another user")
def test_root_stays_where_it_could_not_open_its_files_and_where_they_last(
    server: ForkServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for work, says in ((without_powers, (True, b"x")), (as_signer, 0)):
        child = server.start(work, tmp_path)
        assert child.connection.recv() == says
        child.end()


def with_threads(connection: Connection, _descriptors: Sequence[int]) -> None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    try:
        confine(Grant())
    except RuntimeError as error:
        connection.send(str(error))


def test_a_process_with_threads_is_not_taken_for_confined(server: ForkServer) -> None:
    child = server.start(with_threads)
    assert child.connection.recv() == "a process with several threads cannot be confined"
    child.end()


def test_doctor_finds_by_trying_what_the_kernel_offers() -> None:
    assert tried_confinement() == available()


def test_what_a_kernel_lacks_is_named() -> None:
    assert len(Confinement(0, seccomp=False).gaps) == 4
    assert Confinement(0, seccomp=True).gaps[0].startswith("read every file of this user, the signing key")
    assert Confinement(3, seccomp=True).gaps == ("signal this user's other processes",)
    assert Confinement(7, seccomp=False).gaps == ("reach unix sockets, and the internet by UDP",)
    assert Confinement(7, seccomp=True, is_root=True).gaps == ("use what root may do",)
    assert Confinement(7, seccomp=True).gaps == ()


def failing(_connection: Connection, _descriptors: Sequence[int]) -> None:
    raise ValueError("unforeseen")


def test_how_a_child_ends_is_known_and_what_it_said_is_kept(server: ForkServer) -> None:
    child = server.start(failing, keeps_stderr=True)
    assert child.wait(30) == 1
    assert "ValueError: unforeseen" in child.said()
    child.end()


def test_a_server_that_died_is_replaced(server: ForkServer) -> None:
    server.stop()
    child = server.start(failing, keeps_stderr=True)
    assert child.wait(30) == 1
    child.end()


def test_a_process_with_thousands_of_connections_can_still_start_one() -> None:
    """``select`` refuses descriptors above 1,023, and a busy monitor has them."""
    server = ForkServer()
    with ExitStack() as held:
        for _ in range(1100):
            held.enter_context(Path(os.devnull).open("rb"))
        child = server.start(failing, keeps_stderr=True)
        assert child.wait(30) == 1
        child.end()
        server.stop()


def test_where_preparing_fails_nothing_starts() -> None:
    server = ForkServer(not_prepared)
    with pytest.raises(NotStarted, match="ended"):
        server.start(failing)


def not_prepared() -> None:
    raise ValueError("cannot load what the children need")
