"""Families: what each family of sources says about an outage, and whether two that fail independently agree.

C3 needs two of Atlas, routing, probing, usage and darknet; C1 any other two.  A family that says *as usual* is kept
next to those that say *down*, since it shows what kind of outage it is; and since *as usual* may hide a loss of a tenth
that is not worth an alarm, how far it fell is stated too.

Two that agree may still have one innocent cause: what else it could be is weighed for each two (``OF_AGREEMENT``), and
they confirm from the moment at which no explanation is left.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np

from fanous.analysis.explanations.explanation import Explanation, Weighing, answers, strongest
from fanous.analysis.explanations.fall import AGREE, DEEP, Agreement, SeriesEvent
from fanous.analysis.explanations.publisher import one_hand, shares_methods
from fanous.analysis.explanations.table import OF_AGREEMENT
from fanous.analysis.incidents.confirm import Ruling, two_hands
from fanous.analysis.series.anomalies import earliest_start, family_of, is_country, left, of_people
from fanous.analysis.series.baselines import LOOKED_AT, SlotBaseline
from fanous.analysis.series.parts import Parts
from fanous.analysis.series.signals import SIGNALS, Direction, lag_of, publisher_of
from fanous.base.groups import grouped
from fanous.model.explanation import Standing
from fanous.model.incident import Estimate, FamilyView, Kind, Says
from fanous.model.instant import HOUR
from fanous.model.place import Family, Place
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from fanous.model.threshold import threshold

STEADY = (Family.PROBING, Family.ROUTING)
"""Families whose series hardly move by themselves."""


# --- do two families agree? -----------------------------------------------------------------------------

AT_ONCE = threshold(
    "incidents.families_at_once_seconds",
    1800.0,
    "As `incidents.families_agree_seconds`, if one of the two is usage or stray traffic that people may have "
    "caused by themselves, and the other a loss of active probing that may be suspected alone: ordinary "
    "mornings come four times a month and last for hours. With any other family such a drop does not agree.",
)

RANK: dict[Family, int] = {family: rank for rank, family in enumerate(Family) if family is not Family.REPORTS}
"""Families that can support each other, in the order in which they are named; reports are not measurements."""


class OutageRuling(NamedTuple):
    """Whether an event is confirmed, and how the explanations of what two families show stand.

    Attributes:
        answers: by row, as readers are told of them.
    """

    ruling: Ruling
    answers: dict[Explanation[Any], Weighing]


def judged(event: SeriesEvent, kind: Kind = Kind.OUTAGE) -> OutageRuling:
    """C3 (outages) or C1 if two families agree, from the first moment at which published data raised both and no
    explanation of that is left."""
    met = min(map(_weighed, agreements(event)), key=lambda one: one[:2], default=None)
    if met is None:
        standings = dict(answers(OF_AGREEMENT, Agreement(event, event.group, inf)))
        return OutageRuling(Ruling("", None, _lacking(event.group, standings[one_hand])), standings)
    at, _, standings, agreement = met
    if (held := strongest(standings.items())[1]) is not None:
        return OutageRuling(Ruling("", None, held), standings)
    share = standings[shares_methods]
    if share.standing is Standing.HOLDS:
        others = (of[shares_methods] for since, _, of, _ in map(_weighed, agreements(event)) if since < inf)
        standings[shares_methods] = next((one for one in others if one.standing is Standing.EXCLUDED), share)
    return OutageRuling(two_hands(kind, set(map(family_of, agreement.shown)), at), standings)


def _weighed(
    found: tuple[tuple[int, int], Agreement],
) -> tuple[float, tuple[int, int], dict[Explanation[Any], Weighing], Agreement]:
    """From when no explanation of what two families show is left; infinite = one holds."""
    order, agreement = found
    standings = dict(answers(OF_AGREEMENT, agreement))
    is_held = strongest(standings.items())[1] is not None
    at = inf if is_held else max(agreement.at, *(answer.since for answer in standings.values()))
    return at, order, standings, agreement


def agreements(event: SeriesEvent) -> Iterator[tuple[tuple[int, int], Agreement]]:
    """Two that agree, and their indices in the event's group, in the order of ``RANK``.

    Anomalies are taken in order of onset and compared with those still down at the same place or in the whole
    country: thousands of series of one country are millions of pairs.
    """
    group = event.group
    counted = [n for n, a in enumerate(group) if a.raised_at is not None and family_of(a) in RANK]
    support = Support([group[n] for n in counted], event.parts)
    down: dict[Place, list[int]] = defaultdict(list)
    for later in sorted(counted, key=lambda n: group[n].start):
        second = group[later]
        place = second.key.place
        whole = is_country(place)
        for beside in list(down) if whole else (place, Place(place.country)):
            down[beside] = [n for n in down[beside] if group[n].until > second.start]
            for earlier in down[beside]:
                first = group[earlier]
                order = RANK[family_of(first)] - RANK[family_of(second)]
                if order and agree(first, second) and support.supports(first, second):
                    pair = (earlier, later) if order < 0 else (later, earlier)
                    shown = [group[n] for n in pair]
                    yield pair, Agreement(event, shown, agreed_at(first, second))
        down[place].append(later)


class Support:
    """What the networks and regions of a group are worth, next to the country's series and by themselves."""

    def __init__(self, group: Sequence[Anomaly], parts: Parts) -> None:
        self.parts = parts
        self.of_parts = grouped((a for a in group if not is_country(a.key.place)), family_of)
        self.known: dict[tuple[int, Family], bool] = {}

    def supports(self, first: Anomaly, second: Anomaly) -> bool:
        """Are two that agree of one place, or is the part large enough, together with others that fell like it?"""
        whole, part = (first, second) if is_country(first.key.place) else (second, first)
        if is_country(part.key.place) or not is_country(whole.key.place):
            return True
        asked = id(whole), family_of(part)
        if asked not in self.known:
            alike = [one for one in self.of_parts[asked[1]] if agree(whole, one)]
            self.known[asked] = self.parts.account_for(whole, alike)
        return self.known[asked]


def _lacking(group: Sequence[Anomaly], one_hand: Weighing) -> Reason:
    """What is missing where no two families agree: another hand, another family, or their agreement."""
    if one_hand.standing is Standing.HOLDS:
        return one_hand.because
    families = tuple(sorted({str(family_of(a)) for a in group}))
    return Reason("lacks.family" if len(families) == 1 else "lacks.agreement", {"families": families})


def agree(first: Anomaly, second: Anomaly) -> bool:
    """Do two families support each other: same place, or one a part of the other, at the same time?"""
    places = {first.key.place, second.key.place}
    are_apart = len(places) > 1 and not any(map(is_country, places))
    if are_apart or first.start >= second.until or second.start >= first.until:
        return False
    if first.departure.single or second.departure.single:
        return _at_one_stroke(first, second)
    if not _fell_as_far(first, second):
        return False
    deep = left(first) <= DEEP and left(second) <= DEEP and _share_most(first, second)
    if deep and not (of_people(first) and of_people(second)):
        return True
    early, late = sorted((first, second), key=lambda a: a.start)
    apart = earliest_start(late) - early.start_latest
    if not (_uncommon(first) and _uncommon(second)):
        of_probing = (a for a in (first, second) if family_of(a) is Family.PROBING)
        return apart <= AT_ONCE and any(left(a) <= LONE_PROBING for a in of_probing)
    raised = [a.raised_at for a in (first, second) if a.raised_at is not None]
    return deep or apart <= AGREE or (len(raised) == 2 and abs(raised[0] - raised[1]) <= AGREE)


FALLS_ALONG = threshold(
    "incidents.families_falls_along",
    0.5,
    "Share of the loss of answers or routes that what people do must have lost too, for the two to agree where more "
    "than half of these is gone: a country that is mostly dark does not go on using three quarters of its traffic, and "
    "some day or other is a fifth low by itself.",
)


def _fell_as_far(first: Anomaly, second: Anomaly) -> bool:
    """If more than half of answers or routes is gone, did people do so much less, as far as a bin shows it?"""
    people, others = sorted((first, second), key=of_people, reverse=True)
    if people.key.place != others.key.place or of_people(people) is of_people(others) or left(others) > DEEP:
        return True
    if others.start < _gone_at(people) <= others.known_until + people.departure.step:
        return True
    shown = min(1.0, (others.last_seen - others.start) / people.departure.step)
    return 1 - left(people) >= FALLS_ALONG * (1 - left(others)) * shown


def _share_most(first: Anomaly, second: Anomaly) -> bool:
    """Were both on for half of the time of the shorter?  Two that only touch may have nothing to do with each other."""
    both = min(first.known_until, second.known_until) - max(first.start, second.start)
    return 2 * both >= min(one.known_until - one.start for one in (first, second))


def agreed_at(first: Anomaly, second: Anomaly) -> float:
    """When published data raised both: at the first low bin if two publishers lost more than half, otherwise at the
    second."""
    pair = (first, second)
    raised = max((a.raised_at + lag_of(a.key) for a in pair if a.raised_at is not None), default=0.0)
    if not _at_one_stroke(first, second):
        return raised
    return min(raised, max(_gone_at(a) + lag_of(a.key) for a in pair))


def _at_one_stroke(first: Anomaly, second: Anomaly) -> bool:
    """Did two publishers lose more than half in the same bins?  Then a single bin of each is not a gap of either."""
    if publisher_of(first.key) == publisher_of(second.key):
        return False
    apart = abs(_gone_at(first) - _gone_at(second))
    return apart <= max(first.departure.step, second.departure.step)


def _gone_at(anomaly: Anomaly) -> float:
    """End of the first bin that had lost more than half; NaN = none had."""
    return nan if anomaly.departure.gone_at is None else anomaly.departure.gone_at


# --- may one family be suspected on its own? ------------------------------------------------------------

LONE = threshold(
    "incidents.lone_family_seconds",
    2400.0,
    "Time that a drop of routing or probing must last to be suspected alone: half an hour is a reboot, a "
    "rerouting or a gap, and an outage of an hour may lose two bins of ten minutes to noise.",
)

LONE_ROUTING = threshold(
    "incidents.lone_routing_left",
    0.95,
    "To be suspected alone, routing must have less than this share of the baseline left: the routes of one "
    "operator come and go.",
)
LONE_PROBING = threshold(
    "incidents.lone_probing_left",
    0.93,
    "To be suspected alone, active probing must have less than this share of the baseline left: a tenth gone, "
    "less what noise may add.",
)

LONE_USAGE = threshold(
    "incidents.lone_usage_seconds",
    3 * HOUR,
    "Time that a drop of usage or stray traffic must last to be suspected alone, or a fall at once must last "
    "from there: the first hours of a morning are low on every day.",
)
LONE_UNLIKE = threshold(
    "incidents.lone_family_unlike",
    0.5,
    "Share of the bins of a drop of usage or stray traffic that must be *unlike* the week before, or it must "
    "have fallen at once and last from there; otherwise people may have caused it by themselves, as on a "
    "holiday.",
)

OF_ONE_TOOL = ("tor_relay", "tor_bridge", "ndt_tests")
"""Users of one tool: fewer of them alone may as well be a block of that tool as an outage of the country, or of people
testing their speed less often, as while they watch a final.
"""

LONE_REGION_RATIO = threshold(
    "incidents.lone_region_ratio",
    1.5,
    "A region of which more than half is left may be suspected by routing or active "
    "probing at so many times its own threshold, if it lasts for `incidents.lone_region_seconds`.",
)
LONE_REGION_SECONDS = threshold(
    "incidents.lone_region_seconds",
    6 * HOUR,
    "Time for which a region must have lost `incidents.lone_region_ratio`: a storm takes a third of a state's "
    "counties, and the state does not lose half.",
)


def worth_a_suspicion(group: Sequence[Anomaly], kind: Kind, parts: Parts) -> bool:
    """Does any anomaly justify a suspicion on its own?"""
    if kind is Kind.SLOWDOWN:  # of a speed: delays and losses rise on any busy evening
        speeds = (a for a in group if SIGNALS[a.key.signal].unit == "kbps" and not a.departure.single)
        return any(left(a) <= DEEP and a.last_seen - a.start_latest >= LONE for a in speeds)
    return any(alone(anomaly) and not parts.is_blip(anomaly) for anomaly in group)


def alone(anomaly: Anomaly) -> bool:
    """Does it justify a suspicion on its own?"""
    if anomaly.departure.single or anomaly.key.signal in OF_ONE_TOOL:
        return False
    if not is_country(anomaly.key.place) and left(anomaly) > DEEP and not _clear_in_region(anomaly):
        return False
    lasts = anomaly.last_seen - anomaly.start_latest
    if not of_people(anomaly):
        most = LONE_ROUTING if family_of(anomaly) is Family.ROUTING else LONE_PROBING
        return lasts >= LONE and left(anomaly) <= most
    if anomaly.departure.earlier_year is not None:
        return False
    fall = anomaly.departure.sudden_from
    lasts_from_fall = fall is not None and anomaly.last_seen - fall >= LONE_USAGE
    return (lasts >= LONE_USAGE and anomaly.departure.unlike >= LONE_UNLIKE) or lasts_from_fall


def _clear_in_region(anomaly: Anomaly) -> bool:
    if of_people(anomaly) or anomaly.key.place.asn:
        return False
    lasts = anomaly.last_seen - anomaly.start_latest
    return anomaly.departure.ratio >= LONE_REGION_RATIO and lasts >= LONE_REGION_SECONDS


def _uncommon(anomaly: Anomaly) -> bool:
    """Is it more than a drop that people cause themselves?"""
    if not of_people(anomaly):
        return True
    departure = anomaly.departure
    is_odd = departure.unlike >= LONE_UNLIKE or departure.sudden_from is not None
    return is_odd and departure.earlier_year is None


def worth_keeping(anomalies: Sequence[Anomaly], parts: Parts) -> list[Anomaly]:
    """The anomalies, without dips of a country's usage or stray traffic that are insignificant alone and agree with
    nothing.

    If kept, they would chain one ordinary morning to the next and put an onset days before the event.
    """
    support = Support(anomalies, parts)
    places = grouped(anomalies, lambda a: a.key.place)

    def counts(anomaly: Anomaly) -> bool:
        place, family = anomaly.key.place, family_of(anomaly)
        if not anomaly.departure.single and (family in STEADY or not is_country(place) or alone(anomaly)):
            return True
        beside = anomalies if is_country(place) else places[place] + places.get(Place(place.country), [])
        return any(
            family_of(other) is not family and agree(anomaly, other) and support.supports(anomaly, other)
            for other in beside
        )

    return [anomaly for anomaly in anomalies if counts(anomaly)]


# --- what each family says ------------------------------------------------------------------------------

HISTORY = threshold(
    "incidents.family_history_seconds",
    2 * 86400.0,
    "With less data before the incident, a series says *no history*.",
)


def opinions(group: Sequence[Anomaly], series: Sequence[Series]) -> tuple[FamilyView, ...]:
    """What each family with a series of these places says about that time, in the order of ``Family``.

    Args:
        series: all level series of the country that can show an outage.
    """
    places = {a.key.place for a in group}
    start, end = min(a.start for a in group), max(a.last_seen for a in group)
    views = []
    for family in Family:
        down = [a for a in group if family_of(a) is family]
        measured = [s for s in series if SIGNALS[s.key.signal].family is family and s.key.place in places]
        if down:
            views.append(_down(family, down))
        elif measured:
            views.append(_other(family, measured, start, end))
    return tuple(views)


def _down(family: Family, anomalies: Sequence[Anomaly]) -> FamilyView:
    country = [a for a in anomalies if is_country(a.key.place)] or anomalies
    raised = [a.raised_at for a in country if a.raised_at is not None]
    return FamilyView(
        family=str(family),
        says=Says.DOWN,
        sources=tuple(sorted({f"{a.key.source} {a.key.signal}" for a in anomalies})),
        entities=_entities(a.key.place for a in anomalies),
        left=estimate(country),
        onset=min(a.start for a in country),
        raised_at=min(raised, default=None),
    )


def estimate(anomalies: Sequence[Anomaly]) -> Estimate:
    """Mean of what is left, weighted by how long each lasted, with the widest of the intervals."""
    mean = float(np.average([left(a) for a in anomalies], weights=[max(1, a.bins) for a in anomalies]))
    return Estimate(mean, min(a.departure.low for a in anomalies), max(a.departure.high for a in anomalies))


def _other(family: Family, series: Sequence[Series], start: float, end: float) -> FamilyView:
    during = [s for s in series if ((s.times >= start) & (s.times < end)).any()]
    known = [s for s in during if s.times[0] <= start - HISTORY]
    says = Says.ORDINARY if known else Says.UNKNOWN if during else Says.SILENT
    told = known or during or list(series)
    return FamilyView(
        family=str(family),
        says=says,
        sources=tuple(sorted({f"{s.key.source} {s.key.signal}" for s in told})),
        entities=_entities(s.key.place for s in told),
        left=a_little_lower(known, start, end),
    )


BLIND = threshold(
    "incidents.family_blind_left",
    0.1,
    "Most that two families may have left for a third that raised nothing to be one that cannot show such an outage: "
    "routes stay up where everything behind them is cut off.",
)


def cannot_show(views: Sequence[FamilyView]) -> tuple[FamilyView, ...]:
    """What each family says, those left out of it that never moved although two others fell to nothing."""
    gone = [
        view for view in views if view.says is Says.DOWN and view.left is not None and view.left.mean <= BLIND
    ]
    if len(gone) < 2:
        return tuple(views)
    return tuple(
        replace(view, says=Says.BLIND, left=None) if view.says is Says.ORDINARY else view for view in views
    )


def _entities(entities: Iterable[Place]) -> tuple[str, ...]:
    return tuple(str(place) for place in sorted(set(entities)))


# --- small dips -----------------------------------------------------------------------------------------

NOTICED = threshold(
    "incidents.others_noticed_share",
    0.5,
    "Share of the signal's least drop from which a family, or another product, counts as lower: as where an anomaly "
    "ends.",
)


def a_little_lower(series: Sequence[Series], start: float, end: float) -> Estimate | None:
    """Share of the baseline in ``[start, end)``, by the country's own series if it has any.

    None = none was lower, or there is no baseline to compare with.
    """
    lines = [s for s in series if is_country(s.key.place)] or list(series)
    stood = [_stood(one, start, end) for one in lines]
    low = [share for share in stood if share is not None]
    if not low:
        return None
    middle = [share.mean for share in low]
    return Estimate(float(np.mean(middle)), min(share.low for share in low), max(share.high for share in low))


def _stood(one: Series, start: float, end: float) -> Estimate | None:
    """The same for one series."""
    signal = SIGNALS[one.key.signal]
    rows = np.flatnonzero((one.times >= start) & (one.times < end))
    if signal.bad is Direction.UP or not len(rows):
        return None
    rows = rows[:: max(1, len(rows) // LOOKED_AT)]
    earlier = one.times < start
    baseline = SlotBaseline(one.times[earlier], one.values[earlier])
    ordinary = np.array([baseline.at(int(at)) for at in one.times[rows]])
    known = ordinary > 0
    if not known.any():
        return None
    shares = one.values[rows][known] / ordinary[known]
    low, middle, high = np.quantile(shares, [0.05, 0.5, 0.95])
    lower = middle <= 1 - NOTICED * signal.least_drop
    return Estimate(float(middle), float(low), float(high)) if lower else None
