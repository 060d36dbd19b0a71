"""Reckon: what a disruption costs, by each method, within a ceiling."""

from dataclasses import replace
from math import inf

from fanous.analysis.cost import words
from fanous.analysis.cost.methods import HOURS_OF_A_YEAR, METHODS
from fanous.model.cost import WHOLE, Cost, CostEstimate, Disruption, Economy, Phrase, Range
from fanous.model.incident import Incident, Kind, Scope
from fanous.model.place import Access

CEILING = 0.2
"""Share of GDP that no estimate exceeds where the digital share is not known: more than any study cites."""

UNKNOWN_SHARE = Range(0.0, 1.0)
HOUR = 3600.0


def cost_of(disruption: Disruption, economy: Economy) -> Cost:
    """Every method, whether or not it can say something."""
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


def of_incident(incident: Incident, now: float) -> Disruption:
    """What can be said of an incident: how long, whom it reached, what it stopped.

    Args:
        now: unix seconds, up to which it is reckoned while it goes on.
    """
    lasted = sum((now if one.end is None else one.end) - one.start for one in incident.intervals)
    affected, whom = _affected(incident)
    dependence, what = _dependence(incident)
    return Disruption(
        country=incident.country,
        kind=incident.kind,
        hours=max(0.0, lasted / HOUR),
        targets=incident.targets,
        affected=affected,
        dependence=dependence,
        notes=tuple(filter(None, (whom, what))),
    )


def _affected(incident: Incident) -> tuple[Range, Phrase]:
    users = incident.users
    if users is None:
        return UNKNOWN_SHARE, Phrase(words.USERS_UNKNOWN)
    if incident.access is Access.ANY or incident.scope is not Scope.NATION:
        return Range(users.low, users.high), Phrase(words.USERS_MEASURED)
    return Range(0.0, users.high), Phrase(words.USERS_OF[incident.access])


def _dependence(incident: Incident) -> tuple[Range, Phrase | None]:
    if incident.kind is not Kind.OUTAGE:
        return UNKNOWN_SHARE, Phrase(words.NO_DEPENDENCE)
    if incident.level is None:
        return WHOLE, None
    lost = Range(1 - min(1.0, incident.level.high), 1 - min(1.0, incident.level.low))
    return lost, Phrase(words.PART_LEFT)
