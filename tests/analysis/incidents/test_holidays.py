"""On a feast people do less every year; a cut on the same day is reported nevertheless, and phones were cut on many."""

from dataclasses import replace

import pytest

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident
from fanous.model.place import Place
from fanous.model.series import Series
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, key
from tests.builders import DAY

DAYS = 400
FEAST = 380 * 24
"""Hours since the beginning; Ashura was a lunar year before."""
LUNAR = 354 * 24
MORNING, EVENING = 6, 20

MOBILE = Place("XA", 45669)


def usage(place: Place | None = None, *, now: float = 0.72, last_year: float = 0.72, seed: int = 1) -> Series:
    """Traffic of a place whose people do a quarter less on the feast, in both years."""
    series = daily(DAYS, noise=0.02, step=3600, signal="gtr", seed=seed)
    series = replace(series, key=key("gtr", place))
    then = FEAST - LUNAR
    series = cut(series, then + MORNING, then + EVENING, last_year)
    return cut(series, FEAST + MORNING, FEAST + EVENING, now)


def found(*series: Series) -> list[Incident]:
    return [
        incident
        for incident in found_in(Quantities(series), Setting("XA", None, "rules", "levels"))
        if incident.end is None or incident.end > DAY + FEAST * HOUR
    ]


def began(incident: Incident) -> float:
    return (incident.onset - DAY) / HOUR - FEAST


def test_the_feast_itself_is_suspected_neither_of_the_country_nor_of_a_network() -> None:
    assert found(usage()) == []
    assert found(usage(last_year=1.0)), "without the year before, it would be"
    assert found(usage(), usage(MOBILE, seed=2)) == []


@pytest.mark.parametrize("left", [0.1, 0.3, 0.5])
def test_a_cut_on_a_feast_is_found_and_is_not_a_holiday(left: float) -> None:
    (incident,) = found(usage(now=left))
    assert began(incident) == pytest.approx(MORNING, abs=1)
    assert incident.level is not None and incident.level.mean == pytest.approx(left, abs=0.05)


@pytest.mark.parametrize("last_year", [0.72, 0.3])
def test_phones_cut_on_a_feast_are_found_though_they_were_cut_the_year_before(last_year: float) -> None:
    (incident,) = found(usage(), usage(MOBILE, now=0.3, last_year=last_year, seed=2))
    assert incident.entities == ("AS45669",)
    assert began(incident) == pytest.approx(MORNING, abs=1)


def test_a_cut_on_an_election_day_is_confirmed_by_the_addresses_that_it_takes_along() -> None:
    addresses = replace(daily(DAYS, noise=0.005, swing=0, step=3600, signal="ping-slash24"), key=key())
    (incident,) = found(usage(now=0.4), cut(addresses, FEAST + MORNING, FEAST + EVENING, 0.8))
    assert incident.confirmed_at is not None and incident.rule == "C3"
    assert incident.end == pytest.approx(DAY + (FEAST + EVENING) * HOUR, abs=3600)
