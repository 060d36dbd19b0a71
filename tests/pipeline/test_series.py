"""Ready-made series into the store."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fanous.cli.main import app
from fanous.errors import FanousError
from fanous.model.incident import Status
from fanous.model.instant import from_iso, to_iso
from fanous.pipeline.series import ingest_series
from fanous.questions import library
from fanous.questions.series import series_now
from fanous.sources.connector import About, TableColumns
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.sources.signals.samples import SAMPLES

PK = About("PK", TableColumns("time", "value", "connectivity"))


def files(folder: Path, **contents: str) -> list[Path]:
    for name, text in contents.items():
        (folder / name).write_text(text)
    return [folder / name for name in contents]


def test_lines_are_stored_once_and_counted(tmp_path: Path) -> None:
    rows = "time,value\n2025-12-01T00:00Z,1\n2025-12-01T00:00Z,1\n2025-12-01T01:00Z,x\n2025-12-01T02:00Z,3\n"
    paths = files(tmp_path, a=rows)
    with open_store(tmp_path / "store") as store:
        first = ingest_series(store, "csv", paths, PK)
        again = ingest_series(store, "csv", paths, PK)
    assert (first.read, first.stored, first.duplicate, first.rejected) == (4, 2, 1, 1)
    assert [(r.line, r.file) for r in first.rejects] == [(4, str(paths[0]))]
    assert (again.read, again.stored, again.duplicate, again.rejected) == (4, 0, 3, 1)


def test_a_corrected_line_counts_as_stored_and_replaces(tmp_path: Path) -> None:
    one, two = files(
        tmp_path, a="time,value\n2025-12-01,1\n2025-12-02,1\n", b="time,value\n2025-12-01,1\n2025-12-02,2\n"
    )
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "csv", [one], PK)
        tally = ingest_series(store, "csv", [two], PK)
        (series,) = store.facts.levels("PK")
    assert (tally.stored, tally.duplicate) == (1, 1)
    assert series.values.tolist() == [1, 2]


def test_a_later_file_of_the_same_command_corrects_an_earlier_one(tmp_path: Path) -> None:
    rows = {"a": "time,value\n2025-12-01,1\n2025-12-02,1\n", "b": "time,value\n2025-12-01,1\n2025-12-02,2\n"}
    with open_store(tmp_path / "store") as store:
        tally = ingest_series(store, "csv", files(tmp_path, **rows), PK)
        (series,) = store.facts.levels("PK")
    assert (tally.stored, tally.duplicate) == (3, 1)
    assert series.values.tolist() == [1, 2]


def test_the_country_is_detected_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(SAMPLES["ioda-csv"])
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [tmp_path / "x"], PK)
        assert store.ledger.undetected() == {}
        assert store.facts.countries() == ["PK"]


def test_a_crash_after_the_series_leaves_the_country_to_be_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(SAMPLES["ioda-csv"])

    def dies(store: Store) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fanous.pipeline.series.detect_all", dies)
    with open_store(tmp_path / "store") as store, pytest.raises(KeyboardInterrupt):
        ingest_series(store, "ioda-csv", [tmp_path / "x"], PK)
    with open_store(tmp_path / "store") as store:
        assert list(store.ledger.undetected()) == ["PK"]


def test_an_unknown_source_names_the_known(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store, pytest.raises(FanousError, match="ioda-csv"):
        ingest_series(store, "ooni", [], PK)


def test_the_levels_now_are_the_newest_whole_bins_next_to_what_is_ordinary(tmp_path: Path) -> None:
    hours = [
        f"2025-12-{day:02}T{hour:02}:00Z,{10 if day == 9 else 100}"
        for day in range(1, 10)
        for hour in range(24)
    ]
    (path,) = files(tmp_path, a="time,value\n" + "\n".join(hours) + "\n")
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "csv", [path], PK)
        (then,) = series_now(store, "PK", from_iso("2025-12-08T12:30"))
        (now,) = series_now(store, "PK", from_iso("2025-12-30"))
        with pytest.raises(FanousError, match="fanous pull"):
            series_now(store, "PK", from_iso("2025-11-30"))
    assert (to_iso(then.at), then.percent) == ("2025-12-08T11:00:00Z", 100)
    assert (to_iso(now.at), now.percent) == ("2025-12-09T22:00:00Z", 10)


def test_what_is_left_in_a_blackout_is_not_ordinary_however_long_it_lasts(tmp_path: Path) -> None:
    first = from_iso("2025-09-01")
    hours = [
        f"{to_iso(first + 3600 * hour)},{place},{100 if hour < 20 * 24 else 4}"
        for hour in range(60 * 24)
        for place in ("PK", "Punjab")
    ]
    (path,) = files(tmp_path, a="time,place,value\n" + "\n".join(hours) + "\n")
    places = About("PK", TableColumns("time", "value", "connectivity", "place"))
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "csv", [path], places)
        (incident,) = store.ledger.incidents("PK")
        percents = {
            days: [now.percent for now in series_now(store, "PK", first + days * 86400)]
            for days in (20, 21, 25, 36, 45)
        }
    ended = incident.end
    assert ended is None or ended > first + 45 * 86400
    assert percents == {20: [100, 100], 21: [4, 4], 25: [4, 4], 36: [4, 4], 45: [4, 4]}


def test_what_is_left_of_a_platform_s_traffic_is_not_its_baseline_however_long_it_lasts(
    tmp_path: Path,
) -> None:
    """A throttled YouTube was shown with 107 % after three months, next to an incident with 64 %."""
    first = from_iso("2025-09-01")
    hours = [f"{to_iso(first + 3600 * hour)},{100 if hour < 20 * 24 else 40}" for hour in range(60 * 24)]
    (path,) = files(tmp_path, a="time,value\n" + "\n".join(hours) + "\n")
    with open_store(tmp_path / "store") as store:
        ingest_series(
            store, "csv", [path], About("PK", TableColumns("time", "value", "gtr", target="youtube"))
        )
        (incident,) = store.ledger.incidents("PK")
        (now,) = series_now(store, "PK", first + 59 * 86400)
    assert incident.is_of_traffic and incident.is_open
    assert now.percent == 40


def test_a_source_that_corrects_its_bins_retracts_what_rested_on_them(tmp_path: Path) -> None:
    first = from_iso("2025-11-01")

    def table(lost: range, until: int = 20 * 24) -> str:
        rows = [
            f"{to_iso(first + 3600 * hour)},{4 if hour in lost else 100 + hour % 2}" for hour in range(until)
        ]
        return "time,value\n" + "\n".join(rows) + "\n"

    down, later, sound = files(
        tmp_path, a=table(range(360, 380), 372), b=table(range(366, 380)), c=table(range(0))
    )
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "csv", [down], PK)
        (open_one,) = store.ledger.incidents("PK")
        ingest_series(store, "csv", [later], PK)
        (moved,) = store.ledger.incidents("PK")
        ingest_series(store, "csv", [sound], PK)
        (gone,) = store.ledger.incidents("PK")
    assert (open_one.end, moved.status, gone.status) == (None, Status.ENDED, Status.RETRACTED)
    assert (open_one.id, open_one.id) == (moved.id, gone.id)
    assert (moved.onset - open_one.onset) / 3600 == pytest.approx(6, abs=0.5)
    assert moved.end == pytest.approx(first + 380 * 3600, abs=1800)


def test_regions_alone_make_a_line_of_the_country_too(tmp_path: Path) -> None:
    rows = [f"2025-12-01T00:00Z,region {number},{number}" for number in range(11)]
    (path,) = files(tmp_path, a="time,place,value\n" + "\n".join(rows) + "\n")
    places = About("PK", TableColumns("time", "value", "connectivity", "place"))
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "csv", [path], places)
        first, *regions = series_now(store, "PK", from_iso("2025-12-02"))
    assert (str(first.key.place), first.key.subtype, first.value) == ("PK", "median of regions", 5)
    assert len(regions) == 11


def run(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--store", str(tmp_path / "store")])


def test_the_commands_bring_a_table_in_and_show_its_levels(tmp_path: Path) -> None:
    (path,) = files(tmp_path, a="when,where,up\n2025-12-01 00:00,Punjab,90\n2025-12-01 01:00,Punjab,x\n")
    told = ["--country", "PK", "--time", "when", "--value", "up", "--entity", "where", "--json"]
    ingested = run(tmp_path, "ingest", "csv", str(path), *told, "--zone", "Asia/Karachi")
    assert json.loads(ingested.stdout) == {
        "read": 2,
        "stored": 1,
        "duplicate": 0,
        "rejected": 1,
        "rejects": [{"file": str(path), "line": 3, "why": "'x' is not a number"}],
    }
    shown = json.loads(run(tmp_path, "signals", "pk", "--json").stdout)
    assert [(row["entity"], row["at"], row["value"]) for row in shown["signals"]] == [
        ("PK-PB", "2025-11-30T19:00:00Z", 90)
    ]
    printed = run(tmp_path, "signals", "PK").stdout
    assert "Panjāb" in printed and "licence: not stated" in printed


def test_the_licence_that_an_operator_states_is_the_one_that_is_shown(tmp_path: Path) -> None:
    (path,) = files(tmp_path, a="time,value\n2025-12-01 00:00,90\n2025-12-01 01:00,91\n")
    run(tmp_path, "ingest", "csv", str(path), "--country", "PK", "--licence", "CC BY 4.0")
    printed = run(tmp_path, "signals", "PK").stdout
    assert "licence: CC BY 4.0" in printed and "not stated" not in printed
    (row,) = json.loads(run(tmp_path, "signals", "PK", "--json").stdout)["signals"]
    assert row["licence"] == "CC BY 4.0"
    with library.Store(tmp_path / "store", read_only=True) as opened:
        assert set(library.series(opened, "PK")["licence"].to_pylist()) == {"CC BY 4.0"}


def test_a_skipped_column_is_reported_outside_the_document(tmp_path: Path) -> None:
    (path,) = files(tmp_path, a="Time (UTC),BGP,Weather\n2025-12-01 00:00:00,1,2\n")
    told = run(tmp_path, "ingest", "ioda-csv", str(path), "--country", "PK", "--json")
    assert json.loads(told.stdout)["rejects"] == [] and json.loads(told.stdout)["read"] == 1
    assert "'Weather' is not a known signal" in told.stderr


def test_an_unknown_source_names_measurements_and_series(tmp_path: Path) -> None:
    result = run(tmp_path, "ingest", "weather", "x")
    assert result.exit_code == 1
    assert "ooni-csv" in str(result.exception) and "ioda-csv" in str(result.exception)


def test_a_file_of_series_needs_its_country_and_a_known_way_to_gather(tmp_path: Path) -> None:
    assert run(tmp_path, "ingest", "ioda-csv", "x").exit_code == 2
    assert run(tmp_path, "ingest", "csv", "x", "--country", "PK", "--gather", "guess").exit_code == 2
