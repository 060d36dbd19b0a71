"""A question that several pages ask is asked of the store once."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from fanous.analysis.series.signals import COUNTED
from fanous.store import cache
from fanous.store.cache import KeptAnswer, Memory, size_of
from fanous.store.facts import Facts
from fanous.store.local import open_store
from tests.store.cases import incident


class CountingEngine:
    """Knows nothing, and takes down which country each question was about."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.marks = {"PK": (1, 1), "KE": (1, 1)}

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if not parameters:
            return [(country, count, mark) for country, (count, mark) in self.marks.items()]
        if sql.startswith("SELECT 1 "):  # whether there is any, of which the question is a part
            return []
        self.asked.append(parameters.get("country", "all"))
        return []

    def columns(self, _sql: str, **parameters: Any) -> list[list[Any]]:
        self.asked.append((parameters["country"], parameters.get("targets")))
        return []


def one(at: list[float]) -> tuple[CountingEngine, Facts, Memory]:
    engine = CountingEngine()
    facts = Facts(cast(Any, engine))
    kept = Memory(lambda: at[0])
    return engine, facts.remembering(kept), kept


def test_what_was_measured_is_asked_once_until_something_is_brought_in() -> None:
    at = [0.0]
    engine, facts, kept = one(at)
    for country in ("PK", "PK", "KE"):
        facts.networks(country)
    assert engine.asked == ["PK", "KE"]
    at[0] = cache.LONGEST_SECONDS - 1
    kept.forget()
    facts.networks("PK")
    assert engine.asked == ["PK", "KE"]
    at[0] = cache.LONGEST_SECONDS
    facts.networks("PK")
    assert engine.asked == ["PK", "KE", "PK"]


def test_after_something_was_brought_in_an_answer_is_good_for_its_time_and_no_longer() -> None:
    at = [0.0]
    engine, facts, _ = one(at)
    facts.votes("PK", 1, 2)
    facts.votes("KE", 1, 2)
    engine.marks["PK"] = (2, 7)
    at[0] = 15 - 0.1
    facts.votes("PK", 1, 2)
    assert len(engine.asked) == 2
    at[0] = 15
    facts.votes("PK", 1, 2)
    facts.votes("KE", 1, 2)
    assert [country for country, _ in engine.asked] == ["PK", "KE", "PK"]


def test_after_a_change_nothing_is_told_that_what_came_in_since_made_untrue() -> None:
    at = [0.0]
    engine, facts, kept = one(at)
    facts.networks("PK")
    engine.marks["PK"] = (2, 7)
    at[0] = 0.1
    kept.forget()
    facts.networks("PK")
    assert engine.asked == ["PK", "PK"]


def test_what_does_not_hang_on_measurements_alone_is_good_for_its_time() -> None:
    at = [0.0]
    engine, facts, _ = one(at)
    facts.countries()
    at[0] = 60 - 0.1
    facts.countries()
    assert engine.asked == ["all"]
    at[0] = 60
    facts.countries()
    assert engine.asked == ["all"] * 2


def test_lists_are_part_of_a_question() -> None:
    engine, facts, _ = one([0.0])
    for target in "xxy":
        facts.votes("PK", 1, 2, [target])
    assert engine.asked == [("PK", ["x"]), ("PK", ["y"])]


def test_a_question_is_the_same_however_its_arguments_are_given() -> None:
    engine, facts, _ = one([0.0])
    facts.volume("PK", 1, 2)
    facts.volume("PK", 1, 2, 3600)
    facts.volume("PK", until=2, since=1)
    assert engine.asked == ["PK"]


def test_without_a_memory_each_question_is_asked() -> None:
    engine = CountingEngine()
    facts = Facts(cast(Any, engine))
    facts.networks("PK")
    facts.networks("PK")
    assert engine.asked == ["PK", "PK"]


def test_what_is_claimed_is_never_remembered(tmp_path: Path) -> None:
    kept = Memory()
    with open_store(tmp_path / "store") as store:
        shown = store.for_readers(kept)
        for side, own in zip(shown.sides(), store.sides(), strict=True):
            assert (side.facts.memory, own.facts.memory) == (kept, None)
            assert side.facts.synthetic == own.is_synthetic == side.is_synthetic
        assert shown.ledger.incidents() == []
        claimed = store.ledger.put(incident(), ())
        assert shown.ledger.incidents() == [claimed], "at once, though the memory is as old as before"


def test_real_and_synthetic_facts_share_a_memory_and_no_answer() -> None:
    engine, kept = CountingEngine(), Memory()
    for synthetic in (False, True, False):
        Facts(cast(Any, engine), synthetic=synthetic).remembering(kept).networks("PK")
    assert engine.asked == ["PK", "PK"]


def test_what_is_remembered_of_every_country_hangs_on_the_arrivals_of_all() -> None:
    at = [0.0]
    engine, facts, _ = one(at)
    facts.heard(1, 2)
    at[0] = 15
    facts.heard(1, 2)
    assert engine.asked == ["all"]
    engine.marks["KE"] = (2, 7)
    at[0] = 16
    facts.heard(1, 2)
    assert engine.asked == ["all"] * 2


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 1)
    engine, facts, _ = one([0.0])
    for country in ("PK", "KE", "PK"):
        facts.networks(country)
    assert engine.asked == ["PK", "KE", "PK"]


def test_what_is_kept_is_limited_by_its_bytes_however_the_windows_move_on() -> None:
    made = 2000
    row = [f"2023-{n}" for n in range(made)], [float(n) for n in range(made)]
    columns: list[list[Any]] = [
        *row,
        *([[1] * made] * 2),
        *([["x"] * made] * 4),
        row[1],
        *([[1] * made] * 2),
        *([[1] * made] * 3 * len(COUNTED)),
        *([["web"] * made] * len(COUNTED)),
        ["web"] * made,
        row[1],
    ]

    class Busy(CountingEngine):
        def columns(self, _sql: str, **_parameters: Any) -> list[list[Any]]:
            return [[*column] for column in columns]

    facts = Facts(cast(Any, Busy()))
    kept = Memory()
    shown = facts.remembering(kept)
    for since in range(120):
        shown.votes("PK", since, since + 1)
    assert cache.MOST_BYTES / 2 < kept.size <= cache.MOST_BYTES


def test_the_bytes_of_an_answer_are_those_of_everything_in_it_once() -> None:
    text, beats = "n" * 10_000, {"at": [float(n) for n in range(1000)]}
    assert 10_000 < size_of([text] * 500) < 20_000
    assert 30_000 < size_of((beats, beats)) < 60_000
    assert 80_000 < size_of([np.arange(10_000), KeptAnswer(0.0, None, text), {text}]) < 100_000
    assert 100_000 < size_of(np.array([f"{n:0100}" for n in range(1000)], object)) < 200_000


def test_a_long_answer_is_weighed_by_a_sample_of_it() -> None:
    names = [f"{n:0100}" for n in range(40_000)]
    assert 5_000_000 < size_of(names) < 7_000_000
    assert 300_000 < size_of(np.array(["telegram", "whatsapp"] * 20_000, object)) < 400_000
