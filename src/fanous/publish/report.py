"""Report: one incident as self-contained HTML, PDF, Markdown, a post and a text message, all from the same facts.

    store ─► gather ─► Report ─► html, pdf, markdown, post, sms

A form decides nothing: what a report says, in one language, is in ``Report``.  To add a form: a function from a
``Report`` to bytes, and its line in ``FORMS``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fanous.analysis.cost import cost_of, of_incident
from fanous.base.overwrite import write_files
from fanous.base.text import printable
from fanous.charts import paint
from fanous.errors import FanousError
from fanous.model.incident import Incident, NetworkPart, Status
from fanous.publish.credits import credit_line
from fanous.publish.edition import Edition, incident_path, spell
from fanous.publish.pictures import chart_svg
from fanous.publish.witnesses import witness_rows
from fanous.questions.country import data_ended, known_until
from fanous.refdata.countries import country_name, region_name
from fanous.refdata.economies import economy
from fanous.refdata.networks import network_title
from fanous.store.protocol import Store
from fanous.wording import clocks, headline, narrative, period, words
from fanous.wording.cost import cost_lines
from fanous.wording.language import Language, Sentence
from fanous.wording.post import Sms, post_text, shorter, sms_text
from fanous.wording.reasons import listing, reasons_text

MOST_NETWORKS = 25
"""Most rows of the table; the document behind each link has all of them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure, and the query that returns it."""

    label: Sentence
    value: str
    query: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report on one incident says, before it becomes PDF or Markdown.

    Attributes:
        claim: the headline, preceded by its status.
        short: the same in shorter forms, longest first, for posts and text messages.
        sentences: the claim in full.
        unheard: that the data about it ended, if they did.
        credit: whose data it rests on, with their licences.
        reasons: why the status is what it is.
        rows: one per network, with the columns of ``heads``; the last one is a query.
        saw: (family of sources, its findings).
        what_else: every other explanation, as it was weighed.
        untested: how often what could not be tested may be behind such events.
        revisions: (number, moment, status, reason).
        cost: what it may cost, in lines.
        chart: SVG; empty = too little was measured to draw one.
        url: permanent address.
        notice: what must be said first about its provenance; ``None`` = nothing.
    """

    incident: Incident
    language: Language
    claim: Sentence
    short: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    unheard: tuple[Sentence, ...]
    credit: str
    reasons: tuple[Sentence, ...]
    when: Sentence
    facts: tuple[Fact, ...]
    heads: tuple[Sentence, ...]
    rows: tuple[tuple[str, ...], ...]
    saw: tuple[tuple[Sentence, Sentence], ...]
    what_else: tuple[narrative.Explained, ...]
    untested: Sentence | None
    revisions: tuple[tuple[str, str, str, str], ...]
    cost: tuple[str, ...]
    chart: str
    url: str
    notice: Sentence | None

    @property
    def chart_title(self) -> str:
        """Shares are of users only if user figures are known."""
        return CHART_OF_USERS if words.counts_users(self.incident.country) else CHART

    @property
    def when_title(self) -> str:
        """Outages are seen in regions, too."""
        return WHEN_NETWORKS if _is_of_networks(self.incident) else WHEN_REGIONS

    @property
    def context(self) -> list[str]:
        """What a post adds if there is room: that its data ended, and when it was; of what was retracted, why."""
        if self.incident.status is Status.RETRACTED:
            return [" ".join(one.text for one in narrative.because(self.incident, self.language))]
        return [*(one.text for one in self.unheard), period.exactly_when(self.incident, self.language).text]

    @property
    def before(self) -> Sentence | None:
        """The heading of the figures of a retracted incident."""
        return self.say(narrative.AS_PUBLISHED) if self.incident.status is Status.RETRACTED else None

    def say(self, text: str) -> Sentence:
        return said(self.language, text)


def said(language: Language, text: str, **values: str) -> Sentence:
    """In the report's language, or in English and marked as such."""
    return language.sentence(text, **values)


def costs(incident: Incident, until: float, language: Language) -> list[str]:
    """What it may cost, line by line; nothing for a retracted incident."""
    if incident.status is Status.RETRACTED:
        return []
    what = of_incident(incident, until, counts_users=words.counts_users(incident.country))
    return cost_lines(cost_of(what, economy(incident.country)), language)


def gather(store: Store, incident: Incident, language: Language, base: str) -> Report:
    """The facts of the latest revision.

    Args:
        base: public address of the monitor without a slash at its end.
    """
    store = store.of(incident.provenance)
    names = store.facts.networks(incident.country)
    revisions = store.ledger.revisions(incident.id)
    url = f"{base}{incident_path(incident)}"
    until_known, ended = known_until(store, incident, store.now()), data_ended(store, incident, store.now())
    unheard = tuple(narrative.unheard_since(ended, incident, language))
    query = f"{base}/api/v1/incidents/{incident.id}"
    return Report(
        incident=incident,
        language=language,
        claim=headline.claim_line(incident, names, language),
        short=shorter(incident, names, language),
        sentences=tuple(narrative.sentences(incident, names, language)),
        unheard=unheard,
        credit=credit_line(incident, language),
        reasons=() if incident.status is Status.RETRACTED else tuple(narrative.because(incident, language)),
        when=period.roughly_when(incident, language),
        facts=tuple(_facts(incident, language, query)),
        heads=tuple(_heads(incident, language, until_known)),
        rows=tuple(_rows(incident, names, language, query)),
        saw=tuple(
            (Sentence(words.capitalised(language.say(row.name)), language), said(language, row.word))
            for row in witness_rows(store, incident)
        ),
        what_else=tuple(narrative.what_else(incident, language)),
        untested=narrative.untested_said(incident, language),
        revisions=tuple(
            (
                language.number(revision.n),
                clocks.both_clocks(revision.at, incident.country, language),
                language.say(words.status_word(revision.incident)),
                reasons_text(revision.reasons, language, revision.incident.evidence.probes_are),
            )
            for revision in revisions
        ),
        cost=tuple(costs(incident, until_known, language)),
        chart=chart_svg(store, incident, Edition(language, base, store.now())),
        url=url,
        notice=headline.provenance_note(incident, language) if incident.provenance.is_synthetic else None,
    )


WHEN_NETWORKS, WHEN_REGIONS = "When, on each network", "When, in each region"
CHART_OF_USERS, CHART = "Users able to reach each service", "Access to each service"


def _heads(incident: Incident, language: Language, until: float) -> list[Sentence]:
    """Heads of the table of networks, or of regions.

    Args:
        until: up to when the incident is known, for the zone of its times.
    """
    clock = clocks.zones_of(incident.onset, incident.end or until, incident.country)
    place = "Network" if _is_of_networks(incident) else "Region"
    since, to = (
        Sentence(f"{language.say(one)} ({language.apart(clock)})", language) for one in ("From", "To")
    )
    return [said(language, place), since, to, *(said(language, one) for one in counted_as(incident))]


def counted_as(incident: Incident) -> tuple[str, ...]:
    """Heads of the columns with figures; none for bins of series, which are no measurements."""
    if _rests_on_series(incident):
        return ()
    return "Failed measurements", probes_word(incident)


def probes_word(incident: Incident) -> str:
    """What its measurements are counted by."""
    return "Probes" if incident.evidence.probes_are == "probes" else "Test runs"


def _is_of_networks(incident: Incident) -> bool:
    return any(network.asn for network in incident.networks)


def _rests_on_series(incident: Incident) -> bool:
    return not incident.evidence.probes


def _facts(incident: Incident, language: Language, query: str) -> list[Fact]:
    def at(instant: float) -> str:
        return clocks.both_clocks(instant, incident.country, language)

    def within(instant: float, first: float | None, last: float | None) -> str:
        if first is None or last is None or last - first <= period.EXACT:
            return at(instant)
        return language.say("between {earliest} and {latest}", earliest=at(first), latest=at(last))

    evidence, users = incident.evidence, incident.users
    nothing = language.say("Not known")
    affected = nothing
    if users is not None and incident.scope == "nation":
        mean, low, high = (language.percent(share) for share in (users.mean, users.low, users.high))
        affected = f"{mean} ({low} - {high})"
    confirmed = at(incident.confirmed_at) if incident.confirmed_at is not None else language.say("No")
    published = nothing if incident.first_published_at is None else at(incident.first_published_at)
    end = (
        language.say("Not seen")
        if incident.end is None
        else within(incident.end, incident.end_earliest, incident.end_latest)
    )
    values = [
        ("Began", within(incident.onset, incident.fall_earliest, incident.onset_latest), "/onset"),
        ("Ended", end, "/end"),
        ("Confirmed", confirmed, "/confirmed_at"),
        ("First published", published, "/first_published_at"),
        (
            "Users affected"
            if affected == nothing or words.counts_users(incident.country)
            else "Networks affected",
            affected,
            "/users_affected_share",
        ),
    ]
    level = incident.level
    if _rests_on_series(incident):
        if level is not None:
            name = "Traffic left" if incident.is_of_traffic else "Connectivity left"
            mean, low, high = map(language.rough_percent, (level.mean, level.low, level.high))
            values.append((name, f"{mean} ({low} - {high})", "/level"))
    else:
        values += [
            ("Networks", language.number(evidence.networks), "/evidence/networks"),
            ("Measurements", language.number(evidence.measurements), "/evidence/measurements"),
            (probes_word(incident), language.number(evidence.probes), "/evidence/probes"),
        ]
    ways = narrative.methods(incident, language)
    if ways:
        values.append(("How", listing(ways, language), "/mechanisms"))
    note = headline.provenance_note(incident, language)
    if note is not None:
        values.append((headline.ORIGIN, note.text, "/provenance"))
    return [Fact(said(language, name), value, f"{query}#{pointer}") for name, value, pointer in values]


def place_title(network: NetworkPart, country: str, names: Mapping[int, str], language: Language) -> str:
    if network.asn:
        return network_title(network.asn, names)
    if network.entity == country:
        return country_name(country, language.code)
    return printable(region_name(network.entity))


def _rows(
    incident: Incident, names: Mapping[int, str], language: Language, query: str
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for nth, network in enumerate(incident.networks):
        if not network.intervals:
            continue
        since, until, _ = spell(network)
        title = place_title(network, incident.country, names, language)
        counts = () if _rests_on_series(incident) else (network.measurements, network.probes)
        rows.append(
            (
                " ".join(dict.fromkeys(filter(None, (title, printable(network.entity))))),
                clocks.moment(since, incident.country, language),
                language.say("Not seen")
                if until is None
                else clocks.moment(until, incident.country, language),
                *map(language.number, counts),
                f"{query}#/networks/{nth}",
            )
        )
    return rows[:MOST_NETWORKS]


SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
"""Special characters of Markdown; URLs are left unchanged."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = PackageLoader("fanous.publish", "")
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
        content = compiled(
            template,
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"report": msgspec.json.encode(_document(report)).decode()},
        )
    return bytes(content)  # one document; only pictures are returned as a list of pages


def _document(report: Report) -> dict[str, Any]:
    words = {
        "chart": report.chart_title,
        "networks": report.when_title,
        "saw": "Who saw it",
        "what_else": "What else could it be?",
        "cost": "What it may cost",
        "revisions": "How this page changed",
        "order": "Fanous does not say who ordered it.",
    }
    return {
        "lang": report.language.code,
        "dir": report.language.direction,
        "notice": _told(report.notice) if report.notice else None,
        "claim": _told(report.claim),
        "sentences": [_told(sentence) for sentence in (*report.sentences, *report.unheard)],
        "credit": report.credit,
        "reasons": [_told(reason) for reason in report.reasons],
        "before": _told(report.before) if report.before else None,
        "facts": [{"label": _told(f.label), "value": f.value, "query": f.query} for f in report.facts],
        "heads": [_told(head) for head in report.heads],
        "rows": report.rows,
        "saw": [[_told(family), _told(sight)] for family, sight in report.saw],
        "what_else": [
            [_told(report.say(one.word)), _told(one.says), _told(one.because)] for one in report.what_else
        ],
        "untested": _told(report.untested) if report.untested else None,
        "revisions": report.revisions,
        "cost": report.cost,
        "chart": report.chart,
        "url": report.url,
        "words": {name: _told(report.say(text)) for name, text in words.items()},
    }


def _told(sentence: Sentence) -> dict[str, str]:
    return {"text": sentence.text, "lang": sentence.language.code, "dir": sentence.language.direction}


def markdown(report: Report) -> str:
    lines = [f"> {_md(report.notice.text)}", ""] if report.notice else []
    lines += [f"# {_md(report.claim.text)}", ""]
    lines += [
        " ".join(_md(sentence.text) for sentence in (*report.sentences, *report.unheard)),
        "",
        " ".join(_md(reason.text) for reason in report.reasons),
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
    if report.what_else:
        lines += ["", f"## {report.say('What else could it be?').text}", ""]
        lines += [
            f"- **{_md(report.say(one.word).text)}**{report.language.colon}{_md(one.says.text)} {_md(one.because.text)}"
            for one in report.what_else
        ]
    if report.untested:
        lines += ["", _md(report.untested.text)]
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
    return [sentence.text for sentence in report.sentences[3:]]


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
        files = {f"{stem}.{ending}": make(report) for ending, make in FORMS.items()}
        return write_files(folder, {name: content for name, content in files.items() if content})
    except OSError as error:
        raise FanousError(
            f"cannot write the report into {folder}: {error.strerror}; free some space there, or name another "
            f"folder with -o"
        ) from error
