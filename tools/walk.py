"""Walk: the files a reader opens to follow one measurement, from file to store and from store to page.

    python -m tools.walk                    this checkout
    python -m tools.walk f175a8e            a commit
    python -m tools.walk --source FOLDER    another checkout

Two walks are traced in the process: ``fanous ingest ooni FILE``, and a request to the web application for the
country's page.  What is counted:

- A step is a function of Fanous (method, lambda and generator expression included), at its first call.  Only
  Python files of ``src/fanous`` count: no library, no template, nothing that runs because a module is imported,
  and no method that a decorator wrote.  Threads and tasks are followed.
- A reader takes the steps in that order.  Steps in a row in one file are one visit to it, and a visit to a
  file that was left before is a return.
- Each walk is taken twice and the second is counted, so that reading tables of reference data, once in a
  process, is left out.
- The walk to the store is what happens inside ``bring_in``, from opening the file to the last row.  The walk to
  the page is from the request to the response, in an application that has yet to answer one.  ``--whole`` adds
  the rest: command line, opening the store, detection, building the application.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from tools.compare import ROOT, Children, Impossible, Side, check_side, checked_out

WALKS = {
    "ingest": "from file to store: fanous ingest ooni FILE",
    "page": "from store to page: GET {page}",
}

INSIDE = "bring_in"
"""The function that reads, judges and stores a batch of files; other names are given by ``--inside``."""

MOVED = {
    "open_store": ("fanous.store", "fanous.store.local"),
    "application": ("fanous.web.application",),
    "Site": ("fanous.web.answers", "fanous.web.routes", "fanous.web.visit", "fanous.web.site"),
}
"""Where the two ends of a page are, in one version or another."""

MODULE = "<module>"
"""Python's name for the code of a module that is being imported."""

PAGE = "/PK"
COMMAND = ("ingest", "ooni")
STARTED_AT = datetime(2023, 12, 17, 15, 2, 11, tzinfo=UTC)
READ_AT = datetime(2023, 12, 18, tzinfo=UTC)
"""When the page is read: later on the day of the measurement, so that the page shows it."""


# --- counting ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """The first call of a function.

    Attributes:
        file: below ``src/fanous``.
        depth: in calls of Fanous' own functions; 0 = called by a library, by a thread or by this script.
    """

    file: str
    function: str
    depth: int


@dataclass(frozen=True, slots=True)
class Visited:
    file: str
    functions: int
    visits: int


def visited(steps: Sequence[Step]) -> list[Visited]:
    """The files, in order of the first visit."""
    functions = Counter(step.file for step in steps)
    visits = Counter(file for file, _ in groupby(step.file for step in steps))
    return [Visited(file, functions[file], count) for file, count in visits.items()]


def returns(files: Sequence[Visited]) -> int:
    return sum(one.visits - 1 for one in files)


class Tracer:
    """Records first calls in this thread and in every thread that starts after ``install``.

    Args:
        root: the folder of the code that counts.
        inside: the function during whose calls steps are recorded; empty = always.
    """

    def __init__(self, root: Path, inside: str = "") -> None:
        self._root = f"{root}{os.sep}"
        self._inside = inside
        self._running = 0
        self._depths: dict[tuple[str, str], int] = {}
        self._is_on = False

    def install(self) -> None:
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)

    def uninstall(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Steps are recorded inside this context only."""
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def steps(self) -> list[Step]:
        return [Step(file, function, depth) for (file, function), depth in self._depths.items()]

    def _on_event(self, frame: FrameType, event: str, _argument: object) -> None:
        if not self._is_on or event not in ("call", "return") or not self._is_own(frame):
            return
        if frame.f_code.co_name == self._inside:
            self._running += 1 if event == "call" else -1
        if event == "call" and frame.f_code.co_name != MODULE and (self._running or not self._inside):
            self._take_down(frame)

    def _take_down(self, frame: FrameType) -> None:
        key = self._key(frame)
        if key in self._depths:
            return
        caller = -1
        above = frame.f_back
        while above is not None:
            if self._is_own(above):
                if above.f_code.co_name == MODULE:
                    return
                if caller < 0:
                    caller = self._depths.get(self._key(above), -1)
            above = above.f_back
        self._depths[key] = caller + 1

    def _is_own(self, frame: FrameType) -> bool:
        name = frame.f_code.co_filename
        return name.startswith(self._root) and name.endswith(".py")

    def _key(self, frame: FrameType) -> tuple[str, str]:
        return frame.f_code.co_filename[len(self._root) :], frame.f_code.co_qualname


# --- the walks, in a process that runs the code of one tree -------------------------------------------------


def measurement(number: int) -> dict[str, Any]:
    """A record as ooniprobe writes it: in Pakistan, the TLS handshake with twitter.com is reset.

    Each number makes another measurement: what differs only in the names that servers give is one that is stored
    already, and its walk would end before the archive.
    """
    host, address, reset = "twitter.com", "104.244.42.1", "connection_reset"
    endpoint, time = f"{address}:443", f"{STARTED_AT:%Y-%m-%d %H:%M:%S}"
    return {
        "annotations": {"engine_name": "ooniprobe-engine", "network_type": "mobile", "platform": "android"},
        "data_format_version": "0.2.0",
        "input": f"https://{host}/",
        "measurement_start_time": time,
        "measurement_uid": f"{STARTED_AT:%Y%m%d%H%M%S}.000000_PK_webconnectivity_{number:016x}",
        "probe_asn": "AS17557",
        "probe_cc": "PK",
        "probe_ip": "127.0.0.1",
        "probe_network_name": "Pakistan Telecommunication Company Limited",
        "report_id": "20231217T150000Z_webconnectivity_PK_17557_n1_Ao0fUHLgWoPiWJWX",
        "resolver_asn": "AS17557",
        "resolver_ip": "192.0.2.53",
        "resolver_network_name": "Pakistan Telecommunication Company Limited",
        "software_name": "ooniprobe-android",
        "software_version": "3.8.5",
        "test_name": "web_connectivity",
        "test_runtime": 2.1 + number,
        "test_start_time": time,
        "test_version": "0.4.3",
        "test_keys": {
            "queries": [
                {
                    "answers": [{"answer_type": "A", "asn": 13414, "ipv4": address, "ttl": None}],
                    "engine": "system",
                    "failure": None,
                    "hostname": host,
                    "query_type": "A",
                    "t0": 0.01,
                    "t": 0.11,
                }
            ],
            "tcp_connect": [
                {
                    "ip": address,
                    "port": 443,
                    "status": {"failure": None, "success": True},
                    "t0": 0.12,
                    "t": 0.2,
                }
            ],
            "tls_handshakes": [
                {
                    "address": endpoint,
                    "failure": reset,
                    "no_tls_verify": False,
                    "peer_certificates": [],
                    "server_name": host,
                    "t0": 0.2,
                    "t": 0.3,
                }
            ],
            "network_events": [
                {
                    "address": endpoint,
                    "failure": None,
                    "operation": "connect",
                    "proto": "tcp",
                    "t0": 0.12,
                    "t": 0.2,
                },
                {"failure": reset, "operation": "read", "t0": 0.2, "t": 0.3},
            ],
            "requests": [
                {
                    "failure": reset,
                    "request": {"method": "GET", "url": f"https://{host}/", "x_transport": "tcp"},
                    "response": {"body": "", "code": 0, "headers": {}},
                    "t0": 0.01,
                    "t": 0.3,
                }
            ],
            "control_failure": None,
            "control": {
                "dns": {"addrs": [address], "asns": [13414], "failure": None},
                "http_request": {
                    "body_length": 48000,
                    "failure": None,
                    "headers": {},
                    "status_code": 200,
                    "title": "X",
                },
                "tcp_connect": {endpoint: {"failure": None, "status": True}},
                "tls_handshake": {endpoint: {"failure": None, "server_name": host, "status": True}},
            },
        },
    }


def found(name: str) -> Any:
    """The first of the places in ``MOVED`` that has it.

    Raises:
        Impossible: none of them has it.
    """
    for module in MOVED[name]:
        try:
            return getattr(import_module(module), name)
        except (ModuleNotFoundError, AttributeError):
            continue
    raise Impossible(
        f"no {name} in {' or '.join(MOVED[name])}: add to MOVED in tools/walk.py where it is now"
    )


def ingest(tree: Path, number: int) -> None:
    """Run ``fanous ingest`` with one measurement, through the entry point that the tree declares.

    Raises:
        Impossible: the command failed.
    """
    entry = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"][
        "fanous"
    ]
    module, _, function = entry.partition(":")
    run = getattr(import_module(module), function)
    file = Path(f"{number}.jsonl")
    file.write_text(json.dumps(measurement(number)) + "\n", encoding="utf-8")
    sys.argv = ["fanous", *COMMAND, str(file), "--store", "store"]
    with redirect_stdout(sys.stderr):
        try:
            run()
        except SystemExit as end:
            if end.code:
                raise Impossible(f"`{' '.join(sys.argv)}` ended with {end.code}") from None


def request(path: str, during: AbstractContextManager[None]) -> None:
    """One page, from an application that has answered nothing, with the store open as ``fanous run`` has it.

    Args:
        during: entered from the request to the response.

    Raises:
        Impossible: the answer is not a page.
    """
    import httpx

    async def ask(question: Callable[[Any], Any], /) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, question, store)

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://monitor.example") as client:
            return await client.get(path)

    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(found("open_store"), Path("store")).result()
        app = found("application")(ask, found("Site")(clock=READ_AT.timestamp))
        with during:
            answer = asyncio.run(get())
        thread.submit(store.close).result()
    if answer.status_code != 200:
        raise Impossible(f"GET {path} answered {answer.status_code}")


def trace(name: str, tree: Path, *, page: str, inside: str, whole: bool) -> list[Step]:
    """One of ``WALKS`` in this process, whose working folder is empty and whose ``fanous`` is the tree's."""
    tracer = Tracer(tree / "src" / "fanous", inside if name == "ingest" and not whole else "")
    ingest(tree, 1)
    if name == "page":
        request(page, nullcontext())
    tracer.install()
    try:
        if name == "ingest":
            with tracer.taking():
                ingest(tree, 2)
        elif whole:
            with tracer.taking():
                request(page, nullcontext())
        else:
            request(page, tracer.taking())
    finally:
        tracer.uninstall()
    if not tracer.steps():
        raise Impossible(f"no function {inside} was called: name the one that takes files in by --inside")
    return tracer.steps()


# --- asking a tree ------------------------------------------------------------------------------------------


def walked(name: str, tree: Path, *options: str) -> list[Step]:
    """The steps of a walk through the code of a checkout.

    Args:
        options: of this script.

    Raises:
        Impossible: the walk could not be taken there.
    """
    with tempfile.TemporaryDirectory(prefix="fanous-walk-") as folder:
        home, work = Path(folder, "home"), Path(folder, "work")
        home.mkdir()
        work.mkdir()
        side = Side("traced", tree.resolve(), home, work, None, Children())
        check_side(side)
        path = os.pathsep.join((side.environment["PYTHONPATH"], str(ROOT)))
        ran = subprocess.run(
            [side.python, "-m", "tools.walk", "--trace", name, "--source", str(side.tree), *options],
            cwd=work,
            env=side.environment | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["no answer"])[-1]
        raise Impossible(f"{name}: {said.removeprefix('walk: ')}")
    return [Step(**step) for step in json.loads(ran.stdout)]


def show(title: str, steps: Sequence[Step], *, outline: bool) -> None:
    files = visited(steps)
    print(title)
    if outline:
        for step in steps:
            print(f"  {'  ' * step.depth}{step.file}  {step.function}")
    else:
        print("      functions  visits  file")
        for number, one in enumerate(files, 1):
            print(f"  {number:3} {one.functions:9} {one.visits:7}  {one.file}")
    print(f"  {len(files)} files, {returns(files)} returns, {len(steps)} functions")


def document(steps: Sequence[Step]) -> dict[str, Any]:
    files = visited(steps)
    return {
        "files": len(files),
        "returns": returns(files),
        "functions": len(steps),
        "visited": [asdict(one) for one in files],
        "steps": [asdict(step) for step in steps],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.walk", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("commit", nargs="?", metavar="COMMIT", help="default: this checkout")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="another checkout")
    parser.add_argument("--only", choices=list(WALKS), help="default: both walks")
    parser.add_argument("--page", default=PAGE, metavar="PATH", help=f"default: {PAGE}")
    parser.add_argument("--inside", default=INSIDE, metavar="FUNCTION", help=f"default: {INSIDE}")
    parser.add_argument("--whole", action="store_true", help="the whole command, and the application's start")
    parser.add_argument("--outline", action="store_true", help="each function below the one that called it")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document")
    parser.add_argument("--trace", choices=list(WALKS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.commit and given.source:
        parser.error("give a commit or --source, not both")
    try:
        if given.trace:
            steps = trace(given.trace, given.source, page=given.page, inside=given.inside, whole=given.whole)
            print(json.dumps([asdict(step) for step in steps]))
            return 0
        options = ["--page", given.page, "--inside", given.inside, *(["--whole"] if given.whole else [])]
        with tempfile.TemporaryDirectory(prefix="fanous-walk-") as folder:
            checkout = partial(checked_out, given.commit, Path(folder))
            with checkout() if given.commit else nullcontext(given.source or ROOT) as tree:
                walks = {name: walked(name, tree, *options) for name in WALKS if given.only in (None, name)}
    except Impossible as why:
        print(f"walk: {why}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end silently once `| head` has its lines
    if given.as_json:
        print(json.dumps({name: document(steps) for name, steps in walks.items()}, indent=2))
    else:
        for name, steps in walks.items():
            show(WALKS[name].format(page=given.page), steps, outline=given.outline)
    return 0


if __name__ == "__main__":
    sys.exit(main())
