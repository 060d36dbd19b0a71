"""What an outcome means for the person in front of the screen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.analysis.rules.verdicts import PRIVATE_NAME
from fanous.errors import FanousError
from fanous.model.verdict import State
from fanous.probe.health import Health
from fanous.probe.outcome import Outcome, worst
from fanous.probe.output import record_file, report_document
from fanous.probe.run import RunReport
from fanous.probe.words import count_line, health_sentence, report_lines, round_line, sentence, state_in_words
from tests.builders import verdict
from tests.each import each


def outcome(state: State, mechanism: str = "", *, target: str = "x", symptom: bool = False) -> Outcome:
    return Outcome(f"https://{target}.example/", target, "web", state, mechanism, "Why.", symptom, {}, ())


def health(**changes: object) -> Health:
    sound: dict[str, object] = {
        "online": True,
        "portal": False,
        "ipv6": True,
        "clock_offset": 0.0,
        "controls": {"https://control.example/": True},
        "domestic": None,
        "intranet_only": False,
    }
    return Health(**(sound | changes))  # type: ignore[arg-type]  # a test names what it is about


@each(
    ("one", "words"),
    [
        (outcome(State.OK), "X (Twitter) works from here."),
        (outcome(State.OK, "server.geo_block"), "answers, but refuses visitors from here"),
        (outcome(State.INSUFFICIENT, "tls.throttle.sni", symptom=True), "may be slowed down here"),
        (outcome(State.BLOCKED, "tls.reset.sni"), "is blocked here: the connection is cut as soon as"),
        (outcome(State.BLOCKED, "tls.timeout"), "the connection falls silent as soon as its name is sent"),
        (outcome(State.BLOCKED, "tls.reset.fingerprint"), "cut by how their first message looks"),
        (outcome(State.BLOCKED, "http.blockpage"), "a block page is shown in its place"),
        (outcome(State.THROTTLED, "tls.throttle.sni"), "is slowed down here: data arrive too slowly"),
        (
            outcome(State.DOWN, "server.down"),
            "is down: its own servers do not answer anyone. It is not your",
        ),
        (outcome(State.INSUFFICIENT, "dns.nxdomain", symptom=True), "whether others can is unknown"),
        (outcome(State.INSUFFICIENT), "Why. Nothing can be concluded"),
        (outcome(State.INSUFFICIENT, symptom=True), "X (Twitter): Why. Compare with a helper outside"),
    ],
)
def test_a_sentence_says_what_it_is_and_what_to_do_now(one: Outcome, words: str) -> None:
    assert words in sentence(one)


def test_a_line_on_which_all_tls_is_intercepted_is_said_first_and_once() -> None:
    cut = [outcome(State.INSUFFICIENT, "tls.mitm", target=name, symptom=True) for name in ("x", "youtube")]
    last = outcome(State.BLOCKED, "tls.mitm.self_signed", target="whatsapp")
    lines = report_lines(RunReport(outcomes=[*cut, last], not_tried={}, health=health(clock_offset=900.0)))
    assert "clock" in lines[0]
    assert lines[1].startswith("All encrypted connections from here are intercepted")
    assert len(lines) == 2
    for others in (
        [*cut],
        [*cut, outcome(State.OK, target="whatsapp")],
        [*cut, outcome(State.BLOCKED, "tls.reset.sni")],
    ):
        told = report_lines(RunReport(outcomes=others, not_tried={}, health=None))
        assert not any("All encrypted connections" in line for line in told)


def test_a_private_name_is_said_plainly_and_asks_for_no_second_network() -> None:
    given = verdict(State.INSUFFICIENT, rule_id=PRIVATE_NAME.id)
    one = replace(outcome(State.INSUFFICIENT, target="nas.lan"), why=PRIVATE_NAME.why, verdicts=(given,))
    assert sentence(one) == f"nas.lan: {PRIVATE_NAME.why} Measure a public site."


def test_a_failure_without_a_control_is_never_called_a_block() -> None:
    one = outcome(State.INSUFFICIENT, "tls.reset.sni", symptom=True)
    assert "block" not in sentence(one)
    assert "block" not in state_in_words(one)


def test_every_state_has_words() -> None:
    assert len({state_in_words(outcome(state)) for state in State}) == len(State)


def test_the_worst_endpoint_decides_for_its_target() -> None:
    states = [State.OK, State.THROTTLED, State.INSUFFICIENT]
    assert worst([outcome(state) for state in states]).state is State.THROTTLED


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (health(), ""),
        (health(online=False), "There is no network here"),
        (health(portal=True), "A login page stands between you"),
        (health(domestic=True, intranet_only=True), "Sites inside the country"),
        (health(clock_offset=-4000.0), "clock is -4000 s off"),
    ],
)
def test_the_line_has_its_own_sentence(line: Health, words: str) -> None:
    assert health_sentence(RunReport(line)).startswith(words) or words in health_sentence(RunReport(line))
    assert bool(health_sentence(RunReport(line))) == bool(words)


def test_the_summary_names_what_fails_first_and_then_what_works() -> None:
    report = RunReport(health(), [outcome(State.OK, target="zoom"), outcome(State.BLOCKED, "tls.reset.sni")])
    counts, first, last = report_lines(report)
    assert counts == "1 of 2 sites worked. 1 was blocked on your network: X (Twitter)."
    assert first.startswith("X (Twitter) is blocked")
    assert last == "Works from here: Zoom."


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([], ""),
        ([outcome(State.OK)], "1 of 1 site worked."),
        (
            [outcome(State.OK, "server.geo_block"), outcome(State.DOWN, target="zoom")],
            "0 of 2 sites worked. 1 was down for everyone: Zoom. 1 refused visitors from where you are: X (Twitter).",
        ),
        (
            [outcome(State.INSUFFICIENT, target=f"{n}.example") for n in range(7)],
            "0 of 7 sites worked. 7 could not be judged: 0.example, 1.example, 2.example, 3.example, 4.example and 2 "
            "more.",
        ),
    ],
)
def test_a_volunteer_reads_first_how_many_sites_worked(outcomes: list[Outcome], words: str) -> None:
    assert count_line(outcomes) == words


def test_the_document_groups_endpoints_by_target_and_lists_what_was_not_tried() -> None:
    report = RunReport(
        None, [outcome(State.OK), outcome(State.DOWN)], {"https://gone.example/": "no network"}
    )
    document = report_document(report, Path("o.jsonl"))
    assert [(one["target"], one["state"]) for one in document["targets"]] == [
        ("x", "down"),
        ("gone.example", "insufficient"),
    ]
    assert len(document["targets"][0]["endpoints"]) == 2
    json.dumps(document)


RECORD = b'{"software_name":"fanous","n":%d}'


def test_records_are_appended_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").touch()
    for number in (1, 2):
        with record_file(tmp_path / "o.jsonl") as write:
            write(RECORD % number)
    assert (tmp_path / "o.jsonl").read_bytes() == RECORD % 1 + b"\n" + RECORD % 2 + b"\n"


def test_a_record_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_bytes(RECORD % 1 + b"\n" + (RECORD % 2)[:9])
    with record_file(tmp_path / "o.jsonl") as write:
        write(RECORD % 3)
    assert (tmp_path / "o.jsonl").read_bytes().splitlines()[::2] == [RECORD % 1, RECORD % 3]


@pytest.mark.parametrize(
    "theirs", [b"dear diary", b"\n", b'{"software_name":"ooniprobe-cli"}\n', b'{"software_name":"fan']
)
def test_records_are_added_to_no_other_file(tmp_path: Path, theirs: bytes) -> None:
    (tmp_path / "o.jsonl").write_bytes(theirs)
    with pytest.raises(FanousError, match="already there"), record_file(tmp_path / "o.jsonl"):
        pass
    assert (tmp_path / "o.jsonl").read_bytes() == theirs


def test_a_site_that_refuses_its_visitor_is_not_listed_among_those_that_work() -> None:
    report = RunReport(None, [outcome(State.OK, "server.geo_block"), outcome(State.OK, target="youtube")])
    assert report_lines(report)[-1] == "Works from here: YouTube."
    assert state_in_words(outcome(State.OK, "server.geo_block")) == "refuses you"


def test_where_all_is_slow_the_line_is_named_first() -> None:
    def first(*mechanisms: str) -> str:
        outcomes = [outcome(State.THROTTLED, one, target=f"t{n}") for n, one in enumerate(mechanisms)]
        return report_lines(RunReport(None, outcomes))[0]

    slow = "tls.throttle.sni"
    assert "points to the connection" in first(slow, slow, slow)
    assert "points to the connection" not in first(slow, slow)
    assert "points to the connection" not in first(slow, slow, slow, "tls.reset.sni")


def test_quic_that_no_one_answers_is_told_once() -> None:
    def lines(*quic: str) -> list[str]:
        outcomes = [
            replace(outcome(State.OK, target=f"t{n}"), layers={"http": "ok", "quic": one})
            for n, one in enumerate(quic)
        ]
        return [line for line in report_lines(RunReport(None, outcomes)) if "QUIC" in line]

    silent = "generic_timeout_error"
    assert len(lines(silent, silent, silent)) == 1
    assert lines(silent, silent, "ok") == lines(silent, silent) == []


def test_a_round_s_line_says_why_sites_were_not_tried() -> None:
    report = RunReport(None, not_tried={"https://x.com/": "the data cap of 2 MB a day is reached"})
    assert round_line(report) == "0 of 0 work; 1 not tried: the data cap of 2 MB a day is reached"
