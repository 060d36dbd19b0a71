"""Arrival: what came in after something had been claimed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """Measurements of one network.

    Attributes:
        measurements: that came in.
        late: of these, made before the newest that was known then.
    """

    asn: int
    measurements: int
    late: int


@dataclass(frozen=True, slots=True)
class SeriesArrival:
    """Bins of ready-made series, of all places of a country together.

    Attributes:
        source: a name in ``fanous.refdata.sources``; ``signal``: one in ``fanous.analysis.series.signals``.
        bins: that came in, or came in with another value.
        late: of these, before the newest that was known then and is the same still.
    """

    source: str
    signal: str
    bins: int
    late: int
