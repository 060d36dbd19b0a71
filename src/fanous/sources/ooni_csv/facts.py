"""Facts: the columns of OONI's observation tables as observations.

A row may hold a lookup, a connection, a handshake and a request at once.  What tells that a step was taken
is its failure or something it measured: ``tls_success`` and ``tcp_success`` are 0 on rows without any, and
1 on failed ones.  Newer tables know no missing value and write 0 for a count or a time that there is none of.
"""

import re
from collections.abc import Iterator

from fanous.model.address import is_address
from fanous.model.observation import Layer, Observation
from fanous.sources.ooni.failure import failure_of
from fanous.sources.ooni.place import (
    LONGEST_URL,
    address_of,
    asn_of,
    count_of,
    duration,
    host_and_port,
    host_of,
    port_of,
)
from fanous.sources.ooni.steps import RESOLVERS, Role, cert_valid

Fields = dict[str, str]
"""Non-empty columns of one row."""

TRUE = frozenset({"1", "1.0", "true", "True", "t"})
MOST_NAMES = 100

_TLS_SIGNS = (
    "tls_failure",
    "tls_version",
    "tls_cipher_suite",
    "tls_end_entity_certificate_fingerprint",
    "tls_end_entity_certificate_subject",
)
_TLS_COUNTS = ("tls_handshake_time", "tls_handshake_read_count")
_LISTED = re.compile(r"'([^']{1,255})'")
_LookupKey = tuple[str, str, str, str | None]


def lookups(rows: list[Fields], target: str, role: Role) -> Iterator[Observation]:
    """One observation for each lookup: the table has a row for each of its answers."""
    answers: dict[_LookupKey, dict[str, int]] = {}
    for row in rows:
        if not ("dns_engine" in row or "dns_failure" in row or "dns_answer" in row):
            continue
        address = address_of(row.get("dns_answer"))
        key = (_host(row), _resolver(row), _query_type(row, address), failure_of(row.get("dns_failure")))
        known = answers.setdefault(key, {})
        if address:
            known[address] = known.get(address) or _answer_asn(row, address)
    for (hostname, resolver, query_type, failure), found in answers.items():
        yield Observation(
            layer=Layer.DNS,
            target=target,
            hostname=hostname,
            role=role(hostname),
            failure=failure,
            resolver=resolver,
            query_type=query_type,
            answers=tuple(found),
            answer_asns=tuple(found.values()),
            ttls=(-1,) * len(found),
        )


def endpoint_facts(row: Fields, target: str, role: Role) -> Iterator[Observation]:
    """Connection, handshake and request of one row, as far as it has them."""
    hostname, ip, port = _host(row), address_of(row.get("ip")), port_of(_number(row.get("port")))
    if "tcp_failure" in row or row.get("tcp_success") in TRUE:
        yield Observation(
            layer=Layer.TCP,
            target=target,
            hostname=hostname,
            role=role(hostname),
            ip=ip,
            port=port,
            failure=failure_of(row.get("tcp_failure")),
        )
    if any(sign in row for sign in _TLS_SIGNS) or any(_number(row.get(name)) for name in _TLS_COUNTS):
        yield _handshake(row, target, role, hostname, ip, port)
    if "http_request_url" in row:
        yield _request(row, target, role)


def _handshake(row: Fields, target: str, role: Role, hostname: str, ip: str, port: int) -> Observation:
    name = host_of(row.get("tls_server_name")) or hostname
    failure = failure_of(row.get("tls_failure"))
    subject = [row.get("tls_end_entity_certificate_subject_common_name", "")]
    subject += _LISTED.findall(row.get("tls_end_entity_certificate_san_list", ""))
    return Observation(
        layer=Layer.TLS,
        target=target,
        hostname=name,
        role=role(name),
        ip=ip,
        port=port,
        failure=failure,
        seconds=duration(0.0, _number(row.get("tls_handshake_time")) or None),
        cert_valid=cert_valid(failure, None),
        cert_sha256=_fingerprint(row.get("tls_end_entity_certificate_fingerprint", "")),
        cert_subject=" ".join(list(dict.fromkeys(filter(None, subject)))[:MOST_NAMES]),
        cert_issuer=row.get("tls_end_entity_certificate_issuer_common_name", "")[:255],
        received=count_of(_number(row.get("tls_handshake_read_bytes"))),
    )


def _request(row: Fields, target: str, role: Role) -> Observation:
    url = row["http_request_url"][:LONGEST_URL]
    host, port = host_and_port(url)
    bare = is_address(host)
    status = _number(row.get("http_response_status_code")) or 0.0
    return Observation(
        layer=Layer.HTTP,
        target=target,
        hostname="" if bare else host,
        role=role("" if bare else host),
        ip=host if bare else "",
        port=port,
        failure=failure_of(row.get("http_failure")),
        seconds=duration(0.0, _number(row.get("http_runtime"))),
        url=url,
        status_code=int(status) if 0 < status < 1000 else 0,
        body_length=count_of(_number(row.get("http_response_body_length"))),
        body_truncated=row.get("http_response_body_is_truncated") in TRUE,
        title=(row.get("http_response_html_title") or row.get("pp_http_response_body_title", ""))[:500],
        location=row.get("http_response_header_location", "")[:LONGEST_URL],
        server=row.get("http_response_header_server", "")[:200],
    )


def _host(row: Fields) -> str:
    hostname = host_of(row.get("hostname") or row.get("fqdn"))
    return "" if is_address(hostname) else hostname


def _resolver(row: Fields) -> str:
    return RESOLVERS.get(row.get("dns_engine", ""), "system")


def _query_type(row: Fields, address: str) -> str:
    """The export often lacks it; the answer's family tells."""
    told = row.get("dns_query_type", "")[:20].upper()
    return told or (("AAAA" if ":" in address else "A") if address else "")


def _answer_asn(row: Fields, address: str) -> int:
    told = asn_of(_number(row.get("dns_answer_asn")))
    if not told and address_of(row.get("ip")) == address:
        told = asn_of(_number(row.get("ip_asn")))
    return told


def _number(text: str | None) -> float | None:
    """A finite number; ``None`` = missing or none."""
    if text is None or len(text) > 40:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 else None


def _fingerprint(text: str) -> str:
    digest = text.strip().lower().replace(":", "")
    return digest if len(digest) == 64 and all(c in "0123456789abcdef" for c in digest) else ""
