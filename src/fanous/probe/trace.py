"""Trace: everything one measurement saw, in the shapes of OONI's data formats df-001 to df-008.

Times are seconds since the measurement began, by a clock that never goes back.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from fanous.probe.net.addresses import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.network import Network, Stream

Entry = dict[str, Any]

INTERRUPTED = "interrupted"
"""df-007 of a step that was given up in the middle, because the time for the whole measurement was over."""


@dataclass(slots=True)
class Trace:
    """The record in the making.

    Attributes:
        until: by ``network.now``: when the measurement is given up as it stands; nothing is tried again for
            which no time is left.
        first_transaction: number of the next chain of steps.
        requests: newest first, as OONI has them.
        quic_pings: our own, ``x_quic_pings``: which versions servers say they speak.
        transfers: our own, ``x_transfers``: rates of pairs, with the time of every read.
        second_opinions: our own, ``x_second_opinions``: what a browser's ClientHello was answered.
        localisations: our own, ``x_localisation``: how far a ClientHello came before it was cut.
        streams: every connection made, so that none stays open where a measurement is cut short.
        closed: it was; a step that ends later makes no connection any more.
        not_tried: addresses that a resolver gave and that no public site has, ``x_not_tried``.
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
        """Answer for a connection: it is closed with the trace, or now, where that was before."""
        self.streams.append(stream)
        if self.closed:
            stream.close()

    def close(self) -> None:
        """Close what is still open; closing twice does no harm."""
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
        """Note one event (df-008) that began at ``t0`` and ends now."""
        self.network_events.append(
            {"operation": operation, "t0": t0, "t": self.at(), "transaction_id": transaction, "failure": None}
            | more
        )


class TracedStream:
    """A stream whose reads and writes stand in the trace."""

    def __init__(self, stream: Stream, trace: Trace, ip: str, port: int, transaction: int) -> None:
        self._stream = stream
        self._trace = trace
        self.ip, self.port, self.transaction = ip, port, transaction
        self._where = {"address": endpoint(ip, port), "proto": "tcp"}

    async def read(self, most: int) -> bytes:
        t0 = self._trace.at()
        try:
            data = await self._stream.read(most)
        except NETWORK_ERRORS as error:
            self._note("read", t0, 0, failure_of(error))
            raise
        self._note("read", t0, len(data), None if data else "eof_error")
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
