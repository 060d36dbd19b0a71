"""Upgrade: adds provenance, and state as fields, to what was stored before November 2026.

It runs once, when such a store is opened.  A record is synthetic if it says so, or if it reached a server of
the lab; the name of the lab's authority counts here and nowhere else, since anyone who answers a probe could
write it into a certificate. An incident is synthetic if any of the measurements that saw it is.  If
killed, it runs again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from logging import getLogger
from math import inf
from typing import TypeVar

from fanous.log import logline
from fanous.model.incident import Incident
from fanous.model.measurement import Provenance, weakest
from fanous.sources.marks import is_marked
from fanous.store.archive import Archive, DamagedSegment, Segment
from fanous.store.codec import with_codes
from fanous.store.engine import Engine
from fanous.store.facts import Facts
from fanous.store.ledger import Ledger
from fanous.store.schema import FACTS

LAB_AUTHORITY = "Fanous lab authority"
"""Common name of the authority that signs for the lab's servers."""

SOME = 1000
"""Records per statement."""

_AT = """
SELECT uid FROM measurements WHERE segment = {segment:String} AND position IN {positions:Array(UInt32)}
"""
_OF_LAB = "SELECT DISTINCT uid FROM observations WHERE cert_issuer = {authority:String} AND vantage = 'probe'"

T = TypeVar("T")

log = getLogger("fanous.store")


def give_provenance(archive: Archive, engine: Engine, every: Facts, ledger: Ledger) -> None:
    """Add provenance; does nothing if that has already been done.

    Args:
        engine: one that shows all rows, as ``every`` does.
    """
    if ledger.knows_provenance():
        return
    old = [segment for segment in archive.segments() if not segment.provenance]
    if old:
        log.info(logline("upgrading", looks_for="synthetic records", segments=len(old)))
    for segment in old:
        for positions in _by_some(_marked(archive, segment)):
            found = engine.rows(_AT, segment=segment.name, positions=positions)
            _make_synthetic(engine, [uid for (uid,) in found])
    for uids in _by_some([uid for (uid,) in engine.rows(_OF_LAB, authority=LAB_AUTHORITY)]):
        _make_synthetic(engine, uids)
    _detect_again(every, ledger)
    ledger.complete(lambda incident: with_codes(replace(incident, provenance=_of_incident(every, incident))))


def _detect_again(every: Facts, ledger: Ledger) -> None:
    """Countries in which staged and other records were mixed: their incidents have to be detected again."""
    for country in every.countries():
        span, found = every.span(country), every.provenances(country, 0, inf)
        if span is not None and len(found) > 1 and Provenance.SYNTHETIC in found:
            ledger.mark_undetected({country: span})


def _marked(archive: Archive, segment: Segment) -> list[int]:
    """Where the records are that are marked as synthetic."""
    try:
        return [n for n, record in enumerate(archive.records(segment)) if is_marked(record.data)]
    except DamagedSegment as error:
        log.warning(logline("unusable", segment=segment.name, why=str(error)))
        return []


def _make_synthetic(engine: Engine, uids: Sequence[str]) -> None:
    for table in FACTS:
        engine.change(
            table, f"provenance = '{Provenance.SYNTHETIC}'", "uid IN {uids:Array(String)}", uids=list(uids)
        )


def _by_some(values: Sequence[T]) -> Iterator[list[T]]:
    return (list(values[start : start + SOME]) for start in range(0, len(values), SOME))


def _of_incident(every: Facts, incident: Incident) -> Provenance:
    """The provenance of an incident; if no measurement that saw it is left, everything known about the country
    counts."""
    asns = [network.asn for network in incident.networks]
    seen = every.provenances_seen(incident.country, incident.targets, asns, incident.intervals)
    return weakest(seen or every.provenances(incident.country, 0, inf))
