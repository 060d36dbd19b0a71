"""Outcomes: how many measurements of some targets were made, and how many failed, counted by the engine.

A year of a country is millions of measurements: what is shown of them is counted where they lie.
"""

from collections.abc import Sequence
from typing import Any

from fanous.model.outcome import MeasurementCount
from fanous.store.columns import ticks
from fanous.store.engine import Engine
from fanous.store.window import IN_WINDOW, window

_FELL = "(state = 'blocked' OR symptom OR (state = 'throttled' AND layer != 'dns'))"
# A measurement speaks if any of its targets has a vote (``store.votes``); it failed if one of them did.
_OF_TARGETS = f"""
FROM verdicts
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target IN {{targets:Array(String)}}
    AND ({_FELL} OR state = 'ok') AND {IN_WINDOW}
"""
# Rows stand in order of days: the first and the last day are found at the ends, and only they are looked at.
_ENDS = f"""
SELECT toUnixTimestamp64Micro(min(started_at)) / 1000000, toUnixTimestamp64Micro(max(started_at)) / 1000000
{_OF_TARGETS} AND toDate(started_at) IN (
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day LIMIT 1),
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day DESC LIMIT 1)
) HAVING count() > 0
"""
# The engine tells identifiers apart by 128 bits of a hash, as it says of ``uniqExact``.
_OUTCOMES = f"""
SELECT asn, roundDown(toUnixTimestamp64Micro(started_at), {{edges:Array(Int64)}}) AS edge, uniqExact(uid),
    uniqExactIf(uid, {_FELL})
{_OF_TARGETS} GROUP BY asn, edge ORDER BY asn, edge
"""


class OutcomeAnswers:
    """What was measured of targets, counted.

    Attributes:
        _engine: with the table ``verdicts``.
    """

    _engine: Engine

    def ends(
        self, country: str, since: float, until: float, targets: Sequence[str]
    ) -> tuple[float, float] | None:
        """See ``Questions.ends``."""
        rows = self._engine.rows(_ENDS, **_asked(country, since, until, targets))
        return (rows[0][0], rows[0][1]) if rows else None

    def outcomes(
        self, country: str, since: float, until: float, targets: Sequence[str], edges: Sequence[float]
    ) -> list[MeasurementCount]:
        """See ``Questions.outcomes``."""
        at = [ticks(edge) for edge in edges]
        rows = self._engine.rows(_OUTCOMES, edges=at, **_asked(country, since, until, targets))
        return [MeasurementCount(asn, edge / 1_000_000, made, failed) for asn, edge, made, failed in rows]


def _asked(country: str, since: float, until: float, targets: Sequence[str]) -> dict[str, Any]:
    return {"country": country, "targets": list(targets), **window(since, until)}
