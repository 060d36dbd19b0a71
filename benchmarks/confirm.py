"""How long `fanous confirm` takes over a year of one country.

    python -m benchmarks.confirm [OBSERVATIONS [OBSERVATIONS_A_MEASUREMENT]]

Fills a store's facts by SQL (no rule or detector runs), with 300 targets on 40 networks
and three incidents in the ledger, one of them months long on a much measured target.  Then the command
itself is timed as a user types it: the start of Python, opening the store, the answer, printing.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fanous.model.incident import EvidenceCounts, Incident, Interval, Kind, NetworkPart, Part, Scope, Status
from fanous.model.place import Access
from fanous.model.reason import as_written
from fanous.store.local import open_store
from fanous.store.protocol import Store

COUNTRY = "PK"
START = 1_672_531_200  # 2023-01-01
YEAR = 365 * 86_400
NETWORKS = 40
TARGETS = 300
BLOCK = 1_000_000
RUNS = 3

AT = f"toDateTime64({START} + cityHash64(number, 1) % {YEAR}, 6, 'UTC')"
HEAD = f"""concat('u', toString(number)) AS uid, '{COUNTRY}' AS country,
    toUInt32(9000 + cityHash64(number, 2) % {NETWORKS}) AS asn, {AT} AS started_at, 'bench' AS segment"""
SITE = (
    f"if(cityHash64(number, 3) % 10 = 0, 'x', concat('site', toString(cityHash64(number, 3) % {TARGETS}), "
    "'.example'))"
)
"""A tenth of all measurements are of one platform: most incidents concern what is measured most."""
FAILS = (
    "(target = 'x' AND asn < 9020 AND toMonth(started_at) BETWEEN 3 AND 8) OR cityHash64(number, 4) % 100 = 0"
)
PROBE = "concat('r', toString(intDiv(number, 20)))"


def fill(store: Store, measurements: int, observations: int) -> None:
    """The three tables of facts, block by block."""
    run = store.facts.engine.run
    for first in range(0, measurements, BLOCK):
        numbers = f"numbers({first}, {min(BLOCK, measurements - first)})"
        run(f"""INSERT INTO measurements (uid, country, asn, started_at, segment, source, test_name,
            received_at, probe, software, target, network_name)
            SELECT {HEAD}, 'ooni', 'web_connectivity',
            started_at, {PROBE}, 'ooniprobe-android 3.8.2', {SITE}, 'A network' FROM {numbers}""")
        run(f"""INSERT INTO verdicts (uid, country, asn, started_at, segment, access, probe, test_name,
            source, rules_version, number, target, layer, state, rule_id, mechanism, why, symptom, controlled,
            kbps)
            SELECT {HEAD}, 'any', {PROBE}, 'web_connectivity', 'ooni', '1', n, {SITE} AS target,
            ['tls', 'dns', 'tcp', 'http'][n + 1], if(n = 0 AND ({FAILS}), 'blocked', 'ok') AS said,
            if(said = 'ok', 'tls.ok', 'tls.reset'), if(said = 'ok', '', 'tls.reset.sni'), 'It was said.', 0,
            1, nan
            FROM {numbers} ARRAY JOIN range({min(observations, 4)}) AS n""")
        run(f"""INSERT INTO observations (uid, country, asn, started_at, segment, number, layer, target, at,
            seconds)
            SELECT {HEAD}, n, 'tls', {SITE}, 0.1, 0.2
            FROM {numbers} ARRAY JOIN range({observations}) AS n""")


def incident(targets: Sequence[str], networks: int, start: int, end: int) -> Incident:
    """A claim as the ledger holds it."""
    names = tuple(f"AS{9000 + n}" for n in range(networks))
    spell = Interval(float(start), float(end))
    parts = tuple(NetworkPart(name, tuple(targets), (spell,), 1000, 100, 0.999) for name in names)
    return Incident(
        country=COUNTRY, kind=Kind.BLOCKING, status=Status.ENDED, scope=Scope.MULTI_ISP, access=Access.ANY,
        entities=names, parts=tuple(Part(t, Kind.BLOCKING, ("tls.reset.sni",), names) for t in targets),
        networks=parts, onset=spell.start, onset_earliest=spell.start - 600, onset_latest=spell.start + 600,
        end=spell.end, intervals=(spell,), confirmed_at=spell.start + 3600, confidence=0.999, users=None,
        kbps=None, level=None, evidence=EvidenceCounts(1000, 100, networks, 900, ("ooni",)), rule="C2",
        reasons=as_written("C2"),
        rules_version="1", detector_version="1",
    )  # fmt: skip


def typed(*words: str) -> tuple[float, float]:
    """(seconds of wall-clock time, seconds of CPU) of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "fanous", *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def main(total: int, a_measurement: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "store"
        with open_store(where) as store:
            fill(store, total // a_measurement, a_measurement)
            month = START + 59 * 86_400
            long = incident(["x"], 20, month, month + 184 * 86_400)
            store.ledger.put(long, as_written("bench"))
            store.ledger.put(
                incident(["site7.example", "site8.example"], 8, START, START + 9 * 86_400),
                as_written("bench"),
            )
            store.ledger.put(
                replace(long, networks=long.networks[:1], onset=START + 3e7, end=None), as_written("bench")
            )
        print(f"{total:,} observations in {total // a_measurement:,} measurements of a year of one country")
        year = ("--since", "2023-01-01", "--until", "2024-01-01", "--store", str(where))
        asked = {
            "nothing (python -m fanous --version)": ("--version",),
            "the whole year": ("confirm", COUNTRY, *year),
            "the whole year, --json": ("confirm", COUNTRY, *year, "--json"),
            "one target": ("confirm", COUNTRY, "--target", "x", *year, "--json"),
            "a week": (
                "confirm",
                COUNTRY,
                "--since",
                "2023-06-01",
                "--until",
                "2023-06-08",
                *year[-2:],
                "--json",
            ),
        }
        for name, words in asked.items():
            times = sorted(typed(*words) for _ in range(RUNS))
            median, least_cpu = times[RUNS // 2][0], min(cpu for _, cpu in times)
            print(f"  {name:<40} median {median:5.2f} s, worst {times[-1][0]:5.2f} s, CPU {least_cpu:5.2f} s")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 10_000_000, numbers[1] if len(numbers) > 1 else 10)
