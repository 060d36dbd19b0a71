"""A country that is slow for the hour is found; one that is merely busy is not."""

import pytest

from fanous.analysis.detectors.slowdown import SLOWDOWN
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Kind, Scope
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from fanous.pipeline.outages import outages_of
from fanous.refdata.users import weights
from fanous_lab.evaluation.simulate.series import SpeedCountry, speeds
from tests.builders import DAY

LAST = 15 * 24
"""Hours since the beginning; the last day, with two weeks before it."""

QUIET = SpeedCountry()
SLOWED = SpeedCountry(slowed=((LAST + 12, LAST + 24, 0.3),))


def measured(country: SpeedCountry, seed: int = 1) -> list[Series]:
    """Users' speed tests, and our own transfers on the same networks."""
    return speeds(country, "ndt", "ndt", seed) + speeds(country, "edge", "transfer", seed + 100)


def claims(series: list[Series]) -> tuple[list[Anomaly], list[Incident]]:
    found = SLOWDOWN.found(series)
    setting = Setting("PK", weights("PK"), "rules", "levels")
    return found, outages_of(found, Quantities(series), setting, Kind.SLOWDOWN)


@pytest.fixture(scope="module")
def slowed() -> list[Series]:
    return measured(SLOWED)


def test_a_national_slow_down_to_a_third_is_confirmed_once_m_labs_tables_can_tell(
    slowed: list[Series],
) -> None:
    _, (incident,) = claims(slowed)
    assert (incident.kind, incident.scope, incident.rule) == (Kind.SLOWDOWN, Scope.NATION, "C1")
    assert incident.mechanisms == ("slowdown.general",)
    begun = DAY + (LAST + 12) * 3600
    told = begun + 86_400  # M-Lab's tables are filled once a day
    assert incident.confirmed_at is not None and told < incident.confirmed_at <= told + 1800
    assert abs(incident.onset - begun) <= 900
    assert incident.level is not None and incident.level.mean == pytest.approx(0.3, abs=0.06)
    assert "hint.even_speed" not in {one.code for one in incident.hints}


def test_one_family_alone_is_suspected(slowed: list[Series]) -> None:
    _, incidents = claims([one for one in slowed if one.key.source == "ndt"])
    assert incidents and all(incident.confirmed_at is None for incident in incidents)


@pytest.mark.parametrize(
    "country",
    [
        pytest.param(QUIET, marks=pytest.mark.matrix),
        SpeedCountry(crowded=((15, 0.62),)),
        pytest.param(SpeedCountry(rush=0.6), marks=pytest.mark.matrix),
    ],
    ids=["quiet", "match", "narrow"],
)
def test_ordinary_evenings_are_no_slow_down(country: SpeedCountry) -> None:
    _, incidents = claims(measured(country, seed=3))
    assert incidents == []


def test_an_imposed_rate_hardly_varies() -> None:
    found, (incident,) = claims(measured(SpeedCountry(capped=((LAST + 12, LAST + 24, 1500.0),))))
    speed = [a for a in found if a.key.signal.endswith("_kbps") and a.start > DAY + LAST * 3600]
    assert speed and all(a.departure is not None and a.departure.steady for a in speed)
    assert Reason("hint.even_speed", {"share": 0.5}) in incident.hints


def test_a_few_steady_speeds_do_not_show_an_imposed_rate() -> None:
    found, _ = claims(measured(SpeedCountry(capped=((LAST + 12, LAST + 12.75, 1500.0),))))
    speed = [a for a in found if a.key.signal.endswith("_kbps") and a.start > DAY + LAST * 3600]
    assert speed and not any(a.departure is not None and a.departure.steady for a in speed)
