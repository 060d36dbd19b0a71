"""Incident: what, where, since when, how and for whom, and the evidence.

Its page and everything else below its path: pictures, citations, reports, JSON and CAP.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup
from starlette.exceptions import HTTPException

from fanous.analysis.incidents.course import main_stretch
from fanous.analysis.series.baselines import Spans
from fanous.analysis.series.signals import SIGNALS
from fanous.charts.counts import NARROW, WIDE, stacked
from fanous.charts.paint import png
from fanous.charts.plot import PartBar
from fanous.charts.reachability import Lines, beside, matrix
from fanous.config import split_url
from fanous.model.incident import Incident, NetworkPart, Says, Status
from fanous.model.instant import DAY, to_iso
from fanous.model.measurement import SERVICE
from fanous.model.place import Place
from fanous.publish import pictures
from fanous.publish.credits import credit_line
from fanous.publish.document import detailed_document, revision_document, sensitivity_document
from fanous.publish.edition import Past, claims_about, incident_path, spell, statements_of, stories, until_now
from fanous.publish.evidence.pack import LEVELS
from fanous.publish.feeds import CAP_MEDIA, cap
from fanous.publish.filter import THE_LINE
from fanous.publish.pictures import (
    around_of,
    incident_spans,
    known_around,
    lines_among,
    panels_of,
    reach,
    sheet_of,
)
from fanous.publish.report import (
    WHEN_NETWORKS,
    WHEN_REGIONS,
    Report,
    costs,
    gather,
    markdown,
    pdf,
    place_title,
)
from fanous.publish.witnesses import witness_rows
from fanous.questions.claims import lacking
from fanous.questions.country import known_until, unnamed
from fanous.questions.explore import QUANTITIES, control_targets
from fanous.refdata.countries import country_name, local
from fanous.refdata.users import user_weights
from fanous.sources.publishers import SOURCES, terms
from fanous.store.protocol import Store
from fanous.web.answers import JSON, PNG, SVG, Later, Reply, Visit
from fanous.web.pages.connectivity import connectivity
from fanous.web.pages.events import announced_beside
from fanous.web.routes import Facts, page, resource
from fanous.wording.headline import claim_line, led, nth_sentence, provenance_note
from fanous.wording.language import ENGLISH
from fanous.wording.narrative import methods, sentence
from fanous.wording.period import EXACT

MOST_BESIDE = 3
"""Targets shown that were not disrupted, since what still worked is half of the story."""

MOST_BARS = 8
MOST_REVISIONS = 12
MOST_HISTORY = 4


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of an incident, in two widths.

    Attributes:
        lines: what is drawn, for a script that reads it.
        has_others: it also shows other incidents.
    """

    lines: Lines
    wide: Markup
    narrow: Markup
    has_others: bool


@page("/{country:country}/{id:incident}", "incident.html")
@page("/embed/{country:country}/{id:incident}", "embed.html")
def incident_facts(store: Store, visit: Visit) -> Facts | None:
    incident = store.ledger.incident(visit.asked["id"])
    if incident is None or incident.country != visit.asked["country"]:
        return None
    store = store.of(incident.provenance)
    (story,) = stories(store, [incident])
    end = known_until(store, incident, visit.now)
    incidents = store.ledger.incidents(incident.country, synthetic=incident.provenance.is_synthetic)
    revisions = store.ledger.revisions(incident.id)
    announced, parts = announced_beside(store, incident), parts_of(incident)
    # How often the same was seen before:
    return {
        **pictured(store, incident, visit),
        "story": story,
        "incident": incident,
        "staged": incident.provenance.is_synthetic,
        "origin": None if incident.provenance.is_synthetic else provenance_note(incident, visit.language),
        "names": story.names,
        "announced": announced,
        "statements": statements_of(store, claims_about(store, incident, visit.now)),
        "methods": methods(incident, visit.language),
        "credit": credit_line(incident, visit.language),
        "cost": costs(incident, end, visit.language),
        "known_until": end,
        "saw": witness_rows(store, incident),
        "lacking": lacking(store, incident),
        "unnamed": () if visit.path.startswith("/embed") else unnamed(store, incident),
        "times": [(place_title(part, incident.country, story.names, visit.language), part) for part in parts],
        "when_title": WHEN_NETWORKS if any(part.asn for part in parts) else WHEN_REGIONS,
        "packable": incident.status is not Status.RETRACTED and not incident.held_by,
        "closed": visit.language.comma.join(map(visit.language.known, closed_sources(store, incident))),
        "history": [
            (
                led(
                    incident,
                    nth_sentence(row.name, row.count, row.since, incident.country, visit.language),
                    visit.language,
                ),
                past_filter(incident.country, row),
            )
            for row in until_now(incident, incidents)[:MOST_HISTORY]
        ],
        "comparisons": comparisons(incident, end),
        "series": series_behind(incident, end),
        "revisions": revisions[:1] + revisions[1:][-MOST_REVISIONS:],
        "revision": revisions[-1].n if revisions else 0,
        "spell": spell,
        "exact": EXACT,
    }


def pictured(store: Store, incident: Incident, visit: Visit) -> Facts:
    """Its chart, its networks by target, the traffic that was lost, and the series around it."""
    since, until = reach(store, incident, visit.now)
    votes = store.facts.votes(incident.country, since, until)
    published = store.facts.series_licences(incident.country)
    end, spans = min(until, visit.now), incident_spans(incident, visit.now)
    weights = user_weights(incident.country)
    shown = (store, incident.country, known_around(store, incident), since, end, visit, published, spans)
    measured: dict[str, Any] = {
        "during": main_of(incident, visit.now),
        "found": incident.opinions,
        "bars": [] if incident.targets else bars_of(store, incident, visit),
    }
    controls = [target for target in control_targets() if target not in incident.targets]
    others = sorted(beside(incident, votes, len(controls) + MOST_BESIDE), key=controls.__contains__)
    columns = [*incident.targets, *others[:MOST_BESIDE]]
    return {
        "matrix": matrix(incident, votes, columns, weights),
        "controls": controls,
        "weights": weights,
        "chart": chart_of(store, incident, lines_among(incident, votes, since, until), visit),
        "connectivity": connectivity(*shown, **measured) if published else None,
        "traffic": connectivity(*shown, incident.targets, **measured)
        if published and incident.is_of_traffic
        else None,
    }


def main_of(incident: Incident, now: float) -> Spans:
    """The stretch at whose level an outage stood, as its headline has it; without levels, all of the time it was on."""
    until = now if incident.seen_until is None else incident.seen_until
    main = main_stretch(incident.levels, incident.onset, until)
    if main is None:
        return [(span.start, span.end) for span in incident_spans(incident, now)]
    return [(main.start, until if main.end is None else main.end)]


def parts_of(incident: Incident) -> list[NetworkPart]:
    """Its regions and networks: those with most measurements first, those of series by who was cut first."""
    parts = [
        network for network in incident.networks if network.entity != incident.country and network.intervals
    ]
    if incident.evidence.probes:
        return sorted(parts, key=lambda part: -part.measurements)
    return sorted(parts, key=lambda part: (part.intervals[0].start, part.entity))


def bars_of(store: Store, incident: Incident, visit: Visit) -> list[PartBar]:
    """When each of its regions and networks was low, the first that fell on top; one without an end up to its newest
    value."""
    country, parts = incident.country, parts_of(incident)[:MOST_BARS]
    names, until = store.facts.networks(country), known_until(store, incident, visit.now)
    places = [Place(country, part.asn, "" if part.asn else part.entity) for part in parts]
    newest = dict[str, float]()
    for level in store.of(incident.provenance).facts.levels(country, incident.onset, until, entities=places):
        entity = str(level.key.place)
        newest[entity] = max(newest.get(entity, 0.0), float(level.times[-1] + level.step))

    def spans(part: NetworkPart) -> list[tuple[float, float]]:
        newest_of = newest.get(part.entity, until)
        return [(span.start, newest_of if span.end is None else span.end) for span in part.intervals]

    return [
        PartBar(place_title(part, country, names, visit.language) or part.entity, spans(part))
        for part in parts
    ]


def closed_sources(store: Store, incident: Incident) -> list[str]:
    """Titles of the sources whose values its bundle holds only as digests, since they may not be passed on."""
    if not (incident.is_of_line or incident.is_of_traffic):
        return []
    titles = {
        SOURCES[key.source].title: None
        for (key, _), licences in store.facts.series_licences(incident.country).items()
        if key.signal in LEVELS and key.source in SOURCES and not terms(key.source, licences).is_open
    }
    return list(titles)


def past_filter(country: str, row: Past) -> dict[str, str]:
    """Parameters of ``/incidents`` that list what a line of history counts."""
    name = f"{row.name}/{SERVICE}" if row.parts_too else row.name or THE_LINE
    return {"country": country, "target": name, "status": "sure"}


BEFORE_IT = 14 * DAY
"""How long before an incident its series are shown."""

MOST_COMPARED = 4
"""Networks, and targets, that Explore compares at once."""


def comparisons(incident: Incident, until: float) -> list[tuple[str, dict[str, str]]]:
    """For each target what Explore is asked, to compare the networks on which most measurements failed.

    Args:
        until: what is known of the incident ends here, unless it ended before (unix seconds).
    """
    asns = [
        network.asn
        for network in sorted(incident.networks, key=lambda network: -network.measurements)
        if network.asn
    ]
    if len(asns) < 2:
        return []
    first, last = (local(at, incident.country).date() for at in (incident.onset, incident.end or until))
    query = {
        "country": incident.country,
        "network": ",".join(f"AS{asn}" for asn in asns[:MOST_COMPARED]),
        "since": f"{first}",
        "until": f"{last}",
    }
    return [(target, query | {"target": target}) for target in incident.targets[:MOST_COMPARED] if target]


def series_behind(incident: Incident, until: float) -> list[tuple[str, dict[str, str]]]:
    """Title of each signal in which an outage or a loss of traffic was seen, and what Explore is asked to show it.

    Args:
        until: as of ``comparisons``.
    """
    seen = [text for opinion in incident.opinions if opinion.says is Says.DOWN for text in opinion.sources]
    signals = dict.fromkeys(text.partition(" ")[2] for text in seen)
    first = local(incident.onset - BEFORE_IT, incident.country).date()
    last = local(incident.end or until, incident.country).date()
    query = {"country": incident.country, "target": ",".join(filter(None, incident.targets))}
    query |= {"since": f"{first}", "until": f"{last}"}
    return [
        (SIGNALS[name].title, {"signal": name} | {key: value for key, value in query.items() if value})
        for name in signals
        if name in QUANTITIES
    ]


def chart_of(store: Store, incident: Incident, lines: Lines, visit: Visit) -> Chart | None:
    """``None`` = there is nothing to draw."""
    if not any(share is not None for line in lines.lines for share in line.shares):
        return None
    around = around_of(store, incident, lines)
    panels = panels_of(incident, lines, visit.now, visit.language, around.others)
    wide, narrow = (
        Markup(stacked(panels, sheet_of(incident, lines, visit.language, shape, around.marks), shape, mark))
        for shape, mark in ((WIDE, "w"), (NARROW, "n"))
    )
    return Chart(lines, wide, narrow, bool(around.others))


CARD_WIDTH, CHART_WIDTH = 1200, 1500
"""Pixels; for print, 1500 pixels are 12.7 cm at 300 dpi."""


def incident_asked(store: Store, visit: Visit) -> Incident | None:
    """The incident named in the path."""
    incident = store.ledger.incident(visit.asked["id"])
    return incident if incident and incident.country == visit.asked["country"] else None


@resource("/{country:country}/{id:incident}/card.png")
def card_picture(store: Store, visit: Visit) -> Later | None:
    incident = incident_asked(store, visit)
    if incident is None:
        return None
    drawn = pictures.card_svg(store, incident, visit)
    return lambda: Reply.of(png(drawn, CARD_WIDTH), PNG)


@resource("/{country:country}/{id:incident}/chart.svg")
def chart_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = _chart(store, visit)
    return Reply.of(drawn, SVG) if drawn else None


@resource("/{country:country}/{id:incident}/chart.png")
def chart_png(store: Store, visit: Visit) -> Later | None:
    drawn = _chart(store, visit)
    return (lambda: Reply.of(png(drawn, CHART_WIDTH), PNG)) if drawn else None


def _chart(store: Store, visit: Visit) -> str:
    """Empty = no such incident, or nothing to draw."""
    incident = incident_asked(store, visit)
    return pictures.chart_svg(store, incident, visit) if incident else ""


BIBTEX, RIS = "application/x-bibtex; charset=utf-8", "application/x-research-info-systems; charset=utf-8"

EMBED_WIDTH, EMBED_HEIGHT = 640, 420
INCIDENT_PATH = re.compile(r"/([A-Z]{2})/([A-Z]{2}-\d{4}-\d{4,6})/?")
TEX_SPECIAL = re.compile(r"([&%$#_{}])")
"""Special characters of TeX; backslash, tilde and circumflex have their own commands."""


@resource("/{country:country}/{id:incident}.json")
def incident_json(store: Store, visit: Visit) -> Reply | None:
    """As ``fanous incidents show --json`` gives it, with its sentence and its address."""
    incident = incident_asked(store, visit)
    if incident is None:
        return None
    history = [revision_document(revision) for revision in store.ledger.revisions(incident.id)]
    document = detailed_document(incident) | {
        "sentence": sentence(incident),
        "url": visit.permanent(incident_path(incident)),
        "synthetic": incident.provenance.is_synthetic,
        "revisions": history,
        **sensitivity_document(unnamed(store, incident)),
    }
    return Reply.of(msgspec.json.format(msgspec.json.encode(document), indent=2), JSON)


@resource("/{country:country}/{id:incident}.bib")
def bibtex(store: Store, visit: Visit) -> Reply | None:
    incident = incident_asked(store, visit)
    if incident is None:
        return None
    title, at, revision = _cited(store, incident)
    fields = {
        "author": "{Fanous}",
        "title": f"{{{tex(title)}}}",
        "year": at[:4],
        "date": at,
        "type": f"Incident {incident.id}, revision {revision}",
        "note": tex(credit_line(incident, ENGLISH)),
        "howpublished": f"\\url{{{visit.permanent(incident_path(incident))}}}",
        "keywords": f"internet shutdown, {tex(country_name(incident.country))}, {incident.kind}",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Reply.of(f"@misc{{fanous-{incident.id},\n{lines}\n}}\n", BIBTEX)


@resource("/{country:country}/{id:incident}.ris")
def ris(store: Store, visit: Visit) -> Reply | None:
    incident = incident_asked(store, visit)
    if incident is None:
        return None
    title, at, revision = _cited(store, incident)
    lines = [
        ("TY", "ELEC"),
        ("AU", "Fanous"),
        ("TI", title),
        ("PY", at[:4]),
        ("DA", at.replace("-", "/")),
        ("ID", incident.id),
        ("ET", f"revision {revision}"),
        ("N1", credit_line(incident, ENGLISH)),
        ("UR", visit.permanent(incident_path(incident))),
        ("ER", ""),
    ]
    return Reply.of("".join(f"{tag}  - {' '.join(value.split())}\r\n" for tag, value in lines), RIS)


@resource("/{country:country}/{id:incident}.cap")
def common_alert(store: Store, visit: Visit) -> Reply | None:
    """Its latest revision as an alert for warning systems (CAP)."""
    incident = incident_asked(store, visit)
    return Reply.of(cap(store, incident, visit), CAP_MEDIA) if incident else None


def tex(text: str) -> str:
    """Text escaped for TeX."""
    words = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    pieces = re.split(r"([\\~^])", text)
    return "".join(words.get(piece, TEX_SPECIAL.sub(r"\\\1", piece)) for piece in pieces)


def _cited(store: Store, incident: Incident) -> tuple[str, str, int]:
    """Title, date (``2023-12-17``) and number of the latest revision."""
    title = claim_line(incident, store.of(incident.provenance).facts.networks(incident.country), ENGLISH).text
    revisions = store.ledger.revisions(incident.id)
    at, number = (revisions[-1].at, revisions[-1].n) if revisions else (incident.onset, 1)
    return title, to_iso(at)[:10], number


OEMBED_ASKS = {"url": ".{0,300}", "format": ".{0,20}", "maxwidth": ".{0,20}", "maxheight": ".{0,20}"}


@resource("/oembed", asks=OEMBED_ASKS)
def oembed(store: Store, visit: Visit) -> Reply | None:
    """oEmbed 1.0, type ``rich``: an ``<iframe>`` with the chart of an incident of this site; it needs a public
    address, since it is shown on others."""
    if visit.asked.get("format", "json") != "json":
        raise HTTPException(501)
    address = split_url(visit.asked.get("url", ""))
    is_ours = address is not None and bool(visit.base) and address.netloc == urlsplit(visit.base).netloc
    match = INCIDENT_PATH.fullmatch(address.path) if address is not None and is_ours else None
    incident = store.ledger.incident(match[2]) if match else None
    if incident is None or match is None or incident.country != match[1]:
        return None
    title = claim_line(
        incident, store.of(incident.provenance).facts.networks(incident.country), visit.language
    ).text
    frame = visit.permanent(f"/embed{incident_path(incident)}")
    width = _at_most(EMBED_WIDTH, visit.asked.get("maxwidth", ""))
    height = _at_most(EMBED_HEIGHT, visit.asked.get("maxheight", ""))
    document = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": "Fanous",
        "provider_url": visit.permanent("/"),
        "width": width,
        "height": height,
        "html": f'<iframe src="{frame}" width="{width}" height="{height}" '
        'style="border:0" loading="lazy"></iframe>',
        "thumbnail_url": visit.permanent(f"{incident_path(incident)}/card.png"),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
    }
    return Reply.of(msgspec.json.encode(document), JSON)


def _at_most(ordinary: int, asked: str) -> int:
    """The requested size, up to the usual one."""
    return (
        min(ordinary, int(asked)) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 6 else ordinary
    )


PDF, MARKDOWN = "application/pdf", "text/markdown; charset=utf-8"


def _report(store: Store, visit: Visit) -> Report | None:
    incident = incident_asked(store, visit)
    return None if incident is None else gather(store, incident, visit.language, visit.base)


@resource("/{country:country}/{id:incident}/report.pdf")
def report_pdf(store: Store, visit: Visit) -> Later | None:
    """Printed outside the store's thread."""
    report = _report(store, visit)
    return None if report is None else lambda: Reply.of(pdf(report), PDF)


@resource("/{country:country}/{id:incident}/report.md")
def report_markdown(store: Store, visit: Visit) -> Reply | None:
    report = _report(store, visit)
    return None if report is None else Reply.of(markdown(report), MARKDOWN)
