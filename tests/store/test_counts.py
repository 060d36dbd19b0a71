"""What the engine counts by outcome is what the votes of each measurement say."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fanous.model.coverage import Outcomes
from fanous.model.measurement import Layer
from fanous.model.verdict import State
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.store.votes import CountScope
from tests.builders import verdict
from tests.counted import counted
from tests.store.cases import NOON, judged, random_batch

DAY = 86_400.0
PAKISTAN = CountScope(NOON - DAY, NOON + DAY, ("PK",))


LAYERED = [
    judged("a", verdict(State.BLOCKED, Layer.DNS), verdict(State.OK, Layer.TLS), country="TR"),
    judged("b", verdict(State.THROTTLED, Layer.TRANSFER), verdict(State.OK, Layer.DNS), country="TR"),
    judged("c", verdict(State.DOWN, Layer.TLS), country="TR"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("counts") / "store") as store:
        store.append([*random_batch(7, 500), *LAYERED], rules_version="1")
        yield store


@pytest.mark.parametrize(
    "axes", [("network",), ("target",), ("mechanism",), ("source",), ("time", "network"), ("target", "time")]
)
@pytest.mark.parametrize(
    "scope",
    [
        PAKISTAN,
        replace(PAKISTAN, targets=("x",)),
        replace(PAKISTAN, networks=(17557,), but=("youtube",)),
        replace(PAKISTAN, since=NOON + 1800, until=NOON + 3600),
    ],
)
def test_it_counts_as_the_votes_do(store: Store, axes: tuple[str, ...], scope: CountScope) -> None:
    edges = [NOON + n * 1800 for n in range(4)]
    votes = store.facts.votes("PK", NOON - DAY, NOON + DAY)
    expected = counted(votes, scope, axes, edges, "PK")
    assert expected
    found = store.facts.tally(scope, axes, edges, 1000)
    assert [
        (place, replace(one, unclear=0, measurements=one.decided)) for place, one in found if one.decided
    ] == expected
    assert all(one.measurements == one.decided + one.unclear for _, one in found)


def test_countries_are_counted_side_by_side(store: Store) -> None:
    both = store.facts.tally(replace(PAKISTAN, countries=()), ("country",), [NOON], 10)
    assert [place for place, _ in both] == [("IR",), ("PK",), ("TR",)]
    (alone,) = store.facts.tally(PAKISTAN, ("country",), [NOON], 10)
    assert alone == both[1]


def test_the_size_of_a_question_is_known_before_it_is_asked(store: Store) -> None:
    assert store.facts.verdicts_within(PAKISTAN) > store.facts.verdicts_within(
        replace(PAKISTAN, targets=("x",))
    )
    assert store.facts.verdicts_within(replace(PAKISTAN, countries=("FR",))) == 0


def test_no_more_rows_come_than_were_asked_for(store: Store) -> None:
    assert len(store.facts.tally(PAKISTAN, ("time", "network"), [NOON, NOON + 1800], 3)) == 3


def test_a_layer_speaks_for_itself_alone(store: Store) -> None:
    scope = replace(PAKISTAN, countries=("TR",))
    by_layer = {
        layer: store.facts.tally(replace(scope, layers=layer), ("target",), [NOON], 9)[0][1]
        for layer in ((), ("dns",), ("tls",), ("transfer",))
    }
    assert by_layer == {
        (): Outcomes(3, ok=0, blocked=1, throttled=1, unclear=1),
        ("dns",): Outcomes(2, ok=1, blocked=1),
        ("tls",): Outcomes(2, ok=1, unclear=1),
        ("transfer",): Outcomes(1, throttled=1),
    }


def test_what_was_ever_measured_is_known_by_name(store: Store) -> None:
    networks = store.facts.known_networks()
    assert {(one.country, one.asn) for one in networks} == {
        *((country, asn) for country in ("IR", "PK") for asn in (17557, 45669)),
        ("TR", LAYERED[0].parsed.measurement.asn),
    }
    first, last = store.facts.measured("PK") or (0, 0)
    assert NOON <= first < max(one.last for one in networks if one.country == "PK") <= last <= NOON + 7200
    assert store.facts.measured("FR") is None
    assert set(store.facts.known_targets()) >= {"x"}
