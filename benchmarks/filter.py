"""Filter: the two-state filter over 40,000 series of 288 ticks (two days of ten minutes), one core.

    python -m benchmarks.filter [--series N] [--ticks N]

Prints seconds for the emissions with the burst clip, the forward pass, the smoother, and all of the
detector on series as the store gives them.
"""

import argparse
import time

import numpy as np

from fanous.detectors import DETECTORS
from fanous.detectors.filter import Bins, clip_bursts, forward, log_likelihood_ratio, smooth
from fanous.model.entity import Entity
from fanous.model.series import Series, SeriesKey

STEP = 600
DAY = 86400.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--series", type=int, default=40_000)
    options.add_argument("--ticks", type=int, default=288)
    chosen = options.parse_args()
    shape = (chosen.ticks, chosen.series)
    chance = np.random.default_rng(1)
    probes = chance.integers(1, 6, shape)
    failing = chance.binomial(probes, 0.01)
    failing[200:260, ::100] = probes[200:260, ::100]
    times = np.repeat(np.arange(chosen.ticks, dtype=np.int64)[:, None] * STEP, chosen.series, axis=1)
    bins = Bins(times, failing, probes, np.ones(shape, np.bool_))
    took = {}
    start = time.perf_counter()
    ratio = clip_bursts(log_likelihood_ratio(bins, np.full(chosen.series, 0.02), 0.9, 0.2), bins, 4.0)
    took["emissions and clip"] = time.perf_counter() - start
    rate = np.full(shape, 1 / (30 * DAY))
    start = time.perf_counter()
    filtered = forward(ratio, times, rate, 1 / DAY)
    took["forward"] = time.perf_counter() - start
    start = time.perf_counter()
    smooth(filtered, times, rate, 1 / DAY)
    took["smooth"] = time.perf_counter() - start
    series = [
        Series(
            SeriesKey(Entity("XA", 1 + n % 100), f"target {n // 100}", "blocked_path"),
            STEP,
            times[:, n],
            failing[:, n] / probes[:, n],
            probes[:, n],
            probes[:, n],
            probes[:, n],
        )
        for n in range(chosen.series)
    ]
    detector = DETECTORS["blocking"]
    start = time.perf_counter()
    found = detector.find(series, detector.options)
    whole = time.perf_counter() - start
    print(f"{chosen.series:,} series x {chosen.ticks} ticks, one process")
    for name, seconds in took.items():
        print(f"  {name:20} {seconds:6.2f} s")
    print(f"  {'filter in all':20} {sum(took.values()):6.2f} s")
    print(f"  {'whole detector':20} {whole:6.2f} s, {len(found)} anomalies (baselines, alerts, stretches)")


if __name__ == "__main__":
    main()
