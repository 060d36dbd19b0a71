"""Transfer: how fast data come from the target, beside a control at the same time.

Pairs are interleaved, so that both see the same congestion.  The control is the same page from the same
address under an innocuous name; where the server will not give it that, a large file elsewhere.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from fanous.model.address import is_address
from fanous.probe import tcp, tls
from fanous.probe.connection import PORTS
from fanous.probe.http import HEADERS, authority_of, path_of
from fanous.probe.net.addresses import endpoint, is_public
from fanous.probe.net.download import Download, download
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.http import Request
from fanous.probe.net.network import Stream
from fanous.probe.net.tls import client_context
from fanous.probe.rates import rates
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace, TracedStream
from fanous.refdata.platforms import target_of

MOST_REQUESTS = 40
"""Of small pages: further ones would measure the round trip, and annoy the server."""

NOT_LARGE_ENOUGH = 0.5
"""Share of the target's bytes that a control must have given."""

LEAST_CONTROL = 65_536
"""Bytes that it must have given where the target broke off: more than a freeze lets through."""


@dataclass(frozen=True, slots=True)
class DownloadSource:
    """Where one download comes from.

    Attributes:
        server_name: in the ClientHello; empty = plain HTTP.
        verify: must the certificate be valid for it?
        host: asked for, where it is not that of ``url``.
        pieces: URLs of the same host, one after the other; empty = ``url`` again and again.
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
    """Target and control in turn, ``count`` times; noted as ``x_transfers``.

    Args:
        why: ``asked``, ``sample``, ``slow_handshake``, ``slow_page``, ``stall`` or ``starved``.
        until: by ``network.now``: no pair is begun later.
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
            if _is_comparable(first, second):
                trace.transfers.append(second | kept)
                continue
            # What came is kept in ``reads``; it is no rate that the target's could be held against.
            trace.transfers.append(second | kept | {"kbps": None, "kbps_late": None})
        elsewhere = await _elsewhere(trace, settings)
        if elsewhere is not None:
            trace.transfers.append(await fetch(trace, settings, elsewhere) | kept)


def _is_comparable(target: Entry, control: Entry) -> bool:
    """Did the server give the other name as much as the target's, not just a page that says no?"""
    least = LEAST_CONTROL if target["failure"] else NOT_LARGE_ENOUGH * target["bytes"]
    return control["failure"] is None and bool(control["bytes"] >= least)


def target_source(trace: Trace, url: str) -> DownloadSource | None:
    """The page that the target's redirects led to, at the address it came from; ``None`` = none came."""
    wanted = target_of(urlsplit(url).hostname or "")
    for request in trace.requests:
        found = str(request["request"]["url"])
        host = urlsplit(found).hostname or ""
        if request["response"] and target_of(host) == wanted:
            ip = str(request["address"]).rpartition(":")[0].strip("[]")
            return DownloadSource("target", found, ip, host if found.startswith("https:") else "")
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
    found = [host] if is_address(host) else await _look_up(trace, settings, host)
    return DownloadSource("control", url, found[0] if found else "", host if url.startswith("https:") else "")


async def _look_up(trace: Trace, settings: Settings, host: str) -> list[str]:
    try:
        async with asyncio.timeout(settings.lookup_timeout):
            found = await trace.network.look_up(host)
    except NETWORK_ERRORS:
        return []  # the entry says that there was no address
    return [ip for ip in found if settings.allow_private or is_public(ip)]


async def fetch(
    trace: Trace, settings: Settings, source: DownloadSource, most: int = 0, seconds: float = 0
) -> Entry:
    """One download, in a trace of its own: its pages are no observation of the target's page.

    Args:
        most: bytes; 0 = as the settings say.
        seconds: after which it is cut off; 0 = as the settings say.
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
        Request(source.host or authority_of(one), path_of(one), scheme=one.scheme, headers=HEADERS)
        for one in parts
    ]


def _port(source: DownloadSource) -> int:
    parts = urlsplit(source.url)
    return parts.port or PORTS[parts.scheme]
