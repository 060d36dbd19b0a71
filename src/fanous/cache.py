"""Cache: the newest values that fit into so many bytes.

A limit on their number says nothing about memory: the votes of a country in which much is measured take as much room
as thousands of other answers.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from sys import getsizeof
from threading import Lock
from typing import Any, Generic, TypeVar

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


def size_of(answer: Any) -> int:
    """Bytes that an answer takes, with everything in it, each object once."""
    seen: set[int] = set()
    size, waiting = 0, [answer]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        size += getsizeof(one)
        if hasattr(one, "dtype"):  # an array; numpy is not loaded for this
            waiting += one.tolist() if one.dtype.hasobject else ()
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, Sequence | set | frozenset) and not isinstance(one, str | bytes):
            waiting += one
        elif is_dataclass(one):
            waiting += [getattr(one, field.name) for field in fields(one)]
    return size
