"""Window: how much of a stretch of time is read one measurement at a time.

No page and no picture may keep the store busy for long.
"""

from fanous.store.protocol import Store

HOUR = 3600
MOST_DRAWN = 40_000
"""Measurements: about half a second for the store's one thread."""


def whole_hours(since: float, until: float) -> tuple[float, float]:
    """A window with the whole of its first and last hour: asked again within the hour it is the same, and an
    answer that is remembered serves."""
    return since // HOUR * HOUR, -(-until // HOUR) * HOUR


def newest(store: Store, country: str, since: float, until: float) -> float:
    """The earliest moment from which on a page may read everything up to ``until``."""
    made = _hourly(store, country, since, until)
    total = 0
    for hour in sorted(made, reverse=True):
        total += made[hour]
        if total > MOST_DRAWN:
            return float(hour + HOUR)
    return since


def oldest(store: Store, country: str, since: float, until: float) -> float:
    """The latest moment up to which a page may read all from ``since`` on: an onset must not be cut."""
    made = _hourly(store, country, since, until)
    total = 0
    for hour in sorted(made):
        total += made[hour]
        if total > MOST_DRAWN:
            return float(max(hour, since))
    return until


def _hourly(store: Store, country: str, since: float, until: float) -> dict[int, int]:
    """Hour (unix seconds) -> sound measurements; counted by the store's engine."""
    made: dict[int, int] = {}
    for series in store.volume(country, since, until, HOUR):
        for at, count in zip(series.times.tolist(), series.measurements.tolist(), strict=True):
            made[at] = made.get(at, 0) + count
    return made
