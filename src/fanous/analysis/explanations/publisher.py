"""Publishers: may a fault of one of them explain what its series show, all at once and in every country?

- A cut cable takes neighbours with it: West Africa in March 2024, East Africa in May 2024, the countries on the Red Sea
  in September 2025.  That is an outage of each.  But where search traffic or stray traffic falls in the same hour in
  countries all over the world, it is hardly one order of so many governments, and no cut reaches that far: a
  publisher's machinery failed, or something that the whole internet uses (``worldwide``).
- Routing and active probing may be measured by one observatory, and an observatory may pass on what others measure
  (IODA: a telescope's stray traffic, Google's figures).  Who delivers all of it can be wrong about all of it, or
  lie: one deliverer's series confirm nothing, however many they are (``one_hand``).
- What two deliverers publish may still rest on the same collectors, geolocation or lists.  That is listed, and keeps a
  confirmation from being certain (``shared``).
- Where people's traffic, which others measured and delivered, was as usual, sources disagree.  That takes nothing back:
  machines without users can go dark (``unnoticed``).
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.explanations.fall import Agreement, SeriesEvent, names
from fanous.analysis.series.anomalies import family_of, is_country, left
from fanous.analysis.series.baselines import LOOKED_AT, SlotBaseline
from fanous.analysis.series.signals import SIGNALS, Direction, deliverer_of, publisher_of, reporter_of, shared
from fanous.base.groups import grouped
from fanous.model.incident import Basis, Interval
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.series import Anomaly, Series
from fanous.model.threshold import threshold

# --- the same fall all over the world --------------------------------------------------------------------

NEAR = threshold(
    "incidents.outage_near_seconds", 3600.0, "Outages of two countries this close in time may have one cause."
)

COUNTRIES = threshold(
    "incidents.shared_countries",
    3,
    "Other countries in which a family must fall in the same hour to count for nothing, as many as for a "
    "platform that is down, if they are spread over the world.",
)

REGION = threshold(
    "incidents.shared_region_km",
    5000.0,
    "Countries within so many kilometres of one of them are one region: cut cables took countries within 4,500 "
    "km of one of them (Lagos and Johannesburg).",
)

WITHIN = threshold(
    "incidents.shared_within",
    0.75,
    "Share of the countries in which a family fell at once; if so many lie in one region, they are not spread "
    "over the world. The others may have had an outage of their own by chance.",
)

WORLDWIDE = "shared.worldwide"


@Subject.PUBLISHER.row(
    WORLDWIDE,
    Consequence.LEAVE_OUT,
    "A publisher, or something that the whole internet uses, failed all over the world.",
)
def worldwide(fall: SeriesEvent) -> Weighing:
    """The families that fell in countries all over the world in the same hour."""
    began: dict[Family, float] = {}
    for anomaly in (a for a in fall.group if is_country(a.key.place)):
        family = family_of(anomaly)
        began[family] = min(anomaly.start, began.get(family, anomaly.start))
    beside = {
        family: {
            other.country
            for other in fall.elsewhere
            if other.country != fall.country and abs(other.fell.get(str(family), -NEAR) - at) <= NEAR
        }
        for family, at in began.items()
    }
    found = {
        family: others
        for family, others in beside.items()
        if len(others) >= COUNTRIES and not _close_together({fall.country, *others}, fall.distance)
    }
    if not began:
        return excluded("part_of_country")
    if not found:
        return excluded("fell_here", some=max(map(len, beside.values())))
    families = tuple(str(family) for family in Family if family in found)
    countries = tuple(sorted(set().union(*found.values())))
    return holds(WORLDWIDE, found, families=families, countries=countries)


def _close_together(countries: Collection[str], distance: Callable[[str, str], float]) -> bool:
    """Do most of them lie around one of them?"""
    return any(
        sum(distance(middle, other) <= REGION for other in countries) >= WITHIN * len(countries)
        for middle in countries
    )


# --- what people did denies it ---------------------------------------------------------------------------

LOST = threshold(
    "incidents.denied_lost",
    0.4,
    "Share of the level that all families must have lost for others' usage to deny it: less may be networks without "
    "users.",
)

LEAST_DROPS = threshold(
    "incidents.denied_least_drops",
    2.0,
    "Least drops of a signal that a loss must be for the signal to deny it: only then would it have shown it "
    "clearly.",
)

DAYS = threshold(
    "incidents.denied_days",
    7,
    "Days before a loss, of which a signal that denies it must have stayed above half of it on "
    "`incidents.denied_usual_days`.",
)
USUAL_DAYS = threshold(
    "incidents.denied_usual_days",
    5,
    "Days before a loss on which a signal that denies it must have stayed above half of it at the same hours: "
    "otherwise *as usual* proves nothing. There may have been an outage on the others.",
)

BINS = threshold(
    "incidents.denied_bins",
    2,
    "Fewest bins, within the time of a loss, of a signal that denies it: one may be right by chance. If there "
    "are fewer, each of those around it must be as usual.",
)

OF_IPV6 = ("prefixes_v6",)
"""Signals of IPv6 alone: usage goes on over IPv4."""


@Subject.PUBLISHER.row(
    "usage.as_usual", Consequence.SAY, "Only machines were cut off, and people went on as usual."
)
def _unnoticed(fall: SeriesEvent) -> Weighing:
    """People's activity was as usual, by the figures of others.

    Both may be right: machines without users can go dark, and caches and fixed lines can carry people's traffic.
    """
    is_one_hand, shown_by = bool(_hands(fall, fall.group)), _shown_by(fall)
    if len(shown_by) == 1 and not is_one_hand:
        return untested("one_family")
    denying = _denying(fall)
    if isinstance(denying, Weighing):
        return denying
    if is_one_hand:
        return holds("disputed.publisher", shown_by=shown_by, families=denying)
    return holds("disputed.usage", shown_by=shown_by, families=denying)


def _denying(fall: SeriesEvent) -> Weighing | tuple[str, ...]:
    """The families of others that would have shown the country's loss and were as usual, or why none denies it.

    Usage denies only the same place, access and address family.
    """
    whole = [anomaly for anomaly in fall.group if is_country(anomaly.key.place)]
    if not whole:
        return excluded("part_of_country")
    if fall.parts.are_mobile({asn for _, asn in fall.networks}):
        return untested("other_access")
    if all(anomaly.key.signal in OF_IPV6 for anomaly in whole):
        return untested("other_addresses")
    families = grouped(whole, family_of).values()
    lost = min(max(map(_lost_most, family)) for family in families)
    start = max(min(_deep(a).start for a in family) for family in families)
    end = min(max(_deep(a).until for a in family) for family in families)
    if lost < LOST:
        return untested("small_loss", share=1 - LOST)
    others = _of_others(fall.group, fall.series)
    usual = {one.key: _was_as_usual(one, start, end, lost) for one in others}
    if False in usual.values():
        return excluded("others_fell")
    denying = names({SIGNALS[key.signal].family for key, was in usual.items() if was})
    return denying or untested("no_other_figures")


def _shown_by(fall: SeriesEvent) -> tuple[str, ...]:
    return names({family_of(a) for a in fall.group if is_country(a.key.place)})


def _lost_most(anomaly: Anomaly) -> float:
    """Share lost while more than half was gone, if it was: most of an anomaly may be the remainder that follows."""
    return 1 - (left(anomaly) if anomaly.departure.deep_from is None else anomaly.departure.low)


def _deep(anomaly: Anomaly) -> Interval:
    """When more than half was gone, or when it was on if never so much was."""
    departure = anomaly.departure
    if departure.deep_from is None:
        return Interval(anomaly.start_latest, anomaly.last_seen)
    return Interval(max(anomaly.start_latest, departure.deep_from), departure.deep_until)


def _of_others(group: Sequence[Anomaly], series: Sequence[Series]) -> list[Series]:
    """The country's series that others measured, or delivered."""
    publishers, deliverers = ({name(a.key) for a in group} for name in (publisher_of, deliverer_of))
    return [
        one
        for one in series
        if is_country(one.key.place)
        and not (publisher_of(one.key) in publishers and deliverer_of(one.key) in deliverers)
    ]


def _was_as_usual(one: Series, start: float, end: float, lost: float) -> bool | None:
    """Did the series show nothing of a loss that it would have shown?  None = it could not have."""
    share = median_share(one, start, end)
    if share is None or not _would_show(one, start, end, lost):
        return None
    return share >= 1 - SIGNALS[one.key.signal].least_drop


def _would_show(one: Series, start: float, end: float, lost: float) -> bool:
    """Is such a loss of people's activity more than the series does by itself, as on the days before?"""
    signal = SIGNALS[one.key.signal]
    if not signal.of_people or signal.bad is Direction.UP or lost < LEAST_DROPS * signal.least_drop:
        return False
    before = (median_share(one, start - n * DAY, end - n * DAY) for n in range(1, DAYS + 1))
    return sum(usual is not None and usual >= 1 - lost / 2 for usual in before) >= USUAL_DAYS


def median_share(one: Series, start: float, end: float) -> float | None:
    """Median share of the usual level in the bins within a time; None = too few of them are known.

    If there are fewer than ``BINS``, the lowest of those around it: a short loss lies in two bins in part, or in the
    next one if a publisher's clock is off by a bin.
    """
    known = ~np.isnan(one.values)
    rows = np.flatnonzero((one.times >= start) & (one.times + one.step <= end) & known)
    is_short = len(rows) < BINS
    if is_short:
        rows = np.flatnonzero((one.times + 2 * one.step > start) & (one.times - one.step < end) & known)
        rows = rows if len(rows) and one.times[rows[-1]] + one.step >= end else rows[:0]
    rows = rows[:: max(1, len(rows) // LOOKED_AT)]
    baseline = SlotBaseline(one.times, one.values)
    usual = np.array([baseline.at(int(at)) for at in one.times[rows]])
    told = usual > 0
    if told.sum() < BINS:
        return None
    kept = one.values[rows][told] / usual[told]
    return float(np.min(kept) if is_short else np.median(kept))


@Subject.PUBLISHER.row("usage.weekly", Consequence.SAY, "It falls like this every week.")
def weekly(fall: SeriesEvent) -> Weighing:
    """A weekend that was never seen looks like a fall.  Those of the country decide, if any of these fell."""
    lead = [a for a in fall.group if is_country(a.key.place)] or fall.group
    if any(a.departure.short for a in lead):
        return untested("short_history")
    return excluded("known_for_a_week")


# --- one hand, or one method ----------------------------------------------------------------------------


@Subject.PUBLISHER.row(
    "publisher.at_fault", Consequence.SUSPECT, "The one deliverer behind it is at fault, or lies."
)
def one_hand(fall: Agreement) -> Weighing:
    """Everything that shows it came from one deliverer, or through one mirror."""
    deliverers = {deliverer_of(a.key) for a in fall.shown}
    hands = _hands(fall.whole, fall.shown)
    if not hands:
        return excluded("several_deliverers", deliverers=tuple(sorted(deliverers)))
    reporters = {reporter_of(a.key) for a in fall.shown} if len(deliverers) == 1 else hands
    return holds(
        "basis.one_publisher",
        deliverers=tuple(sorted(reporters)),
        families=fall.families,
        basis=str(Basis.ONE_PUBLISHER),
    )


@Subject.PUBLISHER.row(
    "publisher.shared",
    Consequence.SAY,
    "Collectors, geolocation or lists that all families behind it share are wrong.",
)
def shares_methods(fall: Agreement) -> Weighing:
    """The families that show it share collectors, geolocation or lists, although several deliver them."""
    if len(fall.families) < 2:
        return excluded("one_family")
    found = shared(a.key for a in fall.shown)
    if found is None:
        return untested("methods_unknown", families=fall.families)
    if not found:
        return excluded("share_nothing", families=fall.families)
    return holds("shares.methods", families=fall.families, shared=found)


def _hands(fall: SeriesEvent, group: Sequence[Anomaly]) -> set[str]:
    """Who could have made up all of it: the deliverer of each of these series, or a mirror that gave each of them."""
    return set.intersection(*({deliverer_of(a.key), *fall.mirrors.get(a.key.source, ())} for a in group))


PUBLISHER = (worldwide, _unnoticed, weekly)

OF_AGREEING = (one_hand, shares_methods)
