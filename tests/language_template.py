"""What there is to translate: ``python -m tests.language_template`` writes it as an empty catalogue.

Texts are in templates and code as arguments of ``say``, ``marked`` and ``count``, and in the tables below.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir

from fanous.analysis.cost import TEXTS
from fanous.analysis.rules import RULES
from fanous.analysis.series.signals import SIGNALS
from fanous.charts import grid
from fanous.monitor.demo import NOTICE
from fanous.pipeline import configure
from fanous.publish import edition, report, witnesses
from fanous.publish import filter as incident_filter
from fanous.publish.alerts.message import A_TEST, MORE, NOTHING, TITLED, TOGETHER
from fanous.publish.credits import licence_words
from fanous.sources.ics import LEFT_OUT
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.publishers import SOURCES
from fanous.web import bundles, desk_pages, form
from fanous.web.pages import PAGES, events, explore_common, incidents
from fanous.wording import (
    cost,
    explanations,
    findings,
    headline,
    narrative,
    period,
    post,
    reasons,
    sensitivity,
    words,
)
from fanous.wording.words import MECHANISMS

SOURCE = Path(__file__).resolve().parents[1] / "src" / "fanous"
KEYWORDS = {"say": None, "marked": None, "count": (1, 2)}
METHODS = [
    ("web/templates/**.html", "jinja2"),
    *((f"{part}/**.py", "python") for part in ("charts", "publish", "web", "wording")),
]

Text = str | tuple[str, str]
"""One text, or the forms for one and for many."""

PROPER = {
    *(
        "IODA",
        "RIPE Atlas",
        "RIPEstat",
        "RIPE RIS Live",
        "Cloudflare Radar",
        "Tor Metrics",
        "OONI",
        "Globalping",
    ),
    *("Google Transparency Report", "RIPE Atlas service terms and conditions", "RIPE NCC terms of service"),
    *("(c) Georgia Tech Research Corporation", "CC BY-NC 4.0", "CC BY-NC-SA 4.0", "CC0"),
}
"""Names and licences of sources that are the same in every language."""

OF_SOURCES = tuple(
    dict.fromkeys(
        text
        for one in SOURCES.values()
        for text in (
            one.title,
            one.remark if one.name in MEASUREMENT_SOURCES else "",
            licence_words(one.licence),
            one.licence,
            one.consent,
        )
        if text and text not in PROPER
    )
)
"""Our own words in the names and terms of sources."""

TABLES: tuple[tuple[Text, ...], ...] = (
    bundles.STEPS,
    tuple(words.STATUSES.values()),
    (words.ENDED_SURE, words.ENDED_UNSURE),
    tuple(words.STATES.values()),
    tuple(words.SCOPES.values()),
    tuple(words.ACCESSES.values()),
    tuple(headline.ACROSS.values()),
    tuple(headline.ON_SOME.values()),
    tuple(headline.IN_PARTS.values()),
    (*headline.IN_COUNTRY_ALONE.values(), *headline.PARTLY.values()),
    (*headline.TRAFFIC.values(), *narrative.TRAFFIC.values(), post.TRAFFIC_FELL),
    (*narrative.NOW_AT.values(), *headline.RESTORED.values()),
    (*period.WHEN.values(), *period.ROUGHLY.values()),
    (headline.CLAIM, *headline.NOTES.values(), headline.ORIGIN),
    tuple(narrative.DONE.values()),
    tuple(narrative.FELL.values()),
    (narrative.RETRACTED, narrative.RETRACTED_SUSPICION, *narrative.OPENING.values(), words.LESS),
    (*headline.WHERE.values(), headline.ON_NETWORKS, headline.IN_REGIONS, headline.IN_COUNTRY),
    (
        *period.SINCE.values(),
        *period.FROM.values(),
        *period.SEEN_UNTIL.values(),
        period.AT,
        period.ON_DAY,
        *period.UNTIL_DAY.values(),
    ),
    (
        *period.DAYS.values(),
        *period.SINCE_DAY.values(),
        *period.DAYS_SEEN.values(),
        period.UNTIL_DAY_SEEN,
    ),
    (*period.SESSIONS.values(), *period.OPEN_SESSIONS.values(), period.MOSTLY_SO, narrative.AT_A_STRETCH),
    (
        *narrative.CLAUSES.values(),
        narrative.SLOWED_TO,
        *(text for _, text in narrative.AT_SUCH_A_SPEED),
        narrative.OTHERWISE,
        *narrative.CLASSES.values(),
    ),
    (
        narrative.LED_UP,
        narrative.HOURS,
        *narrative.REACHED.values(),
        narrative.STAGES,
        narrative.LOWEST,
        narrative.LOW_FIRST,
        narrative.LAST_MEASURED,
        narrative.MEASURED_SINCE,
        narrative.PERIODS,
        narrative.RETURNS,
        narrative.NOT_TRIED,
        narrative.ON_THESE,
        narrative.IN_THESE,
    ),
    (*narrative.USERS.values(), narrative.NETWORKS),
    (*narrative.MAYBE_USERS.values(), narrative.MAYBE_NETWORKS),
    (headline.PART_OF_TIME, headline.NOT_TOGETHER, narrative.SOMETIMES, narrative.TARGETS_AT_TIMES),
    (narrative.WORKING, narrative.AT_TIMES, narrative.ONLY_ON),
    (narrative.ROLE_SINCE, narrative.ROLE_FROM, *words.ROLES.values(), *words.ROLES_OF.values()),
    (narrative.SEEN, narrative.SEEN_BY_RUNS, narrative.SEEN_BY_EACH_RUN, narrative.WORKED),
    (narrative.OF_FAMILY, narrative.AS_PUBLISHED, *narrative.BECAUSE.values()),
    tuple(reasons.REASONS.values()),
    (*explanations.EXPLANATIONS.values(), *explanations.STANDINGS.values(), *explanations.UNTESTED),
    sensitivity.TEXTS,
    (*headline.REPORTED.values(), *words.BASES.values(), "First published"),
    (*reasons.GONE.values(), reasons.NO_LONGER, reasons.METHOD_CHANGED, reasons.METHOD_SAID),
    tuple(dict.fromkeys(reasons.COUNTED.values())),
    (*reasons.SHARED.values(), reasons.OF_REGISTRIES),
    (*reasons.CONTROLS.values(), reasons.UNNAMED, *reasons.UNITS.values()),
    (reasons.EITHER, reasons.UNNAMED_INCIDENT, reasons.NOT_JUDGED, *words.KINDS_SHOWN.values()),
    tuple(words.FAMILIES.values()),
    tuple(reasons.DEFECTS.values()),
    tuple(dict.fromkeys(rule.why for rule in RULES)),
    tuple(signal.title for signal in SIGNALS.values()),
    tuple(LEFT_OUT.values()),
    OF_SOURCES,
    tuple(MECHANISMS.values()),
    tuple(grid.WORDS.values()),
    tuple(witnesses.SIGHTS.values()),
    findings.EXAMS,
    (
        *incident_filter.STATE_WORDS.values(),
        *incident_filter.LENGTH_WORDS.values(),
        *incidents.MARKS.values(),
    ),
    tuple(incidents.LABELS.values()),
    (headline.RESTRICTION, headline.FIRST_RESTRICTION, headline.DISRUPTION, headline.FIRST_DISRUPTION),
    tuple(edition.ANSWERS.values()),
    tuple(edition.CLAIMED.values()),
    (report.WHEN_NETWORKS, report.WHEN_REGIONS),
    tuple(events.TIMINGS.values()),
    (*events.OUTCOMES.values(), events.ANNOUNCED),
    ("Offline", "mobile", "fixed"),
    tuple(page.title for page in PAGES if page.title),
    tuple(form.REFUSED.values()),
    (configure.LICENCE, configure.NEEDS_KEY, configure.FOR_OTHERS, *configure.PASSED_ON.values()),
    (
        *desk_pages.DONE.values(),
        *desk_pages.STATES.values(),
        *(page.title for page in desk_pages.PAGES if page.title),
    ),
    (*explore_common.BY.values(), *explore_common.BY_PLACE.values()),
    tuple({signal.unit: None for signal in SIGNALS.values() if signal.is_quantity}),
    (
        "This address was not understood",
        "There is no such page",
        "Pages can only be read",
        "This page cannot be shown right now",
    ),
    (NOTICE,),
    (*TITLED.values(), MORE, A_TEST, NOTHING, TOGETHER),
    TEXTS,
    cost.TEXTS,
)


@cache
def texts() -> list[Text]:
    """All of them, each once, in the order in which a reader of the code meets them."""
    found: dict[Text, None] = dict.fromkeys(_extracted())
    for table in TABLES:
        found |= dict.fromkeys(table)
    plurals = {text[0] for text in found if isinstance(text, tuple)}
    return [text for text in found if text not in plurals]


def _extracted() -> Iterator[Text]:
    for file, _line, message, _comments, _context in extract_from_dir(SOURCE, METHODS, keywords=KEYWORDS):
        if isinstance(message, tuple):
            yield message[0], message[1]
        elif message and not file.endswith("language.py"):
            yield message


def main() -> None:
    out = sys.stdout
    for text in texts():
        one, many = text if isinstance(text, tuple) else (text, "")
        out.write(f"\nmsgid {quoted(one)}\n")
        out.write(f'msgid_plural {quoted(many)}\nmsgstr[0] ""\n' if many else 'msgstr ""\n')


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    main()
