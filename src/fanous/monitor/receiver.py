"""Receiver: a monitor's door for probes, in a separate process.

Anyone may send to it, so it has its own memory, descriptors and processor time: traffic that floods it, or
makes it work, does not slow detection or the pages; and if it dies, it is started again.  Its counters come over
the pipe that connects the two processes.

It is confined before it accepts anyone: it adds files to the inbox, cannot read them, and connects to other machines,
as the test helper must.  The signing key, the store and the monitor's sockets are out of its reach.
"""

import asyncio
import gc
import logging
import os
import select
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import DecodeError, json
from msgspec.structs import replace

from fanous.base.confine import confine
from fanous.base.forkserver import ForkServer, NotStarted
from fanous.collector.credentials import (
    Credentials,
    Issuer,
    NoCredentials,
    is_library_here,
    keys_at,
)
from fanous.collector.door import DoorCounts, Policy, grant_of_door, serving
from fanous.collector.helper import Helper, HelperPolicy
from fanous.collector.inbox import Inbox
from fanous.collector.limits import kept_of, submissions_at, volume_of
from fanous.collector.origin import origins_named, trusted_proxies
from fanous.collector.reach import reach_of
from fanous.collector.server import raise_descriptors
from fanous.collector.services import DEFAULT_URLS, read_urls
from fanous.collector.settings import DoorSettings
from fanous.collector.volunteers import FOLDER, Volunteers
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline
from fanous.monitor.clock import Clock
from fanous.probe.orders import envelope_of
from fanous.store.location import CREDENTIALS

LAST_SECONDS = 3.0
"""Seconds for the door to finish its work when the monitor stops; then it is killed.  What it acknowledged is
on disk."""


COUNTED_EVERY = 2.0
"""Seconds between two reports of the counters."""


def policy_of(door: DoorSettings, clock: Callable[[], float]) -> tuple[Policy, Helper]:
    """The collector's policy, from `[collector]`.

    Raises:
        FanousError: a file that it names cannot be read, or is not valid.
    """
    origins = origins_named(door.networks)
    credentials: Credentials = NoCredentials()
    volunteers = None
    if door.credentials is not None:
        credentials = Issuer(
            keys_at(door.credentials, clock()), door.credentials, door.network_day_credentials
        )
        volunteers = Volunteers(door.credentials.with_name(door.credentials.name + FOLDER), clock())
    policy = Policy(
        trusted=trusted_proxies(door.trust_proxy),
        origins=origins,
        helper_url=door.helper_url,
        urls=read_urls(door.urls) if door.urls else DEFAULT_URLS,
        orders=envelope_of(door.orders) if door.orders else None,
        submissions=submissions_at(door.per_address),
        volume=volume_of(door.address_mb << 20, door.network_mb << 20),
        kept=kept_of(door.network_day_mb << 20),
        connections=door.connections,
        clock=clock,
        contact=door.contact,
        open_to_all=door.open_to_all,
        credentials=credentials,
        volunteers=volunteers,
    )
    helper = HelperPolicy(
        allow_private=door.lab,
        ca_file=str(door.ca_file or ""),
        asn_of=lambda address: origins.of(address).asn,
        reach=reach_of(door.helper_never, neighbours=door.helper_neighbours),
    )
    return policy, Helper(helper)


def with_keys(door: DoorSettings, store: Path | None, now: float, *, renew: bool = False) -> DoorSettings:
    """The settings with the file of the credentials' keys, which is made if there never was one.

    Args:
        store: the folder in which they are unless the settings name a file; ``None`` = no store, so without such a
            file no credentials are issued.
        renew: make new ones in any case.

    Raises:
        FanousError: they are lost, damaged or foreign, or the library is missing and they were asked for.
    """
    file = door.credentials or (store / CREDENTIALS[0] if store else None)
    if file is None:
        if renew:
            raise FanousError(
                "where are the new credentials' keys to be kept? Name a file: --credentials FILE"
            )
        return door
    if not is_library_here():
        if door.credentials or renew:
            raise FanousError(NO_LIBRARY)
        log.info(logline("no_credentials", why=NO_LIBRARY))
        return door
    keys_at(file, now, renew=renew)
    return replace(door, credentials=file)


NO_LIBRARY = (
    "credentials need the package ooniauth-py, which has wheels for x86-64 Linux and Apple's processors only"
)

log = logging.getLogger("fanous.collector")


async def door_apart(
    listening: socket.socket,
    inbox: Path,
    door: DoorSettings,
    clock: Clock,
    stop: asyncio.Event,
    counts: DoorCounts,
    server: ForkServer,
) -> None:
    """Run the door until ``stop`` is set.

    Args:
        server: starts it.
        counts: kept up to date; they start from 0 whenever the door starts, as Prometheus expects of counters.
        listening: bound; stays open here, so that probes that connect while a door restarts just wait.

    Raises:
        FanousError: it ended by itself; the error says why.
    """
    try:
        child = await asyncio.to_thread(
            server.start, run_door, inbox, door, clock, descriptors=[listening.fileno()]
        )
    except NotStarted as why:
        raise FanousError(f"the probes' door could not be started: {why}", permanent=False) from why
    told = _Told(child.connection, counts)
    told.listen()
    try:
        if not await has_ended(child.sentinel, stop):
            child.connection.send_bytes(b"stop")
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await has_ended(child.sentinel)
            return
        told.read()
        raise FanousError(told.last_words or f"the probes' door ended with exit code {child.wait()}")
    finally:
        told.forget()
        child.end()


async def has_ended(sentinel: int, stop: asyncio.Event | None = None) -> bool:
    """Wait for the end of a process; ``False`` = ``stop`` was set first."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sentinel, ended.set)
    waits = [asyncio.create_task(event.wait()) for event in (ended, stop) if event is not None]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sentinel)
        for task in waits:
            task.cancel()
    return ended.is_set()


class _Told:
    """What the child reports: its counters as JSON, and at most one sentence about why it ends.

    Attributes:
        last_words: empty = none.
    """

    def __init__(self, pipe: Connection, counts: DoorCounts) -> None:
        self._pipe, self._counts = pipe, counts
        self.last_words = ""
        for counter in _counters(counts):
            counter.clear()

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self.read)

    def forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())

    def read(self) -> None:
        try:
            while self._pipe.poll():
                self._take(self._pipe.recv_bytes())
        except (OSError, EOFError):
            self.forget()

    def _take(self, message: bytes) -> None:
        try:
            latest = json.decode(message, type=_Latest)
        except DecodeError:
            self.last_words = message.decode(errors="replace")
            return
        pairs: Iterable[tuple[Counter[Any], dict[Any, int]]] = zip(
            _counters(self._counts), latest, strict=True
        )
        for counter, numbers in pairs:
            counter.update({key: number - counter[key] for key, number in numbers.items()})


_Latest = tuple[dict[str, int], dict[int, int], dict[str, int]]


def _counters(counts: DoorCounts) -> tuple[Counter[Any], ...]:
    return counts.received, counts.refused, counts.proofs


def run_door(
    lifeline: Connection, descriptors: Sequence[int], folder: Path, door: DoorSettings, clock: Clock
) -> None:
    """Run in the child until something arrives through ``lifeline``.

    If its other end is closed, the parent was killed, and the child ends at once: what it acknowledged is on disk, and
    a new collector must not find this one at its address.

    Args:
        descriptors: of the listening socket.
    """
    log_to_stderr()
    raise_descriptors()
    listening = socket.socket(fileno=descriptors[0])
    listening.setblocking(False)
    try:
        policy, helper = policy_of(door, clock)
        inbox = Inbox(folder)  # while what an earlier door left there can still be read
        confine(grant_of_door(folder, *policy.writes))
        gc.collect()
        gc.freeze()  # keeps the garbage collector from walking modules repeatedly: see ``collector.door.serve``
        asyncio.run(_serving(listening, inbox, policy, helper, lifeline))
    except FanousError as error:
        lifeline.send_bytes(str(error).encode())
        raise SystemExit(1) from None


async def _serving(
    listening: socket.socket, inbox: Inbox, policy: Policy, helper: Helper, lifeline: Connection
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def heed() -> None:
        loop.remove_reader(lifeline.fileno())
        try:
            lifeline.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)
        stop.set()

    async def count() -> None:
        while not stop.is_set():
            await asyncio.sleep(COUNTED_EVERY)
            # Send the parent the counters, without ever waiting for it.
            if select.select([], [lifeline], [], 0)[1]:
                with suppress(OSError):
                    lifeline.send_bytes(json.encode(_counters(counts)))

    counts = DoorCounts()
    loop.add_reader(lifeline.fileno(), heed)
    counter = asyncio.create_task(count())
    try:
        await serving(listening, inbox, policy, helper, stop, counts=counts)
    finally:
        counter.cancel()
