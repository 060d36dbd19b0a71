"""Pictures: the share card and the chart of an incident, as SVG and PNG."""

from fanous.languages import telling
from fanous.languages.words import status_word
from fanous.model.incident import Incident, Status
from fanous.publishers.card import CHART, Words, card, framed
from fanous.publishers.names import target_title
from fanous.publishers.picture import png
from fanous.publishers.plot import WIDE
from fanous.publishers.reachable import Lines
from fanous.store import Store
from fanous.web.answers import Later
from fanous.web.pages.incident import legend_of, lines_of
from fanous.web.pages.stories import incident_path, stories
from fanous.web.reply import Reply
from fanous.web.visit import Visit

SVG, PNG = "image/svg+xml", "image/png"
CARD_WIDTH, CHART_WIDTH = 1200, 1500
"""A chart is printed: 1500 pixels are 12.7 cm at 300 dots an inch."""


def found(store: Store, visit: Visit) -> Incident | None:
    """The incident that the address names."""
    incident = store.incident(visit.asked["id"])
    return incident if incident and incident.country == visit.asked["country"] else None


def card_picture(store: Store, visit: Visit) -> Later | None:
    incident = found(store, visit)
    if incident is None:
        return None
    (story,) = stories(store, [incident])
    language = visit.language
    lines = _drawable(lines_of(store, incident, visit.now))
    told = " ".join(one.text for one in telling.sentences(incident, story.names, language))
    words = Words(
        status=language.say(status_word(incident)),
        headline=telling.headline(incident, story.names, language).text,
        sentence=told,
        foot=_foot(incident, visit, drawn=lines is not None),
        names=_names(lines),
        confirmed=incident.confirmed_at is not None and incident.status is not Status.RETRACTED,
        over=incident.status is Status.ENDED,
        notice=language.say("Synthetic") if visit.site.notice else "",
        rtl=language.direction == "rtl",
    )
    empty = Lines(int(incident.onset), 1, (), False)
    legend = legend_of(incident, lines or empty, visit, CHART)
    drawn = card(words, lines, _spans(incident, visit), legend)
    return lambda: Reply.of(png(drawn, CARD_WIDTH), PNG)


def chart_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = _chart(store, visit)
    return Reply.of(drawn, SVG) if drawn else None


def chart_png(store: Store, visit: Visit) -> Later | None:
    drawn = _chart(store, visit)
    return (lambda: Reply.of(png(drawn, CHART_WIDTH), PNG)) if drawn else None


def _chart(store: Store, visit: Visit) -> str:
    """Empty = no such incident, or nothing to draw."""
    incident = found(store, visit)
    lines = _drawable(lines_of(store, incident, visit.now)) if incident else None
    if incident is None or lines is None:
        return ""
    (story,) = stories(store, [incident])
    title = telling.headline(incident, story.names, visit.language).text
    legend = legend_of(incident, lines, visit, WIDE)
    return framed(
        lines, _names(lines), _spans(incident, visit), legend, title, _foot(incident, visit, drawn=True)
    )


def _drawable(lines: Lines) -> Lines | None:
    measured = any(share is not None for line in lines.lines for share in line.shares)
    return lines if measured else None


def _names(lines: Lines | None) -> list[str]:
    return [target_title(line.target) for line in lines.lines] if lines else []


def _spans(incident: Incident, visit: Visit) -> list[tuple[float, float]]:
    return [(one.start, visit.now if one.end is None else one.end) for one in incident.intervals]


def _foot(incident: Incident, visit: Visit, *, drawn: bool) -> list[str]:
    """When, on both clocks (where no sentence above says it); what is drawn, and where it can be checked."""
    language = visit.language
    address = visit.permanent(incident_path(incident)).partition("://")[2]
    notice = f"{language.say('Synthetic')} · " if visit.site.notice else ""
    if not drawn:
        return [f"{notice}{language.apart(address)}"]
    shown = language.say("Share of users for whom each target worked as usual")
    return [
        telling.roughly_when(incident, language).text,
        f"{notice}{shown} · {language.apart(address)}",
    ]
