"""Protocol: all that the rest of Fanous asks of a store, whatever keeps it.

Times are unix seconds, UTC, and windows half-open ``[since, until)``.  A method that writes raises
``FanousError`` where the operator can mend it (disk full, no right to write) and has then acknowledged
nothing; what was acknowledged before stays.

Ask: the one way to the store from other threads.

The store's engine works for one thread of one owner, so whoever else has a question hands it over and waits.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, TypeVar

from fanous.model.measurement import Record
from fanous.store.archive import Location, Segment
from fanous.store.batch import Appended, Forgotten, Judged
from fanous.store.facts import Facts
from fanous.store.ledger import Ledger


class Records(Protocol):
    """What everybody may ask of the archive."""

    def segments(self) -> Iterator[Segment]:
        """All segments of the archive, in order of receipt."""

    def records(self, segment: Segment) -> Iterator[Record]:
        """The raw records of a segment.

        Raises:
            DamagedSegment: before the first record.
        """

    def read(self, location: Location) -> bytes:
        """One raw record."""


class Store(Protocol):
    """A store.  A context manager: leaving it closes it."""

    @property
    def archive(self) -> Records:
        """Raw records.  Ask anew each time: ``move`` may replace it."""

    @property
    def facts(self) -> Facts:
        """What is known of measurements, and the series of public sources."""

    @property
    def ledger(self) -> Ledger:
        """Incidents, and what people and workers note beside them."""

    def with_facts(self, facts: Facts) -> "Store":
        """The same store, for a reader who asks other facts in place of its own."""

    def append(
        self, batch: Sequence[Judged], *, rules_version: str, received_at: float | None = None
    ) -> Appended:
        """Keep measurements: raw records first, then facts.  On the disk when it returns.

        Measurements that are known, or come twice in the batch, are counted as duplicates and left.

        Args:
            received_at: ``None`` = now.

        Raises:
            FanousError: also where a crash left segments that must be finished first (``recover``).
        """

    def forget(self, probes: Iterable[str]) -> Forgotten:
        """Take all measurements of these probes out, raw records too; nothing of them is left in the store.

        What else lay in their segments is left unfinished (``recover`` judges it again), and the spans are
        marked as undetected.  After a crash in the middle ``recover``, then call it again.

        Args:
            probes: as ``Measurement.probe`` has them (OONI's report ids).
        """

    def unfinished(self) -> Iterator[Segment]:
        """Segments that a crash left without facts, in order of receipt."""

    def finish(self, segment: Segment, judged: Sequence[Judged], *, rules_version: str) -> None:
        """Write the facts of one segment in place of what there is, crash-safe.

        Args:
            judged: of the segment's ``records``; one that cannot be used any more may be missing.
        """

    def replace_verdicts(self, judged: Mapping[Segment, Sequence[Judged]], *, rules_version: str) -> None:
        """The same for several segments at once, which is cheaper."""

    def movable(self, before: float) -> list[Segment]:
        """Whole segments, received before an instant, that lie in a local folder; in order of receipt."""

    def move(self, segment: Segment, url: str) -> None:
        """Take a segment of the local archive to the bucket; it is read from there from then on.

        Raises:
            DamagedSegment: it cannot be read, and stays where it is.
            FanousError: the bucket cannot be written, or another one has older segments already.
        """

    def now(self) -> float:
        """Unix seconds, UTC, by the clock that the store goes by: what is later than that has not been."""

    def close(self) -> None:
        """Give it up for other processes; a second call does nothing."""

    def __enter__(self) -> "Store": ...

    def __exit__(self, *exc_info: object) -> None: ...


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
