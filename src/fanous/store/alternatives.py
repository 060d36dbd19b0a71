"""Alternatives: how targets fared in other countries, by which software, and on which lines."""

from collections.abc import Sequence
from typing import Any

from fanous.model.alternatives import LineRecord, Onset, Software
from fanous.model.incident import Interval, Stretches
from fanous.store.engine import Engine
from fanous.store.window import IN_INTERVALS, IN_STRETCHES, IN_WINDOW, in_any, in_stretches, window

LEAST_VOICES = 3
"""Measurements of a target, before it tells of the lines of a network as a whole: one device on a bad line
measures a list of sites once."""

_FELL = "state IN ('blocked', 'throttled', 'down') OR symptom"
_LIKE_A_FAULT = "(state = 'throttled' OR mechanism IN {faults:Array(String)})"
_ONSETS = f"""
SELECT place, uniqExactIf(from_probe, fell AND fresh), countIf(fell AND fresh), countIf(fresh),
    countIf(fell AND NOT fresh), countIf(NOT fresh)
FROM (
    SELECT uid, any(country) AS place, any(probe) AS from_probe, countIf({_FELL}) > 0 AS fell,
        intDiv(toUnixTimestamp(any(started_at)), {{width:UInt32}}) AS slot,
        slot IN {{slots:Array(UInt32)}} AS fresh
    FROM verdicts
    WHERE country != {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
        AND target IN {{targets:Array(String)}} AND {IN_WINDOW}
    GROUP BY uid, target HAVING (fell OR countIf(state = 'ok') > 0) AND (fresh OR slot < {{first:UInt32}})
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
# Our own probes look at their line themselves, and what they measure on a bad one says nothing.
_MEANWHILE = f"""
SELECT uid, target, any(asn) AS network, any(probe) AS from_probe,
    target IN {{targets:Array(String)}} AS claimed,
    countIf({_FELL}) > 0 AS fell, fell AND countIf(({_FELL}) AND NOT {_LIKE_A_FAULT}) = 0 AS lost
FROM verdicts
WHERE country = {{country:String}} AND defect = '' AND source != 'edge' AND target != '' AND {IN_STRETCHES}
GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
"""
_COUNTED = "network, count(), countIf(NOT claimed), sumIf(share, NOT claimed)"
_LINES = f"""
SELECT {_COUNTED}, false
FROM (
    SELECT network, from_probe, claimed, avg(lost) AS share, max(fell AND claimed) AS saw FROM ({_MEANWHILE})
    GROUP BY network, from_probe, target, claimed
)
GROUP BY network, from_probe HAVING max(saw)
ORDER BY network, from_probe
"""
_ALL_LINES = f"""
SELECT {_COUNTED}, true
FROM (
    SELECT network, claimed, avg(lost) AS share FROM ({_MEANWHILE})
    GROUP BY network, target, claimed HAVING count() >= {LEAST_VOICES}
)
GROUP BY network ORDER BY network
"""


class AlternativeAnswers:
    """What else could explain a failure.

    Attributes:
        _engine: with the tables ``measurements`` and ``verdicts``.
    """

    _engine: Engine

    def onsets_elsewhere(
        self, country: str, targets: Sequence[str], slots: Sequence[int], width: int, before: float
    ) -> list[Onset]:
        """See ``Questions.onsets_elsewhere``."""
        if not slots:
            return []
        first, last = min(slots), max(slots)
        asked: dict[str, Any] = {"country": country, "targets": list(targets), "slots": list(slots)}
        asked |= {"width": width, "first": first, **window(first * width - before, (last + 1) * width)}
        return [Onset(*row) for row in self._engine.rows(_ONSETS, **asked)]

    def software(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[Software]:
        """See ``Questions.software``."""
        asked = {"country": country, "targets": list(targets), "asns": list(asns)}
        return [Software(*row) for row in self._engine.rows(_SOFTWARE, **asked, **in_any(intervals))]

    def lines(
        self, country: str, targets: Sequence[str], stretches: Stretches, faults: Sequence[str]
    ) -> list[LineRecord]:
        """See ``Questions.lines``."""
        asked: dict[str, Any] = {"country": country, "targets": list(targets), "faults": list(faults)}
        asked |= in_stretches(stretches)
        return [LineRecord(*row) for sql in (_LINES, _ALL_LINES) for row in self._engine.rows(sql, **asked)]
