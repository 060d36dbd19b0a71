"""frictionless, the program of those who wrote the data packages' specification, on what we export."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.commands import fanous
from tests.copies import copy_of
from tests.peers.programs import python_with

pytestmark = pytest.mark.peers

READ = """
import json, sys
from frictionless import validate, Package
report = validate(sys.argv[1])
tables = {one.name: one.read_rows() for one in Package(sys.argv[1]).resources if one.type == "table"}
print(json.dumps({
    "valid": report.valid,
    "errors": report.flatten(["name", "type", "note"]) if not report.valid else [],
    "tasks": {task.name: task.valid for task in report.tasks},
    "rows": {name: len(rows) for name, rows in tables.items()},
}))
"""


@pytest.mark.parametrize("private", [False, True])
def test_an_export_is_a_valid_data_package_with_every_resource(
    demo_of_x_folder: Path, tmp_path: Path, private: bool
) -> None:
    python = python_with("frictionless", "frictionless", "frictionless")
    store, table, out = (
        copy_of(demo_of_x_folder, tmp_path / "store"),
        tmp_path / "mine.csv",
        tmp_path / "data",
    )
    table.write_text("time,value\n2023-12-17T10:00Z,5\n2023-12-17T11:00Z,6\n")
    fanous("ingest", "csv", table, "--country", "PK", "--licence", "CC BY 4.0", "--store", store)
    words = ("--private",) if private else ()
    said = json.loads(fanous("export", *words, "--out", out, "--store", store, "--json").stdout)
    done = subprocess.run(
        [python, "-c", READ, "datapackage.json"], cwd=out, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["errors"] == []
    assert told["valid"]
    files = {Path(name).name for name in said["files"]} - {"datapackage.json"}
    described = {one["path"] for one in json.loads((out / "datapackage.json").read_text())["resources"]}
    assert described == files
    for name, count in said["rows"].items():
        assert told["rows"][name] == told["rows"].get(f"{name}-parquet", count) == count, name
    assert told["rows"]["levels"] == 2
