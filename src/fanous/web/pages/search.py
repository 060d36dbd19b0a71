"""Search: what matches the words in the field at the top of every page, likeliest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fanous.base.text import printable
from fanous.publish.edition import stories
from fanous.questions.search import LONGEST, SearchResult, Sought, search
from fanous.refdata.countries import country_name
from fanous.refdata.networks import network_title
from fanous.store.protocol import Store
from fanous.web.answers import Elsewhere, Reply, Visit
from fanous.web.pages.explore_common import address
from fanous.web.routes import Facts, page, resource
from fanous.wording import clocks
from fanous.wording.headline import headline
from fanous.wording.language import Language
from fanous.wording.words import target_title

ASKS = {"q": rf"[^\x00-\x1f\x7f]{{1,{LONGEST}}}"}
MOST_SUGGESTED = 8


@dataclass(frozen=True, slots=True)
class ExploreLink:
    """A question for *Explore*, and its title."""

    title: str
    path: str


def explore_link(result: SearchResult, visit: Visit) -> ExploreLink | None:
    """Explore with the places, targets and dates that a query names; ``None`` = it names too little."""
    sought, asns = result.sought, result.asns[:4]
    if not (sought.targets or asns or (sought.countries and sought.days)):
        return None
    language = visit.language
    name_of = {network.asn: network.name for network in result.networks}
    countries = sought.countries or tuple(
        {network.country for network in result.networks if network.asn in asns}
    )
    query = {
        "country": ",".join(countries[:4]),
        "network": ",".join(f"AS{asn}" for asn in asns),
        "target": ",".join(sought.targets[:4]),
    }
    titles = [target_title(target) for target in sought.targets]
    titles += [network_title(asn, name_of) or f"AS{asn}" for asn in asns]
    titles += [country_name(code, language.code) for code in countries]
    if sought.days:
        first, last = sought.days
        query |= {"since": f"{first}", "until": f"{last}"}
        titles.append(dates_of(sought, language))
    if visit.named:
        query["lang"] = language.code
    path = address("/explore", {name: value for name, value in query.items() if value})
    return ExploreLink(" · ".join(map(language.apart, titles)), path)


def dates_of(sought: Sought, language: Language) -> str:
    """``2023``, or the first and the last day."""
    assert sought.days is not None
    first, last = sought.days
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        years = f"{first.year}" if first.year == last.year else f"{first.year}–{last.year}"
        return language.in_digits(years)
    from datetime import datetime

    return clocks.days_between(
        datetime(first.year, first.month, first.day), datetime(last.year, last.month, last.day), language
    )


@page("/search", "search.html", asks=ASKS)
def search_facts(store: Store, visit: Visit) -> Facts:
    text, result = asked(store, visit)
    return {
        "text": text,
        "found": result,
        "staged": False,
        "explore": explore_link(result, visit),
        "listed": stories(store, result.incidents),
        "first": result.sought.parts > 1 or bool(result.sought.label or result.sought.kinds),
        "path_of": lambda target: f"/target/{target}",
    }


def asked(store: Store, visit: Visit) -> tuple[str, SearchResult]:
    """The query, with one space between its words, and its matches."""
    query = visit.asked.get("q", "")
    text = printable(query)
    if text != query:
        raise Elsewhere(visit.link(visit.path, **({"q": text} if text else {})))
    return text, search(store, text, visit.language)


@resource("/search.json", asks=ASKS)
def search_json(store: Store, visit: Visit) -> Reply:
    """Suggestions while a reader types: title and path, the likeliest first."""
    _, result = asked(store, visit)
    items = suggestions(store, result, visit)[:MOST_SUGGESTED]
    return Reply.of(msgspec.json.encode({"suggestions": items}), "application/json")


def suggestions(store: Store, result: SearchResult, visit: Visit) -> list[Mapping[str, Any]]:
    language = visit.language
    items: list[tuple[str, str]] = []
    link = explore_link(result, visit)
    titles = [
        (headline(story.incident, story.names, language).text, visit.link(story.path))
        for story in stories(store, result.incidents)
    ]
    pages = [(country_name(code, language.code), visit.link(f"/{code}")) for code in result.countries]
    pages += [(target_title(target), visit.link(f"/target/{target}")) for target in result.targets]
    pages += [
        (
            network_title(network.asn, {network.asn: network.name}) or f"AS{network.asn}",
            visit.link(f"/{network.country}/AS{network.asn}"),
        )
        for network in result.networks
    ]
    links = [(link.title, link.path)] if link else []
    items = [*titles[:4], *links, *pages] if result.sought.parts > 1 else [*pages, *links, *titles]
    items += [(printable(event.title), visit.link(f"/{event.country}/{event.id}")) for event in result.events]
    return [{"title": title, "path": path} for title, path in items]
