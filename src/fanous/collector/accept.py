"""Accept: connections wait here, at almost no cost, until their first byte; only then does uvicorn get them.

A transport, a parser and a task for each connection cost four tenths of a millisecond, so a few thousand
connections that never ask for anything kept everyone else waiting for seconds.  Here such a connection costs a
descriptor and, including the kernel's work, a seventh of that time.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Protocol

from fanous.log import logline

IN_A_TURN = 64
"""Connections accepted in one turn of the event loop, so that requests get their turn in between."""

NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept(2) that no client causes: the machine has run out of descriptors or memory."""

PAUSE_SECONDS = 0.02
"""Seconds for which nothing is then accepted; new connections wait in the kernel."""

SAID_SECONDS = 1.0
"""Seconds between two log lines about that."""

log = logging.getLogger("fanous.server")


class DoorPlaces(Protocol):
    """The places of a door: see ``limits.Connections``."""

    def admit(self, peer: str) -> bool: ...

    def leave(self, peer: str) -> None: ...

    def wait(self, waiting: "Abortable", peer: str) -> None: ...

    def work(self, waiting: "Abortable") -> None: ...

    def shed(self) -> bool: ...


class Abortable(Protocol):
    """A connection that can be closed at once: an asyncio transport, or a silent one."""

    def abort(self) -> None: ...


class Silent:
    """A connection that has not sent anything; belongs to one event loop."""

    __slots__ = ("_acceptor", "closes", "connection", "peer")

    def __init__(self, acceptor: "Acceptor", connection: socket.socket, peer: str, closes: float) -> None:
        self._acceptor = acceptor
        self.connection, self.peer, self.closes = connection, peer, closes

    def abort(self) -> None:
        """Close it."""
        self._acceptor.close_silent(self)


class Acceptor:
    """Accepts connections from a listening socket until it is closed.

    Args:
        listening: does not block; its owner closes it.
        made: a protocol for a connection that has sent something, from its peer's address; it keeps the place that
            the connection has.
        places: asked before anything is spent on a connection.
        head: seconds for the first byte to arrive.
    """

    def __init__(
        self,
        listening: socket.socket,
        made: Callable[[str], asyncio.Protocol],
        places: DoorPlaces,
        head: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening, self._made, self._places, self._head = listening, made, places, head
        self._silent: dict[Silent, None] = {}  # in order of arrival, and so of their deadlines
        self._deadline: asyncio.TimerHandle | None = None
        self._resuming: asyncio.TimerHandle | None = None
        self._say_next = 0.0  # seconds by the loop's clock
        self._handing_over: set[asyncio.Task[object]] = set()
        self._resume()

    def close(self) -> None:
        """Accept nothing more, and close the connections that never asked for anything."""
        self._loop.remove_reader(self._listening.fileno())
        if self._resuming is not None:
            self._resuming.cancel()
        for one in list(self._silent):
            self.close_silent(one)
        if self._deadline is not None:
            self._deadline.cancel()

    def close_silent(self, one: Silent) -> None:
        """Close a silent connection and free its place."""
        self._forget(one)
        self._places.work(one)
        self._places.leave(one.peer)
        one.connection.close()

    def _resume(self) -> None:
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(IN_A_TURN):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._pause(error)
                return
            peer = str(address[0])
            if not self._places.admit(peer):
                connection.close()
                self._places.leave(peer)
                continue
            connection.setblocking(False)
            one = Silent(self, connection, peer, self._loop.time() + self._head)
            self._silent[one] = None
            self._places.wait(one, peer)
            self._loop.add_reader(connection.fileno(), self._speaks, one)
            if self._deadline is None:
                self._deadline = self._loop.call_at(one.closes, self._close_overdue)

    def _pause(self, error: OSError) -> None:
        """Close connections that ask for nothing, so that the next can be accepted."""
        now = self._loop.time()
        if now >= self._say_next:
            self._say_next = now + SAID_SECONDS
            log.error(logline("not_accepted", why=error.strerror))
        while self._places.shed():
            pass
        self._loop.remove_reader(self._listening.fileno())
        self._resuming = self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _close_overdue(self) -> None:
        now = self._loop.time()
        self._deadline = None
        for one in list(self._silent):
            if one.closes > now:
                self._deadline = self._loop.call_at(one.closes, self._close_overdue)
                return
            self.close_silent(one)

    def _speaks(self, one: Silent) -> None:
        try:
            first = one.connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        if not first:
            self.close_silent(one)
            return
        self._forget(one)
        self._places.work(one)
        task: asyncio.Task[object] = self._loop.create_task(
            self._loop.connect_accepted_socket(partial(self._made, one.peer), one.connection)
        )
        self._handing_over.add(task)
        task.add_done_callback(partial(self._handed_over, one))

    def _handed_over(self, one: Silent, task: "asyncio.Task[object]") -> None:
        self._handing_over.discard(task)
        if task.cancelled() or task.exception() is not None:
            self._places.leave(one.peer)
            one.connection.close()

    def _forget(self, one: Silent) -> None:
        self._loop.remove_reader(one.connection.fileno())
        self._silent.pop(one, None)
