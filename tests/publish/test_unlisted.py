"""A name that is on no list is found in nothing that readers can get, until a person releases it: a lure that strangers
measured, looked for in pages, feeds, the API, pictures, exports, bundles, reports and alerts."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.analysis.incidents.names import listed_only
from fanous.errors import FanousError
from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import UNLISTED, Decided, Incident, Interval, Kind, NetworkPart, Part, Scope
from fanous.model.reason import Reason
from fanous.pipeline import detect
from fanous.pipeline.actions import NameTargets, Retract
from fanous.publish.alerts.channel import AlertRule, Channel
from fanous.publish.alerts.dispatch import parcel_of, route
from fanous.publish.alerts.message import Sender
from fanous.publish.alerts.settings import Alerting
from fanous.publish.evidence.pack import gather
from fanous.publish.export import ExportScope, export
from fanous.refdata.platforms import target_of
from fanous.refdata.watchlist import lists_folder, watched
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.headline import headline
from fanous.wording.language import ISOLATES, LANGUAGES
from tests.commands import fanous
from tests.conftest import fill
from tests.copies import copy_of
from tests.store.cases import incident as a_claim
from tests.web.deskhand import Deskhand
from tests.web.test_desk_login import TOKEN
from tests.web.visits import Reader

LURE = "call-0300-1234567-to-restore-your-internet.net"
WORD = b"0300-1234567"
NOW = 1_702_900_000.0
EVENT = "PK-2023-0001"


@pytest.fixture(scope="module")
def lure_folder(real_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the rally of which every measurement of X is one of the lure."""
    folder = tmp_path_factory.mktemp("lure")
    lines = real_rally.read_bytes().replace(b"twitter.com", LURE.encode()).replace(b"x.com", LURE.encode())
    (folder / "lure.jsonl").write_bytes(lines)
    fill(folder / "store", folder / "lure.jsonl")
    return folder / "store"


@pytest.fixture
def lured(lure_folder: Path, tmp_path: Path) -> Iterator[Store]:
    with open_store(copy_of(lure_folder, tmp_path / "store"), clock=lambda: NOW) as store:
        yield store


def claim(store: Store) -> Incident:
    (incident,) = (one for one in store.ledger.incidents() if LURE in one.targets)
    return incident


ABOUT = (
    "",
    "/measurements",
    "/report.md",
    "/report.html",
    "/report.txt",
    "/chart.svg",
    "/card.svg",
    "/bundle",
)
FORMS = (".json", ".cap", ".bib", ".ris")


def addresses(label: str, uids: list[str]) -> Iterator[str]:
    yield from (f"/PK/{label}{form}" for form in (*ABOUT, *FORMS))
    for language in ("ur", "ar", "fa", "es", "fr"):
        yield f"/PK/{label}?lang={language}"
    yield from (f"/embed/PK/{label}", f"/api/v1/incidents/{label}", "/api/v1/incidents?country=PK")
    yield from ("/", "/PK", "/PK/AS17557", "/incidents", "/feed.atom", "/feed.json", "/PK/feed.atom")
    yield from ("/corrections", "/corrections.atom", "/metrics", "/data", "/explore", "/explore?country=PK")
    yield from (
        "/search?q=call",
        "/search?q=0300",
        "/api/v1/search?q=call",
        "/connectivity",
        "/PK/connectivity",
    )
    for uid in uids:
        yield from (f"/measurement/{uid}", f"/measurement/{uid}.json")


def visitor_of(owner: OneThread) -> Reader:
    return Reader(application(owner.ask, Site(clock=lambda: NOW, url="https://monitor.example")))


def test_no_page_feed_or_document_has_it(lure_folder: Path, tmp_path: Path) -> None:
    store = copy_of(lure_folder, tmp_path / "store")
    with open_store(store, read_only=True) as opened:
        label = claim(opened).id
        uids = [uid for (uid,) in opened.facts.engine.rows("SELECT uid FROM measurements LIMIT 400")]
        of_lure = [
            uid
            for (uid,) in opened.facts.engine.rows(
                "SELECT DISTINCT uid FROM verdicts WHERE target = {lure:String} LIMIT 4", lure=LURE
            )
        ]
    assert len(uids) > 100 and of_lure
    with OneThread(lambda: open_store(store, read_only=True, clock=lambda: NOW)) as owner:
        visitor, seen = visitor_of(owner), set()
        for path in addresses(label, [*of_lure, *uids[:4]]):
            answer = visitor.get(path)
            seen |= {path} if answer.status_code == 200 else set()
            assert WORD not in answer.content + repr(answer.headers).encode(), path
        assert {f"/PK/{label}", f"/PK/{label}.json", f"/api/v1/incidents/{label}", "/PK", "/explore"} <= seen
        assert not any(f"/measurement/{uid}" in seen for uid in of_lure), (
            "what was measured of it is withheld, too"
        )
        page = visitor.get(f"/PK/{label}").text
        assert re.search("a site on no list</bdi>|a site on no list", page, re.IGNORECASE)
        assert label not in visitor.get("/PK/feed.atom").text, "no feed has it"
        assert label in visitor.get("/PK").text, "the country's page does"


def test_no_export_bundle_or_report_has_it(lured: Store, tmp_path: Path) -> None:
    label = claim(lured).id
    export(lured, ExportScope("PK", 0, NOW, "CC-BY-4.0"), tmp_path / "open", NOW)
    written = [path for path in (tmp_path / "open").rglob("*") if path.is_file()]
    assert len(written) > 3
    for path in written:
        assert WORD not in path.read_bytes(), path
    with pytest.raises(FanousError, match="on no list"):
        gather(lured.for_readers(), label)


def _alerting() -> Alerting:
    channel = Channel("hook", "webhook", "https://hooks.example/x")
    return Alerting(channels={"hook": channel}, rules=(AlertRule(channels=("hook",)),))


def test_a_person_releases_it_and_only_then_is_anyone_told(lured: Store) -> None:
    incident = claim(lured)
    readers = lured.for_readers().ledger.incident(incident.id)
    assert readers is not None
    assert readers.is_unlisted and readers.targets == (UNLISTED,)
    assert LURE not in json.dumps(repr(readers))
    route(lured, _alerting())
    told = {one.incident for one in lured.ledger.outbox.deliveries()}
    assert incident.id not in told

    NameTargets(incident.id, "duty editor", "the outlet's own statement").perform(lured)
    shown = lured.for_readers().ledger.incident(incident.id)
    assert shown is not None and shown.targets == (LURE,) and shown.named_by == "duty editor"
    revisions = lured.for_readers().ledger.revisions(incident.id)
    assert [one.incident.is_unlisted for one in revisions] == [True] * (len(revisions) - 1) + [False]
    route(lured, _alerting())
    waiting = [one for one in lured.ledger.outbox.deliveries() if one.incident == incident.id]
    parcel = parcel_of(lured, waiting, _alerting().channels["hook"], Sender(""))
    assert len(waiting) == 1 and parcel is not None and LURE in repr(parcel.message)
    with pytest.raises(FanousError, match="no name that is withheld"):
        NameTargets(incident.id, "duty editor").perform(lured)


def test_a_list_of_the_operator_names_it(lured: Store, tmp_path: Path) -> None:
    assert LURE not in watched()
    folder = lists_folder()
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "own.txt"
    own.write_text(f"https://www.{LURE}/\n")
    try:
        shown = lured.for_readers().ledger.incident(claim(lured).id)
        assert shown is not None and shown.targets == (LURE,)
        assert lured.for_readers().facts.known_targets()[LURE]
    finally:
        own.unlink()
    assert LURE not in lured.for_readers().facts.known_targets()
    assert target_of(LURE) == LURE


def test_no_detection_withholds_it_again(lured: Store) -> None:
    label = claim(lured).id
    NameTargets(label, "duty editor").perform(lured)
    before = lured.ledger.revisions(label)
    detect.detect(lured, "PK", claim(lured).onset, NOW)
    assert lured.ledger.revisions(label) == before


def test_the_desk_asks_and_its_button_releases_it(lure_folder: Path, tmp_path: Path) -> None:
    with OneThread(lambda: open_store(copy_of(lure_folder, tmp_path / "store"))) as owner:
        label = asyncio.run(owner.ask(claim)).id
        app = application(owner.ask, Site(clock=lambda: NOW, token=TOKEN))
        hand, reader = Deskhand(app), Reader(app)
        hand.login(TOKEN)
        queue = hand.get("/desk").text
        assert "Names to look at" in queue
        assert LURE in queue
        assert "Readers do not see these names" in hand.get(f"/desk/incidents/{label}").text
        assert LURE not in reader.get(f"/PK/{label}").text
        answer = hand.post(f"/desk/incidents/{label}", decision="name", by="duty editor", text="")
        assert answer.headers["location"].endswith("done=NameTargets")
        assert LURE in reader.get(f"/PK/{label}").text
        assert "duty editor released the name" in reader.get(f"/PK/{label}").text
        assert "Names to look at" not in hand.get("/desk").text


def test_the_command_releases_it(lure_folder: Path, tmp_path: Path) -> None:
    folder = copy_of(lure_folder, tmp_path / "store")
    with open_store(folder, read_only=True) as store:
        label = claim(store).id
    fanous("incidents", "name", label, "--by", "duty editor", "--store", folder)
    with open_store(folder, read_only=True) as store:
        assert claim(store).named_by == "duty editor"
        (decision,) = store.ledger.decisions()
        assert (decision.decided, decision.incident) == (Decided.NAME, label)


def test_other_sites_of_an_incident_keep_their_names() -> None:
    part = Part("telegram", Kind.BLOCKING, ("dns",), ("AS1", "AS2"))
    lure = replace(part, target=LURE, mechanisms=("http",), intervals=(Interval(0, 9),))
    network = NetworkPart("AS1", ("telegram", LURE), (Interval(0, 9),), 12, 3, 0.99)
    told = Reason("gone.targets", {"targets": (LURE,)})
    fine = Reason("gone.targets", {"targets": ("telegram/client",)})
    written = Reason("as_written", {"text": f"{LURE} is blocked"})
    weighed = Weighed("host.failed", Standing.EXCLUDED, Reason("host.reached", {"neighbours": ("bbc",)}))
    claimed = (told, fine, written)
    incident = a_claim(parts=(part, lure), networks=(network,), reasons=claimed, explanations=(weighed,))
    shown = listed_only(incident, {"telegram", "bbc"}.__contains__)
    assert shown.targets == ("telegram", UNLISTED)
    assert not shown.is_unlisted and shown.withholds_names
    assert shown.parts[1].mechanisms == () and shown.parts[1].intervals == (Interval(0, 9),)
    assert shown.networks[0].targets == ("telegram", UNLISTED)
    assert shown.reasons == (fine, Reason(UNLISTED))
    assert shown.explanations == ()
    assert listed_only(incident, lambda _: True) == incident


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", "A site on no list blocked on 2 networks in Pakistan"),
        ("es", "Un sitio que no está en ninguna lista: bloqueo en 2 redes"),
        ("fr", "Un site qui ne figure sur aucune liste"),
        ("ar", "موقع غير مدرج في أي قائمة"),
        ("fa", "وب‌گاهی که در هیچ فهرستی نیست"),
        ("ur", "کسی فہرست میں نہ ہونے والی ایک سائٹ"),
    ],
)
def test_readers_are_told_what_it_is_instead(code: str, said: str) -> None:
    part = Part(LURE, Kind.BLOCKING, ("http",), ("AS1", "AS2"))
    incident = a_claim(parts=(part,), entities=("AS1", "AS2"), scope=Scope.MULTI_ISP)
    shown = headline(listed_only(incident, lambda _: False), {}, LANGUAGES[code]).text
    assert said in shown.translate(ISOLATES)


def test_it_is_retracted_without_its_name(lured: Store) -> None:
    label = claim(lured).id
    gone = Reason("gone.targets", {"targets": (LURE,)})
    lured.ledger.put(replace(claim(lured), confidence=0.5), (gone,), known_as=label)
    Retract(label, "duty editor", "a lure").perform(lured)
    assert LURE not in repr(lured.for_readers().ledger.revisions(label))
    assert all(one.incident.is_unlisted for one in lured.for_readers().ledger.revisions(label))
