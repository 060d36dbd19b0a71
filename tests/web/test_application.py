"""The public side: languages, caching, headers, and hostile text."""

import pytest

from fanous.model.incident import Incident
from fanous.store.coverage import Heard
from fanous.web.answers import Site
from tests.charts.events import ONGOING, SUSPECTED, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader

HOUR = 3600.0

HOSTILE = "<script>alert(1)</script>\"'&"


def test_an_open_incident_is_on_the_first_page_as_a_sentence() -> None:
    client = reader(SmallStore([incident(**ONGOING)]))
    text = client.get("/").text
    assert "1 confirmed internet disruption is ongoing" in text
    assert "X (Twitter)</span> has been blocked" in text
    assert 'href="/PK/PK-2023-0042"' in text


@pytest.mark.parametrize(
    ("known", "headline"),
    [
        ([incident(**SUSPECTED)], "1 disruption is suspected, none is confirmed"),
        (
            [incident(**ONGOING), incident(**SUSPECTED, id="PK-2023-0043")],
            "1 confirmed internet disruption is ongoing, 1 more is suspected",
        ),
    ],
)
def test_a_suspicion_is_not_counted_as_a_disruption(known: list[Incident], headline: str) -> None:
    assert f"<h1>{headline}</h1>" in reader(SmallStore(known)).get("/").text


def test_a_quiet_world_is_said_to_be_quiet_only_where_one_can_see() -> None:
    client = reader(SmallStore())
    text = client.get("/").text
    assert "<h1>Nothing has been measured yet, so nothing can be said</h1>" in text
    assert "What is watched" not in text, "nothing is"


def test_a_network_is_shown_with_when_it_was_last_heard() -> None:
    store = SmallStore(heard_networks=[Heard("PK", 17557, NOW - 7200, 40, 3)])
    client = reader(store)
    assert "2 hours ago" in client.get("/").text


def test_a_heartbeat_counts_as_heard() -> None:
    store = SmallStore(heard_networks=[Heard("PK", 17557, NOW - 7200, 40, 3)])
    site = Site(clock=lambda: NOW, heard=lambda: {("PK", 17557): NOW - 120})
    client = reader(store, site)
    assert "2 minutes ago" in client.get("/").text


def test_hostile_names_and_targets_are_shown_as_text() -> None:
    one = incident(**ONGOING, targets=(HOSTILE,), entities=("AS64500",))
    client = reader(SmallStore([one], names={64500: HOSTILE}))
    text = client.get("/").text
    feed = client.get("/feed.atom").text
    assert "<script>alert" not in text + feed
    assert "&lt;script&gt;alert(1)" in text


def test_every_answer_carries_the_headers_errors_too() -> None:
    client = reader(SmallStore())
    for path in ("/", "/feed.atom", "/no/such/page/at/all"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "set-cookie" not in headers


def test_a_bug_is_a_page_that_tells_nothing_of_the_inside() -> None:
    class Broken(SmallStore):
        def networks(self, country: str) -> dict[int, str]:
            raise RuntimeError(f"secret detail of {country}")

    client = reader(Broken([incident(**ONGOING)]))
    answer = client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "default-src" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_public_side_only_reads(method: str) -> None:
    client = reader(SmallStore())
    assert client.ask(method, "/").status_code == 405


def test_what_the_reader_has_already_is_not_sent_again() -> None:
    client = reader(SmallStore([incident(**ONGOING)]))
    first = client.get("/")
    again = client.get("/", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_is_compressed_for_those_who_can_read_it() -> None:
    client = reader(SmallStore([incident(**ONGOING)]))
    packed, whole = client.get("/", accept_encoding="gzip"), client.get("/", accept_encoding="identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in whole.headers
    assert packed.text == whole.text
    assert packed.headers["etag"] != whole.headers["etag"]


def test_a_crowd_asks_the_store_once() -> None:
    store = SmallStore([incident(**ONGOING)])
    client = reader(store)
    for _ in range(5):
        client.get("/")
    assert store.questions == 1


def test_a_country_is_found_in_small_letters_too() -> None:
    answer = reader(SmallStore()).get("/pk")
    assert (answer.status_code, answer.headers["location"]) == (308, "/PK")


def test_a_host_header_that_is_no_host_is_not_repeated() -> None:
    client = reader(SmallStore([incident(**ONGOING)]))
    text = client.get("/", host='evil"><script>').text
    assert "evil" not in text


@pytest.mark.parametrize(
    ("ago", "headline"),
    [
        (HOUR, "No ongoing disruption in the 1 country measured in the last 24 hours"),
        (30 * HOUR, "Nothing was measured in the last 24 hours: what has happened since is unknown"),
        (9 * 24 * HOUR, "Nothing was measured in the last 7 days, so nothing can be said"),
    ],
)
def test_a_page_without_disruptions_says_what_was_checked_and_does_not_reassure(
    ago: float, headline: str
) -> None:
    heard = Heard("PK", 45669, NOW - ago, 12, 2)
    assert f"<h1>{headline}</h1>" in reader(SmallStore(heard_networks=[heard])).get("/").text


def test_a_long_address_makes_no_long_answer() -> None:
    client = reader(SmallStore())
    for path in ("/", "/desk/"):
        answer = client.get(path + "a" * 60_000)
        assert answer.status_code == 404
        assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/PK/", "/PK"),
        ("/countries/?lang=ur", "/countries?lang=ur"),
        ("//evil.example/", "/evil.example"),
        ("/%5Cevil.example//", "/%5Cevil.example"),
        ("/desk/", "/desk"),
    ],
)
def test_a_slash_at_the_end_leads_to_the_page_on_this_site(asked: str, led_to: str) -> None:
    """Behind a proxy that ends TLS, an absolute address would lead to ``http:``."""
    site = Site(clock=lambda: NOW, url="https://fanous.example")
    answer = reader(SmallStore(), site).get(f"https://fanous.example{asked}")
    assert (answer.status_code, answer.headers["location"]) == (308, led_to)
