"""Failure: what went wrong on the network as OONI's df-007 name.

Source: ooni/spec data-formats/df-007-errors.md.  Reset, refusal and silence never share a name, because they
are different findings.
"""

import errno
import socket
import ssl

UNKNOWN = "unknown_failure"

_ERRNO = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ECONNRESET: "connection_reset",
    # Writing to a connection that the other side has reset before we noticed.
    errno.EPIPE: "connection_reset",
    errno.ECONNABORTED: "connection_aborted",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EHOSTDOWN: "host_unreachable",
    errno.ENETUNREACH: "network_unreachable",
    errno.ENETDOWN: "network_down",
    errno.ENETRESET: "network_reset",
    errno.ETIMEDOUT: "generic_timeout_error",
    errno.EADDRNOTAVAIL: "address_not_available",
    errno.EADDRINUSE: "address_in_use",
    errno.EAFNOSUPPORT: "address_family_not_supported",
    errno.EACCES: "permission_denied",
    errno.EPERM: "permission_denied",
    errno.EBADF: "interrupted",  # our own socket, closed because the measurement ran out of time
    errno.ENOBUFS: "no_buffer_space",
    errno.EINTR: "interrupted",
    errno.ENOTCONN: "not_connected",
    errno.EINVAL: "invalid_argument",
    errno.EMSGSIZE: "message_size",
}

_LOOKUP = {
    socket.EAI_NONAME: "dns_nxdomain_error",
    socket.EAI_NODATA: "dns_no_answer",
    socket.EAI_AGAIN: "dns_temporary_failure",
    socket.EAI_FAIL: "dns_non_recoverable_failure",
}

_WRONG_NAME = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (openssl/x509_vfy.h)."""

_NO_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""Issuer missing, self-signed leaf, self-signed in chain, issuer not local, leaf alone."""


class NetworkFailure(Exception):
    """A failure for which the standard library has no exception; it carries its df-007 name."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


NETWORK_ERRORS = (OSError, EOFError, NetworkFailure)
"""The errors a step may meet and record (``TimeoutError`` and ``ssl.SSLError`` are kinds of ``OSError``)."""


def failure_of(error: BaseException) -> str:
    """The df-007 name of a network error; ``unknown_failure: ...`` if it has none."""
    if isinstance(error, NetworkFailure):
        return error.failure
    if isinstance(error, ssl.SSLError):
        if isinstance(error, ssl.SSLCertVerificationError):
            code = error.verify_code
            if code in _WRONG_NAME:
                return "ssl_invalid_hostname"
            return "ssl_unknown_authority" if code in _NO_AUTHORITY else "ssl_invalid_certificate"
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return "eof_error"
        return "ssl_failed_handshake"
    if isinstance(error, socket.gaierror):
        return _LOOKUP.get(error.errno or 0, f"{UNKNOWN}: {error.strerror}")
    if isinstance(error, TimeoutError):
        return "generic_timeout_error"
    if isinstance(error, EOFError):
        return "eof_error"
    if isinstance(error, OSError) and error.errno in _ERRNO:
        return _ERRNO[error.errno]
    return f"{UNKNOWN}: {type(error).__name__}: {error}"[:200]
