"""Values: addresses, ports, URLs, numbers and failures of a record, each in one form.

A value that cannot be read becomes empty, 0 or NaN, which means *unknown* in an observation.  A failure becomes the
df-007 name of the network error, whichever version of OONI's probes wrote it; a name that df-007 lists stays as it
is, unless a current name means exactly the same.
"""

from functools import lru_cache
from math import nan
from typing import Any
from urllib.parse import urlsplit

from fanous.model.place import is_address
from fanous.refdata.platforms import normal_host

LONGEST_URL = 8192
"""Characters kept of a URL: what servers commonly accept at most (RFC 9110 section 4.1 asks for 8000)."""

LONGEST_HOST = 255
"""RFC 1035 section 2.3.4."""

LONGEST_STEP = 86_400.0
"""Seconds.  A step that lasted longer than a day is a clock that was set."""

DEFAULT_PORTS = {"http": 80, "https": 443}


def address_of(text: str | None) -> str:
    """The address, without brackets; empty if the text is not one (``[scrubbed]`` is not)."""
    if text is None or len(text) > 64:
        return ""
    bare = text.strip("[]")
    return bare if is_address(bare) else ""


@lru_cache(maxsize=65_536)
def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return address_of(host), port_of(int(port)) if port.isascii() and port.isdigit() else 0


def endpoint_of(text: str | None) -> tuple[str, int]:
    """``[2001:db8::1]:443`` -> address and port; empty and 0 where unknown."""
    if not text or len(text) > 80:
        return "", 0
    return _endpoint(text)


@lru_cache(maxsize=16_384)
def _split(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", 0
    return host_of(host), port or DEFAULT_PORTS.get(parts.scheme, 0)


def host_and_port(url: str | None) -> tuple[str, int]:
    """Host of a URL (lower case, punycode; IPv6 without brackets) and port; empty and 0 where unknown."""
    if not url:
        return "", 0
    return _split(url[:LONGEST_URL])


@lru_cache(maxsize=65_536)
def _host(name: str) -> str:
    return name if is_address(name) else normal_host(name)[:LONGEST_HOST]


def host_of(name: str | None) -> str:
    """A host name as the rest of Fanous writes it; empty = unknown."""
    return _host(name) if name and len(name) <= 4 * LONGEST_HOST else ""


def port_of(value: float | None) -> int:
    """0 = unknown."""
    return int(value) if value is not None and 0 < value < 65_536 else 0


def asn_of(value: Any) -> int:
    """``AS17557``, ``"17557"`` or ``17557`` -> 17557; 0 = unknown."""
    if isinstance(value, str):
        digits = value[:16].strip().upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() else 0
    if isinstance(value, int | float) and 0 < value < 2**32:
        return int(value)
    return 0


def count_of(value: float | None, unknown: int = -1) -> int:
    """A count of bytes; a negative or absurd one is unknown."""
    return int(value) if value is not None and 0 <= value < 2**53 else unknown


def seconds_of(value: float | None) -> float:
    """Seconds since the measurement began; NaN = unknown."""
    if value is None or not -LONGEST_STEP <= value <= LONGEST_STEP:
        return nan
    return value if type(value) is float else float(value)


def duration(start: float | None, end: float | None) -> float:
    """Seconds from ``start`` to ``end``; NaN = unknown, also where the clock went backwards."""
    if start is None or end is None or not -LONGEST_STEP <= start <= end <= LONGEST_STEP:
        return nan
    return float(end - start)


UNKNOWN = "unknown_failure"
"""It failed, and the record does not say why."""

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
"""What Go, Windows and OpenSSL say -> df-007; consulted only if the probe had no name for it."""


def failure_of(value: Any, success: bool | None = None) -> str | None:
    """The failure string; ``None`` = it worked.

    Args:
        value: null and false mean no failure, absent is null; true or another type is a failure
            without a reason.
        success: what the record says next to it; ``False`` without a reason is a failure.
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
