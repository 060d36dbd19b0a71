"""Where a machine lacks what the engine needs, a sentence says so, and what it can do without it does without."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fanous.store.location import at_urls
from tests.children import child_environment, no_core
from tests.each import each
from tests.store.servers import Server

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="not present: root, for file systems of its own")

OPEN = """
import tempfile
from fanous.errors import FanousError
from fanous.store.client import engine_at
from fanous.store.location import in_folder
try:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        engine = engine_at(in_folder(folder))
        print(*engine.rows("SELECT count() FROM verdicts")[0])
        engine.close()
except FanousError as error:
    print(error)
"""
CRASH = """
import ctypes
from contextlib import contextmanager
from fanous.store import client

@contextmanager
def crashing():
    yield
    ctypes.string_at(0)

client._own_words = crashing
client.load_library()
"""
_OLD_GROUPS = ":memory:" in Path("/proc/self/cgroup").read_text(encoding="utf-8")
NONE = "mount -t tmpfs none /sys/fs/cgroup"


@NEEDS_ROOT
@each(
    ("machine", "said"),
    [
        (NONE, ""),
        (f"{NONE}; echo nonsense > /sys/fs/cgroup/memory.max", ""),
        (
            f"{NONE}; touch /sys/fs/cgroup/cgroup.controllers; echo 0 > /sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup",
        ),
        (f"{NONE}; echo 67108864 > /sys/fs/cgroup/memory.max", "allows 64 MiB of memory"),
        (
            f"{NONE}; mkdir /sys/fs/cgroup/memory; echo 67108864 > /sys/fs/cgroup/memory/memory.limit_in_bytes",
            "allows 64 MiB of memory" if _OLD_GROUPS else "",
        ),
        ("mount -t tmpfs none /proc", ""),
        ("mount -t tmpfs -o ro none /mnt; export TMPDIR=/mnt", ""),
        ("export TZ=PKT-5; exec 2>&-", ""),
        ("exec setpriv --reuid 54322 --clear-groups prlimit --nproc=10 --core=0", "TasksMax="),
    ],
)
def test_what_the_machine_lacks_is_a_sentence_without_a_trace(machine: str, said: str) -> None:
    """Without cgroups each command printed a trace of 35 lines; the others ended as a bug."""
    rest = '; exec "$@"' if not machine.startswith("exec setpriv") else ' "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", machine + rest, "sh", sys.executable, "-c", OPEN],
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(),
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert said in done.stdout if said else done.stdout == "0\n"
    assert len(done.stdout.splitlines()) <= 1


def test_a_crash_while_it_is_loaded_ends_the_process_at_once() -> None:
    """Its own handler waited for five minutes."""
    with subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", CRASH],
        stderr=subprocess.PIPE,
        env=child_environment(),
        preexec_fn=no_core,
    ) as process:
        try:
            assert process.wait(20) == -signal.SIGSEGV
            assert process.stderr is not None and b"crashing" in process.stderr.read()
        finally:
            process.kill()


def test_a_process_that_had_an_engine_of_its_own_reaches_a_server(one_server: Server, tmp_path: Path) -> None:
    location = at_urls(str(tmp_path / "archive"), one_server.new_database(), str(tmp_path / "ledger"))
    code = f"""
from fanous.store.client import engine_at
from fanous.store.location import at_urls, in_folder
engine_at(in_folder({str(tmp_path / "store")!r})).close()
server = engine_at(at_urls({str(location.archive)!r}, {location.facts!r}, {str(tmp_path / "ledger")!r}))
print(*server.rows("SELECT count() FROM verdicts")[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment()
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
