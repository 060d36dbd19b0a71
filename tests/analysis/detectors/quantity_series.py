"""Level series for tests, spelled by eye; a day has 48 bins of half an hour and begins at midnight, UTC."""

import numpy as np

from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from tests.builders import DAY, make_series

STEP = 1800
HOUR = 3600


def key(signal: str = "ping-slash24", entity: Place | None = None) -> SeriesKey:
    return SeriesKey(entity or Place("XA"), "", signal, source="a test")


def levels(
    notation: str, *, signal: str = "ping-slash24", step: int = STEP, entity: Place | None = None
) -> Series:
    return make_series(notation, step=step, key=key(signal, entity))


def daily(
    days: int, *, noise: float = 0.0, swing: float = 0.4, signal: str = "gtr", step: int = STEP, seed: int = 1
) -> Series:
    """An ordinary daily curve of 100 on average, with noise of its own."""
    bins = 86400 // step
    times = DAY + step * np.arange(days * bins, dtype=np.int64)
    hour = np.arange(days * bins) % bins / bins
    values = 100 * (1 + swing * np.sin(2 * np.pi * hour))
    values *= 1 + noise * np.random.default_rng(seed).standard_normal(len(values))
    ones = np.ones(len(times), np.int64)
    return Series(key(signal), step, times, values, ones, 0 * ones, 0 * ones)


def cut(series: Series, first: float, last: float, left: float) -> Series:
    """The same with ``left`` of its level between two hours since the beginning."""
    at = (series.times - series.times[0]) / HOUR
    values = np.where((at >= first) & (at < last), series.values * left, series.values)
    return replaced(series, series.times, values)


def without(series: Series, first: float, last: float) -> Series:
    """The same with no bins between two hours since the beginning."""
    at = (series.times - series.times[0]) / HOUR
    kept = (at < first) | (at >= last)
    return replaced(series, series.times[kept], series.values[kept])


def replaced(
    series: Series,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> Series:
    ones = np.ones(len(times), np.int64)
    return Series(series.key, series.step, times, values, ones, 0 * ones, 0 * ones)
