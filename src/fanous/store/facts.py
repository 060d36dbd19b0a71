"""Facts: what was read from measurements, in columns; each measurement counts once, and a segment completely or not at
all.

A segment's rows count when its marker is in the table ``segments``.  Rows are written first and the marker
last; before a segment is written again, its marker is deleted first, then its rows.  So a crash at any point
leaves a segment either complete or without a marker, and one without a marker is simply written again.

Each query is next to its SQL: ``votes`` (votes from verdicts), ``evidence`` (what supports a claim),
``coverage`` (what was measured), ``series`` (of public sources), and here single measurements by their uid.

The same measurement may arrive again, under another name or without one.  A key leads to the uid under which it is
stored: the digest of its content, its UID where that became known later, and for a row of a table, which has no
content, test, report, input and start.  A key may lead to a uid that is gone, after a crash or a deletion, so always
check that the measurement exists.  What OONI published takes precedence over what a probe sent us, since anyone may
send a collector what OONI has already published; a full record takes precedence over rows of a table; of two equals,
the first stays.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum, auto
from hashlib import blake2b
from itertools import chain, islice
from math import isnan
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple

from fanous.model.instant import DAY
from fanous.model.measurement import Measurement, Observation, Provenance, changed, noun
from fanous.model.verdict import Judged, Verdict
from fanous.store.archive import Location, Placed, Segment, parse_name
from fanous.store.coverage import CoverageFacts
from fanous.store.engine import (
    IN_WINDOW,
    NAMED,
    Columns,
    FactsPart,
    Repeated,
    by_query,
    in_one_text,
    plain,
    ticks,
    window,
)
from fanous.store.evidence import EvidenceFacts
from fanous.store.schema import FACTS, MEASUREMENTS, OBSERVATIONS, SENT, VERDICTS
from fanous.store.series import SeriesFacts
from fanous.store.votes import CountFacts, VoteFacts

# --- the same measurement, by any name ---------------------------------------------------------------------

PUBLISHED, TABLE = "ooni", "ooni-csv"
"""Sources: what OONI publishes, and rows of it without content."""

_UNNAMED = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")
"""A uid that is a digest; before November 2026 the digest was longer."""

Key = tuple[str, str, float]
"""A key, what it leads to, and when that measurement began (unix seconds, UTC)."""


def by_uid(uid: str) -> str:
    """The key of another name of a measurement."""
    return f"uid:{uid}"


def of_probe(probe: str) -> str:
    """The key of raw records that gave way to others: each leads to where one is, so that it can be deleted."""
    return f"probe:{probe}"


def instead_of(uid: str) -> str:
    """The same, by the uid of the measurement that replaced it."""
    return f"instead:{uid}"


def _place(location: Location) -> str:
    return f"{location.segment.name}:{location.position}"


def aside(header: Measurement, uid: str, location: Location) -> list[Key]:
    """The key for a raw record whose measurement is stored from another record, under ``uid``."""
    return [(key, _place(location), header.started_at) for key in (of_probe(header.probe), instead_of(uid))]


@noun
class Candidate:
    """A measurement to be added, and everything by which it may be known.

    Attributes:
        content: digest of what was measured; empty for rows of a table.
        sent: the key of this content in this report; empty for rows of a table.
        likeness: what a row of a table shares with its measurement; empty = the row names no report.
        older: its uid as a version before November 2026 made it; empty = it has its own, or the store holds
            no such uids.
    """

    judged: Judged
    content: str
    sent: str
    likeness: str
    older: str = ""

    @property
    def header(self) -> Measurement:
        return self.judged.parsed.measurement

    @property
    def source(self) -> str:
        return self.judged.record.source

    @property
    def is_unnamed(self) -> bool:
        return _UNNAMED.fullmatch(self.header.uid) is not None

    def known_by(self) -> list[str]:
        return [key for key in (by_uid(self.header.uid), self.sent, self.content, self.likeness) if key]

    def named(self, uid: str) -> "Candidate":
        """The candidate under the UID that has become known."""
        from fanous.sources.ooni.content import stamped, unstamped

        judged, parsed, data = self.judged, self.judged.parsed, self.judged.record.data
        record = changed(judged.record, data=stamped(unstamped(data), self.content, uid))
        parsed = changed(parsed, measurement=changed(parsed.measurement, uid=uid))
        return changed(self, judged=changed(judged, record=record, parsed=parsed))


def candidate(judged: Judged, *, older: bool) -> Candidate:
    """Everything that a measurement may be known by.

    Args:
        older: the store holds measurements with names from versions before November 2026, and the record, which
            comes from its archive, may be one of them.
    """
    from fanous.sources.ooni.content import canonical_hash, content_of, uid_of, unstamped  # no query needs it

    header, record = judged.parsed.measurement, judged.record
    if record.source == TABLE:
        return Candidate(judged, "", "", likeness_of(header))
    content = header.content or content_of(record.data)
    sent, whole = uid_of(content, header.report), record.data if older else judged.came
    own = canonical_hash(unstamped(whole)) if whole and header.uid == sent else ""
    return Candidate(judged, content, sent, likeness_of(header), own)


def likeness_of(measurement: Measurement) -> str:
    """What a row of a table, which has no content, shares with its measurement; empty if it names no report."""
    from fanous.sources.ooni.content import DIGITS

    if not measurement.report:
        return ""
    told = (measurement.test_name, measurement.report, measurement.input, str(int(measurement.started_at)))
    return blake2b("\n".join(told).encode("utf-8", "replace"), digest_size=DIGITS // 2).hexdigest()


def rank(source: str) -> int:
    """Of two records of one measurement, the one with the higher rank stays."""
    return {TABLE: 0, PUBLISHED: 2}.get(source, 1)


@dataclass(slots=True)
class Admitted:
    """Which of some measurements are added.

    Attributes:
        entering: each as it came, and as it is stored.
        doubles: each of the others, and the uid under which the same measurement is stored.
        leaving: uid of a stored one that gives way -> uid of its replacement.
        keys: new keys to remember.
    """

    entering: list[tuple[Judged, Judged]] = field(default_factory=list)
    doubles: list[tuple[Judged, str]] = field(default_factory=list)
    leaving: dict[str, str] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)


def admit(
    candidates: Sequence[Candidate],
    led: dict[str, list[str]],
    sources: dict[str, str],
) -> Admitted:
    """Which candidates are added, each measurement once.

    Args:
        led: key -> uids to which it leads in the store.
        sources: uid -> source, of those that are stored.
    """
    return _Admission(led, sources).of(candidates)


class _Kind(Enum):
    """What may be wanted of the measurements to which a key leads."""

    SENT = auto()
    ROW = auto()
    UNNAMED = auto()
    UNNAMED_ROW = auto()


class _Admission:
    """Anyone may publish the same content under any number of names, so the work for one measurement does not grow
    with the number of those to which its keys lead: they are looked up by what is wanted of them."""

    def __init__(self, led: dict[str, list[str]], sources: dict[str, str]) -> None:
        self._stored = sources
        self._sources = dict(sources)
        self._led = {key: dict.fromkeys(uids) for key, uids in led.items()}
        self._by_kind: dict[tuple[str, _Kind], dict[str, None]] = {}
        for key, uids in led.items():
            for uid in uids:
                self._index(key, uid)
        self._entering: dict[str, tuple[Judged, Candidate]] = {}
        self._result = Admitted()

    def of(self, candidates: Sequence[Candidate]) -> Admitted:
        for candidate in candidates:
            known = self._known(candidate)
            best = max(known, key=lambda uid: rank(self._sources[uid]), default=None)
            if best is None or rank(candidate.source) > rank(self._sources[best]):
                self._take_over(candidate, known)
            else:
                self._learn(candidate, best)
                self._result.doubles.append((candidate.judged, best))
        self._result.entering = [(came, double.judged) for came, double in self._entering.values()]
        return self._result

    def _known(self, candidate: Candidate) -> list[str]:
        """The uids under which the same measurement is stored: rows of a table and a record sent to us may both
        exist."""
        uids = [uid for uid in (candidate.header.uid, candidate.older) if uid in self._sources]
        uids += self._stored_by(by_uid(candidate.header.uid))
        uids += [uid for uid in self._stored_by(candidate.sent) if self._sources[uid] != TABLE]
        uids += self._same_content(candidate)
        if not any(TABLE in (self._sources[uid], candidate.source) for uid in uids):
            uids += self._alike(candidate)
        return list(dict.fromkeys(uids))

    def _same_content(self, candidate: Candidate) -> Iterator[str]:
        """What probes sent us and what was published have the same content; what takes precedence ends the search."""
        if candidate.source != SENT:
            among = self._stored_by(candidate.content, _Kind.SENT)
            yield from (uid for uid in among if self._sources[uid] == SENT)
            return
        for uid in self._stored_by(candidate.content):
            if self._sources[uid] != SENT:
                yield uid
            if self._sources[uid] == PUBLISHED:
                return

    def _alike(self, candidate: Candidate) -> list[str]:
        """The likeness of row and record: the UID decides; only if the record has none, what they share does."""
        if candidate.source == TABLE:
            kind = None if candidate.is_unnamed else _Kind.UNNAMED
        else:
            kind = _Kind.ROW if candidate.is_unnamed else _Kind.UNNAMED_ROW
        among = self._stored_by(candidate.likeness, kind)
        return list(islice((uid for uid in among if TABLE in (self._sources[uid], candidate.source)), 1))

    def _stored_by(self, key: str, kind: _Kind | None = None) -> Iterator[str]:
        """Of those to which a key leads, the stored ones that were of a kind when they were indexed."""
        led = self._led.get(key, ()) if kind is None else self._by_kind.get((key, kind), ())
        return (uid for uid in led if uid in self._sources)

    def _index(self, key: str, uid: str) -> None:
        source, is_unnamed = self._sources.get(uid), _UNNAMED.fullmatch(uid) is not None
        if source == PUBLISHED and not is_unnamed:
            return  # nearly all
        is_row = source in (TABLE, None)  # none = it is gone, but may come again
        kinds = {
            _Kind.SENT: is_row or source == SENT,  # a row gives way to a record under its uid
            _Kind.ROW: is_row,
            _Kind.UNNAMED: is_unnamed,
            _Kind.UNNAMED_ROW: is_row and is_unnamed,
        }
        for kind, is_of_it in kinds.items():
            if is_of_it:
                self._by_kind.setdefault((key, kind), {})[uid] = None

    def _take_over(self, candidate: Candidate, known: Sequence[str]) -> None:
        """Add it, and let stored records of the same measurement give way."""
        came = candidate.judged
        rows = next((uid for uid in known if self._sources[uid] == TABLE), None)
        if rows and candidate.is_unnamed:
            candidate = candidate.named(rows)
        uid = candidate.header.uid
        for former in known:
            if former in self._stored:
                self._result.leaving[former] = uid
            if former in self._entering:
                self._result.doubles.append((self._entering.pop(former)[0], uid))
            self._sources.pop(former)
            if former != uid:
                self._lead(by_uid(former), candidate.header)
        self._entering[uid] = came, candidate
        self._sources[uid] = candidate.source
        self._learn(candidate, uid)

    def _learn(self, candidate: Candidate, uid: str) -> None:
        header = candidate.header
        for key in candidate.known_by():
            if key != by_uid(uid):
                self._lead(key, changed(header, uid=uid) if header.uid != uid else header)

    def _lead(self, key: str, to: Measurement) -> None:
        led = self._led.setdefault(key, {})
        self._index(key, to.uid)
        if to.uid not in led:
            led[to.uid] = None
            self._result.keys.append((key, to.uid, to.started_at))


MOST_LED = 1000
"""Measurements to which one key leads that are looked at.  Real keys lead to one or two; a thousand have the same
content only if it is published again and again, and then one more that counts twice makes no difference."""

_LED = f"""
SELECT key, leads_to FROM identities WHERE {IN_WINDOW} AND key IN {NAMED}
ORDER BY leads_to LIMIT {MOST_LED} BY key
"""
_SOURCES = f"SELECT uid, any(source) FROM measurements WHERE uid IN {NAMED}"
_WHOLE = " AND segment IN (SELECT segment FROM segments)"
_LEADS = "SELECT DISTINCT leads_to FROM identities WHERE key IN {keys:Array(String)} ORDER BY leads_to"
_FORMER = (
    "SELECT key FROM identities WHERE leads_to IN {uids:Array(String)} AND startsWith(key, {start:String})"
)
_PLACES = """
SELECT uid, probe, toUnixTimestamp64Micro(started_at) / 1000000, segment, position FROM measurements
WHERE uid IN {uids:Array(String)}
"""


class IdentityFacts(FactsPart):
    """Under which uids measurements are stored."""

    def admit(self, batch: Sequence[Judged], *, whole: bool = False, older: bool = False) -> Admitted:
        """Which measurements are added, each once, and which stored ones give way; nothing is written.

        Args:
            whole: they come from the archive, and only measurements in whole segments count as stored (a crash
                leaves rows without their marker).
            older: see ``candidate``.
        """
        if not batch:
            return Admitted()
        wanted = [candidate(judged, older=older) for judged in batch]
        instants = [c.header.started_at for c in wanted]
        led = self._led({key for c in wanted for key in c.known_by()}, min(instants), max(instants))
        uids = {uid for c in wanted for uid in (c.header.uid, c.older) if uid}
        return admit(wanted, led, self._sources(uids.union(*led.values()), whole))

    def remember(self, keys: Iterable[Key]) -> None:
        """Store keys."""
        rows = list(keys)
        self.may_write()
        self.engine.insert(
            "identities",
            {
                "key": [key for key, _, _ in rows],
                "leads_to": [to for _, to, _ in rows],
                "started_at": [ticks(at) for _, _, at in rows],
                "provenance": [str(Provenance.SYNTHETIC if self.synthetic else Provenance.REAL)] * len(rows),
            },
        )

    def give_way(self, admitted: Admitted) -> None:
        """Store the new keys, and delete the facts to be replaced: what ``admit`` found, before new facts are written.
        A crash afterwards leaves the segment unfinished."""
        self.remember(admitted.keys)
        if admitted.leaving:
            self.remember(self._places(admitted.leaving))
            for chunk in by_query(admitted.leaving):
                for table in FACTS:
                    self.engine.remove(table, "uid IN {uids:Array(String)}", uids=chunk)

    def renamed(self, uid: str) -> str:
        """The uid under which a measurement also known by this one is stored; empty = none."""
        return next((stored for (stored,) in self.engine.rows(_LEADS, keys=[by_uid(uid)])), "")

    def aside(self, probes: Iterable[str], uids: Iterable[str]) -> list[Location]:
        """Where raw records of these probes, or of these measurements, are that gave way to others."""
        keys = chain(map(of_probe, probes), map(instead_of, uids))
        rows = (row for chunk in by_query(map(plain, keys)) for row in self.engine.rows(_LEADS, keys=chunk))
        found = []
        for (place,) in rows:
            name, _, position = place.rpartition(":")
            if segment := parse_name(name):
                found.append(Location(segment, int(position)))
        return found

    def forget_keys(self, probes: Iterable[str], uids: Iterable[str], places: Iterable[Location]) -> None:
        """Delete every key of these probes, and all keys that lead to these measurements or raw records."""
        self.may_write()
        names = list(uids)
        former = (
            key.removeprefix(by_uid(""))
            for chunk in by_query(map(plain, names))
            for (key,) in self.engine.rows(_FORMER, uids=chunk, start=by_uid(""))
        )
        for some in by_query([*map(plain, names), *former, *map(_place, places)]):
            self.engine.remove("identities", "leads_to IN {uids:Array(String)}", uids=some)
        for some in by_query(map(plain, chain(map(of_probe, probes), map(instead_of, names)))):
            self.engine.remove("identities", "key IN {keys:Array(String)}", keys=some)

    def _places(self, leaving: Mapping[str, str]) -> list[Key]:
        """The keys of the raw records of measurements that give way: uid -> uid of the replacement."""
        return [
            (key, f"{segment}:{position}", at)
            for chunk in by_query(map(plain, leaving))
            for uid, probe, at, segment, position in self.engine.rows(_PLACES, uids=chunk)
            for key in (of_probe(probe), instead_of(leaving[uid]))
        ]

    def _led(self, keys: Iterable[str], first: float, last: float) -> dict[str, list[str]]:
        led: dict[str, list[str]] = {}
        for chunk in by_query(map(plain, keys), self.engine.most_names):
            for key, uid in self.engine.rows(_LED, names=in_one_text(chunk), **window(first, last + 1)):
                led.setdefault(key, []).append(uid)
        return led

    def _sources(self, uids: Iterable[str], whole: bool) -> dict[str, str]:
        sql = f"{_SOURCES}{_WHOLE if whole else ''} GROUP BY uid"
        spelled = {plain(uid): uid for uid in uids}
        found = {}
        for chunk in by_query(spelled, self.engine.most_names):
            for uid, source in self.engine.rows(sql, names=in_one_text(chunk)):
                found[spelled[uid]] = source
        return found


# --- measurements in columns -------------------------------------------------------------------------------

Window = tuple[str, float, float]
"""Country, first and last instant (unix seconds, UTC; half-open)."""


@dataclass(frozen=True, slots=True)
class StoredMeasurement:
    """The header of a measurement, and where its raw record is; for attributes see ``ParsedMeasurement``."""

    measurement: Measurement
    source: str
    received_at: float
    location: Location
    observations: int
    control_failure: str | None
    bogus: tuple[str, ...]
    provenance: Provenance


Noun = TypeVar("Noun", Measurement, Observation, Verdict)

# The measurement's country and time are found first: given these, its rows are one granule.
_OF_UID = (
    "(country, started_at, uid) IN "
    "(SELECT country, started_at, uid FROM measurements WHERE uid = {uid:String})"
)
_LOCATIONS = f"""
SELECT segment, position FROM measurements WHERE uid IN {{uids:Array(String)}} AND {IN_WINDOW}
ORDER BY segment, position
"""
_RECORDS = """
SELECT uid, segment, position, country, toUnixTimestamp64Micro(started_at) / 1000000 FROM measurements
"""
_OF_PROBES = f"{_RECORDS} WHERE probe IN {{probes:Array(String)}} ORDER BY segment, position"
_IN_SEGMENT = f"{_RECORDS} WHERE segment = {{segment:String}} AND position IN {{positions:Array(UInt32)}}"


class Facts(VoteFacts, CountFacts, EvidenceFacts, CoverageFacts, SeriesFacts, IdentityFacts):
    """Everything read from measurements, and the series of public sources, in columns.

    ``add``, ``remove`` and ``marked`` are for the store alone, which keeps archive and facts in step.
    """

    def known(self, uids: Iterable[str]) -> set[str]:
        """Those of ``uids`` that are stored."""
        sql = "SELECT DISTINCT uid FROM measurements WHERE uid IN {uids:Array(String)}"
        spelled = {uid: plain(uid) for uid in uids}
        found = {uid for chunk in by_query(spelled.values()) for (uid,) in self.engine.rows(sql, uids=chunk)}
        return {uid for uid, stored in spelled.items() if stored in found}

    def add(self, placed: Sequence[Placed], records: Mapping[Segment, int], version: str) -> None:
        """Write the rows of whole segments, then their markers.

        Args:
            records: the segments, and how many of ``placed`` are in each (possibly none).
        """
        placed = sorted(placed, key=_place_and_day)
        columns = _columns(placed, version)
        for table in FACTS:
            self.engine.insert(table, columns.pop(table))
        self.engine.insert("segments", _marker_columns(records, version))

    def set_aside(self, segment: Segment, why: str) -> None:
        """Continue without a segment that cannot be read: its rows are deleted, and ``damaged`` names it."""
        self.may_write()
        self.remove([segment])
        self.engine.insert("segments", _marker_columns({segment: 0}, "", why))

    def observations_before(self, before: float, kept: Sequence[Window]) -> int:
        """Rows of observations that were made before an instant.

        Args:
            kept: country, first and last instant; rows within these spans do not count.
        """
        where, values = _older(before, kept)
        ((count,),) = self.engine.rows(f"SELECT count() FROM observations WHERE {where}", **values)
        return int(count)

    def drop_observations(self, before: float, kept: Sequence[Window]) -> None:
        """Delete those rows.  Measurements, verdicts and raw records stay, and with them every conclusion,
        and ``replace_verdicts`` restores the rows."""
        self.may_write()
        where, values = _older(before, kept)
        self.engine.remove("observations", where, **values)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Delete segments: the markers, then the rows."""
        names = [segment.name for segment in segments]
        for table in ("segments", *FACTS):
            self.engine.remove(table, "segment IN {names:Array(String)}", names=names)

    def marked(self) -> set[str]:
        """Names of the segments whose rows are all in, or that were set aside as damaged."""
        return {row[0] for row in self.engine.rows("SELECT segment FROM segments")}

    def damaged(self) -> list[tuple[Segment, str]]:
        """Segments set aside, and why."""
        rows = self.engine.rows("SELECT segment, damage FROM segments WHERE damage != '' ORDER BY segment")
        return [(segment, why) for name, why in rows if (segment := parse_name(name))]

    def judged_otherwise(self, rules_version: str, country: str | None = None) -> Iterator[Segment]:
        """Segments whose verdicts come from other rules than ``rules_version``, in order of receipt, including those
        set aside, since their file may have been restored."""
        where = " AND country = {country:String}" if country else ""
        rows = self.engine.rows(
            f"SELECT segment FROM segments WHERE rules_version != {{version:String}}{where} ORDER BY segment",
            version=rules_version,
            country=country or "",
        )
        return (segment for (name,) in rows if (segment := parse_name(name)))

    def records_of(self, probes: Iterable[str]) -> list[tuple[str, Location, str, float]]:
        """The uids of these probes' measurements, where their records are, country and instant; in order of receipt."""
        return [
            (uid, _location(segment, position), country, measured)
            for chunk in by_query(dict.fromkeys(probes))
            for uid, segment, position, country, measured in self.engine.rows(_OF_PROBES, probes=chunk)
        ]

    def records_at(
        self, segment: Segment, positions: Sequence[int]
    ) -> list[tuple[str, Location, str, float]]:
        """The same for the records at these places."""
        rows = self.engine.rows(_IN_SEGMENT, segment=segment.name, positions=list(positions))
        return [(uid, _location(name, position), country, m) for uid, name, position, country, m in rows]

    def measurement(self, uid: str) -> StoredMeasurement | None:
        """The measurement, by any of its uids; ``None`` = unknown."""
        sql = f"SELECT {_selected(MEASUREMENTS)} FROM measurements WHERE uid = {{uid:String}} LIMIT 1"
        rows = self.engine.rows(sql, uid=uid) or self.engine.rows(sql, uid=self.renamed(uid))
        if not rows:
            return None
        row = dict(zip(MEASUREMENTS, rows[0], strict=True))
        return StoredMeasurement(
            measurement=_noun(Measurement, row),
            source=row["source"],
            received_at=row["received_at"],
            location=_location(row["segment"], row["position"]),
            observations=row["observations"],
            control_failure=row["control_failure"],
            bogus=tuple(row["bogus"]),
            provenance=Provenance(row["provenance"]),
        )

    def locations(self, uids: Iterable[str], since: float, until: float) -> list[Location]:
        """Where the raw records of these measurements are, in order of receipt; unknown ones are left out."""
        rows = [
            row
            for chunk in by_query(uids)
            for row in self.engine.rows(_LOCATIONS, uids=chunk, **window(since, until))
        ]
        return [_location(segment, position) for segment, position in sorted(rows)]

    def verdicts(self, uid: str) -> list[Verdict]:
        """Its verdicts, in the order in which they were made."""
        return [_noun(Verdict, row) for row in self._facts_of("verdicts", VERDICTS, uid)]

    def observations(self, uid: str) -> list[Observation]:
        """Its observations, in the order in which they were parsed, without bodies and headers."""
        return [_noun(Observation, row) for row in self._facts_of("observations", OBSERVATIONS, uid)]

    def _facts_of(self, table: str, columns: dict[str, str], uid: str) -> list[dict[str, Any]]:
        sql = f"SELECT {_selected(columns)} FROM {table} WHERE {_OF_UID} ORDER BY number"
        return [dict(zip(columns, row, strict=True)) for row in self.engine.rows(sql, uid=uid)]


def _older(before: float, kept: Sequence[Window]) -> tuple[str, dict[str, Any]]:
    """A condition, and the values of its parameters."""
    at = "toUnixTimestamp64Micro(started_at)"
    texts = [f"{at} < {{before:Int64}}"]
    values: dict[str, Any] = {"before": ticks(before)}
    for n, (country, first, last) in enumerate(kept):
        texts.append(f"NOT (country = {{c{n}:String}} AND {at} >= {{a{n}:Int64}} AND {at} < {{b{n}:Int64}})")
        values |= {f"c{n}": country, f"a{n}": ticks(first), f"b{n}": ticks(last)}
    return " AND ".join(texts), values


# One list per column and one pass per list: with ten observations per measurement, this is where ingest
# spends its time in the store.


def _place_and_day(placed: Placed) -> tuple[str, float, str, int, float, str]:
    """The order in which the tables keep rows; the engine sorts them column by column if they arrive in another."""
    header = placed.judged.parsed.measurement
    at = header.started_at
    return header.country, at // DAY, header.target, header.asn, at, header.uid


def _columns(placed: Sequence[Placed], rules_version: str) -> dict[str, Columns]:
    """Table -> its columns."""
    bundles = [p.judged.parsed for p in placed]
    verdicts = [p.judged.verdicts for p in placed]
    columns = _fields([parsed.measurement for parsed in bundles], Measurement)
    columns |= {
        "source": [p.judged.record.source for p in placed],
        "started_at": [ticks(at) for at in columns["started_at"]],
        "received_at": [ticks(p.received_at) for p in placed],
        "receipt": [
            ticks(at if isnan(on) else on)
            for at, on in zip(columns["started_at"], columns["receipt"], strict=True)
        ],
        "segment": [p.location.segment.name for p in placed],
        "position": [p.location.position for p in placed],
        "observations": [len(parsed.observations) for parsed in bundles],
        "control_failure": [parsed.control_failure for parsed in bundles],
        "bogus": [parsed.bogus for parsed in bundles],
        "provenance": [str(p.judged.record.provenance) for p in placed],
    }
    return {
        "measurements": {name: columns[name] for name in MEASUREMENTS},
        "observations": _rows(
            OBSERVATIONS, Observation, [parsed.observations for parsed in bundles], columns
        ),
        "verdicts": {
            **_rows(VERDICTS, Verdict, verdicts, columns),
            "rules_version": Repeated([rules_version], [sum(map(len, verdicts))]),
        },
    }


def _rows(
    table: Mapping[str, str], kind: type, rows: Sequence[Sequence[Any]], own: Mapping[str, list[Any]]
) -> Columns:
    """The columns of a table with several rows for each measurement.

    Args:
        rows: the rows of each measurement.
        own: columns of the measurements, whose values are repeated in each row.
    """
    sizes = [*map(len, rows)]
    columns: dict[str, list[Any] | Repeated] = {
        **{name: Repeated(values, sizes) for name, values in own.items()},
        **_fields([*chain.from_iterable(rows)], kind),
        "number": [*chain.from_iterable(map(range, sizes))],
    }
    return {name: columns[name] for name in table if name in columns}


def _marker_columns(records: Mapping[Segment, int], version: str, damage: str = "") -> Columns:
    count = len(records)
    return {
        "segment": [segment.name for segment in records],
        "country": [segment.country for segment in records],
        "records": list(records.values()),
        "rules_version": [version] * count,
        "damage": [damage] * count,
        "committed_at": [ticks(time.time())] * count,
    }


_RUN = 256
"""Rows whose fields are read together: as many as fit in a processor's cache."""


def _fields(rows: Sequence[Any], kind: type) -> dict[str, list[Any]]:
    """The fields of nouns of one kind."""
    columns: dict[str, list[Any]] = {field.name: [] for field in fields(kind)}
    for start in range(0, len(rows), _RUN):
        run = zip(*map(astuple, rows[start : start + _RUN]), strict=True)
        for column, values in zip(columns.values(), run, strict=True):
            column.extend(values)
    return columns


def _location(name: str, position: int) -> Location:
    segment = parse_name(name)
    if segment is None:
        raise ValueError(f"not the name of a segment: {name}")
    return Location(segment, position)


def _selected(columns: dict[str, str]) -> str:
    """The columns by name, times as unix seconds."""
    return ", ".join(
        f"toUnixTimestamp64Micro(`{name}`) / 1000000" if kind.startswith("DateTime64") else f"`{name}`"
        for name, kind in columns.items()
    )


def _noun(noun: type[Noun], row: dict[str, Any]) -> Noun:
    """The fields of a row that the noun has."""
    own = {field.name: row[field.name] for field in fields(noun) if field.name in row}
    return msgspec.convert(own, noun)
