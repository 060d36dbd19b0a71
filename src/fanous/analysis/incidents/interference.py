"""Interference: what the votes of probes say about a group of anomalies.

For blocking, throttling, silence and slow probes, it says which networks have evidence of their own, which rule is met,
what else may explain it, and on which networks it was on from when to when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np

from fanous.analysis.detectors.finding import RAISED, Finding, by_network, failures, inside, made
from fanous.analysis.explanations.comparisons import Comparisons
from fanous.analysis.explanations.event import MeasuredEvent, NamedEvent, ases
from fanous.analysis.explanations.explanation import Consequence, answers, for_incident, strongest
from fanous.analysis.explanations.resolver import through_resolvers
from fanous.analysis.explanations.site import may_be_of_site, shared_pages
from fanous.analysis.explanations.table import OF_NAMED_EVENT, OF_NETWORKS
from fanous.analysis.incidents.assemble import (
    CERTAIN,
    UNCONFIRMED,
    Setting,
    confidence_of,
    end_of,
    intervals_of,
    status_of,
)
from fanous.analysis.incidents.brackets import MEASURED_WITHIN, end_between, from_first_failures
from fanous.analysis.incidents.confirm import (
    ControlledCase,
    Ruling,
    families_seen,
    families_that_saw,
    lost_controls,
    rule_c1_c3,
    without_remote,
)
from fanous.analysis.incidents.networks import (
    Distinct,
    mechanisms_of,
    nameable_of,
    roles_of,
    that_saw,
    without_strays,
)
from fanous.analysis.incidents.scope import Extent, extent, outage_mechanisms
from fanous.analysis.policing import SURE, mean_rate
from fanous.analysis.series.controls import CONTROLS, works_elsewhere
from fanous.analysis.series.voices import helped
from fanous.base.groups import grouped
from fanous.model.explanation import Standing
from fanous.model.incident import (
    EvidenceCounts,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Status,
    UsersShare,
)
from fanous.model.measurement import is_late
from fanous.model.place import Family, Place
from fanous.model.reason import Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold

THROUGH_SHARE = threshold(
    "incidents.through_share",
    0.25,
    "Share of the measurements that got through on the networks named while a block was on, from which the "
    "incident says so, and counts as many users fewer: a block that holds lets a tenth through.",
)

SHOWN_HELPED = threshold(
    "incidents.confidence_helped",
    0.95,
    "Highest confidence of an incident confirmed by probes whose own controls were normal: in 500 made-up weeks "
    "full of faults 85 of 88 were right. C1 has the same limit, since probes of two families share their lines.",
)
SHOWN_ELSEWHERE = threshold(
    "incidents.confidence_elsewhere",
    0.73,
    "Highest confidence of an incident for which the target only worked elsewhere: in 500 made-up weeks full of "
    "faults 24 of 32 were right. This is (right + 1) / (n + 2), rounded down.",
)


def measured_incident(event: MeasuredEvent, family_of: Mapping[str, Family], setting: Setting) -> Incident:
    """What the votes show of an event.

    Args:
        family_of: name of a source -> family.
    """
    votes = event.votes
    group = from_first_failures(without_strays(event.group, votes), votes)
    event = replace(event, group=group)
    of_networks = list(answers(OF_NETWORKS, event))
    explained = frozenset(asn for _, answer in of_networks for asn in answer.explains)
    sure = nameable_of(group, votes, event.findings, explained)
    named = sure or [f for f in group if f.anomaly.probability >= RAISED] or list(group)
    networks = {f.asn for f in named}
    sessions = [f for f in group if f.asn in networks]
    named_event = _named_event(event, named, sessions, family_of, is_named=bool(sure))
    witness = named_event.witness
    of_named = list(answers(OF_NAMED_EVENT, named_event))
    consequence, why = strongest(of_named)
    apart = [answer.because for _, answer in of_networks if answer.standing is Standing.HOLDS]
    retracted = why if consequence is Consequence.RETRACT else None
    lacking = retracted or (None if sure else next(iter(apart), None))
    distinct = Distinct(grouped(event.known.runs, lambda run: run.probe), family_of)
    raised = {
        asn: min(times)
        for asn, on_it in by_network(sure).items()
        if (times := [f.anomaly.raised_at for f in on_it if f.anomaly.raised_at is not None])
    }
    kind = min((f.kind for f in named), key=list(Kind).index)
    ruling = Ruling("", None, lacking) if lacking else _ruling(named_event, named, kind, raised, distinct)
    # Silence has no witnesses: it reaches as far as networks fell silent, and no further.
    fell_silent = all(f.anomaly.probability >= RAISED and f.kind is Kind.OUTAGE for f in named)
    reaches = bool(raised) or fell_silent
    reach = extent(networks if reaches else set(), _observed(group, named, votes), setting.weights)
    end = _end(sessions)
    ended = None if end is None else end_between(sessions, votes, end)
    first = min((f.anomaly for f in sessions), key=lambda a: a.start)
    network_parts = _network_parts(sessions, votes)
    counted = votes.where(that_saw(votes, network_parts))
    through = _got_through(named_event.measured, witness) if sure and kind is Kind.BLOCKING else None
    most = SHOWN_HELPED if helped(witness, distinct.count) else SHOWN_ELSEWHERE
    status = status_of(ruling, end, consequence)
    faded = status is Status.RETRACTED and consequence is Consequence.RETRACT_ONCE_OVER
    return Incident(
        country=setting.country,
        kind=kind,
        status=status,
        scope=reach.scope if reaches else Scope.INSUFFICIENT,
        access=reach.access,
        users=_of_those(reach.users, through) if reaches else None,
        entities=((setting.country,) if reach.scope is Scope.NATION else ()) + ases(networks),
        parts=_parts(named, sessions, votes, reach),
        networks=network_parts,
        onset=first.start,
        onset_earliest=first.start_earliest,
        onset_latest=min(f.anomaly.start_latest for f in sessions) + MEASURED_WITHIN,
        intervals=_intervals(sessions),
        end=end,
        end_earliest=None if ended is None else min(ended[0], end or inf),
        end_latest=None if ended is None else max(ended[1], end or -inf),
        confirmed_at=ruling.at,
        confidence=confidence_of(
            ((f.asn, f.anomaly.probability) for f in named),
            CERTAIN,
            UNCONFIRMED if ruling.at is None else most,
        ),
        level=None,
        evidence=EvidenceCounts(
            measurements=made(counted),
            probes=len(set(counted.probes)),
            networks=len(set(counted.asns.tolist())),
            controls=len(named_event.controls) + made(counted.where(counted.controlled)),
            families=tuple(str(family) for family in families_seen(counted.sources, family_of)),
            probes_at_least=distinct.at_least(witness),
        ),
        rule=ruling.rule,
        rules_version=setting.rules_version,
        detector_version=setting.detector_version,
        reasons=(
            *((Reason("faded"),) if faded else ()),
            ruling.reason,
            *_afterwards(witness, ruling.at, setting.country),
            *(() if lacking else distinct.remarks(witness)),
            *(() if through is None else (through,)),
            *through_resolvers(witness),
            *_of_pages(witness, event.known),
            *(apart if sure else ()),
            *reach.remarks,
        ),
        explanations=for_incident(of_networks) + for_incident(of_named),
        kbps=mean_rate(witness.kbps[np.isfinite(witness.kbps) & (witness.kbps > 0)]),
    )


def _ruling(
    event: NamedEvent, named: Sequence[Finding], kind: Kind, raised: dict[int, float], distinct: Distinct
) -> Ruling:
    """The rule that is met and left with no other explanation, or what is missing."""

    def left(seen: Votes, now: float) -> Reason | None:
        return strongest(answers(OF_NAMED_EVENT, replace(event, seen=seen, now=now)))[1]

    two = rule_c1_c3(kind, families_that_saw(event.measured, distinct.family_of), raised)
    if not two.rule:
        votes = event.whole.votes
        lost = {
            asn: [f.stretch for f in named if f.asn == asn]
            for asn in lost_controls(votes.where(~votes.seen), event.witness)
        }
        return ControlledCase(event.seen, event.controls, raised, lost, distinct.count, left).ruling()
    why = left(event.seen, np.inf)  # which both families share
    return two if why is None else Ruling("", None, why)


def _named_event(
    event: MeasuredEvent,
    named: Sequence[Finding],
    sessions: Sequence[Finding],
    family_of: Mapping[str, Family],
    *,
    is_named: bool,
) -> NamedEvent:
    """What remains of an event for the networks that are named."""
    votes = event.votes
    meanwhile = votes.where(inside(votes, sessions))
    witness = meanwhile.where(meanwhile.seen)
    counts = not may_be_of_site(witness, event.known)
    abroad = event.elsewhere.where(np.full(len(event.elsewhere), counts))
    controls = works_elsewhere(votes, abroad, [f.anomaly.key for f in named], witness.times)
    seen = without_remote(witness, family_of)
    return NamedEvent(event, sessions, is_named, meanwhile, witness, seen, controls)


def _afterwards(witness: Votes, confirmed_at: float | None, country: str) -> tuple[Reason, ...]:
    """That what shows it was received long after the last of it had been measured: own probes stored it through a cut,
    since what strangers send late is no vote."""
    if not len(witness):
        return ()
    at = float(witness.known_at.min()) if confirmed_at is None else confirmed_at
    late = is_late(float(witness.times.max()), at)
    return (Reason("afterwards", {"at": at, "country": country}),) if late else ()


def _got_through(meanwhile: Votes, witness: Votes) -> Reason | None:
    """How many of its measurements reached the targets while it was on; None = few."""
    every, through = made(meanwhile), made(meanwhile) - made(witness)
    if through < max(CONTROLS, THROUGH_SHARE * every):
        return None
    return Reason("got_through", {"some": through, "all": every})


def _of_those(users: UsersShare | None, through: Reason | None) -> UsersShare | None:
    """The share of users of the networks affected, less what got through there."""
    if users is None or through is None:
        return users
    some, every = int(str(through.params["some"])), int(str(through.params["all"]))
    caught, error = 1 - some / every, SURE * (some * (every - some) / every**3) ** 0.5
    low, high = users.low * max(0.0, caught - error), users.high * min(1.0, caught + error)
    return replace(users, mean=users.mean * caught, low=low, high=high)


def _of_pages(witness: Votes, known: Comparisons) -> tuple[Reason, ...]:
    """The sites in whose place one page was shown, if it is not theirs."""
    targets = set(witness.targets[shared_pages(witness, known)].tolist())
    sites = {site for page in known.pages if targets & set(page.targets) for site in page.targets}
    return (Reason("page.shared", {"sites": len(sites)}),) if targets else ()


def _observed(group: Sequence[Finding], named: Sequence[Finding], votes: Votes) -> set[int]:
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


def _end(sessions: Sequence[Finding]) -> float | None:
    return end_of([finding.anomaly for finding in sessions], lambda one: one.key.place.asn)


def _intervals(findings: Sequence[Finding]) -> tuple[Interval, ...]:
    """When it was on; the last interval is open exactly where no end was seen.

    A stretch that fell silent lasts as long as it was seen, or it would swallow what came after it.
    """
    anomalies = [finding.anomaly for finding in findings]
    found = intervals_of([replace(a, end=a.last_seen) if a.end is None else a for a in anomalies])
    return found if _end(findings) is not None else (*found[:-1], replace(found[-1], end=None))


# --- what and where -------------------------------------------------------------------------------------


def _parts(
    named: Sequence[Finding], sessions: Sequence[Finding], votes: Votes, reach: Extent
) -> tuple[Part, ...]:
    parts = []
    for target in sorted({f.target for f in named}):
        own = [f for f in sessions if f.target == target]
        kind = min((f.kind for f in named if f.target == target), key=list(Kind).index)
        seen = failures(votes, own)
        asns = {f.asn for f in named if f.target == target}
        how = outage_mechanisms(_mechanisms(seen), reach) if kind is Kind.OUTAGE else _mechanisms(seen)
        spans = {
            asn: _intervals(on_it) for asn in sorted(asns) if (on_it := [f for f in own if f.asn == asn])
        }
        roles = roles_of(votes, target, spans) if target else ()
        parts.append(Part(target, kind, how, ases(asns), roles, _intervals(own)))
    return tuple(parts)


def _mechanisms(seen: Votes) -> tuple[str, ...]:
    named = mechanisms_of(seen.where(seen.mechanisms != ""))
    return tuple(name for name in named if not _has_likelier_kin(name, named))


def _has_likelier_kin(name: str, counts: Mapping[str, int]) -> bool:
    """Is a coarser or finer form of this mechanism (``quic.drop.target``) named instead?  That is the more frequent
    one, or if equal the finer.
    """
    coarser = any(name.startswith(f"{other}.") and n > counts[name] for other, n in counts.items())
    finer = any(other.startswith(f"{name}.") and n >= counts[name] for other, n in counts.items())
    return coarser or finer


def _network_parts(sessions: Sequence[Finding], votes: Votes) -> tuple[NetworkPart, ...]:
    parts = []
    for asn, of_network in sorted(by_network(sessions).items()):
        part = NetworkPart(
            entity=str(Place("", asn)),
            targets=tuple(sorted({f.target for f in of_network})),
            intervals=_intervals(of_network),
            measurements=0,
            probes=0,
            probability=max(f.anomaly.probability for f in of_network),
        )
        saw = votes.where(that_saw(votes, [part]))
        parts.append(replace(part, measurements=made(saw), probes=len(set(saw.probes))))
    return tuple(parts)
