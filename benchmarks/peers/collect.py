"""Durable submissions a second: a collector on one core, its clients on another, 3 KB each, all fsynced.

What is counted: requests over connections of loopback that stay open, from the first byte sent to the
acknowledgement, which comes after the fsync.  The inbox lies in ``TMPDIR``: on a tmpfs syncing costs nothing.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from benchmarks.peers.figure import Figure

from fanous.errors import FanousError

OPTIONS = ("--listen", "127.0.0.1:0", "--per-address", "100000")
REPORT = "20231217T143000Z_webconnectivity_PK_17557_n0_Ab3dEf6hIj9lMnO0"
BODY_BYTES = 3072


def request(number: int) -> bytes:
    """A submission as a probe makes it; each is another measurement."""
    content = {
        "annotations": {"platform": "android", "network_type": "mobile"},
        "data_format_version": "0.2.0",
        "id": f"bdd20d7a-bba5-40dd-a111-{number:012d}",
        "input": "https://x.com/",
        "measurement_start_time": "2023-12-17 14:30:07",
        "probe_asn": "AS17557",
        "probe_cc": "PK",
        "probe_ip": "127.0.0.1",
        "resolver_asn": "AS17557",
        "software_name": "ooniprobe-android",
        "software_version": "3.8.2",
        "test_keys": {"queries": [{"hostname": "x.com", "answers": [], "failure": None} for _ in range(30)]},
        "test_name": "web_connectivity",
        "test_start_time": "2023-12-17 14:30:00",
        "test_version": "0.4.3",
    }
    bare = len(msgspec.json.encode({"format": "json", "content": content}))
    content["title"] = "x" * max(0, BODY_BYTES - bare - 11)
    body = msgspec.json.encode({"format": "json", "content": content})
    head = f"POST /report/{REPORT} HTTP/1.1\r\nHost: c\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def client(port: int, numbers: range, until: float, took: list[float]) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        if time.monotonic() >= until:
            break
        message = request(number)
        began = time.monotonic()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        if not head.startswith(b"HTTP/1.1 200"):
            raise FanousError(f"not acknowledged: {head.decode()}")
        took.append(time.monotonic() - began)
    writer.close()


async def _sent(port: int, seconds: float, connections: int) -> tuple[list[float], float]:
    """Seconds that each took, and seconds in all."""
    took: list[float] = []
    began = time.monotonic()
    own = [range(n * 10_000_000, (n + 1) * 10_000_000) for n in range(connections)]
    await asyncio.gather(*(client(port, numbers, began + seconds, took) for numbers in own))
    return took, time.monotonic() - began


def measured(seconds: float, connections: int) -> list[Figure]:
    """A collector on the first core, its clients on the last."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        collector = subprocess.Popen(
            [sys.executable, "-m", "fanous", "collect", *OPTIONS, "--inbox", f"{folder}/inbox"],
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "FANOUS_STORE"},
        )
        try:
            os.sched_setaffinity(collector.pid, {cores[0]})
            os.sched_setaffinity(0, {cores[-1]})
            took, lasted = asyncio.run(_sent(_port_of(collector), seconds, connections))
        finally:
            os.sched_setaffinity(0, set(cores))
            collector.terminate()
            collector.communicate(timeout=30)
        kept = sum(path.read_bytes().count(b"\n") for path in Path(folder).rglob("*.jsonl"))
    quantiles = statistics.quantiles(took, n=100)
    what = f"{len(request(0)):,} bytes each, {connections} clients, every one fsynced before its answer"
    return [
        Figure("durable submissions", round(len(took) / lasted, 1), "1/s", what),
        Figure("half of them within", round(quantiles[49] * 1e3, 2), "ms"),
        Figure("99 of 100 within", round(quantiles[98] * 1e3, 2), "ms"),
        Figure("the slowest", round(max(took) * 1e3, 2), "ms"),
        Figure("acknowledged", len(took), "submissions"),
        Figure("in the inbox", kept, "submissions", "the same number, or something was lost"),
    ]


def _port_of(collector: "subprocess.Popen[str]") -> int:
    assert collector.stderr is not None
    for line in collector.stderr:
        found = re.search(r"port=(\d+)", line)
        if found:
            return int(found[1])
    raise FanousError("the collector did not start; `fanous collect` says why")
