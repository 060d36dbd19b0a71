"""RIPE Atlas' measurements: lookups and TLS handshakes ordered with a key, as measurements in OONI's format.

One record is one probe's experience, on a user's line, with one target: the lookup by its own resolvers (``dns``),
and the certificates that came when the target's name was sent (``sslcert``).  It carries the controls of a record from
Globalping: the same from anchors elsewhere, and a control target at the same probe in the same minutes.

Records cannot say more than a probe's firmware can tell.  ``sslgetcert.c`` (``err_reading``) keeps waiting when a
connection is reset in the handshake, and reports a timeout; and there is no request, so a block page over HTTP is
not seen.

Orders follow RIPE-NCC/ripe-atlas-cousteau at commit 7e926a73 (``measurement.py``, ``source.py``, ``request.py``) and
RIPE-NCC/ripe-atlas-tools at commit 4dd6cbc3 (``commands/measure/dns.py``, ``sslcert.py``).  Results follow the
firmware, RIPE-NCC/ripe-atlas-software-probe at commit 1fe2c6a3 (``probe-busybox/eperd/sslgetcert.c``, ``evtdig.c``),
and RIPE-NCC/ripe-atlas-sagan at commit 30616d3d (``ssl.py``, ``dns.py``, ``tests/test_ssl.py``).
"""

import os
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.instant import HOUR
from fanous.model.measurement import endpoint, is_address
from fanous.refdata.networks import network_name, network_of
from fanous.sources.answer import decoded
from fanous.sources.connector import Get
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

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Store

T = TypeVar("T")

API = "https://atlas.ripe.net/api/v2"

PAGE = 500
"""Entries of one page of a list: the most that the API gives."""


class AtlasTag(Struct):
    slug: str


class AtlasVantagePoint(Struct):
    """An entry of ``/probes/``, for measuring from there."""

    id: int
    country_code: str | None
    asn_v4: int | None
    is_anchor: bool
    tags: list[AtlasTag]

    @property
    def slugs(self) -> set[str]:
        return {tag.slug for tag in self.tags}


class ProbePage(Struct, Generic[T]):
    """One page of ``/probes/``; ``next`` is the address of the following one."""

    results: list[T]
    next: str | None


MOST_PAGES = 20


def probe_pages(url: str, get: Get, kind: type[ProbePage[T]]) -> Iterator[tuple[str, ProbePage[T]]]:
    """The list of probes that begins at ``url``, page by page, each with its address.

    Raises:
        Rejected: it has another shape, or never ends.
    """
    for _ in range(MOST_PAGES):
        page = decoded(get(url), kind, "RIPE Atlas' list of probes")
        yield url, page
        if page.next is None:
            return
        url = page.next
    raise Rejected(f"more than {MOST_PAGES} pages of probes")


class AtlasReceipt(Struct):
    """Answer to an order: the ids of the measurements, in the order of their definitions."""

    measurements: list[int]


class TlsAlert(Struct):
    level: int


class AtlasHandshake(Struct):
    """One result of a measurement of the type ``sslcert``; times are in milliseconds.

    A probe ends the connection once it has the certificates, so a successful handshake is one with a chain.

    Attributes:
        cert: the chain in PEM, the site's own first.
        err: what failed after the lookup; ``dnserr``: what failed in the lookup; ``error``: why the probe did not try.
    """

    prb_id: int
    timestamp: int
    dst_port: str
    dst_addr: str = ""
    cert: list[str] = []
    alert: TlsAlert | None = None
    err: str = ""
    dnserr: str = ""
    sockerr: str = ""
    error: str = ""
    ttc: float = 0.0
    rt: float = 0.0

    def __post_init__(self) -> None:
        told = (self.cert, self.alert, self.err, self.dnserr, self.sockerr, self.error)
        if not any(told):
            raise ValueError("neither a certificate nor an error")
        if not self.dst_addr and not (self.dnserr or self.sockerr or self.error):
            raise ValueError("a connection without `dst_addr`")
        if (self.cert or self.alert) and not (self.ttc and self.rt):
            raise ValueError("an answer without `ttc` or `rt`")


class DnsReply(Struct):
    """``abuf`` is the resolver's message, in base64."""

    abuf: str
    rt: float


class ResolverAnswer(Struct):
    """The answer of one of the probe's resolvers."""

    dst_addr: str = ""
    result: DnsReply | None = None
    error: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.result is None and self.error is None:
            raise ValueError("neither `result` nor `error`")


class AtlasLookup(Struct):
    """One result of a measurement of the type ``dns`` by the probe's own resolvers."""

    prb_id: int
    timestamp: int
    resultset: list[ResolverAnswer] = []
    error: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.resultset and self.error is None:
            raise ValueError("neither `resultset` nor `error`")


NAME = "atlas-measurements"

NOT_ALLOWED = "address not allowed"
"""The probe was sent to an address that no public site can have, and did not go there (``sslgetcert.c``)."""


@dataclass(frozen=True, slots=True)
class AtlasStep:
    """Where a handshake ended.

    Attributes:
        layer: ``dns``, ``tcp``, ``tls``; empty = the probe did not try.
        failure: in OONI's words (df-007); ``None`` = the certificates came.
    """

    layer: str
    failure: str | None = None


_LOOKUPS = {
    "nodename nor servname provided, or not known": "dns_nxdomain_error",
    "non-recoverable failure in name resolution": "dns_servfail_error",
    "temporary failure in name resolution": "generic_timeout_error",
}
"""Libevent's words (``evutil_gai_strerror``), with which the firmware looks names up."""

_CONNECTS = {
    "timeout": "generic_timeout_error",
    "Connection timed out": "generic_timeout_error",
    "Connection refused": "connection_refused",
    "Connection reset by peer": "connection_reset",
    "No route to host": "host_unreachable",
    "Network is unreachable": "network_unreachable",
}
"""After ``connect: `` in ``err``: the firmware's own word, and those of the C library."""


def step_of(result: AtlasHandshake) -> AtlasStep:
    """Where a handshake ended, and why."""
    if result.cert:
        return AtlasStep("tls")
    if result.dnserr:
        return AtlasStep("dns", _LOOKUPS.get(result.dnserr, unknown_failure(result.dnserr)))
    if result.error or result.sockerr:
        return AtlasStep("")
    if result.alert is not None:
        return AtlasStep("tls", "ssl_failed_handshake")
    if result.err.startswith("connect: "):
        why = result.err.removeprefix("connect: ")
        return AtlasStep("tcp", _CONNECTS.get(why, unknown_failure(result.err)))
    if result.err.startswith("timeout"):
        return AtlasStep("tls", "generic_timeout_error")
    return AtlasStep("tls", "ssl_failed_handshake")  # what came was not TLS: `bad type`, `bad len`, too short


def lookups_of(result: AtlasLookup) -> list[tuple[str | None, list[tuple[str, int | None]], float]]:
    """(failure, addresses with TTL, seconds) for each resolver with a meaningful result.

    A silent resolver means something only if none answered; a query that the probe could not send means nothing.
    """
    answers, silent = [], False
    for one in result.resultset:
        if one.result is not None:
            answers.append(_answer_of(one))
        else:
            silent = silent or "timeout" in (one.error or {})
    if silent and not answers:
        return [("generic_timeout_error", [], 0.0)]
    return [one for one in answers if one is not None]


def _answer_of(one: ResolverAnswer) -> tuple[str | None, list[tuple[str, int | None]], float] | None:
    """``None`` = the message cannot be read."""
    from dns.exception import DNSException
    from dns.message import from_wire
    from dns.rcode import to_text
    from dns.rdatatype import A

    assert one.result is not None
    try:
        message = from_wire(b64decode(one.result.abuf), ignore_trailing=True)
    except (DNSException, ValueError):
        return None
    found = [
        (record.address, int(rrset.ttl)) for rrset in message.answer if rrset.rdtype == A for record in rrset
    ]
    failure = None if found else FAILURE_OF_RCODE.get(to_text(message.rcode()), "dns_no_answer")
    return failure, list(found), one.result.rt / 1000


# --- certificates ---------------------------------------------------------------------------------------


@cache
def _roots() -> "Store":
    from cryptography.x509 import load_pem_x509_certificates
    from cryptography.x509.verification import Store

    return Store(load_pem_x509_certificates(authorities_file().read_bytes()))


def authorities_file() -> Path:
    """The authorities in ``SSL_CERT_FILE``, which all TLS software respects, otherwise Mozilla's."""
    import certifi

    return Path(os.environ.get("SSL_CERT_FILE") or certifi.where()).absolute()


def chain_of(result: AtlasHandshake) -> "list[Certificate]":
    """The certificates that can be read; empty = not even the site's own."""
    from cryptography.x509 import load_pem_x509_certificate

    found = []
    for number, text in enumerate(result.cert):
        try:
            found.append(load_pem_x509_certificate(text.encode()))
        except ValueError:
            if not number:
                return []
    return found


def certificate_failure(chain: "Sequence[Certificate]", host: str, at: int) -> str | None:
    """Why a browser would refuse this chain, in OONI's words; ``None`` = it would not.

    Args:
        at: Unix seconds.
    """
    from cryptography.x509 import DNSName
    from cryptography.x509.verification import PolicyBuilder, VerificationError

    if not chain:
        return "ssl_invalid_certificate"
    leaf, moment = chain[0], datetime.fromtimestamp(at, UTC)
    if not _covers(leaf, host):
        return "ssl_invalid_hostname"
    if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
        return "ssl_invalid_certificate"
    verifier = PolicyBuilder().store(_roots()).time(moment).build_server_verifier(DNSName(host))
    try:
        verifier.verify(leaf, list(chain[1:]))
    except VerificationError:
        return "ssl_unknown_authority"
    return None


def _covers(leaf: "Certificate", host: str) -> bool:
    from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName

    try:
        names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, ValueError):
        return False
    _, _, parent = host.partition(".")
    return any(name.lower() in (host, f"*.{parent}") for name in names.get_values_for_type(DNSName))


# --- one target in OONI's format ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtlasAnswers:
    """The results about one target, by probe.

    Attributes:
        url: the target's.
        measurements: ids, under which RIPE keeps the results: handshakes, lookups.
        elsewhere: from anchors in other countries.
    """

    url: str
    handshakes: Mapping[int, AtlasHandshake]
    lookups: Mapping[int, AtlasLookup] = field(default_factory=dict)
    elsewhere: Mapping[int, AtlasHandshake] = field(default_factory=dict)
    elsewhere_lookups: Mapping[int, AtlasLookup] = field(default_factory=dict)
    measurements: tuple[int, int] = (0, 0)


def atlas_records(
    answers: AtlasAnswers,
    control: AtlasAnswers,
    here: Sequence[AtlasVantagePoint],
    anchors: Sequence[AtlasVantagePoint] = (),
) -> Iterator[bytes]:
    """One line for each probe that answered.

    Args:
        control: the answers about the control target, from the same probes in the same minutes.
        here: the probes of the round, on users' lines; ``anchors`` = those elsewhere.
    """
    counted: Counter[int] = Counter()
    host, control_host = _host(answers.url), _host(control.url)
    outside, why_none, is_trusted = _control(answers)
    for number, probe in enumerate(sorted(here, key=lambda one: one.id)):
        asn = probe.asn_v4 or 0
        counted[asn] += 1  # even if nothing is written
        result, lookup = answers.handshakes.get(probe.id), answers.lookups.get(probe.id)
        if result is None:
            continue
        beside = control.handshakes.get(probe.id)
        keys, fault = _steps(host, result, lookup, is_trusted=is_trusted)
        moment = f"{datetime.fromtimestamp(result.timestamp, UTC):%Y-%m-%d %H:%M:%S}"
        yield record_of(
            NAME,
            control.measurements[0],
            answers.url,
            RemoteLine(probe.country_code, asn, network_name(asn), counted[asn], _resolver(lookup)),
            (moment, moment),
            keys | {"control": outside, "control_failure": why_none},
            {
                "unsound": fault or ("" if _is_sound(beside, result, control_host) else CONTROL_FAILED),
                "number": number,
                "control": {"id": control.measurements[0], "url": control.url, "result": _raw(beside)},
                "tls": {"id": answers.measurements[0], "result": _raw(result)},
                "dns": {"id": answers.measurements[1], "result": _raw_lookup(lookup)},
                "elsewhere": [
                    {"country": one.country_code, "asn": one.asn_v4, **_raw(answers.elsewhere[one.id])}
                    for one in anchors
                    if one.id in answers.elsewhere
                ],
            },
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_sound(beside: AtlasHandshake | None, result: AtlasHandshake, host: str) -> bool:
    return (
        beside is not None
        and abs(beside.timestamp - result.timestamp) <= CONTROL_LASTS
        and step_of(beside).failure is None
        and bool(beside.cert)
        and certificate_failure(chain_of(beside), host, beside.timestamp) is None
    )


def _steps(
    host: str, result: AtlasHandshake, lookup: AtlasLookup | None, *, is_trusted: bool
) -> tuple[dict[str, Any], str]:
    """The ``test_keys`` of the probe's own steps, and why they say nothing; empty = they do."""
    found = lookups_of(lookup) if lookup else []
    keys: dict[str, Any] = {
        "queries": [answered(host, answers, failure, seconds) for failure, answers, seconds in found],
        "tcp_connect": [],
        "tls_handshakes": [],
        "requests": [],
    }
    step = step_of(result)
    if step.layer == "":
        return keys, "" if result.error == NOT_ALLOWED else OWN_TROUBLE
    if step.layer == "dns":
        if not found:
            keys["queries"].append(answered(host, [], step.failure))
        return keys, ""
    port = int(result.dst_port) if result.dst_port.isdigit() else 443
    connected, finished = result.ttc / 1000, result.rt / 1000
    failure = step.failure if step.layer == "tcp" else None
    keys["tcp_connect"].append(
        {
            "ip": result.dst_addr,
            "port": port,
            "status": {"failure": failure, "success": failure is None},
            "t0": 0.0,
            "t": connected,
        }
    )
    if step.layer == "tls":
        chain = chain_of(result)
        why = step.failure or certificate_failure(chain, host, result.timestamp)
        # An authority that is also unknown elsewhere is missing from our list, which is not interception.
        unverified = why == "ssl_unknown_authority" and not is_trusted
        keys["tls_handshakes"].append(
            {
                "network": "tcp",
                "address": _place(result),
                "server_name": host,
                "failure": None if unverified else why,
                "no_tls_verify": unverified,
                "peer_certificates": [_encoded(one) for one in chain],
                "t0": connected,
                "t": max(connected, finished),
            }
        )
    return keys, ""


def _encoded(certificate: "Certificate") -> dict[str, str]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return {"data": b64encode(certificate.public_bytes(Encoding.DER)).decode(), "format": "base64"}


def _control(answers: AtlasAnswers) -> tuple[dict[str, Any], str | None, bool]:
    """The results from elsewhere as OONI's test helper would give them, why there are none, and whether a chain of
    certificates was trusted there."""
    host = _host(answers.url)
    steps = {one: step_of(result) for one, result in answers.elsewhere.items()}
    sound = [answers.elsewhere[one] for one, step in steps.items() if step == AtlasStep("tls")]
    failed = [one for one, step in steps.items() if step.failure is not None]
    if not sound and len(failed) < LEAST_ELSEWHERE:
        return {}, TOO_FEW_ELSEWHERE, False
    verdicts = {_place(one): certificate_failure(chain_of(one), host, one.timestamp) for one in sound}
    addresses = dict.fromkeys(
        [
            *(one.dst_addr for one in sound),
            *(
                address
                for result in answers.elsewhere_lookups.values()
                for _, found, _ in lookups_of(result)
                for address, _ in found
            ),
        ]
    )
    for one in failed if not sound else ():
        verdicts[_place(answers.elsewhere[one])] = steps[one].failure
    told = {
        "dns": {"failure": None if addresses else "dns_no_answer", "addrs": list(addresses)},
        "tcp_connect": {
            _place(result): {
                "status": steps[one].layer == "tls",
                "failure": None if steps[one].layer == "tls" else steps[one].failure,
            }
            for one, result in answers.elsewhere.items()
            if result.dst_addr and (steps[one].layer == "tls" or not sound)
        },
        "tls_handshake": {
            place: {"server_name": host, "status": failure is None, "failure": failure}
            for place, failure in verdicts.items()
            if place
        },
        "ip_info": {address: {"asn": network_of(address)} for address in addresses},
    }
    return told, None, None in verdicts.values()


def _place(result: AtlasHandshake) -> str:
    return endpoint(result.dst_addr, result.dst_port) if result.dst_addr else ""


_KEPT = ("timestamp", "dst_addr", "err", "dnserr", "sockerr", "error", "ttc", "rt")
"""Fields kept of a result, without who answered (``prb_id``, ``from``, ``src_addr``).  Certificates are in
``test_keys``."""


def _raw(result: AtlasHandshake | None) -> dict[str, Any]:
    if result is None:
        return {}
    told = {name: getattr(result, name) for name in _KEPT if getattr(result, name)}
    return told | ({"alert": result.alert.level} if result.alert else {})


def _raw_lookup(result: AtlasLookup | None) -> dict[str, Any]:
    """The resolvers' answers; their addresses, which may be a user's own router, are left out."""
    if result is None:
        return {}
    return {
        "timestamp": result.timestamp,
        "abuf": [one.result.abuf for one in result.resultset if one.result is not None],
        "error": [one.error for one in result.resultset if one.error is not None] or result.error,
    }


def _resolver(lookup: AtlasLookup | None) -> int:
    """The ASN of the first public resolver; 0 = unknown."""
    public = (one.dst_addr for one in (lookup.resultset if lookup else ()) if is_address(one.dst_addr))
    return next((asn for address in public if (asn := network_of(address))), 0)


class AtlasMeasurements(RemoteRecords):
    name = NAME
    title = "RIPE Atlas, your own measurements"
    help = "measurements that `fanous probe run --via atlas --out FILE` wrote"
    page = "https://atlas.ripe.net"
    licence = "RIPE Atlas service terms and conditions"
    credit = "RIPE NCC, RIPE Atlas, https://atlas.ripe.net"
    remark = "measurements from RIPE Atlas probes"
    every = 6 * HOUR
    token = "RIPE_ATLAS_KEY"
    consent = (
        "RIPE publishes the results of measurements, with the addresses of the lines that they were made from and "
        "the account that ordered them"
    )
