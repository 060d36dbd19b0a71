"""An incident as a claim, and where two claims differ."""

from dataclasses import replace

import pytest

from fanous.model.incident import Evidence
from fanous.publish.evidence.recompute import claim_of, differences
from tests.store.cases import NOON, incident


def test_a_label_is_no_part_of_the_claim() -> None:
    assert claim_of(incident(id="PK-2023-0001")) == claim_of(incident(id="PK-2023-0002"))
    assert "id" not in claim_of(incident())


def test_numbers_count_after_rounding() -> None:
    one, other = incident(confidence=0.998), incident(confidence=0.998 + 1e-9)
    assert differences(claim_of(one), claim_of(other)) == []
    assert differences(claim_of(one), claim_of(replace(one, confidence=0.998003))) != []


@pytest.mark.parametrize(
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


def test_prose_is_never_compared() -> None:
    one = incident()
    assert differences(claim_of(one), claim_of(replace(one, hints=("a hint",)))) == []


def test_a_field_that_is_newer_than_the_claim_does_not_count() -> None:
    older = claim_of(incident())
    del older["opinions"]
    assert differences(older, claim_of(incident())) == []
    assert differences(claim_of(incident()), older) == ["opinions: [], not None"]
