"""A country that falls silent: when, and what may be behind it."""

from pathlib import Path

import numpy as np
import pytest

from fanous.analysis.series.silence import CollapseReading, at_most, collapses
from fanous.errors import FanousError
from fanous.model.instant import DAY, from_iso
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.sources.ooni_counts import read_counts
from tests.commands import document, fanous
from tests.shared_data import shared_file


def network(asn: int, days: str) -> Series:
    """``x`` = heard on that day, ``.`` = not."""
    times = np.array([(n + 1) * DAY for n, mark in enumerate(days) if mark == "x"], np.int64)
    ones = np.ones(len(times), np.int64)
    return Series(
        SeriesKey(Place("IR", asn), "", "measurements"),
        DAY,
        times,
        ones.astype(np.float64),
        ones,
        ones,
        ones,
    )


def country(days: str, count: int = 8) -> list[Series]:
    return [network(asn, days) for asn in range(1, count + 1)]


CUT = "x" * 10 + "..." + "xx"


def until(days: str) -> float:
    return float((len(days) + 1) * DAY)


def test_a_blackout_is_told_from_a_collector_that_failed_by_other_countries() -> None:
    (here,) = collapses(country(CUT), country("x" * 15), until(CUT))
    assert (here.start, here.end, here.reading) == (11 * DAY, 14 * DAY, CollapseReading.BLACKED_OUT)
    (everywhere,) = collapses(country(CUT), country(CUT), until(CUT))
    assert everywhere.reading is CollapseReading.COLLECTOR
    (alone,) = collapses(country(CUT), [], until(CUT))
    assert alone.reading is CollapseReading.CANNOT_TELL


def test_volunteers_of_some_networks_who_are_offline_are_no_collapse() -> None:
    some = country("x" * 15, 5) + [network(asn, CUT) for asn in (8, 9, 10)]
    assert collapses(some, country("x" * 15), until(CUT)) == []


def test_a_country_that_was_hardly_heard_before_cannot_fall_silent() -> None:
    assert collapses(country("x..x....x..x...", 3), country("x" * 15), until(CUT)) == []
    assert collapses(country("xxx....", 8), country("x" * 7), until("xxx....")) == []


def test_a_long_silence_never_becomes_the_habit() -> None:
    days = "x" * 10 + "." * 20
    (one,) = collapses(country(days), country("x" * 30), until(days))
    assert (one.start, one.end) == (11 * DAY, None)


def test_the_chance_is_poissons_binomial() -> None:
    assert at_most(np.array([0.5, 0.5]), 0) == pytest.approx(0.25)
    assert at_most(np.array([0.9, 0.8, 0.3]), 1) == pytest.approx(
        0.1 * 0.2 + 0.9 * 0.2 * 0.7 + 0.1 * 0.8 * 0.7
    )


@pytest.mark.shared_data
def test_irans_blackout_of_november_2019_is_one_silence_from_its_first_whole_day() -> None:
    counts = read_counts(shared_file("ooni/iran-2019-blackout-ooni-count-by-asn-day.csv"))
    end = max(float(one.times[-1]) for one in counts) + DAY
    (one,) = collapses(counts, [], end)
    assert one.start == from_iso("2019-11-17T00:00Z")
    assert one.reading is CollapseReading.CANNOT_TELL  # the file counts Iran alone
    assert one.chance < 1e-4 and one.heard < 3 < 8 < one.expected


def test_a_table_of_counts_is_judged_on_the_command_line(tmp_path: Path) -> None:
    rows = [f'5,"2019-11-{day:02} 00:00:00",{asn}' for asn in range(1, 9) for day in range(1, 11)]
    table = tmp_path / "counts.csv"
    table.write_text("\n".join(["count,test_day,probe_asn", *rows, '1,"2019-11-12 00:00:00",1']) + "\n")
    (found,) = document("networks", "--counts", table)["collapses"]
    assert (found["start"], found["reading"]) == ("2019-11-11T00:00:00Z", "cannot_tell")
    assert "SILENT  2019-11-11" in fanous("networks", "--counts", table).stdout
    table.write_text("count,test_day,probe_asn\n1,someday,2\n")
    assert "line 2" in fanous("networks", "--counts", table, code=1).stderr


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "count,test_day,probe_asn\n", "count,test_day,probe_asn\n-1,2019-11-12,3\n"]
)
def test_what_is_no_table_of_counts_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(FanousError):
        read_counts(path)
