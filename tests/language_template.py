"""What there is to translate: ``python -m tests.language_template`` writes it as an empty catalogue.

Texts stand in templates and code as arguments of ``say``, ``marked`` and ``count``, and in the tables below.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir

from fanous.analysis.cost import words as cost_words
from fanous.charts import grid
from fanous.evaluation.demo import NOTICE
from fanous.publish import witnesses
from fanous.publish.alerts.message import A_TEST, CORRECTION, MORE, NOTHING
from fanous.web.pages import PAGES, events
from fanous.wording import cost, narrative, sentence, words
from fanous.wording.words import MECHANISMS

SOURCE = Path(__file__).resolve().parents[1] / "src" / "fanous"
KEYWORDS = {"say": None, "marked": None, "count": (1, 2)}
METHODS = [
    ("web/templates/**.html", "jinja2"),
    *((f"{part}/**.py", "python") for part in ("charts", "publish", "web", "wording")),
]

Text = str | tuple[str, str]
"""One text, or the forms for one and for many."""

TABLES: tuple[tuple[str, ...], ...] = (
    tuple(words.STATUSES.values()),
    (words.ENDED_SURE, words.ENDED_UNSURE),
    tuple(words.SCOPES.values()),
    tuple(words.ACCESSES.values()),
    tuple(narrative.ACROSS.values()),
    tuple(narrative.ON_SOME.values()),
    tuple(narrative.IN_PARTS.values()),
    tuple(narrative.WHEN.values()),
    (
        narrative.CLAIM,
        narrative.HOW,
        narrative.USERS,
        narrative.NETWORKS,
        sentence.SYNTHETIC,
        narrative.IMPORTED,
        narrative.ORIGIN,
    ),
    tuple(MECHANISMS.values()),
    tuple(grid.WORDS.values()),
    tuple(witnesses.FAMILIES.values()),
    tuple(witnesses.SIGHTS.values()),
    tuple(witnesses.BLIND.values()),
    (witnesses.NOTHING, witnesses.NO_HISTORY),
    tuple(events.ANSWERS.values()),
    tuple(events.CLAIMED.values()),
    tuple(events.TIMINGS.values()),
    (*events.OUTCOMES.values(), events.ANNOUNCED),
    ("Slowed", "Blocked", "Offline", "mobile", "fixed", "Service itself down", "Cannot tell"),
    tuple(page.title for page in PAGES if page.title),
    ("There is no such page", "Pages can only be read", "This page cannot be shown right now"),
    (NOTICE,),
    (CORRECTION, MORE, A_TEST, NOTHING),
    cost_words.TEXTS,
    cost.TEXTS,
)


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
