"""A fixed rate and a crowded line are told apart; if they cannot be, nothing is said."""

import numpy as np
import pytest

from fanous.analysis.policing import PROBES, SlownessCause, deming, policing
from fanous.model.reason import Reason
from fanous.model.series import RatePair
from fanous.wording.reasons import reasons_text


def rates(
    slope: float, *, probes: int = 8, spread: float = 1.0, noise: float = 0.3, seed: int = 1
) -> list[RatePair]:
    """Three measurements a probe; lines of some 5 Mbit/s, a target of 137 kbit/s for the median one."""
    chance = np.random.default_rng(seed)
    line = chance.normal(0, spread, probes)
    return [
        RatePair(
            f"p{n}",
            1,
            "x",
            float(137 * np.exp(slope * line[n] + chance.normal(0, noise))),
            float(5000 * np.exp(line[n] + chance.normal(0, noise))),
        )
        for n in range(probes)
        for _ in range(3)
    ]


@pytest.mark.parametrize(("slope", "cause"), [(0.0, SlownessCause.POLICER), (1.0, SlownessCause.CONGESTION)])
def test_the_slope_tells_a_policer_from_congestion(slope: float, cause: SlownessCause) -> None:
    told = [policing(rates(slope, seed=seed)) for seed in range(20)]
    assert sum(one.cause is cause for one in told) >= 16
    other = SlownessCause.CONGESTION if cause is SlownessCause.POLICER else SlownessCause.POLICER
    assert not any(one.cause is other for one in told)


def test_a_policers_rate_is_stated_with_its_interval() -> None:
    one = policing(rates(0.0))
    assert one.kbps is not None and one.kbps.low < 137 < one.kbps.high
    assert (one.reason.code, one.reason.params["probes"]) == ("slow.policer", 8)
    assert reasons_text([one.reason]).startswith("The speed hardly depends on the probe's line")


def test_few_probes_or_lines_that_are_alike_tell_nothing() -> None:
    few = policing(rates(0.0, probes=PROBES - 1))
    assert (few.cause, few.slope) == (SlownessCause.CANNOT_TELL, None)
    assert few.reason == Reason("slow.few_probes", {"probes": 4, "needed": 5})
    alike = policing(rates(0.0, spread=0.01, noise=0.05))
    assert (alike.cause, alike.reason) == (SlownessCause.CANNOT_TELL, Reason("slow.alike"))
    assert policing([]).kbps is None


def test_one_probe_that_measures_often_is_one_point() -> None:
    many = [RatePair("a", 1, "x", 100.0, 1000.0 * (n + 1)) for n in range(50)]
    assert policing(many).probes == 1


def test_errors_on_both_sides_do_not_flatten_the_slope() -> None:
    """Baseline least squares reads a true 1 as .75 here."""
    chance = np.random.default_rng(3)
    true = chance.normal(0, 0.6, 5000)
    x, y = (true + chance.normal(0, 0.35, 5000) for _ in range(2))
    assert np.polyfit(x, y, 1)[0] < 0.8
    assert deming(x, y) == pytest.approx(1.0, abs=0.05)
    assert deming(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 0.0
