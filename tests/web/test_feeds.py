"""Feeds of places and of corrections, in every format; CAP."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from fanous.model.incident import Incident, Status
from fanous.model.measurement import Provenance
from fanous.model.reason import Reason
from fanous.store.ledger import Revision
from fanous.web.answers import Site
from tests.charts.events import ONGOING, SUSPECTED, incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
SITE = Site(url="https://fanous.example", clock=lambda: NOW)
KNOWN = (
    replace(incident(**ONGOING), id="PK-2023-0001"),
    replace(incident(**SUSPECTED, targets=("youtube",)), id="PK-2023-0002", entities=("AS17557",)),
    replace(incident(), id="IR-2023-0001", country="IR", entities=("AS197207",)),
)
RETRACTED = replace(KNOWN[0], status=Status.RETRACTED, reasons=(Reason("not_supported"),))


class Revised(SmallStore):
    """Each incident has two revisions, the first one the last one's predecessor."""

    def revisions(self, incident_id: str) -> list[Revision]:
        (last,) = super().revisions(incident_id)
        return [
            replace(last, incident=KNOWN[0], at=last.at - 60),
            replace(last, n=2, reasons=last.incident.reasons),
        ]


def visiting(incidents: Sequence[Incident] = KNOWN, site: Site = SITE) -> Reader:
    return reader(SmallStore(list(incidents)), site)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/feed", {"IR-2023-0001", "PK-2023-0001", "PK-2023-0002"}),
        ("/PK/feed", {"PK-2023-0001", "PK-2023-0002"}),
        ("/PK/AS17557/feed", {"PK-2023-0002"}),
        ("/target/youtube/feed", {"PK-2023-0002"}),
        ("/KE/feed", set()),
    ],
)
def test_a_place_has_its_own_feed_in_both_formats(path: str, found: set[str]) -> None:
    feed = visiting().get(f"{path}.json").json()
    assert {one["url"][-12:] for one in feed["items"]} == found
    text = visiting().get(f"{path}.atom").text
    assert set(re.findall(r"[A-Z]{2}-2023-000\d", text)) == found
    assert feed["feed_url"] == f"https://fanous.example{path}.json"
    assert f"https://fanous.example{path}.atom" in text


def test_a_retraction_reaches_the_feed_of_its_place_however_old_the_incident_is() -> None:
    long_ago = {"onset": NOW - 900 * 86400, "end": NOW - 899 * 86400}
    gone = incident(id="PK-2021-0001", status=Status.RETRACTED, **long_ago)
    over = incident(id="PK-2021-0002", **long_ago)
    store = SmallStore(known=[gone, over], revised_at=NOW - 3600)
    for path in ("/feed.json", "/PK/feed.json"):
        assert [one["url"][-12:] for one in reader(store).get(path).json()["items"]] == ["PK-2021-0001"]


@each(
    ("page", "feed"),
    [
        ("/", "/feed"),
        ("/methodology", "/feed"),
        ("/PK", "/PK/feed"),
        ("/PK/PK-2023-0001", "/PK/feed"),
        ("/PK/AS17557", "/PK/AS17557/feed"),
        ("/target/youtube", "/target/youtube/feed"),
        ("/corrections", "/corrections/feed"),
    ],
)
def test_a_page_leads_to_the_feed_of_its_place_in_its_language(page: str, feed: str) -> None:
    visitor = visiting()
    for asked in ("", "?lang=ur"):
        told = re.findall(
            r'<link rel="alternate" type="application/\S+" title="Fanous" href="(.+?)">',
            visitor.get(page + asked).text,
        )
        assert told == [f"{feed}.atom{asked}", f"{feed}.json{asked}"]
        assert all(visitor.get(address).status_code == 200 for address in told)


def test_a_feed_keeps_the_language_that_it_was_asked_in() -> None:
    feed = visiting().get("/PK/feed.json?lang=ur").json()
    assert feed["language"] == "ur"
    assert feed["feed_url"] == "https://fanous.example/PK/feed.json?lang=ur"
    assert (
        'href="https://fanous.example/PK/feed.atom?lang=ur"' in visiting().get("/PK/feed.atom?lang=ur").text
    )


def test_a_json_feed_has_what_the_standard_demands() -> None:
    answer = visiting().get("/feed.json")
    feed = answer.json()
    assert answer.headers["content-type"] == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    for item in feed["items"]:
        assert {"id", "url", "title", "content_text", "date_modified"} <= item.keys()
        assert item["id"].startswith("urn:uuid:")


def test_every_title_says_its_status() -> None:
    titles = {one["url"][-12:]: one["title"] for one in visiting().get("/feed.json").json()["items"]}
    assert titles["PK-2023-0001"].startswith("Confirmed: ")
    assert titles["PK-2023-0002"].startswith("Suspected: ")
    assert titles["IR-2023-0001"].startswith("Confirmed, ended: ")
    (urdu,) = visiting([KNOWN[1]]).get("/feed.json?lang=ur").json()["items"]
    assert "مشتبہ" in urdu["title"]


def test_corrections_have_a_feed_of_their_own() -> None:
    visitor = reader(Revised([RETRACTED]), SITE)
    (item,) = visitor.get("/corrections/feed.json").json()["items"]
    assert item["title"].startswith("Correction: Retracted: ")
    assert (
        item["content_text"]
        == "No longer claimed: the whole claim. It is no longer supported by the measurements."
    )
    assert item["id"] != visitor.get("/feed.json").json()["items"][0]["id"]
    assert "Correction: Retracted" in visitor.get("/corrections/feed.atom").text


def test_a_correction_of_a_staged_event_says_so_and_is_not_counted_with_others() -> None:
    staged = replace(RETRACTED, id="PK-2023-0009", provenance=Provenance.SYNTHETIC)
    visitor = reader(Revised([RETRACTED, staged]), SITE)
    page = visitor.get("/corrections").text
    assert '<strong>[Synthetic]</strong> <a href="/PK/PK-2023-0009">' in page
    assert '<span><a href="/PK/PK-2023-0001">' in page
    assert re.findall(r"<time[^>]*>(\w+ \d+)</time></th><td>(\d+)</td>", page) == [("December 2023", "1")]
    items = {one["url"][-12:]: one for one in visitor.get("/corrections/feed.json").json()["items"]}
    assert items["PK-2023-0009"]["title"].startswith("[Synthetic] ")
    assert items["PK-2023-0009"]["content_text"].startswith("[Synthetic] No longer claimed")
    assert "Synthetic" not in items[RETRACTED.id]["content_text"]


def test_a_recorded_event_says_so_in_every_title() -> None:
    staged = [replace(one, provenance=Provenance.SYNTHETIC) for one in KNOWN]
    items = reader(Revised(staged), SITE).get("/feed.json").json()["items"]
    assert items
    assert all(one["title"].startswith("[Synthetic]") for one in items)


# --- CAP 1.2 --------------------------------------------------------------------------------------

ALERT: tuple[str, ...] = (
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "source",
    "scope",
    "restriction",
    "addresses",
)
ALERT += ("code", "note", "references", "incidents", "info")
INFO: tuple[str, ...] = (
    "language",
    "category",
    "event",
    "responseType",
    "urgency",
    "severity",
    "certainty",
    "audience",
)
INFO += ("eventCode", "effective", "onset", "expires", "senderName", "headline", "description", "instruction")
INFO += ("web", "contact", "parameter", "resource", "area")
WORDS = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Infra"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
"""Order and words of the elements in the schema of the OASIS standard, CAP-v1.2-os, section 3.4."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


def cap_of(visitor: Reader, label: str = "PK-2023-0001", lang: str = "en") -> ElementTree.Element:
    answer = visitor.get(f"/{label[:2]}/{label}.cap?lang={lang}")
    assert answer.headers["content-type"].startswith("application/cap+xml")
    root = ElementTree.fromstring(answer.content)
    is_valid_cap(root)
    return root


def is_valid_cap(root: ElementTree.Element) -> None:
    """As the standard's schema and its rules in words have it."""
    assert root.tag == f"{CAP}alert"
    info = root.find(f"{CAP}info")
    assert info is not None
    for holder, order, demanded in (
        (root, ALERT, ("identifier", "sender", "sent", "status", "msgType", "scope")),
        (info, INFO, ("category", "event", "urgency", "severity", "certainty")),
    ):
        names = [child.tag.removeprefix(CAP) for child in holder]
        assert names == sorted(names, key=order.index), "in the order of the schema"
        assert set(demanded) <= set(names)
    for element in root.iter():
        name, text = element.tag.removeprefix(CAP), element.text or ""
        assert name not in WORDS or text in WORDS[name]
        assert name not in ("sent", "onset", "expires") or MOMENT.fullmatch(text)
        assert name not in ("identifier", "sender") or not re.search(r"[ ,<&]", text)
    assert root.findtext(f"{CAP}info/{CAP}area/{CAP}areaDesc")
    if root.findtext(f"{CAP}msgType") in ("Update", "Cancel"):
        said = (root.findtext(f"{CAP}references") or "").split()
        assert said
        assert all(len(one.split(",")) == 3 and MOMENT.fullmatch(one.split(",")[2]) for one in said)


@pytest.mark.parametrize(
    ("label", "certainty", "urgency"),
    [
        ("PK-2023-0001", "Observed", "Immediate"),
        ("PK-2023-0002", "Possible", "Immediate"),
        ("IR-2023-0001", "Observed", "Past"),
    ],
)
def test_a_warning_says_how_sure_it_is(label: str, certainty: str, urgency: str) -> None:
    root = cap_of(visiting(), label)
    found: dict[str, Any] = {name: root.findtext(f"{CAP}info/{CAP}{name}") for name in WORDS}
    assert (found["certainty"], found["urgency"], found["severity"]) == (certainty, urgency, "Unknown")
    assert root.findtext(f"{CAP}msgType") == "Alert"


@pytest.mark.parametrize("lang", ["en", "ur", "fr"])
def test_a_retraction_cancels_what_was_said(lang: str) -> None:
    root = cap_of(reader(Revised([RETRACTED]), SITE), lang=lang)
    assert root.findtext(f"{CAP}msgType") == "Cancel"
    assert (root.findtext(f"{CAP}references") or "").startswith(
        "fanous@fanous.example,fanous.PK-2023-0001.1,"
    )
    assert root.findtext(f"{CAP}info/{CAP}certainty") == "Unlikely"


def test_a_revision_updates_and_a_recorded_event_is_an_exercise() -> None:
    root = cap_of(reader(Revised([replace(KNOWN[0], provenance=Provenance.SYNTHETIC)]), SITE))
    assert root.findtext(f"{CAP}msgType") == "Update"
    assert root.findtext(f"{CAP}status") == "Exercise"
    assert (root.findtext(f"{CAP}note") or "").startswith("Synthetic: a staged event.")
    real = cap_of(reader(Revised([KNOWN[0]]), SITE))
    assert (real.findtext(f"{CAP}status"), real.findtext(f"{CAP}note")) == ("Actual", None)


def test_feeds_and_warnings_give_the_bounds_of_an_end() -> None:
    one = replace(incident(), id="PK-2023-0001")
    assert one.end is not None
    first, last = one.end - 3600, one.end + 7200
    visitor = visiting([replace(one, end_earliest=first, end_latest=last)])
    root = cap_of(visitor)
    given = {
        parameter.findtext(f"{CAP}valueName"): parameter.findtext(f"{CAP}value")
        for parameter in root.iter(f"{CAP}parameter")
    }
    assert given["fanous:end_earliest"] == "2023-12-17T16:55:00-00:00"
    assert root.findtext(f"{CAP}info/{CAP}expires") == given["fanous:end_latest"], "it may last until then"
    assert {"fanous:onset_earliest", "fanous:onset_latest"} <= given.keys()
    said = "to some time between 21:55 on 17 December and 00:55 on 18 December 2023"
    for feed in (visitor.get("/feed.atom").text, visitor.get("/feed.json").text):
        assert said in feed
        assert "about 22:55" not in feed


def test_there_is_no_warning_of_what_is_not_known() -> None:
    assert visiting().get("/PK/PK-2023-0099.cap").status_code == 404
