"""Interference: finds blocking, throttling and silence in the measurements in the store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from fanous.analysis.detectors.detector import Reads
from fanous.analysis.detectors.finding import Finding, by_network, failures, inside
from fanous.analysis.detectors.interference import Recall
from fanous.analysis.detectors.registry import detectors_of, version_of
from fanous.analysis.explanations.comparisons import (
    LONGEST_FAILURE,
    NOTHING,
    ONSET_SLOT,
    Comparisons,
    is_intercepted,
)
from fanous.analysis.explanations.event import BY_ADDRESS, MeasuredEvent
from fanous.analysis.explanations.host import HOST_SITES
from fanous.analysis.explanations.resolver import NO_ANSWER
from fanous.analysis.explanations.site import OWN_PAGES, by_whose_page
from fanous.analysis.incidents.assemble import Setting, events, of_measurements
from fanous.analysis.incidents.confirm import families_seen
from fanous.analysis.incidents.disputes import (
    JUDGED_ALONE,
    is_shown,
    of_family,
    shown_by,
    sources_of,
    with_disputes,
)
from fanous.analysis.incidents.interference import measured_incident
from fanous.analysis.incidents.networks import is_groundless, that_saw
from fanous.analysis.series.aggregate import VOUCHED_STEP, counted
from fanous.analysis.series.silence import SilenceWindow, silence_series, silence_votes
from fanous.analysis.series.slowness import MEMORY, Slowness, slowness
from fanous.model.coverage import Look
from fanous.model.evidence import EvidenceScope
from fanous.model.incident import Estimate, Incident, Kind
from fanous.model.instant import DAY
from fanous.model.place import Family, UserWeights
from fanous.model.series import Ints, Rate, Series, Votes, within
from fanous.model.threshold import threshold
from fanous.model.verdict import FORGED
from fanous.pipeline.judge import rules_version
from fanous.refdata.networks import home_of
from fanous.sources.measurements import FAMILY_OF
from fanous.store.protocol import Store

TICK = threshold(
    "series.tick_seconds",
    600,
    "Width of a bin of votes that no one vouches for: coarse bins lose short sessions, and an hour is the most that "
    "may be used.",
)


UNKNOWN_PROBES = tuple(name for name, family in FAMILY_OF.items() if family is Family.OONI)
"""Sources of runs whose probes are not known."""

_recalls: dict[Family | None, Recall] = defaultdict(Recall)
"""What is known of each family's series by themselves; None = of those of all families together."""


def find_interference(
    store: Store,
    country: str,
    since: float,
    until: float,
    shares: UserWeights | None,
    rates: Sequence[Rate],
) -> list[Incident]:
    """The incidents that follow from a window's measurements, including silent and slow probes.

    Args:
        rates: of downloads under innocuous names.
    """
    setting = Setting(country, shares, rules_version(), version_of(Reads.VOTES))
    when = since, until
    beats = store.facts.looks(since, until)
    series = store.facts.series(country, since, until, TICK, vouched_step=VOUCHED_STEP)
    series += silence_series(beats, country, SilenceWindow(since, until, TICK))
    found = _interference(store, when, _findings(Reads.VOTES, series), beats, setting)
    return _with_disputes(store, when, found, setting) + slowdowns_of(rates, setting)


def _findings(reads: Reads, series: Sequence[Series], family: Family | None = None) -> list[Finding]:
    """What every registered detector of such series finds, if it is strong enough for a suspicion."""
    return [
        Finding(anomaly, detector.kind)
        for detector in detectors_of(reads)
        for anomaly in _recalls[family].find(detector, series)
        if anomaly.probability >= detector.suspect_at
    ]


def _with_disputes(
    store: Store, when: tuple[float, float], found: list[Incident], setting: Setting
) -> list[Incident]:
    """All incidents, with what one family of sources shows by itself and others deny."""
    country = setting.country
    shared = [
        (target, set(families_seen(sources, FAMILY_OF)), answered)
        for target, sources, answered in store.facts.shared(country, *when)
    ]
    alone: dict[Family, list[Incident]] = {}
    for family in JUDGED_ALONE:
        of_own = family is Family.EDGE and any(answered for _, _, answered in shared)
        targets = sorted(
            {
                target
                for target, families, answered in shared
                if family in families and (len(families) > 1 or (of_own and answered))
            }
        )
        if targets:
            sources = sources_of(family, FAMILY_OF)
            series = store.facts.series(
                country, *when, TICK, targets, sources, VOUCHED_STEP, only_vouched=of_own
            )
            findings = _findings(Reads.VOTES, series, family)
            alone[family] = list(filter(is_shown, _interference(store, when, findings, (), setting, family)))
    targets = sorted(
        {target for by_itself in alone.values() for incident in by_itself for target in incident.targets}
    )
    if not targets:
        return found
    return with_disputes(found, alone, store.facts.votes(country, *when, targets), FAMILY_OF, TICK)


def _interference(
    store: Store,
    when: tuple[float, float],
    findings: Sequence[Finding],
    beats: Sequence[Look],
    setting: Setting,
    family: Family | None = None,
) -> list[Incident]:
    """The incidents that follow from findings.

    Args:
        family: whose votes count; None = all.
    """
    if not findings:
        return []
    country = setting.country
    targets = sorted({finding.anomaly.key.target for finding in findings})
    votes = of_family(store.facts.votes(country, *when, targets), family, FAMILY_OF)
    elsewhere = store.facts.working_elsewhere(country, *when, targets)
    here, there = votes.by_target(), elsewhere.by_target()
    silent = silence_votes(beats, country, TICK)

    def incident_of(group: Sequence[Finding]) -> Incident | None:
        own = {finding.target for finding in group}
        is_silence = own == {""}
        ours = silent if is_silence else counted(votes.of(own, here), TICK)
        if is_groundless(group, ours):
            return None
        known = NOTHING if is_silence else comparisons_of(store, country, group, ours, family)
        event = MeasuredEvent(country, ours, elsewhere.of(own, there), group, findings, known)
        return measured_incident(event, FAMILY_OF, setting)

    def apart(group: Sequence[Finding]) -> list[list[Finding]]:
        ours = votes.of({finding.target for finding in group}, here)
        if not set(failures(ours, group).mechanisms.tolist()) & {*OWN_PAGES}:
            return [list(group)]
        return by_whose_page(group, ours, comparisons_of(store, country, group, ours))

    groups = [part for group in events(findings, of_measurements) for part in apart(group)]
    return [incident for incident in map(incident_of, groups) if incident is not None]


def votes_behind(store: Store, incident: Incident, until: float) -> list[Votes]:
    """The votes that the figures of an incident count; none if only series show the incident.

    Args:
        until: unix seconds; later ones are left out.
    """
    # Probes are heard from a day before it on, four times ``repeats.MEMORY``, to tell which ones repeat themselves.
    country, since = incident.country, incident.onset - DAY
    targets = sorted({target for network in incident.networks for target in network.targets})
    found: list[Votes] = []
    if named := [target for target in targets if target]:
        votes = store.facts.votes(country, since, until, named)
        found.append(counted(of_family(votes, shown_by(incident), FAMILY_OF), TICK))
    if "" in targets and incident.kind is Kind.SLOWDOWN:
        found.append(slowness(store.facts.rates(country, since - MEMORY * DAY, until), country).votes)
    elif "" in targets:
        found.append(silence_votes(store.facts.looks(since, until), country, TICK))
    return [votes.where(that_saw(votes, incident.networks)) for votes in found]


def counted_again(store: Store, whole: Incident, parts: Sequence[Incident], until: float) -> Incident:
    """An incident made of several, with figures in which a measurement or probe that is in two of them counts once.

    Figures with no votes behind them are added up: bins of series, and measurements that are no longer in the store.
    Controls elsewhere of two incidents of one target may be the same ones, so the greater number counts.

    Args:
        until: as in ``votes_behind``.
    """
    votes = votes_behind(store, whole, until)
    behind = [_figures(votes_behind(store, part, until)) for part in parts]
    counts = [part.evidence for part in parts]
    stated = [(one.measurements, one.probes, one.controls) for one in counts]
    rest = np.maximum(0, np.array(stated) - np.array(behind))
    of_one_target = set.intersection(*(set(part.targets) for part in parts))
    besides = rest.sum(axis=0)
    if of_one_target:
        besides[2] = rest[:, 2].max()
    measurements, probes, controls = (_figures(votes) + besides).tolist()
    networks = []
    for network in whole.networks:
        there, heard, _ = _figures([own.where(that_saw(own, [network])) for own in votes]).tolist()
        if there and not any(network in part.networks for part in parts):
            network = replace(network, measurements=there, probes=heard)
        networks.append(network)
    evidence = replace(whole.evidence, measurements=measurements, probes=probes, controls=controls)
    return replace(whole, evidence=evidence, networks=tuple(networks))


def _figures(votes: Sequence[Votes]) -> Ints:
    """Distinct measurements, probes, and measurements with normal controls of their own."""
    columns = (
        [own.uids for own in votes],
        [own.probes for own in votes],
        [own.uids[own.controlled] for own in votes],
    )
    return np.array([len({name for part in column for name in part.tolist()}) for column in columns])


def slowdowns_of(rates: Iterable[Rate], setting: Setting) -> list[Incident]:
    """General slow-downs that the controls of downloads show.

    Args:
        rates: of all countries.
    """
    setting = replace(setting, detector_version=version_of(Reads.RATES))
    told = slowness(rates, setting.country)
    nobody = told.votes.where(np.zeros(len(told.votes), np.bool_))
    findings = _findings(Reads.RATES, told.series)
    groups = (group for group in events(findings, of_measurements) if not is_groundless(group, told.votes))
    seen = (MeasuredEvent(setting.country, told.votes, nobody, group, findings, NOTHING) for group in groups)
    found = (measured_incident(event, FAMILY_OF, setting) for event in seen)
    return [replace(incident, level=_left(incident, told)) for incident in found]


def _left(incident: Incident, told: Slowness) -> Estimate | None:
    """Share of their usual rates that the slow probes of an incident still had."""
    networks = [network.asn for network in incident.networks]
    rows = told.votes.seen & np.isin(told.votes.asns, networks) & within(told.votes.times, incident.intervals)
    if not rows.any():
        return None
    low, middle, high = np.quantile([told.left[uid] for uid in told.votes.uids[rows]], [0.05, 0.5, 0.95])
    return Estimate(float(middle), float(low), float(high))


def comparisons_of(
    store: Store, country: str, group: Sequence[Finding], votes: Votes, family: Family | None = None
) -> Comparisons:
    """What the store knows for and against other explanations of a group of findings.

    Args:
        votes: the country's votes about the group's targets.
        family: whose software is compared; None = that of all.
    """
    slots = failing(group, votes)
    how = set(failures(votes, group).mechanisms.tolist())
    targets = tuple(sorted({one.target for one in group}))
    is_moved = FORGED in how or bool(how & {*BY_ADDRESS}) or any(map(is_intercepted, how))
    may_fail = any("." in target for target in targets) and (
        len(targets) >= HOST_SITES or bool(how & {*BY_ADDRESS})
    )
    stretches = {asn: [finding.stretch for finding in there] for asn, there in by_network(group).items()}
    homes = {asn: home for asn in stretches if (home := home_of(asn)) not in ("", country)}
    evidence = store.facts.evidence(
        EvidenceScope(country, targets, stretches),
        slots=slots,
        pages=bool(how & {*OWN_PAGES}),
        hosting=may_fail or bool(how & {*NO_ANSWER, *OWN_PAGES}),
        former=is_moved,
    )
    return Comparisons(evidence, slots, homes, sources_of(family, FAMILY_OF), UNKNOWN_PROBES)


def failing(group: Sequence[Finding], votes: Votes) -> list[int]:
    """Half-hours in which most measurements on the group's networks failed, if they are few."""
    of_it = votes.where(inside(votes, group))
    slots, rows = np.unique(of_it.times // ONSET_SLOT, return_inverse=True)
    mostly = 2 * np.bincount(rows.ravel(), weights=of_it.seen) >= np.bincount(rows.ravel())
    found = [int(slot) for slot in slots[mostly]]
    return found if len(found) <= LONGEST_FAILURE else []
