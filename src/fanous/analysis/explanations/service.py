"""The service itself: it failed in many countries, or in a part of the world, at the same time.

Each row needs more than one voice in each country, so that a few liars cannot make a true incident disappear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanous.analysis.explanations.event import Claim
from fanous.analysis.explanations.explanation import (
    Answer,
    Effect,
    Explanation,
    Group,
    excluded,
    holds,
    untested,
)
from fanous.analysis.series.voices import mostly_controlled
from fanous.model.incident import Onset

NEW_COUNTRIES = 3
"""A platform is down rather than blocked if it began to fail in three countries at once, and works in fewer.  Where it
works in as many, either it failed in a part of the world, or the failures were forged where hardly anyone measures:
then it is neither confirmed nor retracted.
"""

ONSET_PROBES = 2
"""Failing probes in each country: one is a bad line."""

ONSET_SHARE = 0.5
"""Share of the measurements made there at the time that must fail."""

CLEAN = 0.1
CLEAN_MEASUREMENTS = 5
"""A country counts only if the target worked there before: if it has been blocked for years it always fails, and
on any evening a few countries block the same platform."""

NEARLY_ALL_COUNTRIES = 5
NEARLY_ALL_SHARE = 0.8
"""Where the helper reached it while it failed, its path may be another than users'.  That takes more other countries,
nearly all in which it had worked: to forge failures there, someone must outvote the probes of each of these."""


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


def _of_world(test: Callable[[_World], Answer]) -> Callable[[Claim], Answer]:
    """A test of what happened in other countries, which untested if nobody measured there."""

    def weigh(claim: Claim) -> Answer:
        onsets = claim.known.onsets
        world = _World(
            _countries(onsets, _began_to_fail),
            _countries(onsets, _went_on_working),
            mostly_controlled(claim.witness),
        )
        if claim.is_of_line:
            return excluded("no_target")
        return test(world) if world.failing or world.working else untested("no_other_country")

    return weigh


@_of_world
def _down(world: _World) -> Answer:
    if world.helped:
        return excluded("helper_reached_it")
    if len(world.failing) < NEW_COUNTRIES or len(world.working) >= len(world.failing):
        return _works_elsewhere(world)
    return holds("platform.down", countries=world.failing)


@_of_world
def _partly(world: _World) -> Answer:
    if world.helped:
        return excluded("helper_reached_it")
    if len(world.failing) < NEW_COUNTRIES or len(world.working) < len(world.failing):
        return _works_elsewhere(world)
    return holds("platform.partly", countries=world.failing, working=world.working)


@_of_world
def _but_helper(world: _World) -> Answer:
    if not world.helped:
        return excluded("no_helper")
    every = len(world.failing + world.working)
    if len(world.failing) < max(NEARLY_ALL_COUNTRIES, NEARLY_ALL_SHARE * every):
        return _works_elsewhere(world)
    return holds("platform.but_helper", countries=world.failing)


def _works_elsewhere(world: _World) -> Answer:
    return excluded("works_abroad", some=len(world.working), all=len(world.failing + world.working))


PLATFORM_PARTLY = "platform.partly"

SERVICE = (
    Explanation("platform.down", Group.SERVICE, Effect.RETRACT, "The service failed everywhere.", _down),
    Explanation(
        PLATFORM_PARTLY, Group.SERVICE, Effect.SUSPECT, "The service failed in a part of the world.", _partly
    ),
    Explanation(
        "platform.but_helper",
        Group.SERVICE,
        Effect.SUSPECT,
        "The service failed for its users, though not for our helper outside.",
        _but_helper,
    ),
)
