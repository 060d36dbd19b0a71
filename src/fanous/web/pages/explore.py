"""Explore: measurements of any place, target, network and dates, as a page, an embed, pictures and tables.

Every address is the whole question, so it is a permanent link; one that says the same in other words leads to it.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from fanous.charts.counts import (
    NARROW,
    WIDE,
    IncidentSpan,
    Panel,
    Sheet,
    framed,
    stack_of,
    stacked,
    strips,
)
from fanous.charts.grid import MOST_ROWS, Drawing
from fanous.charts.paint import png
from fanous.charts.plot import Shape, ticks
from fanous.model.coverage import Outcomes
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.instant import to_iso
from fanous.pipeline.explore import (
    STEPS,
    Explored,
    ExploreQuestion,
    TooMuch,
    explore,
    midnight,
    shown,
)
from fanous.pipeline.search import asn_named, country_named, target_named
from fanous.publish.credits import credits_line, licences_of
from fanous.publish.edition import Story, stories
from fanous.publish.pictures import clock_words, short_title, stack_key
from fanous.refdata.countries import country_name, local, zone_name
from fanous.refdata.networks import network_name
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.store.votes import AxisValue
from fanous.text import printable
from fanous.web.pages.events import events_between
from fanous.web.routes import Elsewhere, Facts, Later, Reply, Visit, page, resource
from fanous.wording import clocks
from fanous.wording.language import Language
from fanous.wording.words import mechanism_words, network_title, target_title

LAYERS = ("dns", "tcp", "tls", "quic", "http", "transfer")
BY = {
    "network": "Network",
    "target": "Target",
    "country": "Country",
    "mechanism": "Mechanism",
    "source": "Source",
}
"""What rows may be, as the reader calls it."""

MOST_NAMED = 4
"""Places, networks or targets that one question may name."""

_NAMES = r"[^\x00-\x1f\x7f]{1,200}"
_DATE = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
ASKS = {
    "country": _NAMES,
    "network": _NAMES,
    "target": _NAMES,
    "layer": "|".join(LAYERS),
    "by": "|".join(BY),
    "since": _DATE,
    "until": _DATE,
    "step": "|".join(map(str, STEPS)),
}
"""Names may be written as people write them; the page then leads to the address with their codes."""

MOST_BRIEFS = 8
PICTURE_WIDTH = 1500
EMBED_WIDTH, EMBED_HEIGHT = 640, 420

SVG, PNG, JSON = "image/svg+xml", "image/png", "application/json"
CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class ExploreRequest:
    """What an address asks for.

    Attributes:
        query: parameters of the one address of this question.
        unknown: names that nothing is known by, as they were typed.
        first, last: days, both included; ``None`` = not named.
    """

    question: ExploreQuestion
    query: Mapping[str, str]
    unknown: tuple[str, ...]
    first: date | None
    last: date | None


def wanted(store: Store, visit: Visit) -> ExploreRequest:
    """Reads the parameters; names in other words become codes."""
    asked = visit.asked
    unknown: list[str] = []
    countries = _named(asked.get("country", ""), country_named, unknown)
    targets = _named(asked.get("target", ""), target_named, unknown)
    known = shown(store, countries).facts.known_networks() if asked.get("network") else []
    networks = _named(asked.get("network", ""), lambda text: asn_named(text, known, countries), unknown)
    first, last = _day(asked.get("since", "")), _day(asked.get("until", ""))
    if first and last and first > last:
        first, last = last, first
    usual = "network" if len(countries) == 1 else "country"
    by = asked.get("by", usual)
    country = countries[0] if len(countries) == 1 else ""
    question = ExploreQuestion(
        countries,
        tuple(int(asn) for asn in networks),
        targets,
        (asked["layer"],) if "layer" in asked else (),
        midnight(first, country) if first else None,
        midnight(last + timedelta(days=1), country) if last else None,
        by,
        int(asked.get("step", 0)),
    )
    query = {
        "country": ",".join(countries),
        "network": ",".join(f"AS{asn}" for asn in networks),
        "target": ",".join(targets),
        "layer": asked.get("layer", ""),
        "by": by if by != usual else "",
        "since": f"{first}" if first else "",
        "until": f"{last}" if last else "",
        "step": asked.get("step", ""),
    }
    return ExploreRequest(
        question, {name: value for name, value in query.items() if value}, tuple(unknown), first, last
    )


def _named(text: str, meaning: Any, unknown: list[str]) -> tuple[str, ...]:
    """The codes of names between commas; those without one go to ``unknown``.  A whole text that is one name with a
    comma is that name."""
    pieces = [piece.strip() for piece in re.split("[,،]", text) if piece.strip()]
    found = []
    for piece in pieces[:MOST_NAMED]:
        code = meaning(piece)
        if code:
            found.append(code)
        else:
            unknown.append(printable(piece))
    return tuple(dict.fromkeys(found))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with its query, commas left as they are."""
    return path + (f"?{urlencode(query, safe=',')}" if query else "")


def _answer(store: Store, visit: Visit) -> tuple[ExploreRequest, Explored | None, str]:
    """What is asked for, the answer, and in its place why there is none.

    Raises:
        Elsewhere: the same question has another address.
    """
    want = wanted(store, visit)
    if want.unknown:
        return want, None, ""
    given = {name: value for name, value in visit.asked.items() if name in ASKS}
    if given != dict(want.query):
        language = {"lang": visit.language.code} if visit.named else {}
        raise Elsewhere(address(visit.path, {**want.query, **language}))
    try:
        return want, explore(store, want.question), ""
    except TooMuch as much:
        return want, None, str(much)


def permanent_query(want: ExploreRequest, found: Explored) -> dict[str, str]:
    """The question with its dates and bins written out, so that it shows the same for ever."""
    question = found.question
    since, until = question.dates
    return dict(want.query) | {
        "since": f"{local(since, question.country).date()}",
        "until": f"{local(until - 1, question.country).date()}",
        "step": str(question.step),
    }


@dataclass(frozen=True, slots=True)
class Told:
    """The answer in the reader's language.

    Attributes:
        names: of the rows, in order.
        incidents: in this time, the newest first.
        context: the first of them.
        earlier: incidents of the same places and targets before it.
    """

    title: str
    span: str
    names: tuple[str, ...]
    asns: Mapping[int, str]
    incidents: tuple[Incident, ...]
    context: tuple[Story, ...]
    earlier: int
    events: tuple[AnnouncedEvent, ...]
    credit: str
    sheet: Sheet


def told(store: Store, found: Explored, visit: Visit) -> Told:
    question, language = found.question, visit.language
    side = shown(store, question.countries)
    since, until = question.dates
    asns = {one.asn: one.name for one in side.facts.known_networks()}
    about = [one for one in side.ledger.incidents(synthetic=side.is_synthetic) if _concerns(one, question)]
    about = [one for one in about if one.status is not Status.RETRACTED]
    inside = [one for one in about if one.onset < until and (one.end or visit.now) > since]
    inside.sort(key=lambda one: -one.onset)
    events = events_between(
        [one for one in side.ledger.events() if not question.countries or one.country in question.countries],
        since,
        until,
    )
    title = title_of(question, asns, language)
    return Told(
        title,
        span_of(question, language),
        names_of(found, asns, language),
        asns,
        tuple(inside),
        tuple(stories(store, inside[:MOST_BRIEFS])),
        sum(one.onset < since and one not in inside for one in about),
        tuple(events),
        credits_line(found.sources, language),
        sheet_of(found, events, title, visit, WIDE),
    )


def _concerns(one: Incident, question: ExploreQuestion) -> bool:
    return (
        (not question.countries or one.country in question.countries)
        and (not question.targets or one.is_of_line or bool(set(question.targets) & set(one.targets)))
        and (not question.networks or any(f"AS{asn}" in one.entities for asn in question.networks))
    )


def title_of(question: ExploreQuestion, asns: Mapping[int, str], language: Language) -> str:
    """Targets and places; dates follow in a line of their own."""
    targets = [target_title(target) for target in question.targets] or [language.say("All targets")]
    countries = [country_name(code, language.code) for code in question.countries]
    networks = [network_title(asn, asns) or f"AS{asn}" for asn in question.networks]
    places = [*networks, *countries] or [language.say("All countries")]
    parts = [language.comma.join(map(language.apart, own)) for own in (targets, places)]
    if question.layers:
        parts.append(language.apart(", ".join(question.layers).upper()))
    return " · ".join(parts)


def span_of(question: ExploreQuestion, language: Language) -> str:
    """``17 to 18 December 2023 (PKT)``: days, both included."""
    since, until = question.dates
    first, last = local(since, question.country), local(until - 1, question.country)
    zone = zone_name(since, question.country)
    return f"{clocks.days_between(first, last, language)} ({language.apart(zone)})"


def name_of(name: AxisValue, by: str, asns: Mapping[int, str], language: Language) -> str:
    """What a row is called."""
    if by == "network":
        return network_title(int(name), asns) or f"AS{name}"
    text = str(name)
    if by == "country":
        return country_name(text, language.code)
    if by == "target":
        return target_title(text)
    if by == "source":
        return SOURCES[text].title if text in SOURCES else printable(text)
    if not text:
        return language.say("No mechanism named")
    return language.say(mechanism_words(text))


def names_of(found: Explored, asns: Mapping[int, str], language: Language) -> tuple[str, ...]:
    """What the rows are called; networks of one name are told apart by their numbers."""
    names = [name_of(row.name, found.question.by, asns, language) for row in found.rows]
    if found.question.by != "network":
        return tuple(names)
    return tuple(
        f"{name} ({language.apart(f'AS{row.name}')})" if names.count(name) > 1 else name
        for name, row in zip(names, found.rows, strict=True)
    )


def sheet_of(
    found: Explored, events: Sequence[AnnouncedEvent], title: str, visit: Visit, shape: Shape
) -> Sheet:
    language, country = visit.language, found.question.country
    start, end = found.edges[0], found.edges[-1]
    marks = [(one.start, short_title(one.title)) for one in events if start <= one.start < end]
    return Sheet(
        found.edges,
        ticks(start, end, country, language, shape.ticks),
        [(share, language.percent(share)) for share in (0.0, 0.5, 1.0)],
        language.say("Share of measurements"),
        title,
        in_all(found.total, language),
        clock_words(start, country, language),
        marks[:MOST_MARKS],
    )


MOST_COMPARED = 4
"""Rows of one picture."""

MOST_MARKS, MOST_SPANS = 6, 40
"""Announced events and periods of incidents in one picture."""


def incident_spans(
    name: AxisValue, found: Explored, incidents: Sequence[Incident], now: float
) -> list[IncidentSpan]:
    """The incidents that name a row, within the dates that are shown."""
    start, end, by = found.edges[0], found.edges[-1], found.question.by
    spans = []
    for incident in incidents:
        intervals = incident.intervals
        if by == "network":
            own = [one for one in incident.networks if one.asn == name]
            intervals = own[0].intervals if own else ()
        elif (by == "target" and not incident.is_of_line and name not in incident.targets) or (
            by == "country" and name != incident.country
        ):
            continue
        for one in intervals:
            last = now if one.end is None else one.end
            if one.start >= end or last <= start:
                continue
            is_first = one.start <= incident.onset_latest
            earliest = min(one.start, incident.onset_earliest or one.start) if is_first else one.start
            spans.append(IncidentSpan(one.start, last, earliest, is_open=one.end is None))
    return spans[:MOST_SPANS]


def in_all(total: Outcomes, language: Language) -> str:
    return language.say(
        "{n} measurements: {blocked} blocked, {slowed} slowed down, {ok} worked, {unclear} unclear.",
        n=language.number(total.measurements),
        blocked=language.number(total.blocked),
        slowed=language.number(total.throttled),
        ok=language.number(total.ok),
        unclear=language.number(total.unclear),
    )


def panels(found: Explored, answer: Told, now: float, language: Language) -> list[Panel]:
    """The rows that are compared: those hit most."""
    rows = list(zip(found.rows, answer.names, strict=True))[:MOST_COMPARED]
    return [
        Panel(
            name,
            language.count("{n} measurement", "{n} measurements", row.total.measurements),
            stack_of(row.cells),
            incident_spans(row.name, found, answer.incidents, now),
        )
        for row, name in rows
    ]


@page("/explore", "explore.html", title="Explore", place=4, asks=ASKS)
@page("/embed/explore", "embed_explore.html", asks=ASKS)
def explore_facts(store: Store, visit: Visit) -> Facts:
    want, found, why = _answer(store, visit)
    language = visit.language
    facts: dict[str, Any] = {
        "want": want,
        "why": why,
        "steps": STEPS,
        "layers": LAYERS,
        "axes": BY,
        "countries": shown(store, ()).facts.countries(),
        "staged": False,
        "found": None,
        "answer": None,
        **_choices(store, want.question),
    }
    if found is None:
        return facts
    own = told(store, found, visit)
    drawn = panels(found, own, visit.now, language)
    narrow = replace(
        own.sheet, ticks=ticks(found.edges[0], found.edges[-1], found.question.country, language, 4)
    )
    fixed = permanent_query(want, found)
    return facts | {
        "staged": found.synthetic,
        "found": found,
        "answer": own,
        "total": found.total,
        "in_all": in_all(found.total, language),
        "wide": Markup(stacked(drawn, own.sheet, WIDE, "w")),
        "narrow": Markup(stacked(drawn, narrow, NARROW, "n")),
        "drawn": len(drawn),
        "grid": grid_of(found, language),
        "permalink": visit.permanent("/explore") + address("", fixed),
        "embed": visit.permanent("/embed/explore") + address("", fixed),
        "fixed": fixed,
        "name": file_name(fixed),
        "first": fixed["since"],
        "last": fixed["until"],
        "step": found.question.step,
        "height": EMBED_HEIGHT,
        "breadth": EMBED_WIDTH,
    }


def _choices(store: Store, question: ExploreQuestion) -> dict[str, Any]:
    """What the form offers: targets and networks that were measured there."""
    side = shown(store, question.countries)
    targets = side.facts.known_targets()
    networks = [
        one
        for one in side.facts.known_networks()
        if not question.countries or one.country in question.countries
    ]
    networks.sort(key=lambda one: -one.measurements)
    return {
        "targets": sorted(targets, key=lambda one: (-targets[one], one))[:MOST_OFFERED],
        "networks": [(one.asn, network_name(one.asn) or one.name) for one in networks[:MOST_OFFERED]],
    }


MOST_OFFERED = 60
"""Names that a field offers while somebody types."""


def grid_of(found: Explored, language: Language) -> Drawing | None:
    if not found.rows:
        return None
    rows = [
        (
            row.name if isinstance(row.name, int) else str(row.name),
            stack_of(row.cells),
            row.total.measurements,
        )
        for row in found.rows[:MOST_ROWS]
    ]
    return strips(
        rows,
        found.edges,
        found.question.country,
        language,
        ("Blocked", "Slowed", "Reachable"),
        max(0, len(found.rows) - MOST_ROWS),
    )


def file_name(query: Mapping[str, str]) -> str:
    """``fanous-PK-x-2023-12-17-2023-12-18``: what a download is called, less its ending."""
    parts = [query.get(name, "") for name in ("country", "network", "target", "since", "until")]
    text = "-".join(["fanous", *(part for part in parts if part)])
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:120]


@resource("/explore.svg", asks=ASKS)
def explore_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = _picture(store, visit)
    return Reply.of(drawn, SVG) if drawn else None


@resource("/explore.png", asks=ASKS)
def explore_png(store: Store, visit: Visit) -> Later | None:
    drawn = _picture(store, visit)
    return (lambda: Reply.of(png(drawn, PICTURE_WIDTH), PNG)) if drawn else None


def _picture(store: Store, visit: Visit) -> str:
    """With title, dates, source, licence and address inside; empty = there is nothing to draw."""
    want, found, _ = _answer(store, visit)
    if found is None or not found.rows:
        return ""
    language = visit.language
    own = told(store, found, visit)
    notice = f"{language.say('Synthetic')} · " if found.synthetic else ""
    link = (visit.permanent("/explore") + address("", permanent_query(want, found))).partition("://")[2]
    newest = clocks.both_clocks(_newest(found), found.question.country, language)
    foot = [
        f"{notice}{own.credit}",
        language.say("Measured until {time}", time=newest),
        language.apart(link if len(link) <= 118 else f"{link[:117]}…"),
    ]
    return framed(
        panels(found, own, visit.now, language),
        own.sheet,
        stack_key(language),
        foot,
        own.span,
    )


def _newest(found: Explored) -> float:
    """The end of the last bin with a measurement, which no dates of the future extend."""
    measured = [n for n in range(len(found.edges) - 1) if any(row.cells[n] for row in found.rows)]
    return found.edges[measured[-1] + 1] if measured else found.edges[0]


FIELDS = ("measurements", "ok", "blocked", "throttled", "unclear")


def rows_of(found: Explored) -> list[dict[str, Any]]:
    """A row for each row and bin in which anything was measured; times in UTC."""
    return [
        {
            "time": to_iso(found.edges[n]),
            "end": to_iso(found.edges[n + 1]),
            found.question.by: row.name,
            **{field: getattr(cell, field) for field in FIELDS},
        }
        for row in found.rows
        for n, cell in enumerate(row.cells)
        if cell is not None
    ]


def document_of(want: ExploreRequest, found: Explored, visit: Visit) -> dict[str, Any]:
    """The answer as one JSON document (docs/api.md)."""
    question = found.question
    since, until = question.dates
    return {
        "url": visit.permanent("/explore") + address("", permanent_query(want, found)),
        "countries": list(question.countries),
        "networks": list(question.networks),
        "targets": list(question.targets),
        "layers": list(question.layers),
        "since": to_iso(since),
        "until": to_iso(until),
        "step": question.step,
        "by": question.by,
        "synthetic": found.synthetic,
        "sources": licences_of(found.sources),
        "total": {field: getattr(found.total, field) for field in FIELDS},
        "rows": rows_of(found),
    }


@resource("/explore.json", asks=ASKS)
def explore_json(store: Store, visit: Visit) -> Reply | None:
    want, found, _ = _answer(store, visit)
    if found is None:
        return None
    return Reply.of(msgspec.json.format(msgspec.json.encode(document_of(want, found, visit)), indent=1), JSON)


@resource("/explore.csv", asks=ASKS)
def explore_csv(store: Store, visit: Visit) -> Reply | None:
    """Each line names sources and licences, since a table is passed on without its page."""
    _, found, _ = _answer(store, visit)
    if found is None:
        return None
    out = io.StringIO()
    writer = csv.DictWriter(out, _columns(found), lineterminator="\r\n")
    writer.writeheader()
    for row in _table(found):
        writer.writerow({name: _safe(value) for name, value in row.items()})
    return Reply.of(out.getvalue(), CSV)


def _columns(found: Explored) -> list[str]:
    return ["time", "end", found.question.by, *FIELDS, "synthetic", "source", "licence"]


def _table(found: Explored) -> list[dict[str, Any]]:
    named = licences_of(found.sources)
    same = {
        "synthetic": found.synthetic,
        "source": "; ".join(one["credit"] or one["title"] for one in named),
        "licence": "; ".join(dict.fromkeys(one["licence"] for one in named)),
    }
    return [row | same for row in rows_of(found)]


def _safe(value: Any) -> Any:
    """A name from a measurement must not become a formula of a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


@resource("/explore.parquet", asks=ASKS)
def explore_parquet(store: Store, visit: Visit) -> Later | None:
    _, found, _ = _answer(store, visit)
    if found is None:
        return None
    return lambda: Reply.of(_parquet(found), PARQUET)


def _parquet(found: Explored) -> bytes:
    import pyarrow as pa  # imported here: it takes a fifth of a second
    from pyarrow import parquet

    by = found.question.by
    times = pa.timestamp("s", "UTC")
    kinds = {"time": times, "end": times, by: pa.int64() if by == "network" else pa.string()}
    kinds |= dict.fromkeys(FIELDS, pa.int64()) | {"synthetic": pa.bool_(), "source": pa.string()}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in _columns(found)])
    rows = _table(found)
    columns = {
        name: [datetime.fromisoformat(row[name]) if name in ("time", "end") else row[name] for row in rows]
        for name in schema.names
    }
    out = io.BytesIO()
    parquet.write_table(pa.table(columns, schema), out, compression="zstd")
    return out.getvalue()
