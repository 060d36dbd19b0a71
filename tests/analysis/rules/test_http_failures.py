"""Requests that failed: cut, starved, sent in circles by the site, or dead everywhere?"""

from typing import Any

import pytest

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import helper, observation
from tests.each import each

TIMEOUT = "generic_timeout_error"
SECURE = "https://x.com/"


def request(failure: str, url: str = "http://x.com/", **given: Any) -> Observation:
    return observation(Layer.HTTP, failure, url=url, **{"seconds": 10.0} | given)


CONTROL = helper(Layer.HTTP, url="http://x.com/")
CONNECTED = observation(Layer.TCP)
SHAKEN = observation(Layer.TLS)
FAILED_CONTROL = helper(Layer.HTTP, "eof_error")


@each(
    ("observations", "first"),
    [
        (
            [request("connection_reset"), CONTROL],
            (State.BLOCKED, "http.failure_control_ok", "http.reset.host"),
        ),
        ([request(TIMEOUT), CONTROL], (State.BLOCKED, "http.failure_control_ok", "http.timeout")),
        ([request("eof_error"), CONTROL], (State.BLOCKED, "http.failure_control_ok", "http")),
        # No one on the path sees a Host header inside TLS.
        (
            [request("connection_reset", SECURE), CONTROL],
            (State.BLOCKED, "http.failure_control_ok", "tls.reset.sni"),
        ),
        (
            [request("connection_reset", SECURE), SHAKEN, CONTROL],
            (State.BLOCKED, "http.failure_control_ok", "tls.reset"),
        ),
        (
            [request("dns_nxdomain_error"), CONTROL],
            (State.BLOCKED, "http.failure_control_ok", "dns.nxdomain"),
        ),
        ([request("connection_refused"), CONTROL], (State.BLOCKED, "http.failure_control_ok", "tcp.refused")),
        ([request(TIMEOUT), FAILED_CONTROL], (State.DOWN, "http.down", "server.down")),
        (
            [request("connection_reset"), observation(Layer.HTTP, url="http://x.com/"), CONTROL],
            (State.OK, "http.other_attempt_works", ""),
        ),
        (
            [request("unknown_failure: stopped after too many redirects", status_code=302), CONTROL],
            (State.OK, "http.redirects_badly", ""),
        ),
        ([request("http_invalid_redirect_location_host"), CONTROL], (State.OK, "http.redirects_badly", "")),
        (
            [request("http_unexpected_status_code"), CONTROL],
            (State.INSUFFICIENT, "http.unexpected_answer", ""),
        ),
        ([request("interrupted"), CONTROL], (State.INSUFFICIENT, "http.own_fault", "")),
        ([request("unknown_failure: new"), CONTROL], (State.INSUFFICIENT, "http.unclear_failure", "http")),
        ([request("connection_reset")], (State.INSUFFICIENT, "http.no_control", "http.reset.host")),
        (
            [request("ssl_unknown_authority", SECURE), CONTROL],
            (State.BLOCKED, "http.intercepted", "tls.mitm"),
        ),
        (
            [request("ssl_invalid_certificate", SECURE), helper(Layer.HTTP, "ssl_invalid_certificate")],
            (State.DOWN, "http.own_certificate", "server.down"),
        ),
    ],
)
def test_a_failed_request_is_judged(observations: list[Observation], first: Said) -> None:
    assert said(Layer.HTTP, *observations)[0] == first


@pytest.mark.parametrize(
    ("below", "url"),
    [
        (observation(Layer.DNS, "dns_nxdomain_error"), "http://x.com/"),
        (observation(Layer.TCP, TIMEOUT), "http://x.com/"),
        (observation(Layer.TLS, "connection_reset"), SECURE),
        (observation(Layer.TCP, TIMEOUT, hostname=""), "http://x.com/"),  # known by its endpoint alone
    ],
)
def test_what_a_lower_layer_explains_is_said_there(below: Observation, url: str) -> None:
    found = said(Layer.HTTP, request(below.failure or "", url, port=below.port or 80), below, CONTROL)
    assert found == [(State.INSUFFICIENT, "http.lower_layer", "")]


@pytest.mark.parametrize(
    ("ours", "theirs", "first"),
    [
        (TIMEOUT, TIMEOUT, (State.DOWN, "http.down", "server.down")),
        ("dns_nxdomain_error", "dns_lookup_error", (State.DOWN, "http.down", "server.down")),
        ("connection_refused", "unknown_error", (State.DOWN, "http.down", "server.down")),
        ("connection_reset", TIMEOUT, (State.INSUFFICIENT, "http.no_control", "http.reset.host")),
        (TIMEOUT, None, (State.BLOCKED, "http.failure_control_ok", "http.timeout")),
    ],
)
def test_where_a_redirect_leads_may_be_down_for_the_helper_too(
    ours: str, theirs: str | None, first: Said
) -> None:
    led = request(ours, "http://there.example/", hostname="there.example", role="redirect")
    asked = observation(Layer.HTTP, url="http://x.com/", status_code=302, location="http://there.example/")
    helped = helper(Layer.HTTP, theirs, url="http://x.com/")
    assert said(Layer.HTTP, asked, led, helper(Layer.TCP, port=80), helped)[0] == first


def test_a_lower_layer_that_worked_once_explains_nothing() -> None:
    below = [observation(Layer.TCP, TIMEOUT, ip="1.2.3.4"), CONNECTED]
    assert said(Layer.HTTP, request(TIMEOUT), *below, CONTROL)[0][0] is State.BLOCKED


SLOW: dict[str, Any] = {"received": 160_000, "status_code": 200, "largest_gap": 0.4}


@each(
    ("url", "given", "first"),
    [
        ("http://x.com/", SLOW, (State.THROTTLED, "http.starved", "http.throttle.host")),
        (SECURE, SLOW, (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        (SECURE, {"status_code": 200}, (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        # The handshake shows a line of 300 kbit/s at least: half of it is no chance, more may be the line's.
        (SECURE, {"received": 187_500}, (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        (SECURE, {"received": 187_600}, (State.INSUFFICIENT, "http.starved_no_rate", "tls.throttle.sni")),
        # Neither does it flow as a slow line's data do where it stalls.
        (
            SECURE,
            {"received": 187_600, "largest_gap": 3.0},
            (State.THROTTLED, "http.starved", "tls.throttle.sni"),
        ),
        (SECURE, {"received": 1_249_000}, (State.INSUFFICIENT, "http.starved_no_rate", "tls.throttle.sni")),
        (SECURE, {"received": 1_250_000}, (State.INSUFFICIENT, "http.large", "")),
        (SECURE, {"received": 60_000}, (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        (SECURE, {"received": 4_380}, (State.BLOCKED, "http.failure_control_ok", "http.timeout")),
        (
            SECURE,
            {"received": 17_000, "largest_gap": 9.0},
            (State.THROTTLED, "http.frozen", "tls.freeze.sni"),
        ),
        (SECURE, {"received": 17_000}, (State.THROTTLED, "http.frozen", "tls.freeze.sni")),
        (
            SECURE,
            {"received": 17_000, "largest_gap": 0.5},
            (State.THROTTLED, "http.starved", "tls.throttle.sni"),
        ),
        # Two seconds of patience do not tell a flow that froze from one that stumbles.
        (
            SECURE,
            {"received": 17_000, "largest_gap": 1.6, "seconds": 2.0},
            (State.THROTTLED, "http.starved", "tls"),
        ),
        (
            SECURE,
            {"received": 17_000, "largest_gap": 1.5, "seconds": 2.0},
            (State.THROTTLED, "http.starved", "tls.throttle.sni"),
        ),
        (
            SECURE,
            {"received": 30_000, "largest_gap": 9.0},
            (State.THROTTLED, "http.starved", "tls.throttle.sni"),
        ),
    ],
)
def test_data_that_began_to_come_tells_throttling_from_blocking(
    url: str, given: dict[str, Any], first: Said
) -> None:
    assert said(Layer.HTTP, request(TIMEOUT, url, **given), SHAKEN, CONNECTED, CONTROL)[0] == first


@each(
    ("handshakes", "received", "rule"),
    [
        ([], 40_000, "http.starved"),  # 32 kbit/s: less than what any line is taken to give
        ([], 40_100, "http.starved_no_rate"),
        ([observation(Layer.TLS, seconds=0.5)], 40_100, "http.starved_no_rate"),  # 48 kbit/s in a handshake
        ([observation(Layer.TLS, seconds=0.5, received=6_000)], 60_000, "http.starved"),  # 96 kbit/s
        ([observation(Layer.TLS, seconds=0.5, received=6_000)], 60_100, "http.starved_no_rate"),
        ([observation(Layer.TLS, seconds=0.5), SHAKEN], 60_100, "http.starved"),  # the fastest counts
        ([observation(Layer.TLS, "eof_error", seconds=0.1)], 40_100, "http.starved_no_rate"),
    ],
)
def test_the_fastest_handshake_tells_what_the_line_gives(
    handshakes: list[Observation], received: int, rule: str
) -> None:
    page = request(TIMEOUT, status_code=200, received=received)
    found = verdicts(page, CONNECTED, *handshakes, CONTROL)
    (said_of_page,) = [v for v in found if v.layer is Layer.HTTP]
    assert (said_of_page.rule_id, said_of_page.symptom) == (rule, rule == "http.starved_no_rate")


def test_throttling_says_its_rate() -> None:
    starved = verdicts(request(TIMEOUT, SECURE, **SLOW), SHAKEN, CONTROL)[0]
    assert starved.kbps == pytest.approx(128.0)
    assert "160000 bytes in 10.0 s" in starved.why


def test_slow_data_on_a_bad_path_says_nothing_of_the_target() -> None:
    lossy = observation(Layer.TCP, seconds=3.1)
    found = said(Layer.HTTP, request(TIMEOUT, **SLOW), lossy, CONTROL)
    assert found == [(State.INSUFFICIENT, "http.starved_on_bad_path", "")]


def test_slow_data_without_control_is_a_symptom() -> None:
    found = verdicts(request(TIMEOUT, **SLOW), CONNECTED)
    symptom = next(v for v in found if v.layer is Layer.HTTP)
    assert (symptom.rule_id, symptom.symptom) == ("http.starved_no_control", True)


def test_a_messenger_that_fails_behind_its_connections_is_said_at_that_layer() -> None:
    steps = []
    for n in range(10):
        endpoint: dict[str, Any] = {"hostname": "", "ip": f"149.154.1.{n}", "port": 80}
        steps += [
            observation(Layer.TCP, **endpoint),
            request("connection_reset", "http://149.154.1.9/", **endpoint),
        ]
    found = verdicts(*steps, test_name="telegram")
    assert [(v.layer, v.state, v.mechanism, v.observations) for v in found] == [
        (Layer.HTTP, State.INSUFFICIENT, "http.reset.host", 10),
        (Layer.TCP, State.OK, "", 10),
    ]


def requests(failing: int, of: int) -> list[Observation]:
    return [
        observation(
            Layer.HTTP,
            TIMEOUT if n < failing else None,
            hostname="",
            ip=f"1.1.1.{n}",
            url=f"http://1.1.1.{n}/",
        )
        for n in range(of)
    ]


def test_few_failed_requests_of_a_messenger_are_ordinary() -> None:
    found = said(Layer.HTTP, *requests(2, 8), test_name="telegram")
    assert found == [(State.OK, "http.few_endpoints", ""), (State.OK, "http.answered", "")]


def test_a_few_requests_in_a_group_that_fails_at_another_layer_are_said_there() -> None:
    steps = requests(1, 1) + [observation(Layer.TCP, TIMEOUT, hostname="", ip=f"1.2.1.{n}") for n in range(3)]
    found = said(Layer.HTTP, *steps, test_name="telegram")
    assert found == [(State.INSUFFICIENT, "http.group_fails_elsewhere", "")]


def control_download(kbps: float, failure: str | None = None) -> Observation:
    """Five seconds of a file elsewhere, or at the same address under an innocuous name."""
    received = int(kbps * 625)
    return observation(
        Layer.TRANSFER, failure, target="y", hostname="y.com", role="control", received=received, seconds=5.0
    )


@pytest.mark.parametrize(
    ("downloads", "first"),
    [
        ([], (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        ([control_download(5_000.0)], (State.THROTTLED, "http.starved", "tls.throttle.sni")),
        ([control_download(150.0)], (State.INSUFFICIENT, "http.starved_like_control", "")),
        # One that ran out of time shows the line's rate as well.
        ([control_download(150.0, TIMEOUT)], (State.INSUFFICIENT, "http.starved_like_control", "")),
        # At the target's own address it may be slowed down with it.
        (
            [control_download(150.0, TIMEOUT), control_download(5_000.0)],
            (State.THROTTLED, "http.starved", "tls.throttle.sni"),
        ),
    ],
)
def test_a_starved_page_is_held_against_what_others_get_on_this_line(
    downloads: list[Observation], first: Said
) -> None:
    page = request(TIMEOUT, SECURE, status_code=200, received=35_000, seconds=2.0)
    assert said(Layer.HTTP, page, CONTROL, CONNECTED, SHAKEN, *downloads)[0] == first


def test_a_line_whose_handshakes_creep_is_not_shown_to_give_more() -> None:
    """Old probes count no bytes of what did not end: 3 kB in 0.75 s are 32 kbit/s."""
    begun = request(TIMEOUT, SECURE, status_code=200)
    for seconds, rule in ((0.74, "http.starved"), (0.76, "http.starved_no_rate")):
        shaken = observation(Layer.TLS, seconds=seconds)
        assert said(Layer.HTTP, begun, CONNECTED, shaken, CONTROL)[0][1] == rule
