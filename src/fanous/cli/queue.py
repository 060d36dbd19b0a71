"""``fanous queue``, and the --queue option of ``fanous collect`` and ``fanous drain``: a stream on NATS
servers.

Imports what collectors received into an open store, and logs the result.
"""

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fanous.cli.common import StoreAccess, print_document, reaching, say
from fanous.cli.options import JsonOptions, StoreOptions, argument, command
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.collector.door import DoorCounts, Policy
    from fanous.collector.helper import Helper
    from fanous.collector.stream.address import StreamAddress
    from fanous.collector.stream.connection import StreamState
    from fanous.collector.stream.publish import QueueStream
    from fanous.collector.stream.pull import Writer
    from fanous.pipeline.judge import Ingested
    from fanous.pipeline.vitals import Vitals


SOURCE = "edge"
"""The source that reads what collectors keep: OONI's data format, one document per line."""


class Bringing:
    """Imports files into a store, and logs the result.

    Args:
        reach: performs calls on it.

    Attributes:
        stored, duplicate, rejected: measurements so far.
    """

    def __init__(self, reach: StoreAccess, *, detects: bool = True) -> None:
        self._reach, self._detects = reach, detects
        self.stored = self.duplicate = self.rejected = 0

    def detect(self) -> None:
        """Detect in what was imported since; countries that other processes work on are left to them."""
        from fanous.pipeline.jobs import Detect

        self._reach(Detect())

    def __str__(self) -> str:
        return f"stored {self.stored:,}, repeated {self.duplicate:,}, rejected {self.rejected:,}"

    def __call__(self, files: Sequence[Path]) -> "Ingested":
        from fanous.model.measurement import Provenance
        from fanous.pipeline import ingest
        from fanous.pipeline.jobs import Ingest
        from fanous.pipeline.judge import log_rejects

        paths = tuple(path.absolute() for path in files)
        tally = self._reach(Ingest(SOURCE, paths, Provenance.REAL, ingest.LATE, self._detects))
        self.stored += tally.stored
        self.duplicate += tally.duplicate
        self.rejected += tally.rejected
        counts = {"stored": tally.stored, "duplicate": tally.duplicate, "rejected": tally.rejected}
        log.info(logline("drained", files=len(files), **counts))
        for note in ingest.out_of_reach(tally):
            log.warning(logline("out_of_reach", why=note))
        log_rejects(log, tally)
        return tally


AGAIN = 5.0
"""Seconds until a store that refused a batch is given it again."""

SHOWN = 20
"""How many of the messages set aside are listed, oldest first."""

log = logging.getLogger("fanous.collector")


def collect_into_stream(
    listening: socket.socket, url: str, policy: "Policy", helper: "Helper", status: str
) -> None:
    """Run until SIGINT or SIGTERM."""
    from fanous.base.confine import confine
    from fanous.collector.door import DoorCounts, grant_of_door, serve
    from fanous.collector.stream.address import parse_address
    from fanous.collector.stream.publish import QueueStream

    stream = QueueStream(parse_address(url))
    counts = DoorCounts()
    beside = _status_of(stream, status, counts) if status else None
    log_to_stderr()
    confine(grant_of_door(*policy.writes))
    serve(listening, stream, policy, helper, beside, counts)


def _status_of(
    stream: "QueueStream", address: str, counts: "DoorCounts"
) -> Callable[[asyncio.Event], Coroutine[Any, Any, object]]:
    """Reports the state of a stream, as of the last check."""
    from fanous.collector.server import listening_socket, serve, server_config
    from fanous.pipeline.status import metrics, status_app
    from fanous.pipeline.vitals import find_ailments
    from fanous.probe.metrics import Metric

    host, port = host_and_port(address, "--status")
    listening = listening_socket(host, port, "--status")

    def ailments() -> list[Any]:
        return find_ailments(vitals_of(stream, time.time()))

    def figures() -> list[Metric]:
        return [*metrics(vitals_of(stream, time.time()), ailments()), *counts.metrics()]

    app = status_app(lambda: stream.ailing, ailments, figures)
    return lambda stop: serve(server_config(app), listening, stop)


def vitals_of(stream: "QueueStream", now: float) -> "Vitals":
    """The backlog of a stream, in the form of an inbox's vitals."""
    from fanous.collector.stream.address import StreamPart
    from fanous.collector.stream.connection import LESSER
    from fanous.model.vitals import Backlog
    from fanous.pipeline.vitals import Vitals

    if not stream.states:
        return Vitals(at=now, machine_at=now)
    main, apart, refused = (
        stream.states[part] for part in (StreamPart.MAIN, StreamPart.APART, StreamPart.REFUSED)
    )
    backlog = Backlog(
        str(stream.address),
        main.messages,
        main.bytes,
        main.since,
        apart.messages,
        refused.messages,
        most=stream.address.bytes,
        apart_bytes=apart.bytes,
        apart_most=stream.address.bytes // LESSER,
    )
    return Vitals(at=now, machine_at=now, backlogs=(backlog,))


def drain_stream(url: str, part: str, follow: bool, store: StoreOptions, *, detects: bool) -> None:
    """Import until nothing is waiting; with ``follow``, until SIGINT or SIGTERM."""
    from fanous.collector.stream.address import StreamPart, parse_address
    from fanous.collector.stream.pull import Writer

    if part not in tuple(StreamPart):
        raise typer.BadParameter(f"{part!r} is not one of {', '.join(StreamPart)}", param_hint="--part")
    address, stopping = parse_address(url), threading.Event()
    if follow:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        log_to_stderr()
    with reaching(store) as reach, Writer(address, StreamPart(part)) as writer:
        bringing = Bringing(reach, detects=False)
        _drain(writer, bringing, follow, stopping, detects)
    say(bringing)


def _drain(
    writer: "Writer", bringing: Bringing, follow: bool, stopping: threading.Event, detects: bool
) -> None:
    from fanous.collector.stream.pull import drain_stream

    def bring_in(files: Sequence[Path]) -> Mapping[int, str]:
        while True:
            try:
                return {reject.line: reject.why for reject in bringing(files).rejects}
            except (
                FanousError
            ) as error:  # the disk is full or a server is down; until that changes, the messages wait here
                if not follow or error.permanent:
                    raise
                log.error(logline("not_stored", again_in=AGAIN, why=str(error)))
                if stopping.wait(AGAIN):
                    raise

    while not stopping.is_set():
        taken = drain_stream(writer, bring_in)
        if taken and detects:
            bringing.detect()
        if not taken and not follow and (writer.part != "main" or not writer.left()):
            return


class QueueOptions(JsonOptions):
    """Options of ``fanous queue``."""

    url: str = argument(
        ...,
        "Stream, such as nats://a,b,c, as given to `fanous collect --queue`.",
        envvar="FANOUS_QUEUE",
        metavar="URL",
    )


@command
def queue(options: QueueOptions) -> None:
    """Show what is waiting in the stream between collectors and store, and what was set aside and why."""
    from fanous.collector.stream.address import parse_address

    address = parse_address(options.url)
    states, refused = asyncio.run(_looked_at(address))
    rows = [
        {
            "part": part,
            "messages": state.messages,
            "bytes": state.bytes,
            "oldest": to_iso(state.since) if state.since is not None else None,
            "replicas": state.replicas,
            "leader": state.leader,
        }
        for part, state in states.items()
    ]
    if options.as_json:
        print_document({"queue": str(address), "parts": rows, "refused": refused})
        return
    for row in rows:
        oldest = f", the oldest since {row['oldest']}" if row["oldest"] else ""
        say(f"{row['part']:8} {row['messages']:>9,} messages, {row['bytes']:,} bytes{oldest}")
    for message in refused:
        say(f"refused  {message['uid'] or '-'}: {message['why']}")


async def _looked_at(address: "StreamAddress") -> "tuple[dict[str, StreamState], list[dict[str, str]]]":
    from fanous.collector.stream.address import StreamPart
    from fanous.collector.stream.connection import connected, made, reasons, state_of

    client = await connected(address)
    try:
        context = await made(client, address)
        states = {str(part): await state_of(context, address, part) for part in StreamPart}
        return states, await reasons(context, address, SHOWN)
    finally:
        await client.close()


def host_and_port(text: str, option: str = "--listen") -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8471", param_hint=option)
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)
