"""Handshakes: cut by name, intercepted, slowed down, or the site's own trouble?"""

from dataclasses import replace
from typing import Any

import pytest

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import helper, observation
from tests.each import each

TIMEOUT = "generic_timeout_error"
HOSTNAME = "ssl_invalid_hostname"


def handshake(failure: str | None = None, **given: Any) -> Observation:
    return observation(Layer.TLS, failure, **given)


INNOCUOUS = handshake(hostname="example.com", role="redirect", cert_valid=None)
"""The certificate of a control name at the target's own address is not checked."""

PASSES = handshake("connection_reset", browser="answered")
UP = helper(Layer.TLS)
PAGE = helper(Layer.HTTP)


@each(
    ("observations", "first"),
    [
        ([handshake(), UP], (State.OK, "tls.ok", "")),
        ([handshake("connection_reset"), UP], (State.BLOCKED, "tls.failure_control_ok", "tls.reset")),
        ([handshake(TIMEOUT), UP], (State.BLOCKED, "tls.failure_control_ok", "tls.timeout")),
        ([handshake("eof_error"), UP], (State.BLOCKED, "tls.failure_control_ok", "tls")),
        ([handshake("connection_reset"), PAGE], (State.BLOCKED, "tls.failure_control_ok", "tls.reset")),
        (
            [handshake("connection_reset", hostname=""), UP],
            (State.BLOCKED, "tls.failure_control_ok", "tls.reset"),
        ),
        # Another name on the same address is reset too: the name is not what triggers it.
        (
            [handshake("connection_reset"), handshake("connection_reset", hostname="y.com"), UP],
            (State.BLOCKED, "tls.failure_control_ok", "tls.reset.other"),
        ),
        (
            [handshake("connection_reset"), handshake(ip="1.2.3.4"), UP],
            (State.OK, "tls.other_attempt_works", ""),
        ),
        (
            [handshake("eof_error"), helper(Layer.TLS, "eof_error")],
            (State.DOWN, "tls.down", "server.down"),
        ),
        # A helper that does not trust the certificate has been answered: the site is not down.
        (
            [handshake("connection_reset"), helper(Layer.TLS, "ssl_unknown_authority")],
            (State.BLOCKED, "tls.failure_control_ok", "tls.reset"),
        ),
        (
            [handshake("ssl_unknown_authority"), helper(Layer.TLS, "ssl_unknown_authority")],
            (State.DOWN, "tls.own_certificate", "server.down"),
        ),
        (
            [handshake("eof_error"), helper(Layer.TLS, "eof_error"), PAGE],
            (State.INSUFFICIENT, "tls.address_down", ""),
        ),
        ([handshake("ssl_failed_handshake"), UP], (State.INSUFFICIENT, "tls.unclear_failure", "tls")),
        ([handshake("network_down"), UP], (State.INSUFFICIENT, "tls.own_fault", "")),
        ([handshake("connection_reset")], (State.INSUFFICIENT, "tls.no_control", "tls.reset")),
        (
            [handshake("connection_reset"), INNOCUOUS],
            (State.BLOCKED, "tls.innocuous_name_works", "tls.reset.sni"),
        ),
        ([handshake(TIMEOUT), INNOCUOUS], (State.BLOCKED, "tls.innocuous_name_works", "tls.timeout")),
        # Elsewhere it proves nothing about this address, and an alert is the server's own word.
        (
            [handshake("connection_reset"), replace(INNOCUOUS, ip="1.2.3.4")],
            (State.INSUFFICIENT, "tls.no_control", "tls.reset"),
        ),
        (
            [handshake("ssl_failed_handshake"), INNOCUOUS],
            (State.INSUFFICIENT, "tls.unclear_failure", "tls"),
        ),
        # But the server sends the helper none for this name, and us none for another.
        (
            [handshake("ssl_failed_handshake"), INNOCUOUS, UP],
            (State.BLOCKED, "tls.alert_for_this_name", "tls"),
        ),
        (
            [handshake("unknown_failure: remote error: tls: unrecognized name"), INNOCUOUS, UP],
            (State.BLOCKED, "tls.alert_for_this_name", "tls"),
        ),
        (
            [handshake("ssl_failed_handshake"), replace(INNOCUOUS, ip="1.2.3.4"), UP],
            (State.INSUFFICIENT, "tls.unclear_failure", "tls"),
        ),
        # Another site's sound handshake at a shared address is not a planned control.
        (
            [handshake("connection_reset"), replace(INNOCUOUS, cert_valid=True)],
            (State.INSUFFICIENT, "tls.no_control", "tls.reset.sni"),
        ),
        ([handshake("connection_reset"), handshake(), INNOCUOUS], (State.OK, "tls.few_endpoints", "")),
        ([handshake(TIMEOUT)], (State.INSUFFICIENT, "tls.no_control", "tls.timeout")),
        ([handshake(HOSTNAME)], (State.INSUFFICIENT, "tls.no_control", "tls.mitm.ca_signed")),
        # A browser's first message is answered where the probe's is cut: what is cut is how it looks.
        ([PASSES, UP], (State.BLOCKED, "tls.browser_hello_passes", "tls.reset.fingerprint")),
        ([PASSES, INNOCUOUS], (State.BLOCKED, "tls.browser_hello_passes", "tls.reset.fingerprint")),
        (
            [replace(PASSES, failure=TIMEOUT), UP],
            (State.BLOCKED, "tls.browser_hello_passes", "tls.timeout.fingerprint"),
        ),
        ([replace(PASSES, failure="eof_error"), UP], (State.BLOCKED, "tls.browser_hello_passes", "tls")),
        ([replace(PASSES, browser="cut"), UP], (State.BLOCKED, "tls.failure_control_ok", "tls.reset")),
        # No one else got through: a symptom, but its mechanism is known.
        ([PASSES], (State.INSUFFICIENT, "tls.no_control", "tls.reset.fingerprint")),
        ([PASSES, helper(Layer.TLS, "connection_reset")], (State.DOWN, "tls.down", "server.down")),
        # An alert is the server's own word, and one browser that was cut elsewhere speaks for the name.
        (
            [replace(PASSES, failure="ssl_failed_handshake"), UP],
            (State.INSUFFICIENT, "tls.unclear_failure", "tls"),
        ),
        (
            [PASSES, replace(PASSES, ip="1.2.3.4", browser="cut"), UP],
            (State.BLOCKED, "tls.failure_control_ok", "tls.reset"),
        ),
        ([PASSES, handshake(), UP], (State.OK, "tls.other_attempt_works", "")),
    ],
)
def test_a_handshake_is_judged_by_its_control(observations: list[Observation], first: Said) -> None:
    assert said(Layer.TLS, *observations)[0] == first


@pytest.mark.parametrize(
    ("seconds", "control", "state"),
    [
        (3.1, 0.07, State.THROTTLED),
        (0.9, 0.07, State.OK),  # one lost packet
        (3.1, 0.7, State.OK),  # all is slow here
        (3.6, 0.7, State.THROTTLED),
    ],
)
def test_a_slow_handshake_is_slow_compared_with_other_names(
    seconds: float, control: float, state: State
) -> None:
    others = [handshake(hostname=f"{name}.com", role="redirect", seconds=control) for name in "abc"]
    found = said(Layer.TLS, handshake(seconds=seconds), *others, UP)
    assert (state is State.THROTTLED) is (
        (State.THROTTLED, "tls.slow_handshake", "tls.throttle.sni") in found
    )


def test_one_fast_handshake_shows_that_the_name_is_not_slowed_down() -> None:
    others = [handshake(hostname=f"{name}.com", role="redirect", seconds=0.07) for name in "abc"]

    def worst(seconds: float) -> State:
        steps = [handshake(seconds=3.1), handshake(seconds=seconds, ip="1.2.3.4"), *others]
        return said(Layer.TLS, *steps)[0][0]

    assert (worst(0.3), worst(2.0)) == (State.OK, State.THROTTLED)


def test_a_slow_handshake_without_control_says_nothing() -> None:
    assert said(Layer.TLS, handshake(seconds=9.0), UP) == [(State.OK, "tls.ok", "")]


@pytest.mark.parametrize(
    ("connect", "seconds", "rule"),
    [
        (0.1, 3.4, "tls.slow_without_control"),
        (0.1, 0.9, "tls.ok"),  # one lost packet
        (0.8, 3.4, "tls.ok"),  # all is slow here
    ],
)
def test_a_handshake_slow_only_against_its_connection_is_neither_ok_nor_a_symptom(
    connect: float, seconds: float, rule: str
) -> None:
    found = verdicts(observation(Layer.TCP, seconds=connect), handshake(seconds=seconds), UP)
    assert [(v.rule_id, v.symptom) for v in found if v.layer is Layer.TLS] == [(rule, False)]


def test_a_handshake_is_not_slow_that_is_as_slow_as_its_own_connection() -> None:
    near = [handshake(hostname="y.com", role="redirect", ip="1.2.3.4", seconds=0.12)]

    def worst(connect: float) -> State:
        return said(Layer.TLS, observation(Layer.TCP, seconds=connect), handshake(seconds=1.1), *near)[0][0]

    assert (worst(0.35), worst(0.1)) == (State.OK, State.THROTTLED)


def test_few_failures_of_a_messenger_are_ordinary() -> None:
    steps = [handshake("connection_reset" if n < 2 else None, ip=f"1.1.1.{n}", hostname="") for n in range(8)]
    assert {state for state, _, _ in said(Layer.TLS, *steps, test_name="signal")} == {State.OK}


def test_a_handshake_with_a_forged_address_is_the_lookups_finding() -> None:
    forged = observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,))
    cut = handshake("ssl_unknown_authority", ip="10.10.34.36")
    found = said(Layer.TLS, forged, cut, helper(Layer.DNS), UP)
    assert found == [(State.INSUFFICIENT, "tls.after_wrong_answer", "")]


def test_a_few_handshakes_in_a_group_that_fails_at_another_layer_are_said_there() -> None:
    steps = [handshake("connection_reset", ip="1.1.1.0", hostname="")]
    steps += [observation(Layer.TCP, TIMEOUT, ip=f"1.1.1.{n}", hostname="") for n in range(1, 4)]
    found = said(Layer.TLS, *steps, test_name="signal")
    assert found == [(State.INSUFFICIENT, "tls.group_fails_elsewhere", "")]


def test_the_certificate_of_a_login_page_is_no_symptom() -> None:
    portal = observation(Layer.DNS, answers=("10.5.50.1",), answer_asns=(0,))
    steps = [portal, observation(Layer.TCP, ip="10.5.50.1"), handshake(HOSTNAME, ip="10.5.50.1")]
    assert said(Layer.TLS, *steps, control_failure=TIMEOUT) == [
        (State.INSUFFICIENT, "tls.after_wrong_answer", "")
    ]


def test_a_handshake_that_was_given_no_time_on_a_slow_line_is_not_judged() -> None:
    def told(connect: float, *others: Observation, given: float = 6.0) -> str:
        timed_out = handshake(TIMEOUT, seconds=given)
        found = verdicts(timed_out, observation(Layer.TCP, seconds=connect), UP, *others)
        return next(v.rule_id for v in found if v.layer is Layer.TLS)

    assert told(0.1) == told(1.4) == "tls.failure_control_ok"
    assert told(2.5) == "tls.slow_line"
    assert told(2.5, given=10.0) == "tls.bad_path"
    assert told(2.5, INNOCUOUS, given=10.0) == "tls.failure_control_ok", "another name's is completed"


def test_a_handshake_where_the_helper_cannot_even_connect_has_no_control_there() -> None:
    """Old helpers try no handshakes; a page from elsewhere says nothing about this address."""
    cut = observation(Layer.TLS, "connection_reset")
    page = helper(Layer.HTTP, url="https://x.com/")
    assert said(Layer.TLS, cut, page)[0][1] == "tls.failure_control_ok"
    assert said(Layer.TLS, cut, page, helper(Layer.TCP))[0][1] == "tls.failure_control_ok"
    dead = helper(Layer.TCP, "generic_timeout_error")
    assert said(Layer.TLS, cut, page, dead)[0][1:] == ("tls.no_control", "tls.reset")
