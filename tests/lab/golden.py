"""Golden measurements of the lab: what the real probe records of each technique, and what follows from it.

    python -m tests.lab.golden [TECHNIQUE...]

(as root) measures anew.  ``NAME.json`` is the record, ``NAME.txt`` its observations and verdicts by line:
read the difference before you commit it.
"""

import asyncio
import sys
import tempfile
import time
from math import isnan
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fanous.analysis.rules import judge
from fanous.model.measurement import Observation, ParsedMeasurement, Record
from fanous.model.place import Access
from fanous.model.verdict import Verdict
from fanous.probe.run import run
from fanous.probe.trace import ProbeVantage
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous_lab.censors import TECHNIQUES, Cut, apply
from fanous_lab.evaluation.rehearsal.capture import slim
from fanous_lab.evaluation.rehearsal.run import PORT, READS_REQUESTS, start_outside
from fanous_lab.evaluation.rehearsal.vantage_point import RoundNetwork, lab_settings
from fanous_lab.internet import Internet
from fanous_lab.plan import DOMESTIC_HOST, Plan, PlannedNetwork, urls_of

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "lab"
TARGET = "x"
LATER = ("bgp_withdraw", "residual")
"""Measured last: one makes a lab depend on BGP's own pace, one poisons an address for a minute."""

INSTANT = 1_702_825_200.0
"""17 December 2023, 15:00 UTC: the same in every file, so that a new measurement differs where it matters."""

PLAN = Plan("PK", (PlannedNetwork(17557, "PTCL", Access.MOBILE, 1.0, 1),), (TARGET,), is_ipv6=False)


def bundle_of(record: bytes) -> ParsedMeasurement:
    return MEASUREMENT_SOURCES["edge"].parse(Record("edge", record))


def described(record: bytes) -> str:
    """Observations and verdicts of a record, one a line."""
    bundle = bundle_of(record)
    lines = [f"defect: {bundle.measurement.defect or '-'}", ""]
    lines += [observation_line(one) for one in bundle.observations]
    lines += ["", *(verdict_line(one) for one in judge(bundle, fingerprints()))]
    return "\n".join(lines) + "\n"


def observation_line(o: Observation) -> str:
    """What one step gave; without times, which differ each time."""
    parts = [o.vantage, o.layer, o.resolver, o.query_type, o.hostname or "-", o.ip, str(o.port or "")]
    found = [*o.answers]
    if o.cert_valid is not None:
        found.append(
            "valid certificate" if o.cert_valid else f"certificate for {o.cert_subject or 'another name'}"
        )
    if o.status_code:
        found.append(f"{o.status_code} {o.title}")
    if not isnan(o.kbps):
        found.append("slow" if o.kbps < SLOW_KBPS else "fast")
    return f"{' '.join(filter(None, parts))}: {o.failure or 'ok'} {' '.join(found)}".rstrip()


SLOW_KBPS = 400.0
"""Between the lab's throttles (137 kbit/s, a bucket before it) and its ordinary lines (megabits)."""


def verdict_line(v: Verdict) -> str:
    return f"-> {v.state} {v.layer} {v.mechanism or '-'} [{v.rule_id}]{' controlled' if v.controlled else ''}"


def measured_anew(names: list[str]) -> None:
    """Write the files of these techniques."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Internet(PLAN) as internet, tempfile.TemporaryDirectory() as folder:
        start_outside(internet, Path(folder), tick=0.2)
        for name in sorted(names, key=lambda name: (name in LATER, name)):
            technique = TECHNIQUES[name]
            undo = apply(internet, Cut(name, targets=(TARGET,) if technique.needs_targets else ()))
            try:
                record = asyncio.run(measure(internet, plain=name in READS_REQUESTS))
            finally:
                undo()
            (FOLDER / f"{name}.json").write_bytes(msgspec.json.format(slim(record), indent=1) + b"\n")
            (FOLDER / f"{name}.txt").write_text(described(slim(record)), encoding="utf-8")
            print(
                name, described(slim(record)).partition("->")[2].splitlines()[:1], file=sys.stderr, flush=True
            )
            time.sleep(0.5)


async def measure(internet: Internet, *, plain: bool) -> bytes:
    """One measurement of the target with its rates; of the line itself where there is no way out."""
    helper = f"http://{internet.helper_address}:{PORT}/"
    settings = lab_settings(internet.ca_file, helper, f"https://{DOMESTIC_HOST}/")
    url = urls_of(TARGET)[0]
    records: list[bytes] = []
    network = RoundNetwork(internet.network(internet.vantage_points[0]), INSTANT)
    await run(
        network,
        replace(settings, transfer_pairs=1),
        ProbeVantage("PK", 17557, "mobile", report_id="20231217T150000Z_webconnectivity_PK_17557_n0_lab"),
        [url.replace("https:", "http:") if plain else url],
        records.append,
    )
    return records[-1]


if __name__ == "__main__":
    measured_anew(sys.argv[1:] or [name for name in TECHNIQUES if name != "none"])
