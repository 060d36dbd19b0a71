"""Alternatives: explanations that retract an incident or keep it from being confirmed: the platform failed, or an
instrument, a line or a publisher did.

Each needs more than one voice, so that a few liars cannot make a true incident disappear.  Two further questions are
answered here: whether a target worked elsewhere while it failed on the networks named, which is a control of rule C2,
and whether a slow flow is held to a fixed rate or crowded.

A publisher's fault may show in several of its series at once, and in every country.

- A cut cable takes neighbours with it: West Africa in March 2024, East Africa in May 2024, the countries on the Red Sea
  in September 2025.  That is an outage of each.  But where search traffic or stray traffic falls in the same hour in
  countries all over the world, so many governments have hardly given one order, and no cut reaches that far: a
  publisher's machinery failed, or something that the whole internet uses (``worldwide``).
- Routing and active probing may be measured by one observatory, which may pass on what others measure, too (IODA: a
  telescope's stray traffic, Google's figures), and if it fails, all of these are at zero.  If so much of a country is
  gone, while its traffic, which others measured and others delivered, was as usual, one of the two is wrong, and the
  outage is not confirmed (``denied``).
- All products of a source fall together if the country loses connectivity, or if the source has a gap; if one falls
  alone, something happened to it (``controlled``).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.assemble import Finding, is_country
from fanous.analysis.incidents.confirm import CONTROL_WINDOW, spared
from fanous.analysis.incidents.fusion import LOOKED_AT, family_of, left, of_people
from fanous.analysis.series.baselines import of_those_days, shares, slot_baseline
from fanous.analysis.series.depth import depth
from fanous.analysis.series.signals import SIGNALS, Direction, deliverer_of, publisher_of
from fanous.model.anomaly import Anomaly
from fanous.model.incident import Estimate, Incident, Interval, LineRecord, Onset, Release, Software
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.reason import Reason
from fanous.model.series import Floats, RatePair, Series, Votes

# --- the platform ---------------------------------------------------------------------------------------

NEW_COUNTRIES = 3
"""A platform is down rather than blocked if it began to fail in three countries at once (METHODS 1), and works in
fewer.  Where it works in as many, either it failed in a part of the world, or the failures were forged where hardly
anyone measures: then it is neither confirmed nor retracted."""

ONSET_PROBES = 2
"""Failing probes in each country: one is a bad line."""

ONSET_SHARE = 0.5
"""Share of the measurements made there at the time that must fail."""

CLEAN = 0.1
CLEAN_MEASUREMENTS = 5
"""A country counts only if the target worked there before: if it has been blocked for years it always fails, and
on any evening a few countries block the same platform."""


PLATFORM_DOWN, PLATFORM_PARTLY = "platform.down", "platform.partly"
"""Codes of reasons: it failed in most countries, which retracts; or in no more than those in which it works."""


def platform_failure(onsets: Sequence[Onset]) -> Reason | None:
    """The countries in which the target began to fail at the same time; None = too few.

    It applies only if most failing measurements carried no normal control: one shows that the target worked for someone
    outside in the same minute.
    """
    new = tuple(sorted(onset.country for onset in onsets if _is_new(onset)))
    working = tuple(sorted(onset.country for onset in onsets if _works(onset)))
    if len(new) < NEW_COUNTRIES:
        return None
    if len(working) < len(new):
        return Reason(PLATFORM_DOWN, {"countries": new})
    return Reason(PLATFORM_PARTLY, {"countries": new, "working": working})


def _is_new(onset: Onset) -> bool:
    fails = onset.probes >= ONSET_PROBES and onset.failing >= ONSET_SHARE * onset.measured
    return fails and _is_clean(onset.failing_before, onset.measured_before)


def _works(onset: Onset) -> bool:
    """Did it go on working there, too?"""
    return _is_clean(onset.failing, onset.measured) and _is_clean(onset.failing_before, onset.measured_before)


def _is_clean(failing: int, measured: int) -> bool:
    return measured >= CLEAN_MEASUREMENTS and failing <= CLEAN * measured


# --- an instrument --------------------------------------------------------------------------------------

ONE_SOFTWARE = 0.95
"""Share of the failing probes that run one version of the software."""

OTHER_PROBES = 3
OTHER_SHARE = 0.3
"""On every network named, this many probes with other software must reach the target, and this share of the number that
fail: what only one version sees while others look too is that version's own fault.  A fifth of the probes, or all
of one network among several, can lie without causing a retraction."""


def defect(software: Sequence[Software]) -> Reason | None:
    """The one version that sees it while others on the same networks do not; None = there is none."""
    failing = Counter[str]()
    for row in software:
        failing[row.name] += row.failing
    ((name, most),) = failing.most_common(1) or [("", 0)]
    if not most or most < ONE_SOFTWARE * failing.total():
        return None
    others = Counter[int]()
    for row in software:
        if row.name != name:
            others[row.asn] += row.working
    affected = [row for row in software if row.name == name and row.failing]
    if any(others[row.asn] < max(OTHER_PROBES, OTHER_SHARE * row.failing) for row in affected):
        return None
    return Reason("software.defect", {"software": name, "probes": others.total()})


def broken_release(country: str, releases: Sequence[Release]) -> Reason | None:
    """The one version of a nettest that sees it, if it fails in other countries where other versions reach the target.

    A nettest that its service has outlived fails wherever it is still run; if no newer one is run in ``country``, only
    other countries show that.  None = it is not so, or the version works in as many countries.
    """
    here = [one for one in releases if one.country == country]
    worst = max(here, key=lambda one: one.failing, default=None)
    if worst is None or not worst.failing or worst.failing < ONE_SOFTWARE * _sum(here)[0]:
        return None
    fails, works = [], 0
    for place in sorted({one.country for one in releases} - {country}):
        own = [one for one in releases if (one.country, one.test_name) == (place, worst.test_name)]
        its, others = (
            [one for one in own if (one.version == worst.version) is same] for same in (True, False)
        )
        if _is_clean(*_sum(its)):
            works += 1
        elif _mostly_fails(*_sum(its)) and _is_clean(*_sum(others)):
            fails.append(place)
    if len(fails) < NEW_COUNTRIES or works >= len(fails):
        return None
    return Reason(
        "software.release", {"release": f"{worst.test_name} {worst.version}", "countries": tuple(fails)}
    )


def _sum(releases: Sequence[Release]) -> tuple[int, int]:
    return sum(one.failing for one in releases), sum(one.measured for one in releases)


def _mostly_fails(failing: int, measured: int) -> bool:
    return measured >= CLEAN_MEASUREMENTS and failing >= ONSET_SHARE * measured


def broken_machine(inside: Votes) -> Reason | None:
    """The one probe that sees it while enough others on its network do not; None = there is none.

    Args:
        inside: votes on the networks in question, while it was seen there.
    """
    failing = set(inside.probes[inside.seen].tolist())
    networks = set(inside.asns[inside.seen].tolist())
    working = set(inside.probes[np.isin(inside.asns, list(networks)) & ~inside.seen].tolist()) - failing
    if len(failing) != 1 or len(networks) != 1 or len(working) < OTHER_PROBES:
        return None
    return Reason("probe.defect", {"networks": (f"AS{networks.pop()}",), "probes": len(working)})


# --- a line ---------------------------------------------------------------------------------------------

LINE_FAULTS = (
    *("", "dns", "dns.timeout", "dns.refused", "ip.unreachable", "tcp", "tcp.timeout", "tls", "tls.timeout"),
    *("http", "http.timeout", "quic.drop", "quic.drop.target"),
)
"""Mechanisms that a bad line, carrier or resolver shows too: nothing is forged, reset or answered."""

LINE_TARGETS = 5
"""Targets that a probe must have measured at the time before its line can be judged."""

LINE_SHARE = 0.6
"""If this share of a probe's other targets fails as on a bad line, no target was singled out.  Of the lists of sites
that are tested for blocking, the strictest censors cut less, and forge or reset most of that."""

LINE_PROBES = 0.5
"""Share of the probes that saw it on a network that must have such a line, so that a few liars that report
everything as failing retract nothing."""


def bad_lines(lines: Sequence[LineRecord]) -> frozenset[int]:
    """Networks on which the probes that saw it could reach hardly anything else either.

    If most of them measured too little to tell (each measurement may have its own probe name), everything
    measured on the network decides.
    """
    saw, tell, bad = Counter[int](), Counter[int](), Counter[int]()
    for line in lines:
        if not line.of_all:
            saw[line.asn] += 1
            tell[line.asn] += line.targets >= LINE_TARGETS
            bad[line.asn] += _is_bad(line)
    whole = {line.asn for line in lines if line.of_all and _is_bad(line)}
    few_tell = {asn for asn in saw if 2 * tell[asn] < saw[asn]}
    return frozenset(
        asn for asn in saw if (asn in whole if asn in few_tell else bad[asn] >= LINE_PROBES * saw[asn])
    )


def _is_bad(line: LineRecord) -> bool:
    return line.targets >= LINE_TARGETS and line.failing >= LINE_SHARE * line.others


# --- a control: did the target work elsewhere? ----------------------------------------------------------


def works_elsewhere(votes: Votes, elsewhere: Votes, named: Sequence[Finding], failing: Floats) -> Floats:
    """When a target worked on an unaffected network, or abroad, close to a failing hour: each measurement once.

    It worked if no signal says otherwise: a successful lookup shows little where no connection could be made.

    Args:
        votes: the country's votes about the incident's targets.
        elsewhere: votes of other countries.
        named: what the incident is about.
        failing: unix seconds, ascending: when it failed on the networks named.

    Returns:
        Unix seconds, ascending.
    """
    keys = [finding.anomaly.key for finding in named]
    targets = list({key.target for key in keys})
    others = votes.where(~np.isin(votes.asns, [key.place.asn for key in keys]))
    others = others.where(np.isin(others.targets, targets) & _is_near(others.times, failing))
    failed = np.isin(others.uids, others.uids[others.seen])
    works = ~failed & np.isin(others.signals, list({key.signal for key in keys}))
    works &= np.isin(others.asns, spared(others.asns, failed))
    abroad = ~elsewhere.seen & np.isin(elsewhere.targets, targets) & _is_near(elsewhere.times, failing)
    controls = (others.where(works), elsewhere.where(abroad))
    _, firsts = np.unique(np.concatenate([one.uids for one in controls]), return_index=True)
    return np.sort(np.concatenate([one.times for one in controls])[firsts])


def _is_near(times: Floats, failing: Floats) -> NDArray[np.bool_]:
    """Which of ``times`` are within ``CONTROL_WINDOW`` of one of ``failing`` (ascending)."""
    if not len(failing):
        return np.zeros(len(times), np.bool_)
    after = np.searchsorted(failing, times)
    distance = np.minimum(
        np.abs(times - failing[np.minimum(after, len(failing) - 1)]),
        np.abs(times - failing[np.maximum(after - 1, 0)]),
    )
    return np.asarray(distance <= CONTROL_WINDOW)


# --- a policer, or a crowded line? ----------------------------------------------------------------------

PROBES = 5
"""Least probes: with fewer, a slope says no more than a coin (METHODS 1)."""

SPREAD = 0.3
"""Least standard deviation of ln(control rate) across probes (a third up or down): if all lines are alike, a fixed rate
and a shared line look the same."""

SURE = 1.645
"""Standard deviations on either side of a 90 % interval of a normal distribution."""


class SlownessCause(StrEnum):
    """What limits the rate."""

    POLICER = "policer"
    CONGESTION = "congestion"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Policing:
    """What the rates show.

    Attributes:
        slope: ``None`` = too few probes, or their lines are too alike.
        kbps: rate of the target, over probes; ``None`` = no rate was measured.
        reason: the reason for the cause; claims no more than was measured.
    """

    cause: SlownessCause
    probes: int
    slope: Estimate | None
    kbps: Estimate | None
    reason: Reason


def policing(rates: Sequence[RatePair]) -> Policing:
    """Tell a policer, which holds traffic to a fixed rate, from congestion; each probe is one point (its median rates).

    Across probes, ln(rate of the target) is regressed on ln(rate of the control).  Under a policer the target's rate
    does not follow the line's (slope 0); under congestion it does (slope 1).  Both rates are measured with error, so
    ordinary least squares would read a true 1 as .75; Deming regression assumes equal errors on both sides.
    """
    target, control = _by_probe(rates)
    n = len(target)
    kbps = mean_rate(target)
    if n < PROBES:
        why = Reason("slow.few_probes", {"probes": n, "needed": PROBES})
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, why)
    if np.log(control).std(ddof=1) < SPREAD:
        return Policing(SlownessCause.CANNOT_TELL, n, None, kbps, Reason("slow.alike"))
    slope = _with_interval(np.log(control), np.log(target))
    cause = _cause(slope)
    told = {"probes": n, "slope": slope.mean, "slope_low": slope.low, "slope_high": slope.high}
    return Policing(cause, n, slope, kbps, Reason(f"slow.{cause}", told))


def _by_probe(rates: Sequence[RatePair]) -> tuple[Floats, Floats]:
    """Median rates of each probe, in kbit/s: of the target, of the control."""
    own: dict[str, list[RatePair]] = {}
    for rate in rates:
        own.setdefault(rate.probe, []).append(rate)
    target = [float(np.median([r.kbps for r in each])) for each in own.values()]
    control = [float(np.median([r.control_kbps for r in each])) for each in own.values()]
    return np.array(target), np.array(control)


def deming(x: Floats, y: Floats) -> float:
    """Slope of y on x where both have errors of the same size."""
    xx, yy = float(x.var(ddof=1)), float(y.var(ddof=1))
    xy = float(((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1))
    if xy == 0:
        return 0.0
    gap = yy - xx
    root = float(np.hypot(gap, 2 * xy))
    return (gap + root) / (2 * xy) if gap > 0 else 2 * xy / (root - gap)


def _with_interval(x: Floats, y: Floats) -> Estimate:
    """The slope with its 90 % interval, by leaving out one probe after another (jackknife)."""
    n, whole = len(x), deming(x, y)
    without = np.array([deming(np.delete(x, i), np.delete(y, i)) for i in range(n)])
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    return Estimate(whole, whole - SURE * error, whole + SURE * error)


def _cause(slope: Estimate) -> SlownessCause:
    """A policer only if 1 is excluded and the slope is nearer to 0; congestion the other way round."""
    if slope.high < 1 and slope.mean < 0.5:
        return SlownessCause.POLICER
    return SlownessCause.CONGESTION if slope.low > 0 and slope.mean > 0.5 else SlownessCause.CANNOT_TELL


def mean_rate(rates: Floats) -> Estimate | None:
    """Geometric mean of rates, each finite and above 0, with its 90 % interval; None = there are none."""
    if not len(rates):
        return None
    logs = np.log(rates)
    half = SURE * float(logs.std(ddof=1)) / float(np.sqrt(len(logs))) if len(logs) > 1 else 0.5
    mean = float(logs.mean())
    return Estimate(float(np.exp(mean)), float(np.exp(mean - half)), float(np.exp(mean + half)))


# --- the same fall all over the world --------------------------------------------------------------------

NEAR = 3600.0
"""Seconds within which outages of two countries may have one cause."""

COUNTRIES = 3
"""Other countries in which a family must have fallen, as many as for a platform that is down."""

REGION = 5000.0
"""Kilometres: the countries that one cut took were this close to one of them (Lagos is 4,500 km from Johannesburg)."""

WITHIN = 0.75
"""Share of the countries that must be so close: the others may have had an outage of their own by chance."""

WORLDWIDE = "shared.worldwide"


@dataclass(frozen=True, slots=True)
class OutageElsewhere:
    """When another country had an outage.

    Attributes:
        fell: family -> when its series of that country began to fall.
    """

    country: str
    when: Interval
    fell: Mapping[str, float] = field(default_factory=dict)


def worldwide(
    group: Sequence[Anomaly],
    elsewhere: Sequence[OutageElsewhere],
    country: str,
    distance: Callable[[str, str], float],
) -> tuple[frozenset[Family], Reason] | None:
    """The families that fell in countries all over the world in the same hour, and the reason that says so; ``None`` =
    there are none.

    Args:
        distance: kilometres between two countries.
    """
    began: dict[Family, float] = {}
    for one in group:
        if is_country(one.key.place):
            began[family_of(one)] = min(one.start, began.get(family_of(one), one.start))
    beside = {
        family: {
            other.country
            for other in elsewhere
            if other.country != country and abs(other.fell.get(str(family), -NEAR) - at) <= NEAR
        }
        for family, at in began.items()
    }
    found = {
        family: others
        for family, others in beside.items()
        if len(others) >= COUNTRIES and not _close_together({country, *others}, distance)
    }
    if not found:
        return None
    families = tuple(str(family) for family in Family if family in found)
    countries = tuple(sorted(set().union(*found.values())))
    return frozenset(found), Reason(WORLDWIDE, {"families": families, "countries": countries})


def _close_together(countries: Collection[str], distance: Callable[[str, str], float]) -> bool:
    """Do most of them lie around one of them?"""
    return any(
        sum(distance(middle, other) <= REGION for other in countries) >= WITHIN * len(countries)
        for middle in countries
    )


# --- what people did denies what came from one place -----------------------------------------------------

LOST = 0.4
"""Share of the level that both families must have lost: less may be networks without users."""

LEAST_DROPS = 2.0
"""Least drops of a signal that a loss must be, for the signal to deny it: it would have had to show it clearly."""

DAYS = 7
USUAL_DAYS = 5
"""Days of the week before on which the series must have stayed above half of that loss at the same hours: otherwise it
is so noisy that *as usual* proves nothing.  An outage may have been on the others."""

BINS = 2
"""Least bins of it within the time of the loss: a single one may be right by chance; otherwise those around it, each of
which must be as usual."""

NOTHING_LEFT = 0.1
"""Share left of everything that came through one deliverer, up to which that may have failed: it has nothing to pass on
then, while figures of others that show a part of their level did come through."""

DENIED = "disputed.publisher"
"""One publisher measured all that shows it."""

UNDELIVERED = "disputed.deliverer"
"""All that shows it came through one deliverer, and is at zero."""


def denied(group: Sequence[Anomaly], series: Sequence[Series]) -> Reason | None:
    """Why what came from one place is not believed; None = others show it too, or nothing denies it.

    Args:
        series: all quantities of the country that can show an outage.
    """
    whole = [a for a in group if is_country(a.key.place)]
    why = _from_one_place(group)
    if not whole or not why:
        return None
    publishers, deliverers = ({name(a.key) for a in group} for name in (publisher_of, deliverer_of))
    families: dict[Family, list[Anomaly]] = {}
    for anomaly in whole:
        families.setdefault(family_of(anomaly), []).append(anomaly)
    lost = min(1 - min(map(left, own)) for own in families.values())
    start = max(min(a.start_latest for a in own) for own in families.values())
    end = min(max(a.last_seen for a in own) for own in families.values())
    if lost < LOST:
        return None
    able = [
        one
        for one in series
        if is_country(one.key.place)
        and not (publisher_of(one.key) in publishers and deliverer_of(one.key) in deliverers)
    ]
    told = {one.key: _was_as_usual(one, start, end, lost) for one in able}
    deny = {SIGNALS[key.signal].family for key, usual in told.items() if usual}
    if not deny or False in told.values():
        return None
    named = (
        (name, tuple(str(f) for f in Family if f in of))
        for name, of in (("shown_by", families), ("families", deny))
    )
    return Reason(why, dict(named))


def _from_one_place(group: Sequence[Anomaly]) -> str:
    """The code of the doubt if one publisher measured everything, or one deliverer has nothing left of it; or empty."""
    if len({publisher_of(a.key) for a in group}) == 1:
        return "" if any(map(of_people, group)) else DENIED
    one_way = len({deliverer_of(a.key) for a in group}) == 1
    return UNDELIVERED if one_way and all(left(a) <= NOTHING_LEFT for a in group) else ""


def _was_as_usual(one: Series, start: float, end: float, lost: float) -> bool | None:
    """Did the series show nothing of a loss that it would have shown?  None = it could not have."""
    signal = SIGNALS[one.key.signal]
    if not signal.of_people or signal.bad is Direction.UP or lost < LEAST_DROPS * signal.least_drop:
        return None
    days = [_share(one, start - n * DAY, end - n * DAY) for n in range(DAYS + 1)]
    share, *before = days
    if share is None or sum(usual is not None and usual >= 1 - lost / 2 for usual in before) < USUAL_DAYS:
        return None
    return share >= 1 - signal.least_drop


def _share(one: Series, start: float, end: float) -> float | None:
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
    usual = np.array([slot_baseline(one.times, one.values, int(at)) for at in one.times[rows]])
    told = usual > 0
    if told.sum() < BINS:
        return None
    kept = one.values[rows][told] / usual[told]
    return float(np.min(kept) if is_short else np.median(kept))


# --- the other products of a source -------------------------------------------------------------------------

ALIKE = 0.5
"""Another product fell like it if it lost at least this share of what the platform lost ..."""

NOTICED = 0.5
"""... and at least this share of its own signal's least drop."""


def controlled(loss: Incident, own: Sequence[Series], others: Sequence[Series]) -> Incident | None:
    """The loss, with what the source's other products say; None = they fell alike, so it is not the platform's.

    Args:
        own: series of the platform's traffic.
        others: all other quantities of the country.
    """
    publishers = {publisher_of(one.key) for one in own}
    signals = {one.key.signal for one in own}
    compared = [
        one
        for one in others
        if publisher_of(one.key) in publishers and one.key.signal in signals and is_country(one.key.place)
    ]
    known = [(one, lost) for one in compared if (lost := _lost(one, loss)) is not None]
    if not known:
        return replace(loss, reasons=(*loss.reasons, Reason("products.none")))
    lost = 1 - (1.0 if loss.level is None else loss.level.mean)
    alike = [
        one
        for one, share in known
        if share >= max(ALIKE * lost, NOTICED * SIGNALS[one.key.signal].least_drop)
    ]
    if 2 * len(alike) >= len(known):
        return None
    names = tuple(sorted({one.key.subtype.lower().replace("_", " ") or one.key.signal for one, _ in known}))
    return replace(
        loss,
        reasons=(*loss.reasons, Reason("products.ordinary", {"products": names})),
        evidence=replace(loss.evidence, controls=len(known)),
    )


def _lost(one: Series, loss: Incident) -> float | None:
    """What another product lost at the same time, a share; None = it was not measured."""
    told = shares(one, loss.onset_earliest or loss.onset) if len(one) else None
    left = None if told is None else depth(of_those_days(told, loss.intervals), loss.intervals, loss.end)
    return None if left is None else 1 - left.mean
