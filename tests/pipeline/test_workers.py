"""Reading in several processes gives what reading in one gives, and fails in words and without leftovers."""

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pytest

from fanous.base.forkserver import ForkServer
from fanous.errors import FanousError
from fanous.model.instant import from_iso
from fanous.model.measurement import Provenance
from fanous.model.verdict import Judged
from fanous.pipeline import ingest, workers
from fanous.pipeline.ingest import judged_records
from fanous.pipeline.judge import Ingested, OnFile
from fanous.pipeline.workers import default_jobs, judged_by, left_after
from fanous.sources.connector import ALL, Working
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.stream import Book
from fanous.store.local import open_store
from tests.children import child_environment
from tests.each import each

CHILD = Path(__file__).with_name("workers_child.py")
BAD = (b"not a record\n", b"\n", b'{"test_name": "web_connectivity"}\n', b'{"measurement_uid": "\xff"}\n')


@pytest.fixture(scope="module")
def files(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of each kind, large and small, with rejects, and the same measurements again in other files."""
    folder = tmp_path_factory.mktemp("files")
    lines = rally.read_bytes().splitlines(keepends=True)[::16]
    mixed = [line for n, one in enumerate(lines) for line in ((one, BAD[n % 4]) if n % 9 == 0 else (one,))]
    packed = gzip.compress(b"".join(mixed[50:100]))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for n, line in enumerate((*lines[::7], b"{")):
            member = tarfile.TarInfo(f"{n}.post")
            member.size = len(line)
            tar.addfile(member, io.BytesIO(line))
    other = json.loads(lines[-1]) | {"probe_asn": "AS64512"}  # another measurement under the same uid
    contents = {
        "mixed.jsonl": b"".join((*mixed, *lines[:30], json.dumps(other).encode() + b"\n", *mixed[-3:])),
        "packed.jsonl.gz": packed,
        "broken.jsonl.gz": packed[: len(packed) // 2],
        "damaged.jsonl.gz": packed[:5000] + b"\xff" * 500 + packed[5500:],
        "archive.tar.gz": archive.getvalue(),
        "one.json": json.dumps(json.loads(lines[0]), indent=1).encode(),
        "small.jsonl": lines[1] + BAD[0],
        "empty.jsonl": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


Result = tuple[Ingested, list[bytes], list[Any], dict[Path, int]]


def ingested(store: Path, files: list[Path], jobs: int) -> Result:
    """The counts, the archive, the facts, and how many bytes of each file were read."""
    read: dict[Path, int] = {}
    tally = Ingested()
    with open_store(store) as opened:
        ingest.bring_in(opened, "ooni", files, tally, read.__setitem__, jobs=jobs)
        side = opened.of(Provenance.SYNTHETIC)
        archived = [
            record.data for segment in side.archive.segments() for record in side.archive.records(segment)
        ]
        votes = side.facts.votes("PK", 0, 2e9)
        rows = list(zip(votes.uids, votes.targets, votes.signals, votes.asns, votes.times, strict=True))
    return tally, archived, rows, read


def test_any_number_of_processes_gives_the_same_store_and_counts(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WHOLE", 3000)
    monkeypatch.setattr(ingest, "batches", partial(ingest.batches, records=50))
    alone = ingested(tmp_path / "1", files, 1)
    together = ingested(tmp_path / "3", files, 3)
    assert together == alone
    tally, archived, rows, read = alone
    assert len(archived) == tally.stored > 150
    assert rows
    assert tally.duplicate > 50
    assert len(tally.rejects) == tally.rejected > 25
    assert {
        Path(one.file).name for one in tally.rejects if "damaged here" in one.why or "too early" in one.why
    } == {
        "broken.jsonl.gz",
        "damaged.jsonl.gz",
    }
    assert read == {file: file.stat().st_size for file in files}


@each("source", [name for name, source in MEASUREMENT_SOURCES.items() if source.is_divisible])
def test_the_shares_of_a_file_are_all_of_it(source: str, files: list[Path]) -> None:
    connector = MEASUREMENT_SOURCES[source]
    for path in files:
        whole = _read(connector.read, path)
        shares = [_read(partial(connector.read, share=ALL[n::3]), path) for n in range(3)]
        assert sum(shares, Counter()) == whole, path.name
        assert all(share.total() < whole.total() or whole.total() < 2 for share in shares), path.name


def _read(read: Callable[..., Iterator[Any]], path: Path) -> Counter[tuple[int, object]]:
    found: Counter[tuple[int, object]] = Counter()
    for record in read(path, lambda line, why: found.update([(line, why)])):
        found[record.line, record.data] += 1
    return found


def test_a_file_that_cannot_be_read_ends_it_after_those_before_it(files: list[Path], tmp_path: Path) -> None:
    paths = [files[0], tmp_path / "missing.jsonl", files[1]]
    counts = []
    for jobs in (1, 2):
        tally = Ingested()
        read = partial(judged_records, "ooni")
        judged = read(paths, tally, None) if jobs == 1 else judged_by(jobs, read, paths, tally, None)
        with closing(judged), pytest.raises(FanousError, match=r"missing\.jsonl: No such file"):
            for one in judged:
                tally.by_test[one.record.file] += 1
        counts.append(tally)
    assert counts[0] == counts[1]


# --- how a worker may end -------------------------------------------------------------------------------------


class Deadly:
    """Ends the process, in a way, when work begins on a line with the name of that way."""

    def __init__(self, inner: Working) -> None:
        self.begin_inner, self.end = inner.begin, inner.end

    def begin(self, line: int, data: bytes) -> None:
        self.begin_inner(line, data)
        if b"DEADLY-bug" in data:
            raise ValueError("unforeseen")
        if b"DEADLY-memory" in data:
            raise MemoryError
        if deadly := re.search(rb"DEADLY-(SIG\w+)", data):
            os.kill(os.getpid(), getattr(signal, deadly[1].decode()))


def deadly(
    paths: list[Path], tally: Ingested, watch: OnFile | None, *, share: range, working: Working
) -> Generator[Judged]:
    """Stands for reading; runs in the worker."""
    if "always" in paths[0].name:
        os.kill(os.getpid(), getattr(signal, paths[0].stem.partition("-")[2]))
    yield from judged_records("ooni", paths, tally, watch, share=share, working=Deadly(working))


@pytest.fixture(scope="module")
def poisoned(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    """Files with records that end their reader among good ones; and the places of all of them."""
    folder = tmp_path_factory.mktemp("poisoned")
    lines = rally.read_bytes().splitlines(keepends=True)[::40]
    places = []
    for name, some in (("a.jsonl", lines[:40]), ("b.jsonl", lines[40:60])):
        for n, how in ((3, "SIGKILL"), (4, "SIGSEGV"), (11, "memory")):
            some.insert(n, b'{"test_name":"DEADLY-%s"}\n' % how.encode())
        places += [f"{name}:{n + 1}" for n in (3, 4, 11)]
        (folder / name).write_bytes(b"".join(some))
    return [folder / "a.jsonl", folder / "b.jsonl"], places


def test_a_record_that_ends_its_worker_costs_itself_only(
    poisoned: tuple[list[Path], list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files, places = poisoned
    monkeypatch.setattr(workers, "WHOLE", 3000)
    book = Book(tmp_path / "facts.fatal")
    tally = Ingested()
    with closing(judged_by(2, deadly, files, tally, None, book)) as judged:
        uids = [one.parsed.measurement.uid for one in judged]
    expected = Ingested()
    whole = [one.parsed.measurement.uid for one in judged_records("ooni", files, expected)]
    assert uids == whole
    assert len(uids) == len(set(uids)) == 60
    assert [f"{Path(one.file).name}:{one.line}" for one in tally.rejects] == places
    assert all("killed or crashed, twice" in one.why for one in tally.rejects)
    assert len(book.fatal) == 3, "the same bytes in both files"
    again = Ingested()
    with closing(judged_by(1, deadly, files, again, None, Book(tmp_path / "facts.fatal"))) as judged:
        assert len(list(judged)) == 60
    assert again.rejected == 6, "known from the start, and no worker ends"


def test_what_a_worker_leaves_out_is_counted_once_in_any_number_of_frames(
    rally: Path, tmp_path: Path
) -> None:
    lines = rally.read_bytes().splitlines(keepends=True)[::2][: workers.FRAME_ITEMS + 80]
    first = sorted(json.loads(line)["measurement_start_time"] for line in lines)[len(lines) // 10]
    inside = sum(json.loads(line)["measurement_start_time"] >= first for line in lines)
    assert workers.FRAME_ITEMS < inside < len(lines)
    (tmp_path / "frames.jsonl").write_bytes(b"".join(lines))
    tally = Ingested()
    read = partial(judged_records, "ooni", began=(from_iso(first), inf))
    with closing(judged_by(1, read, [tmp_path / "frames.jsonl"], tally, None)) as judged:
        assert len(list(judged)) == inside
    assert tally.outside == len(lines) - inside


def test_another_worker_goes_on_behind_the_last_line_that_was_sent() -> None:
    a, b = (0, Path("a"), ALL[1::2]), (1, Path("b"), ALL)
    assert left_after([a, b], (-1, 0)) == [a, b]
    assert left_after([a, b], (0, 6)) == [(0, Path("a"), ALL[1::2][3:]), b]
    assert left_after([a, b], (0, 7)) == left_after([a, b], (0, 6)), "line 7 is another worker's"
    assert left_after([a, b], (0, inf)) == [b]
    assert left_after([a, b], (1, 3)) == [(1, Path("b"), range(4, ALL.stop))]


@each(
    ("name", "error", "told"),
    [
        (
            "always-SIGKILL.jsonl",
            FanousError,
            r"reading .*always-SIGKILL\.jsonl was killed \(SIGKILL\).*--jobs 1 to ",
        ),
        ("bug.jsonl", RuntimeError, r"ValueError: unforeseen"),
    ],
)
def test_a_worker_that_always_ends_is_told_with_its_file(
    name: str, error: type[Exception], told: str, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b'{"test_name":"DEADLY-bug"}\n')
    judged = judged_by(1, deadly, [files[-2], tmp_path / name], Ingested(), None)
    with closing(judged), pytest.raises(error, match=told):
        list(judged)


def test_a_file_that_cannot_be_unpacked_without_a_crash_is_left_out_and_the_next_is_read(
    files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "always-SIGSEGV.jsonl").write_bytes(b"{}\n")
    tally = Ingested()
    with closing(judged_by(1, deadly, [tmp_path / "always-SIGSEGV.jsonl", files[-2]], tally, None)) as judged:
        assert len(list(judged)) == 1
    assert "crashed (SIGSEGV) here, twice" in tally.rejects[0].why


@each(
    ("program", "told"),
    [
        ("/nonexistent/python", "No such file or directory"),
        ("/bin/false", "the process that starts them ended"),
    ],
)
def test_where_no_worker_can_be_started_nothing_is_read(
    program: str, told: str, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(workers, "READERS", ForkServer())
    tally = Ingested()
    judged = judged_by(2, partial(judged_records, "ooni"), files[-2:], tally, None)
    with closing(judged), pytest.raises(FanousError, match=f"could be started .*{told}"):
        list(judged)
    assert not tally.read


def test_workers_of_an_updated_installation_judge_nothing(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "rules_version", lambda: "of yesterday")
    judged = judged_by(1, partial(judged_records, "ooni"), files[-2:], Ingested(), None)
    with (
        closing(judged),
        pytest.raises(FanousError, match="other rules than this process: Fanous was updated"),
    ):
        list(judged)


@each("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(number: signal.Signals, rally: Path) -> None:
    argv = [sys.executable, str(CHILD), str(rally)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    ) as child:
        assert child.stdout is not None
        started = [int(word) for word in child.stdout.readline().split()]
        assert len(started) == 3
        assert all(_runs(worker) for worker in started)
        child.send_signal(number)
        until = time.monotonic() + 10
        while any(map(_runs, started)) and time.monotonic() < until:
            time.sleep(0.02)
        assert not any(map(_runs, started))
        child.kill()


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def test_few_measurements_and_few_processors_need_no_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    for path, size in ((plain, workers.WORTHWHILE - 1), (packed, workers.WORTHWHILE // workers.PACKING + 1)):
        with path.open("wb") as file:
            file.truncate(size)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1, 2}, raising=False)
    assert [default_jobs([plain]), default_jobs([packed]), default_jobs([plain, plain])] == [1, 3, 3]
    assert default_jobs([tmp_path / "missing"]) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(64)), raising=False)
    assert default_jobs([packed]) == workers.MOST
