"""Space: entering a network namespace, opening sockets in it, running programs in it.

A thread changes namespace only for itself, and a socket stays in the one in which it was created: so one
process can be at a hundred vantage points at once.
"""

import ctypes
import os
import resource
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fanous.errors import FanousError

FOLDER = Path("/run/netns")
"""Where ``ip netns`` keeps them (ip-netns(8))."""

CLONE_NEWNET = 0x40000000
"""setns(2): accept only a network namespace."""

_libc = ctypes.CDLL(None, use_errno=True)


def set_namespace(descriptor: int) -> None:
    """Put this thread into the namespace of an open file.

    Raises:
        OSError: not permitted, or not a network namespace.
    """
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Puts this thread into ``namespace`` for the block, which must not contain ``await``."""
    there = _opened(namespace)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        set_namespace(there)
        try:
            yield
        finally:
            set_namespace(here)
    finally:
        os.close(here)
        os.close(there)


def socket_in(namespace: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A new socket in ``namespace``."""
    with entered(namespace):
        return socket.socket(family, kind, protocol)


def run_in(
    namespace: str, argv: Sequence[str], text: str = "", environment: Mapping[str, str] | None = None
) -> str:
    """Run a program there with ``text`` as its input, and return what it printed.

    Raises:
        FanousError: it is not installed, or it failed; the message has its output.
    """
    with entered(namespace):
        return run(argv, text, namespace, environment)


def run(
    argv: Sequence[str], text: str = "", where: str = "", environment: Mapping[str, str] | None = None
) -> str:
    """Run a program in this thread's namespace; ``environment`` is added to our own."""
    variables = os.environ | (environment or {})
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, env=variables)
    except FileNotFoundError:
        raise FanousError(f"{argv[0]} is not installed: `fanous doctor` names its package") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        place = f" in {where}" if where else ""
        raise FanousError(f"`{' '.join(argv)}`{place} failed: {said or done.returncode}")
    return done.stdout


def allow_many_files() -> None:
    """Raise the limit of open files: a program with sockets in hundreds of namespaces needs many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _opened(namespace: str) -> int:
    try:
        return os.open(FOLDER / namespace, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FanousError(f"no network namespace {namespace}: is the lab running?") from None
