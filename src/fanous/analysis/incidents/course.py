"""Course: from when to when an outage was on, in what steps and how deep.

Usage and stray traffic reflect human activity: they begin to fall before an outage by chance, and come back late.  So
if two families agree, it was on while they did; one alone carries it on only if its series hardly moves by itself
(active probing), or while more than half of its level was gone (``course``).

Detectors decide that something is wrong, bin by bin and with what was known then; this then compares the whole event
with the time before it (``measured_course``).  Sources that lost little compared with others do not carry a claim: the
share of visible prefixes dips by a thousandth on any day.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

import numpy as np

from fanous.analysis.explanations.fall import AGREE, DEEP
from fanous.analysis.incidents.assemble import TOGETHER, end_of, intervals_of
from fanous.analysis.incidents.families import LONE_USAGE, STEADY, alone
from fanous.analysis.series.anomalies import family_of, is_country, left
from fanous.analysis.series.baselines import Shares, of_those_days, shares
from fanous.analysis.series.depth import (
    CLEARLY,
    NOW,
    Bracket,
    Fall,
    back_at,
    depth,
    fall,
    reached,
    rise,
    soft_start,
    stages,
)
from fanous.analysis.series.signals import IPV6, SIGNALS, lag_of
from fanous.base.groups import grouped
from fanous.model.incident import Estimate, FamilyView, Interval, Says, Stage, union
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.series import Anomaly, Series, SeriesKey
from fanous.model.threshold import threshold

FELT = (Family.PROBING, Family.USAGE)
"""Families that see what users notice: routes may stay up without users, and stray traffic is not theirs."""


# --- by the anomalies ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    """When one event was on.

    Attributes:
        first: the anomaly that gives the onset and its bounds; its ``start`` is no earlier than the first interval.
        intervals: when it was on, in order.
        core: the anomalies that overlap one of them.
    """

    first: Anomaly
    intervals: tuple[Interval, ...]
    core: tuple[Anomaly, ...]


def course(lead: Sequence[Anomaly]) -> Course:
    """The course of one event; the whole time of ``lead`` if a single family saw it."""
    lead = _without_silent(lead)
    together = _together(lead)
    if not together:
        first = min(lead, key=lambda a: a.start)
        return Course(first, intervals_of(lead), tuple(lead))
    spans = [_widened(span, lead) for span in together]
    spans += [
        Interval(a.start, a.end)
        for a in lead
        if family_of(a) in STEADY and alone(a) and not any(_overlap(a, span) for span in spans)
    ]
    intervals = union(spans)
    core = tuple(a for a in lead if any(_overlap(a, span) for span in intervals))
    first = min(core, key=lambda a: (abs(a.start - intervals[0].start), a.start))
    if first.start != intervals[0].start:  # it lost more than half later than it began to fall
        start = intervals[0].start
        first = replace(first, start=start, start_latest=max(start, first.start_latest))
    return Course(first, intervals, core)


def _without_silent(lead: Sequence[Anomaly]) -> list[Anomaly]:
    """Without series of which no whole bin is known since others came back: they hold nothing open."""
    back = max((a.end for a in lead if a.end is not None), default=-inf)
    return [
        replace(a, end=a.last_seen) if a.end is None and a.last_seen < back + a.departure.step else a
        for a in lead
    ]


def _together(lead: Sequence[Anomaly]) -> list[Interval]:
    """When two or more families were down."""
    edges = []
    for family in {family_of(a) for a in lead}:
        for span in union([Interval(a.start, a.end) for a in lead if family_of(a) is family]):
            edges += [(span.start, 1), (span.until, -1)]
    found, down, since = [], 0, 0.0
    for at, change in sorted(edges):
        before, down = down, down + change
        if before < 2 <= down:
            since = at
        elif down < 2 <= before and at > since:
            found.append(Interval(since, None if at == inf else at))
    return found


def _widened(span: Interval, lead: Sequence[Anomaly]) -> Interval:
    beside = [a for a in lead if _overlap(a, span)]
    start = min([span.start, *(_counts_from(a, span.start) for a in beside)])
    end = max([span.until, *map(_carries_until, beside)])
    return Interval(start, None if end == inf else end)


def _counts_from(anomaly: Anomaly, agreed: float) -> float:
    """From when an anomaly that leads up to the agreement counts."""
    if family_of(anomaly) is Family.PROBING or anomaly.start >= agreed - AGREE:
        return anomaly.start
    return agreed if anomaly.departure.deep_from is None else anomaly.departure.deep_from


def _carries_until(anomaly: Anomaly) -> float:
    """Until when it carries the event on by itself."""
    if family_of(anomaly) is Family.PROBING:
        return anomaly.until
    deep = anomaly.departure.deep_until
    if deep is None:
        return anomaly.until if left(anomaly) <= DEEP else -inf
    return inf if anomaly.end is None and deep >= anomaly.last_seen else deep


def _overlap(anomaly: Anomaly, span: Interval) -> bool:
    return anomaly.start < span.until and span.start < anomaly.until


# --- by each series --------------------------------------------------------------------------------------

MOST = threshold(
    "incidents.onset_series",
    200,
    "Series that are measured to find the onset, the deepest first: among thousands of networks these show when "
    "it began.",
)


@dataclass(frozen=True, slots=True)
class SourceCourse:
    """One series of an event against the time before it.

    Attributes:
        told: shares of its usual level.
        fell: None = it is not seen to have fallen.
        depth: what is left typically, at worst and now; None = it has no complete bin in the event.
    """

    key: SeriesKey
    family: Family
    told: Shares
    fell: Fall | None
    depth: Estimate | None

    @property
    def lost(self) -> float:
        """Typical loss while it lasted, a share; 0 = unknown."""
        return 0.0 if self.depth is None else max(0.0, 1 - self.depth.mean)

    @property
    def heard(self) -> float:
        """When its newest value ended, unix seconds."""
        return float(self.told.times[-1] + self.told.step)


def measure(
    core: Sequence[Anomaly],
    spans: Sequence[Interval],
    series: Sequence[Series],
    anomalies: Sequence[Anomaly] = (),
) -> tuple[SourceCourse, ...]:
    """Every series with an anomaly in ``core``, in the order of their onsets.

    Args:
        spans: when the event was on.
        series: those that were searched; a missing one is not measured.
        anomalies: of all events; what a series lost in an earlier one is not how this one began.
    """
    first: dict[SeriesKey, Anomaly] = {}
    for anomaly in sorted(core, key=lambda a: a.start):
        first.setdefault(anomaly.key, anomaly)
    deepest = sorted(first.values(), key=left)[:MOST]
    wanted = {anomaly.key for anomaly in deepest}
    by_key = {one.key: one for one in series if one.key in wanted and len(one)}
    found = []
    for anomaly in first.values():
        if anomaly.key not in by_key or anomaly.start_earliest is None:
            continue  # nothing is known about the time before it
        told = shares(by_key[anomaly.key], anomaly.start)
        if told is None:
            continue
        alarm = anomaly.start_latest if anomaly.raised_at is None else anomaly.raised_at
        earlier = (one.known_until for one in anomalies if one.key == anomaly.key)
        floor = max((at for at in earlier if at <= anomaly.start), default=-inf)
        fell = fall(told, anomaly.start_latest, anomaly.until, floor, alarm)
        inside = spans if fell is None else _after(spans, fell.fallen)
        found.append(
            SourceCourse(anomaly.key, family_of(anomaly), told, fell, depth(told, inside, inside[-1].end))
        )
    return tuple(found)


def deepened(
    measured: Sequence[SourceCourse], spans: Sequence[Interval], end: float | None
) -> tuple[SourceCourse, ...]:
    """The same series with their depth in other intervals, and of a short event against the days around it.

    Args:
        end: end of the event, which decides what is *now*: it may go on after ``spans``.
    """
    found = []
    for one in measured:
        told = of_those_days(one.told, spans)
        inside = spans if one.fell is None else _after(spans, one.fell.fallen)
        found.append(replace(one, told=told, depth=depth(told, inside, end)))
    return tuple(found)


def _after(spans: Sequence[Interval], since: float) -> list[Interval]:
    return [
        Interval(max(one.start, since), one.end) for one in spans if one.end is None or one.end > since
    ] or list(spans)


# --- when it began ---------------------------------------------------------------------------------------

CARRIES = threshold(
    "incidents.onset_carries_share",
    1 / 3,
    "Share of the greatest loss from which a source carries the incident.",
)


EARLIEST = threshold(
    "incidents.onset_places_share",
    0.1,
    "Share of many places that had fallen when the event began: among a hundred, some fall by chance.",
)


@dataclass(frozen=True, slots=True)
class Began:
    """The onset of an event and its bracket, unix seconds; ``earliest`` None = under way when the data begin.

    Attributes:
        lead: the series that gives the event's steps; None = nothing was measured.
        soft: the lower level that led up to it.
    """

    at: float
    earliest: float | None
    latest: float
    lead: SourceCourse | None = None
    soft: Stage | None = None

    def moved_to(self, at: float) -> "Began":
        """The onset at another moment, which its bracket takes in."""
        earliest = None if self.earliest is None else min(self.earliest, at)
        return replace(self, at=at, earliest=earliest, latest=max(self.latest, at))


def onset_of(first: Anomaly, measured: Sequence[SourceCourse]) -> Began:
    """When it began: the change point of the source that shows it most exactly, or of the first places.

    What users notice comes first: routes may be withdrawn hours before traffic is gone, and decide the moment only if
    they fell within the time that the others leave open.  The bracket is that of this source, narrowed by every other
    of the same place whose bracket meets it; one that does not meet it shows another stage.

    Args:
        first: the anomaly that gives the onset if no change point is known.
    """
    carriers = _carriers(measured)
    if first.start_earliest is None or not carriers:
        return Began(first.start, first.start_earliest, first.start_latest)
    national = [(one, fell) for one, fell in carriers if is_country(one.key.place)]
    if national:
        lead, fell = min([pair for pair in national if pair[0].family in FELT] or national, key=_how_rough)
        lead, fell = min(
            [pair for pair in national if fell.earliest <= pair[1].at <= fell.latest], key=_how_rough
        )
        carriers = national
        earliest, latest = _narrowed(fell, sorted(national, key=_how_rough))
    else:
        ordered = sorted(carriers, key=lambda pair: pair[1].at)
        first_places = ordered[: ceil(EARLIEST * len(ordered))]
        lead, fell = first_places[-1]
        near = [other.earliest for _, other in first_places if fell.at - other.at <= TOGETHER]
        earliest, latest = min(near), fell.latest
    at = min(max(fell.at, earliest), latest)
    lasted = first.until - first.start
    soft = (soft_start(lead.told, fell.earliest) if lasted >= DAY else None) or _cut_before(carriers, fell)
    return Began(at, earliest, latest, _steps(lead, [one for one, _ in carriers]), soft)


LED_UP = threshold(
    "incidents.led_up_share",
    0.25,
    "Most that a step may have lost, as a share of what the main stretch lost, for it to have led up to the outage: "
    "an onset that people quote is that of the loss that the headline names.",
)


def of_main_stretch(
    first: Anomaly, began: Began, levels: Sequence[Stage], measured: Sequence[SourceCourse]
) -> Began:
    """The onset of the stretch whose level is stated, if only much smaller losses came before it: they led up to it."""
    main = main_stretch(levels, began.at, first.until)
    before = [] if main is None else [one for one in levels if began.at <= one.start < main.start]
    if main is None or not before or any(1 - one.left > LED_UP * (1 - main.left) for one in before):
        return began
    until = inf if main.end is None else main.end
    again = [replace(one, fell=fall(one.told, main.start, until, began.at)) for one in measured]
    found = onset_of(replace(first, start=main.start), again)
    if found.lead is None or found.at <= began.at:
        return began
    led_up = Stage(before[0].start, found.earliest, before[0].left)
    return replace(found, soft=found.soft or led_up)


def _narrowed(fell: Fall, others: Sequence[tuple[SourceCourse, Fall]]) -> tuple[float, float]:
    """The bracket of a fall, narrowed by those of others that meet it; people's activity falls by itself, too."""
    earliest, latest = fell.earliest, fell.latest
    for one, other in others:
        meets = other.earliest <= latest and other.latest >= earliest
        if meets and other.at_once and not SIGNALS[one.key.signal].of_people:
            earliest, latest = max(earliest, other.earliest), min(latest, other.latest)
    return earliest, latest


def _steps(lead: SourceCourse, carriers: Sequence[SourceCourse]) -> SourceCourse:
    """The series that gives the steps: the one that gives the onset, unless answers to probes show what users noticed.

    Half of the routes may stay where hardly anyone is left.
    """
    felt = [one for one in carriers if one.family is Family.PROBING and is_country(one.key.place)]
    if lead.family in FELT or not felt or not is_country(lead.key.place):
        return lead
    return min(felt, key=lambda one: one.told.noise * one.told.step)


def _cut_before(carriers: Sequence[tuple[SourceCourse, Fall]], fell: Fall) -> Stage | None:
    """The stage before the fall that only usage shows, as when mobile lines are cut first; None = none.

    It fell at once, further than usage falls by itself, and did not recover before the fall.
    """
    found = []
    for one, other in carriers:
        least = PART * SIGNALS[one.key.signal].least_drop
        stood = one.told.between(other.at, fell.earliest)
        lasted = len(stood) * one.told.step
        if one.family is Family.USAGE and other.at_once and lasted >= LONE_USAGE:
            shares = (float(np.median(part)) for part in np.array_split(stood, ceil(lasted / LONE_USAGE)))
            if max(shares) <= 1 - least:
                found.append(Stage(other.at, fell.earliest, float(np.median(stood))))
    return min(found, key=lambda stage: stage.start, default=None)


PART = threshold(
    "incidents.usage_stage_drops",
    2.0,
    "Times the least drop of the signal that usage must have lost for a stage before or after the rest of an "
    "outage to rest on it alone: a holiday takes no such share of a whole day.",
)


def _how_rough(pair: tuple[SourceCourse, Fall]) -> tuple[int, float]:
    """Uncertainty of the time of a fall, in seconds, for sorting; usage comes later, and last usage that sank
    gradually."""
    one, fell = pair
    rank = 0 if not SIGNALS[one.key.signal].of_people else 1 if fell.at_once else 2
    return rank, one.told.step / fell.clear


def _carriers(measured: Sequence[SourceCourse]) -> list[tuple[SourceCourse, Fall]]:
    fallen = [(one, one.fell) for one in without_ipv6(measured) if one.fell is not None]
    most = max((one.lost for one, _ in fallen), default=0.0)
    carrying = [(one, fell) for one, fell in fallen if one.lost >= CARRIES * most]
    return [(one, fell) for one, fell in carrying if fell.clear >= CLEARLY] or carrying


def carrying(measured: Sequence[SourceCourse]) -> set[SeriesKey]:
    """The series that carry the incident; empty = none fell measurably."""
    return {one.key for one, _ in _carriers(measured)}


# --- from when to when -----------------------------------------------------------------------------------


def exactly(
    spans: Sequence[Interval], began: Began, measured: Sequence[SourceCourse]
) -> tuple[tuple[Interval, ...], Bracket | None]:
    """The intervals from change point to change point: each begins where the sources that carry the incident fell
    again, and ends where the last of them was back; and the bracket of the last end, None = no source shows it.

    Detectors give whole bins, and count an ordinary dip that follows a loss as a part of it.  Usage makes an
    end later than active probing does only if more than half of it was still gone.

    Args:
        spans: in order; the first begins with the onset.
    """
    carriers = [one for one, _ in _carriers(measured)]
    carriers = [one for one in carriers if is_country(one.key.place)] or carriers
    carriers = [one for one in carriers if one.family in FELT] or carriers
    carriers = sorted(carriers, key=lambda one: one.told.noise * one.told.step)[:CARRIERS]
    found: list[Interval] = []
    back: Bracket | None = None
    for index, span in enumerate(spans):
        floor = found[-1].end or -inf if found else -inf
        start = began.at if index == 0 else _fell_again(span, carriers, floor)
        after = spans[index + 1].start if index + 1 < len(spans) else inf
        back = None if span.end is None else _was_back(span.end, start, after, carriers)
        found.append(Interval(start, span.end if back is None else back.at))
    brief = carriers[0].told.brief(found[0]) if carriers and len(found) == 1 else None
    return (tuple(found) if brief is None else (brief,)), back


CARRIERS = threshold(
    "incidents.end_series",
    50,
    "Series that are asked when each interval began and ended, the most exact first.",
)


def _fell_again(span: Interval, carriers: Sequence[SourceCourse], floor: float) -> float:
    falls = [(one, fall(one.told, span.start, span.until, floor)) for one in carriers]
    known = [
        (one, fell)
        for one, fell in falls
        if fell is not None and fell.clear >= CLEARLY and abs(fell.at - span.start) <= AGREE
    ]
    return min(known, key=_how_rough)[1].at if known else max(span.start, floor)


def _was_back(end: float, start: float, after: float, carriers: Sequence[SourceCourse]) -> Bracket | None:
    """When the last of the sources was back; None = none shows it."""
    rises = [(one, rise(one.told, start, end, after, one.lost)) for one in carriers]
    known = [(one, back) for one, back in rises if back is not None and back.at > start]
    steady = [back for one, back in known if not SIGNALS[one.key.signal].of_people]
    over = _of_most(steady) if steady else None
    later = [
        back
        for one, back in known
        if over is None or (back.at > over.at and _still_down(one, over.at, back.at))
    ]
    return _of_most(later) if later else over


def _still_down(one: SourceCourse, since: float, until: float) -> bool:
    """Was more than half of usage gone for all that time?"""
    left_of = one.told.between(since, until)
    return len(left_of) > 0 and float(np.median(left_of)) <= DEEP


def _of_most(backs: Sequence[Bracket]) -> Bracket:
    """The return by which all but ``EARLIEST`` of them have passed; of few, the last."""
    ordered = sorted(backs, key=lambda back: back.at)
    return ordered[ceil((1 - EARLIEST) * len(ordered)) - 1]


def not_yet(
    spans: Sequence[Interval], measured: Sequence[SourceCourse], down: Collection[SeriesKey]
) -> tuple[Interval, SourceCourse] | None:
    """Usage still low after everything else was back: until when, and the series that shows it; None = it was back too.

    A partial return does not end an event.  No ordinary day keeps usage so low for all of its hours.

    Args:
        spans: when the event was on until others were back.
        down: series that detectors still found low after that.
    """
    over = spans[-1].end
    carriers = [one for one, _ in _carriers(measured) if is_country(one.key.place)]
    if over is None or all(SIGNALS[one.key.signal].of_people for one in carriers):
        return None
    found = []
    for one in carriers:
        if one.family is not Family.USAGE or one.key not in down:
            continue
        stood = one.told.between(over, over + DAY)
        if len(stood) * one.told.step < LASTS * DAY:
            continue
        if np.median(stood) <= 1 - PART * SIGNALS[one.key.signal].least_drop:
            found.append((Interval(over, back_at(one.told, over, one.lost)), one))
    return max(found, key=lambda pair: pair[0].until, default=None)


LASTS = threshold(
    "incidents.usage_return_share",
    0.75,
    "Share of the day after everything else was back that must be known to say that usage was not.",
)


# --- in what steps, and how deep -------------------------------------------------------------------------


def levels_of(began: Began, spans: Sequence[Interval], measured: Sequence[SourceCourse]) -> tuple[Stage, ...]:
    """What was left, step by step, by the source that gives the onset; empty = nothing was measured.

    Args:
        measured: with their depth in these intervals.
    """
    if began.lead is None:
        return ()
    lead = next(one for one in measured if one.key == began.lead.key)
    found = [] if began.soft is None else [began.soft]
    for span in spans:
        found += stages(lead.told, span.start, span.end)
    return tuple(found)


def main_stretch(levels: Sequence[Stage], began: float, until: float) -> Stage | None:
    """The first at the level of the main stretch: half of what was lost, in depth and time, was lost at this level or a
    lower one; None = there are no steps.

    Args:
        levels: step by step; what led up to the onset does not count.
        until: when an ongoing one was last measured, unix seconds.
    """
    counted = [one for one in sorted(levels, key=lambda one: (one.left, one.start)) if one.start >= began]
    if not counted:
        return None
    lost = [(1 - one.left) * max(0.0, (until if one.end is None else one.end) - one.start) for one in counted]
    so_far = np.cumsum(lost)
    level = counted[int(np.argmax(so_far >= so_far[-1] / 2))].left
    return next(one for one in counted if one.left == level)


def at_main_level(
    measured: Sequence[SourceCourse], began: Began, levels: Sequence[Stage]
) -> tuple[SourceCourse, ...]:
    """The series; that of the country that gives the steps has the level of the main one as its typical level."""
    lead = began.lead
    main = None if lead is None else main_stretch(levels, began.at, lead.heard)
    if lead is None or main is None or not is_country(lead.key.place):
        return tuple(measured)
    level = main.left
    return tuple(
        replace(one, depth=_with_typical(one.depth, level)) if one.key == lead.key and one.depth else one
        for one in measured
    )


def _with_typical(depth: Estimate, level: float) -> Estimate:
    low, high = min(depth.low, level), max(depth.high, level)
    worst = level if depth.worst is None else min(depth.worst, level)
    return replace(depth, mean=level, low=low, high=high, worst=worst)


def without_ipv6(measured: Sequence[SourceCourse]) -> Sequence[SourceCourse]:
    """The series, those of IPv6 alone only if nothing else fell: it is cut by itself, and few would notice."""
    return [one for one in measured if one.key.signal != IPV6] or measured


def of_families(measured: Sequence[SourceCourse]) -> Estimate | None:
    """What is left by several families: the mean over families, each the mean of its series."""
    measured = without_ipv6(measured)
    country = [one for one in measured if is_country(one.key.place)] or measured
    families = grouped((one for one in country if one.depth is not None), lambda one: one.family)
    if not families:
        return None
    means = [_mean([one.depth for one in family if one.depth]) for family in families.values()]
    whole = _mean(means)
    return replace(whole, low=min(one.low for one in means), high=max(one.high for one in means))


def _mean(many: Sequence[Estimate]) -> Estimate:
    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return Estimate(
        float(np.mean([one.mean for one in many])),
        min(one.low for one in many),
        max(one.high for one in many),
        mean([one.worst for one in many]),
        mean([one.now for one in many]),
        min((one.now_at for one in many if one.now_at is not None), default=None),
    )


def with_depths(opinions: Sequence[FamilyView], measured: Sequence[SourceCourse]) -> tuple[FamilyView, ...]:
    """What each family says, with what its series measure if it is down, deepest places first."""
    views = []
    for opinion in opinions:
        courses = [one for one in measured if str(one.family) == opinion.family]
        lost = {str(one.key.place): one.lost for one in courses}
        # the country itself, then its parts by loss; parts with unknown loss come last
        places = sorted(opinion.entities, key=lambda place: (not place.isalpha(), -lost.get(place, -1.0)))
        opinion = replace(opinion, entities=tuple(places))
        depth = of_families(courses) if opinion.says is Says.DOWN else None
        if depth is not None:
            least = CARRIES * max(one.lost for one in courses)
            fallen = [(one, one.fell) for one in courses if one.fell is not None and one.lost >= least]
            onset = min(fallen, key=_how_rough)[1].at if fallen else opinion.onset
            opinion = replace(opinion, left=depth, onset=onset)
        views.append(opinion)
    return tuple(views)


SILENT_BINS = threshold(
    "incidents.level_silent_bins",
    6,
    "Bins that a series may lack, after its source's usual delay and at least `series.depth_now_seconds`, before its "
    "newest value is no longer the present level: sources skip single bins every day.",
)


def speaking(measured: Sequence[SourceCourse], heard: float) -> list[SourceCourse]:
    """The series that still report.

    Args:
        heard: when the newest value of any series of the country ended, unix seconds.
    """
    return [
        one
        for one in measured
        if heard - one.heard <= lag_of(one.key) + max(SILENT_BINS * one.told.step, NOW)
    ]


def present(
    level: Estimate, known: Sequence[SourceCourse], measured: Sequence[SourceCourse], heard: float
) -> Estimate:
    """The level of an ongoing event with its present one: that of the series that give the level, as far as they still
    report; if they have fallen silent, what they said last, and the present level of the country's others.

    Args:
        known: the series that give the level.
        measured: all series that show the event.
        heard: see ``speaking``.
    """
    still, silent = of_families(speaking(known, heard)), of_families(known)
    if still is not None or silent is None:
        return level if still is None else replace(level, now=still.now, now_at=still.now_at)
    others = speaking([one for one in measured if is_country(one.key.place)], heard)
    newest = max(others, key=lambda one: one.heard, default=None)
    other = None if newest is None else newest.depth
    return replace(
        level,
        now=None if other is None else other.now,
        now_at=None if other is None else other.now_at,
        now_of="" if newest is None else str(newest.family),
        last=silent.now,
        last_at=silent.now_at,
    )


# --- all of it -------------------------------------------------------------------------------------------

NOISE = threshold(
    "incidents.noise_deviations",
    1.0,
    "Standard deviations of its own bins by which some series must have fallen for a suspicion to be more than "
    "noise. With 2, one in six losses of a third of search traffic went unsaid where people are moody.",
)


@dataclass(frozen=True, slots=True)
class MeasuredCourse:
    """The course of an event by the change points of its series: its onset, when and at what levels it was on, and its
    end.

    Attributes:
        core: see ``Course``.
        measured: the series that show it.
        back: the bracket of the end.
        reached: when it was first at the level of its main stretch, if that was later than its onset.
    """

    core: tuple[Anomaly, ...]
    began: Began
    spans: tuple[Interval, ...]
    levels: tuple[Stage, ...]
    end: float | None
    measured: tuple[SourceCourse, ...]
    back: Bracket | None
    reached: Bracket | None = None

    @property
    def is_noise(self) -> bool:
        """Did no series that was measured fall by more than it does by itself, or was it over as it began?"""
        falls = [quantity.fell for quantity in self.measured if quantity.fell is not None]
        unclear = bool(falls) and max(fell.clear for fell in falls) < NOISE
        return unclear or (self.end is not None and self.end <= self.began.at)


def measured_course(
    lead: Sequence[Anomaly], series: Sequence[Series], anomalies: Sequence[Anomaly]
) -> MeasuredCourse:
    """When the event was on, by its anomalies and then by the change points of its series.

    Args:
        anomalies: as in ``measure``.
    """
    by_anomalies = course(lead)
    end = end_of(lead, lambda a: a.key)
    if len({family_of(a) for a in lead}) > 1:
        last = {a.key: a for a in sorted(lead, key=lambda a: a.last_seen)}
        if 2 * sum(a.end is not None for a in last.values()) >= len(last):
            end = by_anomalies.intervals[-1].end  # the others fell silent, or hardly depart
    spans = _until(by_anomalies.intervals, end)
    measured = measure(by_anomalies.core, spans, series, anomalies)
    began = onset_of(by_anomalies.first, measured)
    spans, back = exactly(_from_onset(spans, began.at), began, measured)
    still = {a.key for a in lead if a.until > spans[-1].until}
    later = not_yet(spans, measured, still)
    end = spans[-1].end if later is None else later[0].end
    measured = deepened(measured, spans, end)
    began = began.moved_to(spans[0].start)
    if end is not None and (back is None or back.at != end):
        back = _around(end, series, lead if later is None else [a for a in lead if a.key == later[1].key])
    levels = levels_of(began, spans, measured)
    of_main = of_main_stretch(by_anomalies.first, began, levels, measured)
    if of_main is not began:
        began, spans = of_main, _from_onset(spans, of_main.at)
        measured = deepened(measured, spans, end)
        levels = levels_of(began, spans, measured)
    measured = at_main_level(measured, began, _without_returns(spans, levels, began)[1])
    if later is not None:
        spans, levels = (*spans, later[0]), (*levels, *stages(later[1].told, later[0].start, later[0].end))
    spans, levels = _without_returns(spans, levels, began)
    back = None if end is None else back
    return MeasuredCourse(
        by_anomalies.core, began, spans, levels, end, measured, back, _reached(began, levels)
    )


def _reached(began: Began, levels: Sequence[Stage]) -> Bracket | None:
    """When the country was first at the level that is stated; None = at once, or not known."""
    lead = began.lead
    if lead is None or not is_country(lead.key.place):
        return None
    main = main_stretch(levels, began.at, lead.heard)
    until = inf if main is None or main.end is None else main.end
    found = None if main is None else reached(lead.told, began.at, until, main.left)
    return found if found is not None and found.earliest >= began.latest else None


def _around(end: float, series: Sequence[Series], lead: Sequence[Anomaly]) -> Bracket:
    """An end that no change point shows, between the values around it of the series that ended then."""
    nearest = min(lead, key=lambda a: (abs(a.known_until - end), str(a.key)))
    line = next((one for one in series if one.key == nearest.key and len(one)), None)
    if line is None:
        return Bracket(end, end, end)
    before, after = line.times[line.times < end], line.times[line.times >= end]
    earliest = float(before[-1]) if len(before) else end
    return Bracket(end, earliest, float(after[0] + line.step) if len(after) else end)


def _without_returns(
    spans: Sequence[Interval], levels: Sequence[Stage], began: Began
) -> tuple[tuple[Interval, ...], tuple[Stage, ...]]:
    """The intervals and levels without the times between two falls in which the usual level was back."""
    if began.lead is None:
        return tuple(spans), tuple(levels)
    usual = 1 - SIGNALS[began.lead.key.signal].least_drop
    back = [one for one in levels if one.left >= usual and one.end is not None and one.start > began.at]
    found, gaps = list[Interval](), list[Stage]()
    for span in spans:
        start = span.start
        for one in back:
            if one.end is not None and start < one.start and one.end < span.until:
                found.append(Interval(start, one.start))
                gaps.append(one)
                start = one.end
        found.append(Interval(start, span.end))
    return tuple(found), tuple(one for one in levels if one not in gaps)


def _from_onset(spans: Sequence[Interval], onset: float) -> tuple[Interval, ...]:
    """The intervals from the onset on: the first begins with it."""
    kept = [one for one in spans if one.end is None or one.end > onset] or list(spans[-1:])
    first = kept[0]
    begins = onset if first.end is None or onset < first.end else first.start
    return (Interval(begins, first.end), *kept[1:])


def _until(intervals: Sequence[Interval], end: float | None) -> tuple[Interval, ...]:
    """The intervals; the last is open if and only if the event is.

    A course ends with its series, and too few of them may have recovered to say that the event is over.
    """
    *before, last = intervals
    return *before, Interval(last.start, None if end is None else end if last.end is None else last.end)
