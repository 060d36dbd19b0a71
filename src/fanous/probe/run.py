"""Run: measures a list of URLs from here - health first, then all endpoints, each written when done.

It also turns the URLs and named lists of the command line into the sites and apps to measure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from random import Random
from secrets import token_hex
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.model.coverage import NO_NETWORK
from fanous.model.measurement import ip_of, is_address
from fanous.probe.endpoint import handshake_again, measure_into, url_parts
from fanous.probe.health import Health, check, health_record
from fanous.probe.localise import localise
from fanous.probe.messengers import MESSENGERS, record_of
from fanous.probe.net.network import Network, OverCap, is_public
from fanous.probe.outcome import Outcome, outcome_of
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, ProbeVantage, Trace, line, moment
from fanous.probe.transfer import page_kbps, pairs, reason, slow_at
from fanous.probe.web_connectivity import ask, measurement
from fanous.refdata.fingerprints import fingerprints
from fanous.refdata.targets import target_list

Write = Callable[[bytes], None]
"""Called with each record: one line of JSON, without the line break."""

OnDone = Callable[[Outcome], None]


@dataclass(slots=True)
class RunReport:
    """The result of a run.

    Attributes:
        health: ``None`` = not checked.
        outcomes: of the URLs that were measured, in order of completion.
        not_tried: URL -> why it was not measured.
    """

    health: Health | None
    outcomes: list[Outcome] = field(default_factory=list)
    not_tried: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


async def run(
    network: Network,
    settings: Settings,
    vantage: ProbeVantage,
    urls: Sequence[str],
    write: Write,
    on_done: OnDone = lambda _outcome: None,
    *,
    with_health: bool = True,
    chance: Random | None = None,
    messengers: Sequence[str] = (),
) -> RunReport:
    """Measure ``urls``.

    Args:
        messengers: nettests of apps by name, from ``probe.messengers``.
        chance: the random source that chooses samples for downloads; ``None`` = seeded by the settings.

    A URL with a local address (``https://127.0.0.1/``) needs no network; all others are skipped if there is
    no network, or only a login page.
    """
    began = network.now()
    # The first time takes a second or more: in this thread it would look like a slow network.
    rules = asyncio.create_task(asyncio.to_thread(fingerprints))
    # The vantage with the report and the start that all records of a run share.
    vantage = replace(
        vantage,
        report_id=vantage.report_id or report_id(network, vantage),
        run_began=vantage.run_began or moment(network.wall()),
    )
    report = RunReport(None)
    if with_health:
        try:
            report.health = await _look_at_line(network, settings, vantage, write)
            defect = report.health.defect
            report.not_tried = {url: defect for url in urls if defect and not is_near(url)}
        except OverCap as reached:
            report.not_tried = dict.fromkeys((*urls, *messengers), str(reached))
            urls = messengers = ()
    lanes = _Lanes(settings, began, chance)

    async def one(name: str, measured: Awaitable[bytes]) -> None:
        try:
            data = await measured
        except OverCap as reached:
            report.not_tried[name] = str(reached)
            return
        write(data)
        await asyncio.shield(rules)
        outcome = outcome_of(name, data)
        report.outcomes.append(outcome)
        on_done(outcome)

    ipv6 = report.health is None or report.health.ipv6
    apps = [] if report.health and report.health.defect else messengers
    sites = [url for url in urls if url not in report.not_tried]
    await asyncio.gather(
        *(one(f"{name} (app)", _app(network, settings, name, vantage, lanes)) for name in apps),
        *(one(url, _measured(network, settings, url, vantage, ipv6, lanes)) for url in sites),
    )
    await rules
    report.seconds = round(network.now() - began, 3)
    return report


class _Lanes:
    """What the URLs of one run share: how many run at once, one download at a time, the salt of their random choices,
    and the speed of the fastest page."""

    def __init__(self, settings: Settings, began: float, chance: Random | None) -> None:
        self.slots = asyncio.Semaphore(settings.at_once)
        self.downloads = asyncio.Lock()
        self.fastest = 0.0  # kbit/s of the fastest page
        self.salt = (chance or Random(settings.seed or None)).random()
        self.until = inf if settings.transfer_pairs else began + settings.transfer_until


async def _look_at_line(network: Network, settings: Settings, vantage: ProbeVantage, write: Write) -> Health:
    """Check the line and record its state, above all when there is no network."""
    health, trace = await check(network, settings)
    if health.defect == NO_NETWORK:
        vantage = replace(vantage, network_type="no_internet")
    write(line(health_record(health, trace, vantage), network.own_addresses()))
    return health


async def _measured(
    network: Network, settings: Settings, url: str, vantage: ProbeVantage, ipv6: bool, lanes: _Lanes
) -> bytes:
    """The record of one URL."""
    async with lanes.slots:
        trace, control, failure = await _bundle(network, settings, url, ipv6)
        # A slow handshake is repeated, so that the record shows whether it is always slow.
        parts = urlsplit(url)
        slow = slow_at(trace, parts.hostname or "") if settings.retries else ""
        if slow and trace.time_left() > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(trace.time_left()):
                    await handshake_again(trace, settings, parts, ip_of(slow))
    # Each URL has its own random source: the order of completion must not matter.
    why, count = reason(trace, settings, url, Random(f"{lanes.salt} {url}"), lanes.fastest)
    lanes.fastest = max(lanes.fastest, page_kbps(trace))
    if count:
        async with lanes.downloads:
            await pairs(trace, settings, url, count, why, lanes.until)
    if settings.localise:
        async with lanes.downloads:
            await localise(trace, settings, url)
    return line(measurement(trace, url, vantage, control, failure), network.own_addresses())


async def _app(
    network: Network, settings: Settings, name: str, vantage: ProbeVantage, lanes: _Lanes
) -> bytes:
    """The record of one messenger; it has no helper."""
    async with lanes.slots:
        record = await record_of(network, settings, MESSENGERS[name], vantage)
    return line(record, network.own_addresses())


async def _bundle(
    network: Network, settings: Settings, url: str, ipv6: bool
) -> tuple[Trace, Entry | None, str | None]:
    """All steps for one URL, and the helper's control or why there is none."""
    trace = Trace(network)
    asked = list[asyncio.Task[tuple[Entry | None, str | None]]]()

    def looked_up() -> None:
        asked.append(asyncio.create_task(ask(trace, settings, url)))

    try:
        await measure_into(trace, settings, url, ipv6=ipv6, looked_up=looked_up)
        control, failure = await asked[0] if asked else await ask(trace, settings, url)
    finally:
        trace.close()
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return trace, control, failure


def is_near(url: str) -> bool:
    """Does the URL name an address in this machine's own network?"""
    host = urlsplit(url).hostname or ""
    return is_address(host) and not is_public(host)


def report_id(network: Network, vantage: ProbeVantage) -> str:
    """One per run, in OONI's form; nothing in it identifies the probe or its user."""
    moment = datetime.fromtimestamp(network.wall(), UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}_webconnectivity_{vantage.country}_{vantage.asn}_n1_{token_hex(8)}"


DEFAULT_LIST = "social"
LEFT_OUT_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What to measure: sites by URL, and apps by the name of their nettest.

    Attributes:
        by_default: the user named nothing.
    """

    urls: tuple[str, ...]
    apps: tuple[str, ...] = ()
    by_default: bool = False


def wanted_of(inputs: Sequence[str], lists: Sequence[str], say: Callable[[str], None]) -> ProbeOptions:
    """Each target once; if the user named nothing, the social platforms.

    Args:
        say: called with a sentence about entries of a list that are left out.

    Raises:
        FanousError: an unknown list or app, or a URL that cannot be requested.
    """
    for url in inputs:
        if url_parts(url) is None:
            raise FanousError(f"{url!r} is not a website URL: it must be http:// or https:// with a host")
    names = lists or ([] if inputs else [DEFAULT_LIST])
    named = [target_list(name) for name in names]
    for name, options in zip(names, named, strict=True):
        if options.left_out:
            say(_left_out(name, options.left_out))
    urls = dict.fromkeys([*inputs, *(url for options in named for url in options.urls)])
    apps = dict.fromkeys(app for options in named for app in options.apps)
    unknown = apps.keys() - MESSENGERS.keys()
    if unknown:
        raise FanousError(f"unknown app {min(unknown)!r}; known: {', '.join(MESSENGERS)}")
    if not urls and not apps:
        raise FanousError("nothing to measure: the list has no http:// or https:// URL")
    return ProbeOptions(tuple(urls), tuple(apps), by_default=not inputs and not lists)


def _left_out(name: str, left_out: Sequence[str]) -> str:
    more = f" ... and {len(left_out) - LEFT_OUT_SHOWN:,} more" if len(left_out) > LEFT_OUT_SHOWN else ""
    shown = "; ".join(left_out[:LEFT_OUT_SHOWN])
    return f"left out of {name}, because it is not an http:// or https:// URL: {shown}{more}"
