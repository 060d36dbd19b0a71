"""Call: a question or a job for a store, as a value that one process can send to another.

Commands never touch a store themselves: they make a call, which is performed on the store that they opened or, while
`fanous run` has it open, in that process (``monitor.control``).  Either way the same code runs, on the same values.
The desk performs those of ``pipeline.actions``.

To add one: a subclass in ``actions`` (changes what people decide), and its name in ``Action``; or in ``questions``
(reads), ``jobs`` (imports, computes) or ``publish.calls`` (writes files), and its name in ``CALLS`` of
``monitor.control``.

A call goes one way over a unix socket next to the store, and its result comes back.  The module is light, since
commands that need no store import it.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, get_origin, get_type_hints

import msgspec

from fanous.errors import FanousError
from fanous.store.protocol import Store

R = TypeVar("R")


class Call(msgspec.Struct, Generic[R], frozen=True, forbid_unknown_fields=True):
    """Something to be done with a store; ``R`` is the type of its result, as annotated on ``perform``.

    Paths in it are absolute, since the process that performs it may have another working folder.
    """

    def perform(self, store: Store) -> R:
        """Do it, in the thread that owns the store.

        Raises:
            FanousError: the user can fix it.
        """
        raise NotImplementedError


def encoded(value: Any) -> bytes:
    """A call, or the result of one, as MessagePack, since JSON has neither NaN nor infinity."""
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def decoded_call(data: bytes, known: Sequence[type[Call[Any]]]) -> Call[Any]:
    """The call, checked field by field.

    Raises:
        msgspec.MsgspecError: it is not a known call.
    """
    names = msgspec.msgpack.decode(data, type=_Tagged)
    for kind in known:
        if kind.__struct_config__.tag == names.type:
            call: Call[Any] = msgspec.msgpack.decode(data, type=kind, dec_hook=_built)
            return call
    raise msgspec.ValidationError(f"there is no call {names.type!r}")


def decoded_result(data: bytes, call: Call[R]) -> R:
    """The result of a call that another process performed."""
    result: R = decoded(data, get_type_hints(type(call).perform)["return"])
    return result


def decoded(data: bytes, kind: type[R]) -> R:
    """A value of this type that another process ``encoded``."""
    value: R = msgspec.msgpack.decode(data, type=kind, dec_hook=_built)
    return value


class _Tagged(msgspec.Struct):
    type: str


def _plain(value: Any) -> Any:
    import numpy as np  # most calls and answers have no arrays

    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be sent to another process")


def _built(wanted: Any, value: Any) -> Any:
    if wanted is Path:
        return Path(value)
    import numpy as np

    kind = get_origin(wanted)
    if kind is np.ndarray:
        dtype, data = value
        return np.frombuffer(data, np.dtype(dtype)).copy()
    if kind is Counter:
        return Counter(value)
    raise NotImplementedError(f"{wanted} cannot be received from another process")


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
