"""A volunteer who withdraws is removed from what waits too, and no one else is."""

import os
from pathlib import Path

import pytest

from fanous.cli.collect import drain
from fanous.cli.retain import forget
from fanous.collector.door import Policy
from fanous.collector.inbox import APART, NEW, PART, SEALED, inbox_of, withdraw
from fanous.errors import FanousError
from fanous.store.local import open_store
from tests.collector.files import kept
from tests.collector.probe import REPORT_ID, body
from tests.collector.threads import door

OTHER = REPORT_ID.replace("Ab3", "Zz9")


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    os.utime(path, (1000, 1000))
    return path


def of(report: str) -> str:
    return f'{{"measurement_uid":"1","report_id":"{report}","input":"{REPORT_ID}"}}'


def test_only_the_reports_that_are_named_go(tmp_path: Path) -> None:
    mixed = put(tmp_path / kept(1), of("gone"), of("stays"), "no document", of("gone"))
    alone = put(tmp_path / APART / kept(2), of("gone"))
    others = put(tmp_path / "own" / kept(3), of("stays"))
    being_written = put(tmp_path / kept(4, PART), of("gone"))
    assert withdraw(tmp_path, {"gone"}) == 3
    assert mixed.read_text(encoding="utf-8") == f"{of('stays')}\nno document\n"
    assert mixed.stat().st_mtime == 1000, "how long it has waited is known by it"
    assert not alone.exists()
    assert others.read_text(encoding="utf-8") == f"{of('stays')}\n"
    assert being_written.exists(), "it is its writer's"
    assert withdraw(tmp_path, {"gone"}) == 0
    foreign = put(tmp_path / "mine.jsonl", of("gone"))
    assert withdraw(tmp_path, {"gone"}) == 0
    assert foreign.exists(), "no collector wrote it"


def test_what_a_run_that_was_killed_left_goes_too(tmp_path: Path) -> None:
    left = put(tmp_path / APART / kept(1, SEALED + NEW), of("gone"))
    assert withdraw(tmp_path, {"other"}) == 0
    assert not left.exists()


def test_a_probe_that_withdraws_is_forgotten_wherever_its_measurements_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    inbox = inbox_of(store)
    unplaced = REPORT_ID.replace("_PK_17557_", "_ZZ_0_")
    with door(inbox, Policy()) as probe:
        probe.post(f"/report/{REPORT_ID}", json=body(0)).raise_for_status()
    drain(inbox=inbox, store=store)
    with door(inbox, Policy()) as probe:
        probe.post(f"/report/{REPORT_ID}", json=body(1)).raise_for_status()
        uid = probe.post(f"/report/{OTHER}", json=body(2, report_id=OTHER)).json()["measurement_uid"]
        unknown = body(3, probe_cc="ZZ", probe_asn="AS0", report_id=unplaced)
        probe.post(f"/report/{unplaced}", json=unknown).raise_for_status()
    forget(reports=[REPORT_ID, unplaced], inbox=inbox, store=store)
    told = capsys.readouterr().out
    assert "2 measurements waiting in" in told
    assert "1 measurement of PK deleted" in told
    drain(inbox=inbox, store=store)
    drain(inbox=inbox / APART, store=store)
    with open_store(store) as found:
        kept = [
            record.data for segment in found.archive.segments() for record in found.archive.records(segment)
        ]
        assert found.facts.known([uid]) == {uid}
    assert len(kept) == 1


def test_an_inbox_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="no inbox"):
        forget(reports=["x"], inbox=tmp_path / "none", store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_it_is_reported_that_no_inbox_was_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_store(tmp_path / "store").close()
    forget(reports=["x"], store=tmp_path / "store")
    assert "name one with --inbox" in capsys.readouterr().out
