"""Coverage: who saw an incident, who did not, and who could not have; and whether enough was measured to say that
nothing happened.

A silent source means something only if it could have seen the incident: routing never shows that a platform is
blocked.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np

from fanous.analysis.incidents.networks import that_measured
from fanous.analysis.series.signals import SIGNALS
from fanous.model.coverage import Coverage
from fanous.model.incident import Incident, Kind, Says, Sight, Witness
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold

# --- each family of sources -----------------------------------------------------------------------------

SAW_SHARE = threshold(
    "incidents.witness_share",
    0.5,
    "Share of a source's measurements on the networks named, while the incident was on, that must fail: with "
    "fewer, the source did not see it.",
)

ALL_KINDS = tuple(Kind)

MEASURES: dict[Family, tuple[Kind, ...]] = {
    Family.EDGE: ALL_KINDS,
    Family.OONI: (Kind.BLOCKING, Kind.THROTTLING, Kind.SLOWDOWN),
    Family.REMOTE: (Kind.BLOCKING,),
    Family.ATLAS: (Kind.OUTAGE,),
    Family.ROUTING: (Kind.OUTAGE,),
    Family.PROBING: (Kind.OUTAGE,),
    Family.USAGE: (Kind.OUTAGE, Kind.SLOWDOWN, Kind.BLOCKING),
    Family.DARKNET: (Kind.OUTAGE,),
    Family.REPORTS: ALL_KINDS,
}
"""Family -> kinds of incidents that its sources can show; ``wording.findings.BLIND`` says why no others."""


def who_saw_what(incident: Incident, votes: Votes, family_of: Mapping[str, Family]) -> tuple[Witness, ...]:
    """One witness for each source that measured and one for each family without any, in the order of ``Family``.

    Args:
        votes: the country's votes on the incident's targets, while it was on.
        family_of: name of a source -> family.
    """
    found: list[Witness] = []
    opinions = {opinion.family: opinion for opinion in incident.opinions}
    present = {str(source) for source in np.unique(votes.sources)} if len(votes) else set()
    for family in Family:
        own = sorted(source for source in present if family_of.get(source, Family.REPORTS) is family)
        if family is Family.REMOTE and incident.kind not in MEASURES[family]:
            own = []  # targets that still answer there deny nothing
        found += [_witness(incident, votes.where(votes.sources == name), family, name) for name in own]
        if not own and (opinion := opinions.get(str(family))):  # what it says of an outage is what it saw
            found.append(Witness(family, "", _SIGHT[opinion.says], (opinion.reason,)))
        elif not own:
            found.append(_silent(incident, family))
    return tuple(found)


_SIGHT = {
    Says.DOWN: Sight.SAW,
    Says.ORDINARY: Sight.DID_NOT_SEE,
    Says.BLIND: Sight.COULD_NOT_SEE,
    Says.SILENT: Sight.NO_DATA,
    Says.UNKNOWN: Sight.COULD_NOT_SEE,
}


def _silent(incident: Incident, family: Family) -> Witness:
    shown = {kind for signal in SIGNALS.values() if signal.family is family for kind in signal.proves}
    # A fall in the traffic of a platform shows to those who would see the platform slowed, not where lines are cut.
    kind = Kind.THROTTLING if incident.is_of_traffic else incident.kind
    if kind not in {*MEASURES[family], *shown}:
        return Witness(family, "", Sight.COULD_NOT_SEE, (Reason(f"blind.{family}"),))
    return Witness(family, "", Sight.NO_DATA, (Reason("sight.no_data"),))


def _witness(incident: Incident, votes: Votes, family: Family, source: str) -> Witness:
    inside = votes.where(that_measured(votes, incident.networks))
    saw = len(set(inside.uids[inside.seen].tolist()))
    contrary = len(set(inside.uids.tolist())) - saw
    if not len(inside):
        why = Reason("blind.elsewhere", {"networks": _named(votes)})
        return Witness(family, source, Sight.COULD_NOT_SEE, (why,))
    told: dict[str, Param] = {"all": saw + contrary, "networks": _named(inside)}
    if saw / (saw + contrary) >= SAW_SHARE:
        reason = Reason("sight.saw", {"some": saw, "share_failing": saw / (saw + contrary)} | told)
        return Witness(family, source, Sight.SAW, (reason,), saw, contrary)
    reason = Reason("sight.reached", {"some": contrary} | told)
    return Witness(family, source, Sight.DID_NOT_SEE, (reason,), saw, contrary)


def _named(votes: Votes) -> Param:
    """The name of the one network, or the number of several."""
    asns = np.unique(votes.asns)
    return f"AS{int(asns[0])}" if len(asns) == 1 else len(asns)


# --- was enough measured? -------------------------------------------------------------------------------

ENOUGH_PROBES = threshold(
    "incidents.coverage_probes",
    3,
    "Fewest probes, as many as a confirmation needs: fewer prove *not blocked* no better than *blocked*.",
)

ENOUGH_NETWORKS = threshold(
    "incidents.coverage_networks",
    2,
    "Fewest networks that must have been measured: one that works says nothing about the others.",
)

ENOUGH_HOURS = threshold(
    "incidents.coverage_hours_share",
    0.5,
    "Share of the hours of the window in which someone must have measured; what happened in the others was not "
    "seen.",
)

WATCHED_GAP = threshold(
    "incidents.watched_gap_seconds",
    HOUR,
    "Longest time without a value in a window in which a series is said to show no loss: a cut may hide in it.",
)

ORDINARY_FAILING = threshold(
    "incidents.coverage_failing_share",
    0.1,
    "Share of failing measurements up to which a window is normal: ten times what quiet data show (.005 to "
    ".01).",
)


def coverage_of(votes: Votes, since: float, until: float) -> Coverage:
    """What was measured in ``[since, until)``, from the votes on the targets in question."""
    rows = votes.where((votes.times >= since) & (votes.times < until))
    failing = set(rows.uids[rows.seen].tolist())
    by_source = {}
    for source in sorted(set(rows.sources.tolist())):
        own = rows.where(rows.sources == source)
        fell = own.where(own.seen)
        counts = (own.uids, fell.uids, fell.probes)
        made, failed, probes = (len(set(column.tolist())) for column in counts)
        by_source[source] = (made, failed, probes)
    return Coverage(
        measurements=len(set(rows.uids.tolist())),
        failing=len(failing),
        probes=len(set(rows.probes.tolist())),
        networks=tuple(int(asn) for asn in np.unique(rows.asns)),
        hours=max(1, ceil((until - since) / HOUR)),
        hours_measured=len(np.unique((rows.times - since) // HOUR)),
        targets=tuple(sorted(set(rows.targets.tolist()))),
        by_source=by_source,
    )


def lacking(coverage: Coverage) -> Reason | None:
    """What is missing to be able to say that nothing happened; None = nothing is missing."""
    if not coverage.measurements:
        if coverage.series:
            return Reason("coverage.series", {"sources": coverage.series})
        return Reason("coverage.none")
    if coverage.probes < ENOUGH_PROBES:
        return Reason("coverage.few_probes", {"runs": coverage.probes, "needed": ENOUGH_PROBES})
    if len(coverage.networks) < ENOUGH_NETWORKS:
        return Reason("coverage.one_network", {"networks": f"AS{coverage.networks[0]}"})
    if coverage.hours_measured < ENOUGH_HOURS * coverage.hours:
        return Reason("coverage.few_hours", {"measured": coverage.hours_measured, "hours": coverage.hours})
    return None


def measured(coverage: Coverage) -> Reason:
    """How much was measured."""
    return Reason(
        "coverage.measured",
        {
            "measurements": coverage.measurements,
            "runs": coverage.probes,
            "networks": len(coverage.networks),
            "measured": coverage.hours_measured,
            "hours": coverage.hours,
            "failing": coverage.failing,
        },
    )


def held(coverage: Coverage) -> tuple[Reason, ...]:
    """How much was measured, and which series there are."""
    if not coverage.series:
        return (measured(coverage),)
    return measured(coverage), Reason("coverage.with_series", {"sources": coverage.series})


def unusual(coverage: Coverage) -> tuple[Reason, ...]:
    """Why one cannot say that nothing happened: something is missing, or more failed than usual; and which kinds of
    series showed no loss, which is not enough to say so."""
    why = lacking(coverage) or Reason("coverage.failing")
    if not coverage.watched:
        return (why,)
    return why, Reason("coverage.no_loss", {"families": tuple(map(str, coverage.watched))})


def is_ordinary(coverage: Coverage) -> bool:
    """Was enough measured, and did hardly anything fail, in all and for the probes of each source?

    Probes that an organisation runs itself measure many times as often as volunteers, and a censor who knows them may
    let them through: their *works* must not drown what at least ``ENOUGH_PROBES`` others saw fail.
    """
    share = coverage.failing_share
    if lacking(coverage) is not None or share is None or share > ORDINARY_FAILING:
        return False
    return not any(
        probes >= ENOUGH_PROBES and failed > ORDINARY_FAILING * made
        for made, failed, probes in coverage.by_source.values()
    )
