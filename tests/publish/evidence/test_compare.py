"""An incident as a claim, and where two claims differ."""

from dataclasses import replace

from fanous.model.incident import Evidence
from fanous.model.reason import Reason, as_written
from fanous.publish.evidence.recompute import claim_of, differences, unlike_fields
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
        ("evidence", Evidence(413, 23, 7, 398, ("edge", "ooni"))),
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
