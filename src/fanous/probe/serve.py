"""Serve: ``/probe?target=&module=`` for Prometheus, so that users of blackbox_exporter can switch.

A module says what is done.  ``http_2xx``, ``tcp_connect`` and ``icmp`` do what the exporter's do; ``fanous`` makes the
whole measurement and adds what the rules say about it; a file in the exporter's format adds others.  Every scrape is
answered before Prometheus stops waiting, as its header ``X-Prometheus-Scrape-Timeout-Seconds`` says.

Options and defaults are those of prometheus/blackbox_exporter at e39d7d41, config/config.go and prober/*.go.  What a
module asks for and is not done here is refused by name when the file is read: a check that is silently left out would
report success.

To add a prober: a function here that takes a ``Scrape`` and returns metrics, and a line in ``PROBERS``.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import h11
import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from fanous import __version__
from fanous.base.files import check_regular
from fanous.errors import FanousError
from fanous.model.measurement import is_address
from fanous.probe import dns, endpoint, tcp
from fanous.probe.metrics import (
    MEDIA,
    Metric,
    connection_metrics,
    echo_metrics,
    http_metrics,
    render,
    verdict_metrics,
)
from fanous.probe.net.failure import NETWORK_ERRORS
from fanous.probe.net.network import Network, NetworkWrapper
from fanous.probe.net.sockets import LARGEST, ping
from fanous.probe.outcome import outcome_of
from fanous.probe.settings import Settings
from fanous.probe.trace import NO_HELPER, ProbeVantage, Trace, line
from fanous.probe.web_connectivity import measurement
from fanous.refdata.fingerprints import fingerprints

Version = Literal["", "ip4", "ip6"]

_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s)?(?:([0-9]+)ms)?")
"""Go's durations as people write them: ``5s``, ``1m30s``, ``500ms``."""


class BadTarget(Exception):
    """A request that cannot be answered: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def seconds_of(text: str) -> float:
    """Seconds of a duration; 0 = empty.

    Raises:
        ValueError: it is not a duration.
    """
    duration = _DURATION.fullmatch(text)
    if duration is None:
        raise ValueError(f"{text!r} is not a duration such as 5s, 1m30s or 500ms")
    hours, minutes, seconds, thousandths = (float(part or 0) for part in duration.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


class _Options(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of every prober.  Empty = the order of the system's resolver; blackbox_exporter would try IPv6."""

    preferred_ip_protocol: Version = ""
    ip_protocol_fallback: bool = True


class HttpOptions(_Options, frozen=True):
    """Options of ``HTTPProbe``; only GET.  Empty codes = every 2xx."""

    valid_status_codes: tuple[int, ...] = ()
    valid_http_versions: tuple[str, ...] = ()
    method: Literal["GET"] = "GET"
    follow_redirects: bool = True
    fail_if_ssl: bool = False
    fail_if_not_ssl: bool = False
    fail_if_body_matches_regexp: tuple[str, ...] = ()
    fail_if_body_not_matches_regexp: tuple[str, ...] = ()


class TcpOptions(_Options, frozen=True):
    """Options of ``TCPProbe``: a connection over which nothing is sent."""


class IcmpOptions(_Options, frozen=True):
    """Options of ``ICMPProbe``; payload 0 = 28 bytes, as blackbox_exporter sends."""

    payload_size: Annotated[int, Meta(ge=0, le=LARGEST)] = 0
    ttl: Annotated[int, Meta(ge=1, le=255)] = 64


class Module(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of ``modules``.

    Attributes:
        timeout: as written, such as ``5s``; empty = the default.
    """

    prober: Literal["http", "tcp", "icmp", "fanous"]
    timeout: str = ""
    http: HttpOptions = HttpOptions()
    tcp: TcpOptions = TcpOptions()
    icmp: IcmpOptions = IcmpOptions()

    def __post_init__(self) -> None:
        seconds_of(self.timeout)
        for pattern in (*self.http.fail_if_body_matches_regexp, *self.http.fail_if_body_not_matches_regexp):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None

    @property
    def options(self) -> _Options:
        return {"tcp": self.tcp, "icmp": self.icmp}.get(self.prober, self.http)


class _ModulesFile(Struct, frozen=True, forbid_unknown_fields=True):
    modules: dict[str, Module]


BUILT_IN = {
    "http_2xx": Module("http"),
    "tcp_connect": Module("tcp"),
    "icmp": Module("icmp"),
    "fanous": Module("fanous"),
}
"""Name in the query -> what is done."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """One scrape.

    Attributes:
        seconds: in which it has to be answered.
    """

    network: Network
    settings: Settings
    module: Module
    target: str
    seconds: float


def read_modules(path: Path) -> dict[str, Module]:
    """The modules of a file like blackbox.yml, and those built in whose names it does not use.

    Raises:
        FanousError: it cannot be read, or asks for something that is not done here.
    """
    check_regular(path)
    try:
        modules = msgspec.yaml.decode(path.read_bytes(), type=_ModulesFile).modules
    except ImportError:
        raise FanousError("a file of modules needs PyYAML: pip install pyyaml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"cannot read the modules {path}: {error}") from None
    except msgspec.ValidationError as error:
        raise FanousError(
            f"{path}: {error}. A module is `http` (GET), `tcp` (a connection), `icmp` or `fanous`, with the options "
            "listed in docs/operate.md; other options of blackbox_exporter are not supported"
        ) from None
    except msgspec.DecodeError as error:
        raise FanousError(f"{path} is not YAML: {error}") from None
    return BUILT_IN | modules


LONGEST_SCRAPE = 120.0
"""Seconds, if Prometheus does not say how long it waits (``getTimeout`` of prober/handler.go)."""

OFFSET = 0.5
"""Seconds that Prometheus needs to receive the answer (``--timeout-offset`` of blackbox_exporter)."""


def deadline(module: Module, header: str | None) -> float:
    """Seconds in which to answer: what Prometheus waits less ``OFFSET``, or the module's own if that is less.

    Args:
        header: value of ``X-Prometheus-Scrape-Timeout-Seconds``; ``None`` = not given.

    Raises:
        ValueError: it is not a number.
    """
    scrape = (float(header) if header else 0.0) or LONGEST_SCRAPE
    if not 0 < scrape < 86_400:
        raise ValueError(f"{scrape} is not a number of seconds")
    limit, most = seconds_of(module.timeout), scrape - OFFSET
    return limit if 0 < limit < most or (most <= 0 < limit) else max(most, scrape / 2)


class _Ordered(NetworkWrapper):
    """A network whose look-ups put one IP version first, or leave the other one out."""

    def __init__(self, inner: Network, options: _Options) -> None:
        super().__init__(inner)
        self._options = options

    async def look_up(self, hostname: str) -> list[str]:
        addresses = await super().look_up(hostname)
        wanted = [ip for ip in addresses if (":" in ip) == (self._options.preferred_ip_protocol != "ip4")]
        others = [ip for ip in addresses if ip not in wanted]
        return wanted + (others if self._options.ip_protocol_fallback else [])


async def http(scrape: Scrape) -> list[Metric]:
    """A GET with redirects; success = a valid status and body."""
    options, target = scrape.module.http, scrape.target
    url = target if "://" in target else f"http://{target}"
    settings = scrape.settings
    if not options.follow_redirects:
        settings = replace(settings, most_redirects=0)
    trace = Trace(scrape.network)
    try:
        async with asyncio.timeout(min(settings.endpoint_seconds, scrape.seconds)):
            await endpoint.page_only(trace, settings, url)
    except TimeoutError:
        pass  # the metrics show how far it got
    finally:
        trace.close()
    matched = _regexps(trace, options)
    return connection_metrics(trace, _is_valid(trace, options) and matched, matched) + http_metrics(trace)


def _is_valid(trace: Trace, options: HttpOptions) -> bool:
    page = trace.requests[0] if trace.requests else None
    if page is None or page["failure"] is not None or not page["response"]:
        return False
    code, is_secure = page["response"]["code"], str(page["request"]["url"]).startswith("https:")
    spoken = {"h2": "HTTP/2.0"}.get(page["request"]["x_protocol"], page["request"]["x_protocol"].upper())
    return (
        (code in options.valid_status_codes if options.valid_status_codes else 200 <= code < 300)
        and (spoken in options.valid_http_versions if options.valid_http_versions else True)
        and not (options.fail_if_ssl and is_secure)
        and not (options.fail_if_not_ssl and not is_secure)
    )


def _regexps(trace: Trace, options: HttpOptions) -> bool:
    """Does the body match what it must, and nothing that it must not?"""
    response = (trace.requests[0]["response"] if trace.requests else None) or {}
    body = response.get("body") or ""
    text = body if isinstance(body, str) else ""
    forbidden = any(re.search(p, text) for p in options.fail_if_body_matches_regexp)
    return not forbidden and all(re.search(p, text) for p in options.fail_if_body_not_matches_regexp)


async def connect(scrape: Scrape) -> list[Metric]:
    """A connection to ``host:port``."""
    host, _, port = scrape.target.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise BadTarget(400, "target of a tcp module must be host:port")
    trace, stream = Trace(scrape.network), None
    try:
        async with asyncio.timeout(scrape.seconds):
            for ip in await dns.addresses_of(trace, scrape.settings, host):
                stream = await tcp.connect(trace, scrape.settings, ip, int(port))
                if stream is not None:
                    break
    except TimeoutError:
        pass
    trace.close()
    return connection_metrics(trace, stream is not None)


async def echo(scrape: Scrape) -> list[Metric]:
    """One ping of a name or address."""
    host, options = scrape.target.strip("[]"), scrape.module.icmp
    trace, reply, ip = Trace(scrape.network), None, ""
    try:
        async with asyncio.timeout(scrape.seconds):
            addresses = await dns.addresses_of(trace, scrape.settings, host)
            ip = addresses[0] if addresses else ""
            reply = await ping(ip, options.payload_size or 28, options.ttl) if ip else None
    except PermissionError:
        raise FanousError(
            "no permission to send pings: allow this group in net.ipv4.ping_group_range (sysctl), or grant CAP_NET_RAW"
        ) from None
    except NETWORK_ERRORS:
        reply = None  # a network failure is data: no success
    trace.close()
    metrics = echo_metrics(trace, reply.seconds if reply else None, reply.hops_left if reply else -1)
    return connection_metrics(trace, reply is not None, ip=ip) + metrics


async def whole(scrape: Scrape) -> list[Metric]:
    """The whole measurement; success = the rules say that the target works."""
    target, network = scrape.target, scrape.network
    url = target if "://" in target else f"https://{target}/"
    settings = replace(
        scrape.settings, endpoint_seconds=min(scrape.settings.endpoint_seconds, scrape.seconds)
    )
    trace = await endpoint.measure(network, settings, url)
    record = line(measurement(trace, url, ProbeVantage(), None, NO_HELPER), network.own_addresses())
    outcome = outcome_of(url, record)
    return connection_metrics(trace, outcome.state == "ok") + http_metrics(trace) + verdict_metrics(outcome)


PROBERS: dict[str, Callable[[Scrape], Awaitable[list[Metric]]]] = {
    "http": http,
    "tcp": connect,
    "icmp": echo,
    "fanous": whole,
}


async def answer(scrape: Scrape) -> list[Metric]:
    """The metrics of a scrape.

    Raises:
        BadTarget, FanousError: the target cannot be asked.
    """
    options = scrape.module.options
    is_ordered = options.preferred_ip_protocol or not options.ip_protocol_fallback
    if is_ordered and not is_address(scrape.target):
        scrape = Scrape(
            _Ordered(scrape.network, options),
            scrape.settings,
            scrape.module,
            scrape.target,
            scrape.seconds,
        )
    metrics = await PROBERS[scrape.module.prober](scrape)
    text = "Returns how long the probe timeout is in seconds"
    return [*metrics, Metric("probe_timeout_seconds", scrape.seconds, text)]


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
