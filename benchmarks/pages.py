"""How fast the pages are with a large store, from the shelf and fresh, and how soon a change is on them.

    python -m benchmarks.pages [OBSERVATIONS [SECONDS]]

Fills a store as ``benchmarks.confirm`` does, serves it in a separate process as ``fanous run`` does, and
reads pages as browsers do: connections that stay open, gzip, six languages.  What the reading itself costs
is not counted: a request a second and a core is the server's own CPU time.  Meanwhile the clock goes on and
measurements arrive every few seconds, as in production.  Then an incident is put into the ledger, and
the first page is read until it says so.
"""

import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.confirm import COUNTRY, START, YEAR, fill, incident

from fanous.model.reason import as_written
from fanous.store.local import open_store
from fanous.store.protocol import Store

NOW = float(START + YEAR)
DAY = 86_400
READERS = 16
PAUSE = 0.16
"""Seconds: with it the readers request about 100 pages a second in all, and none waits behind the others."""

ARRIVAL = 5.0
"""Seconds between arrivals of measurements while the pages are read."""

LANGUAGES = ("en", "ur", "fa", "ar", "fr", "es")
PATHS = ("/", "/countries", "/methodology", "/PK", "/PK?days=7", "/PK/AS9001", "/target/x", "/data")
OLD, NEW = "PK-2023-0001", "PK-2023-0002"


PICTURES = tuple(f"/PK/{OLD}/{name}" for name in ("card.png", "card.png?lang=ur"))
"""Drawn when they are first requested; 300 ms each is the target.  The networks of this store have no user
figures, so there is no chart to draw: those of ``fanous demo`` are measured by asking it."""


def serve_pages(folder: Path, listening: socket.socket, told: Connection) -> None:
    """The server's process: pages over the store, and a change on request."""
    import threading

    from fanous.collector.server import serve, server_config
    from fanous.store.protocol import OneThread
    from fanous.web.answers import Site
    from fanous.web.application import application

    listening.setblocking(False)  # as `fanous run` has it; what comes from another process blocks
    with OneThread(lambda: open_store(folder)) as owner:
        began = time.monotonic()
        site = Site(clock=lambda: NOW + time.monotonic() - began)

        def heed() -> None:
            while (word := told.recv()) != "stop":
                if word == "cpu":
                    told.send(time.process_time())
                elif word == "arrival":
                    asyncio.run(arrival(owner))
                else:
                    asyncio.run(change(owner))
                    told.send(time.perf_counter())
            os.kill(os.getpid(), 15)

        threading.Thread(target=heed, daemon=True).start()
        config = server_config(application(owner.ask, site))
        asyncio.run(serve(config, listening, ready=lambda: told.send("ready")))


async def change(owner: object) -> None:
    """A new incident, now."""
    new = incident(["site9.example"], 4, int(NOW) - 7200, int(NOW) - 3600)
    await owner.ask(lambda store: store.ledger.put(new, as_written("bench")))  # type: ignore[attr-defined]  # OneThread


async def arrival(owner: object) -> None:
    """Write the marker of one more segment: pages must query again what they remember of the country."""
    marker = (
        "INSERT INTO segments (segment, country, records, committed_at) "
        f"SELECT toString(generateUUIDv4()), '{COUNTRY}', 1, now64(6)"
    )
    await owner.ask(lambda store: store.facts.engine.run(marker))  # type: ignore[attr-defined]  # OneThread


async def get(port: int, path: str, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    """One request on a connection that stays open."""
    reader, writer = streams
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), (path, head)
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


async def fresh(port: int, paths: list[str]) -> dict[str, float]:
    """Seconds for each page that has not been requested yet, one after the other."""
    streams, took = await asyncio.open_connection("127.0.0.1", port), {}
    for path in paths:
        began = time.perf_counter()
        await get(port, path, streams)
        took[path] = time.perf_counter() - began
    streams[1].close()
    return took


async def crowd(port: int, paths: list[str], seconds: float, pause: float) -> list[float]:
    """Seconds for each request of ``READERS`` who read all pages over and over, with a pause after each."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def read(first: int) -> None:
        streams, n = await asyncio.open_connection("127.0.0.1", port), first
        while time.perf_counter() < end:
            began = time.perf_counter()
            await get(port, paths[n % len(paths)], streams)
            took.append(time.perf_counter() - began)
            n += 1
            await asyncio.sleep(pause)
        streams[1].close()

    await asyncio.gather(*(read(n * 7) for n in range(READERS)))
    return took


async def crowd_and_arrivals(
    ours: Connection, port: int, paths: list[str], seconds: float, pause: float
) -> list[float]:
    """The same, while measurements arrive."""
    reading = asyncio.ensure_future(crowd(port, paths, seconds, pause))
    while not reading.done():
        ours.send("arrival")
        await asyncio.wait([reading], timeout=ARRIVAL)
    return await reading


async def until_right(port: int, since: float) -> float:
    """Seconds from the change until the first page names it."""
    from gzip import decompress

    streams = await asyncio.open_connection("127.0.0.1", port)
    while NEW.encode() not in decompress(await get(port, "/?lang=en", streams)):
        await asyncio.sleep(0.05)
    streams[1].close()
    return time.perf_counter() - since


def prepared(folder: Path, observations: int) -> None:
    """A year of one country, and an incident of its last days."""
    with open_store(folder) as store:
        fill(store, observations // 10, 10)
        _claim(store)


def _claim(store: Store) -> None:
    store.ledger.put(incident(["x"], 20, int(NOW) - 4 * DAY, int(NOW) - 2 * DAY), as_written("bench"))


def main(observations: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "store"
        filling = multiprocessing.get_context("spawn").Process(target=prepared, args=(folder, observations))
        filling.start()
        filling.join()
        listening = socket.create_server(("127.0.0.1", 0))
        port, (ours, theirs) = listening.getsockname()[1], multiprocessing.Pipe()
        server = _daemon(serve_pages, folder, listening, theirs)
        server.start()
        ours.recv()
        print(
            f"{observations:,} observations in {observations // 10:,} measurements of a year of one country"
        )
        pages = [*PATHS, f"/PK/{OLD}", f"/PK/{OLD}/measurements"]
        for path, took in asyncio.run(fresh(port, [*pages, *PICTURES])).items():
            print(f"  fresh      {path:<32} {1000 * took:8.0f} ms")
        every = [f"{path}{'&' if '?' in path else '?'}lang={code}" for path in pages for code in LANGUAGES]
        asyncio.run(fresh(port, every))
        report(ours, port, every, seconds, 0.0)
        report(ours, port, every, seconds, PAUSE)
        ours.send("change")
        print(f"  a change is on the first page after {asyncio.run(until_right(port, ours.recv())):.1f} s")
        ours.send("stop")
        server.join()


def _daemon(target: Callable[..., None], *given: object) -> multiprocessing.process.BaseProcess:
    """Ends with this program, also if that fails, so that the next run need not wait for it."""
    return multiprocessing.get_context("spawn").Process(target=target, args=given, daemon=True)


def report(ours: Connection, port: int, every: list[str], seconds: float, pause: float) -> None:
    """The crowd's figures."""
    ours.send("cpu")
    before = ours.recv()
    took = sorted(asyncio.run(crowd_and_arrivals(ours, port, every, seconds, pause)))
    ours.send("cpu")
    spent = ours.recv() - before
    p95, p99 = took[int(0.95 * len(took))], took[int(0.99 * len(took))]
    print(
        f"  {len(every)} pages, {READERS} readers, {seconds:.0f} s: {len(took) / seconds:,.0f} requests/s; "
        f"p95 {1000 * p95:.1f} ms, p99 {1000 * p99:.1f} ms, worst {1000 * took[-1]:.0f} ms"
    )
    print(
        f"  {len(took) / spent:,.0f} requests for a second of the server's CPU (making pages anew included)"
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(given[0] if given else 10_000_000, given[1] if len(given) > 1 else 30)
