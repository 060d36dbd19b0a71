"""Exploring: bins on a country's clock, dates that hold data, and questions that are too large."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from fanous.model.verdict import State
from fanous.questions import explore as explored
from fanous.questions.explore import (
    ExploreQuestion,
    TooMuch,
    aggregate,
    bins,
    control_targets,
    explore,
    width_of,
)
from fanous.refdata.countries import local
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.builders import verdict
from tests.each import each
from tests.store.cases import NOON, judged

DAY = 86_400


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_days_begin_at_midnight_of_the_country_also_where_the_clock_is_put_back() -> None:
    edges = bins("FR", at("2023-10-28T10:00"), at("2023-10-31T10:00"), DAY)
    assert [f"{local(edge, 'FR'):%d %H:%M}" for edge in edges] == [
        "28 00:00",
        "29 00:00",
        "30 00:00",
        "31 00:00",
        "01 00:00",
    ]
    assert edges[2] - edges[1] == 25 * 3600


def test_weeks_begin_on_mondays_and_hours_at_half_past_where_the_clock_says_so() -> None:
    edges = bins("PK", at("2023-12-17T12:00"), at("2023-12-20T00:00"), 7 * DAY)
    assert [f"{local(edge, 'PK'):%a %H:%M}" for edge in edges] == ["Mon 00:00"] * 3
    hours = bins("IN", at("2023-12-17T12:00"), at("2023-12-17T13:00"), 3600)
    assert [f"{local(hour, 'IN'):%H:%M}" for hour in hours] == ["17:00", "18:00", "19:00"]


@each(("days", "step"), [(0.25, 600), (2, 3600), (7, 10_800), (15, 21_600), (60, DAY), (365, 7 * DAY)])
def test_bins_are_as_fine_as_a_chart_can_show(days: float, step: int) -> None:
    edges = bins("", NOON, NOON + days * DAY)
    assert edges[1] - edges[0] == step
    assert len(edges) <= explored.FITTING + 3


def test_bins_become_wider_where_there_would_be_too_many() -> None:
    assert width_of(NOON, NOON + DAY, 600) == 600
    assert width_of(NOON, NOON + 30 * DAY, 600) == 3600
    edges = bins("PK", 0, explored.LATEST, 600)
    assert len(edges) <= explored.MOST_BINS + 1
    assert {int(b - a) % (7 * DAY) for a, b in pairwise(edges)} <= {
        0,
        1800,
        3600,
        7 * DAY - 1800,
        7 * DAY - 3600,
    }


@pytest.mark.parametrize(("since", "until"), [(NOON, NOON), (NOON, NOON - DAY), (-1e12, -1e11), (1e12, 2e12)])
def test_impossible_dates_have_a_bin_nevertheless(since: float, until: float) -> None:
    assert len(bins("PK", since, until, DAY)) >= 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    batch = [
        judged(f"{target}-{asn}-{n}", verdict(state, target=target), asn=asn, started_at=NOON + n * 3600)
        for target, asn, states in (
            ("x", 17557, "bbo"),
            ("x", 45669, "ooo"),
            ("youtube", 45669, "oto"),
            ("example.com", 45669, "obb"),
        )
        for n, letter in enumerate(states)
        for state in [{"b": State.BLOCKED, "t": State.THROTTLED, "o": State.OK}[letter]]
    ]
    with open_store(tmp_path_factory.mktemp("explore") / "store", clock=lambda: NOON + 400 * DAY) as store:
        store.append(batch, rules_version="1")
        yield store


def test_without_dates_the_last_days_with_data_are_shown(store: Store) -> None:
    found = explore(store, ExploreQuestion(countries=("PK",)))
    assert found.question.dates == (at("2023-12-16T19:00"), at("2023-12-17T19:00")), (
        "the day that holds them all"
    )
    assert found.total.measurements == 9


def test_of_long_histories_the_last_days_are_shown(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "measured_between", lambda *_: (NOON - 400 * DAY, NOON))
    assert explore(store, ExploreQuestion(countries=("PK",))).question.since == at("2023-11-17T19:00")


def test_rows_hit_most_come_first_and_controls_are_no_part_of_all_targets(store: Store) -> None:
    found = explore(store, ExploreQuestion(countries=("PK",), by="target"))
    assert [row.name for row in found.rows] == ["x", "youtube"]
    assert "example.com" in control_targets()
    named = explore(store, ExploreQuestion(countries=("PK",), targets=("example.com",), by="target"))
    assert [(row.name, row.total.blocked) for row in named.rows] == [("example.com", 2)]


def test_a_bin_without_a_measurement_is_no_zero(store: Store) -> None:
    found = explore(
        store,
        ExploreQuestion(countries=("PK",), since=NOON, until=NOON + 5 * 3600, targets=("x",), step=3600),
    )
    (first, second) = found.rows
    assert (first.name, [cell and cell.blocked for cell in first.cells]) == (17557, [1, 1, 0, None, None])
    assert second.total.blocked == 0


def test_what_is_counted_along_other_axes_comes_to_the_same(store: Store) -> None:
    question = ExploreQuestion(countries=("PK",), since=NOON, until=NOON + DAY, step=3600)
    total = explore(store, question).total
    for axes in (["time"], ["network", "target"], ["mechanism"], ["country", "time"], ["source"]):
        _, _, rows = aggregate(store, question, axes)
        assert sum((one for _, one in rows[1:]), rows[0][1]) == total


def test_a_question_that_reads_too_much_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "MOST_READ", 5)
    with pytest.raises(TooMuch, match="name a country, a network or a target"):
        explore(store, ExploreQuestion(countries=("PK",)))


def test_an_answer_with_too_many_rows_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "MOST_CELLS", 3)
    with pytest.raises(TooMuch, match="more than 3 rows"):
        explore(store, ExploreQuestion(countries=("PK",), step=3600, since=NOON, until=NOON + DAY))


def test_where_nothing_was_measured_there_are_no_rows(store: Store) -> None:
    assert explore(store, ExploreQuestion(countries=("FR",))).rows == ()
