"""Transform: how many raw web_connectivity measurements one core turns into observations a second.

Included: finding and removing the client's address, decoding the JSON, the certificate of each handshake,
the header and all observations of the probe and the helper.  Not included: unpacking the file, judging,
storing.  Each repetition has its own identity.

    python benchmarks/transform.py [FILE.jsonl.gz] [--seconds 10] [--cold]

FILE holds raw OONI measurements; the default is the real ones next to the repository, or in the folder
that FANOUS_SHARED_DATA names.  ``--cold`` forgets certificates and URLs before each round, as if every
measurement were of a site never seen before.
"""

import argparse
import gc
import os
import sys
import time
from pathlib import Path

from fanous.errors import FanousError
from fanous.model import measurement
from fanous.model.measurement import Record
from fanous.sources.ooni import steps, values
from fanous.sources.ooni.content import scrub
from fanous.sources.ooni.parse import parse, web_role
from fanous.sources.stream import open_source

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT = Path(os.environ.get("FANOUS_SHARED_DATA", BESIDE)) / "ooni" / "real_measurements.jsonl.gz"

REPEATED = 20
"""Copies of each measurement in a round: enough for a reliable time, and they fit in memory."""


def measurements(path: Path) -> list[bytes]:
    """The web_connectivity measurements of a file that have an identity to replace."""
    with open_source(path) as source:
        lines = [line.rstrip(b"\n") for line in source.stream]
    kept = []
    for line in lines:
        header = parse(Record("ooni", line)).measurement
        if header.test_name == "web_connectivity" and header.uid.encode() in line:
            kept.append(line)
    if not kept:
        raise FanousError(f"{path} has no web_connectivity measurement: name a file that has some.")
    return kept


def renamed(lines: list[bytes], round_number: int) -> list[bytes]:
    """Each measurement ``REPEATED`` times, each time with another identity of the same length."""
    copies = []
    for copy in range(REPEATED):
        for number, line in enumerate(lines):
            uid = parse(Record("ooni", line)).measurement.uid.encode()
            mark = b"%06d%04d%04d" % (round_number, copy, number)
            copies.append(line.replace(uid, uid[: -len(mark)] + mark))
    return copies


def forget() -> None:
    """Empty the caches that last from one measurement to the next."""
    of_values = (values._split, values._endpoint, values._host, values._instant, measurement._is_address)
    for remembered in (steps._known_leaf, web_role, *of_values):
        remembered.cache_clear()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--cold", action="store_true", help="forget certificates and URLs between rounds")
    given = arguments.parse_args()
    lines = measurements(given.file)
    done = observed = size = 0
    spent = 0.0
    while spent < given.seconds:
        batch = renamed(lines, done // len(lines))
        if given.cold:
            forget()
        gc.collect()
        began = time.process_time()
        for line in batch:
            observed += len(parse(Record("ooni", scrub(line))).observations)
        spent += time.process_time() - began
        done += len(batch)
        size += sum(map(len, batch))
    print(
        f"{done / spent:,.0f} measurements/s, {size / spent / 1e6:,.0f} MB/s on one core: "
        f"{done:,} measurements of {size / done / 1e3:.0f} KB with {observed / done:.1f} observations each; "
        "scrub + decode + observations, without unpacking, judging and storing"
    )


if __name__ == "__main__":
    try:
        main()
    except FanousError as error:
        sys.exit(str(error))
