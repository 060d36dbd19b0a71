"""Remembering: a store that is asked for pages, and answers the same question once a while.

Pages of several languages, and several parts of one page, ask the same; with a large store each question
costs tenths of a second of its one thread.  What is claimed (incidents, claims, watches) is never remembered.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from time import monotonic
from typing import Any, cast

from fanous.store import Store

KEPT_SECONDS = {
    "networks": 300.0,
    "countries": 60.0,
    "levels_fetched": 60.0,
    "heard": 15.0,
    "volume": 15.0,
    "votes": 15.0,
    "insufficient": 60.0,
    "levels": 60.0,
}
"""Question -> seconds for which its answer is good.  Names change by the month, what was measured by the
minute."""

MOST_KEPT = 24
"""Answers: the largest, the votes of one busy country, takes some 20 MB."""


class Remembering:
    """Stands for a ``Store`` wherever pages ask; used in the store's thread alone."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._store: Store | None = None

    def of(self, store: Store) -> Store:
        """The same store, remembered."""
        if self._store is not store:
            self._store = store
            self._answers.clear()
        return cast(Store, self)

    def forget(self) -> None:
        """Something changed."""
        self._answers.clear()

    def __getattr__(self, name: str) -> Any:
        question = getattr(self._store, name)
        if name not in KEPT_SECONDS:
            return question
        return lambda *args, **named: self._asked(name, question, args, named)

    def _asked(self, name: str, question: Callable[..., Any], args: Any, named: dict[str, Any]) -> Any:
        key = (name, _fixed(args), _fixed(sorted(named.items())))
        kept = self._answers.get(key)
        if kept is not None and self._clock() - kept[0] < KEPT_SECONDS[name]:
            self._answers.move_to_end(key)
            return kept[1]
        began = self._clock()
        answer = question(*args, **named)
        self._answers[key] = began, answer
        while len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)
        return answer


def _fixed(value: Any) -> Hashable:
    """Lists as tuples, so that they can be part of a key."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_fixed(one) for one in value)
    return cast(Hashable, value)
