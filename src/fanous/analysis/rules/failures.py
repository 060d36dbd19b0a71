"""Failures: OONI's failure strings (df-007), sorted by what happened on the wire.

The names used by OONI's older probes and by its test helper are included, so that a record of 2014 and one of today are
judged alike.
"""

from enum import StrEnum
from functools import lru_cache


class Cause(StrEnum):
    """What happened, distinguished only as far as a conclusion needs it."""

    TIMEOUT = "timeout"
    RESET = "reset"
    REFUSED = "refused"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    NXDOMAIN = "nxdomain"
    NO_DATA = "no data"
    NO_ANSWER = "no answer"
    DNS_REFUSED = "dns refused"
    SERVFAIL = "servfail"
    AUTHORITY = "unknown authority"
    HOSTNAME = "wrong name"
    CERTIFICATE = "invalid certificate"
    ALERT = "handshake alert"
    REDIRECT = "redirect"
    ANSWER = "unexpected answer"
    LOCAL = "local"
    UNKNOWN = "unknown"


NAMES: dict[str, Cause] = {
    "generic_timeout_error": Cause.TIMEOUT,
    "timed_out": Cause.TIMEOUT,
    "tcp_timed_out_error": Cause.TIMEOUT,
    "deferred_timeout_error": Cause.TIMEOUT,
    "task_timed_out": Cause.TIMEOUT,
    "dns_timeout_error": Cause.TIMEOUT,
    "timeout_error": Cause.TIMEOUT,
    "connection_reset": Cause.RESET,
    "connection_aborted": Cause.RESET,
    "network_reset": Cause.RESET,
    "connection_refused": Cause.REFUSED,
    "connection_refused_error": Cause.REFUSED,
    "eof_error": Cause.CLOSED,
    "connection_closed": Cause.CLOSED,
    "response_never_received": Cause.CLOSED,
    "host_unreachable": Cause.UNREACHABLE,
    "network_unreachable": Cause.UNREACHABLE,
    "dns_nxdomain_error": Cause.NXDOMAIN,
    "dns_name_error": Cause.NXDOMAIN,
    # "getaddrinfo failed and we have no way of knowing why" (df-007; ooni/probe issue 2029).
    "android_dns_cache_no_data": Cause.NO_DATA,
    "dns_no_answer": Cause.NO_ANSWER,
    "dns_refused_error": Cause.DNS_REFUSED,
    "dns_servfail_error": Cause.SERVFAIL,
    "dns_server_misbehaving": Cause.SERVFAIL,
    "dns_server_failure": Cause.SERVFAIL,
    "dns_temporary_failure": Cause.SERVFAIL,
    "dns_non_recoverable_failure": Cause.SERVFAIL,
    # The Python probe writes this for every failed lookup; nothing says how it failed.
    "dns_lookup_error": Cause.SERVFAIL,
    "ssl_unknown_authority": Cause.AUTHORITY,
    "ssl_invalid_hostname": Cause.HOSTNAME,
    "ssl_invalid_certificate": Cause.CERTIFICATE,
    "ssl_failed_handshake": Cause.ALERT,
    "quic_incompatible_version": Cause.ALERT,
    "http_invalid_redirect_location_host": Cause.REDIRECT,
    "http_invalid_redirect_url": Cause.REDIRECT,
    "http_unexpected_redirect_url": Cause.ANSWER,
    "http_unexpected_status_code": Cause.ANSWER,
    "http_request_failed": Cause.ANSWER,
    "network_down": Cause.LOCAL,
    "address_not_available": Cause.LOCAL,  # connect() failed in the probe's own kernel
    "permission_denied": Cause.LOCAL,
    "address_family_not_supported": Cause.LOCAL,
    "address_in_use": Cause.LOCAL,
    "bad_file_descriptor": Cause.LOCAL,
    "no_buffer_space": Cause.LOCAL,
    "interrupted": Cause.LOCAL,
    "operation_canceled": Cause.LOCAL,
    "connection_already_closed": Cause.LOCAL,
    "proxy_error": Cause.LOCAL,
}

PHRASES: tuple[tuple[str, Cause], ...] = (
    ("redirect", Cause.REDIRECT),
    ("unsupported protocol scheme", Cause.REDIRECT),
    ("no host in request url", Cause.REDIRECT),
    ("no such host", Cause.NXDOMAIN),
    ("connection reset", Cause.RESET),
    ("forcibly closed", Cause.RESET),
    ("connection refused", Cause.REFUSED),
    ("no route to host", Cause.UNREACHABLE),
    ("unreachable", Cause.UNREACHABLE),
    ("timeout", Cause.TIMEOUT),
    ("timed out", Cause.TIMEOUT),
    ("deadline exceeded", Cause.TIMEOUT),
    ("unexpected eof", Cause.CLOSED),
    ("unknown authority", Cause.AUTHORITY),
    ("remote error: tls", Cause.ALERT),
    ("too many open files", Cause.LOCAL),
    ("buffer space", Cause.LOCAL),
    ("network is down", Cause.LOCAL),
    ("dead network", Cause.LOCAL),
    ("operation not permitted", Cause.LOCAL),
    ("permission denied", Cause.LOCAL),
    ("context canceled", Cause.LOCAL),
)
"""Free text that probes wrap into ``unknown_failure: ...``, in the words of Go and Python."""

CUT_CAUSES = frozenset({Cause.RESET, Cause.TIMEOUT, Cause.CLOSED})
"""How a handshake ends if it is cut; an alert comes from the server itself."""
CERTIFICATE_CAUSES = frozenset({Cause.AUTHORITY, Cause.HOSTNAME, Cause.CERTIFICATE})
SILENT_CAUSES = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.LOCAL, Cause.UNKNOWN, Cause.SERVFAIL})
"""Failures that a machine without any network shows too; a reset or an NXDOMAIN had a sender."""
LOOKUP_CAUSES = frozenset({Cause.NXDOMAIN, Cause.NO_DATA, Cause.NO_ANSWER, Cause.DNS_REFUSED, Cause.SERVFAIL})


@lru_cache(maxsize=4096)
def cause_of(failure: str) -> Cause:
    """What a failure string means; ``UNKNOWN`` if it says nothing that a rule could use."""
    name = NAMES.get(failure)
    if name is not None:
        return name
    text = failure.lower()
    for words, cause in PHRASES:
        if words in text:
            return cause
    return Cause.UNKNOWN
