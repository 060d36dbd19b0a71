"""Every mention of a staged event says first that it is staged; what is not staged never says so.

Records of one of two countries are marked at random, in either way; then every output is read.
"""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from shutil import copytree
from typing import Any

import pytest
from rich.console import Console

from fanous.cli.answer import print_answer
from fanous.model.alert import AlertState, Delivery, Happening
from fanous.model.incident import Incident
from fanous.model.measurement import Provenance
from fanous.pipeline import ingest
from fanous.pipeline.revise import withdraw
from fanous.publish import pictures
from fanous.publish import report as forms
from fanous.publish.alerts.group import group_of
from fanous.publish.alerts.message import Sender, compose
from fanous.publish.document import detailed_document
from fanous.publish.edition import Edition
from fanous.publish.evidence.pack import gather as gather_evidence
from fanous.publish.evidence.pack import pack
from fanous.publish.evidence.verify import verify
from fanous.publish.report import gather
from fanous.publish.signer import make_key
from fanous.questions import country as query
from fanous.store.local import open_store
from fanous.store.protocol import OneThread, Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.headline import SYNTHETIC
from fanous.wording.language import LANGUAGES
from fanous.wording.narrative import sentence
from tests.commands import document
from tests.commands import fanous as command
from tests.web.visits import Reader

COUNTRIES = ("PK", "KE")
NOW = 1_702_900_000.0
ABOUT_ONE = (
    "/{cc}/{id}", "/embed/{cc}/{id}", "/{cc}/{id}.json", "/{cc}/{id}.bib", "/{cc}/{id}.ris", "/{cc}/{id}.cap",
    "/{cc}/{id}/report.md", "/{cc}/{id}/chart.svg", "/{cc}/{id}/measurements", "/api/v1/incidents/{id}",
    "/api/v1/incidents/{id}/cost",
    "/oembed?url=http://monitor.example/{cc}/{id}", "/{cc}", "/{cc}/feed.atom", "/{cc}/feed.json",
    "/incidents?country={cc}", "/incidents.csv?country={cc}", "/incidents.json?country={cc}",
    "/incidents/feed.atom?country={cc}", "/incidents/feed.json?country={cc}", "/incidents/months.svg?country={cc}",
)  # fmt: skip
"""Addresses that tell of one event, or of the country in which it was."""


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.matrix)])
def planted(
    request: pytest.FixtureRequest, small_rally: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A store that holds the same event in two countries, staged in one of them."""
    chance = Random(request.param)
    staged = chance.choice(COUNTRIES)
    records = []
    for line in small_rally.read_bytes().splitlines():
        one = json.loads(line)
        del one["annotations"]["synthetic"]
        for country in COUNTRIES if one["probe_cc"] == "PK" else (one["probe_cc"],):
            made = one | {"probe_cc": country, "measurement_uid": f"{country}{one['measurement_uid']}"}
            if country == staged and chance.random() < 0.5:
                made |= {"annotations": made["annotations"] | {"synthetic": "somebody"}}
            elif country == staged:
                made |= {"x_recorded": "recorded in the lab"}
            records.append(made)
    folder = tmp_path_factory.mktemp("planted")
    (folder / "event.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    with open_store(folder / "store", clock=lambda: NOW) as store:
        ingest.ingest(store, "ooni", [folder / "event.jsonl"])
        staged_ones = [one.country for one in store.ledger.incidents(synthetic=True)]
        assert set(staged_ones) == {staged}
        assert {one.country for one in store.ledger.incidents(synthetic=False)} == {*COUNTRIES} - {staged}
    return folder / "store"


@pytest.fixture
def store(planted: Path) -> Iterator[Store]:
    with open_store(planted, read_only=True, clock=lambda: NOW) as opened:
        yield opened


def of_each(store: Store) -> Iterator[tuple[Incident, bool]]:
    """Every incident, and whether it is staged; there is one of each sort."""
    found = store.ledger.incidents()
    assert {one.provenance for one in found} == {Provenance.IMPORTED, Provenance.SYNTHETIC}
    for one in found:
        yield one, one.provenance.is_synthetic


def says_so(text: str, code: str = "en") -> bool:
    say = LANGUAGES[code].say
    marks = "ynthetic", say("Synthetic"), say(SYNTHETIC, country="").partition(":")[0] + ":"
    return any(mark in text for mark in marks)


@pytest.mark.parametrize("code", ["en", "ur"])
def test_every_page_feed_and_document_of_the_site(planted: Path, code: str) -> None:
    with OneThread(lambda: open_store(planted, read_only=True)) as owner:
        visitor = Reader(application(owner.ask, Site("http://monitor.example", clock=lambda: NOW)))
        with_ids = visitor.get("/api/v1/incidents").json()["incidents"]
        assert len({one["synthetic"] for one in with_ids}) == 2
        for one in with_ids:
            for form in ABOUT_ONE:
                path = form.format(cc=one["country"], id=one["id"])
                answer = visitor.get(
                    f"{path}{'&' if '?' in path else '?'}lang={code}" if "/api" not in path else path
                )
                assert answer.status_code == 200, path
                told = re.sub(r'"synthetic": ?false', "", answer.text)
                assert says_so(told, code) is one["synthetic"], path
        for path in ("/incidents", "/incidents.csv", "/incidents.json", "/incidents/months.svg"):
            text = visitor.get(f"{path}?lang={code}").text
            assert says_so(re.sub(r'"synthetic": ?false', "", text), code) is False, path
        for path in ("/feed.atom", "/feed.json"):
            entries = visitor.get(f"{path}?lang={code}").text.split("<entry>" if "atom" in path else '"id"')
            for one in with_ids:
                (entry,) = [part for part in entries if f"/{one['id']}" in part]
                assert says_so(entry, code) is one["synthetic"], path


def test_what_a_reader_sees_first(planted: Path) -> None:
    with OneThread(lambda: open_store(planted, read_only=True)) as owner:
        visitor = Reader(application(owner.ask, Site(clock=lambda: NOW)))
        for one in visitor.get("/api/v1/incidents").json()["incidents"]:
            if one["synthetic"]:
                page = visitor.get(f"/{one['country']}/{one['id']}").text
                assert page.index('class="notice"') < page.index("<h1>")
                (title,) = re.findall(r"<h1>(.*?)</h1>", page, re.S)
                assert "[Synthetic]" in title
                assert "<title>[Synthetic] " in page
                for said in re.findall(r"<a [^>]*>([^<]*recorded by this monitor\.)", page):
                    assert said.startswith("[Synthetic] ")
                (alt,) = re.findall(r'og:image:alt" content="(.*?)"', page)
                assert alt.startswith("[Synthetic] ")
                embedded = visitor.get(f"/embed/{one['country']}/{one['id']}").text
                for text in (page, embedded):
                    for read_aloud in re.findall(r'<title id="[wn]t">(.*?)</title>', text):
                        assert read_aloud.startswith("[Synthetic] ")
                    assert '<title id="wt">' in text
                assert one["sentence"].startswith("Synthetic: ")
                assert "<status>Exercise</status>" in visitor.get(
                    f"/{one['country']}/{one['id']}.cap"
                ).text.replace("cap:", "")
            else:
                assert "<h1>" in visitor.get("/").text
        assert "ynthetic" not in visitor.get("/").text, "the world is told as it is"


@pytest.mark.parametrize("code", ["en", "fa"])
def test_pictures_reports_messages_and_sentences(store: Store, code: str) -> None:
    language = LANGUAGES[code]
    for one, staged in of_each(store):
        edition = Edition(language, "https://fanous.example", NOW)
        delivery = Delivery(
            "k", "desk", one.id, 1, 0, Happening.OPENED, AlertState.WAITING, 0, 0, 0, None, "", group_of(one)
        )
        message = compose(delivery, None, one, {}, language, Sender())
        assert message is not None
        report = gather(store, one, language, "https://fanous.example")
        texts = {
            "card": pictures.card_svg(store, one, edition),
            "chart": pictures.chart_svg(store, one, edition),
            "title": message.title,
            "text": message.text,
            "alert's post": message.as_post(),
            "alert's text message": message.as_sms(),
            "html": forms.html(report),
            "markdown": forms.markdown(report),
            "post": forms.post(report),
            "text message": forms.sms(report).text,
            "sentence": sentence(one),
        }
        for name, text in texts.items():
            assert says_so(text, code) is staged, name
        assert (detailed_document(one)["provenance"] == "synthetic") is staged
        assert list(detailed_document(one))[:2] == ["id", "provenance"]


def test_the_programs_answer_and_its_repr(store: Store) -> None:
    for one, staged in of_each(store):
        answer = query.confirm(store, one.country, [], None, None)
        out = io.StringIO()
        print_answer(Console(file=out, width=200), answer)
        assert says_so(out.getvalue()) is staged
        assert out.getvalue().startswith("[Synthetic] ") is staged
        assert repr(one).startswith(
            f"Incident(provenance=<Provenance.{'SYNTHETIC' if staged else 'IMPORTED'}"
        )


def test_commands(planted: Path) -> None:
    listed = document("incidents", "list", "--store", planted)["incidents"]
    assert {one["provenance"] for one in listed} == {"imported", "synthetic"}
    lines = command("incidents", "list", "--store", planted).stdout.splitlines()
    for one in listed:
        staged = one["provenance"] == "synthetic"
        (line,) = [line for line in lines if line.startswith(one["id"])]
        assert says_so(line) is staged
        country = one["id"][:2]
        shown = ("incidents", "show", one["id"])
        for words in (("confirm", country), shown, ("networks", country), ("cost", one["id"])):
            assert says_so(command(*words, "--store", planted).stdout) is staged, words
        answer: Any = document("confirm", country, "--store", planted)["incidents"]
        assert {each["provenance"] for each in answer} == {one["provenance"]}


def test_what_says_that_it_was_retracted(planted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    copytree(planted, folder, symlinks=True)
    with open_store(folder, clock=lambda: NOW) as store:
        known = [(one.id, staged) for one, staged in of_each(store)]
        for label, _ in known:
            withdraw(store, label, "Ayesha", "the platform itself was down", NOW)
    lines = command("incidents", "corrections", "--store", folder).stdout.splitlines()
    with OneThread(lambda: open_store(folder, read_only=True)) as owner:
        visitor = Reader(application(owner.ask, Site(clock=lambda: NOW)))
        page = visitor.get("/corrections").text.split("<li>")
        entries = visitor.get("/corrections/feed.atom").text.split("<entry>")
        listed = {one["incident"]: one for one in visitor.get("/api/v1/corrections").json()["corrections"]}
    for label, staged in known:
        for told in (lines, page, entries):
            (mine,) = [part for part in told if label in part]
            assert says_so(mine) is staged
        assert (listed[label]["provenance"] == "synthetic") is staged


@pytest.mark.matrix
def test_a_bundle_and_who_verifies_it(planted: Path, tmp_path: Path) -> None:
    with open_store(planted, read_only=True) as store:
        gathered = [(one.id, staged, gather_evidence(store, one.id)) for one, staged in of_each(store)]
    key = make_key(tmp_path / "key.pem")
    for name, staged, evidence in gathered:
        path = tmp_path / f"{name}.fanous"
        pack(evidence, path, key, NOW)
        done = verify(path)
        assert (done.provenance is Provenance.SYNTHETIC) is staged
        assert (done.synthetic > 0) is staged
        first = command("verify", path).stdout.splitlines()[0]
        assert first.startswith("SYNTHETIC, a staged event. MATCH" if staged else "MATCH")


def test_open_data(planted: Path, tmp_path: Path) -> None:
    command("export", "-o", tmp_path / "out", "--store", planted)
    described = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    for table in ("incidents", "cells", "levels"):
        (head, *rows) = (tmp_path / "out" / f"{table}.csv").read_text().splitlines()
        assert "synthetic" in head.split(",")
        assert not rows or described["synthetic"] is not None
