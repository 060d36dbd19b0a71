"""From when to when an outage was on, where families begin and end at different times."""

import pytest

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.course import course
from fanous.analysis.incidents.families import worth_keeping
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.parts import Parts
from fanous.model.incident import Incident
from fanous.model.series import Anomaly
from fanous.pipeline.outages import outages_of
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import drop
from tests.each import each

AP, BGP, GTR, NT = "ping-slash24", "bgp", "gtr", "merit-nt"


def hours(lead: tuple[Anomaly, ...]) -> list[tuple[float, float | None]]:
    return [
        ((i.start - MONDAY) / HOUR, None if i.end is None else (i.end - MONDAY) / HOUR)
        for i in course(lead).intervals
    ]


@each(
    ("lead", "intervals"),
    [
        ((drop(AP, 0, 5), drop(BGP, 0, 5)), [(0, 5)]),
        ((drop(AP, 0, 5, left=0.6), drop(GTR, 0, 9, left=0.6)), [(0, 5)]),  # users come back late
        ((drop(AP, 0, 5, left=0.6), drop(GTR, -9, 5, left=0.6)), [(0, 5)]),  # a morning that ran into it
        ((drop(AP, 0, 5, left=0.6), drop(GTR, -1, 5, left=0.6)), [(-1, 5)]),  # or was its beginning
        ((drop(AP, 0, 9, left=0.6), drop(GTR, 0, 5, left=0.6)), [(0, 9)]),  # pings hardly fall by themselves
        ((drop(BGP, 0, 1), drop(GTR, 0, 90, left=0.1)), [(0, 90)]),  # routes are back, traffic is not
        ((drop(AP, 0, 8), drop(GTR, 0, 8), drop(AP, 24, 32), drop(GTR, 24, 32)), [(0, 8), (24, 32)]),
        ((drop(AP, 0, 8), drop(GTR, 0, 8), drop(AP, 24, 32)), [(0, 8), (24, 32)]),  # one night by pings alone
        ((drop(AP, 0, 8), drop(GTR, 0, 8), drop(GTR, 24, 26, left=0.8)), [(0, 8)]),
        ((drop(AP, 0, None, last_seen=9), drop(GTR, 0, None, last_seen=9)), [(0, None)]),
        ((drop(AP, 0, 5), drop(AP, 24, 29)), [(0, 5), (24, 29)]),  # one family: all it says
    ],
)
def test_it_is_on_while_two_families_agree_or_one_can_carry_it(
    lead: tuple[Anomaly, ...], intervals: list[tuple[float, float | None]]
) -> None:
    assert hours(lead) == intervals


def incidents(*anomalies: Anomaly) -> list[Incident]:
    return outages_of(anomalies, Quantities(()), Setting("XA", None, "rules", "levels"))


def test_ordinary_mornings_before_an_outage_are_no_part_of_it() -> None:
    mornings = [drop(GTR, 24 * n + 1, 24 * n + 3, left=0.7, unlike=0.0) for n in (-2, -1)]
    cut = [drop(AP, 0, 6, left=0.3), drop(GTR, 0, 6, left=0.3)]
    assert worth_keeping([*mornings, *cut], Parts(())) == cut
    (incident,) = incidents(*mornings, *cut)
    assert (incident.onset, len(incident.intervals)) == (MONDAY, 1)
    assert incident.level is not None and incident.level.mean == pytest.approx(0.3)


def test_a_dip_of_users_that_another_family_bears_out_is_kept() -> None:
    pair = [drop(AP, 0, 2, left=0.8), drop(GTR, 0, 2, left=0.8, unlike=0.0)]
    assert worth_keeping(pair, Parts(())) == pair
    assert worth_keeping(pair[1:], Parts(())) == []


def test_the_onset_has_the_bounds_of_the_line_that_set_it() -> None:
    early, late = drop(GTR, -30, 5, left=0.6), drop(AP, 0, 5, left=0.6)
    first = course((early, late)).first
    assert (first.start, first.key.signal) == (MONDAY, AP)
