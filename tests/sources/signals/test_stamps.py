"""What the time of a value marks: the beginning of its bin, or its end."""

import json
from pathlib import Path

import numpy as np
import pytest

from fanous.model.series import SourceSeries
from fanous.sources.connector import Gather, Stamp, TableColumns, Transport
from fanous.sources.publishers import LIVE_SOURCES, SERIES_FILES, SOURCES
from tests.documents import ROOT
from tests.shared_data import shared_file
from tests.sources.signals.reads import read
from tests.sources.signals.samples import NAMES, SAMPLES, T0

HOUR = 3600
START = 1_704_067_200
"""1 January 2024, 00:00 UTC."""


def table(step: int, values: list[float], first: int = START) -> bytes:
    rows = "".join(f"{first + n * step},{value}\n" for n, value in enumerate(values))
    return f"time,value\n{rows}".encode()


def columns(signal: str, stamp: Stamp = Stamp.KNOWN, **given: object) -> TableColumns:
    return TableColumns("time", "value", signal, stamp=stamp, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signal", "stamp", "behind"),
    [
        ("google_traffic", Stamp.KNOWN, 2 * HOUR),
        ("google_traffic", Stamp.START, 0),
        ("connectivity", Stamp.KNOWN, 0),
        ("connectivity", Stamp.END, 2 * HOUR),
    ],
)
def test_a_time_marks_what_its_publisher_or_the_user_says(
    tmp_path: Path, signal: str, stamp: Stamp, behind: int
) -> None:
    found = read("csv", tmp_path / "x", table(2 * HOUR, [1.0] * 30), columns=columns(signal, stamp))
    levels = found.readings[0].levels
    assert (levels.step, int(levels.times[0])) == (2 * HOUR, START - behind)


@pytest.mark.parametrize("step", [300, 1800, 3 * HOUR, 24 * HOUR])
def test_a_table_keeps_its_own_bins_and_times(tmp_path: Path, step: int) -> None:
    found = read("csv", tmp_path / "x", table(step, [1.0] * 40, START + 60), columns=columns("gtr"))
    levels = found.readings[0].levels
    assert (levels.step, len(levels), int(levels.times[0])) == (step, 40, START + 60)


def test_a_table_of_single_answers_has_the_bins_of_its_signal(tmp_path: Path) -> None:
    counted = columns("responders", gather=Gather.COUNT)
    found = read("csv", tmp_path / "x", table(7 * 60, [1.0] * 40), columns=counted)
    assert found.readings[0].levels.step == HOUR
    odd = read("csv", tmp_path / "y", table(7 * 60, [1.0] * 40), columns=columns("connectivity"))
    assert odd.readings[0].levels.step == HOUR, "no day is a whole number of seven minutes"


def test_google_writes_the_end_of_a_bin() -> None:
    rows = [[(START + n * 2 * HOUR) * 1000, [[None, 1.0]]] for n in range(3)]
    data = b")]}'\n\n" + json.dumps([["tr.atsr", rows]]).encode()
    (levels,) = LIVE_SOURCES["google"].parse(data, "RU", "product=21").series
    assert levels.times.tolist() == [START - 2 * HOUR, START, START + 2 * HOUR]


STARTS = {
    "ioda": T0,
    "ioda-csv": 1_764_547_200,  # 1 December 2025
    "ripestat": T0,
    "radar": T0,
    "tor": T0 - 24 * HOUR,  # the whole of 14 November
    "ndt": 1_702_825_200,  # of the hour in which the first test began
    "mrt": T0,
    "atlas": T0,
    "csv": 1_764_547_200,
    "google": T0 - HOUR / 2,
}
"""Beginning of the first bin of each sample: as docs/formats.md says of each source."""


@pytest.mark.parametrize("source", STARTS)
def test_the_first_bin_of_each_source_begins_when_its_clock_says(tmp_path: Path, source: str) -> None:
    told = columns("connectivity") if source == "csv" else None
    found = read(source, tmp_path / NAMES.get(source, "x"), SAMPLES[source], columns=told)
    assert {float(reading.levels.times[0]) for reading in found.readings} == {STARTS[source]}


def test_every_source_of_series_has_its_clock_in_the_documents() -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = text.partition("### Clocks of the sources")[2].partition("\n### ")[0]
    missing = [
        name
        for name, source in SOURCES.items()
        if (name in SERIES_FILES or source.pulled is Transport.STREAM)
        and f"`{name}`" not in rows
        and "outages" not in name
    ]
    assert missing == []
    assert set(STARTS) == {name for name in SERIES_FILES if "outages" not in name}


@pytest.mark.shared_data
def test_two_answers_of_google_agree_only_where_times_are_ends(tmp_path: Path) -> None:
    """How the stamp was decided: three-hour and two-hour bins of the same product and weeks."""
    raw = shared_file("signals/gtr_raw_answer_ru.txt").read_bytes()
    (coarse,) = LIVE_SOURCES["google"].parse(raw, "RU", "product=21").series
    path = shared_file("signals/gtr_youtube_ru.csv.gz")
    told = TableColumns("date and time", "value", "google_traffic")
    fine = read("csv", path, None, columns=told).readings[0].levels
    assert (coarse.step, fine.step) == (3 * HOUR, 2 * HOUR)
    apart = {(a, b): differ(moved(coarse, a), moved(fine, b)) for a in (0, 1) for b in (0, 1)}
    assert apart[0, 0] < 0.02, "both read as ends"
    assert min(value for which, value in apart.items() if which != (0, 0)) > 0.1


def moved(one: SourceSeries, bins: int) -> SourceSeries:
    return SourceSeries(one.key, one.step, one.times + bins * one.step, one.values)


def differ(coarse: SourceSeries, fine: SourceSeries) -> float:
    """Root mean square between the coarse values and the means of the fine ones over the same hours."""
    hours = np.arange(int(coarse.times[0]), int(coarse.times[-1]) + coarse.step, HOUR)
    at = np.searchsorted(fine.times, hours, side="right") - 1
    covered = hours - fine.times[at] < fine.step
    by_hour = np.where(covered, fine.values[at], np.nan).reshape(-1, 3)
    whole = ~np.isnan(by_hour).any(axis=1)
    made, given = by_hour[whole].mean(axis=1), coarse.values[whole]
    made = made * (made @ given) / (made @ made)
    return float(np.sqrt(np.mean((given - made) ** 2)) / given.mean())
