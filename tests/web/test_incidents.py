"""The list of incidents: its filter, its pages, its picture, its feeds and its files."""

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from fanous.charts.months import MonthBar, axis_lines
from fanous.model.incident import Incident, Interval, Kind, Scope, Status
from fanous.model.instant import DAY, HOUR, from_iso
from fanous.model.measurement import Provenance
from fanous.publish.filter import PATTERNS, IncidentFilter
from fanous.web.answers import Site
from fanous.web.pages.incidents import counted
from fanous.wording.headline import ordinal
from fanous.wording.language import ENGLISH
from tests.charts.events import START, SUSPECTED, incident, network, part
from tests.each import each
from tests.hostile import HOSTILE, planted
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

SITE = Site(url="https://fanous.example", clock=lambda: NOW)


def began(at: str, hours: float | None, **given: Any) -> Incident:
    """An incident that began at an instant and lasted so long; ``None`` = it goes on."""
    onset = from_iso(at)
    end = None if hours is None else onset + hours * HOUR
    given.setdefault("status", Status.CONFIRMED if end is None else Status.ENDED)
    return incident(
        onset=onset,
        onset_earliest=onset,
        onset_latest=onset,
        end=end,
        intervals=(Interval(onset, end),),
        **given,
    )


KNOWN = (
    began("2022-03-05T10:00Z", 5, id="PK-2022-0001", targets=("youtube",), entities=("AS17557", "PK-PB"),
          mechanisms=("tls.reset.sni", "tls.throttle.sni")),
    began("2023-12-17T14:00Z", 30, id="PK-2023-0002", targets=("x",), mechanisms=("dns.injection",)),
    began("2023-12-31T23:30Z", 0.5, id="PK-2023-0003", targets=("xbox.example",)),
    began(
        "2023-11-10T03:00Z", None, id="KE-2023-0001", country="KE", entities=("KE", "AS33771"), kind=Kind.OUTAGE,
        scope=Scope.NATION, parts=(part("", Kind.OUTAGE, mechanisms=("outage",)),), networks=(network("AS33771"),),
    ),
    replace(incident(**SUSPECTED), id="IR-2023-0001", country="IR", kind=Kind.THROTTLING,
            parts=(part("x", Kind.THROTTLING), part("telegram", Kind.BLOCKING))),
    began("2021-05-01T00:00Z", 200, id="IR-2021-0001", country="IR", status=Status.RETRACTED),
)  # fmt: skip
NAMES = {17557: "PTCL"}


def visiting(known: tuple[Incident, ...] = KNOWN, site: Site = SITE) -> Reader:
    return reader(SmallStore(list(known), names=NAMES), site)


def listed(text: str) -> list[str]:
    return re.findall(r"<bdi>([A-Z]{2}-\d{4}-\d{4})</bdi></small>", text)


FILTERS = [
    ("", ["PK-2023-0003", "IR-2023-0001", "PK-2023-0002", "KE-2023-0001", "PK-2022-0001", "IR-2021-0001"]),
    ("country=PK", ["PK-2023-0003", "PK-2023-0002", "PK-2022-0001"]),
    ("region=PK-PB", ["PK-2022-0001"]),
    ("network=AS33771", ["KE-2023-0001"]),
    ("target=x", ["IR-2023-0001", "PK-2023-0002", "IR-2021-0001"]),
    ("target=twitter", ["IR-2023-0001", "PK-2023-0002", "IR-2021-0001"]),
    ("target=www.x.com", ["IR-2023-0001", "PK-2023-0002", "IR-2021-0001"]),
    ("target=xbox.example", ["PK-2023-0003"]),
    ("kind=blocking&country=IR", ["IR-2023-0001", "IR-2021-0001"]),
    ("kind=throttling", ["IR-2023-0001", "PK-2022-0001"]),
    ("kind=outage", ["KE-2023-0001"]),
    ("mechanism=dns", ["PK-2023-0002"]),
    ("mechanism=dns.inj", []),
    ("status=open", ["IR-2023-0001", "KE-2023-0001"]),
    ("status=suspected", ["IR-2023-0001"]),
    ("status=sure", ["PK-2023-0003", "PK-2023-0002", "KE-2023-0001", "PK-2022-0001"]),
    ("status=retracted", ["IR-2021-0001"]),
    ("began=2023", ["PK-2023-0003", "IR-2023-0001", "PK-2023-0002", "KE-2023-0001"]),
    ("began=2023-11", ["KE-2023-0001"]),
    ("length=hour", ["PK-2023-0003"]),
    ("length=day", ["IR-2023-0001", "PK-2022-0001"]),
    ("length=week", ["PK-2023-0002"]),
    ("length=longer", ["KE-2023-0001", "IR-2021-0001"]),
    ("words=kenya", ["KE-2023-0001"]),
    ("words=TWITTER+2023", ["IR-2023-0001", "PK-2023-0002"]),
    ("words=ptcl", ["PK-2022-0001"]),
    ("words=pk-2023-0002", ["PK-2023-0002"]),
    ("words=punjab", ["PK-2022-0001"]),
    ("words=nothing+like+it", []),
]


@each(("asked", "found"), FILTERS)
def test_the_page_the_feeds_and_the_files_list_the_same(asked: str, found: list[str]) -> None:
    visitor = visiting()
    assert listed(visitor.get(f"/incidents?{asked}").text) == found
    rows = list(csv.DictReader(io.StringIO(visitor.get(f"/incidents.csv?{asked}").text)))
    assert [row["id"] for row in rows] == found
    document = visitor.get(f"/incidents.json?{asked}").json()
    assert [one["id"] for one in document["incidents"]] == found
    assert document["count"] == len(found)
    feed = visitor.get(f"/incidents/feed.json?{asked}").json()
    assert {one["url"][-12:] for one in feed["items"]} == set(found)
    atom = visitor.get(f"/incidents/feed.atom?{asked}").text
    assert set(re.findall(r"[A-Z]{2}-20\d\d-000\d", atom)) - set(re.findall('words=(.*?)["<]', atom)) == set(
        found
    )


def test_every_condition_of_the_filter_is_tried_above() -> None:
    tried = {name for asked, _ in FILTERS for name in re.findall(r"(\w+)=", asked)}
    assert tried == set(PATTERNS)
    assert set(IncidentFilter.__dataclass_fields__) == set(PATTERNS)


@each(
    ("asked", "leads_to"),
    [
        ("country=&region=&kind=blocking&words=", "?kind=blocking"),
        ("country=pk", "?country=PK"),
        ("began=%DB%B2%DB%B0%DB%B2%DB%B3", "?began=2023"),
        ("page=1", ""),
        ("words=%20&sort=length", ""),
        ("target=x&target=y", "?target=x"),
    ],
)
def test_a_form_and_a_typing_error_lead_to_the_canonical_address(asked: str, leads_to: str) -> None:
    visitor = visiting()
    for path in ("/incidents", "/incidents.csv", "/incidents/feed.atom", "/incidents/months.svg"):
        answer = visitor.get(f"{path}?{asked}")
        assert (answer.status_code, answer.headers["location"]) == (308, path + leads_to)


@each(
    "asked",
    ["country=QQ", "kind=murder", "length=long", "began=2023-13", "network=x", "status=open&region=-"],
)
def test_a_condition_that_means_nothing_is_named_and_no_list_is_given_without_it(asked: str) -> None:
    """A script would mistake the list of everything for the answer to its question."""
    for path in ("/incidents", "/incidents.csv", "/incidents/feed.atom"):
        answer = visiting().get(f"{path}?{asked}")
        name, value = asked.rpartition("&")[2].split("=")
        assert answer.status_code == 400
        assert f"“{value}” means nothing here as the value of “{name}”" in answer.text


def test_a_long_list_comes_in_pages_and_the_filter_stays() -> None:
    known = tuple(began("2023-01-01T00:00Z", n + 1.0, id=f"PK-2023-{n:04d}") for n in range(100))
    visitor = visiting(known)
    seen = []
    for number, page in enumerate(("", "&page=2", "&page=3"), 1):
        text = visitor.get(f"/incidents?country=PK{page}").text
        assert f"Page {number} of 3" in text
        assert ('rel="next"' in text) is (number < 3)
        assert ('rel="prev"' in text) is (number > 1)
        seen += listed(text)
    assert sorted(seen) == sorted(one.id for one in known)
    assert 'href="/incidents?country=PK"' in visitor.get("/incidents?country=PK&page=2").text
    assert visitor.get("/incidents?country=PK&page=4").status_code == 404


def test_what_is_chosen_stays_chosen_in_the_form_and_in_the_other_languages() -> None:
    text = visiting().get("/incidents?country=PK&target=twitter&lang=ur").text
    assert '<option value="PK" selected>' in text
    assert 'name="target" id="target" maxlength="253" list="targets" value="twitter"' in text
    assert '<input type="hidden" name="lang" value="ur">' in text
    assert 'href="/incidents?lang=fr&amp;country=PK&amp;target=twitter"' in text
    assert 'href="/incidents/feed.atom?country=PK&amp;target=twitter&amp;lang=ur"' in text
    assert 'href="/incidents.csv?country=PK&amp;target=twitter"' in text
    assert "<h1>واقعات: \u2068پاکستان\u2069، \u2068twitter\u2069</h1>" in text


def test_networks_and_regions_are_offered_within_a_country_only() -> None:
    visitor = visiting()
    assert 'name="network"' not in visitor.get("/incidents").text
    text = visitor.get("/incidents?country=PK").text
    assert '<option value="AS17557">PTCL' in text
    assert '<option value="PK-PB">Panjāb' in text


def test_all_throttling_of_a_year_is_two_links_away_and_each_says_how_much_it_lists() -> None:
    client = reader(SmallStore(list(KNOWN)), SITE)

    def follow(path: str, value: str) -> str:
        """The link on a page that adds a condition; the number on it is what it leads to."""
        text = client.get(path).text
        link, n = re.findall(rf'<a href="([^"]*{value}[^"]*)"[^>]*>[^<(]*\((\d+)\)</a>', text)[0]
        there = unescape(link)
        assert f"{n} of " in client.get(there).text, there
        return there

    found = follow(follow("/incidents", "kind=throttling"), "began=2023")
    listed = re.findall(r"<bdi>([A-Z]{2}-\d{4}-\d{4})</bdi>", client.get(found).text)
    assert listed == ["IR-2023-0001"]
    assert 'aria-current="true">Throttling (1)</a>' in client.get(found).text
    assert follow("/incidents?kind=throttling", "kind=blocking")  # another one in its place


def test_a_retracted_incident_says_so_first_and_is_not_counted() -> None:
    visitor = visiting()
    text = visitor.get("/incidents?status=retracted").text
    (entry,) = re.findall(r"<li><time.*?</li>", text, re.S)
    assert entry.index("Retracted on") < entry.index("<s>")
    assert "<svg xmlns" not in text
    assert visitor.get("/incidents/months.svg?status=retracted").status_code == 404


def test_synthetic_incidents_never_stand_among_others() -> None:
    staged = began("2023-12-17T14:00Z", 3, id="PK-2023-0009", provenance=Provenance.SYNTHETIC)
    assert "PK-2023-0009" not in listed(visiting((*KNOWN, staged)).get("/incidents").text)


def test_an_empty_result_says_that_nothing_fits_and_what_that_does_not_mean() -> None:
    text = visiting().get("/incidents?words=nothing").text
    assert "No incident fits." in text
    assert "no incident does not mean that there was none" in text


def test_a_table_for_spreadsheets_has_no_formula_and_no_hidden_text() -> None:
    bad = began("2023-05-05T00:00Z", 1, id="PK-2023-0010", targets=("=cmd|' /C calc'!A0", HOSTILE))
    answer = visiting((bad,)).get("/incidents.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["targets"].startswith("'=cmd")
    assert planted(answer.text) == []
    assert row["url"] == "https://fanous.example/PK/PK-2023-0010"
    assert (row["hours"], row["onset"], row["sources"]) == (
        "1.0",
        "2023-05-05T00:00:00Z",
        "OONI (CC BY-NC-SA 4.0)",
    )


def test_hostile_words_and_names_are_shown_as_text() -> None:
    bad = began(
        "2023-05-05T00:00Z", 1, id="PK-2023-0010", targets=(HOSTILE, "<script>alert(1)</script>"),
        entities=("AS17557", "PK:<img src=x>"), mechanisms=("\"><script>alert(2)</script>",),
    )  # fmt: skip
    visitor = visiting((bad,))
    for asked in (
        "country=PK",
        "words=%3Cscript%3Ealert(3)%3C/script%3E",
        "target=%22%3E%3Cscript%3Ealert(4)",
    ):
        for path in ("/incidents", "/incidents/feed.atom", "/incidents/months.svg"):
            text = visitor.get(f"{path}?{asked}").text
            assert planted(text) == []
            assert "<script>alert" not in text
            assert "<img" not in text


def test_the_picture_counts_what_is_listed() -> None:
    visitor = visiting()
    svg = visitor.get("/incidents/months.svg?began=2023&lang=fa").text
    root = ElementTree.fromstring(svg)
    assert root.get("width") == "900"
    assert "fanous.example/incidents?began=2023" in svg
    assert "CC BY-NC-SA" in svg
    assert "class=" not in svg
    assert visitor.get("/incidents/months.png?began=2023").content.startswith(b"\x89PNG")


def test_months_without_incidents_are_bars_of_nothing() -> None:
    bars = counted([one for one in KNOWN if one.country == "PK"])
    assert (bars[0].began, bars[-1].began, len(bars)) == ("2022-03", "2023-12", 22)
    assert bars[0] == MonthBar("2022-03", blocked=1)
    assert bars[-1] == MonthBar("2023-12", blocked=2)
    assert sum(bar.all for bar in bars) == 3


def test_a_year_is_counted_by_its_twelve_months_and_many_years_by_the_year() -> None:
    assert [bar.began for bar in counted([KNOWN[1]], "2023")] == [f"2023-{n:02d}" for n in range(1, 13)]
    old = began("2003-01-01T00:00Z", 1)
    assert [bar.began for bar in counted([old, KNOWN[1]])] == [str(year) for year in range(2003, 2024)]


def test_confirmed_ones_are_counted_by_kind_and_suspicions_apart() -> None:
    (bar,) = counted(
        [replace(KNOWN[4], onset=START), replace(KNOWN[3], onset=START), replace(KNOWN[1], onset=START)]
    )
    assert bar == MonthBar("2023-12", blocked=1, offline=1, suspected=1)


@pytest.mark.parametrize(
    ("highest", "lines"), [(0, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 3, 4]), (21, [0, 10, 20, 30])]
)
def test_the_axis_reaches_the_highest_bar_with_few_lines(highest: int, lines: list[int]) -> None:
    assert axis_lines([MonthBar("2023-01", blocked=highest)]) == lines


def test_json_says_what_was_asked_and_each_incident_as_the_api_does() -> None:
    visitor = visiting()
    document = visitor.get("/incidents.json?country=KE").json()
    assert document["query"] == {"country": "KE"}
    assert document["url"] == "https://fanous.example/incidents?country=KE"
    assert document["synthetic"] is False
    (own,) = visitor.get("/api/v1/incidents?country=KE").json()["incidents"]
    assert document["incidents"] == [own]
    json.dumps(document)


def test_a_feed_of_a_filter_has_its_own_identity_and_address() -> None:
    visitor = visiting()
    one, other = (visitor.get(f"/incidents/feed.{form}?country=KE&lang=ur") for form in ("atom", "json"))
    assert other.json()["feed_url"] == "https://fanous.example/incidents/feed.json?country=KE&lang=ur"
    assert other.json()["home_page_url"] == "https://fanous.example/incidents?country=KE"
    ids = {
        ElementTree.fromstring(visitor.get(f"/incidents/feed.atom?{asked}").text).findtext(
            "{http://www.w3.org/2005/Atom}id"
        )
        for asked in ("", "country=KE", "country=PK")
    }
    assert len(ids) == 3
    assert "https://fanous.example/incidents?country=KE" in one.text


def test_a_feed_of_a_filter_reaches_back_to_the_beginning() -> None:
    old = began("2001-01-01T00:00Z", 1, id="PK-2001-0001")
    (item,) = visiting((old,)).get("/incidents/feed.json?country=PK").json()["items"]
    assert item["url"] == "https://fanous.example/PK/PK-2001-0001"


def test_length_counts_up_to_now_where_it_goes_on() -> None:
    going = began("2023-12-17T23:30Z", None)
    assert IncidentFilter(length="hour").fits(going, NOW)
    assert IncidentFilter(length="week").fits(going, NOW + 2 * DAY)


SEVEN = tuple(
    began(f"202{2 + n // 4}-0{n % 4 + 1}-05T10:00Z", 5, id=f"PK-202{2 + n // 4}-{n:04d}") for n in range(1, 8)
)


def test_an_incident_says_how_often_its_like_was_confirmed_before() -> None:
    others = (
        began("2022-06-01T00:00Z", 5, id="PK-2022-0091", confirmed_at=None),
        began("2022-07-01T00:00Z", 5, id="PK-2022-0092", status=Status.RETRACTED),
        began("2022-08-01T00:00Z", 5, id="PK-2022-0093", targets=("youtube",)),
        began("2022-09-01T00:00Z", 5, id="KE-2022-0094", country="KE"),
        began("2022-10-01T00:00Z", 5, id="PK-2022-0095", provenance=Provenance.SYNTHETIC),
    )
    visitor = visiting((*SEVEN, *others))
    last = SEVEN[-1]
    text = visitor.get(f"/PK/{last.id}").text
    assert ">Seventh restriction of X (Twitter) in Pakistan recorded by this monitor since 2022.</a>" in text
    (address,) = re.findall(r'<a href="(/incidents\?country=PK&amp;target=x&amp;status=sure)"', text)
    assert listed(visitor.get(address.replace("&amp;", "&")).text) == [one.id for one in reversed(SEVEN)]
    assert (
        "First restriction of X (Twitter) in Pakistan recorded by this monitor."
        in visitor.get(f"/PK/{SEVEN[0].id}").text
    )
    assert "First restriction of YouTube" in visitor.get("/PK/PK-2022-0093").text
    for silent in ("PK-2022-0091", "PK-2022-0092"):
        assert "restriction of" not in visitor.get(f"/PK/{silent}").text


def test_a_country_has_a_short_history_that_leads_to_what_it_counts() -> None:
    line = (part("", Kind.OUTAGE, mechanisms=("outage",)),)
    cut = began("2023-05-09T08:00Z", 80, id="PK-2023-0090", kind=Kind.OUTAGE, parts=line)
    visitor = visiting((*SEVEN, cut))
    text = visitor.get("/PK").text
    told = re.sub(
        r"<.*?>", "", text[text.index('id="history"') : text.index("All incidents of this country")]
    )
    assert "X (Twitter): disrupted 7 times since 2022, most recently on 5 April 2023" in told
    assert "Internet access: disrupted once: 9 to 12 May 2023" in told
    assert listed(visitor.get("/incidents?country=PK&target=-&status=sure").text) == ["PK-2023-0090"]
    assert "history" not in visiting(()).get("/PK").text


@each(
    ("n", "said"),
    [(2, "Second"), (12, "Twelfth"), (13, "13th"), (21, "21st"), (111, "111th"), (1002, "1,002nd")],
)
def test_ordinals(n: int, said: str) -> None:
    assert ordinal(n, ENGLISH) == said
