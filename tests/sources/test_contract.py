"""What holds for every connector in the registry."""

import gzip
import json
from pathlib import Path

import pytest

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.sources.ooni_csv.rows import csv_of, row
from tests.sources.records import document, encoded

FILES = {
    "edge": encoded(document()) + b"\n" + encoded(document(measurement_uid="another")) + b"\n",
    "ooni": encoded(document()) + b"\n" + encoded(document(measurement_uid="another")) + b"\n",
    "globalping": encoded(document()) + b"\n" + encoded(document(measurement_uid="another")) + b"\n",
    "atlas-measurements": encoded(document()) + b"\n" + encoded(document(measurement_uid="another")) + b"\n",
    "ooni-csv": csv_of(row(), row(measurement_uid="another")),
}

each = pytest.mark.parametrize("name", list(MEASUREMENT_SOURCES))


def never(line: int, why: str) -> None:
    raise AssertionError(f"line {line} was rejected: {why}")


def test_every_connector_has_a_sample_here() -> None:
    assert set(FILES) == set(MEASUREMENT_SOURCES)


@each
def test_a_file_gives_one_record_a_measurement(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sample"
    path.write_bytes(FILES[name])
    records = list(MEASUREMENT_SOURCES[name].read(path, never))
    assert {record.source for record in records} == {name}
    assert {record.file for record in records} == {str(path)}
    assert len({MEASUREMENT_SOURCES[name].parse(record).measurement.uid for record in records}) == 2


@each
def test_the_data_of_a_record_is_one_line_of_json(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sample"
    path.write_bytes(FILES[name])
    for record in MEASUREMENT_SOURCES[name].read(path, never):
        assert b"\n" not in record.data
        assert isinstance(json.loads(record.data), dict)


@each
def test_the_same_bytes_give_the_same_record_packed_or_not(tmp_path: Path, name: str) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(FILES[name])
    packed.write_bytes(gzip.compress(FILES[name]))
    read = [[r.data for r in MEASUREMENT_SOURCES[name].read(path, never)] for path in (plain, packed)]
    assert read[0] == read[1]


@each
def test_a_cut_file_keeps_what_came_before_and_says_where_it_ends(tmp_path: Path, name: str) -> None:
    path, rejects = tmp_path / "cut.gz", list[tuple[int, str]]()
    path.write_bytes(gzip.compress(FILES[name])[:-9])  # the checksum is gone
    records = list(MEASUREMENT_SOURCES[name].read(path, lambda line, why: rejects.append((line, why))))
    assert records
    assert [why for _, why in rejects if "ends too early" in why]


@each
def test_a_missing_file_is_for_the_operator_to_mend(tmp_path: Path, name: str) -> None:
    with pytest.raises(FanousError, match="Check the path"):
        list(MEASUREMENT_SOURCES[name].read(tmp_path / "nowhere", never))


@each
@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b"{" * 100_000, b'{"rows":1}']
)
def test_an_invalid_record_is_rejected_with_a_reason(name: str, data: bytes) -> None:
    with pytest.raises(Rejected, match=r"\w"):
        MEASUREMENT_SOURCES[name].parse(Record(name, data))
