"""Forms: a report as self-contained HTML, PDF, Markdown, a post and a text message.

Each file is written completely or not at all.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fanous.charts import paint
from fanous.errors import FanousError
from fanous.model.incident import Status
from fanous.overwrite import write_files
from fanous.publish.reports.report import Report
from fanous.wording.language import Sentence
from fanous.wording.post import Sms, post_text, sms_text

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
"""Special characters of Markdown; URLs are left unchanged."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = PackageLoader("fanous.publish.reports", "")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def html(report: Report) -> str:
    template = _environment().get_template("report.html")
    # The chart is our own SVG, in which every text is escaped.
    return template.render(report=report, language=report.language, chart=Markup(report.chart))


def pdf(report: Report) -> bytes:
    """Printed by Typst with the fonts that Fanous ships, so that every machine prints the same."""
    import typst  # imported here: it takes 80 MB that nothing else needs

    compiled: Callable[..., Any] = typst.compile  # its stub leaves a type variable open
    template = (files(__package__) / "report.typ").read_bytes()
    with as_file(files(paint.__package__) / "fonts") as fonts:
        made = compiled(
            template,
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"report": msgspec.json.encode(_document(report)).decode()},
        )
    return bytes(made)  # one document; only pictures are returned as a list of pages


def _document(report: Report) -> dict[str, Any]:
    words = {
        "chart": report.chart_title,
        "networks": report.when_title,
        "saw": "Who saw it",
        "cost": "What it may cost",
        "revisions": "How this page changed",
        "order": "Fanous does not say who ordered it.",
    }
    return {
        "lang": report.language.code,
        "dir": report.language.direction,
        "notice": _told(report.notice) if report.notice else None,
        "claim": _told(report.claim),
        "sentences": [_told(one) for one in (*report.sentences, *report.unheard)],
        "credit": report.credit,
        "reasons": [_told(one) for one in report.reasons],
        "before": _told(report.before) if report.before else None,
        "facts": [{"label": _told(f.label), "value": f.value, "query": f.query} for f in report.facts],
        "heads": [_told(one) for one in report.heads],
        "rows": report.rows,
        "saw": [[_told(family), _told(sight)] for family, sight in report.saw],
        "revisions": report.revisions,
        "cost": report.cost,
        "chart": report.chart,
        "url": report.url,
        "words": {name: _told(report.say(text)) for name, text in words.items()},
    }


def _told(one: Sentence) -> dict[str, str]:
    return {"text": one.text, "lang": one.language.code, "dir": one.language.direction}


def markdown(report: Report) -> str:
    lines = [f"> {_md(report.notice.text)}", ""] if report.notice else []
    lines += [f"# {_md(report.claim.text)}", ""]
    lines += [
        " ".join(_md(one.text) for one in (*report.sentences, *report.unheard)),
        "",
        " ".join(_md(one.text) for one in report.reasons),
        "",
        *((f"{_md(report.before.text)}:", "") if report.before else ()),
        "| | |",
        "|---|---|",
    ]
    mark = "~~" if report.before else ""
    lines += [
        f"| {_md(fact.label.text)} | [{mark}{_md(fact.value)}{mark}]({fact.query}) |" for fact in report.facts
    ]
    if report.rows:
        lines += ["", f"## {report.say(report.when_title).text}", ""]
        lines += [_row([head.text for head in report.heads]), "|---" * len(report.heads) + "|"]
        lines += [
            f"| [{_md(row[0])}]({row[-1]}) {_row(row[1:-1])}".replace(") | ", ") | ") for row in report.rows
        ]
    lines += ["", f"## {report.say('Who saw it').text}", ""]
    lines += [f"- {_md(family.text)}: {_md(sight.text)}" for family, sight in report.saw]
    if report.cost:
        lines += ["", f"## {report.say('What it may cost').text}", ""]
        lines += [_md(line) for line in report.cost]
    lines += ["", f"## {report.say('How this page changed').text}", ""]
    lines += [f"{n}. {_md(at)}: {_md(status)}. {_md(why)}" for n, at, status, why in report.revisions]
    return "\n".join(
        [*lines, "", *([_md(report.credit), ""] if report.credit else []), f"<{report.url}>", ""]
    )


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(_md(cell) for cell in cells)} |"


def _md(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def post(report: Report) -> str:
    """At most 280 characters, including the address."""
    return post_text(report.short, [report.url, *report.context, *_users(report)])


def sms(report: Report) -> Sms:
    """Within one message if anything fits into one."""
    return sms_text(report.short, [report.incident.id, *report.context, report.url])


def _users(report: Report) -> list[str]:
    """The sentence about users comes last, if there is one; of what was retracted, nothing."""
    if report.incident.status is Status.RETRACTED:
        return []
    return [one.text for one in report.sentences[3:]]


FORMS: dict[str, Callable[[Report], bytes]] = {
    "html": lambda report: html(report).encode(),
    "pdf": pdf,
    "md": lambda report: markdown(report).encode(),
    "post.txt": lambda report: f"{post(report)}\n".encode(),
    "sms.txt": lambda report: f"{sms(report).text}\n".encode(),
    "svg": lambda report: report.chart.encode(),
}
"""File ending -> function that makes the file; an empty file is not written."""


def write(report: Report, folder: Path) -> list[Path]:
    """Writes the files, named after incident and language.

    Raises:
        FanousError: the folder cannot be written, or contains files that no report wrote.
    """
    stem = f"{report.incident.id}.{report.language.code}"
    try:
        made = {f"{stem}.{ending}": make(report) for ending, make in FORMS.items()}
        return write_files(folder, {name: content for name, content in made.items() if content})
    except OSError as error:
        raise FanousError(
            f"cannot write the report into {folder}: {error}; name another folder with -o"
        ) from error
