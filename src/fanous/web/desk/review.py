"""Review: incidents that wait for a person, their evidence, and the decision."""

from collections.abc import Mapping
from typing import Any

from fanous.analysis.incidents.revision import released
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.pipeline.actions import Action, Annotate, Approve, Hold, Merge, NameRole, Retract
from fanous.publish.edition import Story, lately_over, open_ones, stories
from fanous.publish.witnesses import witness_rows
from fanous.sources.ics import EventLeftOut
from fanous.store.ledger import Revision
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.desk.form import Refusal, check_signed
from fanous.web.pages.incident import pictured
from fanous.web.pages.measurements import listed_facts
from fanous.web.routes import Facts

MOST_LISTED = 60
NEAR = 14 * DAY
"""Seconds: incidents in the same country this close in time may be one event."""


def queue_facts(store: Store, visit: Visit) -> Facts:
    """Incidents waiting for review, oldest first, and others that are open or ended recently."""
    every = store.ledger.incidents()
    waiting = [one for one in every if one.awaits_review]
    others = [one for one in every if not one.awaits_review]
    return {
        "waiting": stories(store, waiting[:MOST_LISTED]),
        "going_on": stories(store, open_ones(others)[:MOST_LISTED]),
        "ended": stories(store, lately_over(others, visit.now)),
        "released": released,
        "holds_national": store.ledger.holds_national(),
        "hides_held": store.ledger.hides_held(),
    }


def incident_facts(store: Store, visit: Visit) -> Facts | None:
    """One incident: as it is, as it would be after approval, and what it rests on."""
    incident = store.ledger.incident(visit.asked["id"])
    if incident is None:
        return None
    own = store.of(incident.provenance)
    (story,) = stories(own, [incident])
    revisions = store.ledger.revisions(incident.id)
    known = store.ledger.incidents(incident.country, synthetic=own.is_synthetic)
    return {
        **pictured(own, incident, known, visit),
        "story": story,
        "incident": incident,
        "names": story.names,
        "after": released(incident),
        "saw": witness_rows(own, incident),
        "revisions": revisions,
        "seen": _latest(revisions),
        "near": _near(store, incident),
        "signers": _signers(revisions),
        "is_public": store.for_readers().ledger.incident(incident.id) is not None,
        "can_decide": incident.status is not Status.RETRACTED,
    }


def measurements_facts(store: Store, visit: Visit) -> Facts | None:
    """What an incident rests on, measurement by measurement, whether or not readers see it."""
    incident = store.ledger.incident(visit.asked["id"])
    return None if incident is None else listed_facts(store.of(incident.provenance), incident, visit)


def _near(store: Store, incident: Incident) -> list[Story]:
    """Other incidents of the country at about the same time that it may be part of."""
    last = incident.onset if incident.end is None else incident.end
    found = store.ledger.incidents(
        incident.country, incident.onset - NEAR, last + NEAR, synthetic=incident.provenance.is_synthetic
    )
    fitting = [
        one
        for one in found
        if one.id != incident.id and one.status is not Status.RETRACTED and not one.held_by
    ]
    return stories(store, fitting[:MOST_LISTED])


def _signers(revisions: list[Revision]) -> list[str]:
    """Everyone who has signed something about it."""
    reasons = [reason for one in revisions for reason in (*one.reasons, *one.incident.reasons)]
    by = [str(reason.params["by"]) for reason in reasons if "by" in reason.params]
    notes = [one.incident.note.by for one in revisions if one.incident.note]
    return list(dict.fromkeys([*by, *notes]))


def check_seen(store: Store, form: Mapping[str, str], path: Mapping[str, Any]) -> None:
    """Refuse a decision on a revision that is no longer the latest: a colleague or new data may have changed what
    would be published.

    Raises:
        Refusal: it was revised.
    """
    if "seen" in form and form["seen"] != str(_latest(store.ledger.revisions(path["id"]))):
        raise Refusal("revised")


def _latest(revisions: list[Revision]) -> int:
    return revisions[-1].n if revisions else 0


def decision_of(form: Mapping[str, str], path: Mapping[str, Any], _left: list[EventLeftOut]) -> Action:
    """The decision that the pressed button names."""
    label, by, text = path["id"], form.get("by", ""), form.get("text", "")
    decision = form.get("decision")
    if decision in ("approve", "hold", "note"):
        check_signed(form)
    elif decision in ("retract", "merge"):
        check_signed(form, text)
    match decision:
        case "approve":
            return Approve(label, by, text)
        case "hold":
            return Hold(label, by, text)
        case "retract":
            return Retract(label, by, text)
        case "note":
            return Annotate(label, by, text)
        case "merge":
            return Merge(label, form.get("into", ""), by, text)
        case "role":
            return NameRole(form.get("name", ""), form.get("role", ""))
    raise FanousError("press one of the buttons: the form names no decision")
