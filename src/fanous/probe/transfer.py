"""Transfer: how fast data come from the target, compared with a control at the same time.

Pairs are interleaved, so that both see the same congestion.  The control is the same page from the same
address under an innocuous name or, if the server will not serve it, a large file elsewhere.

A policer lets a first burst through (a 64 KB file read 397-479 kbit/s on a true 137), so a rate is also given
for what came after the first third of the bytes and of the time, since a bucket of half a short download is
empty at once.

Only targets that look slowed down are worth a download, plus a few at random: a policer's bucket hides a
handshake altogether, so targets that look fine are sampled too.
"""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from random import Random
from urllib.parse import urlsplit

from fanous.model.measurement import PORTS, endpoint, ip_of, is_address
from fanous.model.threshold import threshold
from fanous.probe import tcp, tls
from fanous.probe.http import HEADERS
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.http import Download, Request, authority_of, download, path_of
from fanous.probe.net.network import Stream, is_public
from fanous.probe.net.tls import client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace, TracedStream
from fanous.refdata.platforms import target_of

Reads = list[tuple[float, int]]
"""(seconds since the measurement began, bytes on the wire) of each read, in order."""

BURST_SHARE = 1 / 3
"""Share of the bytes, and of the time, after which a token bucket is taken to be empty.  For downloads of 85
KB behind a policer of 137 kbit/s in the lab, whose bucket let 45 KB through, the rate was 179 by bytes alone
and 147 by both."""

LEAST_TAIL = 1 / 3
"""Smallest share of the time that the data after the burst must take to have a rate of their own: in the lab the last
64 KB of a short page arrived in one piece, and read 900 Mbit/s on a line with 2 overall.
"""

STALL = threshold(
    "probe.stall_seconds",
    3.0,
    "Silence that makes a download stalled: a flow that is merely slow resumes within a few retransmissions.",
)

MOST_POINTS = 200
"""Points of a curve in the record: enough to see a bucket, a slope and a stall."""


def rates(reads: Reads, began: float, ended: float) -> Entry:
    """What the reads of one download say.

    Args:
        began, ended: times of the request; silence before ``ended`` counts as a gap.

    Returns:
        ``kbps`` over all of it, ``kbps_late`` after the first third (``BURST_SHARE``) where that is not one
        piece (``LEAST_TAIL``), ``largest_gap`` in seconds, ``stall_offset`` in bytes received before it if it
        is a stall, and ``reads`` as [seconds since the request, total bytes]; ``None`` = unknown, or no
        stall.
    """
    total = sum(count for _, count in reads)
    curve, sum_so_far, gap, last, before = [], 0, 0.0, began, 0
    for at, count in [*reads, (ended, 0)]:
        if at - last > gap:
            gap, before = at - last, sum_so_far
        if count:
            sum_so_far, last = sum_so_far + count, at
            curve.append((round(at - began, 4), sum_so_far))
    return {
        "bytes": total,
        "seconds": round(ended - began, 4),
        "kbps": _kbps(total, last - began),
        "kbps_late": _late(curve, total, ended - began if ended - last < STALL else last - began),
        "largest_gap": round(gap, 4),
        "stall_offset": before if gap >= STALL else None,
        "reads": [list(point) for point in _thinned(curve)],
    }


def _late(curve: list[tuple[float, int]], total: int, ends: float) -> float | None:
    """Measured until the download ends, not its last read: a policed flow comes in bursts, with pauses
    between. For 71 downloads cut off after 2.5 s behind a policer of 137 kbit/s, the rate was 160 without
    that pause and 140 with it.
    """
    for at, count in curve:
        if count >= total * BURST_SHARE and at >= ends * BURST_SHARE:
            return _kbps(total - count, ends - at) if ends - at >= ends * LEAST_TAIL else None
    return None


def _kbps(count: int, seconds: float) -> float | None:
    """``None`` if it all came in one read."""
    if isnan(seconds) or seconds <= 0 or count <= 0:
        return None
    return round(count * 8 / 1000 / seconds, 1)


def _thinned(curve: list[tuple[float, int]]) -> list[tuple[float, int]]:
    step = max(1, -(-len(curve) // MOST_POINTS))
    kept = curve[::step]
    return kept if not curve or kept[-1] == curve[-1] else [*kept, curve[-1]]


MOST_REQUESTS = 40
"""Most requests for small pages: more would measure the round trip, and annoy the server."""

NOT_LARGE_ENOUGH = 0.5
"""Share of the target's bytes that a control must have delivered."""

LEAST_CONTROL = 65_536
"""Bytes it must have delivered if the target was cut off: more than a freeze lets through."""


@dataclass(frozen=True, slots=True)
class DownloadSource:
    """Where one download comes from.

    Attributes:
        server_name: in the ClientHello; empty = plain HTTP.
        verify: must the certificate be valid for it?
        host: requested host, if it differs from that of ``url``.
        pieces: URLs on the same host, in order; empty = ``url`` repeatedly.
    """

    role: str
    url: str
    ip: str
    server_name: str
    verify: bool = True
    same_address: bool = False
    host: str = ""
    pieces: tuple[str, ...] = ()


async def pairs(trace: Trace, settings: Settings, url: str, count: int, why: str, until: float) -> None:
    """Download target and control in turn, ``count`` times; recorded as ``x_transfers``.

    Args:
        why: ``asked``, ``sample``, ``slow_handshake``, ``slow_page``, ``stall`` or ``starved``.
        until: by ``network.now``; no pair is begun after it.
    """
    target = target_source(trace, url)
    if target is None:
        return
    for number in range(count):
        if trace.network.now() > until:
            return
        kept = {"pair": number, "why": why}
        first = await fetch(trace, settings, target)
        trace.transfers.append(first | kept)
        beside = _beside(settings, target)
        if beside is not None:
            second = await fetch(trace, settings, beside)
            # Did the server send as much for the other name as for the target's, rather than an error page?
            least = LEAST_CONTROL if first["failure"] else NOT_LARGE_ENOUGH * first["bytes"]
            if second["failure"] is None and bool(second["bytes"] >= least):
                trace.transfers.append(second | kept)
                continue
            # What arrived is kept in ``reads``, but it is not a rate to compare the target's with.
            trace.transfers.append(second | kept | {"kbps": None, "kbps_late": None})
        elsewhere = await _elsewhere(trace, settings)
        if elsewhere is not None:
            trace.transfers.append(await fetch(trace, settings, elsewhere) | kept)


def target_source(trace: Trace, url: str) -> DownloadSource | None:
    """The page that the target's redirects led to, at the address it came from; ``None`` = no page arrived."""
    wanted = target_of(urlsplit(url).hostname or "")
    for request in trace.requests:
        final = str(request["request"]["url"])
        host = urlsplit(final).hostname or ""
        if request["response"] and target_of(host) == wanted:
            ip = ip_of(str(request["address"]))
            return DownloadSource("target", final, ip, host if final.startswith("https:") else "")
    return None


def _beside(settings: Settings, target: DownloadSource) -> DownloadSource | None:
    if not target.server_name or not settings.control_sni:
        return None
    parts = urlsplit(target.url)
    name, port = settings.control_sni, f":{parts.port}" if parts.port else ""
    url = parts._replace(netloc=name + port).geturl()
    host = authority_of(parts)
    return DownloadSource("control", url, target.ip, name, verify=False, same_address=True, host=host)


async def _elsewhere(trace: Trace, settings: Settings) -> DownloadSource | None:
    url = settings.transfer_control
    if not url:
        return None
    host = urlsplit(url).hostname or ""
    addresses = [host] if is_address(host) else await _look_up(trace, settings, host)
    return DownloadSource(
        "control", url, addresses[0] if addresses else "", host if url.startswith("https:") else ""
    )


async def _look_up(trace: Trace, settings: Settings, host: str) -> list[str]:
    try:
        async with asyncio.timeout(settings.lookup_timeout):
            found = await trace.network.look_up(host)
    except NETWORK_ERRORS:
        return []  # the entry records that there was no address
    return [ip for ip in found if settings.allow_private or is_public(ip)]


async def fetch(
    trace: Trace, settings: Settings, source: DownloadSource, most: int = 0, seconds: float = 0
) -> Entry:
    """One download, in a separate trace, because its pages are not observations of the target's page.

    Args:
        most: bytes; 0 = as in the settings.
        seconds: after which it is cut off; 0 = as in the settings.
    """
    inner = Trace(trace.network, started=trace.started)
    got = Download(most or settings.transfer_bytes)
    t0 = began = trace.at()
    failure: str | None = "dns_no_answer"
    transaction = 0
    try:
        if source.ip:
            stream, failure = await _open(inner, settings, source)
            if stream is not None:
                transaction, began = inner.first_transaction - 1, trace.at()
                async with asyncio.timeout(seconds or settings.transfer_timeout):
                    await download(stream, _requests(source), got)
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
    finally:
        inner.close()
    reads = [
        (float(event["t"]), int(event["num_bytes"]))
        for event in inner.network_events
        if event["operation"] == "read" and event["transaction_id"] == transaction and event["t"] >= began
    ]
    return {
        "role": source.role,
        "same_address": source.same_address,
        "url": source.url,
        "address": endpoint(source.ip, _port(source)) if source.ip else "",
        "server_name": source.server_name,
        "host": source.host or authority_of(urlsplit(source.url)),
        "code": got.code,
        "requests": got.requests,
        "failure": failure,
        "t0": t0,
        **rates([read for read in reads if read[1]], began, trace.at()),
    }


async def _open(inner: Trace, settings: Settings, source: DownloadSource) -> tuple[Stream | None, str | None]:
    plain: TracedStream | None
    plain, failure = await tcp.attempt(inner, settings, source.ip, _port(source))
    if plain is None or not source.server_name:
        return plain, failure
    context = client_context(("http/1.1",), settings.ca_file if source.verify else "", source.verify)
    return await tls.attempt(inner, settings, plain, source.server_name, context)


def _requests(source: DownloadSource) -> list[Request]:
    urls = source.pieces or (source.url,) * MOST_REQUESTS
    parts = [urlsplit(url) for url in urls]
    return [
        Request(source.host or authority_of(part), path_of(part), scheme=part.scheme, headers=HEADERS)
        for part in parts
    ]


def _port(source: DownloadSource) -> int:
    parts = urlsplit(source.url)
    return parts.port or PORTS[parts.scheme]


SLOW_RATIO = threshold(
    "probe.screen_ratio",
    5.0,
    "Times the handshake with the innocuous name at the same address, to ask for downloads: Türkiye slowed "
    "handshakes from 70 ms to over 3 s.",
)

LEAST_SECONDS = threshold(
    "probe.screen_seconds", 0.5, "Below this, one lost packet can make a handshake slow."
)


SLOW_PAGE = 400.0
"""kbit/s below which not even the smallest video can be watched; policed flows had 130 to 150."""

LEAST_PAGE = 32_768
"""Bytes a page needs to show a rate: a policer's bucket of 24 KB hides a smaller one."""

SLOW_SHARE = 0.2
"""Share of the fastest page's rate in the run: if everything is slow, a slow page needs no download."""


def reason(
    trace: Trace, settings: Settings, url: str, chance: Random, fastest: float = 0.0
) -> tuple[str, int]:
    """Why to download, and in how many pairs; 0 = not at all.

    Args:
        fastest: kbit/s of the fastest page of the run so far; 0 = unknown.
    """
    is_sampled = chance.random() < settings.transfer_share
    if not trace.requests:
        return "", 0
    if settings.transfer_pairs:
        return "asked", settings.transfer_pairs
    if slow_at(trace, urlsplit(url).hostname or ""):
        return "slow_handshake", settings.transfer_screened_pairs
    if _stalled(trace):
        return "stall", settings.transfer_screened_pairs
    # Did a page begin to arrive and run out of time? Only a control shows whether everything is slow here.
    if any(
        request.get("response") and request["failure"] == "generic_timeout_error"
        for request in trace.requests
    ):
        return "starved", settings.transfer_screened_pairs
    pace = page_kbps(trace)
    if 0 < pace < SLOW_PAGE and not fastest * SLOW_SHARE <= pace <= fastest:
        return "slow_page", settings.transfer_screened_pairs
    return ("sample", 1) if is_sampled else ("", 0)


def slow_at(trace: Trace, host: str) -> str:
    """The address at which every handshake with ``host`` is slow compared with the control's; empty = none."""
    worked = [handshake for handshake in trace.tls_handshakes if handshake["failure"] is None]
    for address in {handshake["address"] for handshake in worked}:
        here = [handshake for handshake in worked if handshake["address"] == address]
        target = [_seconds(handshake) for handshake in here if handshake["server_name"] == host]
        control = [_seconds(handshake) for handshake in here if handshake["server_name"] != host]
        if target and control and min(target) > max(LEAST_SECONDS, SLOW_RATIO * min(control)):
            return str(address)
    return ""


def page_kbps(trace: Trace) -> float:
    """Rate of the fastest page of the trace, without the first burst; 0 = none was large enough."""
    rates = [0.0]
    for request in trace.requests:
        came = _reads(trace, request)
        later = sum(count for _, count in came[1:])
        if later >= LEAST_PAGE and came[-1][0] > came[0][0]:
            rates.append(later * 8 / 1000 / (came[-1][0] - came[0][0]))
    return max(rates)


def _reads(trace: Trace, request: Entry) -> list[tuple[float, int]]:
    """(time, bytes) of each read of a response."""
    return [
        (float(event["t"]), int(event["num_bytes"]))
        for event in trace.network_events
        if event["operation"] == "read"
        and event["transaction_id"] == request["transaction_id"]
        and event["t"] >= request["t0"]
        and event["num_bytes"]
    ]


def _stalled(trace: Trace) -> bool:
    """Did a page begin to arrive and then stop?"""
    for request in trace.requests:
        came = [at for at, _ in _reads(trace, request)]
        ends = [*came, float(request["t"])]
        if came and max(later - at for at, later in pairwise(ends)) >= STALL:
            return True
    return False


def _seconds(entry: Entry) -> float:
    return float(entry["t"]) - float(entry["t0"])
