"""A question that several pages ask is asked of the store once."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any, cast

from fanous.model.series import Votes
from fanous.store.facts import Facts
from fanous.store.local import open_store
from fanous.web import answers
from fanous.web.answers import RememberedFacts


class Counting(Facts):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))
        self.asked: list[Any] = []
        self.marks = {"PK": (1, 1), "KE": (1, 1)}

    def brought_in(self) -> dict[str, tuple[int, int]]:
        return dict(self.marks)

    def countries(self, since: float = -inf, until: float = inf) -> list[str]:
        self.asked.append("countries")
        return [f"{since} {until}"]

    def networks(self, country: str) -> dict[int, str]:
        self.asked.append(country)
        return {1: country}

    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        self.asked.append((country, since, until, targets))
        return cast(Votes, len(self.asked))


def one(at: list[float]) -> tuple[Counting, RememberedFacts]:
    counting = Counting()
    return counting, RememberedFacts(counting, lambda: at[0])


def test_what_was_measured_is_asked_once_until_something_is_brought_in() -> None:
    at = [0.0]
    counting, kept = one(at)
    assert [kept.networks("PK"), kept.networks("PK"), kept.networks("KE")] == [{1: "PK"}] * 2 + [{1: "KE"}]
    assert counting.asked == ["PK", "KE"]
    at[0] = answers.LONGEST_SECONDS - 1
    kept.forget()
    kept.networks("PK")
    assert counting.asked == ["PK", "KE"]
    at[0] = answers.LONGEST_SECONDS
    kept.networks("PK")
    assert counting.asked == ["PK", "KE", "PK"]


def test_after_something_was_brought_in_an_answer_is_good_for_its_time_and_no_longer() -> None:
    at = [0.0]
    counting, kept = one(at)
    ask = kept.votes
    ask("PK", 1, 2)
    ask("KE", 1, 2)
    counting.marks["PK"] = (2, 7)
    at[0] = answers.KEPT_SECONDS["votes"] - 0.1
    ask("PK", 1, 2)
    assert len(counting.asked) == 2
    at[0] = answers.KEPT_SECONDS["votes"]
    ask("PK", 1, 2)
    ask("KE", 1, 2)
    assert counting.asked == [("PK", 1, 2, None), ("KE", 1, 2, None), ("PK", 1, 2, None)]


def test_after_a_change_nothing_is_told_that_what_came_in_since_made_untrue() -> None:
    at = [0.0]
    counting, kept = one(at)
    kept.networks("PK")
    counting.marks["PK"] = (2, 7)
    at[0] = 0.1
    kept.forget()
    kept.networks("PK")
    assert counting.asked == ["PK", "PK"]


def test_what_does_not_hang_on_measurements_alone_is_good_for_its_time() -> None:
    at = [0.0]
    counting, kept = one(at)
    kept.countries()
    at[0] = answers.KEPT_SECONDS["countries"]
    kept.countries()
    assert counting.asked == ["countries"] * 2


def test_lists_are_part_of_a_question() -> None:
    _, kept = one([0.0])
    ask = kept.votes
    assert [cast(Any, ask("PK", 1, 2, [target])) for target in "xxy"] == [1, 1, 2]


def test_what_is_claimed_is_never_remembered(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        shown = store.with_facts(RememberedFacts)
        for side, own in zip(shown.sides(), store.sides(), strict=True):
            assert isinstance(side.facts, RememberedFacts)
            assert (side.facts.inner, side.facts.synthetic) == (own.facts, own.is_synthetic)
        assert shown.ledger is store.ledger


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(answers, "MOST_KEPT", 1)
    counting, kept = one([0.0])
    for country in ("PK", "KE", "PK"):
        kept.networks(country)
    assert counting.asked == ["PK", "KE", "PK"]
