"""Intake: moves what waits on disk into the store, judges it and detects; each change is logged.

Measurements that other collectors keep in a NATS stream are moved in the same way.  Messages are acknowledged to the
servers only once they are stored: if killed at any point, the same ones come again, and are recognised by
their identities.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from logging import getLogger
from pathlib import Path

from fanous.collector.inbox import Drained, drain
from fanous.collector.stream.address import StreamAddress
from fanous.collector.stream.pull import Writer, drain_stream
from fanous.log import logline
from fanous.model.incident import Incident
from fanous.model.measurement import Provenance
from fanous.pipeline import detect, ingest, replay
from fanous.pipeline.judge import Ingested, log_rejects
from fanous.pipeline.scheduler import pause
from fanous.store.protocol import Ask, Store
from fanous.wording.narrative import sentence

FINISH_SECONDS = 1.0
"""Seconds for further files when the monitor stops: they are safe in the inbox, and a flood may have filled it."""

log = getLogger("fanous.monitor")


class Intake:
    """Moves what waits in folders into the store.

    Args:
        folders: folders of sealed files, with measurements of ``source``, a source's name.
        every: machine seconds between two checks.
    """

    def __init__(self, ask: Ask, folders: Sequence[Path], source: str, every: float) -> None:
        self._ask, self._folders, self._source, self._every = ask, tuple(folders), source, every

    async def take(self, stop: asyncio.Event) -> None:
        """Run until stopped; begins with what a crash left without facts, and what a stop left undetected.

        Raises:
            DataLost: a part of the store was removed or replaced; called again, it begins by opening it anew.
        """
        await self._ask(_complete)
        await self._ask(detect.detect_all)
        while not stop.is_set():
            await self._ask(lambda store: store.check_whole())
            if not await self.take_once(lambda: not stop.is_set()):
                await pause(stop, self._every)

    async def finish(self) -> None:
        """Take what waits, so that acknowledged measurements are in the store before it is closed; if much is waiting,
        the rest stays on disk for the next start.  Detection is left to the next start too, since it may take
        seconds."""
        until = time.monotonic() + FINISH_SECONDS
        while await self.take_once(lambda: False):
            if time.monotonic() > until:
                log.info(logline("left_in_the_inbox", until="the next start"))
                return

    async def take_once(self, detects: Callable[[], bool] = lambda: True) -> bool:
        """Take some files of each folder; returns whether there are more.

        Args:
            detects: asked once they are stored; if false, they are marked for detection later.
        """
        taken = [
            await self._ask(partial(take_from, folder, self._source, detects)) for folder in self._folders
        ]
        return any(drained.more for drained in taken)


def _complete(store: Store) -> None:
    """Open anew what was removed or replaced, and judge what has no facts; in one go, so that no reader sees less."""
    if store.reopen():
        log.warning(logline("reopened", why="a part of the store had been removed or replaced"))
    replay.finish_interrupted(store, ingest.LATE)


def take_from(folder: Path, source: str, detects: Callable[[], bool], store: Store) -> Drained:
    """Store sealed files of ``folder``, and log what that changed."""
    return drain(folder, lambda files: bring(folder.name, files, source, store, detects))


def bring(
    place: str, files: Sequence[Path], source: str, store: Store, detects: Callable[[], bool] = lambda: True
) -> Ingested:
    """Store files, and log what that changed.

    Args:
        place: where they waited, for the log.
        detects: asked once they are stored.
    """
    began, before = time.monotonic(), _claims(store)
    tally = ingest.ingest(store, source, files, provenance=Provenance.REAL, late=ingest.LATE, detects=False)
    if detects():
        detect.detect_all(store)
    _say_taken(place, len(files), tally, time.monotonic() - began)
    for incident in _claims(store).values():
        earlier = before.get(incident.id)
        if earlier is None or earlier.status != incident.status:
            _say_claimed(incident)
    return tally


def _claims(store: Store) -> dict[str, Incident]:
    """Incidents that today's measurements can change."""
    since = store.now() - ingest.LATE - detect.HISTORY
    return {incident.id: incident for incident in store.ledger.incidents(since=since)}


def _say_taken(place: str, files: int, tally: Ingested, seconds: float) -> None:
    log.info(
        logline(
            "taken",
            folder=place,
            files=files,
            stored=tally.stored,
            duplicate=tally.duplicate,
            rejected=tally.rejected,
            late=tally.late or None,
            ahead=tally.ahead or None,
            seconds=seconds,
        )
    )
    log_rejects(log, tally)
    for remark in tally.remarks:
        log.warning(logline("unusable", left_by="an interrupted run", why=remark))
    for note in ingest.out_of_reach(tally):
        log.warning(logline("out_of_reach", why=note))


def _say_claimed(incident: Incident) -> None:
    log.info(
        logline(
            "incident",
            id=incident.id,
            status=incident.status,
            kind=incident.kind,
            scope=incident.scope,
            says=sentence(incident),
        )
    )


class Streamed:
    """Takes measurements that other collectors keep in a NATS stream.

    Args:
        source: the source of what probes send.
    """

    def __init__(self, ask: Ask, address: StreamAddress, source: str) -> None:
        self._ask, self._address, self._source = ask, address, source

    async def take(self, stop: asyncio.Event) -> None:
        """Run until stopped.

        Raises:
            FanousError: the servers cannot be reached, or the store rejects the messages.
        """
        await asyncio.to_thread(self._take, stop, asyncio.get_running_loop())

    def _take(self, stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        """Runs in a separate thread, since a writer blocks; the store is called in the thread that owns it."""

        async def brought(files: Sequence[Path]) -> Ingested:
            return await self._ask(partial(bring, str(self._address), files, self._source))

        def bring_in(files: Sequence[Path]) -> Mapping[int, str]:
            tally = asyncio.run_coroutine_threadsafe(brought(files), loop).result()
            return {reject.line: reject.why for reject in tally.rejects}

        with Writer(self._address, patience=0) as writer:  # the scheduler retries, and logs it
            while not stop.is_set():
                drain_stream(writer, bring_in)
