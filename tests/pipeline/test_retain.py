"""What a store keeps and for how long: nothing that a conclusion rests on goes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.reason import Reason
from fanous.monitor.tasks import Upkeep
from fanous.pipeline.retain import Retention, around, carry_out, plan, retention
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from tests.charts.events import incident
from tests.store.cases import NOON, judged

DAY = 86_400.0
NOW = NOON + 400 * DAY
OLD = Retention(observations_days=200)


def filled(folder: Path, *days: float, hours: int = 1) -> None:
    """One measurement of two observations on each day, each in its own segment."""
    with open_store(folder, clock=lambda: NOW) as store:
        for n, day in enumerate(days):
            at = NOON + day * DAY
            for hour in range(hours):
                one = judged(f"m{n}-{hour}", started_at=at)
                store.append([one], rules_version="1", received_at=at + 3600 * hour)


def opened(folder: Path) -> Store:
    return open_store(folder, clock=lambda: NOW)


def test_old_observations_go_and_every_conclusion_stays(tmp_path: Path) -> None:
    filled(tmp_path / "s", 0, 300)
    with opened(tmp_path / "s") as store:
        before = store.facts.votes("PK", NOON - DAY, NOW)
        due = plan(store, OLD)
        assert due.observations == 2
        assert carry_out(store, due).observations == 2
        assert store.facts.observations("m0-0") == []
        assert len(store.facts.observations("m1-0")) == 2
        assert store.facts.measurement("m0-0") is not None
        assert len(store.facts.verdicts("m0-0")) == 1
        assert store.facts.votes("PK", NOON - DAY, NOW).uids.tolist() == before.uids.tolist()
        assert plan(store, OLD).observations == 0


@pytest.mark.parametrize(
    ("given", "goes"),
    [
        ({}, 0),
        ({"end": NOON + DAY, "status": Status.ENDED}, 0),
        ({"status": Status.RETRACTED, "reasons": (Reason("not_supported"),)}, 2),
        ({"country": "IR"}, 2),
        ({"onset": NOON + 59 * DAY, "onset_earliest": None}, 0),
        ({"onset": NOON + 61 * DAY, "onset_earliest": None}, 2),
    ],
    ids=["open", "ended", "retracted", "elsewhere", "in its history", "before its history"],
)
def test_around_an_incident_nothing_goes(tmp_path: Path, given: dict[str, object], goes: int) -> None:
    filled(tmp_path / "s", 0)
    with opened(tmp_path / "s") as store:
        windows = around([claimed(**given)], NOW)
        assert store.facts.observations_before(NOW - 200 * DAY, windows) == goes


def test_around_each_of_several_incidents_nothing_goes(tmp_path: Path) -> None:
    filled(tmp_path / "s", 0, 80, 160)
    two = [
        claimed(end=NOON + DAY, status=Status.ENDED),
        claimed(onset=NOON + 160 * DAY, onset_earliest=None, end=NOON + 161 * DAY, status=Status.ENDED),
    ]
    with opened(tmp_path / "s") as store:
        assert store.facts.observations_before(NOW - 200 * DAY, around(two, NOW)) == 2, (
            "those of the day between"
        )


def claimed(**given: object) -> Incident:
    base = incident(country="PK", onset=NOON, onset_earliest=NOON, end=None)
    return replace(base, **given)  # type: ignore[arg-type]  # fields by name, from the table


def test_windows_that_overlap_are_one() -> None:
    ended = {"end": NOON + DAY, "status": Status.ENDED}
    later = {"onset": NOON + 10 * DAY, "onset_earliest": None, "end": NOON + 20 * DAY, "status": Status.ENDED}
    assert around([claimed(**later), claimed(**ended)], NOW) == (("PK", NOON - 60 * DAY, NOON + 21 * DAY),)


def test_the_longest_of_windows_that_overlap_counts() -> None:
    long = {"end": NOON + 20 * DAY, "status": Status.ENDED}
    within = {"onset": NOON + 5 * DAY, "onset_earliest": None, "end": NOON + 6 * DAY, "status": Status.ENDED}
    assert around([claimed(**long), claimed(**within)], NOW) == (("PK", NOON - 60 * DAY, NOON + 21 * DAY),)


def test_what_goes_on_is_kept_until_now() -> None:
    assert around([claimed()], NOW) == (("PK", NOON - 60 * DAY, NOW + DAY),)


def test_old_raw_records_move_and_are_read_by_anyone_who_opens_the_store(
    served: tuple[str, Path], tmp_path: Path
) -> None:
    filled(tmp_path / "s", 0, 399)
    policy = Retention(archive_days=30, bucket=f"s3://raw/moved?endpoint={served[0]}")
    with opened(tmp_path / "s") as store:
        assert carry_out(store, plan(store, policy)).moved == 1
    with opened(tmp_path / "s") as store:
        old, new = store.archive.segments()
        assert [len(list(store.archive.records(one))) for one in (old, new)] == [1, 1]
        assert not (tmp_path / "s" / "archive" / old.path).exists()
        assert (tmp_path / "s" / "archive" / new.path).exists()
        assert list(store.unfinished()) == []
        assert plan(store, policy).segments == ()


def test_a_segment_without_facts_does_not_move(served: tuple[str, Path], tmp_path: Path) -> None:
    filled(tmp_path / "s", 0)
    with opened(tmp_path / "s") as store:
        (segment,) = store.archive.segments()
        store.facts.remove([segment])  # as a crash leaves it
        assert plan(store, Retention(archive_days=30, bucket="s3://raw/x")).segments == ()


def test_a_damaged_segment_stays_and_stops_no_other(served: tuple[str, Path], tmp_path: Path) -> None:
    filled(tmp_path / "s", 0, 1)
    policy = Retention(archive_days=30, bucket=f"s3://raw/damaged?endpoint={served[0]}")
    with opened(tmp_path / "s") as store:
        bad, _ = store.archive.segments()
        (tmp_path / "s" / "archive" / bad.path).write_bytes(b"rubbish")
        done = carry_out(store, plan(store, policy))
    assert done.moved == 1
    assert [segment for segment, _ in done.left] == [bad]


def configured(tmp_path: Path, url: str) -> Path:
    file = tmp_path / "fanous.toml"
    file.write_text(
        f'[store]\nfolder = "s"\n[retention]\nobservations_days = 150\narchive_days = 1\nbucket = "{url}"\n'
    )
    return file


@pytest.mark.matrix
def test_what_was_killed_in_the_middle_is_completed_by_the_next_time(
    served: tuple[str, Path], tmp_path: Path
) -> None:
    filled(tmp_path / "s", *range(10), hours=4)
    file = configured(tmp_path, f"s3://raw/killed?endpoint={served[0]}")
    words = [sys.executable, "-m", "fanous", "retain", "--config", str(file)]
    process = subprocess.Popen(words, env=os.environ, stdout=subprocess.DEVNULL)
    there = served[1] / "killed" / "raw"
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and sum(1 for _ in there.rglob("*.zst")) < 8:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    moved = sum(1 for _ in there.rglob("*.zst"))
    assert moved >= 8
    here = sum(1 for _ in (tmp_path / "s" / "archive").rglob("*.zst"))
    assert here + moved >= 40, "each is in one of them at least"
    result = CliRunner().invoke(app, ["retain", "--config", str(file)])
    assert result.exit_code == 0, result.output
    assert list((tmp_path / "s" / "archive").rglob("*.zst")) == []
    with open_store(tmp_path / "s") as store:
        assert (
            len([record for one in store.archive.segments() for record in store.archive.records(one)]) == 40
        )


def test_a_dry_run_says_what_would_be_done_and_does_nothing(served: tuple[str, Path], tmp_path: Path) -> None:
    filled(tmp_path / "s", 0)
    file = configured(tmp_path, f"s3://raw/dry?endpoint={served[0]}")
    for _ in range(2):
        result = CliRunner().invoke(app, ["retain", "--dry-run", "--config", str(file)])
        assert (
            "2 rows of observations would be deleted\n1 segments of the archive would be moved"
            in result.output
        )
    assert not (served[1] / "dry").exists()
    assert not (tmp_path / "s" / "archive" / "cold").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("observations_days = 30", "observations_days"),
        ("archive_days = 30", "bucket"),
        ('archive_days = 3\nbucket = "file:///x"', "s3://bucket/prefix"),
        ("observation_days = 300", "did you mean"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "fanous.toml"
    file.write_text(f"[retention]\n{text}\n")
    with pytest.raises(FanousError, match=why):
        retention(file)


def test_a_running_monitor_keeps_to_the_policy_by_itself(served: tuple[str, Path], tmp_path: Path) -> None:
    filled(tmp_path / "s", 0, 1)
    policy = Retention(200, 30, f"s3://raw/live?endpoint={served[0]}")

    async def once() -> tuple[int, int]:
        with OneThread(lambda: opened(tmp_path / "s")) as owner:
            done = await Upkeep(owner.ask, policy).once(asyncio.Event())
        return done.observations, done.moved

    assert asyncio.run(once()) == (4, 2)
    assert list((tmp_path / "s" / "archive").rglob("*.zst")) == []
