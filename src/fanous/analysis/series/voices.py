"""Voices: who counts among votes, and how many they are.

Probes are counted by their voices.  A probe has one voice per target and hour, however often it measures, and half a
voice if it is heard in no other hour.  Names cost nothing: on a network where most voices come from probes heard
repeatedly, a probe heard in only one hour of the whole record is a stranger, and two strangers count as one probe.
"""

from collections import Counter
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.aggregate import KNOWN, NEW, PROBE_MAJORITY
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import is_stated
from fanous.model.series import Ints, Votes
from fanous.model.threshold import threshold


class Voices:
    """The voices behind some votes on one network.

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
        """Did at least ``share`` of the voices, by weight, see it?"""
        return int(self.weights[self.saw].sum()) >= share * int(self.weights.sum())


class Names(NamedTuple):
    """Probes of one network, by how well they are known.

    Attributes:
        regulars: heard in more than one hour.
        strangers: heard in a single hour, if most voices come from others; otherwise empty.
    """

    regulars: frozenset[str]
    strangers: frozenset[str]


def names_of(votes: Votes) -> Names:
    """Which probes are known.

    Args:
        votes: all known votes of one network.
    """
    names, hours = _heard(votes)
    once = hours == 1
    strangers = names[once] if 2 * int(once.sum()) < int(hours.sum()) else names[:0]
    return Names(frozenset(names[~once].tolist()), frozenset(strangers.tolist()))


def _heard(votes: Votes) -> tuple[NDArray[np.str_], Ints]:
    """Each probe, and the number of hours in which it is heard.

    A probe that only its sender names is never known: keeping one name, or ten, costs nothing.
    """
    names, probes = np.unique(votes.probes.astype(str), return_inverse=True)
    hours = (votes.times // HOUR).astype(np.int64)
    heard = np.bincount(np.unique(np.stack([probes, hours]), axis=1)[0], minlength=len(names))
    return names, np.where([is_stated(name) for name in names.tolist()], np.minimum(heard, 1), heard)


def independent(probes: Collection[str], strange: Collection[str]) -> float:
    """The number of independent probes behind these names: strangers count for at most as many as known probes."""
    known = set(probes) - set(strange)
    return len(known) + min(len(known), (len(set(probes)) - len(known)) * NEW / KNOWN)


NETWORK_PROBES = threshold(
    "incidents.network_probes",
    3,
    "Probes that must have seen it on a network to name the network. As many known volunteers on each of "
    "`incidents.stranger_networks` networks confirm as vouched probes do.",
)


def mostly_controlled(witness: Votes) -> bool:
    """Did at least half of the failing measurements carry their own normal control?"""
    return len(witness) > 0 and 2 * int(witness.controlled.sum()) >= len(witness)


def vouched(witness: Votes, probes: int, strange: Collection[str] = ()) -> bool:
    """Did this many probes fail with their own normal control, and do most failures carry one?

    Others' controls prove nothing about a failure whose own control failed with it, or is missing.
    """
    return mostly_controlled(witness) and independent(witness.probes[witness.controlled], strange) >= probes


PROBES = threshold("incidents.probes", 3, "Fewest independent probes on the networks named (C2).")

LONE_PROBES = threshold(
    "incidents.lone_probes",
    6,
    "Probes, or known volunteers, that must see the failure on a lone network without its own controls: no other "
    "network shows that the fault is not its own.",
)
LONE_HOURS = threshold(
    "incidents.lone_hours",
    8,
    "Different hours in which a lone network without its own controls must fail: longer than faults last. If "
    "others there bring controls, all must lie in one stretch, since three faults on three days add up to as "
    "many.",
)

Count = Callable[[Votes], int]
"""How many independent probes are behind votes."""


def named_probes(votes: Votes) -> int:
    """The number of names."""
    return len(set(votes.probes))


def helped(seen: Votes, count: Count = named_probes) -> bool:
    """Are there three probes with their own normal controls, on networks on which most failures carried one?

    Each network is judged separately: a broken machine on one lends no control to a bad line on another.
    """
    networks = [seen.where(seen.asns == asn) for asn in np.unique(seen.asns)]
    good = [int(own.asns[0]) for own in networks if mostly_controlled(own)]
    return count(seen.where(seen.controlled & np.isin(seen.asns, good))) >= PROBES


def strangers_in(seen: Votes) -> int:
    """How many strangers there are among them.

    A collector gives a stranger another name each day, so those of the day with most of them count; a run of a test has
    one name.
    """
    names = {(probe, is_stated(probe), at // DAY) for probe, at in zip(seen.probes, seen.times, strict=True)}
    runs = {probe for probe, stated, _ in names if not stated}
    daily = Counter(day for _, stated, day in names if stated)
    return len(runs) + max(daily.values(), default=0)


def is_long(seen: Votes) -> bool:
    """Do enough probes see it for so long that no fault of a line explains it?"""
    return len(np.unique(seen.times // HOUR)) >= LONE_HOURS and named_probes(seen) >= LONE_PROBES
