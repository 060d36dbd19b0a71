"""Explore's answers about a signal of public sources: a page, pictures and tables.

Values that may not be passed on are shown on the page, as on those of countries and incidents, but are in no file,
picture or embed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from markupsafe import Markup

from fanous.analysis.series.signals import SIGNALS, target_of_series
from fanous.base.text import printable
from fanous.charts.connectivity import place_name
from fanous.charts.counts import NARROW, WIDE, Panel, Sheet, bars, framed, stacked
from fanous.charts.grid import MOST_ROWS
from fanous.charts.plot import IncidentSpan
from fanous.charts.reachability import ShareLine
from fanous.model.instant import to_iso
from fanous.model.series import SeriesKey
from fanous.publish.credits import credited, credits_line
from fanous.publish.document import Document, series_document
from fanous.publish.pictures import incident_spans
from fanous.publish.table import rows_csv, rows_parquet
from fanous.questions.explore import (
    Compared,
    ComparedSeries,
    SeriesQuestion,
    TooMuch,
    compare,
    kind_of,
    published,
)
from fanous.refdata.countries import country_name, region_name
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.web.answers import Later, Reply, Visit
from fanous.web.pages.explore_common import (
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
    wanted_series,
    without_data,
)
from fanous.web.routes import Facts
from fanous.wording.language import Language
from fanous.wording.words import target_title

BARE = ("share", "index")
"""Units not written after a number."""


@dataclass(frozen=True, slots=True)
class SeriesTold:
    """The answer in the reader's language.

    Attributes:
        names: of the rows, in order.
    """

    title: str
    span: str
    names: tuple[str, ...]
    context: Context
    credit: str


def _answer(
    store: Store, visit: Visit, *, partly: bool = False
) -> tuple[ExploreRequest[SeriesQuestion], Compared | None, str]:
    """See ``answer_to``."""
    return answer_to(wanted_series(store, visit), visit, partial(compare, store), partly=partly)


def passed_on(result: Compared) -> Compared:
    """The answer without series that may not be passed on."""
    return replace(result, rows=tuple(row for row in result.rows if row.terms.is_open))


def is_unstated(row: ComparedSeries) -> bool:
    """Is it of an imported table for which no licence was stated?"""
    source = SOURCES.get(row.key.source)
    return source is not None and source.takes_columns and row.terms.licence == source.licence


def licences_by_source(result: Compared) -> dict[str, str]:
    """Licences of each source's series."""
    licences_of: dict[str, dict[str, None]] = {}
    for row in result.rows:
        licences_of.setdefault(row.key.source, {})[row.terms.licence] = None
    return {name: "; ".join(licences) for name, licences in licences_of.items()}


def told(store: Store, result: Compared, visit: Visit) -> SeriesTold:
    question, language = result.question, visit.language
    named = [country_name(code, language.code) for code in question.countries] or [
        language.say("All countries")
    ]
    targets = [target_title(target) for target in question.targets]
    names = names_of(result, language)
    places = list(names) if (question.regions or question.networks) and len(names) <= MOST_COMPARED else []
    parts = [
        language.say(SIGNALS[question.signal].title),
        language.comma.join(map(language.apart, targets)),
        language.comma.join(places),
        language.comma.join(map(language.apart, named)),
    ]
    return SeriesTold(
        " · ".join(part for part in parts if part),
        span_of(question, language),
        names,
        context_of(store, question, visit),
        credits_line(result.sources, language, licences_by_source(result)),
    )


def names_of(result: Compared, language: Language) -> tuple[str, ...]:
    """The places of the rows, and what else distinguishes them."""
    keys = [row.key for row in result.rows]
    sources, subtypes = {key.source for key in keys}, {key.subtype for key in keys}
    with_country = len({key.place.country for key in keys}) > 1

    def name(key: SeriesKey) -> str:
        country = country_name(key.place.country, language.code)
        text = country if kind_of(key) == "country" else language.apart(printable(place_name(key)))
        if with_country and text != country:
            text += f"{language.comma}{country}"
        target = target_of_series(key)
        more = [target_title(target) if target else "", printable(key.subtype) if len(subtypes) > 1 else ""]
        more += [key.source] if len(sources) > 1 else []
        more_words = language.comma.join(language.apart(phrase) for phrase in more if phrase)
        return f"{text} ({more_words})" if more_words else text

    return tuple(map(name, keys))


def quantity_of(signal: str, language: Language) -> Callable[[float], str]:
    """Formats a value with at most four digits, or as a percentage if it is a share."""
    if SIGNALS[signal].unit == "share":
        return lambda value: language.percent(value, 1)
    return lambda value: language.number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


def panels(result: Compared, answer: SeriesTold, visit: Visit) -> list[Panel]:
    """The series that are compared, each as a share of its own highest value."""
    language, signal = visit.language, SIGNALS[result.question.signal]
    quantity = quantity_of(signal.name, language)
    unit = "" if signal.unit in BARE else f" {language.apart(language.say(signal.unit))}"
    return [
        Panel(
            name,
            f"{language.percent(1)} = {quantity(row.highest)}{unit}",
            (),
            _spans(row.key, answer.context, result, visit.now),
            line_of(row),
        )
        for row, name in list(zip(result.rows, answer.names, strict=True))[:MOST_COMPARED]
    ]


def line_of(row: ComparedSeries) -> ShareLine:
    """A row as shares of its highest value."""
    return ShareLine.of("", row.cells, row.highest if row.highest > 0 else 1.0)


def _spans(key: SeriesKey, context: Context, result: Compared, now: float) -> list[IncidentSpan]:
    """Incidents in the series' country that concern what it measures."""
    target = target_of_series(key)
    spans = [
        span
        for incident in context.incidents
        if incident.country == key.place.country
        and (target in incident.targets if target else incident.is_of_line)
        for span in incident_spans(incident, context.known_until.get(incident.id, now))
    ]
    return spans_within(spans, result.edges)


def sheet_of(result: Compared, answer: SeriesTold, visit: Visit, most_ticks: int) -> Sheet:
    language = visit.language
    ranges = "; ".join(told_rows(result, answer, language)[:MOST_COMPARED])
    words = language.say("Share of the highest value"), answer.title, ranges
    return sheet_for(
        result.edges, result.question.country, words, answer.context.events, language, most_ticks
    )


def told_rows(result: Compared, answer: SeriesTold, language: Language) -> list[str]:
    """For screen readers: the range of each series."""
    quantity = quantity_of(result.question.signal, language)
    ranges = [
        language.say("{low} to {high}", low=quantity(row.lowest), high=quantity(row.highest))
        for row in result.rows
    ]
    return [f"{name}{language.colon}{span}" for name, span in zip(answer.names, ranges, strict=True)]


def series_facts(store: Store, visit: Visit) -> Facts:
    """As ``explore_facts``, for a signal."""
    want, result, why = _answer(store, visit, partly=visit.path == "/explore")
    facts = form_facts(store, visit, want) | {"series": True, "why": why}
    if result is None:
        return facts
    unstated = [row for row in result.rows if is_unstated(row)]
    closed = dict.fromkeys(
        SOURCES[name].title if (name := row.key.source) in SOURCES else name
        for row in result.rows
        if not row.terms.is_open and row not in unstated
    )
    if visit.path.startswith("/embed/"):
        result = passed_on(result)
    language = visit.language
    answer = told(store, result, visit)
    drawn = panels(result, answer, visit)
    facts |= links_of(want, result.question, visit) | {
        "staged": result.synthetic,
        "found": result,
        "answer": answer,
        "in_all": language.say("Series: {n}.", n=language.number(len(result.rows))),
        "drawn": len(drawn),
        "lacking": without_data(
            [
                country_name(code, language.code)
                for code in result.question.countries
                if all(row.key.place.country != code for row in result.rows)
            ],
            language,
        ),
        "closed": language.comma.join(map(language.apart, closed)),
        "unstated": bool(unstated),
        "passed_on": bool(passed_on(result).rows),
        "regions": [
            (code, printable(region_name(code)))
            for code in sorted({row.key.place.region for row in result.rows} - {""})
        ],
        "quantity": quantity_of(result.question.signal, language),
        "unit": language.say(SIGNALS[result.question.signal].unit),
    }
    if not result.rows:
        return facts
    wide, narrow = (
        Markup(stacked(drawn, sheet_of(result, answer, visit, shape.ticks), shape, mark))
        for shape, mark in ((WIDE, "w"), (NARROW, "n"))
    )
    rows = [line_of(row).shares for row in result.rows[:MOST_ROWS]]
    more = max(0, len(result.rows) - MOST_ROWS)
    return facts | {
        "wide": wide,
        "narrow": narrow,
        "grid": bars(rows, result.edges, result.question.country, language, more),
        "told_rows": told_rows(result, answer, language),
    }


def series_picture(store: Store, visit: Visit) -> str:
    """The series that may be passed on, with title, dates, source, licence and address inside; empty = none."""
    want, result, _ = _answer(store, visit)
    result = passed_on(result) if result else None
    if result is None or not result.rows:
        return ""
    answer = told(store, result, visit)
    newest = measured_until(result.edges, [row.cells for row in result.rows])
    return framed(
        panels(result, answer, visit),
        sheet_of(result, answer, visit, 8),
        [],
        foot_of(want, result.question, visit, answer.credit, newest, is_synthetic=result.synthetic),
        answer.span,
    )


def series_json(store: Store, visit: Visit) -> Reply | None:
    """Series as ``/api/v1/series`` gives them; values that may not be passed on are null."""
    want, result, _ = _answer(store, visit)
    if result is None:
        return None
    question, licences = result.question, {row.key: row.terms.licence for row in result.rows}
    try:
        listed = published(store, result)
    except TooMuch:
        return None
    document: Document = {
        "url": permanent_link(want, question, visit),
        "signal": question.signal,
        "countries": list(question.countries),
        "regions": list(question.regions),
        "networks": list(question.networks),
        "targets": list(question.targets),
        "since": to_iso(question.dates[0]),
        "until": to_iso(question.dates[1]),
        "by": question.by,
        "synthetic": result.synthetic,
        "series": [
            series_document(one, (licence,) if (licence := licences.get(one.key)) else ()) for one in listed
        ],
    }
    return json_reply(document)


COLUMNS = {
    **dict.fromkeys(("time", "end"), "datetime"),
    **dict.fromkeys(("country", "region"), "string"),
    "network": "integer",
    **dict.fromkeys(("target", "signal", "subtype"), "string"),
    "value": "number",
    "unit": "string",
    "synthetic": "boolean",
    **dict.fromkeys(("source", "licence"), "string"),
}
"""Columns of a table of values, in their source's bins; ``network`` is empty for other places."""


def _rows(store: Store, visit: Visit) -> list[dict[str, Any]] | None:
    """The values that may be passed on; ``None`` = there are none, or too many."""
    _, result, _ = _answer(store, visit)
    result = passed_on(result) if result else None
    if result is None or not result.rows:
        return None
    try:
        listed = published(store, result)
    except TooMuch:
        return None
    licences = {row.key: row.terms.licence for row in result.rows}
    return [
        {
            "time": to_iso(at),
            "end": to_iso(at + one.step),
            "country": one.key.place.country,
            "region": one.key.place.region,
            "network": one.key.place.asn or None,
            "target": target_of_series(one.key),
            "signal": one.key.signal,
            "subtype": one.key.subtype,
            "value": value,
            "unit": SIGNALS[one.key.signal].unit,
            "synthetic": result.synthetic,
            **credited([one.key.source]),
            "licence": licences[one.key],
        }
        for one in listed
        for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
    ]


def series_csv(store: Store, visit: Visit) -> Reply | None:
    rows = _rows(store, visit)
    return None if rows is None else Reply.of(rows_csv(list(COLUMNS), rows), CSV)


def series_parquet(store: Store, visit: Visit) -> Later | None:
    rows = _rows(store, visit)
    return None if rows is None else lambda: Reply.of(rows_parquet(COLUMNS, rows), PARQUET)
