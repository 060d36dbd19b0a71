"""Requests that failed: cut, starved, sent in circles by the site, or dead everywhere?"""

from dataclasses import replace
from math import nan
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
            (State.BLOCKED, "http.failure_control_ok", "tls.reset"),
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
        # Helpers have no name for a page that failed for its certificate; their handshakes say it.
        (
            [
                request("connection_reset", SECURE),
                helper(Layer.HTTP, "unknown_error", url=SECURE),
                helper(Layer.TLS, "ssl_unknown_authority"),
            ],
            (State.BLOCKED, "http.failure_control_ok", "tls.reset"),
        ),
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
        (SECURE, SLOW, (State.THROTTLED, "http.starved", "tls.throttle")),
        # A fifth of what the line gives to others is the least.
        (SECURE, {"received": 1_249_000}, (State.THROTTLED, "http.starved", "tls.throttle")),
        (SECURE, {"received": 1_250_000}, (State.INSUFFICIENT, "http.starved_like_control", "line")),
        (SECURE, {"received": 60_000}, (State.THROTTLED, "http.starved", "tls.throttle")),
        (SECURE, {"received": 4_380}, (State.BLOCKED, "http.failure_control_ok", "http.timeout")),
        (SECURE, {"received": 17_000, "largest_gap": 9.0}, (State.THROTTLED, "http.frozen", "tls.freeze")),
        (SECURE, {"received": 17_000}, (State.THROTTLED, "http.frozen", "tls.freeze")),
        (SECURE, {"received": 17_000, "largest_gap": 0.5}, (State.THROTTLED, "http.starved", "tls.throttle")),
        # Two seconds of patience do not tell a flow that froze from one that stumbles.
        (
            SECURE,
            {"received": 17_000, "largest_gap": 1.6, "seconds": 2.0},
            (State.THROTTLED, "http.starved", "tls"),
        ),
        (
            SECURE,
            {"received": 17_000, "largest_gap": 1.5, "seconds": 2.0},
            (State.THROTTLED, "http.starved", "tls.throttle"),
        ),
        (SECURE, {"received": 30_000, "largest_gap": 9.0}, (State.THROTTLED, "http.starved", "tls.throttle")),
    ],
)
def test_data_that_began_to_come_tells_throttling_from_blocking(
    url: str, given: dict[str, Any], first: Said
) -> None:
    steps = [request(TIMEOUT, url, **given), SHAKEN, CONNECTED, CONTROL]
    assert said(Layer.HTTP, *steps, control_download(5_000.0))[0] == first
    # Without another download on this line, the control elsewhere does not tell the site from the line.
    if first[0] is State.THROTTLED and first[1] != "http.failure_control_ok":
        assert said(Layer.HTTP, *steps)[0] == (State.INSUFFICIENT, "http.starved_no_rate", first[2])


def test_a_page_that_flows_is_only_large() -> None:
    steps = [request(TIMEOUT, SECURE, received=1_250_000), SHAKEN, CONNECTED, CONTROL]
    assert said(Layer.HTTP, *steps)[0] == (State.INSUFFICIENT, "http.large", "")


@each(
    ("old", "kbps"),
    [
        # Probes before 0.5 say neither when a request began nor what came: less than the page, in all this time.
        ({"at": 60.0, "seconds": nan}, 56.0),
        ({"at": 60.0, "seconds": nan, "received": 75_000}, 10.0),
        ({"at": nan, "seconds": nan}, nan),
    ],
)
def test_a_starved_page_of_an_old_probe_has_a_rate_that_it_did_not_exceed(
    old: dict[str, Any], kbps: float
) -> None:
    control = helper(Layer.HTTP, url=SECURE, body_length=420_000)
    page = request(TIMEOUT, SECURE, status_code=200, **old)
    (starved,) = [
        v for v in verdicts(page, SHAKEN, CONNECTED, control) if v.rule_id == "http.starved_no_rate"
    ]
    assert starved.symptom and starved.controlled
    assert starved.kbps == pytest.approx(kbps, nan_ok=True)


@each(
    ("page", "kbps"),
    [
        ({"received": 420_000, "seconds": 0.3}, 11_200.0),
        ({"received": 20_000, "seconds": 0.3}, nan),  # the time is that of round trips
        ({"body_length": 131_072, "at": 0.5, "seconds": nan}, 2_097.152),
    ],
)
def test_a_page_that_came_shows_what_the_line_gives_at_least(page: dict[str, Any], kbps: float) -> None:
    came = observation(Layer.HTTP, url=SECURE, **page)
    (ok,) = [v for v in verdicts(came, SHAKEN, CONNECTED) if v.layer is Layer.HTTP]
    assert ok.kbps == pytest.approx(kbps, nan_ok=True)


def test_a_timeout_on_a_line_that_loses_packets_is_a_symptom() -> None:
    """A connection that took a second, where others took a twentieth, was made by a packet sent again."""
    late = observation(Layer.TCP, seconds=1.05, ip="1.2.3.4")
    timed_out = request(TIMEOUT)
    assert said(Layer.HTTP, timed_out, CONNECTED, CONTROL)[0][0] is State.BLOCKED
    lost = (State.INSUFFICIENT, "http.timeout_on_lossy_line", "http.timeout")
    assert said(Layer.HTTP, timed_out, late, CONNECTED, CONTROL) == [lost]
    # A line on which everything takes a second is slow, and loses nothing.
    slow = [replace(CONNECTED, seconds=1.1), replace(late, seconds=1.2)]
    assert said(Layer.HTTP, timed_out, *slow, CONTROL)[0][0] is State.BLOCKED
    assert said(Layer.TCP, late, CONNECTED)[0] == (State.OK, "tcp.ok_after_loss", "line")


def test_throttling_says_its_rate() -> None:
    steps = [request(TIMEOUT, SECURE, **SLOW), SHAKEN, CONTROL, control_download(5_000.0)]
    (starved,) = [v for v in verdicts(*steps) if v.rule_id == "http.starved"]
    assert starved.kbps == pytest.approx(128.0)
    assert "160000 bytes in 10.0 s" in starved.why


def test_slow_data_on_a_bad_path_says_nothing_of_the_target() -> None:
    lossy = observation(Layer.TCP, seconds=3.1)
    found = said(Layer.HTTP, request(TIMEOUT, **SLOW), lossy, CONTROL)
    assert found == [(State.INSUFFICIENT, "http.starved_on_bad_path", "line")]


def test_slow_data_without_control_is_a_symptom() -> None:
    found = verdicts(request(TIMEOUT, **SLOW), CONNECTED)
    symptom = next(v for v in found if v.layer is Layer.HTTP)
    assert (symptom.rule_id, symptom.symptom, symptom.controlled) == ("http.starved_no_rate", True, False)


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
        ([], (State.INSUFFICIENT, "http.starved_no_rate", "tls.throttle")),
        ([control_download(5_000.0)], (State.THROTTLED, "http.starved", "tls.throttle")),
        ([control_download(150.0)], (State.INSUFFICIENT, "http.starved_like_control", "line")),
        # One that ran out of time shows the line's rate as well.
        ([control_download(150.0, TIMEOUT)], (State.INSUFFICIENT, "http.starved_like_control", "line")),
        # At the target's own address it may be slowed down with it.
        (
            [control_download(150.0, TIMEOUT), control_download(5_000.0)],
            (State.THROTTLED, "http.starved", "tls.throttle"),
        ),
    ],
)
def test_a_starved_page_is_held_against_what_others_get_on_this_line(
    downloads: list[Observation], first: Said
) -> None:
    page = request(TIMEOUT, SECURE, status_code=200, received=35_000, seconds=2.0)
    assert said(Layer.HTTP, page, CONTROL, CONNECTED, SHAKEN, *downloads)[0] == first
