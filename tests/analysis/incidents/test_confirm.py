"""The published rules, taken one by one."""

import numpy as np
import pytest

from fanous.analysis.incidents.confirm import (
    BURST,
    NETWORK_SHARE,
    ControlledCase,
    Ruling,
    beyond_baseline,
    families_seen,
    families_that_saw,
    lost_controls,
    nameable,
    rule_c1_c3,
    without_remote,
)
from fanous.analysis.series.controls import CONTROLS
from fanous.analysis.series.voices import LONE_HOURS, LONE_PROBES, NETWORK_PROBES, PROBES, mostly_controlled
from fanous.model.incident import Interval, Kind
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.each import each

EDGE, OONI = Family.EDGE, Family.OONI
ROUTING, PROBING, USAGE, DARKNET, REPORTS = (
    Family.ROUTING,
    Family.PROBING,
    Family.USAGE,
    Family.DARKNET,
    Family.REPORTS,
)
CONTROL_HOURS = [10.0, 10.5, 11.0, 11.5]


def c2(
    *ballots: Ballot,
    controls: list[float] | None = None,
    raised: dict[int, float] | None = None,
    lost: dict[int, list[tuple[float, float]]] | None = None,
) -> Ruling:
    """C2 on failing votes; hours since Monday; every network is raised at 10:00 unless told otherwise."""
    at = raised if raised is not None else {ballot.asn: 10.0 for ballot in ballots}
    times = np.array(CONTROL_HOURS if controls is None else controls) * HOUR + MONDAY
    known = {asn: MONDAY + hour * HOUR for asn, hour in at.items()}
    spans = {asn: [_hours(*span) for span in own] for asn, own in (lost or {}).items()}
    return ControlledCase(votes(*ballots), times, known, spans).ruling()


def _hours(start: float, end: float) -> Interval:
    return Interval(MONDAY + start * HOUR, MONDAY + end * HOUR)


def hour_of(ruling: Ruling) -> float:
    assert ruling.at is not None
    return (ruling.at - MONDAY) / HOUR


TWO = Ballot([10, 11, 12], True, 1), Ballot([10.2, 11.2, 12.2], True, 2)
STEADY = tuple(Ballot(range(4), True, probe=name) for name in "abc")


@each(
    ("what", "ballots", "named"),
    [
        ("three probes in two hours", [Ballot([10, 10.5, 11], True)], True),
        ("one hour without controls is one burst", [Ballot([10, 10.3, 10.6], True)], False),
        ("one hour with normal controls", [Ballot([10, 10.3, 10.6], True, controlled=True)], True),
        (
            "half of the failing ones controlled, of three probes",
            [Ballot([10, 10.1, 10.2], True, controlled=True), Ballot([10.2, 10.3, 10.4], True)],
            True,
        ),
        (
            "half of the failing ones controlled, of two probes",
            [Ballot([10, 10.1], True, controlled=True), Ballot([10.2, 10.3], True)],
            False,
        ),
        (
            "a third of the failing ones controlled",
            [Ballot([10], True, controlled=True), Ballot([10.2, 10.3], True)],
            False,
        ),
        ("two probes", [Ballot([10, 11], True)], False),
        ("one probe all day", [Ballot(range(10, 20), True, probe="p")], False),
        ("seven of ten failed", [Ballot(range(7), True), Ballot(range(3), False)], True),
        ("six of ten failed", [Ballot(range(6), True), Ballot(range(4), False)], False),
        ("six new names that reached it weigh as three", [*STEADY, Ballot(range(6), False)], True),
        ("a known one that did weighs in full", [*STEADY, Ballot(range(6), False, probe="d")], False),
        ("nothing measured", [], False),
    ],
)
def test_a_network_is_named_on_its_own_evidence(what: str, ballots: list[Ballot], named: bool) -> None:
    assert (NETWORK_PROBES, NETWORK_SHARE) == (3, 0.7)
    assert nameable(votes(*ballots)) is named, what


def test_names_that_are_strange_there_count_for_no_more_than_those_who_are_known() -> None:
    assert nameable(votes(Ballot(range(5), True)))
    assert not nameable(votes(Ballot(range(5), True)), [f"0.{n}" for n in range(5)])


@each(
    ("witnesses", "known", "named"),
    [(3, 7, True), (3, 8, False), (4, 9, True), (4, 10, False), (9, 23, False), (10, 100, True)],
)
def test_more_than_two_fifths_of_those_who_are_known_there_must_have_seen_it_or_ten(
    witnesses: int, known: int, *, named: bool
) -> None:
    """A fifth of liars would need as many probes that fail by chance."""
    own = [Ballot([10 + n / 20], True, probe=f"p{n}", controlled=True) for n in range(witnesses)]
    assert nameable(votes(*own), regulars=known) is named


def test_strangers_are_none_of_these() -> None:
    own = [Ballot([10 + n / 20], True, probe=f"p{n}", controlled=True) for n in range(7)]
    assert nameable(votes(*own), ["p4", "p5", "p6"], 9)
    assert not nameable(votes(*own), ["p3", "p4", "p5", "p6"], 9)


@pytest.mark.parametrize(
    ("outside", "beyond"),
    [
        ([], True),
        ([Ballot(range(4), True)], True),  # too little to know the habit
        ([Ballot(range(90), False), Ballot(range(10), True)], True),
        ([Ballot(range(60), False), Ballot(range(40), True)], False),
    ],
)
def test_a_stretch_must_be_worse_than_what_a_line_is_used_to(outside: list[Ballot], beyond: bool) -> None:
    inside = votes(Ballot(range(8), True), Ballot(range(2), False))
    assert beyond_baseline(inside, votes(*outside)) is beyond


def test_what_is_left_over_next_to_a_block_that_never_ends_is_not_a_habit() -> None:
    inside = votes(Ballot(range(95), True), Ballot(range(5), False))
    assert beyond_baseline(inside, votes(Ballot(range(3), False), Ballot(range(5), True)))
    assert not beyond_baseline(inside, votes(Ballot(range(4), False), Ballot(range(6), True)))


def test_half_of_the_failing_measurements_make_it_controlled_and_none_do_not() -> None:
    assert not mostly_controlled(votes())
    assert mostly_controlled(votes(Ballot([1], True, controlled=True), Ballot([2], True)))
    assert not mostly_controlled(votes(Ballot([1], True, controlled=True), Ballot([2, 3], True)))


def lacks_duration(probes: int, hours: int) -> Reason:
    needed = {"probes_needed": LONE_PROBES, "hours_needed": LONE_HOURS}
    return Reason("lacks.duration", {"probes": probes, "hours": hours, **needed})


def test_c2_is_met_by_two_networks_that_fail_together_with_a_control() -> None:
    ruling = c2(*TWO)
    assert ruling.rule == "C2"
    assert ruling.reason == Reason(
        "rule.c2", {"probes": 6, "networks": 2, "control": "other_networks", "basis": "vouched"}
    )


def test_c2_names_the_helper_where_the_failing_measurements_carried_one() -> None:
    helped = c2(Ballot([10, 10.2, 10.4], True, 1, controlled=True), controls=[])
    assert helped.rule == "C2"
    assert helped.reason == Reason(
        "rule.c2", {"probes": 3, "networks": 1, "control": "helper", "basis": "vouched"}
    )


@pytest.mark.parametrize("volunteer", [False, True])
def test_a_control_in_a_strangers_own_record_confirms_nothing(volunteer: bool) -> None:
    """It is what the sender says of it, like the failure: the target must have worked for others."""
    seen = [
        Ballot(
            [10, 11, 12], True, asn, controlled=True, probe=f"{asn}{name}", vouched=False, volunteer=volunteer
        )
        for asn in (1, 2)
        for name in "abc"
    ]
    assert c2(*seen, controls=[]).reason.code == "basis.volunteers"
    assert c2(*seen, controls=CONTROL_HOURS[:2]).rule == ""
    assert c2(*seen).rule == "C2"


@pytest.mark.parametrize(
    ("mechanism", "control"),
    [
        ("dns.injection.blockpage", "helper_or_notice"),
        ("dns.injection.bogon", "helper_or_notice_address"),
        ("tls.timeout", "helper"),
    ],
)
def test_c2_says_that_a_notice_may_have_been_the_control(mechanism: str, control: str) -> None:
    seen = Ballot([10, 10.2, 10.4], True, 1, controlled=True, mechanism=mechanism)
    assert c2(seen, controls=[]).reason.params["control"] == control


@each(
    ("ruling", "lacking"),
    [
        (c2(*TWO, raised={}), Reason("lacks.network")),
        (c2(Ballot([10, 11], True)), Reason("lacks.probes", {"probes": 2, "needed": PROBES})),
        (c2(Ballot([10, 11, 12], True, probe="p")), Reason("lacks.probes", {"probes": 1, "needed": PROBES})),
        (c2(*TWO, controls=[]), Reason("lacks.control")),
        (c2(*TWO, controls=[10, 11]), Reason("lacks.control")),
        (
            c2(Ballot([10, 11, 12], True)),
            lacks_duration(3, 3),
        ),
        (
            c2(Ballot([10, 11, 12], True, 1), Ballot([40, 41, 42], True, 2)),
            lacks_duration(6, 6),
        ),
        (
            c2(Ballot([10, 14, 18], True, 1), Ballot([12, 16, 20], True, 2)),  # two hours apart
            lacks_duration(6, 6),
        ),
        (
            c2(Ballot([10, 11, 12], True, 1), Ballot([10.1], True, 2)),  # together in one hour only
            lacks_duration(4, 3),
        ),
        (c2(*TWO, raised={3: 10}), Reason("lacks.probes", {"probes": 0, "needed": PROBES})),
    ],
)
def test_what_c2_lacks_is_reported(ruling: Ruling, lacking: Reason) -> None:
    assert (ruling.rule, ruling.at) == ("", None)
    assert ruling.reason == lacking


def test_c2_needs_so_many_controls() -> None:
    assert CONTROLS == 3
    assert c2(*TWO, controls=[10, 11, 11.1]).rule == "C2"


@pytest.mark.parametrize(
    ("hours", "probes", "met"),
    [
        (range(10, 18), 8, True),
        (range(10, 17), 7, False),  # seven hours
        (range(10, 18), 5, False),  # five probes
        (range(10, 18), 6, True),
    ],
)
def test_a_lone_network_must_be_seen_by_more_and_for_longer(hours: range, probes: int, met: bool) -> None:
    assert (LONE_PROBES, LONE_HOURS) == (6, 8)
    seen = [Ballot([hour], True, 1, probe=f"p{n % probes}") for n, hour in enumerate(hours)]
    assert bool(c2(*seen).rule) is met


MIXED = Ballot([10, 10.2], True, 1, controlled=True), Ballot([10.3], True, 1)


def test_a_failure_without_a_control_is_not_a_witness_next_to_others_controls() -> None:
    assert c2(*MIXED, controls=[]).rule == ""
    assert c2(*MIXED, Ballot([10.4], True, 1, controlled=True), controls=[]).rule == "C2"


def test_a_broken_machine_on_one_network_lends_no_control_to_a_bad_line_on_another() -> None:
    machine = Ballot(range(10, 24), True, 1, controlled=True, probe="p")
    line = Ballot([10, 10.2, 11.2], True, 2), Ballot([11.1, 12, 12.3], True, 2, controlled=True)
    assert c2(machine, *line[:1], Ballot([12, 13], True, 2, controlled=True), controls=[]).rule == ""
    assert c2(machine, *line, controls=[]).rule == "C2", "half of what fails on it carries one"


def test_two_networks_are_witnesses_to_each_other_only_with_three_probes_each() -> None:
    machine = Ballot(range(10, 24), True, 1, controlled=True, probe="p")
    assert c2(machine, Ballot([10.2, 11.2, 12.2], True, 2)).rule == ""


@pytest.mark.parametrize(
    ("hours", "met"),
    [([10, 11, 12], False), ([10, 11, 12.8], False), ([10, 11, 13.2], True)],
)
def test_where_controls_were_lost_two_networks_must_fail_together_for_longer_than_a_burst(
    hours: list[float], met: bool
) -> None:
    """A fault upstream of both takes their controls along."""
    assert BURST == 3 * HOUR
    both = Ballot(hours, True, 1), Ballot([hour + 0.1 for hour in hours], True, 2)
    assert c2(*both).rule == "C2", "no one has controls there"
    assert bool(c2(*both, lost={2: [(9, 30)]}).rule) is met


@pytest.mark.parametrize(
    ("lost", "met"),
    [
        ({}, True),
        ({1: [(9, 15), (40, 45)]}, False),  # two faults
        ({1: [(9, 45)]}, True),
        ({2: [(9, 45)]}, True),  # of another network
    ],
)
def test_where_controls_were_lost_a_lone_network_must_be_seen_long_in_one_stretch(
    lost: dict[int, list[tuple[float, float]]], met: bool
) -> None:
    seen = Ballot([*range(10, 15), *range(40, 45)], True, 1)
    assert bool(c2(seen, controls=[10, 11, 40, 41], lost=lost).rule) is met


@pytest.mark.parametrize(
    ("working", "failing", "lost"),
    [
        ([True, True], [False, False, False], True),
        ([True, False], [False, False, True], True),
        ([True, False], [False, True], False),  # half of what fails carries one
        ([False, False, True], [False, False], False),  # hardly anybody brings one
        ([], [False, False], False),
    ],
)
def test_controls_are_lost_where_what_works_has_them_and_what_fails_does_not(
    working: list[bool], failing: list[bool], lost: bool
) -> None:
    works = votes(*(Ballot([n], False, 1, controlled=one) for n, one in enumerate(working)))
    fails = votes(*(Ballot([n], True, 1, controlled=one) for n, one in enumerate(failing)))
    assert lost_controls(works, fails) == ({1} if lost else set())
    assert lost_controls(votes(Ballot([1], False, 2, controlled=True)), fails) == set(), "of another network"


def test_it_is_confirmed_when_the_last_thing_needed_came_in() -> None:
    assert hour_of(c2(*TWO)) == pytest.approx(12.2), "the third probe of the second network"
    assert hour_of(c2(*TWO, controls=[10, 11, 15, 16])) == pytest.approx(15.0)
    assert hour_of(c2(*TWO, raised={1: 14, 2: 13})) == pytest.approx(14.0)
    lone = [Ballot([hour], True, 1) for hour in range(10, 24)]
    assert hour_of(c2(*lone)) == pytest.approx(17.0), "the eighth hour"


def test_a_network_that_was_not_raised_yet_is_not_a_witness_yet() -> None:
    """Its failures before count from the moment it is raised."""
    early, late = Ballot([10, 10.2, 11, 11.2], True, 1), Ballot([10.1, 10.3, 11.1], True, 2)
    assert hour_of(c2(early, late, raised={1: 10, 2: 30})) == pytest.approx(30.0)


def test_later_measurements_do_not_move_the_moment() -> None:
    now = c2(*TWO).at
    more = Ballot(range(13, 40), True, 1), Ballot(range(13, 40), True, 2)
    assert c2(*TWO, *more, controls=[*CONTROL_HOURS, *range(12, 40)]).at == now


@pytest.mark.parametrize(
    ("sources", "families"),
    [
        ([], ()),
        (["ooni", "ooni-csv", "ooni"], (OONI,)),
        (["ooni", "own probes"], (EDGE, OONI)),
        (["a web page"], (REPORTS,)),
    ],
)
def test_sources_that_fail_together_are_one_family(sources: list[str], families: tuple[Family, ...]) -> None:
    known = {"ooni": OONI, "ooni-csv": OONI, "own probes": EDGE}
    assert families_seen(sources, known) == families


RAISED = {1: MONDAY + HOUR, 2: MONDAY}


@each(
    ("kind", "families", "rule", "named"),
    [
        (Kind.BLOCKING, (EDGE, OONI), "C1", ("edge", "ooni")),
        (Kind.THROTTLING, (OONI, USAGE), "C1", ("ooni", "usage")),
        (Kind.BLOCKING, (OONI,), "", ("ooni",)),
        (Kind.BLOCKING, (OONI, REPORTS), "", ("ooni",)),  # hearsay is no second witness
        (Kind.BLOCKING, (), "", ()),
        (Kind.OUTAGE, (ROUTING, PROBING), "C3", ("routing", "probing")),
        (Kind.OUTAGE, (OONI, USAGE, DARKNET), "C3", ("usage", "darknet")),
        (Kind.OUTAGE, (OONI, ROUTING), "C1", ("ooni", "routing")),
        (Kind.OUTAGE, (ROUTING,), "", ("routing",)),
    ],
)
def test_families_that_agree(
    kind: Kind, families: tuple[Family, ...], rule: str, named: tuple[str, ...]
) -> None:
    ruling = rule_c1_c3(kind, dict.fromkeys(families, MONDAY - HOUR), RAISED)
    code = f"rule.{rule.lower()}" if rule else "lacks.family"
    params: dict[str, Param] = {"families": named}
    assert (ruling.rule, ruling.reason) == (
        rule,
        Reason(code, params | {"basis": "two_hands"} if rule else params),
    )
    assert ruling.at == (MONDAY if rule else None)


FAMILY_OF = {"ooni": OONI, "edge": EDGE}


@pytest.mark.parametrize(
    ("ballots", "saw"),
    [
        ([Ballot([10, 11], True), Ballot([10.2, 12], True, source="edge")], {EDGE: 12.0, OONI: 11.0}),
        ([Ballot([10, 11], True), Ballot([12], True, source="edge")], {OONI: 11.0}),  # one probe is no family
        ([Ballot([10, 11], True), Ballot([10, 11, 12], True, probe="p", source="edge")], {OONI: 11.0}),
        (
            [
                Ballot([10, 11], True, source="edge"),
                Ballot([10, 11], True),
                Ballot([10.1, 10.2, 11.1], False),
            ],
            {EDGE: 11.0},  # of the volunteers most reached it
        ),
        ([Ballot([10, 11], True, source="a blog"), Ballot([10, 11], True)], {OONI: 11.0, REPORTS: 11.0}),
    ],
)
def test_a_family_saw_it_if_two_of_its_probes_and_most_of_its_voices_did(
    ballots: list[Ballot], saw: dict[Family, float]
) -> None:
    found = families_that_saw(votes(*ballots), FAMILY_OF)
    assert {family: (at - MONDAY) / HOUR for family, at in found.items()} == saw


def test_two_families_confirm_no_sooner_than_the_second_one_saw_it() -> None:
    saw = {EDGE: MONDAY, OONI: MONDAY + 9 * HOUR}
    assert hour_of(rule_c1_c3(Kind.BLOCKING, saw, {1: MONDAY + 2 * HOUR})) == 9.0
    assert hour_of(rule_c1_c3(Kind.BLOCKING, saw, {1: MONDAY + 12 * HOUR})) == 12.0


def test_families_that_agree_on_nothing_raised_give_no_moment() -> None:
    assert rule_c1_c3(Kind.BLOCKING, {EDGE: MONDAY, OONI: MONDAY}, {}).at is None


def test_c2_counts_no_vantage_point_of_others() -> None:
    given = votes(Ballot([1, 2, 3], True), Ballot([4, 5], True, source="globalping"))
    family_of = {"ooni": OONI, "edge": EDGE, "globalping": Family.REMOTE}
    assert set(without_remote(given, family_of).sources) == {"ooni"}
    assert len(without_remote(given, {"ooni": OONI, "globalping": OONI})) == 5
