"""What a measurement costs at each stage, and what that means at OONI's volume and at 100 times that.

    python -m benchmarks.scale [FILE] [--times N] [--json]

FILE: OONI measurements (default: the research copy that ``FANOUS_SHARED_DATA`` names).  Its web_connectivity
measurements are repeated over thirty days and ten countries, at two sizes: what a stage costs for one more
measurement is the slope between them, so that what happens once (opening, compiling, caches) is left out.
Detection's slope is taken over a country whose facts are filled by SQL, at two volumes with the same series.

All figures are processor time, the engine's threads included: they are valid on a machine that others use too.
``observations a minute`` follows from that processor time; one process alone does not use two cores.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.confirm import COUNTRY, NETWORKS, START, TARGETS, YEAR, fill
from benchmarks.peers.collect import request
from benchmarks.peers.figure import machine
from benchmarks.stream import processes, sent
from tests.jetstream import cluster

from fanous.analysis.rules import judge
from fanous.model.instant import from_iso
from fanous.model.verdict import Judged
from fanous.pipeline import detect
from fanous.pipeline.judge import known_fingerprints, rules_version
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.local import open_store

COUNTRIES = ("PK", "IR", "TR", "BD", "IQ", "EG", "ET", "VN", "MM", "KZ")
DAYS = 30
SINCE = from_iso("2023-12-01T00:00Z")

OONI_A_MONTH = 48_500_000
"""web_connectivity measurements of July 2026."""

MONTH_MINUTES = 31 * 1440
WINDOW_MONTHS = detect.HISTORY / (31 * 86_400)
COUNTRIES_THERE = 230
"""From which OONI gets measurements, roughly; each has its own window."""

VCPU_HOUR = 0.0816 / 2
"""US dollars: AWS m7g.large, 2 vCPU, us-east-1, on demand, list price of June 2026 (factualminds.com)."""

GB_MONTH = 0.023
"""US dollars: the list price of the large clouds' object storage, assumed."""

YEARS = (150_000, 600_000)
"""Measurements a year of the country whose detection is timed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one more measurement costs, in microseconds of processor time."""

    name: str
    microseconds: float
    includes: str


@dataclass(frozen=True, slots=True)
class Detection:
    """The cost of detecting once in one country.

    Attributes:
        fixed: seconds with hardly any measurements in the window.
        microseconds: for each measurement in the window of 60 days.
    """

    fixed: float
    microseconds: float
    series: int


@contextmanager
def adding(owner: Any, method: str, took: dict[str, float], stage: str) -> Iterator[None]:
    """Processor time that a method of an object takes."""
    inner: Callable[..., Any] = getattr(owner, method)

    def timed(*words: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return inner(*words, **named)
        finally:
            took[stage] = took.get(stage, 0.0) + time.process_time() - began

    setattr(owner, method, timed)
    try:
        yield
    finally:
        delattr(owner, method)


def spread(source: Path, times: int, into: Path) -> None:
    """Write the web_connectivity measurements ``times`` times, over thirty days and ten countries."""
    found = [
        one
        for record in MEASUREMENT_SOURCES["ooni"].read(source, lambda line, why: print(f"line {line}: {why}"))
        if (one := json.loads(record.data)).get("test_name") == "web_connectivity"
    ]
    count = times * len(found)
    with into.open("w") as file:
        for n in range(count):
            one = found[n % len(found)]
            moment = SINCE + DAYS * 86_400 * n / count
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
            country = COUNTRIES[n % len(COUNTRIES)]
            one |= {"measurement_start_time": text, "test_start_time": text, "probe_cc": country}
            one |= {"measurement_uid": f"bench-{n}", "report_id": f"bench-{n // 20}"}
            file.write(json.dumps(one) + "\n")


def processed(file: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of each stage, and how much is stored: observations, bytes of archive and facts."""
    connector, known = MEASUREMENT_SOURCES["ooni"], known_fingerprints()
    took: dict[str, float] = {}

    def lap(stage: str, began: float) -> float:
        now = time.process_time()
        took[stage] = took.get(stage, 0.0) + now - began
        return now

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store") as store:
        gc.disable()  # as ``ingest.bring_in`` does
        observations = measurements = 0
        now = time.process_time()
        with adding(store.archive, "append", took, "archive"):
            for records in _chunks(connector.read(file, lambda line, why: print(f"line {line}: {why}"))):
                now = lap("decode", now)
                bundles = [connector.parse(record) for record in records]
                now = lap("observe", now)
                judged = [
                    Judged(record, bundle, judge(bundle, known))
                    for record, bundle in zip(records, bundles, strict=True)
                ]
                now = lap("judge", now)
                store.append(judged, rules_version=rules_version(), undetected=(0.0, store.now()))
                measurements += len(judged)
                observations += sum(len(one.parsed.observations) for one in judged)
                gc.collect(1)
                now = lap("insert", now)
        gc.enable()
        took["insert"] -= took["archive"]
        now = time.process_time()
        detect.detect_all(store)
        lap("detect", now)
        sizes = {part: float(_bytes(Path(folder) / "store" / part)) for part in ("archive", "facts")}
    return took, {"measurements": measurements, "observations": observations, **sizes}


def _chunks(records: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for record in records:
        batch.append(record)
        if len(batch) == 500:
            yield batch
            batch = []
    if batch:
        yield batch


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


INCLUDES = {
    "decode": "reading lines, checking JSON, scrubbing addresses",
    "observe": "typed decoding, observations",
    "judge": "rules, with fingerprints",
    "archive": "packing, digests, syncing",
    "insert": "known or new, rows, indexes, syncing",
    "detect": "each of ten countries once, at the end",
}


def stages(source: Path, times: int) -> tuple[list[Stage], dict[str, float]]:
    """The slopes, and what a measurement holds."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for n in (times, 4 * times):
            file = Path(folder) / f"{n}.jsonl"
            spread(source, n, file)
            found.append(processed(file))
    (small, less), (large, more) = found
    count = more["measurements"] - less["measurements"]
    told = [Stage(name, (large[name] - small[name]) / count * 1e6, INCLUDES[name]) for name in INCLUDES]
    return told, {key: (more[key] - less[key]) / count for key in ("observations", "archive", "facts")}


def received(count: int) -> list[Stage]:
    """Cost in the collector and the servers, for submissions of 3 kB."""
    with cluster() as (servers, _), processes() as start:
        words = ["collect", "--queue", servers.url(), "--per-address", "1000000", "--listen", "127.0.0.1:0"]
        collector = start(words)
        port = int(collector.said(r"listening .*port=(\d+)")[1])
        pids = [process.pid for process in servers.running.values()]
        own = collector.running.pid
        asyncio.run(sent([port], count // 10, None))
        before = _cpu(own), sum(map(_cpu, pids))
        asyncio.run(sent([port], count, None, first=count))
        after = _cpu(own), sum(map(_cpu, pids))
    size = f"{len(request(0)):,} bytes each"
    return [
        Stage("receive", (after[0] - before[0]) / count * 1e6, f"HTTP, checks, packing; {size}"),
        Stage("queue", (after[1] - before[1]) / count * 1e6, "three servers, sync_interval: always"),
    ]


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def detection() -> Detection:
    """Of a large country, at two volumes with the same series."""
    found = []
    end = START + YEAR - 60.0
    for measurements in YEARS:
        with (
            tempfile.TemporaryDirectory() as folder,
            open_store(f"{folder}/store", clock=_end_of_year) as store,
        ):
            fill(store, measurements, 4)
            series = len(store.facts.series(COUNTRY, end - detect.HISTORY, end))
            detect.detect(store, COUNTRY, end - 600, end)  # imports, caches
            began = time.process_time()
            detect.detect(store, COUNTRY, end - 600, end)
            found.append((measurements * detect.HISTORY / YEAR, time.process_time() - began))
    (few, short), (many, long) = found
    slope = (long - short) / (many - few)
    return Detection(max(0.0, short - slope * few), slope * 1e6, series)


def _end_of_year() -> float:
    return START + float(YEAR)


def projection(
    told: list[Stage], holds: dict[str, float], detects: Detection, times: int
) -> dict[str, float]:
    """Projection to so many times OONI's volume."""
    a_minute = OONI_A_MONTH * times / MONTH_MINUTES
    ingest = sum(one.microseconds for one in told if one.name != "detect") * a_minute / 60e6
    window = OONI_A_MONTH * times * WINDOW_MONTHS
    sweep = window * detects.microseconds / 1e6 + COUNTRIES_THERE * detects.fixed
    return {
        "times OONI's volume": times,
        "observations a minute": a_minute * holds["observations"],
        "cores busy with all but detection": ingest,
        "seconds of processor time for one detection in each country": sweep,
        "minutes between two detections of a country, on two cores": sweep / 2 / 60,
        "TB of archive a year": OONI_A_MONTH * 12 * times * holds["archive"] / 1e12,
        "TB of facts a year": OONI_A_MONTH * 12 * times * holds["facts"] / 1e12,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    shared = Path(os.environ.get("FANOUS_SHARED_DATA", "../shared/data"))
    options.add_argument("file", nargs="?", type=Path, default=shared / "ooni/real_measurements.jsonl.gz")
    options.add_argument("--times", type=int, default=60)
    options.add_argument("--submissions", type=int, default=5000)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if not chosen.file.exists():
        sys.exit(f"not present: {chosen.file} (name a file of OONI measurements, or set FANOUS_SHARED_DATA)")
    told, holds = stages(chosen.file, chosen.times)
    told = [*received(chosen.submissions), *told]
    detects = detection()
    rows = [projection(told, holds, detects, times) for times in (1, 100)]
    if chosen.json:
        document = {"stages": [asdict(one) for one in told], "holds": holds, "detection": asdict(detects)}
        print(json.dumps({"machine": machine(), **document, "projection": rows}, indent=2))
        return
    _print(told, holds, detects, rows)


def _print(
    told: list[Stage], holds: dict[str, float], detects: Detection, rows: list[dict[str, float]]
) -> None:
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    each, total = holds["observations"], sum(one.microseconds for one in told)
    print(f"{each:.1f} observations a measurement; processor time, slopes\n")
    print("stage      us a measurement  observations a minute on a core")
    for one in [*told, Stage("all", total, "")]:
        rate = 60e6 / one.microseconds * each
        print(f"{one.name:8} {one.microseconds:18,.0f} {rate:30,.0f}  {one.includes}")
    print(f"\non two cores: {2 * 60e6 / total * each:,.0f} observations a minute")
    hours, stored = total / 3600, (holds["archive"] + holds["facts"]) / 1e3
    print(
        f"a million measurements: {hours:.2f} core hours, {hours * VCPU_HOUR:.3f} USD at {VCPU_HOUR:.4f} "
        f"an hour; {holds['archive'] / 1e3:.2f} GB of archive and {holds['facts'] / 1e3:.2f} GB of facts, "
        f"{stored * GB_MONTH:.2f} USD a month at {GB_MONTH} a GB"
    )
    print(
        f"detection of a country of {detects.series:,} series ({NETWORKS} networks, {TARGETS} targets): "
        f"{detects.fixed:.2f} s, and {detects.microseconds:.2f} us for each measurement of 60 days"
    )
    for row in rows:
        print()
        for name, value in row.items():
            print(f"{value:>16,.2f}  {name}")


if __name__ == "__main__":
    main()
