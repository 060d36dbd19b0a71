"""Stage: a scenario as the lab and the probes need it - plan, cuts, each vantage point's duty, user shares."""

import random
from dataclasses import replace

from fanous.evaluation.rehearsal.profile import patient
from fanous.evaluation.rehearsal.vantage_point import Duty
from fanous.lab.censors.cut import RESIDUAL_SECONDS, Cut, rate_of
from fanous.lab.plan import Plan, PlannedNetwork, VantagePoint
from fanous.lab.scenario import LabNetwork, Scenario, ScenarioStep
from fanous.lab.sites import hosts_of, urls_of
from fanous.model.place import Access
from fanous.model.weights import NetworkWeight, UserWeights
from fanous.probe.record import ProbeVantage
from fanous.probe.settings import Settings

ABROAD = LabNetwork(
    country="SE", asn=1299, name="Abroad", access=Access.FIXED, users_share=0.0, vantage_points=1
)
"""A probe in another country, so that "the platform is down" and "the collector is down" can be told."""

HELD = frozenset({"sni_slow_handshake"})
"""Techniques that a probe must outwait to tell them from silence."""

SHARE_ERROR = 0.1
"""Relative error of the scenario's user shares: the lab knows them, a monitor never does quite."""

SPREAD = 0.6
"""Share of a tick over which the vantage points begin their rounds."""


def lines_of(scenario: Scenario) -> tuple[LabNetwork, ...]:
    """Its networks, and one abroad where it has none."""
    abroad = any(line.country != scenario.country for line in scenario.networks)
    return scenario.networks if abroad else (*scenario.networks, ABROAD)


def plan_of(scenario: Scenario) -> Plan:
    """The lab that it happens in."""
    networks = tuple(
        PlannedNetwork(line.asn, line.name, line.access, line.users_share, line.vantage_points)
        for line in lines_of(scenario)
    )
    keep = tuple(target for event in scenario.events for target in event.keep)
    targets = tuple(dict.fromkeys([*scenario.targets, *keep]))
    return Plan(scenario.country, networks, targets, is_ipv6=False)


def cut_of(scenario: Scenario, number: int) -> Cut:
    """What event ``number`` does."""
    event = scenario.events[number]
    return Cut(
        technique=event.technique,
        targets=event.targets,
        networks=_networks(scenario, event),
        compliance=event.compliance,
        seed=scenario.seed * 1000 + number,
        rate_kbps=event.rate_kbps or rate_of(event.technique),
        keep=event.keep,
        # A minute of the monitor's clock: else the trigger is seen once in an event, and then silence.
        residual_seconds=max(1, round(RESIDUAL_SECONDS / scenario.stretch)),
    )


def _networks(scenario: Scenario, event: ScenarioStep) -> tuple[int, ...]:
    """An outage of mobile lines is one of those networks alone that sell them."""
    if event.technique != "outage_mobile":
        return event.networks
    mobile = {line.asn for line in scenario.networks if line.access is Access.MOBILE}
    return tuple(asn for asn in event.networks if asn in mobile)


def shares_of(scenario: Scenario) -> UserWeights:
    """Its user shares, as the scope of an incident is reckoned with them."""
    networks = tuple(
        NetworkWeight(line.asn, line.users_share, line.access, line.name)
        for line in scenario.networks
        if line.country == scenario.country
    )
    return UserWeights(scenario.country, networks, SHARE_ERROR, f"the scenario {scenario.title!r}")


def duties_of(
    scenario: Scenario, points: tuple[VantagePoint, ...], settings: Settings, run_began: str
) -> list[Duty]:
    """What each vantage point does, in the order of the plan."""
    urls = tuple(_url(scenario, target) for target in scenario.targets)
    hosts = tuple(host for target in scenario.targets for host in hosts_of(target))
    settings = settings_for(scenario, settings)
    duties: list[Duty] = []
    for line in lines_of(scenario):
        own = [point for point in points if point.asn == line.asn]
        for nth, point in enumerate(own):
            number = len(duties)
            duties.append(
                Duty(
                    name=point.name,
                    vantage=ProbeVantage(line.country, line.asn, _network_type(line), run_began=run_began),
                    urls=urls,
                    hosts=hosts,
                    settings=settings,
                    fault=fault_of(line, nth),
                    transfer_every=scenario.transfer_every,
                    offset=SPREAD * scenario.tick * number / len(points),
                    seed=random.Random(f"{scenario.seed} {point.name}").randrange(1 << 30),
                )
            )
    return duties


def settings_for(scenario: Scenario, settings: Settings) -> Settings:
    """The profile in this scenario: what an allow-list may spare, and patience where handshakes are held."""
    settings = replace(settings, spared=spared_of(scenario))
    return patient(settings) if any(event.technique in HELD for event in scenario.events) else settings


def spared_of(scenario: Scenario) -> tuple[str, ...]:
    """Sites whose answer shows an allow-list where nothing else outside answers: all that the probes know."""
    keep = [target for event in scenario.events for target in event.keep]
    return tuple(dict.fromkeys(urls_of(target)[0] for target in (*scenario.targets, *keep)))


def _url(scenario: Scenario, target: str) -> str:
    """Its front page; over plain HTTP where a censor reads that, since only who types it so is hit."""
    plain = {t for event in scenario.events if event.technique == "http_blockpage" for t in event.targets}
    url = urls_of(target)[0]
    return url.replace("https:", "http:", 1) if target in plain else url


def fault_of(line: LabNetwork, nth: int) -> str:
    """Of the ``nth`` vantage point of a network, from 0: the last ones lie, those before them are broken."""
    from_the_end = line.vantage_points - nth
    if from_the_end <= line.lying:
        return "lying"
    if from_the_end <= line.lying + line.broken:
        return "broken"
    return "portal" if from_the_end <= line.lying + line.broken + line.portal else ""


def _network_type(line: LabNetwork) -> str:
    return "mobile" if line.access is Access.MOBILE else "wired_or_wifi"
