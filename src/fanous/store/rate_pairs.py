"""Rate pairs: what targets gave to single probes, beside other names in the same measurement."""

from collections.abc import Sequence

from fanous.model.incident import Interval
from fanous.model.rate_pair import RatePair
from fanous.store.engine import Engine
from fanous.store.window import IN_INTERVALS, in_any

_OWN = "target IN {targets:Array(String)} AND NOT isNaN(kbps)"
_CONTROL = "target NOT IN {targets:Array(String)} AND failure IS NULL AND NOT isNaN(kbps)"
# As ``analysis.rules.transfer`` has it: medians of a measurement, other names as its control, without the helper.
_PAIRS = f"""
SELECT from_probe, network, about, own, control FROM (
    SELECT uid, any(asn) AS network, anyIf(target, {_OWN}) AS about, medianIf(kbps, {_OWN}) AS own,
        medianIf(kbps, {_CONTROL}) AS control
    FROM observations
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND layer = 'transfer'
        AND vantage = 'probe' AND {IN_INTERVALS}
    GROUP BY uid HAVING own > 0 AND control > 0
) AS told
INNER JOIN (
    SELECT uid, any(probe) AS from_probe FROM measurements
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND defect = '' AND {IN_INTERVALS}
    GROUP BY uid
) AS headers USING (uid)
ORDER BY uid
"""


class RatePairAnswers:
    """Rates of transfers.

    Attributes:
        _engine: with the tables ``observations`` and ``measurements``.
    """

    _engine: Engine

    def rate_pairs(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[RatePair]:
        """See ``Questions.rate_pairs``."""
        asked = {"country": country, "targets": list(targets), "asns": list(asns)}
        return [RatePair(*row) for row in self._engine.rows(_PAIRS, **asked, **in_any(intervals))]
