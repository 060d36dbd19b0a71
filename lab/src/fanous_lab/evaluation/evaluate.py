"""Evaluate: runs labelled events through the live code path, and counts what is found, missed and invented,
and how late.

A corpus goes into a separate store through the same ``ingest`` that users run; what ``confirm`` would answer
is compared with the labels.  Rates are given together with the exposure they are based on.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.explanations.explanation import Consequence
from fanous.analysis.explanations.table import TABLE
from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import Incident, Status
from fanous.model.instant import HOUR, to_iso
from fanous.model.measurement import Provenance
from fanous.model.score import (
    YEAR,
    Citation,
    Evaluation,
    EventScore,
    NetworkScore,
    QuietIntervalScore,
    Stated,
    TrueEvent,
    TrueLevel,
    TrueTime,
    WeighedIncident,
    not_judged,
)
from fanous.model.series import within
from fanous.pipeline import ingest
from fanous.pipeline.interference import TICK
from fanous.pipeline.series import ingest_series
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation import replays
from fanous_lab.evaluation.corpus import (
    Corpus,
    CorpusFile,
    KnownTime,
    LabelledEvent,
    QuietInterval,
    Supported,
    corpus_files,
    load_corpus,
    missing_files,
)
from fanous_lab.evaluation.replays import Replay, inject
from fanous_lab.evaluation.sensitivity import sensitivity_scores

MONTH = YEAR / 12
R = TypeVar("R", bound=Replay)

SLACK = 6 * HOUR
"""An incident that begins this long before the label, or after its end, may still be that event."""


def evaluate_corpora(folders: Sequence[Path], shared: Path | None) -> list[Evaluation]:
    """Each corpus in turn.

    Args:
        shared: the folder of research data; a corpus that needs what it lacks is not judged.

    Raises:
        FanousError: a corpus is invalid.
    """
    corpora = [load_corpus(folder) for folder in folders]
    return [evaluate_corpus(corpus, shared) for corpus in corpora]


def evaluate_corpus(corpus: Corpus, shared: Path | None) -> Evaluation:
    """Ingest, then compare."""
    if missing := missing_files(corpus, shared):
        return not_judged(corpus.title, corpus.is_real, missing)
    with tempfile.TemporaryDirectory(prefix="fanous-evaluate-") as scratch:
        folder = Path(scratch)
        files = corpus_files(corpus, shared, folder)
        paths = [path for _, path in files]
        if corpus.planting is not None:
            plans = replays.plans(corpus, corpus.planting, paths)
            return replays.gathered_blocks(corpus.title, replayed(plans, folder))
        if corpus.world is not None:
            plays = replays.plays(corpus, corpus.world, paths)
            return replays.gathered_failures(corpus.title, replayed(plays, folder))
        with open_store(folder / "store", staged=True) as opened:
            store = opened.of(Provenance.SYNTHETIC)
            stored = {path: _bring_in(opened, file, path) for file, path in files}
            if unread := [path.name for path, count in stored.items() if not count]:
                return not_judged(corpus.title, corpus.is_real, [f"{name} (unreadable)" for name in unread])
            compared = _compare(corpus, store, sum(stored.values()))
            if corpus.sensitivity is not None:
                scores = sensitivity_scores(store, corpus.sensitivity, corpus.seed)
                compared = replace(compared, sensitivity=tuple(scores))
            if corpus.injection is None:
                return compared
            losses, quiet = inject(store, corpus, corpus.injection)
            return replace(compared, losses=losses, quiet=quiet)


def replayed(replays: Iterable[R], folder: Path) -> list[tuple[R, Evaluation]]:
    """Each replay goes into a separate store, as if it were all that is known."""
    evaluations = []
    for number, replay in enumerate(replays):
        path = folder / f"replay-{number}.csv"
        replay.write(path)
        with (
            tempfile.TemporaryDirectory(dir=folder) as own_folder,
            open_store(Path(own_folder) / "store", staged=True) as opened,
        ):
            stored = ingest.ingest(opened, "ooni-csv", [path]).stored
            compared = _compare(replay.corpus, opened.of(Provenance.SYNTHETIC), stored)
        evaluations.append((replace(replay, measurements=()), compared))
        path.unlink()
    return evaluations


def _bring_in(store: Store, file: CorpusFile, path: Path) -> int:
    """Import a file; returns the number of lines or measurements stored."""
    if file.about is None:
        return ingest.ingest(store, file.source, [path]).stored
    return ingest_series(store, file.source, [path], file.about).stored


def _compare(corpus: Corpus, store: Store, stored: int) -> Evaluation:
    incidents = {
        country: store.ledger.incidents(country, corpus.since, corpus.until) for country in corpus.countries
    }
    every = [incident for of_country in incidents.values() for incident in of_country]
    standing = [i for i in every if i.status is not Status.RETRACTED]
    of_event = {id(event): [i for i in standing if _is_of(i, event)] for event in corpus.events}
    right = {id(i) for matching in of_event.values() for i in matching}
    false = [i for i in standing if id(i) not in right and _is_false(i, corpus.quiet)]
    labelled = {id(i) for i in every if any(_is_of(i, event) for event in corpus.events)}
    months = (corpus.until - corpus.since) / MONTH
    series, quantities = 0, 0  # of measurements, and seconds of bins of quantities
    for country in corpus.countries:
        votes = store.facts.series(country, corpus.since, corpus.until, TICK)
        series += len({(s.key.place.asn, s.key.target) for s in votes})
        levels = store.facts.levels(country, corpus.since, corpus.until)
        quantities += sum(len(s) * s.step for s in levels)
    return Evaluation(
        title=corpus.title,
        measurements=stored,
        events=tuple(_score(store, e, of_event[id(e)], corpus) for e in corpus.events),
        country_months=months * len(corpus.countries),
        series_months=months * series,
        right_confirmed=sum(i.confirmed_at is not None for i in standing if id(i) in right),
        false_confirmed=sum(i.confirmed_at is not None for i in false),
        false_suspected=sum(i.confirmed_at is None for i in false),
        retracted=len(every) - len(standing),
        quantity_months=quantities / MONTH,
        stated=tuple(Stated(i.confidence, id(i) in right) for i in standing if id(i) in right or i in false),
        quiet_intervals=tuple(_score_quiet(store, quiet, false, corpus) for quiet in corpus.quiet),
        is_real=corpus.is_real,
        weighed=tuple(
            weighed_incident(
                corpus.title,
                i.explanations,
                right=id(i) in labelled,
                confirmed=i.confirmed_at is not None,
            )
            for i in every
            if id(i) in labelled or _is_false(i, corpus.quiet)
        ),
    )


def weighed_incident(
    case: str, explanations: Iterable[Weighed], *, right: bool, confirmed: bool
) -> WeighedIncident:
    """How the table of explanations stood for an incident whose truth is known."""
    kept = tuple(explanations)
    holding = {weighed.code for weighed in kept if weighed.standing is Standing.HOLDS}
    suspends = any(row.code in holding and row.consequence is not Consequence.SAY for row in TABLE)
    return WeighedIncident(case, right, suspends and not confirmed, kept)


def _is_false(incident: Incident, quiet: Sequence[QuietInterval]) -> bool:
    """Is it a false alarm?  If quiet intervals of the country are labelled, only an incident in one of them is."""
    labelled = [q for q in quiet if q.country == incident.country]
    return not labelled or any(_is_in(incident, q) for q in labelled)


def _is_in(incident: Incident, quiet: QuietInterval) -> bool:
    on_its_networks = not quiet.networks or _asns(incident) & set(quiet.networks)
    return (
        incident.country == quiet.country
        and incident.is_on(quiet.since, quiet.until)
        and bool(on_its_networks)
    )


def _score_quiet(
    store: Store, quiet: QuietInterval, false: Sequence[Incident], corpus: Corpus
) -> QuietIntervalScore:
    inside = [incident for incident in false if _is_in(incident, quiet)]
    when = quiet.since, quiet.until
    votes = store.facts.series(quiet.country, *when, TICK)
    measured = [s for s in votes if not quiet.networks or s.key.place.asn in quiet.networks]
    return QuietIntervalScore(
        country=quiet.country,
        since=to_iso(quiet.since),
        until=to_iso(quiet.until),
        networks=quiet.networks,
        source=_citation(corpus, quiet.publication) if quiet.publication else None,
        measured=bool(measured or (not quiet.networks and store.facts.levels(quiet.country, *when))),
        confirmed=sum(i.confirmed_at is not None for i in inside),
        suspected=sum(i.confirmed_at is None for i in inside),
    )


def _is_of(incident: Incident, event: LabelledEvent) -> bool:
    """Do they share country, a target and a network (or both concern the line), and overlap in time?"""
    if incident.country != event.country:
        return False
    if event.line and incident.kind is not event.kind:
        return False
    if not event.line and not (_asns(incident) & set(event.networks)):
        return False
    if event.targets and not set(incident.targets) & set(event.targets):
        return False
    ends_before = incident.end is not None and incident.end < event.start - SLACK
    begins_after = event.end is not None and incident.onset > event.end + SLACK
    return not (ends_before or begins_after)


def _asns(incident: Incident) -> set[int]:
    return {asn for network in incident.networks if (asn := network.asn)}


def _score(store: Store, event: LabelledEvent, incidents: list[Incident], corpus: Corpus) -> EventScore:
    confirmed = [i for i in incidents if i.confirmed_at is not None]
    claims = confirmed or incidents
    networks = tuple(_score_network(store, event, asn, incidents, corpus) for asn in sorted(event.networks))
    by_asn = {n.asn: n.found for n in networks}
    first = min((i.confirmed_at for i in confirmed if i.confirmed_at is not None), default=None)
    begun = min((_times_of(i, event) for i in claims), key=lambda i: i.onset, default=None)
    onset = None if begun is None or begun.onset_earliest is None else begun.onset
    ends = [i.end for i in claims]
    end = max((e for e in ends if e is not None), default=None) if None not in ends else None
    named = {asn for i in claims for asn in _asns(i)} if event.networks else set()
    level = None if begun is None else begun.level
    subjects = {target for i in claims for target in i.targets}
    state = "confirmed" if confirmed else "suspected" if incidents else "missed"
    sure = bool(confirmed) and all(by_asn[asn] == "confirmed" for asn in event.must)
    truth = event.truth
    # What fails together is one incident, and named in full.
    labelled = {target for e in corpus.events if e.country == event.country for target in e.targets}
    return EventScore(
        id=event.id,
        confirmed=sure,
        minutes_to_confirm=_minutes(first, event.start),
        onset_error_minutes=_minutes(onset, event.start),
        end_error_minutes=None if event.end is None else _minutes(end, event.end),
        found=state,
        incidents=len(claims),
        intervals=sum(len(i.intervals) for i in claims),
        level=None if level is None else level.mean,
        level_error=None if level is None or truth.level is None else level.mean - truth.level.share,
        subject_right=set(event.targets) <= subjects <= labelled if claims else None,
        scope_right=None if event.scope is None else any(i.scope is event.scope for i in claims),
        extra_networks=tuple(sorted(named - set(event.networks))),
        networks=networks,
        truth=_truth(event, corpus),
        status_right=sure if truth.status is Supported.CONFIRMED else state == truth.status,
        onset_inside=_is_onset_inside(begun, truth.onset),
        end_inside=_is_end_inside(claims, truth.end),
        level_inside=None
        if level is None or truth.level is None
        else level.low <= truth.level.high and level.high >= truth.level.low,
    )


def _times_of(incident: Incident, event: LabelledEvent) -> Incident:
    """The incident, with the onset of the networks that the event is about: as parts of an outage of their country they
    have times of their own, without a bracket."""
    parts = [network for network in incident.networks if network.asn in event.networks]
    if not incident.opinions or incident.country not in incident.entities or not parts:
        return incident
    first = min(network.intervals[0].start for network in parts)
    return replace(incident, onset=first, onset_earliest=first, onset_latest=first)


def _is_onset_inside(begun: Incident | None, known_time: KnownTime | None) -> bool | None:
    """Does the bracket meet the bounds of the truth?  An open onset reaches back to any time."""
    if begun is None or known_time is None:
        return None
    earliest = -inf if begun.onset_earliest is None else begun.onset_earliest
    return earliest <= known_time.latest and begun.onset_latest >= known_time.earliest


def _is_end_inside(claims: Sequence[Incident], known_time: KnownTime | None) -> bool | None:
    """The same of the last end; None also if it has not ended, or its bracket is not known."""
    ended = max(claims, key=lambda claim: claim.until, default=None)
    if ended is None or known_time is None or ended.end_earliest is None or ended.end_latest is None:
        return None
    return ended.end_earliest <= known_time.latest and ended.end_latest >= known_time.earliest


def _truth(event: LabelledEvent, corpus: Corpus) -> TrueEvent:
    truth = event.truth
    level = truth.level
    return TrueEvent(
        cut=truth.cut,
        status=truth.status,
        onset=_true_time(corpus, truth.onset, event.start),
        end=_true_time(corpus, truth.end, event.end),
        level=None
        if level is None
        else TrueLevel(level.share, level.low, level.high, _citation(corpus, level.publication)),
        may_say=truth.may_say,
        must_not_say=truth.must_not_say,
    )


def _true_time(corpus: Corpus, known_time: KnownTime | None, at: float | None) -> TrueTime | None:
    if known_time is None or at is None:
        return None
    bounds = to_iso(known_time.earliest), to_iso(known_time.latest)
    return TrueTime(to_iso(at), *bounds, _citation(corpus, known_time.publication))


def _citation(corpus: Corpus, name: str) -> Citation:
    publication = corpus.publications[name]
    published = "" if publication.published is None else publication.published.isoformat()
    return Citation(publication.publisher, publication.title, publication.url, published, publication.judged)


def _minutes(at: float | None, labelled: float) -> float | None:
    return None if at is None else round((at - labelled) / 60, 1)


def _score_network(
    store: Store, event: LabelledEvent, asn: int, incidents: list[Incident], corpus: Corpus
) -> NetworkScore:
    place = f"AS{asn}"
    naming = [i for i in incidents if any(n.entity == place for n in i.networks)]
    state = "missed"
    if naming:
        state = "confirmed" if any(i.confirmed_at is not None for i in naming) else "suspected"
    intervals = [iv for i in naming for n in i.networks if n.entity == place for iv in n.intervals]
    labelled = event.networks[asn]
    onset = min((iv.start for iv in intervals), default=None)
    bins = _bins(store, event, asn, corpus)
    on, said = within(bins, labelled), within(bins, intervals)
    return NetworkScore(
        asn=asn,
        found=state,
        overlap=float((on & said).sum() / (on | said).sum()) if on.any() else None,
        onset_error_minutes=_minutes(onset, labelled[0].start),
    )


def _bins(store: Store, event: LabelledEvent, asn: int, corpus: Corpus) -> NDArray[np.int64]:
    """Middles of the bins in which the network was measured for the event's targets."""
    if not event.targets:
        return np.array([], np.int64)  # connectivity itself: no vote speaks of it
    series = store.facts.series(event.country, corpus.since, corpus.until, TICK, event.targets)
    times = [s.times for s in series if s.key.place.asn == asn]
    return np.unique(np.concatenate(times)) + TICK // 2 if times else np.array([], np.int64)
