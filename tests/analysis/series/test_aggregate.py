from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fanous.analysis.series.aggregate import BLOCKED_DNS, BLOCKED_PATH, THROTTLED, VerdictRow, counted, series
from fanous.model.measurement import Layer
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey, Votes
from fanous.model.verdict import State
from tests.each import each

STEP = 600


def row(state: State = State.OK, layer: Layer = Layer.TLS, **given: Any) -> VerdictRow:
    fields: dict[str, Any] = {
        "uid": "m1",
        "country": "PK",
        "asn": 17557,
        "resolver_asn": 13335,
        "probe": "p1",
        "started_at": 1200.0,
        "target": "x",
        "layer": layer,
        "state": state,
    }
    return VerdictRow(**(fields | given))


def by_signal(found: list[Series]) -> dict[str, float]:
    return {one.key.signal: float(one.values[0]) for one in found}


SYMPTOM = row(State.INSUFFICIENT, symptom=True)
SLOW = row(State.INSUFFICIENT, Layer.TRANSFER, symptom=True)
STARVED = row(State.INSUFFICIENT, Layer.HTTP, symptom=True, mechanism="tls.throttle.sni")


@each(
    ("verdicts", "said"),
    [
        ([row()], {BLOCKED_PATH: 0, THROTTLED: 0}),
        ([row(State.BLOCKED)], {BLOCKED_PATH: 1}),  # what is blocked cannot be measured for throttling
        ([SYMPTOM], {BLOCKED_PATH: 1}),
        # The symptom of a transfer is that it is slow: it came through.
        ([row(), SLOW], {BLOCKED_PATH: 0, THROTTLED: 1}),
        ([row(), STARVED], {BLOCKED_PATH: 0, THROTTLED: 1}),  # so did a page that is starved
        ([row(), row(State.BLOCKED, Layer.HTTP)], {BLOCKED_PATH: 1}),  # one bad layer is enough
        ([row(State.THROTTLED)], {THROTTLED: 1}),
        ([row(), row(State.THROTTLED, Layer.TRANSFER)], {BLOCKED_PATH: 0, THROTTLED: 1}),
        ([row(State.BLOCKED), row(State.THROTTLED, Layer.TRANSFER)], {BLOCKED_PATH: 1, THROTTLED: 1}),
        ([row(State.INSUFFICIENT)], {}),
        ([row(State.DOWN)], {}),
        ([row(State.BLOCKED, Layer.DNS)], {BLOCKED_DNS: 1}),
        ([row(State.OK, Layer.DNS)], {BLOCKED_DNS: 0}),
        ([row(State.BLOCKED, Layer.DNS), row()], {BLOCKED_DNS: 1, BLOCKED_PATH: 0, THROTTLED: 0}),
    ],
)
def test_a_measurement_votes_by_its_worst_verdict_of_the_signals_layers(
    verdicts: list[VerdictRow], said: dict[str, float]
) -> None:
    assert by_signal(series(verdicts, STEP)) == said


@pytest.mark.parametrize("unsound", [{"defect": "vpn"}, {"asn": 0}, {"country": "ZZ"}])
def test_unsound_measurements_and_unknown_places_have_no_vote(unsound: dict[str, Any]) -> None:
    assert series([row(**unsound)], STEP) == []


@pytest.mark.parametrize(("blocked", "of", "share"), [(1, 3, 0.0), (1, 2, 1.0), (2, 3, 1.0)])
def test_a_probe_has_one_vote_a_bin_and_a_tie_counts_as_seen(blocked: int, of: int, share: float) -> None:
    rows = [row(State.BLOCKED if n < blocked else State.OK, uid=f"m{n}") for n in range(of)]
    found = next(s for s in series(rows, STEP) if s.key.signal == BLOCKED_PATH)
    assert (found.values[0], found.counts[0], found.measurements[0]) == (share, 1, of)


def test_the_value_is_the_share_of_probes_that_saw_it() -> None:
    rows = [row(State.BLOCKED if n == 0 else State.OK, uid=f"m{n}", probe=f"p{n}") for n in range(4)]
    found = next(s for s in series(rows, STEP) if s.key.signal == BLOCKED_PATH)
    assert (found.values[0], found.counts[0]) == (0.25, 4)


def test_a_probe_is_controlled_if_any_verdict_of_the_signal_is() -> None:
    rows = [
        row(controlled=True, uid="m1"),
        row(uid="m2"),
        row(uid="m3", probe="p2"),
        row(State.OK, Layer.DNS, controlled=True, uid="m3", probe="p2"),
    ]
    found = {s.key.signal: int(s.controlled[0]) for s in series(rows, STEP)}
    assert found == {BLOCKED_DNS: 1, BLOCKED_PATH: 1, THROTTLED: 1}


def test_a_control_of_another_verdict_is_none_of_what_was_seen() -> None:
    rows = [row(State.OK, Layer.TCP, controlled=True), row(State.INSUFFICIENT, symptom=True)]
    found = {s.key.signal: (float(s.values[0]), int(s.controlled[0])) for s in series(rows, STEP)}
    assert found == {BLOCKED_PATH: (1.0, 0)}


def test_bins_begin_at_multiples_of_the_step_and_empty_ones_are_not_listed() -> None:
    rows = [row(uid="m1", started_at=1799.9), row(uid="m2", started_at=600.0)]
    assert [list(s.times) for s in series(rows, STEP)] == [[600, 1200]] * 2


def test_only_dns_series_are_told_apart_by_resolver() -> None:
    rows = [row(uid="m1", layer=layer) for layer in (Layer.DNS, Layer.TLS)]
    assert [s.key for s in series(rows, STEP)] == [
        SeriesKey(Place("PK", 17557), "x", BLOCKED_DNS, resolver_asn=13335),
        SeriesKey(Place("PK", 17557), "x", BLOCKED_PATH),
        SeriesKey(Place("PK", 17557), "x", THROTTLED),
    ]


def flooded() -> list[VerdictRow]:
    """One probe reaches it every ten minutes for two hours; six others measure once each and do not."""
    rows = [row(uid=f"f{n}", probe="flood", started_at=STEP * n + 1.0) for n in range(12)]
    others = [
        row(State.BLOCKED, uid=f"h{n}", probe=f"p{n}", started_at=STEP * (n + 1) + 2.0) for n in range(6)
    ]
    return rows + others


def test_a_probe_that_says_the_same_without_pause_against_its_neighbours_is_heard_no_more() -> None:
    found = next(one for one in series(flooded(), STEP) if one.key.signal == BLOCKED_PATH)
    # The others are heard once each: next to the fifth of them it no longer counts, and a separate bin does
    # not exist.
    assert found.times.tolist() == [STEP * n for n in range(7)]
    assert found.counts.tolist() == [1, 2, 2, 2, 2, 1, 1]
    assert found.values.tolist() == [0, 0.5, 0.5, 0.5, 0.5, 1, 1]
    assert found.measurements.tolist() == found.counts.tolist()


def votes_on(rows: list[VerdictRow], **given: Any) -> Votes:
    count = len(rows)

    def names(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        return np.array(values, dtype=object)

    columns: dict[str, Any] = {
        "uids": names([r.uid for r in rows]),
        "times": np.array([r.started_at for r in rows]),
        "asns": np.array([r.asn for r in rows]),
        "resolver_asns": np.zeros(count, np.int64),
        "targets": names([r.target for r in rows]),
        "signals": names([BLOCKED_PATH] * count),
        "probes": names([r.probe for r in rows]),
        "seen": np.array([r.state is State.BLOCKED for r in rows]),
        "controlled": np.ones(count, np.bool_),
        "mechanisms": names([""] * count),
        "kbps": np.full(count, np.nan),
        "access": names(["any"] * count),
        "sources": names(["ooni"] * count),
        "receipts": np.array([r.started_at for r in rows]),
        "vouched": np.ones(count, np.bool_),
        "volunteer": np.zeros(count, np.bool_),
        "cut": names([""] * count),
        "reached": names([""] * count),
    }
    return Votes(**(columns | given))


def test_the_votes_that_count_are_those_of_the_series() -> None:
    rows = sorted(flooded(), key=lambda r: r.started_at)
    kept = counted(votes_on(rows), STEP)
    assert [uid for uid in kept.uids if uid.startswith("f")] == ["f0", "f1", "f2", "f3", "f4"]
    assert sum(uid.startswith("h") for uid in kept.uids) == 6
    nobody = votes_on([])
    assert len(counted(nobody, STEP)) == 0


@pytest.mark.parametrize(
    "apart", [{"asn": 45669}, {"target": "youtube"}], ids=["another network", "another target"]
)
def test_neighbours_are_those_on_the_same_network_who_try_the_same_target(apart: dict[str, Any]) -> None:
    rows = [replace(r, **apart) if r.probe == "flood" else r for r in flooded()]
    rows.sort(key=lambda r: r.started_at)
    assert len(counted(votes_on(rows), STEP)) == len(rows)
    assert sum(s.measurements.sum() for s in series(rows, STEP) if s.key.signal == BLOCKED_PATH) == len(rows)


@pytest.mark.parametrize(
    "apart",
    [
        {"signals": np.array([BLOCKED_DNS] * 12 + [BLOCKED_PATH] * 6, object)},
        {"resolver_asns": np.array([1] * 12 + [2] * 6)},
    ],
    ids=["another signal", "another resolver"],
)
def test_and_see_it_by_the_same_signal_and_resolver(apart: dict[str, Any]) -> None:
    rows = flooded()
    columns = {
        name: values[np.argsort([r.started_at for r in rows], kind="stable")]
        for name, values in apart.items()
    }
    rows.sort(key=lambda r: r.started_at)
    assert len(counted(votes_on(rows, **columns), STEP)) == len(rows)
