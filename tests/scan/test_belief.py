"""Beliefs about blocks."""

import numpy as np
import pytest

from fanous.scan.rounds import HIGHEST, LOWEST, undecided, updated


def after(belief: float, available: float, answers: str) -> float:
    """The belief after answers: ``+`` came, ``-`` did not."""
    for answer in answers:
        belief = float(updated(np.array([belief]), np.array([available]), np.array([answer == "+"]))[0])
    return belief


@pytest.mark.parametrize("available", [0.1, 0.5, 0.9])
def test_one_answer_says_that_a_block_is_up(available: float) -> None:
    assert after(0.5, available, "+") > 0.9
    assert after(LOWEST, available, "+++") > 0.9


@pytest.mark.parametrize(("available", "silences"), [(0.99, 2), (0.9, 3), (0.8, 5), (0.5, 10), (0.4, 14)])
def test_the_rarer_a_block_answers_the_longer_its_silence_must_be(available: float, silences: int) -> None:
    assert after(HIGHEST, available, "-" * (silences - 1)) >= 0.1
    assert after(HIGHEST, available, "-" * silences) < 0.1


def test_a_belief_never_becomes_certain() -> None:
    assert after(0.5, 0.9, "+" * 50) == HIGHEST
    assert after(0.5, 0.9, "-" * 50) == LOWEST


def test_bayes_is_right_in_one_case_by_hand() -> None:
    # .5 * .2 / (.5 * .2 + .5 * (1 - .99 / 256))
    assert after(0.5, 0.8, "-") == pytest.approx(0.2 / (0.2 + 1 - 0.99 / 256))


def test_a_belief_between_up_and_down_is_in_doubt() -> None:
    assert undecided(np.array([0.05, 0.1, 0.5, 0.9, 0.95])).tolist() == [False, True, True, True, False]
