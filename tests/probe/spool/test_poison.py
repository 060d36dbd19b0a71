"""One measurement never holds up those behind it: what a server fails at or discards is set aside, with its answer."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fanous.cli.probe_options import APART, sent_line
from fanous.collector.door import Policy
from fanous.collector.submission import Apart
from fanous.probe.spool import REFUSED, Spool
from fanous.probe.upload import STRIKES, STRIKES_FILE, Sent
from tests.collector.probe import measurement
from tests.collector.threads import door
from tests.probe.spool.test_upload import Answer, answering, sent

UNPLACED = {"probe_cc": "ZZ", "probe_asn": "AS0"}


def spool_with(folder: Path, *records: dict[str, object]) -> Spool:
    filled = Spool(folder / "spool")
    for record in records:
        filled.put(msgspec.json.encode(record))
    return filled


def server(of_one: Callable[[dict[str, object]], Answer]) -> Callable[[str, bytes], Answer]:
    """Opens every report as OONI's server does, and answers each measurement as ``of_one`` says."""

    def answer(path: str, body: bytes) -> Answer:
        if path == "/report":
            asked = json.loads(body)
            number = asked["probe_asn"].removeprefix("AS")
            report = f"20231217T143000Z_webconnectivity_{asked['probe_cc']}_{number}_n1_a"
            return 200, {}, json.dumps({"report_id": report, "backend_version": "1.3.5"}).encode()
        return of_one(json.loads(body)["content"])

    return answer


def as_ooni(record: dict[str, object]) -> Answer:
    """``receive_measurement``: an empty object for what it discards (ooni/backend at 32d8349d, reports.py)."""
    if record["probe_asn"] == "AS0" or record["probe_cc"] == "ZZ":
        return 200, {}, b"{}"
    return 200, {}, b'{"measurement_uid":"20231217143000.000000_PK_webconnectivity_7888edc7748936bf"}'


def whys(spool: Spool) -> list[str]:
    return [path.read_text() for path in sorted((spool.folder / REFUSED).glob("*.why"))]


def test_what_oonis_server_discards_is_set_aside_and_the_rest_is_sent(tmp_path: Path) -> None:
    spool = spool_with(tmp_path, measurement(0, **UNPLACED), measurement(1), measurement(2))
    with answering(server(as_ooni)) as url:
        found = sent(spool, url)
    assert found == Sent(2, 1, 0)
    (why,) = whys(spool)
    assert f"{url} answered 200 {{}}" in why
    assert "AS0" in why and "--asn" in why
    assert why.strip() in sent_line(found)


def test_what_was_saved_while_the_fast_path_was_down_is_not_sent_twice(tmp_path: Path) -> None:
    seen: list[object] = []

    def saved(record: dict[str, object]) -> Answer:
        seen.append(record["id"])
        return 200, {}, b"{}"

    spool = spool_with(tmp_path, measurement(0))
    with answering(server(saved)) as url:
        assert sent(spool, url) == Sent(0, 1, 0)
        assert sent(spool, url) == Sent(0, 0, 0)
    assert len(seen) == 1
    assert "stored twice" in whys(spool)[0]


@pytest.mark.parametrize("answer", [(500, {}, b""), (502, {}, b"<html>"), (200, {}, b'{"error":"?"}')])
def test_what_a_server_fails_at_is_tried_last_and_set_aside_in_the_end(
    answer: Answer, tmp_path: Path
) -> None:
    poison = measurement(0, input="https://poison.example/")
    spool = spool_with(tmp_path, poison, measurement(1))

    def failing(record: dict[str, object]) -> Answer:
        return answer if record["input"] == poison["input"] else as_ooni(record)

    with answering(server(failing)) as url:
        assert sent(spool, url) == Sent(0, 0, 2)  # the oldest is tried first, and nothing is known of it
        for round_ in range(1, STRIKES):
            assert sent(spool, url) == Sent(1, 0, 1)
            spool.put(msgspec.json.encode(measurement(round_ + 1)))
        assert sent(spool, url) == Sent(1, 1, 0)
    assert len(whys(spool)) == 1


def test_an_outage_of_the_server_sets_nothing_aside(tmp_path: Path) -> None:
    spool = spool_with(tmp_path, measurement(0), measurement(1))
    is_down = True

    def out(record: dict[str, object]) -> Answer:
        return (502, {}, b"") if is_down else as_ooni(record)

    with answering(server(out)) as url:
        for _ in range(3 * STRIKES):
            assert sent(spool, url) == Sent(0, 0, 2)
        is_down = False
        assert sent(spool, url) == Sent(2, 0, 0)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"\xff": [1, 1]}'])
def test_a_count_of_failures_that_cannot_be_read_begins_again(content: bytes, tmp_path: Path) -> None:
    spool = spool_with(tmp_path, measurement(0))
    (spool.folder / STRIKES_FILE).write_bytes(content)
    with answering(server(as_ooni)) as url:
        assert sent(spool, url) == Sent(1, 0, 0)


def test_why_the_rest_waits_is_reported(tmp_path: Path) -> None:
    spool = spool_with(tmp_path, measurement(0))
    with answering(lambda _path, _body: (503, {}, b"")) as url:
        line = sent_line(sent(spool, url))
    assert f"{url} answered 503" in line


def test_the_user_of_a_probe_is_told_what_the_collector_sets_aside(tmp_path: Path) -> None:
    private = {"probe_cc": "PK", "probe_asn": "AS64512"}
    spool = spool_with(tmp_path, measurement(0, **private), measurement(1, **UNPLACED), measurement(2))
    with door(tmp_path / "inbox", Policy()) as client:
        found = sent(spool, str(client.base_url))
    assert found == Sent(3, 0, 0)
    assert found.apart == {"network_not_public": 1, "place_unknown": 1}
    assert "keeps 1 of them apart" in sent_line(found)
    assert "RFC 6996" in sent_line(found)


def test_each_reason_for_keeping_apart_has_its_words() -> None:
    assert set(APART) == {str(reason) for reason in Apart}
