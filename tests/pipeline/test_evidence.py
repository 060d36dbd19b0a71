"""What is said about other explanations, from one table of evidence, and from one query for each of them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fanous.evaluation.evaluate import evaluate_corpora
from fanous.model.incident import Alternatives
from fanous.model.instant import from_iso
from fanous.pipeline import detect, interference
from fanous.store.protocol import Store

CORPORA = Path(__file__).resolve().parents[2] / "corpora"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Alternatives]:
    """Both are asked about each group of findings."""
    groups, from_table = [], interference.alternatives

    def both(*given: Any) -> Alternatives:
        found, asked = from_table(*given), interference.alternatives_asked(*given)
        for one in fields(Alternatives):
            assert sorted(getattr(found, one.name), key=repr) == sorted(getattr(asked, one.name), key=repr)
        groups.append(found)
        return found

    monkeypatch.setattr(interference, "alternatives", both)
    return groups


def test_both_say_the_same_of_the_rally(rally_store: Store, compared: list[Alternatives]) -> None:
    first, last = (from_iso(f"2023-12-{day}T00:00:00Z") for day in (16, 19))
    detect.detect(rally_store, "PK", first, last)
    assert compared


@pytest.mark.matrix
@pytest.mark.shared_data
@pytest.mark.parametrize("corpus", ["pakistan-2023", "kenya-2023", "planted-blocks", "platform-failures"])
def test_both_say_the_same_of_a_corpus(corpus: str, compared: list[Alternatives]) -> None:
    evaluate_corpora([CORPORA / corpus])
    assert compared
