"""Helper: the outside control of web_connectivity: the same target, tried from here in the same minute.

Follows ooni/probe-cli, internal/oohelperd: measure.go (``measure``), handler.go (``ServeHTTP``,
``handlerShouldThrottleClient``) and ipinfo.go (``newIPInfo``, ``ipInfoToEndpoints``), with the form of question and
answer in internal/model/th.go (``THRequest``, ``THResponse``).  A question is answered within bounds of time, number
and reach: targets that are not on the public internet are refused, at each redirect too, and so are this machine's own
addresses and its neighbours' (``reach``), so that no one can reach our own network through it.

The page is fetched through its redirects, as in http.go (``httpDo``, ``discoverH3Endpoint``).  The name is resolved
here, and the connection is made to the very address that was vetted: a second lookup by the HTTP client could return
a private one.

DNS, TCP and TLS are measured from the helper, and a failure is a finding, never an exception.  This follows dns.go
(``dnsDo``) and tcptls.go (``tcpTLSDo``), with their time-outs; QUIC is not measured (in OONI's it is off by default).
OONI's helper resolves through DoH at a fixed resolver, ours through the system's: a helper runs where that one can be
trusted.

OONI's test helper has always named failures differently from probes.  The names follow ``tcpMapFailure`` (tcptls.go),
``dnsMapFailure`` (dns.go) and ``httpMapFailure`` (http.go); analysis code compares with exactly these.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from html import unescape
from http.cookiejar import CookieJar
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from urllib.parse import SplitResult, urlsplit
from urllib.request import Request as Asking

import h11
import msgspec
from msgspec import Struct

from fanous.analysis.rules.addresses import is_bogon
from fanous.base.threads import Threads
from fanous.collector.reach import HelperReach
from fanous.collector.request import Refused, decoded
from fanous.errors import FanousError
from fanous.model.measurement import endpoint, is_address
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.http import HttpResponse, Request, authority_of, exchange, joined, path_of
from fanous.probe.net.network import Stream, is_public, is_public_host, is_web_port, normal_host
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.net.tls import TLSStream, client_context

RESOLVED_BY_PROBE, RESOLVED_BY_HELPER, IS_BOGON, VALID_FOR_DOMAIN = 1, 2, 4, 8
"""``THIPInfoFlag...`` of th.go."""

MOST_ENDPOINTS = 32
"""OONI's has no limit; web_connectivity finds fewer than ten addresses for nearly every site."""

LONGEST_URL = 2048


class HelperQuestion(Struct):
    """The question (``THRequest``)."""

    http_request: str
    http_request_headers: dict[str, list[str]] = {}
    tcp_connect: list[str] | None = None
    x_quic_enabled: bool = False


class TcpResult(Struct):
    status: bool
    failure: str | None


class TlsResult(Struct):
    server_name: str
    status: bool
    failure: str | None


class HttpResult(Struct):
    """-1 and empty if there was no response, as in ``httpDo``; ``x_seconds`` is ours: the time for the page."""

    failure: str | None
    body_length: int = -1
    discovered_h3_endpoint: str = ""
    title: str = ""
    headers: dict[str, str] = {}
    status_code: int = -1
    x_seconds: float = -1.0


class DnsResult(Struct):
    failure: str | None = None
    addrs: list[str] = []


class IpInfo(Struct):
    asn: int
    flags: int


class HelperAnswer(Struct):
    """``THResponse``; endpoints are ``address:port``.

    QUIC is not tried: OONI's does so only if its operator allows it and the probe asks.
    """

    tcp_connect: dict[str, TcpResult]
    tls_handshake: dict[str, TlsResult]
    quic_handshake: dict[str, TlsResult]
    http_request: HttpResult
    dns: DnsResult
    ip_info: dict[str, IpInfo]
    http3_request: HttpResult | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port; ``tls`` = a handshake follows."""

    address: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return endpoint(self.address, self.port)


_asked = msgspec.json.Decoder(HelperQuestion)


def asked_of(body: bytes) -> HelperQuestion:
    """Raises ``Refused`` (400, as OONI's does) if the question is malformed."""
    return decoded(_asked, body, "a request to a test helper", 400)


def url_of(text: str) -> SplitResult:
    """The target.

    Raises:
        Refused: not an http or https URL, or a port not used by websites.
    """
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise Refused(400, f"http_request is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.hostname or len(text) > LONGEST_URL:
        raise Refused(400, "http_request must be an http or https URL")
    if url.username is not None:
        raise Refused(400, "http_request must not contain a user name")
    if not is_web_port(port):
        raise Refused(400, f"port {port} is not a web port: this helper does not connect to it")
    return url


def ip_infos(
    asked: HelperQuestion,
    resolved: Iterable[str],
    is_private: Callable[[str], bool],
    asn_of: Callable[[str], int],
) -> dict[str, IpInfo]:
    """The addresses that either side found (``newIPInfo``)."""
    flags: dict[str, int] = {}
    for tried in (asked.tcp_connect or [])[:MOST_ENDPOINTS]:
        address = _address(tried.rpartition(":")[0].removeprefix("[").removesuffix("]"))
        if address is not None:
            flags[address] = flags.get(address, 0) | RESOLVED_BY_PROBE
    for text in resolved:
        address = _address(text)
        if address is not None:
            flags[address] = flags.get(address, 0) | RESOLVED_BY_HELPER
    return {
        address: IpInfo(asn_of(address), flag | (IS_BOGON if is_private(address) else 0))
        for address, flag in flags.items()
    }


def endpoints_of(url: SplitResult, infos: Mapping[str, IpInfo]) -> list[Endpoint]:
    """What to try (``ipInfoToEndpoints``): no bogons; 443 as well as 80 if the URL has plain http."""
    if url.port is not None:
        ports = [url.port]
    else:
        ports = [443] if url.scheme == "https" else [80, 443]
    endpoints = [
        Endpoint(address, port, tls=port == 443)
        for address, info in infos.items()
        if not info.flags & IS_BOGON
        for port in ports
    ]
    return sorted(endpoints, key=str)[:MOST_ENDPOINTS]


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


_DNS_SERVER = frozenset(
    {
        "dns_non_recoverable_failure",
        "dns_refused_error",
        "dns_server_misbehaving",
        "dns_temporary_failure",
    }
)


def dns_failure(failure: str | None) -> str | None:
    """The failure of a lookup; an empty answer counts as no answer."""
    match failure:
        case None | "dns_no_answer":
            return None
        case "dns_nxdomain_error":
            return "dns_name_error"
        case _:
            return "dns_server_failure" if failure in _DNS_SERVER else "unknown_error"


_REFUSED_OR_SILENT = {
    "generic_timeout_error": "generic_timeout_error",
    "connection_refused": "connection_refused_error",
}


def tcp_failure(failure: str | None) -> str | None:
    """The failure of a connection."""
    return failure and _REFUSED_OR_SILENT.get(failure, "connect_error")


def http_failure(failure: str | None) -> str | None:
    """The failure of a request, over all its redirects."""
    if failure is not None and failure.startswith("dns_"):
        return "dns_lookup_error"
    return failure and _REFUSED_OR_SILENT.get(failure, "unknown_error")


MOST_ADDRESSES = 64
"""Most addresses of a name in an answer: a resolver's UDP answer of 4,096 bytes holds 250, and sites have fewer than
ten."""

MOST_HEADERS, LONGEST_HEADER = 128, 4096
"""Most headers of a page in an answer, and most characters of each: probes compare their names.  A target could
otherwise return some 100 kB of them for each question."""

LONGEST_TITLE_ANSWER = 1024
"""Characters of a title in an answer: probes compare its first five words."""

DNS_SECONDS = 4.0
TCP_TLS_SECONDS = 15.0

Resolve = Callable[[str], Awaitable[list[str]]]
"""Name -> addresses, each once; raises ``OSError`` (``socket.gaierror``)."""


LOOKUPS = Threads(256, "look-up")
"""Threads for look-ups: one whose servers never answer occupies its thread for 20 s and more, long after its question
was given up.  Unused stacks take no memory."""

MOST_LOOKUPS = 128
"""Look-ups under way, above which no further question is taken.  One that had to wait for a thread would report the
wait as a failure of the name.  Those in progress (``FOR_PROBES``) need at most two each."""


async def resolve(name: str) -> list[str]:
    """Look up with the system's resolver."""
    loop = asyncio.get_running_loop()
    infos = await loop.run_in_executor(
        LOOKUPS, partial(socket.getaddrinfo, name, None, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(address[0]) for *_, address in infos if "%" not in str(address[0])))


async def looked_up(name: str, by: Resolve) -> DnsResult:
    """``dnsDo``."""
    try:
        async with asyncio.timeout(DNS_SECONDS):
            return DnsResult(None, (await by(name))[:MOST_ADDRESSES])
    except NETWORK_ERRORS as error:
        return DnsResult(dns_failure(failure_of(error)), [])
    except UnicodeError:  # a label that IDNA cannot encode: no such name exists
        return DnsResult("dns_name_error", [])


async def connected(endpoint: Endpoint, name: str, ca_file: str = "") -> tuple[TcpResult, TlsResult | None]:
    """``tcpTLSDo``: a connection and, if requested, a handshake, with the certificate checked for ``name``."""
    try:
        async with asyncio.timeout(TCP_TLS_SECONDS):
            stream = await SocketNetwork().open_tcp(endpoint.address, endpoint.port)
    except NETWORK_ERRORS as error:
        return TcpResult(False, tcp_failure(failure_of(error))), None
    try:
        return TcpResult(True, None), await _handshake(stream, name, ca_file) if endpoint.tls else None
    finally:
        stream.close()


async def _handshake(stream: Stream, name: str, ca_file: str) -> TlsResult:
    try:
        async with asyncio.timeout(TCP_TLS_SECONDS):
            await TLSStream(stream, name, tls_context(ca_file)).handshake()
    except NETWORK_ERRORS as error:
        return TlsResult(name, False, failure_of(error))
    except UnicodeError:
        return TlsResult(name, False, "ssl_invalid_hostname")
    return TlsResult(name, True, None)


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Mozilla's authorities, as in OONI's helper.

    Args:
        ca_file: PEM file of other authorities, for a lab.

    Raises:
        FanousError: it is not such a file.
    """
    try:
        return client_context(("h2", "http/1.1"), ca_file)
    except (OSError, ssl.SSLError) as error:
        raise FanousError(f"{ca_file} is not a PEM file of certificates' authorities: {error}") from None


SECONDS = 15.0
MOST_BODY = 1 << 24
"""OONI's ``maxAcceptableBodySize``; the body is counted, not kept."""
KEPT_BODY = 1 << 17
"""Bytes in which to look for a page's title."""
REDIRECTS = 10
"""Most redirects, as in Go's client, which OONI's helper uses."""
ALLOWED_HEADERS = frozenset({"user-agent", "accept", "accept-language"})

MOST_OPENINGS = 10
"""How often to try ``<title``: a page may repeat it any number of times."""

LONGEST_TAG, LONGEST_TITLE = 512, 4096
"""Bytes."""

_H3 = re.compile(r'h3="?([^";,]*)')


class _Page(HttpResponse):
    """A page whose body is counted, and kept only as far as a title may stand; the body of a redirect is not read."""

    length = 0

    def add(self, data: bytes) -> bool:
        self.length = min(self.length + len(data), MOST_BODY)
        self.body += data[: max(0, KEPT_BODY - len(self.body))]
        return self.length < MOST_BODY and not self.following

    @property
    def following(self) -> str:
        """Where it leads; empty = nowhere."""
        return self.header("location") if self.code in (301, 302, 303, 307, 308) else ""

    def info(self) -> Message:
        """Its headers, as a ``CookieJar`` asks for them."""
        message = Message()
        for name, value in self.headers:
            message[name] = value
        return message


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches pages from vetted addresses.

    Attributes:
        resolve: name -> addresses.
        is_refused: addresses that are not connected to.
        ca_file: authorities of a lab; empty = Mozilla's.
    """

    resolve: Resolve
    is_refused: Callable[[str], bool]
    ca_file: str = ""

    async def fetched(self, url: str, headers: Mapping[str, list[str]]) -> HttpResult:
        """``httpDo``."""
        sent = [
            (name.lower(), value)
            for name, values in headers.items()
            if name.lower() in ALLOWED_HEADERS
            for value in values
            if value.isprintable() and value.isascii()
        ]
        sent.append(("accept-encoding", "identity"))  # a compressed page could be a bomb
        try:
            async with asyncio.timeout(SECONDS):
                return await self._followed(url, sent)
        except NETWORK_ERRORS as error:
            return HttpResult(http_failure(failure_of(error)))
        except (
            Refused,
            ValueError,
            h11.LocalProtocolError,
        ):  # of a redirect, or a header that cannot be sent
            return HttpResult("unknown_error")

    async def _followed(self, url: str, headers: list[tuple[str, str]]) -> HttpResult:
        discovered, cookies = "", CookieJar()
        for hop in range(REDIRECTS + 1):
            began, parts, asking = monotonic(), url_of(url), Asking(url)
            cookies.add_cookie_header(asking)
            cookie = [("cookie", value) for value in [asking.get_header("Cookie")] if value]
            page = await self._page(parts, (*headers, *cookie))
            if hop == 0:
                discovered = h3_endpoint(page.header("alt-svc"), url)
            if not page.following:
                return _result(page, discovered, began)
            cookies.extract_cookies(page, asking)  # type: ignore[arg-type]  # it asks for ``info`` only
            url = joined(url, page.following)
        return HttpResult("unknown_error")

    async def _page(self, url: SplitResult, headers: tuple[tuple[str, str], ...]) -> _Page:
        host = normal_host(url.hostname or "")
        addresses = [address for address in await self.resolve(host) if not self.is_refused(address)]
        if not addresses:
            raise NetworkFailure("dns_bogon_error")
        address = next((address for address in addresses if ":" not in address), addresses[0])
        page, is_tls, protocol = _Page(MOST_BODY), url.scheme == "https", ""
        stream: Stream = await SocketNetwork().open_tcp(address, url.port or (443 if is_tls else 80))
        try:
            if is_tls:
                stream = secured = TLSStream(stream, host, tls_context(self.ca_file))
                await secured.handshake()
                protocol = secured.alpn
            request = Request(authority_of(url), path_of(url), scheme=url.scheme, headers=headers)
            await exchange(stream, request, page, protocol)
        finally:
            stream.close()
        return page


def _result(page: _Page, discovered: str, began: float) -> HttpResult:
    headers: dict[str, str] = {}
    for name, value in page.headers[:MOST_HEADERS]:
        headers.setdefault(_go_name(name), value[:LONGEST_HEADER])
    return HttpResult(
        None,
        page.length,
        discovered,
        title_of(bytes(page.body))[:LONGEST_TITLE_ANSWER],
        headers,
        page.code,
        round(monotonic() - began, 4),
    )


def title_of(body: bytes) -> str:
    """``WebGetTitle``: the text in the first ``<title>``; empty = none."""
    page = body[:KEPT_BODY]
    lower, at = page.lower(), 0
    for _ in range(MOST_OPENINGS):
        start = lower.find(b"<title", at)
        if start < 0:
            break
        begin = lower.find(b">", start, start + LONGEST_TAG) + 1
        end = lower.find(b"</title", begin, begin + LONGEST_TITLE + len(b"</title")) if begin else -1
        if end >= 0:
            return unescape(page[begin:end].decode("utf-8", "replace")).strip()
        at = start + 1
    return ""


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


FOR_ALL, FOR_PROBES = 25, 50
"""Questions in progress: below 25 anyone is served, below 50 only probes, above that no one."""

PROBES = ("ooniprobe-", "fanous-")
_TUNNELS = ip_network("2002::/16")
"""6to4 carries an IPv4 address, and so could carry a private one."""


@dataclass(frozen=True, slots=True)
class HelperPolicy:
    """What the helper may connect to, and how it looks names up.

    Attributes:
        resolve: name -> addresses.
        allow_private: accept targets that are not on the public internet; only for a lab.
        ca_file: authorities of a lab; empty = Mozilla's.
        asn_of: the network of an address; 0 = unknown.
        reach: public addresses that are never connected to; with ``allow_private``, only those that the operator lists.
    """

    allow_private: bool = False
    resolve: Resolve = resolve
    ca_file: str = ""
    asn_of: Callable[[str], int] = lambda _address: 0
    reach: HelperReach = field(default_factory=HelperReach)


class Helper:
    """Answers questions; its only state is the number in progress."""

    def __init__(self, policy: HelperPolicy | None = None) -> None:
        self._policy = policy or HelperPolicy()
        if self._policy.ca_file:  # once the door is confined, it cannot read the file
            tls_context(self._policy.ca_file)
        self._under_way = 0

    async def answer(self, asked: HelperQuestion, user_agent: str) -> HelperAnswer:
        """What the target looks like from here.

        Raises:
            Refused: the target is not a URL on the public internet, or too many questions are in progress.
        """
        url = url_of(asked.http_request)
        host = url.hostname or ""
        is_inside = normal_host(host) != "" and not is_public_host(host)
        if (is_inside and not self._policy.allow_private) or (is_address(host) and self._is_private(host)):
            raise Refused(400, "the target is not on the public internet: this helper does not connect to it")
        if is_address(host):
            self._refuse_near([host])
        most = FOR_PROBES if user_agent.startswith(PROBES) else FOR_ALL
        if self._under_way >= most or LOOKUPS.busy >= MOST_LOOKUPS:
            raise Refused(503, "too many requests in progress: try again soon", retry_after=5)
        self._under_way += 1
        try:
            return await self._measure(asked, url)
        finally:
            self._under_way -= 1

    async def _measure(self, asked: HelperQuestion, url: SplitResult) -> HelperAnswer:
        host, ca_file = url.hostname or "", self._policy.ca_file
        dns = DnsResult() if is_address(host) else await looked_up(host, self._policy.resolve)
        self._refuse_near(dns.addrs)
        infos = ip_infos(asked, dns.addrs, self._is_private, self._policy.asn_of)
        endpoints = [e for e in endpoints_of(url, infos) if not self._is_refused(e.address)]
        page, reached = await asyncio.gather(
            Fetcher(self._resolve, self._is_refused, ca_file).fetched(
                asked.http_request, asked.http_request_headers
            ),
            asyncio.gather(*(connected(endpoint, host, ca_file) for endpoint in endpoints)),
        )
        answer = HelperAnswer({}, {}, {}, page, dns, infos)
        for tried, (tcp, tls) in zip(endpoints, reached, strict=True):
            answer.tcp_connect[str(tried)] = tcp
            if tls is not None:
                answer.tls_handshake[str(tried)] = tls
                infos[tried.address].flags |= VALID_FOR_DOMAIN if tls.failure is None else 0
        return answer

    async def _resolve(self, host: str) -> list[str]:
        return [host] if is_address(host) else await self._policy.resolve(host)

    def _refuse_near(self, addresses: Iterable[str]) -> None:
        """Refuse to answer about addresses near us: reporting a failure would be a finding about the target."""
        if any(self._is_near(address) for address in addresses):
            raise Refused(
                400, "the target is at an address that this helper does not connect to: ask another helper"
            )

    def _is_refused(self, address: str) -> bool:
        return self._is_private(address) or self._is_near(address)

    def _is_near(self, address: str) -> bool:
        """Is it near us?  In a lab, only listed addresses count, since its sites are this machine's neighbours."""
        reach = self._policy.reach
        refused = reach.is_listed if self._policy.allow_private else reach.is_refused
        return refused(address) and not self._is_private(address)

    def _is_private(self, address: str) -> bool:
        return not self._policy.allow_private and is_private(address)


def is_private(address: str) -> bool:
    """Is it anything other than an address on the public internet?"""
    try:
        parsed = ip_address(address)
    except ValueError:
        return True
    if isinstance(parsed, IPv6Address):
        if parsed in _TUNNELS:
            return True
        parsed = parsed.ipv4_mapped or parsed
    return is_bogon(address) or not is_public(str(parsed))
