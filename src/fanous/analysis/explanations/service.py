"""The service itself: it failed in many countries, or in a part of the world, at the same time.

Each row needs more than one voice in each country, so that a few liars cannot make a true incident disappear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanous.analysis.explanations.event import NamedEvent
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.series.voices import mostly_controlled
from fanous.model.incident import Onset
from fanous.model.threshold import threshold

NEW_COUNTRIES = threshold(
    "incidents.platform_countries",
    3,
    "Other countries in which a platform must have begun to fail at once to be down: fewer are an ordinary "
    "evening, on which the same platform is blocked in several countries. Where it works in as many, it is "
    "neither confirmed nor retracted.",
)

ONSET_PROBES = threshold(
    "incidents.platform_onset_probes",
    2,
    "Failing probes in each other country in which a platform may be down: one is a bad line.",
)

ONSET_SHARE = threshold(
    "incidents.platform_onset_share",
    0.5,
    "Share of the measurements made at the time in each other country in which a platform may be down that must "
    "fail.",
)

CLEAN = threshold(
    "incidents.platform_clean_share",
    0.1,
    "Most of the measurements that may have failed in another country before: where the target has been blocked "
    "for years, it always fails.",
)
CLEAN_MEASUREMENTS = threshold(
    "incidents.platform_clean_measurements",
    5,
    "Measurements in another country before, without which no one knows whether the target worked there.",
)

NEARLY_ALL_COUNTRIES = threshold(
    "incidents.platform_helped_countries",
    5,
    "As `incidents.platform_countries` if most failures here carried normal controls: two more than without, "
    "since each must be outvoted to forge it.",
)
NEARLY_ALL_SHARE = threshold(
    "incidents.platform_helped_share",
    0.8,
    "Share of the countries that measured it in which it must fail if failures here carried normal controls: a "
    "real block leaves it working in most.",
)


PLATFORM_PARTLY = "platform.partly"


@dataclass(frozen=True, slots=True)
class _World:
    """Other countries in which the target began to fail at the same time, and those in which it went on working.

    Attributes:
        helped: most failing measurements carried a normal control: it worked for someone outside in the same minute.
    """

    failing: tuple[str, ...]
    working: tuple[str, ...]
    helped: bool


def is_clean(failing: int, measured: int) -> bool:
    """Did a target work in nearly all of enough measurements?"""
    return measured >= CLEAN_MEASUREMENTS and failing <= CLEAN * measured


def _began_to_fail(onset: Onset) -> bool:
    fails = onset.probes >= ONSET_PROBES and onset.failing >= ONSET_SHARE * onset.measured
    return fails and is_clean(onset.failing_before, onset.measured_before)


def _went_on_working(onset: Onset) -> bool:
    return is_clean(onset.failing, onset.measured) and is_clean(onset.failing_before, onset.measured_before)


def _countries(onsets: Sequence[Onset], which: Callable[[Onset], bool]) -> tuple[str, ...]:
    return tuple(sorted(onset.country for onset in onsets if which(onset)))


def _of_world(test: Callable[[_World], Weighing]) -> Callable[[NamedEvent], Weighing]:
    """A test of what happened in other countries; without measurements from there it says nothing."""

    def weigh(event: NamedEvent) -> Weighing:
        onsets = event.known.onsets
        world = _World(
            _countries(onsets, _began_to_fail),
            _countries(onsets, _went_on_working),
            mostly_controlled(event.witness),
        )
        if event.whole.is_of_line:
            return excluded("no_target")
        return test(world) if world.failing or world.working else untested("no_other_country")

    return weigh


@Subject.SERVICE.row("platform.down", Consequence.RETRACT, "The service failed everywhere.")
@_of_world
def _down(world: _World) -> Weighing:
    if world.helped:
        return excluded("helper_reached_it")
    if len(world.failing) < NEW_COUNTRIES or len(world.working) >= len(world.failing):
        return _works_elsewhere(world)
    return holds("platform.down", countries=world.failing)


@Subject.SERVICE.row(PLATFORM_PARTLY, Consequence.SUSPECT, "The service failed in a part of the world.")
@_of_world
def _partly(world: _World) -> Weighing:
    if world.helped:
        return excluded("helper_reached_it")
    if len(world.failing) < NEW_COUNTRIES or len(world.working) < len(world.failing):
        return _works_elsewhere(world)
    return holds("platform.partly", countries=world.failing, working=world.working)


@Subject.SERVICE.row(
    "platform.but_helper",
    Consequence.SUSPECT,
    "The service failed for its users, though not for our helper outside.",
)
@_of_world
def _but_helper(world: _World) -> Weighing:
    if not world.helped:
        return excluded("no_helper")
    every = len(world.failing + world.working)
    if len(world.failing) < max(NEARLY_ALL_COUNTRIES, NEARLY_ALL_SHARE * every):
        return _works_elsewhere(world)
    return holds("platform.but_helper", countries=world.failing)


def _works_elsewhere(world: _World) -> Weighing:
    every = len(world.failing + world.working)
    return (
        excluded("works_abroad", some=len(world.working), all=every)
        if world.working
        else untested("no_other_country")
    )


SERVICE = (_down, _partly, _but_helper)
