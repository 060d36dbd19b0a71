"""OONI's transform: how many raw measurements OONI's own pipeline turns into observations a second.

    PYTHON benchmarks/ooni_transform.py CHECKOUT FILE.jsonl [--most 1680]

Runs with a Python that has the dependencies of ooni/data's ``oonipipeline`` and none of Fanous; CHECKOUT is a
clone of github.com/ooni/data.  Included, as in its ``make_observations_for_file_entry``: JSON, its typed
document, all observations.  Left out, to its advantage: the look-up of each address's network and country
(every one is unknown: its databases are a download), judging, storing.  ``benchmarks.ingest --ooni`` calls
this on the file that it reads itself, in the same run.

Prints one JSON object: ``rate`` (measurements per second of processor time), ``observations`` (a
measurement) and ``refused`` (measurements that its loader or transform gave up on).
"""

import argparse
import json
import logging
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def lines_of(file: Path, most: int) -> list[bytes]:
    with file.open("rb") as stream:
        return [line for line, _ in zip(stream, range(most), strict=False)]


class UnknownNetworks:
    """In place of its ``NetinfoDB``, whose databases are a download: no network is known."""

    def __init__(self) -> None:
        netinfo = import_module("oonipipeline.netinfo")
        self._network = netinfo.ASInfo(0, "", "", "")
        self._address = netinfo.IPInfo(self._network, "ZZ")

    def lookup_asn(self, *_: object) -> Any:
        return self._network

    def lookup_ip(self, *_: object) -> Any:
        return self._address


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("checkout", type=Path)
    options.add_argument("file", type=Path)
    options.add_argument("--most", type=int, default=1680)
    chosen = options.parse_args()
    sources = [chosen.checkout / "oonipipeline/src", chosen.checkout / "oonidata/src"]
    sys.path[:0] = [str(source) for source in sources]
    logging.disable(logging.CRITICAL)  # OONI's code logs a line for each unknown network
    from_json = import_module("orjson").loads
    load = import_module("oonidata.dataclient").load_measurement
    transform = import_module("oonipipeline.transforms.observations").measurement_to_observations

    networks, done, observed, refused = UnknownNetworks(), 0, 0, 0
    lines = lines_of(chosen.file, chosen.most)
    began = time.process_time()
    for line in lines:
        try:
            measurement = load(from_json(line))
            tables = transform(msmt=measurement, netinfodb=networks, bucket_date="2026-01-01")
        except Exception:  # as OONI's code does: an unusable measurement does not stop the rest
            refused += 1
            continue
        done += 1
        observed += sum(map(len, tables))
    spent = time.process_time() - began
    print(json.dumps({"rate": done / spent, "observations": observed / done, "refused": refused}))


if __name__ == "__main__":
    main()
