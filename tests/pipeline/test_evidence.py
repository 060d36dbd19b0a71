"""What is concluded from the table of evidence, whole or sampled."""

from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.explanations.comparisons import Comparisons
from fanous.model.incident import Incident, Onset
from fanous.model.instant import from_iso
from fanous.model.score import Evaluation
from fanous.pipeline import detect, interference
from fanous.store import evidence
from fanous.store.protocol import Store
from fanous_lab.evaluation.evaluate import evaluate_corpora
from tests.shared_data import shared_file

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
SINCE, UNTIL = (from_iso(f"2023-12-{day}T00:00:00Z") for day in (16, 19))


def found(store: Store) -> list[Incident]:
    (side,) = (side for side in store.sides() if side.is_synthetic)
    return detect.find_incidents(side, "PK", SINCE, UNTIL, None)


def test_the_table_says_of_the_rally_what_a_query_for_each_question_said(
    rally_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are those of the queries that the table replaced."""
    told: list[Comparisons] = []
    asked = interference.comparisons_of

    def listening(*given: Any) -> Comparisons:
        told.append(asked(*given))
        return told[-1]

    monkeypatch.setattr(interference, "comparisons_of", listening)
    assert found(rally_store)
    (known,) = told
    names = [name for name, kind in vars(Comparisons).items() if isinstance(kind, cached_property)]
    rows = {name: len(getattr(known, name)) for name in names if getattr(known, name)}
    assert rows == {
        "onsets": 2,
        "software": 8,
        "nettests": 16,
        "releases": 3,
        "lines": 185,
        "runs": 212,
        "names": 87,
        "reached": 10,
    }
    assert [sum(one.failing for one in known.software), sum(one.working for one in known.software)] == [
        177,
        35,
    ]
    assert [sum(one.targets for one in known.lines), sum(one.others for one in known.lines)] == [1274, 537]
    assert sum(one.failing for one in known.lines) == pytest.approx(3.229167, abs=1e-6)
    assert [sum(one.answered for one in known.names), sum(one.failing for one in known.names)] == [2032, 96]
    assert known.onsets == (Onset("AE", 0, 0, 0, 0, 38), Onset("IN", 0, 0, 4, 1, 46))


@pytest.mark.parametrize("most", [150, 600])
def test_a_sampled_table_leads_to_the_same_incidents(
    rally_store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    whole = found(rally_store)
    monkeypatch.setattr(evidence, "MOST_ROWS", most)
    assert found(rally_store) == whole
    assert whole


@pytest.mark.matrix
@pytest.mark.shared_data
@pytest.mark.parametrize("corpus", ["kenya-2023"])
def test_a_sampled_table_leads_to_the_same_answers_about_a_corpus(
    corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers() -> list[Evaluation]:
        return evaluate_corpora([CORPORA / corpus], shared_file("ooni").parent)

    whole = answers()
    monkeypatch.setattr(evidence, "MOST_ROWS", 1000)
    assert answers() == whole
