"""Brackets: between which two measurements an event began, and between which it ended.

Detectors see bins, and a network as *on* when most of it fails.  A measurement that worked shows that it was not yet on
when that began, and one that failed, that it was on before that was over.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from fanous.analysis.detectors.finding import Finding, failures, rows_of
from fanous.analysis.incidents.assemble import OTHER_NETWORK_GAP
from fanous.analysis.incidents.networks import beyond_one_line, is_one_line, mechanisms_of
from fanous.base.groups import grouped
from fanous.model.series import Floats, Votes
from fanous.model.threshold import threshold

PARTLY_ON = threshold(
    "incidents.rolled_out_share",
    0.5,
    "Share of the measurements that fail on a network of which a part is cut; each measurement before the "
    "anomaly speaks for this or for `incidents.rolled_out_share_off`.",
)
PARTLY_OFF = threshold(
    "incidents.rolled_out_share_off",
    0.02,
    "Share of the measurements that fail on a network of which nothing is cut, as for the filter (`mean_off`).",
)

ROLLED_OUT_NATS = threshold(
    "incidents.rolled_out_nats",
    6.0,
    "Evidence from which the failures before an anomaly belong to it: one is never enough, two are with hardly "
    "a success between them.",
)


def from_first_failures(group: Sequence[Finding], votes: Votes) -> list[Finding]:
    """The group, with each anomaly's onset at the first failure that belongs to it.

    Detectors see bins.  An onset lies between two measurements: the last that worked and the first that failed.

    They also see a network as *on* when most of it fails, so what is rolled out over some of its lines first begins
    too late.  The failures before that belong to it if they fail in the same way, are too many for an ordinary time,
    and more than one line reports them.
    The bracket of the onset then reaches from the last measurement that worked before them to the first after them.
    """
    by_key = grouped(group, lambda finding: finding.anomaly.key)
    return [_from_first_failure(finding, by_key[finding.anomaly.key], votes) for finding in group]


def _from_first_failure(finding: Finding, own: Sequence[Finding], votes: Votes) -> Finding:
    finding = _after_one_line(finding, votes)
    anomaly = finding.anomaly
    ended = [one.anomaly.known_until for one in own if one.anomaly.start < anomaly.start]
    since = max([anomaly.start_latest - OTHER_NETWORK_GAP, *ended])
    span, of_it = rows_of(votes, finding, since, anomaly.start_latest)
    before = votes.where(np.arange(span.start, span.stop)[of_it])
    during = failures(votes, [finding])
    failed = before.seen & np.isin(before.mechanisms, [*mechanisms_of(during)])
    if is_one_line(before.where(failed)):
        failed[:] = False
    nats = np.where(failed, np.log(PARTLY_ON / PARTLY_OFF), np.log((1 - PARTLY_ON) / (1 - PARTLY_OFF)))
    evidence = np.cumsum(nats[::-1])[::-1]  # of all from each vote on
    finding = between_measurements(finding, votes, during)
    anomaly = finding.anomaly
    if not failed.any() or float(evidence.max()) < ROLLED_OUT_NATS:
        return finding
    first = int(np.argmax(evidence))
    good = before.times[:first][~before.seen[:first]]
    start = float(before.times[first])
    earliest = anomaly.start_earliest if not len(good) else float(good[-1])
    if earliest is not None:
        earliest = min(earliest, start)
    return replace(
        finding, anomaly=replace(anomaly, start=min(start, anomaly.start), start_earliest=earliest)
    )


def _after_one_line(finding: Finding, votes: Votes) -> Finding:
    """The finding, from when more than one line reports it: until then, those who reach the target are right."""
    during = failures(votes, [finding])
    second = beyond_one_line(during)
    if not 0 < second < len(during):
        return finding
    anomaly = finding.anomaly
    good = worked(votes, finding, anomaly.start_latest, float(during.times[second]))
    if not len(good):
        return finding
    last = float(good[-1])
    first = float(during.times[during.times > last][0])
    return replace(finding, anomaly=replace(anomaly, start=last, start_earliest=last, start_latest=first))


def between_measurements(finding: Finding, votes: Votes, during: Votes) -> Finding:
    """The finding, with its onset between the last measurement that worked and the first that failed.

    Args:
        during: the votes behind it.
    """
    if not len(during):
        return finding  # silence has none
    anomaly, first = finding.anomaly, float(during.times[0])
    before = worked(votes, finding, -inf, first)
    earliest = float(before[-1]) if len(before) else anomaly.start_earliest
    start = min(max(anomaly.start, -inf if earliest is None else earliest), first)
    return replace(
        finding, anomaly=replace(anomaly, start=start, start_earliest=earliest, start_latest=first)
    )


def worked(votes: Votes, finding: Finding, since: float, until: float) -> Floats:
    """Times of the measurements that could have seen it, and worked; ascending."""
    span, of_it = rows_of(votes, finding, since, until)
    return votes.times[span][of_it & ~votes.seen[span]]


MEASURED_WITHIN = threshold(
    "incidents.measurement_seconds",
    60,
    "Seconds after its time, that of its beginning, by which a measurement has worked or failed: the longest of "
    "OONI's engine in the lab took 60.",
)


def end_between(sessions: Sequence[Finding], votes: Votes, end: float) -> tuple[float, float] | None:
    """The bounds of an end: the last measurement that failed, and the first afterwards that worked, on the network that
    came back last; None = no such measurements.
    """
    last = max(sessions, key=lambda finding: (finding.anomaly.end == end, finding.anomaly.last_seen))
    failed = failures(votes, [last]).times
    after = worked(votes, last, float(failed[-1]), inf) if len(failed) else failed
    return (float(failed[-1]), float(after[0]) + MEASURED_WITHIN) if len(after) else None
