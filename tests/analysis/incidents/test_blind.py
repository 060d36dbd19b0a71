"""A family that cannot show an outage says so, and how much of the silence the routes explain is stated."""

from dataclasses import replace

import numpy as np

from fanous.analysis.coverage import who_saw_what
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.families import cannot_show
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Estimate, FamilyView, Incident, Says, Sight
from fanous.model.reason import Reason
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import cut, daily
from tests.analysis.incidents.events import Ballot, votes
from tests.each import each


def view(family: str, says: Says, left: float | None) -> FamilyView:
    share = None if left is None else Estimate(left, left, left)
    return FamilyView(family, says, (f"{family} signal",), ("XA",), share)


ROUTES = view("routing", Says.ORDINARY, 0.89)


@each(
    ("others", "says"),
    [
        ((0.0, 0.02), Says.BLIND),
        ((0.0, 0.3), Says.ORDINARY),
        ((0.0,), Says.ORDINARY),
        ((), Says.ORDINARY),
    ],
)
def test_a_family_that_never_moved_while_two_others_fell_to_nothing_cannot_show_it(
    others: tuple[float, ...], says: Says
) -> None:
    down = [view(family, Says.DOWN, left) for family, left in zip(("probing", "usage"), others, strict=False)]
    told = cannot_show([ROUTES, *down])
    assert told[0].says is says and (told[0].left is None) is (says is Says.BLIND)
    assert told[1:] == tuple(down)


def test_one_that_fell_and_one_without_data_are_told_as_before() -> None:
    down = [view(family, Says.DOWN, 0.0) for family in ("probing", "usage")]
    beside = [view("routing", Says.DOWN, 0.89), view("darknet", Says.SILENT, None)]
    assert cannot_show([*beside, *down]) == (*beside, *down)


def shutdown(routes_left: float) -> Incident:
    probing = cut(daily(30, swing=0.02, signal="ping-slash24"), 600, 640, 0.0)
    usage = cut(daily(30, swing=0.2, signal="gtr", step=1800), 600, 640, 0.0)
    routes = cut(daily(30, swing=0.0, signal="bgp", step=600), 600, 640, routes_left)
    (incident,) = found_in(Quantities([probing, usage, routes]), Setting("XA", None, "rules", "levels"))
    return incident


@each(("high", "code"), [(0.006, "sight.fell_evenly"), (0.03, "sight.fell_to")])
def test_a_range_of_less_than_one_percent_is_none(high: float, code: str) -> None:
    """Pages said "between <1% and <1%"."""
    left = Estimate(0.004, 0.001, high)
    assert replace(view("probing", Says.DOWN, 0.004), left=left).reason.code == code


def test_routes_that_stay_up_in_a_total_shutdown_are_no_witness_against_it() -> None:
    incident = shutdown(1.0)
    assert {one.family: one.says for one in incident.opinions}["routing"] is Says.BLIND
    nobody = votes(Ballot([1], False)).where(np.zeros(1, np.bool_))
    told = who_saw_what(incident, nobody, {})
    assert {str(one.family): one.sight for one in told}["routing"] is Sight.COULD_NOT_SEE
    assert "routes_explain" not in {reason.code for reason in incident.reasons}


def test_how_much_of_the_silence_withdrawn_routes_explain_is_stated_and_not_subtracted() -> None:
    incident = shutdown(0.6)
    (said,) = (reason for reason in incident.reasons if reason.code == "routes_explain")
    assert isinstance(said.params["share"], float) and abs(said.params["share"] - 0.4) < 0.02
    assert incident.level is not None and incident.level.mean < 0.02
    assert Reason("sight.blind") not in incident.reasons
