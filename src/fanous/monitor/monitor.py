"""Monitor: all tasks of ``fanous run`` around one store, from its opening to its closing."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Never

from fanous.base.files import disk_errors, make_folder
from fanous.base.threads import Threads, few_arenas
from fanous.collector.door import DoorCounts
from fanous.collector.inbox import OWN, check_inbox
from fanous.collector.limits import ConnectionLimits
from fanous.collector.server import (
    connections_at_most,
    listening_socket,
    raise_descriptors,
    serve,
    serve_apart,
    server_config,
    stopped_by_signals,
)
from fanous.config import Address, data_folder
from fanous.log import logline
from fanous.model.instant import to_iso
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.monitor.control import Local
from fanous.monitor.intake import Intake, Streamed
from fanous.monitor.lists import SiteLists
from fanous.monitor.receiver import door_apart, policy_of, with_keys
from fanous.monitor.rounds import OwnProbe
from fanous.monitor.settings import Configuration
from fanous.monitor.signer import signer_apart
from fanous.monitor.sources import Measurements, Remote, Sources
from fanous.monitor.tasks import Hearing, Selfcheck, Upkeep, tell
from fanous.pipeline.doctor import examine
from fanous.pipeline.retain import Retention
from fanous.pipeline.scheduler import Task, supervise
from fanous.pipeline.status import status_app
from fanous.pipeline.vitals import PullState, Workings, is_offline
from fanous.pipeline.workers import READERS
from fanous.publish.alerts.dispatch import Dispatcher
from fanous.publish.alerts.message import Sender
from fanous.publish.signer import KEY_FILE
from fanous.refdata.watchlist import targets_of
from fanous.sources.connector import Transport
from fanous.sources.publishers import LIVE_SOURCES, SOURCES
from fanous.store.local import open_store
from fanous.store.location import StoreLocation, in_folder
from fanous.store.protocol import Ask, OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.web.limits import limits_of

THREADS = 32
"""Threads for blocking calls: publishers, look-ups of our own probe.  When the monitor stops, it does not wait for
them."""

STOP_SECONDS = 3.9
"""Seconds from the signal to the end.  The store's current work may take longer (detection in a country on a busy
machine) and cannot be interrupted, so the process ends in the middle of it, as if killed; all such work can be
repeated."""

LATEST_SECONDS = 4.1
"""The limit if shutting down itself takes long: threads that wait for each other on a busy machine, a store that
closes.  The rest of the five seconds is for the kernel, which takes half a second on a busy machine to end sixty
threads and to free their memory."""

log = getLogger("fanous.monitor")


def watch(configuration: Configuration, source: str) -> None:
    """Run until SIGINT or SIGTERM, and end the process; measurements acknowledged by then are in the store, or in its
    inbox.

    Args:
        source: the source of what probes send, including our own.

    Raises:
        FanousError: the store is held or cannot be opened, or an address is taken.
    """
    raise_descriptors()
    few_arenas()
    with OneThread(partial(_opened, configuration)) as owner:
        if not asyncio.run(_watch(configuration, owner.ask, source)):
            _end_amid_work()
    log.info(logline("stopped"))
    _end()


def _end_amid_work() -> None:
    why = "the store was at work; nothing is lost, and the next start does it again"
    log.warning(logline("stopped_amid_work", why=why))
    _end()


def _end() -> Never:
    """End the process at once.  Nothing is left to save, and freeing a million objects and the engine would take half a
    second of processor time, which is five seconds on a busy machine."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _opened(configuration: Configuration) -> Store:
    clock = configuration.clock
    store = open_store(configuration.store, clock=clock, staged=bool(clock.notice))
    store.ledger.remember(configuration.review)
    store.ledger.watch(targets_of(configuration.listed()))
    return store


async def _watch(configuration: Configuration, ask: Ask, source: str) -> bool:
    """Run; returns whether everything was finished when it stopped."""
    stop, clock = Stop(_end_amid_work), configuration.clock
    stopped_by_signals(stop)
    asyncio.get_running_loop().set_default_executor(Threads(THREADS, "monitor"))
    intake = Intake(ask, (configuration.inbox, configuration.inbox / OWN), source, configuration.every)
    tasks = tasks_of(configuration, ask, intake, stop)
    if configuration.queue is not None:
        streamed = Streamed(ask, configuration.queue, source)
        tasks.append(Task("queue", lambda: streamed.take(stop)))
    where = configuration.store
    log.info(
        logline(
            "started",
            store=where.archive if isinstance(where, StoreLocation) else where,
            inbox=configuration.inbox,
            queue=configuration.queue,
            clock_rate=clock.rate if clock.notice else None,
            clock_since=to_iso(clock.since) if clock.notice else None,
        )
    )
    await supervise(tasks, stop)
    log.info(logline("stopping"))
    try:
        async with asyncio.timeout(max(0.1, STOP_SECONDS - stop.age)):
            await intake.finish()
    except TimeoutError:
        return False
    return True


class Stop(asyncio.Event):
    """Set when the monitor must end.

    Args:
        at_last: ends the process, from a separate thread, if it has not ended ``LATEST_SECONDS`` later.

    Attributes:
        age: seconds since it was set; 0 = it is not.
    """

    def __init__(self, at_last: Callable[[], None]) -> None:
        super().__init__()
        self._at, self._at_last = 0.0, at_last

    def set(self) -> None:
        if not self._at:
            self._at = time.monotonic()
            last = threading.Timer(LATEST_SECONDS, self._at_last)
            last.daemon = True
            last.start()
        super().set()

    @property
    def age(self) -> float:
        return time.monotonic() - self._at if self._at else 0.0


def tasks_of(configuration: Configuration, ask: Ask, intake: Intake, stop: asyncio.Event) -> list[Task]:
    """The concurrent tasks.

    Raises:
        FanousError: something that restarting a task cannot fix: an address that is taken, a file that cannot be read.
    """
    hearing = Hearing(ask, configuration.clock, stop)
    key = configuration.site.key or data_folder() / KEY_FILE
    tasks = [Task("signer", lambda: signer_apart(key, stop))]
    tasks += [Task("intake", lambda: intake.take(stop)), Task("hearing", hearing.listen)]
    local = Local(ask, _location(configuration.store).lock)
    tasks.append(Task("local", lambda: local.serve(stop)))
    lists = SiteLists(configuration.countries)
    lists.offer()
    tasks.append(Task("lists", lambda: lists.keep(stop)))
    measurements, pullers = _pullers(configuration, ask)
    tasks += [Task(name, partial(puller.pull, stop)) for name, puller in pullers.items()]
    if configuration.retention != Retention():
        upkeep = Upkeep(ask, configuration.retention)
        tasks.append(Task("retention", lambda: upkeep.keep(stop)))
    counts = DoorCounts()
    if configuration.door.on:
        tasks.append(_collector(configuration, counts, stop))
    if configuration.rounds.on:
        probe = OwnProbe(
            configuration.inbox / OWN,
            configuration.rounds,
            configuration.settings,
            configuration.clock,
            lambda: ask(lambda store: store.ledger.events()),
        )
        tasks.append(Task("rounds", lambda: probe.measure(stop)))
        here = configuration.rounds.vantage
        if not here.asn or here.country == UNKNOWN_COUNTRY:
            why = (
                "[rounds] country and asn are not set: nothing is concluded from this machine's measurements"
            )
            log.warning(logline("not_placed", why=why))
        if not configuration.settings.helper:
            why = "[probe] helper is not set: without an outside control, a cut connection proves nothing"
            log.warning(logline("no_helper", why=why))

    def pulls() -> list[PullState]:
        return [state for puller in pullers.values() for state in puller.states.all()]

    inboxes = configuration.inbox, configuration.inbox / OWN
    selfcheck = Selfcheck(ask, _folders(configuration), inboxes, pulls=pulls)
    tasks.append(Task("selfcheck", lambda: selfcheck.watch(stop)))
    if configuration.status is not None:
        counted = counts if configuration.door.on else None
        sockets = Sockets(configuration.status, "[run] status")
        app = status_app(
            selfcheck.unready,
            lambda: selfcheck.ailments,
            lambda: [*selfcheck.figures(), *(counted.metrics() if counted else ())],
            lambda: selfcheck.feed,
        )
        tasks.append(Task("status", lambda: serve(server_config(app), sockets.take(), stop)))
    alerting = configuration.alerting
    dispatcher = Dispatcher(ask, alerting, Sender(alerting.url, configuration.clock.notice))
    tasks += [
        Task(f"alerts {name}", partial(tell, dispatcher, channel, alerting.every, stop))
        for name, channel in alerting.channels.items()
    ]
    if configuration.page is not None:
        workings = Workings(
            selfcheck.vitals,
            lambda: selfcheck.ailments,
            lambda: selfcheck.feed,
            pulls,
            hearing.networks,
            lambda: examine(_folders(configuration)[0]),
            str(configuration.door.listen) if configuration.door.on else "",
        )
        site = site_of(configuration, hearing, measurements, workings)
        tasks.append(_pages(configuration.page, ask, site, stop))
    return tasks


def _pullers(
    configuration: Configuration, ask: Ask
) -> tuple[Measurements, dict[str, Sources | Measurements | Remote]]:
    """What pulls measurements from buckets (which pages ask for what is still to come), and by task whatever pulls."""
    clock, cache, wanted = configuration.clock, data_folder() / "cache", configuration.sources
    buckets = [errand for errand in wanted if SOURCES[errand.source].pulled is Transport.BUCKET]
    measurements = Measurements(ask, buckets, clock, cache)
    pullers: dict[str, Sources | Measurements | Remote] = {}
    if series := [errand for errand in wanted if errand.source in LIVE_SOURCES]:
        pullers["sources"] = Sources(ask, series, clock, cache)
    if buckets:
        pullers["measurements"] = measurements
    if ordered := [errand for errand in wanted if SOURCES[errand.source].pulled is Transport.ORDERS]:
        pullers["remote"] = Remote(ask, ordered, clock)
    return measurements, pullers


def site_of(
    configuration: Configuration, hearing: Hearing, measurements: Measurements, workings: Workings
) -> Site:
    """The settings of the pages, with the warnings that they show."""
    set_ = configuration.site
    return Site(
        url=set_.url,
        notice=configuration.clock.notice,
        clock=configuration.clock,
        world=set_.map,
        heard=hearing.heard,
        incoming=measurements.incoming,
        offline=lambda: is_offline(workings.pulls()),
        key=set_.key,
        token=str(set_.token),
        passphrase=str(set_.passphrase),
        workings=workings,
        alerting=configuration.alerting,
        channels=set_.channels,
        limits=limits_of(set_),
    )


def _pages(address: Address, ask: Ask, site: Site, stop: asyncio.Event) -> Task:
    sockets = Sockets(address, "--port, or `listen` in [run] of the configuration")
    limits = ConnectionLimits(
        most=connections_at_most(site.limits.connections),
        of_one=site.limits.of_one,
        is_exempt=site.limits.is_own,
    )

    async def show(ending: asyncio.Event) -> None:
        listening = sockets.take()
        log.info(logline("pages", url=f"http://{address.host}:{listening.getsockname()[1]}/"))
        await serve(server_config(application(ask, site), limits), listening, ending)

    return Task("pages", lambda: serve_apart("pages", show, stop))


def _folders(configuration: Configuration) -> tuple[Path, ...]:
    """Folders on all disks that the monitor writes to."""
    return *_location(configuration.store).folders, configuration.inbox


def _collector(configuration: Configuration, counts: DoorCounts, stop: asyncio.Event) -> Task:
    sockets = Sockets(configuration.door.listen, "[collector] listen")
    inbox, clock, store = configuration.inbox, configuration.clock, configuration.store
    door = with_keys(configuration.door, store if isinstance(store, Path) else None, clock())
    if door.networks or door.orders or door.credentials:
        policy_of(door, clock)  # unreadable files are reported before anything begins
    check_inbox(inbox)
    with disk_errors(f"open the inbox {inbox}"):
        make_folder(inbox)  # create it now, since the monitor's checks look there
    return Task("collector", lambda: door_apart(sockets.listening, inbox, door, clock, stop, counts, READERS))


class Sockets:
    """The socket of a server's task: bound at once, so that a taken address is reported before anything begins,
    and kept, so that a restarted task cannot fail to get it back.

    Attributes:
        listening: stays open; clients that connect while the task is restarted wait in the kernel's queue.
    """

    def __init__(self, address: Address, key: str) -> None:
        self.listening = listening_socket(address.host, address.port, key)

    def take(self) -> socket.socket:
        """A copy, for a server that closes it at its end."""
        copied = self.listening.dup()
        copied.setblocking(False)
        return copied


def _location(store: Path | StoreLocation) -> StoreLocation:
    return store if isinstance(store, StoreLocation) else in_folder(store)
