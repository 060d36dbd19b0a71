"""Failure strings sorted by what happened on the wire."""

from fanous.analysis.rules.failures import Cause, cause_of
from fanous.sources.ooni.values import failure_of
from tests.each import each


@each(
    ("failure", "cause"),
    [
        ("generic_timeout_error", Cause.TIMEOUT),
        ("connection_reset", Cause.RESET),
        ("connection_refused_error", Cause.REFUSED),
        ("eof_error", Cause.CLOSED),
        ("host_unreachable", Cause.UNREACHABLE),
        ("android_dns_cache_no_data", Cause.NO_DATA),
        ("dns_name_error", Cause.NXDOMAIN),
        ("dns_no_answer", Cause.NO_ANSWER),
        ("ssl_unknown_authority", Cause.AUTHORITY),
        ("unknown_failure: stopped after too many redirects", Cause.REDIRECT),
        ("http_invalid_redirect_location_host", Cause.REDIRECT),
        ("unknown_failure: dial tcp: i/o timeout", Cause.TIMEOUT),
        ("unknown_failure: socket: too many open files", Cause.LOCAL),
        ("unknown_failure: write: no buffer space available", Cause.LOCAL),
        ("unknown_failure: A socket operation encountered a dead network.", Cause.LOCAL),
        ("address_not_available", Cause.LOCAL),  # nothing left the machine
        ("unknown_failure: something new", Cause.UNKNOWN),
        ("", Cause.UNKNOWN),
    ],
)
def test_a_failure_has_a_cause(failure: str, cause: Cause) -> None:
    assert cause_of(failure) is cause
    kept = failure_of(failure) or ""
    assert cause_of(kept) is cause, f"what is kept of it, {kept!r}, means something else"
