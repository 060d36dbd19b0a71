"""Pages: one module a page, each with a function from the store and a visit to the facts of its template."""

from fanous.web.answers import Maker
from fanous.web.page import Page
from fanous.web.pages.corrections import corrections_facts
from fanous.web.pages.countries import countries_facts
from fanous.web.pages.country import country_facts
from fanous.web.pages.data import data_facts
from fanous.web.pages.event import event_facts
from fanous.web.pages.home import now_facts
from fanous.web.pages.incident import incident_facts
from fanous.web.pages.measurements import measurement_facts, measurement_json, measurements_facts
from fanous.web.pages.methodology import methodology_facts
from fanous.web.pages.network import network_facts
from fanous.web.pages.pictures import card_picture, chart_png, chart_svg
from fanous.web.pages.records import bibtex, incident_json, oembed, ris
from fanous.web.pages.reports import report_markdown, report_pdf
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
