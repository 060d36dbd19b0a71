"""Request: what another process asks of the store's owner, and the answer.

One document in each direction over a unix socket next to the store.  What changes something is a typed action
(``pipeline.actions``), the same that the desk carries out; what only reads is a command line, and the answer what the
command printed.  The module is light, since commands that need no store import it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.store.protocol import Store

LONGEST_PATH = 100
"""Longest path of a socket that every system accepts (Linux 107 bytes, macOS 103)."""

LARGEST = 1 << 20
"""Most bytes of a request: the words of a command line, or a calendar of events."""


class ActionRequest(msgspec.Struct, frozen=True, tag="action"):
    """Something to do.

    Attributes:
        action: one of ``pipeline.actions``.
    """

    action: msgspec.Raw


class ActionReply(msgspec.Struct, frozen=True):
    """What became of it.

    Attributes:
        result: of the type that the action has for it; empty where it failed.
        error: what the user can fix; empty = it is done.
        crash: of a bug, as Python prints it.
    """

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    crash: str = ""


class CommandRequest(msgspec.Struct, frozen=True, tag="command"):
    """What was typed.

    Attributes:
        words: after ``fanous``.
        folder: to which relative paths are relative.
        width: columns of the asking terminal; ``None`` = there is none.
        colours: of that terminal, as rich names them.
    """

    words: list[str]
    folder: str
    width: int | None = None
    colours: str | None = None


class CommandReply(msgspec.Struct, frozen=True):
    """The result.

    Attributes:
        code: exit code.
        error: an error that the user can fix; printed by the asking process.
    """

    out: bytes = b""
    err: bytes = b""
    code: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """The environment of a command that is carried out for another process."""

    store: "Store"
    width: int | None
    colours: str | None


carried: ContextVar[Carried | None] = ContextVar("carried", default=None)


@contextmanager
def address_of(lock: Path) -> Iterator[str]:
    """The socket's path, short enough for the system.

    A path that is too long is reached through a descriptor of its folder, which Linux exposes in ``/proc``.

    Raises:
        FanousError: this system has no such way.
    """
    from fanous.store.location import (
        SOCKET,
    )  # imported here because a light probe, without a store, imports this module

    path = lock.with_name(SOCKET)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise FanousError(f"{path} is too long for a unix socket: move the store to a shorter path")
    folder = os.open(lock.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
