"""Ledger: incidents with every revision, what people add (claims of others, announced events, approvals), and the news
that goes out as alerts.

A revision is a whole incident as it was published; it is appended and never changed.  The id is a label given on the
first revision.  Claims and events are written once and never changed; a document holds the whole of each, and the other
columns are for finding it.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec

from fanous.analysis.incidents.names import Watches, listed_only, without_names
from fanous.analysis.incidents.revision import shown_to_readers
from fanous.errors import FanousError
from fanous.model.alert import AlertGroup, AlertState, Delivery, News, Order, Priority
from fanous.model.claim import Claim, defect
from fanous.model.coverage import Backfill
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import BACKFILL, Approval, Decided, Decision, Incident, Kind, Status
from fanous.model.reason import Reason
from fanous.model.vitals import History
from fanous.refdata.watchlist import watched
from fanous.store import chain
from fanous.store.database import (
    TABLES,
    Connection,
    Database,
    Processes,
    check_held,
    decode_incident,
    decode_reasons,
    encode_incident,
    encode_reasons,
    free_all,
)
from fanous.store.location import OlderStore, Review
from fanous.store.schema import FORMAT


@dataclass(frozen=True, slots=True)
class Revision:
    """An incident as it was from ``at`` on, and why it changed.

    Attributes:
        n: 1 = the first.
        at: unix seconds, UTC.
    """

    n: int
    at: float
    reasons: tuple[Reason, ...]
    incident: Incident


_FORMAT = "format"
_GET = "SELECT value FROM meta WHERE key = :key"


@dataclass(frozen=True, slots=True)
class Method:
    """A method by which incidents are found.

    Attributes:
        version: of its rules and detectors.
        since: when it replaced another, unix seconds, UTC; ``None`` = it is the first here.
    """

    version: str
    since: float | None


_PROVENANCE = "provenance"
"""Key in ``meta``: whether every incident states its provenance."""

_KNOWN = "unvouched"
"""Its value, since provenance may be unvouched (December 2026)."""

_OWN_TARGETS = "own_targets"
"""Key in ``settings``: the targets of the operator's own lists, as ``[target, ...]``."""

_METHOD = "method"
"""Key in ``settings``: the methods by which incidents were found, as ``[Method, ...]``."""


Noun = TypeVar("Noun", Claim, AnnouncedEvent)

_CALLED = {Claim: "a claim", AnnouncedEvent: "an announced event"}


_CLAIMS, _EVENTS = "claims", "watches"
NOTICES = (_CLAIMS, _EVENTS, "approvals", "decisions", "roles")
"""Tables that are append-only."""

_HOLD = "hold_national"
_HIDE = "hide_held"
_BACKFILL = "backfill "
"""Prefix of a key that ends in a country's code."""


_RETRACTED_AT = """(SELECT min(gone.at) FROM revisions gone WHERE gone.incident = revisions.incident AND gone.n > (
    SELECT coalesce(max(n), 0) FROM revisions stood
    WHERE stood.incident = revisions.incident AND stood.status <> :status))"""
"""When a retracted incident was last found to stand no more; its label may have been revised since."""


class Ledger(Processes):
    """Incidents, and what people and processes record about them, in a database.

    Args:
        url: as ``Database`` takes it.
        owner: name under which leases are taken, by one process at a time: leases that its predecessor died
            with are released at once.  Empty = one of many, with a unique name.

        read_only: nothing is created or migrated when it is opened.

    Attributes:
        outbox: which news goes to which channel, and the deliveries.
        leaves_out_held: are incidents that wait for a person left out here?
        watched: the targets whose names are shown here; ``None`` = all.
        listed: those of them that no person had to name.
    """

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, owner: str = "", *, read_only: bool = False
    ) -> None:
        self._clock, self._owner, self._read_only = clock, owner, read_only
        self.worker = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._database = Database(url)
        self.outbox = Outbox(self._database, clock)
        self.leaves_out_held = False
        self.watched: frozenset[str] | None = None
        self.listed: frozenset[str] = frozenset()
        try:
            self._open()
        except FanousError:
            self._database.close()
            raise

    def _open(self) -> None:
        if self._read_only:
            self._check_current()
            return
        with self._database.making() as connection:
            # missing tables have been created by now, and no row has changed its meaning
            if _format_of(connection, self._database.name) < FORMAT:
                connection.run("DELETE FROM meta WHERE key = :key", key=_FORMAT)
                connection.insert("meta", key=_FORMAT, value=str(FORMAT))
            is_new = connection.row("SELECT 1 FROM revisions LIMIT 1") is None
            if is_new or connection.value(_GET, key=_PROVENANCE) == _KNOWN:
                chain.begin(connection, self._clock())
            if self._owner:
                free_all(connection, self._owner)

    def _check_current(self) -> None:
        """Refuse a ledger that would have to be created or migrated first."""
        tables = self._database.tables()
        if not tables:
            raise FanousError(f"there is no ledger at {self._database.name}: `fanous run` begins one")
        with self._database.reading() as connection:
            written = _format_of(connection, self._database.name)
        if written < FORMAT or not tables >= TABLES.keys() or not self.knows_provenance():
            raise OlderStore

    def check_whole(self) -> None:
        """Raises ``DataLost``: its file was removed or replaced."""
        self._database.check_file()

    def reopen(self) -> None:
        """Open the file that has taken the place of the one that was open.

        Raises:
            DataLost: there is none.
            FanousError: it is not a ledger.
        """
        self._database.leave()
        self._open()

    def close(self) -> None:
        self._database.close()

    def for_readers(self) -> "Ledger":
        """The same ledger for publishing: without the names that no one watches, and without incidents that wait for a
        person if the operator wants that."""
        public = copy(self)
        public.leaves_out_held = self.hides_held()
        public.listed = watched() | self.own_targets()
        public.watched = public.listed | self.named().keys()
        return public

    def named(self) -> dict[str, str]:
        """Targets that people named, those of the revisions that they saw -> who did."""
        rows = self._database.rows(
            "SELECT document, who FROM revisions JOIN decisions ON decisions.incident = revisions.incident "
            "AND decisions.revision = revisions.n WHERE decided = :name ORDER BY decisions.seq",
            name=Decided.NAME.value,
        )
        return {target: who for document, who in rows for target in decode_incident(document).targets}

    def watches(self, incident: Incident) -> Watches:
        """Which names are shown in a revision: one from before a person named them goes on without."""
        names = self.watched if incident.named_by and self.watched is not None else self.listed
        return names.__contains__

    def _as_shown(self, incident: Incident) -> Incident:
        return incident if self.watched is None else listed_only(incident, self.watches(incident))

    def put(
        self,
        incident: Incident,
        reasons: tuple[Reason, ...],
        *,
        known_as: str | None = None,
        at: float | None = None,
    ) -> Incident:
        """Record an incident as it is now; recording it unchanged does nothing.

        Args:
            reasons: why it changed, for the reader of its history.
            known_as: id of the incident that this revises; ``None`` = it is new, and gets an id.
            at: when it was found; ``None`` = now.

        Returns:
            The incident with its id.
        """
        now = self._clock() if at is None else at
        with self._database.writing() as connection:
            check_held(connection)
            if known_as is None:
                return _append(connection, _register(connection, incident, now), 1, reasons, now)
            earlier = _revisions_of(connection, known_as)
            before = earlier[-1]
            claim = replace(
                incident, id=known_as, first_published_at=_first_published(earlier, incident, now)
            )
            if claim == before.incident:
                return claim
            return _append(connection, claim, before.n + 1, reasons, now)

    def retract(
        self,
        incident_id: str,
        reasons: tuple[Reason, ...],
        *,
        at: float | None = None,
        withdrawn_by: str = "",
        merged_into: str = "",
    ) -> Incident:
        """Append a revision that retracts the incident.

        Args:
            withdrawn_by: the person who withdrew it permanently; empty = the measurements no longer support it.
            merged_into: id of the incident that it became part of.
        """
        now = self._clock() if at is None else at
        with self._database.writing() as connection:
            check_held(connection)
            before = _revisions_of(connection, incident_id)[-1]
            if before.incident.status == Status.RETRACTED:
                return before.incident
            claim = replace(
                before.incident,
                status=Status.RETRACTED,
                reasons=reasons,
                held_by=BACKFILL if before.incident.is_provisional else "",
                withdrawn_by=withdrawn_by,
                merged_into=merged_into,
            )
            return _append(connection, claim, before.n + 1, reasons, now)

    def incidents(
        self,
        country: str | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        synthetic: bool | None = None,
        dropped: bool = False,
        retracted: float | None = None,
        revised: float | None = None,
    ) -> list[Incident]:
        """Latest revisions that overlap the window, retracted ones included, by onset.

        Args:
            since: ``None`` = no bound; the same for ``until``.
            synthetic: only those of synthetic records, or only the others; ``None`` = both.
            dropped: also those that were only provisional and are gone.
            retracted: only those retracted since then.
            revised: only those of which there is a revision since then.
        """
        sql = """SELECT onset, incident, document FROM revisions JOIN incidents ON id = incident
            WHERE n = (SELECT max(n) FROM revisions newer WHERE newer.incident = revisions.incident)"""
        if country is not None:
            sql += " AND country = :country"
        if since is not None:
            sql += " AND (ends IS NULL OR ends > :since)"
        if until is not None:
            sql += " AND onset < :until"
        if retracted is not None:
            sql += f" AND status = :status AND {_RETRACTED_AT} >= :retracted"
        if revised is not None:
            sql += " AND at >= :revised"
        given = {
            "country": country,
            "since": since,
            "until": until,
            "retracted": retracted,
            "revised": revised,
        }
        rows = self._database.rows(sql, status=Status.RETRACTED.value, **given)
        # Sorted here: how a database orders text depends on its locale.
        roles = self.roles()
        incidents = (_signed(decode_incident(document), roles) for _, _, document in sorted(rows))
        if not dropped:
            incidents = (incident for incident in incidents if not incident.was_dropped)
        if self.leaves_out_held:
            incidents = (last for incident in incidents for last in self._last_shown(incident))
        incidents = (self._as_shown(incident) for incident in incidents)
        return [incident for incident in incidents if synthetic in (None, incident.provenance.is_synthetic)]

    def _last_shown(self, latest: Incident) -> list[Incident]:
        """The latest revision that readers see; empty = they see none."""
        if not latest.held_by and latest.status is not Status.RETRACTED:
            return [latest]
        return [revision.incident for revision in self._revisions_shown(latest.id)[-1:]]

    def incident(self, incident_id: str) -> Incident | None:
        """Its latest revision; ``None`` = unknown."""
        claimed = self.revisions(incident_id)
        return claimed[-1].incident if claimed else None

    def knows_provenance(self) -> bool:
        """Does every incident state its provenance, unvouched included?"""
        return self._provenance() == _KNOWN

    def states_provenance(self) -> bool:
        """Does every incident state its provenance, though unvouched may be missing?"""
        return bool(self._provenance())

    def know_provenance(self) -> None:
        """Record that it does."""
        with self._database.writing() as connection:
            _know_provenance(connection)
            chain.begin(connection, self._clock())

    def _provenance(self) -> str:
        rows = self._database.rows(_GET, key=_PROVENANCE)
        return str(rows[0][0]) if rows else ""

    def complete(self, completed: Callable[[Incident], Incident]) -> None:
        """Add to each incident the fields that did not exist when it was written; the rest stays."""
        with self._database.writing() as connection:
            for name, n, document in connection.rows("SELECT incident, n, document FROM revisions"):
                connection.run(
                    "UPDATE revisions SET document = :document WHERE incident = :name AND n = :n",
                    document=encode_incident(completed(decode_incident(document))),
                    name=name,
                    n=n,
                )
            _know_provenance(connection)
            chain.begin(connection, self._clock())

    def history(self) -> History:
        """The chain of all entries, compared with them: reads the whole ledger, as it is at one moment."""
        with self._database.snapshot() as connection:
            return chain.check(connection)

    def revisions(self, incident_id: str) -> list[Revision]:
        """All revisions of an incident, oldest first; empty = unknown."""
        revisions = self._revisions_shown(incident_id)
        if self.watched is None:
            return revisions
        return [
            replace(
                revision,
                reasons=without_names(revision.reasons, self.watches(revision.incident)),
                incident=self._as_shown(revision.incident),
            )
            for revision in revisions
        ]

    def _revisions_shown(self, incident_id: str) -> list[Revision]:
        roles = self.roles()
        with self._database.reading() as connection:
            revisions = _revisions(connection, incident_id)
        if self.leaves_out_held:
            shown = shown_to_readers([revision.incident for revision in revisions])
            revisions = [revision for revision, is_shown in zip(revisions, shown, strict=True) if is_shown]
        return [
            replace(r, reasons=_signed_reasons(r.reasons, roles), incident=_signed(r.incident, roles))
            for r in revisions
        ]

    def written(self) -> tuple[int, ...]:
        """Counts of revisions, claims, announced events and approvals; while they stay the same, nothing is new."""
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in ("revisions", *NOTICES))
        return self._database.rows(f"SELECT {counts}")[0]

    def add_claim(self, claim: Claim, *, at: float | None = None) -> Claim:
        """Record what someone else says about a disruption; returns the claim with its label.

        Args:
            at: when it was recorded; ``None`` = now.

        Raises:
            FanousError: it states something that no claim can state.
        """
        if why := defect(claim):
            raise FanousError(f"this claim cannot be recorded: {why}")
        now = time.time() if at is None else at
        span = claim.since, claim.until
        with self._database.writing() as connection:
            label, number = _next(connection, _CLAIMS, claim.country, "claim")
            named = replace(claim, id=label, recorded_at=now)
            _insert(connection, _CLAIMS, named, number, span, now, "")
        return named

    def claims(
        self, country: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[Claim]:
        """Claims about times that overlap the window, by that time.

        Args:
            country: ``None`` = all countries.
            since: ``None`` = no bound; the same for ``until``.
        """
        return self._documents(_CLAIMS, Claim, country, since, until)

    def add_event(self, event: AnnouncedEvent, *, at: float | None = None) -> AnnouncedEvent:
        """Register an announced event; if registered again, it keeps its label and the time of its first
        registration."""
        now = time.time() if at is None else at
        with self._database.writing() as connection:
            same = f"SELECT document FROM {_EVENTS} WHERE digest = :digest"
            recorded = connection.value(same, digest=event.digest)
            if recorded is not None:
                return _decoded(recorded, AnnouncedEvent)
            label, number = _next(connection, _EVENTS, event.country, "watch")
            named = replace(event, id=label, registered_at=now)
            _insert(connection, _EVENTS, named, number, (event.start, event.end), now, event.digest)
        return named

    def events(
        self, country: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[AnnouncedEvent]:
        """Announced events that overlap the window, by their start; the arguments as in ``claims``."""
        return self._documents(_EVENTS, AnnouncedEvent, country, since, until)

    def approve(self, approval: Approval) -> None:
        """Record that a person approved an incident; of several approvals the latest counts."""
        with self._database.writing() as connection:
            connection.insert("approvals", **asdict(approval))
            chain.link(connection, "approvals", approval.incident, approval.at)

    def approvals(self) -> dict[str, Approval]:
        """Incident -> its approval."""
        rows = self._database.rows("SELECT incident, revision, who, at, note FROM approvals ORDER BY at")
        roles = self.roles()
        return {
            incident: Approval(incident, revision, roles.get(who, who), at, note)
            for incident, revision, who, at, note in rows
        }

    def decide(self, decision: Decision) -> None:
        """Record what a person decided about an incident."""
        with self._database.writing() as connection:
            connection.insert("decisions", **asdict(decision))
            chain.link_newest(connection, "decisions")

    def decisions(self) -> list[Decision]:
        """Decisions about all incidents, oldest first."""
        rows = self._database.rows(
            "SELECT incident, decided, who, at, text, whole, revision FROM decisions ORDER BY seq"
        )
        roles = self.roles()
        return [
            Decision(incident, Decided(decided), roles.get(who, who), *rest)
            for incident, decided, who, *rest in rows
        ]

    def name_role(self, name: str, role: str) -> None:
        """From now on show ``role`` wherever ``name`` has signed, in earlier revisions too."""
        with self._database.writing() as connection:
            connection.insert("roles", name=name, role=role)
            chain.link_newest(connection, "roles")

    def roles(self) -> dict[str, str]:
        """Name that a person signed with -> role shown instead."""
        return dict(self._database.rows("SELECT name, role FROM roles ORDER BY seq"))

    def holds_national(self) -> bool:
        """Do national incidents wait for a person's approval here?"""
        return self._is_set(_HOLD)

    def hold_national(self, hold: bool) -> None:
        """Set whether they do, from now on and for every process that writes to this store."""
        self._set(_HOLD, hold)

    def hides_held(self) -> bool:
        """Are incidents that wait for a person left out of everything published?"""
        return self._is_set(_HIDE)

    def hide_held(self, hide: bool) -> None:
        """Set whether they are, as with ``hold_national``."""
        self._set(_HIDE, hide)

    def remember(self, review: Review) -> None:
        """Set what the table ``[review]`` gives; the rest stays as it is."""
        if review.national is not None:
            self.hold_national(review.national)
        if review.public is not None:
            self.hide_held(not review.public)

    def backfill(self, country: str) -> Backfill | None:
        """The import of past measurements that is still under way; ``None`` = none."""
        value = self._value(_BACKFILL + country)
        return msgspec.json.decode(value, type=Backfill) if value else None

    def note_backfill(self, country: str, going: Backfill | None) -> None:
        """Set the progress of the import; ``None`` = it is over."""
        self._put(_BACKFILL + country, msgspec.json.encode(going).decode() if going else "")

    def own_targets(self) -> frozenset[str]:
        """The targets of the operator's own lists (``watch``)."""
        value = self._value(_OWN_TARGETS)
        return frozenset(msgspec.json.decode(value, type=list[str]) if value else ())

    def watch(self, targets: Iterable[str]) -> None:
        """Remember the targets of the lists that the operator has probes measure, in place of earlier ones."""
        names = sorted(targets)
        if frozenset(names) != self.own_targets():
            self._put(_OWN_TARGETS, msgspec.json.encode(names).decode())

    def methods(self) -> list[Method]:
        """The methods by which incidents were found here, oldest first."""
        value = self._value(_METHOD)
        return msgspec.json.decode(value, type=list[Method]) if value else []

    def note_method(self, version: str) -> None:
        """Record by which method incidents are found from now on; one that is recorded already changes nothing.

        Args:
            version: empty = the next one that is noted.
        """
        methods = self.methods()
        if methods and methods[-1].version in ("", version):
            if methods[-1].version == version:
                return
            methods[-1] = replace(methods[-1], version=version)
        else:
            is_first = not methods and not self.incidents()
            methods.append(Method(version, None if is_first else self._clock()))
        self._put(_METHOD, msgspec.json.encode(methods).decode())

    def _is_set(self, key: str) -> bool:
        return self._value(key) == "yes"

    def _set(self, key: str, value: bool) -> None:
        if value != self._is_set(key):
            self._put(key, "yes" if value else "no")

    def _value(self, key: str) -> str:
        rows = self._database.rows("SELECT value FROM settings WHERE key = :key", key=key)
        return str(rows[0][0]) if rows else ""

    def _put(self, key: str, value: str) -> None:
        with self._database.writing() as connection:
            connection.run("DELETE FROM settings WHERE key = :key", key=key)
            connection.insert("settings", key=key, value=value)

    def _documents(
        self, table: str, noun: type[Noun], country: str | None, since: float | None, until: float | None
    ) -> list[Noun]:
        bounds = {"country = :country": country, "until > :since": since, "since < :until": until}
        wanted = " AND ".join(bound for bound, value in bounds.items() if value is not None)
        where = f"WHERE {wanted}" if wanted else ""
        sql = f"SELECT document FROM {table} {where} ORDER BY since, country, number"
        rows = self._database.rows(sql, country=country, since=since, until=until)
        return [_decoded(document, noun) for (document,) in rows]


def _know_provenance(connection: Connection) -> None:
    connection.run("DELETE FROM meta WHERE key = :key", key=_PROVENANCE)
    connection.insert("meta", key=_PROVENANCE, value=_KNOWN)


def _signed(incident: Incident, roles: Mapping[str, str]) -> Incident:
    """The incident with roles in place of the names of people who have one."""
    if not roles:
        return incident
    by, note = incident.withdrawn_by, incident.note
    return replace(
        incident,
        reasons=_signed_reasons(incident.reasons, roles),
        withdrawn_by=roles.get(by, by),
        named_by=roles.get(incident.named_by, incident.named_by),
        note=note and replace(note, by=roles.get(note.by, note.by)),
    )


def _signed_reasons(reasons: tuple[Reason, ...], roles: Mapping[str, str]) -> tuple[Reason, ...]:
    def role(reason: Reason) -> Reason:
        by = str(reason.params.get("by", ""))
        return Reason(reason.code, {**reason.params, "by": roles[by]}) if by in roles else reason

    return tuple(map(role, reasons))


def _format_of(connection: Connection, name: str) -> int:
    """The format that was written; 0 = none was.

    Raises:
        FanousError: a newer Fanous wrote it.
    """
    written = int(connection.value(_GET, key=_FORMAT) or 0)
    if written > FORMAT:
        raise FanousError(
            f"the store of {name} was written by a newer Fanous (format {written}, this one knows {FORMAT}): "
            "install that version, or choose another store"
        )
    return written


def _register(connection: Connection, incident: Incident, now: float) -> Incident:
    """Give a new incident its id: country, year of its onset, and the next number."""
    year = datetime.fromtimestamp(incident.onset, UTC).year
    last = connection.value(
        "SELECT max(number) FROM incidents WHERE country = :country AND year = :year",
        country=incident.country,
        year=year,
    )
    number = (last or 0) + 1
    label = f"{incident.country}-{year:04d}-{number:04d}"
    named = replace(incident, id=label, first_published_at=_first_published([], incident, now))
    connection.insert(
        "incidents", id=named.id, country=named.country, year=year, number=number, created_at=now
    )
    return named


def _append(
    connection: Connection, claim: Incident, n: int, reasons: tuple[Reason, ...], now: float
) -> Incident:
    connection.insert(
        "revisions",
        incident=claim.id,
        n=n,
        at=now,
        reason=encode_reasons(reasons),
        status=claim.status.value,
        onset=claim.onset,
        ends=claim.end,
        document=encode_incident(claim),
    )
    connection.insert("outbox", incident=claim.id, n=n, at=now, routed=False)
    chain.link(connection, "revisions", claim.id, n)
    return claim


def _first_published(earlier: Sequence[Revision], claim: Incident, now: float) -> float | None:
    """When it was first more than provisional, by what the ledger has of it."""
    moments = [(revision.at, revision.incident) for revision in earlier] + [(now, claim)]
    return next((at for at, incident in moments if not incident.is_provisional), None)


def _revisions_of(connection: Connection, incident_id: str) -> list[Revision]:
    """All revisions of an incident that must be known."""
    claimed = _revisions(connection, incident_id)
    if not claimed:
        raise FanousError(f"no incident {incident_id} in this store; see `fanous incidents list`")
    return claimed


def _revisions(connection: Connection, incident_id: str) -> list[Revision]:
    rows = connection.rows(
        "SELECT n, at, reason, document FROM revisions WHERE incident = :name ORDER BY n", name=incident_id
    )
    return [
        Revision(n, at, decode_reasons(reason), decode_incident(document)) for n, at, reason, document in rows
    ]


def _next(connection: Connection, table: str, country: str, word: str) -> tuple[str, int]:
    last = connection.value(f"SELECT max(number) FROM {table} WHERE country = :country", country=country)
    number = (last or 0) + 1
    return f"{country}-{word}-{number}", number


def _insert(
    connection: Connection,
    table: str,
    noun: Claim | AnnouncedEvent,
    number: int,
    span: tuple[float, float],
    now: float,
    digest: str,
) -> None:
    connection.insert(
        table,
        id=noun.id,
        country=noun.country,
        number=number,
        since=span[0],
        until=span[1],
        at=now,
        digest=digest,
        document=msgspec.json.encode(noun).decode(),
    )
    chain.link(connection, table, noun.id)


def _decoded(document: str, noun: type[Noun]) -> Noun:
    try:
        return msgspec.json.decode(document, type=noun)
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger holds {_CALLED[noun]} that cannot be read ({error}); restore a backup"
        ) from error


# --- news that goes out as alerts ----------------------------------------------------------------------------
# A revision and its line in the outbox are written in one transaction, so that no news is lost or invented, whenever
# the process dies.  A delivery is marked as sent after sending: if the process is killed in between, it is sent again
# under the same key.

_WAITS = f"state = '{AlertState.WAITING}'"
_MAY_HAVE_ARRIVED = f"(state = '{AlertState.SENT}' OR attempts > 0)"
"""Was it sent, or begun?  A process killed after sending cannot record it."""

_GROUP = ", ".join(f"alert_groups.{field.name}" for field in fields(AlertGroup))
_GROUPED = "deliveries JOIN alert_groups ON alert_groups.delivery = deliveries.key"

_DELIVERIES = f"""
SELECT key, channel, incident, n,
    (SELECT coalesce(max(n), 0) FROM deliveries told WHERE told.channel = deliveries.channel
        AND told.incident = deliveries.incident AND told.n < deliveries.n AND {_MAY_HAVE_ARRIVED}),
    happening, state, created_at, due_at, attempts, sent_at, why, coalesce(message, ''), {_GROUP}
FROM deliveries LEFT JOIN alert_groups ON alert_groups.delivery = deliveries.key
"""

UNGROUPED = AlertGroup("", "", Kind.OUTAGE, Priority.NATION, is_confirmed=True, is_staged=False)
"""What was queued before December 2026 has no group: it goes first, in one message."""


class Outbox:
    """News and their deliveries; alerts are sent from here."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def next_news(self) -> News | None:
        """The oldest revision that is not routed yet; ``None`` = all are."""
        waiting = "SELECT seq, incident, n, at FROM outbox WHERE NOT routed ORDER BY seq LIMIT 1"
        with self._database.reading() as connection:
            row = connection.row(waiting)
            return None if row is None else _news(connection, *row)

    def route(self, news: News, orders: Iterable[Order]) -> None:
        """In one step, mark this as routed and create its deliveries.

        Messages waiting for the same channel about the same incident are dropped: the newer one covers them.
        """
        now = self._clock()
        with self._database.writing() as connection:
            connection.run("UPDATE outbox SET routed = :yes WHERE seq = :seq", yes=True, seq=news.seq)
            for order in orders:
                group = _group_of(connection, order)
                # Drop older messages waiting for the same channel about the same incident: the newest covers them.
                connection.run(
                    "UPDATE deliveries SET state = :state, why = :why "
                    f"WHERE channel = :channel AND incident = :incident AND {_WAITS}",
                    state=AlertState.DROPPED.value,
                    why=f"replaced by revision {order.n}",
                    channel=order.channel,
                    incident=order.incident,
                )
                row = _row(order, news.at, now)
                connection.insert("deliveries", **row)
                _note_group(connection, str(row["key"]), group)

    def deliveries(self, state: AlertState | None = None) -> list[Delivery]:
        """Oldest first; ``None`` = in any state."""
        where = "" if state is None else "WHERE state = :state"
        sql = f"{_DELIVERIES} {where} ORDER BY created_at, incident, n"
        return [_delivery(*row) for row in self._database.rows(sql, state=state and state.value)]

    def due(self, channel: str, now: float) -> list[Delivery]:
        """Deliveries to a channel that wait and may be sent by ``now``."""
        sql = f"{_DELIVERIES} WHERE channel = :channel AND {_WAITS} AND due_at <= :now ORDER BY due_at, n"
        return [_delivery(*row) for row in self._database.rows(sql, channel=channel, now=now)]

    def last_sent(self, channel: str, since: float) -> dict[AlertGroup, float]:
        """When each group last had a message, if it had any; unix seconds."""
        sent = f"SELECT max(sent_at), {_GROUP} FROM {_GROUPED} WHERE channel = :channel AND sent_at > :since"
        rows = self._database.rows(f"{sent} GROUP BY {_GROUP}", channel=channel, since=since)
        return {_group(*group): float(at) for at, *group in rows}

    def begin(self, deliveries: Iterable[Delivery], message: str) -> None:
        """Record an attempt before it is made: from then on the message may have arrived, and is repeated with the
        same deliveries."""
        with self._database.writing() as connection:
            for delivery in deliveries:
                connection.run(
                    "UPDATE deliveries SET attempts = attempts + 1 WHERE key = :key", key=delivery.key
                )
                _note_group(connection, delivery.key, delivery.group, message)

    def give_up_others(self, channels: Iterable[str], why: str, now: float) -> int:
        """Give up what waits for any other channel; returns how many."""
        dead = f"UPDATE deliveries SET state = :state, why = :why WHERE {_WAITS} AND due_at <= :now"
        others = [*channels, ""]
        with self._database.writing() as connection:
            return connection.run(
                f"{dead} AND channel NOT IN :others",
                state=AlertState.DEAD.value,
                why=why,
                now=now,
                others=others,
            )

    def finish(
        self, keys: Iterable[str], state: AlertState, *, at: float, why: str = "", due_at: float | None = None
    ) -> None:
        """Record how the attempt ended.

        Args:
            due_at: when the next attempt is due, if there is one.
        """
        changes, which = "state = :state, why = :why", f"key IN :keys AND state <> '{AlertState.SENT}'"
        if due_at is not None:
            changes += ", due_at = :due_at"
        if state is AlertState.SENT:
            changes += ", sent_at = :at"
        else:
            which += f" AND {_WAITS}"
        given = {"keys": list(keys), "state": state.value, "why": why, "due_at": due_at, "at": at}
        with self._database.writing() as connection:
            ends = connection.rows(
                f"SELECT key FROM deliveries WHERE {which} ORDER BY key", keys=given["keys"]
            )
            connection.run(f"UPDATE deliveries SET {changes} WHERE {which}", **given)
            for (key,) in ends if state is AlertState.SENT else ():
                chain.link(connection, "deliveries", key)

    def revive(self, keys: Iterable[str] | None, now: float) -> int:
        """Let dead deliveries wait again (``None`` = all), unless there is newer news; returns how many."""
        dead = f"state = '{AlertState.DEAD}'"
        named: dict[str, Any] = {}
        if keys is not None:
            dead += " AND key IN :keys"
            named = {"keys": list(keys)}
        old = """EXISTS (SELECT 1 FROM deliveries newer WHERE newer.channel = deliveries.channel
            AND newer.incident = deliveries.incident AND newer.n > deliveries.n)"""
        with self._database.writing() as connection:
            connection.run(
                f"UPDATE deliveries SET state = :state, why = :why WHERE {dead} AND {old}",
                state=AlertState.DROPPED.value,
                why="replaced by newer news of the incident",
                **named,
            )
            again = f"UPDATE deliveries SET state = :state, due_at = :now WHERE {dead}"
            return connection.run(again, state=AlertState.WAITING.value, now=now, **named)


def _news(connection: Connection, seq: int, incident: str, n: int, at: float) -> News:
    reached = f"{_WAITS} OR {_MAY_HAVE_ARRIVED}"
    channels = f"SELECT DISTINCT channel FROM deliveries WHERE incident = :incident AND ({reached})"
    revisions = "SELECT n, document FROM revisions WHERE incident = :incident AND n IN :both"
    document = dict(connection.rows(revisions, incident=incident, both=[n, n - 1]))
    return News(
        seq=seq,
        n=n,
        at=at,
        incident=decode_incident(document[n]),
        before=decode_incident(document[n - 1]) if n - 1 in document else None,
        told=frozenset(channel for (channel,) in connection.rows(channels, incident=incident)),
    )


def _group_of(connection: Connection, order: Order) -> AlertGroup:
    """The most urgent group in which this channel may have been told of the incident, so that a correction is as loud
    as the claim was; the order's own if that is more urgent, or the one notice of a change of the method."""
    if order.group.priority is Priority.METHOD:
        return order.group
    groups = f"SELECT {_GROUP} FROM {_GROUPED} WHERE channel = :channel AND incident = :incident"
    rows = connection.rows(
        f"{groups} AND {_MAY_HAVE_ARRIVED} ORDER BY n", channel=order.channel, incident=order.incident
    )
    return min((*(_group(*row) for row in rows), order.group), key=lambda group: group.rank)


def _note_group(connection: Connection, delivery: str, group: AlertGroup, message: str = "") -> None:
    names = [field.name for field in fields(AlertGroup)]
    connection.run(
        f"INSERT INTO alert_groups (delivery, message, {', '.join(names)}) "
        f"VALUES (:delivery, :message, {', '.join(f':{name}' for name in names)}) "
        "ON CONFLICT (delivery) DO UPDATE SET message = excluded.message",
        delivery=delivery,
        message=message,
        **asdict(group) | {"kind": group.kind.value, "priority": group.priority.value},
    )


def _row(order: Order, at: float, now: float) -> dict[str, object]:
    """A delivery's row; its key is derived from the news, so that the same news can never have two."""
    name = f"fanous:{order.incident}:{at:.6f}:{order.n}:{order.channel}"
    return {
        "key": str(uuid5(NAMESPACE_URL, name)),
        "channel": order.channel,
        "incident": order.incident,
        "n": order.n,
        "happening": order.happening.value,
        "state": AlertState.WAITING.value,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "sent_at": None,
        "why": "",
    }


def _delivery(*row: Any) -> Delivery:
    """A row of ``_DELIVERIES``."""
    plain, message, group = row[:-7], row[-7], row[-6:]
    names = [field.name for field in fields(Delivery)]
    ours = dict(zip(names, plain, strict=False)) | {"message": message, "group": _group(*group)}
    return msgspec.convert(ours, Delivery, strict=False)


def _group(*row: Any) -> AlertGroup:
    """As its columns have it; SQLite keeps truth as a number."""
    if row[0] is None:
        return UNGROUPED
    names = [field.name for field in fields(AlertGroup)]
    return msgspec.convert(dict(zip(names, row, strict=True)), AlertGroup, strict=False)
