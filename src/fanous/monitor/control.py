"""Control: the unix socket next to the store, through which other commands reach it while the monitor
runs.

Actions arrive as typed calls, which the pages' desk makes too; questions as command lines.
"""

import asyncio
import io
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from itertools import takewhile
from logging import getLogger
from pathlib import Path

import msgspec

from fanous.errors import FanousError
from fanous.log import logline
from fanous.monitor.request import (
    LARGEST,
    ActionReply,
    ActionRequest,
    Carried,
    CommandReply,
    CommandRequest,
    address_of,
    carried,
)
from fanous.overwrite import refusal
from fanous.pipeline.actions import Action, perform_action
from fanous.pipeline.scheduler import Crash, outcome
from fanous.store.disk import disk_errors
from fanous.store.location import SOCKET
from fanous.store.protocol import Ask, Store

SECONDS = 10.0
"""Seconds for a request to arrive; it is a single write."""

BUG = 70
"""Exit code of a command that failed because of a bug (EX_SOFTWARE in sysexits.h)."""

Dispatch = Callable[[Sequence[str], Path], tuple[int, str]]
"""Carries out a command line, typed in that folder, on the store that is open here.

Returns the exit code, and an error that the user can fix (empty = none)."""

log = getLogger("fanous.monitor")


class Local:
    """Serves other processes' commands over the socket.

    Args:
        lock: of the store that ``ask`` reaches; it is held, so a socket found next to it belongs to a dead
            process.
        dispatch: called in the thread that owns the store.
    """

    def __init__(self, ask: Ask, lock: Path, dispatch: Dispatch) -> None:
        self._ask, self._lock, self._dispatch = ask, lock, dispatch

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        server = await asyncio.start_unix_server(self._answer, sock=listening_beside(self._lock))
        try:
            async with server:
                await stop.wait()
        finally:
            self._lock.with_name(SOCKET).unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                request = msgspec.json.decode(await _whole(reader), type=CommandRequest | ActionRequest)
            reply = await (self._act(request) if isinstance(request, ActionRequest) else self._reply(request))
            writer.write(msgspec.json.encode(reply))
            await writer.drain()
        except (OSError, TimeoutError, msgspec.MsgspecError) as error:
            log.warning(logline("asked_in_vain", why=error))
        finally:
            writer.close()

    async def _act(self, request: ActionRequest) -> ActionReply:
        action = msgspec.json.decode(request.action, type=Action)
        name = type(action).__name__
        done = await outcome(self._ask(partial(_done, action)))
        if isinstance(done, Crash):
            log.error(logline("asked_crashed", action=name, why=repr(done.error)), exc_info=done.error)
            return ActionReply(crash="".join(traceback.format_exception(done.error)))
        log.info(logline("asked", action=name, why=done.error or None))
        return done

    async def _reply(self, request: CommandRequest) -> CommandReply:
        reply: CommandReply | Crash = await outcome(
            self._ask(partial(perform, request, dispatch=self._dispatch))
        )
        words = " ".join(takewhile(lambda word: not word.startswith("-"), request.words))
        if isinstance(reply, Crash):
            log.error(logline("asked_crashed", command=words, why=repr(reply.error)), exc_info=reply.error)
            told = "".join(traceback.format_exception(reply.error))
            return CommandReply(err=told.encode(), code=BUG)
        log.info(logline("asked", command=words, code=reply.code))
        return reply


def _done(action: Action, store: Store) -> ActionReply:
    try:
        return ActionReply(msgspec.Raw(msgspec.json.encode(perform_action(store, action))))
    except FanousError as error:
        return ActionReply(error=str(error))


def perform(request: CommandRequest, store: Store, dispatch: Dispatch) -> CommandReply:
    """Carry out a command on an open store, as the asking process would have.

    Called in the thread that owns the store.  Only this thread prints: the log keeps its own stream.
    """
    out, err = _Page(bool(request.width)), _Page(False)
    token = carried.set(Carried(store, request.width, request.colours))
    try:
        with redirect_stdout(out), redirect_stderr(err), _nobody_typing():
            code, error = dispatch(request.words, Path(request.folder))
    finally:
        carried.reset(token)
    return CommandReply(out.printed(), err.printed(), code, error)


@contextmanager
def _nobody_typing() -> Iterator[None]:
    """The asking process has its own terminal, not ours."""
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


async def _whole(reader: asyncio.StreamReader) -> bytes:
    data = b""
    while more := await reader.read(65_536):
        data += more
        if len(data) > LARGEST:
            raise OSError("the request is not a command line")
    return data


def listening_beside(lock: Path) -> socket.socket:
    """A socket that only its owner can reach, even at the moment it is created.

    Raises:
        FanousError: it cannot be created.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with disk_errors(f"listen next to {lock}"), address_of(lock) as address:
        beside = lock.with_name(SOCKET)
        if beside.exists() and not beside.is_socket():
            raise refusal(beside, "a file that is not a socket of Fanous")
        beside.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(address)
        finally:
            os.umask(before)
        listening.listen(16)
    listening.setblocking(False)
    return listening
