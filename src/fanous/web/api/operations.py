"""Operations: every address of the API, with the types of its question and its answer.

The functions read in the store's thread and return the document as bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from fanous.analysis.cost import cost_of, of_incident
from fanous.analysis.series.signals import target_of_series
from fanous.model.incident import Incident, Status
from fanous.model.instant import from_iso, to_iso
from fanous.publish.credits import licences_of
from fanous.publish.document import (
    Document,
    correction_document,
    detailed_document,
    incident_document,
    known_document,
    revision_document,
    sensitivity_document,
    series_document,
)
from fanous.publish.edition import incident_path
from fanous.questions.claims import corrections as corrections_of
from fanous.questions.country import data_ended, known_until, last_heard, unnamed
from fanous.questions.explore import (
    ExploreQuestion,
    TooMuch,
    counted_ones,
    quantities,
    shown,
    sources_counted,
)
from fanous.questions.explore import aggregate as counted_along
from fanous.refdata.countries import local, main_zone, near_regions, region_name
from fanous.refdata.economies import economy
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store
from fanous.store.votes import AXES
from fanous.web.answers import Site
from fanous.web.api.types import (
    Aggregate,
    AggregateQuery,
    Corrections,
    Cost,
    CountQuery,
    Countries,
    Detailed,
    Incidents,
    IncidentsQuery,
    Label,
    Measurements,
    MeasurementsQuery,
    NoQuery,
    PageQuery,
    SeriesAnswer,
    SeriesQuery,
    checked,
)
from fanous.web.pages.explore_common import address
from fanous.wording.cost import cost_document
from fanous.wording.names import target_named
from fanous.wording.narrative import sentence
from fanous.wording.words import counts_users


class Wrong(Exception):
    """An invalid question, answered with a problem document.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the API, with its query checked.

    Attributes:
        base: public address without a slash at its end.
        path: parts of the path.
    """

    site: Site
    base: str
    path: Mapping[str, str]
    query: msgspec.Struct


def moment(text: str | msgspec.UnsetType, name: str) -> float | None:
    """RFC 3339, or a date alone.

    Raises:
        Wrong: it is not a time.
    """
    if text is msgspec.UNSET:
        return None
    try:
        return msgspec.convert(text.upper(), datetime).astimezone(UTC).timestamp()
    except (msgspec.ValidationError, OverflowError):
        pass
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        raise Wrong(400, f"{name}: {text} is not a date or time such as 2023-12-17T15:00:00Z") from None


def window(
    since: str | msgspec.UnsetType, until: str | msgspec.UnsetType
) -> tuple[float | None, float | None]:
    """Both ends of a window; in the wrong order they are exchanged, as on the page ``/explore``.

    Raises:
        Wrong: one is not a time.
    """
    first, last = moment(since, "since"), moment(until, "until")
    if first is not None and last is not None and first > last:
        return last, first
    return first, last


Key = tuple[int, str, int]
"""Position of an item in a list: negative seconds, so that the newest comes first; label; revision."""


def cursor_of(key: Key) -> str:
    """The cursor for the position after an item."""
    return f"{-key[0]}.{key[1]}.{key[2]}"


def place_of(cursor: str | None) -> Key | None:
    """The position in a cursor; ``types.CURSOR`` has already checked its form."""
    if cursor is None:
        return None
    at, label, n = cursor.split(".")
    return -int(at), label, int(n)


Item = TypeVar("Item")


def incidents(store: Store, asked: Asked) -> bytes:
    """The newest first."""
    query = asked.query
    assert isinstance(query, IncidentsQuery)
    since, until = window(query.since, query.until)
    found = [one for one in store.ledger.incidents(query.country or None, since, until) if _fits(one, query)]
    page, after = _page(found, [(-int(one.onset), one.id, 0) for one in found], query)
    listed = [_about(one, asked) | incident_document(one) | _known(store, one, asked) for one in page]
    return checked({"incidents": listed, "next": after}, Incidents)


def _fits(one: Incident, query: IncidentsQuery) -> bool:
    return (
        (not query.status or one.status == query.status)
        and (not query.kind or query.kind in one.kinds)
        and (not query.target or _targets(query.target)[0] in one.targets)
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


def _known(store: Store, one: Incident, asked: Asked) -> Document:
    return known_document(data_ended(store, one, asked.site.clock()))


def incident(store: Store, asked: Asked) -> bytes:
    known_incident = _found(store, asked)
    document: dict[str, Any] = (
        detailed_document(known_incident)
        | _about(known_incident, asked)
        | _known(store, known_incident, asked)
    )
    document["revisions"] = [
        revision_document(revision) for revision in store.ledger.revisions(known_incident.id)
    ]
    document |= sensitivity_document(unnamed(store, known_incident))
    return checked(document, Detailed)


def cost(store: Store, asked: Asked) -> bytes:
    incident = _found(store, asked)
    if incident.status is Status.RETRACTED:
        raise Wrong(404, f"{incident.id} was retracted, so no cost is estimated")
    until = known_until(store, incident, asked.site.clock())
    what = of_incident(incident, until, counts_users=counts_users(incident.country))
    estimate = cost_of(what, economy(incident.country))
    return checked(
        {"incident": incident.id, "provenance": str(incident.provenance)} | cost_document(estimate), Cost
    )


def _found(store: Store, asked: Asked) -> Incident:
    incident = store.ledger.incident(asked.path["id"])
    if incident is None:
        raise Wrong(404, f"there is no incident {asked.path['id']}")
    return incident


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
    incidents = store.ledger.incidents(synthetic=store.is_synthetic)
    heard = last_heard(store, now)
    names = sorted({*store.facts.countries(), *heard, *(incident.country for incident in incidents)} - {"ZZ"})
    listed = [
        {
            "country": name,
            "synthetic": store.is_synthetic,
            "confirmed": sum(_is(incident, name, Status.CONFIRMED) for incident in incidents),
            "suspected": sum(_is(incident, name, Status.SUSPECTED) for incident in incidents),
            "last_heard": to_iso(heard[name]) if name in heard else None,
        }
        for name in names
    ]
    return checked({"countries": listed}, Countries)


def _is(one: Incident, country: str, status: Status) -> bool:
    return one.country == country and one.status is status and one.is_open


def aggregate(store: Store, asked: Asked) -> bytes:
    """The counts of *Explore*, along any one or two axes."""
    query = asked.query
    assert isinstance(query, AggregateQuery)
    axes = [query.axis_x] if query.axis_y in (UNSET, query.axis_x) else [query.axis_x, str(query.axis_y)]
    step = 0 if query.step is UNSET else int(query.step)
    try:
        question, edges, counts = counted_along(store, question_of(query, step), axes)
    except TooMuch as much:
        raise Wrong(400, str(much)) from None
    since, until = question.dates
    ends = {int(a): b for a, b in pairwise(edges)}
    rows = []
    for place, outcomes in counts:
        row: dict[str, Any] = dict.fromkeys((*AXES, "end"), None) | dict(zip(axes, place, strict=True))
        if row["time"] is not None:
            row |= {"time": to_iso(row["time"]), "end": to_iso(ends[row["time"]])}
        rows.append(row | {name: getattr(outcomes, name) for name in OUTCOMES})
    document = {
        "axis_x": query.axis_x,
        "axis_y": axes[1] if len(axes) > 1 else None,
        "since": to_iso(since),
        "until": to_iso(until),
        "step": question.step if "time" in axes else None,
        "clock": main_zone(question.country),
        "url": f"{asked.base}{page_of(question)}",
        "synthetic": shown(store, question.countries).is_synthetic,
        "sources": licences_of(sources_counted(store, question)),
        "rows": rows,
    }
    return checked(document, Aggregate)


OUTCOMES = ("measurements", "ok", "blocked", "throttled", "unclear")


def question_of(query: CountQuery, step: int = 0) -> ExploreQuestion:
    """The question that the parameters describe."""
    since, until = window(query.since, query.until)
    return ExploreQuestion(
        countries=_pieces(query.country),
        networks=_numbers(query.network),
        targets=_targets(query.target),
        layers=() if query.layer is UNSET else (query.layer,),
        since=since,
        until=until,
        step=step,
    )


def _numbers(networks: str | UnsetType) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(piece.removeprefix("AS")) for piece in _pieces(networks)))


def _pieces(text: str | UnsetType) -> tuple[str, ...]:
    return () if text is UNSET else tuple(dict.fromkeys(text.split(",")))


def _targets(text: str | UnsetType) -> tuple[str, ...]:
    """Targets by name; an unknown name finds nothing."""
    names = (target_named(piece) or target_of(piece) for piece in _pieces(text))
    return tuple(dict.fromkeys(names))


def page_of(question: ExploreQuestion) -> str:
    """The address of the page for the question, in whole days."""
    query = {
        "country": ",".join(question.countries),
        "network": ",".join(f"AS{asn}" for asn in question.networks),
        "target": ",".join(question.targets),
        "layer": "".join(question.layers),
        "since": f"{local(question.since or 0, question.country).date()}",
        "until": f"{local((question.until or 1) - 1, question.country).date()}",
    }
    return address("/explore", {name: value for name, value in query.items() if value})


def measurements(store: Store, asked: Asked) -> bytes:
    """The single measurements behind the counts, the newest first."""
    query = asked.query
    assert isinstance(query, MeasurementsQuery)
    after = None
    if query.cursor is not UNSET:
        micros, uid, target = query.cursor.split("~", 2)
        after = int(micros), uid, target
    try:
        side, rows = counted_ones(store, question_of(query), query.limit + 1, after)
    except TooMuch as much:
        raise Wrong(400, str(much)) from None
    page = rows[: query.limit]
    listed = [
        {
            "measurement_uid": one.uid,
            "time": to_iso(one.micros // 60_000_000 * 60),
            "country": one.country,
            "network": one.asn,
            "target": one.target,
            "test_name": one.test_name,
            "source": one.source,
            "licence": licences_of([one.source])[0]["licence"],
            "outcome": one.outcome,
            "mechanism": one.mechanism or None,
            "url": f"{asked.base}/measurement/{quote(one.uid)}",
        }
        for one in page
    ]
    last = page[-1] if page and len(rows) > len(page) else None
    cursor = f"{last.micros}~{last.uid}~{last.target}" if last else None
    return checked({"synthetic": side.is_synthetic, "measurements": listed, "next": cursor}, Measurements)


def series(store: Store, asked: Asked) -> bytes:
    """Series of public sources; values are left out if the source's terms forbid passing them on."""
    query = asked.query
    assert isinstance(query, SeriesQuery)
    side = shown(store, (query.country,))
    since, until = window(query.since, query.until)
    signals = None if query.signal is UNSET else [query.signal]
    try:
        span, answer = quantities(side, query.country, signals, since, until)
    except TooMuch as much:
        raise Wrong(400, str(much)) from None
    networks, targets = set(_numbers(query.network)), set(_targets(query.target))
    regions = _regions(side, query)
    licences = side.facts.series_licences(query.country)
    listed = [
        series_document(row, licences.get((row.key, row.step), ()))
        for row in answer
        if (not networks or row.key.place.asn in networks)
        and (not regions or row.key.place.region in regions)
        and (not targets or target_of_series(row.key) in targets)
    ]
    document = {
        "since": to_iso(span[0]),
        "until": to_iso(span[1]),
        "synthetic": side.is_synthetic,
        "series": listed,
    }
    return checked(document, SeriesAnswer)


def _regions(side: Store, query: SeriesQuery) -> set[str]:
    """Raises:
    Wrong: the country has no such region, and none of its series names one.
    """
    regions, has_series = set(_pieces(query.region)), side.facts.known_regions(query.country)
    for region in sorted(regions.difference(has_series)):
        if region[:3] != f"{query.country}-" or region_name(region) == region:
            near = near_regions(query.country, region, has_series)
            hint = f"; did you mean {near[0]} ({region_name(near[0])})?" if near else ""
            raise Wrong(404, f"region: {query.country} has no region {region}{hint}")
    return regions


ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One address of the API, from which its route and its OpenAPI description are made.

    Attributes:
        path: below ``ROOT``, with ``{id}`` for the label of an incident.
        cost: in pages, as the reader is charged.
        missing: what an answer 404 means; empty = it is never given, unless there is no such incident.
    """

    name: str
    path: str
    summary: str
    query: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    make: Callable[[Store, Asked], bytes]
    cost: float = 1.0
    missing: str = ""


OPERATIONS = (
    Operation(
        "listIncidents", "/incidents", "Incidents, the newest first", IncidentsQuery, Incidents, incidents
    ),
    Operation(
        "getIncident", "/incidents/{id}", "One incident with its revisions", NoQuery, Detailed, incident
    ),
    Operation("getCost", "/incidents/{id}/cost", "What it may cost, by method", NoQuery, Cost, cost),
    Operation(
        "listCorrections",
        "/corrections",
        "Claims that were withdrawn or narrowed",
        PageQuery,
        Corrections,
        corrections,
    ),
    Operation(
        "aggregate",
        "/aggregate",
        "Measurements counted by what became of them, along one or two axes",
        AggregateQuery,
        Aggregate,
        aggregate,
        5.0,
    ),
    Operation(
        "listMeasurements",
        "/measurements",
        "Single measurements and what became of them, the newest first",
        MeasurementsQuery,
        Measurements,
        measurements,
        5.0,
    ),
    Operation(
        "listSeries",
        "/series",
        "Series of public sources, in equal bins",
        SeriesQuery,
        SeriesAnswer,
        series,
        3.0,
        "The country has no such region",
    ),
    Operation(
        "listCountries", "/countries", "What is known about each country", NoQuery, Countries, countries
    ),
)

LABEL = Label
