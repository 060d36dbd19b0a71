"""Base rates: what could not be tested counts as often as it was behind events, or may have been."""

import pytest

from fanous.analysis.explanations.base_rates import BASE_RATES, BaseRate, base_rates, remaining, share_tested
from fanous.analysis.explanations.table import TABLE
from fanous.model.explanation import Standing, Weighed
from fanous.model.reason import Reason
from tests.each import each


def weighed(**standings: Standing) -> list[Weighed]:
    return [
        Weighed(code.replace("__", "."), standing, Reason("because")) for code, standing in standings.items()
    ]


@each(
    ("rate", "share"),
    [
        (BaseRate(0, 150), 0.02),  # the rule of three
        (BaseRate(3, 150), 0.02),
        (BaseRate(34, 58), 34 / 58),
        (BaseRate(0, 2), 1.0),
        (BaseRate(0, 0), 1.0),
    ],
)
def test_a_row_that_was_never_behind_n_events_counts_three_in_n(rate: BaseRate, share: float) -> None:
    assert rate.share == pytest.approx(share)


def test_only_what_could_not_be_tested_counts() -> None:
    table = weighed(
        host__may_fail=Standing.UNTESTED, site__own_page=Standing.HOLDS, name__moved=Standing.EXCLUDED
    )
    rate = BASE_RATES["host.may_fail"].share
    assert base_rates(table) == {"host.may_fail": pytest.approx(rate, abs=1e-4)}
    assert share_tested(table) == pytest.approx(1 - rate, abs=1e-4)
    assert share_tested(table[1:]) == 1.0
    assert share_tested([]) is None, "nothing was weighed, which is not the same as tested"


def test_the_shares_add_up_and_never_fall_below_nothing() -> None:
    every = [Weighed(row.code, Standing.UNTESTED, Reason("because")) for row in TABLE]
    assert share_tested(every) == 0.0
    assert share_tested(weighed(tomorrow__row=Standing.UNTESTED)) == 0.0, (
        "of another version: not known to be rare"
    )
    assert remaining([0.25, 0.125]) == 0.625
