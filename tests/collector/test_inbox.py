"""An acknowledgement comes after the fsync; many share one; a retry is not kept twice."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fanous.collector.inbox import (
    APART,
    PART,
    SEAL_BYTES,
    SEALED,
    Inbox,
    Journal,
    backlog,
    backlogs,
    bytes_in,
)
from fanous.collector.request import Refused
from fanous.collector.submission import Apart, Submission
from fanous.errors import FanousError
from tests.collector.files import kept
from tests.each import each


def submission(number: int, *, apart: bool = False) -> Submission:
    return Submission(f"uid{number}", b'{"n":%d}' % number, Apart.UNKNOWN if apart else None)


def within(
    folder: Path,
    use: Callable[[Inbox], Awaitable[None]],
    most_bytes: int = 1 << 20,
    apart_bytes: int = 1 << 20,
) -> None:
    async def used() -> None:
        inbox = Inbox(folder, most_bytes=most_bytes, apart_bytes=apart_bytes)
        try:
            await use(inbox)
        finally:
            await inbox.close()

    asyncio.run(used())


def lines(folder: Path) -> list[bytes]:
    """Of the folder alone, in the order of receipt."""
    paths = sorted([*folder.glob(f"*{SEALED}"), *folder.glob(f"*{PART}")])
    return [line for path in paths for line in path.read_bytes().splitlines()]


def disk_is_full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_acknowledged_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    fdatasync = os.fdatasync

    def sync(descriptor: int) -> None:
        fdatasync(descriptor)
        synced.extend(lines(tmp_path))

    monkeypatch.setattr(os, "fdatasync", sync)

    async def use(inbox: Inbox) -> None:
        await inbox.keep(submission(1))
        assert synced == [b'{"n":1}']

    within(tmp_path, use)


def test_many_share_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    fdatasync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: syncs.append(fdatasync(descriptor) or 1))

    async def use(inbox: Inbox) -> None:
        await asyncio.gather(*(inbox.keep(submission(n)) for n in range(500)))

    within(tmp_path, use)
    assert sorted(lines(tmp_path)) == sorted(b'{"n":%d}' % n for n in range(500))
    assert len(syncs) <= 3


def test_a_retry_is_acknowledged_and_not_written_again(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        await asyncio.gather(*(inbox.keep(submission(7)) for _ in range(5)))
        await inbox.keep(submission(7))

    within(tmp_path, use)
    assert lines(tmp_path) == [b'{"n":7}']


def test_a_client_that_goes_away_takes_nothing_with_it(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        gone = asyncio.create_task(inbox.keep(submission(1)))
        await asyncio.sleep(0)
        gone.cancel()
        await inbox.keep(submission(1))

    within(tmp_path, use)
    assert lines(tmp_path) == [b'{"n":1}']


def test_what_has_no_known_network_is_kept_in_a_separate_folder(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        await asyncio.gather(inbox.keep(submission(1)), inbox.keep(submission(2, apart=True)))

    within(tmp_path, use)
    assert lines(tmp_path) == [b'{"n":1}']
    assert lines(tmp_path / APART) == [b'{"n":2}']


def test_a_full_inbox_says_later_and_goes_on_when_it_was_drained(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        await inbox.keep(submission(1))
        with pytest.raises(Refused, match="full") as refusal:
            await inbox.keep(submission(2))
        assert refusal.value.status == 503 and refusal.value.retry_after
        await inbox.seal()
        for path in tmp_path.glob(f"*{SEALED}"):
            path.unlink()
        await inbox.seal()
        await inbox.keep(submission(2))

    within(tmp_path, use, most_bytes=5)
    assert lines(tmp_path) == [b'{"n":2}']


def test_what_is_kept_apart_has_a_quota_drops_its_oldest_and_keeps_no_one_out(tmp_path: Path) -> None:
    """It counted towards the limit of all, and nothing takes it: once full, a collector refused everyone for good."""
    numbers = range(10, 99)

    async def use(inbox: Inbox) -> None:
        for number in numbers:
            await inbox.keep(submission(number, apart=True))
            assert bytes_in(tmp_path / APART) <= 160
        await inbox.keep(submission(1))

    within(tmp_path, use, most_bytes=5, apart_bytes=160)
    assert lines(tmp_path) == [b'{"n":1}']
    left = lines(tmp_path / APART)
    assert left == [b'{"n":%d}' % number for number in numbers[-len(left) :]] and len(left) >= 14, left


def test_a_full_inbox_still_keeps_what_is_set_aside(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        await inbox.keep(submission(1))
        with pytest.raises(Refused, match="full"):
            await inbox.keep(submission(2))
        await inbox.keep(submission(3, apart=True))

    within(tmp_path, use, most_bytes=5)
    assert lines(tmp_path / APART) == [b'{"n":3}']


def test_what_was_kept_apart_before_a_start_counts_too(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        for number in range(10, 25):
            await inbox.keep(submission(number, apart=True))

    within(tmp_path, use, apart_bytes=160)
    within(tmp_path, use, apart_bytes=160)
    assert bytes_in(tmp_path / APART) <= 160


@pytest.mark.parametrize("number", [28, 5])  # no space, an error of the device
def test_a_failed_disk_is_no_acknowledgement_and_a_retry_may_succeed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(number, "The disk says no")

    async def use(inbox: Inbox) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", fails)
            with pytest.raises(Refused) as refusal:
                await inbox.keep(submission(1))
            assert refusal.value.status == 503
        await inbox.keep(submission(1))

    within(tmp_path, use)
    assert lines(tmp_path) == [b'{"n":1}']


def test_a_client_whose_measurement_was_not_kept_does_not_hear_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(inbox: Inbox) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", disk_is_full)
            with pytest.raises(Refused) as refusal:
                await inbox.keep(submission(1))
            assert str(tmp_path) not in str(refusal.value)

    within(tmp_path, use)


def test_a_full_disk_is_said_once_a_minute_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(inbox: Inbox) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", disk_is_full)
            for number in range(50):
                with pytest.raises(Refused):
                    await inbox.keep(submission(number))
        await inbox.keep(submission(1))

    with caplog.at_level("INFO", "fanous.collector"):
        within(tmp_path, use)
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" why=")[0] for line in said] == [
        "not_kept measurements=1",
        "kept_again not_kept_since=49",
    ]
    assert "No space left on device" in said[0]


def test_sealing_goes_on_after_the_disk_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.collector.inbox.SEAL_SECONDS", 0.05)

    def fails(*_of: object) -> None:
        raise OSError(5, "Input/output error")

    async def use(inbox: Inbox) -> None:
        sealing = asyncio.create_task(inbox.tend())
        await inbox.keep(submission(1))
        with monkeypatch.context() as patched:
            patched.setattr("fanous.collector.inbox.bytes_in", fails)
            await asyncio.sleep(0.2)
        await inbox.keep(submission(2))
        kept = b""
        async with asyncio.timeout(30):  # on a busy disk a seal takes as long as it takes
            while kept.count(b"\n") < 2:
                await asyncio.sleep(0.02)
                kept = b"".join(path.read_bytes() for path in tmp_path.glob(f"*{SEALED}"))
        sealing.cancel()

    within(tmp_path, use)


def test_two_collectors_cannot_have_one_inbox(tmp_path: Path) -> None:
    async def use(_inbox: Inbox) -> None:
        with pytest.raises(FanousError, match="in use by another collector"):
            Inbox(tmp_path)

    within(tmp_path, use)


def test_the_bytes_of_an_inbox_are_those_of_its_measurements(tmp_path: Path) -> None:
    async def use(inbox: Inbox) -> None:
        await asyncio.gather(inbox.keep(submission(1)), inbox.keep(submission(2, apart=True)))

    within(tmp_path, use)
    assert bytes_in(tmp_path) == bytes_in(tmp_path / APART) == len(b'{"n":1}\n')


def test_what_waits_in_an_inbox_is_as_old_as_its_oldest_file(tmp_path: Path) -> None:
    assert backlog(tmp_path).since is None
    for name, at in ((kept(1), 100), (kept(2), 200), (kept(3, PART), 50)):
        (tmp_path / name).write_text("{}\n")
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / kept(0)).write_text("{}\n")
    seen = backlog(tmp_path)
    assert (seen.files, seen.since, seen.bytes) == (2, 100, 9)
    assert (seen.apart, seen.apart_bytes) == (1, 3)
    assert backlogs([tmp_path, tmp_path / "none"]) == (seen,)


def files(folder: Path, suffix: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob(f"*{suffix}"))]


def test_what_is_written_is_in_the_file_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a" / "b")
    journal.write([b"one", b"two"], 1.0)
    journal.write([b"three"], 2.0)
    assert files(tmp_path / "a" / "b", PART) == [b"one\ntwo\nthree\n"]
    journal.seal()
    journal.seal()
    assert files(tmp_path / "a" / "b", SEALED) == [b"one\ntwo\nthree\n"]
    assert files(tmp_path / "a" / "b", PART) == []


def test_files_stand_in_the_order_of_receipt(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(12):
        journal.write([b"%d" % number], 5.0)
        journal.seal()
    assert files(tmp_path, SEALED) == [b"%d\n" % number for number in range(12)]


def test_a_large_file_is_sealed_by_itself(tmp_path: Path) -> None:
    Journal(tmp_path).write([b"x" * SEAL_BYTES], 1.0)
    assert len(files(tmp_path, SEALED)) == 1


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (b"one\ntwo\n", [b"one\ntwo\n"]),
        (b"one\ntw", [b"one\n"]),
        (b"on", []),
        (b"", []),
    ],
)
def test_what_a_killed_writer_left_is_sealed_without_its_torn_end(
    left: bytes, kept: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / f"00000000001000-1-000001{PART}").write_bytes(left)
    Journal(tmp_path).write([b"new"], 9.0)
    assert files(tmp_path, SEALED) == kept
    assert files(tmp_path, PART) == [b"new\n"]


def test_a_write_that_fails_leaves_what_was_acknowledged_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.write([b"one"], 1.0)
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return write(descriptor, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FanousError, match="free some space"):
        journal.write([b"two", b"three"], 2.0)
    monkeypatch.undo()
    journal.write([b"four"], 3.0)
    assert files(tmp_path, SEALED) == [b"one\n"]
    assert files(tmp_path, PART) == [b"four\n"]


def test_a_disk_that_fails_altogether_leaves_the_torn_file_to_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.write([b"one"], 1.0)

    def fails(*_of: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails)
        broken.setattr(os, "ftruncate", fails)
        with pytest.raises(OSError, match="Input/output"):
            journal.write([b"two"], 2.0)
    journal.write([b"three"], 3.0)
    journal.seal()
    assert files(tmp_path, SEALED) == [b"three\n"]
    Journal(tmp_path)
    assert files(tmp_path, SEALED) == [b"one\ntwo\n", b"three\n"]


def test_a_first_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_of: object) -> None:
        raise OSError(28, "No space left on device")

    journal = Journal(tmp_path)
    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(FanousError):
        journal.write([b"one"], 1.0)
    assert list(tmp_path.iterdir()) == []


def test_no_one_else_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path).write([b"one"], 1.0)
    (path,) = tmp_path.glob(f"*{PART}")
    assert path.stat().st_mode & 0o077 == 0


@each(("given", "folder", "file"), [(0o2777, 0o2770, 0o660), (0o0777, 0o0700, 0o600)])
def test_an_inbox_that_was_given_to_a_group_stays_the_groups_alone(
    given: int, folder: int, file: int, tmp_path: Path
) -> None:
    """So the door can be a user of its own, and the store's user takes and removes what it wrote."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    inbox.chmod(given)

    async def use(inbox: Inbox) -> None:
        await asyncio.gather(inbox.keep(submission(1)), inbox.keep(submission(2, apart=True)))

    mask = os.umask(0o007)
    try:
        within(inbox, use)
    finally:
        os.umask(mask)
    folders = inbox, inbox / APART
    assert [path.stat().st_mode & 0o7777 for path in folders] == [folder] * 2
    assert [path.stat().st_mode & 0o777 for one in folders for path in one.glob(f"*{SEALED}")] == [file] * 2
