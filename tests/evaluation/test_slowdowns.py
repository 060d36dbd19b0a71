"""A general slow-down is found by the downloads of a few probes, and the figures have their rows."""

import pytest
from rich.console import Console

from fanous.model.incident import Incident
from fanous.model.score import SlowdownScore
from fanous_lab.evaluation import slowdowns
from fanous_lab.evaluation.simulate.series import SpeedCountry, rates
from fanous_lab.evaluation.slowdowns import slowdown_scores
from fanous_lab.evaluation.tables import print_slowdowns, slowdown_document
from tests.builders import DAY

SHORT = SpeedCountry(asns=(17557, 45669), days=1)


def test_a_probe_measures_every_five_minutes_next_to_three_targets_and_one_abroad_is_never_slowed() -> None:
    slowed = SpeedCountry(asns=SHORT.asns, days=1, slowed=((12.0, 18.0, 0.3),))
    calm, slow = (rates(country, 2, 1) for country in (SHORT, slowed))
    assert len(calm) == len(slow) == (2 * 2 + 1) * 288 * 3
    within = [(one.kbps, two.kbps) for one, two in zip(calm, slow, strict=True) if one.kbps != two.kbps]
    assert len(within) == 2 * 2 * 72 * 3
    assert all(two == pytest.approx(0.3 * one) for one, two in within)
    assert {one.country for one in calm} == {"PK", "SE"}
    evening = [one.kbps for one in calm if one.country == "PK" and 20 <= (one.at - DAY) / 3600 < 22]
    night = [one.kbps for one in calm if one.country == "PK" and 3 <= (one.at - DAY) / 3600 < 5]
    assert sum(evening) < 0.8 * sum(night), "other people take their share"


def test_a_row_says_what_was_found_how_soon_and_what_was_false(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SpeedCountry] = []

    def finds(country: SpeedCountry, number: float, seed: int) -> list[Incident]:
        asked.append(country)
        return []

    for name in ("_by_downloads", "_by_tests", "_by_both"):
        monkeypatch.setattr(slowdowns, name, finds)
    scores = list(slowdown_scores([1, 2]))
    assert len(scores) == len(slowdowns.PROBES) + 2 * len(slowdowns.TESTS)
    assert len(asked) == len(scores) * 2 * (len(slowdowns.LEFT) + len(slowdowns.EVENINGS))
    assert all(set(one.found.values()) == {0.0} for one in scores)
    assert [round(one.months * 365.25 / 12) for one in scores] == [2 * 7] * 3 + [2 * 16] * 6
    assert {day for country in asked for day, _ in country.crowded} == {6, 15}, "always the last"


SCORE = SlowdownScore(
    by="own downloads",
    number=2,
    found={0.3: 1.0},
    confirmed={0.3: 0.9},
    minutes={0.3: 20.0},
    false_suspected={"busy": 0.38},
    false_confirmed={"busy": 0.0},
    months=2.63,
)


def test_it_is_a_table_and_a_document() -> None:
    assert slowdown_document(SCORE)["minutes_to_confirm"] == {"0.3": 20.0}
    console = Console(width=200)
    with console.capture() as told:
        print_slowdowns(console, [SCORE])
    assert "30%" in told.get() and "0.90" in told.get() and "+20 min" in told.get()
    assert "busy: 0.00 confirmed, 0.38 suspected" in told.get()


def test_two_probes_on_each_of_three_networks_confirm_it_within_the_half_hour() -> None:
    country = SpeedCountry(asns=slowdowns.ASNS, days=3, slowed=((60.0, 66.0, 0.3),))
    (incident,) = slowdowns._by_downloads(country, 2, 1)
    assert incident.confirmed_at is not None
    assert 0 < incident.confirmed_at - (DAY + 60 * 3600) <= 1800
