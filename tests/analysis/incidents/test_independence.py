"""How many probes are certainly behind test runs, and what counts of that."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fanous.analysis.incidents.networks import Distinct, at_least
from fanous.analysis.series.voices import PROBES, Voices, names_of
from fanous.base.groups import grouped
from fanous.model.incident import Incident, Run, Status
from fanous.model.instant import MINUTE
from fanous.model.measurement import STATED
from tests.analysis.incidents.events import (
    FAMILY_OF,
    MONDAY,
    SETTING,
    Ballot,
    assembled,
    compared,
    finding,
    votes,
)
from tests.each import each

ANDROID, IOS = "ooniprobe-android 3.8", "ooniprobe-ios 3.8"


def run(name: str, start: float = 0, minutes: float = 0, **other: str | int) -> Run:
    """A run that began so many minutes after midnight and lasted so many."""
    since = MONDAY + MINUTE * start
    whole = {"software": ANDROID, "test_name": "telegram", "test_version": "0.3.1", "resolver_asn": 15169}
    return Run(name, **{**whole, **other}, since=since, until=since + MINUTE * minutes)  # type: ignore[arg-type]


@each(
    ("what", "runs", "probes"),
    [
        ("nothing", [], 0),
        ("one after the other may be one probe's", [run("a"), run("b", 10), run("c", 20)], 1),
        ("another version", [run("a"), run("b", software="ooniprobe-android 3.9")], 2),
        ("another platform", [run("a"), run("b", software=IOS)], 2),
        ("another resolver", [run("a"), run("b", resolver_asn=13335)], 2),
        ("two differ, the third is like the first", [run("a"), run("b", software=IOS), run("c")], 2),
        ("they overlap", [run("a", 0, 30), run("b", 20, 30)], 2),
        ("each overlaps the next alone", [run("a", 0, 30), run("b", 20, 30), run("c", 40, 30)], 2),
        ("three at once", [run("a", 0, 30), run("b", 20, 30), run("c", 25, 30)], 3),
        ("one begins when the other ends", [run("a", 0, 30), run("b", 30, 30)], 1),
        ("within one minute nobody knows", [run("a", 0.1, 0.8), run("b", 0.2, 0.7)], 1),
        (
            "a name that is the sender's word overlaps with nothing",
            [run(f"{STATED}a", 0, 600), run(f"{STATED}b", 0, 600), run(f"{STATED}c", 0, 600)],
            1,
        ),
        (
            "without software, versions of one nettest differ",
            [run("a", software=""), run("b", software="", test_version="0.3.2")],
            2,
        ),
        (
            "versions of two nettests say nothing",
            [run("a", software=""), run("b", software="", test_name="whatsapp", test_version="0.11")],
            1,
        ),
        (
            "one without software may be one of those with it",
            [run("a"), run("b", software=IOS), run("c", software="", test_version="0.1")],
            2,
        ),
    ],
)
def test_runs_are_two_probes_only_where_that_is_certain(what: str, runs: list[Run], probes: int) -> None:
    assert at_least(runs) == probes, what
    assert at_least(reversed(runs)) == probes, what


def test_where_too_little_is_known_of_a_run_each_counts_and_the_bound_is_said_next_to_it() -> None:
    seen = votes(Ballot([1], True, probe="a"), Ballot([2], True, probe="b"))
    known = Distinct(grouped([run("a"), run("b")], lambda one: one.probe), FAMILY_OF)
    assert (known.count(seen), known.at_least(seen)) == (1, 1)
    assert [one.code for one in known.remarks(seen)] == ["runs.bound"]
    for unknown in (run("b", resolver_asn=0), run("b", software=""), run("b", software="", test_version="")):
        told = Distinct(grouped([run("a"), unknown], lambda one: one.probe), FAMILY_OF)
        assert told.count(seen) == 2 and told.at_least(seen) in (1, 2)
        assert [one.code for one in told.remarks(seen)] == ["runs.unclear"]
    nothing = Distinct({}, FAMILY_OF)
    assert (nothing.count(seen), nothing.at_least(seen), nothing.remarks(seen)) == (2, None, ())


def test_probes_of_ones_own_are_known_by_their_names() -> None:
    seen = votes(
        Ballot([1], True, probe="a", source="edge"),
        Ballot([2], True, probe="b", source="edge"),
        Ballot([3], True, probe="c"),
    )
    told = Distinct(grouped([run("c")], lambda one: one.probe), FAMILY_OF)
    assert (told.count(seen), told.at_least(seen)) == (3, 3)


def event(runs: Sequence[Run]) -> Incident:
    """Runs of two networks that fail with their own normal controls, each run in a different hour."""
    hours = [10, 11, 12, 13, 14, 15]
    ballots = [
        Ballot([hours[n]], True, asn=1 + n % 2, probe=one.probe, controlled=True)
        for n, one in enumerate(runs)
    ]
    nobody = votes(Ballot([1], False)).where(np.zeros(1, np.bool_))
    group = [finding(10, 16, asn=1), finding(10, 16, asn=2)]
    return assembled(group, votes(*ballots), nobody, SETTING, compared(runs=tuple(runs)))


def test_c2_counts_as_many_probes_as_there_certainly_are() -> None:
    alike = [run(f"r{n}", 60 * n) for n in range(6)]
    suspected = event(alike)
    assert (suspected.status, suspected.reasons[0].code) == (Status.ENDED, "lacks.distinct")
    assert suspected.confirmed_at is None and suspected.evidence.probes == 6
    assert suspected.evidence.probes_at_least == 1
    differing = [replace(one, software=f"ooniprobe-android 3.{n % PROBES}") for n, one in enumerate(alike)]
    confirmed = event(differing)
    assert (confirmed.rule, confirmed.evidence.probes_at_least) == ("C2", PROBES)
    assert "runs.bound" in [one.code for one in confirmed.reasons]
    two = [replace(one, software=f"ooniprobe-android 3.{n % (PROBES - 1)}") for n, one in enumerate(alike)]
    assert event(two).confirmed_at is None


def test_a_name_that_is_the_senders_word_adds_no_weight() -> None:
    """An attacker with ten made-up names for days must not outvote runs that are never recognised again."""
    honest = [Ballot([n], False) for n in range(4)]
    liars = [Ballot(range(4), True, probe=f"{STATED}{n}") for n in range(2)]
    made = votes(*honest, *liars)
    told = Voices(made)
    assert set(told.weights.tolist()) == {1}
    assert names_of(made).regulars == frozenset() == names_of(made).strangers
    known = votes(*honest, *(replace(one, probe=one.probe.removeprefix(STATED)) for one in liars))
    assert names_of(known).regulars and set(Voices(known).weights.tolist()) == {1, 2}
