"""Versions, digests and thresholds that travel with a claim."""

from dataclasses import replace

import pytest

from fanous.analysis.detectors.interference import BLOCKING, SILENCE, SLOWNESS, THROTTLING
from fanous.analysis.incidents import confirm
from fanous.analysis.rules import Fingerprint, FingerprintKind, Where
from fanous.pipeline.interference import TICK
from fanous.publish.evidence.former_paths import FORMER_PATHS
from fanous.publish.evidence.recompute import plain, reference, unlike, unlike_fields, unlike_thresholds, used
from fanous.publish.evidence.thresholds import thresholds


def test_the_parts_that_were_used_are_in_it() -> None:
    ours = Fingerprint("pk.pta", Where.BODY, FingerprintKind.BLOCKPAGE, "blocked by", source="a page")
    theirs = replace(ours, id="theirs", origin="a set")
    parts = used("PK", ["x", "example.org"], {one.id: one for one in (ours, theirs)})
    assert {network["asn"] for network in parts["user_shares"]["networks"]} >= {17557, 45669}
    assert "twitter.com" in parts["platforms"]["x"]["web"]
    assert parts["platforms"]["example.org"] == {"web": ["example.org"]}
    assert parts["fingerprints"]["pk.pta"]["pattern"] == "blocked by"
    assert "pattern" not in parts["fingerprints"]["theirs"]
    assert used("KE", [], {})["user_shares"] is None


def test_every_threshold_is_in_it() -> None:
    written = thresholds()
    assert written["incidents.probes"] == confirm.PROBES
    assert written["series.tick_seconds"] == TICK
    assert {
        f"detectors.{one.name}.raise_at" for one in (BLOCKING, THROTTLING, SILENCE, SLOWNESS)
    } <= written.keys()


def test_a_changed_threshold_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain(thresholds())
    monkeypatch.setattr(confirm, "PROBES", 2)
    assert unlike_thresholds(before) == [("incidents.probes", "3", "2")]


def test_a_changed_threshold_is_seen_in_a_bundle_of_release_0_1_0(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = {
        "fanous.incidents.confirm": {"PROBES": 3, "NETWORK_SHARE": confirm.NETWORK_SHARE, "HOUR": 3600.0},
        "detector blocking": {"raise_at": 0.98},
    }
    assert unlike_thresholds(recorded) == [("detectors.blocking.raise_at", "0.98", "0.99")]
    monkeypatch.setattr(confirm, "PROBES", 2)
    assert ("incidents.probes", "3", "2") in unlike_thresholds(recorded)


def test_a_threshold_that_one_side_does_not_know_is_no_difference() -> None:
    assert unlike_thresholds({}) == []
    assert unlike_thresholds({"incidents.of_tomorrow": 1, "fanous.of.yesterday": {"GONE": 2}}) == []


def test_every_former_path_leads_to_a_threshold_of_today() -> None:
    assert {name for ids in FORMER_PATHS.values() for name in ids.values()} <= thresholds().keys()


def test_a_field_of_a_later_version_is_named() -> None:
    assert unlike_fields({"kind": "outage"}, {"kind": "blocking"}) == []
    ((what, theirs, _),) = unlike_fields({"of_tomorrow": 7}, {"kind": "blocking"})
    assert (what, theirs) == ("claim.of_tomorrow", "7")


def test_equal_documents_differ_in_nothing() -> None:
    assert unlike(reference(), reference()) == []
    assert unlike({"a": {"b": 1}}, {"a": {}}) == [("a.b", "1", "nothing")]
