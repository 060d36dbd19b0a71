"""Methods: what an hour without any internet costs a whole country, by each published study.

Each gives an estimate before shares of users, of targets and the ceiling; ``reckon`` applies these.
"""

from collections.abc import Callable

from fanous.model.cost import Economy, Estimate, Figure, Range

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

Method = Callable[[Economy], Estimate]


def by_tier(economy: Economy) -> Estimate:
    """GDP of an hour times the shares of two tiers; without a GDP, dollars for each 10 million people."""
    name, title = "deloitte", "Deloitte 2016: share of GDP by tier of connectivity"
    if economy.users is None:
        return Estimate(name, title, None, "how many people use the internet there is not published")
    low, high = ("medium", "high") if economy.users.value >= HIGHLY_CONNECTED else ("low", "medium")
    why = f"tiers {low} to {high}: the study sorts by access, speed and use; only users are known here"
    if economy.gdp is not None:
        shares = tuple(
            Figure(f"share of daily GDP, {tier}", TIERS[tier], "share", 2016, DELOITTE)
            for tier in (low, high)
        )
        hour = economy.gdp.value / HOURS_OF_A_YEAR
        inputs = (economy.gdp, economy.users, *shares)
        return Estimate(name, title, Range(hour * TIERS[low], hour * TIERS[high]), why, inputs)
    if economy.population is None:
        return Estimate(name, title, None, "neither GDP nor population is published by the World Bank")
    tens = economy.population.value / 1e7
    dollars = [PER_TEN_MILLION[tier] * tens / HOURS_OF_A_DAY for tier in (low, high)]
    figures = tuple(
        Figure(f"a day for 10 million people, {tier}", PER_TEN_MILLION[tier], "US$", 2016, DELOITTE)
        for tier in (low, high)
    )
    why = f"no GDP is published: dollars for each 10 million people of an average economy; {why}"
    return Estimate(name, title, Range(*dollars), why, (economy.population, economy.users, *figures))


def by_digital_share(economy: Economy) -> Estimate:
    """All that is digital stands still."""
    name, title = "digital-share", "West, Brookings 2016: digital share of GDP"
    if economy.digital is None:
        return Estimate(
            name, title, None, "no figure of the digital share of this economy is cited by the study"
        )
    if economy.gdp is None:
        return Estimate(name, title, None, "no GDP is published by the World Bank")
    hour = economy.gdp.value / HOURS_OF_A_YEAR * economy.digital.value
    why = "as if all that is digital stood still and nothing were made up for later"
    return Estimate(name, title, Range(hour, hour), why, (economy.gdp, economy.digital))


def by_cipesa(economy: Economy) -> Estimate:
    """The figure that the study publishes for the country."""
    name, title = "cipesa", "CIPESA 2017: sub-Saharan Africa"
    if economy.cipesa is not None:
        hour = economy.cipesa.value / HOURS_OF_A_DAY
        why = "as published, in dollars of its year; the study adds that losses outlast the shutdown"
        return Estimate(name, title, Range(hour, hour), why, (economy.cipesa,))
    if economy.in_cipesa:
        return Estimate(
            name, title, None, "no daily figure of this country was at hand when this was written"
        )
    return Estimate(name, title, None, "the study is about sub-Saharan Africa")


METHODS: tuple[Method, ...] = (by_tier, by_digital_share, by_cipesa)
