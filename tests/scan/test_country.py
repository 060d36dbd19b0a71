"""A made-up country under our own scan, from single pings to incidents: 1,000 blocks, ten-minute rounds."""

from itertools import count

import numpy as np
import pytest

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.pipeline.outages import outages_of
from fanous.scan.rounds import ROUND, BlockStates
from tests.scan.test_rounds import Country

BLOCKS = 1000
HISTORY = 8 * 144
"""Rounds of eight days: with less than a week of history three times as much must be missing."""
QUIET = 200
CUT = 6
BETWEEN = 48
"""Rounds of eight hours: a line that comes back for less than six never settled."""


class Watched:
    """The country's own line, a value a round."""

    def __init__(self) -> None:
        self.country = Country(BLOCKS)
        self.ups: list[int] = []
        self.number = count(2_880_000)
        self.state: BlockStates | None = None

    def rounds(self, many: int, off: float = 0.0) -> None:
        self.country.up = np.arange(BLOCKS) >= BLOCKS * off
        for _ in range(many):
            self.state = self.country.rounds(1, self.state, next(self.number))
            self.ups.append(int(self.state.is_up.sum()))

    def line(self) -> Series:
        times = (2_880_000 + np.arange(len(self.ups), dtype=np.int64)) * ROUND
        none = np.zeros(len(times), np.int64)
        key = SeriesKey(Place("PK"), "", "scan_up", source="scan")
        return Series(key, ROUND, times, np.array(self.ups, np.float64), none, none, none)

    def found(self) -> list[Incident]:
        line = self.line()
        return outages_of(DROP.found([line]), Quantities([line]), Setting("PK", None, "", ""))


@pytest.fixture(scope="module")
def watched() -> Watched:
    """Quiet days, then networks are switched off for an hour: 5, 10 and 50 % of the blocks."""
    one = Watched()
    one.rounds(HISTORY + QUIET)
    for off in (0.05, 0.1, 0.5):
        one.rounds(CUT, off)
        one.rounds(BETWEEN)
    return one


def test_two_hundred_quiet_rounds_raise_nothing(watched: Watched) -> None:
    quiet = Watched()
    quiet.ups = watched.ups[: HISTORY + QUIET]
    assert DROP.found([quiet.line()]) == []


@pytest.mark.parametrize(("nth", "off"), [(0, 0.05), (1, 0.1), (2, 0.5)])
def test_an_outage_shows_in_the_count_within_its_first_round(watched: Watched, nth: int, off: float) -> None:
    first = HISTORY + QUIET + nth * (CUT + BETWEEN)
    lost = 1 - watched.ups[first] / np.median(watched.ups[first - 144 : first])
    assert lost > 0.85 * off, "what is left are blocks that answer rarely"


def test_each_outage_is_raised_and_from_a_tenth_on_suspected_by_the_scan_alone(watched: Watched) -> None:
    raised = [a for a in DROP.found([watched.line()]) if a.raised_at is not None]
    assert len(raised) == 3
    starts = [watched.line().times[HISTORY + QUIET + nth * (CUT + BETWEEN)] for nth in (1, 2)]
    onsets = [incident.onset for incident in watched.found()]
    assert [abs(onset - start) <= ROUND for onset, start in zip(onsets, starts, strict=True)] == [True, True]
