"""An incident as a claim, and where two claims differ."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from tools.tables import every_threshold

from fanous.analysis.detectors.interference import BLOCKING, SILENCE, SLOWNESS, THROTTLING
from fanous.analysis.rules import Fingerprint, FingerprintKind, Where
from fanous.analysis.series import voices
from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import EvidenceCounts, Kind, Part
from fanous.model.reason import Reason, as_written
from fanous.model.threshold import _DECLARED, Threshold
from fanous.pipeline.interference import TICK
from fanous.publish.evidence.recompute import (
    JUDGING,
    SHOWN,
    claim_of,
    differences,
    plain,
    reference,
    thresholds,
    unlike,
    unlike_fields,
    unlike_thresholds,
    used,
)
from tests.each import each
from tests.store.cases import NOON, incident


def test_a_label_is_no_part_of_the_claim() -> None:
    assert claim_of(incident(id="PK-2023-0001")) == claim_of(incident(id="PK-2023-0002"))
    assert "id" not in claim_of(incident())


def test_numbers_count_after_rounding() -> None:
    one, other = incident(confidence=0.998), incident(confidence=0.998 + 1e-9)
    assert differences(claim_of(one), claim_of(other)) == []
    assert differences(claim_of(one), claim_of(replace(one, confidence=0.998003))) != []


@each(
    ("field", "value"),
    [
        ("onset", NOON + 61),
        ("end", NOON + 7200),
        ("confirmed_at", None),
        ("entities", ("AS17557",)),
        ("evidence", EvidenceCounts(413, 23, 7, 398, ("edge", "ooni"))),
        ("networks", ()),
    ],
)
def test_a_difference_is_named_by_its_field(field: str, value: object) -> None:
    found = differences(claim_of(incident()), claim_of(incident(**{field: value})), minutes=True)
    assert found
    assert all(line.startswith(field) for line in found)


def test_less_than_a_minute_may_be_asked_not_to_count() -> None:
    one, other = claim_of(incident()), claim_of(incident(confirmed_at=NOON + 1859))
    assert differences(one, other, minutes=True) == []
    assert differences(one, other) == [f"confirmed_at: {NOON + 1800!r}, not {NOON + 1859!r}"]


def test_hints_are_never_compared_whether_text_or_codes() -> None:
    one, other = incident(hints=(Reason("hint.steady"),)), incident(hints=(Reason("hint.delays"),))
    assert differences(claim_of(incident()), claim_of(one)) == []
    assert differences(claim_of(other), claim_of(one)) == []
    assert differences(claim_of(one) | {"hints": ["speeds hardly vary meanwhile"]}, claim_of(one)) == []


def test_the_words_of_a_claim_of_before_codes_are_no_difference() -> None:
    old = claim_of(incident()) | {"reason": "C2: 23 probes on 7 networks saw it"}
    del old["reasons"]
    assert differences(old, claim_of(incident())) == []
    assert unlike_fields(old, claim_of(incident())) == []
    assert unlike_fields(old | {"of_tomorrow": 1}, claim_of(incident())) != []


def test_a_reason_of_which_only_the_words_are_known_is_no_difference() -> None:
    in_words = replace(incident(), reasons=as_written("C2: 23 probes on 7 networks saw it"))
    assert differences(claim_of(in_words), claim_of(incident())) == []


def test_other_reasons_are_a_difference() -> None:
    one = incident()
    other = replace(one, reasons=(Reason("rule.c2", {"probes": 24, "networks": 7, "control": "helper"}),))
    assert differences(claim_of(one), claim_of(other)) == ["reasons[0].params.probes: 23, not 24"]


def test_a_field_that_is_newer_than_the_claim_does_not_count() -> None:
    older = claim_of(incident())
    del older["opinions"]
    assert differences(older, claim_of(incident())) == []
    assert differences(claim_of(incident()), older) == ["opinions: [], not None"]


REFUSES, FAILS = "site.may_refuse", "host.may_fail"


def weighed(**standings: Standing) -> dict[str, Any]:
    """A claim with a table of two other explanations."""
    names = {"refuses": REFUSES, "fails": FAILS}
    table = [Weighed(names[name], standing, Reason("because")) for name, standing in standings.items()]
    return claim_of(incident(explanations=tuple(table)))


def test_an_explanation_that_holds_in_one_and_not_in_the_other_is_a_difference() -> None:
    recorded = weighed(refuses=Standing.HOLDS, fails=Standing.EXCLUDED)
    computed = weighed(refuses=Standing.EXCLUDED, fails=Standing.HOLDS)
    assert differences(recorded, computed) == [f"explanations that hold: {[REFUSES]!r}, not {[FAILS]!r}"]
    assert differences(recorded, claim_of(incident())) == [f"explanations that hold: {[REFUSES]!r}, not []"]


def test_what_is_excluded_or_untested_is_no_difference() -> None:
    recorded = weighed(refuses=Standing.HOLDS, fails=Standing.EXCLUDED)
    assert differences(recorded, weighed(fails=Standing.UNTESTED, refuses=Standing.HOLDS)) == []
    assert differences(recorded, weighed(refuses=Standing.HOLDS)) == []


def test_a_claim_without_a_table_is_compared_without_it() -> None:
    computed = weighed(refuses=Standing.HOLDS)
    older = {name: value for name, value in computed.items() if name != "explanations"}
    assert differences(older, computed) == []
    assert differences(older | {"explanations": []}, computed) == []


def test_the_parts_that_were_used_are_in_it() -> None:
    ours = Fingerprint("pk.pta", Where.BODY, FingerprintKind.BLOCKPAGE, "blocked by", source="a page")
    theirs = replace(ours, id="theirs", origin="a set")
    claim = incident(parts=[Part("x", Kind.BLOCKING, (), ()), Part("example.org", Kind.BLOCKING, (), ())])
    parts = used(claim, {one.id: one for one in (ours, theirs)})
    assert {network["asn"] for network in parts["user_shares"]["networks"]} >= {17557, 45669}
    assert "twitter.com" in parts["platforms"]["x"]["web"]
    assert parts["platforms"]["example.org"] == {"web": ["example.org"]}
    assert parts["fingerprints"]["pk.pta"]["pattern"] == "blocked by"
    assert "pattern" not in parts["fingerprints"]["theirs"]
    assert used(incident(country="KE"), {})["user_shares"] is None


def test_every_threshold_is_in_it() -> None:
    written = thresholds()
    assert written["incidents.probes"] == voices.PROBES
    assert written["series.tick_seconds"] == TICK
    assert {
        f"detectors.{one.name}.raise_at" for one in (BLOCKING, THROTTLING, SILENCE, SLOWNESS)
    } <= written.keys()


def test_a_changed_threshold_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain(thresholds())
    monkeypatch.setitem(_DECLARED, "incidents.probes", Threshold("incidents.probes", 2, ""))
    assert unlike_thresholds(before) == [("incidents.probes", "3", "2")]


def test_a_threshold_that_one_side_does_not_know_is_no_difference() -> None:
    assert unlike_thresholds({}) == []
    assert unlike_thresholds({"incidents.of_tomorrow": 1, "fanous.of.yesterday": {"GONE": 2}}) == []


def test_every_process_packs_every_threshold_that_judges() -> None:
    code = "from fanous.publish.evidence.recompute import thresholds; print(*thresholds())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    judging = [one.id for one in every_threshold() if one.id.startswith(JUDGING)]
    assert ran.stdout.split() == [name for name in judging if not name.startswith(SHOWN)]


def test_a_field_of_a_later_version_is_named() -> None:
    assert unlike_fields({"kind": "outage"}, {"kind": "blocking"}) == []
    ((what, theirs, _),) = unlike_fields({"of_tomorrow": 7}, {"kind": "blocking"})
    assert (what, theirs) == ("claim.of_tomorrow", "7")


def test_equal_documents_differ_in_nothing() -> None:
    assert unlike(reference(), reference()) == []
    assert unlike({"a": {"b": 1}}, {"a": {}}) == [("a.b", "1", "nothing")]
