"""What would have been found on a network follows from when it was measured, and the detector finds it."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.detectors.interference import BLOCKING, InterferenceOptions, find_interference
from fanous.analysis.sensitivity import LONGEST, sensitivities
from fanous.model.coverage import CHANCE, Sensitivity
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

STEP = 600
OPTIONS = InterferenceOptions()
DAYS = 21


def measured(
    every: float, *, asn: int = 1, probes: int = 1, controlled: bool = False, failing: float = 0.0
) -> Series:
    """A network with votes in one bin each ``every`` seconds; this share of the bins fails for other reasons."""
    times = np.arange(0, DAYS * DAY, every).astype(np.int64) // STEP * STEP
    n = len(times)
    counts = np.full(n, probes, np.int64)
    values = (np.random.default_rng(1).random(n) < failing).astype(np.float64)
    key = SeriesKey(Place("XA", asn), "telegram", "blocked_path")
    return Series(key, STEP, times, values, counts, counts * controlled, counts)


def found(*series: Series, days: float = DAYS) -> Sensitivity:
    return sensitivities(series, OPTIONS, 0, days * DAY)[0]


def share_raised(one: Series, depth: float, length: float, times: int = 200) -> float:
    """Of events planted at random moments in these votes, as the detector raises them."""
    chance = np.random.default_rng(99)
    starts = {f"event {n}": chance.uniform(0, DAYS * DAY - length) for n in range(times)}
    worlds = []
    for name, start in starts.items():
        hit = (one.times >= start) & (one.times < start + length)
        failing = chance.binomial(one.counts, depth) / one.counts
        worlds.append(
            replace(one, key=replace(one.key, target=name), values=np.where(hit, failing, one.values))
        )
    raised = {
        a.key.target
        for a in find_interference(worlds, OPTIONS)
        if a.raised_at is not None and a.last_seen > starts[a.key.target]
        if a.start_latest < starts[a.key.target] + length
    }
    return len(raised) / times


@pytest.mark.parametrize(
    ("every", "probes", "controlled", "depth"),
    [(HOUR, 1, False, 1.0), (HOUR, 3, True, 0.5), (5 * HOUR, 1, False, 1.0), (2 * HOUR, 1, False, 0.5)],
)
def test_events_of_the_stated_length_are_found_with_the_stated_chance(
    every: float, probes: int, controlled: bool, depth: float
) -> None:
    one = measured(every, probes=probes, controlled=controlled)
    stated = found(one)
    length = stated.seconds_all if depth == 1 else stated.seconds_half
    assert length is not None
    assert share_raised(one, depth, length) >= CHANCE - 0.06
    assert share_raised(one, depth, length / 2) < CHANCE - 0.1, (
        "half as long would do: the length is not the shortest"
    )


def test_who_measures_rarely_finds_long_events_only() -> None:
    often, hourly, every_fourth = (
        found(measured(every, controlled=True)).seconds_all for every in (STEP, HOUR, 4 * HOUR)
    )
    assert often is not None and hourly is not None and every_fourth is not None
    assert often < hourly < every_fourth
    assert hourly < 5 * HOUR < 10 * HOUR < every_fourth
    rarely = found(measured(4 * DAY))
    assert (rarely.seconds_all, rarely.seconds_half) == (None, None), "not even within a week"
    assert (rarely.bins, rarely.measurements) == (6, 6)


def test_half_takes_longer_than_all() -> None:
    for every in (HOUR, 3 * HOUR):
        one = found(measured(every, probes=3))
        assert one.seconds_all is not None and one.seconds_half is not None
        assert one.seconds_half > one.seconds_all


def test_failures_with_a_normal_control_are_found_sooner() -> None:
    """Without one, an hour of failures counts as little as one of them."""
    with_control, without = (found(measured(STEP, controlled=yes)).seconds_all for yes in (True, False))
    assert with_control is not None and without is not None
    assert without > with_control + HOUR


def test_a_network_that_often_fails_by_itself_needs_longer() -> None:
    calm, restless = found(measured(HOUR)), found(measured(HOUR, failing=0.25))
    assert calm.seconds_all is not None
    assert restless.seconds_all is None or restless.seconds_all > calm.seconds_all


def test_failures_that_pass_for_ordinary_ones_hide_no_event_of_the_stated_length() -> None:
    """Half-failing events raise what is usual on a network where two in a hundred fail anyway."""
    one = measured(2 * HOUR, failing=0.02)
    length = found(one).seconds_half
    assert length is not None
    assert share_raised(one, 0.5, length, times=400) >= CHANCE - 0.03


def test_a_night_without_measurements_is_no_excuse_to_leave_out() -> None:
    """An event may begin at any hour: of one that begins in a gap of twelve, nothing is seen before the morning."""
    one = measured(STEP, controlled=True)
    by_day = one.where(one.times % DAY < DAY / 2)
    length = found(by_day).seconds_all
    assert length is not None and 9 * HOUR < length < 13 * HOUR


def test_no_length_is_stated_that_hardly_fits_into_the_time() -> None:
    one = measured(6 * HOUR)
    assert (found(one).seconds_all or 0) > DAY / 2
    assert found(one.where(one.times < DAY), days=1).seconds_all is None
    assert LONGEST < DAYS / 2 * DAY


def test_the_fullest_series_of_a_network_and_target_counts() -> None:
    few, many = measured(12 * HOUR), measured(HOUR)
    through_resolver = replace(few, key=replace(few.key, signal="blocked_dns", resolver_asn=64500))
    other = measured(2 * HOUR, asn=2)
    every = sensitivities([through_resolver, many, other], OPTIONS, 0, DAYS * DAY)
    assert [(one.asn, one.measurements) for one in every] == [(1, len(many)), (2, len(other))]
    assert every[0].seconds_all == found(many).seconds_all
    assert sensitivities([], OPTIONS, 0, DAY) == []
    assert sensitivities([few.where(few.times < 0)], OPTIONS, 0, DAY) == []


def test_the_same_votes_give_the_same_answer() -> None:
    one = measured(HOUR, probes=3)
    assert found(one) == found(one)
    assert BLOCKING.options == OPTIONS


@pytest.mark.parametrize(
    ("every", "controlled", "length"),
    [(STEP, True, 4 * HOUR), (HOUR, False, 8 * HOUR), (2 * HOUR, False, 8 * HOUR), (6 * HOUR, False, DAY)],
)
def test_of_events_as_long_as_the_one_asked_about_as_many_are_found_as_is_said(
    every: float, controlled: bool, length: float
) -> None:
    one = measured(every, controlled=controlled)
    (told,) = sensitivities([one], OPTIONS, 0, DAYS * DAY, length)
    assert told.found_alike is not None
    assert share_raised(one, 1.0, length) == pytest.approx(told.found_alike, abs=0.08)
    assert told.is_seen is (told.found_alike >= CHANCE)


def test_what_is_said_to_be_missed_mostly_is_and_what_is_said_to_be_seen_is_found() -> None:
    """Both kinds must be among the cases, or the comparison would prove nothing."""
    said: dict[bool, list[float]] = {True: [], False: []}
    for every in (STEP, HOUR, 4 * HOUR, 12 * HOUR):
        for length in (HOUR, 6 * HOUR, DAY, 3 * DAY):
            (told,) = sensitivities([measured(every)], OPTIONS, 0, DAYS * DAY, length)
            if told.is_seen or (told.found_alike or 0) < 0.1:
                said[told.is_seen].append(share_raised(measured(every), 1.0, length, times=60))
    assert len(said[True]) >= 3 and len(said[False]) >= 3
    assert min(said[True]) >= 0.8
    assert max(said[False]) <= 0.2


def test_only_networks_that_are_asked_about_are_told_those_measured_most_first() -> None:
    every = [measured(HOUR * asn, asn=asn) for asn in (1, 2, 3, 4)]
    told = sensitivities(every, OPTIONS, 0, DAYS * DAY, DAY, lambda asn: asn != 1, most=2)
    assert [one.asn for one in told] == [2, 3]
    assert all(one.found_alike is not None for one in told)
    assert [one.found_alike for one in sensitivities(every, OPTIONS, 0, DAYS * DAY)] == [None] * 4
