"""Line: neighbours who crowd a user's line in the evening, and delayed packets.

The neighbours' traffic comes and goes, like the sum of many short downloads: sometimes next to nothing,
sometimes everything they want.  Delayed packets make a handshake take seconds.
"""

import asyncio
import random
import socket
from collections.abc import Sequence
from contextlib import suppress

from fanous.lab.boxes.box import BoxPlace, PacketQueue
from fanous.lab.netqueue import ACCEPT, Packet
from fanous.lab.space import socket_in

PACKET = bytes(1200)
DISCARD = 9
"""The discard port (RFC 863): nothing listens there."""

STEP = 0.01
WANTED = (0.2, 1.1)
"""Share of the line: two thirds on average, now and then more than there is."""

MOOD = 0.5
"""Seconds on average until they want more, or less."""


class Neighbours:
    """Args:
    clients: addresses (IPv4) of the users whose pipes are crowded; each has neighbours of its own.
    rate_kbps: of each pipe.
    seed: of what they want when.
    """

    def __init__(self, place: BoxPlace, clients: Sequence[str], rate_kbps: float, seed: int) -> None:
        self._socket = socket_in(place.namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._rate = rate_kbps
        self._tasks = [
            asyncio.get_running_loop().create_task(self._crowd(client, random.Random(f"{seed} {client}")))
            for client in clients
            if ":" not in client
        ]

    async def _crowd(self, client: str, chance: random.Random) -> None:
        loop = asyncio.get_running_loop()
        wanted, until, owed, before = 0.0, 0.0, 0.0, loop.time()
        while True:
            now = loop.time()
            if now >= until:
                wanted, until = self._rate * chance.uniform(*WANTED), now + chance.expovariate(1 / MOOD)
            owed += wanted * 1000 / 8 * min(now - before, 10 * STEP)
            before = now
            while owed >= len(PACKET):
                owed -= len(PACKET)
                with suppress(OSError):  # a full queue, or a refusal that came back: people ask again
                    self._socket.sendto(PACKET, (client, DISCARD))
            await asyncio.sleep(STEP)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._socket.close()


class Delaying:
    """Args:
    seconds: for each packet.
    """

    def __init__(self, place: BoxPlace, seconds: float) -> None:
        self._seconds = seconds
        self._queue = PacketQueue(place, self._hold, with_payload=False)

    def _hold(self, packet: Packet) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._seconds, self._release, packet.number)

    def _release(self, number: int) -> None:
        if self._queue.queue.socket.fileno() >= 0:
            self._queue.queue.settle(number, ACCEPT)

    def close(self) -> None:
        self._queue.close()
