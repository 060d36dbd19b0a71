"""Ready-made series into the store."""

from pathlib import Path

import pytest

from fanous.connectors.levels import About
from fanous.connectors.levels.columns import Columns
from fanous.errors import FanousError
from fanous.gathering import ingest_levels
from fanous.store import Store, open_store
from tests.connectors.levels.samples import SAMPLES

PK = About("PK", Columns("time", "value", "connectivity"))


def files(folder: Path, **contents: str) -> list[Path]:
    for name, text in contents.items():
        (folder / name).write_text(text)
    return [folder / name for name in contents]


def test_lines_are_stored_once_and_counted(tmp_path: Path) -> None:
    rows = "time,value\n2025-12-01T00:00Z,1\n2025-12-01T00:00Z,1\n2025-12-01T01:00Z,x\n2025-12-01T02:00Z,3\n"
    paths = files(tmp_path, a=rows)
    with open_store(tmp_path / "store") as store:
        first = ingest_levels(store, "csv", paths, PK)
        again = ingest_levels(store, "csv", paths, PK)
    assert (first.read, first.stored, first.duplicate, first.rejected) == (4, 2, 1, 1)
    assert [(r.line, r.file) for r in first.rejects] == [(4, str(paths[0]))]
    assert (again.read, again.stored, again.duplicate, again.rejected) == (4, 0, 3, 1)


def test_a_corrected_line_counts_as_stored_and_replaces(tmp_path: Path) -> None:
    one, two = files(
        tmp_path, a="time,value\n2025-12-01,1\n2025-12-02,1\n", b="time,value\n2025-12-01,1\n2025-12-02,2\n"
    )
    with open_store(tmp_path / "store") as store:
        ingest_levels(store, "csv", [one], PK)
        tally = ingest_levels(store, "csv", [two], PK)
        (series,) = store.levels("PK")
    assert (tally.stored, tally.duplicate) == (1, 1)
    assert series.values.tolist() == [1, 2]


def test_the_country_is_detected_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(SAMPLES["ioda-csv"])
    with open_store(tmp_path / "store") as store:
        ingest_levels(store, "ioda-csv", [tmp_path / "x"], PK)
        assert store.undetected() == {}
        assert store.countries() == ["PK"]


def test_a_crash_after_the_series_leaves_the_country_to_be_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(SAMPLES["ioda-csv"])

    def dies(store: Store) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fanous.gathering.detect_all", dies)
    with open_store(tmp_path / "store") as store, pytest.raises(KeyboardInterrupt):
        ingest_levels(store, "ioda-csv", [tmp_path / "x"], PK)
    with open_store(tmp_path / "store") as store:
        assert list(store.undetected()) == ["PK"]


def test_an_unknown_source_names_the_known(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store, pytest.raises(FanousError, match="ioda-csv"):
        ingest_levels(store, "ooni", [], PK)
