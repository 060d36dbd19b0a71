"""Shelf: replies that were just made, so that a crowd asks the store once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic

from fanous.web.reply import Reply

FRESH_SECONDS = 2.0
"""A change is on the pages after this and one rendering: well within 5 s."""

MOST_KEPT = 512
"""Replies; a hundred kilobytes each at most."""


class Shelf:
    """Keeps the newest replies; a reply is made once however many wait for it."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh = fresh_seconds
        self._kept: OrderedDict[Hashable, tuple[float, Reply]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[Reply]] = {}
        self._emptied = 0.0

    def empty(self) -> None:
        """Something changed: what was begun before now is old."""
        self._emptied = monotonic()
        self._making.clear()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """A reply not older than ``FRESH_SECONDS``.  What ``make`` raises reaches all who wait."""
        kept = self._kept.get(key)
        if kept is not None and self._is_fresh(kept[0]):
            self._kept.move_to_end(key)
            return kept[1]
        making = self._making.get(key)
        if making is None:
            making = asyncio.ensure_future(self._make(key, make))
            self._making[key] = making
        return await asyncio.shield(making)

    def _is_fresh(self, began: float) -> bool:
        return began > self._emptied and monotonic() - began < self._fresh

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        began = monotonic()
        try:
            reply = await make()
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        self._kept[key] = began, reply
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return reply
