"""Quiet days are replayed whole, at their hours, under new names."""

from pathlib import Path
from random import Random

import pytest

from fanous.model.instant import DAY
from fanous_lab.evaluation.simulate.rows import QuietRows, quiet_rows, write_rows

START = 1_697_328_000  # 15 October 2023, 00:00 UTC
COLUMNS = ("measurement_uid", "report_id", "probe_asn", "measurement_start_time", "tcp_failure")


def table(path: Path, *rows: tuple[str, str, str, str]) -> Path:
    """(uid, ASN, time, failure) of each row."""
    lines = [",".join(COLUMNS)] + [f"{u},report-{u},{asn},{at},{failure}" for u, asn, at, failure in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def rows(tmp_path: Path) -> QuietRows:
    path = table(
        tmp_path / "rows.csv",
        ("a", "1.0", "2023-10-15 06:30:00+00:00", ""),
        ("a", "1.0", "2023-10-15 06:30:00+00:00", "generic_timeout_error"),
        ("a", "1.0", "2023-10-15 06:30:00+00:00", ""),
        ("b", "1", "2023-10-17 21:00:00", ""),
        ("busy", "1", "2023-10-20 09:00:00", ""),
        ("spared", "2", "2023-10-20 09:00:00", ""),
        ("later", "3", "2023-10-20 09:00:00", ""),
    )
    return quiet_rows([path], START, START + 4 * DAY, [2])


def test_only_what_was_quiet_is_kept_and_repeated_rows_once(rows: QuietRows) -> None:
    assert rows.networks == [1, 2]
    assert [[m.uid for m in day] for day in rows.days[1]] == [["a"], [], ["b"]]
    assert [len(m.rows) for day in rows.days[1] for m in day] == [2, 1]


def test_a_day_keeps_its_hours_and_gets_new_names(rows: QuietRows) -> None:
    found = rows.replay(Random(1), START + 100 * DAY, 40, 1)
    ours = [m for m in found if m.asn == 1]
    assert {m.at % DAY for m in ours} == {6 * 3600 + 1800, 21 * 3600}
    assert len({m.uid for m in found}) == len(found) > 40
    assert all(START + 100 * DAY <= m.at < START + 140 * DAY for m in found)
    first = ours[0].rows[0]
    assert first["measurement_uid"] == ours[0].uid
    assert first["measurement_start_time"].startswith("2024-01-2")
    assert len({m.rows[0]["report_id"] for m in found}) == len(found)


def test_days_can_be_thinned_and_laid_over_each_other(rows: QuietRows) -> None:
    thin, plain, thick = (len(rows.replay(Random(1), START, 200, density)) for density in (0.5, 1, 3))
    assert 0.4 * plain < thin < 0.6 * plain and 2.7 * plain < thick < 3.3 * plain


def test_what_is_written_reads_back(rows: QuietRows, tmp_path: Path) -> None:
    path = tmp_path / "replay.csv"
    write_rows(path, rows.columns, rows.replay(Random(1), START, 10, 1))
    again = quiet_rows([path], START, START + 10 * DAY, [])
    assert set(again.networks) == {1, 2} and again.columns == rows.columns
