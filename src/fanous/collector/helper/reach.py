"""Reach: DNS, TCP and TLS of the helper; a failure is the finding and never leaves as an exception.

Follows ooni/probe-cli, internal/oohelperd/dns.go (``dnsDo``) and tcptls.go (``tcpTLSDo``), with their
time-outs.  Theirs resolves through DoH at a fixed resolver, ours through the system's: a helper stands
where that one is sound.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache

import certifi

from fanous.collector.helper.plan import DnsResult, Endpoint, TcpResult, TlsResult
from fanous.collector.helper.words import dns_failure, tcp_failure
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of

DNS_SECONDS = 4.0
TCP_TLS_SECONDS = 15.0

Resolve = Callable[[str], Awaitable[list[str]]]
"""Name -> addresses, each once; raises ``OSError`` (``socket.gaierror``)."""


async def resolve(name: str) -> list[str]:
    """By the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found if "%" not in str(address[0])))


async def looked_up(name: str, by: Resolve) -> DnsResult:
    """``dnsDo``."""
    try:
        async with asyncio.timeout(DNS_SECONDS):
            return DnsResult(None, await by(name))
    except NETWORK_ERRORS as error:
        return DnsResult(dns_failure(failure_of(error)), [])
    except UnicodeError:  # a label that IDNA does not know: there is no such name
        return DnsResult("dns_name_error", [])


async def connected(endpoint: Endpoint, name: str, ca_file: str = "") -> tuple[TcpResult, TlsResult | None]:
    """``tcpTLSDo``: a connection, and a handshake where one follows, its certificate checked for ``name``."""
    try:
        async with asyncio.timeout(TCP_TLS_SECONDS):
            reader, writer = await asyncio.open_connection(endpoint.address, endpoint.port)
    except NETWORK_ERRORS as error:
        return TcpResult(False, tcp_failure(failure_of(error))), None
    try:
        tls = await _handshake(writer, name, ca_file) if endpoint.tls else None
    finally:
        del reader
        writer.transport.abort()
    return TcpResult(True, None), tls


async def _handshake(writer: asyncio.StreamWriter, name: str, ca_file: str) -> TlsResult:
    try:
        async with asyncio.timeout(TCP_TLS_SECONDS):
            await writer.start_tls(tls_context(ca_file), server_hostname=name)
    except NETWORK_ERRORS as error:
        is_end = isinstance(error, ConnectionResetError) and error.errno is None  # asyncio's name for it
        return TlsResult(name, False, "eof_error" if is_end else failure_of(error))
    except UnicodeError:
        return TlsResult(name, False, "ssl_invalid_hostname")
    return TlsResult(name, True, None)


@lru_cache(maxsize=4)
def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Mozilla's authorities, as theirs; one for all, since loading them takes 5 ms.

    Args:
        ca_file: PEM file of others, in a lab.
    """
    context = ssl.create_default_context(cafile=ca_file or certifi.where())
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
