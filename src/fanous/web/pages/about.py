"""About: pages about Fanous itself - its method, data and corrections - and how to follow it.

The method page shows the rules and thresholds in use.
"""

from urllib.parse import urlsplit

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.interference import BLOCKING, DETECTOR_VERSION
from fanous.analysis.incidents import confirm, interference, networks, outage, scope
from fanous.analysis.incidents.assemble import UNCONFIRMED
from fanous.analysis.rules import RULES, RULES_VERSION
from fanous.analysis.series.signals import SIGNALS
from fanous.base.text import printable
from fanous.collector import volunteers
from fanous.publish.edition import web_address
from fanous.publish.feeds import corrections_feed
from fanous.publish.filter import PATTERNS, IncidentFilter, began_text
from fanous.questions.claims import by_month, corrections, method_changes
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.pages.events import announced
from fanous.web.routes import Facts, page
from fanous.wording.reasons import method_said


@page("/methodology", "methodology.html", title="Method", place=6)
def methodology_facts(_store: Store, _visit: Visit) -> Facts:
    return {
        "rules": RULES,
        "rules_version": RULES_VERSION,
        "detector_version": DETECTOR_VERSION,
        "interference": BLOCKING,
        "confirm": confirm,
        "networks": networks,
        "scope": scope,
        "caps": interference,
        "unconfirmed": UNCONFIRMED,
        "outage": outage,
        "level": DROP.options,
        "levels": [signal for signal in SIGNALS.values() if signal.is_quantity],
    }


MOST_COUNTRIES = 40
"""Countries that are queried for public series, since a worldwide monitor has the same sources in each."""


@page("/data", "data.html", title="Data", place=7)
def data_facts(store: Store, _visit: Visit) -> Facts:
    """Licences of every source that could be in this store, and when each public one last delivered data."""
    fetched: dict[str, float] = {}
    store = store.about()
    for country in store.facts.countries()[:MOST_COUNTRIES]:
        for source, at in store.facts.series_fetched(country).items():
            fetched[source] = max(at, fetched.get(source, at))
    return {
        "records": [SOURCES[name] for name in MEASUREMENT_SOURCES],
        "series": [(source, fetched.get(source.name)) for source in SOURCES.values() if source.has_series],
    }


@page("/privacy", "privacy.html")
def privacy_facts(_store: Store, _visit: Visit) -> Facts:
    return {"days": volunteers.WITHIN}


MOST_CORRECTIONS = 100
MOST_MONTHS = 36


@page("/corrections", "corrections.html", feed=corrections_feed)
def corrections_facts(store: Store, visit: Visit) -> Facts:
    listed = corrections(store)
    return {
        "methods": [method_said(change, visit.language) for change in method_changes(store)],
        "corrections": listed[:MOST_CORRECTIONS],
        "more": max(0, len(listed) - MOST_CORRECTIONS),
        "months": [
            (month, began_text(month, visit.language), n) for month, n in by_month(listed)[:MOST_MONTHS]
        ],
    }


@page("/subscribe", "subscribe.html", asks=PATTERNS)
def subscribe_facts(store: Store, visit: Visit) -> Facts:
    """Every way to follow what a reader is looking at: feeds, a calendar, alerts, the operator's channels."""
    wanted = IncidentFilter.of(visit.asked)
    return {
        "wanted": wanted,
        "title": wanted.title(visit.language),
        "of_events": {"country": wanted.country} if wanted.country else {},
        "ahead": sum(one.end > visit.now for one in announced(store, visit)),
        "channels": [
            (address, channel_name(address)) for address in visit.site.channels if web_address(address)
        ],
    }


def channel_name(address: str) -> str:
    """``t.me/fanous``."""
    parts = urlsplit(address)
    return printable(f"{parts.netloc}{parts.path}".rstrip("/"))
