"""Rounds of probing over made-up countries: what is found, within the budget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanous.scan.rounds import (
    MOST_AN_HOUR,
    REMEMBERED,
    ROUNDS_AN_HOUR,
    WAVES,
    BlockStates,
    Flags,
    answered,
    begun,
    learnt,
    unknown,
    wanted,
)

BLOCKS = 2000


class Country:
    """Blocks that answer by chance while they are up."""

    def __init__(self, blocks: int = BLOCKS, seed: int = 1) -> None:
        self.chance = np.random.default_rng(seed)
        self.answers = self.chance.uniform(0.5, 1.0, blocks)
        self.up = np.ones(blocks, np.bool_)
        self.probes: list[Flags] = []

    def round(self, state: BlockStates, number: int) -> BlockStates:
        state = begun(state, number)
        while len(blocks := wanted(state)):
            replied = self.up[blocks] & (self.chance.random(len(blocks)) < self.answers[blocks])
            state = answered(state, blocks, np.clip(self.answers, 0.01, 0.99), replied)
        return state

    def rounds(self, count: int, state: BlockStates | None = None, first: int = 100) -> BlockStates:
        state = unknown(len(self.up)) if state is None else state
        for number in range(first, first + count):
            state = self.round(state, number)
        return state


def test_quiet_rounds_show_no_outage() -> None:
    country = Country()
    state = country.rounds(3)
    for number in range(103, 303):
        state = country.round(state, number)
        assert state.is_up.mean() > 0.99


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_an_outage_is_seen_within_one_round_of_most_blocks_and_the_rest_follows(share: float) -> None:
    country = Country()
    state = country.rounds(10)
    hit = np.arange(BLOCKS) < BLOCKS * share
    country.up = ~hit
    state = country.round(state, 110)
    assert (~state.is_up[hit]).mean() > 0.85, "the budget leaves blocks that answer rarely for the next round"
    state = country.round(state, 111)
    assert (~state.is_up[hit]).mean() > 0.94
    assert state.is_up[~hit].sum() >= 0.99 * (~hit).sum()
    country.up[:] = True
    state = country.rounds(4, state, 112)
    assert state.is_up.mean() > 0.97


def test_no_block_is_asked_more_than_twenty_times_in_any_hour() -> None:
    country = Country(300)
    country.answers[:] = 0.4  # often in doubt
    state, spent = unknown(300), []
    for number in range(100, 140):
        country.up = country.chance.random(300) < 0.5
        state = country.round(state, number)
        spent.append(state.spent[0])
        assert (state.spent[0] > 0).all(), "every block is asked in every round"
        assert (np.sum(spent[-ROUNDS_AN_HOUR:], axis=0) <= MOST_AN_HOUR).all()
        assert (state.spent[0] <= WAVES).all()


@given(steps=st.lists(st.integers(-3, 20), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_pauses_and_clocks_set_back_never_widen_the_budget(steps: list[int]) -> None:
    country = Country(20)
    country.answers[:] = 0.3
    state, number = unknown(20), 100
    for step in steps:
        number = max(0, number + step)
        country.up = country.chance.random(20) < 0.5
        state = country.round(state, number)
        assert (state.spent.sum(axis=0) <= MOST_AN_HOUR).all()


def test_a_restart_in_the_middle_of_a_round_loses_nothing() -> None:
    state = begun(unknown(5), 100)
    for _ in range(3):
        state = answered(state, wanted(state), np.full(5, 0.5), np.zeros(len(wanted(state)), np.bool_))
    again = begun(state, 100)
    assert again is state
    assert again.wave == 3
    assert again.spent[0].tolist() == [3] * 5


def test_what_was_spent_an_hour_ago_counts_no_more() -> None:
    state = Country(5).rounds(1)
    assert begun(state, 100 + ROUNDS_AN_HOUR).spent.sum() == 0
    assert begun(state, 100 + ROUNDS_AN_HOUR - 1).spent.sum() > 0


def learning(truth: float, told: float, count: int, *, learns: bool) -> tuple[BlockStates, float]:
    """The state after so many quiet rounds, and the share of verdicts *down* among all of them."""
    chance, n = np.random.default_rng(5), 300
    state, said, list_says = unknown(n), np.full(n, told), 0
    for number in range(100, 100 + count):
        state = begun(state, number)
        available = learnt(state, said) if learns else said
        while len(blocks := wanted(state)):
            state = answered(state, blocks, available, chance.random(len(blocks)) < truth)
        list_says += int((~state.is_up).sum())
    return state, list_says / (n * count)


def test_a_list_that_promises_too_much_is_mended_by_what_blocks_answer() -> None:
    state, wrong = learning(0.35, 0.8, 200, learns=True)
    assert np.median(learnt(state, np.full(300, 0.8))) == pytest.approx(0.37, abs=0.05)
    _, without = learning(0.35, 0.8, 200, learns=False)
    assert wrong < 0.2 * without, (wrong, without)


def test_what_was_learnt_long_ago_counts_less() -> None:
    state, _ = learning(0.9, 0.9, REMEMBERED + 20, learns=True)
    assert state.asked.max() < REMEMBERED
    assert np.median(learnt(state, np.full(300, 0.9))) == pytest.approx(0.9, abs=0.03)


def test_an_outage_teaches_nothing() -> None:
    country = Country()
    state = country.rounds(10)
    country.up[:] = False
    state = country.rounds(3, state, 110)
    before = state.asked.copy()
    state = country.rounds(20, state, 113)
    assert (state.asked - before).max() <= 1
