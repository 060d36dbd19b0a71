"""Live: tells open pages that something changed, by server-sent events.

The change itself is not sent. The page fetches itself again, so that there is only one way to make it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from logging import LogRecord, getLogger
from random import randint
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fanous.collector.limits import places_of
from fanous.collector.server import connections_at_most
from fanous.model.instant import MINUTE
from fanous.pipeline.scheduler import Task, supervise
from fanous.store.location import DataLost
from fanous.store.protocol import Store
from fanous.web.answers import Answers
from fanous.web.limits import STREAMS_OF_ONE

POLL_SECONDS = 1.5
"""Seconds between polls; as a change empties the shelf, pages are up to date within 5 s."""

KEEP_ALIVE_SECONDS = 15
"""Seconds between comments on the stream, since proxies close silent connections."""

MOST_STREAMS = 2000
"""Most streams; at most half of all connections, so that pages can still be loaded."""


REFUSED_SECONDS = 45, 90
AGAIN_MS = 3000, 8000
"""Milliseconds after which a page that was refused or cut off reconnects: random between the two, so that not all
pages reconnect at once after a restart, and again after the resulting refusals."""


class Live:
    """The state of the ledger, queried once for all listeners."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._state, self._found = "", ""
        self._asked = 0.0
        self._asking: asyncio.Task[str] | None = None
        self._streams = 0
        self._of: Counter[str | None] = Counter()

    async def stream(self, request: Request) -> Response:
        """Answers ``/live``."""
        limits = self._answers.site.limits
        address = limits.caller(request)
        caller = places_of(address)[0] if address else None
        most = min(MOST_STREAMS, connections_at_most(limits.connections) // 2)
        if self._streams >= most or (caller and self._of[caller] >= STREAMS_OF_ONE):
            later = str(randint(*REFUSED_SECONDS))
            return Response(status_code=503, headers={"Retry-After": later, "Cache-Control": "no-store"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(caller), media_type="text/event-stream", headers=headers)

    async def _events(self, caller: str | None = None) -> AsyncIterator[str]:
        self._streams += 1
        self._of[caller] += 1
        try:
            yield f"retry: {randint(*AGAIN_MS)}\n\n"
            said, at = "", monotonic()
            while True:
                state = await self.state()
                if state != said:
                    said, at = state, monotonic()
                    yield f"event: state\ndata: {state}\n\n"
                elif monotonic() - at > KEEP_ALIVE_SECONDS:
                    at = monotonic()
                    yield ": still here\n\n"
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self._streams -= 1
            self._of[caller] -= 1
            if not self._of[caller]:
                del self._of[caller]

    @asynccontextmanager
    async def watching(self, _app: object) -> AsyncGenerator[None]:
        """Runs while the application does: a change empties the shelf whether or not anyone listens, so that pages
        kept for long are up to date."""
        getLogger("uvicorn.error").addFilter(is_news)
        stop = asyncio.Event()
        watch = asyncio.ensure_future(supervise([Task("pages_watch", lambda: self._watch(stop))], stop))
        try:
            yield
        finally:
            stop.set()
            with suppress(
                asyncio.CancelledError
            ):  # the store is slow and the monitor is stopping: do not wait
                await watch
            watch.cancel()

    async def _watch(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.state()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    async def state(self) -> str:
        """A value that changes each minute and whenever an incident, claim or event does; not older than
        ``POLL_SECONDS``."""
        if monotonic() - self._asked >= POLL_SECONDS:
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask())
            await asyncio.shield(self._asking)
        return self._state

    async def _ask(self) -> str:
        began, now = monotonic(), self._answers.site.clock()
        try:
            reply = await self._answers.ask(_written)
            self._answers.lost_at = None
        except DataLost:
            self._answers.lost_at = self._answers.lost_at or now
            reply = f"lost.{self._answers.lost_at:.0f}"
        finally:
            self._asking = None
        if reply != self._found:
            self._answers.forget()
        self._found, self._asked = reply, began
        self._state = f"{reply}-{int(now // MINUTE)}"
        return self._state


def is_news(record: LogRecord) -> bool:
    """Filter for uvicorn's log: on shutdown, cutting a stream, or the server's own wait for the end, is not an
    error."""
    kind, message = record.exc_info[0] if record.exc_info else None, str(record.msg)
    cut = kind is not None and issubclass(kind, asyncio.CancelledError)
    waited = message.startswith("Traceback") and message.rstrip().endswith("CancelledError")
    return not cut and not waited and not message.startswith("Cancel %s running task(s)")


def _written(store: Store) -> str:
    """Counts of what the ledger contains; rows are only ever added."""
    store.check_whole()
    return ".".join(map(str, store.ledger.written()))
