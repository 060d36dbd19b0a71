"""What stays a little lower after an outage, or between two sessions, is no part of it."""

from dataclasses import replace

import numpy as np

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Status
from fanous.model.series import Series
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import daily, replaced
from tests.each import each

DAYS = 32
CUT = 16 * 24 + 10.0


def level(left: list[tuple[float, float, float]], signal: str) -> Series:
    """A series whose level is ``left`` from one hour to another; pings hardly move by themselves."""
    swing = 0.0 if signal in ("ping-slash24", "bgp") else 0.4
    one = daily(DAYS, noise=0.005, swing=swing, signal=signal, seed=len(signal))
    one = replace(one, values=np.round(one.values, 2))
    at = (one.times - one.times[0]) / 3600
    share = np.ones(len(one))
    for first, last, value in left:
        share[(at >= first) & (at < last)] *= value
    return replaced(one, one.times, one.values * share)


def found(pings: list[tuple[float, float, float]], usage: list[tuple[float, float, float]]) -> list[Incident]:
    series = [level(pings, "ping-slash24"), level(usage, "gtr")]
    return found_in(Quantities(series), Setting("XA", None, "", ""))


def hours(incident: Incident) -> list[tuple[float, float | None]]:
    first = level([], "gtr").times[0]
    return [
        (
            round((one.start - first) / 3600 - CUT, 1),
            None if one.end is None else round((one.end - first) / 3600 - CUT, 1),
        )
        for one in incident.intervals
    ]


BLACKOUT = (CUT, CUT + 72, 0.03)
EVER = 24.0 * DAYS
SESSIONS = [(CUT + 24 * day, CUT + 24 * day + 3, 0.1) for day in range(8)]


@each(
    ("pings", "usage", "intervals", "stays"),
    [
        ([BLACKOUT, (CUT + 72, EVER, 0.94)], [BLACKOUT], [(0, 72)], 0.94),
        ([BLACKOUT, (CUT + 72, EVER, 0.94)], [], [(0, 72)], 0.94),  # by pings alone
        ([BLACKOUT, (CUT + 72, EVER, 0.7)], [BLACKOUT], [(0, 72)], 0.7),  # people are back
        ([BLACKOUT, (CUT + 72, EVER, 0.7)], [], [(0, 72)], 0.7),  # or were never away
        ([BLACKOUT, (CUT + 72, EVER, 0.7)], [BLACKOUT, (CUT + 72, EVER, 0.7)], [(0, 72), (72, None)], None),
        ([*SESSIONS, (CUT + 84, EVER, 0.8)], SESSIONS, [(24 * day, 24 * day + 3) for day in range(8)], 0.8),
        ([*SESSIONS, (CUT + 84, EVER, 1.3)], SESSIONS, [(24 * day, 24 * day + 3) for day in range(8)], None),
        ([*SESSIONS, (CUT + 67, EVER, 0.8)], SESSIONS, [(24 * day, 24 * day + 3) for day in range(8)], 0.8),
    ],
)
def test_an_outage_ends_where_most_is_back_and_says_what_stays_lower(
    pings: list[tuple[float, float, float]],
    usage: list[tuple[float, float, float]],
    intervals: list[tuple[float, float | None]],
    stays: float | None,
) -> None:
    (incident,) = found(pings, usage)
    assert hours(incident) == intervals
    assert (incident.status is Status.ENDED) is (intervals[-1][1] is not None)
    said = [reason.params["left"] for reason in incident.reasons if reason.code == "stays_lower"]
    assert said == ([] if stays is None else [said[0]])
    assert stays is None or abs(float(str(said[0])) - stays) < 0.01


def test_two_cuts_with_the_usual_level_between_them_are_two_intervals() -> None:
    cuts = [(CUT, CUT + 3, 0.02), (CUT + 7, CUT + 10, 0.02)]
    (incident,) = found(cuts, cuts)
    assert hours(incident) == [(0, 3), (7, 10)]
    assert [round(level.left, 1) for level in incident.levels] == [0, 0]
