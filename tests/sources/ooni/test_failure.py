"""Failure strings of every generation of probes."""

from typing import Any

from fanous.sources.ooni.values import LONGEST, UNKNOWN, failure_of
from tests.each import each


@each(
    ("value", "success", "failure"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, UNKNOWN),  # it did not succeed, and nobody wrote why
        (False, True, None),
        (False, False, UNKNOWN),
        ("", None, None),
        (True, None, UNKNOWN),
        (3, None, UNKNOWN),
        ({"a": 1}, True, UNKNOWN),
        ("connection_reset", None, "connection_reset"),
        ("connection_refused_error", None, "connection_refused"),
        ("dns_name_error", None, "dns_nxdomain_error"),
        ("task_timed_out", None, "generic_timeout_error"),
        ("response_never_received", None, "response_never_received"),
        ("unknown_failure: dial tcp [scrubbed]: connect: no route to host", None, "host_unreachable"),
        ("unknown_failure: read tcp [scrubbed]: i/o timeout", None, "generic_timeout_error"),
        (
            "ssl_error: error:14007086:SSL routines:CONNECT_CR_CERT:certificate verify failed",
            None,
            "ssl_invalid_certificate",
        ),
        ("unknown_failure: something new", None, "unknown_failure: something new"),
        ("unknown_error", None, "unknown_error"),
    ],
)
def test_a_failure_has_the_name_of_today(value: Any, success: bool | None, failure: str | None) -> None:
    assert failure_of(value, success) == failure


def test_a_failure_of_any_length_stays_short() -> None:
    assert len(failure_of("x" * 10_000_000) or "") == LONGEST
