"""Belief: how sure it is that a block of addresses is up, from who answers.  Pure."""

import numpy as np
from numpy.typing import NDArray

from fanous.model.series import Floats

Flags = NDArray[np.bool_]

REPLY_WHEN_DOWN = 0.99 / 256
"""Probability of an answer from a block that is down (Trinocular 3.3: a lone stray address of 256)."""
LOWEST, HIGHEST = 0.01, 0.99
"""A belief never becomes certain, or it could not change any more (Trinocular 3.3)."""
UP, DOWN = 0.9, 0.1
"""Above is up, below is down; between, ask again."""


def updated(belief: Floats, available: Floats, replied: Flags) -> Floats:
    """Beliefs after one more probe of each block (Bayes).

    Args:
        belief: float64, (n,), probability that the block is up.
        available: float64, (n,), share of its probed addresses that answer while it is up.
        replied: bool, (n,).

    Returns:
        float64, (n,).
    """
    when_up = np.where(replied, available, 1 - available)
    when_down = np.where(replied, REPLY_WHEN_DOWN, 1 - REPLY_WHEN_DOWN)
    up = belief * when_up
    return np.clip(up / (up + (1 - belief) * when_down), LOWEST, HIGHEST)


def undecided(belief: Floats) -> Flags:
    """Which blocks must be asked again."""
    return (belief >= DOWN) & (belief <= UP)
