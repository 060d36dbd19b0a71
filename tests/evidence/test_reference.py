"""Versions, digests and thresholds that travel with a claim."""

import msgspec
import pytest

from fanous import pipeline
from fanous.detectors import DETECTORS
from fanous.evidence.reference import parameters, reference, unlike
from fanous.incidents import confirm


def test_the_user_shares_that_were_used_are_in_it() -> None:
    shares = reference("PK")["weights"]
    assert {network["asn"] for network in shares["used"]["networks"]} >= {17557, 45669}
    assert reference("KE")["weights"]["used"] is None


def test_every_threshold_is_in_it() -> None:
    written = parameters()
    assert written["fanous.incidents.confirm"]["PROBES"] == confirm.PROBES
    assert written["fanous.pipeline"]["TICK"] == pipeline.TICK
    assert {f"detector {name}" for name in DETECTORS} <= written.keys()


def test_a_changed_threshold_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = msgspec.json.decode(msgspec.json.encode(parameters()))
    monkeypatch.setattr(confirm, "PROBES", 2)
    after = msgspec.json.decode(msgspec.json.encode(parameters()))
    assert ("fanous.incidents.confirm.PROBES", "3", "2") in unlike(before, after)


def test_equal_documents_differ_in_nothing() -> None:
    assert unlike(reference("PK"), reference("PK")) == []
    assert unlike({"a": {"b": 1}}, {"a": {}}) == [("a.b", "1", "nothing")]
