"""Pages open on the dates that hold data, count no control among all targets, and agree on when something was heard."""

from dataclasses import replace

import pytest

from fanous.store.coverage import Heard, KnownNetwork
from fanous.web.answers import Site
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot
from tests.charts.events import START, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader

EVENING = (START - MONDAY) / HOUR
LONG_AFTER = NOW + 400 * 86_400
BALLOTS = (
    Ballot((EVENING, EVENING + 1), seen=True, asn=59257),
    Ballot((EVENING, EVENING + 1), seen=False, asn=59257, target="example.com"),
)


class OldStore(SmallStore):
    """Its data ended on the evening of 17 December 2023."""

    def span(self, country: str) -> tuple[float, float] | None:
        return (START, START + HOUR) if country == self.country else None

    def known_networks(self) -> list[KnownNetwork]:
        return [replace(one, last=START + HOUR) for one in super().known_networks()]


def late(path: str) -> str:
    store = OldStore([incident()], {59257: "Zong"}, ballots=BALLOTS)
    return reader(store, Site(clock=lambda: LONG_AFTER)).get(path).text


@pytest.mark.parametrize("path", ["/PK", "/PK?days=7", "/PK/AS59257", "/target/x"])
def test_a_page_of_a_store_full_of_history_shows_it(path: str) -> None:
    text = late(path)
    assert "The data end on 17 December 2023; the days before that are shown." in text
    assert 'class="times"' in text
    assert 'href="/explore?' in text


def test_a_target_that_was_measured_long_ago_is_not_said_to_work() -> None:
    text = late("/target/x")
    assert "Not measured recently, so nothing can be said." in text
    assert "No ongoing disruption" not in text


@pytest.mark.parametrize("path", ["/PK", "/PK?days=365", "/PK/AS59257?days=365"])
def test_a_window_ends_with_the_data_though_it_could_reach_them(path: str) -> None:
    store = OldStore([incident()], {59257: "Zong"}, ballots=BALLOTS)
    text = reader(store, Site(clock=lambda: NOW + 9 * 86_400)).get(path).text
    assert "The data end on 17 December 2023; the days before that are shown." in text


def test_a_page_with_data_of_today_says_nothing_of_their_end() -> None:
    store = OldStore([incident()], {59257: "Zong"}, ballots=BALLOTS)
    text = reader(store, Site(clock=lambda: NOW)).get("/PK").text
    assert "The data end on" not in text
    assert 'class="times"' in text


def test_a_control_that_works_does_not_hide_a_total_block() -> None:
    text = late("/PK")
    grid = text[text.index('class="times"') : text.index("</table>")]
    assert "Disrupted whenever measured: 2" in grid
    assert "Disrupted in some measurements" not in grid
    assert "<bdi>example.com</bdi></summary>" not in text


def test_a_network_was_heard_when_it_last_measured_on_every_page() -> None:
    store = SmallStore(
        ballots=(Ballot((EVENING,), seen=False, asn=59257),),
        heard_networks=[Heard("PK", 59257, NOW - 60, 1, 1)],
    )
    visitor = reader(store, Site(clock=lambda: NOW))
    for path in ("/countries", "/PK"):
        assert "1 minute ago" in visitor.get(path).text


def test_a_heartbeat_counts_on_the_page_of_the_country_too() -> None:
    store = SmallStore(heard_networks=[Heard("PK", 59257, NOW - 7200, 1, 1)])
    site = Site(clock=lambda: NOW, heard=lambda: {("PK", 59257): NOW - 120})
    assert "2 minutes ago" in reader(store, site).get("/PK").text
