"""What small floods do to a whole monitor: its pages, its collector, its log, its inbox, its shutdown.

    python -m benchmarks.flood [ATTACK ...]

Each attack starts ``fanous run`` as a process over an empty store, does on loopback what an attacker with one
machine can do, and prints what readers and probes noticed.  Without a name, all of them, one after another
(some nine minutes).  Nothing leaves this machine.
"""

import asyncio
import json
import multiprocessing
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random

import httpx

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SOFT = 1024
"""Descriptors that Linux gives a process by default."""

LANGUAGES = ("ur", "fa", "ar", "fr", "es", "en")
READER = "203.0.113.7"
"""The reader's address according to the pages' proxy; readers on this machine have no budget."""

REPORT_ID = "20260101T000000Z_webconnectivity_PK_17557_n1_0123456789abcdef"

SILENT = """
import socket, time
asked = socket.getaddrinfo
def getaddrinfo(host, *args, **named):
    if str(host).endswith(".silent.example"):
        time.sleep(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return asked(host, *args, **named)
socket.getaddrinfo = getaddrinfo
"""
"""The machine's resolver never answers for some names: glibc gives up after 20 s.  Read by every process of the
monitor as it starts (``sitecustomize``)."""

CHILD = "from fanous.cli.main import main; main()"


@dataclass
class Target:
    """A running monitor.

    Attributes:
        pages, door, status: ports.
        log: file.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    pages: int
    door: int
    status: int
    log: Path = field(default_factory=Path)

    @property
    def inbox(self) -> int:
        """Bytes that wait in the inbox."""
        return sum(file.stat().st_size for file in (self.folder / "store.inbox").rglob("*.jsonl*"))

    @property
    def door_seconds(self) -> float:
        """Processor time that the probes' door has used."""
        for server in _children(self.process.pid):
            for child in _children(server):
                files = [str(file.readlink()) for file in Path(f"/proc/{child}/fd").iterdir()]
                if not any(file.endswith("inbox/lock") for file in files):
                    continue
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


def _children(process: int) -> list[int]:
    """Those that any of its threads started."""
    files = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def monitor(
    more: str = "", *, descriptors: tuple[int, int] | None = None, web: str = "", collector: str = ""
) -> Iterator[Target]:
    """``fanous run`` with its pages up, and killed at the end.

    Args:
        more: further tables of its file.
        web, collector: further keys of ``[web]`` and of ``[collector]``.
        descriptors: soft and hard limit.
    """
    with tempfile.TemporaryDirectory(prefix="fanous-flood-") as name:
        folder = Path(name)
        pages, door, status = free_port(), free_port(), free_port()
        (folder / "fanous.toml").write_text(
            f'[store]\nfolder = "{folder}/store"\n[run]\nlisten = "127.0.0.1:{pages}"\n'
            f'status = "127.0.0.1:{status}"\n[rounds]\non = false\n[collector]\nlisten = "127.0.0.1:{door}"\n'
            f'networks = "none"\n{collector}\n[web]\n{web}\n{more}'
        )
        (folder / "sitecustomize.py").write_text(SILENT)
        limit = descriptors or (SOFT, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", CHILD, "run", "--config", str(folder / "fanous.toml")],
                stderr=out,
                stdout=out,
                env=os.environ
                | {
                    "XDG_DATA_HOME": name,
                    "FLOOD_TOKEN": "t" * 32,
                    "PYTHONPATH": os.pathsep.join([name, *sys.path]),
                },
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
            )
        target = Target(process, folder, pages, door, status, log)
        try:
            until = time.monotonic() + 60
            while not (_answers(pages) and _answers(door)):
                if time.monotonic() > until or process.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
            yield target
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _answers(port: int) -> bool:
    return timed(port, timeout=2) is not None


def timed(
    port: int, path: str = "/", timeout: float = 10.0, body: bytes | None = None, source: str = ""
) -> float | None:
    """Seconds for one request on a new connection; ``None`` = no answer, or a status other than 200.

    Args:
        body: is sent with a POST.
        source: address of the sender; empty = any.
    """
    place = (source, 0) if source else None
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout, source_address=place)
    began = time.perf_counter()
    try:  # httpx needs ten times as long for it, which would be measured, too
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return time.perf_counter() - began if answer.status == 200 else None


def watched(ports: dict[str, int], seconds: float, timeout: float = 10.0) -> dict[str, str]:
    """What a reader notices who requests each port again and again."""
    return repeated({name: partial(timed, port, timeout=timeout) for name, port in ports.items()}, seconds)


def repeated(asked: dict[str, Callable[[], float | None]], seconds: float) -> dict[str, str]:
    """What those notice who ask again and again, all at the same time."""
    took: dict[str, list[float | None]] = {name: [] for name in asked}

    def ask(name: str, once: Callable[[], float | None]) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            took[name].append(once())
            time.sleep(0.03)

    threads = [threading.Thread(target=ask, args=pair) for pair in asked.items()]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return {name: told(values) for name, values in took.items()}


def told(values: list[float | None]) -> str:
    """Median, 99th percentile, maximum and failures."""
    good = sorted(value for value in values if value is not None)
    failed = len(values) - len(good)
    if not good:
        return f"no answer to any of {failed}"
    p50, p99 = good[len(good) // 2], good[min(len(good) - 1, int(0.99 * len(good)))]
    worst = f"p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms, most {1000 * good[-1]:.0f} ms"
    return f"{worst}, {failed} of {len(values)} failed"


def descriptors_for(count: int) -> int:
    """How many connections this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    return min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


@contextmanager
def idle(port: int, count: int, addresses: int = 1, *, again: bool = True) -> Iterator[None]:
    """Connections that send nothing, from so many addresses of loopback, held by a separate process; those
    that are closed are opened again every five seconds, all at once.

    Args:
        again: whether closed connections are opened again.
    """
    descriptors_for(count)
    fresh = multiprocessing.get_context("spawn")
    ready = fresh.Event()
    holder = fresh.Process(target=hold, args=(port, count, addresses, again, ready), daemon=True)
    holder.start()
    try:
        ready.wait(30)
        yield
    finally:
        holder.kill()
        holder.join()


def hold(port: int, count: int, addresses: int, again: bool, ready: Event) -> None:
    """Until it is killed."""
    held = [opened(port, number % addresses) for number in range(descriptors_for(count))]
    ready.set()
    while True:
        time.sleep(5)
        for number, one in enumerate(held):
            if again and is_closed(one):
                one.close()
                held[number] = opened(port, number % addresses)


def opened(port: int, number: int) -> socket.socket:
    """Without waiting for it."""
    one = socket.socket()
    one.setblocking(False)
    one.bind((f"127.0.1.{1 + number}", 0))
    with suppress(BlockingIOError):
        one.connect(("127.0.0.1", port))
    return one


def is_closed(connection: socket.socket) -> bool:
    """Has the other side closed it?"""
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def line(name: str, **facts: object) -> None:
    print(
        f"{name:<40}" + "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in facts.items()),
        flush=True,
    )


def idle_pages() -> None:
    """D3: connections to the pages that send nothing, in a process that began with 1,024 descriptors."""
    with monitor() as target:
        before = target.log.stat().st_size
        with idle(target.pages, 1100, addresses=20):
            seen = watched({"door": target.door, "pages": target.pages}, 15, timeout=5)
        line(
            "1,100 idle connections to pages",
            **seen,
            log_bytes_a_minute=f"{4 * (target.log.stat().st_size - before):,}",
        )


def idle_exhausted() -> None:
    """D11: the same with a hard limit of 1,024, and what remains afterwards."""
    with monitor(descriptors=(SOFT, SOFT)) as target:
        before = target.log.stat().st_size
        with idle(target.pages, 1100, addresses=20):
            seen = watched({"door": target.door, "pages": target.pages}, 15, timeout=5)
        grown = target.log.stat().st_size - before
        line("the same, hard limit 1,024", **seen, log_bytes_a_minute=f"{4 * grown:,}")
        time.sleep(5)
        line("  five seconds later", **watched({"door": target.door, "pages": target.pages}, 5, timeout=5))


def idle_door() -> None:
    """5,000 idle connections to the probes' door, from one address and from two hundred."""
    for addresses in (1, 200):
        for again in (False, True):
            with monitor() as target, idle(target.door, 5000, addresses=addresses, again=again):
                before = target.door_seconds
                seen = watched({"door": target.door, "pages": target.pages}, 12, timeout=5)
                spent = f"{target.door_seconds - before:.1f} s"
                name = f"5,000 idle to door, {addresses} addr.{', again' if again else ''}"
                line(name, **seen, processor_time_of_the_door=spent)


RECONNECTING = 400
"""Clients that connect, perhaps say something, drop the connection and come again."""

_SENT = (
    f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: ooniprobe-x\r\nContent-Length: 69\r\n\r\n"
    '{"http_request":"http://127.0.0.1:1/","http_request_headers":{},"tcp":[',
    "GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /countries HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HT",
    "",
)
"""Half a measurement, a question for the helper, an event stream, a page, half a head, nothing."""


def reconnect(port: int, addresses: int, pause: float) -> None:
    """Until it is killed."""
    descriptors_for(2 * RECONNECTING)

    async def client(number: int) -> None:
        loop, chance = asyncio.get_running_loop(), Random(number)
        while True:
            with socket.socket() as one, suppress(OSError, TimeoutError):
                one.setblocking(False)
                one.bind((f"127.0.{1 + number % addresses // 200}.{1 + number % addresses % 200}", 0))
                await loop.sock_connect(one, ("127.0.0.1", port))
                await loop.sock_sendall(one, chance.choice(_SENT).encode())
                async with asyncio.timeout(chance.choice((0.01, 0.05, 0.3, 2))):
                    await loop.sock_recv(one, 65536)
                if chance.random() < 0.5:  # dropped with a reset
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(pause * 2 * chance.random())

    async def all_of_them() -> None:
        await asyncio.gather(*(client(number) for number in range(RECONNECTING)))

    asyncio.run(all_of_them())


def reconnects() -> None:
    """400 clients that connect, drop and come again, at each door: from one address, and from 400."""
    fresh = multiprocessing.get_context("spawn")
    for name in ("door", "pages"):
        for addresses, pause in ((1, 0.0), (RECONNECTING, 0.1)):
            with monitor(web='trust_proxy = ["127.0.9.9"]') as target:
                port = {"door": target.door, "pages": target.pages}[name]
                storm = fresh.Process(target=reconnect, args=(port, addresses, pause), daemon=True)
                before, logged = held_by(target.process.pid), target.log.stat().st_size
                storm.start()
                time.sleep(3)
                seen = watched({"door": target.door, "pages": target.pages}, 15)
                storm.kill()
                storm.join()
                grown = target.log.stat().st_size - logged
                time.sleep(20)
                line(
                    f"reconnecting to {name}, {addresses} addr.",
                    **seen,
                    log_bytes_a_minute=f"{4 * grown:,}",
                    before=before,
                    twenty_seconds_later=held_by(target.process.pid),
                )


def held_by(process: int) -> str:
    """Descriptors, threads and MiB of a process and its children."""
    found = []
    for one in (process, *_children(process)):
        fields = dict(re.findall(r"(VmRSS|Threads):\s+(\d+)", Path(f"/proc/{one}/status").read_text()))
        files = len(list(Path(f"/proc/{one}/fd").iterdir()))
        found.append(f"{files}, {fields['Threads']}, {int(fields['VmRSS']) >> 10}")
    return " + ".join(found)


def chunks() -> None:
    """Bodies in chunks of one byte, from one and from 32 connections, to each door."""
    for name in ("pages", "door"):
        for connections in (1, 32):
            with monitor() as target:
                port = {"door": target.door, "pages": target.pages}[name]
                with sending(port, connections, _CHUNKED, _TINY):
                    seen = watched({"door": target.door, "pages": target.pages}, 10)
                line(f"tiny chunks to {name}, {connections} conn.", **seen)


_CHUNKED = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
_TINY = b"1\r\na\r\n" * 10_000


@contextmanager
def sending(port: int, connections: int, head: bytes, body: bytes) -> Iterator[None]:
    """Connections that send the same again and again, each from its own address; one that is closed comes again."""
    over = threading.Event()

    def send(number: int) -> None:
        while not over.is_set():
            with suppress(OSError), socket.socket() as one:
                one.bind((f"127.0.1.{1 + number}", 0))
                one.settimeout(5)
                one.connect(("127.0.0.1", port))
                one.sendall(head)
                while not over.is_set():
                    one.sendall(body)
            time.sleep(0.05)

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(connections)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        over.set()


def halves() -> None:
    """3,000 half forms for the desk's login, and 3,000 half measurements, from thirty addresses."""
    form = "POST /desk/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    report = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: x\r\n"
    for name, head in (("pages", form), ("door", report)):
        with monitor(web='admin_token = "FLOOD_TOKEN"') as target, ExitStack() as held:
            port = {"door": target.door, "pages": target.pages}[name]
            for number in range(descriptors_for(3000)):
                one = held.enter_context(socket.socket())
                one.bind((f"127.0.1.{1 + number % 30}", 0))
                one.connect(("127.0.0.1", port))
                with suppress(ConnectionError):
                    one.sendall(f"{head}Content-Length: 900\r\n\r\na=".encode())
            time.sleep(6)
            line(f"half bodies to {name}", **watched({"door": target.door, "pages": target.pages}, 10))


def lookups() -> None:
    """D4: the helper is asked for names that never answer."""
    with monitor() as target:
        over = threading.Event()

        def ask(number: int) -> None:
            turn = 0
            while not over.is_set():
                turn += 1
                question = {
                    "http_request": f"https://n{number}-{turn}.silent.example/",
                    "http_request_headers": {},
                    "tcp_connect": [],
                }
                with suppress(httpx.HTTPError):
                    httpx.post(
                        f"http://127.0.0.1:{target.door}/",
                        json=question,
                        headers={"User-Agent": "ooniprobe-x"},
                        timeout=30,
                        trust_env=False,
                    )
                time.sleep(0.2)

        threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(20)]
        for one in threads:
            one.start()
        time.sleep(1)
        paths = {"pages": "/countries", "fresh": "/methodology"}
        took: list[float | None] = []
        for number in range(12):
            took.append(timed(target.pages, f"{paths['pages']}?lang={LANGUAGES[number % 6]}", 30))
            time.sleep(0.5)
        line(
            "20 asking for silent names",
            pages=told(took),
            door=told([timed(target.door) for _ in range(10)]),
        )
        over.set()


def bombs() -> None:
    """D5: small bodies that unpack to 32 MiB each."""
    with monitor() as target:
        sent, kept, refused = 0, 0, 0
        for number in range(131):
            body = bomb(number)
            sent += len(body)
            answer = httpx.post(
                f"http://127.0.0.1:{target.door}/report/{REPORT_ID}",
                content=body,
                headers={"Content-Encoding": "zstd"},
                timeout=60,
                trust_env=False,
            )
            kept, refused = kept + (answer.status_code == 200), refused + (answer.status_code in (429, 503))
            if number == 0 and answer.status_code != 200:
                print(answer.status_code, answer.text[:200])
        line(
            "131 zstd bodies of 31 MiB",
            sent=f"{sent:,} bytes",
            kept=kept,
            told_to_wait=refused,
            inbox_MB=f"{kept * 31.5 * 1.049:,.0f} at most, {target.inbox / 1e6:,.0f} waiting",
        )


def bomb(number: int) -> bytes:
    return zstd.compress(upload(number, annotations={"pad": "a" * (63 << 19)}), 3)


def keys() -> None:
    """D9: requests that differ only in what should not matter."""
    kinds: dict[str, Callable[[int], tuple[str, str]]] = {
        "as readers ask": lambda _n: ("/countries", "127.0.0.1"),
        "random Host": lambda n: ("/countries", f"h{n}.example"),
        "random days": lambda n: (f"/PK?days={n}", "127.0.0.1"),
        "random page": lambda n: (f"/methodology?page={n}&x={n}", "127.0.0.1"),
        "random networks": lambda n: (f"/PK/AS{n + 1}", "127.0.0.1"),
    }
    with monitor(web='trust_proxy = ["127.0.0.1"]') as target:
        for name, kind in kinds.items():
            rate, codes = asyncio.run(_rate(target.pages, kind, 5.0))
            line(
                name,
                requests_a_second=f"{rate:,.0f}",
                answers=codes,
                first_page=told([timed(target.pages)]),
            )


async def _rate(
    port: int, kind: Callable[[int], tuple[str, str]], seconds: float
) -> tuple[float, dict[int, int]]:
    count, codes, end = 0, dict[int, int](), time.monotonic() + seconds

    async def read() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            count += 1
            path, host = kind(count)
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {READER}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            code = int(answer[9:12])
            codes[code] = codes.get(code, 0) + 1
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
        writer.close()

    await asyncio.gather(*(read() for _ in range(8)))
    return sum(codes.values()) / seconds, codes


def admin() -> None:
    """Refused requests of an attacker who guesses the administrator's token."""
    with monitor(web='admin_token = "FLOOD_TOKEN"') as target:
        before, codes = target.log.stat().st_size, dict[int, int]()
        with httpx.Client(base_url=f"http://127.0.0.1:{target.pages}", trust_env=False, timeout=30) as client:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                code = client.post(
                    "/admin/claims", headers={"Authorization": "Bearer no"}, json={}
                ).status_code
                codes[code] = codes.get(code, 0) + 1
        grown = target.log.stat().st_size - before
        line("guessing the token for 5 s", answers=codes, log_bytes_a_day=f"{grown / 5 * 86400:,.0f}")


class _Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.send_header("Retry-After", "60")
        self.end_headers()

    def log_request(self, *args: object) -> None:
        pass


def stop() -> None:
    """SIGTERM while the monitor waits for a source, with a reader and a slow sender connected."""
    publisher = ThreadingHTTPServer(("127.0.0.1", 0), _Busy)
    threading.Thread(target=publisher.serve_forever, daemon=True).start()
    mirror = f'[sources.ioda]\nenabled = true\ncountries = ["PK"]\nmirror = "http://127.0.0.1:{publisher.server_port}"\n'
    with monitor(mirror) as target:
        until = time.monotonic() + 20
        while not re.search(rb"again source", target.log.read_bytes()) and time.monotonic() < until:
            time.sleep(0.2)
        with (
            socket.create_connection(("127.0.0.1", target.pages)) as reader,
            socket.create_connection(("127.0.0.1", target.door)) as sender,
        ):
            reader.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            sender.sendall(b"POST /report HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
            time.sleep(0.5)
            began = time.monotonic()
            target.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                target.process.wait(60)
            line("SIGTERM", seconds=f"{time.monotonic() - began:.1f}", exit_code=target.process.returncode)
    publisher.shutdown()


def bodies() -> None:
    """A reader during POSTs of 100 kB, one after another."""
    with monitor() as target:
        over = threading.Event()
        body = json.dumps(
            {
                "format": "json",
                "content": {
                    "test_name": "web_connectivity",
                    "probe_cc": "PK",
                    "probe_asn": "AS17557",
                    "test_keys": {"x": " ".join(f"10.{n % 250}.{n % 199}.{n % 251}" for n in range(7000))},
                    "probe_ip": "1.2.3.4",
                    "measurement_start_time": "2026-01-01 00:00:00",
                },
            }
        )[:103_000].encode()

        def send() -> None:
            while not over.is_set():
                with suppress(httpx.HTTPError):
                    httpx.post(
                        f"http://127.0.0.1:{target.door}/report/{REPORT_ID}",
                        content=body,
                        timeout=60,
                        trust_env=False,
                    )

        threads = [threading.Thread(target=send) for _ in range(2)]
        for one in threads:
            one.start()
        seen = watched({"pages": target.pages}, 10)
        over.set()
        for one in threads:
            one.join()
        line("beside POSTs of 100 kB", **seen)


def content(number: int, **fields: object) -> dict[str, object]:
    """A measurement made now; ``number`` makes it another."""
    return {
        "test_name": "web_connectivity",
        "probe_cc": "PK",
        "probe_asn": "AS17557",
        "report_id": REPORT_ID,
        "measurement_start_time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        "test_keys": {},
        "input": f"https://n{number}.example/",
        "software_name": "x",
        "software_version": "1",
    } | fields


def upload(number: int, **fields: object) -> bytes:
    return json.dumps({"format": "json", "content": content(number, **fields)}).encode()


def uploads(target: Target) -> Callable[[], float | None]:
    """Seconds for one small upload after another, each from another network."""
    numbers = count()

    def once() -> float | None:
        number = next(numbers)
        source = f"127.0.{10 + number % 200}.1"
        return timed(target.door, f"/report/{REPORT_ID}", body=upload(number), source=source)

    return once


HELD = 32 << 20
"""Bytes of the largest body."""


def hold_back(port: int, connections: int, sent: "Synchronized[int]") -> None:
    """Bodies that lack their last byte, each sent again when it is refused, until the process is killed."""
    head = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: x\r\nContent-Length: {HELD}\r\n\r\n".encode()
    body = bytes(HELD - 1)

    def again() -> None:
        while True:
            with suppress(OSError), socket.socket() as one:
                one.bind(("127.0.1.1", 0))
                one.settimeout(130)
                one.connect(("127.0.0.1", port))
                sent.value += 1
                one.sendall(head)
                one.sendall(body)
                one.recv(1)
            time.sleep(0.05)

    for _ in range(connections):
        threading.Thread(target=again, daemon=True).start()
    threading.Event().wait()


def held_bodies() -> None:
    """A1: eight bodies of one address, each of them a byte short, sent again whenever they are refused."""
    fresh = multiprocessing.get_context("spawn")
    with monitor() as target:
        sent = fresh.Value("i", 0)
        attack = fresh.Process(target=hold_back, args=(target.door, 8, sent), daemon=True)
        attack.start()
        time.sleep(3)
        seen = repeated({"uploads": uploads(target), "door": partial(timed, target.door)}, 45)
        attack.kill()
        attack.join()
        line("8 bodies of one address, a byte short", **seen, sent=sent.value)


APART = 4 << 30
"""Bytes that are set aside: as much as an inbox may hold."""


def apart() -> None:
    """A2: measurements of no known network, each of 30 MB, a megabyte of it steps, until they would fill an inbox."""
    step = {"ip": "10.11.12.13", "port": 443, "status": {"failure": None, "success": True}}
    large = {"requests": [{"response": {"body": "a" * 29_000_000}}], "tcp_connect": [step] * 10_000}
    path = f"/report/{REPORT_ID.replace('_PK_17557_', '_ZZ_0_')}"
    with monitor(collector="address_mb = 100000\nnetwork_mb = 100000") as target:
        kept = refused = 0
        for number in range(APART // 30_000_000 + 5):
            body = upload(number, probe_cc="ZZ", probe_asn="AS0", test_keys=large)
            answer = timed(target.door, path, 60, body, "127.0.1.1")
            kept, refused = kept + (answer is not None), refused + (answer is None)
        seen = repeated({"uploads": uploads(target)}, 10)
        ailing, until = set[str](), time.monotonic() + 70
        while not ailing and time.monotonic() < until:
            time.sleep(2)
            told = httpx.get(f"http://127.0.0.1:{target.status}/ailments", trust_env=False).json()
            ailing = {one["kind"] for one in told["ailments"]} - {"disk_low"}
        line(
            "4 GiB set aside",
            set_aside=kept,
            refused=refused,
            **seen,
            on_disk=f"{target.inbox:,} bytes",
            ailments=", ".join(sorted(ailing)) or "none",
        )


def keeping() -> None:
    """A3: one network sends as much as it can in 60 s, of which it may keep 200 MiB a day."""
    page = {"requests": [{"response": {"body": "a" * 10_000_000}}]}
    with monitor(collector="address_mb = 100000\nnetwork_mb = 100000\nnetwork_day_mb = 200") as target:
        kept, refused, end = 0, 0, time.monotonic() + 60
        for number in count():
            if time.monotonic() > end:
                break
            body = upload(number, test_keys=page)
            source = f"127.0.1.{1 + number % 250}"
            answer = timed(target.door, f"/report/{REPORT_ID}", 60, body, source)
            kept, refused = kept + (answer is not None), refused + (answer is None)
        seen = repeated({"uploads": uploads(target)}, 5)
        line("10 MB each from one network", kept_MB=kept * 10, refused=refused, **seen)


STORM = 10_000
"""Connections, as fast as they can be opened, each from an address of its own."""

_KINDS = {
    "closed": b"",
    "reset": b"",
    "half-closed": b"",
    "Expect": (
        f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n"
    ).encode(),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "GET, reset": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET, half-closed": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}
"""What each kind of connection sends before it ends."""


def storm(port: int, kind: str) -> None:
    """Connections of one kind, again after a second, until it is killed."""
    descriptors_for(STORM + 100)
    sent, open_, number = _KINDS[kind], deque[socket.socket](), 0
    while True:
        for number in range(STORM):
            one = socket.socket()
            one.setblocking(False)
            one.bind((f"127.1.{number // 250}.{1 + number % 250}", 0))
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            with suppress(OSError):
                if sent:
                    one.send(sent)
                if "half" in kind:
                    one.shutdown(socket.SHUT_WR)
            if "reset" in kind:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if "half" in kind or kind in ("Expect", "TLS"):
                open_.append(one)
            else:
                one.close()
            if len(open_) > STORM // 4:
                open_.popleft().close()
        time.sleep(1)


def storms() -> None:
    """A4: a GET beside 10,000 connections, of each kind, at the door and at the pages."""
    fresh = multiprocessing.get_context("spawn")
    for kind in _KINDS:
        with monitor() as target:
            for name, port in (("door", target.door), ("pages", target.pages)):
                attack = fresh.Process(target=storm, args=(port, kind), daemon=True)
                attack.start()
                time.sleep(0.5)
                seen = watched({"get": port}, 12)
                attack.kill()
                attack.join()
                line(f"{STORM:,} connections to {name}, {kind}", **seen)
                time.sleep(1)


ATTACKS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        idle_pages,
        idle_exhausted,
        idle_door,
        reconnects,
        chunks,
        halves,
        lookups,
        bombs,
        keys,
        admin,
        stop,
        bodies,
        held_bodies,
        apart,
        keeping,
        storms,
    )
}


def main(names: list[str]) -> None:
    if unknown := set(names) - ATTACKS.keys():
        sys.exit(
            f"no attack {', '.join(sorted(unknown))}: name some of {', '.join(ATTACKS)}, or none for all"
        )
    for name in names or ATTACKS:
        ATTACKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
