"""Document: the stable JSON of an incident, on which other people's scripts rely.

Times are RFC 3339 in UTC, in whole seconds; unknown values are ``null``, never 0.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from fanous.analysis.explanations.base_rates import share_tested
from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.model.explanation import Weighed, for_readers
from fanous.model.incident import Correction, Estimate, FamilyView, Incident, Interval
from fanous.model.instant import to_iso
from fanous.model.reason import Reason
from fanous.wording.language import ENGLISH
from fanous.wording.reasons import gone_texts, reasons_document, reasons_said, reasons_text, why_document
from fanous.wording.words import counts_users

if TYPE_CHECKING:
    from fanous.analysis.policing import Policing
    from fanous.model.coverage import Sensitivity
    from fanous.model.series import Series
    from fanous.store.ledger import Revision

Document = dict[str, Any]


def known_document(known_until: float | None) -> Document:
    """When the data about an open incident ended."""
    return {"known_until": _moment(known_until)}


def sensitivity_document(sensitivities: "Sequence[Sensitivity] | None") -> Document:
    """How long an event had to last to be found with this ``chance``, in minutes; nothing if it was not asked for."""
    if sensitivities is None:
        return {}
    from fanous.model.coverage import CHANCE

    return {
        "sensitivity": [
            {
                "network": f"AS{sensitivity.asn}",
                "target": sensitivity.target,
                "measurements": sensitivity.measurements,
                "chance": CHANCE,
                "minutes_all": _in_minutes(sensitivity.seconds_all),
                "minutes_half": _in_minutes(sensitivity.seconds_half),
                "found_alike": sensitivity.found_alike and round(sensitivity.found_alike, 2),
            }
            for sensitivity in sensitivities
        ]
    }


def _in_minutes(seconds: float | None) -> int | None:
    """Rounded up: a shorter event would be found less often."""
    return None if seconds is None else ceil(seconds / 60)


def incident_document(incident: Incident) -> Document:
    """The incident exactly as the command line's ``--json`` gives it."""
    return {
        "id": incident.id,
        "provenance": str(incident.provenance),
        "basis": None if incident.basis is None else str(incident.basis),
        "kind": str(incident.kind),
        "status": str(incident.status),
        "scope": str(incident.scope),
        "access": str(incident.access),
        "entities": list(incident.entities),
        "targets": list(incident.targets),
        "mechanisms": list(incident.mechanisms),
        "parts": [
            {
                "target": part.target,
                "kind": str(part.kind),
                "mechanisms": list(part.mechanisms),
                "entities": list(part.entities),
                "named": list(part.named) if part.target else [],
                "intervals": _pairs(part.intervals),
                "roles": [
                    {
                        "role": str(role.role),
                        "entities": list(role.entities),
                        "worked": list(role.worked),
                        "intervals": _pairs(role.intervals),
                    }
                    for role in part.roles
                ],
            }
            for part in incident.parts
        ],
        "onset": to_iso(incident.onset),
        "onset_earliest": _moment(incident.onset_earliest),
        "onset_latest": to_iso(incident.onset_latest),
        "end": _moment(incident.end),
        "end_earliest": _moment(incident.end_earliest),
        "end_latest": _moment(incident.end_latest),
        "reached": _moment(incident.reached),
        "reached_earliest": _moment(incident.reached_earliest),
        "reached_latest": _moment(incident.reached_latest),
        "intervals": _pairs(incident.intervals),
        "confirmed_at": _moment(incident.confirmed_at),
        "first_published_at": _moment(incident.first_published_at),
        "confidence": round(incident.confidence, 4),
        "users_affected_share": _users(incident),
        "kbps": _estimate(incident.kbps),
        "level": _level(incident.level),
        "levels": [
            {"start": to_iso(level.start), "end": _moment(level.end), "left": round(level.left, 3)}
            for level in incident.levels
        ],
        "lasting_since": _moment(incident.lasting_since),
        "reason": reason_of(incident),
        "reasons": reasons_document(incident.reasons),
        "explanations": explanations_document(incident.explanations),
        "share_tested": share_tested(incident.explanations),
        "evidence": {
            "measurements": incident.evidence.measurements,
            "probes": incident.evidence.probes,
            "probes_are": incident.evidence.probes_are,
            "networks": incident.evidence.networks,
            "controls": incident.evidence.controls,
            "families": list(incident.evidence.families),
            "probes_at_least": incident.evidence.probes_at_least,
        },
        "rules_version": incident.rules_version,
        "detector_version": incident.detector_version,
    }


def reason_of(incident: Incident) -> str:
    """Why its status is what it is, in English."""
    return reasons_text(incident.reasons, ENGLISH, incident.evidence.probes_are)


def explanations_document(explanations: Iterable[Weighed]) -> list[Document]:
    """What else it could be, in the order in which readers are told; ``because`` is the code of a sentence."""
    return [
        {
            "code": one.code,
            "standing": str(one.standing),
            "params": dict(one.because.params),
            "because": one.because.code,
        }
        for one in for_readers(explanations)
    ]


def hints_document(hints: Sequence[Reason]) -> Document:
    """Hints in English and as codes."""
    return {
        "hints": [one.text for one in reasons_said(hints, ENGLISH)],
        "hint_reasons": reasons_document(hints),
    }


def revision_document(revision: "Revision") -> Document:
    """One step of an incident's history."""
    incident = revision.incident
    return {
        "n": revision.n,
        "at": to_iso(revision.at),
        "status": str(incident.status),
        "reason": reasons_text(revision.reasons, ENGLISH, incident.evidence.probes_are),
        "reasons": reasons_document(revision.reasons),
    }


def correction_document(correction: Correction) -> Document:
    """What a revision no longer claims, and why."""
    return {
        "incident": correction.incident,
        "country": correction.country,
        "provenance": str(correction.provenance),
        "revision": correction.n,
        "at": to_iso(correction.at),
        "taken_back": gone_texts(correction.taken_back),
        "reason": reasons_text(correction.reasons),
        "reasons": reasons_document(correction.reasons),
    }


def detailed_document(incident: Incident) -> Document:
    """The same with what each network saw, the confirmation rule and the reason for the status."""
    return incident_document(incident) | {
        "country": incident.country,
        "rule": incident.rule or None,
        "held_by": incident.held_by or None,
        "withdrawn_by": incident.withdrawn_by or None,
        "merged_into": incident.merged_into or None,
        "note": incident.note
        and {"text": incident.note.text, "by": incident.note.by, "at": to_iso(incident.note.at)},
        **networks_document(incident),
        "opinions": [_opinion(opinion) for opinion in incident.opinions],
        **hints_document(incident.hints),
    }


def networks_document(incident: Incident) -> Document:
    """When each network, region or the country saw it: one that was cut first keeps its own time."""
    return {
        "networks": [
            {
                "entity": network.entity,
                "targets": list(network.targets),
                "intervals": _pairs(network.intervals),
                "measurements": network.measurements,
                "probes": network.probes,
                "probability": round(network.probability, 4),
            }
            for network in incident.networks
        ]
    }


def _opinion(opinion: FamilyView) -> Document:
    return {
        "family": opinion.family,
        "says": str(opinion.says),
        "sources": list(opinion.sources),
        "entities": list(opinion.entities),
        "left": _level(opinion.left),
        "onset": _moment(opinion.onset),
        "raised_at": _moment(opinion.raised_at),
    }


def policing_document(slowed: "Policing") -> Document:
    """Whether a fixed limit or congestion held the speed down, and the evidence."""
    return {
        "cause": str(slowed.cause),
        "probes": slowed.probes,
        "slope": _estimate(slowed.slope),
        "kbps": _estimate(slowed.kbps),
    } | why_document([slowed.reason])


def _moment(instant: float | None) -> str | None:
    return None if instant is None else to_iso(instant)


def _pairs(intervals: tuple[Interval, ...]) -> list[list[str | None]]:
    return [[to_iso(interval.start), _moment(interval.end)] for interval in intervals]


def _users(incident: Incident) -> Document | None:
    """Without user figures all networks count alike, so it is a share of networks."""
    users = incident.users
    if users is None:
        return None
    figures = {"mean": users.mean, "low": users.low, "high": users.high, "observed": users.observed}
    share_of = "users" if counts_users(incident.country) else "networks"
    return {name: round(figure, 3) for name, figure in figures.items()} | {"share_of": share_of}


def users_of(document: Document) -> Document:
    """Its ``users_affected_share`` for columns that are named after users; empty = unknown, or of networks."""
    share: Document | None = document["users_affected_share"]
    return share if share and share["share_of"] == "users" else {}


def _estimate(estimate: Estimate | None) -> Document | None:
    if estimate is None:
        return None
    figures = {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}
    return {name: round(figure, 3) for name, figure in figures.items()}


def _level(level: Estimate | None) -> Document | None:
    """What is left of a baseline: typically, at worst, and now, or when it was last measured."""
    document = _estimate(level)
    if document is None or level is None:
        return None
    shares = {"worst": level.worst, "now": level.now, "last": level.last}
    rounded = {name: None if share is None else round(share, 3) for name, share in shares.items()}
    times = {"now_at": _moment(level.now_at), "last_at": _moment(level.last_at)}
    return document | rounded | times | {"now_of": level.now_of or None}


def series_document(series: "Series", licences: Sequence[str] = ()) -> Document:
    """A series of a public source; if its terms forbid passing on its values, they are ``null``.

    Args:
        licences: stated by the operator for their own tables.
    """
    from fanous.sources.publishers import SOURCES, terms  # all sources, which an incident need not wait for

    key, signal = series.key, SIGNALS[series.key.signal]
    source = SOURCES.get(key.source)
    licence, is_open = terms(key.source, licences)
    return {
        "country": key.place.country,
        "region": key.place.region or None,
        "network": key.place.asn or None,
        "target": target_of_series(key) or None,
        "signal": key.signal,
        "title": signal.title,
        "unit": signal.unit,
        "source": key.source or None,
        "subtype": key.subtype or None,
        "access": str(key.access),
        "resolver_network": key.resolver_asn or None,
        "step": series.step,
        "licence": licence,
        "credit": source.credit if source else "",
        "may_be_passed_on": is_open,
        "times": [to_iso(at) for at in series.times.tolist()] if is_open else None,
        "values": series.values.tolist() if is_open else None,
    }
