"""From observations to the list of verdicts."""

from collections import Counter
from dataclasses import replace
from math import isnan

import pytest

from fanous.analysis.rules import RULES, RULES_BY_ID, RULES_VERSION, judge
from fanous.analysis.rules.verdicts import TABLES, WHOLE_RULES
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from fanous.refdata.fingerprints import fingerprints
from tests.analysis.rules.verdict_of import verdicts
from tests.builders import bundle, helper, observation
from tests.each import each


def test_an_id_is_used_once_and_begins_with_its_layer() -> None:
    assert [name for name, times in Counter(rule.id for rule in RULES).items() if times > 1] == []
    tables = [("measurement", WHOLE_RULES), *TABLES.items()]
    assert [r.id for at, rules in tables for r in rules if not r.id.startswith(f"{at}.")] == []


def test_every_rule_has_a_sentence_that_can_be_looked_up() -> None:
    assert [rule.id for rule in RULES if RULES_BY_ID[rule.id] is not rule or not rule.why.endswith(".")] == []
    assert RULES_VERSION


def test_blocked_and_throttled_always_say_how_and_only_insufficient_is_a_symptom() -> None:
    severe = (State.BLOCKED, State.THROTTLED, State.DOWN)
    assert [rule.id for rule in RULES if rule.state in severe and not rule.mechanism] == []
    assert [rule.id for rule in RULES if rule.symptom and rule.state is not State.INSUFFICIENT] == []


def test_every_layer_has_a_table() -> None:
    assert set(TABLES) == set(Layer)


@each("layer", list(Layer))
@each(
    "failure",
    [None, "", "generic_timeout_error", "connection_reset", "ssl_unknown_authority", "dns_nxdomain_error",
     "host_unreachable", "network_down", "unknown_failure: new", "http_unexpected_status_code"],
)  # fmt: skip
@each("control", ["helper", "failed helper", "no helper", "no control"])
def test_every_observation_finds_a_rule(layer: Layer, failure: str | None, control: str) -> None:
    seen = [observation(layer, failure, target=target, role="api") for target in ("x", "y")]
    seen += [helper(layer)] * (control == "helper") + [helper(layer, "eof_error")] * (
        control == "failed helper"
    )
    found = verdicts(*seen, control_failure="eof_error" if control == "no control" else None)
    assert {v.target for v in found} == {"x", "y"}


def test_the_most_severe_comes_first_then_the_lower_layer_then_the_target_itself() -> None:
    found = verdicts(
        observation(Layer.HTTP, hostname="y.com", url="https://y.com/", role="redirect"),
        observation(Layer.TCP),
        observation(Layer.TLS, "connection_reset"),
        observation(Layer.TCP, hostname="y.com", role="redirect"),
        helper(Layer.TLS),
    )
    assert [(v.state, v.layer, v.role) for v in found] == [
        (State.BLOCKED, Layer.TLS, "web"),
        (State.OK, Layer.TCP, "web"),
        (State.OK, Layer.TCP, "redirect"),
        (State.OK, Layer.HTTP, "redirect"),
    ]


def test_observations_with_one_conclusion_are_one_verdict() -> None:
    resets = [observation(Layer.TLS, "connection_reset", ip=f"1.1.1.{n}") for n in range(3)]
    (verdict,) = verdicts(*resets, helper(Layer.HTTP))
    assert verdict.observations == 3
    assert "x.com at 1.1.1.0:443: connection_reset" in verdict.why


def test_two_targets_are_two_verdicts() -> None:
    two = [observation(Layer.TCP, target=target) for target in ("x", "y")]
    assert {v.target for v in verdicts(*two)} == {"x", "y"}


@pytest.mark.parametrize(("control", "controlled"), [([helper(Layer.TCP)], True), ([], False)])
def test_a_verdict_knows_whether_it_has_a_normal_control(control: list[object], controlled: bool) -> None:
    seen = [observation(Layer.TCP), *(c for c in control if isinstance(c, type(helper())))]
    assert verdicts(*seen)[0].controlled is controlled


@pytest.mark.parametrize(
    ("layer", "failure", "rule"),
    [
        (Layer.DNS, "dns_servfail_error", "dns.resolver_trouble"),
        (Layer.TLS, "ssl_failed_handshake", "tls.unclear_failure"),
    ],
)
def test_a_symptom_has_no_control_even_where_the_helper_got_through(
    layer: Layer, failure: str, rule: str
) -> None:
    first = verdicts(observation(layer, failure), helper(layer), helper(Layer.HTTP))[0]
    assert (first.rule_id, first.symptom, first.controlled) == (rule, True, False)


def test_only_data_that_came_have_a_rate() -> None:
    assert [v.kbps for v in verdicts(observation(Layer.TRANSFER, kbps=900.0))] == [900.0]
    assert all(isnan(v.kbps) for v in verdicts(observation(Layer.TLS), observation(Layer.DNS)))


def test_a_slow_handshake_has_no_rate() -> None:
    control = observation(Layer.TLS, hostname="y.com", ip="1.2.3.4", seconds=0.1)
    (slow,) = [
        v
        for v in verdicts(observation(Layer.TLS, seconds=3.2, received=4_000), control)
        if v.rule_id == "tls.slow_handshake"
    ]
    assert isnan(slow.kbps)


def test_a_download_tells_the_rate_of_a_starved_page_better_than_the_page() -> None:
    page = observation(
        Layer.HTTP,
        "generic_timeout_error",
        url="https://x.com/",
        status_code=200,
        received=50_000,
        seconds=2.0,
    )
    control = observation(Layer.TRANSFER, target="y", hostname="y.com", kbps=5_000.0, role="control")
    beside = (observation(Layer.TRANSFER, kbps=140.0), control, helper(Layer.TRANSFER, kbps=9_000.0))
    outside = (observation(Layer.TLS, seconds=0.05), helper(Layer.HTTP), helper(Layer.TLS))
    download = replace(control, received=3_000_000, seconds=4.8)
    alone = {v.rule_id: v.kbps for v in verdicts(page, download, *outside)}
    both = {v.rule_id: v.kbps for v in verdicts(page, download, *beside, *outside)}
    assert alone["http.starved"] == 200.0
    assert isnan(both["http.starved"])
    assert both["transfer.slow"] == 140.0


def test_lookups_are_judged_first_wherever_they_stand() -> None:
    forged = observation(Layer.DNS, answers=("10.0.0.1",), answer_asns=(0,))
    cut = observation(Layer.TCP, "generic_timeout_error", ip="10.0.0.1")
    control = helper(Layer.DNS)
    assert repr(verdicts(cut, forged, control)) == repr(verdicts(forged, cut, control))


def test_judging_twice_gives_the_same() -> None:
    one = bundle(observation(Layer.TLS, "connection_reset"), helper(Layer.TLS))
    assert repr(judge(one, fingerprints())) == repr(judge(one, fingerprints()))


def test_nothing_observed_gives_no_verdict() -> None:
    assert verdicts() == ()
    assert verdicts(helper(Layer.TCP)) == ()


NOTICE = observation(
    Layer.HTTP,
    url="http://x.com/",
    port=80,
    body="<title>Surf Safely!</title> This website is not accessible in Pakistan",
)
VENDORS = observation(
    Layer.HTTP, url="http://x.com/", port=80, status_code=302, location="http://1.1.1.1:8080/webadmin/deny/"
)


@pytest.mark.parametrize(
    ("country", "seen", "controlled"),
    [
        ("IR", observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,)), True),
        ("DE", observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,)), False),
        ("TR", observation(Layer.DNS, answers=("195.175.254.2",), answer_asns=(9121,)), True),
        ("PK", NOTICE, True),
        ("PK", VENDORS, False),  # a school's or a company's filter shows it as well
    ],
)
def test_the_countrys_own_notice_is_itself_a_control(
    country: str, seen: Observation, controlled: bool
) -> None:
    first = verdicts(seen, country=country, test_name="web_connectivity")[0]
    assert first.state is State.BLOCKED
    assert first.controlled is controlled
