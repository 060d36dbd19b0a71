"""Disputes: what one family of sources shows while others reach the target.

Votes of all families are pooled, and most voices of a network decide, so a censor who lets some probes through, or a
crowd of forged denials, could hide what one family sees.  Therefore each is also judged as if no other measured, and
what it alone shows is suspected at least and at most.

Own probes are those that an operator answers for, where there are any: strangers at the same collector are others.
What own probes confirm stays confirmed if only strangers deny it, and says so: silence would otherwise be for
sale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.detectors.finding import made
from fanous.analysis.incidents.assemble import UNCONFIRMED, status_of
from fanous.analysis.incidents.confirm import NETWORK_SHARE, Ruling, families_seen
from fanous.analysis.incidents.networks import that_measured, that_saw
from fanous.analysis.series.aggregate import counted
from fanous.analysis.series.voices import helped, is_long
from fanous.model.incident import Basis, Incident, Status
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold

NETWORKS = threshold(
    "incidents.disputed_networks",
    2,
    "Networks that one family must show by itself against others, or else one as a lone network must: all "
    "probes of a family on a network may share a fault there.",
)

JUDGED_ALONE = (Family.EDGE, Family.OONI)
"""Families that C2 may confirm by themselves."""

DISPUTED, ABOUT_NETWORKS, BY_STRANGERS = "disputed", "disputed.networks", "disputed.strangers"
"""Codes of reasons: of a suspicion that one family shows against others, of an incident that, according to one family,
is on more networks, and of one that only strangers deny."""


def sources_of(family: Family | None, family_of: Mapping[str, Family]) -> tuple[str, ...]:
    """The names of its sources; of no family none."""
    return tuple(name for name, own in family_of.items() if own is family)


def is_of_family(votes: Votes, family: Family, family_of: Mapping[str, Family]) -> NDArray[np.bool_]:
    """Which votes came through a family's sources; of own probes only vouched ones, if there are any."""
    own = np.isin(votes.sources.astype(str), sources_of(family, family_of))
    answered = own & votes.vouched
    return np.asarray(answered if family is Family.EDGE and answered.any() else own)


def of_family(votes: Votes, family: Family | None, family_of: Mapping[str, Family]) -> Votes:
    """Its votes (``is_of_family``); None = those of all families."""
    return votes if family is None else votes.where(is_of_family(votes, family, family_of))


def shown_by(incident: Incident) -> Family | None:
    """The one family on which a disputed suspicion rests; None = it is not one."""
    told = (reason.params["shown_by"] for reason in incident.reasons if reason.code == DISPUTED)
    return next((Family(str(family)) for family in told), None)


def is_disputed(incident: Incident) -> bool:
    """Does it say that sources disagree?"""
    return any(reason.code in (DISPUTED, ABOUT_NETWORKS, BY_STRANGERS) for reason in incident.reasons)


def is_shown(incident: Incident) -> bool:
    """Would it be confirmed, or be reported by volunteers, if no other family measured?"""
    return incident.confirmed_at is not None or incident.basis is Basis.VOLUNTEERS


def with_disputes(
    found: Sequence[Incident],
    alone: Mapping[Family, Sequence[Incident]],
    votes: Votes,
    family_of: Mapping[str, Family],
    tick: int,
) -> list[Incident]:
    """All incidents, with what one family alone shows and others deny.

    Args:
        found: what the votes of all families together show.
        alone: family -> what follows from its votes if no one else measured.
        votes: of all families, on all targets of these.
        family_of: name of a source -> family.
        tick: width of the bins that its detectors saw, seconds.
    """
    incidents = list(found)
    for family, by_itself in alone.items():
        is_own = is_of_family(votes, family, family_of)
        own, others = counted(votes.where(is_own), tick), votes.where(~is_own)
        for incident in by_itself:
            if is_shown(incident) and _holds_alone(incident, own):
                incidents = _with(incidents, incident, family, others, family_of)
    return incidents


def _holds_alone(incident: Incident, own: Votes) -> bool:
    """Did enough probes see it with their own normal controls, on two networks or for longer than faults last?

    Where others reach the target at the same time on the same networks, its working elsewhere shows nothing new: only a
    control made with the failure shows that the line of those who see it was sound.
    """
    saw = own.where(that_saw(own, incident.networks))
    return helped(saw) and (len(incident.networks) >= NETWORKS or is_long(saw))


def _with(
    found: Sequence[Incident],
    incident: Incident,
    family: Family,
    others: Votes,
    family_of: Mapping[str, Family],
) -> list[Incident]:
    """The incidents with the one that a family alone shows: as a remark to one of them, or next to them."""
    at_that_time = [other for other in found if other.is_on(incident.onset, incident.until)]
    near = [other for other in at_that_time if set(other.targets) & set(incident.targets)]
    known = {network.entity for other in near if other.confirmed_at is not None for network in other.networks}
    denied = _denied(incident, others, known)
    if not len(denied):
        return list(found)
    figures: dict[str, Param] = {
        "shown_by": str(family),
        "families": tuple(str(other) for other in families_seen(denied.sources, family_of)),
        "networks": tuple(f"AS{asn}" for asn in np.unique(denied.asns)),
        "some": made(denied.where(~np.isin(denied.uids, denied.uids[denied.seen]))),
        "all": made(denied),
    }
    by_strangers = incident.basis is Basis.VOUCHED and not denied.vouched.any()
    parts = [other for other in near if _is_part(other, incident, of_confirmed=by_strangers)]
    standing = [other for other in near if other.status is not Status.RETRACTED and other not in parts]
    if standing:
        lead = min(standing, key=lambda other: (other.confirmed_at is None, other.onset))
        remarked = replace(lead, reasons=(*lead.reasons, Reason(ABOUT_NETWORKS, figures)))
        return [remarked if other is lead else other for other in found]
    rest = [other for other in found if other not in parts]
    if by_strangers:
        return [*rest, replace(incident, reasons=(*incident.reasons, Reason(BY_STRANGERS, figures)))]
    why = Reason(DISPUTED, figures)
    suspected = replace(
        incident,
        status=status_of(Ruling("", None, why), incident.end),
        confirmed_at=None,
        rule="",
        confidence=min(incident.confidence, UNCONFIRMED),
        reasons=(why, *incident.reasons[1:]),
    )
    return [*rest, suspected]


def _is_part(other: Incident, incident: Incident, *, of_confirmed: bool) -> bool:
    """Does ``incident`` say all that the other says, which was never confirmed unless ``of_confirmed``?"""
    entities = {network.entity for network in incident.networks}
    return (
        (of_confirmed or other.confirmed_at is None)
        and set(other.targets) <= set(incident.targets)
        and {network.entity for network in other.networks} <= entities
    )


def _denied(incident: Incident, others: Votes, known: set[str]) -> Votes:
    """Others' votes on the networks on which they did not see what one family sees.

    They need not always reach the targets: a censor could let known probes through every other time.

    Args:
        known: networks on which all families together show it.
    """
    rows = np.zeros(len(others), np.bool_)
    for network in (each for each in incident.networks if each.entity not in known):
        measured = that_measured(others, [network])
        here = others.where(measured)
        if len(here) and made(here.where(here.seen)) < NETWORK_SHARE * made(here):
            rows |= measured
    return others.where(rows)
