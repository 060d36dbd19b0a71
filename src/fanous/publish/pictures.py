"""Pictures: the share card and the chart of an incident, as SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fanous.base.text import printable
from fanous.charts.card import CHART, Words, card
from fanous.charts.counts import Panel, Sheet, framed, named_rows
from fanous.charts.plot import WIDE, IncidentSpan, Legend, PartBar, Shape, drawing, ticks
from fanous.charts.reachability import Lines, reachable
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Interval, Status, union
from fanous.model.instant import HOUR
from fanous.model.series import Votes
from fanous.publish.credits import credit_line
from fanous.publish.edition import Edition, incident_path, oldest, stories
from fanous.publish.levels import label_of, name_of, series_of
from fanous.publish.levels import lines_of as lines_of_levels
from fanous.questions.country import data_ended, known_until
from fanous.refdata.countries import country_name
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous.wording import headline, narrative, period
from fanous.wording.clocks import zone_name
from fanous.wording.language import Language
from fanous.wording.words import status_word

BEFORE, AFTER = (6 * HOUR, 0.6), (3 * HOUR, 0.3)
"""How far a chart extends before and after an incident: at least this long, or this share of its length."""

CURVES = Shape(WIDE.width, 160, 6)
"""The size of what public series show, before it is enlarged to the card's chart."""

MOST_LINES = 5
"""As many lines as a reader can tell apart."""


def card_svg(store: Store, incident: Incident, edition: Edition) -> str:
    """The share card that other sites show for a link to the incident."""
    (story,) = stories(store, [incident])
    language = edition.language
    lines = _drawable(lines_of(store, incident, edition.now))
    gone = incident.status is Status.RETRACTED
    until = data_ended(store, incident, edition.now)
    account = [*narrative.summary(incident, language), *narrative.unheard_since(until, incident, language)]
    if lines is None:
        chart, unit = curves_of(store, incident, edition), ""
    else:
        sheet, panels = (
            sheet_of(incident, lines, language, CHART),
            panels_of(incident, lines, edition.now, language),
        )
        chart, unit = named_rows(panels, sheet, stack_key(language), CHART), _unit(lines, language)
    words = Words(
        status=language.say(status_word(incident)),
        headline=(headline.claimed if gone else headline.headline)(incident, story.names, language).text,
        sentence=" ".join(one.text for one in account),
        foot=_foot(incident, edition, unit, charted=bool(chart)),
        confirmed=incident.confirmed_at is not None and incident.status is not Status.RETRACTED,
        over=incident.status is Status.ENDED,
        gone=gone,
        notice=language.say("Synthetic") if incident.provenance.is_synthetic else "",
        rtl=language.direction == "rtl",
        caption="" if gone else " ".join(one.text for one in narrative.speeds(incident, language)),
    )
    return card(words, chart)


def curves_of(store: Store, incident: Incident, edition: Edition) -> str:
    """What public series show of an outage, as on its page, to be drawn inside its card; empty = none do."""
    if incident.targets and not incident.is_of_traffic:
        return ""
    store, language = store.of(incident.provenance), edition.language
    since, until = reach(store, incident, edition.now)
    incidents = known_around(store, incident)
    series, lost = series_of(store, incident.country, incidents, since, until, incident.targets)
    lines = lines_of_levels(series, since, min(until, edition.now), lost, incident.opinions)
    if not lines.lines:
        return ""
    titles = {name_of(one): label_of(one.key, language) for one in series}
    names = [titles[line.target] for line in lines.lines]
    legend = legend_of(lines, names, "", incident.country, language, CURVES)
    drawn = drawing(lines, incident_spans(incident, edition.now), legend, CURVES)
    return f'<g transform="scale({CHART.width / CURVES.width:.3f})">{drawn}</g>'


def chart_svg(store: Store, incident: Incident, edition: Edition) -> str:
    """What became of each target through time; empty = there is nothing to draw."""
    lines = _drawable(lines_of(store, incident, edition.now))
    if lines is None:
        return ""
    (story,) = stories(store, [incident])
    language = edition.language
    title = headline.headline(incident, story.names, language).text
    around = around_of(store, incident, lines)
    sheet = replace(sheet_of(incident, lines, language, WIDE, around.marks), title=title)
    notice, address, credit = _provenance(incident, edition)
    foot = [f"{notice}{address}", *([credit] if credit else [])]
    when = period.roughly_when(incident, language).text
    return framed(
        panels_of(incident, lines, edition.now, language, around.others),
        sheet,
        stack_key(language),
        foot,
        when,
    )


@dataclass(frozen=True, slots=True)
class Around:
    """What else is marked on the time axis.

    Attributes:
        others: incidents of the same targets, or of the country's connectivity.
        marks: (unix seconds, title) of announced events.
    """

    others: tuple[Incident, ...]
    marks: tuple[tuple[float, str], ...]


MOST_MARKS = 6
MOST_TITLE = 28
"""Characters of an event's title that fit into a chart; the page shows all of it."""


def around_of(store: Store, incident: Incident, lines: Lines) -> Around:
    """Other incidents and announced events within the time that is drawn."""
    store = store.of(incident.provenance)
    incidents = store.ledger.incidents(
        incident.country, lines.start, lines.end, synthetic=incident.provenance.is_synthetic
    )
    others = tuple(
        other
        for other in incidents
        if other.id != incident.id
        and other.status is not Status.RETRACTED
        and (other.is_of_line or set(other.targets) & set(incident.targets))
    )
    return Around(others, marks_of(store.ledger.events(incident.country), lines.start, lines.end))


def marks_of(events: Iterable[AnnouncedEvent], start: float, end: float) -> tuple[tuple[float, str], ...]:
    """The first announced events that begin within these times, as marks of a chart."""
    marks = [(event.start, short_title(event.title)) for event in events if start <= event.start < end]
    return tuple(marks[:MOST_MARKS])


def short_title(title: str) -> str:
    """As much of an event's title as fits into a chart."""
    shown = printable(title)
    return shown if len(shown) <= MOST_TITLE else f"{shown[: MOST_TITLE - 1].rstrip()}…"


def panels_of(
    incident: Incident, lines: Lines, now: float, language: Language, others: Sequence[Incident] = ()
) -> list[Panel]:
    """One panel for each target."""
    spans = incident_spans(incident, now)
    return [
        Panel(
            headline.title_in(incident, line.target, language),
            "",
            line.stack(),
            [
                *(
                    replace(span, is_other=True)
                    for one in others
                    if (one.is_of_line or line.target in one.targets)
                    for span in incident_spans(one, now)
                ),
                *spans,
            ],
        )
        for line in lines.lines
    ]


def incident_spans(
    incident: Incident, now: float, intervals: Sequence[Interval] | None = None
) -> list[IncidentSpan]:
    """When it was on, on a time axis: intervals that touch differ only in how much was left.

    Args:
        intervals: those of one of its networks.
    """
    until = now if incident.seen_until is None else incident.seen_until
    bounds = ((incident.fall_earliest, incident.onset_latest), (incident.end_earliest, incident.end_latest))
    brackets = [(first, last) for first, last in bounds if first is not None and last is not None]
    return [
        IncidentSpan(
            one.start,
            until if one.end is None else one.end,
            [(a, b) for a, b in brackets if a <= one.start <= b or a <= one.until <= b],
            is_open=one.end is None,
        )
        for one in union(incident.intervals if intervals is None else intervals)
    ]


def sheet_of(
    incident: Incident,
    lines: Lines,
    language: Language,
    shape: Shape,
    marks: Sequence[tuple[float, str]] = (),
) -> Sheet:
    """The axes of its chart, and its text for screen readers."""
    bounds = [(incident.onset, language.say("Began"))]
    if incident.end is not None:
        bounds.append((incident.end, language.say("Ended")))
    return Sheet(
        [lines.start + n * lines.step for n in range(lines.bins + 1)],
        ticks(lines.start, lines.end, incident.country, language, shape.ticks),
        [(share, language.percent(share)) for share in (0.0, 0.5, 1.0)],
        _unit(lines, language),
        f"{headline.lead(incident, language)}{_share(lines, language)}",
        _lowest(incident, lines, language),
        clock_words(lines.start, incident.country, language),
        marks,
        bounds,
        language.direction == "rtl",
    )


def clock_words(instant: float, country: str, language: Language) -> str:
    """What the time axis of a chart is called: ``Time in Pakistan (PKT)``."""
    zone = language.apart(zone_name(instant, country))
    if not country:
        return language.say("Time ({zone})", zone=zone)
    clock = language.say(
        "Time in {country} ({zone})", country=country_name(country, language.code), zone=zone
    )
    return language.apart(clock)


def stack_key(language: Language) -> list[tuple[str, str]]:
    """(class of an area, what it means)."""
    return [
        ("blocked", language.say("Blocked")),
        ("slowed", language.say("Slowed")),
        ("works", language.say("Reachable")),
    ]


def reach(store: Store, incident: Incident, now: float) -> tuple[float, float]:
    """The window that its chart shows (unix seconds, half-open); for a very busy country, only the beginning.

    Without an end, nothing is known of the time after the data end.
    """
    end = known_until(store, incident, now) if incident.end is None else incident.end
    length = max(end - incident.onset, HOUR)
    since = min(incident.onset, incident.onset_earliest or incident.onset) - max(
        BEFORE[0], BEFORE[1] * length
    )
    after = 1.0 if incident.end is None else max(AFTER[0], AFTER[1] * length)
    until = min(end + after, max(now, end) + 1)
    return since, oldest(store.facts.volume(incident.country, since, until), since, until)


def lines_of(store: Store, incident: Incident, now: float) -> Lines:
    """Its targets over time; an outage has one line for everything measured."""
    store = store.of(incident.provenance)
    since, until = reach(store, incident, now)
    votes = store.facts.votes(incident.country, since, until, _drawn_targets(incident) or None)
    return lines_among(incident, votes, since, until)


def lines_among(incident: Incident, votes: Votes, since: float, until: float) -> Lines:
    """As ``lines_of``, from votes that were already read."""
    return reachable(votes, _drawn_targets(incident), since, until, user_weights(incident.country))


def _drawn_targets(incident: Incident) -> list[str]:
    return list(incident.targets[:MOST_LINES])


def known_around(store: Store, incident: Incident) -> list[Incident]:
    """The incidents of its country, which are no part of a baseline.

    What a retracted one said was compared with the time before it, so its chart is too.
    """
    incidents = list(store.ledger.incidents(incident.country, synthetic=incident.provenance.is_synthetic))
    is_gone = incident.status is Status.RETRACTED
    return [*incidents, replace(incident, status=Status.SUSPECTED)] if is_gone else incidents


def _lowest(incident: Incident, lines: Lines, language: Language) -> str:
    """For screen readers: the lowest value of each line."""
    lowest = [
        f"{headline.title_in(incident, line.target, language)}{language.colon}{language.percent(min(shares))}"
        for line in lines.lines
        if (shares := [share for share in line.shares if share is not None])
    ]
    return language.say("Lowest share") + language.colon + language.semicolon.join(lowest)


def _drawable(lines: Lines) -> Lines | None:
    measured = any(share is not None for line in lines.lines for share in line.shares)
    return lines if measured else None


def _share(lines: Lines, language: Language) -> str:
    """The unit of the lines: a share of users or of networks."""
    if lines.by_users:
        return language.say("Share of users for whom each target worked as usual")
    return language.say("Share of measured networks on which each target worked as usual")


def _unit(lines: Lines, language: Language) -> str:
    """What the value axis measures."""
    return language.say("Share of users") if lines.by_users else language.say("Share of measured networks")


def _foot(incident: Incident, edition: Edition, unit: str, *, charted: bool) -> list[str]:
    """The time on both clocks (unless a sentence above gives it), what is drawn, and where it can be checked."""
    language = edition.language
    notice, address, credit = _provenance(incident, edition)
    when = [period.roughly_when(incident, language).text] if charted else []
    drawn = f"{unit} · " if unit else ""
    return [*when, f"{notice}{drawn}{address}", *([credit] if credit else [])]


def _provenance(incident: Incident, edition: Edition) -> tuple[str, str, str]:
    """A notice (or nothing), the address without its scheme, and whose data it is."""
    language = edition.language
    address = edition.cited(incident_path(incident))
    mark = headline.provenance_mark(incident, language)
    return f"{mark} · " if mark else "", language.apart(address), credit_line(incident, language)


TOP = 1.25
"""Share of the baseline; higher values are drawn at the edge, since they are not disruptions."""

HEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


def legend_of(
    lines: Lines,
    names: Sequence[str],
    description: str,
    country: str,
    language: Language,
    shape: Shape,
    bars: Sequence[PartBar] = (),
) -> Legend:
    """What is written on a chart of them.

    Args:
        names: of the lines, in order.
    """
    unit = language.say("Value in % of the baseline")
    return Legend(
        unit,
        description,
        ticks(lines.start, lines.end, country, language, shape.ticks),
        heights(language),
        (),
        unit,
        clock_words(lines.start, country, language),
        names,
        bars,
        rtl=language.direction == "rtl",
    )


def heights(language: Language) -> list[tuple[float, str]]:
    """The value axis; its top line is the edge and has no label."""
    return [*((share, language.percent(share)) for share in HEIGHTS), (TOP, "")]
