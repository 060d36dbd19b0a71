"""Addresses at which connections fail."""

from dataclasses import replace

from fanous.model.incident import Interval, Kind, Part
from fanous.model.measurement import Layer, Observation, Observer
from fanous.questions.claims import what_else
from fanous.store.protocol import Store
from tests.builders import observation
from tests.store.cases import NOON, incident, judged

HOUR = 3600.0


def connection(target: str, ip: str, failure: str | None, vantage: Observer = Observer.PROBE) -> Observation:
    made = observation(Layer.TCP, failure=failure)
    return replace(made, target=target, ip=ip, vantage=vantage)


def test_targets_are_told_with_the_addresses_to_which_most_connections_fail(store: Store) -> None:
    timeout = "generic_timeout_error"
    own = (
        connection("x", "192.0.2.1", timeout),
        connection("x", "192.0.2.2", None),
        connection("shop.example", "192.0.2.1", timeout),
        connection("news.example", "192.0.2.1", timeout),
        connection("news.example", "192.0.2.1", None),
        connection("news.example", "192.0.2.1", None),
        connection("helped.example", "192.0.2.1", timeout, Observer.HELPER),
    )
    late = (connection("late.example", "192.0.2.1", timeout),)
    store.append([judged("m1", observations=own, asn=17557)], rules_version="1")
    store.append([judged("m2", observations=late, asn=17557, started_at=NOON + 9 * HOUR)], rules_version="1")
    store.append([judged("m3", observations=late, asn=45669)], rules_version="1")
    found = store.facts.failing_addresses("PK", [17557], [Interval(NOON - HOUR, NOON + HOUR)])
    assert found == {"x": frozenset({"192.0.2.1"}), "shop.example": frozenset({"192.0.2.1"})}
    assert store.facts.failing_addresses("PK", [], [Interval(NOON - HOUR, None)]) == {}


def test_a_site_behind_an_address_that_was_cut_is_named_next_to_the_incident(store: Store) -> None:
    timeout = "generic_timeout_error"
    both = (connection("telegram", "192.0.2.1", timeout), connection("shop.example", "192.0.2.1", timeout))
    store.append([judged("m1", observations=both, asn=17557)], rules_version="1")
    cut = Part("telegram", Kind.BLOCKING, ("tcp.timeout",), ("AS17557",))
    (hint,) = what_else(store, incident(parts=(cut,)))
    assert (hint.code, hint.params["neighbours"]) == ("hint.shared_address", ("shop.example",))


def test_the_season_of_examinations_is_remarked_on_once(store: Store) -> None:
    """Kenya, 8 November 2024, 8:00 in Nairobi; Telegram was restricted there a year before."""
    block = incident(country="KE", onset=1_731_042_000.0)
    (hint,) = what_else(store, block)
    assert "KCSE" in str(hint.params["exam"])
    assert what_else(store, replace(block, hints=(hint,))) == []
    assert what_else(store, replace(block, country="PK")) == []
