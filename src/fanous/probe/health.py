"""Health: is there a network at all, and can measurements over it be trusted?  Checked before anything else.

It tries known-good controls on several networks, pages whose text is known (a login page changes them), the
clock against HTTP ``Date``, IPv6, and a domestic site.  No network is evidence of an outage, never of
blocking.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from fanous.model.coverage import ALLOW_LIST, NO_NETWORK, NOTHING_OUTSIDE, PORTAL
from fanous.probe import tcp
from fanous.probe.endpoint import measure_into, page_only
from fanous.probe.net.failure import NETWORK_ERRORS
from fanous.probe.net.network import Network
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, ProbeVantage, Trace, envelope, steps

TEST_NAME, TEST_VERSION = "fanous_health", "0.1.0"

CLOCK_OFF = 300.0
"""Seconds.  Beyond this, certificates and the times of records suffer."""

SECONDS = 10.0
"""Seconds for each control; on a slower line, only what did answer in time counts."""

IPV6_ANCHOR = "2001:4860:4860::8888"
"""Google Public DNS; opening a socket to it sends nothing, and fails if there is no route."""

SPARED_SECONDS = 5.0
"""Seconds for each site that allow-lists are known to spare, and for the second check of the controls: if the
line lets them through, a page arrives at once."""

HOME_TRANSACTIONS = 1_000_000
SPARED_TRANSACTIONS = 2_000_000
AGAIN_TRANSACTIONS = 3_000_000
"""First transaction numbers of the domestic site's steps, of spared sites' and of the second check: they
never collide with others.
"""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the line.  ``None`` = could not be determined.

    Attributes:
        online: a connection, a page or a public resolver outside answered, or the domestic site did.  An
            answer from the system's resolver is not enough: it may come from the volunteer's own router.
        portal: a login page stands between us and the network.
        clock_offset: seconds by which this machine's clock is ahead.
        controls: known-good site -> whether its page arrived.
        domestic: did the domestic site answer?
        intranet_only: it did, and nothing else did.
        spared: sites outside the country that answered over validated TLS where no control, no anchor and no
            public resolver did, before or after: an allow-list.  They are tried only in that case.
    """

    online: bool
    portal: bool
    ipv6: bool
    clock_offset: float | None
    controls: dict[str, bool]
    domestic: bool | None
    intranet_only: bool
    spared: tuple[str, ...] = ()

    @property
    def defect(self) -> str:
        """Why nothing can be concluded about single sites from here; empty = the line is sound."""
        if not self.online:
            return NO_NETWORK
        if self.portal:
            return PORTAL
        if self.spared:
            return ALLOW_LIST
        return NOTHING_OUTSIDE if self.intranet_only else ""


async def check(network: Network, settings: Settings) -> tuple[Health, Trace]:
    """Check the line; the trace holds every step."""
    trace = Trace(network)
    plain = replace(settings, control_sni="", endpoint_seconds=SECONDS, most_redirects=1)
    portals = [entry.partition(" ")[0] for entry in settings.portal_urls]
    home = Trace(network, first_transaction=HOME_TRANSACTIONS)
    ipv6 = await _has_ipv6(network)
    try:
        await asyncio.gather(
            *(_touch(trace, plain, ip) for ip in settings.anchors),
            *(measure_into(trace, plain, url, ipv6=ipv6) for url in settings.controls),
            *(_open(trace, plain, url) for url in portals),
            *([_open(home, plain, plain.domestic)] if plain.domestic else []),
        )
    finally:
        trace.close()
        home.close()
    outside = _anything_answered(trace)
    domestic = bool(home.requests) and home.requests[0]["failure"] is None
    trace.add(home)
    spared = () if outside else await _spared(network, plain, trace)
    if spared and await _is_back(network, plain, trace):
        outside, spared = True, ()
    pages = {entry["request"]["url"]: entry for entry in trace.requests}
    controls = {url: _answered(pages, url) for url in settings.controls}
    return Health(
        online=outside or domestic or bool(spared),
        portal=_portal(settings, pages) and not any(controls.values()),
        ipv6=ipv6,
        clock_offset=_clock_offset(trace, pages, settings.controls),
        controls=controls,
        domestic=domestic if settings.domestic else None,
        intranet_only=domestic and not outside and not spared,
        spared=spared,
    ), trace


def health_record(health: Health, trace: Trace, vantage: ProbeVantage) -> Entry:
    """The nettest ``fanous_health``: kept even, and above all, when there is no network."""
    keys = steps(trace) | {"x_health": asdict(health)}
    return envelope(TEST_NAME, TEST_VERSION, "", trace, vantage, keys)


async def _spared(network: Network, settings: Settings, trace: Trace) -> tuple[str, ...]:
    """Which of the sites spared by allow-lists answer; their steps go into ``trace``."""
    last = Trace(network, started=trace.started, first_transaction=SPARED_TRANSACTIONS)
    brief = _brief(settings)
    urls = [
        url for url in settings.spared if url.startswith("https://")
    ]  # anyone can forge a page over plain HTTP
    try:
        await asyncio.gather(*(_open(last, brief, url) for url in urls))
    finally:
        last.close()
    trace.add(last)
    pages = {entry["request"]["url"]: entry for entry in last.requests}
    return tuple(url for url in urls if _answered(pages, url))


async def _is_back(network: Network, settings: Settings, trace: Trace) -> bool:
    """Do controls or anchors answer now?  An outage may end while the line is being checked."""
    again = Trace(network, started=trace.started, first_transaction=AGAIN_TRANSACTIONS)
    brief = _brief(settings)
    try:
        await asyncio.gather(
            *(_touch(again, brief, ip) for ip in settings.anchors),
            *(_open(again, brief, url) for url in settings.controls),
        )
    finally:
        again.close()
    trace.add(again)
    return _anything_answered(again)


def _brief(settings: Settings) -> Settings:
    return replace(settings, endpoint_seconds=min(settings.endpoint_seconds, SPARED_SECONDS))


async def _open(trace: Trace, settings: Settings, url: str) -> None:
    """The page as a browser gets it: what other resolvers say about a login page means nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(settings.endpoint_seconds):
            await page_only(trace, settings, url)


async def _touch(trace: Trace, settings: Settings, ip: str) -> None:
    stream = await tcp.connect(trace, settings, ip, 443)
    if stream is not None:
        stream.close()


async def _has_ipv6(network: Network) -> bool:
    try:
        (await network.open_udp(IPV6_ANCHOR, 53)).close()
    except NETWORK_ERRORS:
        return False
    return True


def _answered(pages: dict[str, Entry], url: str) -> bool:
    return url in pages and pages[url]["failure"] is None


def _anything_answered(trace: Trace) -> bool:
    """A public resolver, a connection or a page worked.

    A refused or reset connection had a sender too, but it may be the volunteer's own router.
    """
    public = [query for query in trace.queries if query["engine"] != "getaddrinfo"]
    return any(
        entry["failure"] is None for entry in [*public, *trace.tls_handshakes, *trace.requests]
    ) or any(entry["status"]["success"] for entry in trace.tcp_connect)


def _portal(settings: Settings, pages: dict[str, Entry]) -> bool:
    """Pages with known text arrived, and none had the right text."""
    came = []
    for entry in settings.portal_urls:
        url, _, text = entry.partition(" ")
        if _answered(pages, url):
            response = pages[url]["response"]
            came.append(response["code"] == 200 and text in str(response["body"]))
    return bool(came) and not any(came)


def _clock_offset(trace: Trace, pages: dict[str, Entry], controls: tuple[str, ...]) -> float | None:
    """From the first control's ``Date`` (RFC 9110 section 6.6.1, whole seconds)."""
    for url in controls:
        if not _answered(pages, url):
            continue
        headers = {name.lower(): value for name, value in pages[url]["response"]["headers_list"]}
        try:
            stated = parsedate_to_datetime(headers.get("date", "")).timestamp()
        except ValueError:
            continue
        seen = trace.network.wall() - (trace.at() - float(pages[url]["t"]))
        return round(seen - stated, 1)
    return None
