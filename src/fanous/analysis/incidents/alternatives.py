"""Alternatives: explanations that retract an incident or keep it from being confirmed: the platform failed, or an
instrument or a line did.

Each needs more than one voice, so that a few liars cannot make a true incident disappear.  Two further questions are
answered here: whether a target worked elsewhere while it failed on the networks named, which is a control of rule C2,
and whether a slow flow is held to a fixed rate or crowded.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.assemble import Finding
from fanous.analysis.incidents.confirm import CONTROL_WINDOW, CONTROLS, SPARED_SHARE, spared
from fanous.analysis.incidents.networks import inside
from fanous.model.incident import Alternatives, Estimate, LineRecord, Onset, Release, Software
from fanous.model.instant import DAY
from fanous.model.reason import Reason
from fanous.model.series import Floats, RatePair, Votes
from fanous.model.threshold import threshold

# --- the platform ---------------------------------------------------------------------------------------

NEW_COUNTRIES = threshold(
    "incidents.platform_countries",
    3,
    "Other countries in which a platform must have begun to fail at once to be down: fewer are an ordinary "
    "evening, on which the same platform is blocked in several countries. Where it works in as many, it is "
    "neither confirmed nor retracted.",
)

ONSET_PROBES = threshold(
    "incidents.platform_onset_probes",
    2,
    "Failing probes in each other country in which a platform may be down: one is a bad line.",
)

ONSET_SHARE = threshold(
    "incidents.platform_onset_share",
    0.5,
    "Share of the measurements made at the time in each other country in which a platform may be down that must "
    "fail.",
)

CLEAN = threshold(
    "incidents.platform_clean_share",
    0.1,
    "Most of the measurements that may have failed in another country before: where the target has been blocked "
    "for years, it always fails.",
)
CLEAN_MEASUREMENTS = threshold(
    "incidents.platform_clean_measurements",
    5,
    "Measurements in another country before, without which no one knows whether the target worked there.",
)


NEARLY_ALL_COUNTRIES = threshold(
    "incidents.platform_helped_countries",
    5,
    "As `incidents.platform_countries` if most failures here carried normal controls: two more than without, "
    "since each must be outvoted to forge it.",
)
NEARLY_ALL_SHARE = threshold(
    "incidents.platform_helped_share",
    0.8,
    "Share of the countries that measured it in which it must fail if failures here carried normal controls: a "
    "real block leaves it working in most.",
)


PLATFORM_DOWN, PLATFORM_PARTLY, PLATFORM_BUT_HELPER = (
    "platform.down",
    "platform.partly",
    "platform.but_helper",
)
"""Codes of reasons: it failed in most countries, which retracts; or in no more than those in which it works; or in
nearly all, but the helper reached it."""


def platform_failure(onsets: Sequence[Onset], *, helped: bool = False) -> Reason | None:
    """The countries in which the target began to fail at the same time; None = too few.

    Args:
        helped: most failing measurements carried a normal control: it worked for someone outside in the same minute.
    """
    new = tuple(sorted(onset.country for onset in onsets if _is_new(onset)))
    working = tuple(sorted(onset.country for onset in onsets if _works(onset)))
    if helped:
        nearly_all = len(new) >= max(NEARLY_ALL_COUNTRIES, NEARLY_ALL_SHARE * len(new + working))
        return Reason(PLATFORM_BUT_HELPER, {"countries": new}) if nearly_all else None
    if len(new) < NEW_COUNTRIES:
        return None
    if len(working) < len(new):
        return Reason(PLATFORM_DOWN, {"countries": new})
    return Reason(PLATFORM_PARTLY, {"countries": new, "working": working})


def _is_new(onset: Onset) -> bool:
    fails = onset.probes >= ONSET_PROBES and onset.failing >= ONSET_SHARE * onset.measured
    return fails and _is_clean(onset.failing_before, onset.measured_before)


def _works(onset: Onset) -> bool:
    """Did it keep working there as well?"""
    return _is_clean(onset.failing, onset.measured) and _is_clean(onset.failing_before, onset.measured_before)


def _is_clean(failing: int, measured: int) -> bool:
    return measured >= CLEAN_MEASUREMENTS and failing <= CLEAN * measured


# --- an instrument --------------------------------------------------------------------------------------

ONE_SOFTWARE = threshold(
    "incidents.software_share",
    0.95,
    "Share of the failing probes that run one version of the software, from which the fault may be that "
    "version's.",
)

EACH_SOFTWARE = threshold(
    "incidents.software_each_share",
    0.8,
    "As `incidents.software_share`, where each network has a version of its own: other things fail there, too.",
)

OTHER_PROBES = threshold(
    "incidents.software_other_probes",
    3,
    "Probes with other software that must reach the target on each network named.",
)
OTHER_SHARE = threshold(
    "incidents.software_other_share",
    0.3,
    "Share, compared with the probes that fail, that those with other software must be: a fifth of the probes, "
    "or all of one network among several, can lie without causing a retraction.",
)


def defect(software: Sequence[Software]) -> Reason | None:
    """The one version that sees it while others on the same networks do not; None = there is none."""
    name = _lone(software)
    others = [row for row in software if row.name != name]
    if not name or not _reach_it(name, software, others):
        return None
    return Reason("software.defect", {"software": name, "probes": sum(row.working for row in others)})


def lone_nettest(nettests: Sequence[Software]) -> Reason | None:
    """The only version of a nettest that sees it, while its other versions reach the target; None = there is none.

    It leaves a doubt and retracts nothing, since a newer version may try more: the only one that sees a block may be
    the only one that looks for it.
    """
    name = _lone(nettests)
    test = name.partition(" ")[0]
    others = [row for row in nettests if row.name != name and row.name.partition(" ")[0] == test]
    if not name or not _reach_it(name, nettests, others):
        return None
    return Reason("software.nettest", {"release": name, "probes": sum(row.working for row in others)})


def lone_devices(software: Sequence[Software]) -> Reason | None:
    """That on each network one version alone sees it, each its own, while others there reach the target; None = not so.

    A filter of one office on each network looks like this, since a version is mostly one device.  It leaves a doubt and
    retracts nothing.
    """
    by_network: dict[int, list[Software]] = {}
    for row in software:
        by_network.setdefault(row.asn, []).append(row)
    failing = working = networks = 0
    for rows in by_network.values():
        worst = max(rows, key=lambda row: row.failing)
        others = [row for row in rows if row.name != worst.name]
        if worst.name and worst.failing and _reach_it(worst.name, rows, others):
            failing += worst.failing
            working += sum(row.working for row in others)
            networks += 1
    if networks < 2 or failing < EACH_SOFTWARE * sum(row.failing for row in software):
        return None
    return Reason("software.each", {"networks": networks, "probes": working})


def _lone(software: Sequence[Software]) -> str:
    """The name of the one version that nearly all failing probes run; empty = there is none."""
    failing = Counter[str]()
    for row in software:
        failing[row.name] += row.failing
    ((name, most),) = failing.most_common(1) or [("", 0)]
    return name if most and most >= ONE_SOFTWARE * failing.total() else ""


def _reach_it(name: str, software: Sequence[Software], others: Sequence[Software]) -> bool:
    """Did enough probes with these others reach the target on every network on which that version fails?"""
    working = Counter[int]()
    for row in others:
        working[row.asn] += row.working
    affected = [row for row in software if row.name == name and row.failing]
    return all(working[row.asn] >= max(OTHER_PROBES, OTHER_SHARE * row.failing) for row in affected)


def broken_release(country: str, releases: Sequence[Release]) -> Reason | None:
    """The one version of a nettest that sees it, if it fails in other countries where other versions reach the target.

    A nettest that no longer fits its service fails wherever it is still run; if no newer one is run in ``country``,
    only other countries show that.  None = no such nettest, or the version works in as many countries.
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

LINE_TARGETS = threshold(
    "incidents.line_targets",
    5,
    "Targets that a probe must have measured at the time before it says anything about its line.",
)

LINE_SHARE = threshold(
    "incidents.line_target_share",
    0.6,
    "Share of a probe's other targets that must fail like a bad line: of lists that are tested for blocking the "
    "strictest censors cut less, and forge or reset most of that. Five or more that fail while nothing works "
    "may be the line, too.",
)

LINE_PROBES = threshold(
    "incidents.line_probe_share",
    0.5,
    "Share of the probes that saw it on a network that must have a bad line, so that a few liars who report "
    "everything as failing retract nothing.",
)


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


# --- a network of another country -----------------------------------------------------------------------

SETTLED_DAYS = threshold(
    "incidents.settled_days",
    7,
    "Days before the event on which a network that is registered abroad must have been measured in the country "
    "to count as one of its own, as satellites and carriers of several countries are: a phone that roams stays "
    "for less.",
)


NETWORK_ABROAD = "network.abroad"
"""Code of the reason that names such networks."""


def away(country: str, votes: Votes, group: Sequence[Finding], known: Alternatives) -> dict[int, str]:
    """Networks of the group on which the failure is, or may be, another country's doing, each with that country.

    A network is at home where its addresses are registered.  If the target fails on it in another country as well, in
    as many measurements, that is where it is blocked.  If it works there, the failures belong to this country.

    Args:
        votes: of the country, on the group's targets.
    """
    first = min(finding.anomaly.start for finding in group)
    found: dict[int, str] = {}
    for network in (one for one in known.foreign if one.home != country):
        here = votes.asns == network.asn
        during = here & inside(votes, [f for f in group if f.asn == network.asn])
        made = len(set(votes.uids[during].tolist()))
        others = [one for one in network.elsewhere if one[2] >= CONTROLS]
        blocking = [place for place, fell, all_ in others if fell >= SPARED_SHARE * all_ and all_ >= made]
        days = np.unique(votes.times[here & (votes.times < first)] // DAY)
        if blocking:
            found[network.asn] = blocking[0]
        elif len(days) < SETTLED_DAYS and not any(_is_clean(fell, all_) for _, fell, all_ in others):
            found[network.asn] = network.home
    return found


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

PROBES = threshold(
    "incidents.policing_probes",
    5,
    "Fewest probes to tell a fixed limit from congestion: with fewer, a slope is known no better than by "
    "tossing a coin.",
)

SPREAD = threshold(
    "incidents.policing_spread",
    0.3,
    "Least standard deviation of ln(control rate) across probes: if all lines are alike, a fixed rate and a "
    "shared line look the same.",
)

SURE = threshold(
    "incidents.policing_deviations",
    1.645,
    "Standard errors on either side of the 90 % interval of the slope that tells a fixed limit from congestion.",
)


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
