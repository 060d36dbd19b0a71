"""On which networks of an event the evidence is enough to name them."""

from fanous.analysis.incidents.networks import nameable_of
from tests.analysis.incidents.events import Ballot, finding, votes
from tests.each import each

NOBODY: frozenset[int] = frozenset()
SEEN = range(10, 14)


def cast(asn: int, failing: int, working: int) -> list[Ballot]:
    """So many probes of a network in each of four hours, all with normal controls."""
    probes = [
        Ballot(SEEN, n < failing, asn, probe=f"{asn}.{n}", controlled=True) for n in range(failing + working)
    ]
    return [*probes, *(Ballot(range(6), False, asn, probe=f"{asn}.{n}", controlled=True) for n in range(4))]


def named(*ballots: Ballot, last: float = 0.999, networks: int = 3) -> set[int]:
    """The last network's stretch has the given probability, those of the others are raised."""
    group = [
        finding(10, 14, asn=asn, probability=last if asn == networks else 0.999)
        for asn in range(1, networks + 1)
    ]
    found = nameable_of(group, votes(*ballots), group, NOBODY)
    return {one.anomaly.key.place.asn for one in found}


@each(
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
def test_next_to_two_that_stand_alone_a_suspicion_and_half_of_the_voices_name_a_third(
    failing: int, working: int, probability: float, *, joins: bool
) -> None:
    """A fifth of its probes may lie, and a twentieth of what is restricted gets through."""
    alone = [*cast(1, 4, 0), *cast(2, 4, 0)]
    found = named(*alone, *cast(3, failing, working), last=probability)
    assert found == ({1, 2, 3} if joins else {1, 2})


def test_next_to_one_alone_they_do_not() -> None:
    assert named(*cast(1, 4, 0), *cast(2, 6, 4), networks=2) == {1}
    assert named(*cast(1, 4, 0), *cast(2, 4, 0), last=0.92, networks=2) == {1}


def test_nor_without_normal_controls_of_its_own() -> None:
    bare = [Ballot(SEEN, n < 6, 3, probe=f"3.{n}") for n in range(10)]
    assert named(*cast(1, 4, 0), *cast(2, 4, 0), *bare) == {1, 2}


def test_names_that_are_heard_once_make_no_network_where_others_come_again() -> None:
    """One device, under a new name each round, and a probe that failed by chance."""
    regulars = [
        Ballot([*range(10), 12.5, 15], False, probe=name, controlled=True) for name in ("a", "b", "c", "d")
    ]
    sybil = [Ballot([10.1, 10.5, 11.1, 11.4], True, controlled=True)]
    chance = [Ballot([11.2], True, probe="a", controlled=True)]
    one = finding(10, 12, last_seen=11.5)
    assert nameable_of([one], votes(*sybil, *chance), [one], NOBODY) == [one]
    assert nameable_of([one], votes(*regulars, *sybil, *chance), [one], NOBODY) == []


def heard(names: str, *failing: float) -> list[Ballot]:
    """Probes that measured once while all was well, and failed once."""
    return [
        ballot
        for name, at in zip(names, failing, strict=True)
        for ballot in (Ballot([5], False, probe=name), Ballot([at], True, probe=name, controlled=True))
    ]


def test_three_of_ten_that_are_known_there_name_no_network() -> None:
    """Two that lie, and one that fails by chance, while none of the others happens to measure."""
    three = heard("xyz", 10, 10.3, 10.6)
    others = [Ballot([n, 15], False, probe=f"p{n}") for n in range(7)]
    one = finding(10, 11)
    assert nameable_of([one], votes(*three, *others), [one], NOBODY) == []
    assert nameable_of([one], votes(*three, *others[:4]), [one], NOBODY) == [one]


def test_who_did_not_measure_at_about_the_time_does_not_count_there() -> None:
    three = heard("xyz", 10, 10.3, 10.6)
    gone = [Ballot([0, 3.9, 17.1, 20], False, probe=f"p{n}") for n in range(20)]
    late = [Ballot([0, 16.9], False, probe=f"q{n}") for n in range(5)]
    one = finding(10, 11)
    assert nameable_of([one], votes(*three, *gone), [one], NOBODY) == [one]
    assert nameable_of([one], votes(*three, *gone, *late), [one], NOBODY) == []
