"""PostgreSQL: a real server of the tests' own, on a free port and in a folder that goes with it.

It refuses to run as root, so that root's tests start it as ``nobody``.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

USER, PASSWORD = "fanous", "a secret/with:odd@signs"
ESCAPED = "a%20secret%2Fwith%3Aodd%40signs"
_NUMBERS = count(1)


class PostgresServer:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
        folder: its data.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{ESCAPED}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """URL of a database without tables."""
        name = f"ledger{next(_NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def cut_all(self) -> None:
        """End every other connection, as a restart does."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
            )


def programs() -> Path | None:
    """Where PostgreSQL's server programs are; ``None`` = it is not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres(where: Path) -> Iterator[PostgresServer]:
    """Args:
    where: what ``programs`` found.
    """
    folder = Path(tempfile.mkdtemp(prefix="fanous-postgres-"))
    user = "nobody" if os.geteuid() == 0 else None
    try:
        if user:
            shutil.chown(folder, user)
        (folder / "password").write_text(PASSWORD)
        words = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={folder}/password", "--encoding=UTF8"]
        made = subprocess.run(
            [where / "initdb", "-D", folder / "data", *words, "--locale=C.UTF-8", "--no-sync"],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        with _running(where, folder, user) as port:
            yield PostgresServer(port, folder / "data")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(where: Path, folder: Path, user: str | None) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "off",
    }
    words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    server = subprocess.Popen(
        [where / "postgres", "-D", folder / "data", *words],
        user=user,
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        for line in server.stderr:
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError("PostgreSQL did not start")
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=30)
