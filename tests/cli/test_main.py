"""The command line as a user meets it: exit codes, what goes to stdout, what an error says."""

import gzip
import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from fanous.cli.main import Root, _refuse_logins, main
from fanous.store.local import open_store
from tests.children import child_environment
from tests.commands import document, fanous, program
from tests.copies import copy_of
from tests.demonstration import as_far_as_x
from tests.each import each

KEYS = [
    "id", "provenance", "basis", "kind", "status", "scope", "access", "entities", "targets", "mechanisms", "parts",
    "onset", "onset_earliest", "onset_latest", "end", "end_earliest", "end_latest", "reached", "reached_earliest",
    "reached_latest", "intervals", "confirmed_at",
    "first_published_at", "confidence", "users_affected_share", "kbps", "level", "levels", "lasting_since", "reason",
    "reasons", "explanations", "share_tested", "evidence", "rules_version", "detector_version", "networks",
    "known_until",
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(small_rally_folder, tmp_path_factory.mktemp("cli") / "store")


def test_confirm_gives_the_documented_json_and_nothing_else(filled: Path) -> None:
    words = ("confirm", "pk", "--since", "2023-12-17", "--until", "2023-12-18", "--json", "--store", filled)
    printed = program(*words).stdout
    assert fanous(*words).stdout == printed, "as in this process, where the other tests ask"
    answer = json.loads(printed)
    assert list(answer) == ["country", "since", "until", "incidents", "insufficient", "measured"]
    assert answer["since"] == "2023-12-17T00:00:00Z"
    (incident,) = answer["incidents"]
    assert list(incident) == KEYS
    assert incident["id"] == "PK-2023-0001"
    assert incident["scope"] == "nation"
    assert incident["entities"][0] == "PK"
    assert list(incident["parts"][0]) == [
        "target",
        "kind",
        "mechanisms",
        "entities",
        "named",
        "intervals",
        "roles",
    ]
    assert list(incident["users_affected_share"]) == ["mean", "low", "high", "observed", "share_of"]


@each("named", ["Pakistan", "پاکستان", "pk"])
def test_a_country_is_known_by_its_names(named: str, filled: Path) -> None:
    assert document("confirm", named, "--since", "2023-12-17", "--store", filled)["country"] == "PK"


def test_what_would_have_been_found_is_told_if_it_is_asked_for(filled: Path) -> None:
    asked = document("confirm", "PK", "--target", "x", "--sensitivity", "--store", filled)
    assert {one["target"] for one in asked["sensitivity"]} == {"x"}
    first = asked["sensitivity"][0]
    assert list(first) == [
        "network",
        "target",
        "measurements",
        "chance",
        "minutes_all",
        "minutes_half",
        "found_alike",
    ]
    assert first["chance"] == 0.9 and 0 < first["minutes_all"] < 24 * 60
    assert first["minutes_half"] is None or first["minutes_half"] >= first["minutes_all"]
    counts = [one["measurements"] for one in asked["sensitivity"]]
    assert counts == sorted(counts, reverse=True)
    assert "sensitivity" not in document("confirm", "PK", "--target", "x", "--store", filled)


def test_confirm_for_people_has_the_sentence_and_the_grid(filled: Path) -> None:
    text = fanous("confirm", "PK", "--target", "twitter.com", "--store", filled).stdout
    assert "Confirmed; now ended:" in text
    assert "PKT" in text
    assert "UTC" in text
    assert "AS59257" in text
    assert "no data" in text


def test_incidents_are_listed_and_shown_with_their_revisions(filled: Path) -> None:
    listed = document("incidents", "list", "PK", "--store", filled)["incidents"]
    assert [incident["id"] for incident in listed] == ["PK-2023-0001"]
    shown = document("incidents", "show", "pk-2023-0001", "--store", filled)
    assert shown["rule"] == "C2"
    assert [r["n"] for r in shown["revisions"]] == [1]
    assert "PK-2023-0001" in fanous("incidents", "list", "--store", filled).stdout
    assert "Revisions" in fanous("incidents", "show", "PK-2023-0001", "--store", filled).stdout


def test_judge_needs_no_store_and_gives_a_reason_for_each_verdict(small_rally: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_bytes(b"".join(small_rally.read_bytes().splitlines(keepends=True)[:20]))
    judged = document("judge", few)["measurements"]
    assert len(judged) == 20
    for one in judged:
        assert one["measurement_uid"]
        for verdict in one["verdicts"]:
            assert verdict["state"] in {"ok", "blocked", "throttled", "down", "insufficient"}
            assert verdict["rule_id"]
            assert verdict["why"]
    assert "[" in fanous("judge", few).stdout


def test_judging_again_says_how_much(filled: Path) -> None:
    assert "0 measurements" in fanous("rejudge", "--store", filled).stdout


@pytest.mark.parametrize("words", [["collect", "--inbox", "i"], ["judge", "m.jsonl"]])
def test_no_command_begins_with_a_handful_of_descriptors(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Six were enough to start, and then asyncio, SQLite and Python's own modules failed each in its own words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("resource.getrlimit", lambda _: (6, 6))
    done = fanous(*words, code=1)
    assert done.stderr.splitlines() == [
        "fanous: this process may open 6 files (`ulimit -n`), and fanous needs 32: raise that limit, or LimitNOFILE= "
        "of the unit"
    ]
    assert not list(tmp_path.iterdir())


def test_no_file_is_written_that_others_may_change(tmp_path: Path, small_rally: Path) -> None:
    before = os.umask(0)
    try:
        fanous("ingest", "ooni", small_rally, "--store", tmp_path / "store")
    finally:
        os.umask(before)
    written = [path for path in (tmp_path / "store").rglob("*") if not path.is_symlink()]
    assert len(written) > 10
    assert [path for path in written if path.stat().st_mode & 0o022] == []


@each("zone", [":/etc/passwd", ":/dev/zero", "../../etc/passwd"])
def test_a_time_zone_that_is_another_file_stops_no_command(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Babel reads what ``TZ`` names when it is loaded, which is needed to find a country by its name."""
    monkeypatch.setenv("TZ", zone)
    assert "neither the code nor the name of a country" in program("confirm", "XX", code=2).stderr


REAL = (["confirm", "XX"], ["judge", "nothing.jsonl"])
"""Complaints that the program makes as well: one of each exit code."""


@each(
    ("words", "code", "says"),
    [
        (["confirm", "XX"], 2, "neither the code nor the name of a country"),
        (["confirm", "PK", "--since", "yesterday"], 2, "not a date or time"),
        (["confirm", "PK", "--since", "2023-12-18", "--until", "2023-12-17"], 2, "must be before"),
        (["confirm", "PK"], 1, "no store"),
        (["cost", "PK", "--hours", "x"], 2, "is not a valid number"),
        (["probe", "serve", "--port", "x"], 2, "is not a valid whole number"),
        (["ingest", "oni", "nothing.jsonl"], 1, "unknown source 'oni'; did you mean 'ooni'?"),
        (["ingest", "weather", "nothing.jsonl"], 1, "unknown source 'weather': use one of edge, ooni"),
        (["ingest", "ooni", "nothing.jsonl"], 1, "nothing.jsonl"),
        (["incidents", "show", "PK-2023-0001"], 1, "no store"),
        (["judge", "nothing.jsonl"], 1, "nothing.jsonl"),
        (["evaluate", "."], 1, "events.toml"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(
    words: list[str], code: int, says: str, tmp_path: Path
) -> None:
    needs_store = words[0] in ("confirm", "ingest", "incidents")
    typed = [*words, *(["--store", str(tmp_path / "none")] if needs_store else [])]
    for run in (fanous, program) if words[:2] in REAL else (fanous,):
        done = run(*typed, code=code)
        assert says in " ".join(done.stderr.replace("│", " ").split())
        assert done.stdout == ""


def test_a_folder_that_is_no_store_is_left_alone(tmp_path: Path, small_rally: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = fanous("ingest", "ooni", small_rally, "--store", tmp_path, code=1)
    assert "not a store" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["letter.txt"]


def test_a_file_of_which_nothing_can_be_used_is_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "letter.jsonl").write_text("dear\nall\n")
    done = fanous("ingest", "ooni", tmp_path / "letter.jsonl", "--store", tmp_path / "store", code=1)
    assert "read 2: stored 0" in done.stdout
    assert "these are `ooni` files" in done.stderr


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "hour.jsonl").touch()
    done = fanous("ingest", "ooni", tmp_path / "hour.jsonl", "--store", tmp_path / "store")
    assert "read 0" in done.stdout and "no records found" in done.stderr


def test_a_broken_off_file_is_taken_as_far_as_it_goes(tmp_path: Path, small_rally: Path) -> None:
    """Ingested by the program itself, which prints the documented tally."""
    whole = gzip.compress(b"".join(small_rally.read_bytes().splitlines(keepends=True)[:200]))
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    tally = json.loads(program("ingest", "ooni", cut, "--json", "--store", tmp_path / "store").stdout)
    assert list(tally) == ["read", "stored", "duplicate", "rejected", "rejects"]
    assert tally["read"] == tally["stored"] + tally["duplicate"] + tally["rejected"]
    assert 0 < tally["stored"] < 200
    assert tally["rejected"] >= 1
    assert tally["rejects"][0]["line"] > 1
    assert tally["rejects"][0]["file"] == str(cut)


def test_a_second_process_is_told_who_has_the_store_and_what_to_do(filled: Path) -> None:
    with open_store(filled):
        done = program("confirm", "PK", "--store", filled, code=1)
    assert "process" in done.stderr
    assert "pytest" in done.stderr or str(sys.executable) in done.stderr


def test_the_configuration_names_the_store(filled: Path, tmp_path: Path) -> None:
    config = tmp_path / "fanous.toml"
    config.write_text(f'[store]\nfolder = "{filled}"\n')
    assert document("confirm", "PK", "--config", config)["incidents"]
    config.write_text(f'[store]\nfoldr = "{filled}"\n')
    done = fanous("confirm", "PK", "--config", config, code=1)
    assert "[store] foldr: unknown key; did you mean 'folder'?" in done.stderr


def test_help_names_every_command() -> None:
    text = fanous("--help").stdout
    for command in ("ingest", "judge", "confirm", "incidents", "rejudge", "evaluate", "demo", "refdata"):
        assert command in text


def test_a_paragraph_of_help_is_broken_only_where_the_terminal_ends() -> None:
    """The lines of docstrings ended in the middle of a terminal's."""
    told = Root(name="fanous").commands["doctor"].help or ""
    assert (told.count("\n\n"), told.count("\n")) == (1, 2)


def test_the_demonstration_prints_the_answer_and_says_that_it_is_synthetic(
    demo_of_x_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown again, where it clears the earlier one away; `tests/web/test_demo.py` starts the program."""
    as_far_as_x(monkeypatch)
    store = copy_of(demo_of_x_folder, tmp_path / "demo")
    text = fanous("demo", "--once", "--store", store).stdout
    assert "synthetic" in text
    assert "across Pakistan" in " ".join(text.split())
    assert document("confirm", "PK", "--store", store)["incidents"][0]["targets"] == ["x"]


def test_errors_stay_out_of_the_answer_where_standard_error_is_closed(tmp_path: Path) -> None:
    """If standard error is closed, Python prints what belongs there to standard output."""
    command = f"exec {sys.executable} -m fanous confirm PK --json --store {tmp_path / 'none'} 2>&-"
    ran = subprocess.run(["sh", "-c", command], env=child_environment(), stdout=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stdout) == (1, b"")


def test_an_answer_is_given_without_standard_streams_and_in_any_locale(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed standard output, or one that cannot encode the characters of a grid, was reported as a bug."""
    printed = BytesIO()
    monkeypatch.setattr(
        "sys.argv", ["fanous", "confirm", "PK", "--since", "2023-12-17", "--store", str(filled)]
    )
    for out in (None, TextIOWrapper(printed, "ascii", write_through=True)):
        monkeypatch.setattr("sys.stdin", None)
        monkeypatch.setattr("sys.stdout", out)
        with pytest.raises(SystemExit, match=r"^0$"):
            main()
    assert b"Confirmed; now ended" in printed.getvalue()


def test_the_exit_code_survives_leaving_without_the_engines_own_end(filled: Path) -> None:
    since = ("--since", "2023-12-17", "--until", "2023-12-18", "--store", filled)
    program("confirm", "PK", "--fail-on", "confirmed", *since, code=3)


def test_a_full_disk_behind_standard_output_is_a_sentence(filled: Path) -> None:
    for words in (["confirm", "PK"], ["incidents", "list", "--json"], ["--help"]):
        where = ["--store", str(filled)] if words != ["--help"] else []
        with Path("/dev/full").open("wb") as full:
            ran = subprocess.run(
                [sys.executable, "-m", "fanous", *words, *where],
                env=child_environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert ran.returncode == 1
        assert ran.stderr.startswith("fanous: the disk is full")
        assert ran.stderr.count("\n") == 1


@each(
    "words",
    [
        ["rejudge"],
        ["detect"],
        ["forget", "20231217T000000Z_webconnectivity_PK_17557_n1_x"],
        ["retain", "--config", "fanous.toml"],
        ["alerts", "retry", "--all"],
        ["incidents", "retract", "PK-2023-0001", "--by", "the desk", "--reason", "an error"],
    ],
)
def test_a_mistyped_store_is_said_and_not_begun(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fanous.toml").write_text("[retention]\nobservations_days = 400\n")
    told = fanous(*words, "--store", "mistyped", code=1)
    assert f"no store at {Path('mistyped').resolve()}" in told.stderr
    assert not Path("mistyped").exists()


@each(
    "words",
    [
        ("queue", "nats://me:s3cret@127.0.0.1:9"),
        ("queue", "tls://a,t0ken-s3cret@b?replicas=1"),
        ("collect", "--queue", "nats://:s3cret@127.0.0.1:9"),
        ("drain", "--queue=NATS://me:s3cret@127.0.0.1:9"),
        ("probe", "run", "--yes", "--proxy", "http://me:s3cret@127.0.0.1:9"),
        ("retain", "--config", "postgresql+psycopg://me:s3cret@127.0.0.1/db"),
    ],
)
def test_no_login_is_taken_from_the_command_line(words: tuple[str, ...]) -> None:
    """Every user of the machine sees it in the list of processes."""
    said = fanous(*words, code=1).stderr
    assert "in the environment instead (FANOUS_QUEUE for a queue" in said.replace("\nfanous: ", " ")
    assert "s3cret" not in said


def test_an_at_sign_elsewhere_in_an_address_is_no_login() -> None:
    _refuse_logins(
        ["https://x.com/@name?to=a@b#c@d", "me@example.org", "nats://a,b?stream=a@b", "--by=Ayesha@desk"]
    )


def test_the_environment_gives_what_a_command_line_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANOUS_QUEUE", "nats://me:s3cret@127.0.0.1:9/nothing")
    for words in (("queue",), ("drain",)):
        said = fanous(*words, code=1).stderr
        assert "***@127.0.0.1:9/nothing is not a queue address" in said
        assert "s3cret" not in said
    (tmp_path / "inbox").mkdir()
    done = fanous("drain", tmp_path / "inbox", "--store", tmp_path / "store")
    assert "stored 0" in done.stdout, "an inbox that is named takes precedence"
