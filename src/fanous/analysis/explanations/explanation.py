"""Explanation: one row of the table of what else an event could be, and what weighing it gives.

A row answers for itself alone: it does not know the others, and its exceptions are part of its own test.  All rows are
weighed, always, so their order changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from fanous.model.explanation import Standing, Weighed
from fanous.model.reason import Param, Reason

E = TypeVar("E")


class Group(StrEnum):
    """What an explanation is about, in the order in which readers are told."""

    INSTRUMENT = "instrument"
    SERVICE = "service"
    RESOLVER = "resolver"
    SITE = "site"
    HOST = "host"
    LINE = "line"
    ELSEWHERE = "elsewhere"
    PUBLISHER = "publisher"


class Effect(StrEnum):
    """What follows if an explanation holds, the strongest first."""

    RETRACT = "retract"
    LEAVE_OUT = "leave_out"
    SUSPECT = "suspect"
    SAY = "say"


class Answer(NamedTuple):
    """What weighing an explanation gives.

    Attributes:
        because: the figures that decided it.
        explains: the networks, or families of sources, that it explains, where only these are left out.
    """

    standing: Standing
    because: Reason
    explains: frozenset[int | str] = frozenset()


@dataclass(frozen=True, slots=True)
class Explanation(Generic[E]):
    """One row of the table.

    Attributes:
        code: permanent; readers' sentences are found by it.
        says: the explanation in one sentence, for the methodology.
        weigh: reads the evidence of an event.
    """

    code: str
    group: Group
    effect: Effect
    says: str
    weigh: Callable[[E], Answer]

    def standing(self, event: E) -> Weighed:
        """How it stands for an event."""
        answer = self.weigh(event)
        return Weighed(self.code, answer.standing, answer.because)


def holds(code: str, explains: Iterable[int | str] = (), /, **params: Param) -> Answer:
    """It explains what was seen, or may explain it.

    Args:
        explains: as in ``Answer``.
    """
    return Answer(Standing.HOLDS, Reason(code, params), frozenset(explains))


def excluded(code: str, **params: Param) -> Answer:
    """Something that was measured speaks against it."""
    return Answer(Standing.EXCLUDED, Reason(code, params))


def untested(code: str, **params: Param) -> Answer:
    """Nothing was measured that could tell."""
    return Answer(Standing.UNTESTED, Reason(code, params))


def in_order(rows: Iterable[Explanation[E]]) -> list[Explanation[E]]:
    """The rows as readers are told of them, whatever their order in the table."""
    return sorted(rows, key=_rank)


def _rank(row: Explanation[Any]) -> tuple[int, int, str]:
    return list(Effect).index(row.effect), list(Group).index(row.group), row.code


def weighed(rows: Iterable[Explanation[E]], event: E) -> tuple[Weighed, ...]:
    """How all rows stand for an event."""
    return tuple(row.standing(event) for row in in_order(rows))


def first_that_holds(rows: Iterable[Explanation[E]], event: E) -> Reason | None:
    """The reason of the first that holds; None = none does."""
    answers = (row.weigh(event) for row in in_order(rows))
    return next((answer.because for answer in answers if answer.standing is Standing.HOLDS), None)
