"""Templates: render facts as HTML, with everything escaped, in the reader's language.

An undefined name is an error.  Stylesheet, script and logo are read once. Their addresses contain a digest of the
content, so that browsers may keep them permanently.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fanous.analysis.coverage import held
from fanous.base.text import printable
from fanous.charts.reachability import ShareLine
from fanous.model.instant import to_iso
from fanous.model.reason import Reason
from fanous.refdata.countries import country_name, local
from fanous.refdata.networks import network_title
from fanous.refdata.platforms import platforms, title
from fanous.store.protocol import Store
from fanous.web.answers import FOR_GOOD, HTML, Later, Maker, Reply, Visit
from fanous.web.routes import Page, navigation
from fanous.wording import clocks, headline, narrative, words
from fanous.wording.language import ENGLISH, LANGUAGES, Language, Sentence
from fanous.wording.reasons import defect_said, gone_texts, reasons_said, rule_said
from fanous.wording.sensitivity import would_be_seen
from fanous.wording.words import mechanism_words, named_title, target_title

ASSET_MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@lru_cache(maxsize=1)
def _assets() -> dict[str, tuple[str, Reply]]:
    """Name -> (digest, reply)."""
    assets = {}
    for file in (files(__package__) / "static").iterdir():
        media = ASSET_MEDIA.get(file.name.rpartition(".")[2])
        if media:
            raw = file.read_bytes()
            digest = blake2b(raw, digest_size=6).hexdigest()
            assets[file.name] = digest, Reply.of(raw, media, kept=FOR_GOOD)
    return assets


def asset_addresses() -> dict[str, str]:
    """Name -> address: ``fanous.css``, ``mark.svg``."""
    return {name: f"/static/{digest}/{name}" for name, (digest, _) in _assets().items()}


async def static(request: Request) -> Response:
    """Answers ``/static/DIGEST/NAME``; an old digest gets today's file, which is then not cached."""
    digest, name = request.path_params["digest"], request.path_params["name"]
    if name not in _assets():
        raise HTTPException(404)
    current, reply = _assets()[name]
    if digest != current:
        reply = Reply.of(reply.body, reply.media)
    return reply.answer(request)


async def icon(request: Request) -> Response:
    """Answers ``/favicon.ico``, which browsers request for documents without a declared icon (a picture, a feed)."""
    _, reply = _assets()["mark.svg"]
    return Reply.of(reply.body, reply.media).answer(request)


async def robots(request: Request) -> Response:
    """Answers ``/robots.txt``: everything may be indexed except frames and streams, which are not pages."""
    return Reply.of(
        "User-agent: *\nDisallow: /embed/\nDisallow: /live\nDisallow: /desk\nDisallow: /*/evidence\n",
        "text/plain",
    ).answer(request)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fanous.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        assets=asset_addresses(),
        languages=LANGUAGES.values(),
        navigation=navigation(),
        words=words,
        target_title=target_title,
        whole=whole,
        network_title=network_title,
        printable=printable,
        mechanism_words=mechanism_words,
        minute=lambda instant: instant // 60 * 60,
        zone=clocks.zone_name,
        offset=offset,
        percents=percents,
        iso=to_iso,
        held=held,
        typed=typed,
        paragraphs=paragraphs,
    )
    return environment


def rendered(template: str, visit: Visit, facts: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        facts: names for the template.
    """
    language = visit.language
    text = (
        _environment()
        .get_template(template)
        .render(
            visit=visit,
            site=visit.site,
            language=language,
            link=visit.link,
            say=language.say,
            count=language.count,
            number=language.number,
            percent=language.percent,
            share=language.rough_percent,
            marked=partial(marked, language),
            named=partial(named, language),
            told=partial(told, language),
            rule_said=lambda rule, why: told(language, rule_said(rule, why, language)),
            defect_said=lambda defect: told(language, defect_said(defect, language)),
            headline=partial(headline.headline, language=language),
            claimed=partial(headline.claimed, language=language),
            title_in=partial(headline.title_in, language=language),
            named_title=partial(named_title, language=language),
            claim_line=partial(headline.claim_line, language=language),
            headline_lead=headline.lead,
            lede=partial(narrative.lede, language=language),
            details=partial(narrative.details, language=language),
            summary=partial(narrative.summary, language=language),
            because=partial(narrative.because, language=language),
            what_else=partial(narrative.what_else, language=language),
            would_be_seen=partial(would_be_seen, language=language),
            untested_said=partial(narrative.untested_said, language=language),
            as_published=narrative.AS_PUBLISHED,
            capitalised=words.capitalised,
            provenance_note=partial(headline.provenance_note, language=language),
            told_all=partial(told_all, language),
            gone_texts=partial(gone_texts, language=language),
            both_clocks=partial(clocks.both_clocks, language=language),
            hour=partial(clocks.hour, language=language),
            date=lambda instant, country: clocks.date(local(instant, country), language),
            days_between=lambda start, end, country: clocks.days_between(
                local(start, country), local(end, country), language
            ),
            moment=partial(clocks.moment, language=language),
            utc_day=partial(clocks.utc_day, language=language),
            utc_hour=partial(clocks.utc_hour, language=language),
            utc_span=partial(clocks.utc_span, language=language),
            hours_between=partial(clocks.hours_between, language=language),
            zones=clocks.zones_of,
            utc_dates=partial(clocks.utc_dates, language=language),
            ago=partial(clocks.ago, now=visit.now, language=language),
            length=partial(clocks.length, language=language),
            country=partial(country_name, locale=language.code),
            **facts,
        )
    )
    return "\n".join([line for line in text.splitlines() if line.strip()]) + "\n"


def page_maker(page: Page) -> Maker:
    """Gathers the facts of a page in the store's thread, and writes its HTML later."""

    def make(store: Store, visit: Visit) -> Later | None:
        facts = page.gather(store, visit)
        return None if facts is None else lambda: Reply.of(rendered(page.template, visit, facts), HTML)

    return make


SHORT_NAME = 16
"""Most characters of a name that stays on one line, which leaves room for others on a phone."""


@lru_cache(maxsize=1)
def _short_names() -> re.Pattern[str]:
    titles = {title(name) for name in platforms()}
    short = (re.escape(one) for one in titles if " " in one and len(one) <= SHORT_NAME)
    return re.compile("|".join([*short, r"[A-Z]{2}-\d{4}-\d{4,6}", r"UTC[+-]\d{2}(?::\d{2})?"]))


def whole(text: str) -> Markup:
    """The text, in which no short name of a platform, id of an incident or zone is broken over two lines: half of
    ``X (Twitter)`` reads as another name, and ``UTC-`` as none.
    """
    return Markup(_short_names().sub(r'<span class="whole">\g<0></span>', str(escape(text))))


def percents(line: ShareLine) -> str:
    """The values of a line for a script: whole percentages, one per bin; empty for a gap."""
    return ",".join("" if share is None else str(round(100 * share)) for share in line.shares)


def offset(instant: float, country: str) -> int:
    """Seconds by which the country's clock is ahead of UTC."""
    return int((local(instant, country).utcoffset() or timedelta(0)).total_seconds())


def marked(language: Language, text: str, **values: Any) -> Markup:
    """A text for the body of a page, marked as English if it is not translated."""
    if language.knows(text):
        return Markup(escape(language.say(text, **values)))
    return told(language, Sentence(ENGLISH.say(text, **values), ENGLISH))


def named(language: Language, text: str) -> Markup:
    """The name or the terms of a source, of which some are words of ours and others proper names."""
    is_translated = language.code != "en" and language.knows(text)
    return escape(language.say(text)) if is_translated else told(language, Sentence(printable(text), ENGLISH))


def typed(text: str | None) -> Markup:
    """What someone typed into a field of several lines, with its empty lines, which ``rendered`` takes out."""
    return escape(text or "").replace("\n", Markup("&#10;"))


def paragraphs(text: str) -> Markup:
    """What someone wrote, each of its lines on one of the page, in its own direction."""
    lines = (printable(line) for line in text.splitlines())
    return Markup("<br>").join(Markup("<bdi>{}</bdi>").format(line) for line in lines if line)


def told_all(language: Language, reasons: Iterable[Reason], probes_are: str = "probes") -> Markup:
    """Reasons as consecutive sentences, each marked if it is in another language than the page."""
    return Markup(" ").join(told(language, one) for one in reasons_said(reasons, language, probes_are))


def told(language: Language, sentence: Sentence) -> Markup:
    """A sentence, marked if it is in another language than the page."""
    if sentence.language == language:
        return whole(sentence.text)
    return Markup('<span lang="{}" dir="{}">{}</span>').format(
        sentence.language.code, sentence.language.direction, whole(sentence.text)
    )
