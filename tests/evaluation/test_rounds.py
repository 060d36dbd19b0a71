"""Own probes count time in rounds: a table of how many a block takes."""

import pytest
from rich.console import Console

from fanous.model.score import RoundsScore
from fanous_lab.evaluation.rounds import rounds_score
from fanous_lab.evaluation.tables import print_rounds


@pytest.mark.parametrize("minutes", [1, 5, 10])
def test_six_probes_on_three_networks_need_three_rounds(minutes: float) -> None:
    score = rounds_score(6, 3, minutes, most=4)
    assert (score.suspected, score.confirmed, score.is_kept) == (1, 3, True)
    assert score.ended in (1, 2)


def test_one_probe_confirms_nothing() -> None:
    score = rounds_score(1, 1, 5, most=6)
    assert (score.confirmed, score.ended, score.is_kept) == (None, None, False)


def test_it_is_a_table() -> None:
    console = Console(record=True, width=120)
    print_rounds(console, [RoundsScore(6, 3, 5, 1, 3, None, True)])
    words = console.export_text().splitlines()[-1].split()
    assert words == ["5", "min", "3", "6", "1", "(5", "min)", "3", "(15", "min)", "-", "yes"]
