"""Request: what another process asks of the store's owner, and the answer.

One call (``pipeline.call``) goes one way over a unix socket next to the store, and its result comes back.  The
module is light, since commands that need no store import it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fanous.errors import FanousError

LONGEST_PATH = 100
"""Longest path of a socket that every system accepts (Linux 107 bytes, macOS 103)."""

LARGEST = 64 << 20
"""Most bytes of a request: a calendar of events, or a round of series of all networks."""


class ControlReply(msgspec.Struct, frozen=True):
    """The outcome of a call.

    Attributes:
        result: its result, as ``pipeline.call.encoded`` writes it; empty if it failed.
        error: what the user can fix; empty = it succeeded.
        permanent: for an error: will it fail again if repeated?
        crash: for a bug, the error as Python prints it.
    """

    result: bytes = b""
    error: str = ""
    permanent: bool = True
    crash: str = ""


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
