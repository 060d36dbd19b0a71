"""Serve: ``/probe?target=&module=`` for Prometheus, so that users of blackbox_exporter can switch.

The modules ``http_2xx``, ``tcp_connect`` and ``icmp`` do what the exporter's do; ``fanous`` makes the whole measurement
and adds what the rules say about it.  A file adds others (``fanous.probe.modules``).  Every scrape is answered before
Prometheus stops waiting, as its header ``X-Prometheus-Scrape-Timeout-Seconds`` says.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import h11

from fanous import __version__
from fanous.errors import FanousError
from fanous.probe.metrics import MEDIA, Metric, render
from fanous.probe.modules import BUILT_IN, BadTarget, Module, Scrape, answer, deadline
from fanous.probe.net.network import Network
from fanous.probe.settings import Settings
from fanous.refdata.fingerprints import fingerprints

REQUEST_SECONDS = 10.0
"""Seconds after which a client that has sent no request is dropped."""

LARGEST_REQUEST = 16_384

BUILD = Metric("fanous_build_info", 1, "The running version", (("version", __version__),))
"""All of ``/metrics``: a scrape of the exporter itself only asks whether it is up."""


TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"


async def serve(
    network: Network,
    settings: Settings,
    host: str,
    port: int,
    modules: Mapping[str, Module] = BUILT_IN,
) -> asyncio.Server:
    """A server that answers until it is closed.

    Args:
        modules: by the name in the query.

    Raises:
        FanousError: the port is taken or not permitted.
    """

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, h11.RemoteProtocolError):
            async with asyncio.timeout(REQUEST_SECONDS):
                path, scrape_timeout = await _asked(reader)
            writer.write(await respond(network, settings, modules, path, scrape_timeout))
            await writer.drain()
        writer.close()

    await asyncio.to_thread(fingerprints)  # takes a second, which must not count in any probe's figures
    try:
        return await asyncio.start_server(serve_one, host, port)
    except OSError as error:
        raise FanousError(f"cannot listen on {host}:{port}: {error.strerror}; try another --port") from None


async def _asked(reader: asyncio.StreamReader) -> tuple[str, str | None]:
    """The path of one GET, and how many seconds Prometheus waits for the answer."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_REQUEST)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(LARGEST_REQUEST))
        elif isinstance(event, h11.Request):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            return event.target.decode("latin-1"), headers.get(TIMEOUT_HEADER)
        else:
            raise EOFError


async def respond(
    network: Network,
    settings: Settings,
    modules: Mapping[str, Module],
    path: str,
    scrape_timeout: str | None = None,
) -> bytes:
    """The whole response to ``GET path``."""
    parts = urlsplit(path)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        if parts.path == "/probe":
            return _response(200, render(await _probe(network, settings, modules, query, scrape_timeout)))
        if parts.path in ("/-/healthy", "/"):
            return _response(200, "Healthy\n")
        if parts.path == "/metrics":
            return _response(200, render([BUILD]))
        raise BadTarget(404, "not found; try /probe?target=&module=, /metrics or /-/healthy")
    except BadTarget as refused:
        return _response(refused.status, f"{refused}\n")
    except FanousError as error:
        return _response(400, f"{error}\n")


async def _probe(
    network: Network,
    settings: Settings,
    modules: Mapping[str, Module],
    query: dict[str, str],
    scrape_timeout: str | None,
) -> list[Metric]:
    name = query.get("module", "http_2xx")
    if name not in modules:
        raise BadTarget(400, f"Unknown module {name!r}; known: {', '.join(modules)}")
    if not query.get("target"):
        raise BadTarget(400, "Target parameter is missing")
    try:
        seconds = deadline(modules[name], scrape_timeout)
    except ValueError as error:
        raise BadTarget(500, f"Failed to parse timeout from Prometheus header: {error}") from None
    return await answer(Scrape(network, settings, modules[name], query["target"], seconds))


def _response(status: int, text: str) -> bytes:
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}[status]
    body = text.encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {MEDIA}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
