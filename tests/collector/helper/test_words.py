"""Failures are said as OONI's test helper has always said them."""

from fanous.collector.helper import dns_failure, http_failure, tcp_failure
from tests.each import each


@each(
    ("failure", "dns", "tcp", "http"),
    [
        (None, None, None, None),
        ("generic_timeout_error", "unknown_error", "generic_timeout_error", "generic_timeout_error"),
        ("connection_refused", "unknown_error", "connection_refused_error", "connection_refused_error"),
        ("connection_reset", "unknown_error", "connect_error", "unknown_error"),
        ("dns_nxdomain_error", "dns_name_error", "connect_error", "dns_lookup_error"),
        ("dns_no_answer", None, "connect_error", "dns_lookup_error"),
        ("dns_temporary_failure", "dns_server_failure", "connect_error", "dns_lookup_error"),
        ("dns_bogon_error", "unknown_error", "connect_error", "dns_lookup_error"),
        ("ssl_unknown_authority", "unknown_error", "connect_error", "unknown_error"),
    ],
)
def test_a_failure_has_the_name_that_analysis_code_compares_with(
    failure: str | None, dns: str | None, tcp: str | None, http: str | None
) -> None:
    assert (dns_failure(failure), tcp_failure(failure), http_failure(failure)) == (dns, tcp, http)
