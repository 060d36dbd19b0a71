"""Transfer: how fast data come from the target, beside a control at the same time.

Pairs are interleaved, so that both see the same congestion.  A policer lets a first burst through (a 64 KB
file read 397-479 kbit/s on a true 137), so a rate also stands for what came after the first third.
"""

import asyncio
from dataclasses import replace
from math import isnan
from urllib.parse import urlsplit

from fanous.net.addresses import is_address, is_public
from fanous.net.failure import NETWORK_ERRORS
from fanous.probes import endpoint
from fanous.probes.settings import Settings
from fanous.probes.trace import Entry, Trace

Reads = list[tuple[float, int]]
"""(seconds since the measurement began, bytes on the wire) of each read, in order."""

BURST_SHARE = 1 / 3
"""Share of the bytes that a token bucket may have let through at once."""


async def pairs(trace: Trace, settings: Settings, url: str) -> None:
    """Target and control in turn, ``transfer_pairs`` times; noted as ``x_transfers``."""
    if not settings.transfer_control:
        return
    for number in range(settings.transfer_pairs):
        for role, source in (("target", url), ("control", settings.transfer_control)):
            trace.transfers.append({"role": role, "pair": number, **await _one(trace, settings, source)})


async def _one(trace: Trace, settings: Settings, url: str) -> Entry:
    """One download, in a trace of its own: its pages are no observation of the target's page."""
    inner = Trace(trace.network)
    large = replace(
        settings,
        most_body=settings.transfer_bytes,
        page_timeout=settings.transfer_timeout,
        control_sni="",
    )
    t0 = trace.at()
    try:
        addresses = await _addresses(inner, settings, url)
        await endpoint.load(inner, large, url, addresses[:1])
    except NETWORK_ERRORS:
        pass  # the trace has no request then, which says so
    finally:
        inner.close()
    request = inner.requests[0] if inner.requests else None
    if request is None:
        return {"url": url, "t0": t0, "failure": _why(inner), "bytes": 0, "seconds": None, "kbps": None}
    reads = [
        (float(event["t"]), int(event["num_bytes"]))
        for event in inner.network_events
        if event["operation"] == "read"
        and event["transaction_id"] == request["transaction_id"]
        and event["t"] >= request["t0"]
        and event["num_bytes"]
    ]
    found = rates(reads, float(request["t0"]), float(request["t"]))
    return {"url": url, "t0": t0, "failure": request["failure"], **found}


async def _addresses(trace: Trace, settings: Settings, url: str) -> list[str]:
    host = urlsplit(url).hostname or ""
    if is_address(host):
        return [host]
    async with asyncio.timeout(settings.lookup_timeout):
        found = await trace.network.look_up(host)
    return [ip for ip in found if settings.allow_private or is_public(ip)]


def _why(trace: Trace) -> str:
    """How the last step before a request failed."""
    for handshake in reversed(trace.tls_handshakes):
        return str(handshake["failure"])
    for connect in reversed(trace.tcp_connect):
        return str(connect["status"]["failure"])
    return "dns_no_answer"


def rates(reads: Reads, began: float, ended: float) -> Entry:
    """What the reads of one download say.

    Args:
        began, ended: of the request; silence before ``ended`` counts as a gap.

    Returns:
        ``kbps`` over all of it, ``kbps_late`` after the first third of the bytes, ``largest_gap`` in
        seconds, and ``reads`` as [seconds since the request, bytes in all]; ``None`` = cannot be told.
    """
    total = sum(count for _, count in reads)
    curve, sum_so_far, gap, last = [], 0, 0.0, began
    for at, count in reads:
        sum_so_far += count
        gap, last = max(gap, at - last), at
        curve.append((round(at - began, 4), sum_so_far))
    gap = max(gap, ended - last)
    return {
        "bytes": total,
        "seconds": round(ended - began, 4),
        "kbps": _kbps(total, last - began),
        "kbps_late": _late(curve, total),
        "largest_gap": round(gap, 4),
        "reads": [list(point) for point in _thinned(curve)],
    }


def _late(curve: list[tuple[float, int]], total: int) -> float | None:
    for at, count in curve:
        if count >= total * BURST_SHARE:
            return _kbps(total - count, curve[-1][0] - at)
    return None


def _kbps(count: int, seconds: float) -> float | None:
    """``None`` where it all came in one read."""
    if isnan(seconds) or seconds <= 0 or count <= 0:
        return None
    return round(count * 8 / 1000 / seconds, 1)


MOST_POINTS = 200
"""Of a curve in the record: enough to see a bucket, a slope and a stall."""


def _thinned(curve: list[tuple[float, int]]) -> list[tuple[float, int]]:
    step = max(1, -(-len(curve) // MOST_POINTS))
    kept = curve[::step]
    return kept if not curve or kept[-1] == curve[-1] else [*kept, curve[-1]]
