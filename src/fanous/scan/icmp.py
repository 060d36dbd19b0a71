"""ICMP: echo requests to many addresses, and which of them answered.  Needs permission to open raw sockets.

Each request carries a token of its address, keyed by this process, so that no one can answer for another
address.
"""

import secrets
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.errors import FanousError
from fanous.model.series import Ints
from fanous.scan.rounds import Flags

TIMEOUT = 3.0
"""Seconds after the last request (Trinocular)."""
BUFFER = 64 << 20
"""Bytes of receive buffer: room for some 80,000 answers, which come in bursts."""
BURST = 64
"""Requests between two checks for answers."""
ECHO, ECHO_REPLY = 8, 0
SIZE = 16
"""Bytes of a request: 8 for the header, 8 for the token."""


@dataclass(slots=True)
class Traffic:
    """Requests that were sent, and that were answered.

    Attributes:
        seconds: spent on sending.
    """

    sent: int = 0
    answered: int = 0
    seconds: float = 0.0


class Icmp:
    """A raw socket; a context manager.

    Args:
        rate: most requests per second.

    Raises:
        FanousError: no permission to open it.
    """

    def __init__(self, rate: float, timeout: float = TIMEOUT) -> None:
        self.traffic = Traffic()
        self._rate, self._timeout = rate, timeout
        self._key = secrets.randbits(64)
        self._id = secrets.randbits(16)
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        except PermissionError:
            raise FanousError(
                "no permission to send pings: run as root, or with the capability CAP_NET_RAW"
            ) from None
        self._socket.setblocking(False)
        for option in (33, socket.SO_RCVBUF):  # 33: SO_RCVBUFFORCE, past the system's limit where allowed
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, option, BUFFER)
                break
            except OSError:
                continue

    def __enter__(self) -> "Icmp":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def ask(self, addresses: Ints) -> Flags:
        """Send one request to each address (as numbers); which answered in time?

        Returns:
            bool, one for each; both are the same for an address that occurs twice.
        """
        tokens = _tokens(addresses, self._key)
        packets = _packets(tokens, self._id)
        waiting = {int(a).to_bytes(4, "big"): bytes(t) for a, t in zip(addresses, tokens, strict=True)}
        answered: set[bytes] = set()
        self._send(addresses, packets, lambda: self._drain(waiting, answered))
        ends = time.monotonic() + self._timeout
        while len(answered) < len(waiting) and (left := ends - time.monotonic()) > 0:
            select.select([self._socket], [], [], left)
            self._drain(waiting, answered)
        self.traffic.answered += len(answered)
        return np.array([int(a).to_bytes(4, "big") in answered for a in addresses], np.bool_)

    def _send(self, addresses: Ints, packets: NDArray[np.uint8], drain: Callable[[], None]) -> None:
        began = time.monotonic()
        for number, (address, packet) in enumerate(zip(addresses, packets, strict=True)):
            if number % BURST == 0:
                drain()
                ahead = number / self._rate - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
            self._send_one(socket.inet_ntoa(int(address).to_bytes(4, "big")), packet.tobytes())
        self.traffic.seconds += time.monotonic() - began

    def _send_one(self, address: str, packet: bytes) -> None:
        for _ in range(50):  # a full queue empties within milliseconds
            try:
                self._socket.sendto(packet, (address, 0))
            except (BlockingIOError, InterruptedError):
                select.select([], [self._socket], [], 0.01)
            except OSError:
                return  # no route: its answer is unknown, and looks like silence
            else:
                self.traffic.sent += 1
                return

    def _drain(self, waiting: dict[bytes, bytes], answered: set[bytes]) -> None:
        while True:
            try:
                packet = self._socket.recv(2048)
            except BlockingIOError:
                return
            source = answer_of(packet, self._id)
            if source is not None and waiting.get(source[0]) == source[1]:
                answered.add(source[0])


def answer_of(packet: bytes, identity: int) -> tuple[bytes, bytes] | None:
    """Address and token of an echo reply; ``None`` = not one of ours (RFC 792)."""
    if len(packet) < 20:
        return None
    head = (packet[0] & 0x0F) * 4
    body = packet[head : head + SIZE]
    if len(body) < SIZE or body[0] != ECHO_REPLY or int.from_bytes(body[4:6], "big") != identity:
        return None
    return packet[12:16], body[8:16]


def _tokens(addresses: Ints, key: int) -> NDArray[np.uint8]:
    """(n, 8): a mix of each address with the key (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed: Any = addresses.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (
        np.ascontiguousarray((mixed ^ (mixed >> np.uint64(31))).astype(">u8")).view(np.uint8).reshape(-1, 8)
    )


def _packets(tokens: NDArray[np.uint8], identity: int) -> NDArray[np.uint8]:
    """(n, 16): echo requests with their checksums (RFC 1071)."""
    packets = np.zeros((len(tokens), SIZE), np.uint8)
    packets[:, 0] = ECHO
    packets[:, 4], packets[:, 5] = identity >> 8, identity & 0xFF
    packets[:, 8:] = tokens
    total = packets.view(">u2").astype(np.uint32).sum(axis=1)
    total = (total & 0xFFFF) + (total >> 16)
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    packets[:, 2], packets[:, 3] = total >> 8, total & 0xFF
    return packets
