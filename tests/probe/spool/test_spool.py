"""What is in the spool survives, oldest first, until it was acknowledged."""

import os
import time
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.probe.spool import REFUSED, Spool


def documents(spool: Spool) -> list[bytes]:
    return [one.document() for one in spool.waiting()]


def test_what_is_put_waits_oldest_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "spool")
    for number in range(12):
        spool.put(b"%d" % number)
    assert documents(Spool(tmp_path / "a" / "spool")) == [b"%d" % number for number in range(12)]


def test_the_same_put_twice_waits_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.put(b"one") == spool.put(b"one")
    assert documents(spool) == [b"one"]


def test_a_clock_set_back_changes_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.put(b"first")
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    spool.put(b"second")
    assert documents(spool) == [b"first", b"second"]


def test_it_is_on_the_disk_when_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    synced: list[str] = []
    fsync = os.fsync

    def sync(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", sync)
    one = spool.put(b"one")
    assert synced == [f"{one.name}.tmp", tmp_path.name]


def test_what_was_acknowledged_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    one = spool.put(b"one")
    spool.put(b"two")
    spool.acknowledged(one)
    spool.acknowledged(one)
    assert documents(spool) == [b"two"]


def test_what_was_refused_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    one = spool.put(b"one")
    spool.refuse(one, "no time")
    assert documents(spool) == []
    assert (tmp_path / REFUSED / one.name).read_bytes() == b"one"
    assert (tmp_path / REFUSED / one.name).with_suffix(".why").read_text() == "no time\n"


def test_a_half_written_file_does_not_wait(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    (tmp_path / "00000000000000000001-0123456789abcdef.json.tmp").write_bytes(b"ha")
    (tmp_path / "reports.json").write_bytes(b"{}")
    assert documents(spool) == []


def test_a_full_spool_is_said_and_nothing_is_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=10)
    spool.put(b"12345")
    with pytest.raises(FanousError, match="full"):
        spool.put(b"678901")
    assert documents(spool) == [b"12345"]


def test_a_disk_that_fails_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)

    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(FanousError, match="No space left"):
        spool.put(b"one")
    assert [path.name for path in tmp_path.iterdir()] == [REFUSED]


def test_one_process_at_a_time_sends(tmp_path: Path) -> None:
    first, second = Spool(tmp_path).sending(), Spool(tmp_path).sending()
    with first, pytest.raises(FanousError, match="another process"), second:
        pass
    with Spool(tmp_path).sending():
        pass


def test_what_a_killed_put_left_half_written_is_removed_in_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    left, fresh = tmp_path / "1.json.tmp", tmp_path / "2.json.tmp"
    for path in (left, fresh):
        path.write_bytes(b"ha")
    os.utime(left, (0, 0))
    with spool.sending():
        assert not left.exists() and fresh.exists()


def test_no_one_else_may_read_what_someone_measured(tmp_path: Path) -> None:
    one = Spool(tmp_path / "spool").put(b"one")
    assert one.path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
