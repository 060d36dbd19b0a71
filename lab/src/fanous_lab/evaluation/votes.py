"""Votes: what Fanous concludes from made-up votes, through the live series, detectors and confirmation rules.

For evaluations that need thousands of small events but no store; ``aggregate`` makes the series.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fanous.analysis.detectors.finding import Finding, inside
from fanous.analysis.detectors.interference import BLOCKING, DETECTOR_VERSION
from fanous.analysis.explanations.comparisons import NOTHING, Comparisons
from fanous.analysis.explanations.event import MeasuredEvent
from fanous.analysis.incidents.assemble import Setting, events, of_measurements
from fanous.analysis.incidents.disputes import JUDGED_ALONE, of_family, with_disputes
from fanous.analysis.incidents.interference import measured_incident
from fanous.analysis.incidents.networks import is_groundless
from fanous.analysis.series.aggregate import VOUCHED_STEP, VerdictRow, counted, series
from fanous.model.evidence import KINDS, Evidence, EvidenceScope, LookupOutcome, column
from fanous.model.incident import Incident
from fanous.model.measurement import Layer
from fanous.model.place import UserWeights
from fanous.model.series import Anomaly, Series, Votes
from fanous.model.verdict import State
from fanous.pipeline.interference import TICK, UNKNOWN_PROBES
from fanous.pipeline.judge import rules_version
from fanous.sources.measurements import FAMILY_OF


def stretches_of(votes: Votes, country: str) -> list[Anomaly]:
    """Every stretch of blocking that the detector sees, whatever its probability."""
    return BLOCKING.found(series_of(votes, country))


def series_of(votes: Votes, country: str) -> list[Series]:
    """The shares of failing votes, as detectors see them."""
    return series(_rows(votes, country), TICK, VOUCHED_STEP)


def incidents_of(
    votes: Votes,
    elsewhere: Votes,
    country: str,
    users: UserWeights | None,
    software: Mapping[str, str] | None = None,
) -> list[Incident]:
    """The incidents that Fanous finds in them.

    Args:
        elsewhere: votes of other countries that say *works*.
        software: of each probe or run; ``None`` = unknown, and runs are not compared.
    """
    incidents = _alone(votes, elsewhere, country, users, software)
    parts = {family: of_family(votes, family, FAMILY_OF) for family in JUDGED_ALONE}
    present = {family: part for family, part in parts.items() if len(part)}
    if len(present) < 2 and len(np.unique(votes.vouched)) < 2:
        return incidents  # no one contradicts anyone
    alone = {
        family: incidents if len(part) == len(votes) else _alone(part, elsewhere, country, users, software)
        for family, part in present.items()
    }
    return with_disputes(incidents, alone, votes, FAMILY_OF, TICK)


def _alone(
    votes: Votes,
    elsewhere: Votes,
    country: str,
    users: UserWeights | None,
    software: Mapping[str, str] | None,
) -> list[Incident]:
    """The same without asking what each family of sources shows by itself."""
    findings = [
        Finding(anomaly, BLOCKING.kind)
        for anomaly in stretches_of(votes, country)
        if anomaly.probability >= BLOCKING.suspect_at
    ]
    setting = Setting(country, users, rules_version(), DETECTOR_VERSION)
    kept = counted(votes, TICK)
    return [
        measured_incident(
            MeasuredEvent(
                country, kept, elsewhere, group, findings, _compared(votes, group, country, software)
            ),
            FAMILY_OF,
            setting,
        )
        for group in events(findings, of_measurements)
        if not is_groundless(group, kept)
    ]


def _compared(
    votes: Votes, group: Sequence[Finding], country: str, software: Mapping[str, str] | None
) -> Comparisons:
    """What the country's votes on the event's targets say besides, where the software is known."""
    if software is None:
        return NOTHING
    asns = {finding.asn for finding in group}
    first, last = (
        bound(getattr(f.anomaly, name) for f in group) for bound, name in ((min, "start"), (max, "last_seen"))
    )
    chosen = votes.where((votes.times >= first) & (votes.times <= last))
    count = len(chosen)
    columns: dict[str, Any] = {
        "uids": chosen.uids,
        "countries": [country] * count,
        "asns": chosen.asns,
        "access": chosen.access,
        "times": chosen.times,
        "targets": chosen.targets,
        "claimed": [True] * count,
        "here": inside(chosen, group),
        "then": [True] * count,
        "fails": chosen.seen,
        "works": ~chosen.seen,
        "mechanisms": [(way,) if way else () for way in chosen.mechanisms],
        "controlled": chosen.controlled,
        "kbps": chosen.kbps,
        "sources": chosen.sources,
        "probes": chosen.probes,
        "software": [software.get(probe, "") for probe in chosen.probes],
        "tests": ["web_connectivity"] * count,
        "versions": [""] * count,
        "resolver_asns": chosen.asns,
        "lookups": [str(LookupOutcome.WORKS)] * count,
        "connected": ~chosen.seen,
        "usual_page": [False] * count,
        "pages": [()] * count,
        "hosting": [()] * count,
        "former": [False] * count,
        "outdated": [False] * count,
        "counts": [1] * count,
    }
    names = Evidence.__slots__[1:]
    values = [column(columns[name], kind) for name, kind in zip(names, (*KINDS, int), strict=True)]
    scope = EvidenceScope(country, tuple({f.target for f in group}), dict.fromkeys(asns, ()))
    return Comparisons(Evidence(scope, *values), of_runs=UNKNOWN_PROBES)


def _rows(votes: Votes, country: str) -> Iterator[VerdictRow]:
    columns = (
        *(votes.uids, votes.times, votes.asns, votes.probes, votes.targets),
        *(votes.seen, votes.controlled, votes.vouched),
    )
    each = zip(*(column.tolist() for column in columns), strict=True)
    for uid, at, asn, probe, target, seen, controlled, vouched in each:
        state = State.BLOCKED if seen else State.OK
        yield VerdictRow(
            uid, country, asn, 0, probe, at, target, Layer.TLS, state, False, controlled, vouched=vouched
        )
