"""DNS: injectors of forged answers, beside the path (a race) and in it (the question never arrives)."""

from fanous.lab.boxes.box import BoxPlace, Injector, PacketQueue, Tap
from fanous.lab.dnswire import answer_of, question_of
from fanous.lab.netqueue import ACCEPT, DROP, Packet
from fanous.lab.packets import UDP, TcpSegment, forged_datagram, segment_of

FORGED_TTL = 300
"""Seconds, of the forged record: not the true one's, which is how two answers are told apart."""

PORT = 53


def forged(seen: TcpSegment, hosts: frozenset[str], answer: list[str]) -> bytes | None:
    """The packet that answers a question about one of ``hosts``, or a name below; ``None`` = it is about
    none."""
    if seen.protocol != UDP or seen.target_port != PORT:
        return None
    question = question_of(seen.payload)
    if question is None:
        return None
    parts = question.name.split(".")
    if not any(".".join(parts[depth:]) in hosts for depth in range(len(parts))):
        return None
    return forged_datagram(seen, answer_of(question, answer, ttl=FORGED_TTL))


class Racing:
    """Sees questions pass and answers first; the true answer arrives later.

    Args:
        clients: whose questions; those of a provider's own resolver come from its router.
    """

    def __init__(self, place: BoxPlace, hosts: list[str], clients: list[str], answer: list[str]) -> None:
        self._hosts, self._clients, self._answer = frozenset(hosts), frozenset(clients), answer
        self._injector = Injector(place.namespace)
        self._tap = Tap(place, self._seen)

    def _seen(self, segment: TcpSegment) -> None:
        if segment.source in self._clients:
            packet = forged(segment, self._hosts, self._answer)
            if packet:
                self._injector.send(packet, segment.source)

    def close(self) -> None:
        self._tap.close()
        self._injector.close()


class Answering:
    """Takes questions out of the path and answers them itself."""

    def __init__(self, place: BoxPlace, hosts: list[str], answer: list[str]) -> None:
        self._hosts, self._answer = frozenset(hosts), answer
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        answer = forged(segment, self._hosts, self._answer) if segment else None
        self._queue.queue.settle(packet.number, DROP if answer else ACCEPT)
        if segment and answer:
            self._injector.send(answer, segment.source)

    def close(self) -> None:
        self._queue.close()
        self._injector.close()
