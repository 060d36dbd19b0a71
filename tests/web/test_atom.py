"""The Atom feed (RFC 4287)."""

from xml.etree import ElementTree

from tests.charts.events import ONGOING, SUSPECTED, incident
from tests.web.small_store import SmallStore
from tests.web.visits import reader

ATOM = "{http://www.w3.org/2005/Atom}"


def feed_of(store: SmallStore, path: str = "/feed.atom") -> ElementTree.Element:
    answer = reader(store).get(path)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ElementTree.fromstring(answer.content)


def test_the_feed_has_what_the_standard_demands() -> None:
    feed = feed_of(SmallStore([incident(**ONGOING)]))
    for holder in (feed, feed.find(f"{ATOM}entry")):
        assert holder is not None
        assert {"id", "title", "updated"} <= {child.tag.removeprefix(ATOM) for child in holder}
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")] == ["self", "alternate"]


def test_a_revision_keeps_the_id_and_moves_the_time() -> None:
    before = feed_of(SmallStore([incident(**SUSPECTED)], revised_at=1_702_830_000.0))
    after = feed_of(SmallStore([incident(**ONGOING)], revised_at=1_702_833_600.0))
    ids = [feed.findtext(f"{ATOM}entry/{ATOM}id") for feed in (before, after)]
    assert ids[0] == ids[1]
    times = [feed.findtext(f"{ATOM}entry/{ATOM}updated") for feed in (before, after)]
    assert times == ["2023-12-17T16:20:00Z", "2023-12-17T17:20:00Z"]
    assert after.findtext(f"{ATOM}updated") == times[1]


def test_characters_that_xml_forbids_are_left_out() -> None:
    feed = feed_of(SmallStore([incident(**ONGOING, targets=("a\x00b\ufffe",))]))
    assert "ab" in (feed.findtext(f"{ATOM}entry/{ATOM}title") or "")


def test_an_empty_monitor_has_a_feed_too() -> None:
    assert feed_of(SmallStore()).findall(f"{ATOM}entry") == []
