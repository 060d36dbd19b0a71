"""Generated records of web_connectivity: raw facts in OONI's shape, and no opinion."""

import json
from random import Random
from typing import Any

import pytest

from fanous_lab.evaluation.simulate.nettests import BOGON, Fate, SimulatedVisit, web_measurement
from fanous_lab.evaluation.simulate.records import (
    CHOOSY,
    DOMESTIC,
    FACEBOOK,
    PAKISTAN,
    PLATFORMS,
    SICK,
    WIKIPEDIA,
    Flaw,
    Keeper,
    SimulatedPage,
    SimulatedProbe,
    X,
    new_round,
)
from tests.builders import DAY
from tests.each import each

ROW_KEYS = {"t0", "t", "transaction_id"}


def record(
    fate: Fate = Fate.FINE, page: SimulatedPage = X, *, ipv6: bool = True, **given: Any
) -> dict[str, Any]:
    chance = Random(1)
    probe = SimulatedProbe(1, PAKISTAN[0], Keeper.VOLUNTEER, ipv6, given.pop("flaw", Flaw.NONE))
    return web_measurement(SimulatedVisit(page, new_round(probe, DAY, chance), DAY, fate, **given), chance)


def failures(made: dict[str, Any], key: str) -> list[str | None]:
    rows = made["test_keys"][key]
    return [row["status"]["failure"] if key == "tcp_connect" else row["failure"] for row in rows]


@each("fate", list(Fate))
def test_a_record_is_whole_and_marked_and_has_no_opinion(fate: Fate) -> None:
    made = record(fate)
    assert made["annotations"]["synthetic"] == "fanous"
    assert made["software_name"] == "fanous-generator"
    assert made["probe_ip"] == "127.0.0.1"
    keys = made["test_keys"]
    for opinion in ("blocking", "accessible", "dns_consistency", "http_experiment_failure"):
        assert keys[opinion] is None
    for rows in ("queries", "tcp_connect", "tls_handshakes", "requests", "network_events"):
        assert all(row.keys() >= ROW_KEYS and row["t"] >= row["t0"] for row in keys[rows])
    assert fate is Fate.FINE or str(fate) not in json.dumps(made)


@each(
    ("fate", "tcp", "tls", "http"),
    [
        (Fate.FINE, None, None, [None]),
        (Fate.TCP_TIMEOUT, "generic_timeout_error", "-", []),
        (Fate.TLS_RESET, None, "connection_reset", []),
        (Fate.TLS_TIMEOUT, None, "generic_timeout_error", []),
        (Fate.HTTP_TIMEOUT, None, None, ["generic_timeout_error"]),
        (Fate.THROTTLED, None, None, ["generic_timeout_error"]),
        (Fate.DOWN, "connection_refused", "-", []),
    ],
)
def test_a_fate_shows_at_its_own_step(
    fate: Fate, tcp: str | None, tls: str | None, http: list[str | None]
) -> None:
    made = record(fate)
    assert set(failures(made, "tcp_connect")) == {tcp}
    assert set(failures(made, "tls_handshakes")) == (set() if tls == "-" else {tls})
    assert failures(made, "requests") == http


def test_a_throttled_page_trickles_in_at_the_policers_rate() -> None:
    made = record(Fate.THROTTLED, kbps=130.0)
    reads = [e for e in made["test_keys"]["network_events"] if e["operation"] == "read" and e["t"] > 1.5]
    received = sum(event["num_bytes"] for event in reads)
    seconds = reads[-1]["t"] - reads[0]["t0"]
    assert received * 8 / seconds / 1000 == pytest.approx(130, rel=0.05)
    assert received < X.size
    (request,) = made["test_keys"]["requests"]
    assert request["response"]["code"] == 200


@each("page", [*PLATFORMS.values(), WIKIPEDIA, DOMESTIC, SICK], ids=lambda page: page.host)
def test_an_ordinary_page_comes_whole(page: SimulatedPage) -> None:
    made = record(page=page)
    reads = [event for event in made["test_keys"]["network_events"] if event["operation"] == "read"]
    assert sum(event.get("num_bytes", 0) for event in reads) >= page.size
    assert failures(made, "requests") == [None]
    assert made["test_runtime"] < 10


def test_a_lying_resolver_lies_alone() -> None:
    made = record(Fate.DNS_BOGON)
    answered = {
        query["engine"]: [row["ipv4"] for row in query["answers"]]
        for query in made["test_keys"]["queries"]
        if query["answers"] and query["query_type"] != "AAAA"
    }
    assert answered["getaddrinfo"] == [BOGON]
    assert answered["udp"] == answered["doh"] == list(X.v4)
    assert failures(made, "tcp_connect") == ["generic_timeout_error", None, None]
    assert failures(made, "requests") == [None]


def test_a_probe_without_ipv6_fails_there_and_nowhere_else() -> None:
    made = record(page=FACEBOOK, ipv6=False)
    assert failures(made, "tcp_connect") == [None, "network_unreachable"]
    assert failures(made, "requests") == [None]


def test_a_site_that_is_down_is_down_for_the_helper_too() -> None:
    control = record(Fate.DOWN)["test_keys"]["control"]
    assert {row["failure"] for row in control["tcp_connect"].values()} == {"connection_refused_error"}
    assert control["http_request"]["failure"] == "connection_refused_error"


def test_the_helper_sees_the_whole_page_while_the_probe_is_cut() -> None:
    control = record(Fate.TLS_RESET)["test_keys"]["control"]
    assert control["http_request"]["status_code"] == 200
    assert all(row["status"] for row in control["tls_handshake"].values())


def test_a_site_that_chooses_its_visitors_does_so_over_valid_tls() -> None:
    made = record(page=CHOOSY)
    assert made["test_keys"]["requests"][0]["response"]["code"] == 451
    assert made["test_keys"]["control"]["http_request"]["status_code"] == 200


@pytest.mark.parametrize("given", [{"control": False}, {"fate": Fate.PORTAL}])
def test_a_helper_that_cannot_be_asked_leaves_no_control(given: dict[str, Any]) -> None:
    keys = record(**given)["test_keys"]
    assert keys["control"] == {}
    assert keys["control_failure"] == "generic_timeout_error"


def test_a_tunnel_is_named_by_the_network_type() -> None:
    assert record(flaw=Flaw.VPN)["annotations"]["network_type"] == "vpn"
    assert record()["annotations"]["network_type"] == "mobile"
