"""The queries that are made from the signals' declarations are those that were once written by hand."""

import re

import pytest

from fanous.analysis.series.signals import COUNTED
from fanous.store import votes as sql
from tests.documents import ROOT

WRITTEN = dict(
    re.findall(
        r"^-- (\w+)\n(.*?)\n(?=\n--|\Z)",
        (ROOT / "tests/golden/votes.sql").read_text(),
        re.DOTALL | re.MULTILINE,
    )
)


@pytest.mark.parametrize("name", ["SERIES", "WITNESSES", "DETAILS", "WORKING"])
def test_a_query_is_the_one_that_was_written_by_hand(name: str) -> None:
    assert getattr(sql, name).split() == WRITTEN[name].split()


def test_each_signal_that_is_counted_from_verdicts_has_its_own_columns() -> None:
    votes = re.findall(r"AS (\w+_vote)\b", sql.WITNESSES)
    assert len(set(votes)) == len(votes) == len(COUNTED)
