"""Soak: run the whole monitor for an hour under a fast clock while everything goes wrong, and see what grows.

    python -m benchmarks.soak [--minutes N] [--rate N] [--into FOLDER]
    python -m benchmarks.soak --draw FOLDER

``fanous run`` with its pages, its collector, its helper, its own probe and three public sources works on a
store that begins empty.  Records of the lab's recording arrive all the time, dated by the fast clock; readers
read; publishers are busy, broken, slow or poisonous in turn; every two and a half minutes there is a flood; in
the first third the monitor is stopped and killed twice each, and its collector is killed throughout.  Memory,
descriptors, threads and disk are noted every five seconds in ``FOLDER/soak.jsonl``, and reported and drawn in
``soak.md`` and ``soak.svg``, which ``--draw`` makes again.

Nothing leaves this machine: the monitor can resolve only the names of loopback.  A guard ends the monitor
and removes its files even if this program is killed.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
from benchmarks.flood import CHILD, LANGUAGES, REPORT_ID, bomb, free_port
from benchmarks.peers.figure import machine

from fanous.charts import paint, plot
from fanous.charts.reachability import Lines, ShareLine
from fanous.monitor.clock import Clock
from fanous.monitor.recording import unpack

EVENT = "pakistan-2023-12-17"
EVERY = 5.0
"""Seconds between two samples."""

RECORDS_A_SECOND = 8.0
MOOD_SECONDS = 60.0
FLOOD_EVERY, FLOOD_SECONDS = 150.0, 20.0
IDLE = 1500
"""Connections of one flood."""

CUT_EVERY, CUT_FOR = 86_400.0, 4 * 3600.0
"""In the monitor's clock: once a day for four hours the recorded event is played, and traffic falls."""

RESTARTS = ((1 / 12, "SIGTERM"), (2 / 12, "SIGKILL"), (3 / 12, "SIGTERM"), (4 / 12, "SIGKILL"))
"""Share of the run, and how the monitor ends; the long life, in which growth is looked for, follows."""

DOORS_KILLED = 8
"""How often the probes' door is killed, evenly spread."""

OURS = """
import ctypes, json, os, socket, sys, threading, time

class InUse(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]

def inside():
    told, at = ctypes.CDLL(None).mallinfo2, os.path.dirname(__file__) + "/inside"
    told.restype = InUse
    while True:
        time.sleep(5)
        found = told()
        said = {"blocks": sys.getallocatedblocks(), "used": found.uordblks + found.hblkhd, "free": found.fordblks}
        with open(f"{at}-{os.getpid()}.new", "w") as file:
            json.dump(said, file)
        os.replace(file.name, f"{at}-{os.getpid()}")

threading.Thread(target=inside, daemon=True).start()
asked = socket.getaddrinfo
def getaddrinfo(host, *args, **named):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost", "::1") or str(host).replace(".", "").isdigit():
        return asked(host, *args, **named)
    if str(host).endswith(".silent.example"):
        time.sleep(20)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
socket.getaddrinfo = getaddrinfo
"""
"""The machine's resolver, in every process of the monitor (``sitecustomize``): it knows no name of the internet,
and for some it takes as long as glibc does before it gives up.  Each also says how many objects Python holds, and
what glibc gave out and keeps free (mallinfo2(3))."""

GUARD = """
import os, shutil, signal, sys
folder = sys.argv[1]
sys.stdin.read()
try:
    os.killpg(int(open(folder + "/group").read()), signal.SIGKILL)
except (OSError, ValueError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""
"""Waits for the end of this program, for whatever reason it ends."""


@dataclass
class Tallies:
    """What was done to the monitor, and how it answered.

    Attributes:
        answers: "who code" -> count; ``-`` = no answer.
        seconds: for readers' requests: (machine time, seconds, was there a flood?).
    """

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[tuple[float, float, bool]] = field(default_factory=list)


class Soak:
    """One run.

    Attributes:
        flooding: what floods now; empty = nothing.
    """

    def __init__(self, minutes: float, rate: float, folder: Path, into: Path) -> None:
        self.began, self.length = time.time(), minutes * 60
        self.clock = Clock(rate, self.began)
        self.folder, self.into = folder, into
        self.pages, self.door = free_port(), free_port()
        self.log = folder / "log"
        self.over, self.flooding = threading.Event(), ""
        self.tallies, self.dice = Tallies(), random.Random(23)
        self.process: subprocess.Popen[bytes] | None = None
        self._notes = (into / "soak.jsonl").open("w", encoding="utf-8")
        self._noting = threading.Lock()
        self._read = 0
        self.counts: Counter[str] = Counter()

    @property
    def age(self) -> float:
        return time.time() - self.began

    def note(self, kind: str, **said: Any) -> None:
        with self._noting:
            self._notes.write(json.dumps({"kind": kind, "at": round(self.age, 1), **said}) + "\n")
            self._notes.flush()

    def is_cut(self, at: float) -> bool:
        """Is the event under way, by the monitor's clock?"""
        return (at - self.began) % CUT_EVERY > CUT_EVERY - CUT_FOR

    # ---- the monitor

    def configure(self, outside: int) -> None:
        """Write the monitor's file."""
        mirror = f'enabled = true\ncountries = ["PK"]\nmirror = "http://127.0.0.1:{outside}"\n'
        since = datetime.fromtimestamp(self.began, UTC).isoformat()
        (self.folder / "fanous.toml").write_text(
            f'[store]\nfolder = "{self.folder}/store"\n'
            f'[run]\nlisten = "127.0.0.1:{self.pages}"\nevery = 1.0\n'
            f'[clock]\nrate = {self.clock.rate}\nsince = "{since}"\n'
            f'[rounds]\nurls = ["http://127.0.0.1:{outside}/site"]\ncountry = "PK"\nasn = 17557\n'
            "consent = true\nhealth = false\n"
            f'[probe]\nallow_private = true\nhelper = "http://127.0.0.1:{self.door}"\n'
            f'[collector]\nlisten = "127.0.0.1:{self.door}"\nnetworks = "none"\ntrust_proxy = ["127.0.0.1"]\n'
            'open_to_all = false\nlab = true\n[web]\ntrust_proxy = ["127.0.0.1"]\nadmin_token = "SOAK_TOKEN"\n'
            + "".join(f"[sources.{name}]\n{mirror}" for name in ("ioda", "tor", "ripestat"))
            + '[alerts.channels.desk]\napprise_env = "SOAK_DESK"\n[[alerts.rules]]\nchannels = ["desk"]\n',
            encoding="utf-8",
        )
        (self.folder / "sitecustomize.py").write_text(OURS)
        self._environment = os.environ | {
            "XDG_DATA_HOME": str(self.folder / "data"),
            "SOAK_TOKEN": "t" * 32,
            "SOAK_DESK": f"json://127.0.0.1:{outside}/desk",
            "PYTHONPATH": os.pathsep.join([str(self.folder), *(path for path in sys.path if path)]),
        }

    def start(self) -> None:
        """Start the monitor and wait for its pages."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CHILD, "run", "--config", str(self.folder / "fanous.toml")],
                stdout=out,
                stderr=out,
                env=self._environment,
                start_new_session=True,
            )
        (self.folder / "group").write_text(str(self.process.pid))
        until = time.monotonic() + 120
        while self.get("/", who="start") is None:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(self.log.read_text()[-5000:])
            time.sleep(0.2)

    def end(self, how: str) -> float:
        """Signal the monitor; returns the seconds until it was gone."""
        assert self.process is not None
        began = time.time()
        self.process.send_signal(getattr(signal, how))
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        took, last = time.time() - began, self.log.stat().st_mtime - began
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        said = {
            "seconds": round(took, 2),
            "last_word": round(max(0.0, last), 2),
            "code": self.process.returncode,
        }
        self.note("restart", how=how, **said)
        return took

    def get(self, path: str, who: str = "reader", address: str = "203.0.113.7") -> httpx.Response | None:
        began, flooded = time.perf_counter(), bool(self.flooding)
        try:
            with httpx.Client(trust_env=False, timeout=20) as client:
                answer = client.get(
                    f"http://127.0.0.1:{self.pages}{path}", headers={"X-Forwarded-For": address}
                )
        except httpx.HTTPError:
            self.tallies.answers[f"{who} -"] += 1
            return None
        self.tallies.answers[f"{who} {answer.status_code}"] += 1
        if who == "reader":
            self.tallies.seconds.append((self.age, time.perf_counter() - began, flooded))
        return answer

    def post(self, who: str, path: str, content: bytes, address: str, **headers: str) -> None:
        try:
            with httpx.Client(trust_env=False, timeout=30) as client:
                answer = client.post(
                    f"http://127.0.0.1:{self.door}{path}",
                    content=content,
                    headers={"X-Forwarded-For": address, **headers},
                )
            self.tallies.answers[f"{who} {answer.status_code}"] += 1
        except httpx.HTTPError:
            self.tallies.answers[f"{who} -"] += 1

    # ---- the world

    def publisher(self) -> type[BaseHTTPRequestHandler]:
        """Publishers, a website, and a desk that receives alerts, each with its current fault."""
        soak = self

        class Outside(BaseHTTPRequestHandler):
            timeout = 30

            def do_GET(self) -> None:
                soak.tallies.answers["outside GET"] += 1
                if self.path == "/site":
                    cut = soak.is_cut(soak.clock()) and "identity" not in self.headers.get(
                        "Accept-Encoding", ""
                    )
                    if cut:
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        self.connection.close()
                        return
                    self._say(200, b"<html><title>Site</title>" + b"<p>plain words</p>" * 200)
                    return
                mood = int(soak.age // MOOD_SECONDS) % 6
                body = _published(self.path, soak)
                if body is None or mood == 1:
                    self._say(503, b"", ("Retry-After", "2"))
                elif mood == 2:
                    self._say(200, b"<html>not what was asked for" * 50)
                elif mood == 3:
                    self._say(200, body, cut=len(body) // 2)
                elif mood == 4:
                    self._say(200, b'{"data":' + b" " * 3_000_000 + b"[" * 100_000)
                else:
                    time.sleep(1 if mood == 5 else 0)
                    self._say(200, body)

            def do_POST(self) -> None:
                self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
                soak.tallies.answers["outside alerts"] += 1
                self._say(503 if soak.age // MOOD_SECONDS % 3 == 1 else 200, b"{}")

            def _say(self, code: int, body: bytes, *more: tuple[str, str], cut: int | None = None) -> None:
                with suppress(OSError):
                    self.send_response(code)
                    for name, value in more:
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[:cut])
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        return Outside

    def probes(self) -> None:
        """Volunteers' measurements, dated by the monitor's clock."""
        calm, event = _recorded(self.folder)
        turn, due = 0, time.monotonic()
        while not self.over.is_set():
            now = self.clock()
            kind = event if self.is_cut(now) else calm
            record = dict(kind[turn % len(kind)])
            turn += 1
            moment = datetime.fromtimestamp(now - self.dice.uniform(0, 60), UTC).strftime("%Y-%m-%d %H:%M:%S")
            record |= {"measurement_start_time": moment, "test_start_time": moment}
            body = json.dumps({"format": "json", "content": record}).encode()
            address = f"198.51.{sum(record['report_id'].encode()) % 250}.{turn % 250}"
            self.post("probe", f"/report/{record['report_id']}", body, address)
            due = max(due + 1 / RECORDS_A_SECOND, time.monotonic() - 1)
            self.over.wait(max(0.0, due - time.monotonic()))

    def readers(self, number: int) -> None:
        """A reader who browses, now and then downloads something expensive, or keeps a page open."""
        dice, paths = random.Random(number), ["/"]
        while not self.over.is_set():
            path = dice.choice([*paths[-40:], "/", "/PK", "/countries", "/methodology", "/feed.atom"])
            answer = self.get(
                path + ("" if "." in path else f"?lang={dice.choice(LANGUAGES)}"),
                address=f"203.0.113.{number}",
            )
            if answer is not None and answer.status_code == 200 and "html" in answer.headers["content-type"]:
                paths += [link for link in re.findall(r'href="(/[^"?#]*)', answer.text) if link not in paths]
                paths = paths[:1] + paths[-400:]
            if dice.random() < 0.02:
                self._watch(dice.uniform(1, 20))
            self.over.wait(dice.uniform(0.2, 0.8))

    def _watch(self, seconds: float) -> None:
        """An open page that is notified of changes."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.pages), timeout=5) as watching:
            watching.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.tallies.answers["watchers"] += 1
            self.over.wait(seconds)

    def floods(self) -> None:
        """One after another, with calm between them."""
        kinds: list[Callable[[float], None]] = [
            self.idle_pages, self.bombs, self.idle_door, self.lookups, self.rubbish, self.guesses,
        ]  # fmt: skip
        turn = 0
        while not self.over.wait(FLOOD_EVERY - FLOOD_SECONDS):
            kind = kinds[turn % len(kinds)]
            turn += 1
            self.flooding = kind.__name__
            self.note("flood", name=kind.__name__, on=True)
            with suppress(OSError):
                kind(time.monotonic() + FLOOD_SECONDS)
            self.note("flood", name=kind.__name__, on=False)
            self.flooding = ""

    def idle_pages(self, until: float) -> None:
        self._idle(self.pages, until)

    def idle_door(self, until: float) -> None:
        self._idle(self.door, until)

    def _idle(self, port: int, until: float) -> None:
        with ExitStack() as held:
            while time.monotonic() < until and not self.over.is_set():
                for _ in range(IDLE // 5):
                    one = socket.socket()
                    one.setblocking(False)
                    one.connect_ex(("127.0.0.1", port))
                    held.callback(one.close)
                self.over.wait(4.0)
        self.tallies.answers["idle connections"] += IDLE

    def bombs(self, until: float) -> None:
        number = 0
        while time.monotonic() < until and not self.over.is_set():
            number += 1
            self.post(
                "bomb", f"/report/{REPORT_ID}", bomb(number), "192.0.2.9", **{"Content-Encoding": "zstd"}
            )
            self.over.wait(0.2)

    def lookups(self, until: float) -> None:
        def ask(number: int) -> None:
            turn = 0
            while time.monotonic() < until and not self.over.is_set():
                turn += 1
                question = {
                    "http_request": f"https://n{number}-{turn}.silent.example/",
                    "http_request_headers": {},
                    "tcp_connect": [],
                }
                self.post(
                    "look-up", "/", json.dumps(question).encode(), f"192.0.2.{number}",
                    **{"User-Agent": "ooniprobe-x"},
                )  # fmt: skip
                self.over.wait(0.2)

        threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def rubbish(self, until: float) -> None:
        """Bytes that are not requests, bodies that are not records, and records that are expensive to read."""
        addresses = " ".join(f"10.{n % 250}.{n % 199}.{n % 251}" for n in range(7000))
        content = {
            "test_name": "web_connectivity",
            "probe_ip": "10.1.2.3",
            "test_keys": {"queries": [{"failure": addresses}]},
        }
        dear = json.dumps({"format": "json", "content": content}).encode()
        while time.monotonic() < until and not self.over.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.door), timeout=5) as one:
                one.sendall(self.dice.randbytes(2000))
            self.post("rubbish", f"/report/{REPORT_ID}", self.dice.randbytes(3000), "192.0.2.77")
            self.post("dear", f"/report/{REPORT_ID}", dear, "192.0.2.78")
            self.get(f"/{self.dice.randbytes(6).hex()}?days={self.dice.random()}", who="rubbish")
            self.over.wait(0.05)

    def guesses(self, until: float) -> None:
        """An attacker guesses the administrator's token."""
        with httpx.Client(trust_env=False, timeout=20) as client:
            while time.monotonic() < until and not self.over.is_set():
                with suppress(httpx.HTTPError):
                    code = client.post(
                        f"http://127.0.0.1:{self.pages}/admin/claims",
                        headers={"Authorization": "Bearer no", "X-Forwarded-For": "192.0.2.66"},
                        json={},
                    ).status_code
                    self.tallies.answers[f"guess {code}"] += 1
                self.over.wait(0.01)

    # ---- what is noted

    def sample(self) -> None:
        """One row of what the monitor uses."""
        assert self.process is not None
        below, doors = _descendants(self.process.pid), self._doors()
        own, door = _taken_by([self.process.pid]), _taken_by(doors)
        inside = {}
        with suppress(OSError, ValueError):
            inside = json.loads((self.folder / f"inside-{self.process.pid}").read_text())
        others = _taken_by([pid for pid in below if pid not in doors])
        if own is None:
            return
        store = self.folder / "store"
        self._count_log()
        self.note(
            "sample",
            monitor=own,
            inside=inside,
            door=door,
            others=others,
            disk={
                "store": _bytes_below(store),
                "inbox": _bytes_below(self.folder / "store.inbox"),
                "data": _bytes_below(self.folder / "data"),
                "log": self.log.stat().st_size,
            },
            stored=self.counts["stored"],
            flood=self.flooding,
        )

    def _count_log(self) -> None:
        with self.log.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        self.counts["stored"] += sum(map(int, re.findall(rb" taken .*? stored=(\d+)", fresh)))
        for word in (b"Traceback", b"task_failed", b"pull_failed", b" pulled ", b" incident "):
            self.counts[word.decode().strip()] += fresh.count(word)

    def run(self) -> None:
        """To the end."""
        outside = ThreadingHTTPServer(("127.0.0.1", 0), self.publisher())
        outside.daemon_threads = True
        threading.Thread(target=outside.serve_forever, daemon=True).start()
        self.note("run", minutes=self.length / 60, rate=self.clock.rate, machine=machine())
        self.configure(outside.server_port)
        self.start()
        workers = [self.probes, self.floods, *((lambda n=n: self.readers(n)) for n in range(1, 5))]
        for one in workers:
            threading.Thread(target=one, daemon=True).start()
        events = [(share, how) for share, how in RESTARTS]
        events += [((n + 0.5) / DOORS_KILLED, "door") for n in range(DOORS_KILLED)]
        for share, how in sorted(events):
            self._sample_until(share * self.length)
            if how == "door":
                self._kill_door()
            else:
                self.end(how)
                self.start()
        self._sample_until(self.length)
        self.over.set()
        self.note("done", answers=dict(self.tallies.answers), log=dict(self.counts), **self._latencies())
        self.end("SIGTERM")
        shutil.copy(self.log, self.into / "log")
        outside.shutdown()

    def _kill_door(self) -> None:
        assert self.process is not None
        doors = self._doors()
        for pid in doors:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.note("restart", how="door killed", processes=len(doors))

    def _doors(self) -> list[int]:
        """The processes of the collector; others pack evidence bundles."""
        assert self.process is not None
        lock = str(self.folder / "store.inbox" / "lock")
        return [pid for pid in _descendants(self.process.pid) if lock in _open_files(pid)]

    def _sample_until(self, age: float) -> None:
        while self.age < age:
            self.sample()
            assert self.process is not None
            if self.process.poll() is not None:
                self.note("died", code=self.process.returncode)
                raise SystemExit(f"the monitor died: {self.log.read_text(errors='replace')[-5000:]}")
            time.sleep(max(0.0, min(EVERY, age - self.age)))

    def _latencies(self) -> dict[str, Any]:
        said = {}
        for name, flooded in (("calm", False), ("flood", True)):
            took = [seconds for _, seconds, during in self.tallies.seconds if during is flooded]
            if took:
                said[name] = {f"p{q}": round(float(np.percentile(took, q)), 3) for q in (50, 99)}
        return said


def _published(path: str, soak: Soak) -> bytes | None:
    """What a publisher serves; ``None`` = it never works."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    if path.startswith("/v2/signals/raw/country/PK"):
        since, until = int(asked["from"]) // 600 * 600, min(int(asked["until"]), int(soak.clock()))
        times = range(since, until, 600)
        values = [round(1000 * (0.2 if soak.is_cut(at) else 1.0) + at // 600 % 7) for at in times]
        series = [
            {
                "entityType": "country", "entityCode": "PK", "entityName": "Pakistan", "datasource": name,
                "subtype": "", "from": since, "until": until, "step": 600, "nativeStep": 600, "values": values,
            }
            for name in ("bgp", "ping-slash24", "merit-nt")
        ]  # fmt: skip
        return json.dumps({"type": "signals", "error": None, "data": [series]}).encode()
    if "userstats" in path:
        days = range(int(soak.clock()) // 86_400 - 28, int(soak.clock()) // 86_400)
        rows = [
            f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d},pk,{9000 + day % 5},,,80" for day in days
        ]
        return "\n".join(["date,country,users,lower,upper,frac", *rows]).encode()
    return None


def _recorded(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measurements of the lab's recording before its event, and during it."""
    file = folder / "recording.jsonl"
    unpack(EVENT, file)
    calm, event = [], []
    for line in file.read_bytes().splitlines():
        record = json.loads(line)
        for key in ("measurement_uid", "x_collector"):
            record.pop(key, None)
        began = record["measurement_start_time"][11:16]
        if began < "14:50":
            calm.append(record)
        elif "15:20" < began < "21:00":
            event.append(record)
    file.unlink()
    return calm, event


# ---- what a process takes, from /proc


def _descendants(root: int) -> list[int]:
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                below.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], list(below.get(root, ()))
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += below.get(one, [])
    return found


def _open_files(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(one.readlink()))
    return found


IN_KIB = "rss", "pss", "anon", "file"


def _taken_by(pids: Sequence[int]) -> dict[str, float] | None:
    """MiB resident and proportional, descriptors and threads of processes together; ``None`` = all are gone."""
    taken, there = Counter[str](), False
    for pid in pids:
        with suppress(OSError, ValueError):
            here = Path(f"/proc/{pid}")
            rollup = dict(
                re.findall(r"^(Rss|Pss):\s+(\d+)", (here / "smaps_rollup").read_text(), re.MULTILINE)
            )
            status = dict(
                re.findall(
                    r"^(Threads|RssAnon|RssFile):\s+(\d+)", (here / "status").read_text(), re.MULTILINE
                )
            )
            taken["rss"] += int(rollup["Rss"])
            taken["anon"] += int(status["RssAnon"])
            taken["file"] += int(status["RssFile"])
            taken["pss"] += int(rollup["Pss"])
            taken["descriptors"] += len(list((here / "fd").iterdir()))
            taken["threads"] += int(status["Threads"])
            there = True
    if not there:
        return None
    return {name: round(n / 1024, 1) if name in IN_KIB else n for name, n in taken.items()}


def _bytes_below(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(at) / name).lstat().st_blocks * 512
    return total


# ---- the report


@dataclass(frozen=True, slots=True)
class Quantity:
    """One line of the picture.

    Attributes:
        least: growth an hour that is worth a word, in ``unit``.
    """

    name: str
    unit: str
    least: float
    of: Callable[[dict[str, Any]], float]


QUANTITIES = (
    Quantity("monitor, resident memory", "MiB", 20, lambda s: float(s["monitor"]["rss"])),
    Quantity("monitor, proportional memory", "MiB", 20, lambda s: float(s["monitor"]["pss"])),
    Quantity("door, resident memory", "MiB", 20, lambda s: float((s["door"] or {}).get("rss", 0))),
    Quantity("door, proportional memory", "MiB", 20, lambda s: float((s["door"] or {}).get("pss", 0))),
    Quantity("packing, resident memory", "MiB", 20, lambda s: float((s.get("others") or {}).get("rss", 0))),
    Quantity("monitor, descriptors", "", 10, lambda s: float(s["monitor"]["descriptors"])),
    Quantity("door, descriptors", "", 10, lambda s: float((s["door"] or {}).get("descriptors", 0))),
    Quantity("monitor, threads", "", 3, lambda s: float(s["monitor"]["threads"])),
    Quantity("door, threads", "", 3, lambda s: float((s["door"] or {}).get("threads", 0))),
    Quantity("store", "MiB", 0, lambda s: s["disk"]["store"] / 2**20),
    Quantity("inbox", "MiB", 20, lambda s: s["disk"]["inbox"] / 2**20),
    Quantity("caches and journals", "MiB", 5, lambda s: s["disk"]["data"] / 2**20),
    Quantity("log", "MiB", 0, lambda s: s["disk"]["log"] / 2**20),
    Quantity("monitor, its own memory", "MiB", 20, lambda s: float(s["monitor"].get("anon", 0))),
    Quantity("monitor, mapped files", "MiB", 20, lambda s: float(s["monitor"].get("file", 0))),
    Quantity("monitor, objects of Python", "", 0, lambda s: float((s.get("inside") or {}).get("blocks", 0))),
    Quantity(
        "monitor, given out by glibc", "MiB", 20, lambda s: (s.get("inside") or {}).get("used", 0) / 2**20
    ),
    Quantity(
        "monitor, kept free by glibc", "MiB", 20, lambda s: (s.get("inside") or {}).get("free", 0) / 2**20
    ),
)

PANELS = (
    ("Memory, MiB", (0, 1, 2, 3, 4)),
    ("Descriptors", (5, 6)),
    ("Threads", (7, 8)),
    ("Disk, MiB", (9, 10, 11, 12)),
)


@dataclass(frozen=True, slots=True)
class Notes:
    """What a run noted."""

    run: dict[str, Any]
    samples: list[dict[str, Any]]
    floods: list[tuple[float, float]]
    restarts: list[dict[str, Any]]
    done: dict[str, Any] | None

    @property
    def last_life(self) -> list[dict[str, Any]]:
        """Samples since the monitor's last start, without its first two minutes and its end."""
        starts = [0.0] + [one["at"] for one in self.restarts if one["how"] in ("SIGTERM", "SIGKILL")]
        end = self.done["at"] if self.done else self.samples[-1]["at"]
        since = max(at for at in starts if at < end)
        return [one for one in self.samples if one["at"] > since + 120]


def read_notes(folder: Path) -> Notes:
    notes = [json.loads(line) for line in (folder / "soak.jsonl").read_text(encoding="utf-8").splitlines()]
    by = {
        kind: [one for one in notes if one["kind"] == kind] for kind in ("run", "sample", "flood", "restart")
    }
    begun = [one["at"] for one in by["flood"] if one["on"]]
    ended = [one["at"] for one in by["flood"] if not one["on"]]
    done = next((one for one in notes if one["kind"] == "done"), None)
    return Notes(by["run"][0], by["sample"], list(zip(begun, ended, strict=False)), by["restart"], done)


def growth(samples: Sequence[dict[str, Any]], quantity: Quantity) -> tuple[float, float, float, float]:
    """Median and maximum, median of the second half less that of the first, and slope an hour by least squares."""
    times = np.array([one["at"] for one in samples])
    values = np.array([quantity.of(one) for one in samples])
    half = len(values) // 2
    slope = float(np.polyfit(times / 3600, values, 1)[0]) if len(values) > 2 else 0.0
    change = float(np.median(values[half:]) - np.median(values[:half]))
    return float(np.median(values)), float(values.max()), change, slope


def draw(folder: Path) -> None:
    """Write ``soak.svg`` and ``soak.md``."""
    notes = read_notes(folder)
    (folder / "soak.svg").write_text(picture(notes), encoding="utf-8")
    (folder / "soak.md").write_text(report(notes), encoding="utf-8")


def picture(notes: Notes) -> str:
    """One panel above another, over minutes of the run; floods are shaded, restarts are lines."""
    step = 15
    bins = int(notes.samples[-1]["at"] // step) + 1
    shape = plot.Shape(760, 200, 7)
    heights, parts = 0, []
    for title, members in PANELS:
        lines = []
        for number in members:
            values: list[float | None] = [None] * bins
            for one in notes.samples:
                at, value = int(one["at"] // step), QUANTITIES[number].of(one)
                values[at] = max(value, values[at] or 0.0)
            lines.append(ShareLine(QUANTITIES[number].name, tuple(values)))
        top = _round_top(max(v for line in lines for v in line.shares if v is not None))
        legend = plot.Legend(
            title,
            "",
            [(m * 60, f"{m} min") for m in range(0, bins * step // 60 + 1, _tick(bins * step // 60))],
            [(top * n / 4, f"{top * n / 4:,.4g}") for n in range(5)],
            [(one["at"], "") for one in notes.restarts if one["how"].startswith("SIG")],
        )
        floods = [plot.IncidentSpan(*flood) for flood in notes.floods]
        drawn = plot.drawing(Lines(0, step, tuple(lines), by_users=False), floods, legend, shape)
        key = "".join(
            _key(n, line.target, heights, by_process=len(members) > 2) for n, line in enumerate(lines)
        )
        parts.append(
            f'<text x="44" y="{heights + 18}" {paint.painted("key", alone=True)}>{paint.xml(title)}</text>{key}'
            f'<g transform="translate(0 {heights + 34})">{drawn}</g>'
        )
        heights += shape.height + 48
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {shape.width} {heights}" '
        f'width="{shape.width}" height="{heights}" role="img"><title>What the monitor took</title>'
        f'<rect width="100%" height="100%" fill="{paint.PAPER}"/>{"".join(parts)}</svg>\n'
    )


def _key(number: int, name: str, top: int, *, by_process: bool) -> str:
    """A line and its name; if both lines are of one kind, the process is enough."""
    x, words = 44 + 142 * number, name.removesuffix(" memory") if by_process else name.partition(",")[0]
    return (
        f'<path d="M{x} {top + 34}h26" {paint.painted(f"line l{number}", alone=True)}/>'
        f'<text x="{x + 30}" y="{top + 38}" {paint.painted("tick", alone=True)}>{paint.xml(words)}</text>'
    )


def _tick(minutes: int) -> int:
    return next((step for step in (1, 2, 5, 10, 15, 30) if minutes / step <= 8), 60)


def _round_top(value: float) -> float:
    scale = 10 ** np.floor(np.log10(max(value, 1.0)))
    return float(next(n * scale for n in (1, 2, 4, 5, 8, 10) if n * scale >= value))


def report(notes: Notes) -> str:
    """The page."""
    samples, run, done = notes.last_life, notes.run, notes.done
    hours = (samples[-1]["at"] - samples[0]["at"]) / 3600
    stored = samples[-1]["stored"] - samples[0]["stored"]
    lines = [
        "# Soak",
        "",
        f"What `python -m benchmarks.soak --minutes {run['minutes']:g} --rate {run['rate']:g}` noted on "
        + ", ".join(f"{key} {value}" for key, value in run["machine"].items())
        + ".",
        "",
        "![Memory, descriptors, threads and disk over time](soak.svg)",
        "",
        "Shaded: floods. Vertical lines: the monitor was stopped (SIGTERM) or killed (SIGKILL) and started again.",
        "",
        f"## The long life: {60 * hours:.0f} minutes, {hours * run['rate'] / 24:.0f} days of the monitor's clock, "
        f"{stored:,} measurements",
        "",
        "| quantity | median | most | second half less the first | an hour |",
        "|---|---|---|---|---|",
    ]
    for one in QUANTITIES:
        median, most, change, slope = growth(samples, one)
        unit = f" {one.unit}" if one.unit else ""
        lines.append(
            f"| {one.name} | {median:,.4g}{unit} | {most:,.4g}{unit} | {change:+,.3g} | {slope:+,.3g} |"
        )
    lines += ["", "## Restarts", "", "| minute | what | seconds until its last word | until it was gone |"]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| {one['at'] / 60:.1f} | {one['how']} | {one.get('last_word', '')} | {one.get('seconds', '')} |"
        for one in notes.restarts
    ]
    if done:
        lines += ["", "## What was done to it, and how it answered", "", "| what | times |", "|---|---|"]
        lines += [f"| {name} | {count:,} |" for name, count in sorted(done["answers"].items())]
        lines += [f"| log: {name} | {count:,} |" for name, count in sorted(done["log"].items())]
        for name, words in (("calm", "in calm"), ("flood", "during a flood")):
            if name in done:
                lines.append(
                    f"| readers {words}, p50 / p99 | {done[name]['p50']} s / {done[name]['p99']} s |"
                )
    return "\n".join(lines) + "\n"


# ---- the program


@contextmanager
def guarded() -> Iterator[Path]:
    """A folder for the monitor; removed, with the monitor, whatever ends this program."""
    folder = Path(tempfile.mkdtemp(prefix="fanous-soak-"))
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield folder
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait()


def main() -> None:
    options = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--rate", type=float, default=600, help="monitor seconds a second")
    options.add_argument("--into", type=Path, default=Path("soak"), help="folder of the report")
    options.add_argument("--draw", type=Path, metavar="FOLDER", help="report again on the notes in it")
    chosen = options.parse_args()
    if chosen.draw:
        draw(chosen.draw)
        return
    chosen.into.mkdir(parents=True, exist_ok=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    signal.alarm(int(chosen.minutes * 60) + 300)
    with guarded() as folder:
        Soak(chosen.minutes, chosen.rate, folder, chosen.into).run()
    draw(chosen.into)


if __name__ == "__main__":
    main()
