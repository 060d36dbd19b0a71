"""Made-up speeds: what was put in can be seen in them."""

import numpy as np

from fanous_lab.evaluation.simulate.series import SpeedCountry, speeds

SMALL = SpeedCountry(asns=(17557,), days=2)


def by_hour(country: SpeedCountry, seed: int = 1) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    kbps, rtt = speeds(country, "ndt", "ndt", seed)
    return np.array(
        [[np.median(s.values[s.times // 3600 % 24 == hour]) for hour in range(24)] for s in (kbps, rtt)]
    )


def test_evenings_are_slow_and_delays_grow() -> None:
    kbps, rtt = by_hour(SMALL)
    assert kbps[21] < 0.75 * kbps[5]
    assert rtt[21] > 1.3 * rtt[5]


def test_a_slow_down_and_a_cap_are_where_they_were_put() -> None:
    slow, _ = by_hour(SpeedCountry(asns=(17557,), days=2, slowed=((0, 48, 0.3),)))
    ordinary, _ = by_hour(SMALL)
    assert np.allclose(slow / ordinary, 0.3, rtol=0.02)
    capped, _ = by_hour(SpeedCountry(asns=(17557,), days=2, capped=((0, 48, 1500.0),)))
    assert capped.max() <= 1500


def test_the_same_seed_gives_the_same_speeds() -> None:
    assert np.array_equal(by_hour(SMALL), by_hour(SMALL))
    assert not np.array_equal(by_hour(SMALL), by_hour(SMALL, seed=2))
