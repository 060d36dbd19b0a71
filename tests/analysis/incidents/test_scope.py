"""How far an event reaches, and what it may be called."""

from dataclasses import replace

import pytest

from fanous.analysis.incidents.scope import extent
from fanous.model.incident import Scope
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.reason import Reason
from tests.each import each

M, F, ANY = Access.MOBILE, Access.FIXED, Access.ANY
COUNTRY = UserWeights(
    "XA",
    (
        NetworkWeight(1, 0.30, M, "one"),
        NetworkWeight(2, 0.25, M, "two"),
        NetworkWeight(3, 0.15, M, "three"),
        NetworkWeight(4, 0.15, F, "four"),
        NetworkWeight(5, 0.10, F, "five"),
    ),
    error=0.2,
    source="a test",
)
ALL = {1, 2, 3, 4, 5}


@each(
    ("affected", "observed", "scope", "access"),
    [
        ({1, 2, 3, 4, 5}, ALL, Scope.NATION, ANY),
        ({1, 2, 3, 4}, ALL, Scope.NATION, ANY),
        ({1, 2, 3}, ALL, Scope.NATION, M),  # mobile only, fixed lines seen to work
        ({1, 4, 5}, ALL, Scope.MULTI_ISP, ANY),  # probably more than half of users, but not almost certainly
        ({4, 5}, ALL, Scope.MULTI_ISP, F),  # two networks are not three
        ({1}, ALL, Scope.ISP, ANY),
        ({1, 4}, ALL, Scope.MULTI_ISP, ANY),
        ({1, 2, 3}, {1, 2, 3}, Scope.MULTI_ISP, ANY),  # fixed lines unobserved: no one may say nation
        (set(), ALL, Scope.INSUFFICIENT, ANY),
    ],
)
def test_scope(affected: set[int], observed: set[int], scope: Scope, access: Access) -> None:
    reach = extent(affected, observed, COUNTRY)
    assert reach.scope is scope
    if scope is not Scope.ISP:
        assert reach.access is access


def test_without_figures_for_the_country_nothing_is_nation_wide_and_the_interval_is_wide() -> None:
    reach = extent(ALL, ALL, None)
    assert reach.scope is Scope.MULTI_ISP
    assert reach.users is not None
    assert reach.users.high - reach.users.low > 0.2
    assert reach.users.observed < 0.7


def test_the_share_is_between_its_bounds_and_unobserved_networks_widen_it() -> None:
    whole, partly = extent({1, 4}, ALL, COUNTRY).users, extent({1, 4}, {1, 3, 4}, COUNTRY).users
    assert whole is not None
    assert partly is not None
    assert whole.low <= whole.mean <= whole.high
    assert partly.high - partly.low > whole.high - whole.low
    assert partly.observed == pytest.approx(0.6)


def test_networks_of_one_operator_are_one_isp() -> None:
    one = UserWeights("XA", (NetworkWeight(1, 0.6, ANY, "o"), NetworkWeight(2, 0.1, ANY, "o")), 0.1, "a test")
    reach = extent({1, 2}, {1, 2}, one)
    assert reach.scope is Scope.ISP
    assert reach.remarks == (Reason("one_operator"),)


def test_an_operator_that_is_the_country_is_the_nation() -> None:
    alone = UserWeights(
        "XA", (NetworkWeight(1, 0.94, ANY, "o"), NetworkWeight(2, 0.06, ANY, "p")), 0.1, "a test"
    )
    assert extent({1}, {1, 2}, alone).scope is Scope.NATION
    assert extent({2}, {1, 2}, alone).scope is Scope.ISP
    assert extent({1}, {1}, replace(alone, networks=alone.networks[:1])).scope is Scope.NATION


def test_the_draws_are_the_same_every_time() -> None:
    assert extent({1, 2}, ALL, COUNTRY) == extent({1, 2}, ALL, COUNTRY)


IRAN = UserWeights(
    "XA",
    (*COUNTRY.networks, NetworkWeight(6, 0.004, F, "six"), NetworkWeight(7, 0.02, F, "seven")),
    error=0.2,
    source="a table of 2026",
    abroad=(7,),
)


@pytest.mark.parametrize(
    ("working", "left_out"),
    [
        ({6}, ("AS6",)),  # under half a percent of users
        ({7}, ("AS7",)),  # registered abroad, though large enough
        ({99}, ("AS99",)),  # not in the figures, which name every network of half a percent
        ({6, 7, 99}, ("AS6", "AS7", "AS99")),
    ],
)
def test_networks_that_are_small_or_registered_abroad_deny_no_nation(
    working: set[int], left_out: tuple[str, ...]
) -> None:
    cut = {1, 2, 3, 4, 5}
    without = extent(cut, cut, IRAN)
    reach = extent(cut, cut | working, IRAN)
    assert reach.scope is without.scope is Scope.NATION
    assert reach.users == without.users
    (remark,) = reach.remarks
    assert (remark.code, remark.params["left_out"], remark.params["working"]) == (
        "left_out", left_out, len(working),
    )  # fmt: skip
    assert remark.params["figures"] == "a table of 2026"


def test_they_are_left_out_whether_they_worked_or_not_and_both_results_are_reported() -> None:
    """Here the nation scope would rest on networks that do not count, so it is not assigned."""
    small = tuple(NetworkWeight(10 + n, 0.0049, F, f"small {n}") for n in range(150))
    weights = UserWeights("XB", (NetworkWeight(1, 0.26, F, "one"), *small), 0.05, "a table")
    cut = {1, *(w.asn for w in small)}
    reach = extent(cut, cut, weights)
    assert reach.scope is not Scope.NATION
    assert reach.users is not None and reach.users.observed == pytest.approx(0.26, abs=0.01)
    (remark,) = (one for one in reach.remarks if one.code == "left_out")
    assert (remark.params["scope"], remark.params["working"]) == ("nation", 0)
    assert float(str(remark.params["share_with_them"])) > 0.9


def test_networks_that_kept_working_and_count_are_never_left_out() -> None:
    reach = extent({1, 2, 3, 4}, ALL, COUNTRY)
    assert reach.scope is Scope.NATION and reach.remarks == ()
    assert extent({1, 2, 3}, ALL - {1, 2, 3} | {1, 2, 3, 4, 5}, COUNTRY).remarks == ()


def test_below_a_nation_no_network_is_left_out() -> None:
    with_them = extent({1}, {1, 2, 6}, IRAN)
    assert with_them.scope is Scope.ISP and with_them.remarks == ()
