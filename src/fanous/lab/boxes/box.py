"""Box: what all programs in the path share: where they run, how they see packets, how they send forged
ones.
"""

import asyncio
import ctypes
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from fanous.lab.netqueue import Netqueue, Packet
from fanous.lab.packets import TcpSegment, segment_of
from fanous.lab.space import entered, socket_in

ETH_P_ALL = 3
OUTGOING = 4
"""PACKET_OUTGOING of packet(7)."""

LARGEST = 70_000
SO_ATTACH_FILTER = 26
BUFFER = 8 << 20


class Box(Protocol):
    """Runs where it was placed until it is closed."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """Where a box runs.

    Attributes:
        namespace: of a router.
        uplink: its interface towards the gateway.
        queue: number of its NFQUEUE; of no other box in that router.
    """

    namespace: str
    uplink: str
    queue: int


class Injector:
    """Sends packets with any source out of a router."""

    def __init__(self, namespace: str) -> None:
        self._v4 = socket_in(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._v6 = socket_in(namespace, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, packet: bytes, target: str) -> None:
        with suppress(OSError):  # the way there is cut, as cuts do
            if ":" in target:
                self._v6.sendto(packet, (target, 0, 0, 0))
            else:
                self._v4.sendto(packet, (target, 0))

    def close(self) -> None:
        self._v4.close()
        self._v6.close()


class Tap:
    """A copy of every packet that leaves through the uplink; the packets themselves go on."""

    def __init__(self, place: BoxPlace, seen: Callable[[TcpSegment], None]) -> None:
        self._socket = socket_in(place.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _outgoing_only())
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with entered(place.namespace):
            self._socket.bind((place.uplink, ETH_P_ALL))
        self._socket.setblocking(False)
        self._seen = seen
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        while True:
            try:
                packet = self._socket.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                return  # the interface is down; this is reported once
            segment = segment_of(packet)
            if segment is not None and segment.payload:
                self._seen(segment)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


_program: list[object] = []
"""The filter's memory, which the kernel reads while it is attached."""


def _outgoing_only() -> bytes:
    """A classic BPF program: packets that leave pass, others are not even copied (linux/filter.h)."""
    packet_type = (-0x1000 + 4) & 0xFFFFFFFF  # SKF_AD_OFF + SKF_AD_PKTTYPE
    lines = [(0x20, 0, 0, packet_type), (0x15, 0, 1, OUTGOING), (0x06, 0, 0, LARGEST), (0x06, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    _program[:] = [code]
    return struct.pack("@HP", len(lines), ctypes.addressof(code))


class PacketQueue:
    """Packets that a firewall rule hands over; each waits for a verdict."""

    def __init__(
        self, place: BoxPlace, received: Callable[[Packet], None], *, with_payload: bool = True
    ) -> None:
        with entered(place.namespace):
            self.queue = Netqueue(place.queue, with_payload=with_payload)
        self._received = received
        asyncio.get_running_loop().add_reader(self.queue, self._read)

    def _read(self) -> None:
        for packet in self.queue.received():
            self._received(packet)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.queue)
        self.queue.close()
