"""QUIC ping: an invariant long header with a version nobody has, which a server answers with those it speaks.

Source: RFC 8999 section 6 and RFC 9000 section 6.  Nothing in it names a site, so it triggers nothing.
"""

import os

from fanous.probe.net.failure import NetworkFailure
from fanous.probe.net.network import Datagrams

FORCED_VERSION = 0x1A2A3A4A
"""Of the pattern 0x?a?a?a?a, which is reserved for this (RFC 9000 section 15)."""

LEAST_DATAGRAM = 1200
"""Servers may ignore a smaller first datagram (RFC 9000 section 14.1)."""

ID_LENGTH = 8


def ping_datagram() -> tuple[bytes, bytes]:
    """The datagram, and our connection ID, which the answer must carry."""
    theirs, ours = os.urandom(ID_LENGTH), os.urandom(ID_LENGTH)
    head = bytes([0xC0]) + FORCED_VERSION.to_bytes(4, "big")
    ids = bytes([ID_LENGTH]) + theirs + bytes([ID_LENGTH]) + ours
    return (head + ids).ljust(LEAST_DATAGRAM, b"\0"), ours


def read_versions(datagram: bytes, ours: bytes) -> list[int] | None:
    """Versions out of a Version Negotiation packet; ``None`` = it is none, or not for us."""
    if len(datagram) < 7 or not datagram[0] & 0x80 or datagram[1:5] != b"\0\0\0\0":
        return None
    size = datagram[5]
    if datagram[6 : 6 + size] != ours or len(datagram) < 7 + size:
        return None
    begin = 7 + size + datagram[6 + size]
    rest = datagram[begin:]
    return [int.from_bytes(rest[at : at + 4], "big") for at in range(0, len(rest) - 3, 4)]


async def ping(datagrams: Datagrams) -> list[int]:
    """Versions that the server speaks, as it lists them.

    Raises:
        OSError, NetworkFailure: it could not be sent, or what came back is no answer to it.
    """
    datagram, ours = ping_datagram()
    await datagrams.send(datagram)
    versions = read_versions(await datagrams.receive(), ours)
    if versions is None:
        raise NetworkFailure("unknown_failure: not a QUIC version negotiation")
    return versions
