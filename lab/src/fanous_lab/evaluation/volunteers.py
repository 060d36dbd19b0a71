"""Volunteers: what a liar pays who prepared for weeks, and how soon known volunteers confirm a true block.

The price counts in names, days and lines.  A liar measures truthfully each day until the day of the lie, under as many
pseudonyms as the lines have blocks of addresses; who is known then is decided by the collector's own account.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from fanous.collector.volunteers import Volunteers
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.model.measurement import STATED
from fanous.model.score import VolunteerPrice, VolunteerSpeed
from fanous_lab.evaluation.adversary import COUNTRY, FIFTH_SEEDS, equal_users
from fanous_lab.evaluation.prices import DRAWS
from fanous_lab.evaluation.simulate.lines import COLLECTOR_NAMES, QUIET, ROUND, works_abroad
from fanous_lab.evaluation.simulate.votes import START, SimulatedAttempt, votes_of
from fanous_lab.evaluation.votes import incidents_of

LIES = 2.0
"""Hours of a lie: fewer than any stranger needs to confirm something."""

LINES = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (6, 1), (3, 2))
"""Lines on each network, and networks."""

PREPARED = (0, 20, 60)
"""Days before the lie from which on the liar measures each day."""

SENDERS = ((3, 1), (6, 1), (10, 1), (3, 2), (6, 2), (10, 2))
"""Volunteers of a true block on each network, and networks."""

MOST = 24.0
"""Hours for which a true block lasts."""

INTERVAL = 0.5
"""Hours between two rounds of an honest volunteer."""


def volunteer_prices(draws: int = DRAWS) -> Iterator[VolunteerPrice]:
    """How often a block that never was is confirmed by those who prepared for it."""
    for lines, networks in LINES:
        for days in PREPARED:
            names = lines * COLLECTOR_NAMES
            known = _are_known(names, days)
            runs = [_concluded(_lie(names, networks, known, seed), networks, seed) for seed in _seeds(draws)]
            sure = sum(any(one.confirmed_at is not None for one in run) for run in runs)
            yield VolunteerPrice(lines, networks, names, days, LIES, draws, sure, sum(map(bool, runs)))


def volunteer_speeds(draws: int = DRAWS) -> Iterator[VolunteerSpeed]:
    """Minutes until a true block is confirmed by volunteers alone, who have had a credential for long, or have none."""
    for number, networks in SENDERS:
        known = _are_known(number, PREPARED[-1])
        minutes = [
            _minutes([_block(number, networks, status, seed) for seed in _seeds(draws)], networks)
            for status in (known, [False] * number)
        ]
        yield VolunteerSpeed(number, networks, draws, *minutes)


def _are_known(names: int, days: int) -> list[bool]:
    """Which pseudonyms are known on the day after so many on each of which they measured, each from its own block."""
    with TemporaryDirectory() as folder:
        account = Volunteers(Path(folder), START - DAY * max(days, 1))
        known = [False] * names
        for day in range(days + 1):
            known = [
                account.has_measured(f"{name:032x}", f"{name}", START - DAY * (days - day))
                for name in range(names)
            ]
        return known


def _lie(names: int, networks: int, known: Sequence[bool], seed: int) -> list[SimulatedAttempt]:
    """Failures on the day, every half hour, where no one else measures; before, what is true."""
    made = []
    for asn in range(1, networks + 1):
        chance = Random(f"{seed}/{asn}/volunteers")
        for turn in range(int((QUIET + LIES) / ROUND)):
            for name in range(names):
                hour = turn * ROUND + chance.uniform(0, ROUND / 10)
                made.append(_of(asn, name, hour, failed=hour >= QUIET, known=known[name]))
    return sorted(made, key=lambda one: one.hour)


def _block(number: int, networks: int, known: Sequence[bool], seed: int) -> list[SimulatedAttempt]:
    """A true block as volunteers see it who measure now and then."""
    made = []
    for asn in range(1, networks + 1):
        chance = Random(f"{seed}/{asn}/honest")
        for name in range(number):
            hour = chance.uniform(0, INTERVAL)
            while hour < QUIET + MOST:
                made.append(_of(asn, name, hour, failed=hour >= QUIET, known=known[name]))
                hour += INTERVAL
    return sorted(made, key=lambda one: one.hour)


def _of(asn: int, name: int, hour: float, *, failed: bool, known: bool) -> SimulatedAttempt:
    return SimulatedAttempt(
        hour, asn, f"{STATED}block {asn}.{name}", failed, "edge", vouched=False, volunteer=known
    )


def _concluded(made: Sequence[SimulatedAttempt], networks: int, seed: int) -> list[Incident]:
    """What Fanous says of it."""
    abroad = votes_of(works_abroad(made[-1].hour, seed))
    found = incidents_of(votes_of(made), abroad, COUNTRY, equal_users(networks))
    return [one for one in found if one.status is not Status.RETRACTED]


def _minutes(draws: Sequence[list[SimulatedAttempt]], networks: int) -> float | None:
    """Median from the beginning of the block; ``None`` = most are not confirmed within it."""
    taken = []
    for seed, made in enumerate(draws):
        times = [one.confirmed_at for one in _concluded(made, networks, seed)]
        sure = [at for at in times if at is not None]
        taken.append((min(sure) - START) / 60 - QUIET * 60 if sure else float("inf"))
    middle = median(taken)
    return None if middle == float("inf") else round(middle, 1)


def _seeds(draws: int) -> range:
    return range(FIFTH_SEEDS.start, FIFTH_SEEDS.start + draws)
