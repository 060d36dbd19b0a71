"""One run of a nettest is sent under one report, over restarts too."""

from pathlib import Path

import msgspec
import pytest

from fanous.collector.submission import open_report
from fanous.probe import upload as reports_module
from fanous.probe.upload import FILE, Reports, Template, request_to_open, request_to_submit, template_of
from tests.collector.probe import REPORT_ID, measurement

DOCUMENT = msgspec.json.encode(measurement())


def test_a_run_is_told_by_what_all_its_measurements_share() -> None:
    same = template_of(msgspec.json.encode(measurement(7, input="https://y.example/")))
    other = template_of(msgspec.json.encode(measurement(test_start_time="2023-12-17 14:45:00")))
    assert template_of(DOCUMENT) == same != other
    assert template_of(DOCUMENT).key == same.key != other.key


def test_the_request_to_open_is_one_that_the_collector_takes() -> None:
    answer = open_report(request_to_open(template_of(DOCUMENT)), 1702823400.0, bytes(12))
    assert answer.report_id.startswith("20231217T143000Z_webconnectivity_PK_17557_")


def test_a_measurement_is_sent_as_it_is_under_its_report() -> None:
    sent = msgspec.json.decode(request_to_submit(DOCUMENT, REPORT_ID))
    assert sent == {"format": "json", "content": measurement()}


@pytest.mark.parametrize("document", [b"", b"[]", b'{"test_name":"x"}', b'{"test_name":7}'])
def test_an_invalid_measurement_is_reported(document: bytes) -> None:
    with pytest.raises(ValueError, match="not a measurement"):
        template_of(document)


def test_a_report_is_known_after_a_restart(tmp_path: Path) -> None:
    Reports(tmp_path).remember(template_of(DOCUMENT), REPORT_ID)
    assert Reports(tmp_path).of(template_of(DOCUMENT)) == REPORT_ID
    Reports(tmp_path).forget(template_of(DOCUMENT))
    assert Reports(tmp_path).of(template_of(DOCUMENT)) is None


@pytest.mark.parametrize("left", [b"", b"[1]", b'{"a":'])
def test_a_damaged_list_starts_again(left: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(left)
    reports = Reports(tmp_path)
    assert reports.of(template_of(DOCUMENT)) is None
    reports.remember(template_of(DOCUMENT), REPORT_ID)
    assert reports.of(template_of(DOCUMENT)) == REPORT_ID


def test_the_list_does_not_grow_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_module, "KEPT", 3)
    reports = Reports(tmp_path)
    runs = [Template("ndt", f"2023-12-17 14:{minute}:00", "1", "fanous", "1") for minute in range(5)]
    for run in runs:
        reports.remember(run, REPORT_ID)
    assert [Reports(tmp_path).of(run) is not None for run in runs] == [False, False, True, True, True]
