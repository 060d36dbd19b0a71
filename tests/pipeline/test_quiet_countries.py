"""In made-up countries in which nothing was cut, nothing is confirmed and hardly anything suspected."""

import pytest

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident
from fanous.pipeline.outages import outages_of
from fanous_lab.evaluation.simulate.series import COUNTRIES, SeriesCountry, quiet_month
from tests.each import each

SEEDS, CORE = range(6), range(2)
"""Of those that nothing was set by; the figures of the documents are of seeds 100 to 129."""


def claims(country: SeriesCountry, seed: int) -> list[Incident]:
    series = quiet_month(country, seed)
    return outages_of(DROP.found(series), Quantities(series), Setting("XA", None, "", ""))


@pytest.mark.parametrize("seeds", [CORE, pytest.param(SEEDS, marks=pytest.mark.matrix)], ids=["core", "all"])
@each("country", COUNTRIES, ids=lambda country: country.name)
def test_a_quiet_country_gives_no_confirmed_outage_and_few_suspicions(
    country: SeriesCountry, seeds: range
) -> None:
    found = [claims(country, seed) for seed in seeds]
    assert not [i for month in found for i in month if i.confirmed_at is not None]
    assert sum(map(len, found)) <= len(seeds) / 2, "at most one in two months"
