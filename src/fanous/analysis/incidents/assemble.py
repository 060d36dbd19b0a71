"""Assemble: one incident, with its status, from a group of anomalies of measurements and the votes behind it.

suspected -> confirmed -> ended, or retracted if the suspicion faded before any network reached the threshold.
Silence ends nothing: an end needs data.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fanous.analysis.incidents.alternatives import (
    bad_lines,
    broken_machine,
    mean_rate,
    other_explanation,
    works_elsewhere,
)
from fanous.analysis.incidents.confirm import (
    Ruling,
    families_seen,
    families_that_saw,
    helped,
    lost_controls,
    mostly_controlled,
    rule_c1_c3,
    rule_c2,
    without_remote,
)
from fanous.analysis.incidents.group import TypedAnomaly
from fanous.analysis.incidents.independence import Distinct, by_name
from fanous.analysis.incidents.networks import RAISED, inside, nameable_of, of_the_line, without_strays
from fanous.analysis.incidents.scope import Extent, extent, outage_mechanisms
from fanous.model.anomaly import Anomaly
from fanous.model.incident import (
    NONE_KNOWN,
    Alternatives,
    Evidence,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Status,
    Stretches,
)
from fanous.model.place import Family, Place, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Floats, Votes

MECHANISM_SHARE = 0.1
"""A mechanism is named if at least this share of the failing measurements showed it."""

JOIN = 1800.0
"""Seconds; intervals of different networks closer than this are one interval of the incident."""

CERTAIN = 0.999
"""Highest probability of a network from the filter, which knows nothing about faults of lines and machines."""

SHOWN_HELPED = 0.95
SHOWN_ELSEWHERE = 0.73
"""No confirmed incident states more confidence than has been demonstrated.  In 500 made-up weeks full of faults (tuning
seeds) 85 of 88 were right whose probes brought their own normal controls, and 24 of 32 for which the target only
worked elsewhere: Laplace's (right + 1) / (n + 2), rounded down.  C1 has the same limit: probes of two families share
their lines."""

UNCONFIRMED = 0.3
"""Highest confidence of a suspicion.  The filter says how unlikely a failure is by chance, but faults of single
lines and machines are not chance.  Of suspicions in such weeks 85 of 242 were right (81 of 174 in ordinary ones);
rounded down to a tenth, since other seeds gave 23 of 95."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all incidents of one country and run.

    Attributes:
        family_of: name of a source -> family.
        weights: None = there are no figures for this country.
    """

    country: str
    family_of: dict[str, Family]
    weights: UserWeights | None
    rules_version: str
    detector_version: str


def incident_of(
    group: Sequence[TypedAnomaly],
    votes: Votes,
    elsewhere: Votes,
    setting: Setting,
    alternatives: Alternatives = NONE_KNOWN,
    findings: Sequence[TypedAnomaly] = (),
) -> Incident:
    """The incident that a group of findings makes up.

    Args:
        group: findings of one event (``group``).
        votes: all votes of the country on the group's targets, from before the onset to after the end.
        elsewhere: votes of other countries on the same targets that say *works*.
        alternatives: what is known for other explanations; one that holds retracts the incident.
        findings: all of the country, including the group's; the time outside them is the baseline of its
            targets.  Empty = only the group's.
    """
    bad, findings = bad_lines(alternatives.lines), findings or group
    group = without_strays(group, votes)
    sure = nameable_of(group, votes, findings, bad)
    named = sure or [f for f in group if f.anomaly.probability >= RAISED] or list(group)
    networks = {f.asn for f in named}
    sessions = [f for f in group if f.asn in networks]
    meanwhile = votes.where(inside(votes, sessions))
    witness = meanwhile.where(meanwhile.seen)
    controls = works_elsewhere(votes, elsewhere, named, witness.times)
    raised = _raised(sure)
    otherwise = other_explanation(alternatives, mostly_controlled(witness))
    if not sure:
        otherwise = otherwise or broken_machine(meanwhile)
    lost = _lost(named, votes, witness)
    lacking = otherwise or (None if sure else of_the_line(group, votes, findings, bad))
    saw = families_that_saw(meanwhile, setting.family_of)
    own = without_remote(witness, setting.family_of)
    distinct = Distinct(by_name(alternatives.runs), setting.family_of)
    ruling = (
        Ruling("", None, lacking) if lacking else _ruling(named, own, controls, raised, saw, lost, distinct)
    )
    reaches = bool(raised) or _fell_silent(named)
    reach = extent(networks if reaches else set(), _observed(group, named, votes), setting.weights)
    end = _end(sessions)
    faint = all(f.anomaly.probability < RAISED for f in named)
    status = Status.RETRACTED if otherwise else status_of(ruling, end, faded=faint)
    faded = status is Status.RETRACTED and not otherwise
    return Incident(
        country=setting.country,
        kind=min((f.kind for f in named), key=list(Kind).index),
        status=status,
        scope=reach.scope if reaches else Scope.INSUFFICIENT,
        access=reach.access,
        entities=_entities(setting.country, networks, reach),
        parts=_parts(named, sessions, votes, reach),
        networks=_network_parts(sessions, votes),
        onset=min(f.anomaly.start for f in sessions),
        onset_earliest=_earliest(sessions),
        onset_latest=min(f.anomaly.start_latest for f in sessions),
        end=end,
        intervals=_intervals(sessions, end),
        confirmed_at=ruling.at,
        confidence=_confidence(named, _most(ruling, witness, distinct)),
        users=reach.users if reaches else None,
        kbps=mean_rate(witness.kbps[np.isfinite(witness.kbps) & (witness.kbps > 0)]),
        level=None,
        evidence=_evidence(witness, controls, setting.family_of, distinct),
        rule=ruling.rule,
        reasons=(
            *((Reason("faded"),) if faded else ()),
            ruling.reason,
            *(() if lacking else distinct.remarks(witness)),
            *reach.remarks,
        ),
        rules_version=setting.rules_version,
        detector_version=setting.detector_version,
    )


def _fell_silent(named: Sequence[TypedAnomaly]) -> bool:
    """Did they only fall silent?  Silence has no witnesses: it reaches as far as networks fell silent, and no
    further."""
    return all(f.anomaly.probability >= RAISED and f.kind is Kind.OUTAGE for f in named)


def _raised(named: Sequence[TypedAnomaly]) -> dict[int, float]:
    raised: dict[int, float] = {}
    for finding in named:
        if finding.anomaly.raised_at is not None:
            asn = finding.asn
            raised[asn] = min(raised.get(asn, np.inf), finding.anomaly.raised_at)
    return raised


def _ruling(
    named: Sequence[TypedAnomaly],
    witness: Votes,
    controls: Floats,
    raised: dict[int, float],
    saw: Mapping[Family, float],
    lost: Stretches,
    distinct: Distinct,
) -> Ruling:
    kind = min((f.kind for f in named), key=list(Kind).index)
    two = rule_c1_c3(kind, saw, raised)
    return two if two.rule and raised else rule_c2(witness, controls, raised, lost, distinct.count)


def _lost(named: Sequence[TypedAnomaly], votes: Votes, witness: Votes) -> Stretches:
    """The stretches of networks that lost their controls (``confirm.lost_controls``)."""
    return {
        asn: [Interval(f.anomaly.start_latest, f.anomaly.last_seen) for f in named if f.asn == asn]
        for asn in lost_controls(votes.where(~votes.seen), witness)
    }


def _observed(group: Sequence[TypedAnomaly], named: Sequence[TypedAnomaly], votes: Votes) -> set[int]:
    """Networks measured for the named targets during the event.

    One that seems affected, but on too little evidence to name it, counts as not measured: no one saw it spared.
    """
    start = min(f.anomaly.start for f in named)
    end = max(f.anomaly.last_seen for f in named)
    rows = (votes.times >= start) & (votes.times < end)
    affected = {f.asn for f in named}
    unclear = {f.asn for f in group if f.anomaly.probability >= RAISED} - affected
    return ({int(asn) for asn in np.unique(votes.asns[rows])} | affected) - unclear


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


def _end(sessions: Sequence[TypedAnomaly]) -> float | None:
    return end_of([finding.anomaly for finding in sessions], lambda one: one.key.place.asn)


def _earliest(sessions: Sequence[TypedAnomaly]) -> float | None:
    """Lower bound of the onset; None if it failed on the first network from its first measurement on."""
    first = min(sessions, key=lambda f: f.anomaly.start)
    return first.anomaly.start_earliest


def _intervals(findings: Sequence[TypedAnomaly], end: float | None) -> tuple[Interval, ...]:
    """When it was on; the last interval is open if and only if no ``end`` was seen.

    A stretch that fell silent lasts as long as it was seen, otherwise it would swallow later ones.
    """
    anomalies = [finding.anomaly for finding in findings]
    found = intervals_of([replace(a, end=a.last_seen) if a.end is None else a for a in anomalies])
    return found if end is not None else (*found[:-1], replace(found[-1], end=None))


def intervals_of(anomalies: Sequence[Anomaly]) -> tuple[Interval, ...]:
    """The union of the stretches, in order."""
    merged: list[Interval] = []
    for anomaly in sorted(anomalies, key=lambda a: a.start):
        last = merged[-1] if merged else None
        if last is not None and (last.end is None or anomaly.start <= last.end + JOIN):
            end = None if last.end is None or anomaly.end is None else max(last.end, anomaly.end)
            merged[-1] = Interval(last.start, end)
        else:
            merged.append(Interval(anomaly.start, anomaly.end))
    return tuple(merged)


# --- status ---------------------------------------------------------------------------------------------


def status_of(ruling: Ruling, end: float | None, *, faded: bool = False) -> Status:
    """suspected -> confirmed -> ended.

    Args:
        faded: the suspicion is over and never reached the threshold, so it is retracted.
    """
    if end is None:
        return Status.SUSPECTED if ruling.at is None else Status.CONFIRMED
    return Status.RETRACTED if faded and ruling.at is None else Status.ENDED


def _most(ruling: Ruling, witness: Votes, distinct: Distinct) -> float:
    """The highest confidence that an incident may state."""
    if ruling.at is None:
        return UNCONFIRMED
    return SHOWN_HELPED if helped(witness, distinct.count) else SHOWN_ELSEWHERE


def _confidence(named: Sequence[TypedAnomaly], most: float) -> float:
    """Probability of interference by its networks, capped at ``most``."""
    best: dict[int, float] = {}
    for finding in named:
        asn = finding.asn
        best[asn] = max(best.get(asn, 0.0), min(finding.anomaly.probability, CERTAIN))
    return min(combined(best.values()), most)


def combined(probabilities: Iterable[float]) -> float:
    """Log-odds of the surest witness, plus half of each other's, up to ``CERTAIN``.

    Witnesses (networks of one family, families of one event) share faults or causes, so the sum is tempered.
    """
    odds = sorted((float(np.log(p / (1 - p))) for p in probabilities), reverse=True)
    total = min(odds[0] + 0.5 * sum(max(o, 0.0) for o in odds[1:]), float(np.log(CERTAIN / (1 - CERTAIN))))
    return round(1 / (1 + float(np.exp(-total))), 4)


# --- what and where -------------------------------------------------------------------------------------


def _entities(country: str, networks: set[int], reach: Extent) -> tuple[str, ...]:
    nation = (country,) if reach.scope is Scope.NATION else ()
    return nation + tuple(f"AS{asn}" for asn in sorted(networks))


def _parts(
    named: Sequence[TypedAnomaly], sessions: Sequence[TypedAnomaly], votes: Votes, reach: Extent
) -> tuple[Part, ...]:
    parts = []
    for target in sorted({f.target for f in named}):
        own = [f for f in sessions if f.target == target]
        kind = min((f.kind for f in named if f.target == target), key=list(Kind).index)
        seen = votes.where(inside(votes, own) & votes.seen)
        asns = sorted({f.asn for f in named if f.target == target})
        how = outage_mechanisms(_mechanisms(seen), reach) if kind is Kind.OUTAGE else _mechanisms(seen)
        parts.append(Part(target, kind, how, tuple(f"AS{asn}" for asn in asns)))
    return tuple(parts)


def _mechanisms(seen: Votes) -> tuple[str, ...]:
    counts = Counter(m for m in seen.mechanisms if m)
    least = MECHANISM_SHARE * counts.total()
    named = {name: n for name, n in counts.most_common() if n >= least}
    return tuple(name for name in named if not _has_likelier_kin(name, named))


def _has_likelier_kin(name: str, counts: Mapping[str, int]) -> bool:
    """Of a mechanism and its finer form (``quic.drop.target``) only one is named: the more frequent, or if equal the
    finer."""
    coarser = any(name.startswith(f"{other}.") and n > counts[name] for other, n in counts.items())
    finer = any(other.startswith(f"{name}.") and n >= counts[name] for other, n in counts.items())
    return coarser or finer


def _network_parts(sessions: Sequence[TypedAnomaly], votes: Votes) -> tuple[NetworkPart, ...]:
    parts = []
    for asn in sorted({f.asn for f in sessions}):
        own = [f for f in sessions if f.asn == asn]
        seen = votes.where(inside(votes, own) & votes.seen)
        parts.append(
            NetworkPart(
                entity=str(Place("", asn)),
                targets=tuple(sorted({f.target for f in own})),
                intervals=_intervals(own, _end(own)),
                measurements=len(seen),
                probes=len(set(seen.probes)),
                probability=max(f.anomaly.probability for f in own),
            )
        )
    return tuple(parts)


def _evidence(witness: Votes, controls: Floats, family_of: dict[str, Family], distinct: Distinct) -> Evidence:
    return Evidence(
        measurements=len(witness),
        probes=len(set(witness.probes)),
        networks=len(set(witness.asns.tolist())),
        controls=len(controls) + int(witness.controlled.sum()),
        families=tuple(str(f) for f in families_seen(witness.sources, family_of)),
        probes_at_least=distinct.at_least(witness),
    )
