"""Assemble: anomalies become incidents, each with its status: one path for measurements and for quantities.

    findings -> events (``group``) -> account of the evidence -> incident

What truth needs to differ is in the evidence: how votes of probes (``interference``) and series of sources (``outage``)
show which rule is met, where and when.  How a status, a confidence and an end follow from that is the same for both.

suspected -> confirmed -> ended, or retracted where the suspicion faded before anything reached the threshold, or where
something else explains it.  Silence ends nothing: an end needs data.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fanous.analysis.incidents.confirm import Ruling
from fanous.analysis.incidents.group import Finding, Link, events
from fanous.model.incident import (
    Estimate,
    Evidence,
    FamilyView,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Stage,
    Status,
    UsersShare,
    union,
)
from fanous.model.place import Access, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly

JOIN = 1800.0
"""Seconds; intervals of different networks closer than this are one interval of the incident."""

CERTAIN = 0.999
"""No witness is surer than this: neither a filter nor a baseline knows of faults of lines and machines."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the evidence says of one event.

    Attributes:
        ruling: the rule that is met, or what is missing.
        onset_earliest: None = under way when the data begin.
        intervals: when it was on, in order; the last is open if and only if ``end`` is None.
        end: None = it was not seen to end.
        witnesses: how sure each of those is that fail independently of the others (networks, families).
        most: confidence that an incident on such evidence may state.
        remarks: that belong to the claim, after the ruling's reason.
        explained: something else explains it, which the ruling's reason says.
        faint: nothing in it ever reached the threshold, so it is retracted once it is over.
        kbps, level, lasting_since, levels, opinions, hints: see ``Incident``.
    """

    kind: Kind
    ruling: Ruling
    scope: Scope
    access: Access
    users: UsersShare | None
    entities: tuple[str, ...]
    parts: tuple[Part, ...]
    networks: tuple[NetworkPart, ...]
    onset: float
    onset_earliest: float | None
    onset_latest: float
    intervals: tuple[Interval, ...]
    end: float | None
    witnesses: Collection[float]
    most: float
    evidence: Evidence
    remarks: tuple[Reason, ...] = ()
    explained: bool = False
    faint: bool = False
    kbps: Estimate | None = None
    level: Estimate | None = None
    lasting_since: float | None = None
    levels: tuple[Stage, ...] = ()
    opinions: tuple[FamilyView, ...] = ()
    hints: tuple[Reason, ...] = ()


class Basis(Protocol):
    """One kind of evidence: votes of probes (``interference``), or series of sources (``outage``)."""

    def account(self, group: Sequence[Finding], setting: Setting) -> Account | None:
        """What it says about the findings of one event, in order of onset; None = they do not justify a suspicion."""
        ...


def incidents_of(
    findings: Sequence[Finding],
    link: Link,
    basis_of: Callable[[Sequence[Finding]], Basis | None],
    setting: Setting,
) -> list[Incident]:
    """The incidents that follow from the findings of one country, including suspicions.

    Args:
        link: which findings are one event.
        basis_of: the evidence behind the findings of one event; None = there are no grounds for a suspicion.
    """
    groups = events(findings, link)
    made = (incident_of(group, basis, setting) for group in groups if (basis := basis_of(group)) is not None)
    return [incident for incident in made if incident is not None]


def incident_of(group: Sequence[Finding], basis: Basis, setting: Setting) -> Incident | None:
    """The incident that the findings of one event make up; None = they do not justify a suspicion."""
    account = basis.account(group, setting)
    if account is None:
        return None
    ruling = account.ruling
    status = status_of(ruling, account.end, faded=account.faint)
    faded = status is Status.RETRACTED and not account.explained
    return Incident(
        country=setting.country,
        kind=account.kind,
        status=Status.RETRACTED if account.explained else status,
        scope=account.scope,
        access=account.access,
        entities=account.entities,
        parts=account.parts,
        networks=account.networks,
        onset=account.onset,
        onset_earliest=account.onset_earliest,
        onset_latest=account.onset_latest,
        end=account.end,
        intervals=account.intervals,
        confirmed_at=ruling.at,
        confidence=min(combined(account.witnesses), account.most),
        users=account.users,
        kbps=account.kbps,
        level=account.level,
        evidence=account.evidence,
        rule=ruling.rule,
        reasons=(*((Reason("faded"),) if faded else ()), ruling.reason, *account.remarks),
        rules_version=setting.rules_version,
        detector_version=setting.detector_version,
        opinions=account.opinions,
        hints=account.hints,
        lasting_since=account.lasting_since,
        levels=account.levels,
    )


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


def status_of(ruling: Ruling, end: float | None, *, faded: bool = False) -> Status:
    """suspected -> confirmed -> ended.

    Args:
        faded: the suspicion is over and never reached the threshold, so it is retracted.
    """
    if end is None:
        return Status.SUSPECTED if ruling.at is None else Status.CONFIRMED
    return Status.RETRACTED if faded and ruling.at is None else Status.ENDED


def surest(said: Iterable[tuple[Hashable, float]], most: float) -> list[float]:
    """The greatest probability that each witness gives, none above ``most``."""
    best: dict[Hashable, float] = {}
    for witness, probability in said:
        best[witness] = max(best.get(witness, 0.0), min(probability, most))
    return list(best.values())


def combined(probabilities: Iterable[float]) -> float:
    """Log-odds of the surest witness, plus half of each other's, up to ``CERTAIN``.

    Witnesses (networks of one family, families of one event) share faults or causes, so the sum is tempered.
    """
    odds = sorted((float(np.log(p / (1 - p))) for p in probabilities), reverse=True)
    total = min(odds[0] + 0.5 * sum(max(o, 0.0) for o in odds[1:]), float(np.log(CERTAIN / (1 - CERTAIN))))
    return round(1 / (1 + float(np.exp(-total))), 4)
