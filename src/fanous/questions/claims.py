"""Claims: what a store says about an incident, a claim by others or an announced event; reads only.

If coverage is what is missing, that is worth saying: an incident that stays suspected because too few measured it
lists the country's largest networks with too few measurements.  Nothing is pushed to volunteers.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from urllib.parse import urlencode, urlsplit

import numpy as np

from fanous.analysis.claims import Checked, check_claim
from fanous.analysis.collateral import beside
from fanous.analysis.coverage import coverage_of, who_saw_what
from fanous.analysis.events import OTHER_DAYS, EventReport, report_event
from fanous.analysis.incidents.revision import taken_back
from fanous.analysis.policing import Policing, policing
from fanous.analysis.series.signals import target_of_series
from fanous.analysis.series.voices import PROBES
from fanous.errors import FanousError
from fanous.model.claim import Claim, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Correction, Incident, Kind, MethodChange, Scope, Status, Witness
from fanous.model.instant import DAY, to_iso
from fanous.model.measurement import Provenance
from fanous.model.place import Family
from fanous.model.reason import Reason, is_by_method
from fanous.pipeline.call import Call
from fanous.questions.country import known_since
from fanous.refdata.countries import exam_season
from fanous.refdata.networks import network_name
from fanous.refdata.platforms import domains_of, target_of
from fanous.refdata.targets import target_list
from fanous.refdata.users import user_weights
from fanous.sources.measurements import FAMILY_OF
from fanous.store.protocol import Store


def witnesses(store: Store, incident: Incident) -> tuple[Witness, ...]:
    """Which sources saw the incident, which did not, and which could not have."""
    store = store.of(incident.provenance)
    start, end = incident.onset, incident.until
    targets = sorted({*incident.targets, *(t for network in incident.networks for t in network.targets)})
    return who_saw_what(incident, store.facts.votes(incident.country, start, end, targets), FAMILY_OF)


def what_else(store: Store, incident: Incident) -> list[Reason]:
    """Hints about an incident: what preceded it, and what may have been hit unintentionally."""
    store = store.of(incident.provenance)
    domains = {t: [d for domain in domains_of(t).values() for d in domain] for t in incident.targets}
    asns = [asn for network in incident.networks if (asn := network.asn)]
    addresses = store.facts.failing_addresses(incident.country, asns, incident.intervals)
    incidents = store.ledger.incidents(incident.country, synthetic=store.is_synthetic)
    hints = beside(incident, incidents, domains, addresses)
    season = exam_season(incident.country, incident.onset)
    is_new = season is not None and season.code not in {hint.code for hint in incident.hints}
    return [*hints, season] if season is not None and is_new else hints


def slowed_how(store: Store, incident: Incident) -> Policing | None:
    """For targets that were slowed down: a fixed rate or a crowded line; ``None`` = none were slowed down."""
    store = store.of(incident.provenance)
    slow = sorted({p.target for p in incident.parts if p.kind is Kind.THROTTLING and p.target})
    if not slow:
        return None
    asns = [asn for network in incident.networks if (asn := network.asn)]
    return policing(store.facts.rate_pairs(incident.country, slow, asns, incident.intervals))


def check(store: Store, claim: Claim) -> Checked:
    """Check one claim against the incidents and the coverage of its country, time and targets."""
    store = store.about(claim.country)
    incidents = store.ledger.incidents(claim.country, claim.since, claim.until, synthetic=store.is_synthetic)
    incidents = known_since(store, incidents, claim.since)
    votes = store.facts.votes(claim.country, claim.since, claim.until, list(claim.targets) or None)
    if claim.networks:
        votes = votes.where(np.isin(votes.asns, claim.networks))
    covered = coverage_of(votes, claim.since, claim.until)
    window = (claim.country, claim.since, claim.until)
    targets = () if _is_of_nation(claim) else claim.targets
    series = _series_of(store, *window, targets, claim.networks)
    watched = _watched(store, *window, targets) if series and _shows_in_series(claim) else ()
    checked = check_claim(claim, incidents, replace(covered, series=series, watched=watched))
    return replace(checked, synthetic=store.is_synthetic)


def _is_of_nation(claim: Claim) -> bool:
    return claim.said is Said.OUTAGE and claim.scope is Scope.NATION


def _shows_in_series(claim: Claim) -> bool:
    """Would series of the country, or of its traffic to the targets, show what is claimed?"""
    if _is_of_nation(claim):
        return True
    of_line = claim.said in (Said.OUTAGE, Said.DISRUPTED, Said.NORMAL)
    return (of_line or bool(claim.targets)) and not claim.networks and claim.scope in (None, Scope.NATION)


def _series_of(
    store: Store, country: str, since: float, until: float, targets: Sequence[str], asns: Sequence[int] = ()
) -> tuple[str, ...]:
    """As ``Coverage.series``, of the networks alone if any are given."""
    names = set()
    for key in store.facts.series_keys(country, since, until):
        target = target_of_series(key)
        if (not targets or target in targets) and (not asns or key.place.asn in asns):
            names.add(" ".join(filter(None, (key.source, key.signal, target))))
    return tuple(sorted(names))


def _watched(
    store: Store, country: str, since: float, until: float, targets: Sequence[str]
) -> tuple[Family, ...]:
    from fanous.pipeline.outages import (
        watched_families,  # imported only if there is something for the detectors to do
    )

    return watched_families(store, country, since, until, targets)


def corrections(store: Store, country: str | None = None) -> list[Correction]:
    """Every revision that withdrew something, newest first; ``None`` = all countries."""
    withdrawals = []
    changed = next((method.since for method in store.ledger.methods() if method.since is not None), inf)
    for incident in store.ledger.incidents(country):
        revisions = store.ledger.revisions(incident.id)
        for before, after in pairwise(revisions):
            gone = taken_back(before.incident, after.incident)
            if gone:
                by_method = after.at >= changed and is_by_method(after.reasons)
                revision = (after.n, after.at, gone, after.reasons, by_method)
                withdrawals.append(Correction(incident.id, incident.country, incident.provenance, *revision))
    return sorted(withdrawals, key=lambda correction: (-correction.at, correction.incident, correction.n))


def method_changes(store: Store, since: float = -inf) -> list[MethodChange]:
    """Changes of the method from ``since`` on by which incidents were revised, newest first."""
    moments = (method.since for method in store.ledger.methods() if method.since is not None)
    changes = [moment for moment in moments if moment >= since]
    if not changes:
        return []
    revised, corrected, unvouched = (defaultdict[float, set[str]](set) for _ in range(3))
    for incident in store.ledger.incidents(revised=changes[0], synthetic=store.is_synthetic):
        for before, after in pairwise(store.ledger.revisions(incident.id)):
            if after.at < changes[0] or not is_by_method(after.reasons):
                continue
            at = max(change for change in changes if change <= after.at)
            revised[at].add(incident.id)
            if taken_back(before.incident, after.incident):
                corrected[at].add(incident.id)
            if after.incident.provenance is Provenance.UNVOUCHED is not before.incident.provenance:
                unvouched[at].add(incident.id)
    return [
        MethodChange(at, len(revised[at]), len(corrected[at]), len(unvouched[at]))
        for at in sorted(revised, reverse=True)
    ]


def by_month(corrections: Iterable[Correction]) -> list[tuple[str, int]]:
    """``2023-12`` -> corrections in it (UTC), newest month first.

    Those of staged incidents count only if there are no others.
    """
    corrections = list(corrections)
    real = [correction for correction in corrections if not correction.provenance.is_synthetic]
    count = Counter(to_iso(correction.at)[:7] for correction in real or corrections)
    return sorted(count.items(), reverse=True)


def event_report(store: Store, event: AnnouncedEvent) -> EventReport:
    """What was seen around an announced event."""
    store = store.about(event.country)
    incidents = store.ledger.incidents(event.country, synthetic=store.is_synthetic)
    incidents = known_since(store, incidents, event.start)
    targets = sorted(set(event.targets)) or None
    votes = store.facts.votes(event.country, event.start - OTHER_DAYS, event.end + OTHER_DAYS, targets)
    window = (event.country, event.start, event.end, event.targets)
    series = _series_of(store, *window)
    watched = _watched(store, *window) if series else ()
    span = store.facts.span(event.country)
    report = report_event(event, incidents, votes, span, series, watched)
    return replace(report, synthetic=store.is_synthetic)


# --- where measurements would settle a suspicion ----------------------------------------------------------

WANTED = ("lacks.network", "lacks.probes", "lacks.distinct", "lacks.duration")
"""Reasons that more vantage points would settle."""

LEAST_SHARE = 0.005
"""Share of a country's users below which a network says too little about the country."""

MOST_NAMED = 5
MOST_URLS = 4

BEFORE = DAY
"""Seconds before the onset from which measurements count: without them, nothing is known to have changed."""


@dataclass(frozen=True, slots=True)
class LackingNetwork:
    """A network on which too few measured.

    Attributes:
        share: share of the country's users; ``None`` = no user figures are known.
        measurements: number of measurements of the incident's targets, from a day before it began.
    """

    asn: int
    name: str
    share: float | None
    measurements: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """What would settle a suspicion.

    Attributes:
        networks: largest first; empty = nothing is lacking, or nothing is known about the country's networks.
        urls: URLs to measure.
        run_link: opens OONI Probe with them.
        command: measures them with the light probe, on the largest of the networks.
    """

    networks: tuple[LackingNetwork, ...] = ()
    urls: tuple[str, ...] = ()
    run_link: str = ""
    command: str = ""


def lacking(store: Store, incident: Incident) -> Lacking:
    """What is lacking; nothing unless the incident is suspected and more vantage points would settle it."""
    codes = {reason.code for reason in incident.reasons}
    if incident.is_provisional:  # the missing measurements may be on their way
        return Lacking()
    if incident.status is not Status.SUSPECTED or not codes & set(WANTED) or not incident.targets:
        return Lacking()
    facts, since = store.of(incident.provenance).facts, incident.onset - BEFORE
    end = incident.intervals[-1].end if incident.intervals else None
    until = store.now() if end is None else end
    measurements: Counter[int] = Counter()
    for network in facts.outcomes(incident.country, since, until, incident.targets, [since]):
        measurements[network.asn] += network.made
    weights = user_weights(incident.country)
    shares: dict[int, float | None] = (
        {network.asn: network.share for network in weights.networks if network.share >= LEAST_SHARE}
        if weights is not None
        else dict.fromkeys(facts.networks(incident.country))
    )
    few = [
        LackingNetwork(asn, network_name(asn), share, measurements[asn])
        for asn, share in shares.items()
        if measurements[asn] < PROBES
    ]
    few.sort(key=lambda network: (-(network.share or 0.0), network.asn))
    urls = urls_of(incident.targets)
    if not few:
        return Lacking()
    asked = " ".join(f"-i {url}" for url in urls)
    command = f"fanous probe run {asked} --country {incident.country} --asn {few[0].asn} --collector URL"
    return Lacking(tuple(few[:MOST_NAMED]), urls, run_link(urls), command)


def urls_of(targets: Sequence[str]) -> tuple[str, ...]:
    """One URL per target: from the list of platforms, or the site itself."""
    listed = {target_of(urlsplit(url).hostname or ""): url for url in reversed(target_list("social").urls)}
    return tuple(listed.get(target, f"https://{target}/") for target in targets)[:MOST_URLS]


def run_link(urls: Sequence[str]) -> str:
    """An OONI Run link, which opens the app OONI Probe with these URLs (ooni/probe-cli at 7cb22410,
    internal/oonirun/v1.go, ``v1Measure``)."""
    arguments = json.dumps({"urls": list(urls)}, separators=(",", ":"))
    query = urlencode({"mv": "1.2.0", "tn": "web_connectivity", "ta": arguments})
    return f"https://run.ooni.io/nettest?{query}"


class ListCorrections(Call[list[Correction]], frozen=True, tag="corrections"):
    """Withdrawals, newest first."""

    country: str | None = None

    def perform(self, store: Store) -> list[Correction]:
        return corrections(store, self.country)


class CheckClaims(Call[list[tuple[Claim, Checked]]], frozen=True, tag="check_claims"):
    """Claims, checked against the evidence; ``None`` = all."""

    claim: str | None = None

    def perform(self, store: Store) -> list[tuple[Claim, Checked]]:
        wanted = [
            claim
            for claim in store.ledger.claims()
            if self.claim is None or claim.id.lower() == self.claim.lower()
        ]
        if self.claim is not None and not wanted:
            raise FanousError(f"no claim {self.claim} in this store; see `fanous claims list`")
        return [(claim, check(store, claim)) for claim in wanted]


class ReportEvent(Call[EventReport], frozen=True, tag="event_report"):
    """What was seen around an announced event."""

    event: str

    def perform(self, store: Store) -> EventReport:
        event = next(
            (event for event in store.ledger.events() if event.id.lower() == self.event.lower()), None
        )
        if event is None:
            raise FanousError(f"no event {self.event} in this store; `fanous events list` shows them")
        return event_report(store, event)
