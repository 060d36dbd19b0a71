"""QUIC: a ping to see whether a server speaks it here, then handshakes - the innocuous name first.

An unanswered ping means nothing by itself: many servers do not speak QUIC.  A handshake is tried if the ping
was answered, or if the site's own pages announce HTTP/3 (``Alt-Svc``).

The ping is an invariant long header with a version that does not exist; a server answers with the versions it
speaks (RFC 8999 section 6, RFC 9000 section 6).  Nothing in it names a site, so it triggers nothing.
"""

import asyncio
import os
from base64 import b64encode

from fanous.model.measurement import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.network import Datagrams
from fanous.probe.settings import Settings
from fanous.probe.trace import INTERRUPTED, LOST, Trace

FORCED_VERSION = 0x1A2A3A4A
"""A version of the pattern 0x?a?a?a?a, which is reserved for this (RFC 9000 section 15)."""

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
    """Versions from a Version Negotiation packet; ``None`` = it is not one, or not for us."""
    if len(datagram) < 7 or not datagram[0] & 0x80 or datagram[1:5] != b"\0\0\0\0":
        return None
    size = datagram[5]
    if datagram[6 : 6 + size] != ours or len(datagram) < 7 + size:
        return None
    begin = 7 + size + datagram[6 + size]
    rest = datagram[begin:]
    return [int.from_bytes(rest[at : at + 4], "big") for at in range(0, len(rest) - 3, 4)]


async def ping(datagrams: Datagrams) -> list[int]:
    """The versions the server says it speaks.

    Raises:
        OSError, NetworkFailure: the ping could not be sent, or what came back does not answer it.
    """
    datagram, ours = ping_datagram()
    await datagrams.send(datagram)
    versions = read_versions(await datagrams.receive(), ours)
    if versions is None:
        raise NetworkFailure("unknown_failure: not a QUIC version negotiation")
    return versions


PORT = 443


async def screen(trace: Trace, settings: Settings, ip: str) -> bool:
    """Does a server at ``ip`` answer the ping?  Recorded as ``x_quic_pings``."""
    t0, failure, versions = trace.at(), None, list[int]()
    try:
        async with asyncio.timeout(settings.quic_timeout):
            datagrams = await trace.network.open_udp(ip, PORT)
            try:
                versions = await ping(datagrams)
            finally:
                datagrams.close()
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    trace.quic_pings.append(
        {
            "address": endpoint(ip, PORT),
            "failure": failure,
            "versions": [f"{version:#010x}" for version in versions],
            "t0": t0,
            "t": trace.at(),
        }
    )
    return failure is None


async def handshakes(trace: Trace, settings: Settings, ip: str, name: str) -> None:
    """The handshake with the innocuous name, then the one with the target's, at one address.

    If only the latter is unanswered it is repeated once: a lost datagram is not a finding.
    """
    innocuous = settings.control_sni
    is_heard = bool(innocuous) and await _handshake(trace, settings, ip, innocuous, verify=False) is None
    failure = await _handshake(trace, settings, ip, name, verify=True)
    has_time = settings.retries and trace.time_left() > settings.handshake_timeout
    if is_heard and failure in LOST and has_time:
        await _handshake(trace, settings, ip, name, verify=True, number=2)


async def _handshake(
    trace: Trace, settings: Settings, ip: str, name: str, *, verify: bool, number: int = 1
) -> str | None:
    """How the handshake failed; ``None`` = it was completed."""
    from fanous.probe.net.quic import complete, new_handshake  # aioquic takes 0.1 s to import

    transaction, t0 = trace.next_transaction(), trace.at()
    failure: str | None = INTERRUPTED
    handshake = new_handshake(name, settings.ca_file, verify=verify)
    try:
        async with asyncio.timeout(settings.handshake_timeout):
            datagrams = await trace.network.open_udp(ip, PORT)
            try:
                await complete(handshake, trace.network, datagrams)
            finally:
                datagrams.close()
        failure = None
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    finally:
        trace.quic_handshakes.append(
            {
                "network": "udp",
                "proto": "quic",
                "address": endpoint(ip, PORT),
                "server_name": name,
                "failure": failure,
                "no_tls_verify": not verify,
                "negotiated_protocol": handshake.alpn,
                "tls_version": "TLSv1.3",
                "peer_certificates": [
                    {"data": b64encode(c).decode("ascii"), "format": "base64"} for c in handshake.chain
                ],
                "t0": t0,
                "t": trace.at(),
                "transaction_id": transaction,
                "x_attempt": number,
            }
        )
    return failure
