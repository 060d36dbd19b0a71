"""Coverage: what was measured at all - countries, networks, volume, and what allows no conclusion."""

from collections.abc import Sequence
from math import inf

import numpy as np

from fanous.model.arrival import Arrival
from fanous.model.look import LineState, Look
from fanous.model.place import Access, Place
from fanous.model.series import Series, SeriesKey
from fanous.store.columns import ticks
from fanous.store.engine import Engine
from fanous.store.rows import Heard, Insufficient, Reason
from fanous.store.window import AT_IN_WINDOW, IN_WINDOW, window

NOTHING_OUTSIDE = "nothing outside the country answers"
"""``defect`` of a look at a line on which only sites inside the country answer."""

ALLOW_LIST = "outside the country only sites of a list answer"
"""Likewise where sites of a list answer besides."""

MEASUREMENTS = "measurements"
"""Name of the signal of ``volume``."""

_SPAN = """
SELECT toUnixTimestamp64Micro(min(first)) / 1000000, toUnixTimestamp64Micro(max(last)) / 1000000 FROM (
    SELECT min(started_at) AS first, max(started_at) AS last
    FROM measurements WHERE country = {country:String} AND defect = '' HAVING count() > 0
    UNION ALL
    SELECT min(at) AS first, max(at) AS last
    FROM levels WHERE country = {country:String} AND value IS NOT NULL HAVING count() > 0
) HAVING count() > 0
"""
_TARGETS = f"""
SELECT DISTINCT target FROM verdicts
WHERE country = {{country:String}} AND target != '' AND defect = '' AND {IN_WINDOW} ORDER BY target
"""
_COUNTRIES = f"""
SELECT DISTINCT country FROM (
    SELECT country FROM measurements WHERE {IN_WINDOW} AND country != 'ZZ'
    UNION ALL
    SELECT country FROM levels WHERE {AT_IN_WINDOW}
) ORDER BY country
"""
_NETWORKS = """
SELECT asn, argMax(network_name, (times, network_name)) FROM (
    SELECT asn, network_name, count() AS times FROM measurements
    WHERE country = {country:String} AND asn != 0 AND network_name != '' GROUP BY asn, network_name
) GROUP BY asn ORDER BY asn
"""
_ARRIVED = f"""
SELECT asn, count(), countIf(started_at < (
    SELECT max(started_at) FROM measurements
    WHERE country = {{country:String}} AND defect = ''
        AND received_at <= fromUnixTimestamp64Micro({{after:Int64}}, 'UTC')
))
FROM measurements
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target IN {{targets:Array(String)}}
    AND received_at > fromUnixTimestamp64Micro({{after:Int64}}, 'UTC') AND {IN_WINDOW}
GROUP BY asn ORDER BY asn
"""
_VOLUME = f"""
SELECT asn, groupArray(bin), groupArray(made), groupArray(probes) FROM (
    SELECT asn, intDiv(toUnixTimestamp64Micro(started_at), {{step:Int64}} * 1000000) * {{step:Int64}} AS bin,
        count() AS made, uniqExact(probe) AS probes
    FROM measurements
    WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND {IN_WINDOW}
    GROUP BY asn, bin
) GROUP BY asn ORDER BY asn
"""
_HEARD = f"""
SELECT country, asn, toUnixTimestamp64Micro(max(started_at)) / 1000000, count(), uniqExact(probe)
FROM measurements WHERE defect = '' AND asn != 0 AND country != 'ZZ' AND {IN_WINDOW}
GROUP BY country, asn ORDER BY country, asn
"""
_LOOKS = f"""
SELECT uid, country, asn, access, probe, toUnixTimestamp64Micro(started_at) / 1000000 AS at,
    multiIf(defect = '', 'online', defect = 'no network', 'offline',
        defect = '{NOTHING_OUTSIDE}', 'intranet', 'allow_list') AS line, source
FROM measurements
WHERE test_name = 'fanous_health' AND asn != 0 AND country != 'ZZ'
    AND defect IN ('', 'no network', '{NOTHING_OUTSIDE}', '{ALLOW_LIST}') AND {IN_WINDOW}
ORDER BY at, uid
"""
_JUDGED = f"""
SELECT uid, target, defect = '' AND max(state != 'insufficient') AS concluded,
    if(defect != '' OR concluded, '', argMin(rule_id, number)) AS rule,
    multiIf(defect != '', defect, concluded, '', argMin(why, number)) AS sentence
FROM verdicts
WHERE country = {{country:String}} AND target != '' AND {IN_WINDOW} AND target NOT IN (
    SELECT DISTINCT target FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND state != 'insufficient' AND {IN_WINDOW}
)
GROUP BY uid, target, defect
"""
# Targets of which something is concluded go first: they are nearly all, and would be grouped for nothing.
# Sentences of one rule differ in their figures: one of them stands for all.  A measurement whose target
# has several verdicts speaks with the first of them.
_INSUFFICIENT = f"""
SELECT target, sum(made) AS all_made, groupArray((rule, why, made))
FROM (
    SELECT target, concluded, rule, min(sentence) AS why, count() AS made FROM ({_JUDGED})
    GROUP BY target, concluded, rule, if(rule = '', sentence, '')
) GROUP BY target HAVING NOT max(concluded) ORDER BY all_made DESC, target
"""


# The marker of a segment is written last of all, and removed first: nothing changes without it.
_BROUGHT_IN = """
SELECT country, count(), groupBitXor(cityHash64(segment, committed_at)) FROM segments
GROUP BY country ORDER BY country
"""


class CoverageAnswers:
    """What was measured.

    Attributes:
        _engine: with the tables ``measurements``, ``verdicts`` and ``segments``.
    """

    _engine: Engine

    def span(self, country: str) -> tuple[float, float] | None:
        """See ``Questions.span``."""
        rows = self._engine.rows(_SPAN, country=country)
        return (rows[0][0], rows[0][1]) if rows else None

    def targets(self, country: str, since: float, until: float) -> list[str]:
        """See ``Questions.targets``."""
        rows = self._engine.rows(_TARGETS, country=country, **window(since, until))
        return [target for (target,) in rows]

    def countries(self, since: float = -inf, until: float = inf) -> list[str]:
        """See ``Questions.countries``."""
        return [country for (country,) in self._engine.rows(_COUNTRIES, **window(since, until))]

    def arrived(
        self, country: str, targets: Sequence[str], since: float, until: float | None, after: float
    ) -> list[Arrival]:
        """See ``Questions.arrived``."""
        span = window(since, inf if until is None else until)
        rows = self._engine.rows(_ARRIVED, country=country, targets=list(targets), after=ticks(after), **span)
        return [Arrival(asn, made, late) for asn, made, late in rows]

    def brought_in(self) -> dict[str, tuple[int, int]]:
        """See ``Questions.brought_in``."""
        return {country: (count, mark) for country, count, mark in self._engine.rows(_BROUGHT_IN)}

    def networks(self, country: str) -> dict[int, str]:
        """See ``Questions.networks``."""
        return dict(self._engine.rows(_NETWORKS, country=country))

    def volume(self, country: str, since: float, until: float, step: int = 3600) -> list[Series]:
        """See ``Questions.volume``."""
        rows = self._engine.rows(_VOLUME, country=country, step=step, **window(since, until))
        return [_volume(country, step, *row) for row in rows]

    def heard(self, since: float, until: float) -> list[Heard]:
        """See ``Questions.heard``."""
        return [Heard(*row) for row in self._engine.rows(_HEARD, **window(since, until))]

    def looks(self, since: float, until: float) -> list[Look]:
        """See ``Questions.looks``."""
        rows = self._engine.rows(_LOOKS, **window(since, until))
        return [
            Look(uid, country, asn, Access(access), probe, at, LineState(line), source)
            for uid, country, asn, access, probe, at, line, source in rows
        ]

    def insufficient(self, country: str, since: float, until: float) -> list[Insufficient]:
        """See ``Questions.insufficient``."""
        rows = self._engine.rows(_INSUFFICIENT, country=country, **window(since, until))
        return [
            Insufficient(target, made, tuple(sorted((Reason(*r) for r in reasons), key=_order)))
            for target, made, reasons in rows
        ]


def _order(reason: Reason) -> tuple[int, str, str]:
    return -reason.measurements, reason.rule_id, reason.why


def _volume(country: str, step: int, asn: int, bins: list[int], made: list[int], probes: list[int]) -> Series:
    times = np.array(bins, np.int64)
    order = np.argsort(times)
    measurements = np.array(made, np.int64)[order]
    return Series(
        key=SeriesKey(Place(country, asn), "", MEASUREMENTS),
        step=step,
        times=times[order],
        values=measurements.astype(np.float64),
        counts=np.array(probes, np.int64)[order],
        controlled=np.zeros(len(times), np.int64),
        measurements=measurements,
    )
