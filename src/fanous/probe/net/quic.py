"""QUIC: a real handshake (RFC 9001) by aioquic's state machine over our own datagrams."""

import asyncio
import logging
import ssl
from dataclasses import dataclass

import certifi
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted
from cryptography.hazmat.primitives.serialization import Encoding

from fanous.probe.net.failure import NetworkFailure
from fanous.probe.net.network import Datagrams, Network

CRYPTO_ERROR = 0x100
"""Codes from here on are TLS alerts (RFC 9001 section 4.8)."""

EXPIRED, UNKNOWN_AUTHORITY = 45, 48
"""TLS alerts certificate_expired and unknown_ca (RFC 8446 section 6)."""

# aioquic prints a line for each connection that ends badly, which is exactly what we measure.
logging.getLogger("quic").setLevel(logging.CRITICAL)


@dataclass(slots=True)
class QuicHandshake:
    """One handshake.

    Attributes:
        chain: DER certificates as the server sent them, even if they do not validate.
        alpn: the protocol agreed on; empty = none.
    """

    connection: QuicConnection
    alpn: str = ""

    @property
    def chain(self) -> list[bytes]:
        tls = getattr(self.connection, "tls", None)  # set once a server has answered
        leaf = getattr(tls, "_peer_certificate", None)
        more = getattr(tls, "_peer_certificate_chain", [])
        return [certificate.public_bytes(Encoding.DER) for certificate in ([leaf, *more] if leaf else [])]


def new_handshake(name: str, ca_file: str = "", *, verify: bool = True) -> QuicHandshake:
    """Prepare a handshake; ``verify=False`` accepts any certificate."""
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=["h3"],
        server_name=name,
        cafile=ca_file or certifi.where(),
        verify_mode=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE,
    )
    return QuicHandshake(QuicConnection(configuration=configuration))


async def complete(handshake: QuicHandshake, network: Network, datagrams: Datagrams) -> None:
    """Complete the handshake, then close politely.

    Raises:
        OSError, NetworkFailure: the server or something on the path refused; silence runs into the caller's deadline.
    """
    connection, peer = handshake.connection, ("peer", 443)
    connection.connect(peer, now=network.now())
    while True:
        for data, _ in connection.datagrams_to_send(now=network.now()):
            await datagrams.send(data)
        timer = connection.get_timer()
        remaining = max(timer - network.now(), 0.0) if timer is not None else None
        try:
            async with asyncio.timeout(remaining):
                received = await datagrams.receive()
        except TimeoutError:
            connection.handle_timer(now=network.now())
        else:
            connection.receive_datagram(received, peer, now=network.now())
        if _is_complete(handshake):
            connection.close()
            for data, _ in connection.datagrams_to_send(now=network.now()):
                await datagrams.send(data)
            return


def _is_complete(handshake: QuicHandshake) -> bool:
    while (event := handshake.connection.next_event()) is not None:
        if isinstance(event, HandshakeCompleted):
            handshake.alpn = event.alpn_protocol or ""
            return True
        if isinstance(event, ConnectionTerminated):
            raise NetworkFailure(failure_of_close(event.error_code, event.reason_phrase))
    return False


def failure_of_close(code: int, reason: str) -> str:
    """df-007 of a connection that was closed before it was established."""
    alert = code - CRYPTO_ERROR
    words = reason.lower()
    if alert == EXPIRED:
        return "ssl_invalid_certificate"
    if "hostname" in words or "doesn't match" in words:
        return "ssl_invalid_hostname"
    if alert == UNKNOWN_AUTHORITY or "issuer" in words or "self-signed" in words:
        return "ssl_unknown_authority"
    if "version" in words:
        return "quic_incompatible_version"
    if 0 <= alert < 0x100:
        return "ssl_failed_handshake"
    return "generic_timeout_error" if "idle" in words else "ssl_failed_handshake"
