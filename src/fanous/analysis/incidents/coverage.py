"""Coverage of a window, and whether it is enough to say that nothing happened."""

from math import ceil

import numpy as np

from fanous.model.coverage import Coverage
from fanous.model.votes import Votes

HOUR = 3600.0

ENOUGH_PROBES = 3
"""As many as a confirmation needs (C2): fewer can say "blocked" no more than "not blocked"."""

ENOUGH_NETWORKS = 2
"""One network that works says nothing of the others."""

ENOUGH_HOURS = 0.5
"""Share of the hours in which somebody measured: what happened in the others was not seen."""

ORDINARY_FAILING = 0.1
"""Share of failing measurements up to which a window is ordinary: .005-.01 in quiet records, ten times that
in a bad week of a few probes."""


def coverage_of(votes: Votes, since: float, until: float) -> Coverage:
    """What was measured in ``[since, until)``; the votes are those of the targets in question."""
    rows = votes.where((votes.times >= since) & (votes.times < until))
    failing = set(rows.uids[rows.seen].tolist())
    return Coverage(
        measurements=len(set(rows.uids.tolist())),
        failing=len(failing),
        probes=len(set(rows.probes.tolist())),
        networks=tuple(int(asn) for asn in np.unique(rows.asns)),
        hours=max(1, ceil((until - since) / HOUR)),
        hours_measured=len(np.unique((rows.times - since) // HOUR)),
        targets=tuple(sorted(set(rows.targets.tolist()))),
    )


def lacking(coverage: Coverage) -> str:
    """What the coverage lacks to say that nothing happened; empty = nothing."""
    if not coverage.measurements:
        return "nobody measured it then"
    if coverage.probes < ENOUGH_PROBES:
        return f"only {coverage.probes} of the {ENOUGH_PROBES} independent probes needed measured it then"
    if len(coverage.networks) < ENOUGH_NETWORKS:
        return f"it was measured on AS{coverage.networks[0]} alone"
    if coverage.hours_measured < ENOUGH_HOURS * coverage.hours:
        return f"it was measured in {coverage.hours_measured} of {coverage.hours} hours only"
    return ""


def is_ordinary(coverage: Coverage) -> bool:
    """Enough was measured, and hardly anything failed."""
    share = coverage.failing_share
    return not lacking(coverage) and share is not None and share <= ORDINARY_FAILING


def coverage_sentence(coverage: Coverage) -> str:
    """For a reader: how much stands behind it."""
    return (
        f"{coverage.measurements:,} measurements by {coverage.probes} probes on {len(coverage.networks)} "
        f"networks, in {coverage.hours_measured} of {coverage.hours} hours; {coverage.failing:,} failed"
    )
