"""What a disruption costs by published methods."""

from dataclasses import replace
from typing import Any

import pytest

from fanous.analysis.cost import (
    CEILING,
    SUSPECTED,
    UNKNOWN_SHARE,
    Cost,
    Disruption,
    Economy,
    Figure,
    Phrase,
    Range,
    cost_of,
    of_incident,
)
from fanous.model.incident import Estimate, Interval, Kind, Part, UsersShare
from fanous.model.place import Access
from fanous.refdata.countries import country_codes
from fanous.refdata.economies import economy
from tests.charts.events import NATION, ONGOING, START, incident

DAY = Disruption("PK", Kind.OUTAGE, 24)
POOR = Economy(
    country="PK",
    gdp=Figure(Phrase("GDP"), 8760e6, "US$ a year", 2023, "a test"),
    population=Figure(Phrase("population"), 10e6, "people", 2023, "a test"),
    users=Figure(Phrase("users"), 0.3, "share", 2023, "a test"),
    digital=None,
    cipesa=None,
    in_cipesa=False,
)
"""A million dollars an hour."""


def of(method: str, cost: Cost) -> Range | None:
    return next(one.per_hour for one in cost.estimates if one.method == method)


def a_day(cc: str, method: str) -> tuple[float, float]:
    """In millions of dollars, as printed."""
    found = cost_of(replace(DAY, country=cc), economy(cc))
    in_all = found.in_all(of(method, found))
    assert in_all is not None
    return round(in_all.low / 1e6, 1), round(in_all.high / 1e6, 1)


def test_kenya_costs_what_cipesa_published() -> None:
    assert a_day("KE", "cipesa") == (6.3, 6.3)


def test_a_full_shutdown_of_pakistan_costs_what_its_tiers_say() -> None:
    assert a_day("PK", "deloitte") == (3.7, 9.3)


def test_a_connected_economy_is_in_the_upper_tiers() -> None:
    rich = replace(POOR, users=Figure(Phrase("users"), 0.6, "share", 2023, "a test"))
    assert of("deloitte", cost_of(DAY, POOR)) == Range(4_000, 10_000)
    assert of("deloitte", cost_of(DAY, rich)) == Range(10_000, 19_000)


def test_without_a_gdp_people_are_counted() -> None:
    found = cost_of(DAY, replace(POOR, gdp=None))
    assert of("deloitte", found) == Range(0.6e6 / 24, 6.6e6 / 24)


@pytest.mark.parametrize(
    ("missing", "method", "why"),
    [
        ({"users": None}, "deloitte", "how many people use the internet"),
        ({"gdp": None, "population": None}, "deloitte", "neither GDP nor population"),
        ({}, "digital-share", "gives no digital share"),
        ({}, "cipesa", "about sub-Saharan Africa"),
        ({"in_cipesa": True}, "cipesa", "no daily figure for this country"),
    ],
)
def test_what_a_method_cannot_say_is_reported(missing: dict[str, Any], method: str, why: str) -> None:
    found = cost_of(DAY, replace(POOR, **missing))
    (estimate,) = [one for one in found.estimates if one.method == method]
    assert estimate.per_hour is None
    assert why in str(estimate.why)


def test_the_range_of_all_methods_is_from_the_lowest_to_the_highest() -> None:
    both = replace(POOR, digital=Figure(Phrase("digital"), 0.05, "share", 2016, "a test"))
    assert cost_of(DAY, both).per_hour == Range(4_000, 50_000)


@pytest.mark.parametrize(("digital", "ceiling"), [(None, CEILING), (0.05, 0.05)])
def test_no_estimate_exceeds_the_ceiling(digital: float | None, ceiling: float) -> None:
    claimed = replace(
        POOR,
        digital=None if digital is None else Figure(Phrase("digital"), digital, "share", 2016, "a test"),
        cipesa=Figure(Phrase("a day"), 24e9, "US$", 2017, "a test"),
    )
    found = cost_of(DAY, claimed)
    assert of("cipesa", found) == Range(1e6 * ceiling, 1e6 * ceiling)
    assert [one.is_capped for one in found.estimates] == [False, False, True]
    half = cost_of(replace(DAY, affected=Range(0.2, 0.5)), claimed)
    assert of("cipesa", half) == Range(1e6 * ceiling * 0.5, 1e6 * ceiling * 0.5)


def test_single_services_cost_from_nothing_to_a_whole_shutdown() -> None:
    blocked = of_incident(incident(targets=("x",)), START)
    assert blocked.dependence == Range(0, 1)
    assert any("depends on single services" in str(note) for note in blocked.notes)


def test_an_outage_costs_what_was_lost_of_the_level() -> None:
    outage = incident(kind=Kind.OUTAGE, targets=("",), level=Estimate(0.2, 0.1, 0.3))
    assert of_incident(outage, START).dependence == pytest.approx(Range(0.7, 0.9))
    of_platform = (Part("youtube", Kind.OUTAGE, ("outage.platform",), ("PK",)),)
    traffic = replace(outage, parts=of_platform)
    assert of_incident(traffic, START).dependence == Range(0, 1), "a platform's traffic is not the internet"


def test_the_traffic_of_one_platform_is_not_that_of_the_country() -> None:
    fell = incident(kind=Kind.OUTAGE, targets=("youtube",), level=Estimate(0.2, 0.1, 0.3))
    assert of_incident(fell, START).dependence == UNKNOWN_SHARE


def test_what_is_only_suspected_may_have_cost_nothing() -> None:
    assert of_incident(incident(confirmed_at=None), START).notes[0] == Phrase(SUSPECTED)
    assert Phrase(SUSPECTED) not in of_incident(incident(), START).notes


def test_hours_are_those_of_the_intervals_up_to_now() -> None:
    curfew = (Interval(START, START + 3600), Interval(START + 86_400, None))
    assert of_incident(incident(intervals=curfew), START + 86_400 + 7200).hours == 3


def test_the_users_are_those_that_were_affected() -> None:
    assert of_incident(incident(), START).affected == Range(0.05, 0.2)
    assert of_incident(incident(users=None), START).affected == Range(0, 1)
    networks = of_incident(incident(), START, counts_users=False)
    assert networks.affected == Range(0, 1), "a share of networks is not a share of users"
    mobile = incident(**ONGOING | NATION | {"access": Access.MOBILE, "users": UsersShare(0.9, 0.8, 1.0, 0.9)})
    assert of_incident(mobile, START).affected == Range(0, 1.0)


def test_the_world_bank_gives_two_hundred_economies() -> None:
    assert sum(economy(cc).gdp is not None for cc in country_codes()) >= 200
    assert economy("ZZ") == Economy("ZZ", None, None, None, None, None, False)


@pytest.mark.parametrize("cc", ["PK", "KE", "GB", "IR", "KP"])
def test_every_input_has_its_source_and_its_year(cc: str) -> None:
    for estimate in cost_of(replace(DAY, country=cc), economy(cc)).estimates:
        assert all(figure.source and 2000 < figure.year < 2030 for figure in estimate.inputs)
        assert (estimate.per_hour is None) == (not estimate.inputs)
