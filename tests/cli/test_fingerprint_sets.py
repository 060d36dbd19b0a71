"""What a user reads after an update of fingerprints, and of what is installed."""

from pathlib import Path

from fanous.cli.refdata import (
    ROWS_SHOWN,
    failure,
    installed_document,
    installed_lines,
    trial_document,
    trial_lines,
    updated_document,
    updated_lines,
)
from fanous.refdata.fingerprints import OONI_HTTP, SetOrigin
from fanous.refdata.set_formats import BadRow
from fanous.refdata.trial import Trial
from fanous.refdata.update import Updated, UpdateOutcome

GOOD = Updated("own.toml", "own.toml", UpdateOutcome.UPDATED, usable=1200)
UNREACHED = Updated(OONI_HTTP.file, OONI_HTTP.url, UpdateOutcome.FAILED, "no network")
DIGEST = "0f" * 32
ABOUT = SetOrigin("https://example.org/set.csv", "BSD-3-Clause", "2026-01-02T03:04:05Z", DIGEST, 1200)


def test_bad_rows_are_shown_with_file_and_line_and_counted_beyond() -> None:
    rows = tuple(BadRow(line, "is bad") for line in range(2, ROWS_SHOWN + 5))
    lines = updated_lines(
        [Updated("a.csv", "in/a.csv", UpdateOutcome.UPDATED, bad=rows, left_out={"vague": 3})]
    )
    assert lines[:3] == [
        "a.csv: updated, 0 fingerprints from in/a.csv",
        "  3 left out: vague",
        "  in/a.csv:2: is bad",
    ]
    assert lines[-1] == "  ... and 3 more rows (--json lists them)"


def test_a_failure_offers_the_way_without_a_network() -> None:
    said = failure([GOOD, UNREACHED])
    assert said.startswith("1 of 2 sets could not be updated; the installed ones are kept")
    assert said.endswith(f"pass each with --from FILE: {OONI_HTTP.url}")
    assert failure([GOOD]) == ""
    assert "--from" not in failure([Updated("x", "x", UpdateOutcome.FAILED, "missing")])  # it was given so


def test_the_document_of_an_update_has_all_rows() -> None:
    (entry,) = updated_document([Updated("a.csv", "a", UpdateOutcome.UNCHANGED, bad=(BadRow(7, "is bad"),))])
    assert entry["outcome"] == "unchanged"
    assert entry["bad_rows"] == [{"line": 7, "why": "is bad"}]
    assert entry["why"] is None


def test_what_is_installed_is_told_with_source_date_and_licence() -> None:
    sets = [(Path("x/set.csv"), ABOUT), (Path("x/own.toml"), None)]
    assert installed_lines(sets, "1+1a2b3c4d") == [
        "rules version: 1+1a2b3c4d",
        "set.csv: 1,200 fingerprints, 2026-01-02, licence: BSD-3-Clause",
        "  https://example.org/set.csv",
        "own.toml: changed or added by hand: nothing is judged until you move it away",
    ]
    document = installed_document(sets, "1+1a2b3c4d")
    assert document["rules_version"] == "1+1a2b3c4d"
    assert [entry["licence"] for entry in document["sets"]] == ["BSD-3-Clause", None]


def test_what_is_on_trial_is_told_with_the_command_that_accepts_it() -> None:
    waiting = Trial(
        Path("x/trial/set.csv"), ABOUT, tuple(f"new.{n}" for n in range(ROWS_SHOWN + 2)), ("gone\n+ x",)
    )
    assert (
        trial_lines([waiting])
        == [
            "set.csv: on trial since 2026-01-02, 12 new and 1 removed; they conclude nothing yet",
            "  https://example.org/set.csv",
            *(f"  + new.{n}" for n in range(ROWS_SHOWN)),
            "  ... and 2 more (--json lists them)",
            "  - gone + x",  # a publisher's line break begins no line of ours
            f"To accept what you have read: fanous refdata accept {DIGEST[:32]} --by NAME",
        ]
    )
    (document,) = trial_document([waiting])
    assert (len(document["added"]), document["sha256"]) == (12, DIGEST)


def test_nothing_installed_says_how_to_begin() -> None:
    (line,) = installed_lines([], "1")
    assert "fanous refdata update" in line
