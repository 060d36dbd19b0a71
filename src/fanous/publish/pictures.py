"""Pictures: the share card and the chart of an incident, as SVG."""

from collections.abc import Sequence

from fanous.charts.card import CHART, Words, card, framed
from fanous.charts.plot import WIDE, Legend, Shape, levels, ticks
from fanous.charts.reachability import Lines, reachable
from fanous.model.incident import Incident, Status
from fanous.model.instant import HOUR
from fanous.model.series import Votes
from fanous.publish.credits import credit_line
from fanous.publish.edition import Edition, incident_path, oldest, stories
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous.wording import headline, narrative
from fanous.wording.language import Language
from fanous.wording.words import status_word, target_title

BEFORE, AFTER = (6 * HOUR, 0.6), (3 * HOUR, 0.3)
"""How far a chart extends before and after an incident: at least this long, or this share of its length."""

MOST_LINES = 5
"""As many lines as a reader can tell apart."""


def card_svg(store: Store, incident: Incident, edition: Edition) -> str:
    """The share card that other sites show for a link to the incident."""
    (story,) = stories(store, [incident])
    language = edition.language
    lines = _drawable(lines_of(store, incident, edition.now))
    gone = incident.status is Status.RETRACTED
    told = " ".join(one.text for one in narrative.summary(incident, language))
    words = Words(
        status=language.say(status_word(incident)),
        headline=(headline.claimed if gone else headline.headline)(incident, story.names, language).text,
        sentence=told,
        foot=_foot(incident, edition, lines),
        names=_names(lines),
        confirmed=incident.confirmed_at is not None and incident.status is not Status.RETRACTED,
        over=incident.status is Status.ENDED,
        gone=gone,
        notice=language.say("Synthetic") if incident.provenance.is_synthetic else "",
        rtl=language.direction == "rtl",
    )
    empty = Lines(int(incident.onset), 1, (), False)
    legend = legend_of(incident, lines or empty, language, CHART)
    return card(words, lines, spans_of(incident, edition.now), legend)


def chart_svg(store: Store, incident: Incident, edition: Edition) -> str:
    """How well each target worked through time; empty = there is nothing to draw."""
    lines = _drawable(lines_of(store, incident, edition.now))
    if lines is None:
        return ""
    (story,) = stories(store, [incident])
    title = headline.headline(incident, story.names, edition.language).text
    legend = legend_of(incident, lines, edition.language, WIDE)
    return framed(
        lines,
        _names(lines),
        spans_of(incident, edition.now),
        legend,
        title,
        _foot(incident, edition, lines),
    )


def reach(store: Store, incident: Incident, now: float) -> tuple[float, float]:
    """The window that its chart shows (unix seconds, half-open); for a very busy country, only the beginning."""
    end = now if incident.end is None else incident.end
    length = max(end - incident.onset, HOUR)
    since = min(incident.onset, incident.onset_earliest or incident.onset) - max(
        BEFORE[0], BEFORE[1] * length
    )
    until = min(end + max(AFTER[0], AFTER[1] * length), max(now, end) + 1)
    return since, oldest(store, incident.country, since, until)


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
    return [target for target in incident.targets if target][:MOST_LINES]


def spans_of(incident: Incident, now: float) -> list[tuple[float, float]]:
    """The intervals of the incident, which a chart shades."""
    return [(one.start, now if one.end is None else one.end) for one in incident.intervals]


def legend_of(
    incident: Incident,
    lines: Lines,
    language: Language,
    shape: Shape,
    marks: Sequence[tuple[float, str]] = (),
) -> Legend:
    """The text of a chart, which also stands for the picture where it cannot be seen.

    Args:
        marks: moments to name, such as the start of an announced event.
    """
    lowest = [
        f"{target_title(line.target)}: {language.percent(min(shares))}"
        for line in lines.lines
        if (shares := [share for share in line.shares if share is not None])
    ]
    return Legend(
        title=f"{headline.lead(incident, language)}{_share(lines, language)}",
        description=language.say("Lowest share") + f": {'; '.join(lowest)}",
        ticks=ticks(lines.start, lines.end, incident.country, language, shape.ticks),
        levels=levels(language),
        marks=marks,
    )


def _drawable(lines: Lines) -> Lines | None:
    measured = any(share is not None for line in lines.lines for share in line.shares)
    return lines if measured else None


def _names(lines: Lines | None) -> list[str]:
    return [target_title(line.target) for line in lines.lines] if lines else []


def _share(lines: Lines, language: Language) -> str:
    """The unit of the lines: a share of users or of networks."""
    if lines.by_users:
        return language.say("Share of users for whom each target worked as usual")
    return language.say("Share of measured networks on which each target worked as usual")


def _foot(incident: Incident, edition: Edition, lines: Lines | None) -> list[str]:
    """The time on both clocks (unless a sentence above gives it), what is drawn, and where it can be checked."""
    language = edition.language
    address = edition.permanent(incident_path(incident)).partition("://")[2]
    notice = f"{language.say('Synthetic')} · " if incident.provenance.is_synthetic else ""
    credit = credit_line(incident, language)
    if lines is None:
        return [f"{notice}{language.apart(address)}", *([credit] if credit else [])]
    return [
        narrative.roughly_when(incident, language).text,
        f"{notice}{_share(lines, language)} · {language.apart(address)}",
        *([credit] if credit else []),
    ]
