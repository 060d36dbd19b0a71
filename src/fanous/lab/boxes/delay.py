"""Delay: packets that a rule hands over go on, but later: a handshake that takes seconds."""

import asyncio

from fanous.lab.boxes.box import BoxPlace, PacketQueue
from fanous.lab.netqueue import ACCEPT, Packet


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
