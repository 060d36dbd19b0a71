"""The evidence of an incident as a download."""

import asyncio
from pathlib import Path

import httpx
import pytest

from fanous.model.incident import EvidenceCounts, Status
from fanous.publish.evidence.verify import Result, verify
from fanous.publish.signer import make_key
from fanous.store.local import open_store
from fanous.store.protocol import OneThread
from fanous.web.answers import Reply, Site
from fanous.web.application import application
from fanous.web.bundles import MOST_RECORDS, MOST_WANTED, NO_KEY, STEPS, Bundles, Packing
from fanous.wording.language import LANGUAGES
from tests.charts.events import incident
from tests.copies import copy_of
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, Reader, reader


def test_what_a_page_gives_away_is_verified_elsewhere(rally_folder: Path, tmp_path: Path) -> None:
    folder, file = copy_of(rally_folder, tmp_path / "store"), tmp_path / "bundle.fanous"
    make_key(tmp_path / "key.pem")
    site = Site(clock=lambda: NOW, key=tmp_path / "key.pem")
    with OneThread(lambda: open_store(folder, read_only=True)) as owner:
        client = Reader(application(owner.ask, site))
        answer = client.get("/PK/PK-2023-0001.fanous")
        again = client.get("/PK/PK-2023-0001.fanous")
    assert answer.headers["content-disposition"] == 'attachment; filename="PK-2023-0001.fanous"'
    assert again.content == answer.content
    file.write_bytes(answer.content)
    assert verify(file).result is Result.MATCH


@pytest.mark.parametrize("path", ["/PK/PK-2023-9999.fanous", "/KE/PK-2023-0042.fanous"])
def test_an_unknown_incident_has_no_bundle(path: str) -> None:
    assert reader(SmallStore([incident()])).get(path).status_code == 404


def test_what_cannot_be_packed_is_refused_with_the_reason(tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    site = Site(clock=lambda: NOW, key=tmp_path / "key.pem")
    for one, why in (
        (incident(status=Status.RETRACTED), "was retracted"),
        (incident(evidence=EvidenceCounts(MOST_RECORDS + 1, 3, 1, 3, ("ooni",))), "`fanous incidents bundle"),
    ):
        answer = reader(SmallStore([one]), site).get("/PK/PK-2023-0042.fanous")
        assert answer.status_code == 409
        assert why in answer.text


def test_a_bundle_is_packed_once_for_all_who_ask_and_few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    incidents = [incident(id=f"PK-2023-{n:04}") for n in range(1, MOST_WANTED + 3)]
    packed, gate = list[str](), asyncio.Event()

    async def slowly(_self: Bundles, label: str, _now: float, _packing: Packing) -> Reply:
        packed.append(label)
        await gate.wait()
        return Reply.of(label, "x/y")

    monkeypatch.setattr(Bundles, "_packed", slowly)

    async def main() -> list[int]:
        app = application(SmallStore(incidents).ask, Site(clock=lambda: NOW))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            labels = [one.id for one in incidents]
            asked = [*labels[:1] * 5, *labels]
            tasks = [asyncio.create_task(client.get(f"/PK/{label}.fanous")) for label in asked]
            await asyncio.sleep(1)
            gate.set()
            return [answer.status_code for answer in await asyncio.gather(*tasks)]

    codes = asyncio.run(main())
    assert codes == [200] * (5 + MOST_WANTED) + [503] * 2
    assert len(packed) == len(set(packed)) == MOST_WANTED


def test_the_page_of_a_bundle_says_how_far_it_is_and_then_has_the_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It grows while it is read, without a script; who leaves ends nothing."""
    monkeypatch.setattr("fanous.web.bundles.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("fanous.web.bundles.TELL_SECONDS", 0.02)
    packed: list[str] = []

    async def slowly(_self: Bundles, label: str, _now: float, packing: Packing) -> Reply:
        for packing.step in (1, 2):
            await asyncio.sleep(0.15)
        packed.append(label)
        return Reply.of(b"x" * 2_500_000, "x/y")

    monkeypatch.setattr(Bundles, "_packed", slowly)
    app = application(SmallStore([incident(), incident(id="PK-2023-0043")]).ask, Site(clock=lambda: NOW))
    client = Reader(app)
    for code, language in LANGUAGES.items():
        text = client.get(f"/PK/PK-2023-0042/evidence?lang={code}").text
        steps = [one for one in STEPS[1:] if language.say(one) in text]
        assert steps == ([] if packed[:-1] or code != "en" else list(STEPS[1:])), code
        assert '<a href="/PK/PK-2023-0042.fanous" download>' in text
        assert "<script" not in text.partition("<main")[2].partition("</main>")[0]
        assert text.rstrip().endswith("</html>")
    assert packed == ["PK-2023-0042"]
    assert "2.5" in client.get("/PK/PK-2023-0042/evidence?lang=en").text
    assert "so far" in client.get("/PK/PK-2023-0043/evidence?lang=en").text
    assert client.get("/PK/PK-2023-9999/evidence").status_code == 404


def test_a_bundle_that_cannot_be_packed_says_why_on_its_page(tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    site = Site(clock=lambda: NOW, key=tmp_path / "key.pem")
    text = reader(SmallStore([incident(status=Status.RETRACTED)]), site).get("/PK/PK-2023-0042/evidence").text
    assert "was retracted" in text
    assert "download>" not in text


def test_without_a_key_none_is_signed_and_no_path_of_the_machine_is_shown(tmp_path: Path) -> None:
    site = Site(clock=lambda: NOW, key=tmp_path / "key.pem")
    answer = reader(SmallStore([incident()]), site).get("/PK/PK-2023-0042.fanous")
    assert (answer.status_code, NO_KEY in answer.text) == (409, True)
    assert str(tmp_path) not in answer.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_incident_that_waits_for_a_person_has_no_bundle_and_its_page_says_so(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_given: object) -> Reply:
        raise AssertionError("a bundle of it must not be packed")

    monkeypatch.setattr(Bundles, "_packed", never)
    waiting = incident(held_by="national", status=Status.SUSPECTED, confirmed_at=None)
    answer = reader(SmallStore([waiting])).get(f"/PK/PK-2023-0042/evidence?lang={code}")
    said = LANGUAGES[code].say(
        "This incident is waiting for a person to review it. Until it is approved, it has no evidence bundle."
    )
    assert (answer.status_code, said in answer.text) == (200, True)
    assert "fanous incidents" not in answer.text and "download>" not in answer.text
