"""Addresses: where connections fail, for which targets: what a block by address hits besides."""

from collections.abc import Sequence

from fanous.model.incident import Interval
from fanous.store.engine import Engine
from fanous.store.window import IN_INTERVALS, in_any

# By address alone: a handshake that is cut after the connection was made is cut by its name.
_FAILING = f"""
SELECT target, groupUniqArray(ip) FROM (
    SELECT target, asn, ip, countIf(failure IS NOT NULL) AS failing, count() AS tried
    FROM observations
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND layer = 'tcp'
        AND vantage = 'probe' AND ip != '' AND target != '' AND {IN_INTERVALS}
    GROUP BY target, asn, ip HAVING failing * 2 >= tried
) AS cut
GROUP BY target ORDER BY target
"""


class AddressAnswers:
    """What fails by address.

    Attributes:
        _engine: with the table ``observations``.
    """

    _engine: Engine

    def failing_addresses(
        self, country: str, asns: Sequence[int], intervals: Sequence[Interval]
    ) -> dict[str, frozenset[str]]:
        """See ``Questions.failing_addresses``."""
        rows = self._engine.rows(_FAILING, country=country, asns=list(asns), **in_any(intervals))
        return {target: frozenset(ips) for target, ips in rows}
