"""Explore: one question as a page, an embed, pictures and tables, and all give the same numbers."""

import csv
import io
import re
from urllib.parse import urlencode, urlsplit

import pytest
from pyarrow import parquet

from fanous.model.event import AnnouncedEvent
from fanous.questions import explore as explored
from fanous.web.answers import Site
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot
from tests.charts.events import START, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

EVENING = (START - MONDAY) / HOUR
HOSTILE = "=<script>alert(1)</script>"
BALLOTS = (
    Ballot((EVENING, EVENING + 0.2, EVENING + 1), seen=True, asn=59257),
    Ballot((EVENING - 2, EVENING - 1.5, EVENING + 4), seen=False, asn=59257),
    Ballot((EVENING, EVENING + 1), seen=True, asn=17557, signal="throttled", mechanism="tls.throttle.sni"),
    Ballot((EVENING + 0.5,), seen=False, asn=17557, target="youtube"),
    Ballot((EVENING, EVENING + 1), seen=True, asn=17557, target="example.com"),
    Ballot((EVENING,), seen=False, asn=64500, target=HOSTILE),
)
NAMES = {59257: "Zong", 17557: "PTCL", 64500: HOSTILE}
DAY = "since=2023-12-17&until=2023-12-17"
ASKED = f"country=PK&{DAY}&step=3600"


def visiting(**more: object) -> Reader:
    store = SmallStore([incident()], NAMES, ballots=BALLOTS, **more)  # type: ignore[arg-type]  # fields by name
    return reader(store, Site(url="http://monitor.example", clock=lambda: NOW))


def test_the_page_says_what_is_shown_and_how_much_of_it_was_hit() -> None:
    text = visiting().get(f"/explore?country=PK&target=x&{DAY}").text
    assert '<h1><span class="whole">X (Twitter)</span> · Pakistan</h1>' in text
    assert "17 December 2023 (PKT). 8 measurements: 3 blocked, 2 slowed down, 3 worked, 0 unclear." in text
    assert text.index(">Zong<") < text.index(">PTCL<")
    assert "X (Twitter)</span> blocked" in text


def test_rows_that_are_ticked_are_compared() -> None:
    visitor = visiting()
    text = visitor.get(f"/explore?{ASKED}&lang=en").text
    boxes = re.findall(
        r'<input type="checkbox" name="network" value="(AS\d+)" aria-label="Compare ([^"]+)">', text
    )
    assert ("AS59257", "Zong") in boxes and ("AS17557", "PTCL") in boxes
    form = next(one for one in text.split("<form")[1:] if "checkbox" in one)
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', form)
    asked = urlencode([*hidden, ("network", "AS59257"), ("network", "AS17557")])
    address = visitor.get(f"/explore?{asked}").headers["location"]
    assert address.count("network=") == 1
    figures = visitor.get(address.replace("%2C", ",")).text.split('id="numbers"')[1]
    assert ">Zong<" in figures and ">PTCL<" in figures and "alert(1)" not in figures


def test_a_network_without_data_in_this_time_is_named() -> None:
    text = visiting().get(f"/explore?country=PK&network=AS17557,AS9541&target=x&{DAY}").text
    assert re.search(r"No data in this time: [^<]*Cybernet", text)


def test_page_csv_json_and_parquet_give_the_same_numbers() -> None:
    visitor = visiting()
    page = visitor.get(f"/explore?{ASKED}&by=target").text
    document = visitor.get(f"/explore.json?{ASKED}&by=target").json()
    rows = list(csv.DictReader(io.StringIO(visitor.get(f"/explore.csv?{ASKED}&by=target").text)))
    table = parquet.read_table(io.BytesIO(visitor.get(f"/explore.parquet?{ASKED}&by=target").content))
    totals = document["total"]
    assert totals == {"measurements": 10, "ok": 5, "blocked": 3, "throttled": 2, "unclear": 0}
    for field, total in totals.items():
        assert sum(int(row[field]) for row in rows) == sum(table[field].to_pylist()) == total
        assert sum(row[field] for row in document["rows"]) == total
    foot = re.search(r"<tfoot>(.*?)</tfoot>", page, re.S)
    assert foot is not None
    assert re.findall(r"<td>(\d+)</td>", foot[1]) == ["10", "3", "2", "5", "0"]
    assert [row["time"] for row in rows] == [row["time"] for row in document["rows"]]
    assert {row["licence"] for row in rows} == set(table["licence"].to_pylist()) == {"CC BY-NC-SA 4.0"}
    assert document["sources"][0]["licence"] == "CC BY-NC-SA 4.0"


def test_controls_are_no_part_of_all_targets_and_are_shown_where_they_are_asked_for() -> None:
    visitor = visiting()
    assert "example.com" not in {
        row["target"] for row in visitor.get(f"/explore.json?{ASKED}&by=target").json()["rows"]
    }
    named = visitor.get(f"/explore.json?{ASKED}&by=target&target=example.com").json()
    assert named["total"]["blocked"] == 2


@each(
    ("asked", "leads_to"),
    [
        ("country=pakistan&target=X+(Twitter)", "country=PK&target=x"),
        ("country=پاکستان", "country=PK"),
        ("country=PK&network=zong", "country=PK&network=AS59257"),
        ("country=PK&network=17557", "country=PK&network=AS17557"),
        ("country=PK&by=network", "country=PK"),
        ("target=www.Dawn.com", "target=dawn.com"),
        ("target=youtube,+x", "target=youtube,x"),
        ("country=PK&since=2023-12-18&until=2023-12-17", "country=PK&since=2023-12-17&until=2023-12-18"),
        ("country=burma&lang=ur", "country=MM&lang=ur"),
    ],
)
def test_a_question_in_other_words_leads_to_its_one_address(asked: str, leads_to: str) -> None:
    visitor = visiting()
    for path in ("/explore", "/embed/explore", "/explore.csv", "/explore.json"):
        answer = visitor.get(f"{path}?{asked}")
        assert answer.status_code == 307
        assert answer.headers["location"] == f"{path}?{leads_to}"


@pytest.mark.parametrize("asked", ["country=&target=x&network=&step=", "target=x&other=1"])
def test_empty_fields_and_unknown_parameters_are_dropped(asked: str) -> None:
    answer = visiting().get(f"/explore?{asked}")
    assert (answer.status_code, answer.headers["location"]) == (308, "/explore?target=x")


@pytest.mark.parametrize("asked", ["since=foo", "until=2023-02-30", "since=17.12.2023", "step=77", "layer=x"])
def test_a_date_or_a_choice_that_means_nothing_is_named_and_nothing_is_shown(asked: str) -> None:
    name, value = asked.split("=")
    for path in ("/explore", "/explore.csv", "/explore.json"):
        answer = visiting().get(f"{path}?target=x&{asked}")
        assert answer.status_code == 400
        assert f"“{value}” means nothing here as the value of “{name}”" in answer.text


def test_a_name_that_nothing_is_known_by_is_said_and_nothing_is_shown() -> None:
    answer = visiting().get("/explore?country=Atlantis&target=x")
    assert answer.status_code == 200
    assert "No matches for Atlantis." in answer.text
    assert "<figure" not in answer.text
    assert visiting().get("/explore.csv?country=Atlantis").status_code == 404


def test_the_permanent_link_names_dates_and_bins_and_shows_the_same() -> None:
    visitor = visiting()
    text = visitor.get("/explore?country=PK").text
    found = re.search(r'rel="canonical" href="([^"]+)"', text)
    assert found is not None
    link = found[1].replace("&amp;", "&")
    assert link == ("http://monitor.example/explore?country=PK&since=2023-12-17&until=2023-12-17&step=3600")
    again = visitor.get(link.removeprefix("http://monitor.example"))
    assert again.status_code == 200
    assert (
        visitor.get("/explore.csv?" + urlsplit(link).query).text
        == visitor.get("/explore.csv?country=PK").text
    )


@pytest.mark.parametrize("path", ["/explore", "/explore.svg", "/embed/explore", "/explore.csv"])
def test_hostile_names_are_text(path: str) -> None:
    answer = visiting().get(f"{path}?country=PK&by=target&{DAY}")
    assert answer.status_code == 200
    if path == "/explore.csv":
        assert f"'{HOSTILE}" in answer.text
    else:
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text


def test_the_embed_may_be_framed_and_the_page_may_not() -> None:
    visitor = visiting()
    assert "frame-ancestors *" in visitor.get(f"/embed/explore?{ASKED}").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in visitor.get(f"/explore?{ASKED}").headers["content-security-policy"]


def test_networks_of_one_name_are_told_apart_by_number_in_the_title_too() -> None:
    store = SmallStore([], ballots=BALLOTS, names={64500: "Own", 64501: "Own"})
    text = reader(store).get(f"/explore?country=PK&target=x&network=AS64500,AS64501&{DAY}").text
    assert "Own (AS64500), Own (AS64501), Pakistan</h1>" in text


def test_pictures_carry_title_dates_unit_source_licence_and_address() -> None:
    visitor = visiting()
    picture = visitor.get(f"/explore.svg?country=PK&target=x&{DAY}")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    for said in (
        "X (Twitter) · Pakistan",
        ">17 December 2023 (PKT)<",
        ">Share of measurements<",
        ">Time in Pakistan (PKT)<",
        "CC BY-NC-SA 4.0",
        "Measured until 18 December 2023, 00:00 PKT",
        "monitor.example/explore?country=PK",
        "Blocked",
        "Slowed",
    ):
        assert said in picture.text
    assert visitor.get(f"/explore.png?country=PK&target=x&{DAY}").content.startswith(b"\x89PNG")
    assert visitor.get("/explore.png?country=FR").status_code == 404


def test_blocked_and_slowed_are_drawn_apart_in_steps_and_a_gap_stays_one() -> None:
    text = visiting().get(f"/explore.svg?country=PK&target=x&{DAY}&step=3600").text
    blocked = re.findall(r'<path d="([^"]+)" fill="#a3231c"', text)
    slowed = re.findall(r'<path d="([^"]+)" fill="url\(#slowed\)"', text)
    assert len([path for path in blocked if "V" in path]) >= 1
    assert len([path for path in slowed if "V" in path]) >= 1
    assert "L" not in "".join([*blocked, *slowed])


def test_incidents_and_announced_events_stand_on_the_time_axis() -> None:
    event = AnnouncedEvent("PK", START + 600, START + 7200, "Rally <b>", (), "PK-watch-1", START - 60)
    text = visiting(announced=[event]).get(f"/explore?country=PK&target=x&{DAY}").text
    assert 'class="lasts"' in text
    assert 'class="shade"' in text
    assert "Rally &lt;b&gt;" in text
    quiet = visiting().get("/explore?country=PK&target=x&since=2023-12-16&until=2023-12-16").text
    assert 'class="lasts"' not in quiet


def test_what_is_too_much_is_said_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "MOST_READ", 3)
    visitor = visiting()
    text = visitor.get("/explore?country=PK").text
    assert "This is too much to show at once." in text
    assert "<figure" not in text
    assert visitor.get("/explore.csv?country=PK").status_code == 404
    problem = visitor.get("/api/v1/aggregate?country=PK").json()
    assert problem["detail"].startswith("this would read 6 verdicts, more than 3: choose shorter dates")


def test_bins_that_would_be_too_many_are_wider_and_the_answer_says_so() -> None:
    document = visiting().get("/explore.json?country=PK&since=2023-01-01&until=2023-12-31&step=600").json()
    assert document["step"] == 86_400


def test_dates_in_the_wrong_order_are_exchanged() -> None:
    visitor = visiting()
    right = visitor.get("/api/v1/aggregate?country=PK&since=2023-12-01&until=2023-12-31").json()
    wrong = visitor.get("/api/v1/aggregate?country=PK&since=2023-12-31&until=2023-12-01").json()
    assert wrong == right and right["since"] < right["until"]
