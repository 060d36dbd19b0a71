"""Detect: from the facts of a country to its incidents in the ledger.

    series -> anomalies -> incidents -> ledger

Imports mark their countries as undetected; detection then takes them one by one, under a lease, so that any
number of processes can share the work.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from fanous.analysis.incidents.merge import merged
from fanous.model.incident import Incident
from fanous.model.instant import DAY
from fanous.model.measurement import AHEAD, Provenance
from fanous.model.place import UNKNOWN_COUNTRY, UserWeights
from fanous.model.reason import Reason
from fanous.model.threshold import threshold
from fanous.pipeline.interference import TICK, counted_again, find_interference
from fanous.pipeline.judge import rules_version
from fanous.pipeline.outages import find_outages, look_again
from fanous.pipeline.revise import alone_with, approval_of, kept, method_version, write_changes
from fanous.refdata.users import user_weights
from fanous.store.database import LEASE_SECONDS, LeaseLost
from fanous.store.protocol import Store

HISTORY = threshold(
    "series.history_seconds",
    60 * DAY,
    "Time before the first new measurement that detection covers: for baselines, weekends, and to see a "
    "beginning.",
)


def detect_all(store: Store, why: tuple[Reason, ...] = ()) -> list[str]:
    """Detect in every country with undetected measurements, including those of killed runs.

    A country that another process is working on is left to it.

    Args:
        why: what else happened that may have changed incidents.

    Returns:
        The countries, in the order in which they were done.
    """
    done = []
    while (country := detect_next(store, why)) is not None:
        if country:
            done.append(country)
    return done


def detect_next(store: Store, why: tuple[Reason, ...] = (), seconds: float = LEASE_SECONDS) -> str | None:
    """Detect in the country whose turn it is.

    Args:
        seconds: after which another process may take the country over if this one dies.

    Returns:
        Which country; empty = another process took it over in the meantime, and nothing was written; ``None``
        = nothing is left for this process.
    """
    lease = store.ledger.lease(seconds)
    if lease is None or lease.span is None:
        return None
    try:
        with kept(store, lease, seconds):
            detect(store, lease.country, *lease.span, why=why)
            store.ledger.mark_detected(lease)
    except LeaseLost:
        return ""
    return lease.country


def detect(
    store: Store,
    country: str,
    first: float,
    last: float,
    shares: UserWeights | None = None,
    why: tuple[Reason, ...] = (),
) -> list[Incident]:
    """Find the incidents of a country around ``[first, last]`` and write what changed to the ledger.

    Late measurements change the past: everything from ``first`` to the newest measurement is computed
    again, and each incident that differs gets a revision.

    Synthetic data are detected separately: they cannot change anything said about other data.

    Args:
        last: the newest measurement, or now: in that case probes that should have been heard by now count as
            silent.
        shares: the networks' shares of users; ``None`` = as this machine knows them.
        why: what else happened that may have changed incidents.
    """
    if country == UNKNOWN_COUNTRY:
        return []
    store.ledger.note_method(method_version())
    written = []
    for side in store.sides():
        measured = side.facts.span(country)
        if measured or side.ledger.incidents(country, synthetic=side.is_synthetic):
            since, until = _window(side, country, first, max(last, measured[1]) if measured else last)
            before = side.ledger.incidents(country, since, until, synthetic=side.is_synthetic)
            found = find_incidents(side, country, since, until, shares or user_weights(country))
            written += write_changes(side, country, found, since, until, why)
            after = side.ledger.incidents(country, since, until, synthetic=side.is_synthetic)
            look_again(side, country, before, after)
    return written


def _window(store: Store, country: str, first: float, last: float) -> tuple[float, float]:
    """From far enough before ``first`` to see the beginning of anything ongoing then, to ``last``, the newest
    measurement, unless its clock was ahead.
    """
    since = first - HISTORY
    for incident in store.ledger.incidents(country, since, first, synthetic=store.is_synthetic):
        since = min(since, incident.onset - HISTORY)
    return since, min(last, store.now() + AHEAD) + TICK


def find_incidents(
    store: Store, country: str, since: float, until: float, shares: UserWeights | None
) -> list[Incident]:
    """The incidents that follow from everything in the store about a window; writes nothing.

    Args:
        shares: the networks' shares of users; ``None`` = no figures of this country are known.
    """
    rates = store.facts.rates(country, since, until)
    in_series = find_outages(store, country, since, until, rules_version(), shares, rates)
    in_votes = find_interference(store, country, since, until, shares, rates)
    found = merged(in_series, in_votes, partial(counted_again, store, until=until))
    return _with_provenance(store, found, (since, until))


def _with_provenance(
    store: Store, incidents: Sequence[Incident], when: tuple[float, float]
) -> list[Incident]:
    """Each incident with the weakest provenance of what it is made of."""
    if store.is_synthetic:
        return [replace(one, provenance=Provenance.SYNTHETIC) for one in incidents]
    if not incidents:
        return []
    known = store.facts.provenances(incidents[0].country, *when)
    return [replace(one, provenance=store.facts.provenance_of(one, known)) for one in incidents]


def approve(store: Store, incident_id: str, who: str, note: str, at: float) -> Incident:
    """Approve a held incident in a person's name, and write it without the hold.

    Raises:
        FanousError: there is no such incident, or it is not held.
    """
    approval = approval_of(store, incident_id, who, note, at)
    claim = store.ledger.revisions(incident_id)[-1].incident
    first, last = claim.onset, claim.onset if claim.end is None else claim.end
    with alone_with(store, claim.country) as lease:
        store.ledger.approve(approval)
        if lease.span is not None:
            first, last = min(first, lease.span[0]), max(last, lease.span[1])
        detect(store, claim.country, first, last)
        store.ledger.mark_detected(lease)
    return store.ledger.revisions(incident_id)[-1].incident
