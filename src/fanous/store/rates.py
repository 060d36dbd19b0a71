"""Rates: how fast data came to probes under innocuous names, from the facts of their downloads."""

from fanous.model.place import Access
from fanous.model.rate import Rate
from fanous.store.engine import Engine
from fanous.store.window import IN_WINDOW, window

# Downloads are few beside all else that is observed: they are found first, and only their measurements read.
_RATES = f"""
WITH controls AS (
    SELECT uid, max(kbps) AS fastest FROM observations
    WHERE layer = 'transfer' AND role = 'control' AND vantage = 'probe' AND NOT isNaN(kbps) AND {IN_WINDOW}
    GROUP BY uid
), trips AS (
    SELECT uid, 1000 * quantileExact(seconds) AS rtt FROM observations
    WHERE layer = 'tcp' AND vantage = 'probe' AND failure IS NULL AND NOT isNaN(seconds) AND {IN_WINDOW}
        AND uid IN (SELECT uid FROM controls)
    GROUP BY uid
)
SELECT m.uid, m.country, m.asn, m.access, m.probe, toUnixTimestamp64Micro(m.started_at) / 1000000 AS made,
    controls.fastest, if(empty(trips.uid), nan, trips.rtt), m.target, m.source
FROM measurements AS m
INNER JOIN controls ON m.uid = controls.uid
LEFT JOIN trips ON m.uid = trips.uid
WHERE m.defect = '' AND m.asn != 0 AND m.country != 'ZZ' AND {IN_WINDOW.replace("started_at", "m.started_at")}
ORDER BY made, m.uid
"""


class RateAnswers:
    """Rates of downloads.

    Attributes:
        _engine: with the tables ``measurements`` and ``observations``.
    """

    _engine: Engine

    def rates(self, since: float, until: float) -> list[Rate]:
        """See ``Questions.rates``."""
        return [
            Rate(uid, country, asn, Access(access), probe, at, kbps, rtt, beside, source)
            for uid, country, asn, access, probe, at, kbps, rtt, beside, source in self._engine.rows(
                _RATES, **window(since, until)
            )
        ]
