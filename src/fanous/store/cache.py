"""Cache: the newest values that fit into a number of bytes, and answers about facts, since several pages, and several
parts of a page, ask for the same ones.

A limit on the number of values says nothing about memory: the votes of a country in which much is measured take as
much room as thousands of other answers.

A question whose answer may be cached is declared so (``remembered``): for how long the answer is valid, and whether
only the arrival of measurements can change it.  The store knows cheaply what has arrived
(``CoverageFacts.brought_in``), so such an answer stays valid until then.  Facts without a memory ask the store each
time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, wraps
from inspect import signature
from math import inf
from sys import getsizeof
from threading import Lock
from time import monotonic
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """May be used by several threads.

    Args:
        most: bytes of all values together; the newest value is kept even if it is larger.
        size_of: bytes of a value.

    Attributes:
        size: bytes of all values together.
    """

    def __init__(self, most: int, size_of: Callable[[V], int]) -> None:
        self.most, self.size = most, 0
        self._size_of = size_of
        self._guard = Lock()
        self._kept: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def get(self, key: K) -> V | None:
        """The value, which counts as new again."""
        with self._guard:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
            return kept[1]

    def put(self, key: K, value: V) -> None:
        """Keep a value in place of the previous one; the oldest others give way."""
        size = self._size_of(value)
        with self._guard:
            if key in self._kept:
                self.size -= self._kept.pop(key)[0]
            self._kept[key] = size, value
            self.size += size
            while self.size > self.most and len(self._kept) > 1:
                self.size -= self._kept.popitem(last=False)[1][0]


SAMPLED = 1000
"""Elements of a longer sequence that are looked at: looking at all took a third of a page's time."""


def size_of(answer: Any) -> int:
    """About how many bytes an answer takes, with everything in it, each object once."""
    seen: set[int] = set()

    def of(value: Any) -> float:
        if value is None or id(value) in seen:
            return 0
        seen.add(id(value))
        parts: Any = ()
        if hasattr(value, "dtype"):  # an array; numpy is not loaded for this
            parts = value if value.dtype.hasobject else ()
        elif isinstance(value, Mapping):
            parts = [*value.keys(), *value.values()]
        elif isinstance(value, set | frozenset):
            parts = list(value)
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            parts = value
        elif is_dataclass(value):
            parts = [getattr(value, field.name) for field in fields(value)]
        sample = parts[:: max(len(parts) - 1, 0) // SAMPLED + 1]
        return getsizeof(value) + sum(map(of, sample)) * len(parts) / max(len(sample), 1)

    return round(of(answer))


P = ParamSpec("P")
T = TypeVar("T")

LONGEST_SECONDS = 600.0
"""Longest validity, since with facts on a server another process may delete rows during a query."""

MOST_BYTES = 32 << 20
"""Bytes of all cached answers together; most take some kilobytes, the votes of a country with 40,000 measurements 15
MB.
"""


class Arriving(Protocol):
    """Facts that know what has arrived."""

    def brought_in(self) -> Mapping[str, tuple[int, int]]: ...


class Remembering(Protocol):
    """A part of the facts, which may have a memory."""

    memory: "Memory | None"
    synthetic: bool


F = TypeVar("F", bound=Remembering)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer to a query, and the state of the data that it was made from.

    Attributes:
        at: monotonic seconds of the query.
        mark: of the data that had arrived by then.
    """

    at: float
    mark: Hashable
    answer: Any


class Memory:
    """Keeps the newest answers, of real and of synthetic facts; used only in the store's thread.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._answers: Cache[Hashable, KeptAnswer] = Cache(MOST_BYTES, size_of)
        self._changed = -inf

    @property
    def size(self) -> int:
        """Bytes of all kept answers."""
        return self._answers.size

    def forget(self) -> None:
        """Something changed, so only answers that are still valid are kept."""
        self._changed = self._clock()

    def answer(self, key: Hashable, ask: Callable[[], T], seconds: float, mark: Hashable) -> T:
        """The kept answer if it is valid, or a new one.

        Args:
            seconds: how long it is valid regardless of what arrives.
            mark: of the measurements that it depends on (``brought_in``); ``None`` = it depends on more than those.
        """
        kept, now = self._answers.get(key), self._clock()
        if kept is not None and mark is not None and kept.mark == mark:  # nothing has arrived since
            is_good = now - kept.at < LONGEST_SECONDS
        else:
            is_good = kept is not None and kept.at > self._changed and now - kept.at < seconds
        if kept is None or not is_good:
            kept = KeptAnswer(now, mark, ask())
            self._answers.put(key, kept)
        return cast(T, kept.answer)


def remembered(
    seconds: float, *, of_measurements: bool = False
) -> Callable[[Callable[Concatenate[F, P], T]], Callable[Concatenate[F, P], T]]:
    """A question whose answer may be kept, if the facts have a memory.

    Args:
        seconds: how long the answer is valid regardless of what arrives.
        of_measurements: it changes only when measurements arrive: from the country that is the question's first
            argument, or from any country if that is not one.
    """

    def declare(question: Callable[Concatenate[F, P], T]) -> Callable[Concatenate[F, P], T]:
        parameters = signature(question)

        @wraps(question)
        def asked(facts: F, /, *args: P.args, **named: P.kwargs) -> T:
            memory = facts.memory
            if memory is None:
                return question(facts, *args, **named)
            bound = parameters.bind(facts, *args, **named)
            bound.apply_defaults()
            _, *given = bound.args
            key = facts.synthetic, question.__name__, _fixed(given)
            mark: Hashable = None
            if of_measurements:
                # Each part is one of ``Facts``, and another one of these knows what has arrived.
                marks = cast(Arriving, facts).brought_in()
                mark = marks.get(given[0], (0, 0)) if isinstance(given[0], str) else tuple(marks.items())
            return memory.answer(key, partial(question, facts, *args, **named), seconds, mark)

        return asked

    return declare


def _fixed(value: Any) -> Hashable:
    """Lists become tuples, so that they can be part of a key."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_fixed(element) for element in value)
    return cast(Hashable, value)
