"""Hello: a censor beside the path that sees a ClientHello pass and resets the client before the server
answers."""

from fanous.lab.boxes.box import BoxPlace, Injector, Tap
from fanous.lab.packets import ACK, RST, TCP, TcpSegment, forged_answer

RESETS = 3
"""Sent for one handshake, as China's does: one may be lost or come too late."""


def name_in_hello(host: str) -> bytes:
    """The server_name extension's content (RFC 6066 section 3)."""
    return b"\0" + len(host).to_bytes(2, "big") + host.encode()


class Resetting:
    """Args:
    clients: whose handshakes.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str]) -> None:
        self._names, self._clients = [name_in_hello(host) for host in hosts], frozenset(clients)
        self._injector = Injector(place.namespace)
        self._tap = Tap(place, self._seen)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.protocol != TCP or segment.target_port != 443 or segment.source not in self._clients:
            return
        if any(name in segment.payload for name in self._names):
            packet = forged_answer(segment, RST | ACK)
            for _ in range(RESETS):
                self._injector.send(packet, segment.source)

    def close(self) -> None:
        self._tap.close()
        self._injector.close()
