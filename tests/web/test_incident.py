"""The page of an incident and what is taken from it: pictures, citations, JSON."""

import json
import re
from html import escape
from typing import Any, cast

import pytest

from fanous.model.incident import Incident, Interval, Status
from fanous.model.reason import Reason
from fanous.publish.credits import credit_line
from fanous.publish.edition import Edition
from fanous.publish.pictures import card_svg, chart_svg
from fanous.store.coverage import Doubt, Insufficient
from fanous.store.protocol import Store
from fanous.web.answers import Site
from fanous.web.pages.incident import tex
from fanous.web.templates import whole
from fanous.wording.explanations import STANDINGS
from fanous.wording.language import LANGUAGES
from fanous.wording.narrative import AS_PUBLISHED, untested_said
from fanous.wording.sensitivity import MISSED
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot
from tests.charts.events import EXPLAINED, NATION, SUSPECTED, incident, network
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import Reader, reader

NOW = MONDAY + 12 * HOUR
ON = Interval(MONDAY + 4 * HOUR, MONDAY + 8 * HOUR)
PATH = "/PK/PK-2023-0042"
HOSTILE = "</script><script>alert('x')</script>"
OFTEN = [n / 5 for n in range(55)]


def event(**given: Any) -> Incident:
    """X on Zong for four hours, now over."""
    times = {"onset": ON.start, "onset_earliest": ON.start - 60, "onset_latest": ON.start, "end": ON.end}
    seen = (network("AS59257", intervals=(ON,)),)
    return incident(
        **({"intervals": (ON,), "confirmed_at": ON.start + 600, "networks": seen} | times | given)
    )


def visiting(*incidents: Incident, **given: Any) -> Reader:
    ballots = (
        Ballot([h for h in OFTEN if 4 <= h < 8], True, asn=59257),
        Ballot([h for h in OFTEN if not 4 <= h < 8], False, asn=59257),
        Ballot(OFTEN, False, asn=45669, target="wikipedia"),
    )
    fields: dict[str, Any] = {"known": list(incidents), "ballots": ballots}
    return reader(SmallStore(**(fields | given)), Site(url="http://monitor.example", clock=lambda: NOW))


def test_the_page_answers_what_where_since_when_how_and_for_whom() -> None:
    text = visiting(event(**NATION)).get(PATH).text
    for words in (
        "Confirmed, ended",
        "X (Twitter) blocked across Pakistan",
        "83%",
        "after 4 hours",
        "rule C2",
    ):
        assert words in text
    assert text.index('class="lede"') < text.index("<svg xmlns") < text.index('class="gridt"')


@each("code", ["en", "ur", "ar"])
def test_a_line_of_a_headline_never_ends_within_a_short_name(code: str) -> None:
    text = visiting(event(**NATION)).get(f"{PATH}?lang={code}").text
    headline = text[text.index("<h1>") : text.index("</h1>")]
    assert '<span class="whole">X (Twitter)</span>' in headline


def test_a_line_never_ends_within_the_id_of_an_incident() -> None:
    assert whole("Confirmed (PK-2023-0001).") == 'Confirmed (<span class="whole">PK-2023-0001</span>).'


def test_what_still_worked_is_shown_next_to_what_did_not() -> None:
    text = visiting(event()).get(PATH).text
    assert re.search(r'<td class="c b">Blocked</td>', text)
    assert re.search(r'<td class="c k">Reachable</td>', text)


def test_a_site_measured_for_comparison_says_so_and_comes_last() -> None:
    ballots = (
        Ballot([h for h in OFTEN if 4 <= h < 8], True, asn=59257),
        Ballot(OFTEN, False, asn=45669, target="example.com"),
        Ballot(OFTEN[::2], False, asn=45669, target="wikipedia"),
    )
    text = visiting(event(), ballots=ballots).get(PATH).text
    head = re.sub("<[^>]+>", " ", text.partition('class="gridt"')[2].partition("</thead>")[0]).split()
    assert head[-4:] == ["Wikipedia", "example.com", "for", "comparison"]
    assert re.search(r'<td class="c n">No data</td>', text)


def test_a_page_of_an_incident_is_light() -> None:
    answer = visiting(event(**NATION)).get(PATH, accept_encoding="gzip")
    assert answer.num_bytes_downloaded < 14 << 10


def test_a_suspicion_is_not_said_to_be_confirmed() -> None:
    text = (
        visiting(event(**(SUSPECTED | {"end": None, "intervals": (Interval(ON.start, None),)})))
        .get(PATH)
        .text
    )
    assert "may have been blocked" in text
    assert "status suspected unsure" in text
    assert "<dd>No<small>" in text


@each("language", LANGUAGES)
def test_a_suspicion_that_too_few_measured_names_the_networks_that_are_missing_and_how_to_help(
    language: str,
) -> None:
    few = event(**(SUSPECTED | {"end": None, "intervals": (Interval(ON.start, None),)}))
    text = visiting(few).get(f"{PATH}?lang={language}").text
    section = text[text.index('id="lacking"') : text.index("fanous probe run")]
    assert 'href="https://run.ooni.io/nettest?' in section
    assert "AS45669" in section and "AS59257" not in section, "enough measured on Zong, and no one on Jazz"
    assert re.search("fanous probe run -i https://[^ ]+ --country PK --asn [0-9]+ --collector URL", text)
    assert (language == "en") is ("Too few people have measured on these networks:" in text)


@each("code", LANGUAGES)
def test_it_says_what_else_it_could_be_and_folds_what_is_excluded(code: str) -> None:
    language = LANGUAGES[code]
    text = visiting(event(**EXPLAINED)).get(f"{PATH}?lang={code}").text
    told = text[text.index('<h2 id="else">') : text.index('<h2 id="evidence">')]
    open_part, folded = told.split("<details>", 1)
    folded = folded.split("</details>", 1)[0]
    assert [open_part.count(f"<b>{language.say(word)}</b>") for word in STANDINGS.values()] == [1, 1, 0]
    assert [folded.count(f"<b>{language.say(word)}</b>") for word in STANDINGS.values()] == [0, 0, 2]
    assert language.count("{n} explanation is excluded", "{n} explanations are excluded", 2) in folded
    said = untested_said(incident(**EXPLAINED), language)
    assert said is not None and escape(said.text, quote=False) in open_part
    assert open_part.index(f"<b>{language.say('Possible')}") < open_part.index(
        f"<b>{language.say('Not tested')}"
    )
    assert "<script" not in told


EVERY_TEN_MINUTES = [n / 6 for n in range(72)]


@each("code", LANGUAGES)
def test_it_says_what_would_have_been_seen_on_networks_that_it_does_not_name(code: str) -> None:
    language = LANGUAGES[code]
    ballots = (
        Ballot([4, 5, 6, 7], True, asn=59257),
        Ballot(EVERY_TEN_MINUTES, False, asn=45669),
        Ballot([5], False, asn=17557),
    )
    pages = visiting(event(), ballots=ballots)
    text = pages.get(f"{PATH}?lang={code}").text
    section = text[text.index('<h2 id="unnamed">') :].partition("</ul>")[0]
    lines = [line for line in section.splitlines() if line.startswith("<li>")]
    assert ["AS45669" in lines[0], "AS17557" in lines[1], len(lines)] == [True, True, 2]
    assert language.say(MISSED) in lines[1]
    document = pages.get(f"{PATH}.json").json()["sensitivity"]
    assert [one["network"] for one in document] == ["AS45669", "AS17557"]
    assert [one["found_alike"] for one in document] == [1.0, 0.0]
    assert document[0]["minutes_all"] < 240, "as long as the event"
    assert 'id="unnamed"' not in pages.get(f"/embed{PATH}").text


def test_an_incident_of_which_nothing_else_was_weighed_has_no_such_part() -> None:
    assert 'id="else"' not in visiting(event()).get(PATH).text


def test_a_confirmed_incident_names_no_missing_networks() -> None:
    assert 'id="lacking"' not in visiting(event(**NATION)).get(PATH).text


def test_a_retracted_claim_keeps_its_address_and_says_so() -> None:
    text = (
        visiting(
            event(
                status=Status.RETRACTED,
                reasons=(Reason("withdrawn", {"by": "Ayesha", "why": "it was the site itself"}),),
            )
        )
        .get(PATH)
        .text
    )
    assert "Retracted" in text
    assert "it was the site itself" in text


@pytest.mark.parametrize("path", ["/KE/PK-2023-0042", "/PK/PK-2023-9999", "/PK/pk-2023-0042", "/QQ", "/pk/x"])
def test_an_address_that_means_nothing_is_no_page(path: str) -> None:
    assert visiting(event()).get(path).status_code == 404


@each(
    "path", [PATH, f"/embed{PATH}", "/", "/PK", "/PK/AS64500", f"{PATH}/chart.svg", f"{PATH}.json", "/data"]
)
def test_hostile_text_in_any_field_is_text(path: str) -> None:
    one = event(
        targets=(HOSTILE,),
        mechanisms=(HOSTILE,),
        reasons=(Reason("withdrawn", {"by": HOSTILE, "why": HOSTILE}),),
        rule=HOSTILE,
        entities=("AS64500",),
        networks=(network("AS64500", targets=(HOSTILE,), intervals=(ON,)),),
    )
    client = visiting(
        one,
        names={64500: HOSTILE},
        ballots=(
            Ballot(OFTEN, True, asn=64500, target=HOSTILE),
            Ballot(OFTEN, True, asn=59257, target=HOSTILE),
        ),
        unsure=[Insufficient(HOSTILE, 3, (Doubt("", HOSTILE, 3),))],
    )
    answer = client.get(path)
    assert answer.status_code == 200
    if "json" in answer.headers["content-type"]:
        assert answer.headers["x-content-type-options"] == "nosniff"
    else:
        assert "<script>alert" not in answer.text


def test_pictures_are_pictures() -> None:
    client = visiting(event())
    for name in ("card.png", "chart.png"):
        answer = client.get(f"{PATH}/{name}?lang=ur")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
    assert client.get(f"{PATH}/chart.svg").headers["content-type"].startswith("image/svg+xml")


def test_an_incident_without_measurements_has_a_card_and_no_chart() -> None:
    client = visiting(event(), ballots=())
    assert client.get(f"{PATH}/card.png").status_code == 200
    assert client.get(f"{PATH}/chart.svg").status_code == 404
    assert client.get(PATH).status_code == 200


def test_the_embed_alone_may_be_framed() -> None:
    client = visiting(event())
    embedded, page = client.get(f"/embed{PATH}"), client.get(PATH)
    assert "frame-ancestors *" in embedded.headers["content-security-policy"]
    assert "x-frame-options" not in embedded.headers
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_a_page_says_how_to_share_it() -> None:
    text = visiting(event()).get(PATH).text
    for name in ("og:title", "og:image", "og:image:alt", "og:url", "twitter:card"):
        assert f'"{name}" content="' in text
    assert 'type="application/json+oembed"' in text


def test_oembed_gives_a_frame_of_this_site_alone() -> None:
    client = visiting(event())
    document = client.get(f"/oembed?url=http://monitor.example{PATH}").json()
    assert document["html"].startswith('<iframe src="http://monitor.example/embed/PK/PK-2023-0042"')
    assert client.get("/oembed?url=http://monitor.example/PK").status_code == 404
    assert client.get("/oembed").status_code == 404
    assert client.get("/oembed?url=http://[").status_code == 404
    assert client.get(f"/oembed?url=http://anything.example{PATH}").status_code == 404


def test_oembed_is_as_large_as_is_asked_and_says_which_formats_it_has() -> None:
    client, asked = visiting(event()), f"/oembed?url=http://monitor.example{PATH}"
    small = client.get(f"{asked}&maxwidth=300&maxheight=200&format=json").json()
    assert (small["width"], small["height"]) == (300, 200)
    assert 'width="300" height="200"' in small["html"]
    large = client.get(f"{asked}&maxwidth=9999&maxheight=none").json()
    assert (large["width"], large["height"]) == (640, 420)
    assert client.get(f"{asked}&format=xml").status_code == 501
    assert small["title"].startswith("Confirmed, ended: ")


def test_citations_name_the_incident_its_revision_and_its_address() -> None:
    client = visiting(event())
    bibtex, ris = client.get(f"{PATH}.bib").text, client.get(f"{PATH}.ris").text
    assert bibtex.startswith("@misc{fanous-PK-2023-0042,")
    assert "http://monitor.example/PK/PK-2023-0042" in bibtex
    assert bibtex.count("{") == bibtex.count("}")
    assert "date = {2023-12-18}" in bibtex and "DA  - 2023/12/18" in ris  # of the revision that is cited
    assert "note = {Data: OONI (CC BY-NC-SA 4.0)}" in bibtex and "N1  - Data: OONI" in ris
    assert ris.startswith("TY  - ELEC\r\n")
    assert ris.endswith("ER  - \r\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("AT&T 50% #1_a", r"AT\&T 50\% \#1\_a"),
        ("{x}", r"\{x\}"),
        ("a\\b~c^", r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}"),
    ],
)
def test_tex_takes_a_title_as_text(text: str, written: str) -> None:
    assert tex(text) == written


def test_the_json_is_that_of_the_command_line_with_sentence_and_address() -> None:
    document = json.loads(visiting(event()).get(f"{PATH}.json").text)
    assert document["id"] == "PK-2023-0042"
    assert document["url"] == "http://monitor.example/PK/PK-2023-0042"
    assert document["revisions"][0]["n"] == 1
    assert document["sentence"].startswith("Confirmed; now ended:")


def test_a_permanent_address_is_that_of_the_site_not_of_the_request() -> None:
    site = Site(url="https://fanous.example", clock=lambda: NOW)
    client = reader(SmallStore([event()]), site)
    answer = client.get(PATH)
    assert '<link rel="canonical" href="https://fanous.example/PK/PK-2023-0042">' in answer.text
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("lang", ["en", "ur"])
@pytest.mark.parametrize("path", [PATH, f"/embed{PATH}"])
def test_a_retraction_is_as_loud_as_the_claim(path: str, lang: str) -> None:
    """That it was retracted, when and why, comes before what was claimed, which is struck through."""
    say = LANGUAGES[lang].say
    gone = event(status=Status.RETRACTED, reasons=(Reason("not_supported"),))
    page = visiting(gone).get(f"{path}?lang={lang}").text
    (before, headline) = page.split("<h1>")
    assert 'class="retraction"' in before
    assert "First seen." in before, "the reason of the revision"
    title = headline.split("</h1>")[0]
    assert title.index(f"{say('Retracted')}:") < title.index("<s>")
    assert "gone" in headline, "figures and chart are struck through"
    standing = visiting(event()).get(f"{path}?lang={lang}").text
    assert "<s>" not in standing and "retraction" not in standing and "gone" not in standing
    assert say("What it may cost") not in page


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_what_a_retracted_incident_once_said_is_called_that_and_struck_through(lang: str) -> None:
    say = LANGUAGES[lang].say
    gone, stands = (
        visiting(one).get(f"{PATH}?lang={lang}").text
        for one in (event(status=Status.RETRACTED, reasons=(Reason("not_supported"),)), event())
    )
    assert gone.index(say(AS_PUBLISHED)) < gone.index('<p class="gone">')
    assert 'class="gridt gone"' in gone and '<ul class="gone">' in gone
    assert say("What it may cost") in stands
    for text in (AS_PUBLISHED, 'class="gridt gone"', '<ul class="gone">'):
        assert say(text) not in stands


def test_the_card_of_a_retraction_is_grey_and_struck_through() -> None:
    store = SmallStore([event(status=Status.RETRACTED), event(id="PK-2023-0043")])
    gone, stands = (
        card_svg(cast(Store, store), one, Edition(LANGUAGES["en"], "https://fanous.example", NOW))
        for one in store.known
    )
    assert 'text-decoration="line-through"' in gone and "line-through" not in stands
    assert "Retracted" in gone


def test_what_is_listed_says_that_it_was_taken_back() -> None:
    page = visiting(event(status=Status.RETRACTED)).get("/PK?days=365").text
    assert re.search(r"Retracted: <s>", page)


@pytest.mark.parametrize("picture", ["chart.svg", "card"])
def test_a_picture_carries_its_sources_and_their_licences(picture: str) -> None:
    """Copied without its page, it still says whose data it shows."""
    one = event()
    store = SmallStore([one], ballots=(Ballot(OFTEN, False, asn=59257), Ballot(OFTEN, False, asn=45669)))
    edition = Edition(LANGUAGES["en"], "https://fanous.example", NOW)
    draw = card_svg if picture == "card" else chart_svg
    drawn = draw(cast(Store, store), one, edition)
    assert credit_line(one, LANGUAGES["en"]) in drawn
    assert "OONI (CC BY-NC-SA 4.0)" in drawn


def test_of_what_lasts_for_days_the_days_are_told_first() -> None:
    short = visiting(event()).get(PATH).text
    long = visiting(event(end=ON.start + 5 * 86_400)).get(PATH).text
    began = r"<dt>Began</dt>\s*<dd><time[^>]*>([^<]*)</time>"
    assert re.findall(began, short) == ["09:00 PKT"]
    assert re.findall(began, long) == ["13 November 2023"]
    unsure = visiting(event(onset_earliest=ON.start - 5400)).get(PATH).text
    assert (
        "between 07:30 and" in unsure and "09:00 PKT" in unsure and "02:30–04:00 UTC" in unsure
    )  # both clocks
