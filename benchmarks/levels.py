"""Levels: 10,000 series of 30 days of ten-minute bins through the whole level detector, one core.

    python -m benchmarks.levels [--series N] [--days N]

Prints seconds from the series as the store gives them to anomalies.  One series in twenty has an outage of
ten hours, one in a hundred a curfew on ten nights; all have a daily curve and noise.
"""

import argparse
import resource
import time

import numpy as np

from fanous.analysis.detectors.drop import DROP
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

STEP = 600
BINS = 86400 // STEP


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--series", type=int, default=10_000)
    options.add_argument("--days", type=int, default=30)
    chosen = options.parse_args()
    series = [_series(number, chosen.days) for number in range(chosen.series)]
    start, clock = time.process_time(), time.perf_counter()
    found = DROP.found(series)
    took, passed = time.process_time() - start, time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{chosen.series:,} series x {chosen.days} days of {STEP} s bins, one process:")
    print(f"  {took:.1f} s of processor time, {passed:.1f} s passed")
    print(f"{len(found):,} anomalies, {peak:.0f} MB resident at the most (the series themselves included)")


def _series(number: int, days: int) -> Series:
    chance = np.random.default_rng(number)
    hour = np.arange(days * BINS) % BINS / BINS
    values = 1000 * (1 + 0.3 * np.sin(2 * np.pi * hour)) * (1 + 0.02 * chance.standard_normal(days * BINS))
    if number % 20 == 0:
        values[20 * BINS : 20 * BINS + 60] *= 0.5
    if number % 100 == 1:
        for night in range(15, min(25, days)):
            values[night * BINS + 6 : night * BINS + 54] *= 0.05
    ones = np.ones(len(values), np.int64)
    key = SeriesKey(Place("XA", number + 1), "", "ping-slash24", source="made up")
    return Series(key, STEP, STEP * np.arange(len(values), dtype=np.int64), values, ones, 0 * ones, 0 * ones)


if __name__ == "__main__":
    main()
