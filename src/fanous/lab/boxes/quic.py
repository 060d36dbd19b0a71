"""QUIC: a censor that decrypts the first packet of a connection, whose keys everybody can derive, reads the
name in it, and drops the connection (RFC 9001 section 5.2)."""

from aioquic._buffer import Buffer, BufferReadError
from aioquic._crypto import CryptoError
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicPacketType, pull_quic_header

from fanous.lab.boxes.box import BoxPlace, PacketQueue
from fanous.lab.boxes.hello import name_in_hello
from fanous.lab.netqueue import ACCEPT, DROP, Packet
from fanous.lab.packets import segment_of

PADDING, PING, CRYPTO = 0x00, 0x01, 0x06
"""Frame types (RFC 9000 section 19)."""


class ReadingQuic:
    """Args:
    hosts: names whose connections are dropped; all later packets of such a flow, too.
    """

    def __init__(self, place: BoxPlace, hosts: list[str]) -> None:
        self._names = [name_in_hello(host) for host in hosts]
        self._dropped: set[tuple[str, int, str, int]] = set()
        self._queue = PacketQueue(place, self._received)

    def _received(self, packet: Packet) -> None:
        segment = segment_of(packet.payload)
        if segment and segment.flow not in self._dropped:
            hello = crypto_of(segment.payload)
            if any(name in hello for name in self._names):
                self._dropped.add(segment.flow)
        is_dropped = segment is not None and segment.flow in self._dropped
        self._queue.queue.settle(packet.number, DROP if is_dropped else ACCEPT)

    def close(self) -> None:
        self._queue.close()


def crypto_of(datagram: bytes) -> bytes:
    """What the CRYPTO frames of a client's Initial packet carry; empty = it is none, or unreadable."""
    try:
        buffer = Buffer(data=datagram)
        header = pull_quic_header(buffer, host_cid_length=8)
        if header.packet_type != QuicPacketType.INITIAL or header.version is None:
            return b""
        pair = CryptoPair()
        pair.setup_initial(cid=header.destination_cid, is_client=False, version=header.version)
        _, plain, _ = pair.decrypt_packet(datagram[: header.packet_length], buffer.tell(), 0)
    except (ValueError, BufferReadError, CryptoError):
        return b""
    return _crypto_frames(plain)


def _crypto_frames(plain: bytes) -> bytes:
    parts: dict[int, bytes] = {}
    buffer = Buffer(data=plain)
    try:
        while not buffer.eof():
            kind = buffer.pull_uint_var()
            if kind == CRYPTO:
                offset = buffer.pull_uint_var()
                parts[offset] = buffer.pull_bytes(buffer.pull_uint_var())
            elif kind not in (PADDING, PING):
                break
    except BufferReadError:
        pass
    return b"".join(parts[offset] for offset in sorted(parts))
