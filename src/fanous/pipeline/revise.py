"""Revise: writes findings to the ledger as revisions, each with the reason for the change.

One process at a time works on a country, under a lease that is renewed while it works.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from logging import getLogger

from fanous.analysis.detectors.detector import Reads
from fanous.analysis.detectors.registry import version_of
from fanous.analysis.incidents.merge import match, united
from fanous.analysis.incidents.names import unwatched
from fanous.analysis.incidents.revision import (
    arrivals_of,
    held,
    must_wait,
    provisional,
    rests_on_part,
    what_was_wrong,
)
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.coverage import Backfill
from fanous.model.incident import (
    BACKFILL,
    Approval,
    Decided,
    Decision,
    Incident,
    Interval,
    Kind,
    Note,
    Status,
)
from fanous.model.instant import DAY, HOUR
from fanous.model.reason import AS_WRITTEN, HINDSIGHT, Reason
from fanous.pipeline.interference import counted_again
from fanous.pipeline.judge import rules_version
from fanous.store.database import LEASE_SECONDS, Lease, LeaseLost
from fanous.store.protocol import Store

RENEWALS = 3
"""Renewals during a lease: two may fail before it is lost."""

WAIT = 120.0
"""Seconds that a person waits for a country that a worker holds: longer than the slowest country took."""

POLL = 0.2

HINDSIGHT_AFTER = 6 * HOUR
"""Seconds after ``confirmed_at`` beyond which a confirmation new to the ledger was not made live: sources are
pulled every few minutes to every six hours."""

log = getLogger("fanous.detect")


@contextmanager
def kept(store: Store, lease: Lease, seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Renew a lease during the work, and write only under it.

    It is released at the end, unless the country was marked as detected.
    """
    ended = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(store, lease, seconds, ended), name="renewing", daemon=True
    )
    renewing.start()
    try:
        with store.ledger.holding(lease):
            yield
    finally:
        ended.set()
        renewing.join()
        store.ledger.give_back(lease)


def _renew(store: Store, lease: Lease, seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds / RENEWALS):
        try:
            store.ledger.renew(lease, seconds)
        except LeaseLost:
            log.warning(logline("lease_lost", country=lease.country, worker=lease.worker))
            return  # the next write will raise it in the working thread
        except FanousError as error:
            log.warning(logline("not_renewed", country=lease.country, why=str(error)))


@contextmanager
def alone_with(store: Store, country: str) -> Iterator[Lease]:
    """Keep workers from detecting in a country; waits for the current one.

    Raises:
        FanousError: it takes too long.
    """
    until = time.monotonic() + WAIT
    while (lease := store.ledger.lease(country=country)) is None:
        if time.monotonic() > until:
            who = dict(store.ledger.leases()).get(country, "another process")
            raise FanousError(f"{country} is still being processed by {who}: try again", permanent=False)
        time.sleep(POLL)
    with kept(store, lease):
        yield lease


OF_LEVELS = {Kind.OUTAGE, Kind.SLOWDOWN}
"""Kinds that series of public sources can change."""


def write_changes(
    store: Store,
    country: str,
    found: list[Incident],
    since: float,
    until: float,
    why: tuple[Reason, ...] = (),
) -> list[Incident]:
    """Write a revision for what changed; incidents that the data no longer support are retracted, in public.

    A national incident that a person has to see first is written as suspected until it is approved.  While measurements
    of the past are still being brought in, what rests on a part of them is provisional, and nothing that was claimed
    before is taken back because of it.  A suspicion that has faded before it was written was never a claim.

    Args:
        why: what else happened that may have changed incidents; comes first in the reasons.
    """
    every = store.ledger.incidents(country, since, until, synthetic=store.is_synthetic, dropped=True)
    known = [incident for incident in every if incident.onset >= since]
    reviews = Reviews(store)
    pairs = [
        (new, old)
        for new, old in reviews.pairs(found, known)
        if old is not None
        or new.status is not Status.RETRACTED
        or all(r.code != "faded" for r in new.reasons)
    ]
    kept = {earlier.id for _, earlier in pairs if earlier is not None}
    going = backfill_of(store, country)
    if going is not None:
        pairs = list(_while_it_goes_on(pairs, going))
    pairs = [(reviews.applied(_with_hindsight(store, new, old), old), old) for new, old in pairs]
    written = [_write(store, new, old, why) for new, old in pairs]
    for incident in known:
        if incident.id in kept or incident.status is Status.RETRACTED:
            continue
        if going is not None and not incident.is_provisional and rests_on_part(incident, going):
            continue
        whole = next((one for one in written if _holds(one, incident)), None)
        came = *why, *what_came(store, incident, incident), *_by_other_versions(incident)
        gone = Reason("backfill.gone") if incident.is_provisional else Reason("not_supported")
        why_not = Reason("merged", {"incident": whole.id}) if whole else gone
        store.ledger.retract(incident.id, (*came, why_not), merged_into=whole.id if whole else "")
    return written


STALLED = 7 * DAY
"""Seconds without progress after which a backfill counts as over, with nothing more to come.  A laptop that was closed
over a holiday must not confirm anything from half of the past in its first minute."""


def backfill_of(store: Store, country: str) -> Backfill | None:
    """A country's ongoing backfill; ``None`` = there is none, or it has stalled."""
    going = store.ledger.backfill(country)
    return going if going is not None and store.now() - going.at < STALLED else None


def _while_it_goes_on(
    pairs: Iterable[tuple[Incident, Incident | None]], going: Backfill
) -> Iterator[tuple[Incident, Incident | None]]:
    """What may be written before a backfill is over."""
    for new, old in pairs:
        if not rests_on_part(new, going):
            yield new, old
        elif old is not None and old.stands:
            if not what_was_wrong(old, new):
                yield new, old
        elif new.status is not Status.RETRACTED:
            yield provisional(new, going), old
        elif old is not None and old.is_provisional:
            yield replace(new, held_by=BACKFILL), old


def _holds(whole: Incident, part: Incident) -> bool:
    """Is everything in ``part`` also in ``whole``, on one of its networks at the same time?"""
    if whole.status is Status.RETRACTED or not set(part.targets) <= set(whole.targets):
        return False
    about = set(part.targets) or {""}
    return any(
        about & set(network.targets) and network.entity in part.entities and _meet(interval, part)
        for network in whole.networks
        for interval in network.intervals
    )


def _meet(interval: Interval, part: Incident) -> bool:
    is_before = interval.end is not None and interval.end <= part.onset
    return not is_before and (part.end is None or interval.start < part.end)


class Reviews:
    """People's decisions about incidents, as they affect later findings."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._holds_national = store.ledger.holds_national()
        self._approved = store.ledger.approvals()
        self._named = store.ledger.named()
        self._held: dict[str, Decision] = {}
        self._merged: dict[str, Decision] = {}
        for one in store.ledger.decisions():
            if one.decided is Decided.HOLD:
                self._held[one.incident] = one
            elif one.decided is Decided.MERGE:
                self._merged[one.incident] = one

    def applied(self, new: Incident, old: Incident | None) -> Incident:
        """The finding, with the known incident's note and who named its targets, and held if a person or a rule holds
        it."""
        named_by = next((self._named[target] for target in new.targets if target in self._named), "")
        new = replace(new, named_by=named_by, note=None if old is None else old.note)
        approval = self._approved.get(old.id) if old is not None else None
        hold = self._held.get(old.id) if old is not None else None
        if hold is not None and (approval is None or approval.at < hold.at):
            return held(new, hold)
        return held(new) if self._holds_national and approval is None and must_wait(new) else new

    def pairs(
        self, found: Sequence[Incident], known: Sequence[Incident]
    ) -> list[tuple[Incident, Incident | None]]:
        """As ``match``, with incidents that a person merged treated as one.

        Findings are assigned to the whole or to its parts by what each was before the merger.
        """
        merges = [self._merged[one.id] for one in known if one.id in self._merged and one.withdrawn_by]
        before: dict[str, int] = {}
        for one in merges:
            before[one.whole] = min(one.revision, before.get(one.whole, one.revision))
        alone = [self._as_it_was(one, before[one.id]) if one.id in before else one for one in known]
        now = {one.id: one for one in known}
        pairs = [(new, now[old.id] if old is not None else None) for new, old in match(found, alone)]
        of_whole = {one.incident: one.whole for one in merges}
        at = {old.id: n for n, (_, old) in enumerate(pairs) if old is not None}
        for n, (new, old) in enumerate(list(pairs)):
            whole = at.get(of_whole.get(old.id, "")) if old is not None else None
            if whole is not None and whole != n:
                first = pairs[whole][0]
                pairs[whole] = _united(self._store, first, new), pairs[whole][1]
        return pairs

    def _as_it_was(self, whole: Incident, revision: int) -> Incident:
        earlier = (one.incident for one in self._store.ledger.revisions(whole.id) if one.n == revision)
        return next(earlier, whole)


def _united(store: Store, whole: Incident, part: Incident) -> Incident:
    """Both as one, with figures that count what is in both once."""
    one = united(whole, part)
    return counted_again(store, one, (whole, part), store.now() if one.end is None else one.end)


def _with_hindsight(store: Store, new: Incident, old: Incident | None) -> Incident:
    """The incident; if it is confirmed by past figures that arrived later than they could have, it says so."""
    if new.confirmed_at is None or new.kind not in OF_LEVELS or store.is_synthetic:
        return new
    if old is None or old.confirmed_at is None:
        in_hindsight = store.now() - new.confirmed_at > HINDSIGHT_AFTER
    else:
        in_hindsight = any(reason.code == HINDSIGHT for reason in old.reasons)
    return replace(new, reasons=(*new.reasons, Reason(HINDSIGHT))) if in_hindsight else new


def _write(store: Store, new: Incident, old: Incident | None, why: tuple[Reason, ...]) -> Incident:
    if old is None:
        return store.ledger.put(new, new.reasons)
    if old.withdrawn_by:
        return old
    if _is_same(new, old):
        return old
    if old.is_provisional and new.status is Status.RETRACTED:
        new = replace(new, held_by=BACKFILL)
    came = what_came(store, new, old)
    return store.ledger.put(new, (*why, *came, *new.reasons), known_as=old.id)


def _is_same(new: Incident, old: Incident) -> bool:
    """Is it unchanged?  A text of an earlier version that has become a code does not count as a change."""
    told = replace(new, id=old.id)
    if _in_words(old.reasons):
        told = replace(told, reasons=old.reasons)
    if _in_words(old.hints):
        told = replace(told, hints=old.hints)
    return told == old


def _in_words(reasons: Iterable[Reason]) -> bool:
    return any(reason.code == AS_WRITTEN for reason in reasons)


def what_came(store: Store, new: Incident, old: Incident) -> tuple[Reason, ...]:
    """What has happened since the last revision that may have changed the incident; empty = nothing known."""
    last = store.ledger.revisions(old.id)[-1].at
    approval = store.ledger.approvals().get(old.id)
    if approval is not None and approval.at >= last:
        return (Reason("approved", {"by": approval.who, "note": approval.note}),)
    starts = [i.onset if i.onset_earliest is None else i.onset_earliest for i in (new, old)]
    ends = [i.end for i in (new, old)]
    until = None if None in ends else max(end for end in ends if end is not None)
    targets = sorted({*new.targets, *old.targets})
    span = min(starts), until, last
    levels = store.facts.series_arrived(old.country, *span) if {new.kind, old.kind} & OF_LEVELS else []
    came = arrivals_of(store.facts.arrived(old.country, targets, *span), levels)
    versions = new.rules_version, new.detector_version
    if versions != (old.rules_version, old.detector_version):
        came = *came, Reason("versions", {"rules": versions[0], "detectors": versions[1]})
    return came


def method_version() -> str:
    """Identifies everything that decides what is an incident, and how it is said."""
    return f"{rules_version()} {_detectors()}"


def _detectors() -> str:
    return "+".join(dict.fromkeys(map(version_of, Reads)))


def _by_other_versions(gone: Incident) -> tuple[Reason, ...]:
    """That an incident which is no longer found was found by other versions than today's."""
    is_same = gone.rules_version == rules_version() and gone.detector_version in map(version_of, Reads)
    return () if is_same else (Reason("versions", {"rules": rules_version(), "detectors": _detectors()}),)


def approval_of(store: Store, incident_id: str, who: str, note: str, at: float) -> Approval:
    """The approval of an incident in its present state.

    Raises:
        FanousError: there is no such incident, it is not held, or the approval has no name.
    """
    revisions = store.ledger.revisions(incident_id)
    if not revisions:
        raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` shows them")
    if not who.strip():
        raise FanousError("an approval needs the reviewer's name: give it with --by")
    if revisions[-1].incident.is_provisional:
        raise FanousError(
            f"{incident_id} is provisional until the measurements of the days before it are in: nothing to approve yet"
        )
    if not revisions[-1].incident.held_by:
        status = revisions[-1].incident.status
        raise FanousError(f"{incident_id} is not held for review (it is {status}): nothing to approve")
    return Approval(incident_id, revisions[-1].n, who.strip(), at, note.strip())


def withdraw(store: Store, incident_id: str, who: str, why: str, at: float) -> Incident:
    """Retract an incident in a person's name; its history stays, and no detection brings it back.

    Raises:
        FanousError: there is no such incident, it is already retracted, or name or reason are missing.
    """
    incident = store.ledger.incident(incident_id)
    if incident is None:
        raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` shows them")
    if not who.strip() or not why.strip():
        raise FanousError("retracting an incident needs a person's name and a reason: both are published")
    if incident.status is Status.RETRACTED:
        raise FanousError(
            f"{incident_id} has been retracted already; `fanous incidents show {incident_id}` says why"
        )
    with alone_with(store, incident.country):  # a detection unaware of this would bring it back
        by = who.strip()
        reason = Reason("withdrawn", {"by": by, "why": why.strip()})
        return store.ledger.retract(incident_id, (reason,), at=at, withdrawn_by=by)


def hold(store: Store, incident_id: str, who: str, note: str, at: float) -> Incident:
    """Hold an incident in a person's name: it stays suspected, regardless of measurements, until someone approves it.

    Raises:
        FanousError: there is no such incident, it is already held or retracted, or the name is missing.
    """
    incident = _standing(store, incident_id, who)
    if incident.awaits_review:
        raise FanousError(f"{incident.id} is held already: `fanous incidents approve` releases it")
    with alone_with(store, incident.country):
        decision = Decision(incident.id, Decided.HOLD, who.strip(), at, note.strip())
        store.ledger.decide(decision)
        waiting = held(_standing(store, incident_id, who), decision)
        return store.ledger.put(waiting, waiting.reasons[:1], known_as=incident.id)


def annotate(store: Store, incident_id: str, who: str, note: str, at: float) -> Incident:
    """Write a note on an incident, which is published with it and stays until replaced; an empty one removes it.

    Raises:
        FanousError: there is no such incident, it is retracted, or the name is missing.
    """
    incident = _standing(store, incident_id, who)
    with alone_with(store, incident.country):
        store.ledger.decide(Decision(incident.id, Decided.NOTE, who.strip(), at, note.strip()))
        own = Note(note.strip(), who.strip(), at) if note.strip() else None
        noted = replace(_standing(store, incident_id, who), note=own)
        return store.ledger.put(noted, (Reason("noted", {"by": who.strip()}),), known_as=incident.id)


def name_targets(store: Store, incident_id: str, who: str, why: str, at: float) -> Incident:
    """Let readers see the names of an incident's targets that are on no list, here and wherever they occur from now on.

    Raises:
        FanousError: there is no such incident, it is retracted, readers see all of it already, or the name is missing.
    """
    incident = _standing(store, incident_id, who)
    if not unwatched(incident, store.ledger.for_readers().watches(incident)):
        raise FanousError(f"{incident.id} has no name that is withheld from readers")
    with alone_with(store, incident.country):
        last = store.ledger.revisions(incident.id)[-1]
        by = who.strip()
        store.ledger.decide(Decision(incident.id, Decided.NAME, by, at, why.strip(), revision=last.n))
        named = replace(last.incident, named_by=by)
        if named == last.incident:
            return named
        return store.ledger.put(named, (Reason("named", {"by": by}),), known_as=incident.id)


def merge(store: Store, part_id: str, whole_id: str, who: str, why: str, at: float) -> Incident:
    """Make one incident part of another, because a person found that they are the same event; no detection separates
    them again.

    Returns:
        The whole.

    Raises:
        FanousError: one is retracted or unknown, they are the same, or differ in country or provenance, or a name or a
            reason is missing.
    """
    part, whole = _standing(store, part_id, who), _standing(store, whole_id, who)
    if not why.strip():
        raise FanousError("merging two incidents needs a reason: it is published")
    if part.id == whole.id:
        raise FanousError(f"{part.id} cannot be merged into itself: name the incident of which it is a part")
    if part.country != whole.country or part.provenance.is_synthetic is not whole.provenance.is_synthetic:
        raise FanousError(f"{part.id} and {whole.id} are not of one country, or one of them is synthetic")
    if part.is_provisional or whole.is_provisional:
        raise FanousError(
            "one of them is provisional until the measurements of the days before it are in: merge them then"
        )
    if part.held_by or whole.held_by:
        raise FanousError("one of them is held for review: approve it first, then merge")
    by = who.strip()
    with alone_with(store, part.country):
        part, whole = _standing(store, part_id, who), _standing(store, whole_id, who)
        last = store.ledger.revisions(whole.id)[-1].n
        store.ledger.decide(Decision(part.id, Decided.MERGE, by, at, why.strip(), whole.id, last))
        came = Reason("joined", {"incident": part.id, "by": by})
        one = store.ledger.put(_united(store.of(whole.provenance), whole, part), (came,), known_as=whole.id)
        gone = Reason("merged", {"incident": whole.id}), Reason("withdrawn", {"by": by, "why": why.strip()})
        store.ledger.retract(part.id, gone, at=at, withdrawn_by=by, merged_into=whole.id)
        return one


def _standing(store: Store, incident_id: str, who: str) -> Incident:
    """An incident about which a person may decide."""
    incident = store.ledger.incident(incident_id)
    if incident is None:
        raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` shows them")
    if not who.strip():
        raise FanousError("a decision needs the name or role of the person who makes it: it is published")
    if incident.status is Status.RETRACTED:
        raise FanousError(f"{incident_id} has been retracted; `fanous incidents show {incident_id}` says why")
    return incident
