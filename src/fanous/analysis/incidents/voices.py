"""Voices: who says that a target fails, and how much that weighs.

A probe has one voice a target and hour, however often it measures, and half a one if it has no other.  Names
cost nothing: on a network where most voices come from probes that are heard again and again, one that is
heard in a single hour of all that is known is a stranger, and two of them count as one probe.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.aggregate import PROBE_MAJORITY
from fanous.analysis.series.repeats import KNOWN, NEW
from fanous.model.series import Ints
from fanous.model.votes import Votes

HOUR = 3600.0


class Voices:
    """Of some votes on one network.

    Attributes:
        saw: bool, shape (n,).
        weights: shape (n,).
    """

    saw: NDArray[np.bool_]
    weights: Ints

    def __init__(self, votes: Votes, strangers: Collection[str] = ()) -> None:
        names, hours = _heard(votes)
        probes = np.searchsorted(names, votes.probes.astype(str))
        targets = np.unique(votes.targets.astype(str), return_inverse=True)[1]
        slots = (votes.times // HOUR).astype(np.int64)
        cells, voice = np.unique(np.stack([probes, slots, targets]), axis=1, return_inverse=True)
        made = np.bincount(voice.ravel())
        seen = np.bincount(voice.ravel(), weights=votes.seen)
        weights = np.where((hours > 1) & ~np.isin(names, list(strangers)), KNOWN, NEW)
        self.saw = np.asarray(seen >= PROBE_MAJORITY * made)
        self.weights = weights[cells[0]]

    def mostly_saw(self, share: float) -> bool:
        """At least ``share`` of what the voices weigh say so."""
        return int(self.weights[self.saw].sum()) >= share * int(self.weights.sum())


class Names(NamedTuple):
    """Of the probes on one network.

    Attributes:
        regulars: heard in more than one hour.
        strangers: heard in one hour only, where most voices are of others; else nobody.
    """

    regulars: frozenset[str]
    strangers: frozenset[str]


def names_of(votes: Votes) -> Names:
    """Who is known.

    Args:
        votes: all that is known of one network.
    """
    names, hours = _heard(votes)
    once = hours == 1
    strangers = names[once] if 2 * int(once.sum()) < int(hours.sum()) else names[:0]
    return Names(frozenset(names[~once].tolist()), frozenset(strangers.tolist()))


def _heard(votes: Votes) -> tuple[NDArray[np.str_], Ints]:
    """Each probe, and in how many hours it is heard."""
    names, probes = np.unique(votes.probes.astype(str), return_inverse=True)
    hours = (votes.times // HOUR).astype(np.int64)
    return names, np.bincount(np.unique(np.stack([probes, hours]), axis=1)[0], minlength=len(names))


def independent(probes: Collection[str], strange: Collection[str]) -> float:
    """How many independent probes so many names are: strangers never more than those who are known."""
    known = set(probes) - set(strange)
    return len(known) + min(len(known), (len(set(probes)) - len(known)) * NEW / KNOWN)
