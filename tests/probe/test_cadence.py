"""How often a probe measures around an announced event."""

from random import Random

import pytest

from fanous.model.event import AnnouncedEvent
from fanous.probe.allowance import AFTER, BEFORE, cadence, repeat
from tests.each import each

RALLY = AnnouncedEvent("PK", 1_000_000.0, 1_010_000.0, "A rally")


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (RALLY.start - BEFORE - 1, 300.0),
        (RALLY.start - BEFORE, 60.0),
        (RALLY.start, 60.0),
        (RALLY.end + AFTER - 1, 60.0),
        (RALLY.end + AFTER, 300.0),
    ],
)
def test_an_organisation_measures_each_minute_around_an_event(now: float, seconds: float) -> None:
    assert cadence(300.0, now, [RALLY], organisation=True) == seconds


@each("now", [RALLY.start - 1, RALLY.start, RALLY.end - 1])
@each(("ordinary", "seconds"), [(600.0, 600.0), (3600.0, 3600.0), (1.0, 600.0)])
def test_a_volunteer_never_speeds_up(now: float, ordinary: float, seconds: float) -> None:
    assert cadence(ordinary, now, [RALLY], organisation=False) == seconds


def test_an_event_in_another_country_changes_nothing() -> None:
    assert cadence(300.0, RALLY.start, [RALLY], organisation=True, country="KE") == 300.0
    assert cadence(300.0, RALLY.start, [RALLY], organisation=True, country="PK") == 60.0


def test_an_interval_is_never_faster_than_is_safe_and_never_slowed_down() -> None:
    assert cadence(1.0, 0.0, [], organisation=True) == 60.0
    assert cadence(60.0, RALLY.start, [RALLY], organisation=True) == 60.0


def test_the_interval_is_asked_before_each_pause() -> None:
    slept, asked = list[float](), iter([600.0, 60.0])
    repeat(lambda _: None, lambda: next(asked), 60.0, rounds=3, chance=Random(1), sleep=slept.append)
    assert slept[0] >= 480.0
    assert slept[1] <= 72.0
