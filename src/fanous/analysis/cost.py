"""Cost: what a disruption may cost an economy, by published methods, each with its own formula: a range by method, with
everything that it was computed from; pure.

Each method estimates what an hour without any internet costs a whole country, before the shares of users and of targets
and the ceiling, which ``cost_of`` applies.  A method without a figure for a country says so.  The texts that give the
reason for each figure are here, next to the formulas; the catalogues translate them.

To add a method, write a function from an economy to an estimate of a whole shutdown, and add it to ``METHODS``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from fanous.model.incident import Incident, Kind, Scope
from fanous.model.instant import HOUR
from fanous.model.place import Access
from fanous.model.threshold import threshold


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with placeholders and their values, to be shown in the reader's language.

    Attributes:
        text: English, ``"tiers {low} to {high}"``.
        values: placeholder -> text as it is, another phrase, or a share (0..1).
    """

    text: str
    values: "dict[str, str | float | Phrase]" = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """In English."""
        filled = {name: percent(v) if isinstance(v, float) else str(v) for name, v in self.values.items()}
        return self.text.format(**filled)


def percent(share: float) -> str:
    """``5.3%``, ``20%``."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


@dataclass(frozen=True, slots=True)
class Range:
    """Low and high; equal where a method gives one figure."""

    low: float
    high: float

    def times(self, other: "Range") -> "Range":
        """The product; neither may be negative."""
        return Range(self.low * other.low, self.high * other.high)


WHOLE = Range(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure.

    Attributes:
        year: to which it refers.
    """

    name: Phrase
    value: float
    unit: str
    year: int
    source: str


@dataclass(frozen=True, slots=True)
class Economy:
    """What is known about a country; None = not published.

    Attributes:
        gdp: current US$ a year.
        population: people.
        users: share of people who use the internet, 0..1.
        digital: share of GDP that is digital, 0..1, as a study cites it.
        cipesa: US$ a day of a national shutdown, as CIPESA publishes it.
        in_cipesa: does that study cover the country's part of the world?
    """

    country: str
    gdp: Figure | None
    population: Figure | None
    users: Figure | None
    digital: Figure | None
    cipesa: Figure | None
    in_cipesa: bool


@dataclass(frozen=True, slots=True)
class Disruption:
    """The disruption whose cost is computed.

    Attributes:
        hours: how long it lasted.
        targets: empty = the line itself.
        parts: of the services among them only these parts were stopped (``telegram/client``).
        affected: share of users affected, 0..1.
        dependence: share of online activity that it stopped, 0..1; 1 for an outage.
        notes: where these shares come from, or why nothing narrower can be said.
    """

    country: str
    kind: Kind
    hours: float
    targets: tuple[str, ...] = ()
    affected: Range = WHOLE
    dependence: Range = WHOLE
    notes: tuple[Phrase, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """The estimate of one method.

    Attributes:
        method: a stable name.
        title: the study.
        per_hour: US$; None = it has no figure for this country, and ``why`` says why not.
        why: what to know about the figure.
        inputs: figures from which it was computed.
        is_capped: did the ceiling make it smaller?
    """

    method: str
    title: Phrase
    per_hour: Range | None
    why: Phrase
    inputs: tuple[Figure, ...] = ()
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """All methods side by side.

    Attributes:
        ceiling: share of GDP that no estimate exceeds.
        ceiling_why: why this ceiling.
    """

    disruption: Disruption
    estimates: tuple[CostEstimate, ...]
    ceiling: float
    ceiling_why: Phrase

    @property
    def per_hour(self) -> Range | None:
        """From the lowest to the highest figure of any method; None = no method has one."""
        said = [one.per_hour for one in self.estimates if one.per_hour is not None]
        return Range(min(r.low for r in said), max(r.high for r in said)) if said else None

    def in_all(self, per_hour: Range | None) -> Range | None:
        """US$ for the whole disruption."""
        hours = Range(self.disruption.hours, self.disruption.hours)
        return None if per_hour is None else per_hour.times(hours)


HOURS_OF_A_YEAR = 8760.0
HOURS_OF_A_DAY = 24.0

TIERS = {"low": 0.004, "medium": 0.010, "high": 0.019}
"""Share of a day's GDP that a day without internet costs, by how connected the economy is (Deloitte 2016)."""

PER_TEN_MILLION = {"low": 0.6e6, "medium": 6.6e6, "high": 23.6e6}
"""US$ a day per 10 million people in the average economy of each tier, by the same study."""

HIGHLY_CONNECTED = threshold(
    "cost.highly_connected",
    0.6,
    "Share of internet users from which the upper two tiers are taken. The study sorts by access, speed and "
    "use, and only users are known here: our choice.",
)

DELOITTE = "Deloitte for GNI, The economic impact of disruptions to Internet connectivity"

# --- what is said of the figures ---------------------------------------------------------------------------

DELOITTE_TITLE = "Deloitte 2016: share of GDP by tier of connectivity"
DIGITAL_TITLE = "West, Brookings 2016: digital share of GDP"
CIPESA_TITLE = "CIPESA 2017: sub-Saharan Africa"

TIER_NAMES = {"low": "low", "medium": "medium", "high": "high"}
TIER_SHARE = "share of daily GDP, {tier}"
TEN_MILLION = "a day for 10 million people, {tier}"

BY_USERS = "tiers {low} to {high}: the study ranks countries by access, speed and use; only user numbers are known here"
BY_PEOPLE = "no GDP is published: dollars per 10 million people in an average economy; {why}"
ALL_STILL = "assumes that all digital activity stops and none of it is made up for later"
AS_PUBLISHED = "as published, in dollars of its year; the study adds that losses outlast the shutdown"

NO_USERS = "how many people use the internet there is not published"
NEITHER = "neither GDP nor population is published by the World Bank"
NO_GDP = "no GDP is published by the World Bank"
NO_DIGITAL = "the study gives no digital share for this economy"
NO_DAY = "no daily figure for this country was available when this was written"
ELSEWHERE = "the study is about sub-Saharan Africa"

CEILING_KNOWN = "the digital share of GDP ({source}, {year})"
CEILING_UNKNOWN = "the digital share of GDP is not known; at most {share} is assumed"

NO_DEPENDENCE = (
    "no study says what share of an economy depends on single services: the high figure is that of a full "
    "shutdown, the low one is zero"
)
DEPENDENCE_GIVEN = "share of online activity: as given"
PART_LEFT = "part of the usual level was left; only what was lost counts"

SUSPECTED = "the incident is only suspected: there may have been no disruption, and no cost"

USERS_UNKNOWN = "the share of users affected is not known: from none to all"
USERS_MEASURED = "share of users affected: as measured, with its 90 % interval"
USERS_GIVEN = "share of users affected: as given"
USERS_OF = {
    "mobile": "only users of mobile networks are affected: at most their share",
    "fixed": "only users of fixed lines are affected: at most their share",
}
REGION_UNKNOWN = (
    "the population of {region} is not known: from none to all of {country}; give a share with --affected"
)
REGION_SHARE = "{region}: {share} of the population ({source}), taken as its share of the economy"

NAMES = (
    "GDP",
    "population",
    "people who use the internet",
    "digital share of GDP",
    "a day of a national shutdown",
)
"""Sources of published figures (``refdata.economies``)."""

TEXTS = (
    *(DELOITTE_TITLE, DIGITAL_TITLE, CIPESA_TITLE, *TIER_NAMES.values(), TIER_SHARE, TEN_MILLION),
    *(BY_USERS, BY_PEOPLE, ALL_STILL, AS_PUBLISHED),
    *(NO_USERS, NEITHER, NO_GDP, NO_DIGITAL, NO_DAY, ELSEWHERE),
    *(CEILING_KNOWN, CEILING_UNKNOWN, NO_DEPENDENCE, DEPENDENCE_GIVEN, PART_LEFT, SUSPECTED),
    *(USERS_UNKNOWN, USERS_MEASURED, USERS_GIVEN, *USERS_OF.values(), REGION_UNKNOWN, REGION_SHARE),
    *NAMES,
)
"""All of them, for the test that compares the catalogues."""

# --- methods ------------------------------------------------------------------------------------------------

Method = Callable[[Economy], CostEstimate]


def by_tier(economy: Economy) -> CostEstimate:
    """An hour's GDP times the shares of two tiers; without a GDP, dollars per 10 million people."""
    name, title = "deloitte", Phrase(DELOITTE_TITLE)
    if economy.users is None:
        return CostEstimate(name, title, None, Phrase(NO_USERS))
    low, high = ("medium", "high") if economy.users.value >= HIGHLY_CONNECTED else ("low", "medium")
    named = {"low": Phrase(TIER_NAMES[low]), "high": Phrase(TIER_NAMES[high])}
    why = Phrase(BY_USERS, dict(named))
    if economy.gdp is not None:
        shares = tuple(
            Figure(_of_tier(TIER_SHARE, tier), TIERS[tier], "share", 2016, DELOITTE) for tier in (low, high)
        )
        hour = economy.gdp.value / HOURS_OF_A_YEAR
        inputs = (economy.gdp, economy.users, *shares)
        return CostEstimate(name, title, Range(hour * TIERS[low], hour * TIERS[high]), why, inputs)
    if economy.population is None:
        return CostEstimate(name, title, None, Phrase(NEITHER))
    tens = economy.population.value / 1e7
    dollars = [PER_TEN_MILLION[tier] * tens / HOURS_OF_A_DAY for tier in (low, high)]
    figures = tuple(
        Figure(_of_tier(TEN_MILLION, tier), PER_TEN_MILLION[tier], "US$", 2016, DELOITTE)
        for tier in (low, high)
    )
    why = Phrase(BY_PEOPLE, {"why": why})
    return CostEstimate(name, title, Range(*dollars), why, (economy.population, economy.users, *figures))


def by_digital_share(economy: Economy) -> CostEstimate:
    """The cost if everything digital stood still."""
    name, title = "digital-share", Phrase(DIGITAL_TITLE)
    if economy.digital is None:
        return CostEstimate(name, title, None, Phrase(NO_DIGITAL))
    if economy.gdp is None:
        return CostEstimate(name, title, None, Phrase(NO_GDP))
    hour = economy.gdp.value / HOURS_OF_A_YEAR * economy.digital.value
    return CostEstimate(name, title, Range(hour, hour), Phrase(ALL_STILL), (economy.gdp, economy.digital))


def by_cipesa(economy: Economy) -> CostEstimate:
    """The figure that the study publishes for the country."""
    name, title = "cipesa", Phrase(CIPESA_TITLE)
    if economy.cipesa is not None:
        hour = economy.cipesa.value / HOURS_OF_A_DAY
        return CostEstimate(name, title, Range(hour, hour), Phrase(AS_PUBLISHED), (economy.cipesa,))
    if economy.in_cipesa:
        return CostEstimate(name, title, None, Phrase(NO_DAY))
    return CostEstimate(name, title, None, Phrase(ELSEWHERE))


def _of_tier(text: str, tier: str) -> Phrase:
    return Phrase(text, {"tier": Phrase(TIER_NAMES[tier])})


METHODS: tuple[Method, ...] = (by_tier, by_digital_share, by_cipesa)


CEILING = threshold(
    "cost.ceiling",
    0.2,
    "Share of GDP that no estimate exceeds if the digital share is unknown: more than any study cites.",
)

UNKNOWN_SHARE = Range(0.0, 1.0)


def cost_of(disruption: Disruption, economy: Economy) -> Cost:
    """Estimates of every method, including those that lack a figure."""
    digital = economy.digital
    ceiling = CEILING if digital is None else digital.value
    why = (
        Phrase(CEILING_UNKNOWN, {"share": CEILING})
        if digital is None
        else Phrase(CEILING_KNOWN, {"source": digital.source, "year": str(digital.year)})
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
    doubt = Phrase(SUSPECTED) if incident.confirmed_at is None else None
    return Disruption(
        country=incident.country,
        kind=incident.kind,
        hours=max(0.0, lasted / HOUR),
        targets=incident.targets,
        affected=affected,
        dependence=dependence,
        notes=tuple(filter(None, (doubt, whom, what))),
        parts=tuple(name for name in incident.named if name not in incident.targets),
    )


def _affected(incident: Incident, *, counts_users: bool) -> tuple[Range, Phrase]:
    users = incident.users
    if users is None or not counts_users:
        return UNKNOWN_SHARE, Phrase(USERS_UNKNOWN)
    if incident.access is Access.ANY or incident.scope is not Scope.NATION:
        return Range(users.low, users.high), Phrase(USERS_MEASURED)
    return Range(0.0, users.high), Phrase(USERS_OF[incident.access])


def _dependence(incident: Incident) -> tuple[Range, Phrase | None]:
    if incident.kind is not Kind.OUTAGE or incident.is_of_traffic:
        return UNKNOWN_SHARE, Phrase(NO_DEPENDENCE)
    if incident.level is None:
        return WHOLE, None
    lost = Range(1 - min(1.0, incident.level.high), 1 - min(1.0, incident.level.low))
    return lost, Phrase(PART_LEFT)
