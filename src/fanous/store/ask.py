"""Ask: the one way to the store from other threads.

The store's engine works for one thread of one owner, so whoever else has a question hands it over and waits.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, TypeVar

from fanous.store.protocol import Store

T = TypeVar("T")


class Ask(Protocol):
    """Runs a question in the thread that owns the store, one at a time, and gives its answer."""

    def __call__(self, question: Callable[[Store], T], /) -> Awaitable[T]: ...


class OneThread:
    """An owner for where nothing else uses the store: ``fanous demo`` and tests.

    A context manager: the store is opened, used and closed in one thread of its own.
    """

    def __init__(self, opening: Callable[[], Store]) -> None:
        """``opening`` is called in the thread."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store = self._thread.submit(opening).result()

    async def ask(self, question: Callable[[Store], T], /) -> T:
        """See ``Ask``."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._store)

    def __enter__(self) -> "OneThread":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()
