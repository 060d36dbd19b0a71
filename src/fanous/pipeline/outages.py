"""Outages: finds outages in the store's series of public sources.

series -> the country's own line from its regions -> anomalies -> groups -> incidents
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from fanous.analysis.coverage import WATCHED_GAP
from fanous.analysis.detectors.detector import Reads
from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.finding import Finding
from fanous.analysis.detectors.grid import fills_days, rolled_up
from fanous.analysis.detectors.registry import detectors_of, signals_read, version_of
from fanous.analysis.explanations.fall import DEEP, OutageElsewhere
from fanous.analysis.explanations.publisher import NEAR
from fanous.analysis.incidents.assemble import Setting, events, of_quantities, without_duplicates
from fanous.analysis.incidents.chance import Chance
from fanous.analysis.incidents.confirm import OUTAGE_FAMILIES
from fanous.analysis.incidents.families import alone, worth_keeping
from fanous.analysis.incidents.merge import absorb
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.incidents.recovery import without_remainders
from fanous.analysis.incidents.traffic import controlled
from fanous.analysis.series.anomalies import left
from fanous.analysis.series.artefacts import copies, frozen, joined, thawed, together
from fanous.analysis.series.baselines import YEARS, lost_as_much
from fanous.analysis.series.parts import Parts
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.analysis.series.slowness import speed_series
from fanous.model.incident import Incident, Kind, Says, Status
from fanous.model.instant import DAY
from fanous.model.place import Family, Place, UserWeights
from fanous.model.reason import Reason
from fanous.model.score import YEAR
from fanous.model.series import Anomaly, Rate, Series
from fanous.refdata.countries import distance, exam_season, local
from fanous.refdata.upstreams import outermost
from fanous.store.protocol import Store

CONNECTIVITY = "connectivity"
"""Takes the place of a target in answers about outages, which name none."""


def quantity_series(store: Store, country: str, since: float, until: float) -> list[Series]:
    """Series that can show an outage, with a line for the country computed from its regions if it has none.

    Values that only repeat others are left out, and what a publisher gave in bins of several widths is one series.
    They include series of a platform's traffic (``target_of_series``), which show only that platform.
    """
    return _usable(_levels(store, country, since, until, Kind.OUTAGE))


def _usable(levels: Sequence[Series]) -> list[Series]:
    """See ``quantity_series``."""
    copied = {one.key for one in copies(levels)}
    series = joined(thawed(one) for one in levels if one.key not in copied)
    return series + rolled_up(series)


def _levels(store: Store, country: str, since: float, until: float, *kinds: Kind) -> list[Series]:
    """Series that detectors of these kinds of incidents watch, without bins that may still change."""
    signals = [name for kind in kinds for name in signals_read(Reads.QUANTITIES, kind)]
    return store.facts.levels(country, since, until, signals, settled=True)


def find_outages(
    store: Store,
    country: str,
    since: float,
    until: float,
    rules_version: str,
    shares: UserWeights | None,
    rates: Sequence[Rate],
) -> list[Incident]:
    """Outages and general slow-downs of a window; writes nothing.

    Args:
        rates: of downloads under innocuous names.
    """
    levels = _levels(store, country, since, until, Kind.OUTAGE, Kind.SLOWDOWN)
    of_speed = signals_read(Reads.QUANTITIES, Kind.SLOWDOWN)
    series = _usable([level for level in levels if level.key.signal not in of_speed])
    speeds = [level for level in levels if level.key.signal in of_speed] + speed_series(rates, country)
    if not series and not speeds:
        return []
    quantities = Quantities(
        series,
        _elsewhere(store, country, since, until),
        partial(exam_season, country),
        _past(store, country, since),
        distance,
        mirrors=store.facts.mirrors(country, since, until),
    )
    setting = Setting(country, shares, rules_version, version_of(Reads.QUANTITIES))
    return found_in(quantities, setting, speeds)


def found_in(quantities: Quantities, setting: Setting, speeds: Sequence[Series] = ()) -> list[Incident]:
    """Outages and slow-downs of a country's series, and losses of platforms' traffic.

    Args:
        speeds: series that show slow-downs.
    """
    slow = _of_kind(Kind.SLOWDOWN, replace(quantities, series=speeds), setting)
    place = [one for one in quantities.series if not target_of_series(one.key)]
    found = absorb(_of_kind(Kind.OUTAGE, replace(quantities, series=place), setting), slow)
    return found + traffic_losses(quantities, setting)


def traffic_losses(quantities: Quantities, setting: Setting) -> list[Incident]:
    """Incidents of platforms whose traffic fell while that of the source's other products did not."""
    by_target: dict[str, list[Series]] = defaultdict(list)
    for one in quantities.series:
        by_target[target_of_series(one.key)].append(one)
    found = []
    for target, own in sorted(by_target.items()):
        if target:
            others = [one for one in quantities.series if target_of_series(one.key) != target]
            lost = _of_kind(Kind.OUTAGE, replace(quantities, series=own), setting)
            found += [one for one in (controlled(loss, own, others) for loss in lost) if one is not None]
    return found


def _of_kind(kind: Kind, quantities: Quantities, setting: Setting) -> list[Incident]:
    """What all detectors of one kind of incident find, grouped together."""
    anomalies = [
        anomaly
        for detector in detectors_of(Reads.QUANTITIES, kind)
        for anomaly in detector.found(quantities.series)
        if anomaly.probability >= detector.suspect_at
    ]
    anomalies = [_by_the_clock(anomaly, setting.country) for anomaly in anomalies]
    if kind is Kind.OUTAGE:
        anomalies = without_remainders(anomalies, quantities.series)
    return outages_of(_with_earlier_years(anomalies, quantities), quantities, setting, kind)


def _by_the_clock(anomaly: Anomaly, country: str) -> Anomaly:
    """The anomaly; it did not fall at once if the country's clocks were changed in the days with which it was compared.

    After such a night people rise an hour earlier or later in UTC, and the steepest half hour of the morning is missing
    where it was.  No clock hides that more than half is gone.
    """
    departure = anomaly.departure
    if departure.sudden_from is None or departure.left <= DEEP:
        return anomaly
    now, before = (local(at, country) for at in (anomaly.start, anomaly.start - DROP.options.days * DAY))
    if now.utcoffset() == before.utcoffset():
        return anomaly
    return replace(anomaly, departure=replace(departure, sudden_from=None))


PAST = (YEARS + 0.2) * YEAR
"""Seconds of earlier activity to read, to see whether as much was lost on the same days of earlier years."""


def _past(store: Store, country: str, since: float) -> Callable[[], Sequence[Series]]:
    """Activity before the window, read at most once and only if needed."""

    @cache
    def read() -> tuple[Series, ...]:
        signals = [name for name, signal in SIGNALS.items() if signal.is_quantity and signal.of_people]
        before = store.facts.levels(country, since - PAST, since, signals)
        return (*before, *rolled_up(before))

    return read


def _with_earlier_years(anomalies: Sequence[Anomaly], quantities: Quantities) -> list[Anomaly]:
    """Anomalies of human activity, each with the earlier year in which the same place lost as much on the same days."""
    doubtful = [a for a in anomalies if SIGNALS[a.key.signal].of_people and (alone(a) or left(a) > DEEP)]
    if not doubtful:
        return list(anomalies)
    keys = {a.key for a in doubtful}
    known = {one.key: one for one in quantities.series if one.key in keys}
    for one in quantities.past():
        if one.key in known and one.step == known[one.key].step:
            known[one.key] = together(known[one.key], one)
    asked = {id(a) for a in doubtful}
    return [_of_earlier_year(a, known[a.key]) if id(a) in asked and a.key in known else a for a in anomalies]


def _of_earlier_year(anomaly: Anomaly, one: Series) -> Anomaly:
    departure = anomaly.departure
    if departure.lasting_since is not None:
        return anomaly
    year = lost_as_much(one, anomaly.start_latest, anomaly.last_seen)
    return anomaly if year is None else replace(anomaly, departure=replace(departure, earlier_year=year))


def outages_of(
    anomalies: Sequence[Anomaly], quantities: Quantities, setting: Setting, kind: Kind = Kind.OUTAGE
) -> list[Incident]:
    """The outages (or slow-downs) that follow from one country's anomalies, including suspicions."""
    parts = Parts(quantities.series, setting.weights)
    kept = worth_keeping(anomalies, parts) if kind is Kind.OUTAGE else anomalies
    findings = [Finding(anomaly, kind) for anomaly in kept]
    basis = replace(quantities, anomalies=kept)
    units = _units({one.key.place.asn for one in kept} - {0}, setting.weights)
    chance = Chance(findings, max(map(_days, quantities.series), default=0.0) * DAY, units)
    groups = [part for group in events(findings, of_quantities) for part in chance.apart(group)]
    found = (basis.incident(group, setting) for group in without_duplicates(groups))
    return [incident for incident in found if incident is not None]


def _units(asns: Iterable[int], weights: UserWeights | None) -> dict[int, str]:
    """Network -> what it falls together with: all of its operator, or all behind the one upstream of these."""
    operators = {network.asn: network.operator for network in weights.networks} if weights else {}
    beyond = defaultdict[str, set[int]](set)
    for asn in {*asns, *operators}:
        beyond[operators.get(asn, f"AS{asn}")].add(outermost(asn))
    found = {}
    for asn in asns:
        name = operators.get(asn, f"AS{asn}")
        top = min(beyond[name])
        found[asn] = operators.get(top, f"AS{top}") if len(beyond[name]) == 1 else name
    return found


def _elsewhere(store: Store, country: str, since: float, until: float) -> list[OutageElsewhere]:
    """Outages of other countries."""
    every = store.ledger.incidents(None, since, until, synthetic=store.is_synthetic)
    others = (one for one in every if one.country != country and _is_outage(one))
    return [OutageElsewhere(one.country, when, fell_in(one)) for one in others for when in one.intervals]


def _is_outage(incident: Incident) -> bool:
    return incident.kind is Kind.OUTAGE and incident.is_of_line and incident.status is not Status.RETRACTED


def fell_in(incident: Incident) -> dict[str, float]:
    """Family -> when it began to fall in an outage."""
    return {
        one.family: one.onset
        for one in incident.opinions
        if one.says is Says.DOWN and one.onset is not None and incident.country in one.entities
    }


def look_again(store: Store, country: str, before: Sequence[Incident], after: Sequence[Incident]) -> None:
    """Mark other countries whose outages began in the same hour as one that has changed: they may have one cause, and
    no country shows that by itself.

    Args:
        before, after: the country's incidents, before and after a detection.
    """
    known, now = (
        {(one.onset, tuple(sorted(fell_in(one).items()))) for one in side if _is_outage(one)}
        for side in (before, after)
    )
    spans: dict[str, tuple[float, float]] = {}
    for at, _ in known ^ now:
        for one in store.ledger.incidents(None, at - NEAR, at + NEAR, synthetic=store.is_synthetic):
            if _is_outage(one) and abs(one.onset - at) <= NEAR and one.country != country:
                spans[one.country] = (one.onset, one.onset)
    store.ledger.mark_undetected(spans)


def connectivity_lacks(store: Store, country: str, since: float, until: float) -> list[tuple[str, Reason]]:
    """What cannot be said about the country's connectivity, and why; empty if no source of it was read."""
    every = quantity_series(store, country, since - DROP.options.days * DAY, until)
    series = [one for one in every if not target_of_series(one.key)]
    if not series:
        return []
    levels, lacking, options = (
        _levels(store, country, since, until, Kind.OUTAGE),
        list[Reason](),
        DROP.options,
    )
    if again := copies(levels):
        lacking.append(Reason("lacks.copies", {"series": _names(again)}))
    if stuck := [line for line in levels if frozen(line).any()]:
        lacking.append(Reason("lacks.frozen", {"series": _names(stuck)}))
    if skipped := [s for s in series if not fills_days(s.step)]:
        steps = sorted({f"{s.key.signal} ({s.key.source}, {s.step} s)" for s in skipped})
        lacking.append(Reason("lacks.whole_days", {"series": tuple(steps)}))
    series = [s for s in series if fills_days(s.step)]
    if young := [s for s in series if _days(s) < options.least_days]:
        lacking.append(Reason("lacks.baseline", {"series": _names(young), "days": options.least_days}))
    if young := [s for s in series if options.least_days <= _days(s) < options.week_seen]:
        lacking.append(Reason("lacks.week", {"series": _names(young), "times": options.widen}))
    lacking += _beginning([s for s in series if _days(s) >= options.week_seen], country, since)
    families = {SIGNALS[s.key.signal].family for s in series if _days(s) >= options.least_days}
    if len(families & OUTAGE_FAMILIES) == 1:
        (only,) = families & OUTAGE_FAMILIES
        lacking.append(Reason("lacks.second_family", {"families": (str(only),)}))
    return [(CONNECTIVITY, reason) for reason in lacking]


def _beginning(series: Sequence[Series], country: str, since: float) -> list[Reason]:
    """What could not be judged, or only with less care, of a window that reaches into the first days of all series."""
    if not series:
        return []
    options, first_day = DROP.options, int(min(float(one.times[0]) for one in series)) // DAY * DAY
    judged, week = (float(first_day + days * DAY) for days in (options.least_days, options.week_seen))
    reasons = []
    if since < judged:
        reasons.append(Reason("lacks.beginning", {"at": judged, "country": country}))
    if since < week:
        reasons.append(Reason("lacks.first_week", {"at": week, "country": country, "times": options.widen}))
    return reasons


def _names(series: Sequence[Series]) -> tuple[str, ...]:
    return tuple(sorted({f"{s.key.signal} ({s.key.source})" for s in series}))


def watched_families(
    store: Store, country: str, since: float, until: float, targets: Sequence[str] = ()
) -> tuple[Family, ...]:
    """Families that would have shown an outage of the country in a window; or a loss of the targets' traffic, if given.

    Each has a series of the whole country with a week of history before it, and no gap in which a cut may hide.
    """
    series = quantity_series(store, country, since - DROP.options.days * DAY, until)
    series = [s for s in series if target_of_series(s.key) in (targets or ("",))]
    whole = [s for s in series if fills_days(s.step) and s.key.place == Place(country)]
    told = {SIGNALS[s.key.signal].family for s in whole if _is_watched(s, since, until)}
    return tuple(family for family in Family if family in told & OUTAGE_FAMILIES)


def _is_watched(one: Series, since: float, until: float) -> bool:
    measured = one.times[~np.isnan(one.values)]
    inside = measured[(measured > since - one.step) & (measured < until)]
    if not len(inside) or since - measured[0] < DROP.options.week_seen * DAY:
        return False
    begins, ends = np.append(inside, until), np.append(since, inside + one.step)
    return float((begins - ends).max()) <= WATCHED_GAP


def _days(one: Series) -> float:
    return float(one.times[-1] + one.step - one.times[0]) / DAY if len(one) else 0.0
