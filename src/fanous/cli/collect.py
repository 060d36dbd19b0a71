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
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from fanous.cli.common import ConfigOption, StoreAccess, is_given, reaching, say
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

STOPPING = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("fanous.collector")


def collect(
    context: typer.Context,
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST:PORT", help="Address to listen on; port 0: any free port."),
    ] = "127.0.0.1:8471",
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Write measurements to this folder only.")
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(
            "--queue",
            envvar="FANOUS_QUEUE",
            metavar="URL",
            help="Write to a stream on NATS servers (nats://a,b,c), shared with other collectors; keep "
            "nothing locally. If the address has a password, give it only in the environment.",
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", envvar="FANOUS_STORE", help="Also move measurements into this store."),
    ] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option("--trust-proxy", metavar="NETWORK", help="Trust X-Forwarded-For from this network."),
    ] = None,
    networks: Annotated[
        Path | None,
        typer.Option(
            "--networks",
            metavar="FILE",
            help="Table of networks by address (TSV or CSV as from iptoasn.com: first, last, ASN, country), "
            "instead of the one included; none: derive nothing from addresses.",
        ),
    ] = None,
    urls: Annotated[
        Path | None,
        typer.Option("--urls", metavar="FILE", help="Test list (CSV) given to probes that check in."),
    ] = None,
    orders: Annotated[
        Path | None,
        typer.Option(
            "--orders", metavar="FILE", help="Signed orders to hand out, as written by `fanous orders sign`."
        ),
    ] = None,
    helper_url: Annotated[
        str, typer.Option("--helper-url", metavar="URL", help="URL at which probes reach the test helper.")
    ] = "",
    per_address: Annotated[
        float, typer.Option("--per-address", min=0.01, help="Requests per second allowed from one address.")
    ] = 10,
    connections: Annotated[
        int, typer.Option("--connections", min=16, help="Connections that may be open at once.")
    ] = 2000,
    address_mb: Annotated[
        int,
        typer.Option(
            "--address-mb", min=1, help="MiB of measurements an hour, unpacked, allowed from one address."
        ),
    ] = 256,
    network_mb: Annotated[
        int,
        typer.Option(
            "--network-mb", min=1, help="MiB of measurements an hour, unpacked, allowed from one network."
        ),
    ] = 1024,
    network_day_mb: Annotated[
        int,
        typer.Option(
            "--network-day-mb",
            min=1,
            help="MiB a day that one network may add to the archive, before compression; one address, a quarter.",
        ),
    ] = 2048,
    contact: Annotated[
        str,
        typer.Option(
            "--contact", help="Contact address, shown on the page /why to people whose addresses we ping."
        ),
    ] = "",
    status: Annotated[
        str, typer.Option("--status", metavar="HOST:PORT", help="Serve /readyz and /metrics at this address.")
    ] = "",
    helper_never: Annotated[
        list[str] | None,
        typer.Option(
            "--helper-never",
            metavar="NETWORK",
            help="Address or network that the test helper never connects to; may be repeated.",
        ),
    ] = None,
    helper_neighbours: Annotated[
        bool,
        typer.Option(
            "--helper-neighbours",
            help="Let the test helper connect to addresses in the same /24 or /64 as this machine's.",
        ),
    ] = False,
    open_to_all: Annotated[
        bool,
        typer.Option(
            "--open-to-all/--own-probes",
            help="Whether strangers may send, so that measurements are unvouched and what one address sends in a day "
            "counts as one probe; or every probe that can reach this address is yours, and each run counts.",
        ),
    ] = True,
    credentials: Annotated[
        Path | None,
        typer.Option(
            "--credentials",
            metavar="FILE",
            help="Keys with which credentials are issued to volunteers, made at the first start; give collectors "
            "that work together the same file. With --store, they are in the store's folder.",
        ),
    ] = None,
    new_credentials: Annotated[
        bool,
        typer.Option(
            "--new-credentials",
            help="Make new keys first: every credential issued so far becomes void, and volunteers' probes "
            "register again by themselves.",
        ),
    ] = False,
    network_day_credentials: Annotated[
        int,
        typer.Option(
            "--network-day-credentials",
            min=0,
            help="Credentials a day that one network (ASN) may be given; one neighbourhood (/24 or /48), one.",
        ),
    ] = 100,
    lab: Annotated[
        bool, typer.Option("--lab", help="Let the test helper connect to private addresses.")
    ] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE.pem",
            help="With --lab: authorities that the test helper trusts instead of Mozilla's.",
        ),
    ] = None,
) -> None:
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
    if any(is_given(context, name) for name in ("inbox", "queue", "store")):
        # The variables are set for all commands; options given here take precedence.
        queue = queue if is_given(context, "queue") else None
        store = store if is_given(context, "store") else None
    if [inbox, store, queue].count(None) != 2:
        raise typer.BadParameter("give exactly one of --inbox, --store and --queue")
    if store is not None:  # before acknowledging a measurement that could not be stored
        check_folder(store, must_exist=False)
        check_parts(in_folder(store))
    if inbox is not None:
        check_inbox(inbox)
    try:
        door = DoorSettings(
            trust_proxy=tuple(trust_proxy or ()),
            networks=networks,
            urls=urls,
            orders=orders,
            helper_url=helper_url,
            per_address=per_address,
            connections=connections,
            address_mb=address_mb,
            network_mb=network_mb,
            network_day_mb=network_day_mb,
            contact=contact,
            helper_never=tuple(helper_never or ()),
            helper_neighbours=helper_neighbours,
            open_to_all=open_to_all,
            credentials=credentials,
            network_day_credentials=network_day_credentials,
            lab=lab,
            ca_file=ca_file,
        )
    except WrongKey as error:
        raise FanousError(f"--{error.key.replace('_', '-')}: {error}") from error
    log_to_stderr()
    door = with_keys(door, store, time.time(), renew=new_credentials)
    if networks or orders or ca_file or door.credentials:
        policy_of(door, time.time)  # unreadable files are reported before anything begins
    listening = listening_socket(*host_and_port(listen))
    raise_descriptors()
    if queue is not None:
        collect_into_stream(listening, queue, *policy_of(door, time.time), status)
        return
    counts = DoorCounts()
    waiting = inbox if store is None else inbox_of(store)
    assert waiting is not None  # one of the two is given
    beside = _status_of(waiting, status, counts) if status else None
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


def drain(
    inbox: Annotated[
        Path | None, typer.Argument(metavar="[INBOX]", help="Folder written by a collector.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option("--store", envvar="FANOUS_STORE", help="Folder of the store.")
    ] = None,
    config: ConfigOption = None,
    queue: Annotated[
        str | None,
        typer.Option(
            "--queue",
            envvar="FANOUS_QUEUE",
            metavar="URL",
            help="Instead of an inbox, read this stream of collectors.",
        ),
    ] = None,
    part: Annotated[
        str, typer.Option("--part", help="Part of the stream to read: main, apart or refused.")
    ] = "main",
    follow: Annotated[bool, typer.Option("--follow", help="Keep reading the stream until stopped.")] = False,
    no_detect: Annotated[
        bool, typer.Option("--no-detect", help="Only store and judge; leave detection to `fanous detect`.")
    ] = False,
) -> None:
    """Move what collectors have received from an inbox or a stream into a store."""
    from fanous.collector.inbox import check_inbox

    if inbox is not None and queue == os.environ.get("FANOUS_QUEUE"):
        queue = None  # the variable is set for all commands; an inbox given here takes precedence
    if (inbox is None) == (queue is None):
        raise typer.BadParameter("name an INBOX or a --queue: one of the two")
    if queue is not None:
        drain_stream(queue, part, follow, store, config, detects=not no_detect)
        return
    if inbox is None or not inbox.is_dir():
        raise FanousError(f"no inbox at {inbox}: name the folder that `fanous collect --inbox` fills")
    check_inbox(inbox)
    with reaching(store, config) as reach:
        bringing = Bringing(reach, detects=not no_detect)
        _drain_all(inbox, bringing)
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
