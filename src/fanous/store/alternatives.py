"""Alternatives: how targets fared in other countries, and by which software, around an onset."""

from collections.abc import Sequence

from fanous.model.alternatives import Onset, Software
from fanous.model.incident import Interval
from fanous.store.columns import ticks
from fanous.store.engine import Engine
from fanous.store.window import IN_INTERVALS, IN_WINDOW, in_any, window

_FELL = "state IN ('blocked', 'throttled', 'down') OR symptom"
_ONSETS = f"""
SELECT place, uniqExactIf(from_probe, fell AND fresh), countIf(fell AND fresh), countIf(fresh),
    countIf(fell AND NOT fresh), countIf(NOT fresh)
FROM (
    SELECT uid, any(country) AS place, any(probe) AS from_probe, countIf({_FELL}) > 0 AS fell,
        any(started_at) >= fromUnixTimestamp64Micro({{onset:Int64}}, 'UTC') AS fresh
    FROM verdicts
    WHERE country != {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
        AND target IN {{targets:Array(String)}} AND {IN_WINDOW}
    GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
)
GROUP BY place ORDER BY place
"""
_SOFTWARE = f"""
SELECT software, network, countIf(failed), countIf(NOT failed)
FROM (
    SELECT software, network, from_probe, max(fell) AS failed
    FROM (
        SELECT uid, any(asn) AS network, any(probe) AS from_probe, countIf({_FELL}) > 0 AS fell FROM verdicts
        WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND defect = ''
            AND target IN {{targets:Array(String)}} AND {IN_INTERVALS}
        GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
    ) AS told
    INNER JOIN (
        SELECT uid, any(software) AS software FROM measurements
        WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND {IN_INTERVALS} GROUP BY uid
    ) AS headers USING (uid)
    GROUP BY software, network, from_probe
)
GROUP BY software, network ORDER BY software, network
"""


class AlternativeAnswers:
    """What else could explain a failure.

    Attributes:
        _engine: with the tables ``measurements`` and ``verdicts``.
    """

    _engine: Engine

    def onsets_elsewhere(
        self, country: str, targets: Sequence[str], onset: float, spread: float, before: float
    ) -> list[Onset]:
        """See ``Questions.onsets_elsewhere``."""
        asked = {"country": country, "targets": list(targets), "onset": ticks(onset - spread)}
        rows = self._engine.rows(_ONSETS, **asked, **window(onset - before, onset + spread))
        return [Onset(*row) for row in rows]

    def software(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[Software]:
        """See ``Questions.software``."""
        asked = {"country": country, "targets": list(targets), "asns": list(asns)}
        return [Software(*row) for row in self._engine.rows(_SOFTWARE, **asked, **in_any(intervals))]
