"""Endpoint: all steps for one URL, from the name to the page, in one trace.

On each connection the handshake with an innocuous name comes *before* the one with the site's: once the
trigger has been sent, residual blocking can affect an address for minutes.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from urllib.parse import SplitResult, urlsplit

from fanous.errors import FanousError
from fanous.model.measurement import PORTS, is_address
from fanous.probe import dns, http, quic, tcp, tls
from fanous.probe.net.http import HttpResponse, joined
from fanous.probe.net.network import Network, Stream, is_public, is_public_host, is_web_port
from fanous.probe.net.tls import client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import Trace, retried


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that is ready for a request."""

    stream: Stream
    ip: str
    transaction: int
    protocol: str


async def open_site(
    trace: Trace,
    settings: Settings,
    parts: SplitResult,
    ip: str,
    *,
    control: bool,
    context: SSLContext | None = None,
    first: int = 1,
) -> Opened | None:
    """A connection to ``ip``, with TLS if the scheme requires it; failed attempts are retried.

    Args:
        control: try the innocuous name first, and a second opinion after a failure.
        context: for TLS; ``None`` = verify as browsers do.
        first: number of the first attempt made here.
    """
    port, secure = parts.port or PORTS[parts.scheme], parts.scheme == "https"
    if secure and control and settings.control_sni and not await _try_control(trace, settings, ip, port):
        return None

    async def attempt(number: int) -> tuple[Opened | None, str | None]:
        made[:] = [number]
        stream, failure = await tcp.attempt(trace, settings, ip, port, number)
        if stream is None or not secure:
            return (Opened(stream, ip, stream.transaction, "") if stream else None), failure
        secured, failure = await tls.attempt(trace, settings, stream, parts.hostname or "", trust, number)
        last[:] = [failure]
        return (Opened(secured, ip, stream.transaction, secured.alpn) if secured else None), failure

    trust = context or client_context(("h2", "http/1.1"), settings.ca_file)
    last, made = list[str | None](), [first]
    opened = await retried(trace, settings, settings.connect_timeout, attempt, first)
    is_odd = control and opened is None and tls.WORTH_ASKING.intersection(last)
    if is_odd and await tls.ask(trace, settings, ip, port, parts.hostname or ""):
        # Ours once more: otherwise a cut that ended by itself would look as if the browser's hello had
        # succeeded.
        opened, _ = await attempt(made[0] + 1)
    return opened


async def handshake_again(trace: Trace, settings: Settings, parts: SplitResult, ip: str) -> None:
    """Both handshakes once more, since a few lost packets can make one slow."""
    opened = await open_site(trace, settings, parts, ip, control=True, first=2)
    if opened is not None:
        opened.stream.close()


async def _try_control(trace: Trace, settings: Settings, ip: str, port: int) -> bool:
    """The handshake with the innocuous name; ``False`` = no connection could be made, so nothing more is
    tried.
    """
    stream = await tcp.retried_connect(trace, settings, ip, port)
    if stream is None:
        return False
    secured = await tls.handshake(
        trace, settings, stream, settings.control_sni, client_context(("h2", "http/1.1"), verify=False)
    )
    if secured is not None:
        secured.close()
    return True


Later = list[asyncio.Task[list[str]] | asyncio.Task[bool]]
"""Steps that run alongside the others."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def measure(network: Network, settings: Settings, url: str, *, ipv6: bool = True) -> Trace:
    """Try ``url`` from here; the trace holds everything seen, even if time ran out."""
    trace = Trace(network)
    try:
        await measure_into(trace, settings, url, ipv6=ipv6)
    finally:
        trace.close()
    return trace


async def measure_into(
    trace: Trace,
    settings: Settings,
    url: str,
    *,
    ipv6: bool = True,
    looked_up: Callable[[], None] = lambda: None,
) -> None:
    """Try ``url`` and record what is seen in ``trace``.

    Args:
        ipv6: ``False`` = this machine has no IPv6, so such addresses are left out.
        looked_up: called when the first look-ups have been answered.

    Raises:
        FanousError: the URL cannot be requested, or the data cap is reached.
    """
    parts = url_parts(url)
    if parts is None:
        raise FanousError(f"{url!r} is not a website URL: it must be http:// or https:// with a host")
    host = parts.hostname or ""
    later: Later = []
    try:
        trace.until = trace.network.now() + settings.endpoint_seconds
        async with asyncio.timeout(settings.endpoint_seconds):
            found, also = ([host], []) if is_address(host) else await _look_up(trace, settings, host, later)
            looked_up()
            addresses = to_try(trace, settings, host, found, ipv6, also)
            speaks = _screen_quic(trace, settings, parts, addresses, later)
            page = await _load(trace, settings, parts, addresses)
            await _follow(trace, settings, url, page, ipv6)
            # Or does the site itself announce HTTP/3 (RFC 7838)?
            if speaks is not None and (await speaks or (page is not None and "h3" in page.header("alt-svc"))):
                await quic.handshakes(trace, settings, addresses[0], host)
            await asyncio.gather(*later)
    except TimeoutError:
        pass  # the measurement is what was seen so far
    finally:
        for task in later:
            task.cancel()
        await asyncio.gather(*later, return_exceptions=True)


async def _look_up(trace: Trace, settings: Settings, host: str, later: Later) -> tuple[list[str], list[str]]:
    """Addresses from the system's resolver, and one from DNS over HTTPS if the two share none.

    The slower look-ups run alongside the next steps: they are added to ``later``.
    """
    later += [
        asyncio.create_task(dns.by_udp(trace, settings, host, "A")),
        asyncio.create_task(dns.by_udp(trace, settings, host, "AAAA")),
        asyncio.create_task(dns.by_dot(trace, settings, host)),
    ]
    (system, was_lost), doh = await asyncio.gather(
        dns.by_system_once(trace, settings, host), dns.by_doh(trace, settings, host)
    )
    if was_lost and trace.time_left() > settings.lookup_timeout:
        again = asyncio.create_task(dns.by_system(trace, settings, host, 2))
        later.append(again)
        system = [] if doh else await again
    return system, [] if set(system) & set(doh) else doh[:1]


def to_try(
    trace: Trace, settings: Settings, host: str, addresses: list[str], ipv6: bool, also: Sequence[str] = ()
) -> list[str]:
    """The addresses to connect to: a few of each IP version out of ``addresses``, and ``also``.

    Addresses that no public site can have are recorded and not contacted.
    """
    given = [ip for ip in [*addresses, *also] if settings.allow_private or is_address(host) or is_public(ip)]
    for ip in [*addresses, *also]:
        if ip not in given:
            trace.not_tried.append({"hostname": host, "ip": ip, "why": "not a public address"})
    old = [ip for ip in given if ":" not in ip and ip in addresses]
    new = [ip for ip in given if ":" in ip and ip in addresses] if ipv6 else []
    most, extra = settings.most_addresses, [ip for ip in also if ip in given]
    return list(dict.fromkeys([*old[:most], *new[:most], *extra]))


def _screen_quic(
    trace: Trace, settings: Settings, parts: SplitResult, addresses: list[str], later: Later
) -> asyncio.Task[bool] | None:
    """Ping the first address alongside the other steps; ``None`` = QUIC does not apply here."""
    if parts.scheme != "https" or (parts.port or quic.PORT) != quic.PORT or not addresses:
        return None
    task = asyncio.create_task(quic.screen(trace, settings, addresses[0]))
    later.append(task)
    return task


async def page_only(trace: Trace, settings: Settings, url: str) -> None:
    """The page as a browser would fetch it: system resolver, one connection, redirects; no controls."""
    parts = url_parts(url)
    if parts is None:
        raise FanousError(f"{url!r} is not a website URL: it must be http:// or https:// with a host")
    host = parts.hostname or ""
    addresses = [host] if is_address(host) else await dns.by_system(trace, settings, host)
    for ip in to_try(trace, settings, host, addresses, ipv6=True):
        opened = await open_site(trace, settings, parts, ip, control=False)
        if opened is not None:
            await _follow(trace, settings, url, await _get(trace, settings, url, opened), ipv6=True)
            return


async def _load(
    trace: Trace, settings: Settings, parts: SplitResult, addresses: list[str]
) -> HttpResponse | None:
    """Connect to all addresses at once, and fetch the page over the first that works; ``None`` = none did."""
    opened = await asyncio.gather(*(open_site(trace, settings, parts, ip, control=True) for ip in addresses))
    ready = [connection for connection in opened if connection is not None]
    for unused in ready[1:]:
        unused.stream.close()
    if not ready:
        return None
    first, pages = ready[0], list[HttpResponse]()

    async def attempt(number: int) -> tuple[HttpResponse | None, str | None]:
        fresh = first if number == 1 else await open_site(trace, settings, parts, first.ip, control=False)
        if fresh is None:
            return None, None
        pages.append(await _get(trace, settings, parts.geturl(), fresh, number))
        failure = pages[-1].failure
        return (pages[-1] if failure is None else None), failure

    await retried(trace, settings, settings.page_timeout, attempt)
    return pages[-1]


async def _get(trace: Trace, settings: Settings, url: str, opened: Opened, number: int = 1) -> HttpResponse:
    return await http.get(
        trace, settings, opened.stream, url, opened.ip, opened.transaction, opened.protocol, number
    )


async def _follow(trace: Trace, settings: Settings, url: str, page: HttpResponse | None, ipv6: bool) -> None:
    """Follow redirects, at most ``most_redirects`` times."""
    for _ in range(settings.most_redirects):
        if page is None or page.code not in REDIRECTS or not page.header("location"):
            return
        parts = url_parts(joined(url, page.header("location")))
        if parts is None:
            return
        url = parts.geturl()
        host = parts.hostname or ""
        if not settings.allow_private and not (is_public_host(host) and is_web_port(parts.port)):
            return  # nor may a page send the probe into the volunteer's own network, or to other services
        known = (
            [host] if is_address(host) else _known(trace, host) or await dns.by_system(trace, settings, host)
        )
        page = None
        for ip in to_try(trace, settings, host, known, ipv6)[:2]:
            opened = await open_site(trace, settings, parts, ip, control=False)
            if opened is not None:
                page = await _get(trace, settings, url, opened)
                break


def url_parts(url: str) -> SplitResult | None:
    """The parsed URL; ``None`` if it cannot be requested."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in PORTS and parts.hostname and port != 0 else None


def _known(trace: Trace, host: str) -> list[str]:
    """What the system's resolver already answered for ``host`` in this measurement."""
    for query in trace.queries:
        if query["hostname"] == host and query["engine"] == "getaddrinfo":
            return [answer.get("ipv4") or answer["ipv6"] for answer in query["answers"]]
    return []
