"""Words: texts about costs, with placeholders; translations are in the catalogues.

``TEXTS`` contains all of them, for the test that compares the catalogues.
"""

DELOITTE = "Deloitte 2016: share of GDP by tier of connectivity"
DIGITAL = "West, Brookings 2016: digital share of GDP"
CIPESA = "CIPESA 2017: sub-Saharan Africa"

TIERS = {"low": "low", "medium": "medium", "high": "high"}
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
    *(DELOITTE, DIGITAL, CIPESA, *TIERS.values(), TIER_SHARE, TEN_MILLION),
    *(BY_USERS, BY_PEOPLE, ALL_STILL, AS_PUBLISHED),
    *(NO_USERS, NEITHER, NO_GDP, NO_DIGITAL, NO_DAY, ELSEWHERE),
    *(CEILING_KNOWN, CEILING_UNKNOWN, NO_DEPENDENCE, DEPENDENCE_GIVEN, PART_LEFT, SUSPECTED),
    *(USERS_UNKNOWN, USERS_MEASURED, USERS_GIVEN, *USERS_OF.values(), REGION_UNKNOWN, REGION_SHARE),
    *NAMES,
)
