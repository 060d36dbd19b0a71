"""Ingest: JSON of real web_connectivity measurements to stored observations and verdicts, one core.

    python -m benchmarks.ingest [FILE] [--times N] [--ooni CHECKOUT --ooni-python PYTHON]
    python -m benchmarks.ingest [FILE] [--times N] --against COMMIT [--rounds N]

FILE: OONI measurements (default: the research copy that ``FANOUS_SHARED_DATA`` names).  Its
web_connectivity measurements are repeated, each with its own id, written as JSON lines as probes write
them (compact, UTF-8), and ingested by the code that ``fanous ingest`` runs.  Prints the rate of each stage,
alone and together, and the largest resident size for files of one and of four times the length.  Includes:
reading, decoding, scrubbing, observations, verdicts with fingerprints, archive (zstd, fsync), facts.
Detection is not included.

With ``--ooni``, a clone of github.com/ooni/data, OONI's transform reads the shorter file in the same run,
before and after ours: the speed of a machine may differ by half from one minute to the next, the ratio by less.
PYTHON has the dependencies of its ``oonipipeline``.

With ``--against``, an earlier commit of this repository and the working tree ingest the same files in turn: FILE's
web_connectivity measurements, all its measurements, and the recorded event of the demo.  Prints the least processor
time of each for a measurement on one core, from file to store; and processor time and time by the clock of ``fanous
ingest`` itself on all cores, which also starts, and detects what changed.  On a busy machine, only least times of
several rounds compare.  The earlier commit's packages are installed from its lock file (by uv, from PyPI).

Last, on all cores that it may use: the shorter file, packed, by one process and by as many as ``fanous ingest`` starts,
in turn.

Stages are timed by the processor time of this process, the whole by wall-clock and processor time (the
engine's threads and other processes included): if others use the machine, only the latter says what a core can do.
"""

import argparse
import gc
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tools.compare import checked_out, python_of, search_path

from fanous.analysis.rules import judge
from fanous.pipeline import ingest
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.pipeline.workers import READERS, default_jobs
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.local import open_store

ROOT = Path(__file__).resolve().parents[1]

OONI = "OONI's pipeline on such files and such a machine: 222-287/s for the transform alone, 139-164/s stored"


def repeated(source: Path, times: int, into: Path, *, every: bool = False) -> int:
    """Write the web_connectivity measurements ``times`` times; returns how many there are.

    Args:
        every: measurements of all nettests.
    """
    measurements = [
        measurement
        for record in MEASUREMENT_SOURCES["ooni"].read(source, lambda line, why: print(f"line {line}: {why}"))
        if (measurement := json.loads(record.data)).get("test_name") == "web_connectivity" or every
    ]
    for measurement in measurements:
        measurement.pop("x_content", None)  # our reader's note
    with into.open("wb") as file:
        for n in range(times):
            for m, measurement in enumerate(measurements):
                measurement["measurement_uid"] = f"bench-{n}-{m}"
                measurement["report_id"] = f"bench-{n}"
                file.write(msgspec.json.encode(measurement) + b"\n")
    return times * len(measurements)


def stages(file: Path) -> None:
    """Each stage by itself, on the result of the previous one."""
    connector = MEASUREMENT_SOURCES["ooni"]
    start = time.process_time()
    records = list(connector.read(file, lambda line, why: print(f"line {line}: {why}")))
    gc.disable()  # as ``bring_in`` does
    took = {"read and scrub": time.process_time() - start}
    start = time.process_time()
    bundles = [connector.parse(record) for record in records]
    took["decode to observations"] = time.process_time() - start
    known = known_fingerprints()
    start = time.process_time()
    verdicts = [judge(bundle, known) for bundle in bundles]
    took["judge"] = time.process_time() - start
    size = sum(len(record.data) for record in records)
    for name, seconds in took.items():
        print(f"  {name:24} {len(records) / seconds:9,.0f}/s  {size / seconds / 1e6:6.0f} MB/s")
    print(
        f"  {sum(len(b.observations) for b in bundles) / len(bundles):.0f} observations and "
        f"{sum(map(len, verdicts)) / len(verdicts):.0f} verdicts a measurement of "
        f"{size / len(records) / 1e3:.0f} kB"
    )


def to_observations(file: Path) -> float:
    """Measurements for a second of processor time up to where OONI's transform ends; none is kept."""
    connector, start, count = MEASUREMENT_SOURCES["ooni"], time.process_time(), 0
    for record in connector.read(file, lambda line, why: print(f"line {line}: {why}")):
        connector.parse(record)
        count += 1
    return count / (time.process_time() - start)


def whole(file: Path, jobs: int) -> None:
    """All of it into a new store of this process; prints the rate and the largest resident size, and last
    the rate alone.

    Args:
        jobs: processes that read; the last rate is by the clock.  0: this process, by processor time.
    """
    known_fingerprints()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store") as store:
        tally = Ingested()
        start, started = time.process_time(), time.perf_counter()
        ingest.bring_in(store, "ooni", [file], tally, jobs=max(jobs, 1))
        spent, took = time.process_time() - start, time.perf_counter() - started
    READERS.stop()  # what they took is known once they have ended
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent += children.ru_utime + children.ru_stime
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  JSON to stored observations and verdicts: {tally.stored / took:,.0f} measurements/s by the "
        f"clock, {tally.stored / spent:,.0f} and {file.stat().st_size / spent / 1e6:.0f} MB a second of "
        f"processor time ({tally.stored:,} in {took:.1f} s, {spent:.1f} s of processor time); "
        f"largest resident size {resident:.0f} MiB"
    )
    print(tally.stored / (took if jobs else spent))


def whole_apart(file: Path, root: Path = ROOT, jobs: int = 0) -> tuple[str, float]:
    """The same in a separate process: what it prints, and the rate.

    Args:
        root: of the sources that are measured.
        jobs: processes that read, on all cores; 0 = the process itself, on one core.
    """
    command = [python_of(root), "-m", "benchmarks.ingest", str(file), "--whole"]
    command = [*command, "--jobs", str(jobs)] if jobs else [*one_core(), *command]
    environment = os.environ | {"PYTHONPATH": search_path(root)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=root, env=environment)
    *told, rate = done.stdout.splitlines()
    return "\n".join(told), float(rate)


def command_apart(file: Path, root: Path) -> tuple[float, float]:
    """``fanous ingest ooni FILE`` into a new store: seconds of processor time, and by the clock."""
    environment = os.environ | {"PYTHONPATH": search_path(root)}
    with tempfile.TemporaryDirectory() as folder:
        command = [python_of(root), "-m", "fanous", "ingest", "ooni", str(file), "--store", f"{folder}/store"]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took


def by_jobs(file: Path, rounds: int) -> None:
    """One process and as many as ``fanous ingest`` starts, in turn, from a file packed as OONI packs it."""
    packed = file.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes(), 6))
    several = default_jobs([packed])
    rates: dict[int, list[float]] = {1: [], several: []}
    for _ in range(rounds):
        for jobs, own in rates.items():
            own.append(whole_apart(packed, jobs=jobs)[1])
    one, all_of_them = max(rates[1]), max(rates[several])
    print(
        f"packed, all cores, by the clock: {one:,.0f}/s in one process, {all_of_them:,.0f}/s read by {several}, "
        f"{all_of_them / one:.2f} times as many (best of {rounds} rounds each)"
    )


def against(commit: str, source: Path, times: int, rounds: int) -> None:
    """An earlier commit and the working tree in turn, on each kind of file."""
    with tempfile.TemporaryDirectory() as temporary, checked_out(commit, Path(temporary)) as then:
        for name, file in _files(source, times, Path(temporary)):
            stored, spent, took = ({root: [0.0] * rounds for root in (then, ROOT)} for _ in range(3))
            for n in range(rounds):
                for root in (then, ROOT):
                    stored[root][n] = 1e6 / whole_apart(file, root)[1]
                    spent[root][n], took[root][n] = command_apart(file, root)
            for what, unit, each in (
                ("to store a measurement, processor time", "µs", stored),
                ("fanous ingest, processor time", "s", spent),
                ("fanous ingest, by the clock", "s", took),
            ):
                before, now = min(each[then]), min(each[ROOT])
                digits = 0 if unit == "µs" else 2
                print(
                    f"{name}: {what}: {commit} {before:,.{digits}f} {unit}, the working tree {now:,.{digits}f} "
                    f"{unit}, {now / before:.2f} times as long (least of {rounds} rounds each)"
                )


def _files(source: Path, times: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """What is ingested, and its name."""
    from benchmarks.peers.event import event_file  # its modules would count in the largest resident size

    web, every = folder / "web.jsonl", folder / "every.jsonl"
    count = repeated(source, times, web)
    yield f"web_connectivity, {count:,} measurements", web
    count = repeated(source, times, every, every=True)
    yield f"all nettests, {count:,} measurements", every
    event, count = event_file(folder, max(1, times // 15))
    yield f"the recorded event, {count:,} measurements", event


def theirs(file: Path, python: str, checkout: Path) -> float:
    """OONI's transform on the same file and core; prints and returns its rate."""
    script = str(Path(__file__).with_name("ooni_transform.py"))
    command = [*one_core(), python, script, str(checkout), str(file)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    rate, observations, refused = found["rate"], found["observations"], found["refused"]
    print(f"  OONI's: {rate:,.0f}/s, {observations:.0f} observations a measurement; {refused:,} refused")
    return float(rate)


def one_core() -> list[str]:
    """The engine would use all cores; a rate per core is what can be compared."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", "0"] if taskset else []


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("FANOUS_SHARED_DATA", "../shared/data"))
    options.add_argument("file", nargs="?", type=Path, default=shared / "ooni/real_measurements.jsonl.gz")
    options.add_argument("--times", type=int, default=60)
    options.add_argument("--ooni", type=Path, metavar="CHECKOUT", help="compare with OONI's own transform")
    options.add_argument("--ooni-python", metavar="PYTHON", default=sys.executable)
    options.add_argument("--against", metavar="COMMIT", help="compare with an earlier commit")
    options.add_argument("--rounds", type=int, default=5, help="how often each is run for that")
    options.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--jobs", type=int, default=0, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.whole:
        whole(chosen.file, chosen.jobs)
        return
    if not chosen.file.exists():
        sys.exit(f"not present: {chosen.file} (name a file of OONI measurements, or set FANOUS_SHARED_DATA)")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a file or a pipe here
    if chosen.against:
        against(chosen.against, chosen.file, chosen.times, chosen.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        for times in (chosen.times, 4 * chosen.times):
            file = Path(folder) / f"{times}.jsonl"
            count = repeated(chosen.file, times, file)
            print(f"{count:,} measurements, {file.stat().st_size / 1e6:,.0f} MB, one core")
            if times == chosen.times:
                short = file
                stages(file)
                rates = [theirs(short, chosen.ooni_python, chosen.ooni)] if chosen.ooni else []
            said, rate = whole_apart(file)
            print(said)
        by_jobs(short, 3)
        if chosen.ooni:
            transform = to_observations(short)
            rates.append(theirs(short, chosen.ooni_python, chosen.ooni))
            their = sum(rates) / len(rates)
            print(
                f"  ours to OONI's transform: {transform / their:.1f} to 1 where both end with observations, "
                f"{rate / their:.1f} to 1 with ours judged and stored"
            )
    print(OONI)


if __name__ == "__main__":
    main()
