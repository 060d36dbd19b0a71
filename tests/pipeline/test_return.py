"""What is said of an outage in the hours and days after people are back."""

from collections.abc import Sequence

import pytest

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Status
from fanous.model.series import Series
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, levels, without
from tests.builders import DAY

FIRST = 20 * 24 + 6
"""Hour of the series at which it falls."""

LATE = "mozilla"
"""A signal that is published a day late."""


def world(length: float, *more: Series) -> list[Series]:
    """Answers to probes and the use of Search; a tenth of them is left for ``length`` hours."""
    probing = levels(" ".join(["100 99"] * 24 * 30))
    return [cut(one, FIRST, FIRST + length, 0.1) for one in (probing, daily(30, noise=0.01), *more)]


def told(series: Sequence[Series], hour: float, late: float = 24) -> list[Incident]:
    """What is said at an hour of the series.

    Args:
        late: hours until the late signal is published.
    """
    known = [without(one, hour - late * (one.key.signal == LATE), 1e9) for one in series]
    return found_in(Quantities(known), Setting("XA", None, "", ""))


@pytest.mark.parametrize("length", [12, 24, 48, 96])
def test_an_outage_of_days_is_over_within_hours(length: float) -> None:
    """Whole days stay low until a day after the return, which kept it open, and at half of the usual level."""
    (back,) = told(world(length), FIRST + length + 2)
    assert back.status is Status.ENDED
    assert back.end == pytest.approx(DAY + (FIRST + length) * HOUR, abs=HOUR / 2)
    (still,) = told(world(length), FIRST + length)
    assert still.end is None


def test_use_that_two_publishers_measure_is_enough() -> None:
    """Traffic at half, as when a country's speed is limited; blocks answer as before."""
    both = [
        daily(30, noise=0.01, signal=name, seed=seed) for seed, name in enumerate(("gtr", "radar_netflows"))
    ]
    slowed = [cut(one, FIRST, FIRST + 72, 0.5) for one in both]
    (back,) = told(slowed, FIRST + 72 + 2)
    assert back.status is Status.ENDED
    (alone,) = told(slowed[:1], FIRST + 72 + 2)
    assert alone.end is None


def test_what_comes_back_in_part_goes_on() -> None:
    """Use that is at three quarters after the rest is back is not as usual."""
    series = world(48)
    series[1] = cut(series[1], FIRST + 48, FIRST + 90, 0.7)
    (still,) = told(series, FIRST + 48 + 8)
    assert still.end is None


@pytest.mark.parametrize("hours", range(20, 32, 2))
def test_figures_of_yesterday_do_not_open_again_what_is_over(hours: float) -> None:
    late = daily(30, noise=0.01, signal=LATE, swing=0.1)
    (over,) = told(world(12, late), FIRST + 12 + hours)
    assert over.status is Status.ENDED


def test_a_later_dip_does_not_begin_with_the_outage_of_the_day_before() -> None:
    series = world(12)
    series[1] = cut(series[1], FIRST + 20, FIRST + 30, 0.6)
    first, second = told(series, FIRST + 30)
    assert first.end is not None
    assert second.onset == pytest.approx(DAY + (FIRST + 20) * HOUR, abs=HOUR)


def test_steps_are_of_answers_to_probes_though_routes_show_the_onset_best() -> None:
    """Half of the routes stay, where a tenth of the blocks answers."""
    routes = cut(levels(" ".join(["100"] * 48 * 30), signal="bgp"), FIRST, FIRST + 12, 0.5)
    probing = cut(levels(" ".join(["100 98 96 99 97"] * 288)), FIRST, FIRST + 12, 0.1)
    (over,) = told([probing, world(12)[1], routes], FIRST + 14)
    assert [one.left for one in over.levels] == pytest.approx([0.1], abs=0.02)
