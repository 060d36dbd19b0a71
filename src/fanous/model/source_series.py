"""Source series: a series as a public source gave it, before it is in the store."""

from dataclasses import dataclass

from fanous.model.series import Floats, Ints, SeriesKey


@dataclass(frozen=True, slots=True, eq=False)
class SourceSeries:
    """Values of one signal in bins of equal width; all arrays have shape (n,).

    Attributes:
        key: what it is about; its ``source`` is never empty.
        step: bin width in seconds.
        times: int64, unix seconds, UTC, at which each bin begins; in any order, each once.
        values: float64.  NaN = the source says that it has no value there (never 0).
    """

    key: SeriesKey
    step: int
    times: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.times)
