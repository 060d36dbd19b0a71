"""What people add to an incident: claims by others, and announced events."""

from typing import Any

from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.publish.edition import web_address
from fanous.web.answers import Site
from tests.charts.events import END, NATION, START, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

PATH = "/PK/PK-2023-0042"
HOSTILE = "<img src=x onerror=alert(1)>"
RALLY = AnnouncedEvent("PK", START + 3600, END, "Virtual rally", ("x",), "PK-watch-1", START - 86_400)


def visiting(**given: Any) -> Reader:
    return reader(SmallStore([incident(**NATION)], **given), Site(clock=lambda: NOW))


def claim(**given: Any) -> Claim:
    fields: dict[str, Any] = {"who": "NetBlocks", "said": Said.BLOCKING, "country": "PK"}
    return Claim(**(fields | {"since": START, "until": END} | given))


def test_a_claim_is_shown_next_to_ours_with_the_answer_of_the_evidence() -> None:
    client = visiting(said=[claim(targets=("x",)), claim(who="the regulator", said=Said.NORMAL)])
    for path in (PATH, "/PK"):
        text = client.get(path).text
        assert "NetBlocks" in text
        assert '<span class="answer supported">Supported</span>' in text
        assert '<span class="answer contradicted">Contradicted</span>' in text


def test_a_claim_about_something_else_is_not_shown() -> None:
    other = claim(who="somebody", targets=("wikipedia",))
    before = claim(who="somebody", since=START - 7200, until=START - 3600)
    assert "somebody" not in visiting(said=[other, before]).get(PATH).text


@each(
    ("link", "address"),
    [
        ("https://netblocks.example/reports", "https://netblocks.example/reports"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)//https://x", ""),
        ("data:text/html,x", ""),
        ("//evil.example", ""),
        ("https://", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_an_ordinary_web_address_is_a_link(link: str, address: str) -> None:
    assert web_address(link) == address


def test_hostile_claims_and_titles_are_text() -> None:
    told = claim(who=HOSTILE, quote=HOSTILE, link="javascript:alert(1)", targets=())
    event = AnnouncedEvent("PK", START, END, HOSTILE, (), "PK-watch-1", START - 60)
    client = visiting(said=[told], announced=[event])
    for path in (PATH, "/PK", "/PK/PK-watch-1", f"/embed{PATH}", f"{PATH}/chart.svg"):
        answer = client.get(path)
        assert "<img src=x" not in answer.text
        assert 'href="javascript:' not in answer.text


def test_an_announced_event_is_named_with_its_relation_to_the_onset() -> None:
    text = visiting(announced=[RALLY]).get(PATH).text
    assert "Virtual rally" in text
    assert "It began 60 minutes before this event, and was still under way when the event began." in text
    assert "Registered before it began." in text


def test_an_event_that_was_registered_late_says_so() -> None:
    late = AnnouncedEvent("PK", START, END, "Virtual rally", (), "PK-watch-1", END)
    for path in (PATH, "/PK/PK-watch-1"):
        assert "Registered after it had begun" in visiting(announced=[late]).get(path).text


def test_an_event_has_a_page_with_what_was_seen_around_it() -> None:
    text = visiting(announced=[RALLY]).get("/PK/PK-watch-1").text
    assert '<span class="whole">X (Twitter)</span> blocked across Pakistan' in text
    assert RALLY.digest in text


def test_of_an_event_that_is_to_come_nothing_is_said_but_that_it_is_announced() -> None:
    coming = AnnouncedEvent("PK", NOW + 3600, NOW + 7200, "Tribunal", (), "PK-watch-2", NOW - 60)
    client = visiting(announced=[coming])
    text = client.get("/PK/PK-watch-2").text
    assert "It has not begun yet." in text
    assert "What was seen" not in text
    for path in ("/", "/PK"):
        assert "Tribunal" in client.get(path).text


def test_an_event_of_another_country_is_no_page_here() -> None:
    assert visiting(announced=[RALLY]).get("/KE/PK-watch-1").status_code == 404
