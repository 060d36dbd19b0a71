"""Whether an incident came at the same hours of many days."""

from fanous.model.incident import Interval, NetworkPart
from fanous.wording.period import DailySessions, sessions_of
from tests.charts.events import incident
from tests.each import each

DAY, HOUR = 86_400.0, 3600.0
MONDAY = 19_674 * DAY
"""13 November 2023."""

WEEKDAYS = [n for n in range(12) if n % 7 < 5]


def network(asn: int, spans: list[tuple[float, float]], measurements: int = 50) -> NetworkPart:
    """Args: spans: hours after Monday, midnight UTC."""
    intervals = tuple(Interval(MONDAY + start * HOUR, MONDAY + end * HOUR) for start, end in spans)
    return NetworkPart(f"AS{asn}", ("telegram",), intervals, measurements, 3, 0.99)


def daily(days: list[int], *hours: tuple[float, float]) -> list[tuple[float, float]]:
    return [(24 * day + start, 24 * day + end) for day in days for start, end in hours]


def found(*networks: NetworkPart, offset: float = 0.0) -> DailySessions | None:
    return sessions_of(incident(networks=networks), offset)


def hours(sessions: DailySessions | None) -> list[tuple[float, float]]:
    assert sessions is not None
    return [(start / HOUR, end / HOUR) for start, end in sessions.hours]


def test_two_sessions_of_each_weekday_are_told_with_their_hours() -> None:
    seen = found(network(1, daily(WEEKDAYS, (5, 7.5), (11, 13))), offset=3 * HOUR)
    assert hours(seen) == [(8, 10.5), (14, 16)]
    assert seen is not None and seen.weekdays == {0, 1, 2, 3, 4}


def test_a_curfew_that_runs_past_midnight_is_one_session() -> None:
    seen = found(network(1, daily(list(range(10)), (22, 30))))
    assert hours(seen) == [(22, 6)]
    assert seen is not None and len(seen.weekdays) == 7


def test_a_day_on_which_no_one_saw_it_come_back_at_noon_changes_nothing() -> None:
    spans = daily(WEEKDAYS[:8], (5, 7.5), (11, 13)) + daily(WEEKDAYS[8:], (5, 13))
    assert hours(found(network(1, spans))) == [(5, 7.5), (11, 13)]


def test_a_network_with_few_measurements_hides_no_sessions_that_another_shows() -> None:
    gaps = network(1, daily(WEEKDAYS, (5, 7)), measurements=60)
    assert hours(found(gaps, network(2, [(10, 260)], measurements=50))) == [(5, 7)]
    assert found(gaps, network(2, [(10, 260)], measurements=70)) is None, "most of it shows no sessions"


@each(
    "spans",
    [
        [],
        [(5, 200)],
        daily([0, 1, 2], (5, 7)),  # three days may be chance
        daily(WEEKDAYS, (3, 14), (15, 24)),  # nearly always
        [(24 * n + 2.3 * n, 24 * n + 2.3 * n + 1) for n in range(10)],  # at another hour every day
        daily(WEEKDAYS, (1, 2), (5, 6), (9, 10), (13, 14)),  # flapping
    ],
)
def test_what_does_not_come_at_the_same_hours_is_not_called_sessions(
    spans: list[tuple[float, float]],
) -> None:
    assert found(network(1, spans)) is None


def test_networks_on_which_it_went_on_for_longer_are_known_and_their_days_count() -> None:
    seen = found(network(1, daily(WEEKDAYS, (5, 7))), network(2, [(10, 260)], measurements=5))
    assert seen is not None and seen.longer == ("AS2",)
    others = found(network(1, daily(WEEKDAYS, (5, 7))), network(2, daily([5], (5, 7)), measurements=5))
    assert others is not None and others.longer == () and 5 in others.weekdays, "a Saturday"
