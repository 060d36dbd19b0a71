"""``fanous doctor --store``: what is wrong with the monitor whose store that is."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.model.reason import as_written
from fanous.model.vitals import Need
from fanous.store.local import open_store
from fanous.store.location import store_place
from tests.collector.files import kept
from tests.store.cases import incident, judged


def doctor(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor", *words])
    return result.exit_code, result.stdout


def test_a_store_that_is_well_has_nothing_to_say(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append([judged("a", started_at=time.time() - 60)], rules_version="1")
    code, out = doctor("--store", str(tmp_path / "store"))
    assert code == 0
    assert out.startswith(
        "nothing is wrong: 1 measurement arrived in the last 28 days\nhistory: 0 entries in a chain"
    )


def test_a_ledger_that_was_changed_past_fanous_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.ledger.put(incident(), as_written("because"))
    with closing(sqlite3.connect(tmp_path / "store" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE revisions SET onset = onset - 3600")
    code, out = doctor("--store", str(tmp_path / "store"))
    assert code == 1
    assert out.startswith(
        "history_changed: the ledger does not agree with its chain: revision PK-2023-0001 1 was changed"
    )
    history = json.loads(doctor("--store", str(tmp_path / "store"), "--json")[1])["history"]
    assert history["defects"] == ["revision PK-2023-0001 1 was changed after it was written"]


def test_an_empty_store_is_not_called_well(tmp_path: Path) -> None:
    open_store(tmp_path / "store").close()
    code, out = doctor("--store", str(tmp_path / "store"))
    assert code == 0 and "nothing is wrong" not in out
    assert out.startswith("no fault was found, but no measurements have arrived")


def test_a_file_of_the_archive_that_was_changed_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append([judged("a", started_at=time.time() - 60)], rules_version="1")
        (segment,) = store.archive.segments()
    (file,) = (tmp_path / "store" / "archive").rglob(f"{segment.name}*.zst")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    code, out = doctor("--store", str(tmp_path / "store"))
    assert code == 1
    assert out.startswith("segment_damaged: ") and segment.name in out


def test_facts_that_the_engine_leaves_out_are_named(tmp_path: Path) -> None:
    """It sets broken parts aside when it opens them, and silently goes on."""
    with open_store(tmp_path / "store") as store:
        store.append([judged("a", started_at=time.time() - 60)], rules_version="1")
    for file in (tmp_path / "store" / "facts").glob("store/*/*/all_*/data.bin"):
        file.write_bytes(b"?")
    code, out = doctor("--store", str(tmp_path / "store"))
    assert code == 1
    assert out.startswith("facts_damaged: ") and "in identities, measurements" in out


def test_a_token_that_is_not_set_is_named_and_the_file_of_secrets_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    with open_store(tmp_path / "store") as store:
        store.append([judged("a", started_at=time.time() - 60)], rules_version="1")
    config = tmp_path / "own.toml"
    config.write_text(
        f'[store]\nfolder = "{tmp_path / "store"}"\n[web]\nadmin_token = "DESK_TOKEN"\n', "utf-8"
    )
    code, out = doctor("--config", str(config))
    assert code == 1
    assert out.startswith("configuration: ") and "DESK_TOKEN" in out
    secrets = tmp_path / "own.env"
    secrets.touch(mode=0o600)
    secrets.write_text(f"DESK_TOKEN={'a1' * 16}\n", "utf-8")
    monkeypatch.setenv("DESK_TOKEN", "")  # so that what the file sets is taken back
    monkeypatch.delenv("DESK_TOKEN")
    assert doctor("--config", str(config))[0] == 0


def test_a_damaged_file_and_a_queue_that_no_one_takes_are_named(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append([judged("a")], rules_version="1")
        (segment,) = store.archive.segments()
        store.facts.set_aside(segment, "its digest differs")
    inbox = tmp_path / "store.inbox"
    inbox.mkdir()
    (inbox / kept(1)).write_text("{}\n")
    os.utime(inbox / kept(1), (1, 1))
    code, out = doctor("--store", str(tmp_path / "store"), "--json")
    told = json.loads(out)["ailments"]
    assert code == 1
    assert [(one["kind"], one["about"]) for one in told] == [
        ("segment_damaged", segment.name),
        ("queue_old", str(inbox)),
    ]


def test_the_store_of_all_commands_does_not_change_what_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANOUS_STORE", str(tmp_path / "nothing"))
    asked: list[Path] = []

    def examine(folder: Path) -> list[Need]:
        asked.append(folder)
        return []

    monkeypatch.setattr("fanous.pipeline.doctor.examine", examine)
    code, out = doctor()
    assert code == 0
    assert out.startswith("server: ")
    assert asked == [tmp_path / "nothing"], "whose disk is looked at"


def test_a_new_configuration_in_the_current_folder_has_no_store_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `fanous init` it complained of a missing store, and said nothing of the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fanous.pipeline.doctor.examine", lambda *_: [])
    Path("fanous.toml").write_text('[store]\nfolder = "s"\n')
    code, out = doctor()
    assert code == 0
    assert out.startswith("server: ")
    assert out.endswith("monitor: fanous.toml has no store yet; `fanous run` makes it\n")
    assert doctor("--config", "fanous.toml")[0] == 1


@pytest.mark.parametrize("place", ["folder", "addresses"])
def test_the_inbox_that_the_configuration_names_is_looked_at(place: str, tmp_path: Path) -> None:
    store = f'folder = "{tmp_path}/s"'
    if place == "addresses":
        store = f'archive = "{tmp_path}/a"\nfacts = "{tmp_path}/f"\nledger = "{tmp_path}/l.sqlite"'
    file = tmp_path / "fanous.toml"
    file.write_text(f'[store]\n{store}\n[run]\ninbox = "in"\n')
    with open_store(store_place(None, file)):
        pass
    for inbox in (tmp_path / "in", tmp_path / "in" / "own"):
        inbox.mkdir()
        (inbox / kept(1)).write_text("{}\n")
        os.utime(inbox / kept(1), (1, 1))
    code, out = doctor("--config", str(file), "--json")
    told = json.loads(out)["ailments"]
    assert code == 1
    assert [(one["kind"], one["about"]) for one in told] == [
        ("queue_old", str(tmp_path / "in")),
        ("queue_old", str(tmp_path / "in" / "own")),
    ]
