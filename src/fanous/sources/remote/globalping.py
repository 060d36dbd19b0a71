"""Globalping: HTTP requests and lookups from other people's vantage points, as measurements in OONI's format.

One record is one probe's experience, in the country, with one target.  It carries three controls: the same question
asked from data centres elsewhere, as OONI's test helper would ask it; a site that no one has a reason to block,
asked by the same probe in the same minutes; and the tags by which Globalping tells lines of users from those of data
centres.

The shapes of its API's answers follow jsdelivr/globalping at commit 52c0c192 (``public/v1/components/schemas.yaml``:
``MeasurementRequest``, ``MeasurementResponse``, ``FinishedHttpTestResult``, ``FinishedSimpleDnsTestResult``,
``FailedTestResult``).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from fanous.model.instant import HOUR, from_iso
from fanous.model.measurement import endpoint, is_address
from fanous.refdata.networks import network_of
from fanous.sources.answer import decoded
from fanous.sources.ooni.page import is_personal, title_of
from fanous.sources.remote.record import (
    CONTROL_FAILED,
    CONTROL_LASTS,
    FAILURE_OF_RCODE,
    LEAST_ELSEWHERE,
    OWN_TROUBLE,
    TOO_FEW_ELSEWHERE,
    RemoteLine,
    RemoteRecords,
    answered,
    record_of,
    unknown_failure,
)

API = "https://api.globalping.io"

EYEBALL, DATACENTRE = "eyeball-network", "datacenter-network"
"""Tags by which Globalping tells lines of users from those of data centres (``schemas.yaml``, ``Tags``)."""


class ProbeLocation(Struct):
    """``ProbeLocation`` without its place: we count by network, and a city might identify a person."""

    country: str
    asn: int
    network: str
    tags: list[str]
    resolvers: list[str]


class ListedLocation(Struct):
    country: str
    asn: int


class ListedVantagePoint(Struct):
    """An entry of ``GET /v1/probes``."""

    location: ListedLocation
    tags: list[str]


class Item(Struct):
    """``MeasurementResultItem``; the content of ``result`` depends on its status."""

    probe: ProbeLocation
    result: Raw


class RemoteAnswer(Struct):
    """``MeasurementResponse``."""

    id: str
    type: str
    status: str
    created: str = msgspec.field(name="createdAt")
    target: str
    results: list[Item]


class Created(Struct):
    """``CreateMeasurementResponse``."""

    id: str
    probes: int = msgspec.field(name="probesCount")


class TestLimit(Struct):
    """``RateLimitDetails``: tests in the current hour, and seconds until it ends."""

    limit: int
    remaining: int
    reset: int


class _Create(Struct):
    create: TestLimit


class _Measurements(Struct):
    measurements: _Create


class Limits(Struct):
    """``Limits``."""

    rate: _Measurements = msgspec.field(name="rateLimit")


class _Status(Struct):
    status: str


class Failed(Struct):
    """``FailedTestResult``."""

    message: str = msgspec.field(name="rawOutput")
    source: str = msgspec.field(name="failureSource", default="")


class Timings(Struct, rename={"first_byte": "firstByte"}):
    """Milliseconds; each begins where the one before it ended."""

    dns: float | None
    tcp: float | None
    tls: float | None
    first_byte: float | None
    download: float | None


class Certificate(Struct):
    authorized: bool
    error: str = ""


class FinishedPage(Struct, rename={"body": "rawBody", "code": "statusCode", "address": "resolvedAddress"}):
    """``FinishedHttpTestResult``."""

    body: str | None
    truncated: bool
    headers: dict[str, str | list[str]]
    code: int
    address: str | None
    timings: Timings
    tls: Certificate | None


class _Total(Struct):
    total: float


class DnsRecord(Struct):
    type: str
    ttl: int
    value: str


class FinishedLookup(Struct, rename={"code": "statusCodeName"}):
    """``FinishedSimpleDnsTestResult``."""

    code: str | None
    answers: list[DnsRecord]
    timings: _Total


FINISHED, FAILED = "finished", "failed"
T = TypeVar("T")


def result_of(item: Item, kind: type[T]) -> T | Failed | None:
    """The result of a probe's test; ``None`` = the probe could not run it.

    Raises:
        Rejected: see ``decoded``.
    """
    status = decoded(item.result, _Status, "Globalping's result").status
    if status == FINISHED:
        return decoded(item.result, kind, "Globalping's result")
    return decoded(item.result, Failed, "Globalping's result") if status == FAILED else None


NAME = "globalping"

# --- failures ---------------------------------------------------------------------------------------------

# How a failure is worded follows the probe's own code, jsdelivr/globalping-probe at commit f86c41c2
# (``src/command/handlers/http/undici.ts``, ``src/lib/dns.ts``, ``src/command/dns-command.ts``).  A failed request says
# little more than Node.js' message, so no step is named that the message does not show.

OWN_FAULT = "internal"
"""``failureSource`` of a failure of Globalping itself."""

PRIVATE = "Private IP ranges are not allowed"
"""The probe was sent to an address that no public site can have, and did not go there."""

_LOOKUPS = {
    "ENOTFOUND": "dns_nxdomain_error",
    "ENODATA": "dns_no_answer",
    "ESERVFAIL": "dns_servfail_error",
    "EREFUSED": "dns_refused_error",
    "ETIMEOUT": "generic_timeout_error",
    "ECONNREFUSED": "connection_refused",
}
"""Errors of c-ares, with which Node.js looks names up: ``queryA ENOTFOUND x.com``."""

_CONNECTS = {
    "ECONNREFUSED": "connection_refused",
    "ECONNRESET": "connection_reset",
    "ETIMEDOUT": "generic_timeout_error",
    "EHOSTUNREACH": "host_unreachable",
    "ENETUNREACH": "network_unreachable",
}
_LOOKUP = re.compile(r"^query[A-Za-z]+ (E[A-Z]+)\b")
_CONNECT = re.compile(r"^connect (E[A-Z]+) (\S+):(\d+)")
LOCAL = re.compile(r" - Local \([^)]*\)")
"""Node.js adds the address of the probe's own machine, which is no one's business."""

_REQUESTS = (
    ("ECONNRESET", "connection_reset"),
    ("EPIPE", "connection_reset"),
    ("ETIMEDOUT", "generic_timeout_error"),
    ("Request timeout", "generic_timeout_error"),
    ("other side closed", "eof_error"),
    ("socket hang up", "eof_error"),
)
_IN_HANDSHAKE = (
    ("before secure TLS connection was established", "eof_error"),
    ("SSL routines", "ssl_failed_handshake"),
    ("EPROTO", "ssl_failed_handshake"),
)
_DIG = (
    ("connection refused", "connection_refused"),
    ("timed out", "generic_timeout_error"),
    ("no servers could be reached", "generic_timeout_error"),
    ("communications error", "generic_timeout_error"),
)
CERTIFICATES = {
    "ERR_TLS_CERT_ALTNAME_INVALID": "ssl_invalid_hostname",
    "CERT_HAS_EXPIRED": "ssl_invalid_certificate",
    "CERT_NOT_YET_VALID": "ssl_invalid_certificate",
    "DEPTH_ZERO_SELF_SIGNED_CERT": "ssl_unknown_authority",
    "SELF_SIGNED_CERT_IN_CHAIN": "ssl_unknown_authority",
    "UNABLE_TO_GET_ISSUER_CERT": "ssl_unknown_authority",
    "UNABLE_TO_GET_ISSUER_CERTLOCALLY": "ssl_unknown_authority",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE": "ssl_unknown_authority",
}
"""OpenSSL's verdicts on a certificate by Node.js' names (nodejs/node ``doc/api/tls.md``, *X509 certificate error
codes*)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request.

    Attributes:
        step: ``dns``, ``tcp``, ``tls`` or ``http`` (which of the steps is unknown).
        name: in OONI's words (df-007).
        address: address at which a connection failed; empty = unknown.
    """

    step: str
    name: str
    address: str = ""
    port: int = 0


def failure_of(failed: Failed) -> Failure | None:
    """What a failed request shows; ``None`` = nothing about the target."""
    message = LOCAL.sub("", failed.message).strip()
    if failed.source == OWN_FAULT or PRIVATE in message:
        return None
    if lookup := _LOOKUP.match(message):
        return Failure("dns", _LOOKUPS.get(lookup[1], unknown_failure(message)))
    if connect := _CONNECT.match(message):
        name = _CONNECTS.get(connect[1], unknown_failure(message))
        return Failure("tcp", name, connect[2].strip("[]"), int(connect[3]))
    if failed.source == "resolver":
        return Failure("dns", "generic_timeout_error" if "timeout" in message else "unknown_failure")
    for step, table in (("tls", _IN_HANDSHAKE), ("http", _REQUESTS)):
        for words, name in table:
            if words in message:
                return Failure(step, name)
    return Failure("http", unknown_failure(message))


def lookup_failure(found: FinishedLookup | Failed) -> str | None:
    """Why a lookup gave no address, in OONI's words; ``None`` = it gave one."""
    if isinstance(found, Failed):
        known = (name for words, name in _DIG if words in found.message)
        return next(known, unknown_failure(found.message))
    if any(one.type in ("A", "AAAA") for one in found.answers):
        return None
    return FAILURE_OF_RCODE.get(found.code or "", "dns_no_answer")


# --- records ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskedTarget:
    """The answers about one target.

    Attributes:
        url: the target's.
        http: answers from the probes in the country.
        dns: the same probes in the same order; ``None`` = not asked.
        elsewhere: HTTP from data centres elsewhere; ``None`` = could not be asked.
        elsewhere_dns: lookups by the same.
    """

    url: str
    http: RemoteAnswer
    dns: RemoteAnswer | None = None
    elsewhere: RemoteAnswer | None = None
    elsewhere_dns: RemoteAnswer | None = None


def records(asked: AskedTarget, control: RemoteAnswer) -> Iterator[bytes]:
    """One line for each probe on a user's line.

    Args:
        control: the answers about the control target, from the same probes, asked first: its order is that of the
            others.

    Raises:
        Rejected: an answer no longer has the declared shape.
    """
    counted: Counter[int] = Counter()
    outside, why_none = _control(asked)
    for number, beside in enumerate(control.results):
        probe = beside.probe
        if EYEBALL not in probe.tags or DATACENTRE in probe.tags:
            continue
        counted[probe.asn] += 1  # even if nothing is written
        item = _same(asked.http, number, probe)
        if item is None:
            continue
        own = result_of(beside, FinishedPage)
        sound = (
            isinstance(own, FinishedPage)
            and (own.tls is None or own.tls.authorized)
            and (from_iso(asked.http.created) - from_iso(control.created) <= CONTROL_LASTS)
        )
        unsound = "" if sound else CONTROL_FAILED
        keys, fault = _steps(asked, item, _same(asked.dns, number, probe))
        yield record_of(
            NAME,
            control.id,
            asked.url,
            RemoteLine(probe.country, probe.asn, probe.network, counted[probe.asn], _resolver(probe)),
            (_moment(asked.http.created), _moment(control.created)),
            keys | {"control": outside, "control_failure": why_none},
            {
                "unsound": unsound or fault,
                "number": number,  # two probes of a network may answer alike, but are two measurements
                "control": {"id": control.id, "url": control.target, "result": _raw(beside)},
                "http": {"id": asked.http.id, "result": _raw(item)},
                "dns": _raw_of(_same(asked.dns, number, probe), asked.dns),
                "elsewhere": [_raw(one) for one in asked.elsewhere.results] if asked.elsewhere else [],
            },
        )


def _same(answer: RemoteAnswer | None, number: int, probe: ProbeLocation) -> Item | None:
    """The same probe's result; ``None`` = none, or another probe's."""
    if answer is None or number >= len(answer.results):
        return None
    item = answer.results[number]
    return item if (item.probe.country, item.probe.asn) == (probe.country, probe.asn) else None


def _steps(asked: AskedTarget, item: Item, looked_up: Item | None) -> tuple[dict[str, Any], str]:
    """The ``test_keys`` of the probe's own steps, and why they say nothing; empty = they do."""
    parts = urlsplit(asked.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    keys: dict[str, Any] = {"queries": [], "tcp_connect": [], "tls_handshakes": [], "requests": []}
    found = result_of(looked_up, FinishedLookup) if looked_up else None
    if found is not None and not (isinstance(found, Failed) and found.source == OWN_FAULT):
        failure = lookup_failure(found)
        if failure is not None or isinstance(found, Failed):
            keys["queries"].append(answered(host, [], failure))
        else:
            answers = [(one.value, one.ttl) for one in found.answers if one.type in ("A", "AAAA")]
            keys["queries"].append(answered(host, answers, seconds=found.timings.total / 1000))
    got = result_of(item, FinishedPage)
    if isinstance(got, FinishedPage):
        _page_steps(keys, asked.url, host, port, got)
        return keys, ""
    if got is None or got.source == OWN_FAULT:
        return keys, OWN_TROUBLE
    if (shown := failure_of(got)) is not None:
        _failed_step(keys, asked.url, host, shown)
    return keys, ""


def _page_steps(keys: dict[str, Any], url: str, host: str, port: int, page: FinishedPage) -> None:
    ends = _ends(page.timings)
    address = page.address or ""
    if address and not keys["queries"]:
        keys["queries"].append(answered(host, [(address, None)]))
    place = endpoint(address, port) if address else ""
    if address:
        status = {"failure": None, "success": True}
        keys["tcp_connect"].append(
            {"ip": address, "port": port, "status": status, "t0": ends[0], "t": ends[1]}
        )
    if page.tls is not None:
        failure = None if page.tls.authorized else CERTIFICATES.get(page.tls.error, "ssl_invalid_certificate")
        keys["tls_handshakes"].append(
            {
                "network": "tcp",
                "address": place,
                "server_name": host,
                "failure": failure,
                "no_tls_verify": False,
                "t0": ends[1],
                "t": ends[2],
            }
        )
    keys["requests"].append(
        {
            "request": {"url": url, "method": "GET"},
            "address": place,
            "failure": None,
            "response": {
                "code": page.code,
                "headers_list": list(_headers(page)),
                "body": page.body or "",
                "body_is_truncated": page.truncated,
            },
            "t0": ends[2],
            "t": ends[4],
        }
    )


def _failed_step(keys: dict[str, Any], url: str, host: str, failure: Failure) -> None:
    if failure.step == "dns":
        if not any(query["failure"] for query in keys["queries"]):
            keys["queries"].append(answered(host, [], failure.name))
        return
    if failure.step == "tcp":
        status = {"failure": failure.name, "success": False}
        keys["tcp_connect"].append({"ip": failure.address, "port": failure.port, "status": status})
    if failure.step == "tls":
        keys["tls_handshakes"].append(
            {"network": "tcp", "server_name": host, "failure": failure.name, "no_tls_verify": False}
        )
    keys["requests"].append({"request": {"url": url, "method": "GET"}, "failure": failure.name})


def _ends(timings: Timings) -> list[float]:
    """Seconds since the request began at which lookup, connection, handshake, first byte and page ended."""
    at, ends = 0.0, []
    for step in (timings.dns, timings.tcp, timings.tls, timings.first_byte, timings.download):
        at += (step or 0.0) / 1000
        ends.append(round(at, 6))
    return ends


def _headers(page: FinishedPage) -> Iterator[tuple[str, str]]:
    for name, values in page.headers.items():
        for value in [values] if isinstance(values, str) else values:
            yield name, "" if is_personal(name) else value


def _control(asked: AskedTarget) -> tuple[dict[str, Any], str | None]:
    """The answers from elsewhere as OONI's test helper would give them, and why there are none."""
    host = urlsplit(asked.url).hostname or ""
    tried = [result_of(item, FinishedPage) for item in (asked.elsewhere.results if asked.elsewhere else ())]
    pages = [one for one in tried if isinstance(one, FinishedPage)]
    failures = [one for one in tried if isinstance(one, Failed) and failure_of(one) is not None]
    if not pages and len(failures) < LEAST_ELSEWHERE:
        return {}, TOO_FEW_ELSEWHERE
    found = [
        result_of(item, FinishedLookup)
        for item in (asked.elsewhere_dns.results if asked.elsewhere_dns else ())
    ]
    addresses = dict.fromkeys(
        [
            *(page.address for page in pages if page.address),
            *(
                record.value
                for one in found
                if isinstance(one, FinishedLookup)
                for record in one.answers
                if record.type in ("A", "AAAA") and is_address(record.value)
            ),
        ]
    )
    return {
        "http_request": _outside_page(pages, failures),
        "dns": {"failure": None if addresses else "dns_no_answer", "addrs": list(addresses)},
        "tcp_connect": {
            _place(page, asked.url): {"status": True, "failure": None} for page in pages if page.address
        },
        "tls_handshake": {
            _place(page, asked.url): {
                "server_name": host,
                "status": page.tls.authorized,
                "failure": None
                if page.tls.authorized
                else CERTIFICATES.get(page.tls.error, "ssl_invalid_certificate"),
            }
            for page in pages
            if page.address and page.tls
        },
        "ip_info": {address: {"asn": network_of(address)} for address in addresses},
    }, None


def _outside_page(pages: list[FinishedPage], failures: list[Failed]) -> dict[str, Any]:
    if not pages:
        failure = failure_of(failures[0])
        return {"failure": failure.name if failure else "unknown_failure", "status_code": -1}
    best = min(pages, key=lambda page: page.code // 100 != 2)
    return {
        "failure": None,
        "status_code": best.code,
        "title": title_of(best.body or ""),
        "headers": dict(_headers(best)),
        "body_length": -1 if best.truncated else len((best.body or "").encode()),
    }


def _place(page: FinishedPage, url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return endpoint(page.address or "", port)


_IN_RECORD = frozenset({"rawOutput", "rawHeaders", "rawBody", "headers"})
"""Parts of a page that are already in ``test_keys``, where names of visitors are left out."""


def _raw(item: Item) -> dict[str, Any]:
    """An answer as it came, without parts that are elsewhere in the record and the probe's exact location."""
    result: dict[str, Any] = msgspec.json.decode(item.result)
    if result.get("status") == FINISHED:
        result = {name: value for name, value in result.items() if name not in _IN_RECORD}
    elif isinstance(result.get("rawOutput"), str):
        result = {"status": result["status"], "failureSource": result.get("failureSource")} | {
            "rawOutput": LOCAL.sub("", result["rawOutput"])[:1000]
        }
    result.pop("resolver", None)  # it may be a user's own router
    probe = item.probe
    return {"country": probe.country, "asn": probe.asn, "tags": probe.tags, **result}


def _raw_of(item: Item | None, answer: RemoteAnswer | None) -> dict[str, Any] | None:
    return {"id": answer.id, "result": _raw(item)} if item is not None and answer is not None else None


def _resolver(probe: ProbeLocation) -> int:
    """The ASN of the first public resolver; 0 = unknown, as for one in the probe's own network."""
    public = (one for one in probe.resolvers if is_address(one))
    return next((network_of(one) for one in public), 0)


def _moment(created: str) -> str:
    return created[:19].replace("T", " ")


class Globalping(RemoteRecords):
    name = NAME
    title = "Globalping"
    help = "measurements that `fanous probe run --via globalping --out FILE` wrote"
    page = "https://globalping.io"
    licence = "none stated for results (terms: https://github.com/jsdelivr/globalping)"
    credit = "Globalping, jsDelivr, https://globalping.io"
    remark = "measurements from Globalping's vantage points"
    every = int(HOUR)
