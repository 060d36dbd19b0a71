"""OONI's cans of before October 2020: reports packed with LZ4, several in a tar archive or each by itself.

Names and contents as ooni/data reads them (oonidata/dataclient.py, ``stream_oldcan``, ``stream_jsonlz4`` and
``get_filename_meta_tarcan``, commit c8fcc729).
"""

import json
from pathlib import Path

import lz4.frame
import pytest

from fanous.sources.ooni.read import members, read
from fanous.sources.stream import open_source
from tests.collector.probe import measurement
from tests.commands import document
from tests.sources.ooni.test_tarball import tar_of
from tests.sources.test_stream import stream_of

REPORT = "2020-06-02/20200602T141726Z-PK-AS17557-web_connectivity-20200602T141726Z_AS17557_x-0.2.0-probe.json"


def report(*numbers: int) -> bytes:
    return b"".join(json.dumps(measurement(number)).encode() + b"\n" for number in numbers)


def uids(path: Path) -> list[str]:
    rejects: list[tuple[int, str]] = []
    found = [record.data.decode() for record in read(path, lambda line, why: rejects.append((line, why)))]
    assert rejects == []
    return found


def test_a_can_of_reports_is_read_line_by_line(tmp_path: Path) -> None:
    can = tmp_path / "web_connectivity.0.tar.lz4"
    can.write_bytes(
        lz4.frame.compress(tar_of((REPORT, report(1, 2)), (REPORT.replace("PK", "IN"), report(3))))
    )
    alone = tmp_path / Path(REPORT).name
    alone.with_suffix(".json.lz4").write_bytes(lz4.frame.compress(report(1, 2, 3)))
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(report(1, 2, 3))
    assert uids(can) == uids(alone.with_suffix(".json.lz4")) == uids(plain)
    assert len(uids(can)) == 3


def test_a_can_is_ingested_once_with_what_was_pulled(tmp_path: Path) -> None:
    can, plain = tmp_path / "web_connectivity.0.tar.lz4", tmp_path / "plain.jsonl"
    can.write_bytes(lz4.frame.compress(tar_of((REPORT, report(1, 2)))))
    plain.write_bytes(report(1, 2))
    told = document("ingest", "ooni", can, plain, "--store", tmp_path / "store")
    assert (told["read"], told["stored"], told["duplicate"]) == (4, 2, 2)


def test_a_report_may_be_longer_than_a_measurement_and_a_line_may_not() -> None:
    archive = tar_of(("r.json", b"1" * 900 + b"\n" + b"2" * 1500 + b"\n" + b"3" * 10), ("a.post", b"4"))
    assert [(one.data, one.size) for one in members(stream_of(archive), 1000)] == [
        (b"1" * 900 + b"\n", 901),
        (None, 1501),
        (b"3" * 10, 10),
        (b"4", 1),
    ]
    whole = tar_of(("r.json", b"5" * 511 + b"\n"), ("a.post", b"6"))
    assert [one.size for one in members(stream_of(whole), 1000)] == [512, 1]


def test_two_frames_are_one_stream_and_damage_is_reported(tmp_path: Path) -> None:
    first, second = lz4.frame.compress(b"one\n" * 5000), lz4.frame.compress(b"two\n")
    path = tmp_path / "a.json.lz4"
    path.write_bytes(first + second)
    with open_source(path) as source:
        assert source.stream.read() == b"one\n" * 5000 + b"two\n"
    path.write_bytes(first[:-20])
    with open_source(path) as source, pytest.raises(EOFError):
        source.stream.read()
    path.write_bytes(first[:20] + bytes(200))
    with open_source(path) as source, pytest.raises((OSError, EOFError)):
        source.stream.read()
    path.write_bytes(b"\x04\x22\x4d\x18" + bytes(100))
    with open_source(path) as source, pytest.raises(OSError, match="LZ4F"):
        source.stream.read()
