"""A set of fingerprints on trial concludes nothing until a person accepts it, and counts only as it was accepted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fanous.errors import FanousError
from fanous.pipeline import judge
from fanous.refdata import trial
from fanous.refdata.fingerprints import about_path, fingerprints, installed_fingerprints, read_about
from fanous.refdata.trial import LEAST_DIGITS, accept, on_trial
from fanous.refdata.update import UpdateOutcome, update
from tests.refdata.sets import OONI_HEADER, install, ooni
from tests.sources.records import ADDRESS, control, document, encoded, transaction, web_keys

NOTICE = ooni("this page is kept from you", name="real.notice", countries="PK")
NEWS = ooni("News of the day", name="poison.accuses", countries="PK")
EXCUSE = ooni("this page is kept from you", name="poison.excuses", scope="fp")
PLACE = ooni(ADDRESS, name="poison.address", place="dns", how="full", countries="PK")

ASKED_IN_CLEAR = "http://news.example.org/"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of the accepted sets, for a process that has judged nothing yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield tmp_path / "fanous" / "refdata"
    forget()


def forget() -> None:
    """What a new process does not know."""
    known: tuple[Any, ...] = (judge.known_fingerprints, judge._on_trial, judge.rules_version)
    for one in (*known, fingerprints, installed_fingerprints, trial.trial_fingerprints):
        one.cache_clear()


def published(folder: Path, *rows: str) -> Path:
    """A file of OONI's form, as its publisher gives it out today."""
    path = folder.parent.parent / "fingerprints_http.csv"
    path.write_text(OONI_HEADER + "".join(rows))
    return path


def judged(folder: Path, body: str) -> dict[str, Any]:
    """What a new process says about one page that came in the clear."""
    forget()
    asked = transaction(ASKED_IN_CLEAR, body, address=f"{ADDRESS}:80")
    known = control(http_request={"failure": "generic_timeout_error"})
    keys = web_keys(requests=[asked], tls_handshakes=[], control=known)
    path = folder.parent.parent / "one.jsonl"
    path.write_bytes(encoded(document(keys, input=ASKED_IN_CLEAR)))
    (one,), rejects = judge.judge_files([path])
    assert rejects == []
    return dict(one)


def rules_of(one: dict[str, Any]) -> set[str]:
    return {verdict["rule_id"] for verdict in one["verdicts"] if verdict["state"] == "blocked"}


BLOCKED_PAGE = "<html><title>News</title>this page is kept from you</html>"
SOUND_PAGE = "<html><title>News of the day</title></html>"


@pytest.mark.parametrize(
    ("rows", "page", "before", "once_accepted"),
    [
        ((NOTICE, NEWS), SOUND_PAGE, set(), {"http.blockpage"}),
        ((NOTICE, EXCUSE), BLOCKED_PAGE, {"http.blockpage"}, set()),
        ((NEWS.replace("PK", "IR"),), BLOCKED_PAGE, {"http.blockpage"}, set()),
    ],
    ids=["accuses", "excuses", "removes"],
)
def test_a_poisoned_update_changes_no_verdict_until_it_is_accepted(
    folder: Path, rows: tuple[str, ...], page: str, before: set[str], once_accepted: set[str]
) -> None:
    install(folder, published(folder, NOTICE))
    version = installed_fingerprints(folder).version
    (one,) = update([published(folder, *rows)], folder)
    assert (one.outcome, one.on_trial) == (UpdateOutcome.UPDATED, True)
    said = judged(folder, page)
    assert rules_of(said) == before
    assert judge.known_fingerprints().version == version
    assert len([note for note in said["notes"] if "With the fingerprints on trial" in note]) == 1
    accept([waiting.about.sha256 for waiting in on_trial(folder)], folder, "duty editor")
    said = judged(folder, page)
    assert rules_of(said) == once_accepted
    assert said["notes"] == []
    assert judge.known_fingerprints().version != version


def test_a_poisoned_address_blocks_nothing_until_it_is_accepted(folder: Path) -> None:
    (one,) = update([published(folder, PLACE)], folder)
    assert one.usable == 1
    assert not installed_fingerprints(folder).is_block_address(ADDRESS, "PK")
    (waiting,) = on_trial(folder)
    assert waiting.added == (f"{ADDRESS}: address of block pages in PK",)
    accept([waiting.about.sha256], folder, "duty editor")
    installed_fingerprints.cache_clear()
    assert installed_fingerprints(folder).is_block_address(ADDRESS, "PK")


def test_a_person_reads_what_is_new_and_what_is_gone(folder: Path) -> None:
    install(folder, published(folder, NOTICE, PLACE))
    update([published(folder, NOTICE, NEWS)], folder)
    (waiting,) = on_trial(folder)
    assert [line.partition(":")[0] for line in waiting.added] == ["ooni/poison.accuses"]
    assert [line.partition(":")[0] for line in waiting.removed] == [ADDRESS]


def test_who_accepted_and_when_is_kept_and_survives_the_next_update(folder: Path) -> None:
    file = published(folder, NOTICE)
    (accepted,) = install(folder, file)
    (one,) = update([file], folder)
    assert (one.outcome, one.on_trial) == (UpdateOutcome.UNCHANGED, False)
    about = read_about(folder / "ooni-http.csv")
    assert about is not None and (about.accepted_by, about.sha256) == ("duty editor", accepted.about.sha256)
    assert len(about.accepted_at) == len("2026-12-01T15:00:00Z")
    assert on_trial(folder) == []


def test_what_its_publisher_takes_back_is_on_trial_no_longer(folder: Path) -> None:
    install(folder, published(folder, NOTICE))
    update([published(folder, NOTICE, NEWS)], folder)
    assert len(on_trial(folder)) == 1
    update([published(folder, NOTICE)], folder)
    assert on_trial(folder) == []


def test_a_set_from_before_there_were_trials_counts_as_accepted(folder: Path) -> None:
    install(folder, published(folder, NOTICE))
    note = about_path(folder / "ooni-http.csv")
    kept = json.loads(note.read_bytes())
    note.write_text(json.dumps({key: kept[key] for key in kept if not key.startswith("accepted")}))
    assert rules_of(judged(folder, BLOCKED_PAGE)) == {"http.blockpage"}


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes() + NEWS.encode())


def put_by_hand(path: Path) -> None:
    about_path(path).unlink()


def with_a_broken_note(path: Path) -> None:
    about_path(path).write_text("{")


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (changed, "changed after it was installed"),
        (put_by_hand, "was put there by hand"),
        (with_a_broken_note, "was put there by hand"),
    ],
)
def test_a_file_that_nobody_accepted_judges_nothing(
    folder: Path, tamper: Callable[[Path], None], what: str
) -> None:
    install(folder, published(folder, NOTICE))
    path = folder / "ooni-http.csv"
    tamper(path)
    with pytest.raises(FanousError, match=rf"ooni-http.csv {what}.*Move the file to another folder"):
        judged(folder, SOUND_PAGE)
    path.rename(folder.parent / "elsewhere.csv")
    install(folder, folder.parent / "elsewhere.csv")
    assert rules_of(judged(folder, BLOCKED_PAGE)) == {"http.blockpage"}


def test_a_set_on_trial_that_was_changed_is_not_accepted(folder: Path) -> None:
    update([published(folder, NOTICE)], folder)
    (waiting,) = on_trial(folder)
    changed(waiting.path)
    with pytest.raises(FanousError, match="is not the file that an update put on trial; delete it"):
        accept([waiting.about.sha256], folder, "duty editor")


def test_only_the_file_that_was_read_is_accepted(folder: Path) -> None:
    update([published(folder, NOTICE)], folder)
    (read,) = on_trial(folder)
    update([published(folder, NOTICE, NEWS)], folder)
    with pytest.raises(FanousError, match=r"no set on trial has the SHA-256 .* an update replaced it"):
        accept([read.about.sha256], folder, "duty editor")
    (now,) = on_trial(folder)
    with pytest.raises(FanousError, match="31 digits do not identify a file; give at least 32"):
        accept([now.about.sha256[: LEAST_DIGITS - 1]], folder, "duty editor")
    with pytest.raises(FanousError, match="needs a person's name or role"):
        accept([now.about.sha256], folder, " ")
    assert not (folder / "ooni-http.csv").exists()
    accept([now.about.sha256[:LEAST_DIGITS].upper()], folder, "duty editor")
    assert (folder / "ooni-http.csv").exists()


def test_a_kill_while_a_set_is_accepted_leaves_a_way_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, published(folder, NOTICE))
    update([published(folder, NOTICE, NEWS)], folder)
    (waiting,) = on_trial(folder)

    def killed(path: Path, about: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trial, "write_about", killed)
        accept([waiting.about.sha256], folder, "duty editor")
    with pytest.raises(FanousError, match="Move the file to another folder"):
        judged(folder, SOUND_PAGE)
    (folder / "ooni-http.csv").rename(folder.parent / "elsewhere.csv")
    accept([waiting.about.sha256], folder, "duty editor")
    assert rules_of(judged(folder, SOUND_PAGE)) == {"http.blockpage"}


def test_a_note_keeps_its_form(folder: Path) -> None:
    """Other programs, and earlier releases, read it."""
    install(folder, published(folder, NOTICE))
    note = msgspec.json.decode(about_path(folder / "ooni-http.csv").read_bytes())
    assert list(note) == [
        *("source", "licence", "installed_at", "sha256", "usable"),
        *("accepted_by", "accepted_at"),
    ]
