"""Serve: the collector as a process - a socket, a door, an inbox, until it is asked to stop.

Nothing that names a client is logged: there is no access log, and uvicorn's own lines carry no address.
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from fanous.collector.door import Policy, Queue, collector_app
from fanous.collector.helper import Helper
from fanous.collector.inbox import SEAL_SECONDS, Inbox
from fanous.collector.limits import MOST_OF_ONE, patient_protocol
from fanous.errors import FanousError
from fanous.log import logline

MOST_CONNECTIONS = 2000
IDLE_SECONDS = 30
STOP_SECONDS = 10
"""What is under way when the process is asked to stop may take so long."""

MOST_HEAD = 16 << 10
STOPPING = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("fanous.collector")


def listening_socket(host: str, port: int, option: str = "--listen") -> socket.socket:
    """Bound and listening; port 0 = any that is free.

    Args:
        option: with which the user names another address.

    Raises:
        FanousError: the address is taken, or not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        # The protocol is named because asyncio turns Nagle's algorithm off only then; with it, each answer
        # waits 40 ms for the client's delayed acknowledgement.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        raise FanousError(f"cannot listen on {host}:{port}: {error}; name another with {option}") from error
    listening.setblocking(False)
    return listening


def serve(
    listening: socket.socket,
    inbox: Path | Queue,
    policy: Policy,
    helper: Helper,
    beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM; what was accepted by then is finished.

    Args:
        inbox: where measurements are kept: a folder, or another queue.
        beside: runs meanwhile, until its event is set.

    The modules that stand at the start are taken from the cycle collector: walking them again and again kept
    every fiftieth client waiting for 70 ms.
    """
    gc.collect()
    gc.freeze()
    asyncio.run(_serving_beside(listening, inbox, policy, helper, beside))


async def _serving_beside(
    listening: socket.socket,
    inbox: Path | Queue,
    policy: Policy,
    helper: Helper,
    beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None,
) -> None:
    stop = asyncio.Event()
    other = asyncio.create_task(beside(stop)) if beside else None
    try:
        await serving(listening, inbox, policy, helper)
    finally:
        stop.set()
        if other is not None:
            await other


async def serving(
    listening: socket.socket,
    inbox: Path | Queue,
    policy: Policy,
    helper: Helper,
    stop: asyncio.Event | None = None,
    *,
    seal_seconds: float = SEAL_SECONDS,
) -> None:
    """The same within a running event loop.

    Args:
        seal_seconds: see ``Inbox``.
        stop: ends it, and signals are left to the caller; ``None`` = SIGINT and SIGTERM end it.
    """
    queue = Inbox(inbox, seal_seconds=seal_seconds) if isinstance(inbox, Path) else inbox
    app = collector_app(queue, helper, policy)
    most_of_one = None if policy.trusted else MOST_OF_ONE
    config = uvicorn.Config(
        app,
        http=patient_protocol(policy.head, most_of_one),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # believes whoever connects from this machine; ``origin`` decides that here
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEAD,
    )
    server = _Server(config, signals=stop is None)
    if stop is None:
        await server.serve(sockets=[listening])
        return
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await running


class _Server(uvicorn.Server):
    """uvicorn's own, but stopping it does not kill the process: there is more to finish after it."""

    def __init__(self, config: uvicorn.Config, *, signals: bool) -> None:
        super().__init__(config)
        self._signals = signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or () if self.started else ():  # said when signals are heeded, not before
            host, port = one.getsockname()[:2]
            log.info(logline("listening", host=host, port=port))

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if not self._signals:
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
