"""TLS: one handshake on one connection; the chain is recorded even if it does not validate.

If a handshake fails, a browser's ClientHello with the same name is tried (a second opinion).  If that gets an
answer, the trigger is what the message looks like, not the name alone.  Only facts are recorded: both hellos'
sizes and fingerprints, and the answer to each (``x_second_opinions``).
"""

import asyncio
from base64 import b64encode
from ssl import SSLContext

import msgspec
from msgspec import Struct

from fanous.model.measurement import endpoint, is_address
from fanous.probe import tcp
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.network import Stream
from fanous.probe.net.tls import ALERT, HANDSHAKE, SERVER_HELLO, TLSStream, browser_hello, fingerprint
from fanous.probe.settings import Settings
from fanous.probe.trace import CUT, INTERRUPTED, Entry, Trace, TracedStream
from fanous.refdata.platforms import normal_host


async def handshake(
    trace: Trace, settings: Settings, stream: TracedStream, name: str, context: SSLContext
) -> TLSStream | None:
    """The secured stream, or ``None`` if the handshake failed; the trace says how (df-006).

    A failed handshake closes the connection.
    """
    return (await attempt(trace, settings, stream, name, context))[0]


async def attempt(
    trace: Trace, settings: Settings, stream: TracedStream, name: str, context: SSLContext, number: int = 1
) -> tuple[TLSStream | None, str | None]:
    """The same, with the failure; ``number`` counts attempts from 1."""
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
            {"data": b64encode(certificate).decode("ascii"), "format": "base64"} for certificate in tls.chain
        ],
        "x_client_hello_bytes": len(tls.hello),
        "x_ja3": looks.ja3 if looks else "",
        "t0": t0,
        "t": trace.at(),
        "transaction_id": stream.transaction,
    }


WORTH_ASKING = CUT | {"generic_timeout_error", "ssl_failed_handshake"}
"""Failures that a censor causes; a wrong certificate is a different matter."""

RECORD_HEAD = 5


async def ask(trace: Trace, settings: Settings, ip: str, port: int, name: str) -> bool:
    """One connection, one ClientHello and its answer, recorded in the trace; returns whether it was answered."""
    if is_address(name):
        return False  # if the host is an address, no name is sent
    stream = await tcp.connect(trace, settings, ip, port)
    if stream is None:
        return False
    hello = browser_hello(normal_host(name))
    looks = fingerprint(hello)
    t0, answer, failure = trace.at(), "", None
    try:
        async with asyncio.timeout(settings.handshake_timeout):
            await stream.write(hello)
            answer = await _answer(stream)
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    except asyncio.CancelledError:
        failure = INTERRUPTED
        raise
    finally:
        stream.close()
        trace.second_opinions.append(
            {
                "address": endpoint(ip, port),
                "server_name": name,
                "client_hello": "browser",
                "client_hello_bytes": len(hello),
                "ja3": looks.ja3 if looks else "",
                "answer": answer,
                "failure": failure,
                "t0": t0,
                "t": trace.at(),
                "transaction_id": stream.transaction,
            }
        )
    return bool(answer)


async def _answer(stream: Stream) -> str:
    """``server_hello`` or ``alert``.

    Raises:
        OSError, EOFError, NetworkFailure: the handshake was cut, or the answer is not TLS.
    """
    data = b""
    while len(data) <= RECORD_HEAD:
        more = await stream.read(RECORD_HEAD + 1)
        if not more:
            raise EOFError
        data += more
    if data[0] == HANDSHAKE and data[RECORD_HEAD] == SERVER_HELLO:
        return "server_hello"
    if data[0] == ALERT:
        return "alert"
    raise NetworkFailure("ssl_failed_handshake")


class _Opinion(Struct):
    answer: str


class _Keys(Struct):
    x_second_opinions: list[_Opinion] = []


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


def opinion(line: bytes) -> str:
    """From a record: ``answered`` = a browser's hello gets through where ours does not; ``cut`` = it does not
    either; empty = not tried.  An alert counts as an answer, because it comes from the site itself."""
    answers = [opinion.answer for opinion in _record.decode(line).test_keys.x_second_opinions]
    if not answers:
        return ""
    return "answered" if any(answers) else "cut"
