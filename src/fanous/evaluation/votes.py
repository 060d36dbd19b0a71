"""Votes: what Fanous concludes from made-up votes, through the live series, detectors and confirmation rules.

For evaluations that need thousands of small events but no store; ``aggregate`` makes the series.
"""

from collections.abc import Iterator

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.detectors.interference import BLOCKING, DETECTOR_VERSION
from fanous.analysis.explanations.comparisons import NOTHING
from fanous.analysis.incidents.assemble import OF_MEASUREMENTS, Setting, events
from fanous.analysis.incidents.disputes import JUDGED_ALONE, Alone, of_family, with_disputes
from fanous.analysis.incidents.interference import MeasuredVotes
from fanous.analysis.incidents.networks import is_groundless
from fanous.analysis.series.aggregate import VOUCHED_STEP, VerdictRow, counted, series
from fanous.model.incident import Incident
from fanous.model.measurement import Layer
from fanous.model.place import UserWeights
from fanous.model.series import Anomaly, Series, Votes
from fanous.model.verdict import State
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import rules_version
from fanous.sources.measurements import FAMILY_OF


def stretches_of(votes: Votes, country: str) -> list[Anomaly]:
    """Every stretch of blocking that the detector sees, whatever its probability."""
    return BLOCKING.found(series_of(votes, country))


def series_of(votes: Votes, country: str) -> list[Series]:
    """The shares of failing votes, as detectors see them."""
    return series(_rows(votes, country), TICK, VOUCHED_STEP)


def incidents_of(votes: Votes, elsewhere: Votes, country: str, users: UserWeights | None) -> list[Incident]:
    """The incidents that Fanous finds in them.

    Args:
        elsewhere: votes of other countries that say *works*.
    """
    found = _alone(votes, elsewhere, country, users)
    families = []
    for family in (one for one in JUDGED_ALONE if len(of_family(votes, one, FAMILY_OF))):
        own = of_family(votes, family, FAMILY_OF)
        families.append(Alone(family, counted(own, TICK), _alone(own, elsewhere, country, users)))
    are_mixed = len(families) > 1 or len(np.unique(votes.vouched)) > 1
    return with_disputes(found, families, votes, FAMILY_OF) if are_mixed else found


def _alone(votes: Votes, elsewhere: Votes, country: str, users: UserWeights | None) -> list[Incident]:
    """The same without asking what each family of sources shows by itself."""
    findings = [
        Finding(anomaly, BLOCKING.kind)
        for anomaly in stretches_of(votes, country)
        if anomaly.probability >= BLOCKING.suspect_at
    ]
    setting = Setting(country, users, rules_version(), DETECTOR_VERSION)
    told = MeasuredVotes(counted(votes, TICK), elsewhere, FAMILY_OF, NOTHING, findings)
    groups = (group for group in events(findings, OF_MEASUREMENTS) if not is_groundless(group, told.votes))
    return [told.incident(group, setting) for group in groups]


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
