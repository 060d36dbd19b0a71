"""Slowness: probes whose every download is slow for their own line - a general slow-down as a series.  Pure.

A download's control comes under an innocuous name, so a name that is slowed down does not make it slow; an
address that is may, so a probe says *slow* only where the controls beside two targets are.  Each probe is
held against itself, at all hours and at this hour, since lines differ more than evenings do.
"""

from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor, isnan, nan
from statistics import median

import numpy as np

from fanous.model.entity import Entity
from fanous.model.rate import Rate
from fanous.model.series import Series, SeriesKey
from fanous.model.votes import Votes

SLOWED = "slowed"
MECHANISM = "slowdown.general"
HOUR, DAY = 3600.0, 86_400.0

STEP = 300
"""Seconds of a bin: an organisation's probes measure once in 1 to 5 minutes."""

SLOW = 0.4
"""Of its ordinary rate, below which a probe is slow: evenings take a third to a half, orders two thirds and
more (Iran 2012-2013: 60-90 %, Anderson 2013)."""

LEAST_BINS = 6
"""With a rate, before a probe has an ordinary one: its median is then off by a fifth."""

LEAST_DAYS = 3
"""On which an hour of the day was measured, before it counts by itself."""

MEMORY = 14
"""Days of which an ordinary rate is taken, as for levels."""

BOUT = 6
"""Bins of which half must be slow to be one bout: nothing of it is ordinary, lucky bins neither."""

LASTING = 7
"""Days after which what is slow is the ordinary rate, as for levels."""

TARGETS = 2
"""Beside whose downloads a probe must have been slow in a bin: the address of one may be slowed by itself."""


@dataclass(frozen=True, slots=True)
class _Bin:
    """One probe's rates in one bin.

    Attributes:
        left: share of its ordinary rate; NaN = it has none yet, or too few targets were asked.
    """

    at: int
    first: Rate
    uids: tuple[str, ...]
    kbps: float
    rtt_ms: float
    left: float

    @property
    def is_slow(self) -> bool:
        return self.left < SLOW


@dataclass(frozen=True, slots=True, eq=False)
class Slowness:
    """What the probes of a country say; the votes of a bin without an ordinary rate are left out.

    Attributes:
        left: measurement -> share of the ordinary rate.
    """

    series: list[Series]
    votes: Votes
    left: dict[str, float]


def slowness(rates: Iterable[Rate], country: str) -> Slowness:
    """Who is slow, bin by bin.

    Args:
        rates: of all countries: that others are not slow is the control that the far end is not.
    """
    bins = [one for one in _bins(rates) if not isnan(one.left)]
    normal = _normal(bins)
    own = sorted((b for b in bins if b.first.country == country), key=lambda b: (b.at, b.uids[0]))
    by_network: defaultdict[int, list[_Bin]] = defaultdict(list)
    for one in own:
        by_network[one.first.asn].append(one)
    series = [_share_slow(country, asn, by_network[asn], normal) for asn in sorted(by_network)]
    left = {uid: one.left for one in own for uid in one.uids}
    return Slowness(series, _votes(own, normal), left)


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
        ordinary = _Ordinary()
        for at in sorted(bins):
            yield _bin(at, sorted(bins[at], key=lambda rate: (rate.at, rate.uid)), ordinary)


def _bin(at: int, rates: Sequence[Rate], ordinary: "_Ordinary") -> _Bin:
    kbps = max(rate.kbps for rate in rates)  # all are slow only where the fastest is
    enough = len({rate.beside for rate in rates}) >= TARGETS
    left = ordinary.left(at, kbps)
    trips = [rate.rtt_ms for rate in rates if not isnan(rate.rtt_ms)]
    uids = tuple(rate.uid for rate in rates)
    return _Bin(at, rates[0], uids, kbps, median(trips) if trips else nan, left if enough else nan)


@dataclass(slots=True)
class _Ordinary:
    """What is ordinary for one probe, from its bins so far; what is slow does not enter it."""

    held: deque[tuple[int, float]] = field(default_factory=deque)
    ranked: list[float] = field(default_factory=list)
    hours: dict[int, deque[tuple[int, float]]] = field(default_factory=dict)
    latest: deque[bool] = field(default_factory=lambda: deque(maxlen=BOUT))
    since: int | None = None

    def left(self, at: int, kbps: float) -> float:
        """Share of the ordinary rate, NaN = none is known; then the bin is learnt."""
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
        """The lower of two: of all hours, and of this hour on other days, where they are known."""
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


def _share_slow(country: str, asn: int, bins: Sequence[_Bin], normal: dict[int, set[int]]) -> Series:
    by_time: defaultdict[int, list[_Bin]] = defaultdict(list)
    for one in bins:
        by_time[one.at].append(one)
    times = sorted(by_time)
    counts = np.array([len(by_time[at]) for at in times], np.int64)
    slow = np.array([sum(one.is_slow for one in by_time[at]) for at in times], np.float64)
    beside = np.array([_others(normal, at, asn) for at in times], np.bool_)
    return Series(
        SeriesKey(Entity(country, asn), "", SLOWED),
        STEP,
        np.array(times, np.int64),
        slow / counts,
        counts,
        np.where(beside, counts, 0).astype(np.int64),
        counts,
    )


def _normal(bins: Sequence[_Bin]) -> dict[int, set[int]]:
    """Bin -> networks that are not slow in it, nor were just before: one lucky download is no control."""
    slow: defaultdict[tuple[int, int], list[bool]] = defaultdict(list)
    for one in bins:
        slow[one.at, one.first.asn].append(one.is_slow)
    well = {place for place, told in slow.items() if 2 * sum(told) < len(told)}
    normal: defaultdict[int, set[int]] = defaultdict(set)
    for at, asn in well:
        if (at - STEP, asn) in well or (at - STEP, asn) not in slow:
            normal[at].add(asn)
    return normal


def _others(normal: dict[int, set[int]], at: int, asn: int) -> bool:
    """Was another network well in this bin, or the one before?"""
    return any(normal.get(bin_, set()) - {asn} for bin_ in (at, at - STEP))


def _medians(country: str, asn: int, signal: str, told: dict[int, list[float]]) -> Series:
    times = sorted(told)
    counts = np.array([len(told[at]) for at in times], np.int64)
    return Series(
        SeriesKey(Entity(country, asn), "", signal, source="edge"),
        STEP,
        np.array(times, np.int64),
        np.array([median(told[at]) for at in times], np.float64),
        counts,
        np.zeros(len(times), np.int64),
        counts,
    )


def _votes(bins: Sequence[_Bin], normal: dict[int, set[int]]) -> Votes:
    """One vote a probe and bin, by time."""
    return Votes(
        uids=np.array([b.uids[0] for b in bins], object),
        times=np.array([b.first.at for b in bins], np.float64),
        asns=np.array([b.first.asn for b in bins], np.int64),
        resolver_asns=np.zeros(len(bins), np.int64),
        targets=np.array(["" for _ in bins], object),
        signals=np.array([SLOWED for _ in bins], object),
        probes=np.array([b.first.probe for b in bins], object),
        seen=np.array([b.is_slow for b in bins], np.bool_),
        controlled=np.array([_others(normal, b.at, b.first.asn) for b in bins], np.bool_),
        mechanisms=np.array([MECHANISM if b.is_slow else "" for b in bins], object),
        kbps=np.array([b.kbps for b in bins], np.float64),
        access=np.array([str(b.first.access) for b in bins], object),
        sources=np.array([b.first.source for b in bins], object),
    )
