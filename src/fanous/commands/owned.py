"""Owned: a command whose store another process has open is carried out there, with the same output.

What travels is a document each way over a unix socket beside the store: the words that were typed, and what
the command printed.  ``fanous run`` answers; the socket's mode 0600 says who may ask.
"""

import io
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.store import Store

LONGEST_PATH = 100
"""Bytes of a socket's path that every system takes (Linux 107, macOS 103)."""

CONNECT_SECONDS = 5.0

LARGEST = 1 << 20
"""Bytes of a request: words of a command line."""

BUG = 70


class Request(msgspec.Struct, frozen=True):
    """What was typed.

    Attributes:
        words: after ``fanous``.
        folder: against which relative paths stand.
        width: columns of the terminal that looks on; ``None`` = nobody does.
        colours: of that terminal, as rich names them.
    """

    words: list[str]
    folder: str
    width: int | None = None
    colours: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        code: exit code.
        error: what the user can mend; said by the asking process.
    """

    out: bytes = b""
    err: bytes = b""
    code: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a command finds where it is carried out for another process."""

    store: "Store"
    width: int | None
    colours: str | None


carried: ContextVar[Carried | None] = ContextVar("carried", default=None)


@contextmanager
def address_of(lock: Path) -> Iterator[str]:
    """The socket's path, short enough for the system.

    A path that is too long is reached through a descriptor of its folder, which Linux names in ``/proc``.

    Raises:
        FanousError: there is no such way here.
    """
    from fanous.store.location import SOCKET  # here: a light probe, without a store, imports this module

    path = lock.with_name(SOCKET)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise FanousError(f"{path} is too long for a socket: give the store a shorter path")
    folder = os.open(lock.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def ask_owner(lock: Path, request: Request) -> Reply | None:
    """The answer of the process that has the store; ``None`` = nobody answers at its socket.

    A socket file that a dead process left refuses the connection, or is not there at all.

    Raises:
        FanousError: it was asked, and broke off.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, address_of(lock) as address:
        asking.settimeout(CONNECT_SECONDS)
        try:
            asking.connect(address)
        except OSError:
            return None
        asking.settimeout(None)  # an ingest takes as long as it takes
        try:
            asking.sendall(msgspec.json.encode(request))
            asking.shutdown(socket.SHUT_WR)
            with asking.makefile("rb") as stream:
                return msgspec.json.decode(stream.read(), type=Reply)
        except (OSError, msgspec.MsgspecError):
            raise FanousError(
                "the process that has the store broke off while it worked on this; its log says why. What it "
                "acknowledged is kept: run the command again",
                permanent=False,
            ) from None


def perform(request: Request, store: "Store") -> Reply:
    """Carry a command out on an open store, as the process that asks would have.

    Called in the thread that owns the store.  Only this thread prints: the log keeps its own stream.
    """
    out, err = _Page(bool(request.width)), _Page(False)
    token = carried.set(Carried(store, request.width, request.colours))
    code, error = 0, ""
    try:
        with redirect_stdout(out), redirect_stderr(err), _nobody_typing():
            _invoke(request.words, Path(request.folder))
    except typer.Exit as leaving:
        code = leaving.exit_code
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except typer.Abort:
        error, code = "this asks a question: answer it with an option, since another process has the store", 1
    except typer.BadParameter as wrong:
        error, code = wrong.format_message(), 2
    except FanousError as reason:
        error, code = str(reason), 1
    finally:
        carried.reset(token)
    return Reply(out.printed(), err.printed(), code, error)


def _invoke(words: Sequence[str], folder: Path) -> None:
    from fanous.cli import app

    command: Any = typer.main.get_command(app)
    rest, name = list(words), "fanous"
    while rest and rest[0] in getattr(command, "commands", {}):
        name = rest.pop(0)
        command = command.commands[name]
    with command.make_context(name, rest) as context:
        for one in command.params:
            if one.type.name == "path":
                context.params[one.name] = _in_folder(context.params[one.name], folder)
        command.invoke(context)


def _in_folder(value: Any, folder: Path) -> Any:
    """Relative paths stand in the folder from which was asked, not in ours."""
    if isinstance(value, list | tuple):
        return type(value)(_in_folder(one, folder) for one in value)
    return None if value is None else str(folder / value)


@contextmanager
def _nobody_typing() -> Iterator[None]:
    """Whoever asked sits at another terminal than ours."""
    ours, sys.stdin = sys.stdin, io.StringIO("")
    try:
        yield
    finally:
        sys.stdin = ours


class _Page(io.TextIOWrapper):
    """Keeps what is printed."""

    def __init__(self, is_seen: bool) -> None:
        self._bytes = io.BytesIO()
        self._is_seen = is_seen
        super().__init__(self._bytes, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return self._is_seen

    def printed(self) -> bytes:
        self.flush()
        return self._bytes.getvalue()
