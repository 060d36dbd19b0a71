"""Failures: why a step failed, as one of df-007's names or, where none fits, in words that such messages consist of.

A failure is free text in which programs quote what they were doing: paths, names of machines, networks and users.  So
only words of ``WORDS`` are kept, and whatever stands between them becomes an asterisk.  Names that df-007 lists
consist of such words, as do the phrases by which rules know a failure (``analysis.rules.failures``).
"""

import re
from functools import lru_cache
from typing import Any

from fanous.analysis.rules.failures import NAMES, PHRASES
from fanous.sources.redaction import HIDDEN

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


WORDS = frozenset(
    re.findall(
        r"[a-z0-9]+",
        " ".join(
            (
                *NAMES,
                *SAME,
                *SAME.values(),
                *(words for words, _ in PHRASES),
                *(words for words, _ in MESSAGES),
            )
        )
        # of Go's net, tls and x509, of Python's ssl, socket and OSError, and of OONI's nettests
        + " abort aborted accept alert allocate an and any argument assign at auth bad bind block bogon broken"
        " bytes by cannot can clientlib close code compute connect could dead decode decrypt derived descriptor device"
        " dial digest directory does done download empty errno exceeded exchange executable exists expected failure"
        " file find first for format frame from function get getaddrinfo getsockopt handshake head header hello"
        " https if illegal in incompatible incorrect input insufficient internal into is it json key large length"
        " limit listen local long lookup lost mac malformed match memory message method mismatch missing name"
        " nameserver not ntor number of on open oserror out overflow packet padding parameter parse peer pipe"
        " plaintext port post protocol proto quic read received record refused remote request requested required"
        " resolver resource response route rst section seconds secret self send server setsockopt shutdown signature"
        " signed size small sni socket socks stats stream sys syscall tcp temporarily that the this to tls too"
        " transport tunnel type udp unable unavailable unexpected unknown unreadable unrecognized unsupported url"
        " valid value verify version was while with write wrong x509",
    )
)
"""Words that may be kept of a failure, in lower case.  None names anyone; the numbers are those of protocols."""

_TOKEN = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[^\w\s:,;.()\[\]'/>-]+|[^\S ]+")
_HIDDEN_RUN = re.compile(r"\*(?:[\s:,;.()\[\]'/>_-]*+\*)++")


def in_words(text: str) -> str:
    """``text`` with an asterisk in place of everything but ``WORDS`` and the marks between them."""
    return _in_words(text) if len(text) < 4 * LONGEST else _in_words(text[:LONGEST])


@lru_cache(maxsize=4096)
def _in_words(text: str) -> str:
    said = _TOKEN.sub(lambda found: found[0] if found[0].lower() in WORDS else HIDDEN, text)
    return _HIDDEN_RUN.sub(HIDDEN, _BETWEEN.sub(HIDDEN, said))[:LONGEST]


def failure_of(value: Any, success: bool | None = None) -> str | None:
    """The failure string; ``None`` = it worked.

    Args:
        value: null and false mean no failure, absent is null; true or another type is a failure
            without a reason.
        success: what the record says next to it; ``False`` without a reason is a failure.
    """
    if value is None or value is False or value == "":
        return UNKNOWN if success is False else None
    return (
        _named(value if len(value) < 4 * LONGEST else value[:LONGEST]) if isinstance(value, str) else UNKNOWN
    )


@lru_cache(maxsize=4096)
def _named(said: str) -> str:
    text = _in_words(said)
    if text in SAME:
        return SAME[text]
    if text.startswith(("unknown_failure", "unknown_error", "ssl_error")) or " " in text:
        lower = text.lower()
        for words, name in MESSAGES:
            if words in lower:
                return name
        if lower.endswith(": eof"):
            return "eof_error"
    return text
