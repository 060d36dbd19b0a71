"""A report in its forms."""

import re
from dataclasses import replace
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest

from fanous.charts.paint import running
from fanous.errors import FanousError
from fanous.model.incident import Estimate, EvidenceCounts, Incident, Kind, Part, Status
from fanous.model.measurement import Provenance
from fanous.model.reason import Reason
from fanous.publish.report import FORMS, Report, gather, html, markdown, pdf, post, sms, write
from fanous.store.protocol import Store
from fanous.wording.language import LANGUAGES
from fanous.wording.words import status_word
from tests.analysis.incidents.events import Ballot
from tests.charts.events import EXPLAINED, NATION, ONGOING, START, SUSPECTED, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.test_incident import OFTEN, event

BASE = "https://fanous.example"
STRANGE = {"entities": ("AS64512",)}
"""A network of which only the measurements give a name."""

HOSTILE = '</script><script>alert("x")</script>#eval("1+1")[*_`'


def bare(text: str) -> str:
    """Without blanks, colons and marks of Markdown."""
    return re.sub(r"[\s:*\\]", "", text)


def report(claim: Incident | None = None, code: str = "en", name: str = "Zong") -> Report:
    one = replace(claim or incident(), id="PK-2023-0001")
    store = SmallStore([one], {64512: name}, now_is=START + 86_400)
    return gather(cast(Store, store), one, LANGUAGES[code], BASE)


@each("code", LANGUAGES)
@each("form", ["html", "md", "post.txt", "sms.txt"])
def test_no_form_says_a_suspicion_as_confirmed(form: str, code: str) -> None:
    text = FORMS[form](report(incident(**SUSPECTED), code)).decode()
    assert LANGUAGES[code].say("Suspected") in text.split("\n## ")[0]
    confirmed = LANGUAGES[code].say("Confirmed")
    short = form.endswith("txt")
    assert confirmed not in text if short else text.count(confirmed) <= 1  # the fact "Confirmed: no"


@each("code", LANGUAGES)
@each("given", [{}, SUSPECTED, ONGOING | NATION, {"status": Status.RETRACTED}])
def test_a_post_and_a_message_keep_their_length(given: dict[str, object], code: str) -> None:
    one = report(incident(**given, targets=("x", "youtube", "facebook", "instagram", "whatsapp")), code)
    assert len(post(one)) <= 280
    message = sms(one)
    assert len(message.text) <= 160
    assert message.messages <= 2
    for text in (post(one), message.text):
        assert LANGUAGES[code].say(status_word(one.incident)) in text


def test_bins_of_series_are_not_counted_as_measurements() -> None:
    seen = EvidenceCounts(81, 0, 0, 0, ("routing", "usage"))
    one = report(incident(kind=Kind.OUTAGE, targets=("",), level=Estimate(0.3, 0.28, 0.33), evidence=seen))
    told = {fact.label.text: fact.value for fact in one.facts}
    assert told["Connectivity left"] == "30% (28% - 33%)"
    assert not {"Networks", "Measurements", "Probes", "Test runs"} & set(told)
    assert [head.text for head in one.heads] == ["Network", "From (PKT)", "To (PKT)"]
    assert one.rows and all(len(row) == 4 for row in one.rows), "the last is its address"


def test_an_outage_names_its_regions_and_not_their_codes() -> None:
    seen = EvidenceCounts(81, 0, 0, 0, ("routing", "usage"))
    places = tuple(replace(incident().networks[0], entity=one) for one in ("PK", "PK-SD"))
    told = markdown(report(incident(kind=Kind.OUTAGE, targets=("",), networks=places, evidence=seen)))
    assert "## When, in each region" in told and "Pakistan PK" in told and "Sindh PK-SD" in told
    assert "| Region | From" in told


def test_a_post_about_what_was_retracted_says_why_and_not_when_it_was() -> None:
    one = report(
        incident(status=Status.RETRACTED, reasons=(Reason("withdrawn", {"by": "Editor", "why": "a fault"}),))
    )
    assert post(one).startswith("Retracted: ") and "Withdrawn by Editor: a fault" in post(one)
    assert "From about" not in post(one) and "users were affected" not in post(one)


def test_a_short_form_never_speaks_of_another_thing_than_the_claim() -> None:
    long = report(incident(targets=("x", "youtube", "facebook", "instagram", "whatsapp")), "ur")
    assert all(LANGUAGES["ur"].say("Internet access") not in claim for claim in long.short)
    parts = (Part("x", Kind.BLOCKING, (), ()), Part("youtube", Kind.THROTTLING, (), ()))
    mixed = report(incident(parts=parts))
    assert mixed.short[1:] == ("Confirmed, ended: Pakistan, PK-2023-0001",)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            (tag, value or "") for name, value in attrs if name in ("src", "href", "action", "data")
        ]


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = html(report(incident(**STRANGE), name=HOSTILE))
    links = _Links()
    links.feed(text)
    assert {tag for tag, _ in links.found} == {"a"}
    assert all(value.startswith(BASE) for _, value in links.found)
    assert "<script" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_every_figure_links_to_the_query_that_gives_it() -> None:
    one = report()
    assert all(fact.query.startswith(f"{BASE}/api/v1/incidents/PK-2023-0001#/") for fact in one.facts)
    for text in (html(one), markdown(one)):
        assert "/api/v1/incidents/PK-2023-0001#/evidence/measurements" in text
        assert "/api/v1/incidents/PK-2023-0001#/networks/0" in text


def test_hostile_text_is_text_in_every_form() -> None:
    one = report(incident(**STRANGE), name=HOSTILE)
    assert "<script" not in html(one)
    assert re.search(r"(?<!\\)<script", markdown(one)) is None
    assert pdf(one).startswith(b"%PDF")


@lru_cache(maxsize=8)
def printed(code: str) -> bytes:
    return pdf(report(code=code))


@each("code", LANGUAGES)
def test_it_prints_in_every_language(code: str) -> None:
    document = printed(code)
    assert document.startswith(b"%PDF")
    assert b"/FontFile" in document, "the fonts are in it"


def test_what_runs_from_the_right_says_so_in_a_picture() -> None:
    assert running("X blocked") == "X blocked"
    assert running("\u2068X\u2069 بند").startswith("\u202b\u200f")


def test_a_recorded_event_says_so_first() -> None:
    one = report(incident(provenance=Provenance.SYNTHETIC))
    assert post(one).startswith("[Synthetic]")
    assert sms(one).text.startswith("[Synthetic]")
    assert html(one).index("Synthetic: a staged event") < html(one).index("<h1>")
    assert markdown(one).startswith("> Synthetic: a staged event")


def test_what_rests_on_files_that_were_handed_in_says_so_and_does_not_cry_it() -> None:
    one = report(incident(provenance=Provenance.IMPORTED))
    assert "It is based on files that were imported" in markdown(one)
    assert markdown(one).startswith("# ")
    assert "files that were imported" not in markdown(report(incident(provenance=Provenance.REAL)))


@each("code", LANGUAGES)
def test_every_form_for_reading_says_what_else_it_could_be(code: str) -> None:
    one = report(incident(**EXPLAINED), code)
    told = [f"{one.say(row.word).text} {row.says.text} {row.because.text}" for row in one.what_else]
    assert len(told) == 4
    assert one.untested is not None
    told.append(one.untested.text)
    for form in (html(one), markdown(one)):
        text = bare(re.sub(r"<[^>]+>", "", unescape(form)))
        assert [line for line in told if bare(line) not in text] == []
    assert len(pdf(one)) > len(pdf(report(incident(), code)))


def test_it_is_written_as_files_and_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    names = {path.name for path in write(report(code="ur"), tmp_path / "out")}
    assert {"PK-2023-0001.ur.html", "PK-2023-0001.ur.pdf", "PK-2023-0001.ur.sms.txt"} <= names
    (tmp_path / "file").write_text("x")
    with pytest.raises(FanousError, match="name another with -o"):
        write(report(), tmp_path / "file")


def test_a_chart_is_in_it_where_something_was_measured() -> None:
    assert report().chart == ""
    one = replace(event(), id="PK-2023-0001")
    ballots = (Ballot(OFTEN, True, asn=59257), Ballot(OFTEN, False, asn=59257, target="wikipedia"))
    store = SmallStore([one], ballots=ballots, now_is=START + 86_400)
    drawn = gather(cast(Store, store), one, LANGUAGES["en"], BASE)
    assert drawn.chart.startswith("<svg")
    assert "<svg" in html(drawn)
