"""Outage: what the series of sources say about a group of anomalies.

Where and when quantities fell, how deep, and which families agree on that; ``assemble`` makes the incident.  A lower
level that lasts becomes the baseline of what follows, and the outage lasts until the earlier level is back.

``course`` says from when to when it was on.  Usage and stray traffic reflect human activity: they begin to fall
before an outage by chance, and come back late.  So if two families agree, it was on while they did; one alone
carries it on only if its series hardly moves by itself (active probing), or while more than half of its level was gone.

``reach`` says how far it goes, from the finest cell up to the nation, and which class of outage that makes it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.explanation import Consequence, Weighing, in_order
from fanous.analysis.explanations.fall import AGREE, DEEP, OutageElsewhere, SeriesEvent
from fanous.analysis.explanations.publisher import NEAR, WEEKLY, WORLDWIDE
from fanous.analysis.explanations.table import OF_AGREEMENT, OF_SERIES_EVENT
from fanous.analysis.incidents.assemble import CERTAIN, Account, Setting, end_of, intervals_of, surest
from fanous.analysis.incidents.confirm import Ruling
from fanous.analysis.incidents.extent import (
    FELT,
    NATION_SHARE,
    Began,
    SourceCourse,
    at_main_level,
    carrying,
    deepened,
    exactly,
    extent,
    levels_of,
    main_stretch,
    measure,
    not_yet,
    of_families,
    of_main_stretch,
    onset_of,
    present,
    with_depths,
)
from fanous.analysis.incidents.fusion import (
    STEADY,
    OutageRuling,
    Support,
    agree,
    alone,
    cannot_show,
    estimate,
    judged,
    opinions,
    single,
    worth_a_suspicion,
)
from fanous.analysis.incidents.hints import hints
from fanous.analysis.series.anomalies import family_of, is_country, left
from fanous.analysis.series.depth import Bracket, reached, stages
from fanous.analysis.series.parts import Parts
from fanous.analysis.series.signals import IPV6, SIGNALS, target_of_series
from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import (
    JOIN,
    Estimate,
    EvidenceCounts,
    FamilyView,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Says,
    Scope,
    Stage,
    UsersShare,
    union,
)
from fanous.model.place import Access, Family, Place, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series, SeriesKey
from fanous.model.threshold import threshold

SURE = threshold(
    "incidents.outage_confidence_family",
    0.95,
    "Highest confidence from one family of series among several that agree: all its series share its faults; and "
    "from several, while people's activity was as usual, or with less than a week of history: of 109 such, made up, "
    "all were right, which shows .97 and no more. The same if they share collectors, geolocation or lists, whose "
    "errors are in all of them.",
)

ONE_FAMILY = threshold(
    "incidents.outage_confidence_one_family",
    0.5,
    "Highest confidence of an outage that a single family shows: 60 of 98 were right in 144 made-up "
    "country-months, one in two with a loss, and real losses are rarer.",
)


NOISE = threshold(
    "incidents.noise_deviations",
    1.0,
    "Standard deviations of its own bins by which some series must have fallen for a suspicion to be more than "
    "noise. With 2, one in six losses of a third of search traffic went unsaid where people are moody.",
)


@dataclass(frozen=True, slots=True)
class Quantities:
    """Series behind the findings of a country: see ``assemble.Grounds``.

    Attributes:
        series: quantities that can show an outage.
        elsewhere: outages of other countries.
        distance: kilometres between two countries.
        season: the hint that exams are held at the season and hour of an instant (unix seconds); empty = there are
            none.
        past: reads usage in earlier years.
        anomalies: of all events of the country; an earlier one is no part of this one's fall.
    """

    series: Sequence[Series]
    elsewhere: Sequence[OutageElsewhere] = ()
    season: Callable[[float], Reason | None] = lambda _: None
    past: Callable[[], Sequence[Series]] = tuple
    distance: Callable[[str, str], float] = lambda _, __: inf
    anomalies: Sequence[Anomaly] = ()

    def account(self, group: Sequence[Finding], setting: Setting) -> Account | None:
        """What the series say about an event; None = it is not worth a suspicion."""
        kind = min((finding.kind for finding in group), key=list(Kind).index)
        anomalies = [finding.anomaly for finding in group]
        parts = Parts(self.series, setting.weights)
        fall = SeriesEvent(setting.country, anomalies, self.series, parts, self.elsewhere, self.distance)
        weighed = {row.code: row.weigh(fall) for row in in_order(OF_SERIES_EVENT)}
        shared = weighed[WORLDWIDE]
        said = {row.code for row in (*OF_SERIES_EVENT, *OF_AGREEMENT) if row.consequence is Consequence.SAY}
        verdict, answers = _judged(fall, kind, [weighed[code] for code in weighed if code not in said])
        if verdict.at is None and not worth_a_suspicion(anomalies, kind, parts):
            return None
        told = opinions(anomalies, self.series)
        far = reach(anomalies, self.series, told, setting.weights)
        ran, stood = _stood(far.lead, self.series, self.anomalies)
        if verdict.at is None and stood.is_noise:
            return None
        lasting = _lasting_since(stood.end, far, carrying(stood.measured))
        entities = _entities(setting.country, far, stood.measured, stood.end)
        target = target_of_series(anomalies[0].key)
        every = weighed | answers
        counted = every if verdict.at is not None else weighed
        held = [code for code in counted if code in said and every[code].standing is Standing.HOLDS]
        doubts = tuple(every[code].because for code in held)
        weekly = weighed[WEEKLY]
        is_short = weekly.standing is Standing.UNTESTED
        classes = _mechanisms(kind, target, far)
        return Account(
            kind=kind,
            ruling=_not_before(verdict, stood.began),
            scope=far.scope,
            access=far.access,
            users=None if target else far.users,
            entities=entities,
            parts=(Part(target, kind, classes, entities),),
            networks=_cells([a for a in anomalies if a.until > stood.began.at], entities, stood.spans),
            onset=stood.began.at,
            onset_earliest=stood.began.earliest,
            onset_latest=stood.began.latest,
            intervals=_by_level(stood.spans, stood.levels),
            end=stood.end,
            end_earliest=None if stood.back is None else stood.back.earliest,
            end_latest=None if stood.back is None else stood.back.latest,
            reached=None if stood.reached is None else stood.reached.at,
            reached_earliest=None if stood.reached is None else stood.reached.earliest,
            reached_latest=None if stood.reached is None else stood.reached.latest,
            witnesses=surest(((family_of(a), a.probability) for a in anomalies), SURE),
            most=ONE_FAMILY if verdict.at is None else SURE if doubts or is_short else CERTAIN,
            evidence=_evidence(anomalies),
            remarks=(
                *((shared.because,) if shared.explains and verdict.reason.code != WORLDWIDE else ()),
                *doubts,
                *_by_routes(stood.measured),
                *_of_ipv6(setting.country, stood.measured),
                *(() if target else far.remarks),
                *((weekly.because,) if is_short else ()),
                *_cautions(far, lasting, stood.end),
            ),
            level=_level(ran.core, kind, stood, self.series),
            lasting_since=lasting,
            levels=stood.levels,
            explanations=tuple(
                Weighed(code, answer.standing, answer.because) for code, answer in every.items()
            ),
            opinions=cannot_show(with_depths(told, stood.measured)),
            hints=hints(
                ran.core,
                stood.spans,
                () if shared.explains else self._meanwhile(setting.country, stood.began.at),
                self.series,
                self.season(stood.began.at),
                stood.began,
            ),
        )

    def _meanwhile(self, country: str, start: float) -> tuple[str, ...]:
        """Other countries whose outage began within the hour."""
        near = {one.country for one in self.elsewhere if abs(one.when.start - start) <= NEAR}
        return tuple(sorted(near - {country}))


def _judged(event: SeriesEvent, kind: Kind, answers: Sequence[Weighing]) -> OutageRuling:
    """Is it confirmed, by what no explanation leaves out, and with none left?"""
    verdict = judged(event, kind)
    for answer in answers:
        if verdict.ruling.at is None or answer.standing is not Standing.HOLDS:
            continue
        kept = [a for a in event.group if answer.explains and family_of(a) not in answer.explains]
        verdict = judged(replace(event, group=kept), kind) if kept else verdict
        if not kept or verdict.ruling.at is None:
            verdict = verdict._replace(ruling=Ruling("", None, answer.because))
    return verdict


def _by_routes(measured: Sequence[SourceCourse]) -> Iterator[Reason]:
    """How much of the country's loss of answers the routes that were withdrawn account for; both count /24s."""
    lost = dict.fromkeys(STEADY, 0.0)
    for one in measured:
        if is_country(one.key.place) and SIGNALS[one.key.signal].unit == "/24s":
            lost[one.family] = max(lost[one.family], one.lost)
    if all(lost.values()):
        yield Reason("routes_explain", {"share": min(1.0, lost[Family.ROUTING] / lost[Family.PROBING])})


def _of_ipv6(country: str, measured: Sequence[SourceCourse]) -> Iterator[Reason]:
    """When the country's IPv6 routes fell, which may be hours before the rest: the two are cut by themselves."""
    for one in measured:
        apart = one.key.signal == IPV6 and is_country(one.key.place) and one.fell is not None
        if apart and one.fell is not None and one.depth is not None and one.depth.mean <= IPV6_LEFT:
            yield Reason("ipv6_routes", {"left": one.depth.mean, "at": one.fell.at, "country": country})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it goes.

    Attributes:
        lead: the anomalies that the claim is about: those of the country's own series if these fell.
        classes: ``outage.*``, the likeliest first.
        remarks: remarks that belong to the claim.
    """

    scope: Scope
    access: Access
    users: UsersShare | None
    lead: tuple[Anomaly, ...]
    classes: tuple[str, ...]
    remarks: tuple[Reason, ...] = ()


def worth_keeping(anomalies: Sequence[Anomaly], parts: Parts | None = None) -> list[Anomaly]:
    """The anomalies, without dips of a country's usage or stray traffic that are insignificant alone and agree with
    nothing.

    If kept, they would chain one ordinary morning to the next and put an onset days before the event.

    Args:
        parts: as for ``ruling``.
    """
    support = Support(anomalies, parts)
    supported = _supported_singles(anomalies, support)
    return [a for a in anomalies if (id(a) in supported if single(a) else _counts(a, anomalies, support))]


def _counts(anomaly: Anomaly, anomalies: Sequence[Anomaly], support: Support) -> bool:
    place = anomaly.key.place
    if family_of(anomaly) in STEADY or place.asn or place.region or alone(anomaly):
        return True
    family = family_of(anomaly)
    return any(
        family_of(other) is not family and agree(anomaly, other) and support.supports(anomaly, other)
        for other in anomalies
    )


def _supported_singles(anomalies: Sequence[Anomaly], support: Support) -> set[int]:
    """Ids of the anomalies of one deep bin that another family, from another publisher, supports."""
    gone = (a for a in anomalies if a.departure is not None and a.departure.gone_at is not None)
    deep = sorted(gone, key=lambda a: a.start)
    starts = np.array([a.start for a in deep])
    ends = np.array([a.until for a in deep])
    found: set[int] = set()
    for one in deep:
        if single(one):
            near = [deep[n] for n in np.flatnonzero((starts < one.until) & (ends > one.start)).tolist()]
            others = (a for a in near if family_of(a) is not family_of(one) and agree(one, a))
            if any(support.supports(one, other) for other in others):
                found.add(id(one))
    return found


@dataclass(frozen=True, slots=True)
class _Stood:
    """An event as measured: its onset, when and at what levels it was on, its end with its bracket, and the series that
    show it.

    Attributes:
        reached: when it was first at the level of its main stretch, if that was later than its onset.
    """

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


def _stood(
    lead: Sequence[Anomaly], series: Sequence[Series], anomalies: Sequence[Anomaly]
) -> "tuple[Course, _Stood]":
    """When the event was on by its anomalies, and by the change points of its series."""
    ran = course(lead)
    several_families = len({family_of(a) for a in lead}) > 1
    end = ran.intervals[-1].end if several_families and _mostly_back(lead) else end_of(lead, _series)
    spans = _until(ran.intervals, end)
    measured = measure(ran.core, spans, series, anomalies)
    began = onset_of(ran.first, measured)
    spans, back = exactly(_from_onset(spans, began.at), began, measured)
    still = {a.key for a in lead if a.until > spans[-1].until}
    later = not_yet(spans, measured, still)
    end = spans[-1].end if later is None else later[0].end
    measured = deepened(measured, spans, end)
    began = _from(began, spans[0].start)
    if end is not None and (back is None or back.at != end):
        back = _around(end, series, lead if later is None else [a for a in lead if a.key == later[1].key])
    levels = levels_of(began, spans, measured)
    of_main = of_main_stretch(ran.first, began, levels, measured)
    if of_main is not began:
        began, spans = of_main, _from_onset(spans, of_main.at)
        measured = deepened(measured, spans, end)
        levels = levels_of(began, spans, measured)
    measured = at_main_level(measured, began.lead, _without_returns(spans, levels, began)[1], began.at)
    if later is not None:
        spans, levels = (*spans, later[0]), (*levels, *stages(later[1].told, later[0].start, later[0].end))
    spans, levels = _without_returns(spans, levels, began)
    return ran, _Stood(
        began, spans, levels, end, measured, None if end is None else back, _reached(began, levels)
    )


def _reached(began: Began, levels: Sequence[Stage]) -> Bracket | None:
    """When the country was first at the level that is stated; None = at once, or not known."""
    lead = began.lead
    if lead is None or not is_country(lead.key.place):
        return None
    main = main_stretch(levels, began.at, float(lead.told.times[-1] + lead.told.step))
    until = inf if main is None or main.end is None else main.end
    found = None if main is None else reached(lead.told, began.at, until, main.left)
    return found if found is not None and found.earliest >= began.latest else None


def _from(began: Began, at: float) -> Began:
    """The onset at another moment, which its bracket takes in."""
    earliest = None if began.earliest is None else min(began.earliest, at)
    return replace(began, at=at, earliest=earliest, latest=max(began.latest, at))


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


def _mechanisms(kind: Kind, target: str, far: Reach) -> tuple[str, ...]:
    if target:
        return ("outage.platform",)
    return far.classes if kind is Kind.OUTAGE else ("slowdown.general",)


def _level(core: Sequence[Anomaly], kind: Kind, stood: "_Stood", series: Sequence[Series]) -> Estimate | None:
    """What is left of what users notice: of usage and of answers rather than of routes and stray traffic, and of a
    speed rather than of a delay; among these by the series that carry the incident, if any do.

    If the country's own series gives the steps, it gives the level; the range is that of all of them.
    """

    def felt(key: SeriesKey) -> bool:
        signal = SIGNALS[key.signal]
        return signal.unit == "kbps" if kind is Kind.SLOWDOWN else signal.family in FELT

    known = [one for one in stood.measured if felt(one.key)] or list(stood.measured)
    carriers = carrying(known)
    known = [one for one in known if one.key in carriers] or known
    found = of_families(known) or estimate([a for a in core if felt(a.key)] or core)
    lead = stood.began.lead
    own = next((one.depth for one in known if lead is not None and one.key == lead.key), None)
    if found is not None and own is not None and lead is not None and is_country(lead.key.place):
        low, high = min(own.low, found.low), max(own.high, found.high)
        found = replace(own, low=low, high=high, now=found.now, now_at=found.now_at)
    if found is None or stood.end is not None:
        return found
    heard = max((float(one.times[-1] + one.step) for one in series if len(one)), default=0.0)
    return present(found, known, stood.measured, heard)


def _not_before(verdict: Ruling, began: Began) -> Ruling:
    """The ruling, no earlier than the event: an ordinary dip that ran into it may have met the rule before."""
    if verdict.at is None or verdict.at >= began.at:
        return verdict
    return replace(verdict, at=began.latest)


def _lasting_since(end: float | None, far: Reach, carriers: Collection[SeriesKey]) -> float | None:
    """When detectors accepted the lasting lower level as their baseline; None = it recovered, or has not lasted a week.

    Args:
        carriers: series that carry the incident; empty = all do.
    """
    if end is not None:
        return None
    lead = [a for a in far.lead if a.end is None and (not carriers or a.key in carriers)]
    accepted = [a.departure.lasting_since for a in lead if a.departure is not None]
    return min((at for at in accepted if at is not None), default=None)


def _from_onset(spans: Sequence[Interval], onset: float) -> tuple[Interval, ...]:
    """The intervals from the onset on: the first begins with it."""
    kept = [one for one in spans if one.end is None or one.end > onset] or list(spans[-1:])
    first = kept[0]
    begins = onset if first.end is None or onset < first.end else first.start
    return (Interval(begins, first.end), *kept[1:])


def _by_level(spans: Sequence[Interval], levels: Sequence[Stage]) -> tuple[Interval, ...]:
    """The intervals, cut where the level changed: a further fall or a partial return is a separate interval."""
    found: list[Interval] = []
    for span in spans:
        inside = [one.start for one in levels if span.start < one.start < span.until]
        edges = [span.start, *inside, span.end]
        found += [Interval(edges[n] or 0.0, edges[n + 1]) for n in range(len(edges) - 1)]
    return tuple(found)


def _cautions(far: Reach, lasting: float | None, end: float | None) -> Iterator[Reason]:
    if lasting is not None:
        yield Reason("lasting")
    if end is not None and (stays := _stays_lower(far.lead, end)):
        yield stays


def _stays_lower(lead: Sequence[Anomaly], end: float) -> Reason | None:
    """What some families still lacked after the event; None = nothing."""
    stays = [
        (family_of(a), a.departure.rest)
        for a in lead
        if a.departure is not None and a.known_until >= end - AGREE
    ]
    known = [(family, rest) for family, rest in stays if rest is not None]
    if not known:
        return None
    families = tuple(str(family) for family in Family if family in {family for family, _ in known})
    return Reason("stays_lower", {"shown_by": families, "left": round(min(rest for _, rest in known), 3)})


def _series(anomaly: Anomaly) -> SeriesKey:
    return anomaly.key


def _mostly_back(lead: Sequence[Anomaly]) -> bool:
    """Did half of the series recover?  The others fell silent, or hardly depart."""
    last = {a.key: a for a in sorted(lead, key=lambda a: a.last_seen)}
    return 2 * sum(a.end is not None for a in last.values()) >= len(last)


def _until(intervals: Sequence[Interval], end: float | None) -> tuple[Interval, ...]:
    """The intervals; the last is open if and only if the event is.

    A course ends with its series, and too few of them may have recovered to say that the event is over.
    """
    *before, last = intervals
    return *before, Interval(last.start, None if end is None else end if last.end is None else last.end)


def _entities(
    country: str, far: Reach, measured: Sequence[SourceCourse], end: float | None
) -> tuple[str, ...]:
    """The country, if it is about all of it, then the places, deepest first.

    While it is ongoing, places that have recovered are left out.
    """
    depths: dict[str, float] = {}
    for anomaly in far.lead:
        place = str(anomaly.key.place)
        depths[place] = min(depths.get(place, inf), left(anomaly))
    for one in measured:
        if one.depth is not None and str(one.key.place) in depths:
            depths[str(one.key.place)] = one.depth.mean
    if end is None:
        down = {str(a.key.place) for a in far.lead if a.end is None}
        depths = {place: share for place, share in depths.items() if place in down} or depths
    cells = sorted((share, place) for place, share in depths.items() if place != country)
    own = (country,) if far.scope in (Scope.NATION, Scope.INSUFFICIENT) else ()
    return own + tuple(place for _, place in cells)


def _cells(
    group: Sequence[Anomaly], entities: Sequence[str], spans: Sequence[Interval]
) -> tuple[NetworkPart, ...]:
    """When it was seen in each place; ``measurements`` counts bins.

    Args:
        entities: of the incident; where the country is one of them, it has the incident's own times.
        spans: when the incident was on.
    """
    places: dict[Place, list[Anomaly]] = {}
    for anomaly in group:
        places.setdefault(anomaly.key.place, []).append(anomaly)
    parts = []
    for entity, own in sorted(places.items(), key=lambda place: place[0]):
        parts.append(
            NetworkPart(
                entity=str(entity),
                targets=(),
                intervals=union(spans, JOIN)
                if is_country(entity) and str(entity) in entities
                else intervals_of(own),
                measurements=_bins(own),
                probes=0,
                probability=max(a.probability for a in own),
            )
        )
    return tuple(parts)


def _bins(group: Sequence[Anomaly]) -> int:
    """Bins in which it was seen, each once, since the same series may be found both by the bin and by the day."""
    counted: dict[SeriesKey, float] = {}
    total = 0
    for anomaly in sorted(group, key=lambda a: (a.start, -a.last_seen)):
        if anomaly.start >= counted.get(anomaly.key, -inf):
            total += anomaly.bins
            counted[anomaly.key] = anomaly.last_seen
    return total


def _evidence(group: Sequence[Anomaly]) -> EvidenceCounts:
    families = {family_of(a) for a in group}
    return EvidenceCounts(
        measurements=_bins(group),
        probes=0,
        networks=len({a.key.place.asn for a in group if a.key.place.asn}),
        controls=0,
        families=tuple(str(family) for family in Family if family in families),
    )


# --- course: when it was on -----------------------------------------------------------------------------


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
        replace(a, end=a.last_seen) if a.end is None and a.last_seen < back + _step(a) else a for a in lead
    ]


def _step(anomaly: Anomaly) -> int:
    return 0 if anomaly.departure is None else anomaly.departure.step


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
    deep = anomaly.departure.deep_from if anomaly.departure else None
    return agreed if deep is None else deep


def _carries_until(anomaly: Anomaly) -> float:
    """Until when it carries the event on by itself."""
    if family_of(anomaly) is Family.PROBING:
        return anomaly.until
    deep = anomaly.departure.deep_until if anomaly.departure else None
    if deep is None:
        return anomaly.until if left(anomaly) <= DEEP else -inf
    return inf if anomaly.end is None and deep >= anomaly.last_seen else deep


def _overlap(anomaly: Anomaly, span: Interval) -> bool:
    return anomaly.start < span.until and span.start < anomaly.until


# --- reach: how far it goes -----------------------------------------------------------------------------

STEALTH_LEFT = threshold(
    "incidents.stealth_left",
    0.5,
    "Most of the traffic or answers that may be left while routing is as usual: otherwise the outage is not "
    "called a stealth outage.",
)

IPV6_LEFT = threshold(
    "incidents.ipv6_left", 0.5, "Most of the IPv6 prefixes that may be left for IPv6 to count as withdrawn."
)
IPV4_LEFT = threshold(
    "incidents.ipv4_left",
    0.9,
    "Share of IPv4's prefixes that must remain for IPv6 alone to count as withdrawn.",
)


def reach(
    group: Sequence[Anomaly],
    series: Sequence[Series],
    opinions: Sequence[FamilyView],
    weights: UserWeights | None,
) -> Reach:
    """How far an outage goes.

    Args:
        series: all quantities of the country that can show one.
    """
    national = [a for a in group if is_country(a.key.place)]
    if national and _lost_most(national, series) >= NATION_SHARE:
        return Reach(Scope.NATION, Access.ANY, None, tuple(national), _classes("national", group, opinions))
    asns = {a.key.place.asn for a in group if a.key.place.asn}
    if asns:
        return _of_networks(group, asns, series, opinions, weights)
    if any(a.key.place.region for a in group):
        return Reach(Scope.REGION, Access.ANY, None, tuple(group), _classes("region", group, opinions))
    return Reach(
        Scope.INSUFFICIENT,
        Access.ANY,
        None,
        tuple(group),
        _classes("partial", group, opinions),
        (Reason("place_unknown"),),
    )


def _lost_most(national: Sequence[Anomaly], series: Sequence[Series]) -> float:
    """Share lost by the series that lost most: of answers and usage, or of routes if nothing else fell."""
    felt = [a for a in national if family_of(a) is not Family.ROUTING] or list(national)
    lost = max(1 - left(a) for a in felt)
    if lost >= NATION_SHARE:
        return lost
    # with a short loss, that median includes the bins that it covered in part
    return max([lost, *(one.lost for one in measure(felt, [Interval(a.start, a.end) for a in felt], series))])


def _of_networks(
    group: Sequence[Anomaly],
    asns: set[int],
    series: Sequence[Series],
    opinions: Sequence[FamilyView],
    weights: UserWeights | None,
) -> Reach:
    start, end = min(a.start for a in group), max(a.last_seen for a in group)
    lines = [s for s in series if s.key.place.asn]
    observed = {s.key.place.asn for s in lines if ((s.times >= start) & (s.times < end)).any()} | asns
    far = extent(asns, observed, weights)
    name = {Scope.NATION: "national"}.get(far.scope, "mobile" if far.access is Access.MOBILE else "isp")
    lead = tuple(a for a in group if a.key.place.asn)
    return Reach(far.scope, far.access, far.users, lead, _classes(name, group, opinions), far.remarks)


def _classes(name: str, group: Sequence[Anomaly], opinions: Sequence[FamilyView]) -> tuple[str, ...]:
    if _only_ipv6(group):
        return ("outage.ipv6",)
    found = [f"outage.{name}"]
    says = {opinion.family: opinion for opinion in opinions}
    routing = says.get(Family.ROUTING)
    gone = [
        o for f in (Family.USAGE, Family.PROBING) if (o := says.get(f)) is not None and o.left is not None
    ]
    if routing is not None and routing.says is Says.ORDINARY and _as_usual(routing):
        if any(o.left is not None and o.left.mean <= STEALTH_LEFT for o in gone):
            found.append("outage.stealth")
    elif _ipv6_withdrawn(group):
        found.append("outage.ipv6")
    return tuple(found)


def _as_usual(routing: FamilyView) -> bool:
    """Are routes really as usual?  A loss that so far shows in only one bin raises no alarm, but it is a loss."""
    return routing.left is None or routing.left.mean >= IPV4_LEFT


def _only_ipv6(group: Sequence[Anomaly]) -> bool:
    return _ipv6_withdrawn(group) and all(a.key.signal == IPV6 for a in group)


def _ipv6_withdrawn(group: Sequence[Anomaly]) -> bool:
    gone = any(a.key.signal == IPV6 and left(a) <= IPV6_LEFT for a in group)
    return gone and all(left(a) >= IPV4_LEFT for a in group if a.key.signal in ("prefixes_v4", "bgp"))
