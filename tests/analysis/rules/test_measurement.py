"""Measurements from which nothing may be concluded."""

import pytest

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import verdicts
from tests.builders import helper, observation
from tests.each import each

TIMEOUT, UNREACHABLE = "generic_timeout_error", "network_unreachable"


def lookup(failure: str | None) -> Observation:
    return observation(Layer.DNS, failure)


def connection(failure: str | None) -> Observation:
    return observation(Layer.TCP, failure)


@each(
    ("observations", "control_failure", "no_network"),
    [
        ([lookup(TIMEOUT)], TIMEOUT, True),
        ([lookup("android_dns_cache_no_data")], "android_dns_cache_no_data", True),
        ([lookup(TIMEOUT), connection(TIMEOUT)], "connection_reset", False),  # someone sent the reset
        ([lookup(None), connection(TIMEOUT)], TIMEOUT, False),
        ([lookup("dns_nxdomain_error")], TIMEOUT, False),  # someone said so
        ([lookup(TIMEOUT), connection(TIMEOUT)], None, True),  # a messenger without any lookup
        ([lookup("dns_nxdomain_error"), connection(TIMEOUT)], None, False),
        ([connection(TIMEOUT)], None, False),  # a list of addresses, cut off by silence
        ([connection(UNREACHABLE)], None, True),
        # Android's empty cache; and a resolver that denies the names of addresses that are cut off.
        ([lookup("android_dns_cache_no_data"), connection(UNREACHABLE)], None, True),
        ([lookup("android_dns_cache_no_data"), connection(TIMEOUT)], None, False),
        ([lookup("android_dns_cache_no_data")], None, False),
        ([lookup(TIMEOUT), helper(Layer.DNS)], None, False),  # the helper was reached over this network
    ],
)
def test_a_probe_without_network_finds_nothing(
    observations: list[Observation], control_failure: str | None, no_network: bool
) -> None:
    found = verdicts(*observations, control_failure=control_failure)
    assert ({v.rule_id for v in found} == {"measurement.no_network"}) is no_network
    if no_network:
        assert {(v.state, v.symptom, v.mechanism) for v in found} == {(State.INSUFFICIENT, False, "")}


@pytest.mark.parametrize(
    ("target", "hostname"),
    [("localhost", "localhost"), ("nas.lan", "nas.lan"), ("wiki.corp", "www.wiki.corp")],
)
def test_a_home_or_company_network_s_own_name_is_never_forged(target: str, hostname: str) -> None:
    given = {"target": target, "hostname": hostname}
    seen = [observation(Layer.DNS, answers=("192.168.1.7",), **given)]
    seen += [observation(Layer.TLS, "ssl_unknown_authority", ip="192.168.1.7", **given)]
    found = verdicts(*seen, helper(Layer.DNS, "dns_nxdomain_error", **given), target=target)
    said = {(v.state, v.rule_id, v.mechanism, v.symptom) for v in found}
    assert said == {(State.INSUFFICIENT, "measurement.private_name", "", False)}


def test_a_private_name_that_leads_to_a_public_site_is_still_no_name_of_a_site() -> None:
    own = observation(Layer.TLS, "connection_reset", target="nas.lan", hostname="nas.lan")
    on = observation(Layer.TLS, target="nas.lan", hostname="x.com", role="redirect")
    assert {v.rule_id for v in verdicts(own, on, target="nas.lan")} == {"measurement.private_name"}


def test_a_public_site_that_leads_to_a_private_name_is_judged() -> None:
    forged = observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,))
    on = observation(Layer.DNS, "dns_nxdomain_error", hostname="login.lan", role="redirect")
    found = verdicts(forged, on, helper(Layer.DNS))
    assert found[0].rule_id == "dns.bogon"


def test_an_address_of_one_s_own_network_is_judged_like_any_other() -> None:
    given = {"target": "10.0.0.1", "hostname": "", "ip": "10.0.0.1"}
    for failure in (None, "connection_reset"):
        found = verdicts(observation(Layer.TCP, failure, **given), target="10.0.0.1")
        assert "measurement.private_name" not in {v.rule_id for v in found}


def test_a_messenger_without_names_is_no_private_name() -> None:
    found = verdicts(observation(Layer.TCP, target="telegram", hostname=""), target="telegram")
    assert "measurement.private_name" not in {v.rule_id for v in found}


def test_a_defect_of_the_measurement_forbids_any_conclusion() -> None:
    found = verdicts(observation(Layer.TLS, "connection_reset"), helper(Layer.TLS), defect="vpn")
    assert [(v.state, v.rule_id) for v in found] == [(State.INSUFFICIENT, "measurement.defect")]
    assert found[0].why.endswith("(vpn)")
