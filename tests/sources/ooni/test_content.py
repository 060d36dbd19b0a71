"""A measurement has the same identity whichever way it arrived, and no file can claim one."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from fanous.model.measurement import Measurement, ParsedMeasurement, Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.content import content_of, digest_of, stamp_of, stamped, unstamped
from fanous.sources.ooni.parse import parse
from tests.each import each
from tests.sources.ooni.test_tarball import tar_of
from tests.sources.records import UID, document

OONI, EDGE = MEASUREMENT_SOURCES["ooni"], MEASUREMENT_SOURCES["edge"]
PLAIN = {key: value for key, value in document().items() if key != "measurement_uid"}


def read(path: Path, content: bytes, source: Any = OONI) -> tuple[list[Record], list[str]]:
    path.write_bytes(content)
    why: list[str] = []
    records = list(source.read(path, lambda _line, reason: why.append(reason)))
    return records, why


def header(path: Path, content: bytes) -> Measurement:
    records, why = read(path, content)
    assert not why
    (record,) = records
    parsed: ParsedMeasurement = parse(record)
    return parsed.measurement


def four_ways(folder: Path) -> list[Measurement]:
    """A line that OONI's uploader wrote anew, a member of its archive, an answer of its API, and what a probe sent."""
    body = json.dumps({"format": "json", "content": PLAIN}).encode()
    answer = {"measurement_uid": UID, "probe_cc": "PK", "raw_measurement": json.dumps(PLAIN), "scores": "{}"}
    return [
        header(folder / "a.jsonl", json.dumps(PLAIN, sort_keys=True, separators=(",", ":")).encode()),
        header(folder / "a.tar.gz", gzip.compress(tar_of((f"in/{UID}.post", body)))),
        header(folder / "b.jsonl", json.dumps(answer).encode()),
        header(folder / "c.json", json.dumps(PLAIN | {"probe_ip": "198.51.100.7"}, indent=1).encode()),
    ]


def test_four_ways_have_one_content(tmp_path: Path) -> None:
    told = four_ways(tmp_path)
    assert len({one.content for one in told}) == 1
    assert [one.uid for one in told] == [told[0].uid, UID, UID, told[0].uid]
    assert len(told[0].uid) == 32


def test_another_content_is_another_measurement(tmp_path: Path) -> None:
    twin = PLAIN | {"test_keys": PLAIN["test_keys"] | {"x_twin": 1}}
    first, second = (header(tmp_path / "a.jsonl", json.dumps(one).encode()) for one in (PLAIN, twin))
    assert first.content != second.content
    assert first.uid != second.uid


def test_another_report_is_another_measurement_of_the_same_content(tmp_path: Path) -> None:
    other = PLAIN | {"report_id": "another"}
    first, second = (header(tmp_path / "a.jsonl", json.dumps(one).encode()) for one in (PLAIN, other))
    assert first.content == second.content
    assert first.uid != second.uid


def test_the_digest_is_of_what_came_and_not_of_what_is_kept(tmp_path: Path) -> None:
    told = [PLAIN | {"client_ip": address} for address in ("198.51.100.7", "198.51.100.8")]
    records = [read(tmp_path / "a.jsonl", json.dumps(one).encode())[0][0] for one in told]
    assert unstamped(records[0].data) == unstamped(records[1].data)
    assert stamp_of(records[0].data) != stamp_of(records[1].data)


@pytest.mark.parametrize("forged", ["0" * 32, "00", "no digest", ""])
def test_a_file_cannot_claim_the_identity_of_another(tmp_path: Path, forged: str) -> None:
    line = stamped(json.dumps(PLAIN).encode(), forged)
    (record,), _ = read(tmp_path / "a.jsonl", line + b"\n")
    assert stamp_of(record.data) == content_of(json.dumps(PLAIN).encode())
    assert parse(record).measurement.content == stamp_of(record.data)


def test_only_what_our_own_collector_wrote_keeps_its_digest(tmp_path: Path) -> None:
    line = stamped(json.dumps(PLAIN).encode(), "0" * 32)
    (record,), _ = read(tmp_path / "a.jsonl", line + b"\n", EDGE)
    assert stamp_of(record.data) == "0" * 32


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"raw_measurement": ""}, "knows none with this UID"),
        ({"measurement_uid": UID, "raw_measurement": None}, "holds no measurement"),
        ({"measurement_uid": UID, "raw_measurement": "no JSON"}, "holds no measurement"),
        ({"measurement_uid": UID, "raw_measurement": [1]}, "holds no measurement"),
        (
            {
                "measurement_uid": UID,
                "measurement_url": "https://api.ooni.io/",
                "test_name": "tor",
                "scores": {},
            },
            f"fanous pull ooni --uid {UID}",
        ),
    ],
)
def test_an_answer_without_its_measurement_is_rejected_by_name(
    tmp_path: Path, answer: dict[str, Any], why: str
) -> None:
    records, reasons = read(tmp_path / "a.jsonl", json.dumps(answer).encode())
    assert not records
    assert why in reasons[0]


def test_a_record_that_is_an_object_in_the_answer_is_the_same(tmp_path: Path) -> None:
    answer = json.dumps({"measurement_uid": UID, "raw_measurement": PLAIN}).encode()
    assert header(tmp_path / "a.jsonl", answer).content == digest_of(PLAIN)


def test_a_page_that_holds_an_answer_is_not_an_answer(tmp_path: Path) -> None:
    page = PLAIN | {"annotations": {"x": '"raw_measurement" "measurement_url"', "raw_measurement": "{}"}}
    assert header(tmp_path / "a.jsonl", json.dumps(page).encode()).content == digest_of(page)


@each("odd", [b'{"a":%d}' % 10**30, b'{"a":NaN}', b'{"a":"\\ud800"}', b"{", b"[]", b'{"a":1e999}'])
def test_odd_numbers_and_letters_have_a_digest(odd: bytes) -> None:
    assert len(content_of(odd)) == 32
    assert content_of(odd) == content_of(odd)


def test_numbers_count_by_value_and_not_by_spelling() -> None:
    assert content_of(b'{"a":0.00001,"b":"\\u00e9"}') == content_of('{"b":"é","a":1e-05}'.encode())
    assert content_of(b'{"a":1}') != content_of(b'{"a":2}')
