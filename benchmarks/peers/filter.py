"""Filter: the two-state filter over 40,000 series of 288 ticks (two days of ten minutes), one core.

Seconds for the emissions with the burst clip, the forward pass, the smoother, and all of the detector on
series as the store gives them.
"""

import time

import numpy as np
from benchmarks.peers.figure import Figure

from fanous.analysis.detectors.interference import (
    BLOCKING,
    Bins,
    alone,
    clip_bursts,
    forward,
    log_likelihood_ratio,
    smooth,
)
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey

STEP = 600
DAY = 86400.0


def measured(count: int, ticks: int) -> list[Figure]:
    """Measured on made-up series, a hundredth of which fail for a while."""
    shape = (ticks, count)
    chance = np.random.default_rng(1)
    probes = chance.integers(1, 6, shape)
    failing = chance.binomial(probes, 0.01)
    failing[200:260, ::100] = probes[200:260, ::100]
    times = np.repeat(np.arange(ticks, dtype=np.int64)[:, None] * STEP, count, axis=1)
    bins = Bins(times, failing, probes, np.ones(shape, np.bool_), np.zeros(shape, np.bool_))
    took = {}
    start = time.perf_counter()
    ratio = clip_bursts(log_likelihood_ratio(bins, np.full(count, 0.02), 0.9, 0.2, STEP), bins, 4.0, STEP)
    took["emissions and clip"] = time.perf_counter() - start
    rate = np.full(shape, 1 / (30 * DAY))
    start = time.perf_counter()
    filtered = forward(ratio, times, rate, 1 / DAY, alone(shape))
    took["forward"] = time.perf_counter() - start
    start = time.perf_counter()
    smooth(filtered, times, rate, 1 / DAY, alone(shape))
    took["smooth"] = time.perf_counter() - start
    series = [
        Series(
            SeriesKey(Place("XA", 1 + n % 100), f"target {n // 100}", "blocked_path"),
            STEP,
            times[:, n],
            failing[:, n] / probes[:, n],
            probes[:, n],
            probes[:, n],
            probes[:, n],
        )
        for n in range(count)
    ]
    start = time.perf_counter()
    found = BLOCKING.found(series)
    whole = time.perf_counter() - start
    includes = f"{count:,} series of {ticks} ticks, one process"
    return [
        Figure(
            "whole detector", round(whole, 3), "s", f"{len(found)} anomalies: baselines, alerts, stretches"
        ),
        Figure("filter in all", round(sum(took.values()), 3), "s", includes),
        *(Figure(name, round(seconds, 3), "s") for name, seconds in took.items()),
    ]
