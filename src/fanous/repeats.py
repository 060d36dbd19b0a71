"""Repeats: who says the same again, while most of its neighbours say the contrary, is not heard again.

Whoever measures without pause would otherwise have a voice in every bin, and people who measure now and then
in few of them: one flooding probe would outweigh a network of honest ones.  Where neighbours agree, or nobody
else measures, each bin is news as ever: own probes decide in minutes.
"""

import numpy as np
from numpy.typing import NDArray

from fanous.model.series import Ints

Bools = NDArray[np.bool_]

MEMORY = 21600
"""Seconds for which what a probe said stands: who measures every other hour is heard three times in it, and
what was said longer ago may have been of another event.  A probe that was silent for longer is news again."""

MOST = 2
"""Neighbours for each probe that says the same, beyond which they overrule it: of five probes one is
overruled by the others, and two that fail by chance overrule nobody."""

VOICE = MEMORY // 3
"""Seconds for which a probe has one voice where voices are counted: those who measure all the time shall not
outnumber those who measure every other hour."""

KNOWN, NEW = 2, 1
"""What a word weighs where its probe has said something before, and where it is the probe's first: names cost
nothing, and a few machines under new names each round would be a crowd that overrules all who are known."""


def overruled(probes: Ints, bins: Ints, seen: Bools) -> Bools:
    """Which voices of one series are repeats against most others.

    Only what neighbours said *since* the probe first said the same counts against it: at an onset or an end,
    those who measured before it contradict nobody.

    Args:
        probes: shape (n,), one number a probe.
        bins: int64, shape (n,), unix seconds at which the bin begins; one row a probe and bin.
        seen: what the probe says in it.

    Returns:
        bool, shape (n,).
    """
    since, until = _first_said(2 * probes + seen, bins), _stands_until(probes, bins)
    weights = _weights(probes, bins)
    for_it, against = _standing(bins, until, seen, weights)
    out = np.zeros(len(bins), np.bool_)
    if not ((since < bins) & (against > for_it)).any():
        return out
    most = np.where(_is_outnumbered(probes, bins, seen, weights, since), 1, MOST)
    for row in np.flatnonzero((since < bins) & (against > most * for_it)):
        stands = (bins > since[row]) & (bins <= bins[row]) & (until > bins[row])
        out[row] = weights[stands & (seen != seen[row])].sum() > most[row] * for_it[row]
    return out


def _is_outnumbered(probes: Ints, bins: Ints, seen: Bools, weights: Ints, since: Ints) -> Bools:
    """Where what others said since weighs more than ``MOST`` times as much to the contrary as for a word.

    One neighbour who said the same once, hours ago, and was not heard since, is one voice against many.
    """
    by_time, slots = np.argsort(bins, kind="stable"), bins // VOICE
    said_in = (2 * probes + seen) * (slots.max() + 1) + slots
    voices, first = np.unique(said_in[by_time], return_index=True)
    words, times, weigh = voices // (slots.max() + 1), bins[by_time][first], weights[by_time][first]

    def others(word: Ints) -> Ints:
        everybody = _between(words % 2, times, weigh, word, since, bins)
        return everybody - _between(words, times, weigh, 2 * probes + word, since, bins)

    word = seen.astype(np.int64)
    return np.asarray(others(1 - word) > MOST * (weights + others(word)))


def _between(words: Ints, times: Ints, weights: Ints, asked: Ints, since: Ints, until: Ints) -> Ints:
    """What was said of each word asked for from ``since`` up to ``until``, in weight."""
    apart = int(until.max()) + 1
    line = words * apart + times  # one word after the other
    return _sum_until(line, weights, asked * apart + until) - _sum_until(
        line, weights, asked * apart + since - 1
    )


def _weights(probes: Ints, bins: Ints) -> Ints:
    """Of each row's word."""
    order = np.lexsort((bins, probes))
    is_first = np.diff(probes[order], prepend=-1) != 0
    weights = np.empty_like(bins)
    weights[order] = np.where(is_first, NEW, KNOWN)
    return weights


def _first_said(words: Ints, bins: Ints) -> Ints:
    """When each word (a probe's yes or no) was first said within ``MEMORY`` of each row."""
    order = np.lexsort((bins, words))
    apart = np.ptp(bins) + MEMORY + 1 if len(bins) else 0
    line = words[order] * apart + bins[order]  # one word after the other, too far apart to be within it
    first = np.empty_like(bins)
    first[order] = bins[order][np.searchsorted(line, line - MEMORY)]
    return first


def _stands_until(probes: Ints, bins: Ints) -> Ints:
    """Until when what was said in each row is the probe's last word."""
    order = np.lexsort((bins, probes))
    until = bins[order] + MEMORY + 1
    same = np.flatnonzero(np.diff(probes[order]) == 0)
    until[same] = np.minimum(until[same], bins[order][same + 1])
    stands = np.empty_like(bins)
    stands[order] = until
    return stands


def _standing(bins: Ints, until: Ints, seen: Bools, weights: Ints) -> tuple[Ints, Ints]:
    """What the last words weigh that agree with each row at its time, its own among them, and the others."""
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
