"""Incidents: all of them, past and present, by place, target, kind, status, time, length and words.

The same filter gives the page, a picture of the counts by month, feeds, and files to calculate with.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from markupsafe import Markup

from fanous.base.text import printable
from fanous.charts.months import (
    FRAME,
    MOST_BARS,
    NARROW,
    WIDE,
    BarWords,
    MonthBar,
    axis_lines,
    bars_drawn,
    bars_framed,
)
from fanous.charts.paint import PICTURE_WIDTH, png
from fanous.charts.plot import Shape
from fanous.model.incident import Incident, Kind, Status
from fanous.model.place import asn_of
from fanous.publish.credits import credits_line, sources_of
from fanous.publish.edition import stories
from fanous.publish.feeds import filtered_feed
from fanous.publish.filter import (
    LENGTH_WORDS,
    PATTERNS,
    STATE_WORDS,
    THE_LINE,
    IncidentFilter,
    began_text,
    every,
    filtered,
    month,
    target_name,
    ways_of,
)
from fanous.publish.table import as_csv, as_json
from fanous.questions.country import known_until
from fanous.refdata.countries import country_name, region_name
from fanous.refdata.networks import network_title
from fanous.store.protocol import Store
from fanous.web.answers import Later, Reply, Visit
from fanous.web.routes import Facts, page, resource
from fanous.wording.clocks import date, short_month
from fanous.wording.language import Language
from fanous.wording.words import KINDS_SHOWN, kinds_shown, mechanism_words

ON_A_PAGE = 40
"""Incidents per page; it stays under 60 KB in any of the six languages."""

LABELS = {
    "country": "Country",
    "region": "Region",
    "network": "Network",
    "kind": "Kind",
    "mechanism": "How",
    "status": "Status",
    "began": "Year",
    "length": "Length",
}
"""Parameter -> the name of its list of choices."""

MOST_OFFERED = 60
"""Most choices of one kind, those with most incidents."""

MOST_LINKED = 6
"""Most choices of one kind that are links too, with the most incidents: two lines on a screen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a condition.

    Attributes:
        value: empty = the condition does not matter.
        text: in the reader's language. count: incidents, before filtering; 0 = not counted.
    """

    value: str
    text: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Strip:
    """How many incidents began in each month, among those that fit apart from the time.

    Attributes:
        times: years, or the months of the chosen year, to narrow the list to.
        marks: the marks in the picture, with their meaning (``MARKS``).
    """

    wide: Markup
    narrow: Markup
    times: list[Choice]
    marks: list[tuple[str, str]]


@page(
    "/incidents",
    "incidents.html",
    title="Incidents",
    place=3,
    asks={**PATTERNS, "page": "[2-9]|[1-9][0-9]{1,3}"},
    feed=lambda store, visit: filtered_feed(store, visit, IncidentFilter.of(visit.asked)),
    feed_asks=PATTERNS,
)
def incidents_facts(store: Store, visit: Visit) -> Facts | None:
    """Facts of the page; ``None`` = there is no page with this number."""
    wanted = IncidentFilter.of(visit.asked)
    number = int(visit.asked.get("page", 1))
    side = store.about(wanted.country or None)
    everything = every(store, wanted)
    fitting = filtered(store, everything, wanted, visit)
    pages = max(1, -(-len(fitting) // ON_A_PAGE))
    if number > pages:
        return None
    at_any_time = filtered(store, everything, replace(wanted, began=""), visit) if wanted.began else fitting
    shown = stories(store, fitting[(number - 1) * ON_A_PAGE : number * ON_A_PAGE])
    return {
        "wanted": wanted,
        "labels": LABELS,
        "title": wanted.title(visit.language),
        "all": len(everything),
        "found": len(fitting),
        "listed": shown,
        "retracted_at": {
            story.incident.id: store.ledger.revisions(story.incident.id)[-1]
            for story in shown
            if story.incident.status is Status.RETRACTED
        },
        "unheard": {
            story.incident.id for story in shown if known_until(store, story.incident, visit.now) < visit.now
        },
        "page": number,
        "pages": pages,
        "strip": strip(at_any_time, wanted, visit.language),
        "choices": choices(
            everything, wanted, visit.language, side.facts.networks(wanted.country) if wanted.country else {}
        ),
        "links": linked(
            fitting, wanted, visit.language, lambda other: filtered(store, everything, other, visit)
        ),
        "targets": _offered(
            "target",
            everything,
            lambda one: [*one.targets, *([THE_LINE] if one.is_of_line else [])],
            lambda target: target_name(target, visit.language),
        ),
        "staged": side.is_synthetic,
    }


@resource("/incidents.csv", asks=PATTERNS)
def incidents_csv(store: Store, visit: Visit) -> Reply:
    wanted = IncidentFilter.of(visit.asked)
    fitting = filtered(store, every(store, wanted), wanted, visit)
    return Reply.of(as_csv(store, fitting, visit), "text/csv; charset=utf-8; header=present")


@resource("/incidents.json", asks=PATTERNS)
def incidents_json(store: Store, visit: Visit) -> Reply:
    wanted = IncidentFilter.of(visit.asked)
    fitting = filtered(store, every(store, wanted), wanted, visit)
    side = store.about(wanted.country or None)
    return Reply.of(as_json(side, fitting, wanted, visit), "application/json")


@resource("/incidents/months.svg", asks=PATTERNS)
def months_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = months_picture(store, visit)
    return Reply.of(drawn, "image/svg+xml") if drawn else None


@resource("/incidents/months.png", asks=PATTERNS)
def months_png(store: Store, visit: Visit) -> Later | None:
    drawn = months_picture(store, visit)
    return (lambda: Reply.of(png(drawn, PICTURE_WIDTH), "image/png")) if drawn else None


def months_picture(store: Store, visit: Visit) -> str:
    """The counts by month as a standalone picture; empty = there is nothing to count."""
    wanted, language = IncidentFilter.of(visit.asked), visit.language
    fitting = filtered(store, every(store, wanted), wanted, visit)
    standing = [incident for incident in fitting if incident.status is not Status.RETRACTED]
    if not standing:
        return ""
    bars = counted(standing, wanted.began[:4])
    staged = f"{language.say('Synthetic')} · " if standing[0].provenance.is_synthetic else ""
    address = visit.cited("/incidents", **wanted.query)
    foot = [
        f"{staged}Fanous · {date(datetime.fromtimestamp(visit.now, UTC), language)} · {language.apart(address)}",
        credits_line((name for one in standing for name in sources_of(one)), language),
    ]
    keys = [("slow" if name == "slowed" else name, language.say(MARKS[name])) for name in marks_of(bars)]
    return bars_framed(bars, bar_words(bars, FRAME, wanted, language), keys, [line for line in foot if line])


def choices(
    incidents: Sequence[Incident], wanted: IncidentFilter, language: Language, names: Mapping[int, str]
) -> dict[str, list[Choice]]:
    """Parameter -> its values among the incidents, for a reader to choose from.

    Args:
        names: of the networks of the chosen country; regions and networks are offered within a country only.
    """
    here = [incident for incident in incidents if incident.country == wanted.country]
    facets = {
        "country": _offered(
            "country",
            incidents,
            lambda incident: [incident.country],
            lambda code: country_name(code, language.code),
        ),
        "kind": _kinds(incidents, language),
        "mechanism": _ways(incidents, language),
        "status": [Choice(name, language.say(text)) for name, text in STATE_WORDS.items()],
        "began": _years(incidents, language),
        "length": [Choice(name, language.say(text)) for name, text in LENGTH_WORDS.items()],
        "region": _offered("region", here, _regions, lambda place: printable(region_name(place))),
        "network": _offered(
            "network", here, _networks, lambda place: network_title(asn_of(place), names) or place
        ),
    }
    for name, offered in facets.items():
        value = wanted.query.get(name, "")
        if value and value not in (one.value for one in offered):
            offered.append(Choice(value, replace(IncidentFilter(), **{name: value}).title(language)))
    return {name: offered for name, offered in facets.items() if offered}


def linked(
    incidents: Sequence[Incident],
    wanted: IncidentFilter,
    language: Language,
    those_that_fit: Callable[[IncidentFilter], Sequence[Incident]],
) -> dict[str, list[Choice]]:
    """Kinds and mechanisms that narrow the list by one click, each with how many incidents it then has.

    Args:
        found: what is listed now.
    """
    links = {}
    for name, offered in (("kind", _kinds), ("mechanism", _ways)):
        at_any = those_that_fit(replace(wanted, **{name: ""})) if wanted.query.get(name) else incidents
        chosen = wanted.query.get(name, "")
        most = sorted(offered(at_any, language), key=lambda one: (one.value != chosen, -one.count))
        if name == "mechanism":  # there are many, and most incidents have several
            most = [one for one in most if one.count < len(at_any) or one.value == chosen]
        if len(most) > 1 or chosen:
            links[name] = most[:MOST_LINKED]
    return links


def _kinds(incidents: Iterable[Incident], language: Language) -> list[Choice]:
    return _offered("kind", incidents, kinds_shown, lambda kind: language.say(KINDS_SHOWN[kind]))


def _ways(incidents: Iterable[Incident], language: Language) -> list[Choice]:
    return _offered("mechanism", incidents, _mechanisms, lambda name: language.say(mechanism_words(name)))


def _mechanisms(incident: Incident) -> set[str]:
    """Those that it counts under and that have their own words."""
    return {
        name
        for name in ways_of(incident)
        if mechanism_words(name) not in (name, mechanism_words(name.rpartition(".")[0] or "-"))
    }


def _regions(incident: Incident) -> list[str]:
    return [place for place in incident.entities if place != incident.country and not asn_of(place)]


def _networks(incident: Incident) -> list[str]:
    return [place for place in incident.entities if asn_of(place)]


def _years(incidents: Sequence[Incident], language: Language) -> list[Choice]:
    counts = Counter(month(incident.onset)[:4] for incident in incidents)
    return [Choice(year, began_text(year, language), n) for year, n in sorted(counts.items(), reverse=True)]


def _offered(
    name: str,
    incidents: Iterable[Incident],
    values: Callable[[Incident], Iterable[str]],
    text: Callable[[str], str],
) -> list[Choice]:
    """Choices limited to values that the parameter accepts; names in measurements may be any text."""
    counts = Counter(str(value) for incident in incidents for value in set(values(incident)))
    fit = re.compile(PATTERNS[name])
    offered = [
        Choice(value, text(value), n)
        for value, n in counts.most_common()
        if fit.fullmatch(value) and printable(value) == value
    ]
    return sorted(offered[:MOST_OFFERED], key=lambda choice: choice.text)


def strip(incidents: Sequence[Incident], wanted: IncidentFilter, language: Language) -> Strip | None:
    """``None`` = there is nothing to count."""
    standing = [incident for incident in incidents if incident.status is not Status.RETRACTED]
    year = wanted.began[:4]
    if year:
        standing = [one for one in standing if month(one.onset).startswith(year)]
    if not standing:
        return None
    bars = counted(standing, year)
    wide, narrow = (
        Markup(bars_drawn(bars, bar_words(bars, shape, wanted, language), shape, mark))
        for shape, mark in ((WIDE, "mw"), (NARROW, "mn"))
    )
    times = (
        [Choice(bar.began, began_text(bar.began, language), bar.all) for bar in bars if bar.all]
        if year
        else _years(standing, language)
    )
    return Strip(wide, narrow, times, [(name, MARKS[name]) for name in marks_of(bars)])


MARKS = {
    "dark": "Outage",
    "cut": "Blocking",
    "slowed": "Throttling, slowdown or loss of traffic",
    "maybe": "Suspected",
}
"""Mark of the picture -> what it means."""


def marks_of(bars: Sequence[MonthBar]) -> list[str]:
    """The marks that occur."""
    kinds = {
        "dark": sum(bar.offline for bar in bars),
        "cut": sum(bar.blocked for bar in bars),
        "slowed": sum(bar.slowed for bar in bars),
        "maybe": sum(bar.suspected for bar in bars),
    }
    return [name for name, n in kinds.items() if n]


def counted(standing: Sequence[Incident], year: str = "") -> list[MonthBar]:
    """One bar per month from the first to the last, or for the whole chosen year; beyond ``MOST_BARS``
    months, one per year."""
    months = (
        [f"{year}-{n:02d}" for n in range(1, 13)]
        if year
        else _between([month(incident.onset) for incident in standing])
    )
    names, size = (months, 7) if len(months) <= MOST_BARS else (list(dict.fromkeys(m[:4] for m in months)), 4)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in standing:
        counts[month(one.onset)[:size]][_counts_as(one)] += 1
    return [MonthBar(name, **counts[name]) for name in names]


def _counts_as(incident: Incident) -> str:
    """The attribute of ``MonthBar`` that it adds to."""
    if incident.confirmed_at is None:
        return "suspected"
    if incident.is_of_traffic:
        return "slowed"
    return {Kind.OUTAGE: "offline", Kind.BLOCKING: "blocked"}.get(incident.kind, "slowed")


def _between(months: Iterable[str]) -> list[str]:
    numbers = [int(one[:4]) * 12 + int(one[5:]) - 1 for one in months]
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(min(numbers), max(numbers) + 1)]


def bar_words(bars: Sequence[MonthBar], shape: Shape, wanted: IncidentFilter, language: Language) -> BarWords:
    """Title, description, axes."""
    highest = max(bars, key=lambda bar: bar.all)
    title = language.say("Incidents by month of their beginning (UTC)")
    about = wanted.title(language)
    return BarWords(
        title=f"{title}{language.colon}{about}" if about else title,
        description=language.say(
            "{n} in all; most in {month}: {most}",
            n=language.number(sum(bar.all for bar in bars)),
            month=began_text(highest.began, language),
            most=language.number(highest.all),
        ),
        axis=language.say("Incidents that began in the month")
        if len(bars[0].began) > 4
        else language.say("Incidents that began in the year"),
        ticks=_ticks(bars, shape.ticks, language),
        numbers=[(number, language.number(number)) for number in axis_lines(bars)],
        rtl=language.direction == "rtl",
    )


def _ticks(bars: Sequence[MonthBar], most: int, language: Language) -> list[tuple[int, str]]:
    """Years at their first month, or months if there are fewer than two years; never more than ``most``."""
    if len(bars[0].began) > 4 and len(bars) >= 24:
        named = [
            (n, began_text(bar.began[:4], language))
            for n, bar in enumerate(bars)
            if bar.began.endswith("-01")
        ]
    elif len(bars[0].began) > 4:
        named = [(n, month_name(bar.began, language)) for n, bar in enumerate(bars)]
    else:
        named = [(n, began_text(bar.began, language)) for n, bar in enumerate(bars)]
    every_nth = -(-len(named) // most) or 1
    return named[::every_nth]


def month_name(began: str, language: Language) -> str:
    """``Dec 2023``."""
    return short_month(int(began[:4]), int(began[5:]), language)
