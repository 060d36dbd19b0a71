"""Fakes: a scripted network without sockets, and time that moves only when a test says so.

``FakeNetwork`` satisfies ``fanous.probe.net.network.Network``.  Unknown names do not exist, unknown addresses
are silent.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from fanous.evaluation.simulate.builders import DAY

Script = list[bytes | BaseException]
"""What reads return, in order; then the other side has closed."""


@dataclass(slots=True)
class FakeStream:
    """One connection of a script; ``written`` is what was sent."""

    script: Script
    written: list[bytes] = field(default_factory=list)
    closed: bool = False

    async def read(self, most: int) -> bytes:
        if not self.script:
            return b""
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        if len(step) > most:
            self.script.insert(0, step[most:])
        return step[:most]

    async def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class FakeDatagrams:
    """Each datagram sent is answered by ``answer``; then there is silence."""

    answer: Callable[[bytes], list[bytes]]
    waiting: list[bytes] = field(default_factory=list)

    async def send(self, data: bytes) -> None:
        self.waiting += self.answer(data)

    async def receive(self) -> bytes:
        if not self.waiting:
            await asyncio.Event().wait()  # for ever: deadlines are the caller's
        return self.waiting.pop(0)

    def close(self) -> None:
        self.waiting.clear()


@dataclass(slots=True)
class FakeNetwork:
    """The whole of it.

    Attributes:
        names: host name -> its addresses, or what the look-up raises.
        tcp: (address, port) -> what a connection reads, or what connecting raises.
        udp: (address, port) -> datagram sent -> datagrams that come back.
        opened: every connection made, in order.
    """

    names: dict[str, list[str] | BaseException] = field(default_factory=dict)
    tcp: dict[tuple[str, int], Script | BaseException] = field(default_factory=dict)
    udp: dict[tuple[str, int], Callable[[bytes], list[bytes]] | BaseException] = field(default_factory=dict)
    opened: list[tuple[str, int, FakeStream]] = field(default_factory=list)
    clock: float = 1_700_000_000.0

    def now(self) -> float:
        return self.clock

    def wall(self) -> float:
        return self.clock

    def own_addresses(self) -> set[str]:
        return set()

    async def look_up(self, hostname: str) -> list[str]:
        found = self.names.get(hostname, socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(found, BaseException):
            raise found
        return found

    async def open_tcp(self, ip: str, port: int) -> FakeStream:
        script = self.tcp.get((ip, port), TimeoutError())
        if isinstance(script, BaseException):
            raise script
        stream = FakeStream(list(script))
        self.opened.append((ip, port, stream))
        return stream

    async def open_udp(self, ip: str, port: int) -> FakeDatagrams:
        answer = self.udp.get((ip, port), lambda _question: [])
        if isinstance(answer, BaseException):
            raise answer
        return FakeDatagrams(answer)


@dataclass(slots=True)
class FakeClock:
    """Call it to read it, as one calls ``time.time``.

    Attributes:
        now: unix seconds, UTC.
    """

    now: float = float(DAY)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on by ``seconds`` (never back) and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back ({seconds} s)")
        self.now += seconds
        return self.now
