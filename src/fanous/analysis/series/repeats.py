"""Repeats: a probe that repeats itself while most of its neighbours say the contrary counts less, or not at all.

Otherwise a probe that measures without pause would have a voice in every bin, and people who measure now and then
would have one in few: one flooding probe would outweigh a network of honest ones.  If neighbours agree, or no one
else measures, each bin is news as usual: own probes decide in minutes.
"""

import numpy as np
from numpy.typing import NDArray

from fanous.model.series import Ints

Bools = NDArray[np.bool_]

MEMORY = 21600
"""Seconds for which a probe's statement counts.  A probe that measures every other hour is heard three times within
it, and what was said longer ago may have been about another event.  A probe that was silent for longer is news
again."""

MOST = 2
"""Neighbours for each probe that says the same beyond which they overrule it: of five probes one is overruled by the
others, while two that fail by chance overrule no one and keep no one waiting."""

VOICE = MEMORY // 3
"""Seconds in which a probe has one voice when voices are counted, so that those that measure all the time do not
outnumber those that measure every other hour."""

KNOWN, NEW = 2, 1
"""Weight of a statement from a probe heard before, and of a probe's first one: names cost nothing, and a few
machines under new names each round would be a crowd that overrules all known probes."""


def overruled(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """Which voices of one series are repeats against the majority.

    A repeat does not count while more than ``MOST`` times as many say the contrary as say the same.  One that says
    *works* must wait as soon as those that contradict it are more numerous, and more than ``MOST``: it counts as often
    as they do.  One that says *fails* does not wait, otherwise the stretch would end before the others are heard,
    and the rest would be claimed with hardly anyone against it.

    Only what neighbours said *since* the probe first said the same counts against it: at an onset or an end, those that
    measured before it contradict no one.

    Args:
        probes: shape (n,), one number for each probe.
        bins: int64, shape (n,), unix seconds at which the bin begins; one row for each probe and bin.
        seen: bool, shape (n,), what the probe says in it.

    Returns:
        bool, shape (n,).
    """
    order = np.argsort(bins, kind="stable")
    out = np.empty(len(bins), np.bool_)
    out[order] = _overruled(probes[order], bins[order], seen[order])
    return out


def _overruled(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """The same for rows in order of time."""
    words = 2 * probes + seen
    since, until, weights = _first_said(words, bins), _stands_until(probes, bins), _weights(probes, bins)
    for_it, against = _standing(bins, until, seen, weights)
    out = np.zeros(len(bins), np.bool_)
    if not ((since < bins) & (against > for_it)).any():
        return out
    silenced_at = np.where(_is_outnumbered(words, bins, weights, since), 1, MOST) * for_it
    waits_at = np.where(seen, silenced_at, np.maximum(for_it, MOST * weights))
    begin, end = np.searchsorted(bins, bins - MEMORY), np.searchsorted(bins, bins, side="right")
    for row in np.flatnonzero((since < bins) & (against > np.minimum(silenced_at, waits_at))):
        lately = np.arange(begin[row], end[row])
        contrary = lately[seen[lately] != seen[row]]
        stand = contrary[(bins[contrary] > since[row]) & (until[contrary] > bins[row])]
        standing = weights[stand].sum()
        out[row] = standing > silenced_at[row]
        if not out[row] and standing > waits_at[row]:
            heard = lately[(words[lately] == words[row]) & (bins[lately] < bins[row]) & ~out[lately]]
            after = contrary[bins[contrary] > bins[heard].max(initial=0)]
            out[row] = weights[after].sum() < standing
    return out


def _is_outnumbered(words: Ints, bins: Ints, weights: Ints, since: Ints) -> Bools:
    """Do others' later statements weigh more than ``MOST`` times as much against a statement as for it?

    A neighbour that said the same once, hours ago, and has not been heard since is one voice against many.
    """
    slots = bins // VOICE
    voices, first = np.unique(words * (slots.max() + 1) + slots, return_index=True)
    said, times, weigh = voices // (slots.max() + 1), bins[first], weights[first]

    def others(asked: Ints) -> Ints:
        """The weight without what the probe itself said."""
        everybody = _between(said % 2, times, weigh, asked % 2, since, bins)
        return everybody - _between(said, times, weigh, asked, since, bins)

    contrary = words ^ 1
    return np.asarray(others(contrary) > MOST * (weights + others(words)))


def _between(words: Ints, times: Ints, weights: Ints, asked: Ints, since: Ints, until: Ints) -> Ints:
    """Weight of each statement made from ``since`` up to ``until``."""
    apart = int(until.max()) + 1
    line = words * apart + times  # one statement after the other
    return _sum_until(line, weights, asked * apart + until) - _sum_until(
        line, weights, asked * apart + since - 1
    )


def _weights(probes: Ints, bins: Ints) -> Ints:
    """Weight of each row's statement."""
    order = np.lexsort((bins, probes))
    is_first = np.diff(probes[order], prepend=-1) != 0
    weights = np.empty_like(bins)
    weights[order] = np.where(is_first, NEW, KNOWN)
    return weights


def _first_said(words: Ints, bins: Ints) -> Ints:
    """When each statement (a probe's yes or no) was first made within ``MEMORY`` of each row."""
    order = np.lexsort((bins, words))
    apart = np.ptp(bins) + MEMORY + 1 if len(bins) else 0
    line = words[order] * apart + bins[order]  # one statement after the other, too far apart to be within it
    first = np.empty_like(bins)
    first[order] = bins[order][np.searchsorted(line, line - MEMORY)]
    return first


def _stands_until(probes: Ints, bins: Ints) -> Ints:
    """Until when each row is its probe's latest statement."""
    order = np.lexsort((bins, probes))
    until = bins[order] + MEMORY + 1
    same = np.flatnonzero(np.diff(probes[order]) == 0)
    until[same] = np.minimum(until[same], bins[order][same + 1])
    stands = np.empty_like(bins)
    stands[order] = until
    return stands


def _standing(bins: Ints, until: Ints, seen: Bools, weights: Ints) -> tuple[Ints, Ints]:
    """Weight of the latest statements that agree with each row at its time, including its own, and of the others."""
    yes, no = (
        _sum_until(bins[said], weights[said], bins) - _sum_until(until[said], weights[said], bins)
        for said in (seen, ~seen)
    )
    return np.where(seen, yes, no), np.where(seen, no, yes)


def _sum_until(times: Ints, weights: Ints, now: Ints) -> Ints:
    """Sum of the weights whose time is not after each ``now``."""
    order = np.argsort(times)
    sums = np.concatenate([[0], np.cumsum(weights[order])])
    return np.asarray(sums[np.searchsorted(times[order], now, side="right")])
