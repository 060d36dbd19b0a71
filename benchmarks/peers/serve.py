"""Serve: the incident page of the recorded event from the shelf, compared with nginx sending the same bytes as a file.

nginx only sends a file, which a page that must be up to date cannot do.  If it is not installed, Python's own
``http.server`` takes its place.  Requests per second of the server's processor time, over connections that stay open.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers.exporter import Running, free_port, started
from benchmarks.peers.figure import Figure

from fanous.errors import FanousError

PAGE = "/PK/PK-2023-0001"
PATIENCE = 180.0
"""Seconds: the event is ingested first."""

HEAD = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


def measured(seconds: float, clients: int) -> list[Figure]:
    """Ours, then the peer, with the same clients on another core."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port = free_port()
        words = [
            "-m",
            "fanous",
            "demo",
            "--no-browser",
            "--port",
            str(port),
            "--store",
            str(folder / "store"),
        ]
        try:
            with started("fanous", port, [sys.executable, *words], cores[0], PATIENCE) as running:
                os.sched_setaffinity(0, {cores[-1]})
                body = asyncio.run(_once(port, PAGE))
                ours = asyncio.run(_rates(running, PAGE, seconds, clients))
            os.sched_setaffinity(0, set(cores))
            (folder / "www").mkdir()
            (folder / "www" / "page").write_bytes(body)
            name, command, peer_port = _peer(folder)
            with started(name, peer_port, command, cores[0]) as running:
                os.sched_setaffinity(0, {cores[-1]})
                theirs = asyncio.run(_rates(running, "/page", seconds, clients))
        finally:
            os.sched_setaffinity(0, set(cores))
    what = f"{len(body):,} bytes compressed, {clients} clients"
    return [
        Figure(
            f"fanous to {name}", round(ours[0] / theirs[0], 4), "x", "requests a second of processor time"
        ),
        Figure("fanous, an incident's page", round(ours[0], 1), "1/s and core", f"{what}; from the shelf"),
        Figure("fanous, by the clock", round(ours[1], 1), "1/s", what),
        Figure(f"{name}, the same bytes as a file", round(theirs[0], 1), "1/s and core", what),
        Figure(f"{name}, by the clock", round(theirs[1], 1), "1/s", what),
    ]


def _peer(folder: Path) -> tuple[str, list[str], int]:
    """Name, command and port."""
    port = free_port()
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        words = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--protocol", "HTTP/1.1"]
        return "http.server", [sys.executable, *words, "--directory", str(folder / "www")], port
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    return "nginx", [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], port


async def _rates(running: Running, path: str, seconds: float, clients: int) -> tuple[float, float]:
    """Requests per second of the server's processor time, and per second of wall-clock time."""
    before, began = running.processor_seconds(), time.monotonic()
    counts = await asyncio.gather(*(_client(running.port, path, began + seconds) for _ in range(clients)))
    took = time.monotonic() - began
    spent = running.processor_seconds() - before
    return sum(counts) / max(spent, 0.01), sum(counts) / took


async def _client(port: int, path: str, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.monotonic() < until:
        await _get(reader, writer, path)
        done += 1
    writer.close()
    return done


async def _once(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = await _get(reader, writer, path)
    writer.close()
    return body


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    writer.write(HEAD.format(path=path).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if not head.startswith(b"HTTP/1.1 200") or length is None:
        raise FanousError(f"{path} was not served: {head[:200].decode(errors='replace')}")
    return await reader.readexactly(int(length[1]))
