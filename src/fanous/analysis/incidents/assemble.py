"""Assemble: anomalies become incidents, each with its status: one path for measurements and for quantities.

    findings -> events -> what the evidence says -> incident

Among measurements, one event is the same target failing on several networks, in sessions, with weekends between; or
several targets that began to fail together.  Among quantities, it is the same place again within hours, or at the same
hours of the next days (a curfew); several places, or several sources of one place, that fall together.

The two differ only in how evidence is read: how votes of probes (``interference``) and series of sources (``outage``)
show which rule is met, where and when.  How a status, a confidence and an end follow from that is the same for both.

suspected -> confirmed -> ended, or retracted where the suspicion faded before anything reached the threshold, or where
something else explains it.  Silence ends nothing: an end needs data.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.explanation import Consequence
from fanous.analysis.explanations.fall import DEEP
from fanous.analysis.incidents.confirm import Ruling
from fanous.analysis.series.anomalies import is_country
from fanous.analysis.series.signals import target_of_series
from fanous.model.incident import JOIN, Interval, Status, union
from fanous.model.instant import DAY, HOUR
from fanous.model.place import UserWeights
from fanous.model.series import Anomaly
from fanous.model.threshold import threshold

# --- which anomalies are one event -----------------------------------------------------------------------


SAME_NETWORK_GAP = threshold(
    "incidents.same_network_gap_seconds",
    96 * HOUR,
    "Time until the same target fails again on the same network: sessions are one event across a long weekend "
    "(Friday noon to Tuesday morning).",
)

TOGETHER = threshold(
    "incidents.together_seconds",
    6 * HOUR,
    "Different targets whose onsets lie this close were cut by one order; a day apart they may not have been.",
)


# --- one event, of either ---------------------------------------------------------------------------------


SameEvent = Callable[[Anomaly, Anomaly], bool]
"""Are two anomalies of one country one event, the first of which begins no later than the second?  Not if the second
begins more than ``SAME_NETWORK_GAP`` after the end of the first, and more than ``TOGETHER`` after its beginning."""


@dataclass(slots=True)
class _Event:
    """Indices of its anomalies in order of onset, and those anomalies that another may still belong to."""

    members: list[int]
    near: list[Anomaly]


def events(findings: Sequence[Finding], same: SameEvent) -> list[list[Finding]]:
    """Groups linked by pairs that are one event, each in order of onset, in the order of their first.

    One link is enough: thousands of series that fall together are millions of pairs.
    """
    ordered = sorted(findings, key=_onset)
    over: list[_Event] = []
    live: list[_Event] = []
    for index, finding in enumerate(ordered):
        anomaly = finding.anomaly
        newest = _Event([index], [anomaly])
        others: list[_Event] = []
        for event in live:
            if any(same(earlier, anomaly) for earlier in reversed(event.near)):
                newest.members, newest.near = event.members + newest.members, event.near + newest.near
                continue
            event.near = [
                earlier
                for earlier in event.near
                if anomaly.start <= max(earlier.until + SAME_NETWORK_GAP, earlier.start + TOGETHER)
            ]
            (others if event.near else over).append(event)
        live = [*others, newest]
    members = sorted(sorted(event.members) for event in (*over, *live))
    return [[ordered[index] for index in group] for group in members]


# --- anomalies of measurements --------------------------------------------------------------------------

OTHER_NETWORK_GAP = threshold(
    "incidents.other_network_gap_seconds",
    36 * HOUR,
    "Time until the same target fails on another network, which then joins the event, and time before an anomaly in "
    "which its first failures are looked for: orders are carried out in it. The alert of the detectors lasts as long.",
)


def of_measurements(first: Anomaly, second: Anomaly) -> bool:
    """Are they one event (``SameEvent``)?"""
    if bool(first.key.target) != bool(second.key.target):
        return False  # cutting the network off and blocking a platform are two orders
    if first.key.target == second.key.target:
        same_network = first.key.place == second.key.place
        gap = second.start - first.known_until
        return gap <= (SAME_NETWORK_GAP if same_network else OTHER_NETWORK_GAP)
    if first.start_earliest is None or second.start_earliest is None:
        return False  # already under way when our data begin, so nothing shows that they began together
    return second.start - first.start <= TOGETHER


# --- anomalies of quantities ----------------------------------------------------------------------------

FLAPS = threshold(
    "incidents.outage_flap_seconds",
    6 * HOUR,
    "A line that comes back for less and falls again never settled.",
)

SAME_HOURS = threshold(
    "incidents.outage_same_hours_seconds",
    2 * HOUR,
    "Curfews and examinations begin or end at the same hour; noise moves the first low bin by an hour or two.",
)


def of_quantities(first: Anomaly, second: Anomaly) -> bool:
    """Are they one event (``SameEvent``)?"""
    gap = second.start - settles(first)
    if first.key == second.key:
        again = gap <= FLAPS or (gap <= SAME_NETWORK_GAP and _sessions(first, second))
        return again or further(first, second)
    if first.key.place == second.key.place:
        return gap <= 0  # another source of the place
    # A part of the country may fall while it is down; networks whose bins only touch were never down together.
    return gap < 0 and (is_country(first.key.place) or second.start - first.start <= TOGETHER)


def _sessions(first: Anomaly, second: Anomaly) -> bool:
    """Do they begin, or end, at the same hours?  Bins that are wider than these hours cannot show it."""
    if first.departure.step > SAME_HOURS:
        return False
    return hours_apart(Interval(first.start, first.end), Interval(second.start, second.end)) <= SAME_HOURS


def hours_apart(session: Interval, other: Interval) -> float:
    """Seconds between the hours of the day at which two sessions begin, or end, whichever is less."""
    ends = [] if session.end is None or other.end is None else [session.end - other.end]
    return min(min(abs(off) % DAY, DAY - abs(off) % DAY) for off in (session.start - other.start, *ends))


def settles(anomaly: Anomaly) -> float:
    """Until when it makes neighbouring anomalies part of one event: after that, a lasting level is their baseline."""
    lasting = anomaly.departure.lasting_since
    return anomaly.until if lasting is None else min(lasting, anomaly.until)


def further(first: Anomaly, second: Anomaly) -> bool:
    """Is the second a further fall of the same series, within a lower level that lasts?

    For a platform's traffic any fall is.  For a place, one that takes half of what is left is a separate event.
    """
    if first.key != second.key or not settles(first) <= second.start < first.until:
        return False
    return bool(target_of_series(first.key)) or second.departure.left > DEEP


SAME_TIME = threshold(
    "incidents.duplicate_share",
    0.7,
    "Share of the time of a country's event and of one of its networks in which both were on, from which they are told "
    "as one: most of it.",
)


def without_duplicates(groups: Sequence[Sequence[Finding]]) -> list[list[Finding]]:
    """The events; one of networks or regions that was on when the country's was is a part of that one."""
    of_country, rest = list[list[Finding]](), list[list[Finding]]()
    for group in groups:
        (of_country if any(is_country(f.anomaly.key.place) for f in group) else rest).append(list(group))
    found = list(of_country)
    for group in rest:
        whole = max(of_country, key=lambda one: _shared_time(one, group), default=None)
        if whole is None or _shared_time(whole, group) < SAME_TIME:
            found.append(group)
        else:
            whole += group
    return sorted((sorted(group, key=_onset) for group in found), key=lambda group: _onset(group[0]))


def _onset(finding: Finding) -> float:
    return finding.anomaly.start


def _shared_time(one: Sequence[Finding], other: Sequence[Finding]) -> float:
    """Time in which both were on, as a share of that in which either was."""
    both, first, second = (_time([*one, *other]), _time(one), _time(other))
    return (first + second - both) / both if both else 0.0


def _time(group: Sequence[Finding]) -> float:
    spans = union(Interval(f.anomaly.start, f.anomaly.known_until) for f in group)
    return sum(span.until - span.start for span in spans)


# --- from a group to an incident ------------------------------------------------------------------------


CERTAIN = threshold(
    "incidents.interval_probability",
    0.999,
    "No network is surer than this, and no outage even if all families agree: the filter knows nothing of faults of "
    "lines and machines.",
)

UNCONFIRMED = threshold(
    "incidents.confidence_unconfirmed",
    0.3,
    "Highest confidence of a suspicion that rests on measurements: the filter says how unlikely a failure is by "
    "chance, and the fault of one line is not chance. Of such suspicions 85 of 242 were right in made-up weeks "
    "full of faults, in ordinary ones 81 of 174; rounded down to a tenth, since other seeds gave 23 of 95, and "
    "28 of 96.",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all incidents of one country and run.

    Attributes:
        weights: None = there are no figures of users.
    """

    country: str
    weights: UserWeights | None
    rules_version: str
    detector_version: str


# --- when -----------------------------------------------------------------------------------------------


def end_of(anomalies: Sequence[Anomaly], line_of: Callable[[Anomaly], Hashable]) -> float | None:
    """The end, once it has been seen to end everywhere that anyone still measures.

    The last stretch of each line counts.  Lines that fell silent are unknown: they neither keep open an event that half
    of the others saw end, nor end one by themselves.

    Args:
        line_of: a network where probes measure, a series of a source.
    """
    last = {line_of(one): one for one in sorted(anomalies, key=lambda one: one.last_seen)}
    seen = [one.end for one in last.values() if one.end is not None]
    if 2 * len(seen) < len(last) or not seen:
        return None
    silent = [one.last_seen for one in last.values() if one.end is None]
    return None if silent and max(silent) > max(seen) else max(seen)


def intervals_of(anomalies: Sequence[Anomaly]) -> tuple[Interval, ...]:
    """The union of the stretches, in order."""
    return union((Interval(one.start, one.end) for one in anomalies), JOIN)


# --- its status, and how certain that is ---------------------------------------------------------------


def status_of(ruling: Ruling, end: float | None, consequence: Consequence = Consequence.SAY) -> Status:
    """suspected -> confirmed -> ended, or retracted.

    Args:
        consequence: the strongest of the explanations that hold.
    """
    if ruling.at is not None:
        return Status.CONFIRMED if end is None else Status.ENDED
    if consequence is Consequence.RETRACT or (
        consequence is Consequence.RETRACT_ONCE_OVER and end is not None
    ):
        return Status.RETRACTED
    return Status.SUSPECTED if end is None else Status.ENDED


def confidence_of(probabilities: Iterable[tuple[Hashable, float]], each: float, most: float) -> float:
    """Log-odds of the surest witness, plus half of each other's, up to ``CERTAIN`` and ``most``.

    Witnesses (networks of one family, families of one event) share faults or causes, so the sum is tempered.

    Args:
        probabilities: a witness that fails independently of the others (a network, a family), and a probability that
            it gives; its greatest counts.
        each: the highest that one witness may give.
        most: the highest confidence that an incident on such evidence may state.
    """
    surest: dict[Hashable, float] = {}
    for witness, probability in probabilities:
        surest[witness] = max(surest.get(witness, 0.0), min(probability, each))
    odds = sorted((float(np.log(p / (1 - p))) for p in surest.values()), reverse=True)
    total = min(odds[0] + 0.5 * sum(max(o, 0.0) for o in odds[1:]), float(np.log(CERTAIN / (1 - CERTAIN))))
    return min(round(1 / (1 + float(np.exp(-total))), 4), most)
