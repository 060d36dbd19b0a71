"""web_connectivity: the record of one URL, and OONI's own summary of it, for OONI's scorer, which reads nothing else.

``blocking`` and ``accessible`` are what OONI's fast path scores (ooni/backend at 32d8349d, fastpath/fastpath/core.py,
``score_web_connectivity``: null = accuracy 0).  Fanous itself never reads these keys, a collector of ours does not
store them, and what Fanous concludes comes from the steps alone.

The summary follows ooni/probe-cli at 7cb22410, internal/experiment/webconnectivitylte/analysisclassic.go
(``analysisClassicComputeBlockingAccessible``), analysishttpdiff.go and internal/minipipeline/httpdiff.go, with one
exception: where a name cannot be resolved and no control is known, OONI's says *accessible*; here it is unknown.  Only
what the system's resolver led to counts, as there.

An OONI test helper (ts-017 ``POST /``) tries the same endpoints from outside.  Without it, blocking cannot be told from
a failure of the site itself, so its answer is part of the measurement.
"""

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from fanous.model.measurement import endpoint, ip_of, is_address
from fanous.probe.http import HEADERS
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.network import Network, Stream, is_public
from fanous.probe.net.tls import TLSStream, client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import NO_HELPER, Entry, ProbeVantage, Trace, envelope, steps

PROPORTION = 0.7
"""Two bodies are alike if the shorter is more than this share of the longer."""

COMMON_HEADERS = frozenset(
    {
        *(
            "accept-ranges",
            "age",
            "cache-control",
            "cf-ray",
            "content-encoding",
            "content-language",
            "content-type",
        ),
        *(
            "date",
            "etag",
            "expires",
            "last-modified",
            "link",
            "location",
            "p3p",
            "pragma",
            "server",
            "set-cookie",
        ),
        *(
            "strict-transport-security",
            "vary",
            "via",
            "x-content-type-options",
            "x-frame-options",
            "x-powered-by",
        ),
        *("x-varnish", "x-xss-protection"),
    }
)
"""Headers that many sites send, so that having them in common says nothing (``httpDiffCommonHeaders``)."""

LONG_WORD = 5
"""Bytes of a word in a title that is compared."""

FINAL = range(200, 600)
REDIRECTS = range(300, 400)


TEST_VERSION = "0.5.28"
"""The version of web_connectivity whose keys these are (ooni/spec ts-017)."""


def measurement(
    trace: Trace, url: str, vantage: ProbeVantage, control: Entry | None, failure: str | None
) -> Entry:
    """The web_connectivity measurement of one URL."""
    keys = steps(trace) | {
        "control": control,
        "control_failure": failure,
        "x_quic_pings": trace.quic_pings,
        "x_second_opinions": trace.second_opinions,
        "x_localisation": trace.localisations,
        "x_transfers": trace.transfers,
        "x_not_tried": trace.not_tried,
        **summary(trace, url, control),
    }
    return envelope("web_connectivity", TEST_VERSION, url, trace, vantage, keys)


def summary(trace: Trace, url: str, control: Entry | None) -> Entry:
    """The keys: ``blocking`` is a kind of blocking, False (none was seen) or ``None`` (unknown).

    Args:
        control: what a test helper saw; ``None`` = none was asked, or it did not answer.
    """
    host = urlsplit(url).hostname or ""
    parts = {name: part for name, part in (control or {}).items() if isinstance(part, dict)}
    lookups = [q for q in trace.queries if q["engine"] == "getaddrinfo" and q["hostname"] == host]
    looked_up = lookups[-1] if lookups else None
    consistency = _dns_consistency(looked_up, parts) if control and not is_address(host) else None
    differences = _differences(trace, parts.get("http_request"))
    blocking, accessible, failure = _verdict(trace, host, looked_up, parts, differences)
    if consistency == "inconsistent" and accessible is not True:
        blocking, accessible = "dns", False
    return {
        **differences,
        "accessible": accessible,
        "blocking": blocking,
        "dns_consistency": consistency,
        "dns_experiment_failure": looked_up["failure"] if looked_up else None,
        "http_experiment_failure": failure,
    }


_Verdict = tuple[str | bool | None, bool | None, str | None]
"""``blocking``, ``accessible``, ``http_experiment_failure``."""

_UNKNOWN: tuple[None, None] = None, None
_FINE, _DOWN = (False, True), (False, False)


def _verdict(
    trace: Trace, host: str, looked_up: Entry | None, control: Entry, differences: Entry
) -> _Verdict:
    """Decided by the last thing that was tried: the page, else the handshake, the connection, the look-up."""
    page = control.get("http_request")
    page_failure = page.get("failure") if page else None
    if trace.requests:
        last = trace.requests[0]
        code, failure = (last["response"] or {}).get("code", 0), last["failure"]
        if failure is None and code in FINAL and code not in REDIRECTS:
            if str(last["request"]["url"]).startswith("https:"):
                return *_FINE, None
            if page is None or page_failure is not None:
                return *_UNKNOWN, None
            return *(("http-diff", False) if _differ(differences) else _FINE), None
        if failure is not None:
            return *_failed("http-failure", page is not None, page_failure), failure
        # A redirect that failed: the control knows only the first endpoint, and whether the page came.
        failure = _last_failure(trace)
        found = _UNKNOWN if page is None or failure is None else ("http-failure", False)
        return *found, failure
    ips = _addresses(looked_up) if looked_up else [host]
    # (endpoint, failure) of those with the site's own name; empty = one of them worked, or none was made.
    handshakes = [h for h in trace.tls_handshakes if h["server_name"] == host and ip_of(h["address"]) in ips]
    for name, failed, kind in (
        ("tls_handshake", _failures((h["address"], h["failure"]) for h in handshakes), "http-failure"),
        ("tcp_connect", _connects(trace, ips), "tcp_ip"),
    ):
        if failed:
            where, failure = failed[0]
            seen = control.get(name, {}).get(where)
            if not isinstance(seen, dict):
                found = _UNKNOWN if page is None else ("http-failure", False)
                return *found, failure
            return *_failed(kind, True, seen.get("failure")), failure
    if looked_up and looked_up["failure"] is not None:
        dns = control.get("dns")
        return *_failed("dns", dns is not None, (dns or {}).get("failure")), looked_up["failure"]
    return *_UNKNOWN, None


def _failed(kind: str, is_known: bool, control_failure: str | None) -> tuple[str | bool | None, bool | None]:
    """Something failed here; how did it go for the control?"""
    if not is_known:
        return _UNKNOWN
    return _DOWN if control_failure else (kind, False)


def _addresses(lookup: Entry) -> list[str]:
    return [answer.get("ipv4") or answer.get("ipv6") or "" for answer in lookup["answers"] or ()]


def _connects(trace: Trace, ips: list[str]) -> list[tuple[str, str]]:
    connections = [c for c in trace.tcp_connect if c["ip"] in ips]
    return _failures((endpoint(c["ip"], c["port"]), c["status"]["failure"]) for c in connections)


def _failures(steps: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    tried = list(steps)
    failed = [(where, failure) for where, failure in tried if failure is not None]
    return failed if len(failed) == len(tried) else []


def _last_failure(trace: Trace) -> str | None:
    """Failure of the step that kept a redirect from being followed."""
    steps = [
        *((h["t"], h["failure"]) for h in trace.tls_handshakes if not h["no_tls_verify"]),
        *((c["t"], c["status"]["failure"]) for c in trace.tcp_connect),
        *((q["t"], q["failure"]) for q in trace.queries if q["engine"] == "getaddrinfo"),
    ]
    last = max(steps, key=lambda step: step[0], default=(0.0, None))
    return last[1] if isinstance(last[1], str) else None


def _dns_consistency(lookup: Entry | None, control: Entry) -> str | None:
    """``consistent`` if the system's resolver gave an address that the control got, too, or one of the same network, or
    failed where the control's resolver failed."""
    dns = control.get("dns")
    if lookup is None or not isinstance(dns, dict):
        return None
    addresses, infos = dns.get("addrs"), control.get("ip_info") or {}
    theirs = {ip for ip in addresses if isinstance(ip, str)} if isinstance(addresses, list) else set()
    if lookup["failure"] is not None:
        return "consistent" if dns.get("failure") or not theirs else "inconsistent"
    if not theirs:
        return "inconsistent"
    networks = {_asn(infos, ip) for ip in theirs} - {0}
    valid = [
        ip in theirs or (is_public(ip) and _asn(infos, ip) in networks) for ip in _addresses(lookup) if ip
    ]
    return "consistent" if valid and all(valid) else "inconsistent"


def _asn(infos: Any, ip: str) -> int:
    info = infos.get(ip) if isinstance(infos, dict) else None
    asn = info.get("asn") if isinstance(info, dict) else 0
    return asn if isinstance(asn, int) else 0


def _differences(trace: Trace, page: Entry | None) -> Entry:
    """The last response next to the control's; ``None`` = cannot be compared (``analysishttpdiff.go``)."""
    keys = ("body_length_match", "headers_match", "status_code_match", "title_match")
    unknown: Entry = dict.fromkeys(keys) | {"body_proportion": 0.0}
    response = trace.requests[0]["response"] if trace.requests else None
    if not page or page.get("failure") is not None or not response or response["code"] in REDIRECTS:
        return unknown
    text = response.get("body") or ""
    body = b64decode(text["data"]) if isinstance(text, dict) else str(text).encode()
    found = unknown | {"status_code_match": _same_status(response["code"], _whole(page, "status_code"))}
    length = _whole(page, "body_length")
    if length > 0 and body and not response["body_is_truncated"]:
        share = min(length, len(body)) / max(length, len(body))
        found |= {"body_proportion": share, "body_length_match": share > PROPORTION}
    headers = page.get("headers")
    theirs = {str(name).lower() for name in headers} - COMMON_HEADERS if isinstance(headers, dict) else set()
    ours = {name.lower() for name, _ in response["headers_list"]} - COMMON_HEADERS
    if headers:
        found["headers_match"] = bool(theirs & ours)
    match = re.search(rb"(?i)<title[^>]{0,512}>([^<]{0,1024})", body)
    here = match[1].decode("utf-8", "replace").strip() if match else ""
    there = str(page.get("title") or "")
    if here and there:
        found["title_match"] = not (_words(here) ^ _words(there))
    return found


def _differ(differences: Entry) -> bool:
    """``analysisHTTPDiffAlgorithm``."""
    alike = (differences[name] for name in ("body_length_match", "headers_match", "title_match"))
    return not (differences["status_code_match"] and any(alike))


def _same_status(here: int, there: int) -> bool | None:
    """``None`` = the control's own server failed, which says nothing."""
    return None if there <= 0 or (here != there and there // 100 != 2) else here == there


def _whole(page: Entry, name: str) -> int:
    """-1 = missing."""
    number = page.get(name)
    return number if isinstance(number, int) else -1


def _words(title: str) -> set[str]:
    return {word.lower() for word in title.split() if len(word.encode()) >= LONG_WORD}


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
    endpoints = [place for place in dict.fromkeys(endpoints) if not place.startswith(":")]
    return {
        "http_request": url,
        "http_request_headers": {name: [value] for name, value in HEADERS},
        "tcp_connect": endpoints,
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
