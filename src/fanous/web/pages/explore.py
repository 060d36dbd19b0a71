"""Explore: measurements of any place, target, network and dates, as a page, an embed, pictures and tables.

Every address contains the whole question, so it is a permanent link; others for the same question redirect to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from markupsafe import Markup

from fanous.base.text import printable
from fanous.charts.counts import NARROW, WIDE, Panel, Sheet, framed, stack_of, stacked, strips
from fanous.charts.grid import MOST_ROWS, Drawing
from fanous.charts.paint import PICTURE_WIDTH, png
from fanous.charts.plot import IncidentSpan, Shape, ticks
from fanous.model.coverage import Outcomes
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import to_iso
from fanous.publish.credits import credited, credits_line, licences_of
from fanous.publish.pictures import incident_spans, stack_key
from fanous.publish.table import rows_csv, rows_parquet
from fanous.questions.explore import Explored, ExploreQuestion, explore, shown
from fanous.refdata.countries import country_name
from fanous.refdata.networks import network_title
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.store.votes import AxisValue
from fanous.web.answers import PNG, SVG, Later, Reply, Visit
from fanous.web.pages.explore_common import (
    ASKS,
    CSV,
    MOST_COMPARED,
    PARQUET,
    Context,
    ExploreRequest,
    answer_to,
    context_of,
    foot_of,
    form_facts,
    json_reply,
    links_of,
    measured_until,
    permanent_link,
    sheet_for,
    span_of,
    spans_within,
    wanted,
    without_data,
)
from fanous.web.pages.explore_series import (
    series_csv,
    series_facts,
    series_json,
    series_parquet,
    series_picture,
)
from fanous.web.routes import Facts, page, resource
from fanous.wording.language import Language
from fanous.wording.words import mechanism_words, target_title


def _answer(
    store: Store, visit: Visit, *, partly: bool = False
) -> tuple[ExploreRequest[ExploreQuestion], Explored | None, str]:
    """See ``answer_to``."""
    want = wanted(store, visit)
    unfit = "region" if "region" in want.query else ""
    return answer_to(want, visit, partial(explore, store), partly=partly, unfit=unfit)


@dataclass(frozen=True, slots=True)
class Told:
    """The answer in the reader's language.

    Attributes:
        names: of the rows, in order.
    """

    title: str
    span: str
    names: tuple[str, ...]
    asns: Mapping[int, str]
    context: Context
    credit: str
    sheet: Sheet


def told(store: Store, result: Explored, visit: Visit) -> Told:
    question, language = result.question, visit.language
    side = shown(store, question.countries)
    asns = {network.asn: network.name for network in side.facts.known_networks()}
    context = context_of(store, question, visit)
    title = title_of(question, asns, language)
    return Told(
        title,
        span_of(question, language),
        names_of([row.name for row in result.rows], question.by, asns, language),
        asns,
        context,
        credits_line(result.sources, language),
        sheet_of(result, context.events, title, visit, WIDE),
    )


def title_of(question: ExploreQuestion, asns: Mapping[int, str], language: Language) -> str:
    """Targets and places; dates follow on a separate line."""
    targets = [target_title(target) for target in question.targets] or [language.say("All targets")]
    countries = [country_name(code, language.code) for code in question.countries]
    networks = apart_by_number(question.networks, asns, language)
    places = [*networks, *countries] or [language.say("All countries")]
    parts = [language.comma.join(map(language.apart, names)) for names in (targets, places)]
    if question.layers:
        parts.append(language.apart(", ".join(question.layers).upper()))
    return " · ".join(parts)


def _name_of(text: str, by: str, language: Language) -> str:
    """The name of anything but a network."""
    if by == "country":
        return country_name(text, language.code)
    if by == "target":
        return target_title(text)
    if by == "source":
        return SOURCES[text].title if text in SOURCES else printable(text)
    if not text:
        return language.say("No mechanism named")
    return language.say(mechanism_words(text))


def names_of(
    values: Sequence[AxisValue], by: str, asns: Mapping[int, str], language: Language
) -> tuple[str, ...]:
    """The names of values on the axis of the rows."""
    if by == "network":
        return tuple(apart_by_number([int(value) for value in values], asns, language))
    return tuple(_name_of(str(value), by, language) for value in values)


def apart_by_number(networks: Sequence[int], asns: Mapping[int, str], language: Language) -> list[str]:
    """Names of networks; those with the same name are distinguished by their numbers."""
    names = [network_title(asn, asns) or f"AS{asn}" for asn in networks]
    return [
        f"{name} ({language.apart(f'AS{asn}')})" if names.count(name) > 1 else name
        for name, asn in zip(names, networks, strict=True)
    ]


def sheet_of(
    result: Explored, events: Sequence[AnnouncedEvent], title: str, visit: Visit, shape: Shape
) -> Sheet:
    language = visit.language
    words = language.say("Share of measurements"), title, in_all(result.total, language)
    return sheet_for(result.edges, result.question.country, words, events, language, shape.ticks)


def spans_of(name: AxisValue, result: Explored, context: Context, now: float) -> list[IncidentSpan]:
    """The incidents that name a row, within the dates that are shown."""
    by = result.question.by
    spans: list[IncidentSpan] = []
    for incident in context.incidents:
        intervals = incident.intervals
        if by == "network":
            networks = [network for network in incident.networks if network.asn == name]
            intervals = networks[0].intervals if networks else ()
        elif (by == "target" and not incident.is_of_line and name not in incident.targets) or (
            by == "country" and name != incident.country
        ):
            continue
        spans += incident_spans(incident, context.known_until.get(incident.id, now), intervals)
    return spans_within(spans, result.edges)


def in_all(total: Outcomes, language: Language) -> str:
    measured = language.count("{n} measurement", "{n} measurements", total.measurements)
    return (
        measured
        + language.colon
        + language.say(
            "{blocked} blocked, {slowed} slowed down, {ok} worked, {unclear} unclear.",
            blocked=language.number(total.blocked),
            slowed=language.number(total.throttled),
            ok=language.number(total.ok),
            unclear=language.number(total.unclear),
        )
    )


def panels(result: Explored, answer: Told, now: float, language: Language) -> list[Panel]:
    """The panels of the rows compared: those hit most."""
    rows = list(zip(result.rows, answer.names, strict=True))[:MOST_COMPARED]
    return [
        Panel(
            name,
            language.count("{n} measurement", "{n} measurements", row.total.measurements),
            stack_of(row.cells),
            spans_of(row.name, result, answer.context, now),
        )
        for row, name in rows
    ]


@page("/explore", "explore.html", title="Explore", place=4, asks=ASKS)
@page("/embed/explore", "embed_explore.html", asks=ASKS)
def explore_facts(store: Store, visit: Visit) -> Facts:
    if "signal" in visit.asked:
        return series_facts(store, visit)
    want, result, why = _answer(store, visit, partly=visit.path == "/explore")
    language = visit.language
    facts = form_facts(store, visit, want) | {"why": why}
    if result is None:
        return facts
    answer = told(store, result, visit)
    drawn = panels(result, answer, visit.now, language)
    narrow = replace(
        answer.sheet, ticks=ticks(result.edges[0], result.edges[-1], result.question.country, language, 4)
    )
    own_names = ("country", "since", "until")
    return {
        **facts,
        **links_of(want, result.question, visit),
        "staged": result.synthetic,
        "closed": "",
        "passed_on": True,
        "series_query": {name: want.query[name] for name in own_names if name in want.query},
        "found": result,
        "answer": answer,
        "total": result.total,
        "in_all": in_all(result.total, language),
        "wide": Markup(stacked(drawn, answer.sheet, WIDE, "w")),
        "narrow": Markup(stacked(drawn, narrow, NARROW, "n")),
        "drawn": len(drawn),
        "lacking": without_data(_without_data(result, answer, language), language),
        "grid": grid_of(result, language),
    }


def _without_data(result: Explored, answer: Told, language: Language) -> list[str]:
    """What the question names on the axis of the rows, and no row has."""
    question = result.question
    asked: Mapping[str, Sequence[AxisValue]] = {
        "network": question.networks,
        "target": question.targets,
        "country": question.countries,
    }
    present = {row.name for row in result.rows}
    lacking = [one for one in asked.get(question.by, ()) if one not in present]
    return list(names_of(lacking, question.by, answer.asns, language))


def grid_of(result: Explored, language: Language) -> Drawing | None:
    if not result.rows:
        return None
    rows = [
        (
            row.name if isinstance(row.name, int) else str(row.name),
            stack_of(row.cells),
            row.total.measurements,
        )
        for row in result.rows[:MOST_ROWS]
    ]
    return strips(
        rows,
        result.edges,
        result.question.country,
        language,
        ("Blocked", "Slowed", "Reachable"),
        max(0, len(result.rows) - MOST_ROWS),
    )


@resource("/explore.svg", asks=ASKS)
def explore_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = _picture(store, visit)
    return Reply.of(drawn, SVG) if drawn else None


@resource("/explore.png", asks=ASKS)
def explore_png(store: Store, visit: Visit) -> Later | None:
    drawn = _picture(store, visit)
    return (lambda: Reply.of(png(drawn, PICTURE_WIDTH), PNG)) if drawn else None


def _picture(store: Store, visit: Visit) -> str:
    """The picture, with title, dates, source, licence and address inside; empty = there is nothing to draw."""
    if "signal" in visit.asked:
        return series_picture(store, visit)
    want, result, _ = _answer(store, visit)
    if result is None or not result.rows:
        return ""
    language = visit.language
    answer = told(store, result, visit)
    newest = measured_until(result.edges, [row.cells for row in result.rows])
    return framed(
        panels(result, answer, visit.now, language),
        answer.sheet,
        stack_key(language),
        foot_of(want, result.question, visit, answer.credit, newest, is_synthetic=result.synthetic),
        answer.span,
    )


FIELDS = ("measurements", "ok", "blocked", "throttled", "unclear")


def rows_of(result: Explored) -> list[dict[str, Any]]:
    """A table row for each row and bin in which anything was measured; times in UTC."""
    return [
        {
            "time": to_iso(result.edges[n]),
            "end": to_iso(result.edges[n + 1]),
            result.question.by: row.name,
            **{field: getattr(cell, field) for field in FIELDS},
        }
        for row in result.rows
        for n, cell in enumerate(row.cells)
        if cell is not None
    ]


def document_of(want: ExploreRequest[ExploreQuestion], result: Explored, visit: Visit) -> dict[str, Any]:
    """The answer as one JSON document (docs/api.md)."""
    question = result.question
    since, until = question.dates
    return {
        "url": permanent_link(want, question, visit),
        "countries": list(question.countries),
        "networks": list(question.networks),
        "targets": list(question.targets),
        "layers": list(question.layers),
        "since": to_iso(since),
        "until": to_iso(until),
        "step": question.step,
        "by": question.by,
        "synthetic": result.synthetic,
        "sources": licences_of(result.sources),
        "total": {field: getattr(result.total, field) for field in FIELDS},
        "rows": rows_of(result),
    }


@resource("/explore.json", asks=ASKS)
def explore_json(store: Store, visit: Visit) -> Reply | None:
    if "signal" in visit.asked:
        return series_json(store, visit)
    want, result, _ = _answer(store, visit)
    return None if result is None else json_reply(document_of(want, result, visit))


@resource("/explore.csv", asks=ASKS)
def explore_csv(store: Store, visit: Visit) -> Reply | None:
    """The answer as CSV; each line names sources and licences, since tables are passed on without their page."""
    if "signal" in visit.asked:
        return series_csv(store, visit)
    _, result, _ = _answer(store, visit)
    return None if result is None else Reply.of(rows_csv(list(_columns(result)), _table(result)), CSV)


def _columns(result: Explored) -> dict[str, str]:
    by = result.question.by
    return {
        **dict.fromkeys(("time", "end"), "datetime"),
        by: "integer" if by == "network" else "string",
        **dict.fromkeys(FIELDS, "integer"),
        "synthetic": "boolean",
        **dict.fromkeys(("source", "licence"), "string"),
    }


def _table(result: Explored) -> list[dict[str, Any]]:
    same = {"synthetic": result.synthetic, **credited(result.sources)}
    return [row | same for row in rows_of(result)]


@resource("/explore.parquet", asks=ASKS)
def explore_parquet(store: Store, visit: Visit) -> Later | None:
    if "signal" in visit.asked:
        return series_parquet(store, visit)
    _, result, _ = _answer(store, visit)
    return (
        None if result is None else lambda: Reply.of(rows_parquet(_columns(result), _table(result)), PARQUET)
    )
