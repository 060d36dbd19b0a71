"""Netqueue: packets that iptables' NFQUEUE hands to a program, and the program's verdicts.

It speaks the kernel's protocol (linux/netfilter/nfnetlink_queue.h) over a netlink socket; a verdict on many packets
at once (NFQNL_MSG_VERDICT_BATCH) is what lets a small program hold back a whole country's traffic.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_NETFILTER = 12
SUBSYSTEM = 3 << 8
"""NFNL_SUBSYS_QUEUE."""

PACKET, VERDICT, CONFIG, VERDICT_BATCH = (SUBSYSTEM | kind for kind in range(4))
REQUEST, ACK = 1, 4
"""NLM_F_REQUEST, NLM_F_ACK."""

DROP, ACCEPT = 0, 1
COPY_META, COPY_PACKET = 1, 2

SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 16 << 20
"""Bytes.  Holds a burst from a hundred vantage points without loss."""

MOST_QUEUED = 60_000
"""Packets: 25 ms of 10 Gbit/s are 20,000."""

FAIL_OPEN, GSO = 1, 4
LARGEST = 70_000


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet that waits for a verdict.

    Attributes:
        mark: set by iptables.
        payload: from the IP header on; empty where only the header was asked for.
    """

    number: int
    mark: int
    payload: bytes


class Netqueue:
    """One queue of the namespace that this thread is in.

    Raises:
        OSError: another process has it, or the kernel has no NFQUEUE.
    """

    def __init__(self, number: int, *, with_payload: bool) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._number = number
        self.socket.bind((0, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        mode = COPY_PACKET if with_payload else COPY_META
        self._configure(_attribute(1, struct.pack(">BBH", 1, 0, 0)))  # NFQNL_CFG_CMD_BIND
        self._configure(_attribute(2, struct.pack(">IB", 0xFFFF, mode)))
        self._configure(_attribute(3, struct.pack(">I", MOST_QUEUED)))
        flags = struct.pack(">I", GSO | FAIL_OPEN)
        self._configure(_attribute(4, flags) + _attribute(5, flags))
        self.socket.setblocking(False)

    def close(self) -> None:
        self.socket.close()

    def fileno(self) -> int:
        return self.socket.fileno()

    def received(self) -> Iterator[Packet]:
        """All packets that are waiting now."""
        while True:
            try:
                message = self.socket.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # ENOBUFS: the buffer was full, and the kernel let some packets pass
            at = 0
            while at + 16 <= len(message):
                size, kind = struct.unpack_from("=IH", message, at)
                if kind == PACKET:
                    yield _packet(message, at + 20, at + size)
                at += max(size + 3 & ~3, 16)

    def decide(self, number: int, verdict: int) -> None:
        """Decide one packet."""
        self.socket.send(self._message(VERDICT, _attribute(2, struct.pack(">II", verdict, number))))

    def accept_up_to(self, number: int) -> None:
        """Let this packet and all before it pass."""
        self.socket.send(self._message(VERDICT_BATCH, _attribute(2, struct.pack(">II", ACCEPT, number))))

    def _message(self, kind: int, attributes: bytes, flags: int = REQUEST) -> bytes:
        body = struct.pack(">BBH", 0, 0, self._number) + attributes
        return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body

    def _configure(self, attributes: bytes) -> None:
        self.socket.send(self._message(CONFIG, attributes, REQUEST | ACK))
        answer = self.socket.recv(LARGEST)
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code:
            raise OSError(code, f"cannot open queue {self._number}")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _packet(data: bytes, at: int, end: int) -> Packet:
    number, mark, payload = 0, 0, b""
    while at + 4 <= end:
        size, kind = struct.unpack_from("=HH", data, at)
        kind &= 0x7FFF
        if kind == 1:
            number = struct.unpack_from(">I", data, at + 4)[0]
        elif kind == 3:
            mark = struct.unpack_from(">I", data, at + 4)[0]
        elif kind == 10:
            payload = data[at + 4 : at + size]
        at += max(size + 3 & ~3, 4)
    return Packet(number, mark, payload)
