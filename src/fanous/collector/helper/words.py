"""Words: failures as OONI's test helper has always said them, which differ from those of probes.  Pure.

Follows ``tcpMapFailure`` (internal/oohelperd/tcptls.go), ``dnsMapFailure`` (dns.go) and ``httpMapFailure``
(http.go) of ooni/probe-cli; analysis code compares with exactly these.
"""

_DNS_SERVER = frozenset(
    {
        "dns_non_recoverable_failure",
        "dns_refused_error",
        "dns_server_misbehaving",
        "dns_temporary_failure",
    }
)


def dns_failure(failure: str | None) -> str | None:
    """Of a lookup; an empty answer is none."""
    match failure:
        case None | "dns_no_answer":
            return None
        case "dns_nxdomain_error":
            return "dns_name_error"
        case _:
            return "dns_server_failure" if failure in _DNS_SERVER else "unknown_error"


def tcp_failure(failure: str | None) -> str | None:
    """Of a connection."""
    match failure:
        case None | "generic_timeout_error":
            return failure
        case "connection_refused":
            return "connection_refused_error"
        case _:
            return "connect_error"


def http_failure(failure: str | None) -> str | None:
    """Of a request, over all its redirects."""
    match failure:
        case None | "generic_timeout_error":
            return failure
        case "connection_refused":
            return "connection_refused_error"
        case _:
            is_lookup = failure.startswith("dns_")
            return "dns_lookup_error" if is_lookup else "unknown_error"
