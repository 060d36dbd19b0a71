"""Rounds: after how many rounds of own probes a block is suspected, confirmed and ended.

Probes of one operator measure one target, each with its own normal control, for two hours before the block.  They start
spread over the interval, as probes at home do.  The answer is asked for after each round, with what was known then.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fanous.model.incident import Incident, Status
from fanous.model.instant import HOUR, MINUTE
from fanous.model.place import Family
from fanous.model.score import RoundsScore
from fanous_lab.evaluation.simulate.votes import SimulatedAttempt, votes_of
from fanous_lab.evaluation.votes import incidents_of

PROBES = (1, 2, 3, 4, 6, 8, 10)
NETWORKS = (1, 2, 3, 4)
MINUTES = (1, 5, 10)

QUIET_HOURS = 2.0
"""Hours before the block: what is usual on a network is known by then."""

MOST = 6
"""Rounds that are looked at, on each side of the end of the block."""


def rounds_scores() -> Iterator[RoundsScore]:
    """One row for each number of probes and networks and each interval, as each is computed."""
    for minutes in MINUTES:
        for networks in NETWORKS:
            for probes in (count for count in PROBES if count >= networks):
                yield rounds_score(probes, networks, minutes)


def rounds_score(probes: int, networks: int, minutes: float, most: int = MOST) -> RoundsScore:
    """What becomes of a block of up to ``most`` rounds, lifted once it is confirmed, and of one of three."""
    after = [_incidents(probes, networks, minutes, blocked, 0) for blocked in range(1, most + 1)]
    confirmed = _first(after, lambda incident: incident.confirmed_at is not None)
    good = [_incidents(probes, networks, minutes, confirmed or most, rounds) for rounds in range(1, most + 1)]
    later = _incidents(probes, networks, minutes, 3, most)
    return RoundsScore(
        probes=probes,
        networks=networks,
        minutes=minutes,
        suspected=_first(after, lambda _: True),
        confirmed=confirmed,
        ended=_first(good, lambda incident: incident.status is Status.ENDED) if confirmed else None,
        is_kept=any(incident.confirmed_at is not None for incident in later),
    )


def _first(rounds: Sequence[Sequence[Incident]], holds: Callable[[Incident], bool]) -> int | None:
    """The number of the first round after which it holds of an incident."""
    return next((n for n, incidents in enumerate(rounds, 1) if any(map(holds, incidents))), None)


def _incidents(probes: int, networks: int, minutes: float, blocked: int, good: int) -> list[Incident]:
    """What is said after so many rounds in which the target was blocked, and so many in which it worked again."""
    quiet = int(QUIET_HOURS * HOUR / (minutes * MINUTE))
    attempts = [
        SimulatedAttempt(
            hour=(number + probe / probes) * minutes / 60,
            asn=1 + probe % networks,
            probe=f"own {probe}",
            failed=quiet <= number < quiet + blocked,
            source=str(Family.EDGE),
        )
        for number in range(quiet + blocked + good)
        for probe in range(probes)
    ]
    votes = votes_of(sorted(attempts, key=lambda attempt: attempt.hour))
    nowhere = votes.where(np.zeros(len(votes), np.bool_))
    return [i for i in incidents_of(votes, nowhere, "XA", None) if i.status is not Status.RETRACTED]
