"""Publish: a collector's side of a stream; it keeps nothing itself, so any collector can serve any probe."""

import asyncio
import contextlib
from logging import getLogger

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError

from fanous.collector.request import Refused
from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import (
    ANSWER_SECONDS,
    ID,
    UNANSWERED,
    StreamState,
    connected,
    made,
    pack,
    reason_of,
    state_of,
)
from fanous.collector.submission import Submission
from fanous.errors import FanousError
from fanous.log import logline

SOON = 5.0
"""``Retry-After`` if there is no leader: one is elected within seconds."""

FULL_SECONDS = 300.0
"""``Retry-After`` if the stream is full: its writer is down, or too slow."""

LOOK = 10.0
"""Seconds between two checks of what waits, for ``/metrics``."""

AGAIN = 1.0

_FULL = {10047, 10077, 10023}
"""JetStream's codes: disk full, stream at its maximum size, insufficient resources."""

log = getLogger("fanous.stream")


class QueueStream:
    """A ``Queue`` that connects by itself, and says "later" while it is not connected.

    Attributes:
        states: what waits in each part, as of the last check; empty = not known yet.
        ailing: why nothing can be kept now; empty = no problem.
    """

    def __init__(self, address: StreamAddress) -> None:
        self.address = address
        self.states: dict[StreamPart, StreamState] = {}
        self.ailing = "not connected yet"
        self._client: Client | None = None
        self._context: JetStreamContext | None = None

    async def keep(self, submission: Submission) -> None:
        """Returns when a majority of the servers has the measurement.

        Raises:
            Refused: no leader now, no connection, or the stream is full.
        """
        if self._context is None:
            raise Refused(503, "the queue cannot be reached at the moment", retry_after=SOON)
        part = StreamPart.APART if submission.apart else StreamPart.MAIN
        try:
            await self._context.publish(
                self.address.subject(part),
                pack(submission.line),
                timeout=ANSWER_SECONDS,
                stream=self.address.stream(part),
                headers={ID: submission.uid},
            )
        except APIError as error:
            is_full = error.err_code in _FULL
            self._ail(reason_of(error))
            reason = "the queue is full: try again later" if is_full else "not kept: try again"
            raise Refused(503, reason, retry_after=FULL_SECONDS if is_full else SOON) from None
        except UNANSWERED as error:
            self._ail(reason_of(error))
            raise Refused(
                503, "not kept: the queue does not answer at the moment", retry_after=SOON
            ) from None
        self._ail("")

    async def tend(self) -> None:
        """Connect, and check what waits."""
        while True:
            if self._client is not None and self._client.is_closed:
                await self._disconnect()  # an error that a server reported ends a client for good
            try:
                if self._context is None:
                    self._client = await connected(self.address)
                    self._context = await made(self._client, self.address)
                    self._ail("")
                self.states = {part: await state_of(self._context, self.address, part) for part in StreamPart}
                pause = LOOK
            except FanousError as error:
                self._ail(str(error))
                if self._context is None:
                    await self._disconnect()
                pause = AGAIN
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Nothing to finish: everything published was either acknowledged or refused."""
        await self._disconnect()

    async def _disconnect(self) -> None:
        client, self._client, self._context = self._client, None, None
        if client is not None:
            with contextlib.suppress(*UNANSWERED):
                await client.close()

    def _ail(self, why: str) -> None:
        """Log a line for each change, not for each measurement."""
        if why != self.ailing:
            if why:
                log.error(logline("not_kept", why=why))
            else:
                log.info(logline("keeping", queue=self.address))
            self.ailing = why
