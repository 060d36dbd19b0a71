"""Limits: how often one address and one network may call, and how much may be in memory at once.

They are kept only in memory, and forgotten when the process ends.

Clients that open many connections, or send the head of a request byte by byte, are disconnected: uvicorn
limits the silence after a response, but not the time a head may take, nor the number of connections per
address.  (``door`` limits the time for a body where it reads it.)
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from uvicorn.protocols.http.h11_impl import H11Protocol

from fanous.collector.request import Refused

REMEMBERED = 100_000
"""Callers remembered, some 20 MB; the least recent is forgotten first."""

ADDRESS_BITS = {4: 32, 6: 64}
"""A subscriber has one IPv4 address, or any of a /64."""

NETWORK_BITS = {4: 24, 6: 48}
"""The smallest prefix announced separately (IPv4), and what one site is assigned (IPv6)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A sustained rate per second, and ``burst`` at once after a silence (a probe that was offline)."""

    a_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the collector allows."""

    address: RateLimit
    network: RateLimit


SUBMISSIONS = RateLimits(address=RateLimit(10, 600), network=RateLimit(100, 6000))
"""One run over a whole test list makes some 600 measurements; many probes share one CGNAT address."""

HELPER = RateLimits(address=RateLimit(1, 120), network=RateLimit(5, 600))
"""A probe asks once per target; and the helper must not be a tool for overloading other people's servers."""


def submissions_at(a_second: float) -> RateLimits:
    """``SUBMISSIONS`` scaled to what one address may send per second."""
    address, network = SUBMISSIONS.address, SUBMISSIONS.network
    share = a_second / address.a_second
    return RateLimits(
        RateLimit(a_second, max(1, address.burst * share)),
        RateLimit(network.a_second * share, max(1, network.burst * share)),
    )


class Limiter:
    """Token buckets, one for each recent address and network."""

    def __init__(self, rates: RateLimits, remembered: int = REMEMBERED) -> None:
        self._rates = rates
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, address: str, now: float) -> None:
        """Count one call.

        Args:
            now: seconds of a monotonic clock.

        Raises:
            Refused: 429, with the seconds until the next is allowed.
        """
        parsed = ip_address(address)
        for bits, rate in ((ADDRESS_BITS, self._rates.address), (NETWORK_BITS, self._rates.network)):
            key = str(ip_network(f"{address}/{bits[parsed.version]}", strict=False))
            tokens, since = self._buckets.pop(key, (rate.burst, now))
            tokens = min(rate.burst, tokens + (now - since) * rate.a_second)
            self._buckets[key] = (max(tokens - 1, 0) if tokens >= 1 else tokens, now)
            if len(self._buckets) > self._remembered:
                self._buckets.popitem(last=False)
            if tokens < 1:
                wait = (1 - tokens) / rate.a_second
                raise Refused(429, "too many requests from here: slow down", retry_after=wait)


class Room:
    """Bytes of bodies that may be in memory at once, over all clients."""

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def holding(self) -> "Iterator[Held]":
        """A context in which memory is reserved, and released at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            self._left += held.bytes

    def take(self, count: int) -> None:
        """Raises ``Refused`` (503) if there is not enough room."""
        if count > self._left:
            raise Refused(503, "busy: try again soon", retry_after=5, closes=True)
        self._left -= count


class Held:
    """The part of a ``Room`` that one request holds."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def take(self, count: int) -> None:
        self._room.take(count)
        self.bytes += count


HEAD_SECONDS = 15.0
MOST_OF_ONE = 64
"""Many probes may share one CGNAT address; each keeps a connection or two."""


def patient_protocol(
    head_seconds: float = HEAD_SECONDS, most_of_one: int | None = MOST_OF_ONE
) -> type[asyncio.Protocol]:
    """A protocol class for uvicorn.

    Args:
        head_seconds: from the connection, or the first byte of a further request, to the end of its head.
        most_of_one: most open connections per address; ``None`` = unlimited (our own proxy).
    """
    open_now: Counter[str] = Counter()

    class PatientProtocol(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _peer = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
            super().connection_made(transport)
            self._peer = self.client[0] if self.client else ""
            open_now[self._peer] += 1
            if most_of_one is not None and open_now[self._peer] > most_of_one:
                transport.close()
                return
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            open_now[self._peer] -= 1
            if open_now[self._peer] <= 0:
                del open_now[self._peer]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            seen = self.cycle
            super().data_received(data)
            if self.cycle is not seen:
                self._stop_waiting()
            elif seen is None or seen.response_complete:
                self._wait_for_head()

        def _wait_for_head(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(head_seconds, self._give_up)

        def _stop_waiting(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _give_up(self) -> None:
            self._deadline = None
            if not self.transport.is_closing():
                self.transport.close()

    return PatientProtocol
