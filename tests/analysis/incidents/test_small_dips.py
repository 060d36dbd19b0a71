"""A line that did not see an outage says whether it was lower at the time."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.incidents.families import a_little_lower
from fanous.model.series import Series
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import line
from tests.each import each

START, END = MONDAY, MONDAY + 5 * HOUR


def stood(signal: str, left: float, *, asn: int = 0, first: float = -200) -> Series:
    """A line with ``left`` of its level from the first hour on."""
    one = line(signal, asn=asn, first=first)
    return replace(one, values=np.where(one.times >= START, left, 1.0))


@each(
    ("signal", "left", "said"),
    [
        ("ping-slash24", 0.96, True),
        ("ping-slash24", 0.98, False),  # less than half of what would be told
        ("gtr", 0.9, True),
        ("gtr", 0.95, False),
        ("gtr", 1.2, False),
        ("ping-slash24-latency", 0.5, False),  # bad when it rises
    ],
)
def test_it_is_said_from_half_of_the_least_drop_on(signal: str, left: float, said: bool) -> None:
    share = a_little_lower([stood(signal, left)], START, END)
    assert (share is not None) is said
    assert share is None or share.mean == pytest.approx(left)


def test_the_countrys_own_line_speaks_for_it() -> None:
    network = stood("gtr", 0.5, asn=9)
    assert a_little_lower([stood("gtr", 1.0), network], START, END) is None
    share = a_little_lower([network], START, END)
    assert share is not None and share.mean == pytest.approx(0.5)


def test_nothing_is_said_without_history_or_data() -> None:
    assert a_little_lower([stood("gtr", 0.5, first=0)], START, END) is None
    assert a_little_lower([stood("gtr", 0.5)], END + 1000 * HOUR, END + 1001 * HOUR) is None
    assert a_little_lower([], START, END) is None
