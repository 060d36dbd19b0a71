"""Finding: an anomaly with the kind of incident it may be, and the votes behind findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.base.groups import grouped
from fanous.model.incident import Interval, Kind
from fanous.model.series import Anomaly, Votes
from fanous.model.threshold import threshold

RAISED = threshold(
    "incidents.named_probability",
    0.99,
    "Probability from which a network counts as affected: `raise_at` of the detectors.",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly, and the kind of incident that its detector looks for."""

    anomaly: Anomaly
    kind: Kind

    @property
    def asn(self) -> int:
        return self.anomaly.key.place.asn

    @property
    def target(self) -> str:
        return self.anomaly.key.target

    @property
    def stretch(self) -> Interval:
        """When it was seen."""
        return Interval(self.anomaly.start_latest, self.anomaly.last_seen)


def by_network(findings: Iterable[Finding]) -> dict[int, list[Finding]]:
    """ASN -> the findings on it, in the order of their first."""
    return grouped(findings, lambda finding: finding.asn)


def inside(votes: Votes, findings: Sequence[Finding], beside: float = 0.0) -> NDArray[np.bool_]:
    """Rows behind any of the findings: same network, target, signal and stretch.

    Args:
        beside: seconds before and after each stretch that count too.
    """
    rows = np.zeros(len(votes), np.bool_)
    for finding in findings:
        stretch = finding.stretch
        span, of_it = rows_of(votes, finding, stretch.start - beside, stretch.until + beside)
        rows[span] |= of_it
    return rows


def failures(votes: Votes, findings: Sequence[Finding]) -> Votes:
    """The failing votes behind any of the findings."""
    return votes.where(inside(votes, findings) & votes.seen)


def made(votes: Votes) -> int:
    """How many measurements cast the votes: one may vote in several signals, and on several targets."""
    return len(set(votes.uids.tolist()))


def rows_of(votes: Votes, finding: Finding, start: float, end: float) -> tuple[slice, NDArray[np.bool_]]:
    """A span of rows, and which of them are of the finding's network, target, signal and resolver.

    If a provider's own resolver denies a name, users of another resolver do not contradict it.
    """
    key = finding.anomaly.key
    span = span_of(votes, start, end)
    of_it = (votes.asns[span] == key.place.asn) & (votes.resolver_asns[span] == key.resolver_asn)
    near = np.flatnonzero(of_it)  # text is slow to compare
    of_it[near] = (votes.targets[span][near] == key.target) & (votes.signals[span][near] == key.signal)
    return span, of_it


def span_of(votes: Votes, start: float, end: float) -> slice:
    low, high = np.searchsorted(votes.times, [start, end])
    return slice(int(low), int(high))
