"""Request: a command line that another process sends to the store's owner, and what it answers.

A document each way over a unix socket beside the store: the words that were typed, and what the command
printed.  Light, since commands import it that need no store.
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
"""Bytes of a socket's path that every system takes (Linux 107, macOS 103)."""

LARGEST = 1 << 20
"""Bytes of a request: words of a command line."""


class CommandRequest(msgspec.Struct, frozen=True):
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


class CommandReply(msgspec.Struct, frozen=True):
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
