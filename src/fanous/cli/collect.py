"""``fanous collect`` receives from probes, and ``fanous drain`` moves an inbox into a store.

With ``--store`` the collector has a child process that owns the store and drains the inbox, so judging never
delays an acknowledgement.  With ``--inbox`` it only fills an inbox, which ``fanous drain`` or the monitor
moves into its store.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer

from fanous.cli.common import StoreAccess, reaching, say
from fanous.cli.options import (
    ConfigOption,
    Options,
    StoreOption,
    StoreOptions,
    argument,
    command,
    is_given,
    option,
)
from fanous.cli.queue import Bringing, collect_into_stream, drain_stream, host_and_port
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline

if TYPE_CHECKING:
    import asyncio
    import socket

    from fanous.collector.door import DoorCounts
    from fanous.collector.settings import DoorSettings


DRAIN_SECONDS = 5.0
"""Seconds between two checks of the inbox."""

LAST_SECONDS = 4.1
"""Seconds from the signal to the end.  What the store has not taken by then stays in the inbox: the child is killed,
which a store survives, and the next start takes it up."""

OF_MONITOR = ("on", "listen")
"""Settings of the door that are options in no, or in another, form."""

STOPPING = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("fanous.collector")


class CollectOptions(Options):
    """Options of ``fanous collect``."""

    context: typer.Context
    listen: str = option(
        "127.0.0.1:8471", "Address to listen on; port 0: any free port.", metavar="HOST:PORT"
    )
    inbox: Path | None = option(None, "Write measurements to this folder only.")
    queue: str | None = option(
        None,
        "Write to a stream on NATS servers (nats://a,b,c), shared with other collectors; keep "
        "nothing locally. If the address has a password, give it only in the environment.",
        envvar="FANOUS_QUEUE",
        metavar="URL",
    )
    store: Path | None = option(None, "Also move measurements into this store.", envvar="FANOUS_STORE")
    trust_proxy: list[str] | None = option(
        None, "Trust X-Forwarded-For from this network.", metavar="NETWORK"
    )
    networks: Path | None = option(
        None,
        "Table of networks by address (TSV or CSV as from iptoasn.com: first, last, ASN, country), "
        "instead of the one included; none: derive nothing from addresses.",
        metavar="FILE",
    )
    urls: Path | None = option(None, "Test list (CSV) given to probes that check in.", metavar="FILE")
    orders: Path | None = option(
        None, "Signed orders to hand out, as written by `fanous orders sign`.", metavar="FILE"
    )
    helper_url: str = option("", "URL at which probes reach the test helper.", metavar="URL")
    per_address: float = option(10, "Requests per second allowed from one address.", min=0.01)
    connections: int = option(2000, "Connections that may be open at once.", min=16)
    address_mb: int = option(256, "MiB of measurements an hour, unpacked, allowed from one address.", min=1)
    network_mb: int = option(1024, "MiB of measurements an hour, unpacked, allowed from one network.", min=1)
    network_day_mb: int = option(
        2048,
        "MiB a day that one network may add to the archive, before compression; one address, a quarter.",
        min=1,
    )
    contact: str = option("", "Contact address, shown on the page /why to people whose addresses we ping.")
    status: str = option("", "Serve /readyz and /metrics at this address.", metavar="HOST:PORT")
    helper_never: list[str] | None = option(
        None, "Address or network that the test helper never connects to; may be repeated.", metavar="NETWORK"
    )
    helper_neighbours: bool = option(
        False, "Let the test helper connect to addresses in the same /24 or /64 as this machine's."
    )
    open_to_all: bool = option(
        True,
        "Whether strangers may send, so that measurements are unvouched and what one address sends in a day "
        "counts as one probe; or every probe that can reach this address is yours, and each run counts.",
        "--open-to-all/--own-probes",
    )
    credentials: Path | None = option(
        None,
        "Keys with which credentials are issued to volunteers, made at the first start; give collectors "
        "that work together the same file. With --store, they are in the store's folder.",
        metavar="FILE",
    )
    new_credentials: bool = option(
        False,
        "Make new keys first: every credential issued so far becomes void, and volunteers' probes "
        "register again by themselves.",
    )
    network_day_credentials: int = option(
        100,
        "Credentials a day that one network (ASN) may be given; one neighbourhood (/24 or /48), one.",
        min=0,
    )
    lab: bool = option(False, "Let the test helper connect to private addresses.")
    ca_file: Path | None = option(
        None, "With --lab: authorities that the test helper trusts instead of Mozilla's.", metavar="FILE.pem"
    )


@command
def collect(options: CollectOptions) -> None:
    """Receive measurements from probes: OONI's collector protocol, check-in and test helper.

    A measurement is acknowledged once it is on disk or, with --queue, on a majority of the servers.  Probe
    addresses are never written anywhere."""
    from fanous.base.files import check_address_space
    from fanous.collector.door import DoorCounts
    from fanous.collector.inbox import check_inbox, inbox_of
    from fanous.collector.server import LEAST_ADDRESS_SPACE, listening_socket, raise_descriptors
    from fanous.collector.settings import DoorSettings
    from fanous.config import WrongKey
    from fanous.monitor.receiver import policy_of, with_keys
    from fanous.store.location import check_folder, check_parts, in_folder

    check_address_space(LEAST_ADDRESS_SPACE, "a collector")
    queue, store = options.queue, options.store
    if any(is_given(options.context, name) for name in ("inbox", "queue", "store")):
        # The variables are set for all commands; options given here take precedence.
        queue = queue if is_given(options.context, "queue") else None
        store = store if is_given(options.context, "store") else None
    if [options.inbox, store, queue].count(None) != 2:
        raise typer.BadParameter("give exactly one of --inbox, --store and --queue")
    if store is not None:  # before acknowledging a measurement that could not be stored
        check_folder(store, must_exist=False)
        check_parts(in_folder(store))
    if options.inbox is not None:
        check_inbox(options.inbox)
    try:
        shared = {
            name: getattr(options, name) for name in DoorSettings.__struct_fields__ if name not in OF_MONITOR
        }
        lists = {name: tuple(shared[name] or ()) for name in ("trust_proxy", "helper_never")}
        door = DoorSettings(**shared | lists)
    except WrongKey as error:
        raise FanousError(f"--{error.key.replace('_', '-')}: {error}") from error
    log_to_stderr()
    door = with_keys(door, store, time.time(), renew=options.new_credentials)
    if options.networks or options.orders or options.ca_file or door.credentials:
        policy_of(door, time.time)  # unreadable files are reported before anything begins
    listening = listening_socket(*host_and_port(options.listen))
    raise_descriptors()
    if queue is not None:
        collect_into_stream(listening, queue, *policy_of(door, time.time), options.status)
        return
    counts = DoorCounts()
    waiting = options.inbox if store is None else inbox_of(store)
    assert waiting is not None  # one of the two is given
    beside = _status_of(waiting, options.status, counts) if options.status else None
    if store is None:
        _received(listening, waiting, door, counts, beside)
        return
    with Draining(waiting, store) as draining:
        draining.last -= _received(listening, waiting, door, counts, beside)


def _received(
    listening: "socket.socket",
    inbox: Path,
    door: "DoorSettings",
    counts: "DoorCounts",
    beside: "Callable[[asyncio.Event], Coroutine[Any, Any, object]] | None",
) -> float:
    """Run the door, in its confined process, until SIGINT or SIGTERM.

    Returns:
        Seconds since that signal.
    """
    import asyncio

    from fanous.base.forkserver import ForkServer
    from fanous.collector.server import stopped_by_signals
    from fanous.monitor.clock import Clock
    from fanous.monitor.receiver import door_apart

    async def run() -> float:
        stop = asyncio.Event()
        stopped_by_signals(stop)
        other = asyncio.create_task(beside(stop)) if beside else None
        receiving = asyncio.create_task(
            door_apart(listening, inbox, door, Clock(), stop, counts, ForkServer())
        )
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({receiving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        stopped_at = time.monotonic()
        stop.set()
        try:
            await receiving
        finally:
            if other is not None:
                await other
        return time.monotonic() - stopped_at

    return asyncio.run(run())


def _status_of(
    inbox: Path, address: str, counts: "DoorCounts"
) -> "Callable[[asyncio.Event], Coroutine[Any, Any, object]]":
    """Reports the state of an inbox and its disk each time it is asked."""
    from fanous.collector.inbox import backlog
    from fanous.collector.server import listening_socket, serve, server_config
    from fanous.pipeline.status import metrics, status_app
    from fanous.pipeline.vitals import Vitals, disks, find_ailments, why_unready

    host, port = host_and_port(address, "--status")
    listening = listening_socket(host, port, "--status")

    def vitals() -> Vitals:
        now = time.time()
        return Vitals(at=now, machine_at=now, disks=disks((inbox,)), backlogs=(backlog(inbox),))

    app = status_app(
        lambda: why_unready(find_ailments(vitals())),
        lambda: find_ailments(vitals()),
        lambda: [*metrics(vitals(), find_ailments(vitals())), *counts.metrics()],
    )
    return lambda stop: serve(server_config(app), listening, stop)


class DrainOptions(StoreOptions):
    """Options of ``fanous drain``."""

    inbox: Path | None = argument(None, "Folder written by a collector.", metavar="[INBOX]")
    store: StoreOption = None
    config: ConfigOption = None
    queue: str | None = option(
        None, "Instead of an inbox, read this stream of collectors.", envvar="FANOUS_QUEUE", metavar="URL"
    )
    part: str = option("main", "Part of the stream to read: main, apart or refused.")
    follow: bool = option(False, "Keep reading the stream until stopped.")
    no_detect: bool = option(False, "Only store and judge; leave detection to `fanous detect`.")


@command
def drain(options: DrainOptions) -> None:
    """Move what collectors have received from an inbox or a stream into a store."""
    from fanous.collector.inbox import check_inbox

    queue = options.queue
    if options.inbox is not None and queue == os.environ.get("FANOUS_QUEUE"):
        queue = None  # the variable is set for all commands; an inbox given here takes precedence
    if (options.inbox is None) == (queue is None):
        raise typer.BadParameter("name an INBOX or a --queue: one of the two")
    if queue is not None:
        drain_stream(queue, options.part, options.follow, options, detects=not options.no_detect)
        return
    if options.inbox is None or not options.inbox.is_dir():
        raise FanousError(f"no inbox at {options.inbox}: name the folder that `fanous collect --inbox` fills")
    check_inbox(options.inbox)
    with reaching(options) as reach:
        bringing = Bringing(reach, detects=not options.no_detect)
        _drain_all(options.inbox, bringing)
    say(bringing)


class Draining:
    """A child process that owns the store and drains the inbox into it; restarted if it dies.

    However this process ends, the child ends too, because it then sees the end of its pipe.

    Attributes:
        last: seconds that the child gets once this process has to stop.
    """

    def __init__(self, inbox: Path, store: Path) -> None:
        self._inbox, self._store = inbox, store
        self._stopping = threading.Event()
        self.last = LAST_SECONDS
        self._thread = threading.Thread(target=self._watch, name="draining")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Waits until acknowledged measurements are in the store, but no longer than ``last``."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        from fanous.collector.inbox import sealed_files

        # A terminal, and systemd, signal every process of the group.  The child inherits the signals blocked
        # in this thread, so it does not die before it can ignore them; the main thread handles them.  The
        # resource tracker is started first, because Python 3.11 unblocks the signals when it starts it.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        spawning = multiprocessing.get_context("spawn")
        while True:
            theirs, ours = spawning.Pipe(duplex=False)
            child = spawning.Process(target=drain_until_closed, args=(self._inbox, self._store, theirs))
            child.start()
            theirs.close()
            while child.is_alive() and not self._stopping.wait(0.2):
                pass
            ours.close()
            child.join(max(0.1, self.last) if self._stopping.is_set() else None)
            if child.is_alive():
                child.kill()
                child.join()
                if sealed_files(self._inbox):
                    log.warning(logline("left_in_the_inbox", until="the next start"))
            if self._stopping.is_set():
                return
            log.error(logline("draining_ended", exitcode=child.exitcode, restart_in=DRAIN_SECONDS))
            self._stopping.wait(DRAIN_SECONDS)


def drain_until_closed(inbox: Path, store: Path, lifeline: Connection) -> None:
    """Drain again and again, and once more after ``lifeline`` is closed at its other end."""
    from fanous.store.local import open_store

    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)  # signals reach both processes; the parent decides when to stop
    log_to_stderr()
    is_closed = False
    while not is_closed:
        try:
            with open_store(store) as opened:
                if not lifeline.poll(0):
                    Bringing(
                        StoreAccess(opened)
                    ).detect()  # detect what was stored before a stop but not examined
                while not is_closed:
                    is_closed = lifeline.poll(DRAIN_SECONDS)
                    _drain_all(inbox, Bringing(StoreAccess(opened), detects=not is_closed))
        except FanousError as error:
            log.error(logline("not_drained", again_in=DRAIN_SECONDS, why=str(error)))
            is_closed = is_closed or lifeline.poll(DRAIN_SECONDS)


def _drain_all(inbox: Path, bring_in: Bringing) -> None:
    from fanous.collector.inbox import drain as drain_once

    while drain_once(inbox, bring_in).more:
        pass
