"""Silence: probes that were heard regularly and no longer are, as a series; and networks and countries that are silent
for longer than usual.  Pure.

A probe is *expected* in a bin if it was heard in most of the bins before, and for a day after it was last heard; so
volunteers who come and go are never expected, and a machine that runs for years always is.  Silence alone is not a
witness: only what a probe itself records (no network, nothing outside answers) and sends later is a vote.

Probes sleep at night and at weekends, so each network is compared only with its own baseline: a cut line and
volunteers who are offline look alike.  A *collapse* is a run of days on which almost no network of a country was heard.
Counts of measurements say little, since one volunteer can make a thousand a day; whether a network was heard at all on
a day says more.  The controls are whether other countries were heard as usual, and whether the country's networks fell
silent together.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, nan

import numpy as np
from numpy.typing import NDArray

from fanous.model.coverage import LineState, Look
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import Floats, Series, SeriesKey, Votes
from fanous.model.threshold import threshold

SILENCE = "silence"

REGULAR_BINS = threshold(
    "series.silence_regular_bins",
    6,
    "Bins of the last hour that are looked at to see whether a probe is expected in the next.",
)
REGULAR_SHARE = threshold(
    "series.silence_regular_share",
    0.5,
    "Share of `series.silence_regular_bins` that must hold a check of the line, or the probe is not expected: "
    "volunteers come and go.",
)

EXPECTED_FOR = threshold(
    "series.silence_expected_seconds",
    86_400.0,
    "Time after it was last heard for which a probe is still expected: a machine that is gone for longer may "
    "have been switched off for good.",
)

GRACE = threshold(
    "series.silence_grace_seconds",
    600.0,
    "Time that a check may take to arrive before its absence counts: one bin.",
)


@dataclass(frozen=True, slots=True)
class SilenceWindow:
    """The time examined, in unix seconds; ``until`` is now, up to which anyone could have been heard."""

    since: float
    until: float
    step: int


def silence_series(beats: Iterable[Look], country: str, window: SilenceWindow) -> list[Series]:
    """Share of the expected probes that were not online, for each network of ``country`` and bin.

    Args:
        beats: those of all countries; hearing others is the control that the collector was up.

    Returns:
        Sorted by network; only bins in which someone was expected are listed.
    """
    everyone = list(beats)
    heard = _heard(everyone, window.step)
    own: defaultdict[int, defaultdict[str, list[Look]]] = defaultdict(lambda: defaultdict(list))
    for beat in everyone:
        if beat.country == country and beat.asn:
            own[beat.asn][beat.probe].append(beat)
    found = [_series(country, asn, own[asn], heard, window) for asn in sorted(own)]
    return [series for series in found if len(series)]


def silence_votes(beats: Iterable[Look], country: str, step: int) -> Votes:
    """What the probes of ``country`` recorded, by time; ``seen`` = no network, an intranet only, or an allow-list."""
    everyone = list(beats)
    heard = _heard(everyone, step)
    own = sorted((b for b in everyone if b.country == country and b.asn), key=lambda b: (b.at, b.uid))
    return Votes(
        uids=np.array([b.uid for b in own], object),
        times=np.array([b.at for b in own], np.float64),
        asns=np.array([b.asn for b in own], np.int64),
        resolver_asns=np.zeros(len(own), np.int64),
        targets=np.array(["" for _ in own], object),
        signals=np.array([SILENCE for _ in own], object),
        probes=np.array([b.probe for b in own], object),
        seen=np.array([b.line is not LineState.ONLINE for b in own], np.bool_),
        controlled=np.array([_others(heard, _bin(b.at, step), b.asn) for b in own], np.bool_),
        mechanisms=np.array([_MECHANISM[b.line] for b in own], object),
        kbps=np.full(len(own), nan),
        access=np.array([str(b.access) for b in own], object),
        sources=np.array([b.source for b in own], object),
        receipts=np.array([b.receipt for b in own], np.float64),
        vouched=np.array([b.vouched for b in own], np.bool_),
        volunteer=np.zeros(len(own), np.bool_),
        cut=np.full(len(own), "", object),
        reached=np.full(len(own), "", object),
    )


_MECHANISM = {
    LineState.ONLINE: "",
    LineState.OFFLINE: "outage",
    LineState.INTRANET: "outage.intranet",
    LineState.ALLOW_LIST: "outage.allow_list",
}
"""Whether it is national, or only of one network or of mobile lines, follows from the scope."""


def _bin(at: float, step: int) -> int:
    return floor(at / step) * step


def _heard(beats: Sequence[Look], step: int) -> dict[int, set[int]]:
    """Bin -> networks with someone online."""
    heard: defaultdict[int, set[int]] = defaultdict(set)
    for beat in beats:
        if beat.line is LineState.ONLINE:
            heard[_bin(beat.at, step)].add(beat.asn)
    return heard


def _others(heard: dict[int, set[int]], bin_: int, asn: int) -> bool:
    return bool(heard.get(bin_, set()) - {asn})


def _series(
    country: str, asn: int, by_probe: dict[str, list[Look]], heard: dict[int, set[int]], window: SilenceWindow
) -> Series:
    expected: defaultdict[int, int] = defaultdict(int)
    silent: defaultdict[int, int] = defaultdict(int)
    for own in by_probe.values():
        online = {_bin(b.at, window.step) for b in own if b.line is LineState.ONLINE}
        for bin_ in _expected_bins(online, window):
            expected[bin_] += 1
            silent[bin_] += bin_ not in online
    times = sorted(expected)
    counts = np.array([expected[t] for t in times], np.int64)
    values = np.array([silent[t] / expected[t] for t in times], np.float64)
    control = np.array([_others(heard, t, asn) for t in times], np.bool_)
    return Series(
        key=SeriesKey(Place(country, asn), "", SILENCE),
        step=window.step,
        times=np.array(times, np.int64),
        values=values,
        counts=counts,
        controlled=np.where(control, counts, 0).astype(np.int64),
        measurements=counts,
    )


def _expected_bins(online: set[int], window: SilenceWindow) -> list[int]:
    """Bins in which a probe heard in ``online`` should have been heard, up to now less the grace."""
    if not online:
        return []
    step = window.step
    bins, last = [], min(online)
    regular = False
    for bin_ in range(min(online) + step, _bin(window.until - GRACE, step), step):
        before = sum(bin_ - nth * step in online for nth in range(1, REGULAR_BINS + 1))
        if bin_ - step in online:
            last = bin_ - step
            regular = regular or before >= REGULAR_SHARE * REGULAR_BINS
        elif bin_ - last > EXPECTED_FOR:
            regular = False
        if regular and bin_ >= window.since:
            bins.append(bin_)
    return bins


# --- networks and countries ------------------------------------------------------------------------------

MEMORY = threshold(
    "series.heartbeats_memory_seconds",
    28 * 86_400.0,
    "A network's past that makes up its habit: four weekends.",
)

HEARD_BINS = threshold(
    "series.heartbeats_bins_heard",
    24,
    "Bins of `series.tick_seconds` in which a network was heard; with fewer, it has no habit yet.",
)

RARE = threshold(
    "series.heartbeats_rare",
    2,
    "Longest silences in memory that do not count as habit: past cuts must not become normal.",
)

SLACK = threshold("series.heartbeats_slack", 1.5, "Times the longest habitual silence: habits drift.")

LEAST_BINS = threshold(
    "series.heartbeats_bins", 2, "Fewest bins of a silence: a probe that measures in every bin may miss one."
)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When one network was last heard.

    Attributes:
        place: country and ASN.
        last: unix seconds, the end of the last bin in which a probe was heard.
        habit: longest usual silence, in seconds; None = not known yet.
        silent: is it silent now, for longer than usual?
    """

    place: Place
    last: float
    habit: float | None
    silent: bool


def heartbeat(volume: Series, now: float) -> Heartbeat:
    """The heartbeat of a network, from the bins in which something was measured.

    Args:
        volume: at least one bin, within ``MEMORY`` (``Facts.volume``).
        now: unix seconds.
    """
    last = min(float(volume.times[-1]) + volume.step, now)
    habit = _habit(volume)
    limit = None if habit is None else max(SLACK * habit, LEAST_BINS * volume.step)
    return Heartbeat(volume.key.place, last, habit, limit is not None and now - last > limit)


def _habit(volume: Series) -> float | None:
    if len(volume) < HEARD_BINS:
        return None
    silences = np.sort(np.diff(volume.times) - volume.step)
    return float(silences[-1 - RARE])


BASELINE_DAYS = threshold(
    "series.collapse_memory_days", 14, "Preceding days that make up a network's habit: two weekends."
)

LEAST_DAYS = threshold("series.collapse_days", 5, "Days of data before there is a result.")

CHANCE = threshold(
    "series.collapse_chance",
    0.0001,
    "Probability of hearing so few networks by chance, below which a day is a collapse: once in 27 years if "
    "networks fell silent independently, which they do not quite.",
)

BACK = threshold(
    "series.collapse_back_share",
    0.05,
    "Probability as in `series.collapse_chance`, above which a day is normal again.",
)

LEAST_LOST = threshold(
    "series.collapse_lost_share",
    0.5,
    "Share of the expected networks that must be missing: a few on holiday are not a collapse.",
)

LEAST_ELSEWHERE = threshold(
    "series.collapse_countries",
    5.0,
    "Networks of other countries that must be expected, or they are not a control.",
)


class CollapseReading(StrEnum):
    """What a collapse may be."""

    BLACKED_OUT = "blacked_out"
    COLLECTOR = "collector"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Collapse:
    """Days on which almost no network was heard; unix seconds, half-open.

    Attributes:
        end: None = no one is back yet.
        expected: networks a day, by their baselines; heard: the mean of those heard.
        chance: probability of so few on the worst day, if networks fell silent independently.
    """

    start: int
    end: int | None
    expected: float
    heard: float
    chance: float
    reading: CollapseReading

    @property
    def reason(self) -> Reason:
        return Reason(f"silence.{self.reading}")


def collapses(own: Sequence[Series], elsewhere: Sequence[Series], until: float) -> list[Collapse]:
    """Runs of whole days on which almost no network of a country was heard.

    Args:
        own: measurements a day, one series for each network (``Facts.volume`` with a step of a day).
        elsewhere: the same for other countries.
        until: unix seconds; the day that contains it is not over, so it is not judged.
    """
    days = _days([*own, *elsewhere], until)
    if len(days) <= LEAST_DAYS:
        return []
    here, there = _share_heard(own, days), _share_heard(elsewhere, days)
    usual = np.ones(len(days), np.bool_)
    found: list[tuple[list[int], float, float]] = []
    on: list[int] | None = None
    for day in range(LEAST_DAYS, len(days)):
        habit = _expected(here, usual, day)
        few = int(here[:, day].sum())
        chance = at_most(habit, few)
        lost = few < (1 - LEAST_LOST) * habit.sum()
        if on is None and chance < CHANCE and lost:
            on = []
            found.append((on, float(habit.sum()), chance))
        elif on is not None and (chance > BACK or not lost):
            on = None
        if on is not None:
            on.append(day)
            usual[day] = False  # a collapse never becomes part of the baseline
            found[-1] = (on, found[-1][1], min(found[-1][2], chance))
    return [_collapse(days, here, there, *one) for one in found]


def _days(series: Sequence[Series], until: float) -> list[int]:
    first = min((int(s.times[0]) for s in series if len(s)), default=0)
    return list(range(first // DAY * DAY, int(until) // DAY * DAY, DAY)) if first else []


def _share_heard(series: Sequence[Series], days: Sequence[int]) -> Floats:
    """Which network (row) was heard on which day, 0 or 1; shape (networks, days)."""
    place = {day: n for n, day in enumerate(days)}
    heard = np.zeros((len(series), len(days)))
    for row, one in enumerate(series):
        for at in (one.times // DAY * DAY).tolist():
            if at in place:
                heard[row, place[at]] = 1
    return heard


def _expected(heard: Floats, usual: NDArray[np.bool_], day: int) -> Floats:
    """Probability of hearing each network: its share of the usual days before, never quite 0 or 1."""
    before = np.flatnonzero(usual[:day])[-BASELINE_DAYS:]
    seen = heard[:, before].sum(axis=1)
    known = heard[:, :day].any(axis=1)
    return np.asarray(np.where(known, (seen + 0.5) / (len(before) + 1), 0.0))


def at_most(chances: Floats, count: int) -> float:
    """Probability that at most ``count`` of independent events happen (Poisson binomial distribution, exact)."""
    spread = np.zeros(len(chances) + 1)
    spread[0] = 1.0
    for chance in chances.tolist():
        spread[1:] = spread[1:] * (1 - chance) + spread[:-1] * chance
        spread[0] *= 1 - chance
    return float(min(1.0, spread[: count + 1].sum()))


def _collapse(
    days: Sequence[int], here: Floats, there: Floats, on: list[int], expected: float, chance: float
) -> Collapse:
    last = on[-1]
    return Collapse(
        start=days[on[0]],
        end=None if last == len(days) - 1 else days[last] + DAY,
        expected=expected,
        heard=float(here[:, on].sum(axis=0).mean()),
        chance=chance,
        reading=_reading(there, on),
    )


def _reading(there: Floats, on: list[int]) -> CollapseReading:
    usual = np.ones(there.shape[1], np.bool_)
    habit = _expected(there, usual, on[0]) if len(there) else np.zeros(0)
    if habit.sum() < LEAST_ELSEWHERE:
        return CollapseReading.CANNOT_TELL
    worst = min(int(there[:, day].sum()) for day in on)
    return (
        CollapseReading.COLLECTOR if worst < (1 - LEAST_LOST) * habit.sum() else CollapseReading.BLACKED_OUT
    )
