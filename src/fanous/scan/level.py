"""Level: how many blocks of a country, its regions and its networks are up, as series.  Pure."""

import numpy as np

from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey
from fanous.model.source_series import SourceSeries
from fanous.scan.rounds import ROUND, BlockStates
from fanous.scan.targets import Targets

SOURCE, SIGNAL = "scan", "scan_up"


def levels(country: str, targets: Targets, state: BlockStates) -> list[SourceSeries]:
    """One value a place: blocks up at the end of the round."""
    places: dict[Place, int] = {Place(country): int(state.is_up.sum())}
    for asn in np.unique(targets.asns[targets.asns > 0]).tolist():
        places[Place(country, asn)] = int(state.is_up[targets.asns == asn].sum())
    for region in sorted(set(targets.regions) - {""}):
        own = np.array([name == region for name in targets.regions])
        places[Place(country, region=region)] = int(state.is_up[own].sum())
    at = np.array([state.number * ROUND], np.int64)
    return [
        SourceSeries(SeriesKey(place, "", SIGNAL, Access.ANY, 0, SOURCE), ROUND, at, np.array([float(up)]))
        for place, up in places.items()
    ]
