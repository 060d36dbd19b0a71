"""Trace: everything one measurement saw, in the shapes of OONI's data formats df-001 to df-008.

Times are seconds since the measurement began, by a monotonic clock.

A trace is written as one OONI measurement (data format 0.2.0, df-000), without the probe's address.  Our own
keys begin with ``x_``; docs/formats.md lists them.

A step that may have failed by chance is retried, at once and after a pause.  Every attempt is recorded
(``x_attempt``), so the rules see that one worked.  With 20 % loss in both directions, a 5 s connection
attempt fails in one case in twenty, all three attempts in one in ten thousand.
"""

import asyncio
import json
import platform
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any, TypeVar

from fanous import __version__
from fanous.model.measurement import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.network import Network, Stream
from fanous.probe.settings import Settings
from fanous.sources.ooni.content import scrub
from fanous.sources.ooni.document import TooCostly

Entry = dict[str, Any]

INTERRUPTED = "interrupted"
"""df-007 of a step that was interrupted because the time for the whole measurement ran out."""


@dataclass(slots=True)
class Trace:
    """A record being made.

    Attributes:
        until: by ``network.now``: when the measurement is ended as it stands; nothing is retried for which no time is
            left.
        first_transaction: number of the next chain of steps.
        requests: newest first, as in OONI's records.
        quic_pings: our own, ``x_quic_pings``: which versions servers say they speak.
        transfers: our own, ``x_transfers``: rates of pairs, with the time of every read.
        second_opinions: our own, ``x_second_opinions``: the answers to a browser's ClientHello.
        localisations: our own, ``x_localisation``: how far a ClientHello got before it was cut.
        streams: every connection made, so that none stays open if a measurement is cut short.
        closed: whether it is closed; a step that ends later makes no more connections.
        not_tried: addresses from a resolver that no public site can have, ``x_not_tried``.
    """

    network: Network
    started: float = 0.0
    until: float = inf
    queries: list[Entry] = field(default_factory=list)
    tcp_connect: list[Entry] = field(default_factory=list)
    tls_handshakes: list[Entry] = field(default_factory=list)
    quic_handshakes: list[Entry] = field(default_factory=list)
    requests: list[Entry] = field(default_factory=list)
    network_events: list[Entry] = field(default_factory=list)
    quic_pings: list[Entry] = field(default_factory=list)
    transfers: list[Entry] = field(default_factory=list)
    not_tried: list[Entry] = field(default_factory=list)
    second_opinions: list[Entry] = field(default_factory=list)
    localisations: list[Entry] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    first_transaction: int = 1
    closed: bool = False

    def __post_init__(self) -> None:
        self.started = self.started or self.network.now()

    def at(self) -> float:
        return round(self.network.now() - self.started, 6)

    def time_left(self) -> float:
        """Seconds."""
        return self.until - self.network.now()

    def hold(self, stream: Stream) -> None:
        """Take charge of a connection: it is closed with the trace, or at once if the trace is closed."""
        self.streams.append(stream)
        if self.closed:
            stream.close()

    def close(self) -> None:
        """Close what is still open; closing twice is harmless."""
        self.closed = True
        for stream in self.streams:
            stream.close()

    def next_transaction(self) -> int:
        """Number of a new chain of steps (df-008 ``transaction_id``)."""
        self.first_transaction += 1
        return self.first_transaction - 1

    def add(self, other: "Trace") -> None:
        """Take the steps of a trace that began together with this one."""
        for name in ("queries", "tcp_connect", "tls_handshakes", "quic_handshakes", "requests"):
            getattr(self, name).extend(getattr(other, name))
        self.network_events += other.network_events

    def event(self, operation: str, t0: float, transaction: int, **more: Any) -> None:
        """Record one event (df-008) that began at ``t0`` and ends now."""
        self.network_events.append(
            {"operation": operation, "t0": t0, "t": self.at(), "transaction_id": transaction, "failure": None}
            | more
        )


FINE_READS, COARSE = 1_000, 0.01
"""Reads of a connection that are recorded one by one, and seconds within which further ones are recorded as one: a
server that sends byte by byte makes no record of a hundred megabytes."""


class TracedStream:
    """A stream whose reads and writes are recorded in the trace."""

    def __init__(self, stream: Stream, trace: Trace, ip: str, port: int, transaction: int) -> None:
        self._stream = stream
        self._trace = trace
        self.ip, self.port, self.transaction = ip, port, transaction
        self._where = {"address": endpoint(ip, port), "proto": "tcp"}
        self._reads, self._last_read = 0, Entry()

    async def read(self, most: int) -> bytes:
        t0 = self._trace.at()
        try:
            data = await self._stream.read(most)
        except NETWORK_ERRORS as error:
            self._note("read", t0, 0, failure_of(error))
            raise
        if data and self._reads > FINE_READS and t0 < self._last_read["t0"] + COARSE:
            self._last_read |= {"num_bytes": self._last_read["num_bytes"] + len(data), "t": self._trace.at()}
            return data
        self._note("read", t0, len(data), None if data else "eof_error")
        self._reads, self._last_read = self._reads + 1, self._trace.network_events[-1]
        return data

    async def write(self, data: bytes) -> None:
        t0 = self._trace.at()
        try:
            await self._stream.write(data)
        except NETWORK_ERRORS as error:
            self._note("write", t0, 0, failure_of(error))
            raise
        self._note("write", t0, len(data), None)

    def close(self) -> None:
        self._stream.close()

    def _note(self, operation: str, t0: float, count: int, failure: str | None) -> None:
        self._trace.event(operation, t0, self.transaction, num_bytes=count, failure=failure, **self._where)


DATA_FORMAT = "0.2.0"
NO_HELPER = "no_helper"
"""``control_failure`` if no test helper was named."""

SCRUBBED = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ProbeVantage:
    """Where the probe is, as far as it knows; the collector knows better.

    Attributes:
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: 0 = unknown.
        network_type: ``wifi``, ``mobile``, ``wired_or_wifi``, ``vpn``, ``no_internet``; empty = unknown.
        report_id: one per run, so that it counts as one probe.
        run_began: when the run began, in OONI's format, the same for all its measurements; empty = each
            measurement is a separate run.
    """

    country: str = "ZZ"
    asn: int = 0
    network_type: str = ""
    report_id: str = ""
    run_began: str = ""


def envelope(test: str, version: str, url: str, trace: Trace, vantage: ProbeVantage, keys: Entry) -> Entry:
    """A df-000 record with these ``keys``."""
    runtime = trace.at()
    began = moment(trace.network.wall() - runtime)
    return {
        "annotations": {"platform": sys.platform, "network_type": vantage.network_type},
        "data_format_version": DATA_FORMAT,
        "input": url or None,
        "measurement_start_time": began,
        "probe_asn": f"AS{vantage.asn}",
        "probe_cc": vantage.country,
        "probe_ip": SCRUBBED,
        "probe_network_name": "",
        "report_id": vantage.report_id,
        "resolver_asn": "AS0",
        "resolver_ip": SCRUBBED,
        "resolver_network_name": "",
        "software_name": "fanous",
        "software_version": __version__,
        "test_keys": keys,
        "test_name": test,
        "test_runtime": runtime,
        "test_start_time": vantage.run_began or began,
        "test_version": version,
        "x_python": platform.python_version(),
    }


def steps(trace: Trace) -> Entry:
    """The keys that every nettest shares."""
    return {
        "agent": "redirect",
        "client_resolver": SCRUBBED,
        "queries": trace.queries,
        "tcp_connect": trace.tcp_connect,
        "tls_handshakes": trace.tls_handshakes,
        "quic_handshakes": trace.quic_handshakes,
        "requests": trace.requests,
        "network_events": sorted(trace.network_events, key=lambda event: float(event["t"])),
    }


def line(record: Entry, own_addresses: set[str]) -> bytes:
    """One line of JSON, without the addresses of this machine and those that servers report as ours.

    A server whose pages take too long to search loses them: the measurement counts without.
    """
    try:
        return scrub(_encoded(record), sorted(own_addresses))
    except TooCostly:
        kept = record | {"test_keys": record["test_keys"] | {"requests": []}}
        return scrub(_encoded(kept), sorted(own_addresses))


def _encoded(record: Entry) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def moment(instant: float) -> str:
    """In OONI's format; public data are rounded to the minute when published."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S")


T = TypeVar("T")

LOST = frozenset({"generic_timeout_error", "dns_temporary_failure", "dns_servfail_error"})
"""Failures that packet loss can cause: retried at once, and after a pause."""

CUT = frozenset({"connection_reset", "connection_aborted", "eof_error"})
"""Failures that loss never causes, but a busy server may: retried once, after the pause.  Each attempt is one
more trigger from the user's line, so there are no further ones."""

Attempt = Callable[[int], Awaitable[tuple[T | None, str | None]]]
"""Number of the attempt, from 1 -> its result, or its failure."""


async def retried(
    trace: Trace, settings: Settings, needs: float, attempt: Attempt[T], first: int = 1
) -> T | None:
    """The result of an attempt; ``None`` = all failed.

    Args:
        needs: seconds that an attempt may take; none is begun without that much time left.
        first: number of the first attempt made here.
    """
    number, was_delayed = first, not settings.retries
    while True:
        result, failure = await attempt(number)
        at_once = failure in LOST and number == 1
        pause = 0.0 if at_once else settings.retry_delay
        worth = failure in LOST | CUT and not was_delayed and trace.time_left() > pause + needs
        if result is not None or not worth:
            return result
        await asyncio.sleep(pause)
        number, was_delayed = number + 1, not at_once
