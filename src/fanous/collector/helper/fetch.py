"""Fetch: the page, over its redirects, each connection to an address that was looked at first.

Follows ooni/probe-cli, internal/oohelperd/http.go (``httpDo``, ``discoverH3Endpoint``).  A name is resolved
here and the connection made to the very address that was found sound: a second lookup by the client could
answer with a private one.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from html import unescape
from time import monotonic
from urllib.parse import urlsplit

import httpx

from fanous.collector.helper.plan import HttpResult, url_of
from fanous.collector.helper.reach import Resolve, tls_context
from fanous.collector.helper.words import http_failure
from fanous.collector.refusal import Refused
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of

SECONDS = 15.0
MOST_BODY = 1 << 24
"""``maxAcceptableBodySize`` of theirs; the body is counted, not kept."""
KEPT_BODY = 1 << 17
"""Where a page's title stands, if it has one."""
REDIRECTS = 10
"""As Go's client, which theirs is."""
ALLOWED_HEADERS = frozenset({"user-agent", "accept", "accept-language"})

_TITLE = re.compile(rb"<title[^>]*>(.{0,4096}?)</title", re.IGNORECASE | re.DOTALL)
_H3 = re.compile(r'h3="?([^";,]*)')


class _Pinned(httpx.AsyncBaseTransport):
    """Connects to a vetted address, with the name in SNI and ``Host``."""

    def __init__(self, resolve: Resolve, is_refused: Callable[[str], bool], ca_file: str) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=tls_context(ca_file), http1=True, http2=True)
        self._resolve = resolve
        self._is_refused = is_refused

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        address = await self._address(host)
        request.extensions = request.extensions | {"sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def _address(self, host: str) -> str:
        found = [a for a in await self._resolve(host) if not self._is_refused(a)]
        if not found:
            raise NetworkFailure("dns_bogon_error")
        return next((address for address in found if ":" not in address), found[0])

    async def aclose(self) -> None:
        await self._inner.aclose()


async def fetched(
    url: str,
    headers: Mapping[str, list[str]],
    resolve: Resolve,
    is_refused: Callable[[str], bool],
    ca_file: str = "",
) -> HttpResult:
    """``httpDo``."""
    own = [(name, v) for name, vs in headers.items() if name.lower() in ALLOWED_HEADERS for v in vs]
    own.append(("accept-encoding", "identity"))  # a compressed page could be a bomb
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(
                transport=_Pinned(resolve, is_refused, ca_file), timeout=None, trust_env=False, headers=own
            ) as client,
        ):
            return await _followed(client, url)
    except httpx.HTTPError as error:
        return HttpResult(http_failure(failure_of(_cause(error))))
    except NETWORK_ERRORS as error:
        return HttpResult(http_failure(failure_of(error)))
    except (httpx.InvalidURL, Refused, UnicodeError):
        return HttpResult("unknown_error")


async def _followed(client: httpx.AsyncClient, url: str) -> HttpResult:
    discovered = ""
    for hop in range(REDIRECTS + 1):
        began = monotonic()
        async with client.stream("GET", url) as response:
            if hop == 0:
                discovered = h3_endpoint(response.headers.get("alt-svc", ""), url)
            following = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or not following:
                return await _result(response, discovered, began)
        url = str(httpx.URL(url).join(following))
        url_of(url)  # the target's own redirect may lead to a port or scheme that we do not serve
    return HttpResult("unknown_error")


async def _result(response: httpx.Response, discovered: str, began: float) -> HttpResult:
    length, head = 0, b""
    async for chunk in response.aiter_raw():
        length = min(length + len(chunk), MOST_BODY)
        if len(head) < KEPT_BODY:
            head += chunk
        if length >= MOST_BODY:
            break
    headers = {_go_name(name): value for name, value in response.headers.items()}
    seconds = round(monotonic() - began, 4)
    return HttpResult(None, length, discovered, title_of(head), headers, response.status_code, seconds)


def title_of(body: bytes) -> str:
    """``WebGetTitle``: the text in the first ``<title>``; empty = none."""
    found = _TITLE.search(body[:KEPT_BODY])
    return unescape(found[1].decode("utf-8", "replace")).strip() if found else ""


def h3_endpoint(alt_svc: str, url: str) -> str:
    """``parseAltSvc`` and ``discoverH3Endpoint``: the HTTP/3 endpoint that a server offers; empty = none."""
    found = _H3.search(alt_svc)
    if not found or ":" not in found[1]:
        return ""
    host, _, port = found[1].rpartition(":")
    return f"{host or urlsplit(url).netloc}:{port}"


def _go_name(name: str) -> str:
    """``content-type`` -> ``Content-Type``, as Go's client writes names."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _cause(error: BaseException) -> BaseException:
    """The error of the network below those of the client library."""
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError()
    while not isinstance(error, NETWORK_ERRORS) or _says_nothing(error):
        below = error.__cause__ or error.__context__
        if isinstance(error, BaseExceptionGroup):
            below = error.exceptions[0]
        if below is None:
            return error
        error = below
    return error


def _says_nothing(error: BaseException) -> bool:
    """Is it anyio's summary of what happened to each address?"""
    return type(error) is OSError and error.errno is None
