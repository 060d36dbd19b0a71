"""Versions, digests and thresholds that travel with a claim."""

from dataclasses import replace

import msgspec
import pytest

from fanous.detectors import DETECTORS
from fanous.evidence.reference import parameters, reference, unlike, used
from fanous.incidents import confirm
from fanous.interfering import TICK
from fanous.rules import Fingerprint, Kind, Where


def test_the_parts_that_were_used_are_in_it() -> None:
    ours = Fingerprint("pk.pta", Where.BODY, Kind.BLOCKPAGE, "blocked by", source="a page")
    theirs = replace(ours, id="theirs", origin="a set")
    parts = used("PK", ["x", "example.org"], {one.id: one for one in (ours, theirs)})
    assert {network["asn"] for network in parts["user_shares"]["networks"]} >= {17557, 45669}
    assert "twitter.com" in parts["platforms"]["x"]["web"]
    assert parts["platforms"]["example.org"] == {"web": ["example.org"]}
    assert parts["fingerprints"]["pk.pta"]["pattern"] == "blocked by"
    assert "pattern" not in parts["fingerprints"]["theirs"]
    assert used("KE", [], {})["user_shares"] is None


def test_every_threshold_is_in_it() -> None:
    written = parameters()
    assert written["fanous.incidents.confirm"]["PROBES"] == confirm.PROBES
    assert written["fanous.interfering"]["TICK"] == TICK
    assert {f"detector {name}" for name in DETECTORS} <= written.keys()


def test_a_changed_threshold_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = msgspec.json.decode(msgspec.json.encode(parameters()))
    monkeypatch.setattr(confirm, "PROBES", 2)
    after = msgspec.json.decode(msgspec.json.encode(parameters()))
    assert ("fanous.incidents.confirm.PROBES", "3", "2") in unlike(before, after)


def test_equal_documents_differ_in_nothing() -> None:
    assert unlike(reference(), reference()) == []
    assert unlike({"a": {"b": 1}}, {"a": {}}) == [("a.b", "1", "nothing")]
