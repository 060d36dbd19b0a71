"""Evidence: what stands behind a claim about targets, networks and intervals."""

from collections.abc import Sequence
from typing import Any

from fanous.model.incident import Interval
from fanous.model.observation import Layer
from fanous.model.verdict import State
from fanous.store.engine import Engine
from fanous.store.rows import EvidenceCounts, MechanismCount
from fanous.store.window import IN_INTERVALS, in_any

_CLAIMED = f"""
    country = {{country:String}} AND target IN {{targets:Array(String)}} AND asn != 0 AND defect = ''
    AND {IN_INTERVALS}
"""
_MECHANISMS = f"""
SELECT target, asn, layer, mechanism, rule_id, state, symptom, uniqExact(uid) AS made, uniqExact(probe)
FROM verdicts
WHERE {_CLAIMED} AND asn IN {{asns:Array(UInt32)}}
GROUP BY target, asn, layer, mechanism, rule_id, state, symptom
ORDER BY made DESC, target, asn, layer, mechanism, rule_id, state
"""
_BY_MEASUREMENT = f"""
SELECT uid, any(probe) AS from_probe, any(asn) AS network, any(source) AS via,
    network IN {{asns:Array(UInt32)}} AS named, max(controlled) AS checked,
    countIf(state IN ('blocked', 'throttled') OR symptom) > 0 AS saw, countIf(state = 'ok') > 0 AS works
FROM verdicts
WHERE {_CLAIMED}
GROUP BY uid
"""
_EVIDENCE = f"""
SELECT countIf(saw AND named), uniqExactIf(from_probe, saw AND named), uniqExactIf(network, saw AND named),
    countIf(saw AND named AND checked), countIf(works AND NOT saw AND NOT named),
    arraySort(groupUniqArrayIf(via, saw AND named))
FROM ({_BY_MEASUREMENT})
"""


class EvidenceAnswers:
    """What supports a claim.

    Attributes:
        _engine: with the table ``verdicts``.
    """

    _engine: Engine

    def mechanisms(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[MechanismCount]:
        """See ``Questions.mechanisms``."""
        rows = self._engine.rows(_MECHANISMS, **_claim(country, targets, asns, intervals))
        return [
            MechanismCount(target, asn, Layer(layer), mechanism, rule, State(state), symptom, made, probes)
            for target, asn, layer, mechanism, rule, state, symptom, made, probes in rows
        ]

    def evidence(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> EvidenceCounts:
        """See ``Questions.evidence``."""
        rows = self._engine.rows(_EVIDENCE, **_claim(country, targets, asns, intervals))
        measurements, probes, networks, controlled, elsewhere, sources = rows[0]
        return EvidenceCounts(measurements, probes, networks, controlled, elsewhere, tuple(sources))


def _claim(
    country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
) -> dict[str, Any]:
    return {"country": country, "targets": list(targets), "asns": list(asns), **in_any(intervals)}
