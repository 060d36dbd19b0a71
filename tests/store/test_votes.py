import math

import numpy as np
import pytest

from fanous.analysis.series import aggregate
from fanous.analysis.series.aggregate import BLOCKED_DNS, BLOCKED_PATH, THROTTLED, VerdictRow
from fanous.model.measurement import Layer
from fanous.model.series import Series
from fanous.model.verdict import State
from fanous.store.protocol import Store
from tests.builders import verdict
from tests.store.cases import NOON, judged, random_batch, rows
from tests.store.servers import EVERYWHERE

Plain = list[tuple[object, int, list[float], list[float], list[float], list[float], list[float], list[float]]]


def plain(found: list[Series]) -> Plain:
    return [
        (
            one.key,
            one.step,
            one.times.tolist(),
            one.values.tolist(),
            one.counts.tolist(),
            one.controlled.tolist(),
            one.measurements.tolist(),
            [] if one.vouched is None else one.vouched.tolist(),
        )
        for one in found
    ]


def within(all_rows: list[VerdictRow], since: float, until: float) -> list[VerdictRow]:
    return [row for row in all_rows if row.country == "PK" and since <= row.started_at < until]


@EVERYWHERE
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.matrix) for n in (2, 3))])
def test_the_stores_series_are_those_of_the_reference(store: Store, seed: int) -> None:
    batch = random_batch(seed, 400)
    store.append(batch, rules_version="1")
    since, until = NOON + 600, NOON + 6600
    for step, vouched_step in ((600, 0), (600, 60), (3600, 0)):
        expected = aggregate.series(within(rows(batch), since, until), step, vouched_step)
        assert len(expected) > 10
        found = store.facts.series("PK", since, until, step, vouched_step=vouched_step)
        assert plain(found) == plain(expected)
    # A line is judged by what its sender got from all sites, whichever are asked for.
    only_x = [
        one for one in aggregate.series(within(rows(batch), since, until), 600) if one.key.target == "x"
    ]
    assert plain(store.facts.series("PK", since, until, 600, ["x"])) == plain(only_x)


@pytest.mark.parametrize("denied", [State.OK, State.BLOCKED])
def test_the_store_and_the_reference_overrule_the_same_probe(store: Store, denied: State) -> None:
    other = State.BLOCKED if denied is State.OK else State.OK
    flood = [
        judged(f"f{n}", verdict(denied), observations=(), probe="flood", started_at=NOON + 600 * n)
        for n in range(12)
    ]
    others = [
        judged(f"h{n}", verdict(other), observations=(), probe=f"p{n}", started_at=NOON + 600 * n + 700)
        for n in range(6)
    ]
    store.append(flood + others, rules_version="1")
    expected = [one for one in aggregate.series(rows(flood + others), 600) if one.key.signal == BLOCKED_PATH]
    assert [one.times.tolist() for one in expected] == [[NOON + 600 * n for n in range(7)]]
    found = store.facts.series("PK", NOON, NOON + 7200)
    assert plain([one for one in found if one.key.signal == BLOCKED_PATH]) == plain(expected)


@EVERYWHERE
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.matrix)])
def test_the_stores_votes_are_those_of_the_reference(store: Store, seed: int) -> None:
    batch = random_batch(seed, 400)
    store.append(batch, rules_version="1")
    found = store.facts.votes("PK", NOON, NOON + 7200)
    mine = zip(
        found.asns, found.resolver_asns, found.targets, found.signals, found.times, found.probes,
        found.seen, found.controlled, strict=True,
    )  # fmt: skip
    expected = [
        (
            v.key.place.asn,
            v.key.resolver_asn,
            v.key.target,
            v.key.signal,
            v.at,
            v.probe,
            v.seen,
            v.controlled,
        )
        for v in aggregate.votes(within(rows(batch), NOON, NOON + 7200))
    ]
    assert sorted(mine) == sorted(expected)
    assert (np.diff(found.times) >= 0).all()


def test_a_window_holds_its_beginning_and_not_its_end(store: Store) -> None:
    store.append([judged("a", started_at=NOON), judged("b", started_at=NOON + 600)], rules_version="1")
    assert store.facts.votes("PK", NOON, NOON + 600).uids.tolist() == ["a", "a"]


def test_the_mechanism_of_a_vote_is_that_of_its_most_severe_verdict(store: Store) -> None:
    store.append(
        [
            judged(
                "a",
                verdict(State.INSUFFICIENT, symptom=True, mechanism="tls.timeout"),
                verdict(State.BLOCKED, Layer.TCP, mechanism=""),
                verdict(State.BLOCKED, Layer.HTTP, mechanism="http.blockpage"),
                verdict(State.BLOCKED, Layer.DNS, mechanism="dns.nxdomain"),
                verdict(State.THROTTLED, mechanism="tls.throttle.sni", kbps=100.0),
                verdict(State.THROTTLED, Layer.TRANSFER, mechanism="", kbps=200.0),
                verdict(State.THROTTLED, Layer.TRANSFER, mechanism="", kbps=math.nan),
            )
        ],
        rules_version="1",
    )
    found = store.facts.votes("PK", NOON, NOON + 1)
    assert dict(zip(found.signals, found.mechanisms, strict=True)) == {
        BLOCKED_DNS: "dns.nxdomain",
        BLOCKED_PATH: "http.blockpage",
        THROTTLED: "tls.throttle.sni",
    }
    assert found.kbps[-1] == 150.0
    assert np.isnan(found.kbps[:-1]).all()


def test_it_works_elsewhere_where_no_layer_failed(store: Store) -> None:
    works, broken = verdict(State.OK), verdict(State.BLOCKED, Layer.DNS)
    store.append(
        [
            judged("abroad", works, verdict(State.OK, Layer.DNS), country="IR"),
            judged("abroad, other target", verdict(target="youtube"), country="IR"),
            judged("abroad, blocked too", works, broken, country="IR"),
            judged("abroad, throttled", works, verdict(State.THROTTLED), country="IR"),
            judged("abroad, unsound", works, country="IR", defect="vpn"),
            judged("nowhere", works, country="ZZ"),
            judged("at home", works),
        ],
        rules_version="1",
    )
    found = store.facts.working_elsewhere("PK", NOON, NOON + 1, ["x"])
    assert found.uids.tolist() == ["abroad"]
    assert (found.signals.tolist(), found.seen.tolist()) == ([BLOCKED_PATH], [False])


def test_an_unplaced_measurement_has_no_voice_whatever_its_verdict(store: Store) -> None:
    blocked = verdict(State.BLOCKED)
    store.append([judged("a", blocked, asn=0), judged("b", blocked, country="ZZ")], rules_version="1")
    for country in ("PK", "ZZ"):
        assert len(store.facts.votes(country, NOON, NOON + 1)) == 0
        assert store.facts.series(country, NOON, NOON + 1) == []


def test_without_measurements_there_are_no_votes_and_no_series(store: Store) -> None:
    assert len(store.facts.votes("PK", 0, NOON)) == 0
    assert store.facts.series("PK", 0, NOON) == []
