"""The file that IODA's dashboard exports."""

from pathlib import Path

import numpy as np
import pytest

from fanous.errors import FanousError
from fanous.sources.connector import WHOLE_FILE
from tests.each import each
from tests.shared_data import shared_file
from tests.sources.signals.reads import read

HEAD = '"Time (UTC)","Google (Search)","BGP (#Visible /24s)","Mozilla (City Count)"\n'


def test_each_column_is_a_series_at_its_own_step(tmp_path: Path) -> None:
    rows = (
        '"2025-12-01 00:00:00","20.5","99.5","15"\n'
        '"2025-12-01 00:30:00","","99.25",""\n'
        '"2025-12-01 01:00:00","19.5","0","14"\n'
    )
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + rows).encode())
    assert found.rejects == []
    assert found.shown["PK", "bgp", ""] == [99.5, 99.25, 0]
    assert found.shown["PK", "mozilla", ""] == [15, 14], "an empty cell between two bins is not a gap"
    assert found.lines == {2, 3, 4}


def test_an_empty_cell_on_the_grid_of_its_column_was_not_measured(tmp_path: Path) -> None:
    rows = "".join(f'"2025-12-01 0{h}:00:00","{v}","1","1"\n' for h, v in enumerate([1, 2, "", 4, 5]))
    values = read("ioda-csv", tmp_path / "x.csv", (HEAD + rows).encode()).shown["PK", "gtr", "WEB_SEARCH"]
    assert np.isnan(values[2])
    assert [v for v in values if v == v] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('"noon","1","2","3"', "is not a time"),
        ('"2025-12-01 02:00:00","1","2"', "3 fields where the first line names 4"),
        ('"2025-12-01 02:00:00","many","inf","1_000"', "no number among the values"),
        ('"2025-12-01 00:00:00","1","2","4"', "earlier line"),
        ("", "empty line"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, row: str, why: str) -> None:
    good = '"2025-12-01 00:00:00","1","2","3"\n'
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + good + row + "\n").encode())
    ((line, reason),) = found.rejects
    assert line == 3
    assert why in reason
    assert found.shown["PK", "bgp", ""] == [2]


@each("cell", ["N/A", "#N/A", "n/a", "#VALUE!", "NaN", "null", "-", ""])
def test_a_cell_that_says_that_nothing_was_measured_takes_nothing_from_its_line(
    tmp_path: Path, cell: str
) -> None:
    rows = "".join(
        f"2025-12-01 {h}:00,{g},{b},1\n" for h, g, b in ((0, 5, 7), (1, cell, 8), (2, 6, 9), (3, 7, 9))
    )
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + rows).encode())
    assert found.rejects == []
    assert found.shown["PK", "bgp", ""] == [7, 8, 9, 9]
    assert np.isnan(found.shown["PK", "gtr", "WEB_SEARCH"][1])


@pytest.mark.parametrize("cell", ["many", "inf", "1_000", "20x5"])
def test_cells_that_are_no_numbers_are_not_measured_and_told_once(tmp_path: Path, cell: str) -> None:
    rows = "".join(f"2025-12-01 {h}:00,{g},{b},1\n" for h, g, b in ((0, 5, 7), (1, cell, 8), (2, cell, 9)))
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + rows).encode())
    ((line, why),) = found.rejects
    assert line == WHOLE_FILE
    assert f"2 values are not numbers (first {cell!r} in line 3)" in why
    assert found.shown["PK", "bgp", ""] == [7, 8, 9]
    assert found.lines == {2, 3, 4}


@each(
    ("head", "signal", "value"),
    [
        ("Active Probing Loss (%)", "ping-slash24-loss", 0.5),
        ("Loss", "ping-slash24-loss", 0.5),
        ("Loss Rate (%)", "ping-slash24-loss", 0.5),
        ("Packet Loss", "ping-slash24-loss", 0.5),
        ("Probe/Response Loss Rate (%)", "ping-slash24-loss", 0.5),
        ("loss_pct", "ping-slash24-loss", 0.5),
        ("Packet Loss (share)", "ping-slash24-loss", 50),
        ("Median", "ping-slash24-latency", 50),
        ("Median Latency", "ping-slash24-latency", 50),
        ("RTT Latency (ms)", "ping-slash24-latency", 50),
        ("median_latency", "ping-slash24-latency", 50),
        ("ping-slash24-latency", "ping-slash24-latency", 50),
        ("Active Probing (#/24s Up)", "ping-slash24", 50),
        ("gtr-norm.WEB_SEARCH", "gtr-norm", 50),
    ],
)
def test_loss_is_a_share_and_latency_is_known_by_all_its_names(
    tmp_path: Path, head: str, signal: str, value: float
) -> None:
    found = read("ioda-csv", tmp_path / "x.csv", f"Time (UTC),{head}\n2025-12-01 0:00,50\n".encode())
    assert [(key[1], values) for key, values in found.shown.items()] == [(signal, [value])]


@pytest.mark.parametrize("head", ["Range (low)", "90th and 10th Percentile", "Loss of rain", "Lossy"])
def test_what_is_no_median_and_no_loss_is_passed_over(tmp_path: Path, head: str) -> None:
    data = f"Time (UTC),bgp,{head}\n2025-12-01 0:00,5,50\n"
    found = read("ioda-csv", tmp_path / "x.csv", data.encode())
    assert len(found.readings) == 1
    assert "skipped" in found.rejects[0][1]


def test_an_exact_repetition_is_counted_once(tmp_path: Path) -> None:
    good = '"2025-12-01 00:00:00","1","2","3"\n'
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + good + good).encode())
    assert found.repeats == [3]


TWO = '"2025-12-01 00:00:00","20.5","99.5","15"\n"2025-12-01 00:30:00","19.5","99.25","14"\n'


@each(
    "data",
    [
        (HEAD + TWO).replace(",", ";").replace(".", ","),  # a spreadsheet in German, Urdu or French
        (HEAD + TWO).replace('","', '"\t"'),
        "\ufeff" + (HEAD + TWO).replace("\n", "\r\n"),
        (HEAD + TWO).replace('"', "").replace("Time (UTC)", "DateTime"),
        (HEAD + TWO).replace("Google (Search)", "gtr.WEB_SEARCH").replace("BGP (#Visible /24s)", "bgp"),
        (HEAD + TWO).replace("Google (Search)", "Google Search"),
        '"Google (Search)","BGP (#Visible /24s)","Time (UTC)","Mozilla (City Count)"\n'
        '"20.5","99.5","2025-12-01T00:00:00Z","15"\n"19.5","99.25","2025-12-01T04:00:00+03:30","14"\n',
    ],
)
def test_the_same_table_in_another_dress_is_the_same_table(tmp_path: Path, data: str) -> None:
    found = read("ioda-csv", tmp_path / "x.csv", data.encode())
    assert found.rejects == []
    assert found.shown == {
        ("PK", "gtr", "WEB_SEARCH"): [20.5, 19.5],
        ("PK", "bgp", ""): [99.5, 99.25],
        ("PK", "mozilla", ""): [15, 14],
    }


def test_a_column_that_is_passed_over_is_named_and_rejects_no_line(tmp_path: Path) -> None:
    head = HEAD.replace("\n", ',"Note","BGP (#Visible /24s)"\n')
    found = read("ioda-csv", tmp_path / "x.csv", (head + TWO.replace('"\n', '","1","2"\n')).encode())
    assert [(line, why.split(":")[0]) for line, why in found.rejects] == [
        (WHOLE_FILE, "the column 'Note' is not a known signal of IODA's dashboard"),
        (WHOLE_FILE, "the column 'BGP (#Visible /24s)' occurs twice"),
    ]
    assert found.shown["PK", "bgp", ""] == [99.5, 99.25]


def test_a_step_that_no_detector_looks_at_is_reported(tmp_path: Path) -> None:
    rows = "".join(f"{1764547200 + 1700 * n},1,2,3\n" for n in range(4))
    found = read("ioda-csv", tmp_path / "x.csv", (HEAD + rows).encode())
    assert {line for line, _ in found.rejects} == {WHOLE_FILE}
    assert all("not searched for" in why for _, why in found.rejects)


@pytest.mark.parametrize("zone", ["Time (UTC+3:30)", "Local time", "Time (IRST)"])
def test_times_of_another_clock_are_not_taken_for_utc(tmp_path: Path, zone: str) -> None:
    with pytest.raises(FanousError, match="lacks Time"):
        read("ioda-csv", tmp_path / "x.csv", (HEAD + TWO).replace("Time (UTC)", zone).encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "x.csv is empty"),
        (b"\n\n", "x.csv is empty"),
        ((HEAD + TWO).encode("utf-16"), "is UTF-16.* save it as UTF-8"),
        (b"\x01\r\x02,\n", "not a text table"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(FanousError, match=why):
        read("ioda-csv", tmp_path / "x.csv", data)


def test_a_head_without_rows_is_reported(tmp_path: Path) -> None:
    found = read("ioda-csv", tmp_path / "x.csv", HEAD.encode())
    assert (WHOLE_FILE, "there are no rows below the line with the names of the columns") in found.rejects


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b'"Time (UTC)","Weather"\n"2025-12-01","1"\n', b"{}"])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FanousError, match=r"lacks|no column|is empty"):
        read("ioda-csv", tmp_path / "x.csv", data)


@pytest.mark.shared_data
def test_a_real_export_is_read_whole() -> None:
    found = read("ioda-csv", shared_file("signals/ioda_export_quiet_2025-12.csv.gz"))
    assert found.rejects == [] and found.repeats == []
    assert len(found.lines) == 1680
    steps = {r.levels.key.signal: (r.levels.step, len(r.levels)) for r in found.readings}
    assert steps == {
        "gtr": (1800, 1680),
        "merit-nt": (1800, 1680),
        "bgp": (1800, 1680),
        "ping-slash24": (1800, 1680),
        "mozilla": (3600, 840),
    }
