"""Rounds with jitter, within what is safe."""

import random

import pytest

from fanous.errors import FanousError
from fanous.probe.allowance import (
    ORGANISATION_LEAST,
    VOLUNTEER_LEAST,
    check_interval,
    least_interval,
    pause,
    repeat,
)


@pytest.mark.parametrize(("seconds", "organisation"), [(599.0, False), (59.0, True), (0.0, True)])
def test_a_cadence_that_is_not_safe_is_refused(seconds: float, organisation: bool) -> None:
    with pytest.raises(FanousError, match="too fast"):
        check_interval(seconds, organisation=organisation)


def test_an_organisation_may_go_faster_than_a_volunteer() -> None:
    check_interval(60.0, organisation=True)
    check_interval(600.0, organisation=False)
    assert least_interval(organisation=True) == ORGANISATION_LEAST < VOLUNTEER_LEAST


def test_jitter_never_makes_it_faster_than_is_safe_and_is_there() -> None:
    pauses = [pause(700.0, 600.0, random.Random(seed)) for seed in range(200)]
    assert min(pauses) >= 600.0 and max(pauses) <= 840.0
    assert len(set(pauses)) > 100


def test_rounds_end_when_enough_were_made_and_pause_in_between() -> None:
    done, slept = list[int](), list[float]()
    repeat(done.append, 600.0, 600.0, rounds=3, chance=random.Random(1), sleep=slept.append)
    assert done == [0, 1, 2]
    assert len(slept) == 2
