"""Nouns with defaults."""

import pytest

from fanous.model.measurement import Layer, Observer
from fanous.model.verdict import State
from tests.builders import FakeClock, bundle, helper, measurement, observation, verdict
from tests.each import each


@each("layer", list(Layer))
def test_by_default_everything_works(layer: Layer) -> None:
    seen = observation(layer)
    assert seen.layer is layer
    assert seen.failure is None
    assert seen.target == measurement().target == verdict().target


def test_a_failed_step_carries_nothing_of_a_success() -> None:
    assert observation(Layer.DNS, "dns_nxdomain_error").answers == ()
    assert observation(Layer.TLS, "connection_reset").cert_valid is None
    assert observation(Layer.HTTP, "generic_timeout_error").status_code == 0


def test_what_a_test_says_is_kept() -> None:
    assert measurement(asn=45669, country="KE").asn == 45669
    assert observation(Layer.TLS, ip="192.0.2.1").ip == "192.0.2.1"
    assert verdict(State.BLOCKED).mechanism == "tls.reset.sni"
    assert verdict(State.BLOCKED, mechanism="").mechanism == ""


def test_a_helper_observes_from_outside() -> None:
    assert helper(Layer.DNS).vantage is Observer.HELPER
    assert helper(Layer.DNS).resolver == "helper"
    assert helper().ip == observation().ip


def test_a_bundle_holds_its_observations_in_order() -> None:
    made = bundle(observation(Layer.DNS), observation(Layer.TCP), asn=1)
    assert [each.layer for each in made.observations] == [Layer.DNS, Layer.TCP]
    assert made.measurement.asn == 1


def test_time_moves_only_when_told_and_never_back() -> None:
    clock = FakeClock(100.0)
    assert clock() == clock() == 100.0
    assert clock.advance(5) == clock() == 105.0
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
