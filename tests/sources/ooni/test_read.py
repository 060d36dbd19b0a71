"""Reading files of raw measurements: every container, and every way in which they are broken."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.sources.connector import Unwatched
from fanous.sources.ooni import read as reading
from fanous.sources.ooni.content import unstamped
from fanous.sources.ooni.read import read
from tests.each import each
from tests.sources.ooni.test_tarball import tar_of
from tests.sources.records import UID, document, encoded

ONE = encoded(document())
TWO = encoded(document(measurement_uid="20231217143100.000000_PK_webconnectivity_ffeeddccbbaa9988"))


def read_file(path: Path, content: bytes) -> tuple[list[Record], list[tuple[int, str]]]:
    """Records of a file with this content, and what was rejected."""
    path.write_bytes(content)
    rejects: list[tuple[int, str]] = []
    records = list(read(path, lambda line, why: rejects.append((line, why))))
    return records, rejects


def uids(records: list[Record]) -> list[str]:
    return [json.loads(record.data)["measurement_uid"] for record in records]


@each(
    ("name", "content"),
    [
        ("a.jsonl", ONE + b"\n" + TWO + b"\n"),
        ("a.jsonl", ONE + b"\r\n" + TWO),  # Windows; no line break at the end
        ("a.jsonl", b"\xef\xbb\xbf" + ONE + b"\n" + TWO),  # byte order mark
        ("a.jsonl.gz", gzip.compress(ONE + b"\n") + gzip.compress(TWO + b"\n")),
        ("a.json", ONE + b"\n" + TWO),  # one a line, whatever it is called
        ("a.tar.gz", gzip.compress(tar_of(("a.post", ONE), ("b.post", TWO)))),
        ("a.tar.gz", tar_of(("a.post", ONE), ("b.post", TWO))),  # old archives are called so unpacked
        ("a", tar_of(("a.post", b'{"format":"json","content":' + ONE + b"}"), ("b.post", TWO))),
    ],
)
def test_every_container_gives_its_measurements(tmp_path: Path, name: str, content: bytes) -> None:
    records, rejects = read_file(tmp_path / name, content)
    assert uids(records) == [json.loads(ONE)["measurement_uid"], json.loads(TWO)["measurement_uid"]]
    assert not rejects
    assert [record.line for record in records] == [1, 2]


def test_one_document_over_many_lines_is_one_record(tmp_path: Path) -> None:
    records, rejects = read_file(tmp_path / "a.json", json.dumps(document(), indent=2).encode())
    assert uids(records) == [UID]
    assert not rejects
    assert b"\n" not in records[0].data


def test_a_post_body_takes_its_name_as_identity_where_it_has_none(tmp_path: Path) -> None:
    nameless = document()
    del nameless["measurement_uid"]
    body = encoded({"format": "json", "content": nameless})
    records, _ = read_file(tmp_path / "a.tar", tar_of((f"20231217/{UID}.post", body), (f"{UID}.post", TWO)))
    assert uids(records) == [UID, json.loads(TWO)["measurement_uid"]]


@each(
    ("line", "why"),
    [
        (b"", "empty line"),
        (b"   ", "empty line"),
        (b"[1, 2]", "not a JSON object"),
        (b"measurement", "not a JSON object"),
        (b'{"a": "\xff", "b": null}', "not UTF-8: byte 0xff at column 8"),
        (b'{"a": "' + 33_000 * b"a" + b'\xff"}', "not UTF-8: byte 0xff at column 33008"),
        (b'{"b": null, "a": "\xf0\x9f\x92', "not UTF-8: byte 0xf0 at column 19"),
        (b'{"a": 1}', "too short to be a measurement"),
        (b'{"format": "yaml", "content": "a: b"}', "yaml, which probes wrote until 2014"),
        (b'{"format": "json", "content": [1]}', "no JSON object"),
        (b'{"format": "\xff", "content": {}}', "not UTF-8: byte 0xff at column 13"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_others_are_kept(
    tmp_path: Path, line: bytes, why: str
) -> None:
    records, rejects = read_file(tmp_path / "a.jsonl", ONE + b"\n" + line + b"\n" + TWO + b"\n")
    assert len(records) == 2
    assert records[1].line == 3
    assert [number for number, _ in rejects] == [2]
    assert why in rejects[0][1]


def test_lines_too_short_to_be_measurements_cost_next_to_nothing_and_hide_none(tmp_path: Path) -> None:
    noted: list[int] = []

    class Working(Unwatched):
        def begin(self, line: int, _: bytes) -> None:
            noted.append(line)

    many = 20_000 * b"{}\n" + 20_000 * b"x\n" + 20_000 * b"\n"
    file, rejects = tmp_path / "a.jsonl.gz", Counter[str]()
    file.write_bytes(gzip.compress(b"\n".join((ONE, many + TWO, many))))
    records = list(read(file, lambda _, why: rejects.update([why]), working=Working()))
    assert [record.line for record in records] == noted == [1, 60_002]
    assert rejects == dict.fromkeys(
        ("too short to be a measurement", "not a JSON object", "empty line"), 40_000
    )
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_of(("a.post", b"{}"), ("old.json", many + TWO)))
    assert [record.line for record in read(archive, lambda *_: None, working=Working())] == [60_002]
    assert noted[2:] == [60_002]


@pytest.mark.parametrize("before", range(4))
def test_letters_of_several_bytes_stand_wherever_a_run_ends(tmp_path: Path, before: int) -> None:
    line = b'{"a": "' + before * b"a" + 12_000 * "\N{ELECTRIC LIGHT BULB}".encode() + b'"}'
    records, rejects = read_file(tmp_path / "a.jsonl", line)
    assert not rejects
    assert unstamped(records[0].data) == line


def test_a_line_longer_than_any_measurement_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = len(ONE) + len(TWO)
    monkeypatch.setattr(reading, "LINE_LIMIT", limit)
    monkeypatch.setattr("fanous.sources.stream.read_line.__defaults__", (limit,))
    records, rejects = read_file(tmp_path / "a.jsonl", ONE + b"\n{" + b" " * 10 * limit + b"\n" + TWO)
    assert len(records) == 2
    assert rejects[0][0] == 2
    assert "which no measurement is" in rejects[0][1]


def test_a_member_too_large_is_rejected_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINE_LIMIT", 2 * len(ONE))
    archive = tar_of(("big.post", b"{" + b" " * 3 * len(ONE) + b"}"), ("b.post", TWO))
    records, rejects = read_file(tmp_path / "a.tar", archive)
    assert len(records) == 1
    assert rejects[0][0] == 1
    assert rejects[0][1].startswith("big.post: longer than")


def test_a_cut_archive_keeps_its_whole_members(tmp_path: Path) -> None:
    archive = tar_of(("a.post", ONE), ("b.post", TWO))
    records, rejects = read_file(tmp_path / "a.tar", archive[: len(ONE) + 1500])
    assert len(records) == 1
    assert rejects[0][0] == 2
    assert "ends too early" in rejects[0][1]


def test_a_file_cut_in_its_gzip_header_holds_nothing_and_says_so(tmp_path: Path) -> None:
    records, rejects = read_file(tmp_path / "a.jsonl.gz", gzip.compress(ONE)[:8])
    assert not records
    assert "ends too early" in rejects[0][1]


def test_a_csv_is_sent_to_its_own_source(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="read it with `fanous ingest ooni-csv`"):
        read_file(tmp_path / "a.csv", b"measurement_uid,probe_cc,probe_asn\n1,PK,17557\n")


def test_the_address_of_the_probe_does_not_leave_the_reader(tmp_path: Path) -> None:
    records, _ = read_file(tmp_path / "a.jsonl", encoded(document(probe_ip="198.51.100.7")))
    assert b"198.51.100.7" not in records[0].data
    assert json.loads(records[0].data)["probe_ip"] == "127.0.0.1"


def test_nothing_else_in_a_line_changes(tmp_path: Path) -> None:
    records, _ = read_file(tmp_path / "a.jsonl", ONE + b"\n")
    assert unstamped(records[0].data) == ONE
