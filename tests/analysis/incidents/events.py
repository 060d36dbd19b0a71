"""Hand-made anomalies and votes for the tests of incidents; hours count from some Monday in 2023."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.comparisons import NOTHING, Comparisons
from fanous.analysis.explanations.event import MeasuredEvent
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.interference import measured_incident
from fanous.model.incident import Incident, Kind
from fanous.model.place import Family, Place, UserWeights
from fanous.model.series import Anomaly, SeriesKey, Votes

HOUR = 3600.0
MONDAY = 1_699_833_600.0
"""13 November 2023, 00:00 UTC."""

FAMILY_OF = {"ooni": Family.OONI, "edge": Family.EDGE}
SETTING = Setting("XA", None, "rules", "detectors")


def setting(weights: UserWeights) -> Setting:
    return Setting("XA", weights, "rules", "detectors")


def finding(
    start: float,
    end: float | None,
    *,
    asn: int = 1,
    target: str = "x",
    probability: float = 0.999,
    last_seen: float | None = None,
    open_onset: bool = False,
    kind: Kind = Kind.BLOCKING,
    signal: str = "blocked_path",
    resolver: int = 0,
) -> Finding:
    """A stretch that was raised an hour after it began."""
    seen_until = last_seen if last_seen is not None else end
    assert seen_until is not None
    return Finding(
        Anomaly(
            key=SeriesKey(Place("XA", asn), target, signal, resolver_asn=resolver),
            start=MONDAY + start * HOUR,
            start_earliest=None if open_onset else MONDAY + (start - 0.5) * HOUR,
            start_latest=MONDAY + start * HOUR,
            end=None if end is None else MONDAY + end * HOUR,
            raised_at=MONDAY + (start + 1) * HOUR if probability >= 0.99 else None,
            last_seen=MONDAY + seen_until * HOUR,
            probability=probability,
            bins=10,
            probes=10,
            controlled=0,
        ),
        kind,
    )


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes of one network at the given hours.

    Attributes:
        probe: one probe casts all of them; empty = each hour another probe.
        resolver: number of its network, for signals of the DNS layer.
        cut, reached: names of the roles that failed and of those that worked, separated by spaces.
        vouched, volunteer: as ``Votes``; most rules do not look at it.
        of: whose measurements they are: ballots of one name share them, hour by hour; empty = their own.
    """

    hours: Sequence[float]
    seen: bool
    asn: int = 1
    target: str = "x"
    controlled: bool = False
    probe: str = ""
    mechanism: str = "tls.reset.sni"
    kbps: float = float("nan")
    source: str = "ooni"
    vouched: bool = True
    volunteer: bool = False
    signal: str = "blocked_path"
    resolver: int = 0
    of: str = ""
    cut: str = ""
    reached: str = ""


def votes(*ballots: Ballot) -> Votes:
    """All ballots by time."""
    rows = sorted(
        (
            (MONDAY + hour * HOUR, index, n)
            for index, b in enumerate(ballots)
            for n, hour in enumerate(b.hours)
        ),
    )
    chosen = [(at, ballots[index], f"{ballots[index].of or index}.{n}") for at, index, n in rows]

    def names(values: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        return np.array(values, dtype=object)

    return Votes(
        uids=names([name for _, _, name in chosen]),
        times=np.array([at for at, _, _ in chosen], np.float64),
        asns=np.array([b.asn for _, b, _ in chosen], np.int64),
        resolver_asns=np.array([b.resolver for _, b, _ in chosen], np.int64),
        targets=names([b.target for _, b, _ in chosen]),
        signals=names([b.signal for _, b, _ in chosen]),
        probes=names([b.probe or name for _, b, name in chosen]),
        seen=np.array([b.seen for _, b, _ in chosen], np.bool_),
        controlled=np.array([b.controlled for _, b, _ in chosen], np.bool_),
        mechanisms=names([b.mechanism if b.seen else "" for _, b, _ in chosen]),
        kbps=np.array([b.kbps for _, b, _ in chosen], np.float64),
        access=names(["any" for _ in chosen]),
        sources=names([b.source for _, b, _ in chosen]),
        receipts=np.array([at for at, _, _ in chosen], np.float64),
        vouched=np.array([b.vouched for _, b, _ in chosen], np.bool_),
        volunteer=np.array([b.volunteer for _, b, _ in chosen], np.bool_),
        cut=names([b.cut for _, b, _ in chosen]),
        reached=names([b.reached for _, b, _ in chosen]),
    )


def compared(before: Comparisons = NOTHING, **counts: Any) -> Comparisons:
    """Comparisons that come to these counts, whatever the evidence is; all others to nothing."""
    found = Comparisons(before.evidence)
    vars(found).update(vars(before) | counts)
    return found


def assembled(
    group: Sequence[Finding],
    votes: Votes,
    elsewhere: Votes,
    setting: Setting = SETTING,
    known: Comparisons = NOTHING,
) -> Incident:
    """The incident that the findings of one event make up, by votes."""
    event = MeasuredEvent(setting.country, votes, elsewhere, group, group, known)
    return measured_incident(event, FAMILY_OF, setting)
