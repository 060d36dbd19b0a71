"""Page: a censor in the path that answers a plain HTTP request itself, with a block page."""

from fanous.lab.boxes.box import BoxPlace, Injector, PacketQueue
from fanous.lab.netqueue import DROP, Packet
from fanous.lab.packets import ACK, FIN, PSH, forged_answer, forged_reset_to_target, segment_of
from fanous.lab.webservers import BLOCK_PAGE


def block_response() -> bytes:
    """A whole response; it fits into one segment."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(BLOCK_PAGE)}\r\n"
    return f"{head}Connection: close\r\n\r\n{BLOCK_PAGE}".encode()


class ForgingPages:
    """Every packet that a rule hands over is a request: it is dropped, answered, and the server reset."""

    def __init__(self, place: BoxPlace) -> None:
        self._injector = Injector(place.namespace)
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        self._queue.queue.settle(packet.number, DROP)
        request = segment_of(packet.payload)
        if request is None:
            return
        response = block_response()
        self._injector.send(forged_answer(request, PSH | ACK, response), request.source)
        self._injector.send(forged_answer(request, FIN | ACK, ahead=len(response)), request.source)
        self._injector.send(forged_reset_to_target(request), request.target)

    def close(self) -> None:
        self._queue.close()
        self._injector.close()
