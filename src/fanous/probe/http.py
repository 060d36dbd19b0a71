"""HTTP: one request on one connection, recorded as in df-001; what arrived before a failure is kept."""

import asyncio
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from fanous.model.measurement import endpoint
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.http import HttpResponse, Request, authority_of, exchange, path_of
from fanous.probe.net.network import Stream
from fanous.probe.settings import Settings
from fanous.probe.trace import INTERRUPTED, Entry, Trace

HEADERS = (
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.9"),
    (
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Safari/537.36",
    ),
)
"""A browser's, since sites and censors treat other clients differently (as OONI does, ts-017); no
compression, so that the body is recorded as it arrived."""


async def get(
    trace: Trace,
    settings: Settings,
    stream: Stream,
    url: str,
    ip: str,
    transaction: int,
    protocol: str = "",
    number: int = 1,
    method: str = "GET",
) -> HttpResponse:
    """Request ``url`` on ``stream`` and record it; ``number`` counts attempts from 1."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    page, t0 = HttpResponse(settings.most_body), trace.at()
    failure: str | None = INTERRUPTED
    request = Request(authority_of(parts), path_of(parts), method, parts.scheme, HEADERS)
    try:
        async with asyncio.timeout(settings.page_timeout):
            await exchange(stream, request, page, protocol)
        failure = None
    except NETWORK_ERRORS as error:
        failure = page.failure = failure_of(error)
    finally:
        stream.close()
        entry: Entry = {
            "network": "tcp",
            "address": endpoint(ip, port),
            "failure": failure,
            "request": _request_entry(url, request, spoken(page, protocol)),
            "response": _response_entry(page) if page.code else None,
            "t0": t0,
            "t": trace.at(),
            "transaction_id": transaction,
            "x_attempt": number,
        }
        trace.requests.insert(0, entry)
    return page


def spoken(page: HttpResponse, protocol: str) -> str:
    """``h2``, or the version that the server answered in: an HTTP/1.0 server answers a request of 1.1, too."""
    return "h2" if protocol == "h2" else f"http/{page.version or '1.1'}"


def _request_entry(url: str, request: Request, protocol: str) -> Entry:
    headers = [("host", request.authority), *request.headers]
    return {
        "method": request.method,
        "url": url,
        "headers": dict(headers),
        "headers_list": [list(pair) for pair in headers],
        "body": "",
        "body_is_truncated": False,
        "x_transport": "tcp",
        "x_protocol": protocol,
    }


def _response_entry(page: HttpResponse) -> Entry:
    headers: dict[str, Any] = {}
    for name, value in page.headers:
        headers.setdefault(name, value)
    return {
        "code": page.code,
        "headers": headers,
        "headers_list": [list(pair) for pair in page.headers],
        "body": _text(bytes(page.body)),
        "body_is_truncated": page.truncated,
    }


def _text(body: bytes) -> Any:
    """df-001: text, or base64 if it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"data": b64encode(body).decode("ascii"), "format": "base64"}
