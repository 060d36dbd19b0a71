"""The page on the method: one screen in plain words, details by topic, and no number that is copied."""

import re
from dataclasses import replace
from html import unescape
from types import ModuleType
from typing import Any

import pytest

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.incidents import confirm, networks, scope
from fanous.analysis.rules import RULES
from fanous.analysis.series.signals import SIGNALS
from fanous.collector import volunteers
from fanous.model.incident import Status
from fanous.web.pages import about
from fanous.wording import LANGUAGES
from fanous.wording.words import STATUSES
from tests.documents import ROOT, section, text_of
from tests.each import each
from tests.language_template import SOURCE
from tests.web.small_store import SmallStore
from tests.web.visits import reader

IN_EACH_LANGUAGE = pytest.mark.parametrize("code", LANGUAGES)
TEMPLATE = SOURCE / "web" / "templates" / "methodology.html"
STYLE = SOURCE / "web" / "static" / "fanous.css"
REPORT = SOURCE / "publish" / "report.html"

ENDS = re.compile(r"[.!?؟۔](?=\s|$)")
"""The end of a sentence, in Latin and in Arabic script."""


def page(code: str = "en") -> str:
    answer = reader(SmallStore()).get(f"/methodology?lang={code}")
    assert answer.status_code == 200
    return answer.text


def words(html: str) -> str:
    """Less marks and what sets a value apart."""
    text = unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u2068", "").replace("\u2069", "")
    return " ".join(text.split())


def first_screen(code: str) -> list[tuple[str, str]]:
    """(heading, rule), as they stand on the page before its table of contents."""
    before = page(code).partition('<nav class="windows"')[0]
    return [
        (words(heading), words(rule))
        for heading, rule in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", before, re.DOTALL)
    ]


@IN_EACH_LANGUAGE
def test_the_first_screen_has_the_four_statuses_between_what_counts_and_what_is_not_seen(code: str) -> None:
    say = LANGUAGES[code].say
    order = [Status.SUSPECTED, Status.CONFIRMED, Status.ENDED, Status.RETRACTED]
    assert [heading for heading, _ in first_screen(code)] == [
        say("What counts as a measurement"),
        *(say(STATUSES[status]) for status in order),
        say("What we cannot see"),
    ]


@IN_EACH_LANGUAGE
def test_each_rule_of_the_first_screen_has_three_sentences_at_most(code: str) -> None:
    for heading, rule in first_screen(code):
        assert 1 <= len(ENDS.findall(rule)) <= 3, (heading, rule)
        assert ENDS.search(rule[-1:]), rule


@IN_EACH_LANGUAGE
def test_everything_is_said_in_the_readers_language_the_tables_of_signals_and_rules_too(code: str) -> None:
    main = page(code).partition("<main")[2].partition("</main>")[0]
    assert code == "en" or 'lang="en"' not in main
    language, said = LANGUAGES[code], words(main)
    for text in [*(rule.why for rule in RULES), *(one.title for one in SIGNALS.values() if one.is_quantity)]:
        assert words(language.say(text)) in said
        assert code == "en" or text not in said


def test_the_page_on_privacy_is_linked_everywhere_and_says_how_long_a_volunteers_days_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volunteers, "WITHIN", 71)
    text = words(reader(SmallStore()).get("/privacy").text)
    assert "The days on which it measured are kept for 71 days." in text
    assert all(option in text for option in ("--no-creds", "fanous probe consent --withdraw"))
    assert 'href="/privacy?lang=en"' in page()


def test_the_document_begins_with_the_same_screen() -> None:
    start = " ".join(section(text_of(ROOT / "docs" / "methodology.md"), "## In plain words"))
    document = " ".join(start.replace("**", "").split())
    for heading, rule in first_screen("en"):
        assert f"- {heading}. {rule}" in document


def test_the_details_follow_in_the_order_of_the_contents() -> None:
    text = page()
    listed = re.findall(r'href="#(\w+)"', text.partition('<nav class="windows"')[2].partition("</nav>")[0])
    assert listed == re.findall(r'<h[23] id="(\w+)"', text)
    assert listed[0] == "measuring"
    assert listed[-2:] == ["wrong", "rules"]


def test_no_text_of_the_page_has_its_own_number() -> None:
    texts = re.findall(r'(?:say|marked)\(\s*"([^"]+)"', TEMPLATE.read_text(encoding="utf-8"))
    assert len(texts) > 40
    assert [text for text in texts if re.search(r"\d", text)] == []


@each(
    ("module", "name", "value", "shown"),
    [
        (confirm, "PROBES", 41, "At least 41 independent probes saw it with normal controls"),
        (confirm, "PROBES", 41, "at least 41 independent probes on the networks named"),
        (confirm, "CONTROLS", 42, "42 measurements that show the target working elsewhere"),
        (confirm, "FAMILY_PROBES", 43, "each kind needs at least 43 probes"),
        (confirm, "NETWORK_PROBES", 44, "A network is named if at least 44 probes"),
        (confirm, "NETWORK_SHARE", 0.45, "with 45% of the results"),
        (confirm, "NETWORK_HOURS", 46, "two networks must fail together in 46 different hours"),
        (confirm, "LONE_PROBES", 47, "seen failing by 47 probes"),
        (confirm, "LONE_HOURS", 48, "over 48 different hours"),
        (confirm, "HABIT", 49.0, "at least 49 times as many failures"),
        (confirm, "COMPANY_PROBES", 50, "50 probes with normal controls of their own"),
        (networks, "RAISED", 0.51, "normally named from 51%"),
        (scope, "NATION_SHARE", 0.52, "at least 52% of users are affected"),
        (scope, "NATION_CERTAINTY", 0.53, "with 53% certainty"),
        (scope, "NATION_NETWORKS", 54, "At least 54 networks of"),
        (scope, "NATION_OPERATORS", 55, "of 55 operators"),
        (scope, "NATION_OBSERVED", 0.56, "networks with 56% of its users"),
    ],
)
def test_the_page_gives_the_value_that_the_rules_have(
    module: ModuleType, name: str, value: float, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, value)
    assert shown in words(page())


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        ({"accept_after": 61}, "lasts 61 days"),
        ({"accept_severe_after": 62}, "(62 if severe)"),
        ({"days": 63}, "over 63 days"),
        ({"weeks": 64}, "over 64 weeks"),
        ({"least_days": 65}, "fewer than 65 days"),
    ],
)
def test_the_page_gives_the_options_that_the_detector_of_drops_has(
    option: dict[str, Any], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = replace(DROP, options=replace(DROP.options, **option))
    monkeypatch.setattr(about, "DROP", changed)
    assert shown in words(page())


@pytest.mark.parametrize("file", [STYLE, REPORT], ids=lambda file: file.name)
def test_urdu_uses_the_readers_nastaliq_face_and_none_is_sent(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    faces = re.findall(r"@font-face{(.*?)}", text)
    assert faces
    for face in faces:
        assert 'local("Noto Nastaliq Urdu")' in face
        assert 'local("Jameel Noori Nastaleeq")' in face
        assert 'local("Urdu Typesetting")' in face
        ranges = re.findall(r"U\+([0-9A-F]+)", face.partition("unicode-range:")[2])
        assert ranges[0] == "20"
        assert all(int(start, 16) >= 0x600 for start in ranges[1:]), (
            "Latin letters and figures keep their own"
        )
        assert "url(" not in face
    assert "@import" not in text
    assert re.search(r"\[lang=ur\][^{]*{[^}]*Nastaliq,", text)
