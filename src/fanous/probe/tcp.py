"""TCP: one connection to one address."""

import asyncio

from fanous.model.measurement import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.settings import Settings
from fanous.probe.trace import INTERRUPTED, Trace, TracedStream, retried


async def connect(trace: Trace, settings: Settings, ip: str, port: int) -> TracedStream | None:
    """The connection, or ``None`` if it failed; the trace says how (df-005)."""
    return (await attempt(trace, settings, ip, port))[0]


async def retried_connect(trace: Trace, settings: Settings, ip: str, port: int) -> TracedStream | None:
    """The same, with another attempt where a packet may have been lost."""
    return await retried(
        trace,
        settings,
        settings.connect_timeout,
        lambda number: attempt(trace, settings, ip, port, number),
    )


async def attempt(
    trace: Trace, settings: Settings, ip: str, port: int, number: int = 1
) -> tuple[TracedStream | None, str | None]:
    """The same, with the failure; ``number`` counts attempts from 1."""
    transaction, t0, stream = trace.next_transaction(), trace.at(), None
    failure: str | None = INTERRUPTED
    try:
        async with asyncio.timeout(settings.connect_timeout):
            stream = await trace.network.open_tcp(ip, port)
        failure = None
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    finally:
        trace.event("connect", t0, transaction, address=endpoint(ip, port), proto="tcp", failure=failure)
        trace.tcp_connect.append(
            {
                "ip": ip,
                "port": port,
                "status": {"failure": failure, "success": failure is None},
                "t0": t0,
                "t": trace.at(),
                "transaction_id": transaction,
                "x_attempt": number,
            }
        )
    if stream is None:
        return None, failure
    trace.hold(stream)
    return TracedStream(stream, trace, ip, port, transaction), None
