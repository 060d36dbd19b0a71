"""Recall, precision, and rates with the exposure they rest on."""

from typing import Any

import pytest

from fanous.model.score import WORLD, Evaluation, EventScore, TrueEvent


def event(confirmed: bool = True, incidents: int = 1) -> EventScore:
    return EventScore(
        "e",
        confirmed,
        "confirmed" if confirmed else "missed",
        None,
        None,
        None,
        incidents,
        1,
        None,
        None,
        (),
        (),
        TrueEvent("", "confirmed", None, None, None, "", ""),
        confirmed,
    )


def evaluation(*events: EventScore, **given: Any) -> Evaluation:
    """One year of one country without a false alarm."""
    fields: dict[str, Any] = {
        "title": "a test",
        "measurements": 1,
        "country_months": 12.0,
        "series_months": 12.0,
        "false_confirmed": 0,
        "false_suspected": 0,
        "retracted": 0,
    }
    fields["right_confirmed"] = sum(one.incidents for one in events)
    return Evaluation(events=events, **(fields | given))


@pytest.mark.parametrize(
    ("events", "recall"),
    [
        ([], None),
        ([event()], 1.0),
        ([event(confirmed=False, incidents=0)], 0.0),
        ([event(), event(), event(confirmed=False)], 2 / 3),
    ],
)
def test_recall_is_the_share_of_events_confirmed(events: list[EventScore], recall: float | None) -> None:
    assert evaluation(*events).recall == recall


@pytest.mark.parametrize(
    ("events", "false", "precision"),
    [
        ([], 0, None),  # nothing was claimed
        ([], 1, 0.0),
        ([event()], 0, 1.0),
        ([event(incidents=3)], 1, 0.75),
        ([event(confirmed=False, incidents=0)], 0, None),
    ],
)
def test_precision_is_the_share_of_confirmed_incidents_that_were_one(
    events: list[EventScore], false: int, precision: float | None
) -> None:
    assert evaluation(*events, false_confirmed=false).precision == precision


def test_a_false_alarm_in_a_country_year_is_one_for_each_country_of_the_world() -> None:
    rate, at_most = evaluation(false_confirmed=1).false_confirmed_a_world_year
    assert rate == WORLD
    assert at_most > rate
    assert evaluation(false_confirmed=1, country_months=12.0 * WORLD).false_confirmed_a_world_year[0] == 1.0


@pytest.mark.parametrize(("seen", "at_most"), [(0, 3.00), (1, 4.74), (2, 6.30), (5, 10.51), (10, 16.96)])
def test_the_upper_bound_is_that_of_a_poisson_count(seen: int, at_most: float) -> None:
    """Exact one-sided 95 % bounds, half the .90 quantile of chi-square with 2(n + 1) degrees of freedom."""
    found = evaluation(false_confirmed=seen, country_months=12.0 * WORLD).false_confirmed_a_world_year[1]
    assert found == pytest.approx(at_most, rel=0.02)


def test_none_seen_in_little_time_is_not_none() -> None:
    short, long = (evaluation(country_months=m).false_confirmed_a_world_year for m in (1.0, 100.0))
    assert short[0] == long[0] == 0
    assert short[1] == pytest.approx(100 * long[1])


def test_suspicions_are_counted_by_country_month() -> None:
    assert evaluation(false_suspected=6).false_suspected_a_country_month == 0.5
