"""Recordings: what they hold, what they leave out, and that the one which ships is what it says."""

import lzma
from pathlib import Path

import msgspec
import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.model.place import Access
from fanous.monitor.recording import read_recording, unpack
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous_lab.evaluation.rehearsal.capture import MARK, slim, write_recording
from fanous_lab.evaluation.rehearsal.run import Rehearsal
from fanous_lab.evaluation.rehearsal.score import LabClock
from fanous_lab.scenario import LabNetwork, Scenario, ScenarioStep

SCENARIO = Scenario(
    "t",
    "PK",
    7,
    2.0,
    60.0,
    ("x",),
    (LabNetwork("PK", 1, "", Access.FIXED, 1.0, 1),),
    (ScenarioStep(10.0, 20.0, "sni_reset", ("x",), (1,)),),
    (),
)


def record(at: str, body: str = "page") -> bytes:
    keys = {
        "requests": [{"t": 0.123456, "response": {"body": body}}],
        "tls_handshakes": [{"transaction_id": 1, "address": "192.0.2.1:443"}],
        "network_events": [
            {"operation": "connect", "t": 0.1, "transaction_id": 1, "address": "192.0.2.1:443"},
            {"operation": "connect", "t": 0.1, "transaction_id": 2, "address": "192.0.2.1:80"},
            *({"operation": name, "t": 0.1} for name in ("write", "read", "read", "read")),
        ],
    }
    return msgspec.json.encode(
        {"measurement_start_time": at, "report_id": "r", "input": "https://x.com/", "test_keys": keys}
    )


def test_measurements_come_out_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    records.write_bytes(record("2023-12-17 15:10:00") + b"\n" + record("2023-12-17 15:00:00") + b"\n")
    size = write_recording(tmp_path / "r.xz", Rehearsal(SCENARIO, LabClock(0, 6000.0, 300.0), []), records)
    data = (tmp_path / "r.xz").read_bytes()
    head, lines = read_recording(data)
    assert size == len(data)
    assert (head["mark"], head["begins"], head["events"][0]["technique"]) == (MARK, 6000.0, "sni_reset")
    assert [line[:49].count(b"15:00") for line in lines] == [1, 0]


def test_a_record_is_made_slim_and_says_so() -> None:
    kept = msgspec.json.decode(slim(record("2023-12-17 15:00:00", body="x" * 5000)))
    response = kept["test_keys"]["requests"][0]["response"]
    assert (len(response["body"]), response["body_is_truncated"]) == (400, True)
    assert kept["test_keys"]["requests"][0]["t"] == 0.123
    assert kept["test_keys"]["network_events"] == [
        {"operation": "connect", "t": 0.1, "transaction_id": 1, "address": "192.0.2.1:443"},
        *2 * [{"operation": "read", "t": 0.1}],
    ]
    assert kept["x_recorded"] == MARK


@pytest.mark.parametrize("data", [b"", b"no xz", lzma.compress(b"no json"), lzma.compress(b"{}")])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(FanousError, match="not a recording of the lab"):
        read_recording(data)


def test_the_recording_that_ships_is_of_the_lab_and_holds_no_address_of_a_probe(tmp_path: Path) -> None:
    head = unpack("pakistan-2023-12-17", tmp_path / "r.jsonl")
    lines = (tmp_path / "r.jsonl").read_bytes().splitlines()
    assert head["country"] == "PK"
    assert {event["technique"] for event in head["events"]} == {
        "sni_reset",
        "sni_drop",
        "sni_throttle_police",
    }
    assert len(lines) > 1000
    for number, record in enumerate(msgspec.json.decode(line)["test_keys"] for line in lines):
        connected = {
            one["transaction_id"]: one["address"]
            for one in record["network_events"]
            if one["operation"] == "connect"
        }
        for one in record.get("tls_handshakes") or ():
            assert connected[one["transaction_id"]] == one["address"], number
    assert all(b'"x_recorded":"recorded in the lab"' in line for line in lines)
    assert not any(b'"45.16.' in line for line in lines)  # the lab's customers
    bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", lines[0]))
    assert bundle.measurement.country in ("PK", "SE")
