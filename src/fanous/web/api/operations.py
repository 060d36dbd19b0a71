"""Operations: every address of the API, with the types of its question and its answer.

The functions read in the store's thread and return the document as bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from fanous.analysis.cost import cost_of, of_incident
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, to_iso
from fanous.pipeline.claims import corrections as corrections_of
from fanous.publish.document import (
    Document,
    correction_document,
    detailed_document,
    incident_document,
    revision_document,
)
from fanous.publish.edition import incident_path
from fanous.refdata.economies import economy
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store
from fanous.web.api.query import Key, Wrong, cursor_of, moment, place_of
from fanous.web.api.types import (
    Corrections,
    Cost,
    Countries,
    Detailed,
    Incidents,
    IncidentsQuery,
    Label,
    NoQuery,
    PageQuery,
    checked,
)
from fanous.web.routes import Site
from fanous.wording.cost import cost_document
from fanous.wording.narrative import sentence

LATELY = 7 * DAY

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asked:
    """Attributes:
    base: public address without a slash at its end.
    path: parts of the path.
    """

    site: Site
    base: str
    path: Mapping[str, str]
    query: msgspec.Struct


def incidents(store: Store, asked: Asked) -> bytes:
    """The newest first."""
    query = asked.query
    assert isinstance(query, IncidentsQuery)
    since, until = moment(query.since, "since"), moment(query.until, "until")
    found = [one for one in store.ledger.incidents(query.country or None, since, until) if _fits(one, query)]
    page, after = _page(found, [(-int(one.onset), one.id, 0) for one in found], query)
    listed = [_about(one, asked) | incident_document(one) for one in page]
    return checked({"incidents": listed, "next": after}, Incidents)


def _fits(one: Incident, query: IncidentsQuery) -> bool:
    return (
        (not query.status or one.status == query.status)
        and (not query.kind or one.kind == query.kind)
        and (not query.target or target_of(query.target) in one.targets)
        and (not query.network or f"AS{query.network}" in one.entities)
    )


def _page(items: Sequence[Item], keys: Sequence[Key], query: PageQuery) -> tuple[list[Item], str | None]:
    """The items after the cursor, and the next cursor; items that arrive in between shift nothing."""
    place = place_of(query.cursor or None)
    ordered = sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])
    rest = [pair for pair in ordered if place is None or pair[0] > place]
    shown = rest[: query.limit]
    more = len(rest) > len(shown)
    return [item for _, item in shown], cursor_of(shown[-1][0]) if more else None


def _about(one: Incident, asked: Asked) -> Document:
    return {
        "country": one.country,
        "url": f"{asked.base}{incident_path(one)}",
        "sentence": sentence(one),
        "synthetic": one.provenance.is_synthetic,
    }


def incident(store: Store, asked: Asked) -> bytes:
    one = _found(store, asked)
    document: dict[str, Any] = detailed_document(one) | _about(one, asked)
    document["revisions"] = [revision_document(each) for each in store.ledger.revisions(one.id)]
    return checked(document, Detailed)


def cost(store: Store, asked: Asked) -> bytes:
    one = _found(store, asked)
    if one.status is Status.RETRACTED:
        raise Wrong(404, f"{one.id} was retracted, so no cost is estimated")
    found = cost_of(of_incident(one, asked.site.clock()), economy(one.country))
    return checked({"incident": one.id, "provenance": str(one.provenance)} | cost_document(found), Cost)


def _found(store: Store, asked: Asked) -> Incident:
    one = store.ledger.incident(asked.path["id"])
    if one is None:
        raise Wrong(404, f"there is no incident {asked.path['id']}")
    return one


def corrections(store: Store, asked: Asked) -> bytes:
    """The newest first."""
    query = asked.query
    assert isinstance(query, PageQuery)
    found = corrections_of(store, query.country or None)
    page, after = _page(found, [(-int(one.at), one.incident, one.n) for one in found], query)
    listed = [correction_document(one) for one in page]
    return checked({"corrections": listed, "next": after}, Corrections)


def countries(store: Store, asked: Asked) -> bytes:
    """All countries that were ever measured or have an incident."""
    now = asked.site.clock()
    store = store.about()
    known = store.ledger.incidents(synthetic=store.is_synthetic)
    heard: dict[str, float] = {}
    for one in store.facts.heard(now - LATELY, now + 1):
        heard[one.country] = max(one.at, heard.get(one.country, 0.0))
    names = sorted({*store.facts.countries(), *heard, *(one.country for one in known)} - {"ZZ"})
    listed = [
        {
            "country": name,
            "synthetic": store.is_synthetic,
            "confirmed": sum(_is(one, name, Status.CONFIRMED) for one in known),
            "suspected": sum(_is(one, name, Status.SUSPECTED) for one in known),
            "last_heard": to_iso(heard[name]) if name in heard else None,
        }
        for name in names
    ]
    return checked({"countries": listed}, Countries)


def _is(one: Incident, country: str, status: Status) -> bool:
    return one.country == country and one.status is status and one.is_open


ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """Attributes:
    path: below ``ROOT``, with ``{id}`` for the label of an incident.
    """

    name: str
    path: str
    summary: str
    query: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    make: Callable[[Store, Asked], bytes]


OPERATIONS = (
    Operation(
        "listIncidents",
        "/incidents",
        "Incidents, the newest first",
        IncidentsQuery,
        Incidents,
        incidents,
    ),
    Operation(
        "getIncident",
        "/incidents/{id}",
        "One incident with its revisions",
        NoQuery,
        Detailed,
        incident,
    ),
    Operation("getCost", "/incidents/{id}/cost", "What it may cost, by method", NoQuery, Cost, cost),
    Operation(
        "listCorrections",
        "/corrections",
        "What was claimed and taken back",
        PageQuery,
        Corrections,
        corrections,
    ),
    Operation("listCountries", "/countries", "What is known where", NoQuery, Countries, countries),
)

LABEL = Label
