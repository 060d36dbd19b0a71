"""Connections: cut by address, dead for everyone, or a probe without IPv6?"""

from typing import Any

import pytest

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import helper, observation
from tests.each import each

SIX = "2606:4700::6810:84e5"
TIMEOUT = "generic_timeout_error"


def connection(failure: str | None = None, **given: Any) -> Observation:
    return observation(Layer.TCP, failure, **given)


UP = helper(Layer.TCP)
DEAD = helper(Layer.TCP, "connection_refused")
PAGE = helper(Layer.HTTP)
IN_CLEAR = helper(Layer.HTTP, url="http://x.com/")


def endpoints(failing: int, of: int = 12, failure: str = TIMEOUT) -> list[Observation]:
    return [connection(failure if n < failing else None, hostname="", ip=f"149.154.1.{n}") for n in range(of)]


@each(
    ("observations", "first"),
    [
        ([connection(), UP], (State.OK, "tcp.ok", "")),
        ([connection("connection_refused"), UP], (State.BLOCKED, "tcp.failure_control_ok", "tcp.refused")),
        ([connection(TIMEOUT), UP], (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout")),
        ([connection("connection_reset"), UP], (State.BLOCKED, "tcp.failure_control_ok", "tcp.reset")),
        ([connection("host_unreachable"), UP], (State.BLOCKED, "tcp.failure_control_ok", "ip.unreachable")),
        # It failed, and nothing says how.
        ([connection("unknown_failure"), UP], (State.INSUFFICIENT, "tcp.unclear_failure", "tcp")),
        # The helper did not try this endpoint, but the page loads from outside.
        ([connection(TIMEOUT), PAGE], (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout")),
        # One in clear says so of port 80, and of a port that the record does not name.
        ([connection(TIMEOUT), IN_CLEAR], (State.INSUFFICIENT, "tcp.port_not_asked", "")),
        ([connection(TIMEOUT, port=80), IN_CLEAR], (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout")),
        ([connection(TIMEOUT, port=0), IN_CLEAR], (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout")),
        ([connection(TIMEOUT), DEAD], (State.DOWN, "tcp.down", "server.down")),
        ([connection(TIMEOUT), DEAD, PAGE], (State.INSUFFICIENT, "tcp.address_down", "")),
        ([connection(TIMEOUT), connection(ip="1.2.3.4"), UP], (State.OK, "tcp.other_address_works", "")),
        ([connection(TIMEOUT, ip=SIX), UP, PAGE], (State.INSUFFICIENT, "tcp.no_ipv6", "")),
        # Who is refused over IPv6 has been reached over it.
        (
            [connection("connection_refused", ip=SIX), helper(Layer.TCP, ip=SIX)],
            (State.BLOCKED, "tcp.failure_control_ok", "tcp.refused"),
        ),
        (
            [connection(TIMEOUT, ip=SIX), connection(ip=SIX, hostname="y.com"), UP, PAGE],
            (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout"),
        ),
        (
            [connection("network_unreachable", ip=SIX), connection(ip=SIX, hostname="y.com"), PAGE],
            (State.INSUFFICIENT, "tcp.no_ipv6", ""),
        ),
        (
            [connection("network_down"), connection(ip="1.2.3.4"), UP],
            (State.INSUFFICIENT, "tcp.own_fault", ""),
        ),
        # A redirect's host: the helper followed it, or it did not.
        (
            [connection(TIMEOUT, hostname="y.com", role="redirect"), PAGE],
            (State.BLOCKED, "tcp.failure_control_ok", "tcp.timeout"),
        ),
        (
            [connection(TIMEOUT, hostname="y.com", role="redirect"), UP],
            (State.INSUFFICIENT, "tcp.no_control", "tcp.timeout"),
        ),
    ],
)
def test_a_connection_is_judged_by_its_control(observations: list[Observation], first: Said) -> None:
    assert said(Layer.TCP, *observations)[0] == first


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (0, [(State.OK, "tcp.ok", "")]),
        (4, [(State.OK, "tcp.ok", ""), (State.OK, "tcp.few_endpoints", "")]),
        (8, [(State.INSUFFICIENT, "tcp.no_control", "tcp.timeout")]),
        (12, [(State.INSUFFICIENT, "tcp.no_control", "tcp.timeout")]),
    ],
)
def test_a_messenger_is_judged_by_the_share_of_its_endpoints(failing: int, expected: list[Said]) -> None:
    found = said(Layer.TCP, *endpoints(failing), test_name="telegram")
    assert sorted(found) == sorted(expected)


def test_a_symptom_says_how_many_endpoints_fail() -> None:
    (symptom,) = verdicts(*endpoints(8), test_name="telegram")
    assert symptom.symptom
    assert not symptom.controlled
    assert symptom.observations == 8
    assert "(8 of 12 endpoints)" in symptom.why


def test_the_dominating_failure_names_the_group() -> None:
    mixed = endpoints(7) + endpoints(12, failure="connection_reset")[7:12]
    found = said(Layer.TCP, *mixed, test_name="telegram")
    assert found == [(State.INSUFFICIENT, "tcp.no_control", "tcp.timeout")]


def test_an_address_from_a_forged_answer_is_not_judged_again() -> None:
    forged = observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,))
    found = said(Layer.TCP, connection(TIMEOUT, ip="10.10.34.36"), forged, helper(Layer.DNS), UP)
    assert found == [(State.INSUFFICIENT, "tcp.after_wrong_answer", "")]


def test_an_unproven_answer_leaves_its_address_to_the_helper() -> None:
    near = observation(Layer.DNS, answers=("203.0.112.9",), answer_asns=(64500,))
    dead = connection("connection_refused", ip="203.0.112.9")
    found = said(Layer.TCP, near, dead, helper(Layer.DNS), helper(Layer.TCP, ip="203.0.112.9"))
    assert found == [(State.BLOCKED, "tcp.failure_control_ok", "tcp.refused")]


def test_a_few_connections_in_a_group_that_fails_at_another_layer_are_said_there() -> None:
    steps = [connection(TIMEOUT, hostname="", ip="1.1.1.0")]
    steps += [observation(Layer.HTTP, "connection_reset", hostname="", ip=f"1.1.1.{n}") for n in range(1, 4)]
    found = said(Layer.TCP, *steps, test_name="telegram")
    assert found == [(State.INSUFFICIENT, "tcp.group_fails_elsewhere", "")]


def encrypted(failure: str | None) -> list[Observation]:
    return [observation(Layer.DNS, failure, resolver=name, ip="") for name in ("doh", "dot")]


@pytest.mark.parametrize(
    ("beside", "rule"),
    [
        (encrypted(TIMEOUT), "tcp.nothing_else_works"),
        (encrypted(None), "tcp.no_control"),
        ([*encrypted(TIMEOUT), connection(hostname="y.com", ip="1.2.3.4")], "tcp.no_control"),
        ([], "tcp.no_control"),
    ],
)
def test_a_time_out_on_a_line_on_which_nothing_else_works_is_no_symptom(
    beside: list[Observation], rule: str
) -> None:
    plain = observation(Layer.DNS, resolver="udp")
    found = verdicts(connection(TIMEOUT), plain, *beside, control_failure=TIMEOUT)
    failed = [v for v in found if v.layer is Layer.TCP and v.state is State.INSUFFICIENT]
    assert [(v.rule_id, v.symptom) for v in failed] == [(rule, rule == "tcp.no_control")]
