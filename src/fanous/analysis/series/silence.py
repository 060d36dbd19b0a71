"""Silence: probes that were heard regularly and no longer are, as a series.  Pure.

A probe is *expected* in a bin if it was heard in most of the bins before, and for a day after it was last heard; so
volunteers who come and go are never expected, and a machine that runs for years always is.  Silence alone is not a
witness: only what a probe itself records (no network, nothing outside answers) and sends later is a vote.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, nan

import numpy as np

from fanous.model.coverage import LineState, Look
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey, Votes

SILENCE = "silence"

REGULAR_BINS = 6
REGULAR_SHARE = 0.5
"""Share of the last ``REGULAR_BINS`` bins (an hour) that must have a check for the probe to be expected in the next."""

EXPECTED_FOR = 86_400.0
"""Seconds after it was last heard for which a probe is still expected: a machine that is gone for longer may have been
switched off for good."""

GRACE = 600.0
"""Seconds that a check may take to arrive before its absence counts: one bin."""


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
