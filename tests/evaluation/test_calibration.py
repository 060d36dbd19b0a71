"""Confidences compared with the truth, on made-up weeks, the lab's table and a labelled corpus."""

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from fanous.analysis.incidents.outage import SURE
from fanous.model.score import Stated, calibrate, wilson
from fanous_lab.evaluation.calibration import (
    REPORTING_SEEDS,
    SHORT_SEEDS,
    SPENT_SEEDS,
    TUNING_SEEDS,
    of_lab,
    of_short_histories,
    of_weeks,
)
from fanous_lab.evaluation.rehearsal.cases import TechniqueResult, append
from fanous_lab.evaluation.simulate.votes import WEEK_START, Trouble, Week, measured, week_of
from fanous_lab.evaluation.tables import print_calibration


def test_a_brier_score_is_the_mean_square_of_what_was_wrong() -> None:
    one = calibrate("a", [Stated(1.0, True), Stated(0.9, False), Stated(0.5, True)])
    assert one.brier == pytest.approx((0 + 0.81 + 0.25) / 3)
    assert [(c.low, c.n, c.right) for c in one.classes] == [(0.5, 1, 1.0), (0.9, 1, 0.0), (0.995, 1, 1.0)]
    assert (calibrate("b", []).brier, calibrate("b", []).classes) == (None, ())


def test_an_interval_of_few_is_wide() -> None:
    assert wilson(10, 10)[0] == pytest.approx(0.722, abs=0.001)
    assert wilson(0, 1)[1] > 0.75


def test_seeds_that_are_reported_were_not_there_to_tune_on() -> None:
    assert not {*TUNING_SEEDS, *SPENT_SEEDS} & set(REPORTING_SEEDS)


def test_a_restriction_is_right_and_a_week_without_one_is_wrong() -> None:
    confirmed, suspected, stretches = of_weeks("ordinary", [1, 2, 3, 4, 5, 6])
    assert confirmed.n >= 1 and stretches.n >= confirmed.n + suspected.n
    assert confirmed.right >= 1
    assert all(each.high <= 0.9 for each in suspected.classes)


def test_weeks_hold_what_is_said_of_them() -> None:
    assert week_of(7) == week_of(7) != week_of(8)
    cut = Trouble(50, 60, frozenset([1]), 1.0, real=True)
    bad = Trouble(100, 110, frozenset([1]), 1.0, frozenset(["a"]), local=True)
    week = Week(0.0, 1.0, {(1, "a"): 5.0, (1, "b"): 5.0, (2, "c"): 5.0}, (cut, bad), 1.0)
    votes, abroad = measured(week, 1)
    hours = (votes.times - WEEK_START) / 3600
    in_cut = (hours >= 50) & (hours < 60) & (votes.asns == 1)
    in_bad = (hours >= 100) & (hours < 110) & (votes.probes == "a")
    assert votes.seen[in_cut].all() and votes.controlled[in_cut].all()
    assert votes.seen[in_bad].all() and votes.controlled[in_bad].mean() < 0.4
    assert not votes.seen[~in_cut & ~in_bad].any()
    assert not abroad.seen.any() and len(abroad)


def test_some_weeks_hold_faults_that_networks_share() -> None:
    shared = [t for seed in range(40) for t in week_of(seed, 0.6).troubles if len(t.networks) > 1]
    assert shared and all(t.local and not t.real and not t.probes for t in shared)
    assert not any(len(t.networks) > 1 for seed in range(40) for t in week_of(seed, 0.0).troubles)


def test_the_lab_says_how_many_of_its_runs_kept_confidences(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    new = TechniqueResult(technique="a", placement="isp", seed=1, claims=[(0.99, True), (0.95, False)])
    append(path, [TechniqueResult(technique="b", placement="isp", seed=1), new])
    with path.open("ab") as file:  # a line of before
        file.write(msgspec.json.encode({"technique": "c", "placement": "isp", "seed": 2}) + b"\n")
    found = of_lab(path)
    assert (found.n, found.right) == (2, 1)
    assert found.remark == "2 of 3 results predate the recording of confidences"


def test_people_see_the_diagram() -> None:
    console = Console(width=120, record=True, file=StringIO())
    claims = [Stated(0.999, True)] * 9 + [Stated(0.92, False)]
    print_calibration(console, calibrate("weeks", claims, "made up"))
    text = console.export_text()
    assert "n = 10, 9 right" in text and "made up" in text
    assert "#######" in text and "|" in text


def test_outages_of_a_short_history_are_surer_than_stated_and_never_certain() -> None:
    found = of_short_histories(SHORT_SEEDS[:8])
    assert found.n >= 10
    assert all(one.stated <= SURE + 1e-9 for one in found.classes)
    assert found.right >= SURE * found.n
