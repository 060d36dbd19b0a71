"""Measurements to verdicts without a store."""

import json
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.pipeline.judge import NOTHING_TO_JUDGE, UNPLACED, judge_files
from fanous_lab.evaluation.simulate import pakistan
from fanous_lab.evaluation.simulate.records import PLATFORMS
from tests.analysis.rules.golden import case
from tests.analysis.rules.golden.record import HOME, Web
from tests.each import each

STATES = {"ok", "blocked", "throttled", "down", "insufficient"}


def raw(rally: Path, asn: int, hours: tuple[str, str], test_name: str = "web_connectivity") -> list[bytes]:
    """Lines of the generated event, of one network, begun between two moments."""
    chosen = []
    for line in rally.read_bytes().splitlines():
        record: dict[str, Any] = json.loads(line)
        of_network = record["probe_asn"] == f"AS{asn}" and record["test_name"] == test_name
        if of_network and hours[0] <= record["measurement_start_time"] < hours[1]:
            chosen.append(line)
    assert chosen
    return chosen


def written(folder: Path, lines: list[bytes], name: str = "few.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


EVENING = ("2023-12-17 16:00:00", "2023-12-17 20:00:00")
MORNING = ("2023-12-17 03:00:00", "2023-12-17 12:00:00")


def test_each_measurement_has_identity_target_and_verdicts_with_a_reason(rally: Path, tmp_path: Path) -> None:
    lines = raw(rally, 59257, EVENING)
    judged, rejects = judge_files([written(tmp_path, lines)])
    assert rejects == []
    assert [one["measurement_uid"] for one in judged] == [json.loads(x)["measurement_uid"] for x in lines]
    for one in judged:
        assert one["target"]
        for verdict in one["verdicts"]:
            assert verdict["state"] in STATES
            assert verdict["rule_id"] and verdict["why"] and verdict["layer"]
            assert (
                verdict["mechanism"] is None or "." in verdict["mechanism"] or verdict["mechanism"].isalpha()
            )


def test_a_restricted_evening_and_an_ordinary_morning_are_told_apart(rally: Path, tmp_path: Path) -> None:
    def share(hours: tuple[str, str]) -> float:
        judged, _ = judge_files([written(tmp_path, raw(rally, 59257, hours))])
        of_platforms = [one for one in judged if one["target"] in PLATFORMS]
        bad = [one for one in of_platforms if any(v["state"] == "blocked" for v in one["verdicts"])]
        return len(bad) / len(of_platforms)

    assert pakistan.RESTRICTIONS[59257].fate.name == "TLS_RESET"
    assert share(EVENING) > 0.8
    assert share(MORNING) < 0.2


def test_a_measurement_on_which_nothing_may_rest_says_why(rally: Path, tmp_path: Path) -> None:
    record = json.loads(raw(rally, 59257, MORNING)[0])
    sound, _ = judge_files([written(tmp_path, [json.dumps(record).encode()])])
    assert sound[0]["defect"] is None
    record["annotations"]["network_type"] = "vpn"
    tunnelled, _ = judge_files([written(tmp_path, [json.dumps(record).encode()])])
    assert tunnelled[0]["defect"] == "vpn"


def test_files_are_judged_in_order_and_what_cannot_be_used_is_named_with_its_line(
    rally: Path, tmp_path: Path
) -> None:
    first, second, third = raw(rally, 59257, EVENING)[:3]
    mixed = written(tmp_path, [first, b"{not json", second], "mixed.jsonl")
    other = written(tmp_path, [b'{"test_name": "web_connectivity"}', third], "other.jsonl")
    judged, rejects = judge_files([mixed, other])
    uids = [json.loads(line)["measurement_uid"] for line in (first, second, third)]
    assert [one["measurement_uid"] for one in judged] == uids
    assert [reject.partition(": ")[0] for reject in rejects] == [f"{mixed}:2", f"{other}:1"]
    assert all(reject.partition(": ")[2] for reject in rejects)


def test_a_messenger_is_judged_too(rally: Path, tmp_path: Path) -> None:
    judged, _ = judge_files([written(tmp_path, raw(rally, 59257, MORNING, "telegram"))])
    assert {one["target"] for one in judged} == {"telegram"}
    assert all(one["verdicts"] for one in judged)


def test_it_is_plain_json(rally: Path, tmp_path: Path) -> None:
    judged, _ = judge_files([written(tmp_path, raw(rally, 17557, EVENING))])
    assert json.loads(json.dumps(judged, allow_nan=False)) == judged


def test_a_file_that_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="none"):
        judge_files([tmp_path / "none.jsonl"])
    assert judge_files([]) == ([], [])


@each("place", [{"probe_asn": "AS0"}, {"probe_cc": "ZZ"}, {"probe_asn": None, "probe_cc": None}])
@each(("software", "said"), [("fanous", "no monitor will count"), ("ooniprobe-cli", UNPLACED)])
def test_every_request_is_answered_though_the_record_names_no_network(
    place: dict[str, str | None], software: str, said: str, tmp_path: Path
) -> None:
    reset = case.works().shake(failure=case.RESET)
    reset.handshakes.pop(0)
    document = reset.document() | place | {"software_name": software}
    (one,), _ = judge_files([written(tmp_path, [json.dumps(document).encode()])])
    assert one["defect"] == "unknown network"
    assert one["verdicts"][0]["mechanism"] == "tls.reset"
    assert [said in note for note in one["notes"]] == [True]


def test_what_the_nettest_found_wrong_with_the_probe_is_not_forgotten_for_want_of_a_network(
    tmp_path: Path,
) -> None:
    look = {"test_name": "fanous_health", "probe_asn": "AS0", "software_name": "fanous", "test_keys": None}
    (one,), _ = judge_files([written(tmp_path, [json.dumps(case.works().document() | look).encode()])])
    assert one["defect"] not in (None, "unknown network")


def test_on_a_measurement_through_a_tunnel_nothing_rests_wherever_it_was_made(tmp_path: Path) -> None:
    document = case.works().document() | {"probe_asn": "AS0", "annotations": {"network_type": "vpn"}}
    (one,), _ = judge_files([written(tmp_path, [json.dumps(document).encode()])])
    assert {verdict["rule_id"] for verdict in one["verdicts"]} == {"measurement.defect"}


def test_a_measurement_without_anything_to_judge_says_so(tmp_path: Path) -> None:
    empty = case.works().fetch().document() | {"test_keys": None}
    other = empty | {"test_name": "urlgetter", "test_keys": {"requests": []}, "measurement_uid": "other"}
    sound = case.works().fetch().document()
    lines = [json.dumps(one).encode() for one in (empty, other, sound)]
    judged, _ = judge_files([written(tmp_path, lines)])
    assert [one["notes"] for one in judged] == [[NOTHING_TO_JUDGE], [NOTHING_TO_JUDGE], []]
    assert [bool(one["verdicts"]) for one in judged] == [False, False, True]


def test_what_looks_like_blocking_and_has_no_control_is_said_to_be_a_symptom(tmp_path: Path) -> None:
    alone = Web().lookup(HOME).connect(failure=case.TIMEOUT).no_helper()
    document = json.dumps(alone.document()).encode()
    ((judged,), _) = judge_files([written(tmp_path, [document])])
    told = {(v["state"], v["rule_id"]): v["symptom"] for v in judged["verdicts"]}
    assert told[("insufficient", "tcp.no_control")] is True
    assert not any(symptom for (state, _), symptom in told.items() if state != "insufficient")
