"""Plan: what a probe asks the helper, which endpoints to try, and the form of the answer, including failures.

Follows ooni/probe-cli, internal/model/th.go (``THRequest``, ``THResponse``), internal/oohelperd/ipinfo.go
(``newIPInfo``, ``ipInfoToEndpoints``) and handler.go (``ServeHTTP``).

OONI's test helper has always named failures differently from probes.  The names follow ``tcpMapFailure``
(internal/oohelperd/tcptls.go), ``dnsMapFailure`` (dns.go) and ``httpMapFailure`` (http.go) of ooni/probe-cli;
analysis code compares with exactly these.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

from fanous.collector.request import Refused, decoded
from fanous.model.measurement import endpoint
from fanous.probe.net.network import is_web_port

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
    is_bogon: Callable[[str], bool],
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
        address: IpInfo(asn_of(address), flag | (IS_BOGON if is_bogon(address) else 0))
        for address, flag in flags.items()
    }


def endpoints_of(url: SplitResult, infos: Mapping[str, IpInfo]) -> list[Endpoint]:
    """What to try (``ipInfoToEndpoints``): no bogons; 443 as well as 80 if the URL has plain http."""
    if url.port is not None:
        ports = [url.port]
    else:
        ports = [443] if url.scheme == "https" else [80, 443]
    found = [
        Endpoint(address, port, tls=port == 443)
        for address, info in infos.items()
        if not info.flags & IS_BOGON
        for port in ports
    ]
    return sorted(found, key=str)[:MOST_ENDPOINTS]


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
