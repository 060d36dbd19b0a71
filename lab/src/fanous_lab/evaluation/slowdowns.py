"""Slow-downs: how many probes or speed tests show one, how soon, and how many false ones rush hours cause.

Own downloads go through the detector of slow probes and the rules of confirmation, speed tests through that of
quantities; both are made by ``evaluation.simulate``, which shares nothing with either.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.score import SlowdownScore
from fanous.model.series import Series
from fanous.pipeline.interference import slowdowns_of
from fanous.pipeline.judge import rules_version
from fanous.pipeline.outages import found_in
from fanous_lab.evaluation.simulate.series import FIRST_DAY, SpeedCountry, rates, speeds

COUNTRY = "PK"
ASNS = (45669, 59257, 24499)
"""Three of the largest networks: a national slow-down must be found without figures from the others."""

DAYS_OF_DOWNLOADS, DAYS_OF_TESTS = 7, 16
"""A probe has a baseline after three days at each hour, a series of tests after two weeks."""

LASTED = 6.0
"""Hours that a slow-down lasts, from noon of the last day on."""

LEFT = (0.3, 0.5)
"""Shares of the speed that remain: Iran left 10 to 40 % in 2012 and 2013 (Anderson 2013); half is the mildest that
is suspected of one family."""

PROBES = (1, 2, 3)
TESTS = (0.2, 1.0, 4.0)
"""Own probes on each network (a round every five minutes), or speed tests per minute on each network."""

SEEDS = range(7000, 7010)
"""Seeds to report, never used to set anything."""

EVENINGS = {
    "ordinary": SpeedCountry(asns=ASNS),
    "busy (60 % lost every evening)": SpeedCountry(asns=ASNS, rush=0.6),
    "a match on the last (62 % lost)": SpeedCountry(asns=ASNS, crowded=((-1, 0.62),)),
}
MONTH = 365.25 / 12

Find = Callable[[SpeedCountry, float, int], list[Incident]]


def slowdown_scores(seeds: Sequence[int] = SEEDS) -> Iterator[SlowdownScore]:
    """One row per source and number, as each is computed."""
    for number in PROBES:
        yield _score("own downloads, probes a network", number, _by_downloads, DAYS_OF_DOWNLOADS, seeds)
    for tests in TESTS:
        yield _score("speed tests (NDT), a minute and network", tests, _by_tests, DAYS_OF_TESTS, seeds)
    for tests in TESTS:
        yield _score("these and own transfers as series", tests, _by_both, DAYS_OF_TESTS, seeds)


def _score(by: str, number: float, find: Find, days: int, seeds: Sequence[int]) -> SlowdownScore:
    began = FIRST_DAY + (days - 0.5) * DAY
    found = dict[float, float]()
    confirmed = dict[float, float]()
    minutes = dict[float, float | None]()
    for share in LEFT:
        noon = days * 24 - 12.0
        slowed = SpeedCountry(asns=ASNS, days=days, slowed=((noon, noon + LASTED, share),))
        incidents = [_of_it(find(slowed, number, seed), began) for seed in seeds]
        found[share] = sum(i is not None for i in incidents) / len(incidents)
        sure = [i.confirmed_at for i in incidents if i is not None and i.confirmed_at is not None]
        confirmed[share] = len(sure) / len(incidents)
        minutes[share] = median((at - began) / 60 for at in sure) if sure else None
    false = {
        name: [incident for seed in seeds for incident in find(_ending(country, days), number, seed)]
        for name, country in EVENINGS.items()
    }
    months = len(seeds) * days / MONTH
    return SlowdownScore(
        by=by,
        number=number,
        found=found,
        confirmed=confirmed,
        minutes=minutes,
        false_suspected={
            n: sum(i.confirmed_at is None for i in incidents) / months for n, incidents in false.items()
        },
        false_confirmed={
            n: sum(i.confirmed_at is not None for i in incidents) / months for n, incidents in false.items()
        },
        months=months,
    )


def _ending(country: SpeedCountry, days: int) -> SpeedCountry:
    """The country for this many days; its crowded evenings are counted from the last."""
    return replace(country, days=days, crowded=tuple((days + day, lost) for day, lost in country.crowded))


def _of_it(incidents: Sequence[Incident], began: float) -> Incident | None:
    """The incident that is on during the slow-down."""
    during = [incident for incident in incidents if incident.is_on(began, began + LASTED * HOUR)]
    return min(during, key=lambda incident: incident.confirmed_at is None, default=None)


def _by_downloads(country: SpeedCountry, number: float, seed: int) -> list[Incident]:
    setting = Setting(COUNTRY, None, rules_version(), "")
    incidents = slowdowns_of(rates(country, int(number), seed, code=COUNTRY), setting)
    return [incident for incident in incidents if incident.kind is Kind.SLOWDOWN]


def _by_tests(country: SpeedCountry, number: float, seed: int) -> list[Incident]:
    return _in_series(speeds(replace(country, tests_a_minute=number), "ndt", "ndt", seed, code=COUNTRY))


def _by_both(country: SpeedCountry, number: float, seed: int) -> list[Incident]:
    measured = replace(country, tests_a_minute=number)
    users = speeds(measured, "ndt", "ndt", seed, code=COUNTRY)
    return _in_series(users + speeds(measured, "edge", "transfer", seed + 1000, code=COUNTRY))


def _in_series(series: Sequence[Series]) -> list[Incident]:
    return found_in(Quantities(()), Setting(COUNTRY, None, rules_version(), ""), series)
