"""What a voice weighs: names cost nothing, and a probe that is heard again is known."""

from fanous.analysis.series.voices import Voices, independent, names_of
from tests.analysis.incidents.events import Ballot, votes
from tests.each import each

REGULARS = tuple(Ballot(range(4), True, probe=name) for name in "abc")


def test_a_probe_has_one_voice_a_target_and_hour_however_often_it_measures() -> None:
    voices = Voices(votes(Ballot([1, 1.1, 1.2, 1.3], True, probe="a"), Ballot([1.5], False, probe="b")))
    assert (len(voices.saw), int(voices.saw.sum())) == (2, 1)
    assert voices.mostly_saw(0.5) and not voices.mostly_saw(0.51)


def test_who_is_heard_in_one_hour_is_a_stranger_where_most_voices_come_again() -> None:
    known = votes(*REGULARS, Ballot([1, 1.4], False, probe="once"), Ballot(range(3), False))
    assert names_of(known).strangers == {"once", "4.0", "4.1", "4.2"}


def test_who_is_heard_in_two_hours_is_known() -> None:
    cast = votes(*REGULARS, Ballot([1, 1.4], False, probe="once"), Ballot([1, 9], False, probe="twice"))
    assert names_of(cast).regulars == {"a", "b", "c", "twice"}
    assert names_of(votes()).regulars == frozenset()


def test_where_most_names_are_new_no_one_is_a_stranger() -> None:
    """As with OONI's reports, each of which has its own name."""
    assert names_of(votes(Ballot(range(20), True), *REGULARS)).strangers == frozenset()
    assert names_of(votes()).strangers == frozenset()


def test_who_is_heard_in_one_hour_of_a_stretch_weighs_half() -> None:
    assert Voices(votes(*REGULARS, Ballot(range(10), False))).mostly_saw(0.7)
    assert not Voices(votes(*REGULARS, Ballot(range(11), False))).mostly_saw(0.7)


def test_so_does_a_stranger() -> None:
    cast = votes(Ballot([1, 2], True, probe="a"), Ballot([1, 2], False, probe="b"))
    assert not Voices(cast).mostly_saw(0.6)
    assert Voices(cast, ["b"]).mostly_saw(0.6)


@each(
    ("known", "strange", "count"),
    [(3, 0, 3), (0, 5, 0), (1, 5, 2), (2, 1, 2.5), (2, 4, 4), (2, 40, 4), (0, 0, 0)],
)
def test_strangers_count_half_and_no_more_than_those_who_are_known(
    known: int, strange: int, count: float
) -> None:
    new = [f"new {n}" for n in range(strange)]
    assert independent([*map(str, range(known)), *new], new) == count
