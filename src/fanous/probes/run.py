"""Run: a list of URLs measured from here - health first, then all endpoints, each written as it is done."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import urlsplit

from fanous.net.addresses import is_address, is_public
from fanous.net.meter import OverCap
from fanous.net.network import Network
from fanous.probes.endpoint import measure
from fanous.probes.health import NO_NETWORK, Health, check, health_record
from fanous.probes.helper import ask
from fanous.probes.outcome import Outcome, outcome_of
from fanous.probes.record import Vantage, line, measurement, moment
from fanous.probes.settings import Settings
from fanous.probes.trace import Trace
from fanous.probes.transfer import pairs

Write = Callable[[bytes], None]
"""Called with each record, one line of JSON without its line break."""

OnDone = Callable[[Outcome], None]


@dataclass(slots=True)
class Report:
    """What a run gave.

    Attributes:
        health: ``None`` = it was not asked for.
        outcomes: of the URLs that were measured, in the order in which they were done.
        not_tried: URL -> why it was not measured.
    """

    health: Health | None
    outcomes: list[Outcome] = field(default_factory=list)
    not_tried: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


async def run(
    network: Network,
    settings: Settings,
    vantage: Vantage,
    urls: Sequence[str],
    write: Write,
    on_done: OnDone = lambda _outcome: None,
    *,
    with_health: bool = True,
) -> Report:
    """Measure ``urls``.

    A URL with an address of this network in it (``https://127.0.0.1/``) needs no network; all others are
    left alone where there is none, or where a login page stands in between.
    """
    began = network.now()
    vantage = replace(
        vantage,
        report_id=vantage.report_id or report_id(network, vantage),
        run_began=vantage.run_began or moment(network.wall()),
    )
    report = Report(None)
    if with_health:
        report.health = await _look_at_line(network, settings, vantage, write)
        defect = report.health.defect
        report.not_tried = {url: defect for url in urls if defect and not is_near(url)}
    ipv6 = report.health is None or report.health.ipv6
    slots = asyncio.Semaphore(settings.at_once)

    async def one(url: str) -> None:
        async with slots:
            try:
                trace = await measure(network, settings, url, ipv6=ipv6)
                if trace.requests:
                    await pairs(trace, settings, url)
                data = await _record(trace, settings, url, vantage, network)
            except OverCap as reached:
                report.not_tried[url] = str(reached)
                return
        write(data)
        outcome = outcome_of(url, data)
        report.outcomes.append(outcome)
        on_done(outcome)

    await asyncio.gather(*(one(url) for url in urls if url not in report.not_tried))
    report.seconds = round(network.now() - began, 3)
    return report


async def _look_at_line(network: Network, settings: Settings, vantage: Vantage, write: Write) -> Health:
    """Check the line, and write down what it is like: above all where there is no network."""
    health, trace = await check(network, settings)
    if health.defect == NO_NETWORK:
        vantage = replace(vantage, network_type="no_internet")
    write(line(health_record(health, trace, vantage), network.own_addresses()))
    return health


async def _record(trace: Trace, settings: Settings, url: str, vantage: Vantage, network: Network) -> bytes:
    control, failure = await ask(trace, settings, url)
    return line(measurement(trace, url, vantage, control, failure), network.own_addresses())


def is_near(url: str) -> bool:
    """Does the URL name an address of this machine's own network?"""
    host = urlsplit(url).hostname or ""
    return is_address(host) and not is_public(host)


def report_id(network: Network, vantage: Vantage) -> str:
    """One a run, in OONI's form; nothing in it tells the probe or its user."""
    moment = datetime.fromtimestamp(network.wall(), UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}_webconnectivity_{vantage.country}_{vantage.asn}_n1_{token_hex(8)}"
