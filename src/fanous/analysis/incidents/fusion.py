"""Fusion: what each family of sources says about an outage, and whether two that fail independently agree.

C3 needs two of Atlas, routing, probing, usage and darknet; C1 any other two.  A family that says *as usual* is kept
next to those that say *down*, since it shows what kind of outage it is; and since *as usual* may hide a loss of a tenth
that is not worth an alarm, how far it fell is stated too.

Of the hundreds of networks that are watched, one or another is dark at almost any time.  So the loss of a part supports
one of the whole country only if the part is large enough to account for it (``Parts``).  And a network whose addresses
another takes over (a merger, a renumbering, a provider that shields its customer from an attack) looks dark in
everything that is counted by network: its routes end, and nothing there answers or is used.  If it was cut off, the
country as a whole lost what the network lost.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf

import numpy as np

from fanous.analysis.incidents.confirm import OUTAGE_FAMILIES, Ruling
from fanous.analysis.series.anomalies import family_of, is_country, left, of_people
from fanous.analysis.series.baselines import LOOKED_AT, shares, slot_baseline
from fanous.analysis.series.signals import SIGNALS, Direction, lag_of, publisher_of
from fanous.model.incident import Estimate, FamilyView, Kind, Says
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Family, Place, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series, SeriesKey
from fanous.model.threshold import threshold

DEEP = threshold(
    "incidents.families_deep_share",
    0.5,
    "If two families have less than this left, overlapping is enough (mobile networks first, the rest a day "
    "later); not for usage and stray traffic that people may have caused, which are counts of a few in small "
    "countries.",
)


STEADY = (Family.PROBING, Family.ROUTING)
"""Families whose series hardly move by themselves."""


# --- a part and its country -----------------------------------------------------------------------------

ACCOUNTS_FOR = threshold(
    "incidents.parts_account_share",
    1 / 3,
    "Share of the country's loss that the networks or regions that fell must account for to support it: figures "
    "of users are good to a factor of two, of addresses to a factor of three.",
)

COUNTED = frozenset({"/24s", "prefixes", "addresses"})
"""Units of addresses: what a network loses, its country loses."""

UNSEEN = threshold(
    "incidents.parts_unseen_share",
    0.4,
    "Share of users assumed in places without a series, if neither users nor addresses are known.",
)

BESIDE = threshold(
    "incidents.parts_beside_seconds",
    6 * HOUR,
    "Time before and after the onset in which the country's level is compared: it drifts, and swings by the "
    "day.",
)

CLEAR = threshold(
    "incidents.parts_clear",
    3.0,
    "Standard deviations of the country's series that a network's loss must be, to be seen in it.",
)

FOUND = threshold(
    "incidents.parts_found_share",
    0.5,
    "Share of the network's loss that the country must have lost: some of its addresses may be abroad.",
)


SLIVER = threshold(
    "incidents.parts_sliver_share",
    0.005,
    "Share of the country's users and addresses below which one low value of a place raises no suspicion: of 79 "
    "networks of India, most with a few blocks, 18 blipped so in a month. Where neither share is known, no "
    "place is that small.",
)


class Parts:
    """The series of a country, of its regions and networks, and figures of its networks' users."""

    def __init__(self, series: Sequence[Series], weights: UserWeights | None = None) -> None:
        """
        Args:
            weights: None = there are no figures for this country.
        """
        self.series = {one.key: one for one in series if len(one)}
        self.users: dict[int, float] = {one.asn: one.share for one in weights.networks} if weights else {}
        self.networks, self.regions = (
            {
                key.place
                for key in self.series
                if not is_country(key.place) and bool(key.place.asn) is of_network
            }
            for of_network in (True, False)
        )

    def account_for(self, whole: Anomaly, parts: Iterable[Anomaly]) -> bool:
        """Can these parts together have caused the country's loss?"""
        lost: dict[Place, float] = {}
        for part in parts:
            place = part.key.place
            lost[place] = max(lost.get(place, 0.0), self._size(part) * (1 - left(part)))
        return sum(lost.values()) >= ACCOUNTS_FOR * (1 - left(whole))

    def lost_by_country(self, part: Anomaly) -> bool:
        """Do the country's own figures show what a network lost?  False if they are too coarse, or missing."""
        whole = self._of_country(part.key)
        size = None if whole is None else self._share_of(part, whole)
        told = None if whole is None else shares(whole, part.start_latest)
        if size is None or told is None:
            return False
        before = told.between(part.start_latest - BESIDE, _began(part))
        after = told.between(part.start_latest, min(part.last_seen, part.start_latest + BESIDE))
        expected = size * (1 - left(part))
        if not len(before) or not len(after) or expected < CLEAR * told.noise:
            return False
        return float(np.median(before) - np.median(after)) >= FOUND * expected

    def is_blip(self, anomaly: Anomaly) -> bool:
        """Is it one low value of a place too small to matter to the country?  It may be a fault of that one table."""
        place = anomaly.key.place
        return anomaly.bins <= 1 and not is_country(place) and self._size(anomaly) < SLIVER

    def _size(self, part: Anomaly) -> float:
        """Share of the country's users or addresses, whichever is more: many users share an address on mobile lines.

        If neither is known, all networks, or regions, with a series count the same.
        """
        place = part.key.place
        whole = self._of_country(part.key)
        addresses = None if whole is None else self._share_of(part, whole)
        known = [share for share in (addresses, self.users.get(place.asn)) if share is not None]
        alike = self.networks if place.asn else self.regions
        return max(known, default=(1 - UNSEEN) / max(1, len(alike)))

    def _share_of(self, part: Anomaly, whole: Series) -> float | None:
        """Share of the country's addresses before the loss; None = unknown."""
        own = self.series.get(part.key)
        if own is None:
            return None
        here, all_of_it = (_level(one, part.start) for one in (own, whole))
        return min(1.0, here / all_of_it) if here and all_of_it else None

    def _of_country(self, key: SeriesKey) -> Series | None:
        """The country's own series from the same source; None = there is none, or it does not count addresses."""
        if SIGNALS[key.signal].unit not in COUNTED:
            return None
        return self.series.get(replace(key, place=Place(key.place.country)))


def _level(one: Series, before: float) -> float:
    """Median of the week before an instant; 0 = unknown, or scaled by the publisher, since counts are whole."""
    inside = one.values[(one.times < before) & (one.times >= before - 7 * DAY)]
    known = inside[~np.isnan(inside)]
    return float(np.median(known)) if len(known) and not (known % 1).any() else 0.0


def _began(anomaly: Anomaly) -> float:
    return anomaly.start if anomaly.start_earliest is None else anomaly.start_earliest


# --- do two families agree? -----------------------------------------------------------------------------

AGREE = threshold(
    "incidents.families_agree_seconds",
    2 * HOUR,
    "Two families agree if their onsets, or their alarms, are this close beyond what the bins leave open: if "
    "one is wrong once a month and the other three times, both are so together by chance about once in five "
    "years.",
)

AT_ONCE = threshold(
    "incidents.families_at_once_seconds",
    1800.0,
    "As `incidents.families_agree_seconds`, if one of the two is usage or stray traffic that people may have "
    "caused by themselves, and the other a loss of active probing that may be suspected alone: ordinary "
    "mornings come four times a month and last for hours. With any other family such a drop does not agree.",
)

RANK: dict[Family, int] = {family: rank for rank, family in enumerate(Family) if family is not Family.REPORTS}
"""Families that can support each other, in the order in which they are named; reports are not measurements."""


def ruling(
    group: Sequence[Anomaly],
    kind: Kind = Kind.OUTAGE,
    parts: Parts | None = None,
    heard_at: Callable[[Sequence[Anomaly]], float] = lambda _: 0.0,
) -> Ruling:
    """C3 (outages) or C1 if two families agree, from the first moment at which published data raised both.

    Args:
        parts: what is known of networks and regions; None = any may stand for its country, and was not taken over.
        heard_at: when the sources that may contradict two anomalies had reported; infinite = not yet.
    """
    met = min(_agreements(group, parts, heard_at), default=None)
    if met is None or met[0] == inf:
        return Ruling("", None, _lacking(group, met))
    at, *pair = met
    one, other = (family_of(group[index]) for index in pair)
    rule = "C3" if kind is Kind.OUTAGE and {one, other} <= OUTAGE_FAMILIES else "C1"
    return Ruling(rule, at, Reason(f"rule.{rule.lower()}", {"families": (str(one), str(other))}))


def _agreements(
    group: Sequence[Anomaly], parts: Parts | None, heard_at: Callable[[Sequence[Anomaly]], float]
) -> Iterator[tuple[float, int, int]]:
    """When both had been raised, and the indices of the two in ``group``, in the order of ``RANK``; infinite = they
    confirm nothing yet.

    Anomalies are taken in order of onset and compared with those still down at the same place or in the whole
    country: thousands of series of one country are millions of pairs.
    """
    counted = [n for n, a in enumerate(group) if a.raised_at is not None and family_of(a) in RANK]
    support = Support([group[n] for n in counted], parts)
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
                    moment = max(agreed_at(first, second), heard_at((first, second)))
                    if _may_have_moved(first, second) or support.may_be_taken_over(first, second):
                        moment = max(moment, *(_back_at(a) for a in (first, second)))
                    yield (moment, earlier, later) if order < 0 else (moment, later, earlier)
        down[place].append(later)


class Support:
    """What the networks and regions of a group are worth, next to the country's series and by themselves."""

    def __init__(self, group: Sequence[Anomaly], parts: Parts | None) -> None:
        self.parts = parts
        self.of_parts: dict[Family, list[Anomaly]] = defaultdict(list)
        for one in group:
            if not is_country(one.key.place):
                self.of_parts[family_of(one)].append(one)
        networks = [a for own in self.of_parts.values() for a in own if a.key.place.asn]
        self.fell = sorted((a.start, a.key.place.asn) for a in networks)
        self.known: dict[tuple[int, Family], bool] = {}

    def supports(self, first: Anomaly, second: Anomaly) -> bool:
        """Are two that agree of one place, or is the part large enough, together with others that fell like it?"""
        whole, part = (first, second) if is_country(first.key.place) else (second, first)
        if self.parts is None or is_country(part.key.place) or not is_country(whole.key.place):
            return True
        asked = id(whole), family_of(part)
        if asked not in self.known:
            alike = [one for one in self.of_parts[asked[1]] if agree(whole, one)]
            self.known[asked] = self.parts.account_for(whole, alike)
        return self.known[asked]

    def may_be_taken_over(self, first: Anomaly, second: Anomaly) -> bool:
        """Are both of one network, of which nothing shows that the country lost it?"""
        if self.parts is None or not first.key.place.asn or not second.key.place.asn:
            return False
        pair = (first, second)
        return not (any(map(self._has_company, pair)) or any(map(self.parts.lost_by_country, pair)))

    def _has_company(self, one: Anomaly) -> bool:
        """Did enough other networks fall with it to show that it was not taken over?"""
        first = bisect_left(self.fell, (one.start - AGREE, 0))
        last = bisect_left(self.fell, (one.start + AGREE, inf))
        return len({asn for _, asn in self.fell[first:last]}) >= TAKEN_APART


TAKEN_APART = threshold(
    "incidents.parts_company",
    3,
    "Networks that fall together were not all taken over by others: that takes one at a time.",
)


def _lacking(group: Sequence[Anomaly], met: tuple[float, int, int] | None) -> Reason:
    """What is missing.

    Args:
        met: two that agree and confirm nothing yet; None = no two agree.
    """
    names = tuple(sorted({str(family_of(a)) for a in group}))
    network = None if met is None else group[met[1]].key.place.asn
    if network:
        return Reason("lacks.handover", {"entities": (f"AS{network}",)})
    if set(names) == {str(family) for family in OF_ADDRESSES} and all(map(_is_small, group)):
        return Reason("lacks.return", {"families": names})
    if met is not None and not any(_is_small(group[n]) for n in met[1:]):
        return Reason("lacks.others", {"shown_by": names})
    return Reason("lacks.family" if len(names) == 1 else "lacks.agreement", {"families": names})


OF_ADDRESSES = (Family.ROUTING, Family.PROBING)
SMALL = threshold(
    "incidents.small_step",
    0.2,
    "Share of the level; where routing and probing lost less, they confirm only once they are back: addresses "
    "that are renumbered or given up leave both in one step that never comes back. IODA's own rule for active "
    "probing warns from here on.",
)


def _may_have_moved(first: Anomaly, second: Anomaly) -> bool:
    """Is it a small step in routes and in answers, as where addresses are no longer used, by any publisher?"""
    return (
        {family_of(first), family_of(second)} == set(OF_ADDRESSES) and _is_small(first) and _is_small(second)
    )


def _is_small(anomaly: Anomaly) -> bool:
    return is_country(anomaly.key.place) and left(anomaly) > 1 - SMALL


def _back_at(anomaly: Anomaly) -> float:
    """When published data showed that the level was back; infinite = it is not, or came back after so long that growth
    may have made up for it."""
    departure = anomaly.departure
    if anomaly.end is None or departure is None:
        return inf
    if departure.lasting_since is not None and departure.left > DEEP:
        return inf
    return anomaly.end + departure.step + lag_of(anomaly.key)


def agree(first: Anomaly, second: Anomaly) -> bool:
    """Do two families support each other: same place, or one a part of the other, at the same time?"""
    one, other = first.key.place, second.key.place
    if one != other and not is_country(one) and not is_country(other):
        return False
    if first.start >= second.until or second.start >= first.until:
        return False
    if single(first) or single(second):
        return _at_one_stroke(first, second)
    deep = left(first) <= DEEP and left(second) <= DEEP
    if deep and not (of_people(first) and of_people(second)):
        return True
    early, late = sorted((first, second), key=lambda a: a.start)
    not_before = _began(late)
    apart = not_before - early.start_latest
    if not (_uncommon(first) and _uncommon(second)):
        return _lost_addresses(first, second) and apart <= AT_ONCE
    return deep or apart <= AGREE or _raised_together(first, second)


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
    return apart <= max((a.departure.step for a in (first, second) if a.departure is not None), default=0)


def _gone_at(anomaly: Anomaly) -> float:
    """End of the first bin that had lost more than half; NaN = none had."""
    departure = anomaly.departure
    return float("nan") if departure is None or departure.gone_at is None else departure.gone_at


def single(anomaly: Anomaly) -> bool:
    """Was it raised by one deep bin, and never by two in a row?"""
    return anomaly.departure is not None and anomaly.departure.single


def _lost_addresses(first: Anomaly, second: Anomaly) -> bool:
    """Is one of them a loss of active probing that might be suspected on its own?"""
    return any(family_of(a) is Family.PROBING and left(a) <= LONE_PROBING for a in (first, second))


def _raised_together(first: Anomaly, second: Anomaly) -> bool:
    moments = [a.raised_at for a in (first, second) if a.raised_at is not None]
    return len(moments) == 2 and abs(moments[0] - moments[1]) <= AGREE


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

LONE_CELL = threshold(
    "incidents.lone_family_cell_share",
    0.5,
    "Share that a region or network must have lost to be suspected alone: its series is a small count that "
    "moves by itself.",
)


LONE_REGION_RATIO = threshold(
    "incidents.lone_region_ratio",
    1.5,
    "A region that lost less than `incidents.lone_family_cell_share` may be suspected by routing or active "
    "probing at so many times its own threshold, if it lasts for `incidents.lone_region_seconds`.",
)
LONE_REGION_SECONDS = threshold(
    "incidents.lone_region_seconds",
    6 * HOUR,
    "Time for which a region must have lost `incidents.lone_region_ratio`: a storm takes a third of a state's "
    "counties, and the state does not lose half.",
)


def worth_a_suspicion(group: Sequence[Anomaly], kind: Kind = Kind.OUTAGE, parts: Parts | None = None) -> bool:
    """Does any anomaly justify a suspicion on its own?

    Args:
        parts: as for ``ruling``.
    """
    if kind is Kind.SLOWDOWN:
        return any(map(_slow_alone, group))
    return any(alone(anomaly) and (parts is None or not parts.is_blip(anomaly)) for anomaly in group)


def _slow_alone(anomaly: Anomaly) -> bool:
    """Is it a speed?  Delays and losses rise on any busy evening."""
    if SIGNALS[anomaly.key.signal].unit != "kbps" or left(anomaly) > DEEP or single(anomaly):
        return False
    return anomaly.last_seen - anomaly.start_latest >= LONE


def alone(anomaly: Anomaly) -> bool:
    """Does it justify a suspicion on its own?"""
    if single(anomaly) or anomaly.key.signal in OF_ONE_TOOL:
        return False
    if not is_country(anomaly.key.place) and left(anomaly) > LONE_CELL and not _clear_in_region(anomaly):
        return False
    lasts = anomaly.last_seen - anomaly.start_latest
    if not of_people(anomaly):
        most = LONE_ROUTING if family_of(anomaly) is Family.ROUTING else LONE_PROBING
        return lasts >= LONE and left(anomaly) <= most
    if _of_the_season(anomaly):
        return False
    fall = _sudden(anomaly)
    lasts_from_fall = fall is not None and anomaly.last_seen - fall >= LONE_USAGE
    return (lasts >= LONE_USAGE and _unlike(anomaly)) or lasts_from_fall


def _clear_in_region(anomaly: Anomaly) -> bool:
    departure, place = anomaly.departure, anomaly.key.place
    if departure is None or of_people(anomaly) or place.asn:
        return False
    lasts = anomaly.last_seen - anomaly.start_latest
    return departure.ratio >= LONE_REGION_RATIO and lasts >= LONE_REGION_SECONDS


def _uncommon(anomaly: Anomaly) -> bool:
    """Is it more than a drop that people cause themselves?"""
    if not of_people(anomaly):
        return True
    return not _of_the_season(anomaly) and (_unlike(anomaly) or _sudden(anomaly) is not None)


def _of_the_season(anomaly: Anomaly) -> bool:
    """Did the same place lose as much on the same days of an earlier year?"""
    return anomaly.departure is not None and anomaly.departure.earlier_year is not None


def _unlike(anomaly: Anomaly) -> bool:
    """Was the week before higher at that hour?"""
    return anomaly.departure is not None and anomaly.departure.unlike >= LONE_UNLIKE


def _sudden(anomaly: Anomaly) -> float | None:
    """When it fell at once; None = it fell gradually."""
    return None if anomaly.departure is None else anomaly.departure.sudden_from


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
    found = []
    for family in Family:
        down = [a for a in group if family_of(a) is family]
        own = [s for s in series if SIGNALS[s.key.signal].family is family and s.key.place in places]
        if down:
            found.append(_down(family, down))
        elif own:
            found.append(_other(family, own, start, end))
    return tuple(found)


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


def estimate(anomalies: Sequence[Anomaly]) -> Estimate | None:
    """Mean of what is left, weighted by how long each lasted, with the widest of the intervals."""
    known = [a.departure for a in anomalies if a.departure is not None]
    if not known:
        return None
    bins = [a.bins for a in anomalies if a.departure is not None]
    mean = float(np.average([d.left for d in known], weights=[max(1, n) for n in bins]))
    return Estimate(mean, min(d.low for d in known), max(d.high for d in known))


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


def _entities(entities: Iterable[Place]) -> tuple[str, ...]:
    return tuple(str(place) for place in sorted(set(entities)))


# --- small dips -----------------------------------------------------------------------------------------

NOTICED = threshold(
    "incidents.others_noticed_share",
    0.5,
    "Share of the signal's least drop from which a family counts as lower: as where an anomaly ends.",
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
    times, values = one.times[earlier], one.values[earlier]
    ordinary = np.array([slot_baseline(times, values, int(at)) for at in one.times[rows]])
    known = ordinary > 0
    if not known.any():
        return None
    shares = one.values[rows][known] / ordinary[known]
    low, middle, high = np.quantile(shares, [0.05, 0.5, 0.95])
    lower = middle <= 1 - NOTICED * signal.least_drop
    return Estimate(float(middle), float(low), float(high)) if lower else None
