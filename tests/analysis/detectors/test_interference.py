"""Stretches of interference from series that a reader can check by eye."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.detectors.interference import InterferenceOptions, find_interference
from fanous.analysis.detectors.registry import DETECTORS
from fanous.model.place import Place
from fanous.model.series import Anomaly, Series, SeriesKey

STEP = 600
OPTIONS = InterferenceOptions()


def series(
    notation: str,
    *,
    asn: int = 1,
    probes: int = 1,
    controlled: bool = True,
    step: int = STEP,
    start: int = 0,
    vouched: bool = False,
) -> Series:
    """``"ok*72 no*6 -*3"``: bins in which all probes succeeded, all failed, none measured."""
    times, values, at = [], [], start
    for word in notation.split():
        what, _, times_over = word.partition("*")
        for _ in range(int(times_over or 1)):
            if what != "-":
                times.append(at)
                values.append({"ok": 0.0, "no": 1.0}[what])
            at += step
    n = len(times)
    counts = np.full(n, probes, np.int64)
    return Series(
        key=SeriesKey(Place("XA", asn), "telegram", "blocked_path"),
        step=step,
        times=np.array(times, np.int64),
        values=np.array(values),
        counts=counts,
        controlled=counts * controlled,
        measurements=counts,
        vouched=counts * vouched,
    )


def own(notation: str, minutes: int, asn: int = 1) -> Series:
    """Two probes of ours that measure once in so many minutes."""
    return series(notation, asn=asn, step=minutes * 60, probes=2, vouched=True)


def raised(*all_series: Series) -> list[Anomaly]:
    return [a for a in find_interference(all_series, OPTIONS) if a.probability >= OPTIONS.raise_at]


def test_a_quiet_month_raises_nothing() -> None:
    assert find_interference([series("ok*4320")], OPTIONS) == []


@pytest.mark.parametrize(
    ("probes", "most_minutes"), [(1, 90), (3, 50), (10, 40)]
)  # the prototype took 9, 5 and 4 ticks
def test_controlled_blocking_is_raised_within_minutes(probes: int, most_minutes: int) -> None:
    onset = 288 * STEP
    (found,) = raised(series("ok*288 no*18", probes=probes))
    assert found.raised_at is not None
    assert 0 < found.raised_at - onset <= most_minutes * 60
    assert found.start_latest == onset
    assert abs(found.start - onset) <= OPTIONS.back_date


@pytest.mark.parametrize("burst", ["no*3", "no*6"])
def test_an_hour_of_uncontrolled_failures_is_a_burst(burst: str) -> None:
    assert raised(series(f"ok*288 {burst} ok*288", controlled=False)) == []


def test_hours_of_uncontrolled_failures_are_raised() -> None:
    (found,) = raised(series("ok*288 no*24 ok*288", controlled=False))
    assert found.end is not None
    assert found.bins == 24


def test_silence_does_not_end_it() -> None:
    (found,) = raised(series("ok*288 no*24 -*288 no*6"))
    assert found.end is None
    assert found.bins == 30


def test_silence_to_the_end_of_the_record_leaves_it_open() -> None:
    (found,) = raised(series("ok*288 no*24 -*288"))
    assert found.end is None
    assert found.last_seen == (288 + 24) * STEP


def test_two_sessions_with_success_between_are_two_stretches() -> None:
    found = raised(series("ok*288 no*24 ok*24 no*24 ok*288", probes=3))
    assert [a.bins for a in found] == [24, 24]


def test_a_series_that_begins_blocked_has_an_open_onset() -> None:
    (found,) = raised(series("no*144"))
    assert found.start_earliest is None
    assert found.start == found.start_latest == 0


def test_a_block_of_a_month_does_not_become_the_norm() -> None:
    (found,) = raised(series("ok*144 no*4320"))
    assert found.bins == 4320


def test_a_network_that_always_fails_a_little_is_not_raised() -> None:
    pattern = "ok*6 no ok*9 no ok*4"
    assert raised(series(" ".join([pattern] * 60))) == []


def test_another_network_with_it_makes_two_failing_hours_enough() -> None:
    wide = series("ok*288 no*48", asn=1, probes=5)
    thin = series("ok*288 -*12 no -*6 no", asn=2, controlled=False)
    assert {a.key.place.asn for a in raised(wide, thin)} == {1, 2}
    assert raised(thin) == []


def test_the_networks_of_another_country_cause_no_alert() -> None:
    wide = series("ok*288 no*48", asn=1, probes=5)
    thin = series("ok*288 -*12 no -*6 no", asn=2, controlled=False)
    key = SeriesKey(Place("XB", 1), "telegram", "blocked_path")
    abroad = Series(key, wide.step, wide.times, wide.values, wide.counts, wide.controlled, wide.measurements)
    assert {str(a.key.place) for a in raised(abroad, thin)} == {"AS1"}


@pytest.mark.parametrize(("hours", "raised_too"), [(22, True), (62, False)])
def test_the_alert_outlasts_the_other_network_by_a_day_and_a_half(hours: int, raised_too: bool) -> None:
    wide = series("ok*288 no*24 ok*576", asn=1, probes=5)
    thin = series(f"ok*312 -*{hours * 6} no -*6 no", asn=2, controlled=False)
    assert {a.key.place.asn for a in raised(wide, thin)} == ({1, 2} if raised_too else {1})


def test_a_lone_failure_hours_before_the_others_widens_the_onset_and_does_not_move_it() -> None:
    (found,) = raised(series("ok*288 no -*20 no*24"))
    assert (found.start_earliest, found.start_latest) == (288 * STEP, 309 * STEP)
    assert found.start == 309 * STEP - OPTIONS.back_date


@pytest.mark.parametrize("minutes", [1, 2, 5, 10])
def test_a_round_in_which_three_networks_fail_together_is_worth_a_suspicion(minutes: int) -> None:
    three = [own("ok*60 no", minutes, asn) for asn in (1, 2, 3)]
    assert {
        a.key.place.asn for a in find_interference(three, OPTIONS) if a.probability >= OPTIONS.suspect_at
    } == {
        1,
        2,
        3,
    }
    assert raised(own("ok*60 no", minutes)) == []
    strangers = [replace(one, vouched=None) for one in three]
    assert raised(*strangers) == []


@pytest.mark.parametrize("minutes", [1, 2, 5, 10])
def test_three_rounds_are_never_forgotten_and_two_good_ones_end_them(minutes: int) -> None:
    for good in (2, 600):
        found = raised(*(own(f"ok*60 no*3 ok*{good}", minutes, asn) for asn in (1, 2, 3)))
        assert {a.key.place.asn for a in found} == {1, 2, 3}
        for one in found:
            assert (one.start_earliest, one.start_latest) == (60 * minutes * 60, 60 * minutes * 60)
            assert one.last_seen == 63 * minutes * 60
            assert one.end == 63 * minutes * 60


def test_one_network_that_works_again_does_not_end_the_others() -> None:
    found = raised(
        own("ok*60 no*10 ok*30", 1),
        *(own("ok*60 no*40", 1, a) for a in (2, 3, 4)),
    )
    assert {a.key.place.asn for a in found if a.end is None} == {2, 3, 4}


def test_strangers_are_not_surer_for_measuring_each_minute() -> None:
    (slow,) = raised(series("ok*288 no*18", probes=3))
    (fast,) = raised(series("ok*2880 no*180", probes=3, step=60))
    assert slow.raised_at is not None and fast.raised_at is not None
    assert fast.raised_at >= slow.raised_at - STEP


def test_an_empty_series_is_nothing() -> None:
    assert find_interference([series("-*5")], OPTIONS) == []
    assert find_interference([], OPTIONS) == []


def test_every_detector_in_the_registry_is_quiet_on_quiet_data() -> None:
    quiet = series("ok*288", probes=4)
    for detector in (one for one in DETECTORS.values() if one.find is find_interference):
        own = [replace(quiet, key=replace(quiet.key, signal=name)) for name in detector.signals]
        assert detector.found(own) == []
