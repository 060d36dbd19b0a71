"""Local: the store as one process opens it: archive, facts and ledger, kept in step.

One process at a time owns it (``location.StoreLock``); within that process, one store at a time is open.

A command that only reads loads what it reads: nothing if another process has the store, the ledger's library for a list
of incidents, the engine as well for measurements.  Each takes as long to load as everything else that a command does.
"""

import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from dataclasses import replace
from functools import cached_property
from itertools import chain
from logging import getLogger
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from fanous.base.files import close_to_others, disk_errors, make_folder
from fanous.base.threads import keep_freed_memory
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY
from fanous.model.measurement import Measurement, Provenance, weakest
from fanous.model.reason import Reason
from fanous.model.verdict import Judged
from fanous.sources.marks import LAB_AUTHORITY, shown_by
from fanous.store.archive import Archive, DamagedSegment, Location, Placed, Received, Segment, tiered
from fanous.store.location import (
    FATAL,
    DataLost,
    Owner,
    StoreLocation,
    StoreLock,
    check_folder,
    check_parts,
    in_folder,
)
from fanous.store.protocol import Appended, Forgotten, Store
from fanous.store.schema import FACTS, SENT

if TYPE_CHECKING:
    from fanous.model.incident import Incident
    from fanous.sources.stream import Book
    from fanous.store.cache import Memory
    from fanous.store.database import Span
    from fanous.store.engine import Engine
    from fanous.store.facts import Admitted, Facts
    from fanous.store.ledger import Ledger


def open_store(
    where: str | Path | StoreLocation,
    *,
    read_only: bool = False,
    must_exist: bool = False,
    clock: Callable[[], float] = time.time,
    staged: bool = False,
) -> Store:
    """Open a store, creating it if it is new.

    Args:
        where: the folder that holds all three parts, or the address of each.
        read_only: the store must exist and be of this version's format; nothing can be appended.  The engine still
            reserves it for this process alone.
        must_exist: a folder without a store is an error.
        clock: unix seconds, UTC; the store's current time.  A lab passes its own.
        staged: an event is being staged: everything imported is synthetic.

    Raises:
        FanousError: another process has it (``StoreHeld``), it is not a store, it is too new, or it cannot be
            written.
    """
    if isinstance(where, StoreLocation):
        return OpenStore(where, read_only=read_only, clock=clock, staged=staged)
    location = in_folder(where)
    folder = location.archive.parent
    with disk_errors(f"open the store {folder}"):
        check_folder(folder, must_exist=read_only or must_exist)
    close_to_others(folder)
    return OpenStore(location, read_only=read_only, clock=clock, staged=staged)


class _Columns:
    """The facts of a store; the engine starts when they are first read.

    Attributes:
        engine: one that shows all rows, as ``every`` does.
        sides: real facts, then synthetic ones.
    """

    def __init__(self, location: StoreLocation, *, read_only: bool) -> None:
        self._location, self._read_only = location, read_only
        self._folders: list[tuple[int, int]] = []
        self._is_torn = False
        self._shown: tuple[frozenset[str], tuple[Facts, Facts]] | None = None

    @cached_property
    def engine(self) -> "Engine":
        from fanous.store.client import engine_at

        engine = engine_at(self._location, read_only=self._read_only)
        self._folders = self._found_folders()
        return engine

    def _found_folders(self) -> list[tuple[int, int]]:
        """Device and inode of the folders that stay the same while the engine uses them."""
        folder = self._location.engine_folder
        paths = (folder, folder / "store", folder / "metadata") if folder else ()
        return [(stat.st_dev, stat.st_ino) for path in paths if (stat := _stat(path))]

    def check_whole(self) -> None:
        """Raises ``DataLost``: the folder of the in-process engine was removed or replaced, or files in it."""
        if "engine" in vars(self) and (self._is_torn or self._folders != self._found_folders()):
            raise DataLost(
                f"the facts in {self._location.engine_folder} were removed or replaced while they were open: `fanous "
                "run` makes them again from the archive; anything else has to be started again"
            )

    def check_parts(self) -> None:
        """As ``check_whole``, but looks for each file of the engine's."""
        if "engine" in vars(self):
            self._is_torn = self._is_torn or bool(self.engine.missing())
        self.check_whole()

    def reopen(self) -> None:
        """Start the engine anew on what is there now."""
        self.close()
        for name in ("engine", "parts", "holds_older"):
            vars(self).pop(name, None)
        self._shown = None
        self._is_torn = False
        self.start()

    def start(self) -> "Engine":
        """Start the engine now, so that an error stops the opening of the store."""
        return self.engine

    @cached_property
    def parts(self) -> "tuple[Facts, Facts, Facts]":
        """Real facts, synthetic ones, and all of them."""
        from fanous.store.facts import Facts

        return *self._sides(), Facts(self.engine, read_only=self._read_only)

    @property
    def sides(self) -> "tuple[Facts, Facts]":
        return self.parts[:2]

    @property
    def every(self) -> "Facts":
        return self.parts[2]

    def showing(self, targets: "frozenset[str]", memory: "Memory | None") -> "tuple[Facts, Facts]":
        """As ``sides``, of these targets only, with answers that are kept in the memory."""
        if self._shown is None or self._shown[0] != targets:
            self._shown = targets, self._sides(targets)
        real, synthetic = self._shown[1]
        return (
            (real, synthetic) if memory is None else (real.remembering(memory), synthetic.remembering(memory))
        )

    def _sides(self, targets: "frozenset[str] | None" = None) -> "tuple[Facts, Facts]":
        from fanous.store.facts import Facts

        real, synthetic = (
            Facts(
                self.engine.showing(synthetic=side, targets=targets),
                read_only=self._read_only,
                synthetic=side,
            )
            for side in (False, True)
        )
        return real, synthetic

    @cached_property
    def holds_older(self) -> bool:
        """Asked once, since it reads every name, and no such name, a whole digest, is ever added."""
        return bool(self.engine.rows("SELECT 1 FROM measurements WHERE length(uid) = 64 LIMIT 1"))

    def close(self) -> None:
        if "engine" in vars(self):
            self.engine.close()


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


class OpenStore:
    """What ``open_store`` returns; ``protocol.Store`` documents each method.

    Attributes:
        left_by: the process that died with the store open, if one did.
    """

    def __init__(
        self, location: StoreLocation, *, read_only: bool, clock: Callable[[], float], staged: bool = False
    ) -> None:
        self.now = clock
        self.staged = staged
        self._location = location
        self.is_synthetic = False
        self._read_only = read_only
        self._swept = False
        check_parts(location)
        with disk_errors(f"make the store at {location.archive}"):
            for folder in (location.archive, location.lock.parent):
                make_folder(folder)
        close_to_others(location.archive)
        # A server has many readers; an in-process engine has one owner, even for reading.
        shared = read_only and location.engine_folder is None
        self._lock = None if shared else StoreLock(location.lock, location.locked)
        self.left_by: Owner | None = self._lock.left_by if self._lock else None
        writes = self._lock is not None and not read_only
        self._fatal = location.lock.with_suffix(FATAL) if writes else None
        self.archive = archive_at(location)
        self._in_bucket = bool(location.bucket)
        self._columns = _Columns(location, read_only=read_only)
        self._memory: Memory | None = None
        try:
            from fanous.store.ledger import Ledger

            # Name of the one process that may have the lock: when it dies, its successor has the same name.
            owner = f"{socket.gethostname()}:{location.lock}" if self._lock else ""
            self.ledger = Ledger(location.ledger, clock, owner, read_only=read_only)
        except BaseException:
            self._release()
            raise
        try:
            if not read_only:
                keep_freed_memory()
                self._columns.start()
        except BaseException:
            self.ledger.close()
            self._release()
            raise
        if not read_only:
            give_provenance(self.archive, self._columns, self.ledger)

    @property
    def facts(self) -> "Facts":
        targets = self.ledger.watched
        sides = self._columns.sides if targets is None else self._columns.showing(targets, self._memory)
        return sides[self.is_synthetic]

    def of(self, provenance: Provenance) -> Store:
        return self.sides()[provenance.is_synthetic]

    def sides(self) -> tuple[Store, Store]:
        other = copy(self)
        other.is_synthetic = not self.is_synthetic
        return (other, self) if self.is_synthetic else (self, other)

    def countries(self) -> list[str]:
        return sorted({name for side in self.sides() for name in side.facts.countries()})

    def about(self, country: str | None = None) -> Store:
        real, synthetic = self.sides()
        real_countries, staged = real.facts.countries(), synthetic.facts.countries()
        is_staged = (
            country in staged and country not in real_countries
            if country
            else bool(staged) and not real_countries
        )
        return synthetic if is_staged else real

    @cached_property
    def book(self) -> "Book":
        from fanous.sources.stream import Book  # loads the readers of files, which no query needs

        return Book(self._fatal)

    def close(self) -> None:
        self._columns.close()
        self.ledger.close()
        self._release()

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def check_whole(self, *, files: bool = False) -> None:
        self.ledger.check_whole()
        if files:
            self._columns.check_parts()
        self._columns.check_whole()

    def reopen(self) -> bool:
        lost = False
        for check, reopen in (
            (self.ledger.check_whole, self.ledger.reopen),
            (self._columns.check_whole, self._columns.reopen),
        ):
            try:
                check()
            except DataLost:
                reopen()
                lost = True
        if lost and self._lock:
            self._lock.protect(self._location.locked)
        self._swept = self._swept and not lost
        return lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def for_readers(self, memory: "Memory | None" = None) -> Store:
        reader = copy(self)
        reader.ledger = self.ledger.for_readers()
        reader._memory = memory
        return reader

    def append(
        self,
        batch: Sequence[Judged],
        *,
        rules_version: str,
        received_at: float | None = None,
        undetected: "Span | None" = None,
    ) -> Appended:
        from fanous.store.database import spans_of

        self._may_write()
        if not self._swept:
            self._refuse_unfinished()
        admitted = self._admitted(batch)
        entering = [pair for side in admitted.values() for pair in side.entering]
        fresh = [judged for _, judged in entering]
        headers = [judged.parsed.measurement for judged in fresh]
        if undetected is not None:
            earliest, latest = undetected
            within = [
                judged for judged in fresh if earliest <= judged.parsed.measurement.started_at <= latest
            ]
            here = [
                (judged.parsed.measurement.country, judged.parsed.measurement.started_at) for judged in within
            ]
            self.ledger.mark_undetected(spans_of([*here, *self._compared_with(within)]))
        at = self.now() if received_at is None else received_at
        self._swept = False  # until the marker is written, there is something to finish
        received = [
            Received(judged.record, header.country, header.test_name)
            for judged, header in zip(fresh, headers, strict=True)
        ]
        locations = self.archive.append(received, at)
        for side, found in admitted.items():
            self.of(side).facts.give_way(found)
        placed = [Placed(judged, place, at) for judged, place in zip(fresh, locations, strict=True)]
        self.facts.add(placed, Counter([place.segment for place in locations]), rules_version)
        self._swept = True
        return Appended(len(fresh), len(batch) - len(fresh), frozenset([id(came) for came, _ in entering]))

    def _compared_with(self, batch: Sequence[Judged]) -> Iterator[tuple[str, float]]:
        """Country and time of each incident that these measurements may decide, as controls from abroad."""
        of_target: dict[str, list[Measurement]] = defaultdict(list)
        for judged in batch:
            for target in {verdict.target for verdict in judged.verdicts}:
                of_target[target].append(judged.parsed.measurement)
        if not of_target:
            return
        times = [judged.parsed.measurement.started_at for judged in batch]
        for incident in self.ledger.incidents(since=min(times) - DAY, until=max(times) + DAY):
            for measurement in chain.from_iterable(of_target.get(target, ()) for target in incident.targets):
                is_near = incident.onset - DAY <= measurement.started_at < incident.until + DAY
                if is_near and measurement.country != incident.country:
                    yield incident.country, measurement.started_at

    def holds_older(self) -> bool:
        return self._columns.holds_older

    def _admitted(self, batch: Iterable[Judged], *, whole: bool = False) -> "dict[Provenance, Admitted]":
        """What is added on each side, separately: no one can keep a real record out by sending a synthetic one
        first."""
        sides: dict[Provenance, list[Judged]] = {Provenance.REAL: [], Provenance.SYNTHETIC: []}
        for judged in batch:
            is_synthetic = judged.record.provenance.is_synthetic
            sides[Provenance.SYNTHETIC if is_synthetic else Provenance.REAL].append(judged)
        older = whole and self.holds_older()
        return {side: self.of(side).facts.admit(p, whole=whole, older=older) for side, p in sides.items()}

    def _may_write(self) -> None:
        if self._read_only:
            from fanous.store.engine import READ_ONLY

            raise FanousError(READ_ONLY)

    def _refuse_unfinished(self) -> None:
        """Refuse to append: records of an unfinished segment are not known yet, and would be kept twice."""
        unfinished = next(self.unfinished(), None)
        if unfinished:
            raise FanousError(
                f"an interrupted run left {unfinished.name} without facts: finish it first with `fanous ingest`"
            )

    def forget(self, probes: Iterable[str]) -> Forgotten:
        from fanous.store.database import spans_of

        self._may_write()
        if not self._swept:
            self._refuse_unfinished()
        names = list(probes)
        every = self._columns.every
        records = [*every.records_of(names)]
        for segment, lines in self._strangers_of(names):
            records += every.records_at(segment, lines)
        found = list({record[:2]: record for record in records}.values())
        uids = [uid for uid, *_ in found]
        here = set(self.archive.segments())
        given_way = [location for location in every.aside(names, uids) if location.segment in here]
        positions: dict[Segment, set[int]] = {}
        for location in chain((location for _, location, _, _ in found), given_way):
            positions.setdefault(location.segment, set()).add(location.position)
        spans = spans_of((country, made) for _, _, country, made in found)
        self.ledger.mark_undetected(spans)
        self._swept = not positions
        for segment, gone in positions.items():
            # The rest of a segment is written first and its facts last, so that a crash loses nothing of it
            # (``recover`` leaves out what is known); in between, the whole segment goes.
            self.archive.without(segment, gone)
            self.facts.remove([segment])
            self.archive.remove(segment)
        every.forget_keys(names, uids, given_way)
        return Forgotten(len(found), spans)

    def _strangers_of(self, reports: Sequence[str]) -> Iterator[tuple[Segment, list[int]]]:
        """Where the records of these reports are that strangers sent, which count for their sender instead."""
        tests = {part for report in reports for part in report.split("_")[1:2]}
        since = min((report[:8] for report in reports), default="")
        written = [f'"report_id":"{report}"'.encode() for report in reports]
        for segment in self.archive.segments():
            if segment.provenance != Provenance.UNVOUCHED and segment.assumed is not Provenance.REAL:
                continue
            if segment.source != SENT or segment.test_name not in tests or segment.hour[:8] < since:
                continue
            found = [
                record.line - 1
                for record in self.archive.records(segment)
                if any(name in record.data for name in written)
            ]
            yield from ((segment, chunk) for chunk in _by_some(found))

    def unfinished(self) -> Iterator[Segment]:
        if not self._read_only:
            self.archive.sweep()
        yield from self.archive.unmarked(self.facts.marked())
        self._swept = True

    def finish(self, segment: Segment, judged: Sequence[Judged], *, rules_version: str) -> None:
        self.replace_verdicts({segment: judged}, rules_version=rules_version)

    def replace_verdicts(self, judged: Mapping[Segment, Sequence[Judged]], *, rules_version: str) -> int:
        self._may_write()
        self.facts.remove(list(judged))
        admitted = self._admitted((r for all_of_it in judged.values() for r in all_of_it), whole=True)
        for side, one in admitted.items():
            self.of(side).facts.give_way(one)
        self._set_aside(judged, admitted)
        entering = {id(came): own for side in admitted.values() for came, own in side.entering}
        placed = {
            segment: [
                Placed(own, Location(segment, record.record.line - 1), at)
                for record in all_of_it
                if (own := entering.get(id(record)))
            ]
            for segment, all_of_it in judged.items()
            for at in [self.archive.received_at(segment)]
        }
        kept = {segment: len(records) for segment, records in placed.items()}
        self.facts.add([record for records in placed.values() for record in records], kept, rules_version)
        return sum(kept.values())

    def _set_aside(
        self, judged: Mapping[Segment, Sequence[Judged]], admitted: "Mapping[Provenance, Admitted]"
    ) -> None:
        """Remember where raw records without a measurement are, since ``forget`` must find them."""
        from fanous.store.facts import aside

        segments = {id(record): segment for segment, all_of_it in judged.items() for record in all_of_it}
        for side, result in admitted.items():
            keys = [
                key
                for record, uid in result.doubles
                for key in aside(
                    record.parsed.measurement, uid, Location(segments[id(record)], record.record.line - 1)
                )
            ]
            self.of(side).facts.remember(keys)

    def movable(self, before: float) -> list[Segment]:
        if self._in_bucket:
            return []
        whole = self.facts.marked()
        here = Archive(self.archive.folder).segments()
        return [
            segment
            for segment in here
            if segment.begins + AN_HOUR <= before and segment.name in whole and self.archive.is_whole(segment)
        ]

    def thinnable(self, before: float) -> list[Segment]:
        return [segment for segment in self.movable(before) if self.archive.can_be_thinned(segment)]

    def thin(self, segment: Segment, kept: Set[int]) -> int:
        self._may_write()
        return self.archive.thin(segment, kept)

    def move(self, segment: Segment, url: str) -> None:
        self._may_write()
        from fanous.store.bucket import TieredArchive, begin

        begin(self.archive.folder, url, self.now())
        if not isinstance(self.archive, TieredArchive):
            self.archive = TieredArchive(self.archive.folder, url)
        self.archive.move(segment)


AN_HOUR = 3600.0
"""Seconds: a segment takes records that come within its hour, so its age is known only after that."""


def archive_at(location: StoreLocation) -> Archive:
    """Where raw records are kept."""
    if location.bucket:
        from fanous.store.bucket import BucketArchive

        return BucketArchive(location.bucket, location.archive)
    if url := tiered(location.archive):
        from fanous.store.bucket import TieredArchive

        return TieredArchive(location.archive, url)
    return Archive(location.archive)


# --- stores from before December 2026 ------------------------------------------------------------------------
# Provenance, and state as fields, are completed once, when such a store is opened; if that is killed, it runs again.  A
# record has the weakest provenance of its segment and of what it shows itself (``Archive.records``).  In stores from
# before November 2026, one that reached a server of the lab is synthetic, too; the name of the lab's authority counts
# here and nowhere else, since anyone who answers a probe could write it into a certificate.  An incident has the
# weakest provenance of the measurements that saw it: one that stated another gets a revision.

SOME = 1000
"""Records per statement."""

_AT = """
SELECT uid FROM measurements WHERE segment = {segment:String} AND position IN {positions:Array(UInt32)}
"""
_OF_LAB = "SELECT DISTINCT uid FROM observations WHERE cert_issuer = {authority:String} AND vantage = 'probe'"

T = TypeVar("T")

log = getLogger("fanous.store")


def give_provenance(archive: Archive, columns: _Columns, ledger: "Ledger") -> None:
    """Complete what is known of provenance; does nothing if that has already been done."""
    from fanous.store.database import with_codes

    if ledger.knows_provenance():
        return
    engine, every = columns.engine, columns.every
    _weaken(archive, engine)
    if ledger.states_provenance():
        _revise_unvouched(columns.sides[0], ledger)
        ledger.know_provenance()
        return
    for uids in _by_some([uid for (uid,) in engine.rows(_OF_LAB, authority=LAB_AUTHORITY)]):
        _change(engine, Provenance.SYNTHETIC, "uid IN {names:Array(String)}", uids)
    _detect_again(every, ledger)
    known = {country: every.provenances(country, 0, inf) for country in every.countries()}

    def completed(incident: "Incident") -> "Incident":
        return with_codes(
            replace(incident, provenance=every.provenance_of(incident, known.get(incident.country, set())))
        )

    ledger.complete(completed)


def _weaken(archive: Archive, engine: "Engine") -> None:
    """Give the facts of old segments the provenance that their records show."""
    known = {Provenance.UNVOUCHED, Provenance.SYNTHETIC}
    old = [
        segment
        for segment in archive.segments()
        if not segment.provenance or (segment.source == SENT and segment.provenance not in known)
    ]
    if not old:
        return
    log.info(logline("upgrading", looks_for="records that no one vouches for", segments=len(old)))
    whole: list[str] = []
    for segment in old:
        shown = _shown(archive, segment)
        if set(shown) == {Provenance.UNVOUCHED}:
            whole.append(segment.name)
            continue
        for weaker in known.intersection(shown):
            for positions in _by_some([n for n, provenance in enumerate(shown) if provenance is weaker]):
                rows = engine.rows(_AT, segment=segment.name, positions=positions)
                _change(engine, weaker, "uid IN {names:Array(String)}", [uid for (uid,) in rows])
    for names in _by_some(whole):
        _change(engine, Provenance.UNVOUCHED, "segment IN {names:Array(String)}", names)


def _shown(archive: Archive, segment: Segment) -> list[Provenance]:
    """The provenance of each record; nothing vouches for what cannot be read."""
    try:
        entries = archive.entries(segment)
    except DamagedSegment as error:
        log.warning(logline("unusable", segment=segment.name, why=str(error)))
        return [] if segment.assumed is Provenance.IMPORTED else [Provenance.UNVOUCHED]
    shown = (shown_by(entry) if isinstance(entry, bytes) else segment.assumed for entry in entries)
    return [weakest((segment.assumed, provenance)) for provenance in shown]


def _change(engine: "Engine", provenance: Provenance, condition: str, names: Sequence[str]) -> None:
    for table in FACTS:
        engine.change(table, f"provenance = '{provenance}'", condition, names=names)


def _revise_unvouched(facts: "Facts", ledger: "Ledger") -> None:
    """Append a revision to each incident that turns out to rest on what strangers sent."""
    known: dict[str, set[Provenance]] = {}
    for incident in ledger.incidents(synthetic=False):
        country = incident.country
        if country not in known:
            known[country] = facts.provenances(country, 0, inf)
        provenance = facts.provenance_of(incident, known[country])
        if provenance is Provenance.UNVOUCHED is not incident.provenance:
            ledger.note_method("")
            why = Reason("unvouched"), *incident.reasons
            ledger.put(replace(incident, provenance=provenance), why, known_as=incident.id)


def _detect_again(every: "Facts", ledger: "Ledger") -> None:
    """Countries in which staged and other records were mixed: their incidents have to be detected again."""
    for country in every.countries():
        span, found = every.span(country), every.provenances(country, 0, inf)
        if span is not None and len(found) > 1 and Provenance.SYNTHETIC in found:
            ledger.mark_undetected({country: span})


def _by_some(values: Sequence[T]) -> Iterator[list[T]]:
    return (list(values[start : start + SOME]) for start in range(0, len(values), SOME))
