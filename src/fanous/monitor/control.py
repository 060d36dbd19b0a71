"""Control: the unix socket next to the store, through which other commands reach it while the monitor runs.

Each request is one typed call (``pipeline.call``), the same that the command would perform on a store that is free.
"""

import asyncio
import os
import socket
import traceback
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any, get_args

import msgspec

from fanous.base.files import disk_errors
from fanous.base.overwrite import refusal
from fanous.errors import FanousError
from fanous.log import logline
from fanous.monitor.tasks import ReadNetworks
from fanous.pipeline.actions import Action
from fanous.pipeline.call import LARGEST, Call, ControlReply, address_of, decoded_call, encoded
from fanous.pipeline.jobs import BringSeries, Detect, Ingest, IngestSeries
from fanous.pipeline.pulls import (
    BringRound,
    PlanMeasurements,
    PullMeasurements,
    PullNewest,
    PullSeries,
    PullSingle,
)
from fanous.pipeline.scheduler import Crash, outcome
from fanous.pipeline.upkeep import Forget, Rejudge, Retain
from fanous.pipeline.vitals import ExamineStore
from fanous.publish.calls import GatherEvidence, PackSeries, WriteExport, WriteReport
from fanous.questions.claims import CheckClaims, ListCorrections, ReportEvent
from fanous.questions.country import ConfirmCountry
from fanous.questions.incident import EstimateCost, ShowIncident
from fanous.questions.listings import ListClaims, ListDeliveries, ListEvents, ListIncidents
from fanous.questions.series import ReadSignals
from fanous.store.location import SOCKET
from fanous.store.protocol import Ask, Store

SECONDS = 10.0
"""Seconds for a request to arrive; it is a single write."""

CALLS: tuple[type[Call[Any]], ...] = (
    *get_args(Action),
    BringRound,
    BringSeries,
    CheckClaims,
    ConfirmCountry,
    Detect,
    EstimateCost,
    ExamineStore,
    Forget,
    GatherEvidence,
    Ingest,
    IngestSeries,
    ListClaims,
    ListCorrections,
    ListDeliveries,
    ListEvents,
    ListIncidents,
    PackSeries,
    PlanMeasurements,
    PullMeasurements,
    PullNewest,
    PullSeries,
    PullSingle,
    ReadNetworks,
    ReadSignals,
    Rejudge,
    ReportEvent,
    Retain,
    ShowIncident,
    WriteExport,
    WriteReport,
)
"""All calls that another process may make."""

log = getLogger("fanous.monitor")


class Local:
    """Performs other processes' calls.

    Args:
        lock: the lock of the store that ``ask`` reaches; we hold it, so a socket found next to it belongs to a dead
            process.
    """

    def __init__(self, ask: Ask, lock: Path) -> None:
        self._ask, self._lock = ask, lock

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
                call = decoded_call(await _whole(reader), CALLS)
            writer.write(msgspec.msgpack.encode(await self._reply(call)))
            await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.warning(logline("asked_in_vain", why=error))
        finally:
            writer.close()

    async def _reply(self, call: Call[Any]) -> ControlReply:
        name = type(call).__name__
        done = await outcome(self._ask(partial(_done, call)))
        if isinstance(done, Crash):
            log.error(logline("asked_crashed", call=name, why=repr(done.error)), exc_info=done.error)
            return ControlReply(crash="".join(traceback.format_exception(done.error)))
        log.info(logline("asked", call=name, why=done.error or None))
        return done


def _done(call: Call[Any], store: Store) -> ControlReply:
    """Perform a call, and encode its result in the store's thread, since the result may still change."""
    try:
        return ControlReply(encoded(call.perform(store)))
    except FanousError as error:
        return ControlReply(error=str(error), permanent=error.permanent)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    data = b""
    while more := await reader.read(65_536):
        data += more
        if len(data) > LARGEST:
            raise OSError(f"the request has more than {LARGEST:,} bytes")
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
