"""QUIC: a ping to see whether a server speaks it here, then handshakes - the innocuous name first.

Silence to the ping means nothing by itself: many servers do not speak QUIC.  A handshake is tried where the
ping was answered, or where the site's own pages say that it speaks HTTP/3 (``Alt-Svc``).
"""

import asyncio
from base64 import b64encode

from fanous.probe.net.addresses import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.quic_ping import ping
from fanous.probe.retry import LOST
from fanous.probe.settings import Settings
from fanous.probe.trace import Trace

PORT = 443


async def screen(trace: Trace, settings: Settings, ip: str) -> bool:
    """Does a server at ``ip`` answer the ping?  Noted as ``x_quic_pings``."""
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
            "versions": [f"{one:#010x}" for one in versions],
            "t0": t0,
            "t": trace.at(),
        }
    )
    return failure is None


async def handshakes(trace: Trace, settings: Settings, ip: str, name: str) -> None:
    """The handshake with the innocuous name, then the one with the target's, at one address.

    Where only the latter is silent it is made once more: a lost datagram is no finding.
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
    """How it failed; ``None`` = it was completed."""
    from fanous.probe.net.quic import complete, new_handshake  # aioquic takes 0.1 s to import

    transaction, t0, failure = trace.next_transaction(), trace.at(), None
    made = new_handshake(name, settings.ca_file, verify=verify)
    try:
        async with asyncio.timeout(settings.handshake_timeout):
            datagrams = await trace.network.open_udp(ip, PORT)
            try:
                await complete(made, trace.network, datagrams)
            finally:
                datagrams.close()
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    trace.quic_handshakes.append(
        {
            "network": "udp",
            "proto": "quic",
            "address": endpoint(ip, PORT),
            "server_name": name,
            "failure": failure,
            "no_tls_verify": not verify,
            "negotiated_protocol": made.alpn,
            "tls_version": "TLSv1.3",
            "peer_certificates": [
                {"data": b64encode(one).decode("ascii"), "format": "base64"} for one in made.chain
            ],
            "t0": t0,
            "t": trace.at(),
            "transaction_id": transaction,
            "x_attempt": number,
        }
    )
    return failure
