"""Protocol: the interface of a store, and the only way to reach it from other threads.

Times are unix seconds, UTC, and windows half-open ``[since, until)``.  A method that writes raises
``FanousError`` if the operator can help (disk full, no write permission) and has then acknowledged nothing;
what was acknowledged before stays.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

# Most modules use a store only in their signatures, so they need no engine, and start without one.
if TYPE_CHECKING:
    from fanous.model.measurement import Provenance, Record
    from fanous.model.verdict import Judged
    from fanous.sources.stream import Book
    from fanous.store.archive import Location, Reference, Refetch, Segment
    from fanous.store.cache import Memory
    from fanous.store.database import Span
    from fanous.store.facts import Facts
    from fanous.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of a batch; all of it is on disk when this is returned.

    Attributes:
        stored: measurements that are new.
        duplicate: measurements that were already stored, or occur again in the batch.
        fresh: ``id()`` of those in the batch that are new.
    """

    stored: int
    duplicate: int
    fresh: frozenset[int]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was permanently deleted from a store.

    Attributes:
        measurements: how many.
        spans: country -> (first, last) instant of these; unix seconds, UTC.
    """

    measurements: int
    spans: dict[str, tuple[float, float]]


class Records(Protocol):
    """The public part of the archive; only the store writes to it."""

    def segments(self) -> "Iterator[Segment]":
        """All segments, in order of receipt."""

    def records(
        self, segment: "Segment", wanted: "Set[int] | None" = None, refetch: "Refetch" = ...
    ) -> "Iterator[Record]":
        """The raw records of a segment.

        Args:
            wanted: lines, 1-based; ``None`` = all.
            refetch: fetches those that are kept by reference; without it, a segment that has some counts as damaged.

        Raises:
            DamagedSegment: before the first record.
            FanousError: a publisher cannot be reached now.
        """

    def read(self, location: "Location") -> "bytes | Reference":
        """One raw record, or where it is published."""

    def damaged(self) -> "Iterator[tuple[Segment, str]]":
        """Segments on this machine whose content is not what was written, and what is wrong; reads them all."""


class Store(Protocol):
    """Three parts, and operations on more than one of them.  A context manager: leaving it closes the
    store.
    """

    @property
    def archive(self) -> Records:
        """Raw records.  Do not keep a reference: ``move`` may replace it."""

    @property
    def facts(self) -> "Facts":
        """Everything read from measurements, and the series of public sources."""

    @property
    def ledger(self) -> "Ledger":
        """Incidents, and what people and processes record about them."""

    @property
    def book(self) -> "Book":
        """The records that ended the process that read them."""

    @property
    def staged(self) -> bool:
        """Is everything imported while it is open synthetic?"""

    @property
    def is_synthetic(self) -> bool:
        """Which facts does it show: only synthetic ones, or only the others?"""

    def of(self, provenance: "Provenance") -> "Store":
        """The same store, showing the facts of this provenance: only synthetic ones, or only the others.

        The two are unaware of each other, so a staged event cannot change anything said about a real one.
        """

    def sides(self) -> "tuple[Store, Store]":
        """The same store twice: showing all but synthetic facts, and showing only these."""

    def countries(self) -> list[str]:
        """All countries about which there is any data, synthetic or not."""

    def about(self, country: str | None = None) -> "Store":
        """The same store, showing synthetic facts about a country only if it has no others.

        Args:
            country: ``None`` = the world.
        """

    def for_readers(self, memory: "Memory | None" = None) -> "Store":
        """The same store for publishing: without incidents that the operator reserves for the desk until a person
        has approved them, and without the names of targets that no one watches, and what was measured of these.

        Args:
            memory: keeps answers about facts; incidents, claims and events are never kept.
        """

    def append(
        self,
        batch: "Sequence[Judged]",
        *,
        rules_version: str,
        received_at: float | None = None,
        undetected: "Span | None" = None,
    ) -> Appended:
        """Store measurements: raw records first, then facts.  Everything is on disk when it returns.

        Measurements that are known, or occur twice in the batch, are counted as duplicates and left out; a full
        record replaces rows of a table (``store.facts``).

        Args:
            received_at: ``None`` = now.
            undetected: new measurements made between these two instants are marked for detection
                before they are stored, so that a crash forgets none; ``None`` = nothing is marked.

        Raises:
            FanousError: also if a crash left segments that must be finished first (``recover``).
        """

    def holds_older(self) -> bool:
        """Does it hold measurements under names from before November 2026, which were derived from whole records?"""

    def forget(self, probes: Iterable[str]) -> Forgotten:
        """Delete all measurements of these probes, including raw records; nothing of them is left in the
        store.

        Other records in their segments are left unfinished (``recover`` judges them again), and the spans are
        marked for detection.  After a crash in the middle, call ``recover``, then this again.

        Args:
            probes: as in ``Measurement.probe`` (OONI's report ids).
        """

    def unfinished(self) -> "Iterator[Segment]":
        """Segments left without facts by a crash, in order of receipt."""

    def finish(self, segment: "Segment", judged: "Sequence[Judged]", *, rules_version: str) -> None:
        """Replace the facts of one segment, crash-safe.

        Args:
            judged: the segment's judged ``records``; one that can no longer be used may be missing.
        """

    def replace_verdicts(self, judged: "Mapping[Segment, Sequence[Judged]]", *, rules_version: str) -> int:
        """``finish`` for several segments at once, which is cheaper; returns how many measurements they have.

        A measurement that is also in another segment is left out, or replaces that one (``store.facts``).
        """

    def movable(self, before: float) -> "list[Segment]":
        """Whole segments in a local folder that were received before an instant; in order of receipt."""

    def move(self, segment: "Segment", url: str) -> None:
        """Move a segment of the local archive to the bucket; from then on it is read from there.

        Raises:
            DamagedSegment: it cannot be read, and stays where it is.
            FanousError: the bucket cannot be written, or another one has older segments already.
        """

    def thinnable(self, before: float) -> "list[Segment]":
        """Those of ``movable`` for whose records the place of publication is known."""

    def thin(self, segment: "Segment", kept: "Set[int]") -> int:
        """Replace a segment's records by references, except at the ``kept`` positions; returns how many."""

    def now(self) -> float:
        """Unix seconds, UTC, by the store's clock; anything later has not happened yet."""

    def check_whole(self, *, files: bool = False) -> None:
        """Is what was opened still there?

        Args:
            files: look for each file of the in-process engine's, which takes some milliseconds.

        Raises:
            DataLost: a part was removed or replaced.
        """

    def reopen(self) -> bool:
        """Open the parts that were removed or replaced anew; returns whether there were any.

        Missing facts are made as empty ones: call ``recover`` then, which judges the archive again.  Other references
        to ``facts`` are no longer valid.

        Raises:
            DataLost: the ledger is gone, and no other is in its place.
            FanousError: what is in its place is not a ledger, or cannot be opened.
        """

    def close(self) -> None:
        """Release it to other processes; a second call does nothing."""

    def __enter__(self) -> "Store": ...

    def __exit__(self, *exc_info: object) -> None: ...


T = TypeVar("T")


class Ask(Protocol):
    """Runs a question in the thread that owns the store, one at a time, and returns the answer.

    The store's engine works for one thread of one owner, so everyone else hands questions over and waits.
    """

    def __call__(self, question: Callable[[Store], T], /) -> Awaitable[T]: ...


class OneThread:
    """An owner for when nothing else uses the store: ``fanous demo`` and tests.

    A context manager: the store is opened, used and closed in one separate thread.

    Args:
        opening: called in that thread.
    """

    def __init__(self, opening: Callable[[], Store]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store = self._thread.submit(opening).result()

    async def ask(self, question: Callable[[Store], T], /) -> T:
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._store)

    def __enter__(self) -> "OneThread":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()
