"""Calibration: how often claims of a stated confidence turn out right."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

EDGES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.995, 1.0)
"""Of the classes of confidence: most claims lie above .9, where one in a hundred matters."""

Z = 1.96
"""Of a normal distribution, for 95 % intervals."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One claim whose truth is known."""

    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """Claims of one class of confidence.

    Attributes:
        low, high: bounds of the class; ``low`` belongs to it.
        stated: mean confidence.
        right: share that was right, with its 95 % interval (Wilson's).
    """

    low: float
    high: float
    n: int
    stated: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """All claims of one kind of evidence.

    Attributes:
        name: of what they are.
        remark: what a reader must know of it; empty = nothing.
        brier: mean squared distance of confidence and truth; ``None`` = no claims.
        classes: those that hold any claim.
    """

    name: str
    remark: str
    n: int
    right: int
    brier: float | None
    classes: tuple[Reliability, ...]


def calibrate(name: str, claims: Sequence[Stated], remark: str = "") -> Calibration:
    """Hold stated confidences against the truth."""
    squares = [(one.confidence - one.right) ** 2 for one in claims]
    classes = []
    for low, high in pairwise(EDGES):
        own = [c for c in claims if low <= c.confidence and (c.confidence < high or high == EDGES[-1])]
        if own:
            classes.append(_class(low, high, own))
    brier = sum(squares) / len(squares) if squares else None
    return Calibration(name, remark, len(claims), sum(c.right for c in claims), brier, tuple(classes))


def _class(low: float, high: float, own: Sequence[Stated]) -> Reliability:
    n, right = len(own), sum(one.right for one in own)
    stated = sum(one.confidence for one in own) / n
    return Reliability(low, high, n, stated, right / n, *wilson(right, n))


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share = right / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
