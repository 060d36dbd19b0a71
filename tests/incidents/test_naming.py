"""On which networks of an event the evidence is enough to name them."""

import pytest

from fanous.incidents.naming import nameable_of
from tests.incidents.events import Ballot, finding, votes

NOBODY: frozenset[int] = frozenset()
SEEN = range(10, 14)


def cast(asn: int, failing: int, working: int) -> list[Ballot]:
    """So many probes of a network in each of four hours, all with normal controls."""
    probes = [
        Ballot(SEEN, n < failing, asn, probe=f"{asn}.{n}", controlled=True) for n in range(failing + working)
    ]
    return [*probes, *(Ballot(range(6), False, asn, probe=f"{asn}.{n}", controlled=True) for n in range(4))]


def named(*ballots: Ballot, last: float = 0.999, networks: int = 3) -> set[int]:
    """The last network's stretch is as probable as is said, those of the others are raised."""
    group = [
        finding(10, 14, asn=asn, probability=last if asn == networks else 0.999)
        for asn in range(1, networks + 1)
    ]
    found = nameable_of(group, votes(*ballots), group, NOBODY)
    return {one.anomaly.key.entity.asn for one in found}


@pytest.mark.parametrize(
    ("failing", "working", "probability", "joins"),
    [
        (6, 4, 0.999, True),
        (5, 5, 0.999, True),
        (4, 6, 0.999, False),
        (6, 4, 0.92, True),
        (2, 0, 0.92, True),
        (1, 0, 0.92, False),
    ],
)
def test_beside_two_that_stand_alone_a_suspicion_and_half_of_the_voices_name_a_third(
    failing: int, working: int, probability: float, *, joins: bool
) -> None:
    """A fifth of its probes may lie, and a twentieth of what is restricted gets through."""
    alone = [*cast(1, 4, 0), *cast(2, 4, 0)]
    found = named(*alone, *cast(3, failing, working), last=probability)
    assert found == ({1, 2, 3} if joins else {1, 2})


def test_beside_one_alone_they_do_not() -> None:
    assert named(*cast(1, 4, 0), *cast(2, 6, 4), networks=2) == {1}
    assert named(*cast(1, 4, 0), *cast(2, 4, 0), last=0.92, networks=2) == {1}


def test_nor_without_normal_controls_of_its_own() -> None:
    bare = [Ballot(SEEN, n < 6, 3, probe=f"3.{n}") for n in range(10)]
    assert named(*cast(1, 4, 0), *cast(2, 4, 0), *bare) == {1, 2}


def test_names_that_are_heard_once_make_no_network_where_others_come_again() -> None:
    """One device, under a new name each round, beside a probe that failed by chance."""
    regulars = [
        Ballot([*range(10), 12.5, 15], False, probe=name, controlled=True) for name in ("a", "b", "c", "d")
    ]
    sybil = [Ballot([10.1, 10.5, 11.1, 11.4], True, controlled=True)]
    chance = [Ballot([11.2], True, probe="a", controlled=True)]
    one = finding(10, 12, last_seen=11.5)
    assert nameable_of([one], votes(*sybil, *chance), [one], NOBODY) == [one]
    assert nameable_of([one], votes(*regulars, *sybil, *chance), [one], NOBODY) == []
