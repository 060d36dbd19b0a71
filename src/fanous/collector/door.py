"""Door: the routes of the collector; each reads a request, calls a pure function, and answers.

Routes as in ooni/backend, ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py and
.../routers/v1/probe_services.py; the test helper as in ooni/probe-cli, internal/oohelperd/handler.go.

Acknowledged measurements wait for the owner of the store in one of two kinds of queue:
``collector.inbox.Inbox``, one collector's folder, or ``collector.stream.publish.QueueStream``, a replicated
stream filled by any number of collectors.

The collector also serves a page for people who see our pings and want to know why, or want them to stop.
"""

import asyncio
import gc
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Protocol, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fanous.base.confine import Grant
from fanous.base.threads import Threads
from fanous.collector.credentials import PROOFS, Checks, Credentials, NoCredentials
from fanous.collector.helper import Helper, asked_of
from fanous.collector.inbox import SEAL_SECONDS, Inbox
from fanous.collector.limits import (
    CONNECTING,
    HEAD_SECONDS,
    HELPER,
    KEPT,
    MOST_CONNECTIONS,
    SUBMISSIONS,
    VOLUME,
    ConnectionLimits,
    Limiter,
    RateLimits,
    Room,
)
from fanous.collector.origin import NOBODY, Network, NoOrigins, Origin, Origins, client_address, is_within
from fanous.collector.request import MOST_BYTES, WINDOW_SECONDS, OneLength, Refused, body_of, plain
from fanous.collector.server import LoopThread, connections_at_most, server_config
from fanous.collector.server import serve as serve_app
from fanous.collector.services import (
    NOT_HERE,
    TOKEN_BYTES,
    ListedUrl,
    check_in,
    known_helpers,
    logged_in,
    no_measurement,
    registered,
)
from fanous.collector.submission import (
    RANDOM_BYTES,
    Apart,
    LoneMeasurement,
    ReportId,
    Senders,
    Submission,
    VerificationStatus,
    accepted,
    open_report,
    parse_report_id,
    receive,
    sent_alone,
)
from fanous.collector.volunteers import Volunteers
from fanous.log import logline
from fanous.probe.metrics import Metric
from fanous.probe.orders import SignedOrders
from fanous.scan.rounds import MOST_AN_HOUR

T = TypeVar("T")


class Queue(Protocol):
    """Where measurements are kept until the store takes them; belongs to one event loop."""

    async def keep(self, submission: Submission) -> None:
        """Returns once the measurement is safe; only then may it be acknowledged.

        Raises:
            Refused: not now; nothing is lost if the client tries again.
        """

    async def tend(self) -> None:
        """Recurring work; runs until cancelled."""

    async def close(self) -> None:
        """Finish work in progress."""


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Why do you see this?</title>
<h1>Why do you see pings from this machine?</h1>
<p>It checks whether blocks of internet addresses can be reached, so that the public learns when a country
or a network is cut off. It is part of <b>Fanous</b>, an open monitor of internet disruptions.</p>
<ul>
<li>Every request is one ping (ICMP echo). Nothing else is sent, and no port is tried.</li>
<li>A block of 256 addresses gets at most {most} pings in an hour, all addresses together.</li>
<li>Only addresses that have answered before are pinged.</li>
<li>Only counts of blocks are kept and published, never an address.</li>
</ul>
<p>Do you want this to stop? {contact} and name your network: it will never be pinged again.</p>
</html>
"""


def page(contact: str) -> str:
    """The page as HTML.

    Args:
        contact: the operator's mail address or other text; empty = none given.
    """
    how = f"Write to {escape(contact)}" if contact else "Write to the contact in this machine's reverse DNS"
    return _PAGE.format(most=MOST_AN_HOUR, contact=how)


SMALL = 64 << 10
"""Most bytes of body for any request but a submission."""

DECODERS = 2
"""Threads that decode and clean bodies, even small ones, so that a large body holds up no one in the event loop."""


FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers in which a proxy says for whom it asks."""

UNNAMED_PROXY = (
    "this request came through a proxy that the collector does not know, so who sent it is unknown: name the proxy's "
    "address in trust_proxy of [collector] (or --trust-proxy); a sender behind a proxy of their own uses https"
)


@dataclass(slots=True)
class DoorCounts:
    """What came through a door since it opened.

    Attributes:
        received: measurements that were acknowledged, by ``Apart`` (``main`` = those that are judged), including those
            sent again.
        refused: requests of any kind that were refused, by status code.
        proofs: measurements that came with a proof of their sender, by what became of it.
    """

    received: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    proofs: Counter[str] = field(default_factory=Counter)

    def metrics(self) -> list[Metric]:
        """For Prometheus."""
        received = (
            "Measurements acknowledged since the collector started; kept: main, or why they are kept apart"
        )
        proofs = "Measurements with a proof of their sender: verified, failed, or unverified (not checked)"
        refused = "Requests refused since the collector started, by status code"
        families: tuple[tuple[str, str, str, Iterable[Any], Counter[Any]], ...] = (
            ("received", received, "kept", ("main", *Apart), self.received),
            ("proofs", proofs, "status", VerificationStatus, self.proofs),
            ("refused", refused, "status", sorted(self.refused), self.refused),
        )
        return [
            Metric(f"fanous_collector_{name}_total", counter[key], text, ((label, str(key)),), "counter")
            for name, text, label, keys, counter in families
            for key in keys
        ]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a collector treats its clients.

    Attributes:
        trusted: our own proxies, whose ``X-Forwarded-For`` is trusted.
        helper_url: where probes reach the test helper; empty = the address at which they reached this
            collector.
        urls: what probes are told to measure.
        orders: handed out unchanged; ``None`` = there are none.
        window: seconds within each of which some of a body must arrive.
        head: seconds for the head of a request to arrive.
        volume: allowed bytes of measurements, unpacked.
        kept: allowed bytes of measurements that go into the archive.
        connections: most open connections in all; the number of descriptors may allow fewer.
        clock: unix seconds, UTC; a lab's may differ from the machine's.
        contact: whom to write to, shown to people who see our pings; empty = none given.
        open_to_all: whether strangers send, too: see ``DoorSettings``.
        credentials: issues them and checks proofs.
        proofs: of one address and of one network that are checked.
        volunteers: the days on which those measured whose proofs held; ``None`` = no one becomes known.
    """

    trusted: Sequence[Network] = ()
    origins: Origins = field(default_factory=NoOrigins)
    helper_url: str = ""
    urls: Sequence[ListedUrl] = ()
    orders: SignedOrders | None = None
    submissions: RateLimits = SUBMISSIONS
    helper: RateLimits = HELPER
    window: float = WINDOW_SECONDS
    head: float = HEAD_SECONDS
    volume: RateLimits = VOLUME
    kept: RateLimits = KEPT
    connections: int = MOST_CONNECTIONS
    clock: Callable[[], float] = time.time
    contact: str = ""
    open_to_all: bool = True
    credentials: Credentials = field(default_factory=NoCredentials)
    proofs: RateLimits = PROOFS
    volunteers: Volunteers | None = None

    @property
    def writes(self) -> tuple[Path, ...]:
        """Folders in which a door writes, apart from its inbox."""
        return self.volunteers.folders if self.volunteers is not None else ()


class Door:
    """State of one running collector."""

    def __init__(self, queue: Queue, helper: Helper, policy: Policy, counts: DoorCounts) -> None:
        self._queue = queue
        self._counts = counts
        self._say_apart_next: dict[Apart, float] = {}
        self._say_unnamed_next = 0.0
        self._helper = helper
        self._policy = policy
        self._submissions = Limiter(policy.submissions)
        self._asks = Limiter(policy.helper)
        self._volume = Limiter(policy.volume)
        self._archive = Limiter(policy.kept)
        # A separate thread, so that the helper's fetches and look-ups hold up no measurement.
        self._helping = LoopThread("helper")
        self._room = Room()
        self._senders = Senders()
        self._checks = Checks(policy.credentials, policy.proofs)
        # A separate pool, since look-ups for the test helper may occupy all of the loop's threads.
        # Nothing in it has been acknowledged, so the process can end without waiting for it.
        self._decoding = Threads(DECODERS, "decoding")
        # So that a question, which takes a millisecond at most, does not wait for measurements that take seconds.
        self._reading = Threads(1, "reading")

    async def open(self, request: Request) -> Response:
        """``open_report``."""
        now = self._policy.clock()
        return _json(
            await self._asked(request, lambda body: open_report(body, now, os.urandom(RANDOM_BYTES)))
        )

    async def submit(self, request: Request) -> Response:
        """``receive_measurement``: acknowledged once the measurement is safe."""
        address = self._admitted(request)
        report = parse_report_id(request.path_params["report_id"])
        origin = self._policy.origins.of(address)

        def received(body: bytes) -> tuple[Submission, None]:
            now = self._policy.clock()
            return receive(
                report, body, address, origin, now, self._sender(address, origin, report, now)
            ), None

        async with self._received(request, received, address) as (submission, _):
            return await self._kept(submission, {"measurement_uid": submission.uid})

    async def submit_alone(self, request: Request) -> Response:
        """``submit_measurement``: the same for a measurement without a report, and with a proof of its sender."""
        address = self._admitted(request)
        origin = self._policy.origins.of(address)

        def received(text: bytes) -> tuple[Submission, tuple[LoneMeasurement, ReportId]]:
            sent, now = sent_alone(text), self._policy.clock()
            report = self._senders.report_of(sent.content, address, now)
            body = b'{"content":%s}' % sent.content.encode()
            sender = self._sender(address, origin, report, now)
            submission = receive(report, body, address, origin, now, sender)
            return submission, (sent, report)

        async with self._received(request, received, address) as (submission, (sent, report)):
            sender = await self._checks.verify(sent, report, address)
            if sender.error or sender.name:
                self._counts.proofs[sender.status] += 1
            if sender.name:
                is_known, now = False, self._policy.clock()
                if self._policy.volunteers is not None and submission.apart is None:
                    name = self._senders.name_of(address, now)
                    is_known = self._policy.volunteers.has_measured(sender.name, name, now)
                submission = submission.proved_by(sender.name, is_known=is_known)
            return await self._kept(submission, accepted(submission.uid, report, sender))

    def _sender(self, address: str, origin: Origin, report: ReportId, now: float) -> str:
        """The name of a stranger; empty = the operator answers for every sender."""
        if not self._policy.open_to_all:
            return ""
        if origin.contradicts(report.country, report.asn):
            return self._senders.name_of_claim(report.asn, now)
        return self._senders.name_of(address, now)

    @asynccontextmanager
    async def _received(
        self, request: Request, received: Callable[[bytes], tuple[Submission, T]], address: str
    ) -> AsyncIterator[tuple[Submission, T]]:
        """Read a body and derive what to keep, and keep its place in memory until the end of the context."""
        async with self._room.holding(address) as held:

            def take(count: int) -> None:
                self._volume.admit(address, time.monotonic(), count)
                held.take(count)

            sent = await body_of(request, MOST_BYTES, take, window=self._policy.window)
            held.arrived()
            encoding = request.headers.get("content-encoding", "")

            def work() -> tuple[Submission, T]:
                body = plain(sent, encoding)
                if len(body) > len(sent):
                    self._volume.admit(address, time.monotonic(), len(body) - len(sent))
                submission, rest = received(body)
                if submission.apart is None:
                    self._archive.admit(address, time.monotonic(), len(submission.line))
                return submission, rest

            loop = asyncio.get_running_loop()
            submission, rest = await loop.run_in_executor(self._decoding, work)
            held.take(max(0, len(submission.line) - len(sent)))
            yield submission, rest

    async def _kept(self, submission: Submission, answer: object) -> Response:
        """Answer once a measurement is safe."""
        await self._queue.keep(submission)
        return _json(self._counted(submission, answer))

    def _counted(self, submission: Submission, answer: object) -> object:
        """The answer, extended to say whether the measurement is kept apart (``x_apart``)."""
        self._counts.received[submission.apart or "main"] += 1
        if submission.apart is None:
            return answer
        now = time.monotonic()
        if now >= self._say_apart_next.get(submission.apart, 0.0):
            self._say_apart_next[submission.apart] = now + SAID_SECONDS
            total = self._counts.received[submission.apart]
            log.warning(logline("kept_apart", reason=submission.apart, measurements=total))
        return msgspec.to_builtins(answer) | {"x_apart": str(submission.apart)}

    async def register(self, request: Request) -> Response:
        """``probe_register_post``."""
        return _json(await self._asked(request, lambda body: registered(body, token_urlsafe(TOKEN_BYTES))))

    async def log_in(self, request: Request) -> Response:
        """``probe_login_post``."""
        token, now = token_urlsafe(TOKEN_BYTES), self._policy.clock()
        return _json(await self._asked(request, lambda body: logged_in(body, token, now)))

    async def manifest(self, request: Request) -> Response:
        """``manifest``: what a client needs to ask for a credential and to prove it."""
        self._admitted(request)
        response = _json(self._policy.credentials.manifest(str(request.url)))
        response.headers["cache-control"] = "max-age=60"  # setcacheresponse("1m")
        return response

    async def sign(self, request: Request) -> Response:
        """``sign_credential``."""
        address = self._admitted(request)
        asn, now = self._policy.origins.of(address).asn, self._policy.clock()

        def signed(body: bytes) -> dict[str, Any]:
            return self._policy.credentials.sign(body, address, asn, now)

        return _json(await self._small(request, address, signed))

    async def meta(self, request: Request) -> Response:
        """``get_measurement_meta``."""
        self._admitted(request)
        return _json(no_measurement(request.query_params, raw=False))

    async def raw(self, request: Request) -> Response:
        """``get_raw_measurement``."""
        self._admitted(request)
        return _json(no_measurement(request.query_params, raw=True))

    async def not_here(self, request: Request) -> Response:
        """A service of OONI's that a collector does not offer (``NOT_HERE``)."""
        self._admitted(request)
        _, status, words, code = NOT_HERE[request.scope["route"].path]
        raise Refused(status, words, error=code)

    async def _asked(self, request: Request, work: Callable[[bytes], T]) -> T:
        return await self._small(request, self._admitted(request), work)

    async def close(self, _request: Request) -> Response:
        """``close_report``: there is nothing to close."""
        return _json({})

    async def check_in(self, request: Request) -> Response:
        """``check_in``."""
        address = self._admitted(request)
        origin = self._policy.origins.of(address)
        helper, urls, now = self._helper_url(request), self._policy.urls, self._policy.clock()

        def work(body: bytes) -> dict[str, Any]:
            return check_in(
                body, origin, urls, helper, now, lambda: os.urandom(RANDOM_BYTES), self._policy.orders
            )

        return _json(await self._small(request, address, work))

    async def helpers(self, request: Request) -> Response:
        """``list_test_helpers``."""
        return _json(known_helpers(self._helper_url(request)))

    async def ask_helper(self, request: Request) -> Response:
        """``Handler.ServeHTTP`` of the test helper."""
        address = self._address(request)
        self._asks.admit(address, time.monotonic())
        asked = await self._small(request, address, asked_of)
        answer = self._helper.answer(asked, request.headers.get("user-agent", ""))
        return _json(await self._helping.run(answer))

    async def greet(self, _request: Request) -> Response:
        """``Handler.ServeHTTP`` for GET: a sign of life."""
        return _json({"message": "Hello OONItarian!"})

    async def why(self, _request: Request) -> Response:
        """For people who see the pings of ``fanous scan``."""
        return HTMLResponse(page(self._policy.contact))

    def _admitted(self, request: Request) -> str:
        """The client's address, unless it sends too much."""
        address = self._address(request)
        self._submissions.admit(address, time.monotonic())
        return address

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client else NOBODY
        if any(name in request.headers for name in FORWARDED) and not is_within(peer, self._policy.trusted):
            # Tell the operator, without the peer's address: it may be a volunteer's, behind a proxy of their own.
            now = time.monotonic()
            if now >= self._say_unnamed_next:
                self._say_unnamed_next = now + SAID_SECONDS
                log.warning(logline("refused", why=UNNAMED_PROXY))
            raise Refused(503, UNNAMED_PROXY)
        return client_address(peer, request.headers.getlist("x-forwarded-for"), self._policy.trusted)

    def _helper_url(self, request: Request) -> str:
        return self._policy.helper_url or str(request.base_url).rstrip("/")

    def end(self) -> None:
        """Give up questions to the helper that are under way."""
        self._helping.end()

    async def _small(self, request: Request, address: str, work: Callable[[bytes], T]) -> T:
        """Apply ``work`` to the body of a request that is not a measurement."""
        async with self._room.holding(address) as held:
            body = await body_of(request, SMALL, held.take, window=self._policy.window)
            held.arrived()
            encoding = request.headers.get("content-encoding", "")
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._reading, lambda: work(plain(body, encoding, SMALL)))

    def stop(self) -> None:
        """Forget bodies that wait for a decoder; none of them was acknowledged."""
        self._decoding.forget()
        self._checks.stop()
        self._reading.forget()


def collector_app(
    queue: Queue, helper: Helper, policy: Policy, counts: DoorCounts | None = None
) -> Starlette:
    """The application; it tends the queue while it runs, and closes it at the end.

    Args:
        counts: kept up to date; ``None`` = no one reads them.
    """
    counted = counts or DoorCounts()
    door = Door(queue, helper, policy, counted)

    async def refusal(_request: Request, error: Exception) -> Response:
        response = _refusal(error)
        counted.refused[response.status_code] += 1
        return response

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tending = asyncio.create_task(queue.tend())
        try:
            yield
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
            door.stop()
            await queue.close()
            door.end()

    return Starlette(
        routes=[
            Route("/report", door.open, methods=["POST"]),
            Route("/report/{report_id}", door.submit, methods=["POST"]),
            Route("/report/{report_id}/close", door.close, methods=["POST"]),
            Route("/api/v1/submit_measurement", door.submit_alone, methods=["POST"]),
            Route("/api/v1/check-in", door.check_in, methods=["POST"]),
            Route("/api/v1/test-helpers", door.helpers, methods=["GET"]),
            Route("/api/v1/register", door.register, methods=["POST"]),
            Route("/api/v1/login", door.log_in, methods=["POST"]),
            Route("/api/v1/manifest", door.manifest, methods=["GET"]),
            Route("/api/v1/sign_credential", door.sign, methods=["POST"]),
            Route("/api/v1/measurement_meta", door.meta, methods=["GET"]),
            Route("/api/v1/raw_measurement", door.raw, methods=["GET"]),
            *(Route(path, door.not_here, methods=[method]) for path, (method, *_) in NOT_HERE.items()),
            Route("/why", door.why, methods=["GET"]),
            Route("/", door.ask_helper, methods=["POST"]),
            Route("/", door.greet, methods=["GET"]),
        ],
        middleware=[Middleware(OneLength)],
        exception_handlers={Refused: refusal, HTTPException: refusal},
        lifespan=lifespan,
    )


def _json(document: object) -> Response:
    headers = {"cache-control": "no-cache"}  # setnocacheresponse of ooni/backend
    return Response(msgspec.json.encode(document), media_type="application/json", headers=headers)


def _refusal(error: Exception) -> Response:
    """The answer to a request that is not served, or for which there is no route or method."""
    if isinstance(error, HTTPException):
        response = _json({"detail": error.detail})
        response.status_code = error.status_code
        return response
    if not isinstance(error, Refused):
        raise error
    detail = {"error": error.error, "message": str(error)} if error.error else str(error)
    response = _json({"detail": detail})
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["retry-after"] = str(max(1, round(error.retry_after + 0.5)))
    if error.closes:
        response.headers["connection"] = "close"
    return response


SAID_SECONDS = 60.0
"""Seconds between two log lines about measurements kept apart, for each reason, or about an unnamed proxy."""

IDLE_SECONDS = 30

log = logging.getLogger("fanous.collector")


def grant_of_door(*inbox: Path) -> Grant:
    """A door adds files to its inbox, if it has one, and its test helper connects to what probes ask for."""
    return Grant(writes=inbox, internet=True)


def serve(
    listening: socket.socket,
    inbox: Path | Queue,
    policy: Policy,
    helper: Helper,
    beside: Callable[[asyncio.Event], Coroutine[Any, Any, object]] | None = None,
    counts: DoorCounts | None = None,
) -> float:
    """Run until SIGINT or SIGTERM; requests accepted by then are finished.

    Returns:
        Seconds since that signal.

    Args:
        inbox: where measurements are kept: a folder, or another queue.
        beside: runs at the same time, until its event is set.
        counts: kept up to date.

    Modules loaded by now are hidden from the garbage collector: walking them repeatedly kept one client in
    fifty waiting for 70 ms.
    """

    async def both() -> float:
        stop = asyncio.Event()
        other = asyncio.create_task(beside(stop)) if beside else None
        try:
            return await serving(listening, inbox, policy, helper, counts=counts)
        finally:
            stop.set()
            if other is not None:
                await other

    gc.collect()
    gc.freeze()
    return asyncio.run(both())


async def serving(
    listening: socket.socket,
    inbox: Path | Queue,
    policy: Policy,
    helper: Helper,
    stop: asyncio.Event | None = None,
    *,
    seal_seconds: float = SEAL_SECONDS,
    counts: DoorCounts | None = None,
) -> float:
    """Serve in a running event loop.

    Args:
        seal_seconds: see ``Inbox``.
        counts: kept up to date.
        stop: ends it, leaving signals to the caller; ``None`` = SIGINT and SIGTERM end it.
    """
    queue = Inbox(inbox, seal_seconds=seal_seconds) if isinstance(inbox, Path) else inbox
    limits = ConnectionLimits(
        most=connections_at_most(policy.connections),
        head=policy.head,
        is_exempt=lambda peer: is_within(peer, policy.trusted),
        connecting=max(CONNECTING, policy.submissions, key=lambda rates: rates.address.a_second),
    )
    config = server_config(
        collector_app(queue, helper, policy, counts), limits, timeout_keep_alive=IDLE_SECONDS
    )
    host, port = listening.getsockname()[:2]
    return await serve_app(
        config, listening, stop, lambda: log.info(logline("listening", host=host, port=port))
    )
