"""The queries are made from the signals' declarations; ``test_votes`` holds their answers against the reference."""

import re

from fanous.analysis.series.signals import COUNTED
from fanous.store import votes as sql


def test_each_signal_that_is_counted_from_verdicts_has_its_own_columns() -> None:
    votes = re.findall(r"AS (\w+_vote)\b", sql.WITNESSES)
    assert len(set(votes)) == len(votes) == len(COUNTED)
