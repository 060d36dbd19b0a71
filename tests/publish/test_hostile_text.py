"""Text that anyone may write reaches no terminal, page, feed, alert or log raw; planted in every field there is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanous.log import logline
from fanous.model.alert import AlertState, Delivery, Happening
from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Approval
from fanous.model.reason import Reason, as_written
from fanous.pipeline import ingest
from fanous.publish.alerts.group import group_of
from fanous.publish.alerts.message import Sender, compose
from fanous.publish.alerts.senders.webhook import webhook_document
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.language import ENGLISH
from fanous.wording.reasons import REASONS, reasons_text
from tests.commands import fanous
from tests.hostile import FORGED, HOSTILE, planted
from tests.web.visits import Reader

NOW = 1_702_900_000.0
MARKUP = "[bold red]x[/] [link=https://evil.example]y[/link] <script>alert(1)</script>\"'><img src=x onerror=z> {{7*7}}"
WORDS = f"{HOSTILE} {MARKUP}"

KEPT = frozenset(
    {"test_name", "probe_cc", "probe_asn", "measurement_start_time", "test_start_time", "input", "test_keys"}
)
"""Members that decide what a record is about; in all other texts the planted words follow what was there."""


def spoiled(record: dict[str, Any]) -> dict[str, Any]:
    """With hostile text in every text field that may hold any, new ones as well."""
    other = {name: value for name, value in record.items() if name in KEPT}
    for name, value in record.items():
        if name not in KEPT:
            other[name] = (
                f"{value} {WORDS}" if isinstance(value, str) and name not in ("measurement_uid",) else value
            )
    other |= dict.fromkeys(
        ("probe_network_name", "software_name", "software_version", "resolver_network_name"), WORDS
    )
    other["annotations"] = dict(record.get("annotations") or {}) | {"engine_name": WORDS, "platform": WORDS}
    return other


@pytest.fixture(scope="module")
def folder(small_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hostile")
    lines = [json.dumps(spoiled(json.loads(line))) for line in small_rally.read_bytes().splitlines()]
    (place / "event.jsonl").write_text(
        "\n".join([*lines, json.dumps({WORDS: WORDS}), WORDS.replace("\n", " ")]) + "\n"
    )
    with open_store(place / "store", clock=lambda: NOW) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr("fanous.store.ledger.defect", lambda _: "")  # as before such links were refused
        tally = ingest.ingest(store, "ooni", [place / "event.jsonl"])
        assert tally.stored > 100
        found = store.ledger.incidents("PK")[0]
        claim = Claim(WORDS, Said.OUTAGE, "PK", found.onset, found.onset + 3600, (17557,), (WORDS, "x"))
        store.ledger.add_claim(replace(claim, link=f"https://evil.example/{WORDS}", quote=WORDS))
        store.ledger.add_claim(replace(claim, link="https://evil.example/\u202egpj.exe"))
        store.ledger.add_event(AnnouncedEvent("PK", found.onset - 60, found.onset + 7200, WORDS, (WORDS,)))
        store.ledger.put(
            replace(
                found,
                hints=(
                    *as_written(WORDS),
                    Reason("hint.part_of_name", {"targets": (WORDS,), "name": WORDS, "part": WORDS}),
                    *found.hints,
                ),
                parts=(*found.parts, replace(found.parts[0], target=WORDS, mechanisms=(WORDS,))),
                networks=(*found.networks, replace(found.networks[0], entity=WORDS, targets=(WORDS,))),
                reasons=(*found.reasons, Reason("withdrawn", {"by": WORDS, "why": WORDS})),
                held_by=WORDS,
                rules_version=WORDS,
            ),
            as_written(WORDS),
            known_as=found.id,
        )
        store.ledger.approve(Approval(found.id, 1, WORDS, NOW, WORDS))
    return place


COMMANDS = (
    ("claims", "list"),
    ("claims", "check"),
    ("events", "list"),
    ("events", "report", "PK-watch-1"),
    ("incidents", "list"),
    ("incidents", "list", "PK"),
    ("incidents", "show", "PK-2023-0001"),
    ("incidents", "corrections"),
    ("confirm", "PK", "--since", "2023-12-17", "--until", "2023-12-19"),
    ("networks", "PK"),
    ("cost", "PK", "--hours", "8"),
    ("doctor",),
    ("alerts", "list"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_terminal_sees_none_of_it(folder: Path, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        done = fanous(*words, *more, "--store", folder / "store")
        assert planted(done.stdout + done.stderr) == []
        if not more:
            assert "\x1b" not in done.stdout


def test_messages_about_files_show_none_of_it(folder: Path, tmp_path: Path) -> None:
    done = fanous("judge", folder / "event.jsonl")
    assert done.stdout.count("\n") > 10
    assert planted(done.stdout + done.stderr) == []
    named = tmp_path / f"{WORDS[:40]}.jsonl".replace("/", "").replace("\0", "")
    named.write_text("no record\n")
    for words in (
        ("ingest", "ooni", folder / "event.jsonl", "--store", tmp_path / "s"),
        ("ingest", "ooni", named, "--store", tmp_path / "s"),
        ("judge", named),
        ("verify", named),
        ("verify", tmp_path / f"none{HOSTILE[:30]}"),
        ("claims", "check", HOSTILE.replace("\0", ""), "--store", folder / "store"),
        ("incidents", "show", HOSTILE.replace("\0", ""), "--store", folder / "store"),
    ):
        for code in (0, 1):
            try:
                done = fanous(*words, code=code)
            except AssertionError:
                continue
            break
        assert planted(done.stdout + done.stderr) == [], words


def pages(visitor: Reader) -> Iterator[str]:
    ids = [one["id"] for one in visitor.get("/api/v1/incidents").json()["incidents"]]
    for one in ids:
        yield from (f"/PK/{one}", f"/embed/PK/{one}", f"/PK/{one}.bib", f"/PK/{one}.ris", f"/PK/{one}.cap")
        yield from (f"/PK/{one}/report.md", f"/PK/{one}/chart.svg", f"/PK/{one}/measurements")
        yield from (
            f"/PK/{one}.json",
            f"/api/v1/incidents/{one}",
            f"/oembed?url=http://monitor.example/PK/{one}",
        )
    yield from (
        "/",
        "/PK",
        "/PK/AS17557",
        "/PK/PK-watch-1",
        "/feed.atom",
        "/feed.json",
        "/PK/feed.atom",
        "/PK/feed.json",
    )
    yield from (
        "/corrections",
        "/corrections/feed.atom",
        "/target/x",
        "/incidents",
        "/incidents?country=PK",
        "/incidents.csv",
        "/incidents.json",
        "/incidents/feed.atom",
        "/incidents/feed.json?country=PK",
        "/incidents/months.svg",
        "/subscribe?country=PK",
        "/events.ics",
        "/methodology",
        "/metrics",
        "/api/v1/claims?country=PK",
    )


def test_pages_feeds_and_documents_show_none_of_it(folder: Path) -> None:
    with OneThread(lambda: open_store(folder / "store", read_only=True, clock=lambda: NOW)) as owner:
        visitor = Reader(application(owner.ask, Site(clock=lambda: NOW)))
        seen = 0
        for path in pages(visitor):
            answer = visitor.get(path)
            if answer.status_code == 404:
                continue
            seen += 1
            assert answer.status_code == 200, path
            is_document = answer.headers["content-type"].startswith(
                ("application/json", "application/feed+json")
            )
            text = answer.text if not is_document else json.dumps(answer.json())
            if answer.headers["content-type"].startswith("text/calendar"):
                text = text.replace("\r\n ", "")  # folded wherever 75 bytes end
            assert planted(text) == [], path
            if "html" in answer.headers["content-type"] or "xml" in answer.headers["content-type"]:
                assert not any(
                    tag in answer.text for tag in ("<script>alert", "<img src=x", "javascript:")
                ), path
            assert "\n" not in "".join(answer.headers.values())
        assert seen > 20


def test_reports_posts_and_alerts_show_none_of_it(folder: Path) -> None:
    with open_store(folder / "store", read_only=True, clock=lambda: NOW) as store:
        for incident in store.ledger.incidents("PK"):
            delivery = Delivery(
                "k",
                "c",
                incident.id,
                1,
                0,
                Happening.OPENED,
                AlertState.WAITING,
                NOW,
                NOW,
                0,
                None,
                "",
                group_of(incident),
            )
            names = dict.fromkeys((17557, 45595, *(network.asn for network in incident.networks)), WORDS)
            message = compose(delivery, None, incident, names, ENGLISH, Sender("https://m.example"))
            assert message is not None
            assert len(message.title.splitlines()) == 1, (
                "a title is a mail's subject: RFC 5322 headers end at a line"
            )
            for text in (message.title, message.body, message.as_post(), message.as_sms()):
                assert planted(text) == []
            json.dumps(webhook_document(message))


def test_reasons_in_words_hold_none_of_it() -> None:
    for code in (*REASONS, "as_written", WORDS):
        texts = dict.fromkeys(("by", "why", "note", "text", "software", "control", "networks", "from"), WORDS)
        try:
            said = reasons_text([Reason(code, {**texts, "n": 1, "probes": 1})], ENGLISH)
        except (KeyError, ValueError, TypeError):
            continue  # a reason with other parameters
        assert planted(said) == [], code


def test_a_log_has_one_line_an_event_whatever_it_names() -> None:
    line = logline("drained", why=WORDS, path=f"/a\n{FORGED}")
    assert planted(line) == []
    assert len(line.splitlines()) == 1
