"""Wall-clock time from measurements to incidents on the whole machine, from files and through a collector.

    python -m benchmarks.clock [FILE] [--times N] [--posted N]

FILE: OONI measurements (default: the research copy that ``FANOUS_SHARED_DATA`` names).  Its web_connectivity
measurements are repeated over thirty days and ten countries (``benchmarks.scale``).

*From files*: what ``fanous ingest`` does in an open store, from the first byte read until ten countries are
detected.  *Through the door*: the same measurements posted by 32 clients to one collector, three NATS servers
(``sync_interval: always``), one writer that detects as it goes; from the first request until the stream is
empty and the writer has ended.  Clients and servers share the cores with what is measured.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers.figure import machine
from benchmarks.scale import spread
from benchmarks.stream import processes, sent, wait_until_empty
from tests.jetstream import cluster

from fanous.pipeline import detect, ingest
from fanous.pipeline.judge import known_fingerprints
from fanous.store.local import open_store
from fanous.store.protocol import Store


def from_files(file: Path) -> None:
    """Into a new store, in this process."""
    known_fingerprints()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store") as store:
        began, spent = time.perf_counter(), time.process_time()
        tally = ingest.ingest(store, "ooni", [file], detects=False)
        stored = time.perf_counter() - began
        countries = detect.detect_all(store)
        took, spent = time.perf_counter() - began, time.process_time() - spent
        _tell("from files", tally.stored, _observations(store), took)
        print(f"  {spent:.1f} s of processor time")
        print(f"  detection in {len(countries)} countries: {took - stored:.1f} s")


def through_the_door(file: Path, count: int) -> None:
    """By HTTP, through a collector, a stream and a writer, each in a separate process."""
    lines = file.read_bytes().splitlines()[:count]
    with tempfile.TemporaryDirectory() as folder, cluster() as (servers, address):
        store = Path(folder) / "store"
        with processes() as start:
            words = [
                "collect",
                "--queue",
                servers.url(),
                "--per-address",
                "1000000",
                "--listen",
                "127.0.0.1:0",
            ]
            port = int(start(words).said(r"listening .*port=(\d+)")[1])
            writer = start(["drain", "--queue", servers.url(), "--follow", "--store", str(store)])
            messages = [_posted(line) for line in lines]
            load = asyncio.run(sent([port], len(lines), None, message=messages.__getitem__))
            wait_until_empty(address)
            writer.stop()
            took = time.monotonic() - load.began
        with open_store(store) as opened:
            observations, undetected = _observations(opened), detect.detect_all(opened)
        _tell("through the door", len(load.acknowledged), observations, took)
        rate = len(load.acknowledged) / load.seconds
        print(f"  {rate:,.0f} acknowledged a second; {load.refused} times told to wait")
        print(f"  countries left for another detection: {len(undetected)}")


def _posted(line: bytes) -> bytes:
    """A measurement as a probe sends it, in a report of its country and network."""
    content = json.loads(line)
    number = content["probe_asn"].removeprefix("AS")
    report = f"20231217T143000Z_webconnectivity_{content['probe_cc']}_{number}_n0_Ab3dEf6hIj9lMnO0"
    body = json.dumps({"format": "json", "content": content | {"report_id": report}}).encode()
    return f"POST /report/{report} HTTP/1.1\r\nHost: c\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _observations(store: Store) -> int:
    ((count,),) = store.facts.engine.rows("SELECT count() FROM observations")
    return int(count)


def _tell(what: str, measurements: int, observations: int, seconds: float) -> None:
    print(
        f"{what}: {60 * observations / seconds:,.0f} observations a minute "
        f"({measurements:,} measurements, {observations:,} observations, {seconds:.1f} s)"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    shared = Path(os.environ.get("FANOUS_SHARED_DATA", "../shared/data"))
    options.add_argument("file", nargs="?", type=Path, default=shared / "ooni/real_measurements.jsonl.gz")
    options.add_argument("--times", type=int, default=480, help="of each measurement, from files")
    options.add_argument("--posted", type=int, default=6000, help="measurements through the door")
    chosen = options.parse_args()
    if not chosen.file.exists():
        sys.exit(f"not present: {chosen.file} (name a file of OONI measurements, or set FANOUS_SHARED_DATA)")
    print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spread.jsonl"
        spread(chosen.file, chosen.times, file)
        from_files(file)
        through_the_door(file, chosen.posted)


if __name__ == "__main__":
    main()
