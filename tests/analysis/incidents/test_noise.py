"""A suspicion that is nothing but noise is not written down; what is confirmed, or clear, is."""

import numpy as np

from fanous.analysis.incidents.course import NOISE
from fanous.model.incident import Incident
from fanous.model.series import Series
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop, key
from tests.each import each

GTR, BGP = "gtr", "bgp"


def wavering(left: float, spread: float, signal: str = GTR) -> Series:
    """Half-hourly values that waver by so much, and so much left for ten hours from Monday on."""
    times = np.arange(MONDAY - 20 * 24 * HOUR, MONDAY + 24 * HOUR, 1800).astype(np.int64)
    lost = (times >= MONDAY) & (times < MONDAY + 10 * HOUR)
    values = np.where(lost, left, 1) * (1 + spread * np.random.default_rng(3).standard_normal(len(times)))
    ones = np.ones(len(times), np.int64)
    return Series(key(signal), 1800, times, values, ones, 0 * ones, 0 * ones)


def suspected(left: float, spread: float) -> Incident | None:
    return claim(drop(GTR, 0, 10, left=left), series=[wavering(left, spread)])


@each(
    ("left", "spread", "is_told"),
    [(0.6, 0.05, True), (0.6, 0.1, True), (0.7, 0.3, True), (0.8, 0.25, False)],
)
def test_what_a_series_does_by_itself_is_no_suspicion(left: float, spread: float, *, is_told: bool) -> None:
    assert NOISE == 1
    assert (suspected(left, spread) is not None) is is_told


def test_what_two_families_confirm_is_written_down_however_they_waver() -> None:
    group = (drop(GTR, 0, 10, left=0.4), drop(BGP, 0, 10, left=0.4))
    incident = claim(*group, series=[wavering(0.9, 0.3), wavering(0.9, 0.3, BGP)])
    assert incident is not None and incident.confirmed_at is not None


def test_what_was_over_as_it_began_is_no_suspicion() -> None:
    assert claim(drop("ping-slash24", 0, 0, left=0.3, last_seen=3)) is None
