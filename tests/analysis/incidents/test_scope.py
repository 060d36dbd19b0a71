"""How far an event reaches, and what it may be called."""

import pytest

from fanous.analysis.incidents.scope import extent
from fanous.model.incident import Scope
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.reason import Reason

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


@pytest.mark.parametrize(
    ("affected", "observed", "scope", "access"),
    [
        ({1, 2, 3, 4, 5}, ALL, Scope.NATION, ANY),
        ({1, 2, 3, 4}, ALL, Scope.NATION, ANY),
        ({1, 2, 3}, ALL, Scope.NATION, M),  # mobile only, fixed lines seen to work
        ({1, 4, 5}, ALL, Scope.MULTI_ISP, ANY),  # probably more than half of users, but not almost certainly
        ({4, 5}, ALL, Scope.MULTI_ISP, F),  # two networks are not three
        ({1}, ALL, Scope.ISP, ANY),
        ({1, 4}, ALL, Scope.MULTI_ISP, ANY),
        ({1, 2, 3}, {1, 2, 3}, Scope.MULTI_ISP, ANY),  # fixed lines unobserved: nobody may say nation
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


def test_the_draws_are_the_same_every_time() -> None:
    assert extent({1, 2}, ALL, COUNTRY) == extent({1, 2}, ALL, COUNTRY)
