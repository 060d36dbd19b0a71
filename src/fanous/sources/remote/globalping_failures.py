"""Globalping failures: what went wrong at a vantage point, in OONI's words (df-007).

How a failure is worded follows the probe's own code, jsdelivr/globalping-probe at commit f86c41c2
(``src/command/handlers/http/undici.ts``, ``src/lib/dns.ts``, ``src/command/dns-command.ts``).  A failed request says
little more than Node.js' message, so no step is named that the message does not show.
"""

import re
from dataclasses import dataclass

from fanous.sources.remote.globalping_api import Failed, FinishedLookup

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
_CODES = {
    "NXDOMAIN": "dns_nxdomain_error",
    "SERVFAIL": "dns_servfail_error",
    "REFUSED": "dns_refused_error",
}
"""DNS response codes (IANA) -> df-007."""

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

LONGEST_MESSAGE = 200


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
        return Failure("dns", _LOOKUPS.get(lookup[1], f"unknown_failure: {message[:LONGEST_MESSAGE]}"))
    if connect := _CONNECT.match(message):
        name = _CONNECTS.get(connect[1], f"unknown_failure: {message[:LONGEST_MESSAGE]}")
        return Failure("tcp", name, connect[2].strip("[]"), int(connect[3]))
    if failed.source == "resolver":
        return Failure("dns", "generic_timeout_error" if "timeout" in message else "unknown_failure")
    for step, table in (("tls", _IN_HANDSHAKE), ("http", _REQUESTS)):
        for words, name in table:
            if words in message:
                return Failure(step, name)
    return Failure("http", f"unknown_failure: {message[:LONGEST_MESSAGE]}")


def lookup_failure(found: FinishedLookup | Failed) -> str | None:
    """Why a lookup gave no address, in OONI's words; ``None`` = it gave one."""
    if isinstance(found, Failed):
        known = (name for words, name in _DIG if words in found.message)
        return next(known, f"unknown_failure: {found.message[:LONGEST_MESSAGE]}")
    if any(one.type in ("A", "AAAA") for one in found.answers):
        return None
    return _CODES.get(found.code or "", "dns_no_answer")
