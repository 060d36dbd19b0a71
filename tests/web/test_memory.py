"""A question that several pages ask is asked of the store once."""

from typing import Any, cast

from fanous.store.protocol import Store
from fanous.web import answers
from fanous.web.answers import Remembering


class Counting:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.marks = {"PK": (1, 1), "KE": (1, 1)}

    def brought_in(self) -> dict[str, tuple[int, int]]:
        return dict(self.marks)

    def countries(self) -> int:
        self.asked.append("countries")
        return len(self.asked)

    def networks(self, country: str) -> dict[int, str]:
        self.asked.append(country)
        return {1: country}

    def votes(self, *args: Any) -> int:
        self.asked.append(args)
        return len(self.asked)

    def incidents(self) -> int:
        self.asked.append("incidents")
        return len(self.asked)


def one(at: list[float]) -> tuple[Counting, Remembering, Store]:
    counting = Counting()
    kept = Remembering(lambda: at[0])
    return counting, kept, kept.of(cast(Any, counting))


def test_what_was_measured_is_asked_once_until_something_is_brought_in() -> None:
    at = [0.0]
    counting, kept, store = one(at)
    assert [store.networks("PK"), store.networks("PK"), store.networks("KE")] == [{1: "PK"}] * 2 + [{1: "KE"}]
    assert counting.asked == ["PK", "KE"]
    at[0] = answers.LONGEST_SECONDS - 1
    kept.forget()
    store.networks("PK")
    assert counting.asked == ["PK", "KE"]
    at[0] = answers.LONGEST_SECONDS
    store.networks("PK")
    assert counting.asked == ["PK", "KE", "PK"]


def test_after_something_was_brought_in_an_answer_is_good_for_its_time_and_no_longer() -> None:
    at = [0.0]
    counting, _, store = one(at)
    ask = cast(Any, store).votes
    ask("PK", 1)
    ask("KE", 1)
    counting.marks["PK"] = (2, 7)
    at[0] = answers.KEPT_SECONDS["votes"] - 0.1
    ask("PK", 1)
    assert len(counting.asked) == 2
    at[0] = answers.KEPT_SECONDS["votes"]
    ask("PK", 1)
    ask("KE", 1)
    assert counting.asked == [("PK", 1), ("KE", 1), ("PK", 1)]


def test_after_a_change_nothing_is_told_that_what_came_in_since_made_untrue() -> None:
    at = [0.0]
    counting, kept, store = one(at)
    store.networks("PK")
    counting.marks["PK"] = (2, 7)
    at[0] = 0.1
    kept.forget()
    store.networks("PK")
    assert counting.asked == ["PK", "PK"]


def test_what_does_not_hang_on_measurements_alone_is_good_for_its_time() -> None:
    at = [0.0]
    counting, _, store = one(at)
    store.countries()
    at[0] = answers.KEPT_SECONDS["countries"]
    store.countries()
    assert counting.asked == ["countries"] * 2


def test_lists_are_part_of_a_question() -> None:
    _, _, store = one([0.0])
    ask = cast(Any, store).votes
    assert [ask("PK", ["x"]), ask("PK", ["x"]), ask("PK", ["y"])] == [1, 1, 2]


def test_what_is_claimed_is_never_remembered() -> None:
    counting, _, store = one([0.0])
    store.incidents()
    store.incidents()
    assert counting.asked == ["incidents"] * 2


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(answers, "MOST_KEPT", 1)
    counting, _, store = one([0.0])
    for country in ("PK", "KE", "PK"):
        store.networks(country)
    assert counting.asked == ["PK", "KE", "PK"]
