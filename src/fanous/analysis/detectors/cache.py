"""Cache: keeps the anomalies found by each detector, so that unchanged series are not examined again.

Detectors are pure, and the series of one target in one country are examined together and apart from all others
(``analysis.detectors.interference``), so what was found for identical series still holds.  It is kept in memory by a
digest of their content and computed again after a restart.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from fanous.analysis.detectors.detector import Detector
from fanous.model.anomaly import Anomaly
from fanous.model.series import Series

MOST = 100_000
"""Pairs of country and target kept; each takes about a hundred bytes if nothing was found."""

_Place = tuple[str, str]
"""Country and target."""


class Recall:
    """Anomalies found, by detector and place; for one thread at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: OrderedDict[tuple[Detector[Any], _Place], tuple[bytes, list[Anomaly]]] = OrderedDict()

    def find(self, detector: Detector[Any], series: Sequence[Series]) -> list[Anomaly]:
        """As ``detector.found``, which is called only for places where something changed."""
        places: dict[_Place, list[Series]] = defaultdict(list)
        for one in series:
            if one.key.signal in detector.signals:
                places[(one.key.place.country, one.key.target)].append(one)
        digests = {place: _digest(own) for place, own in places.items()}
        changed = [place for place in places if not self._holds(detector, place, digests[place])]
        fresh: dict[_Place, list[Anomaly]] = {place: [] for place in changed}
        for anomaly in detector.found(s for place in changed for s in places[place]):
            fresh[(anomaly.key.place.country, anomaly.key.target)].append(anomaly)
        known = {place: self._found[detector, place][1] for place in places if place not in fresh}
        for place, anomalies in (fresh | known).items():
            self._found[detector, place] = digests[place], anomalies
            self._found.move_to_end((detector, place))
        while len(self._found) > self._most:
            self._found.popitem(last=False)
        found = [anomaly for place in places for anomaly in (fresh | known)[place]]
        return sorted(found, key=lambda a: (a.start, str(a.key.place), a.key.target))

    def _holds(self, detector: Detector[Any], place: _Place, digest: bytes) -> bool:
        kept = self._found.get((detector, place))
        return kept is not None and kept[0] == digest


def _digest(series: Sequence[Series]) -> bytes:
    """Digest of everything that a detector can see of the series, including their order."""
    digest = blake2b(digest_size=16)
    for one in series:
        digest.update(repr((one.key, one.step, len(one))).encode())
        for values in (one.times, one.values, one.counts, one.controlled, one.measurements):
            digest.update(values.tobytes())
    return digest.digest()
