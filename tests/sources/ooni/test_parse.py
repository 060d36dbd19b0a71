"""One record in, a measurement with observations out, for any record."""

import math

import pytest

from fanous.sources.ooni.content import canonical_hash
from tests.sources.records import document, encoded, parsed, web_keys


@pytest.mark.parametrize("name", ["psiphon", "http_requests", "dns_consistency", "a_test_of_tomorrow"])
def test_any_other_nettest_is_taken_without_observations(name: str) -> None:
    bundle = parsed(document({"whatever": [1, {}]}, test_name=name))
    assert bundle.measurement.test_name == name
    assert (bundle.observations, bundle.control_failure, bundle.bogus) == ((), None, ())


def test_the_name_of_another_nettest_in_a_value_makes_no_web_measurement() -> None:
    bundle = parsed(document({"note": "web_connectivity"}, test_name="psiphon"))
    assert (bundle.measurement.target, bundle.observations, bundle.control_failure) == ("", (), None)


def test_numbers_that_json_does_not_have_are_read_as_null() -> None:
    bundle = parsed(encoded(document(web_keys(body_proportion=math.nan), test_runtime=math.inf)))
    assert bundle.observations
    assert "NaN" in bundle.bogus[0]


def test_half_a_surrogate_pair_does_not_lose_the_record() -> None:
    data = encoded(document(probe_network_name="MARK")).replace(b"MARK", b"net \\ud800 work")
    assert parsed(data).measurement.network_name == "net \ufffd work"


def test_a_field_that_cannot_be_read_is_noted_and_the_rest_is_used() -> None:
    whole = parsed(document())
    damaged = parsed(document(web_keys(queries=7)))
    assert damaged.bogus == ("test_keys.queries: Expected `array | null`, got `int`",)
    assert len(damaged.observations) == len(whole.observations) - 1


@pytest.mark.parametrize("keys", [[], "text", 7, True])
def test_keys_of_another_type_are_noted(keys: object) -> None:
    bundle = parsed(document() | {"test_keys": keys})
    assert bundle.observations == ()
    assert bundle.bogus[0].startswith("test_keys: Expected `object`")


def test_spacing_and_order_do_not_make_another_identity() -> None:
    assert canonical_hash(b'{"a":1,"b":{"c":2,"d":3}}') == canonical_hash(b'{ "b": {"d":3, "c":2},\t"a":1 }')
    assert canonical_hash(b'{"a":1}') != canonical_hash(b'{"a":2}')
    assert canonical_hash(b'{"a":NaN}') != canonical_hash(b'{"a":NaN }')  # not legal: as it is


def test_the_same_record_gives_the_same_bundle() -> None:
    assert repr(parsed(document())) == repr(parsed(document()))
