"""Failures: a platform that fails for everybody and one that is blocked, compared with what the live code
finds.

METHODS 1 asks that the first is never called the second.  Each play is a world of its own: countries that
each replay the same real quiet measurements in an order of their own, and one thing that happens in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from random import Random

from fanous.evaluation.blocks import STEADY, Replay, block, moment, quiet_of
from fanous.evaluation.corpus import Corpus, QuietInterval
from fanous.evaluation.simulate.block_rows import blocked
from fanous.evaluation.simulate.quiet_rows import DAY, Measured, in_country
from fanous.evaluation.worlds import AFTER, WARM_UP, SimulatedWorld, WorldEvent
from fanous.model.incident import Interval
from fanous.model.score import Evaluation, WorldScore, together

HOUR = 3600.0
Span = tuple[float, float]
"""``[start, end)`` in unix seconds."""
LIES = 2.0
"""Measurements an hour of a liar."""


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
        told: list[Measured] = []
        for number, country in enumerate(world.countries):
            quiet = rows.replay(chance, int(corpus.since), world.days, world.density)
            own = [in_country(one, country) for one in quiet]
            told += _as_it_was(own, _of(happening, number), world.technique, span, chance)
        labelled = _labelled(corpus, world, happening, dict.fromkeys(busy, (Interval(*span),)))
        in_order = tuple(sorted(told, key=lambda m: (m.at, m.uid)))
        yield FailurePlay(labelled, rows.columns, in_order, happening, hours)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of the measurements of one country."""

    fails: bool = False
    always: bool = False
    liar: bool = False


def _of(happening: WorldEvent, number: int) -> _Fate:
    """Of the country with this number; the first is the one that blocks."""
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
    for one in quiet:
        on = fate.always or (fate.fails and span[0] <= one.at < span[1])
        yield blocked(one, technique) if on and chance.random() < STEADY else one
    if fate.liar:
        yield from _lies(quiet, technique, span, chance)


def _lies(quiet: Sequence[Measured], technique: str, span: Span, chance: Random) -> Iterator[Measured]:
    """One device on one network, under one report, that says *blocked* again and again."""
    asn = chance.choice(quiet).asn
    models = [one for one in quiet if one.asn == asn]
    at, end = span
    while (at := at + chance.expovariate(LIES / HOUR)) < end:
        model, stamp = chance.choice(models), f"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%d %H:%M:%S}"
        uid = f"{model.uid}-lie-{int(at)}"
        new = {"measurement_uid": uid, "report_id": f"liar-on-{asn}", "measurement_start_time": stamp}
        rows = tuple(row | new for row in model.rows)
        yield blocked(replace(model, uid=uid, at=int(at), rows=rows), technique)


def _labelled(
    corpus: Corpus, world: SimulatedWorld, happening: WorldEvent, on: Mapping[int, tuple[Interval, ...]]
) -> Corpus:
    """Events where something was blocked in that time; all others are quiet, but where it always was.

    Args:
        on: when a block was on, by ASN of those that are measured daily.
    """
    until = corpus.since + world.days * DAY
    events, quiet = [], []
    for number, country in enumerate(world.countries):
        fate = _of(happening, number)
        if fate.fails and happening is not WorldEvent.FAILS:
            events.append(block(country, country, world.targets, on))
        elif not fate.always:
            quiet.append(QuietInterval(country, (), corpus.since, until, "nothing was blocked there"))
    return replace(corpus, until=until, events=tuple(events), quiet=tuple(quiet), world=None)


def gathered(title: str, found: Sequence[tuple[FailurePlay, Evaluation]]) -> Evaluation:
    """One evaluation of all worlds."""
    every = [evaluation for _, evaluation in found]
    return replace(together(title, every), worlds=tuple(_scores(found)))


def _scores(found: Sequence[tuple[FailurePlay, Evaluation]]) -> Iterator[WorldScore]:
    for happening, hours in dict.fromkeys((play.happening, play.hours) for play, _ in found):
        own = [e for play, e in found if (play.happening, play.hours) == (happening, hours)]
        events = [event for e in own for event in e.events]
        yield WorldScore(
            happening=happening.value,
            hours=hours,
            times=len(own),
            confirmed=sum(e.found == "confirmed" for e in events) / len(events) if events else None,
            found=sum(e.found != "missed" for e in events) / len(events) if events else None,
            false_confirmed=sum(e.false_confirmed for e in own),
            false_suspected=sum(e.false_suspected for e in own),
            retracted=sum(e.retracted for e in own),
        )
