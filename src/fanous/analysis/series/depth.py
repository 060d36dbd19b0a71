"""Depth: how far a quantity is below what it was before an event, when it fell, in what steps, and when it recovered.

Everything is compared with the time *before* the event, which no outage enters, however long it lasts: a detector
accepts a new level after a week, a reader wants to know how much of the old one is left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.baselines import CEILING, NORMAL, SIGMAS, Shares, lost_whole
from fanous.analysis.series.signals import SIGNALS, Value
from fanous.model.incident import Estimate, Interval, Stage
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Floats, Ints
from fanous.model.threshold import threshold

# --- when it fell ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fall:
    """When a series fell.  Times are unix seconds.

    Attributes:
        at: best estimate: within the bin in which most was lost, by how much of the level was still there; between the
            last good sample and the first bad one.
        earliest: from when it may have been falling: not before the last value that was good.
        latest: by when it had certainly begun to fall: the first value that was bad.
        fallen: beginning of the first bin at the lower level, or of the one in which it began if it fell at
            once.
        before: share of the usual level before the fall; after: share after it.
        clear: how many standard deviations of a bin it fell by.
        at_once: it fell from one bin to the next, rather than gradually.
    """

    at: float
    earliest: float
    latest: float
    fallen: float
    before: float
    after: float
    clear: float
    at_once: bool


@dataclass(frozen=True, slots=True)
class Bracket:
    """A moment, unix seconds: the best estimate, from when on it may have been, and by when it had certainly been."""

    at: float
    earliest: float
    latest: float


LOOKED_BEFORE = threshold(
    "series.fall_before_seconds", DAY, "Time before the first low bin in which the fall is looked for."
)
LOOKED_AFTER = threshold(
    "series.fall_after_seconds",
    DAY,
    "Time after the first low bin, or after the alarm, in which the fall is looked for.",
)


def fall(
    told: Shares, near: float, until: float, floor: float = -np.inf, alarm: float = -np.inf
) -> Fall | None:
    """The change point at which a series fell, by least squares; None = it is not known to have fallen.

    The window is split into two stretches of constant share so that what is left over is least; no low bin before the
    split makes an onset early, and no brief recovery makes it late.

    Args:
        near: beginning of the first low bin, unix seconds.
        until: when it had recovered, or the end of the data.
        floor: nothing before this counts, such as the end of the previous event.
        alarm: when it was raised: a dip that leads up to a fall may begin long before it.
    """
    since = max(min(near - LOOKED_BEFORE, near - 4 * told.step), floor)
    behind = min(until, max(near + LOOKED_AFTER, alarm + LOOKED_AFTER, near + 4 * told.step))
    chosen = (told.times >= since) & (told.times < behind)
    return _first_fall(_Line.of(told), told.times[chosen], np.minimum(told.left[chosen], CEILING), BEGUN)


def rise(told: Shares, since: float, near: float, until: float, lost: float) -> Bracket | None:
    """When a series was back: ``fall`` with time reversed, so an end is as exact as an onset; None = it is not known.

    Args:
        since: when it fell, unix seconds.
        near: when detectors saw its end, or that of another series.
        until: nothing from here on counts, such as the next fall.
        lost: typical loss while it lasted, a share.
    """
    signal = SIGNALS[told.key.signal]
    least = float(np.clip(BACK * lost, signal.least_drop / 2, signal.least_drop))
    edge = 1 - (max(least, lost / 2) if signal.of_people else least)  # human activity dips by itself, too
    low = told.times[(told.times + told.step > since) & (told.times < near) & (told.left < edge)]
    if not len(low):
        return None
    last = float(low[-1] + told.step)
    behind = min(until, last + max(LOOKED_AFTER, 4 * told.step))
    chosen = (told.times >= max(since - told.step, last - LOOKED_BEFORE)) & (told.times + told.step <= behind)
    times, left = told.times[chosen], np.minimum(told.left[chosen], 1.0)  # what rises further is no return
    begun = STILL if signal.of_people else BEGUN
    found = _first_fall(_Line.of(told, mirrored=True), -(times + told.step)[::-1], left[::-1], begun)
    if found is None or found.clear < CLEARLY:
        return None
    back = Bracket(-found.at, -found.latest, -found.earliest)
    slowly = told.between(back.at, last)
    if not signal.of_people and len(slowly) > 1 and float(np.median(slowly)) < edge:
        return Bracket(last, back.earliest, max(last, back.latest))  # it recovered little by little
    return back


@dataclass(frozen=True, slots=True)
class _Line:
    """A series, or its mirror image in time.

    Attributes:
        first, last: seconds from the beginning of a bin between which its value may have been measured.
    """

    told: Shares
    first: float
    last: float

    @classmethod
    def of(cls, told: Shares, *, mirrored: bool = False) -> "_Line":
        """A value that is not known to be of the whole bin is of one bin of its publisher at its beginning."""
        covers = told.step if _is_whole(told) else min(told.step, SIGNALS[told.key.signal].step)
        return cls(told, told.step - covers, told.step) if mirrored else cls(told, 0, covers)


def _is_whole(told: Shares) -> bool:
    """Is each value of the whole of its bin?  Not if it is a sample, or the bins are wider than the publisher's: a
    table may hold every n-th of its values."""
    signal = SIGNALS[told.key.signal]
    return signal.value is not Value.SAMPLE and told.step <= signal.step


def _first_fall(line: _Line, times: Ints, left: Floats, begun: float) -> Fall | None:
    """The fall of a stretch, or the first of its steps."""
    told = line.told
    split = change_point(left)
    found = None if split is None else _fall_at(line, times, left, split, begun)
    if split is None or found is None or SIGNALS[told.key.signal].of_people:
        return found  # human activity declines by chance, too
    earlier = change_point(left[:split])
    if earlier is None or split - earlier < max(STEP_BINS, STAGE // told.step + 1):
        return found
    first = _fall_at(line, times[:split], left[:split], earlier, begun)
    error = told.noise * float(np.sqrt(1 / earlier + 1 / (split - earlier)))
    least = max(STAGE_CHANGE, SIGNALS[told.key.signal].least_drop, CLEAR * error)
    if first is None or first.before - first.after < least or first.after > 1 - least:
        return found  # nothing but a surge ended there
    return _first_fall(line, times[:split], left[:split], begun)


CLEARLY = threshold(
    "incidents.onset_deviations",
    3.0,
    "Standard deviations of its own bins by which a source that carries an incident must have fallen.",
)

STEP_BINS = threshold(
    "series.fall_step_bins",
    2,
    "Bins that a first step of a fall lasts at least: one is the bin in which it began.",
)


def _fall_at(line: _Line, times: Ints, left: Floats, split: int, begun: float) -> Fall | None:
    told, low = line.told, left[split:]
    before, after = (
        float(np.median(left[:split])),
        float(np.median(low[lost_whole(low, SIGMAS * told.noise)])),
    )
    lost = before - after
    if lost <= 0:
        return None
    step, blur = told.step, min(1.0, SIGMAS * told.noise / lost)
    clear = lost / told.noise
    signal = SIGNALS[told.key.signal]
    if not signal.of_people:  # it hardly moves by itself, so a smaller loss is part of the fall, too
        begun = min(begun, max(2 * signal.least_drop, CLEARLY * told.noise) / lost)
    first = _first_low(times, left, split, step, before - lost * max(blur, begun))
    low_from, fallen = float(times[first]), float(times[split])
    next_one = float(left[min(first + 1, len(left) - 1)])
    at_once = first >= split - 1 and next_one <= after + lost * max(blur, BEGUN)
    partly = float(np.clip((left[first] - after) / lost, 0, 1)) if at_once else 0.0
    partly *= partly > blur
    ahead = float((before - left[first - 1]) / lost) if first else 0.0
    ahead *= ahead > blur
    latest = low_from + (step if partly else line.last)
    is_sample = SIGNALS[told.key.signal].value is Value.SAMPLE
    if len(left) - first <= 2 and not is_sample:
        # Both may be lost in part, so the loss of the first is not known.
        latest = max(latest, low_from + step)
    good = max(0, first - (2 if ahead or blur >= DOUBTFUL else 1))
    latest += step if blur >= DOUBTFUL else 0
    if not at_once or not _is_whole(told):
        earliest = float(times[good]) + line.first if first else low_from - step
    else:
        earliest = (float(times[first - 1] + step) if first else low_from) - step * (blur + ahead)
    if first and times[first] - times[first - 1] > step:  # bins are missing, so it was somewhere in between
        at, at_once, latest = float(times[first - 1] + step + times[first]) / 2, False, max(latest, fallen)
    elif is_sample and at_once and not partly:
        at = (earliest + latest) / 2
    elif ahead and not at_once:
        at = float(times[first - 1])
    else:
        at = low_from + step * partly
    return Fall(at, earliest, latest, low_from if at_once else fallen, before, after, clear, at_once)


DOUBTFUL = threshold(
    "series.fall_doubtful_share",
    0.5,
    "Share of a fall that noise may hide or make up, from which one more bin on either side may belong to it.",
)

BEGUN = threshold(
    "series.fall_begun_share",
    0.25,
    "Share of a fall that is lost in the bin in which it began; less is noise before it.",
)


STILL = threshold(
    "series.rise_people_share",
    0.5,
    "Share of a loss of usage below which a later bin no longer belongs to it: usage comes back late by itself.",
)


def _first_low(times: Ints, left: Floats, split: int, step: int, edge: float) -> int:
    """The first bin of the unbroken run up to ``split`` in which each is below ``edge``."""
    first = split
    while first and left[first - 1] < edge and times[first] - times[first - 1] == step:
        first -= 1
    return first


def change_point(values: Floats) -> int | None:
    """Index of the first value of the second stretch; None = there are fewer than two values, or they do not fall."""
    n = len(values)
    if n < 2:
        return None
    sums = np.cumsum(values)[:-1]
    count = np.arange(1, n)
    first, second = sums / count, (sums[-1] + values[-1] - sums) / (n - count)
    between = count * (n - count) * (first - second) ** 2
    between[first <= second] = 0
    best = int(np.argmax(between))
    return best + 1 if between[best] > 0 else None


SOFT = threshold(
    "series.soft_start_seconds", 14 * DAY, "Time before a fall in which it may have begun softly."
)

SOFT_LEAST = threshold(
    "series.soft_start_share",
    0.5,
    "Share of the signal's least drop by which a soft start lies below the earlier level, for a day or longer.",
)


def soft_start(told: Shares, fell: float) -> Stage | None:
    """The lower level that led up to a fall; None = it fell from its usual one.

    Args:
        told: against the time before it may have begun.
        fell: the fall itself, unix seconds.
    """
    chosen = (told.times >= fell - SOFT) & (told.times + told.step <= fell)
    times, left = told.times[chosen], np.minimum(told.left[chosen], CEILING)
    split = change_point(left)
    if split is None or (len(left) - split) * told.step < DAY:
        return None
    before, after = float(np.median(left[:split])), float(np.median(left[split:]))
    error = told.noise * float(np.sqrt(1 / split + 1 / (len(left) - split)))
    least = SOFT_LEAST * SIGNALS[told.key.signal].least_drop
    if before - after < max(least, CLEAR * error) or after > 1 - least:  # the days before were high
        return None
    return Stage(float(times[split]), fell, after)


REACHED = threshold(
    "series.reached_share", 0.1, "Share of a loss that may still be to come when its level counts as reached."
)


def reached(told: Shares, since: float, until: float, level: float) -> Bracket | None:
    """When a series first was at a level that it fell to; None = no value between the two moments is so low.

    Noise widens what counts as the level.
    """
    edge = level + max(REACHED * (1 - level), SIGMAS * told.noise)
    low = np.flatnonzero((told.times + told.step > since) & (told.times < until) & (told.left <= edge))
    if not len(low):
        return None
    at = float(told.times[low[0]])
    above = float(told.times[low[0] - 1]) if low[0] else at - told.step
    return Bracket(max(at, since), max(above, since), at + _Line.of(told).last)


# --- in what steps --------------------------------------------------------------------------------------

STAGE_OF_PEOPLE = threshold(
    "series.stage_people_seconds",
    DAY,
    "As `series.stage_seconds` for what people do, whose share differs between night and day.",
)
STAGE = threshold("series.stage_seconds", 3 * HOUR, "Time that a level must last to count as a step.")

STAGE_CHANGE = threshold(
    "series.stage_change", 0.1, "Share of the usual level by which two levels must differ."
)

CLEAR = threshold("series.stage_errors", 4.0, "Standard errors by which two levels must differ.")


def stages(told: Shares, start: float, end: float | None) -> tuple[Stage, ...]:
    """The levels of one event, in order: a cut in steps, a partial return, a further fall."""
    until = np.inf if end is None else end
    chosen = (told.times >= start) & (told.times + told.step <= until)
    times, left = told.times[chosen], np.minimum(told.left[chosen], CEILING)
    if not len(left):
        return ()
    of_people = SIGNALS[told.key.signal].of_people
    least = max(2, ceil((STAGE_OF_PEOPLE if of_people else STAGE) / told.step))
    edges = [0, *sorted(_cuts(left, 0, len(left), least, told.noise)), len(left)]
    for n in range(1, len(edges) - 1):  # each was the best split of its own stretch, not of these two steps
        split = _best_split(left, edges[n - 1], edges[n + 1], least, told.noise)
        edges[n] = edges[n] if split is None else split[1]
    edges = _unlike(left, edges)
    found = []
    for first, last in pairwise(edges):
        begins = start if first == 0 else float(times[first])
        ends = end if last == len(left) else float(times[last])
        part = left[first:last]
        whole = lost_whole(part, SIGMAS * told.noise)
        (level,) = over_time(part[whole], told.held(times[first:last][whole]), (0.5,))
        found.append(Stage(begins, ends, min(level, 1.0)))  # no part of an outage is a surplus
    return tuple(found)


def _cuts(left: Floats, first: int, last: int, least: int, noise: float) -> list[int]:
    """Segmentation of ``left[first:last]`` at its clearest change, as long as there is one.

    Seeded: changes are looked for in stretches of each length, too, since no single split of the whole shows a return
    of some hours amid days (Kovács and others, Biometrika 2023: seeded binary segmentation).
    """
    splits = (_best_split(left, *seed, least, noise) for seed in _seeds(first, last, least))
    gain, cut = max((split for split in splits if split is not None), default=(0.0, first))
    if gain == 0:
        return []
    return [*_cuts(left, first, cut, least, noise), cut, *_cuts(left, cut, last, least, noise)]


def _unlike(left: Floats, edges: Sequence[int]) -> list[int]:
    """The edges of steps, without those on whose sides the level turned out to be alike."""
    kept, n = list(edges), 1
    while n < len(kept) - 1:
        before, after = (float(np.median(left[kept[m] : kept[m + 1]])) for m in (n - 1, n))
        if abs(before - after) < STAGE_CHANGE:
            del kept[n]
            n = max(1, n - 1)
        else:
            n += 1
    return kept


def _seeds(first: int, last: int, least: int) -> Iterator[tuple[int, int]]:
    """Stretches that overlap by half: the whole, and as long as there is room for two steps each half as long."""
    width = last - first
    while width >= 2 * least:
        count = max(1, 2 * ((last - first) // width) - 1)
        for number in range(count):
            begins = first + (number * (last - first - width) // (count - 1) if count > 1 else 0)
            yield begins, begins + width
        width //= 2


def _best_split(left: Floats, first: int, last: int, least: int, noise: float) -> tuple[float, int] | None:
    """What the clearest split of a stretch explains, and where it is; None = its sides do not differ clearly."""
    n = last - first
    if n < 2 * least:
        return None
    values = left[first:last]
    sums = np.cumsum(values)[least - 1 : n - least]
    count = np.arange(least, n - least + 1)
    total = float(values.sum())
    apart = sums / count - (total - sums) / (n - count)
    between = count * (n - count) * apart**2 / n
    best = int(np.argmax(between))
    cut = first + int(count[best])
    before, after = left[first:cut], left[cut:last]
    spread = max(noise, NORMAL * float(np.median(np.abs(before - np.median(before)))))
    spread = max(spread, NORMAL * float(np.median(np.abs(after - np.median(after)))))
    error = spread * float(np.sqrt(1 / len(before) + 1 / len(after)))
    differ = abs(float(np.median(before)) - float(np.median(after)))
    if differ < max(STAGE_CHANGE, CLEAR * error):
        return None
    return float(between[best]), cut


# --- when it came back ----------------------------------------------------------------------------------

BACK = threshold(
    "series.back_share",
    0.25,
    "Share of a loss that may still be missing when it is over: at least half of the signal's least drop, which "
    "is noise, and at most all of it, which would be a loss.",
)


def back_at(told: Shares, since: float, lost: float) -> float | None:
    """When the usual level from before the event was reached again and kept; None = it was not.

    Kept: by the median of a day (of three hours, if a signal does not move with people's days).

    Args:
        since: nothing before this counts.
        lost: typical loss while it lasted, a share.
    """
    signal = SIGNALS[told.key.signal]
    width = max(1, ceil((STAGE_OF_PEOPLE if signal.of_people else STAGE) / told.step))
    rows = np.flatnonzero(told.times >= since)
    left = told.left[rows]
    if len(left) < width:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(left, width)
    enough = 1 - float(np.clip(BACK * lost, signal.least_drop / 2, signal.least_drop))
    whole = np.flatnonzero((np.median(windows, axis=1) >= enough) & (windows[:, 0] >= enough))
    return float(told.times[rows[whole[0]]]) if len(whole) else None


# --- how deep -------------------------------------------------------------------------------------------

WORST = threshold(
    "series.depth_worst_seconds",
    HOUR,
    "Time over which the worst is averaged: one short bin may be a fault of the source.",
)

DEEP = threshold(
    "series.depth_now_deep",
    0.5,
    "Share typically left up to which *now* begins where half of the loss came back: no night or day brings "
    "back so much.",
)

NOW = threshold("series.depth_now_seconds", 3 * HOUR, "Most recent time whose median is the present level.")
NOW_OF_PEOPLE = threshold(
    "series.depth_now_people_seconds",
    DAY,
    "As `series.depth_now_seconds` for what people do, whose share differs between night and day.",
)


def depth(told: Shares, intervals: Sequence[Interval], end: float | None) -> Estimate | None:
    """What is left: typically (median over the time that was lost whole), at worst, and now; None = nothing is known.

    *Now* is the newest day (three hours, if a signal does not move with people's days), or the first after the end; or
    the time since most of a loss of more than half came back, which no night or day does.

    Args:
        intervals: intervals in which the event is measured.
        end: end of the event, no earlier than theirs; None = ongoing.
    """
    losses = [loss for loss in told.lost_in(intervals) if len(loss.left)]
    if not losses:
        return None
    left = np.concatenate([loss.left for loss in losses])
    held = np.concatenate([loss.held for loss in losses])
    low, middle, high = over_time(left, held, (0.05, 0.5, 0.95))
    width = max(1, WORST // told.step)
    worst = min(float(_means(loss.left, width).min()) for loss in losses)
    newest = NOW_OF_PEOPLE if SIGNALS[told.key.signal].of_people else NOW
    until = float(told.times[-1] + told.step) if end is None else end + max(newest, told.step)
    now = told.between(max(until - max(newest, told.step), intervals[-1].start), until)
    if len(now) > 1 and now[0] > now[1] + SIGMAS * told.noise:  # it began in this bin
        now = now[1:]
    deep = float(np.median(left[left <= max(low, (1 + low) / 2)]))  # without what is back
    if end is None and deep <= DEEP:
        back = rise(told, intervals[-1].start, until, np.inf, 1 - deep)
        since = told.between(until if back is None else back.at, until)
        now = since if len(since) * told.step >= WORST else now
    return Estimate(
        middle,
        low,
        high,
        min(worst, middle),
        float(np.median(now)) if len(now) else None,
        float(told.times[told.times + told.step <= until][-1] + told.step) if len(now) else None,
    )


def over_time(left: Floats, held: Floats, shares: Sequence[float]) -> list[float]:
    """Quantiles of what was left over the time for which it was: as of bins, where each stands for as long.

    A source that reports less while much is gone would otherwise give the level of its return as the typical one.
    """
    order = np.argsort(left, kind="stable")
    left, held = left[order], held[order]
    places = np.concatenate([[0.0], np.cumsum((held[1:] + held[:-1]) / 2)])
    return [float(np.interp(share * places[-1], places, left)) for share in shares]


def _means(values: Floats, width: int) -> NDArray[np.float64]:
    if len(values) < width:
        return np.array([values.mean()])
    return np.asarray(np.convolve(values, np.full(width, 1 / width), mode="valid"))
