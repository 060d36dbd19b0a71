"""Failure: the df-007 name of a network error, from what any version of OONI's probes wrote.

A name that df-007 lists passes unchanged, unless a current name says exactly the same.
"""

from functools import lru_cache
from typing import Any

UNKNOWN = "unknown_failure"
"""It failed, and nothing is said of why."""

LONGEST = 200
"""Characters kept of a failure that no table knows; Go's messages are below 150."""

SAME = {
    "connection_refused_error": "connection_refused",
    "tcp_timed_out_error": "generic_timeout_error",
    "deferred_timeout_error": "generic_timeout_error",
    "task_timed_out": "generic_timeout_error",
    "timed_out": "generic_timeout_error",
    "generic_timeout": "generic_timeout_error",
    "dns_name_error": "dns_nxdomain_error",
    "dns_nxdomain": "dns_nxdomain_error",
    "address_family_not_supported_error": "address_family_not_supported",
    "true": UNKNOWN,
}
"""ooni/probe-legacy's and Measurement Kit's names (df-007, second table) -> today's."""

MESSAGES = (
    ("no route to host", "host_unreachable"),
    ("host is unreachable", "host_unreachable"),
    ("network is unreachable", "network_unreachable"),
    ("unreachable network", "network_unreachable"),
    ("network is down", "network_down"),
    ("actively refused", "connection_refused"),
    ("connection refused", "connection_refused"),
    ("forcibly closed", "connection_reset"),
    ("connection reset", "connection_reset"),
    ("connection aborted", "connection_aborted"),
    ("use of closed network connection", "connection_already_closed"),
    ("server misbehaving", "dns_server_misbehaving"),
    ("no such host", "dns_nxdomain_error"),
    ("certificate has expired", "ssl_invalid_certificate"),
    ("certificate verify failed", "ssl_invalid_certificate"),
    ("certificate is valid for", "ssl_invalid_hostname"),
    ("unknown authority", "ssl_unknown_authority"),
    ("does not look like a tls handshake", "ssl_failed_handshake"),
    ("tls: handshake failure", "ssl_failed_handshake"),
    ("awaiting response headers", "generic_timeout_error"),
    ("operation timed out", "generic_timeout_error"),
    ("i/o timeout", "generic_timeout_error"),
    ("deadline exceeded", "generic_timeout_error"),
    ("unexpected eof", "eof_error"),
)
"""What Go, Windows and OpenSSL say -> df-007; only asked where the probe had no name for it."""


def failure_of(value: Any, success: bool | None = None) -> str | None:
    """The failure string; ``None`` = it worked.

    Args:
        value: null and false mean no failure, absent is null; true or another type is a failure
            without a reason.
        success: what the record says beside it; ``False`` without a reason is a failure.
    """
    if value is None or value is False or value == "":
        return UNKNOWN if success is False else None
    if isinstance(value, str) and len(value) < 4 * LONGEST:
        return _named(value)
    return _named(value[:LONGEST]) if isinstance(value, str) else UNKNOWN


@lru_cache(maxsize=4096)
def _named(text: str) -> str:
    if text in SAME:
        return SAME[text]
    if text.startswith(("unknown_failure", "unknown_error", "ssl_error")) or " " in text:
        lower = text.lower()
        for words, name in MESSAGES:
            if words in lower:
                return name
        if lower.endswith(": eof"):
            return "eof_error"
    return text[:LONGEST]
