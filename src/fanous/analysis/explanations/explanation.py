"""Explanation: one row of the table of what else an event could be, and what weighing it gives.

A row answers for itself alone: it does not know the others, and its exceptions are part of its own test.  All rows are
weighed, always, so their order changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from fanous.model.explanation import Standing, Weighed
from fanous.model.reason import Param, Reason

E = TypeVar("E")


class Subject(StrEnum):
    """What an explanation is about, in the order in which readers are told."""

    INSTRUMENT = "instrument"
    SERVICE = "service"
    RESOLVER = "resolver"
    SITE = "site"
    HOST = "host"
    LINE = "line"
    ELSEWHERE = "elsewhere"
    ADDRESSES = "addresses"
    PUBLISHER = "publisher"

    def row(
        self, code: str, consequence: "Consequence", says: str
    ) -> "Callable[[Callable[[E], Weighing]], Explanation[E]]":
        """Makes a row of the test that it decorates; what it takes is as in ``Explanation``."""
        return lambda weigh: Explanation(code, self, consequence, says, weigh)


class Consequence(StrEnum):
    """What follows if an explanation holds, the strongest first."""

    RETRACT = "retract"
    LEAVE_OUT = "leave_out"
    RETRACT_ONCE_OVER = "retract_once_over"
    SUSPECT = "suspect"
    SAY = "say"


class Weighing(NamedTuple):
    """What weighing an explanation gives.

    Attributes:
        because: the figures that decided it.
        explains: the networks, or families of sources, that it explains, where only these are left out.
        since: from when on what was measured excludes it, unix seconds; 0 = from the beginning.
    """

    standing: Standing
    because: Reason
    explains: frozenset[int | str] = frozenset()
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation(Generic[E]):
    """One row of the table.

    Attributes:
        code: permanent; readers' sentences are found by it.
        says: the explanation in one sentence, for the methodology.
        weigh: reads the evidence of an event.
    """

    code: str
    subject: Subject
    consequence: Consequence
    says: str
    weigh: Callable[[E], Weighing]


def holds(code: str, explains: Iterable[int | str] = (), /, **params: Param) -> Weighing:
    """It explains what was seen, or may explain it.

    Args:
        explains: as in ``Weighing``.
    """
    return Weighing(Standing.HOLDS, Reason(code, params), frozenset(explains))


def excluded(code: str, **params: Param) -> Weighing:
    """Something that was measured speaks against it."""
    return Weighing(Standing.EXCLUDED, Reason(code, params))


def untested(code: str, **params: Param) -> Weighing:
    """Nothing was measured that could tell."""
    return Weighing(Standing.UNTESTED, Reason(code, params))


def in_order(rows: Iterable[Explanation[E]]) -> list[Explanation[E]]:
    """The rows as readers are told of them, whatever their order in the table."""
    return sorted(rows, key=_rank)


def _rank(row: Explanation[Any]) -> tuple[int, int, str]:
    return list(Consequence).index(row.consequence), list(Subject).index(row.subject), row.code


Answer = tuple[Explanation[Any], Weighing]
"""A row, and what weighing it gave."""


def answers(rows: Iterable[Explanation[E]], event: E) -> Iterator[Answer]:
    """What weighing each row gives, the strongest consequence first."""
    return ((row, row.weigh(event)) for row in in_order(rows))


def strongest(answers: Iterable[Answer]) -> tuple[Consequence, Reason | None]:
    """The strongest consequence of the rows that hold, and why it follows; ``SAY`` = none holds that does more."""
    for row, answer in answers:
        if answer.standing is Standing.HOLDS and row.consequence is not Consequence.SAY:
            return row.consequence, answer.because
    return Consequence.SAY, None


def for_incident(answers: Iterable[Answer]) -> tuple[Weighed, ...]:
    """How all rows stand, as the incident keeps it."""
    return tuple(Weighed(row.code, answer.standing, answer.because) for row, answer in answers)
