"""Measurements of which nothing may be concluded."""

import pytest

from fanous.model.observation import Layer, Observation
from fanous.model.verdict import State
from fanous.testing.builders import helper, observation
from tests.rules.verdict_of import verdicts

TIMEOUT, UNREACHABLE = "generic_timeout_error", "network_unreachable"


def lookup(failure: str | None) -> Observation:
    return observation(Layer.DNS, failure)


def connection(failure: str | None) -> Observation:
    return observation(Layer.TCP, failure)


@pytest.mark.parametrize(
    ("observations", "control_failure", "no_network"),
    [
        ([lookup(TIMEOUT)], TIMEOUT, True),
        ([lookup("android_dns_cache_no_data")], "android_dns_cache_no_data", True),
        ([lookup(TIMEOUT), connection(TIMEOUT)], "connection_reset", False),  # somebody sent the reset
        ([lookup(None), connection(TIMEOUT)], TIMEOUT, False),
        ([lookup("dns_nxdomain_error")], TIMEOUT, False),  # somebody said so
        ([lookup(TIMEOUT), connection(TIMEOUT)], None, True),  # a messenger without any lookup
        ([lookup("dns_nxdomain_error"), connection(TIMEOUT)], None, False),
        ([connection(TIMEOUT)], None, False),  # a list of addresses, cut off by silence
        ([connection(UNREACHABLE)], None, True),
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


def test_a_defect_of_the_measurement_forbids_any_conclusion() -> None:
    found = verdicts(observation(Layer.TLS, "connection_reset"), helper(Layer.TLS), defect="vpn")
    assert [(v.state, v.rule_id) for v in found] == [(State.INSUFFICIENT, "measurement.defect")]
    assert found[0].why.endswith("(vpn)")
