"""A series whose publisher changed its bins is one."""

import numpy as np

from fanous.analysis.series.artefacts import joined
from fanous.model.series import Series
from tests.analysis.detectors.quantity_series import daily, without
from tests.each import each

WIDE, FINE = 1800, 600


def steps_and_hours(found: list[Series]) -> list[tuple[int, float, int]]:
    return [(one.step, (one.times[-1] + one.step - one.times[0]) / 3600, len(one)) for one in found]


@each(
    ("series", "found"),
    [
        (
            (without(daily(20, step=WIDE), 240, 480), without(daily(20, step=FINE), 0, 240)),
            [(WIDE, 480, 960)],
        ),
        ((daily(5, step=WIDE), daily(20, step=FINE)), [(WIDE, 480, 960)]),
        ((daily(40, step=WIDE), daily(40, step=FINE)), [(FINE, 960, 5760)]),  # four weeks of its own
        ((daily(5, step=WIDE), daily(5, step=1200)), None),  # neither divides the other
        ((daily(5, step=WIDE, signal="ndt_tests"), daily(5, step=FINE, signal="ndt_tests")), None),
        ((daily(5, step=WIDE), daily(5, step=FINE, signal="radar_netflows")), None),
    ],
)
def test_bins_of_several_widths_are_one_series_in_the_widest_until_the_finest_has_four_weeks(
    series: tuple[Series, ...], found: list[tuple[int, float, int]] | None
) -> None:
    wanted = steps_and_hours(list(series)) if found is None else found
    assert [(a, round(b, 1), c) for a, b, c in steps_and_hours(joined(series))] == [
        (a, round(b, 1), c) for a, b, c in wanted
    ]


def test_a_wide_bin_is_the_mean_of_the_finer_ones_if_half_of_it_was_measured() -> None:
    fine, wide = daily(12, step=FINE), without(daily(12, step=WIDE), 24, 288)
    fine = without(without(fine, 48, 48.5), 49, 49.1)  # one whole bin is missing, and a third of another
    (one,) = joined([fine, wide])
    assert len(one) == 12 * 48 - 1 and np.all(np.diff(one.times) > 0)
    at = {int(time): value for time, value in zip(one.times, one.values, strict=True)}
    start = int(wide.times[0])
    expected = fine.values[(fine.times >= start + 60 * 3600) & (fine.times < start + 60 * 3600 + WIDE)].mean()
    assert at[start + 60 * 3600] == expected
    assert start + 48 * 3600 not in at
