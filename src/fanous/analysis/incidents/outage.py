"""Outage: what the series of sources say about a group of anomalies.

Where and when quantities fell, how deep, and which families agree on that.  A lower
level that lasts becomes the baseline of what follows, and the outage lasts until the earlier level is back.

``reach_of`` says how far it goes, from the finest cell up to the nation, and which class of outage that makes it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.explanation import Consequence, Weighing, answers, for_incident
from fanous.analysis.explanations.fall import AGREE, DEEP, OutageElsewhere, SeriesEvent, names
from fanous.analysis.explanations.publisher import NEAR, weekly, worldwide
from fanous.analysis.explanations.table import OF_SERIES_EVENT
from fanous.analysis.incidents.assemble import CERTAIN, Setting, confidence_of, intervals_of, status_of
from fanous.analysis.incidents.confirm import Ruling
from fanous.analysis.incidents.course import (
    FELT,
    MeasuredCourse,
    SourceCourse,
    carrying,
    measure,
    measured_course,
    of_families,
    present,
    with_depths,
)
from fanous.analysis.incidents.families import (
    STEADY,
    OutageRuling,
    cannot_show,
    estimate,
    judged,
    opinions,
    worth_a_suspicion,
)
from fanous.analysis.incidents.hints import hints
from fanous.analysis.incidents.scope import NATION_SHARE, Extent, extent
from fanous.analysis.series.anomalies import family_of, is_country, left
from fanous.analysis.series.parts import Parts
from fanous.analysis.series.signals import IPV6, SIGNALS, target_of_series
from fanous.base.groups import grouped
from fanous.model.explanation import Standing
from fanous.model.incident import (
    JOIN,
    Estimate,
    EvidenceCounts,
    FamilyView,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Says,
    Scope,
    Stage,
    union,
)
from fanous.model.place import Access, Family, UserWeights
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


@dataclass(frozen=True, slots=True)
class Quantities:
    """Series behind the findings of a country.

    Attributes:
        series: quantities that can show an outage.
        elsewhere: outages of other countries.
        distance: kilometres between two countries.
        season: the hint that exams are held at the season and hour of an instant (unix seconds); empty = there are
            none.
        past: reads usage in earlier years.
        anomalies: of all events of the country; an earlier one is no part of this one's fall.
        mirrors: source -> hosts that gave its values in its publisher's place.
    """

    series: Sequence[Series]
    elsewhere: Sequence[OutageElsewhere] = ()
    season: Callable[[float], Reason | None] = lambda _: None
    past: Callable[[], Sequence[Series]] = tuple
    distance: Callable[[str, str], float] = lambda _, __: inf
    anomalies: Sequence[Anomaly] = ()
    mirrors: Mapping[str, Collection[str]] = field(default_factory=dict)

    def incident(self, group: Sequence[Finding], setting: Setting) -> Incident | None:
        """What the series show of an event; None = it is not worth a suspicion."""
        kind = min((finding.kind for finding in group), key=list(Kind).index)
        anomalies = [finding.anomaly for finding in group]
        parts = Parts(self.series, setting.weights)
        fall = SeriesEvent(
            *(setting.country, anomalies, self.series, parts, self.elsewhere, self.distance, self.mirrors)
        )
        weighed = dict(answers(OF_SERIES_EVENT, fall))
        shared = weighed[worldwide]
        suspending = [weighed[row] for row in weighed if row.consequence is not Consequence.SAY]
        verdict, of_agreement = _judged(fall, kind, suspending)
        if verdict.at is None and not worth_a_suspicion(anomalies, kind, parts):
            return None
        views = opinions(anomalies, self.series)
        reach = reach_of(anomalies, self.series, views, setting.weights)
        course = measured_course(reach.lead, self.series, self.anomalies)
        if verdict.at is None and course.is_noise:
            return None
        lasting = _lasting_since(course.end, reach, carrying(course.measured))
        entities = _entities(setting.country, reach, course.measured, course.end)
        target = target_of_series(anomalies[0].key)
        every = weighed | of_agreement
        doubts = tuple(
            answer.because
            for row, answer in (weighed if verdict.at is None else every).items()
            if row.consequence is Consequence.SAY and answer.standing is Standing.HOLDS
        )
        is_short = weighed[weekly].standing is Standing.UNTESTED
        of_line = reach.classes if kind is Kind.OUTAGE else ("slowdown.general",)
        near = {one.country for one in self.elsewhere if abs(one.when.start - course.began.at) <= NEAR}
        most = ONE_FAMILY if verdict.at is None else SURE if doubts or is_short else CERTAIN
        ruling = verdict  # no earlier than the event: an ordinary dip that ran into it may have met the rule before
        if verdict.at is not None and verdict.at < course.began.at:
            ruling = replace(verdict, at=course.began.latest)
        return Incident(
            country=setting.country,
            kind=kind,
            status=status_of(ruling, course.end),
            scope=reach.extent.scope,
            access=reach.extent.access,
            users=None if target else reach.extent.users,
            entities=entities,
            parts=(Part(target, kind, ("outage.platform",) if target else of_line, entities),),
            networks=_cells([a for a in anomalies if a.until > course.began.at], entities, course.spans),
            onset=course.began.at,
            onset_earliest=course.began.earliest,
            onset_latest=course.began.latest,
            intervals=_by_level(course.spans, course.levels),
            end=course.end,
            end_earliest=None if course.back is None else course.back.earliest,
            end_latest=None if course.back is None else course.back.latest,
            reached=None if course.reached is None else course.reached.at,
            reached_earliest=None if course.reached is None else course.reached.earliest,
            reached_latest=None if course.reached is None else course.reached.latest,
            confirmed_at=ruling.at,
            confidence=confidence_of(((family_of(a), a.probability) for a in anomalies), SURE, most),
            kbps=None,
            evidence=_evidence(anomalies),
            rule=ruling.rule,
            rules_version=setting.rules_version,
            detector_version=setting.detector_version,
            reasons=(
                ruling.reason,
                *((shared.because,) if shared.explains and verdict.reason.code != worldwide.code else ()),
                *doubts,
                *_by_routes(course.measured),
                *_of_ipv6(setting.country, course.measured),
                *(() if target else reach.extent.remarks),
                *((weighed[weekly].because,) if is_short else ()),
                *((Reason("lasting"),) if lasting is not None else ()),
                *_stays_lower(reach.lead, course.end),
            ),
            level=_level(kind, course, self.series),
            lasting_since=lasting,
            levels=course.levels,
            explanations=for_incident(every.items()),
            opinions=cannot_show(with_depths(views, course.measured)),
            hints=hints(
                course.core,
                course.spans,
                () if shared.explains else sorted(near - {setting.country}),
                self.series,
                self.season(course.began.at),
                course.began,
            ),
        )


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
        if apart and one.fell is not None and one.depth is not None and one.depth.mean <= DEEP:
            yield Reason("ipv6_routes", {"left": one.depth.mean, "at": one.fell.at, "country": country})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it goes.

    Attributes:
        lead: the anomalies that the claim is about: those of the country's own series if these fell.
        classes: ``outage.*``, the likeliest first.
    """

    extent: Extent
    lead: Sequence[Anomaly]
    classes: tuple[str, ...]


def _level(kind: Kind, course: MeasuredCourse, series: Sequence[Series]) -> Estimate:
    """What is left of what users notice: of usage and of answers rather than of routes and stray traffic, and of a
    speed rather than of a delay; among these by the series that carry the incident, if any do.

    If the country's own series gives the steps, it gives the level; the range is that of all of them.
    """

    def felt(key: SeriesKey) -> bool:
        signal = SIGNALS[key.signal]
        return signal.unit == "kbps" if kind is Kind.SLOWDOWN else signal.family in FELT

    known = [one for one in course.measured if felt(one.key)] or list(course.measured)
    carriers = carrying(known)
    known = [one for one in known if one.key in carriers] or known
    found = of_families(known) or estimate([a for a in course.core if felt(a.key)] or course.core)
    lead = course.began.lead
    own = next((one.depth for one in known if lead is not None and one.key == lead.key), None)
    if own is not None and lead is not None and is_country(lead.key.place):
        low, high = min(own.low, found.low), max(own.high, found.high)
        found = replace(own, low=low, high=high, now=found.now, now_at=found.now_at)
    if course.end is not None:
        return found
    heard = max((float(one.times[-1] + one.step) for one in series if len(one)), default=0.0)
    return present(found, known, course.measured, heard)


def _lasting_since(end: float | None, reach: Reach, carriers: Collection[SeriesKey]) -> float | None:
    """When detectors accepted the lasting lower level as their baseline; None = it recovered, or has not lasted a week.

    Args:
        carriers: series that carry the incident; empty = all do.
    """
    if end is not None:
        return None
    lead = [a for a in reach.lead if a.end is None and (not carriers or a.key in carriers)]
    accepted = (a.departure.lasting_since for a in lead)
    return min((at for at in accepted if at is not None), default=None)


def _by_level(spans: Sequence[Interval], levels: Sequence[Stage]) -> tuple[Interval, ...]:
    """The intervals, cut where the level changed: a further fall or a partial return is a separate interval."""
    found: list[Interval] = []
    for span in spans:
        inside = [one.start for one in levels if span.start < one.start < span.until]
        edges = [span.start, *inside, span.end]
        found += [Interval(edges[n] or 0.0, edges[n + 1]) for n in range(len(edges) - 1)]
    return tuple(found)


def _stays_lower(lead: Sequence[Anomaly], end: float | None) -> Iterator[Reason]:
    """What some families still lacked after the event."""
    last = [a for a in lead if end is not None and a.known_until >= end - AGREE]
    rests = [(family_of(a), rest) for a in last if (rest := a.departure.rest) is not None]
    if rests:
        left = round(min(rest for _, rest in rests), 3)
        yield Reason("stays_lower", {"shown_by": names(dict(rests)), "left": left})


def _entities(
    country: str, reach: Reach, measured: Sequence[SourceCourse], end: float | None
) -> tuple[str, ...]:
    """The country, if it is about all of it, then the places, deepest first.

    While it is ongoing, places that have recovered are left out.
    """
    depths: dict[str, float] = {}
    for anomaly in reach.lead:
        place = str(anomaly.key.place)
        depths[place] = min(depths.get(place, inf), left(anomaly))
    for one in measured:
        if one.depth is not None and str(one.key.place) in depths:
            depths[str(one.key.place)] = one.depth.mean
    if end is None:
        down = {str(a.key.place) for a in reach.lead if a.end is None}
        depths = {place: share for place, share in depths.items() if place in down} or depths
    cells = sorted((share, place) for place, share in depths.items() if place != country)
    own = (country,) if reach.extent.scope in (Scope.NATION, Scope.INSUFFICIENT) else ()
    return own + tuple(place for _, place in cells)


def _cells(
    group: Sequence[Anomaly], entities: Sequence[str], spans: Sequence[Interval]
) -> tuple[NetworkPart, ...]:
    """When it was seen in each place; ``measurements`` counts bins.

    Args:
        entities: of the incident; where the country is one of them, it has the incident's own times.
        spans: when the incident was on.
    """
    places = grouped(sorted(group, key=lambda a: a.key.place), lambda a: a.key.place)
    return tuple(
        NetworkPart(
            entity=str(place),
            targets=(),
            intervals=union(spans, JOIN)
            if is_country(place) and str(place) in entities
            else intervals_of(anomalies),
            measurements=_bins(anomalies),
            probes=0,
            probability=max(a.probability for a in anomalies),
        )
        for place, anomalies in places.items()
    )


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
    return EvidenceCounts(
        measurements=_bins(group),
        probes=0,
        networks=len({a.key.place.asn for a in group if a.key.place.asn}),
        controls=0,
        families=names({family_of(a) for a in group}),
    )


# --- reach: how far it goes -----------------------------------------------------------------------------

IPV4_LEFT = threshold(
    "incidents.ipv4_left",
    0.9,
    "Share of IPv4's prefixes that must remain for IPv6 alone to count as withdrawn.",
)


def reach_of(
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
    of_networks = [a for a in group if a.key.place.asn]
    lead: Sequence[Anomaly] = group
    if national and _lost_most(national, series) >= NATION_SHARE:
        far, lead, name = Extent(Scope.NATION, Access.ANY, None), national, "national"
    elif of_networks:
        asns = {a.key.place.asn for a in of_networks}
        start, end = min(a.start for a in group), max(a.last_seen for a in group)
        lines = [s for s in series if s.key.place.asn]
        observed = {s.key.place.asn for s in lines if ((s.times >= start) & (s.times < end)).any()}
        far, lead = extent(asns, observed | asns, weights), of_networks
        name = "mobile" if far.access is Access.MOBILE else "isp"
        name = "national" if far.scope is Scope.NATION else name
    elif any(a.key.place.region for a in group):
        far, name = Extent(Scope.REGION, Access.ANY, None), "region"
    else:
        far = Extent(Scope.INSUFFICIENT, Access.ANY, None, (Reason("place_unknown"),))
        name = "partial"
    return Reach(far, lead, _classes(name, group, opinions))


def _lost_most(national: Sequence[Anomaly], series: Sequence[Series]) -> float:
    """Share lost by the series that lost most: of answers and usage, or of routes if nothing else fell."""
    felt = [a for a in national if family_of(a) is not Family.ROUTING] or list(national)
    lost = max(1 - left(a) for a in felt)
    if lost >= NATION_SHARE:
        return lost
    # with a short loss, that median includes the bins that it covered in part
    return max([lost, *(one.lost for one in measure(felt, [Interval(a.start, a.end) for a in felt], series))])


def _classes(name: str, group: Sequence[Anomaly], opinions: Sequence[FamilyView]) -> tuple[str, ...]:
    gone = any(a.key.signal == IPV6 and left(a) <= DEEP for a in group)
    of_ipv4 = (a for a in group if a.key.signal in ("prefixes_v4", "bgp"))
    is_ipv6_withdrawn = gone and all(left(a) >= IPV4_LEFT for a in of_ipv4)
    if is_ipv6_withdrawn and all(a.key.signal == IPV6 for a in group):
        return ("outage.ipv6",)
    found = [f"outage.{name}"]
    says = {opinion.family: opinion for opinion in opinions}
    routing = says.get(Family.ROUTING)
    # A loss of routes that so far shows in only one bin raises no alarm, but it is a loss.
    if routing is not None and routing.says is Says.ORDINARY and _left(routing) >= IPV4_LEFT:
        felt = (says[family] for family in FELT if family in says)
        if any(_left(view) <= DEEP for view in felt):
            found.append("outage.stealth")
    elif is_ipv6_withdrawn:
        found.append("outage.ipv6")
    return tuple(found)


def _left(view: FamilyView) -> float:
    return 1.0 if view.left is None else view.left.mean
