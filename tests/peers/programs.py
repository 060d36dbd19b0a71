"""Programs of others: where they are, how they are started, and what a test says where one is missing."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.documents import ROOT

FOLDER = Path(os.environ.get("FANOUS_PEERS", ROOT / "build" / "peers"))
"""Where ``make peers`` makes Python environments for the peers that are packages of PyPI."""

FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def program(name: str, package: str) -> str:
    """Path of a program, or a skip that names the Debian package."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(FOLDERS))
    if found is None:
        pytest.skip(f"not present: {name} (Debian package {package}; `make peers` installs it)")
    return found


def python_with(name: str, module: str, packages: str) -> str:
    """The Python of an environment that ``make peers`` made, or a skip that names its packages."""
    path = FOLDER / name / "bin" / "python"
    if (
        not path.exists()
        or subprocess.run([path, "-c", f"import {module}"], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"not present: {module} (PyPI: {packages}; `make peers` fetches it)")
    return str(path)


def backend() -> Path:
    """OONI's server, where ``OONI_BACKEND`` names a checkout of ooni/backend; else a skip."""
    named = os.environ.get("OONI_BACKEND", "")
    if not (Path(named) / "ooniapi").is_dir() or not named:
        pytest.skip("not present: OONI's server (OONI_BACKEND names a checkout of github.com/ooni/backend)")
    return Path(named)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: Sequence[str], log: Path, ready: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended afterwards.

    Args:
        ready: URL that answers, or ``host:port`` that accepts a connection, once it can be used.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(list(argv), stdout=file, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 60
        while ready and not _answers(ready):
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < until, log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(where: str) -> bool:
    try:
        if where.startswith("http"):
            with urllib.request.urlopen(where, timeout=2):
                return True
        host, _, port = where.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False
