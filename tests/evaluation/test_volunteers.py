"""To lie as known volunteers takes lines, names and weeks; who tells the truth as one is believed sooner."""

import pytest

from fanous_lab.evaluation import volunteers
from fanous_lab.evaluation.volunteers import volunteer_prices, volunteer_speeds


def test_a_lie_is_confirmed_only_by_enough_lines_that_were_kept_up_for_weeks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volunteers, "LINES", ((1, 1), (2, 1), (2, 2), (3, 1)))
    worked = {(one.lines, one.networks, one.days): one.worked for one in volunteer_prices(1)}
    assert {price for price, times in worked.items() if times} == {(2, 2, 60), (3, 1, 60)}
    assert {days for _, _, days in worked} == {0, 20, 60}


@pytest.mark.matrix
def test_one_line_is_worth_nothing_however_long_it_was_prepared() -> None:
    alone = [one for one in volunteer_prices(1) if one.lines == 1]
    assert len(alone) == 6 and not any(one.worked for one in alone)


def test_known_volunteers_confirm_a_true_block_sooner_than_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volunteers, "SENDERS", ((3, 1), (6, 1), (3, 2)))
    few, six, both = volunteer_speeds(1)
    assert (few.known, few.strangers, six.strangers) == (None, None, None)
    assert six.known is not None and six.known <= 60
    assert both.known is not None and both.strangers is not None and both.known < both.strangers / 2
