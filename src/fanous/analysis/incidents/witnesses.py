"""Witnesses: who saw an incident, who did not, and who could not have; and whether enough was measured to say that
nothing happened.

That a source is silent means something only if it could have seen the incident: routing never shows that a platform is
blocked.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.signals import SIGNALS
from fanous.model.coverage import Coverage
from fanous.model.incident import FamilyView, Incident, Kind, Says, Sight, Witness
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.series import Votes

# --- each family of sources, in words -------------------------------------------------------------------

SAW_SHARE = 0.5
"""Share of the measurements on the networks named, while it was on, that must fail: with fewer, a source did not see
what is claimed."""

ALL_KINDS = tuple(Kind)

MEASURES: dict[Family, tuple[tuple[Kind, ...], str]] = {
    Family.EDGE: (ALL_KINDS, "our own probes try the targets themselves"),
    Family.OONI: (
        (Kind.BLOCKING, Kind.THROTTLING, Kind.SLOWDOWN),
        "volunteers' probes try the targets; without a network they send nothing",
    ),
    Family.REMOTE: (
        (Kind.BLOCKING,),
        "vantage points of others ask for the targets; those that lose packets are taken off line",
    ),
    Family.ATLAS: (
        (Kind.OUTAGE,),
        "connections of RIPE Atlas' probes show whether lines are up, not what they can reach",
    ),
    Family.ROUTING: (
        (Kind.OUTAGE,),
        "routing shows whether networks are announced, not what passes over them",
    ),
    Family.PROBING: ((Kind.OUTAGE,), "scans show whether addresses answer, not what their users can reach"),
    Family.USAGE: (
        (Kind.OUTAGE, Kind.SLOWDOWN, Kind.BLOCKING),
        "traffic falls with what cannot be reached, if the product in question is counted apart",
    ),
    Family.DARKNET: ((Kind.OUTAGE,), "stray packets show whether networks are on, not what they can reach"),
    Family.REPORTS: (ALL_KINDS, "what people and organisations say is shown, and never counted"),
}
"""Family -> what its sources can show in principle, and why no more."""


def who_saw_what(incident: Incident, votes: Votes, family_of: Mapping[str, Family]) -> tuple[Witness, ...]:
    """One witness for each source that measured and one for each family without any, in the order of ``Family``.

    Args:
        votes: of the country on the incident's targets, while it was on.
        family_of: name of a source -> family.
    """
    found: list[Witness] = []
    told = {opinion.family: opinion for opinion in incident.opinions}
    present = {str(source) for source in np.unique(votes.sources)} if len(votes) else set()
    for family in Family:
        own = sorted(source for source in present if family_of.get(source, Family.REPORTS) is family)
        if family is Family.REMOTE and incident.kind not in MEASURES[family][0]:
            own = []  # what still answers there denies nothing
        found += [_witness(incident, votes.where(votes.sources == name), family, name) for name in own]
        if not own:
            opinion = told.get(str(family))
            found.append(_silent(incident, family) if opinion is None else _of_opinion(opinion, family))
    return tuple(found)


_SIGHT = {
    Says.DOWN: Sight.SAW,
    Says.ORDINARY: Sight.DID_NOT_SEE,
    Says.SILENT: Sight.NO_DATA,
    Says.UNKNOWN: Sight.COULD_NOT_SEE,
}


def _of_opinion(opinion: FamilyView, family: Family) -> Witness:
    """A family with ready-made series: what it says of an outage is what it saw."""
    sources = ", ".join(opinion.sources)
    where = ", ".join(opinion.entities[:3]) + (" and more" if len(opinion.entities) > 3 else "")
    left = "" if opinion.left is None else f" {opinion.left.mean:.0%} of the ordinary level was left"
    why = {
        Says.DOWN: f"{sources} fell{f' ({where})' if where else ''}:{left}",
        Says.ORDINARY: f"{sources} stayed within its ordinary spread:{left}"
        if left
        else f"{sources} stayed as usual",
        Says.SILENT: f"{sources} stopped reporting meanwhile",
        Says.UNKNOWN: f"{sources} has no history to compare with",
    }[opinion.says]
    return Witness(family, "", _SIGHT[opinion.says], why.removesuffix(":"))


def _silent(incident: Incident, family: Family) -> Witness:
    kinds, why = MEASURES[family]
    shown = {kind for signal in SIGNALS.values() if signal.family is family for kind in signal.proves}
    if incident.kind not in {*kinds, *shown}:
        return Witness(family, "", Sight.COULD_NOT_SEE, f"{why}; this is {_noun(incident.kind)}")
    return Witness(family, "", Sight.NO_DATA, "no source of this family says anything of it")


def _noun(kind: Kind) -> str:
    return {Kind.OUTAGE: "an outage", Kind.SLOWDOWN: "a slow-down"}.get(kind, str(kind))


def _witness(incident: Incident, votes: Votes, family: Family, source: str) -> Witness:
    rows = _while_on(incident, votes)
    inside = votes.where(rows)
    saw = len(set(inside.uids[inside.seen].tolist()))
    contrary = len(set(inside.uids.tolist())) - saw
    if not len(inside):
        others = sorted({int(asn) for asn in votes.asns})
        why = f"it measured none of the networks named while it was on (only {_networks(others)})"
        return Witness(family, source, Sight.COULD_NOT_SEE, why)
    share = saw / (saw + contrary)
    where = _networks(sorted({int(asn) for asn in inside.asns}))
    if share >= SAW_SHARE:
        why = f"{saw:,} of {saw + contrary:,} measurements on {where} saw it"
        return Witness(family, source, Sight.SAW, why, saw, contrary)
    why = f"{contrary:,} of {saw + contrary:,} measurements on {where} reached the targets meanwhile"
    return Witness(family, source, Sight.DID_NOT_SEE, why, saw, contrary)


def _while_on(incident: Incident, votes: Votes) -> NDArray[np.bool_]:
    """Rows on a network named, about a target that failed there, while it was on there."""
    rows = np.zeros(len(votes), np.bool_)
    for network in (one for one in incident.networks if one.asn):
        here = (votes.asns == network.asn) & np.isin(votes.targets, list(network.targets))
        for interval in network.intervals:
            end = np.inf if interval.end is None else interval.end
            rows |= here & (votes.times >= interval.start) & (votes.times < end)
    return rows


def _networks(asns: list[int]) -> str:
    if not asns:
        return "no network"
    return f"AS{asns[0]}" if len(asns) == 1 else f"{len(asns)} networks"


# --- was enough measured? -------------------------------------------------------------------------------

ENOUGH_PROBES = 3
"""As many as a confirmation needs (C2): fewer prove "not blocked" no better than "blocked"."""

ENOUGH_NETWORKS = 2
"""One network that works says nothing about the others."""

ENOUGH_HOURS = 0.5
"""Share of the hours in which somebody measured; what happened in the others was not seen."""

ORDINARY_FAILING = 0.1
"""Share of failing measurements up to which a window is ordinary: .005 to .01 in quiet records, and ten times that in a
bad week of a few probes."""


def coverage_of(votes: Votes, since: float, until: float) -> Coverage:
    """What was measured in ``[since, until)``, from the votes on the targets in question."""
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
    """What is missing to say that nothing happened, in words; empty = nothing is."""
    if not coverage.measurements:
        return "nobody measured it then"
    if coverage.probes < ENOUGH_PROBES:
        return f"only {coverage.probes} of the {ENOUGH_PROBES} probes or test runs needed measured it then"
    if len(coverage.networks) < ENOUGH_NETWORKS:
        return f"it was measured on AS{coverage.networks[0]} alone"
    if coverage.hours_measured < ENOUGH_HOURS * coverage.hours:
        return f"it was measured in {coverage.hours_measured} of {coverage.hours} hours only"
    return ""


def is_ordinary(coverage: Coverage) -> bool:
    """Was enough measured, and did hardly anything fail?"""
    share = coverage.failing_share
    return not lacking(coverage) and share is not None and share <= ORDINARY_FAILING


def coverage_sentence(coverage: Coverage) -> str:
    """How much was measured, in words for a reader."""
    return (
        f"{coverage.measurements:,} measurements by {coverage.probes} probes or test runs on {len(coverage.networks)} "
        f"networks, in {coverage.hours_measured} of {coverage.hours} hours; {coverage.failing:,} failed"
    )
