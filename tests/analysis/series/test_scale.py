"""Answers that are each scaled to their own greatest value."""

import numpy as np
import pytest

from fanous.analysis.series.artefacts import on_known_scale
from fanous.model.series import Floats, Ints

TRUE = 50 + 20 * np.sin(np.arange(1000) / 15) + np.random.default_rng(1).standard_normal(1000)
TRUE[900] = 300
"""A busy quarter of an hour near the end."""


def answer(first: int, last: int) -> tuple[Ints, Floats]:
    return 900 * np.arange(first, last), np.round(TRUE[first:last] / TRUE[first:last].max(), 6)


def test_a_new_greatest_value_makes_no_loss_of_what_came_before() -> None:
    known, later = answer(0, 800), answer(400, 1000)
    assert later[1][0] < known[1][400] / 3, "as it arrives"
    values = on_known_scale(*later, *known)
    assert (values[:400] == known[1][400:]).all(), "and what is known does not change"
    assert values[400:] == pytest.approx(TRUE[800:] / TRUE[:800].max(), rel=0.001)


def test_corrected_values_and_short_overlaps_stay_as_they_came() -> None:
    known, later = answer(0, 800), answer(400, 890)
    corrected = np.where(later[0] >= 900 * 780, later[1] * 0.7, later[1])
    values = on_known_scale(later[0], corrected, *known)
    assert values[:380] == pytest.approx(known[1][400:780])
    assert values[385] == pytest.approx(0.7 * known[1][785], rel=0.01), "a correction is one"
    short = answer(750, 1000)
    assert (on_known_scale(*short, *known) == short[1]).all()
    other = np.random.default_rng(2).uniform(0.1, 1, 600)
    assert (on_known_scale(answer(400, 1000)[0], other, *known) == other).all(), "another series altogether"
