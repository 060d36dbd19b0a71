"""Recovery: what stays a little lower when an outage is over is no part of the outage, nor is the day that still holds
the loss.

After a cut some blocks of addresses never answer again, and a publisher may change what it probes in the middle of one.
Routes and answers to pings hardly move by themselves, so their anomaly goes on, and would keep the outage open forever
or fill the hours between two sessions.  It is cut where most of what was lost is back: where people's traffic is as
usual, or, without such figures, where what is missing has stayed small for a day.

The sum of a whole day stays low until a day after people's traffic is back.  Where the bins of the same series, and a
series of another publisher, show that it was back at once and as usual, the anomaly of whole days ends then.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from fanous.analysis.explanations.addresses import SMALL
from fanous.analysis.explanations.fall import AGREE, DEEP
from fanous.analysis.explanations.publisher import median_share
from fanous.analysis.incidents.families import LONE, NOTICED, STEADY
from fanous.analysis.series.anomalies import family_of, is_country, of_people
from fanous.analysis.series.baselines import Shares, shares
from fanous.analysis.series.depth import BACK, STAGE
from fanous.analysis.series.signals import SIGNALS, Direction, publisher_of, target_of_series
from fanous.model.incident import Interval
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Family
from fanous.model.series import Anomaly, Floats, Series, SeriesKey
from fanous.model.threshold import threshold

HALF = threshold(
    "incidents.rest_share",
    0.5,
    "Share of the loss of its deepest time: with less missing for `series.stage_seconds`, an anomaly of routes "
    "or answers to pings may be over, if as much of that time was measured and usage was not lost for as much of it.",
)


def without_remainders(anomalies: Sequence[Anomaly], series: Sequence[Series]) -> list[Anomaly]:
    """The anomalies; those of routes and answers to pings without the times in which most was back.

    Args:
        series: all quantities of the country that can show an outage.
    """
    lines = {one.key: one for one in series if len(one)}
    country = [one for one in lines.values() if is_country(one.key.place)]
    usage = [one for one in country if _shows_people(one)]
    dips = [Interval(a.start, a.until) for a in anomalies if of_people(a) and is_country(a.key.place)]
    found, before = list[Anomaly](), defaultdict[SeriesKey, list[Interval]](list)
    for anomaly in sorted(anomalies, key=lambda a: a.start):
        line = lines.get(anomaly.key)
        course = None if line is None else _course(anomaly, line, before[anomaly.key])
        found += [anomaly] if course is None else course.parts(usage, dips)
        before[anomaly.key].append(Interval(anomaly.start, anomaly.until))
    found = list(_without_echoes(found, lines))
    return sorted(_without_late(found, lines), key=lambda a: a.start)


def _without_echoes(anomalies: Sequence[Anomaly], lines: Mapping[SeriesKey, Series]) -> Iterator[Anomaly]:
    """The anomalies; an open one of whole days ends where the series was back, if two publishers say so."""
    ended = [(a, a.end) for a in anomalies if a.end is not None]
    for one in anomalies:
        before = [end for other, end in ended if one.end is None and other.key == one.key and end > one.start]
        over, line = max(before, default=None), lines.get(one.key)
        if over is None or line is None or not 0 < one.last_seen - over < DAY:
            yield one
            continue
        own = publisher_of(one.key)
        others = (a for a, end in ended if publisher_of(a.key) != own and abs(end - over) <= AGREE)
        yield replace(one, end=over, last_seen=over) if any(others) and _is_usual(line, one, over) else one


def _is_usual(line: Series, anomaly: Anomaly, since: float) -> bool:
    """Was the series as usual for an hour or longer then?  What it lost after three is another loss."""
    told = shares(line, anomaly.start)
    left = np.array([]) if told is None else told.between(since, since + STAGE)
    usual = 1 - SIGNALS[line.key.signal].least_drop
    return len(left) * line.step >= HOUR and float(np.median(left)) >= usual


def _without_late(anomalies: Sequence[Anomaly], lines: Mapping[SeriesKey, Series]) -> Iterator[Anomaly]:
    """The anomalies; an open one of a source that publishes much later than others ends with its data, if two other
    families fell with it and all of their series that know more are back.
    """
    until = {key: float(line.times[-1] + line.step) for key, line in lines.items()}
    for one in anomalies:
        known = until.get(one.key, np.inf)
        fresh = {
            other.key: other
            for other in sorted(anomalies, key=lambda a: a.last_seen)
            if one.end is None
            and is_country(other.key.place)
            and family_of(other) is not family_of(one)
            and until.get(other.key, 0.0) >= known + STAGE
            and other.start < one.last_seen
            and one.start < other.until
        }
        families = {family_of(other) for other in fresh.values()}
        is_over = len(families) >= 2 and all(other.end is not None for other in fresh.values())
        yield replace(one, end=one.last_seen) if is_over else one


def _shows_people(one: Series) -> bool:
    signal = SIGNALS[one.key.signal]
    counts = signal.family is Family.USAGE and signal.bad is Direction.DOWN and signal.unit != "kbps"
    return counts and not target_of_series(one.key)


def _course(anomaly: Anomaly, line: Series, before: Sequence[Interval]) -> "_Course | None":
    """The course of an anomaly that may hold a remainder; None = it cannot."""
    if family_of(anomaly) not in STEADY or anomaly.start_earliest is None:
        return None
    if anomaly.last_seen - anomaly.start < STAGE:
        return None
    told = shares(line, anomaly.start, before)
    if told is None:
        return None
    until = min(
        anomaly.last_seen, anomaly.departure.lasting_since or np.inf
    )  # later falls are of the new level
    rows = (told.times >= anomaly.start) & (told.times + told.step <= until)
    width = max(2, ceil(LONE / told.step))
    if rows.sum() <= width:
        return None
    lost = 1 - told.left[rows]
    deepest = float(np.median(np.lib.stride_tricks.sliding_window_view(lost, width), axis=1).max())
    return _Course(anomaly, told, told.times[rows].astype(np.float64), lost, deepest)


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """The bins of an anomaly.

    Attributes:
        times, lost: shape (n,), beginning and lost share of each.
        deepest: loss at its deepest time.
    """

    anomaly: Anomaly
    told: Shares
    times: Floats
    lost: Floats
    deepest: float

    def parts(self, usage: Sequence[Series], dips: Sequence[Interval]) -> list[Anomaly]:
        """The times in which it was on, each as an anomaly."""
        low = self.lost > HALF * self.deepest
        cuts = np.diff(np.concatenate([[0], (~low).astype(np.int8), [0]]))
        spans = zip(np.flatnonzero(cuts > 0).tolist(), np.flatnonzero(cuts < 0).tolist(), strict=True)
        rest = [span for span in spans if self._is_rest(*span, usage, dips)]
        if not rest:
            return [self.anomaly]
        edges = [0, *(edge for span in rest for edge in span), len(low)]
        kept = [(edges[n], edges[n + 1]) for n in range(0, len(edges), 2) if edges[n] < edges[n + 1]]
        last = rest[-1] if rest[-1][1] == len(low) else None
        found = [self._part(*span) for span in kept]
        if found and last is not None and self.anomaly.end is None:
            found[-1] = self._followed_by(found[-1], *last)
        return found

    def _is_rest(self, first: int, last: int, usage: Sequence[Series], dips: Sequence[Interval]) -> bool:
        """Was most of what was lost back in these bins, for long enough?"""
        start, end = self._when(first, last)
        lasts = end - start
        if lasts < STAGE or (last - first) * self.told.step < HALF * lasts or (first == 0 and lasts >= DAY):
            return False
        if any(min(end, dip.until) - max(start, dip.start) > HALF * lasts for dip in dips):
            return False
        lost = float(np.median(self.lost[first:last]))
        told = [(SIGNALS[one.key.signal], median_share(one, start, end)) for one in usage]
        usual = [
            left >= 1 - max(lost / 2, NOTICED * signal.least_drop)
            for signal, left in told
            if left is not None
        ]
        if usual and all(usual):
            return True
        return lasts >= DAY and lost <= min(BACK * self.deepest, SMALL)  # not the slow end of a recovery

    def _when(self, first: int, last: int) -> tuple[float, float]:
        """From when to when some bins are, up to the next that was measured."""
        end = self.times[last] if last < len(self.times) else self.times[-1] + self.told.step
        return float(self.times[first]), float(end)

    def _part(self, first: int, last: int) -> Anomaly:
        """The anomaly between two rows."""
        anomaly, step = self.anomaly, self.told.step
        start, end = float(self.times[first]), float(self.times[last - 1] + step)
        left = np.clip(1 - self.lost[first:last], 0, 1)
        low, middle, high = (float(share) for share in np.quantile(left, [0.05, 0.5, 0.95]))
        gone = self.times[first:last][left < DEEP]
        goes_on = last == len(self.times)
        departure = replace(
            anomaly.departure,
            left=middle,
            low=low,
            high=high,
            accepted=anomaly.departure.accepted and goes_on,
            lasting_since=anomaly.departure.lasting_since if goes_on else None,
            deep_from=float(gone[0]) if len(gone) else None,
            deep_until=float(gone[-1] + step) if len(gone) else None,
            gone_at=float(gone[0] + step) if len(gone) else None,
        )
        raised = anomaly.raised_at
        if raised is not None and first:
            raised = max(raised, start + min(2, last - first) * step)
        return replace(
            anomaly,
            start=start if first else anomaly.start,
            start_earliest=start if first else anomaly.start_earliest,
            start_latest=start if first else anomaly.start_latest,
            end=anomaly.end if goes_on else end,
            raised_at=None if raised is not None and raised > end else raised,
            last_seen=anomaly.last_seen if goes_on else end,
            bins=last - first,
            departure=departure,
        )

    def _followed_by(self, part: Anomaly, first: int, last: int) -> Anomaly:
        """The part, with the lower level that stayed after it."""
        start, end = self._when(first, last)
        rest = float(np.median(1 - self.lost[first:last]))
        if end - start < DAY:
            return part
        return replace(part, departure=replace(part.departure, rest=rest))
