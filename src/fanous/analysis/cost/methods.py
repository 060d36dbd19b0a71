"""Methods: what an hour without any internet costs a whole country by each published study, and what a disruption
costs.

Each method gives an estimate before the shares of users and of targets and the ceiling, which ``cost_of`` applies.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf

from fanous.analysis.cost import words
from fanous.model.cost import WHOLE, Cost, CostEstimate, Disruption, Economy, Figure, Phrase, Range
from fanous.model.incident import Incident, Kind, Scope
from fanous.model.instant import HOUR
from fanous.model.place import Access

HOURS_OF_A_YEAR = 8760.0
HOURS_OF_A_DAY = 24.0

TIERS = {"low": 0.004, "medium": 0.010, "high": 0.019}
"""Share of a day's GDP that a day without internet costs, by how connected the economy is (Deloitte 2016)."""

PER_TEN_MILLION = {"low": 0.6e6, "medium": 6.6e6, "high": 23.6e6}
"""US$ a day per 10 million people in the average economy of each tier, by the same study."""

HIGHLY_CONNECTED = 0.6
"""Share of internet users from which the upper two tiers apply.  The study sorts by access, speed and use; we know only
the users, so we chose to give two neighbouring tiers instead of one."""

DELOITTE = "Deloitte for GNI, The economic impact of disruptions to Internet connectivity"

Method = Callable[[Economy], CostEstimate]


def by_tier(economy: Economy) -> CostEstimate:
    """An hour's GDP times the shares of two tiers; without a GDP, dollars per 10 million people."""
    name, title = "deloitte", Phrase(words.DELOITTE)
    if economy.users is None:
        return CostEstimate(name, title, None, Phrase(words.NO_USERS))
    low, high = ("medium", "high") if economy.users.value >= HIGHLY_CONNECTED else ("low", "medium")
    named = {"low": Phrase(words.TIERS[low]), "high": Phrase(words.TIERS[high])}
    why = Phrase(words.BY_USERS, dict(named))
    if economy.gdp is not None:
        shares = tuple(
            Figure(_of_tier(words.TIER_SHARE, tier), TIERS[tier], "share", 2016, DELOITTE)
            for tier in (low, high)
        )
        hour = economy.gdp.value / HOURS_OF_A_YEAR
        inputs = (economy.gdp, economy.users, *shares)
        return CostEstimate(name, title, Range(hour * TIERS[low], hour * TIERS[high]), why, inputs)
    if economy.population is None:
        return CostEstimate(name, title, None, Phrase(words.NEITHER))
    tens = economy.population.value / 1e7
    dollars = [PER_TEN_MILLION[tier] * tens / HOURS_OF_A_DAY for tier in (low, high)]
    figures = tuple(
        Figure(_of_tier(words.TEN_MILLION, tier), PER_TEN_MILLION[tier], "US$", 2016, DELOITTE)
        for tier in (low, high)
    )
    why = Phrase(words.BY_PEOPLE, {"why": why})
    return CostEstimate(name, title, Range(*dollars), why, (economy.population, economy.users, *figures))


def by_digital_share(economy: Economy) -> CostEstimate:
    """The cost if everything digital stood still."""
    name, title = "digital-share", Phrase(words.DIGITAL)
    if economy.digital is None:
        return CostEstimate(name, title, None, Phrase(words.NO_DIGITAL))
    if economy.gdp is None:
        return CostEstimate(name, title, None, Phrase(words.NO_GDP))
    hour = economy.gdp.value / HOURS_OF_A_YEAR * economy.digital.value
    return CostEstimate(
        name, title, Range(hour, hour), Phrase(words.ALL_STILL), (economy.gdp, economy.digital)
    )


def by_cipesa(economy: Economy) -> CostEstimate:
    """The figure that the study publishes for the country."""
    name, title = "cipesa", Phrase(words.CIPESA)
    if economy.cipesa is not None:
        hour = economy.cipesa.value / HOURS_OF_A_DAY
        return CostEstimate(name, title, Range(hour, hour), Phrase(words.AS_PUBLISHED), (economy.cipesa,))
    if economy.in_cipesa:
        return CostEstimate(name, title, None, Phrase(words.NO_DAY))
    return CostEstimate(name, title, None, Phrase(words.ELSEWHERE))


def _of_tier(text: str, tier: str) -> Phrase:
    return Phrase(text, {"tier": Phrase(words.TIERS[tier])})


METHODS: tuple[Method, ...] = (by_tier, by_digital_share, by_cipesa)


CEILING = 0.2
"""Share of GDP that no estimate exceeds if the digital share is not known: more than any study cites."""

UNKNOWN_SHARE = Range(0.0, 1.0)


def cost_of(disruption: Disruption, economy: Economy) -> Cost:
    """Estimates of every method, including those that lack a figure."""
    digital = economy.digital
    ceiling = CEILING if digital is None else digital.value
    why = (
        Phrase(words.CEILING_UNKNOWN, {"share": CEILING})
        if digital is None
        else Phrase(words.CEILING_KNOWN, {"source": digital.source, "year": str(digital.year)})
    )
    share = disruption.affected.times(disruption.dependence)
    most = inf if economy.gdp is None else economy.gdp.value / HOURS_OF_A_YEAR * ceiling * share.high
    estimates = tuple(_within(method(economy), share, most) for method in METHODS)
    return Cost(disruption, estimates, ceiling, why)


def _within(whole: CostEstimate, share: Range, most: float) -> CostEstimate:
    if whole.per_hour is None:
        return whole
    part = whole.per_hour.times(share)
    capped = Range(min(part.low, most), min(part.high, most))
    return replace(whole, per_hour=capped, is_capped=capped != part)


def of_incident(incident: Incident, until: float, *, counts_users: bool = True) -> Disruption:
    """The disruption of an incident: how long it lasted, whom it affected and what it stopped.

    Args:
        until: unix seconds; up to when an incident without an end is known to have gone on.
        counts_users: its shares are of users; without user figures they are of networks, and say nothing of users.
    """
    lasted = sum((until if one.end is None else one.end) - one.start for one in incident.intervals)
    affected, whom = _affected(incident, counts_users=counts_users)
    dependence, what = _dependence(incident)
    doubt = Phrase(words.SUSPECTED) if incident.confirmed_at is None else None
    return Disruption(
        country=incident.country,
        kind=incident.kind,
        hours=max(0.0, lasted / HOUR),
        targets=incident.targets,
        affected=affected,
        dependence=dependence,
        notes=tuple(filter(None, (doubt, whom, what))),
    )


def _affected(incident: Incident, *, counts_users: bool) -> tuple[Range, Phrase]:
    users = incident.users
    if users is None or not counts_users:
        return UNKNOWN_SHARE, Phrase(words.USERS_UNKNOWN)
    if incident.access is Access.ANY or incident.scope is not Scope.NATION:
        return Range(users.low, users.high), Phrase(words.USERS_MEASURED)
    return Range(0.0, users.high), Phrase(words.USERS_OF[incident.access])


def _dependence(incident: Incident) -> tuple[Range, Phrase | None]:
    if incident.kind is not Kind.OUTAGE or incident.is_of_traffic:
        return UNKNOWN_SHARE, Phrase(words.NO_DEPENDENCE)
    if incident.level is None:
        return WHOLE, None
    lost = Range(1 - min(1.0, incident.level.high), 1 - min(1.0, incident.level.low))
    return lost, Phrase(words.PART_LEFT)
