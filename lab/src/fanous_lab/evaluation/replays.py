"""Replays: real quiet measurements and series with an event added to them, compared with what the live code finds.

For blocking, each replay is a separate country: quiet days in a new order, with one event or none.  The
event's place, length, technique and networks are known exactly; the rest is exposure.

A platform that fails for everyone must never be called blocked.  For this, each replay is a separate world:
countries that each replay the same real quiet measurements in a different order, with one event.

Losses are added to quiet series as they are; IODA's rule sees the same series as the live detectors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from random import Random
from statistics import median

import numpy as np

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.ioda import IODA
from fanous.analysis.detectors.shift import SHIFT
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.signals import SIGNALS
from fanous.config import Instant
from fanous.errors import FanousError
from fanous.model.incident import Interval, Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.score import (
    YEAR,
    Evaluation,
    EventScore,
    LossScore,
    PlantScore,
    QuietScore,
    WorldScore,
    middle,
    together,
)
from fanous.model.series import Anomaly, Series
from fanous.pipeline.outages import outages_of, quantity_series
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous_lab.evaluation.corpus import (
    AFTER,
    WARM_UP,
    Corpus,
    Injection,
    LabelledEvent,
    Planting,
    QuietInterval,
    SimulatedWorld,
    WorldEvent,
)
from fanous_lab.evaluation.simulate.rows import (
    Measured,
    QuietRows,
    blocked,
    in_country,
    quiet_rows,
    uid_at,
    write_rows,
)

BLOCK_WARM_UP = 7
"""Days before an event may begin: data that begin with it would have no baseline."""
BLOCK_AFTER = 3
"""Days after the end of an event, so that the end can be seen."""
STEADY = 0.95
"""Share of the measurements on a blocked network that meet the block: some probes use a VPN or a resolver
elsewhere."""
SESSION_DAYS = 5
SESSION = 4 * HOUR
"""Stands for ``hours = 0``: four hours on each of five days, as for examinations."""


VARIED = ("technique", "hours", "networks", "density")
"""Fields of a plan by which the replays are counted."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Measurements that are everything known, and the truth about them.

    Attributes:
        corpus: the labels.
        columns: those of the table that the measurements were taken from.
    """

    corpus: Corpus
    columns: tuple[str, ...]
    measurements: tuple[Measured, ...]

    def write(self, path: Path) -> None:
        write_rows(path, self.columns, self.measurements)


@dataclass(frozen=True, slots=True)
class BlockPlan(Replay):
    """One replay of one country.

    Attributes:
        technique: empty = nothing happens.
        hit: measurements that met the block.
    """

    technique: str
    hours: float
    networks: int
    density: float
    hit: int


def plans(corpus: Corpus, planting: Planting, paths: Sequence[Path]) -> Iterator[BlockPlan]:
    """Every combination ``times`` over, then the quiet replays.

    Raises:
        FanousError: the tables have no quiet measurements in the window.
    """
    rows = quiet_of(corpus, planting.networks_quiet, paths)
    chance = Random(corpus.seed)
    for density in planting.densities:
        for technique, hours, networks in product(planting.techniques, planting.hours, planting.networks):
            for _ in range(planting.times):
                yield _planted(rows, chance, corpus, planting, (technique, hours, networks, density))
        for _ in range(planting.quiet):
            measured = rows.replay(chance, int(corpus.since), planting.days, density)
            labelled = _labelled(corpus, planting, ())
            yield BlockPlan(labelled, rows.columns, tuple(measured), "", 0, 0, density, 0)


def quiet_of(corpus: Corpus, always_quiet: Sequence[int], paths: Sequence[Path]) -> QuietRows:
    """The quiet measurements of a corpus.

    Args:
        always_quiet: networks that are quiet throughout the tables.

    Raises:
        FanousError: the tables have none in the window.
    """
    rows = quiet_rows(paths, corpus.since, corpus.until, always_quiet)
    if not rows.days:
        raise FanousError(f"{corpus.folder}: its tables hold no measurement between since and until")
    return rows


def _planted(
    rows: QuietRows,
    chance: Random,
    corpus: Corpus,
    planting: Planting,
    what: tuple[str, float, int, float],
) -> BlockPlan:
    technique, hours, count, density = what
    replay = rows.replay(chance, int(corpus.since), planting.days, density)
    busy = [asn for asn in rows.networks if sum(m.asn == asn for m in replay) >= planting.days]
    struck = set(chance.sample(busy, min(count, len(busy))))
    intervals = _intervals(chance, corpus.since, planting.days, hours)
    measurements, hit = [], 0
    for measured in replay:
        on = measured.asn in struck and any(i.start <= measured.at < (i.end or 0) for i in intervals)
        on = on and chance.random() < STEADY
        hit += on
        measurements.append(blocked(measured, technique) if on else measured)
    what_for = f"{technique} for {hours:g} h on {count}, {density:g} days deep"
    event = block(what_for, planting.country, planting.targets, dict.fromkeys(sorted(struck), intervals))
    labelled = _labelled(corpus, planting, (event,))
    return BlockPlan(labelled, rows.columns, tuple(measurements), technique, hours, count, density, hit)


def block(
    name: str, country: str, targets: tuple[str, ...], networks: Mapping[int, tuple[Interval, ...]]
) -> LabelledEvent:
    """The label of a planted block."""
    return LabelledEvent(
        name, country, Kind.BLOCKING, targets, networks, scope=None, source="planted", must=()
    )


def moment(chance: Random, since: float, days: float, warm_up: float, after: float, seconds: float) -> float:
    """A random minute at which something of that length may begin.

    Args:
        days: length of the replay; ``warm_up``, ``after``: the days of it before the event and after its end.
    """
    return since + chance.uniform(warm_up * DAY, (days - after) * DAY - seconds) // 60 * 60


def _intervals(chance: Random, since: float, days: int, hours: float) -> tuple[Interval, ...]:
    """Intervals that begin at a random minute; sessions are at the same hour of consecutive days."""
    whole = hours * HOUR or (SESSION_DAYS - 1) * DAY + SESSION
    start = moment(chance, since, days, BLOCK_WARM_UP, BLOCK_AFTER, whole)
    if hours:
        return (Interval(start, start + whole),)
    starts = [start + day * DAY for day in range(SESSION_DAYS)]
    return tuple(Interval(at, at + SESSION) for at in starts)


def _labelled(corpus: Corpus, planting: Planting, events: tuple[LabelledEvent, ...]) -> Corpus:
    until = corpus.since + planting.days * DAY
    return replace(corpus, until=until, events=events, quiet=(), planting=None, country=planting.country)


def gathered_blocks(title: str, found: Sequence[tuple[BlockPlan, Evaluation]]) -> Evaluation:
    """One evaluation of all replays."""
    plants = tuple(_margins([(plan, event) for plan, e in found for event in e.events]))
    return replace(together(title, [evaluation for _, evaluation in found]), plants=plants)


def _margins(scores: Sequence[tuple[BlockPlan, EventScore]]) -> Iterator[PlantScore]:
    """Scores overall, then by each thing that was varied."""
    if not scores:
        return
    yield _score("all", "", scores)
    for by in VARIED:
        for value in dict.fromkeys(getattr(plan, by) for plan, _ in scores):
            yield _score(by, _named(by, value), [pair for pair in scores if getattr(pair[0], by) == value])


def _named(by: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:g}" if value or by != "hours" else "sessions"


def _score(by: str, value: str, scores: Sequence[tuple[BlockPlan, EventScore]]) -> PlantScore:
    events = [event for _, event in scores]
    seen = [event for event in events if event.found != "missed"]
    measured = [n for event in events for n in event.networks if n.overlap is not None]
    return PlantScore(
        by=by,
        value=value,
        times=len(events),
        hit=median(plan.hit for plan, _ in scores),
        confirmed=sum(event.found == "confirmed" for event in events) / len(events),
        found=len(seen) / len(events),
        networks=sum(n.found != "missed" for n in measured) / len(measured) if measured else None,
        extra_networks=sum(len(event.extra_networks) for event in seen),
        incidents=sum(event.incidents for event in seen) / len(seen) if seen else None,
        onset_minutes=middle([event.onset_error_minutes for event in seen]),
        end_minutes=middle([event.end_error_minutes for event in seen]),
        minutes_to_confirm=middle([event.minutes_to_confirm for event in seen]),
    )


Span = tuple[float, float]
"""``[start, end)`` in unix seconds."""
LIES = 2.0
"""Measurements per hour from a liar."""


@dataclass(frozen=True, slots=True)
class FailurePlay(Replay):
    """One replay of a world: what happens in it, and for how long."""

    happening: WorldEvent
    hours: float


def plays(corpus: Corpus, world: SimulatedWorld, paths: Sequence[Path]) -> Iterator[FailurePlay]:
    """Every happening and length, ``times`` over.

    Raises:
        FanousError: the tables have no quiet measurements in the window.
    """
    rows = quiet_of(corpus, world.networks_quiet, paths)
    busy = [asn for asn, days in rows.days.items() if world.density * sum(map(len, days)) >= len(days)]
    chance = Random(corpus.seed)
    for happening, hours, _ in product(WorldEvent, world.hours, range(world.times)):
        start = moment(chance, corpus.since, world.days, WARM_UP, AFTER, hours * HOUR)
        span = start, start + hours * HOUR
        measurements: list[Measured] = []
        for number, country in enumerate(world.countries):
            quiet = rows.replay(chance, int(corpus.since), world.days, world.density)
            moved = [in_country(measured, country) for measured in quiet]
            measurements += _as_it_was(moved, _of(happening, number), world.technique, span, chance)
        labelled = _failures_labelled(corpus, world, happening, dict.fromkeys(busy, (Interval(*span),)))
        in_order = tuple(sorted(measurements, key=lambda m: (m.at, m.uid)))
        yield FailurePlay(labelled, rows.columns, in_order, happening, hours)


@dataclass(frozen=True, slots=True)
class _Fate:
    """The changes to one country's measurements."""

    fails: bool = False
    always: bool = False
    liar: bool = False


def _of(happening: WorldEvent, number: int) -> _Fate:
    """The fate of the country with this number; the first is the one that blocks."""
    match happening:
        case WorldEvent.FAILS:
            return _Fate(fails=True)
        case WorldEvent.BLOCKED:
            return _Fate(fails=number == 0)
        case WorldEvent.TWO:
            return _Fate(fails=number < 2)
        case WorldEvent.AMID:
            return _Fate(fails=number == 0, always=number in (1, 2), liar=number in (3, 4))


def _as_it_was(
    quiet: Sequence[Measured], fate: _Fate, technique: str, span: Span, chance: Random
) -> Iterator[Measured]:
    for measured in quiet:
        on = fate.always or (fate.fails and span[0] <= measured.at < span[1])
        yield blocked(measured, technique) if on and chance.random() < STEADY else measured
    if fate.liar:
        yield from _lies(quiet, technique, span, chance)


def _lies(quiet: Sequence[Measured], technique: str, span: Span, chance: Random) -> Iterator[Measured]:
    """Records of one device on one network, under one report, that says *blocked* again and again."""
    asn = chance.choice(quiet).asn
    models = [measured for measured in quiet if measured.asn == asn]
    at, end = span
    while (at := at + chance.expovariate(LIES / HOUR)) < end:
        model, stamp = chance.choice(models), f"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%d %H:%M:%S}"
        uid = uid_at(model.uid, at, f"lie-{int(at)}")
        new = {"measurement_uid": uid, "report_id": f"liar-on-{asn}", "measurement_start_time": stamp}
        rows = tuple(row | new for row in model.rows)
        yield blocked(replace(model, uid=uid, at=int(at), rows=rows), technique)


def _failures_labelled(
    corpus: Corpus, world: SimulatedWorld, happening: WorldEvent, on: Mapping[int, tuple[Interval, ...]]
) -> Corpus:
    """Labels: events where something was blocked in that time; all others are quiet, except where it always was.

    Args:
        on: when a block was on, by ASN, for networks measured daily.
    """
    until = corpus.since + world.days * DAY
    events, quiet = [], []
    for number, country in enumerate(world.countries):
        fate = _of(happening, number)
        if fate.fails and happening is not WorldEvent.FAILS:
            events.append(block(country, country, world.targets, on))
        elif not fate.always:
            quiet.append(
                QuietInterval(country, Instant(corpus.since), Instant(until), "nothing was blocked there")
            )
    return replace(corpus, until=until, events=tuple(events), quiet=tuple(quiet), world=None)


def gathered_failures(title: str, found: Sequence[tuple[FailurePlay, Evaluation]]) -> Evaluation:
    """One evaluation of all worlds."""
    every = [evaluation for _, evaluation in found]
    return replace(together(title, every), worlds=tuple(_scores(found)))


def _scores(played: Sequence[tuple[FailurePlay, Evaluation]]) -> Iterator[WorldScore]:
    for happening, hours in dict.fromkeys((play.happening, play.hours) for play, _ in played):
        evaluations = [e for play, e in played if (play.happening, play.hours) == (happening, hours)]
        events = [event for e in evaluations for event in e.events]
        yield WorldScore(
            happening=happening.value,
            hours=hours,
            times=len(evaluations),
            confirmed=sum(e.found == "confirmed" for e in events) / len(events) if events else None,
            found=sum(e.found != "missed" for e in events) / len(events) if events else None,
            false_confirmed=sum(e.false_confirmed for e in evaluations),
            false_suspected=sum(e.false_suspected for e in evaluations),
            retracted=sum(e.retracted for e in evaluations),
        )


MONTH = YEAR / 12

COMPARED = (DROP, IODA)
"""Detectors that see the same series."""

LOSS_WARM_UP = 14 * DAY
"""Losses begin once both rules have the history that they need: two weeks, and IODA's seven days."""


@dataclass(frozen=True, slots=True)
class PlantedLoss:
    """One loss: ``[start, end)`` in unix seconds."""

    signals: tuple[str, ...]
    share: float
    start: float
    end: float


def inject(
    store: Store, corpus: Corpus, injection: Injection
) -> tuple[tuple[LossScore, ...], tuple[QuietScore, ...]]:
    """Every combination of signals, loss and length, and the unchanged series.

    Raises:
        FanousError: a signal is not in the corpus.
    """
    series = [
        one
        for one in quantity_series(store, injection.country, corpus.since, corpus.until)
        if not one.key.place.asn and not one.key.place.region
    ]
    missing = {n for names in injection.signals for n in names} - {one.key.signal for one in series}
    if missing:
        raise FanousError(f"{corpus.folder} injects into {', '.join(sorted(missing))}, which its files lack")
    chance = np.random.default_rng(corpus.seed)
    calm = {detector.name: detector.found(series) for detector in (*COMPARED, SHIFT)}
    scores = []
    for signals, share, hours in product(injection.signals, injection.losses, injection.hours):
        busy = [a for a in calm["drop"] if a.key.signal in signals]
        affected = [line for line in series if line.key.signal in signals]
        begins = max(corpus.since, *(float(line.times[0]) for line in affected))
        ends = min(corpus.until, *(float(line.times[-1]) for line in affected))
        first, last = begins + LOSS_WARM_UP, ends - DAY - hours * HOUR
        losses: list[PlantedLoss] = []
        while len(losses) < injection.times:
            start = float(chance.uniform(first, last) // injection.aligned * injection.aligned)
            loss = PlantedLoss(signals, share, start, start + hours * HOUR)
            wide = replace(loss, start=start - 2 * HOUR, end=loss.end + 2 * HOUR)
            if not any(_overlap(a, wide) for a in busy):  # nothing was raised there without the loss
                losses.append(loss)
        scores.append(_losses_score(losses, hours, series, calm, injection.country))
    return tuple(scores), tuple(_quiet(one, calm) for one in series)


def _losses_score(
    losses: Sequence[PlantedLoss],
    hours: float,
    series: Sequence[Series],
    calm: dict[str, list[Anomaly]],
    country: str,
) -> LossScore:
    signals = losses[0].signals
    raised, peers, found, confirmed = [], 0, 0, 0
    onsets, depths = list[bool](), list[float]()
    step = max(one.step for one in series if one.key.signal in signals)
    for loss in losses:
        cut = [struck(one, loss) for one in series if one.key.signal in signals]
        ours, theirs = (detector.found(cut) for detector in COMPARED)
        of_loss = [a for a in ours if a.key.signal == signals[0] and _is_of(a, loss)]
        raised += [min((a.raised_at or a.last_seen) - loss.start for a in of_loss) / 60] if of_loss else []
        peers += any(a.key.signal == signals[0] and _is_of(a, loss) for a in theirs)
        calmly = [*calm["drop"], *calm["shift"]]
        rest = [a for a in calmly if a.key.signal not in signals]
        whole = [*cut, *(one for one in series if one.key.signal not in signals)]
        setting = Setting(country, user_weights(country), "", "")
        everything = [*ours, *SHIFT.found(cut), *rest]
        incidents = [
            i for i in outages_of(everything, Quantities(whole), setting) if i.is_on(loss.start, loss.end)
        ]
        if incidents:
            first = min(incidents, key=lambda i: abs(i.onset - loss.start))
            onsets.append(abs(first.onset - loss.start) <= step)
            depths += [abs(first.level.mean - (1 - loss.share))] if first.level is not None else []
        found += bool(incidents)
        confirmed += any(i.confirmed_at is not None for i in incidents)
    times = len(losses)
    watched = IODA.options.of(SIGNALS[signals[0]].family) is not None
    return LossScore(
        signals=signals,
        loss=losses[0].share,
        hours=hours,
        times=times,
        recall=len(raised) / times,
        peer_recall=peers / times if watched else None,
        minutes=median(raised) if raised else None,
        found=found / times,
        confirmed=confirmed / times,
        onset_within=sum(onsets) / len(onsets) if onsets else None,
        depth_error=median(depths) if depths else None,
    )


def struck(series: Series, loss: PlantedLoss) -> Series:
    """The series with the loss: a bin that it covers in part loses that part."""
    within = np.minimum(series.times + series.step, loss.end) - np.maximum(series.times, loss.start)
    return replace(series, values=series.values * (1 - loss.share * np.clip(within / series.step, 0, 1)))


def _is_of(anomaly: Anomaly, loss: PlantedLoss) -> bool:
    """Was it raised during the loss, or within an hour after it, since averages lag?"""
    raised = anomaly.raised_at or anomaly.last_seen
    return loss.start < raised <= loss.end + HOUR and _overlap(anomaly, loss)


def _overlap(anomaly: Anomaly, loss: PlantedLoss) -> bool:
    return anomaly.start < loss.end and anomaly.until > loss.start


def _quiet(series: Series, calm: dict[str, list[Anomaly]]) -> QuietScore:
    watched = IODA.options.of(SIGNALS[series.key.signal].family) is not None
    count = {name: sum(a.key == series.key for a in anomalies) for name, anomalies in calm.items()}
    span = float(series.times[-1] + series.step - series.times[0])
    return QuietScore(series.key.signal, span / MONTH, count["drop"], count["ioda"] if watched else None)
