"""Examinations: where and when the internet was cut for them before."""

from functools import lru_cache
from typing import Any

from fanous.refdata.countries import local
from fanous.refdata.tables import toml_table


def exam_season(cc: str, instant: float) -> str:
    """The remark that examinations, for which it was cut before, are held at that time; empty = none are.

    Args:
        cc: ISO 3166-1 alpha-2.
        instant: unix seconds, UTC.
    """
    season = _seasons().get(cc)
    if season is None:
        return ""
    moment, (first, last) = local(instant, cc), season["hours"]
    if moment.month not in season["months"] or not first <= moment.hour + moment.minute / 60 <= last:
        return ""
    return (
        f"it began at the season and hour of {season['exam']}, for which the internet was cut there before "
        f"({season['known']})"
    )


@lru_cache(maxsize=1)
def _seasons() -> dict[str, dict[str, Any]]:
    return toml_table("examinations.toml")
