"""Tables of any shape."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fanous.errors import FanousError
from fanous.sources.connector import WHOLE_FILE, Gather, TableColumns
from tests.each import each
from tests.shared_data import shared_file
from tests.sources.signals.reads import read

PLAIN = TableColumns("time", "value", "connectivity")
HOUR = "2024-01-01T0{}:{:02}"


def table(*rows: tuple[int, int, object], place: str = "") -> bytes:
    lines = [f"{HOUR.format(hour, minute)},{value},{place}" for hour, minute, value in rows]
    return ("time,value,place\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("gather", "values"),
    [
        (Gather.MEDIAN, [20, 5]),
        (Gather.MEAN, [70 / 3, 5]),
        (Gather.SUM, [70, 5]),
        (Gather.COUNT, [3, 1]),
        (Gather.DISTINCT, [3, 1]),
    ],
)
def test_lines_of_a_bin_are_gathered(tmp_path: Path, gather: Gather, values: list[float]) -> None:
    data = table((0, 0, 10), (0, 20, 40), (0, 59, 20), (1, 0, 5))
    found = read("csv", tmp_path / "x", data, columns=replace(PLAIN, gather=gather))
    assert found.shown == {("PK", "connectivity", "value"): pytest.approx(values)}
    assert found.lines == {2, 3, 4, 5}


@pytest.mark.parametrize(("zero", "values"), [(False, [1, 1]), (True, [1, 0, 0, 1])])
def test_a_bin_without_lines_is_a_zero_only_where_the_user_says_so(
    tmp_path: Path, zero: bool, values: list[float]
) -> None:
    columns = replace(PLAIN, gather=Gather.COUNT, empty_is_zero=zero)
    found = read("csv", tmp_path / "x", table((0, 0, "a"), (3, 0, "b")), columns=columns)
    assert found.shown["PK", "connectivity", "value"] == values


@pytest.mark.parametrize(
    ("name", "entity"),
    [("Punjab", "PK-PB"), ("AS17557", "AS17557"), ("PK", "PK"), ("AS", "PK:AS"), ("AS0", "PK:AS0")],
)
def test_a_place_is_a_region_a_network_or_the_country(tmp_path: Path, name: str, entity: str) -> None:
    columns = replace(PLAIN, place="place")
    found = read("csv", tmp_path / "x", table((0, 0, 1), place=name), columns=columns)
    assert [key[0] for key in found.shown] == [entity]


@pytest.mark.parametrize(("zone", "minute"), [("UTC", 0), ("Asia/Tehran", 30), ("+05:45", 15)])
def test_bins_begin_on_the_local_clock(tmp_path: Path, zone: str, minute: int) -> None:
    found = read("csv", tmp_path / "x", table((5, 0, 1), (6, 59, 1)), columns=replace(PLAIN, zone=zone))
    times = found.readings[0].levels.times
    assert (times % 3600 // 60).tolist() == [minute, minute]
    assert np.diff(times).tolist() == [3600]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((0, 0, "many"), "not a number"),
        ((9, 99, 1), "not a time"),
        ((0, 0, "1e999"), "not a number"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, row: tuple[int, int, object], why: str) -> None:
    found = read("csv", tmp_path / "x", table((1, 0, 1), row), columns=PLAIN)
    assert [(line, why in reason) for line, reason in found.rejects] == [(3, True)]


def test_what_was_not_measured_is_nan_and_never_zero(tmp_path: Path) -> None:
    found = read("csv", tmp_path / "x", table((0, 0, ""), (1, 0, 0)), columns=PLAIN)
    values = found.shown["PK", "connectivity", "value"]
    assert np.isnan(values[0]) and values[1] == 0


@each(
    ("columns", "why"),
    [
        (None, "--time"),
        (replace(PLAIN, signal="rumour"), "use one of"),
        (replace(PLAIN, signal="blocked_dns"), "use one of"),
        (replace(PLAIN, empty_is_zero=True), "count"),
        (replace(PLAIN, time="when"), "lacks when"),
        (replace(PLAIN, zone="Mars"), "not a time zone"),
    ],
)
def test_what_the_user_said_wrong_is_reported(tmp_path: Path, columns: TableColumns | None, why: str) -> None:
    with pytest.raises(FanousError, match=why):
        read("csv", tmp_path / "x", table((0, 0, 1)), columns=columns)


def test_a_table_with_semicolons_has_commas_before_decimals(tmp_path: Path) -> None:
    rows = "".join(
        f"{HOUR.format(at, 0)};{value}\n" for at, value in enumerate(("20,5", "1.5", "-1", "1.5,0"))
    )
    data = f"time;value\n{rows}".encode()
    found = read("csv", tmp_path / "x", data, columns=replace(PLAIN, place=""))
    assert found.shown["PK", "connectivity", "value"] == [20.5, 1.5, -1]
    assert found.rejects == [(5, "'1.5,0' is not a number")]


@pytest.mark.parametrize(("step", "told"), [(7, True), (1800, False), (86_400, False)])
def test_a_step_that_no_day_is_made_of_is_reported(tmp_path: Path, step: int, told: bool) -> None:
    found = read("csv", tmp_path / "x", table((0, 0, 1)), columns=replace(PLAIN, step=step))
    assert [line for line, why in found.rejects if "not searched for" in why] == [WHOLE_FILE] * told


@pytest.mark.parametrize("zero", [True, False])
def test_a_wild_time_does_not_fill_the_memory_with_bins(tmp_path: Path, zero: bool) -> None:
    """Detection has a place for each bin from the first to the last: three lines took 4 GB."""
    columns = replace(PLAIN, gather=Gather.COUNT, empty_is_zero=zero, step=1)
    with pytest.raises(FanousError, match="too far apart"):
        read("csv", tmp_path / "x", table((0, 0, 1)) + b"2190-01-01,1,\n", columns=columns)


def test_many_places_with_two_rows_each_do_not_become_gigabytes_of_zeros(tmp_path: Path) -> None:
    """A thousand places with rows three years apart, 50 kB, were 1.6 thousand million bins."""
    columns = replace(PLAIN, gather=Gather.COUNT, empty_is_zero=True, step=60, place="region")
    rows = b"".join(b"2020-01-01,1,R%d\n2023-01-01,1,R%d\n" % (n, n) for n in range(20))
    with pytest.raises(
        FanousError, match="the 20 places of this table have 31,564,800 bins of 60 s together"
    ):
        read("csv", tmp_path / "x", b"time,value,region\n" + rows, columns=columns)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "country", "columns", "rows", "places", "bins"),
    [
        (
            "monash_irn_2019-11.csv.gz",
            "IR",
            TableColumns("time_e", "connectivity", "connectivity", "name_1", "Asia/Tehran"),
            16_279,
            30,
            223,
        ),
        (
            "monash_ven_2019-07.csv.gz",
            "VE",
            TableColumns("time_e_str", "connectivity", "connectivity", "name_1", "America/Caracas"),
            1_469,
            13,
            113,
        ),
        (
            "monash_mmr_2021_bago.csv.gz",
            "MM",
            TableColumns(
                "time_local_str", "ip_hash", "responders", "name_1", "+06:30", 0, Gather.DISTINCT, True
            ),
            12_239,
            1,
            2_257,
        ),
    ],
)
def test_a_real_table_is_read_whole(
    name: str, country: str, columns: TableColumns, rows: int, places: int, bins: int
) -> None:
    found = read("csv", shared_file(f"signals/{name}"), country=country, columns=columns)
    assert found.rejects == []
    assert len(found.lines) + len(found.repeats) == rows
    assert len(found.readings) == places
    assert len(found.readings[0].levels) == bins
    assert all(r.levels.key.place.region.startswith(f"{country}-") for r in found.readings)
