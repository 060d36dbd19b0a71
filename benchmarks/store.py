"""How fast the store stores judged measurements, and answers.

    python -m benchmarks.store [MEASUREMENTS]

Web measurements of 4 KB with 10 observations and 4 verdicts each, in batches of 2,000: compressing and
syncing the archive, building columns, and inserting them with fsync are all included; parsing and judging
are not.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from random import Random

from fanous.model.measurement import Layer, Measurement, Observation, Observer, ParsedMeasurement, Record
from fanous.model.place import Access
from fanous.model.verdict import Judged, State, Verdict
from fanous.store.local import open_store
from fanous.store.protocol import Store

BATCH = 2000
START = 1_700_000_000.0
DAYS = 30
ASNS = [17557, 45669, 9541, 59257, 24499]
LAYERS = [Layer.DNS, Layer.DNS, Layer.TCP, Layer.TLS, Layer.HTTP] * 2


def measured(number: int, random: Random) -> Judged:
    """A web measurement with as many facts as real ones have."""
    site = f"site{random.randint(0, 300)}.example"
    started_at = START + random.random() * DAYS * 86400
    uid = f"{int(started_at)}.{number:06d}_PK_webconnectivity_{random.getrandbits(64):016x}"
    asn = random.choice(ASNS)
    header = Measurement(
        uid, "web_connectivity", "0.5.28", "PK", asn, asn, Access.ANY, started_at, f"report {number // 30}",
        "ooniprobe-android 3.8.2", f"https://{site}/", site, network_name="A network",
    )  # fmt: skip
    facts = tuple(observed(site, layer, n, random) for n, layer in enumerate(LAYERS))
    said = tuple(
        Verdict(site, layer, State.OK, f"{layer.value}.ok", why="It worked, as it did for the control.")
        for layer in (Layer.DNS, Layer.TCP, Layer.TLS, Layer.HTTP)
    )
    # As compressible as real measurements are, about 1 to 5.
    filler = random.randbytes(400).hex() + "0" * 3200
    return Judged(
        Record("ooni", f'{{"uid":"{uid}","filler":"{filler}"}}'.encode()),
        ParsedMeasurement(header, facts),
        said,
    )


def observed(site: str, layer: Layer, number: int, random: Random) -> Observation:
    return Observation(
        layer,
        site,
        hostname=site,
        vantage=Observer.HELPER if number >= 5 else Observer.PROBE,
        ip=f"203.0.113.{random.randint(0, 255)}",
        port=443,
        at=random.random(),
        seconds=random.random(),
        answers=("203.0.113.7", "203.0.113.8") if layer is Layer.DNS else (),
        answer_asns=(64500, 64500) if layer is Layer.DNS else (),
        ttls=(60, 60) if layer is Layer.DNS else (),
        cert_valid=True if layer is Layer.TLS else None,
        url=f"https://{site}/" if layer is Layer.HTTP else "",
        status_code=200 if layer is Layer.HTTP else 0,
        title=f"Welcome to {site}" if layer is Layer.HTTP else "",
        header_names=("content-type", "date", "server") if layer is Layer.HTTP else (),
    )


def timed(name: str, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(f"  {name:<46} {seconds * 1000:9.1f} ms")
    return seconds


def ask(store: Store, uids: list[str]) -> None:
    """The queries that detection and an answer to a person consist of."""
    until = START + DAYS * 86400
    site = "site7.example"
    for _ in "first", "second":
        timed("known: 2,000 uids", lambda: store.facts.known(uids[:2000]))
    timed("series: country, 30 days, all targets, 10 min", lambda: store.facts.series("PK", START, until))
    timed("series: country, 30 days, one target", lambda: store.facts.series("PK", START, until, 600, [site]))
    timed("votes: country, 30 days, one target", lambda: store.facts.votes("PK", START, until, [site]))
    timed("insufficient: country, 30 days", lambda: store.facts.insufficient("PK", START, until))
    timed("volume: country, 30 days", lambda: store.facts.volume("PK", START, until))
    timed("verdicts of one uid", lambda: store.facts.verdicts(uids[0]))


def main(total: int) -> None:
    random = Random(1)
    with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
        spent, uids = 0.0, list[str]()
        for start in range(0, total, BATCH):
            batch = [measured(number, random) for number in range(start, min(start + BATCH, total))]
            uids += [one.parsed.measurement.uid for one in batch]
            began = time.perf_counter()
            store.append(batch, rules_version="1")
            spent += time.perf_counter() - began
        facts = total * len(LAYERS)
        print(f"{total} measurements in {spent:.2f} s: {total / spent:.0f} measurements/s,")
        print(f"{spent / facts * 1e6:.1f} microseconds per observation, all in")
        ask(store, uids)
    print(f"largest resident size {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
