"""TLS: one handshake on one connection; the chain is recorded also where it does not validate."""

import asyncio
from base64 import b64encode
from ssl import SSLContext

from fanous.probe.net.addresses import endpoint
from fanous.probe.net.client_hello import fingerprint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.tls import TLSStream
from fanous.probe.settings import Settings
from fanous.probe.trace import INTERRUPTED, Entry, Trace, TracedStream


async def handshake(
    trace: Trace, settings: Settings, stream: TracedStream, name: str, context: SSLContext
) -> TLSStream | None:
    """The secured stream, or ``None`` where the handshake failed; the trace says how (df-006).

    A failed handshake closes the connection.
    """
    return (await attempt(trace, settings, stream, name, context))[0]


async def attempt(
    trace: Trace, settings: Settings, stream: TracedStream, name: str, context: SSLContext, number: int = 1
) -> tuple[TLSStream | None, str | None]:
    """Likewise, with the failure; ``number`` = which attempt it is, from 1."""
    tls = TLSStream(stream, name, context)
    t0 = trace.at()
    failure: str | None = INTERRUPTED
    trace.event("tls_handshake_start", t0, stream.transaction)
    try:
        async with asyncio.timeout(settings.handshake_timeout):
            await tls.handshake()
        failure = None
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
        stream.close()
    finally:
        trace.event("tls_handshake_done", trace.at(), stream.transaction, failure=failure)
        entry = _entry(trace, stream, tls, name, t0, failure)
        entry |= {"no_tls_verify": not context.check_hostname, "x_attempt": number}
        trace.tls_handshakes.append(entry)
    return (tls if failure is None else None), failure


def _entry(
    trace: Trace, stream: TracedStream, tls: TLSStream, name: str, t0: float, failure: str | None
) -> Entry:
    looks = fingerprint(tls.hello)
    return {
        "network": "tcp",
        "address": endpoint(stream.ip, stream.port),
        "server_name": name,
        "failure": failure,
        "tls_version": tls.version if failure is None else "",
        "cipher_suite": tls.cipher if failure is None else "",
        "negotiated_protocol": tls.alpn if failure is None else "",
        "peer_certificates": [
            {"data": b64encode(one).decode("ascii"), "format": "base64"} for one in tls.chain
        ],
        "x_client_hello_bytes": len(tls.hello),
        "x_ja3": looks.ja3 if looks else "",
        "t0": t0,
        "t": trace.at(),
        "transaction_id": stream.transaction,
    }
