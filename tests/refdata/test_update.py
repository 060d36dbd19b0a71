"""Update: what is installed, what is refused, and that the earlier set is then kept."""

import functools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.refdata.fingerprints import (
    OONI_DNS,
    OONI_HTTP,
    PublicSet,
    SetOrigin,
    about_path,
    described,
    read_about,
)
from fanous.refdata.update import Fetch, UpdateOutcome, download, update
from tests.refdata.mirror import GOOD, mirror
from tests.refdata.sets import OWN, install, ooni, ooni_file, signature

fetch = functools.partial(download, largest=100_000, stall=0.3, deadline=0.6, loopback=True)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with mirror() as at:
        yield at


def gives(data: bytes) -> Fetch:
    def fetched(url: str) -> bytes:
        return data

    return fetched


def at(url: str) -> PublicSet:
    return replace(OONI_HTTP, url=url)


def test_a_fetched_set_is_installed_with_its_source_and_licence(address: str, tmp_path: Path) -> None:
    (one,) = update([at(address + "/good")], tmp_path / "new" / "refdata", fetch=fetch)
    assert (one.file, one.outcome, one.usable) == ("ooni-http.csv", UpdateOutcome.UPDATED, 10)
    ((path, about),) = described(tmp_path / "new" / "refdata" / "trial")
    assert path.read_bytes() == GOOD
    assert about is not None
    assert (about.source, about.licence, about.usable) == (address + "/good", OONI_HTTP.licence, 10)
    assert sorted(p.name for p in path.parent.iterdir()) == ["ooni-http.csv", "ooni-http.csv.about.json"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing", "404"),
        ("/truncated", "received 100 bytes, expected"),
        ("/silent", "timed out"),
        ("/drip", "too slow"),
        ("/huge", "more than"),
        ("/html", "is not a fingerprint set .*it begins '<!DOCTYPE html>"),
        ("/in-clear", "is not https"),
    ],
)
def test_a_failure_keeps_the_installed_set_and_the_others_go_on(
    address: str, tmp_path: Path, path: str, reason: str
) -> None:
    (tmp_path / "ooni-http.csv").write_bytes(GOOD)
    dns = replace(OONI_DNS, url=address + "/good")  # any CSV of that form will do
    failed, other = update([at(address + path), dns], tmp_path, fetch=fetch)
    assert failed.outcome is UpdateOutcome.FAILED
    assert re.search(reason, failed.why)
    assert (tmp_path / "ooni-http.csv").read_bytes() == GOOD
    assert other.outcome is UpdateOutcome.UPDATED


@pytest.mark.parametrize(
    ("rows", "outcome"), [(7, UpdateOutcome.UPDATED), (6, UpdateOutcome.FAILED), (14, UpdateOutcome.UPDATED)]
)
def test_a_set_that_shrank_is_taken_for_broken(tmp_path: Path, rows: int, outcome: UpdateOutcome) -> None:
    (tmp_path / "accepted.csv").write_text(ooni_file(10))
    install(tmp_path, tmp_path / "accepted.csv")
    (one,) = update([OONI_HTTP], tmp_path, fetch=gives(ooni_file(rows).encode()))
    assert one.outcome is outcome
    assert (tmp_path / "ooni-http.csv").read_text() == ooni_file(10)
    assert (tmp_path / "trial" / "ooni-http.csv").exists() is (outcome is UpdateOutcome.UPDATED)
    if outcome is UpdateOutcome.FAILED:
        assert "has 6 usable fingerprints and the installed set has 10, so that is kept" in one.why
        assert f"delete {tmp_path / 'ooni-http.csv'}" in one.why


def test_a_broken_set_on_trial_is_replaced_by_any_set(tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "ooni-http.csv").write_bytes(b"\xff")
    (one,) = update([OONI_HTTP], tmp_path, fetch=gives(ooni_file(1).encode()))
    assert one.outcome is UpdateOutcome.UPDATED


def test_the_same_file_again_changes_nothing_but_the_date(tmp_path: Path) -> None:
    update([OONI_HTTP], tmp_path, fetch=gives(GOOD))
    (one,) = update([OONI_HTTP], tmp_path, fetch=gives(GOOD))
    assert one.outcome is UpdateOutcome.UNCHANGED


def test_bad_rows_are_named_and_the_rest_installed(tmp_path: Path) -> None:
    text = ooni_file(3) + ooni(scope="galaxy") + ooni(scope="vbw")
    (one,) = update([OONI_HTTP], tmp_path, fetch=gives(text.encode()))
    assert (one.usable, [row.line for row in one.bad]) == (3, [5])
    assert one.left_out == {"rated as vague": 1}


@pytest.mark.parametrize(
    ("name", "text", "file"),
    [
        ("fingerprints_http.csv", ooni_file(), "ooni-http.csv"),
        ("fetched by a friend", signature("b_nat_pk", "kept from you"), "censoredplanet-blockpages.jsonl"),
        ("own.toml", OWN, "own.toml"),
    ],
)
def test_a_file_that_the_user_has_is_installed_under_its_sets_name(
    tmp_path: Path, name: str, text: str, file: str
) -> None:
    (tmp_path / name).write_text(text)
    (one,) = update([tmp_path / name], tmp_path / "refdata")
    assert (one.file, one.outcome, one.source) == (file, UpdateOutcome.UPDATED, str(tmp_path / name))
    assert (tmp_path / "refdata" / "trial" / file).read_text() == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OWN.replace("this page", "(this page"), "own.notice: the pattern cannot be compiled"),
        (OWN.replace("own.notice", "ir.peyvandha"), "ir.peyvandha is in fingerprints.toml too"),
        (OWN.replace("own.notice", "other.notice"), "other.notice is in .*other.toml too"),
        (OWN + OWN, "the id is used twice"),
        ("", "no fingerprint in it can be used"),
    ],
)
def test_toml_that_would_stop_every_command_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    folder = tmp_path / "refdata"
    folder.mkdir()
    (folder / "other.toml").write_text(OWN.replace("own.notice", "other.notice"))
    (tmp_path / "own.toml").write_text(text)
    (one,) = update([tmp_path / "own.toml"], folder)
    assert one.outcome is UpdateOutcome.FAILED
    assert re.search(reason, one.why)
    assert not (folder / "trial").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (one,) = update([tmp_path / "missing.csv"], tmp_path)
    assert one.why.startswith(f"cannot read {tmp_path / 'missing.csv'}: No such file")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "refdata").write_text("a file stands where the folder should")
    with pytest.raises(FanousError, match=r"cannot be written: .*check the folder"):
        update([OONI_HTTP], tmp_path / "refdata", fetch=gives(GOOD))


def test_of_a_set_changed_by_hand_nothing_is_claimed(tmp_path: Path) -> None:
    update([OONI_HTTP], tmp_path, fetch=gives(GOOD))
    changed = tmp_path / "trial" / "ooni-http.csv"
    changed.write_bytes(GOOD + b"\n")
    assert described(tmp_path / "trial") == [(changed, None)]


@pytest.mark.parametrize("noted", ["", "[]", "{}", "{", '{"usable": 1}'])
def test_a_note_that_cannot_be_read_is_no_note(tmp_path: Path, noted: str) -> None:
    path = tmp_path / "ooni-http.csv"
    about_path(path).write_text(noted)
    assert read_about(path) is None


def test_a_note_says_when(tmp_path: Path) -> None:
    update([OONI_HTTP], tmp_path, fetch=gives(GOOD))
    about = read_about(tmp_path / "trial" / "ooni-http.csv")
    assert isinstance(about, SetOrigin)
    assert len(about.installed_at) == len("2023-12-17T15:00:00Z")
    assert about.installed_at.endswith("Z")
