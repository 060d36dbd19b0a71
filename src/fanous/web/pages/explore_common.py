"""What both kinds of answer in Explore share: the question, read from the address; its form; its links; its context.

A question is about measurements, or about one signal of public sources if the address names one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from fanous.analysis.series.signals import SIGNALS
from fanous.base.text import printable
from fanous.charts.counts import Sheet
from fanous.charts.plot import IncidentSpan, ticks
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.publish.edition import Story, stories
from fanous.publish.pictures import clock_words, marks_of
from fanous.questions.country import known_until
from fanous.questions.explore import (
    KINDS,
    QUANTITIES,
    STEPS,
    DatedQuestion,
    ExploreQuestion,
    SeriesQuestion,
    TooMuch,
    shown,
)
from fanous.questions.search import asn_named
from fanous.refdata.countries import local, midnight, near_regions, region_name, region_of
from fanous.refdata.networks import network_name
from fanous.store.protocol import Store
from fanous.web.answers import JSON, Elsewhere, NotUnderstood, Reply, Several, Visit
from fanous.wording import clocks
from fanous.wording.language import Language
from fanous.wording.names import country_named, target_named

CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"

LAYERS = ("dns", "tcp", "tls", "quic", "http", "transfer")
BY = {
    "network": "Network",
    "target": "Target",
    "country": "Country",
    "mechanism": "Mechanism",
    "source": "Source",
}
"""What rows of measurements may be, in the reader's words."""

BY_PLACE = {"country": "Country", "region": "Region", "network": "Network"}
"""What rows of series may be."""

MOST_NAMED = 4
"""Most places, networks or targets in one question."""

NAMED = ("country", "region", "network", "target")
"""Parameters that may name several."""

_NAMES = r"[^\x00-\x1f\x7f]{1,200}"
_DATE = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
ASKS = {
    "signal": "|".join(QUANTITIES),
    "country": Several(_NAMES),
    "region": _NAMES,
    "network": Several(_NAMES),
    "target": Several(_NAMES),
    "layer": "|".join(LAYERS),
    "by": "|".join({**BY, **BY_PLACE}),
    "since": _DATE,
    "until": _DATE,
    "step": "|".join(map(str, STEPS)),
}
"""Names may be written as people write them; the page then leads to the address with their codes."""

Q = TypeVar("Q", bound=DatedQuestion)


@dataclass(frozen=True, slots=True)
class ExploreRequest(Generic[Q]):
    """What an address asks for.

    Attributes:
        query: parameters of this question's canonical address.
        unknown: unknown names, as typed.
        near: regions that an unknown one may mean, best first.
        left_out: names beyond ``MOST_NAMED``, as typed.
    """

    question: Q
    query: Mapping[str, str]
    unknown: tuple[str, ...]
    near: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Named:
    """What both kinds of question name.

    Attributes:
        since, until: unix seconds; ``None`` = not named.
        regions: as ``Place.region``.
        query: the parameters that say so.
        unknown, near, left_out: as in ``ExploreRequest``.
    """

    countries: tuple[str, ...]
    networks: tuple[int, ...]
    targets: tuple[str, ...]
    regions: tuple[str, ...]
    since: float | None
    until: float | None
    step: int
    query: Mapping[str, str]
    unknown: tuple[str, ...]
    near: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def of_both(self) -> dict[str, Any]:
        """Fields of ``DatedQuestion``."""
        names = ("countries", "networks", "targets", "since", "until", "step")
        return {name: getattr(self, name) for name in names}


def _read(store: Store, visit: Visit) -> _Named:
    """What an address names, with names turned into codes."""
    asked = visit.asked
    unknown: list[str] = []
    countries = named(asked.get("country", ""), country_named, unknown)
    targets = named(asked.get("target", ""), target_named, unknown)
    networks_there = shown(store, countries).facts.known_networks() if asked.get("network") else []
    networks = named(
        asked.get("network", ""), lambda text: asn_named(text, networks_there, countries), unknown
    )
    first, last = _day(asked, "since"), _day(asked, "until")
    if first and last and first > last:
        first, last = last, first
    country = countries[0] if len(countries) == 1 else ""
    strange: list[str] = []
    has_series = shown(store, countries).facts.known_regions
    regions = named(asked.get("region", ""), lambda text: _region(country, text, has_series), strange)
    query = {
        "country": ",".join(countries),
        "region": ",".join(regions),
        "network": ",".join(f"AS{asn}" for asn in networks),
        "target": ",".join(targets),
        "since": f"{first}" if first else "",
        "until": f"{last}" if last else "",
        "step": asked.get("step", ""),
    }
    return _Named(
        countries,
        tuple(int(asn) for asn in networks),
        targets,
        regions,
        midnight(first, country) if first else None,
        midnight(last + timedelta(days=1), country) if last else None,
        int(asked.get("step", 0)),
        query,
        (*unknown, *strange),
        tuple(near for text in strange for near in _near(country, text, has_series)),
        tuple(text for name in ASKS for text in pieces_of(asked.get(name, ""))[MOST_NAMED:] if name in NAMED),
    )


def wanted(store: Store, visit: Visit) -> ExploreRequest[ExploreQuestion]:
    """A question about measurements; a region is kept in the query, although no measurement names one."""
    asked, names = visit.asked, _read(store, visit)
    usual = "network" if len(names.countries) == 1 else "country"
    by = asked.get("by", usual)
    if by not in BY:
        by = usual
    layers = (asked["layer"],) if "layer" in asked else ()
    question = ExploreQuestion(layers=layers, by=by, **names.of_both)
    more = {"layer": asked.get("layer", ""), "by": by if by != usual else ""}
    return ExploreRequest(question, _told(names.query, more), names.unknown, names.near, names.left_out)


def wanted_series(store: Store, visit: Visit) -> ExploreRequest[SeriesQuestion]:
    """A question about a signal; regions can be named if exactly one country is."""
    asked, names = visit.asked, _read(store, visit)
    by = asked.get("by", "") if asked.get("by", "") in KINDS else ""
    if names.regions or names.networks:
        by = ""
    question = SeriesQuestion(signal=asked["signal"], regions=names.regions, by=by, **names.of_both)
    more = {"signal": asked["signal"], "by": by}
    return ExploreRequest(question, _told(names.query, more), names.unknown, names.near, names.left_out)


def _region(country: str, text: str, has_series: Callable[[str], Sequence[str]]) -> str:
    """``PK-PB`` or a name of it -> ``PK-PB``; one without a code -> ``PK:name``; empty = there is no such region.

    Args:
        country: empty = none is named, or several are; the text must then say which.
        has_series: country -> its regions that have series, among them all that have no code.
    """
    code = text.upper()
    if re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", code):
        return code if region_name(code) != code and country in ("", code[:2]) else ""
    code_of, colon, name = text.partition(":")
    if not re.fullmatch("[A-Z]{2}", code_of) or not colon:
        code_of, name = country, text
    if not code_of or country not in ("", code_of):
        return ""
    region = region_of(code_of, name)
    return region if ":" not in region or region in has_series(code_of) else ""


def _near(country: str, text: str, has_series: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Regions that an unknown name may mean."""
    match = re.match("([A-Z]{2})[-:]", text.upper())
    where = country or (match[1] if match else "")
    return near_regions(where, text, has_series(where)) if where else ()


def _told(query: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Parameters in the order of ``ASKS``; empty ones are left out."""
    every = {**query, **more}
    return {name: every[name] for name in ASKS if every.get(name)}


def named(text: str, meaning: Callable[[str], str], unknown: list[str]) -> tuple[str, ...]:
    """The codes of comma-separated names; names without one go to ``unknown``, and those beyond ``MOST_NAMED`` are
    left out."""
    codes = []
    for piece in pieces_of(text)[:MOST_NAMED]:
        code = meaning(piece)
        if code:
            codes.append(code)
        else:
            unknown.append(piece)
    return tuple(dict.fromkeys(codes))


def pieces_of(text: str) -> list[str]:
    """Names between commas, Latin or Arabic."""
    return [printable(piece.strip()) for piece in re.split("[,،]", text) if piece.strip()]


def _day(asked: Mapping[str, str], name: str) -> date | None:
    """The day that a parameter names; ``None`` = it is not given.

    Raises:
        NotUnderstood: no calendar has it.
    """
    try:
        return date.fromisoformat(asked[name]) if name in asked else None
    except ValueError:
        raise NotUnderstood(name, asked[name]) from None


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with its query; commas are not escaped."""
    return path + (f"?{urlencode(query, safe=',')}" if query else "")


def check_address(want: ExploreRequest[Any], visit: Visit) -> None:
    """One question has one address, unless the page must first say that it does not answer all of it.

    Raises:
        Elsewhere: it differs from the request's.
    """
    query = {name: value for name, value in visit.asked.items() if name in ASKS}
    if not want.unknown and not want.left_out and query != dict(want.query):
        language = {"lang": visit.language.code} if visit.named else {}
        raise Elsewhere(address(visit.path, {**want.query, **language}))


A = TypeVar("A")


def answer_to(
    want: ExploreRequest[Q], visit: Visit, find: Callable[[Q], A], *, partly: bool, unfit: str = ""
) -> tuple[ExploreRequest[Q], A | None, str]:
    """The request, the answer, and, if there is none, why not: a word for the template.

    Args:
        find: answers a question; raises ``TooMuch``.
        partly: answer although some names are left out; the page says so, and a file could not.
        unfit: why such a question has no answer; empty = it may have one.

    Raises:
        Elsewhere: the same question has another address.
    """
    check_address(want, visit)
    if want.unknown or (want.left_out and not partly):
        return want, None, ""
    if unfit:
        return want, None, unfit
    try:
        return want, find(want.question), ""
    except TooMuch:
        return want, None, "much"


def permanent_query(want: ExploreRequest[Any], question: DatedQuestion) -> dict[str, str]:
    """The question with dates and bins written out, so that it always shows the same.

    Args:
        question: as it was answered, with these.
    """
    since, until = question.dates
    return dict(want.query) | {
        "since": f"{local(since, question.country).date()}",
        "until": f"{local(until - 1, question.country).date()}",
        "step": str(question.step),
    }


def span_of(question: DatedQuestion, language: Language) -> str:
    """``17 to 18 December 2023 (PKT)``: days, both included."""
    since, until = question.dates
    first, last = local(since, question.country), local(until - 1, question.country)
    return f"{clocks.days_between(first, last, language)} ({language.apart(clocks.zone_of(first))})"


def permanent_link(want: ExploreRequest[Any], question: DatedQuestion, visit: Visit) -> str:
    """The full address of the page with ``permanent_query``."""
    return visit.permanent("/explore") + address("", permanent_query(want, question))


MOST_COMPARED = 4
"""Most rows of one picture."""

MOST_SPANS = 40
"""Most periods of incidents in one panel."""


def spans_within(spans: Iterable[IncidentSpan], edges: Sequence[float]) -> list[IncidentSpan]:
    """The first periods of incidents that are on within the dates that are shown."""
    return [span for span in spans if span.start < edges[-1] and span.end > edges[0]][:MOST_SPANS]


def sheet_for(
    edges: Sequence[float],
    country: str,
    words: tuple[str, str, str],
    events: Iterable[AnnouncedEvent],
    language: Language,
    most_ticks: int,
) -> Sheet:
    """The axes of a picture.

    Args:
        words: what a share is of, the title, and the text for screen readers.
    """
    start, end = edges[0], edges[-1]
    return Sheet(
        edges,
        ticks(start, end, country, language, most_ticks),
        [(share, language.percent(share)) for share in (0.0, 0.5, 1.0)],
        *words,
        clock_words(start, country, language),
        marks_of(events, start, end),
        rtl=language.direction == "rtl",
    )


def foot_of(
    want: ExploreRequest[Any],
    question: DatedQuestion,
    visit: Visit,
    credit: str,
    newest: float,
    *,
    is_synthetic: bool,
) -> list[str]:
    """The lines below a picture: source and licence, how far the data reach (``measured_until``), permanent link."""
    language = visit.language
    notice = f"{language.say('Synthetic')} · " if is_synthetic else ""
    time = clocks.both_clocks(newest, question.country, language)
    return [
        f"{notice}{credit}",
        language.say("Measured until {time}", time=time),
        language.apart(short_link(permanent_link(want, question, visit))),
    ]


def measured_until(edges: Sequence[float], rows: Iterable[Sequence[object]]) -> float:
    """The end of the last bin with a value in any row (``None`` = none); dates in the future do not extend it."""
    measured = [n for cells in rows for n, cell in enumerate(cells) if cell is not None]
    return edges[max(measured) + 1] if measured else edges[0]


def json_reply(document: Any) -> Reply:
    return Reply.of(msgspec.json.format(msgspec.json.encode(document), indent=1), JSON)


LONGEST_LINK = 118
"""Most characters in a line of a picture."""


def short_link(address: str) -> str:
    """An address without its scheme, cut to fit."""
    link = address.partition("://")[2]
    return link if len(link) <= LONGEST_LINK else f"{link[: LONGEST_LINK - 1]}…"


def file_name(query: Mapping[str, str]) -> str:
    """The name of a download without its ending: ``fanous-PK-x-2023-12-17-2023-12-18``."""
    names = ("signal", "country", "region", "network", "target", "since", "until")
    text = "-".join(["fanous", *(query[name] for name in names if query.get(name))])
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text)[:120]


EMBED_WIDTH, EMBED_HEIGHT = 640, 420


def links_of(want: ExploreRequest[Any], question: DatedQuestion, visit: Visit) -> dict[str, Any]:
    """Facts about the links of an answer, and of its form."""
    fixed = permanent_query(want, question)
    return {
        "permalink": permanent_link(want, question, visit),
        "embed": visit.permanent("/embed/explore") + address("", fixed),
        "fixed": fixed,
        "name": file_name(fixed),
        "first": fixed["since"],
        "last": fixed["until"],
        "step": question.step,
        "height": EMBED_HEIGHT,
        "breadth": EMBED_WIDTH,
    }


def without_data(names: Sequence[str], language: Language) -> str:
    """A sentence about what was asked for and has no data in this time; empty = everything has."""
    listed = language.comma.join(map(language.apart, names))
    return language.say("No data in this time: {names}.", names=listed) if names else ""


MOST_BRIEFS = 8


@dataclass(frozen=True, slots=True)
class Context:
    """What else is known about the places and the time shown.

    Attributes:
        incidents: in this time, the newest first.
        briefs: the first of them.
        earlier: number of earlier ones.
        known_until: incident -> when the data about it end, if it is open (unix seconds).
    """

    incidents: tuple[Incident, ...]
    briefs: tuple[Story, ...]
    earlier: int
    events: tuple[AnnouncedEvent, ...]
    known_until: Mapping[str, float]


def context_of(store: Store, question: DatedQuestion, visit: Visit) -> Context:
    """The context of a question with dates."""
    side = shown(store, question.countries)
    since, until = question.dates
    about = [
        incident
        for incident in side.ledger.incidents(synthetic=side.is_synthetic)
        if incident.status is not Status.RETRACTED and _concerns(incident, question)
    ]
    ends = {incident.id: known_until(store, incident, visit.now) for incident in about if incident.is_open}
    inside = [
        incident
        for incident in about
        if incident.onset < until and ends.get(incident.id, incident.end or visit.now) >= since
    ]
    inside.sort(key=lambda incident: -incident.onset)
    events = [
        event
        for event in side.ledger.events(None, since, until)
        if not question.countries or event.country in question.countries
    ]
    return Context(
        tuple(inside),
        tuple(stories(store, inside[:MOST_BRIEFS])),
        sum(incident.onset < since and incident not in inside for incident in about),
        tuple(events),
        ends,
    )


def _concerns(incident: Incident, question: DatedQuestion) -> bool:
    return (
        (not question.countries or incident.country in question.countries)
        and (
            not question.targets or incident.is_of_line or bool(set(question.targets) & set(incident.targets))
        )
        and (not question.networks or any(f"AS{asn}" in incident.entities for asn in question.networks))
        and (isinstance(question, ExploreQuestion) or incident.is_of_line or bool(question.targets))
    )


def signals_of(store: Store, countries: Sequence[str]) -> list[tuple[str, str]]:
    """Name and title of each quantity with values in these countries; none named = in any."""
    every = {
        signal.signal
        for signal in store.facts.known_signals()
        if not countries or signal.country in countries
    }
    return [(name, SIGNALS[name].title) for name in QUANTITIES if name in every]


MOST_OFFERED = 60
"""Most names that a field offers while the reader types."""


def form_facts(store: Store, visit: Visit, want: ExploreRequest[Any]) -> dict[str, Any]:
    """Facts for the page's form: what it asks, and what was measured or published there."""
    question = want.question
    side = shown(store, question.countries)
    targets = side.facts.known_targets()
    networks = [
        network
        for network in side.facts.known_networks()
        if not question.countries or network.country in question.countries
    ]
    networks.sort(key=lambda network: -network.measurements)
    return {
        "want": want,
        "near": [(region, printable(region_name(region))) for region in want.near],
        "signal": visit.asked.get("signal", ""),
        "signals": signals_of(side, question.countries),
        "regional": [
            (name, SIGNALS[name].title)
            for name in QUANTITIES
            if "region" in want.query
            and any(
                signal.signal == name and signal.kind == "region" and signal.country in question.countries
                for signal in side.facts.known_signals()
            )
        ],
        "steps": STEPS,
        "layers": LAYERS,
        "axes": BY_PLACE if "signal" in visit.asked else BY,
        "countries": shown(store, ()).facts.countries(),
        "targets": sorted(targets, key=lambda target: (-targets[target], target))[:MOST_OFFERED],
        "networks": [
            (network.asn, network_name(network.asn) or network.name) for network in networks[:MOST_OFFERED]
        ],
        "staged": False,
        "series": False,
        "why": "",
        "closed": "",
        "unstated": False,
        "found": None,
        "answer": None,
    }
