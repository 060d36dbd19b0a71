"""Helper: what an OONI test helper (ts-017 ``POST /``) sees of the same endpoints from outside.

Without it, blocking cannot be told from a failure of the site itself, so its answer is part of the
measurement.
"""

import asyncio
import json
from urllib.parse import urlsplit

from fanous.model.place import is_address
from fanous.probe.http import HEADERS
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.network import Network, Stream, endpoint
from fanous.probe.net.tls import TLSStream, client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import NO_HELPER, Entry, Trace

LARGEST_ANSWER = 1 << 20
SECONDS = 18.0
"""The helper tries each endpoint for up to 10-15 s (ooni/probe-cli, internal/oohelperd).  It is asked
alongside the probe's own steps, and may take no longer than they may."""


LEAST_SECONDS = 3.0
"""Used if look-ups took all the available time."""


async def ask(trace: Trace, settings: Settings, url: str) -> tuple[Entry | None, str | None]:
    """The helper's ``control`` and ``control_failure``; one of the two is ``None``."""
    if not settings.helper:
        return None, NO_HELPER
    body = json.dumps(_question(trace, url)).encode()
    try:
        async with asyncio.timeout(min(SECONDS, max(trace.time_left(), LEAST_SECONDS))):
            page = await _post(trace.network, settings, settings.helper, body)
        control = json.loads(bytes(page.body)) if page.code == 200 else None
    except NETWORK_ERRORS as error:
        return None, failure_of(error)
    except ValueError:
        return None, "json_parse_error"
    return (control, None) if isinstance(control, dict) else (None, "http_request_failed")


def _question(trace: Trace, url: str) -> Entry:
    host = urlsplit(url).hostname or ""
    port = urlsplit(url).port or (443 if url.startswith("https:") else 80)
    endpoints = [endpoint(host, port)] if is_address(host) else []
    for query in trace.queries:
        if query["hostname"] == host:
            endpoints += [endpoint(a.get("ipv4") or a.get("ipv6") or "", port) for a in query["answers"]]
    known = [one for one in dict.fromkeys(endpoints) if not one.startswith(":")]
    return {
        "http_request": url,
        "http_request_headers": {name: [value] for name, value in HEADERS},
        "tcp_connect": known,
        "x_quic_enabled": False,
    }


async def _post(network: Network, settings: Settings, url: str, body: bytes) -> HttpResponse:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    addresses = [host] if is_address(host) else await network.look_up(host)
    if not addresses:
        raise NetworkFailure("dns_no_answer")
    raw = await network.open_tcp(addresses[0], parts.port or (443 if secure else 80))
    stream: Stream = raw
    page, protocol = HttpResponse(LARGEST_ANSWER), ""
    try:
        if secure:
            stream = tls = TLSStream(raw, host, client_context(("h2", "http/1.1"), settings.ca_file))
            await tls.handshake()
            protocol = tls.alpn
        headers = (("content-type", "application/json"), ("accept", "application/json"))
        request = Request(parts.netloc, parts.path or "/", "POST", parts.scheme, headers, body)
        await exchange(stream, request, page, protocol)
    finally:
        raw.close()
    return page
