"""Serve: ``/probe?target=&module=`` for Prometheus, so that users of blackbox_exporter can switch.

The modules ``http_2xx`` and ``tcp_connect`` do what the exporter's do; ``fanous`` makes the whole measurement
and adds what the rules say about it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import h11

from fanous import __version__
from fanous.errors import FanousError
from fanous.model.place import is_address
from fanous.probe import dns, endpoint, tcp
from fanous.probe.metrics import Metric, connection_metrics, http_metrics, render, verdict_metrics
from fanous.probe.net.network import Network
from fanous.probe.outcome import outcome_of
from fanous.probe.settings import Settings
from fanous.probe.trace import NO_HELPER, ProbeVantage, Trace, line, measurement
from fanous.refdata.fingerprints import fingerprints

REQUEST_SECONDS = 10.0
"""Seconds after which a client that has sent no request is dropped."""

LARGEST_REQUEST = 16_384

Module = Callable[[Network, Settings, str], Awaitable[list[Metric]]]


class BadTarget(Exception):
    """A request that cannot be answered: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def http_2xx(network: Network, settings: Settings, target: str) -> list[Metric]:
    """A GET with redirects; success = a 2xx response."""
    url = target if "://" in target else f"http://{target}"
    trace = Trace(network)
    try:
        async with asyncio.timeout(settings.endpoint_seconds):
            await endpoint.page_only(trace, settings, url)
    except TimeoutError:
        pass  # the metrics show how far it got
    finally:
        trace.close()
    response = (trace.requests[0]["response"] or {}) if trace.requests else {}
    success = 200 <= response.get("code", 0) < 300 and trace.requests[0]["failure"] is None
    return connection_metrics(trace, success) + http_metrics(trace)


async def tcp_connect(network: Network, settings: Settings, target: str) -> list[Metric]:
    """A connection to ``host:port``."""
    host, _, port = target.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise BadTarget(400, "target of tcp_connect must be host:port")
    trace = Trace(network)
    found = [host] if is_address(host) else await dns.by_system(trace, settings, host)
    stream = None
    for ip in found:
        stream = await tcp.connect(trace, settings, ip, int(port))
        if stream is not None:
            break
    trace.close()
    return connection_metrics(trace, stream is not None)


async def whole(network: Network, settings: Settings, target: str) -> list[Metric]:
    """The whole measurement; success = the rules say that the target works."""
    url = target if "://" in target else f"https://{target}/"
    trace = await endpoint.measure(network, settings, url)
    record = line(measurement(trace, url, ProbeVantage(), None, NO_HELPER), network.own_addresses())
    outcome = outcome_of(url, record)
    return connection_metrics(trace, outcome.state == "ok") + http_metrics(trace) + verdict_metrics(outcome)


MODULES: dict[str, Module] = {"http_2xx": http_2xx, "tcp_connect": tcp_connect, "fanous": whole}
"""Name in the query -> what to do."""


BUILD = Metric("fanous_build_info", 1, "The running version", (("version", __version__),))
"""All of ``/metrics``: whoever scrapes an exporter itself wants to know that it is up."""


async def serve(network: Network, settings: Settings, host: str, port: int) -> asyncio.Server:
    """A server that answers until it is closed.

    Raises:
        FanousError: the port is taken or not permitted.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, h11.RemoteProtocolError):
            async with asyncio.timeout(REQUEST_SECONDS):
                path = await _asked(reader)
            writer.write(await respond(network, settings, path))
            await writer.drain()
        writer.close()

    await asyncio.to_thread(fingerprints)  # takes a second, which must not count in any probe's figures
    try:
        return await asyncio.start_server(answer, host, port)
    except OSError as error:
        raise FanousError(f"cannot listen on {host}:{port}: {error.strerror}; try another --port") from None


async def _asked(reader: asyncio.StreamReader) -> str:
    """The path of one GET."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_REQUEST)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(LARGEST_REQUEST))
        elif isinstance(event, h11.Request):
            return event.target.decode("latin-1")
        else:
            raise EOFError


async def respond(network: Network, settings: Settings, path: str) -> bytes:
    """The whole response to ``GET path``."""
    parts = urlsplit(path)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        if parts.path == "/probe":
            return _response(200, await _probe(network, settings, query))
        if parts.path in ("/-/healthy", "/"):
            return _response(200, "Healthy\n")
        if parts.path == "/metrics":
            return _response(200, render([BUILD]))
        raise BadTarget(404, "not found; try /probe?target=&module=, /metrics or /-/healthy")
    except BadTarget as refused:
        return _response(refused.status, f"{refused}\n")
    except FanousError as error:
        return _response(400, f"{error}\n")


async def _probe(network: Network, settings: Settings, query: dict[str, str]) -> str:
    name = query.get("module", "http_2xx")
    if name not in MODULES:
        raise BadTarget(400, f"Unknown module {name!r}; known: {', '.join(MODULES)}")
    if not query.get("target"):
        raise BadTarget(400, "Target parameter is missing")
    return render(await MODULES[name](network, settings, query["target"]))


def _response(status: int, text: str) -> bytes:
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found"}[status]
    body = text.encode()
    kind = "text/plain; version=0.0.4; charset=utf-8"
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
