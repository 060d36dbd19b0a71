"""Detect: levels of many series through the whole level detector, next to pandas' rolling median and spread.

The peer does a part of the work: the median and the median deviation of a week, without time of day, without
alerts and stretches.  It is what an analyst would write first.
"""

import time

import numpy as np
import pandas as pd
from benchmarks.peers.figure import Figure

from fanous.analysis.detectors.drop import DROP
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

STEP = 600
BINS = 86_400 // STEP
WEEK = 7 * BINS


def measured(count: int, days: int) -> list[Figure]:
    """By processor time; one series of twenty has an outage of ten hours."""
    series = [_series(number, days) for number in range(count)]
    start = time.process_time()
    found = DROP.found(series)
    ours = time.process_time() - start
    start = time.process_time()
    for one in series:
        _by_pandas(one.values)
    theirs = time.process_time() - start
    what = f"{count:,} series of {days} days in bins of {STEP // 60} minutes"
    return [
        Figure("fanous to pandas", round(theirs / ours, 2), "x", "series a second, the first to the second"),
        Figure("fanous, whole detector", round(count / ours, 1), "series/s and core",
               f"{what}: ordinary levels by time of day, alerts, stretches; {len(found)} anomalies"),
        Figure("pandas, median and deviation", round(count / theirs, 1), "series/s and core",
               f"{what}: rolling over a week, nothing else"),
    ]  # fmt: skip


def _by_pandas(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    line = pd.Series(values)
    middle = line.rolling(WEEK, min_periods=BINS).median()
    (line - middle).abs().rolling(WEEK, min_periods=BINS).median()


def _series(number: int, days: int) -> Series:
    chance = np.random.default_rng(number)
    hour = np.arange(days * BINS) % BINS / BINS
    values = 1000 * (1 + 0.3 * np.sin(2 * np.pi * hour)) * (1 + 0.02 * chance.standard_normal(days * BINS))
    if number % 20 == 0:
        values[-5 * BINS : -5 * BINS + 60] *= 0.5
    ones = np.ones(len(values), np.int64)
    key = SeriesKey(Place("XA", number + 1), "", "ping-slash24", source="made up")
    return Series(key, STEP, STEP * np.arange(len(values), dtype=np.int64), values, ones, 0 * ones, 0 * ones)
