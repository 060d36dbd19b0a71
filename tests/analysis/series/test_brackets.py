"""The bracket of an onset and of an end holds the truth however sparsely a series was sampled."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pytest

from fanous.analysis.series.baselines import shares
from fanous.analysis.series.depth import fall, rise
from fanous.analysis.series.signals import SIGNALS, Value
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Series
from tests.analysis.detectors.quantity_series import key
from tests.shared_data import shared_file

DAYS = 40
SIGNALS_TRIED = ("bgp", "atlas_connected", "ping-slash24", "gtr", "connectivity")
EVERY = (1, 2, 3, 4, 6, 12)


@dataclass(frozen=True, slots=True)
class Outage:
    """A loss of a level of 100, unix seconds."""

    start: float
    end: float
    left: float


def measured(signal: str, outage: Outage, noise: float, seed: int) -> Series:
    """What the signal's publisher sees of it, in its own bins: samples at their beginning, or means over them."""
    step = SIGNALS[signal].step
    times = DAY + step * np.arange(DAYS * DAY // step, dtype=np.int64)
    if SIGNALS[signal].value is Value.SAMPLE:
        lost = ((times >= outage.start) & (times < outage.end)).astype(np.float64)
    else:
        inside = np.minimum(times + step, outage.end) - np.maximum(times, outage.start)
        lost = np.clip(inside / step, 0, 1)
    values = 100 * (1 - (1 - outage.left) * lost)
    values *= 1 + noise * np.random.default_rng(seed).standard_normal(len(values))
    return _series(signal, step, times, values)


def thinned(series: Series, every: int, phase: int) -> Series:
    """Only every so many-th of its values."""
    kept = slice(phase, None, every)
    return _series(series.key.signal, series.step * every, series.times[kept], series.values[kept])


def _series(
    signal: str,
    step: int,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> Series:
    ones = np.ones(len(times), np.int64)
    return Series(key(signal), step, times, values, ones, 0 * ones, 0 * ones)


Bracket = tuple[float, float, float]
"""Earliest, best estimate, latest."""


def brackets(series: Series, outage: Outage) -> tuple[Bracket, Bracket]:
    """Of the onset and of the end, as of a detector that saw the low bins."""
    low = series.times[series.values < 50 * (1 + outage.left)]
    told = shares(series, float(low[0]))
    assert told is not None
    fell = fall(told, float(low[0]), float(low[-1] + series.step))
    back = rise(told, float(low[0]), float(low[-1] + series.step), np.inf, 1 - outage.left)
    assert fell is not None and back is not None
    return (fell.earliest, fell.at, fell.latest), (back.earliest, back.at, back.latest)


def outages(count: int, seed: int) -> Iterator[tuple[str, Outage, int]]:
    """A signal, an outage of it at any second, and a seed for its noise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        start = 31 * DAY + int(rng.integers(0, DAY))
        lasts = int(rng.integers(30 * HOUR, 100 * HOUR))
        left = float(rng.choice([0.02, 0.3, 0.6]))
        yield SIGNALS_TRIED[number % len(SIGNALS_TRIED)], Outage(start, start + lasts, left), number


@pytest.mark.parametrize("every", EVERY)
def test_without_noise_the_brackets_of_every_nth_value_hold_the_truth(every: int) -> None:
    for signal, outage, seed in outages(60, every):
        series = measured(signal, outage, 0.0, seed)
        for phase in {0, every // 2, every - 1}:
            begun, ended = brackets(thinned(series, every, phase), outage)
            assert begun[0] <= outage.start <= begun[2], (signal, phase)
            assert ended[0] <= outage.end <= ended[2], (signal, phase)
            assert begun[0] <= begun[1] <= begun[2] and ended[0] <= ended[1] <= ended[2]


@pytest.mark.parametrize("every", EVERY[1:])
def test_fewer_values_never_make_a_bracket_narrower(every: int) -> None:
    for signal, outage, seed in outages(40, every):
        series = measured(signal, outage, 0.005, seed)
        dense = brackets(series, outage)
        for phase in {0, every // 2, every - 1}:
            for (first, _, last), (earliest, _, latest) in zip(
                dense, brackets(thinned(series, every, phase), outage), strict=True
            ):
                assert latest - earliest >= last - first, (signal, phase)
                assert earliest <= first + series.step and latest >= last - series.step, (signal, phase)


def test_with_noise_nearly_all_of_five_hundred_brackets_hold_the_truth_and_span_two_steps() -> None:
    held, widths = [], []
    for signal, outage, seed in outages(250, 7):
        every = EVERY[seed % len(EVERY)]
        series = thinned(measured(signal, outage, 0.01, seed), every, seed % every)
        truths = (outage.start, outage.end)
        for (earliest, _, latest), truth in zip(brackets(series, outage), truths, strict=True):
            held.append(earliest <= truth <= latest)
            widths.append((latest - earliest) / series.step)
    assert len(held) == 500 and np.mean(held) >= 0.95
    assert np.median(widths) <= 2


def test_the_onset_of_samples_lies_between_the_last_good_one_and_the_first_bad_one() -> None:
    """A table of routes every six hours, as of Uganda in January 2021."""
    outage = Outage(31 * DAY + 16 * HOUR + 600, 35 * DAY + 8 * HOUR, 0.89)
    routes = thinned(measured("bgp", outage, 0.0003, 1), 72, 24)
    begun, ended = brackets(routes, outage)
    assert begun[0] == 31 * DAY + 14 * HOUR and begun[2] - (31 * DAY + 20 * HOUR) == SIGNALS["bgp"].step
    assert begun[1] == pytest.approx(31 * DAY + 17 * HOUR, abs=300)
    assert ended[0] == 35 * DAY + 2 * HOUR and ended[2] - (35 * DAY + 8 * HOUR) == SIGNALS["bgp"].step


REAL = (
    ("ioda_irn_2019-11_probing.csv.gz", "ping-slash24", 17 * HOUR, 17 * HOUR + 1200),
    ("ioda_irn_2019-11_as44244_bgp.csv.gz", "bgp", 14 * HOUR + 1200, 14 * HOUR + 1500),
)
"""IODA's series of Iran's shutdown of 16 November 2019, and between which seconds of that day it began."""

NOVEMBER_16 = 1573862400


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "signal", "earliest", "latest"), REAL)
def test_every_nth_value_of_a_real_series_still_holds_the_truth_and_never_tells_it_more_narrowly(
    name: str, signal: str, earliest: int, latest: int
) -> None:
    series = _real(name, signal)
    level = float(np.median(series.values[series.times < NOVEMBER_16]))
    dense: tuple[float, float] | None = None
    for every in EVERY:
        for phase in range(every):
            one = thinned(series, every, phase)
            low = one.times[(one.times >= NOVEMBER_16 + earliest - one.step) & (one.values < 0.5 * level)]
            told = shares(one, float(low[0]))
            fell = None if told is None else fall(told, float(low[0]), float(one.times[-1] + one.step))
            assert fell is not None
            assert fell.earliest <= NOVEMBER_16 + latest and fell.latest >= NOVEMBER_16 + earliest
            dense = dense or (fell.earliest, fell.latest)
            assert fell.latest - fell.earliest >= dense[1] - dense[0], (every, phase)


def _real(name: str, signal: str) -> Series:
    with gzip.open(shared_file(f"signals/{name}"), "rt") as file:
        rows = list(csv.DictReader(file))
    times = np.array([int(datetime.fromisoformat(row["time"]).timestamp()) for row in rows], np.int64)
    values = np.array([float(row.get("up24") or row["visible24"]) for row in rows])
    return _series(signal, SIGNALS[signal].step, times, values)
