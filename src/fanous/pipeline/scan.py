"""Scan: rounds of our own active probing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fanous.model.series import Ints
from fanous.pipeline.series import Bring
from fanous.scan.rounds import BlockStates, Flags, answered, begun, learnt, levels, save, wanted
from fanous.scan.targets import Targets

Ask = Callable[[Ints], Flags]
"""Addresses (numbers) -> which of them answered."""


def probe_round(
    targets: Targets, state: BlockStates, number: int, ask: Ask, keep: Callable[[BlockStates], None]
) -> BlockStates:
    """One whole round, or the rest of it.

    Args:
        number: unix seconds // ``rounds.ROUND``.
        keep: called with the state after every wave.
    """
    state = begun(state, number)
    available = learnt(state, targets.available)
    while len(blocks := wanted(state)):
        replied = ask(_addresses(targets, state, blocks))
        state = answered(state, blocks, available, replied)
        keep(state)
    return state


def _addresses(targets: Targets, state: BlockStates, blocks: NDArray[np.intp]) -> Ints:
    """The next address of each block in turn."""
    chosen = [targets.addresses[b][state.turn[b] % len(targets.addresses[b])] for b in blocks]
    return np.array(chosen, np.int64)


def scan_round(
    bring: Bring,
    country: str,
    targets: Targets,
    state: BlockStates,
    number: int,
    ask: Ask,
    controls: Ints,
    journal: Path,
) -> BlockStates | None:
    """One round: how many blocks are up, by place.

    Args:
        bring: stores the series of a round, and detects (``pipeline.jobs.BringSeries``).
        controls: addresses outside the country.  If most of them are silent, our own connection is down and
            the round is discarded.

    Returns:
        The state after it; ``None`` = our own connection was down, and nothing changed.
    """
    if not _is_online(ask, controls):
        return None
    after = probe_round(targets, state, number, ask, lambda now: save(journal, targets, now))
    if not _is_online(ask, controls):
        save(journal, targets, _as_before(state, after))
        return None
    bring(levels(country, targets, after))
    return after


def _is_online(ask: Ask, controls: Ints) -> bool:
    return bool(ask(controls).sum() * 2 > len(controls))


def _as_before(state: BlockStates, after: BlockStates) -> BlockStates:
    """The earlier beliefs and learning, but with the probes since then counted as spent."""
    return replace(after, belief=state.belief, is_up=state.is_up, asked=state.asked, replied=state.replied)
