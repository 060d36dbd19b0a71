"""Slowness: probes on which every download is slow for their line: a general slow-down as a series.  Pure.

A download's control comes under an innocuous name, so slowing down a name does not slow the control; slowing down an
address may, so a probe counts as *slow* only if the controls next to two targets are.  Each probe is compared with
itself, at all hours and at this hour, since lines differ more than evenings do.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, isnan, nan
from statistics import median

import numpy as np

from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import Rate, Series, SeriesKey, Votes
from fanous.model.threshold import threshold

SLOWED = "slowed"
MECHANISM = "slowdown.general"
STEP = threshold(
    "series.slowness_step_seconds",
    300,
    "Width of a bin of rates: an organisation's probes measure once in 1 to 5 minutes.",
)

SLOW = threshold(
    "series.slowness_share",
    0.4,
    "Share of its baseline rate below which a probe is slow: evenings take a third to a half, orders two thirds "
    "and more (Iran 2012 to 2013: 60 to 90 %, Anderson 2013).",
)

LEAST_BINS = threshold(
    "series.slowness_bins",
    6,
    "Bins with a rate before a probe has a baseline: by then its median is accurate to a fifth.",
)

LEAST_DAYS = threshold(
    "series.slowness_days",
    3,
    "Days on which an hour of the day was measured before that hour counts by itself; the lower of the two is "
    "the baseline.",
)

MEMORY = threshold(
    "series.slowness_memory_days", 14, "Days from which the baseline rate is taken, as for quantities."
)

BOUT = threshold(
    "series.slowness_bout_bins",
    6,
    "Bins of which half must be slow to make one bout; nothing is learnt from a bout, not even from its lucky "
    "bins.",
)

LASTING = threshold(
    "series.slowness_lasting_days", 7, "Days after which a bout becomes the baseline rate, as for quantities."
)

CONTROL = threshold(
    "series.slowness_control_seconds",
    1800,
    "Time for which another network that was well shows that the far end is well: as long as a slow-down may "
    "take to be confirmed. It must have been well after this probe became slow.",
)

TARGETS = threshold(
    "series.slowness_targets",
    2,
    "Targets next to whose downloads a probe must be slow in a bin: the address of one may be slowed by itself.",
)


@dataclass(frozen=True, slots=True)
class _Bin:
    """One probe's rates in one bin.

    Attributes:
        left: share of its usual rate; NaN = it has none yet, or too few targets were tried.
        since: bin since which this probe has been slow throughout; its own bin if it is not slow.
    """

    at: int
    first: Rate
    uids: tuple[str, ...]
    kbps: float
    rtt_ms: float
    left: float
    since: int

    @property
    def is_slow(self) -> bool:
        return self.left < SLOW


@dataclass(frozen=True, slots=True, eq=False)
class Slowness:
    """What the probes of a country say; votes in bins without a usual rate are left out.

    Attributes:
        left: uid of a measurement -> share of the usual rate.
    """

    series: list[Series]
    votes: Votes
    left: dict[str, float]


def slowness(rates: Iterable[Rate], country: str) -> Slowness:
    """Which probes are slow, bin by bin.

    Args:
        rates: those of all countries; others not being slow is the control that the far end is fine.
    """
    bins = [one for one in _bins(rates) if not isnan(one.left)]
    courses = _courses(bins)
    own = sorted((b for b in bins if b.first.country == country), key=lambda b: (b.at, b.uids[0]))
    by_network: defaultdict[int, list[_Bin]] = defaultdict(list)
    for one in own:
        by_network[one.first.asn].append(one)
    series = [_share_slow(country, asn, by_network[asn], courses) for asn in sorted(by_network)]
    left = {uid: one.left for one in own for uid in one.uids}
    return Slowness(series, _votes(own, courses), left)


def speed_series(rates: Iterable[Rate], country: str) -> list[Series]:
    """``transfer_kbps`` and ``transfer_rtt_ms`` of each network: medians over its probes, bin by bin."""
    own: defaultdict[int, defaultdict[int, list[_Bin]]] = defaultdict(lambda: defaultdict(list))
    for one in _bins(rate for rate in rates if rate.country == country):
        own[one.first.asn][one.at].append(one)
    found = []
    for asn, bins in sorted(own.items()):
        for signal, name in (("transfer_kbps", "kbps"), ("transfer_rtt_ms", "rtt_ms")):
            told = {at: [getattr(b, name) for b in bins[at] if not isnan(getattr(b, name))] for at in bins}
            found.append(_medians(country, asn, signal, {at: v for at, v in told.items() if v}))
    return [series for series in found if len(series)]


def _bins(rates: Iterable[Rate]) -> Iterator[_Bin]:
    by_probe: defaultdict[tuple[str, int, str], defaultdict[int, list[Rate]]]
    by_probe = defaultdict(lambda: defaultdict(list))
    for rate in rates:
        by_probe[rate.country, rate.asn, rate.probe][floor(rate.at / STEP) * STEP].append(rate)
    for bins in by_probe.values():
        ordinary, slow = _Baseline(), None
        for at in sorted(bins):
            one = _bin(at, sorted(bins[at], key=lambda rate: (rate.at, rate.uid)), ordinary, slow)
            if not isnan(one.left):
                slow = one if one.is_slow else None
            yield one


def _bin(at: int, rates: Sequence[Rate], ordinary: "_Baseline", slow: _Bin | None) -> _Bin:
    """A probe's bin.

    Args:
        slow: the probe's previous bin, if it was slow in it.
    """
    kbps = max(rate.kbps for rate in rates)  # all are slow only if the fastest is
    enough = len({rate.beside for rate in rates}) >= TARGETS
    left = ordinary.left(at, kbps)
    trips = [rate.rtt_ms for rate in rates if not isnan(rate.rtt_ms)]
    uids = tuple(rate.uid for rate in rates)
    since = slow.since if slow is not None and at - slow.at <= CONTROL else at
    return _Bin(at, rates[0], uids, kbps, median(trips) if trips else nan, left if enough else nan, since)


@dataclass(slots=True)
class _Baseline:
    """The usual rate of one probe, from its bins so far; slow bins do not enter it."""

    held: deque[tuple[int, float]] = field(default_factory=deque)
    ranked: list[float] = field(default_factory=list)
    hours: dict[int, deque[tuple[int, float]]] = field(default_factory=dict)
    latest: deque[bool] = field(default_factory=lambda: deque(maxlen=BOUT))
    since: int | None = None

    def left(self, at: int, kbps: float) -> float:
        """Share of the usual rate, NaN = none is known; then the bin is learnt."""
        while self.held and self.held[0][0] < at - MEMORY * DAY:
            self.ranked.pop(bisect_left(self.ranked, self.held.popleft()[1]))
        expected = self._expected(at)
        left = kbps / expected if expected > 0 else nan
        self.latest.append(left < SLOW)
        if 2 * sum(self.latest) < BOUT:
            self.since = None
        elif self.since is None:
            self.since = at
        lasts = self.since is not None and at - self.since >= LASTING * DAY
        if lasts or (self.since is None and not left < SLOW):
            self._learn(at, kbps)
        return left

    def _expected(self, at: int) -> float:
        """The lower of the medians of all hours and of this hour on other days, if enough of those are known."""
        if len(self.ranked) < LEAST_BINS:
            return nan
        middle = self.ranked[len(self.ranked) // 2]
        today, hour = divmod(at, int(DAY))
        same = [v for day, v in self.hours.get(hour // int(HOUR), ()) if today - MEMORY <= day < today]
        return min(middle, median(same)) if len(same) >= LEAST_DAYS else middle

    def _learn(self, at: int, kbps: float) -> None:
        self.held.append((at, kbps))
        insort(self.ranked, kbps)
        today, hour = divmod(at, int(DAY))
        days = self.hours.setdefault(hour // int(HOUR), deque(maxlen=MEMORY + 1))
        if days and days[-1][0] == today:
            days[-1] = (today, (days[-1][1] + kbps) / 2)
        else:
            days.append((today, kbps))


def _share_slow(country: str, asn: int, bins: Sequence[_Bin], courses: "_Courses") -> Series:
    by_time: defaultdict[int, list[_Bin]] = defaultdict(list)
    for one in bins:
        by_time[one.at].append(one)
    times = sorted(by_time)
    counts = np.array([len(by_time[at]) for at in times], np.int64)
    slow = np.array([sum(one.is_slow for one in by_time[at]) for at in times], np.float64)
    beside = np.array([sum(courses.control(one) for one in by_time[at]) for at in times], np.int64)
    return Series(
        SeriesKey(Place(country, asn), "", SLOWED),
        STEP,
        np.array(times, np.int64),
        slow / counts,
        counts,
        beside,
        counts,
    )


@dataclass(slots=True)
class _Courses:
    """Which networks were fine, and when.

    Attributes:
        times: network -> bins, ascending.
        well: network -> was it fine, shape as ``times``: most of its probes were, and had been in the bin
            before, since one lucky download does not make a control.
    """

    times: dict[int, list[int]]
    well: dict[int, list[bool]]

    def control(self, one: _Bin) -> bool:
        """Was another network, heard since this probe became slow, fine when it was last heard?"""
        return any(self._is_well(asn, one) for asn in self.times if asn != one.first.asn)

    def _is_well(self, asn: int, one: _Bin) -> bool:
        latest = bisect_right(self.times[asn], one.at) - 1
        heard = latest >= 0 and self.times[asn][latest] >= max(one.since, one.at - CONTROL)
        return heard and self.well[asn][latest]


def _courses(bins: Sequence[_Bin]) -> _Courses:
    told: defaultdict[int, defaultdict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in bins:
        told[one.first.asn][one.at].append(one.is_slow)
    times = {asn: sorted(own) for asn, own in told.items()}
    well = {}
    for asn, own in told.items():
        good = {at: 2 * sum(slow) < len(slow) for at, slow in own.items()}
        well[asn] = [good[at] and good.get(at - STEP, True) for at in times[asn]]
    return _Courses(times, well)


def _medians(country: str, asn: int, signal: str, told: dict[int, list[float]]) -> Series:
    times = sorted(told)
    counts = np.array([len(told[at]) for at in times], np.int64)
    return Series(
        SeriesKey(Place(country, asn), "", signal, source="edge"),
        STEP,
        np.array(times, np.int64),
        np.array([median(told[at]) for at in times], np.float64),
        counts,
        np.zeros(len(times), np.int64),
        counts,
    )


def _votes(bins: Sequence[_Bin], courses: _Courses) -> Votes:
    """One vote for each probe and bin, by time."""
    return Votes(
        uids=np.array([b.uids[0] for b in bins], object),
        times=np.array([b.first.at for b in bins], np.float64),
        asns=np.array([b.first.asn for b in bins], np.int64),
        resolver_asns=np.zeros(len(bins), np.int64),
        targets=np.array(["" for _ in bins], object),
        signals=np.array([SLOWED for _ in bins], object),
        probes=np.array([b.first.probe for b in bins], object),
        seen=np.array([b.is_slow for b in bins], np.bool_),
        controlled=np.array([courses.control(b) for b in bins], np.bool_),
        mechanisms=np.array([MECHANISM if b.is_slow else "" for b in bins], object),
        kbps=np.array([b.kbps for b in bins], np.float64),
        access=np.array([str(b.first.access) for b in bins], object),
        sources=np.array([b.first.source for b in bins], object),
        receipts=np.array([b.first.receipt for b in bins], np.float64),
        vouched=np.array([b.first.vouched for b in bins], np.bool_),
        volunteer=np.zeros(len(bins), np.bool_),
        cut=np.full(len(bins), "", object),
        reached=np.full(len(bins), "", object),
    )
