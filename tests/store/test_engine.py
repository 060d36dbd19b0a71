"""A server of facts that is down, or refuses, is reported in a sentence."""

import errno
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from fanous.base.files import allow_descriptors
from fanous.cli.main import main
from fanous.errors import FanousError
from fanous.store import server as server_answers
from fanous.store.client import LEAST_DESCRIPTORS, engine_at
from fanous.store.engine import engine_errors
from fanous.store.local import open_store
from fanous.store.location import at_urls
from fanous.store.schema import ONE_BY_ONE, TABLES, Layout
from tests.children import child_environment
from tests.each import each
from tests.store.cases import judged
from tests.store.servers import REAL, Server


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        port = taken.getsockname()[1]
        with pytest.raises(FanousError, match="check that the server is running") as refusal:
            engine_at(at_urls("/a", f"clickhouse://me:hush@127.0.0.1:{port}/fanous", "/l"))
    assert "hush" not in str(refusal.value)


@each("status", [200, 302, 500])
def test_a_server_that_is_none_is_a_sentence_and_no_bug(status: int) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(status)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"\x1b[2J")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        facts = f"clickhouse://me:s3cret@127.0.0.1:{server.server_port}/x"
        with pytest.raises(FanousError, match="check that it is the HTTP interface") as why:
            engine_at(at_urls("/a", facts, "/l"))
        server.shutdown()
        thread.join()
    assert "s3cret" not in str(why.value) and "\x1b" not in str(why.value)


@each(
    ("head", "sent", "pause", "why"),
    [
        ("Transfer-Encoding: chunked", b"10000\r\n" + bytes(65536) + b"\r\n", 0.0, "more than 1 MiB"),
        ("Content-Length: 9999999999", bytes(65536), 0.0, "more than 1 MiB"),
        ("Content-Length: 9999999999", b"x", 0.02, "takes too long"),
        ("Content-Encoding: lz4", b"", 0.0, "is packed"),
    ],
)
def test_an_answer_that_does_not_end_is_given_up(head: str, sent: bytes, pause: float, why: str) -> None:
    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.wfile.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
            with suppress(OSError):
                while sent:
                    self.wfile.write(sent)
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Endless) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_answers, "MOST_BYTES", 1 << 20)
        patch.setattr(server_answers, "BODY_SECONDS", 0.3)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        facts = f"clickhouse://me:s3cret@127.0.0.1:{server.server_port}/x"
        try:
            with pytest.raises(FanousError, match=why):
                engine_at(at_urls("/a", facts, "/l"))
        finally:
            server.shutdown()
            thread.join()


def test_so_is_the_answer_to_a_query(one_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_at(at_urls("/a", one_server.new_database(), "/l"))
    monkeypatch.setattr(server_answers, "MOST_BYTES", 1 << 20)
    with pytest.raises(FanousError, match="more than 1 MiB"):
        engine.rows("SELECT number FROM numbers(1000000)")
    assert engine.rows("SELECT 1") == [(1,)]
    engine.close()


PROGRESS = b'X-ClickHouse-Progress: {"read_rows":"1"}\r\n'


@each(("sent", "is_waited_for"), [(b"x", False), (b"X-Other: 1\r\n", False), (PROGRESS, True)])
def test_a_head_is_waited_for_only_while_it_reports_progress(sent: bytes, is_waited_for: bool) -> None:
    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.wfile.write(b"HTTP/1.1 500 No\r\n")
            with suppress(OSError):
                for _ in range(30):
                    self.wfile.write(sent)
                    time.sleep(0.03)
                self.wfile.write(b"\r\nDB::Exception: enough")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Dripping) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_answers, "BODY_SECONDS", 0.3)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            with pytest.raises(FanousError, match="enough" if is_waited_for else "takes too long"):
                engine_at(at_urls("/a", f"clickhouse://me@127.0.0.1:{server.server_port}/x", "/l"))
        finally:
            server.shutdown()
            thread.join()


def test_a_database_that_is_not_there_is_to_be_made(one_server: Server) -> None:
    with pytest.raises(FanousError, match="CREATE DATABASE"):
        engine_at(at_urls("/a", f"clickhouse://{one_server.host}/nothing", "/l"))


def test_a_store_that_is_written_to_loads_no_pandas(tmp_path: Path) -> None:
    """Its versions are written when it is opened first."""
    look = (
        "import sys; from pathlib import Path; from fanous.store.local import open_store\n"
        f"with open_store(Path({str(tmp_path / 'store')!r})): print('pandas' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["False"]


def test_a_cluster_has_replicated_rows_on_every_shard_and_one_table_over_them() -> None:
    rows, together = Layout("two").create(TABLES["verdicts"])
    assert rows.startswith("CREATE TABLE IF NOT EXISTS verdicts_rows ON CLUSTER 'two' (")
    assert "ENGINE = ReplicatedMergeTree ORDER BY" in rows
    assert "non_replicated" not in rows
    assert together == (
        "CREATE TABLE IF NOT EXISTS verdicts ON CLUSTER 'two' AS verdicts_rows "
        "ENGINE = Distributed('two', currentDatabase(), verdicts_rows, cityHash64(uid))"
    )
    levels, _ = Layout("two").create(TABLES["levels"])
    assert "ENGINE = ReplicatedReplacingMergeTree(fetched_at) ORDER BY" in levels


def test_statements_for_a_cluster_have_met_a_real_one() -> None:
    if not REAL:
        pytest.skip(
            "no ClickHouse server: FANOUS_TEST_CLICKHOUSE names none, so the tests of the store ran "
            "in the process, over HTTP, and on two shards that the tests play"
        )
    assert REAL  # each test with a store has run there


def test_a_change_for_which_the_disk_has_no_room_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine silently waits for room, with the store locked."""
    with open_store(tmp_path / "store") as store:
        store.append([judged("a"), judged("b")], rules_version="1")
        engine = store.facts.engine
        with monkeypatch.context() as full:
            full.setattr("fanous.store.engine.disk_usage", lambda _folder: SimpleNamespace(free=4096))
            with pytest.raises(FanousError, match=r"the disk is full.*free some space"):
                engine.remove("measurements", "uid = 'a'")
        engine.remove("measurements", "uid = 'a'")
        assert engine.rows("SELECT uid FROM measurements") == [("b",)]


# --- what the engine says, in words -----------------------------------------------------------------

TRACE = "Stack trace:\n\n0. DB::Exception::Exception(int) @ 0x0000000059e7dc\n1. ? @ 0x0000000005a974e"


@each(
    ("said", "advice"),
    [
        ("Code: 432. Unknown codec family code: 47. (UNKNOWN_CODEC)", "the facts are damaged"),
        (
            "Code: 341. Exception happened during execution of mutation 'mutation_2.txt' with part 'all_1_1_0' "
            "reason: 'Code: 39. Too large size_compressed_without_checksum: 1946159543. Most likely corrupted "
            "data: While reading'. (UNFINISHED)",
            "the facts are damaged",
        ),
        ("Code: 40. Checksum doesn't match. (CHECKSUM_DOESNT_MATCH)", "fanous rejudge"),
        (
            "Code: 107. Cannot open file data.bin: , errno: 2, strerror: No such file or directory: (while reading "
            "from part all_1_1_0). (FILE_DOESNT_EXIST)",
            "the facts are damaged",
        ),
        (
            "Cannot open file data.bin: errno: 24, strerror: Too many open files. (CANNOT_OPEN_FILE)",
            "ulimit -n",
        ),
        ("Error initializing EmbeddedServer: filesystem error: File exists", "a folder of a store"),
        ("Error initializing EmbeddedServer: . (BAD_ARGUMENTS)", "ulimit -n"),
        ("Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)", "shorter time range"),
    ],
)
def test_what_an_operator_can_do_is_said_without_the_engines_trace(said: str, advice: str) -> None:
    with pytest.raises(FanousError, match=advice) as why, engine_errors("read facts"):
        raise ClickHouseError(f"{said} {TRACE}")
    assert "Stack trace" not in str(why.value) and "@ 0x" not in str(why.value)
    assert len(str(why.value).splitlines()) == 1


def test_what_no_one_can_fix_is_a_sentence_and_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        with engine_errors("read facts"):
            raise ClickHouseError(f"Code: 49. Logical error\x1b[2J (LOGICAL_ERROR) {TRACE}")

    monkeypatch.setattr("fanous.cli.main.app", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot read facts: Code: 49. Logical error[2J (LOGICAL_ERROR)" in line
    assert "bug in fanous" in line


@pytest.mark.parametrize(
    ("limit", "much", "said"),
    [
        ("RLIMIT_AS", 2 << 30, "this process may reserve 2.0 GiB of address space (`ulimit -v`)"),
        ("RLIMIT_NOFILE", 40, "this process may open 40 files (`ulimit -n`)"),
        ("RLIMIT_NOFILE", 8, "this process may open 8 files (`ulimit -n`)"),
    ],
)
def test_too_low_a_limit_is_said_before_the_engine_dies_of_it(
    limit: str, much: int, said: str, tmp_path: Path
) -> None:
    """It died silently with a segmentation fault, or with its own trace."""
    measurements = tmp_path / "m.jsonl"
    measurements.write_text("{}\n")
    words = [
        sys.executable,
        "-m",
        "fanous",
        "ingest",
        "ooni",
        str(measurements),
        "--store",
        str(tmp_path / "s"),
    ]
    limited = (
        f"import os,resource; resource.setrlimit(resource.{limit}, ({much},) * 2); "
        f"os.execv({words[0]!r}, {words!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, timeout=60, env=child_environment()
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"fanous: {said}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EMFILE, "Too many open files"),
            "no more files can be opened: raise the limit (`ulimit -n`",
        ),
        (OSError(errno.EFBIG, "File too large"), "a file may not grow that large here"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "the current folder no longer exists"),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            "no folder for temporary files can be written to: set TMPDIR",
        ),
        (
            RuntimeError("can't start new thread"),
            "no more threads can be started: raise the limit (`ulimit -u`",
        ),
        (MemoryError(), "out of memory; what was stored is kept"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory; what was stored is kept"),
        (
            ImportError("lib.so: failed to map segment from shared object"),
            "out of memory; what was stored is kept",
        ),
        (
            SystemError("compile returned NULL without setting an exception"),
            "out of memory; what was stored is kept",
        ),
    ],
)
def test_what_runs_out_later_is_a_sentence_too(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("fanous.cli.main.app", fail)
    monkeypatch.setattr("resource.getrlimit", lambda _: (200 << 20, resource.RLIM_INFINITY))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fanous: {said}")


@pytest.mark.parametrize("error", [OSError("libchdb.so: file too short"), ImportError("libc.so.6: version")])
def test_an_engine_that_cannot_be_loaded_is_named(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "chdb":
                raise error

    monkeypatch.delitem(sys.modules, "chdb", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(FanousError, match=f"the engine of the store, chdb, cannot be loaded: {error}"):
        open_store(tmp_path / "store")


def test_a_soft_limit_of_open_files_is_raised_for_the_engine(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        allow_descriptors(LEAST_DESCRIPTORS, "the engine")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (LEAST_DESCRIPTORS, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


_AS_BEFORE = "ALTER TABLE segments MODIFY SETTING concurrent_part_removal_threshold = 100"
_THREADS_AFTER_MANY_PARTS = """
import os, sys, time
from pathlib import Path
from fanous.store.local import open_store
with open_store(Path(sys.argv[1])) as store:
    engine = store.facts.engine
    engine.run("ALTER TABLE segments MODIFY SETTING old_parts_lifetime = 1")
    engine.run("SYSTEM STOP MERGES segments")
    for n in range(150):
        engine.run(f"INSERT INTO segments (segment) VALUES ('{n}')")
    before = len(os.listdir("/proc/self/task"))
    engine.run("SYSTEM START MERGES segments")
    engine.run("OPTIMIZE TABLE segments FINAL")
    until = time.monotonic() + 90
    while engine.rows("SELECT 1 FROM system.parts WHERE table = 'segments' AND NOT active LIMIT 1"):
        assert time.monotonic() < until
        time.sleep(0.5)
    print(len(os.listdir("/proc/self/task")) - before)
"""


def test_a_store_of_before_learns_to_remove_its_parts_one_by_one(tmp_path: Path) -> None:
    told = "SELECT engine_full FROM system.tables WHERE name = 'segments'"
    with open_store(tmp_path / "store") as store:
        assert ONE_BY_ONE in store.facts.engine.rows(told)[0][0]
        store.facts.engine.run(_AS_BEFORE)
    with open_store(tmp_path / "store") as store:
        assert ONE_BY_ONE in store.facts.engine.rows(told)[0][0]


@pytest.mark.matrix
def test_old_parts_are_removed_without_a_thread_for_each(tmp_path: Path) -> None:
    """The engine looks for old ones every half minute."""
    found = subprocess.run(
        [sys.executable, "-c", _THREADS_AFTER_MANY_PARTS, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
        env=child_environment(),
    )
    assert int(found.stdout) < 20
