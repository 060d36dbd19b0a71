"""CAP: an incident as an alert of the Common Alerting Protocol 1.2 (OASIS), for warning systems.

Severity is always *Unknown*: Fanous measures networks and judges no harm.  A recorded event has the status
*Exercise*.  A retracted claim is a *Cancel* of all that was said before.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

from fanous.model.incident import Incident, Status
from fanous.publish.edition import Edition
from fanous.publish.feeds.atom import xml_text
from fanous.publish.stories import incident_path
from fanous.refdata.countries import country_name
from fanous.store.ledger import Revision
from fanous.store.protocol import Store
from fanous.wording.narrative import claim_line, sentences

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA = "application/cap+xml; charset=utf-8"

CERTAINTY = {Status.CONFIRMED: "Observed", Status.SUSPECTED: "Possible", Status.RETRACTED: "Unlikely"}
"""Of an ended one: what it was."""


def cap(store: Store, incident: Incident, edition: Edition) -> bytes:
    """Its latest revision."""
    ElementTree.register_namespace("", CAP)
    root = ElementTree.Element(f"{{{CAP}}}alert")
    revisions = store.revisions(incident.id)
    _head(root, incident, revisions, edition)
    _info(ElementTree.SubElement(root, f"{{{CAP}}}info"), store, incident, edition)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _head(
    root: ElementTree.Element, incident: Incident, revisions: Sequence[Revision], edition: Edition
) -> None:
    kind = "Alert" if len(revisions) == 1 else "Update"
    kind = "Cancel" if incident.status is Status.RETRACTED else kind
    last = revisions[-1]
    _text(root, "identifier", _identifier(incident.id, last.n))
    _text(root, "sender", sender_of(edition))
    _text(root, "sent", moment(last.at))
    _text(root, "status", "Exercise" if edition.notice else "Actual")
    _text(root, "msgType", kind)
    _text(root, "scope", "Public")
    if edition.notice:
        _text(root, "note", edition.notice)
    if len(revisions) > 1:
        said = [
            f"{sender_of(edition)},{_identifier(incident.id, r.n)},{moment(r.at)}" for r in revisions[:-1]
        ]
        _text(root, "references", " ".join(said))


def _identifier(label: str, n: int) -> str:
    """Without blanks, commas, < and &, as the standard demands."""
    return f"fanous.{label}.{n}"


def sender_of(edition: Edition) -> str:
    return f"fanous@{urlsplit(edition.base).hostname or 'localhost'}"


def moment(instant: float) -> str:
    """The standard allows no ``Z`` for UTC."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}-00:00"


def _info(info: ElementTree.Element, store: Store, incident: Incident, edition: Edition) -> None:
    names = store.networks(incident.country)
    told = sentences(incident, names, edition.language)
    _text(info, "language", edition.language.code)
    _text(info, "category", "Infra")
    _text(info, "event", f"internet {incident.kind}")
    _text(info, "urgency", "Past" if incident.status in (Status.ENDED, Status.RETRACTED) else "Immediate")
    _text(info, "severity", "Unknown")
    _text(info, "certainty", _certainty(incident))
    _text(info, "onset", moment(incident.onset))
    if incident.end is not None:
        _text(info, "expires", moment(incident.end))
    _text(info, "senderName", "Fanous")
    _text(info, "headline", claim_line(incident, names, edition.language).text)
    _text(info, "description", " ".join(one.text for one in told))
    _text(info, "web", edition.permanent(incident_path(incident)))
    for name in ("status", "kind", "scope"):
        _named(info, "parameter", f"fanous:{name}", str(getattr(incident, name)))
    area = ElementTree.SubElement(info, f"{{{CAP}}}area")
    _text(area, "areaDesc", country_name(incident.country, edition.language.code))
    _named(area, "geocode", "ISO3166-1", incident.country)


def _certainty(incident: Incident) -> str:
    if incident.status is Status.ENDED:
        return "Possible" if incident.confirmed_at is None else "Observed"
    return CERTAINTY[incident.status]


def _named(parent: ElementTree.Element, name: str, key: str, value: str) -> None:
    element = ElementTree.SubElement(parent, f"{{{CAP}}}{name}")
    _text(element, "valueName", key)
    _text(element, "value", value)


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{CAP}}}{name}").text = xml_text(text)
