"""Pages: one module a page, each with a function from the store and a visit to the facts of its template."""

from fanous.web.answers import Maker, Page
from fanous.web.pages.about import corrections_facts, data_facts, methodology_facts
from fanous.web.pages.country import country_facts, network_facts
from fanous.web.pages.events import event_facts
from fanous.web.pages.home import countries_facts, now_facts
from fanous.web.pages.incident import (
    bibtex,
    card_picture,
    chart_png,
    chart_svg,
    incident_facts,
    incident_json,
    oembed,
    report_markdown,
    report_pdf,
    ris,
)
from fanous.web.pages.measurements import measurement_facts, measurement_json, measurements_facts
from fanous.web.pages.target import target_facts

PAGES: tuple[Page, ...] = (
    Page("/", "now.html", now_facts),
    Page("/countries", "countries.html", countries_facts),
    Page("/methodology", "methodology.html", methodology_facts),
    Page("/data", "data.html", data_facts),
    Page("/corrections", "corrections.html", corrections_facts),
    Page("/measurement/{uid:uid}", "measurement.html", measurement_facts),
    Page("/target/{target}", "target.html", target_facts),
    Page("/{country:country}", "country.html", country_facts),
    Page("/{country:country}/{network:network}", "network.html", network_facts),
    Page("/{country:country}/{id:incident}", "incident.html", incident_facts),
    Page("/{country:country}/{id:incident}/measurements", "measurements.html", measurements_facts),
    Page("/{country:country}/{event:event}", "event.html", event_facts),
    Page("/embed/{country:country}/{id:incident}", "embed.html", incident_facts),
)

_INCIDENT = "/{country:country}/{id:incident}"

RECORDS: dict[str, Maker] = {
    f"{_INCIDENT}/card.png": card_picture,
    f"{_INCIDENT}/chart.png": chart_png,
    f"{_INCIDENT}/report.pdf": report_pdf,
    f"{_INCIDENT}/report.md": report_markdown,
    f"{_INCIDENT}/chart.svg": chart_svg,
    f"{_INCIDENT}.json": incident_json,
    f"{_INCIDENT}.bib": bibtex,
    f"{_INCIDENT}.ris": ris,
    "/measurement/{uid:uid}.json": measurement_json,
    "/oembed": oembed,
}
"""What is no page: pictures, citations, and incidents for programs."""
