"""Records: an incident for programs and reference lists - JSON, BibTeX, RIS, oEmbed."""

import re
from urllib.parse import urlsplit

import msgspec

from fanous.model.incident import Incident
from fanous.model.instant import to_iso
from fanous.publish.document import detailed_document
from fanous.publish.stories import incident_path
from fanous.refdata.countries import country_name
from fanous.store.protocol import Store
from fanous.web.pages.pictures import found
from fanous.web.reply import Reply
from fanous.web.visit import Visit
from fanous.wording.language import ENGLISH
from fanous.wording.narrative import headline
from fanous.wording.sentence import sentence

JSON = "application/json"
BIBTEX, RIS = "application/x-bibtex; charset=utf-8", "application/x-research-info-systems; charset=utf-8"

EMBED_WIDTH, EMBED_HEIGHT = 640, 420
PATH = re.compile(r"/([A-Z]{2})/([A-Z]{2}-\d{4}-\d{4,6})/?")
SPECIAL = re.compile(r"([&%$#_{}])")
"""Of TeX; the backslash, the tilde and the circumflex have words of their own."""


def incident_json(store: Store, visit: Visit) -> Reply | None:
    """As ``fanous incidents show --json`` gives it, with its sentence and its address."""
    incident = found(store, visit)
    if incident is None:
        return None
    history = [
        {"n": one.n, "at": to_iso(one.at), "status": str(one.incident.status), "reason": one.reason}
        for one in store.revisions(incident.id)
    ]
    document = detailed_document(incident) | {
        "sentence": sentence(incident, store.networks(incident.country)),
        "url": visit.permanent(incident_path(incident)),
        "synthetic": bool(visit.site.notice),
        "revisions": history,
    }
    return Reply.of(msgspec.json.format(msgspec.json.encode(document), indent=2), JSON)


def bibtex(store: Store, visit: Visit) -> Reply | None:
    incident = found(store, visit)
    if incident is None:
        return None
    title, year, revision = _cited(store, incident)
    fields = {
        "author": "{Fanous}",
        "title": f"{{{tex(title)}}}",
        "year": year,
        "type": f"Incident {incident.id}, revision {revision}",
        "howpublished": f"\\url{{{visit.permanent(incident_path(incident))}}}",
        "keywords": f"internet shutdown, {tex(country_name(incident.country))}, {incident.kind}",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Reply.of(f"@misc{{fanous-{incident.id},\n{lines}\n}}\n", BIBTEX)


def ris(store: Store, visit: Visit) -> Reply | None:
    incident = found(store, visit)
    if incident is None:
        return None
    title, year, revision = _cited(store, incident)
    lines = [
        ("TY", "ELEC"),
        ("AU", "Fanous"),
        ("TI", title),
        ("PY", year),
        ("DA", to_iso(incident.onset)[:10].replace("-", "/")),
        ("ID", incident.id),
        ("ET", f"revision {revision}"),
        ("UR", visit.permanent(incident_path(incident))),
        ("ER", ""),
    ]
    return Reply.of("".join(f"{tag}  - {' '.join(value.split())}\r\n" for tag, value in lines), RIS)


def tex(text: str) -> str:
    """Text that TeX takes as text."""
    words = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    pieces = re.split(r"([\\~^])", text)
    return "".join(words.get(piece, SPECIAL.sub(r"\\\1", piece)) for piece in pieces)


def _cited(store: Store, incident: Incident) -> tuple[str, str, int]:
    """Title, year of the event, revision."""
    title = headline(incident, store.networks(incident.country), ENGLISH).text
    revisions = store.revisions(incident.id)
    return title, to_iso(incident.onset)[:4], revisions[-1].n if revisions else 1


def oembed(store: Store, visit: Visit) -> Reply | None:
    """oEmbed 1.0, type ``rich``: an ``<iframe>`` with the chart of an incident of this site."""
    match = PATH.fullmatch(urlsplit(visit.asked.get("url", "")).path)
    incident = store.incident(match[2]) if match else None
    if incident is None or match is None or incident.country != match[1]:
        return None
    title = headline(incident, store.networks(incident.country), visit.language).text
    address = visit.permanent(f"/embed{incident_path(incident)}")
    document = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": "Fanous",
        "provider_url": visit.permanent("/"),
        "width": EMBED_WIDTH,
        "height": EMBED_HEIGHT,
        "html": f'<iframe src="{address}" width="{EMBED_WIDTH}" height="{EMBED_HEIGHT}" '
        'style="border:0" loading="lazy"></iframe>',
        "thumbnail_url": visit.permanent(f"{incident_path(incident)}/card.png"),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
    }
    return Reply.of(msgspec.json.encode(document), JSON)
