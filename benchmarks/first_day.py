"""The first day of a new monitor for a country: `fanous init PK`, `fanous run`, against publishers on loopback.

    python -m benchmarks.first_day [--days 30] [--kills 10]

Starts a real S3 server laid out as OONI's bucket, with a month of measurements in which an event goes on, and servers
shaped like IODA, RIPEstat, Tor Metrics, Google, Globalping and RIPE Atlas.  Then it types the two commands, and prints
how long it takes until the first incident, an answer of every publisher and the whole past, the bytes that are
moved, and the memory.  It repeats this, kills the monitor with -9 at random moments, and compares what both say.
Everything is marked as synthetic, so nothing here can be taken for a real event.  Nothing leaves this machine.
"""

import argparse
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.probe.net.authority import Authority
from tests.sources.ooni.buckets import NAME, served, upload
from tests.sources.publisher import Answer, publishing
from tests.sources.remote import fake_atlas
from tests.sources.remote.fake_globalping import globalping
from tests.sources.remote.worlds import ABROAD, PAKISTAN
from tests.sources.signals.samples import ioda, ioda_series, ripestat, stat

from fanous.model.instant import DAY, HOUR
from fanous_lab.evaluation.simulate import pakistan

FANOUS = Path(sys.executable).with_name("fanous")
COUNTRY = "PK"
KEY = "a-key"
"""The key of RIPE Atlas."""

LONGEST = 1800.0
"""Seconds that one run may take to fetch everything."""


# --- the publishers --------------------------------------------------------------------------------


def fill(folder: Path, days: int, now: datetime) -> tuple[int, int]:
    """Fill a bucket with so many days, quiet ones and at the end those of the staged event; returns measurements and
    bytes."""
    folder.mkdir()
    event, quiet = folder / "event.jsonl", folder / "quiet.jsonl"
    pakistan.write(event)
    rows = list(_moved(event, now - timedelta(hours=2)))
    for back in range(3, days, 3):
        pakistan.write_quiet(quiet, seed=back)
        rows += _moved(quiet, now - timedelta(hours=2, days=back))
    hours: dict[tuple[datetime, str, str], list[dict[str, Any]]] = {}
    for began, row in rows:
        uploaded = began.replace(minute=0, second=0) + timedelta(hours=1)
        hours.setdefault((uploaded, row["probe_cc"], row["test_name"]), []).append(row)
    for (uploaded, _, _), own in hours.items():
        upload(folder, own, uploaded)
    size = sum(
        path.stat().st_size for path in (folder / NAME).rglob("*.tar.gz") if f"/{COUNTRY}/" in str(path)
    )
    return sum(len(own) for (_, country, _), own in hours.items() if country == COUNTRY), size


def _moved(file: Path, last: datetime) -> Iterator[tuple[datetime, dict[str, Any]]]:
    rows = [json.loads(line) for line in file.open(encoding="utf-8")]
    shift = last - max(map(_began, rows))
    for row in rows:
        began = _began(row) + shift
        row.pop("measurement_uid", None)
        row |= dict.fromkeys(("measurement_start_time", "test_start_time"), f"{began:%Y-%m-%d %H:%M:%S}")
        row["report_id"] = f"{row['report_id']}{shift.days}"
        yield began, row


def _began(row: dict[str, Any]) -> datetime:
    return datetime.strptime(row["measurement_start_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _wave(at: float) -> float:
    """A level that is lower at night."""
    return 1000 + 200 * math.sin(2 * math.pi * (at % DAY) / DAY)


def ioda_answer(path: str, _number: int) -> Answer:
    """The requested signals of a country, from two data sources; no outages."""
    asked = parse_qs(urlsplit(path).query)
    if "/outages/" in path or "/entities/" in path:
        return Answer(json.dumps({"type": "outages.events", "error": None, "data": []}).encode())
    first, last = int(asked["from"][0]), int(asked["until"][0])
    series = [
        ioda_series(
            **{"from": first, "until": last},
            datasource=source,
            step=step,
            nativeStep=step,
            values=[round(_wave(at)) for at in range(first, last, step)],
        )
        for source, step in (("bgp", 300), ("ping-slash24", 600))
    ]
    return Answer(ioda(*series))


def ripestat_answer(path: str, _number: int) -> Answer:
    """Routed prefixes, an hour a bin."""
    asked = parse_qs(urlsplit(path).query)
    first, last = (_instant(asked[name][0]) for name in ("starttime", "endtime"))
    stats = [
        stat(f"{_iso(at)}", f"{_iso(min(at + HOUR, last))}") for at in range(int(first), int(last), HOUR)
    ]
    return Answer(ripestat(*stats, resolution="1h"))


def _instant(text: str) -> float:
    with suppress(ValueError):
        return float(text)
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _iso(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}"


def tor_answer(path: str, _number: int) -> Answer:
    """Users a day, below the head that Tor Metrics writes."""
    asked = parse_qs(urlsplit(path).query)
    first, last = (datetime.fromisoformat(asked[name][0]) for name in ("start", "end"))
    kind = "bridge" if "bridge" in path else "relay"
    head = f"#\n# The Tor Project\n#\n# URL: https://metrics.torproject.org/userstats-{kind}-country.csv\n#\n"
    lines = [f"{first + timedelta(days=n):%Y-%m-%d},pk,4000,,,90" for n in range((last - first).days + 1)]
    return Answer((head + "date,country,users,lower,upper,frac\n" + "\n".join(lines) + "\n").encode())


def google_answer(path: str, _number: int) -> Answer:
    """A product's traffic, half an hour a bin."""
    asked = parse_qs(urlsplit(path).query)
    first, last = int(asked["start"][0]) // 1000, int(asked["end"][0]) // 1000
    rows = [[at * 1000, [[0, _wave(at) / 1e5]]] for at in range(first, last, 1800)]
    return Answer(b")]}'\n\n" + json.dumps([["traffic", rows]]).encode())


ATLAS_PROBES = (
    *(
        fake_atlas.probe(100 + n, asn)
        for n, asn in enumerate((17557, 17557, 45669, 45669, 9541, 9541, 23674, 23674))
    ),
    *(
        fake_atlas.probe(6000 + n, 3333 + n, country=country, tags=("system-anchor",), is_anchor=True)
        for n, country in enumerate(("DE", "US", "SG"))
    ),
)


@contextmanager
def remote(authority: Authority) -> Iterator[dict[str, str]]:
    """Globalping's and RIPE Atlas' vantage points, from which everything works; only RIPE Atlas requires a key."""
    known: dict[str, str] = {}

    def world(_probe: Any, kind: str, host: str) -> Any:
        if kind == "dns":
            return [fake_atlas.lookup(fake_atlas.SITE, name=host)]
        if host not in known:
            known[host] = authority.files(host)[0].read_text()
        return fake_atlas.handshake(known[host])

    with globalping(*PAKISTAN, *ABROAD, remaining=10_000, limit=10_000) as pings:
        pings.now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        with fake_atlas.atlas(probes=ATLAS_PROBES, world=world) as (atlas, _):
            atlas.key, atlas.page, atlas.now = KEY, 500, int(time.time())
            yield {
                "globalping": pings.address,
                "atlas": atlas.address,
                "atlas-measurements": atlas.address,
            }


@contextmanager
def publishers(folder: Path, authority: Authority) -> Iterator[dict[str, str]]:
    """Name of each source -> the address of its stand-in."""
    with ExitStack() as open_ones:
        told = {"ooni": open_ones.enter_context(served(folder))}
        told |= open_ones.enter_context(remote(authority))
        for answer, names in (
            (ioda_answer, ("ioda", "ioda-outages")),
            (ripestat_answer, ("ripestat",)),
            (tor_answer, ("tor",)),
            (google_answer, ("google",)),
        ):
            told |= dict.fromkeys(names, open_ones.enter_context(publishing(answer)).address)
        yield told


# --- the monitor -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """What one monitor did; times are seconds since `fanous init` was typed.

    Attributes:
        every: until each publisher has answered.  Not waited for if the monitor is killed: a round on other
            people's lines that dies in the middle is not ordered again within its hour, and what a killed monitor
            stored without logging it is not requested again before it is due.
        moved: bytes that the publishers sent, as the kernel counted them on loopback, our own pages included.
        memory: greatest resident memory seen, bytes.
        incidents: those at the end, as in `fanous confirm --json`, without their labels.
        corrected: how many corrections readers were shown on the way.
    """

    first: float | None = None
    whole: float | None = None
    every: float | None = None
    moved: int = 0
    memory: int = 0
    kills: int = 0
    incidents: list[dict[str, Any]] = field(default_factory=list)
    corrected: int = 0


def watched(
    home: Path, mirrors: dict[str, str], days: int, kills: int, chance: random.Random, ca_file: Path
) -> Seen:
    """Types the two commands, and waits until everything has been fetched."""
    seen, port = Seen(), _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "RIPE_ATLAS_KEY": KEY,
        "SSL_CERT_FILE": str(ca_file),
    } | {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    began, moved = time.monotonic(), _loopback_bytes()
    heard: set[str] = set()
    words = [str(FANOUS), "init", COUNTRY, "--listen", f"127.0.0.1:{port}", "--days", str(days)]
    for name, address in mirrors.items():
        words += ["--accept", name, "--mirror", f"{name}={address}"]
    subprocess.run(
        words, cwd=home, env=environment, check=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    log = home / "log"

    def is_done() -> bool:
        return seen.whole is not None and (seen.every is not None or kills > 0)

    while not is_done():
        with log.open("ab") as file:
            running = subprocess.Popen(
                [str(FANOUS), "run"], cwd=home, env=environment, stdout=file, stderr=file
            )
        ends = time.monotonic() + (chance.uniform(2, 20) if seen.kills < kills else LONGEST)
        while running.poll() is None and time.monotonic() < ends and not (is_done() and seen.kills == kills):
            time.sleep(0.5)
            seen.memory = max(seen.memory, _memory(running.pid))
            if seen.first is None and _has_incident(port):
                seen.first = time.monotonic() - began
            heard |= _heard(log)
            if seen.every is None and heard >= mirrors.keys():
                seen.every = time.monotonic() - began
            if seen.whole is None and _is_whole(log):
                seen.whole = time.monotonic() - began
        if seen.kills < kills and running.poll() is None:
            running.send_signal(signal.SIGKILL)
            running.wait()
            seen.kills += 1
            seen.whole = None  # the next one has to find that nothing is missing
            log.unlink()
        elif not is_done():
            missing = sorted(mirrors.keys() - heard)
            raise SystemExit(
                f"it ended, or took longer than {LONGEST:.0f} s (without {missing}):\n{log.read_text()[-2000:]}"
            )
    seen.moved = _loopback_bytes() - moved
    if seen.first is None and _has_incident(port):
        seen.first = time.monotonic() - began
    told = subprocess.run(
        [str(FANOUS), "confirm", COUNTRY, "--json"], cwd=home, env=environment, capture_output=True, text=True
    )
    every = json.loads(told.stdout)["incidents"]
    seen.incidents = [_without_name(one) for one in every if one["status"] != "retracted"]
    told = subprocess.run(
        [str(FANOUS), "incidents", "corrections", "--json"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
    )
    seen.corrected = len(json.loads(told.stdout)["corrections"])
    running.terminate()
    running.wait(30)
    return seen


def _without_name(incident: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "kind",
        "status",
        "scope",
        "entities",
        "targets",
        "mechanisms",
        "onset",
        "end",
        "intervals",
        "provenance",
    )
    return {name: incident[name] for name in kept}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _memory(process: int) -> int:
    with suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


def _has_incident(port: int) -> bool:
    with suppress(httpx.HTTPError, ValueError):
        return bool(httpx.get(f"http://127.0.0.1:{port}/api/v1/incidents", timeout=5).json()["incidents"])
    return False


def _heard(log: Path) -> set[str]:
    """Sources from which something was stored, or which had nothing to report."""
    told = re.findall(r"(?:pulled|round) source=([a-z-]+) country=PK", log.read_text(errors="replace"))
    return set(told)


def _loopback_bytes() -> int:
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split(":")[1].split()[0]) for line in lines if line.strip().startswith("lo:"))


def _is_whole(log: Path) -> bool:
    """Does the log say that every object has been fetched?"""
    lines = re.findall(r"pulled source=ooni country=PK objects=(\d+)/(\d+)", log.read_text(errors="replace"))
    return bool(lines) and lines[-1][0] == lines[-1][1]


def main() -> None:
    """Run it, and print a table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--kills", type=int, default=10)
    told = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="first-day-"))
    try:
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        count, size = fill(folder / "bucket", told.days, now)
        print(f"a bucket of {told.days} days: {count:,} measurements of {COUNTRY}, {size / 1e6:.1f} MB")
        seen = []
        authority = Authority(folder)
        with publishers(folder / "bucket", authority) as mirrors:
            for name, kills in (("undisturbed", 0), ("killed", told.kills)):
                home = folder / name
                home.mkdir()
                one = watched(home, mirrors, told.days, kills, random.Random(7), authority.ca_file)
                seen.append(one)
                print(
                    f"{name}: first incident after {_minutes(one.first)}, each publisher heard after "
                    f"{_minutes(one.every)}, the whole past after {_minutes(one.whole)}, "
                    f"{one.moved / 1e6:,.0f} MB moved, {one.memory / 2**20:,.0f} MiB, "
                    f"killed {one.kills} times, {len(one.incidents)} incidents, {one.corrected} corrections",
                    flush=True,
                )
        same = seen[0].incidents == seen[1].incidents
        print("both say the same" if same else f"they differ:\n{seen[0].incidents}\n{seen[1].incidents}")
        sys.exit(not same)
    finally:
        shutil.rmtree(folder)


def _minutes(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds / 60:.1f} min"


if __name__ == "__main__":
    main()
