"""Messenger: one app's nettest, and the steps that all of them share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext
from urllib.parse import urlsplit

from fanous.probe import dns, http, tcp
from fanous.probe.endpoint import open_site, to_try
from fanous.probe.net.network import Network
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, ProbeVantage, Trace, envelope, steps
from fanous.sources.ooni.nettests import PLATFORMS

Try = Callable[[Trace, Settings], Awaitable[Entry]]
"""Tries the app's endpoints; returns the nettest's own keys."""


@dataclass(frozen=True, slots=True)
class Messenger:
    """One nettest.

    Attributes:
        test_name, test_version: OONI's, whose keys these are.

    Raises:
        ValueError: its measurements would not be judged.
    """

    test_name: str
    test_version: str
    attempt: Try

    def __post_init__(self) -> None:
        if self.test_name not in PLATFORMS:
            raise ValueError(
                f"{self.test_name} has no line in PLATFORMS (sources/ooni/nettests.py), which says whose app it is"
            )


async def record_of(
    network: Network, settings: Settings, messenger: Messenger, vantage: ProbeVantage
) -> Entry:
    """The measurement, as far as it got in ``endpoint_seconds``."""
    trace, keys = Trace(network), Entry()
    trace.until = network.now() + settings.endpoint_seconds
    try:
        async with asyncio.timeout(settings.endpoint_seconds):
            keys = await messenger.attempt(trace, settings)
    except TimeoutError:
        pass  # the steps are the measurement; what they amount to is left open
    finally:
        trace.close()
    shared = steps(trace) | {"failure": None, "failed_operation": None}
    return envelope(messenger.test_name, messenger.test_version, "", trace, vantage, shared | keys)


async def connects(trace: Trace, settings: Settings, ip: str, port: int) -> bool:
    """Can a connection be made?  It is closed again at once."""
    stream = await tcp.retried_connect(trace, settings, ip, port)
    if stream is None:
        return False
    stream.close()
    return True


async def host_connects(trace: Trace, settings: Settings, host: str, ports: tuple[int, ...]) -> bool | None:
    """Look ``host`` up and connect to its first address; ``None`` = it has none, so nothing was tried."""
    found = await dns.by_system(trace, settings, host)
    addresses = to_try(trace, settings, host, found, ipv6=False)[:1]
    if not addresses:
        return None
    made = await asyncio.gather(*(connects(trace, settings, addresses[0], port) for port in ports))
    return any(made)


async def page_fails(
    trace: Trace, settings: Settings, url: str, context: SSLContext | None = None
) -> str | None:
    """df-007 of what kept us from the page; ``None`` = a response arrived.

    Args:
        context: for TLS, if the site's certificate authority is not a public one.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = await dns.by_system(trace, settings, host)
    for ip in to_try(trace, settings, host, found, ipv6=False):
        opened = await open_site(trace, settings, parts, ip, control=False, context=context)
        if opened is not None:
            where = (opened.ip, opened.transaction, opened.protocol)
            return (await http.get(trace, settings, opened.stream, url, *where)).failure
    return _last_failure(trace, host)


def _last_failure(trace: Trace, host: str) -> str:
    for handshake in reversed(trace.tls_handshakes):
        if handshake["server_name"] == host:
            return str(handshake["failure"])
    own = [query for query in trace.queries if query["hostname"] == host]
    answers = {answer.get("ipv4") for query in own for answer in query["answers"]}
    for connect in reversed(trace.tcp_connect):
        if connect["ip"] in answers:
            return str(connect["status"]["failure"])
    return str(own[-1]["failure"] or "dns_no_answer") if own else "dns_no_answer"


def status(failure: str | None) -> str:
    """In the form of OONI's keys."""
    return "ok" if failure is None else "blocked"
