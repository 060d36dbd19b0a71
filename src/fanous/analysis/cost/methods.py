"""Methods: what an hour without any internet costs a whole country, by each published study.

Each gives an estimate before shares of users, of targets and the ceiling; ``reckon`` applies these.
"""

from collections.abc import Callable

from fanous.analysis.cost import words
from fanous.model.cost import CostEstimate, Economy, Figure, Phrase, Range

HOURS_OF_A_YEAR = 8760.0
HOURS_OF_A_DAY = 24.0

TIERS = {"low": 0.004, "medium": 0.010, "high": 0.019}
"""Share of a day's GDP that a day without internet costs, by how connected the economy is (Deloitte 2016)."""

PER_TEN_MILLION = {"low": 0.6e6, "medium": 6.6e6, "high": 23.6e6}
"""US$ a day for 10 million people, by the same study; of the average economy of each tier."""

HIGHLY_CONNECTED = 0.6
"""Share of internet users from which the upper two tiers are taken.  The study sorts by access, speed and
use; we know the users alone, so two neighbouring tiers are given and not one: our choice."""

DELOITTE = "Deloitte for GNI, The economic impact of disruptions to Internet connectivity"

Method = Callable[[Economy], CostEstimate]


def by_tier(economy: Economy) -> CostEstimate:
    """GDP of an hour times the shares of two tiers; without a GDP, dollars for each 10 million people."""
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
    """All that is digital stands still."""
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
