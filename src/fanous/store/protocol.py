"""Protocol: all that the rest of Fanous asks of a store, whatever keeps it.

Times are unix seconds, UTC, and windows half-open ``[since, until)``.  A method that writes raises
``FanousError`` where the operator can mend it (disk full, no right to write) and has then acknowledged
nothing; what was acknowledged before stays.

Ask: the one way to the store from other threads.

The store's engine works for one thread of one owner, so whoever else has a question hands it over and waits.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fanous.model.claim import Claim
from fanous.model.coverage import Arrival, Look, MeasurementCount, SeriesArrival
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Approval, Incident, Interval, LineRecord, Onset, Software, Stretches
from fanous.model.measurement import Observation, Record
from fanous.model.place import Place
from fanous.model.series import Rate, RatePair, Series, SourceSeries, Votes
from fanous.model.verdict import Verdict
from fanous.store.archive import Location, Segment
from fanous.store.batch import Appended, Forgotten, Judged
from fanous.store.coverage import (
    Arrivals,
    Clocks,
    EvidenceCounts,
    Heard,
    Insufficient,
    MechanismCount,
    Soundness,
    StoredMeasurement,
)
from fanous.store.facts import Keeping
from fanous.store.leases import Work
from fanous.store.ledger import Ailing, Revision
from fanous.store.outbox import Outbox
from fanous.store.series import Pulled


class Measurements(Protocol):
    """The write path, and the way back to raw records."""

    def known(self, uids: Iterable[str], *, settled: bool = False) -> set[str]:
        """Those of ``uids`` that are stored; ask before parsing on, to save the work.

        Args:
            settled: only in segments that are whole.
        """

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

    def set_aside(self, segment: Segment, why: str) -> None:
        """Go on without a segment that cannot be read; ``damaged`` names it."""

    def damaged(self) -> list[tuple[Segment, str]]:
        """Segments set aside, and why."""

    def judged_otherwise(self, rules_version: str, country: str | None = None) -> Iterator[Segment]:
        """Segments whose verdicts are of other rules, in order of receipt; ``None`` = of all countries."""

    def segments(self) -> Iterator[Segment]:
        """All segments of the archive, in order of receipt."""

    def records(self, segment: Segment) -> Iterator[Record]:
        """The raw records of a segment.

        Raises:
            DamagedSegment: before the first record.
        """

    def read(self, location: Location) -> bytes:
        """One raw record."""

    def put_series(
        self, batch: Sequence[SourceSeries], *, fetched_at: float | None = None
    ) -> list[NDArray[np.bool_]]:
        """Keep ready-made series; on the disk when it returns, all of the batch or none.

        A bin that is stored with the same value is left; one with another value is replaced, so that late
        corrections win (of two calls the one with the later ``fetched_at``).

        Args:
            batch: each bin of a key and step at most once.
            fetched_at: when the source said so; ``None`` = now.

        Returns:
            For each of the batch, bool, shape (n,): which of its bins are new or replaced.
        """

    def put_pulled(self, source: str, country: str, pulled: Iterable[Pulled]) -> None:
        """Remember which windows of a live source are in the store; done after their levels."""


class Questions(Protocol):
    """The read path."""

    def levels(
        self,
        country: str,
        since: float = -inf,
        until: float = inf,
        signals: Sequence[str] | None = None,
        entities: Sequence[Place] | None = None,
    ) -> list[Series]:
        """Ready-made series of a country, its regions and its networks; one for each key and step.

        The key names ``source`` and ``subtype``.  ``counts`` are 1, ``controlled`` and ``measurements`` 0.
        Bins in which the source has no value are not listed; bins begin where the source says, which need
        not be at a multiple of ``step``.

        Args:
            signals: names in ``fanous.analysis.series.signals``; ``None`` = all.
            entities: ``None`` = the country and all in it.
        """

    def series_fetched(self, country: str) -> dict[str, float]:
        """Source -> when one of its values was last new or changed."""

    def pulled(self, source: str, country: str) -> list[Pulled]:
        """Windows of a live source that are in the store, by piece and time."""

    def series(
        self, country: str, since: float, until: float, step: int = 600, targets: Sequence[str] | None = None
    ) -> list[Series]:
        """``blocked_dns``, ``blocked_path`` and ``throttled`` for each network and target, as
        ``analysis.series.aggregate.series`` gives them.  ``since`` and ``until`` should be multiples of ``step``:
        a bin that the window cuts holds only what is inside.

        Args:
            targets: ``None`` = all.
        """

    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        """The same before it is gathered in bins, by time."""

    def ends(
        self, country: str, since: float, until: float, targets: Sequence[str]
    ) -> tuple[float, float] | None:
        """When the first and the last measurement was made that says yes or no of one of the targets."""

    def outcomes(
        self, country: str, since: float, until: float, targets: Sequence[str], edges: Sequence[float]
    ) -> list[MeasurementCount]:
        """Measurements that say yes or no of one of the targets, counted by network and stretch of time.

        Args:
            edges: unix seconds, ascending, where stretches begin; what is earlier counts to the first.
        """

    def working_elsewhere(self, country: str, since: float, until: float, targets: Sequence[str]) -> Votes:
        """Measurements of other countries that found all layers to work, by time (``blocked_path``)."""

    def onsets_elsewhere(
        self, country: str, targets: Sequence[str], slots: Sequence[int], width: int, before: float
    ) -> list[Onset]:
        """How the targets fared in each other country, by country.

        Args:
            slots: unix seconds // ``width`` of the times at which they failed in ``country``: *then*.
            width: seconds.
            before: seconds before the first of them that count as *before*.
        """

    def software(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[Software]:
        """What each version of a probe's software found in the intervals, by name and network."""

    def lines(
        self, country: str, targets: Sequence[str], stretches: Stretches, faults: Sequence[str]
    ) -> list[LineRecord]:
        """How each probe (not ours) that saw a target fail fared meanwhile, and all of its network together.

        Args:
            faults: mechanisms that a bad line gives as well.
        """

    def rate_pairs(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[RatePair]:
        """What the targets gave to probes on these networks in the intervals, beside other names, one a
        measurement; those without both rates are left out."""

    def failing_addresses(
        self, country: str, asns: Sequence[int], intervals: Sequence[Interval]
    ) -> dict[str, frozenset[str]]:
        """Target -> addresses to which at least half of the connections from one of these networks failed in
        the intervals."""

    def mechanisms(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[MechanismCount]:
        """Which rules said what in any of the intervals, every state included, most frequent first."""

    def evidence(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> EvidenceCounts:
        """What supports a claim about these targets on these networks in these intervals."""

    def arrived(
        self, country: str, targets: Sequence[str], since: float, until: float | None, after: float
    ) -> list[Arrival]:
        """Sound measurements of the targets, made in the window, that were received after an instant."""

    def series_arrived(
        self, country: str, since: float, until: float | None, after: float
    ) -> list[SeriesArrival]:
        """Bins of the window that came, or came with another value, after an instant; by signal."""

    def brought_in(self) -> dict[str, tuple[int, int]]:
        """Country -> a mark that is another one after measurements of it came in, were judged again or were
        taken out.  Cheap: it asks no measurement."""

    def networks(self, country: str) -> dict[int, str]:
        """ASN to the name that most of its measurements give."""

    def countries(self, since: float = -inf, until: float = inf) -> list[str]:
        """Countries with measurements or levels, sorted."""

    def span(self, country: str) -> tuple[float, float] | None:
        """When the first and the last sound measurement was made, or bin of a ready-made series began;
        ``None`` = there is none."""

    def targets(self, country: str, since: float, until: float) -> list[str]:
        """Targets of sound measurements, sorted."""

    def volume(self, country: str, since: float, until: float, step: int = 3600) -> list[Series]:
        """Sound measurements a bin, one series a network: signal ``measurements``, no target, ``counts``
        the probes.  Bins without any are not listed."""

    def heard(self, since: float, until: float) -> list[Heard]:
        """Networks of all countries with sound measurements, by country and ASN."""

    def looks(self, since: float, until: float) -> list[Look]:
        """Looks of probes at their own line, in all countries, by time; probes behind a login page are left
        out, since nothing may rest on them."""

    def arrivals(self, since: float) -> list[Arrivals]:
        """When measurements were received, by source."""

    def soundness(self, since: float) -> list[Soundness]:
        """What was received from each version of a probe's software, by name."""

    def clocks(self, since: float, slack: float) -> Clocks:
        """Of what was received: how much bears a time later than its receipt.

        Args:
            slack: seconds by which a clock may be ahead.
        """

    def rates(self, since: float, until: float) -> list[Rate]:
        """Rates of downloads under innocuous names, in all countries, by time."""

    def insufficient(self, country: str, since: float, until: float) -> list[Insufficient]:
        """Targets that were measured and of which no rule could conclude anything, most measured first.

        A symptom (``Verdict.symptom``) is no conclusion, though the detectors count it: a target here may
        be in an incident too.
        """

    def measurement(self, uid: str) -> StoredMeasurement | None:
        """``None`` = unknown."""

    def locations(self, uids: Iterable[str], since: float, until: float) -> list[Location]:
        """Where the raw records of these measurements lie, in order of receipt; unknown ones are left out."""

    def verdicts(self, uid: str) -> list[Verdict]:
        """As they were judged, in order."""

    def observations(self, uid: str) -> list[Observation]:
        """As they were parsed, in order, less bodies and headers."""


class Claims(Protocol):
    """Incidents and their revisions; what is written is never changed."""

    def put(
        self, incident: Incident, reason: str, *, known_as: str | None = None, at: float | None = None
    ) -> Incident:
        """Record what is claimed now; the same claim again changes nothing.

        Args:
            reason: why it changed, for the reader of its history.
            known_as: id of the incident that this revises; ``None`` = a new one, which gets an id.
            at: when it was claimed; ``None`` = now.

        Returns:
            The incident with its id.
        """

    def retract(self, incident_id: str, reason: str, *, at: float | None = None) -> Incident:
        """Append a revision that takes the claim back."""

    def incidents(
        self, country: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[Incident]:
        """Latest revisions that overlap the window, retracted ones included, by onset.

        Args:
            since: ``None`` = no bound; likewise ``until``.
        """

    def incident(self, incident_id: str) -> Incident | None:
        """Its latest revision."""

    def revisions(self, incident_id: str) -> list[Revision]:
        """All that was ever claimed of it, oldest first."""

    def written(self) -> tuple[int, ...]:
        """How many revisions, claims, announced events and approvals were ever written: the same = nothing is new."""


class Notes(Protocol):
    """What people put beside the incidents; written once, never changed."""

    def add_claim(self, claim: Claim, *, at: float | None = None) -> Claim:
        """Record what somebody else says; the claim comes back with its label.

        Args:
            at: when it was recorded; ``None`` = now.
        """

    def claims(self, country: str | None = None) -> list[Claim]:
        """By the time of which they speak; ``None`` = of all countries."""

    def add_event(self, event: AnnouncedEvent, *, at: float | None = None) -> AnnouncedEvent:
        """Register an announced event; the very same one again keeps its label and its first time."""

    def events(self, country: str | None = None) -> list[AnnouncedEvent]:
        """By start; ``None`` = of all countries."""

    def approve(self, approval: Approval) -> None:
        """Record that a person lets an incident pass; the latest approval of it counts."""

    def holds_national(self) -> bool:
        """Do national claims wait for a person here?"""

    def hold_national(self, hold: bool) -> None:
        """Say whether they do, from now on and for whatever process writes into this store."""

    def approvals(self) -> dict[str, Approval]:
        """Incident -> its approval."""


class Store(Measurements, Keeping, Questions, Claims, Work, Notes, Ailing, Protocol):
    """A store.  A context manager: leaving it closes it."""

    @property
    def outbox(self) -> Outbox:
        """What has to be told outside, and what became of telling it."""

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
