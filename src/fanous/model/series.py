"""Series: values of one signal for one place (and target) in equal bins, with counts.

The one module of the model that needs numpy, so that a probe does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.model.place import Access, Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What a series is about.

    Attributes:
        signal: a name in ``fanous.analysis.series.signals``.
        resolver_asn: for signals of the DNS layer: the resolver's network; 0 = does not apply.
        source: of a ready-made series: the name of its source in ``fanous.refdata.sources``; the same signal from
            two sources is two series, in units that need not be the same.
        subtype: what else the source tells apart (a product, a telescope); empty = nothing.
    """

    place: Place
    target: str
    signal: str
    access: Access = Access.ANY
    resolver_asn: int = 0
    source: str = ""
    subtype: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values in bins of equal width; only bins in which something was measured are listed.

    Attributes:
        key: what it is about.
        step: bin width in seconds.
        times: int64, shape (n,), ascending.  Unix seconds, UTC, at which each listed bin begins;
            a multiple of ``step``.  A bin that is not listed was not measured (never 0).
        values: float64, shape (n,).  For shares: probes that saw it / probes.
        counts: int64, shape (n,).  Independent probes behind each value, at least 1.
        controlled: int64, shape (n,).  Of those, probes whose own control was normal at the time.
        measurements: int64, shape (n,).  Measurements behind each value.
    """

    key: SeriesKey
    step: int
    times: Ints
    values: Floats
    counts: Ints
    controlled: Ints
    measurements: Ints

    def __len__(self) -> int:
        return len(self.times)
