"""Failure strings of every generation of probes."""

from typing import Any

from fanous.analysis.rules.failures import NAMES, PHRASES
from fanous.sources.ooni.values import (
    LONGEST_FAILURE,
    MESSAGES,
    SAME_FAILURE,
    UNKNOWN_FAILURE,
    failure_of,
    in_words,
)
from tests.each import each


@each(
    ("value", "success", "failure"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, UNKNOWN_FAILURE),  # it did not succeed, and no one wrote why
        (False, True, None),
        (False, False, UNKNOWN_FAILURE),
        ("", None, None),
        (True, None, UNKNOWN_FAILURE),
        (3, None, UNKNOWN_FAILURE),
        ({"a": 1}, True, UNKNOWN_FAILURE),
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
        (
            "unknown_failure: read unix /home/ali/s.sock: broken pipe",
            None,
            "unknown_failure: read *: broken pipe",
        ),
        ("unknown_error", None, "unknown_error"),
    ],
)
def test_a_failure_has_the_name_of_today(value: Any, success: bool | None, failure: str | None) -> None:
    assert failure_of(value, success) == failure


def test_a_failure_of_any_length_stays_short() -> None:
    assert len(failure_of("timeout " * 1_000_000) or "") == LONGEST_FAILURE


def test_names_and_phrases_that_rules_know_are_kept_as_they_are() -> None:
    known = [*NAMES, *SAME_FAILURE, *(words for words, _ in (*PHRASES, *MESSAGES))]
    assert [text for text in known if in_words(text) != text] == []


@each(
    ("said", "kept"),
    [
        ("open /home/ali/cert.pem: permission denied", "open /*: permission denied"),
        (r"C:\Users\Ali\probe: access is denied", "* is denied"),
        ("lookup ali-laptop on 192.168.1.1:53: no such host", "lookup * on *: no such host"),
        ('not connected to "Home of Ali"', "not * to * of *"),
        ("۰۹۱۲ timeout ‮alI", "* timeout *"),
        ("handshake: ntor AUTH mismatch: Derived: 511845ad2217", "handshake: ntor AUTH mismatch: Derived: *"),
    ],
)
def test_what_else_a_message_says_is_not_kept(said: str, kept: str) -> None:
    assert in_words(said) == kept
    assert in_words(kept) == kept
