"""A process that puts levels and says what was acknowledged, until it is killed: ``STORE FIRST``."""

import sys

import numpy as np

from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.store.local import open_store

BINS, SERIES = 2000, 5
"""Of one batch."""


def batch(number: int) -> list[SourceSeries]:
    """Bins that no other batch has."""
    times = (number * BINS + np.arange(BINS, dtype=np.int64)) * 600
    keys = [SeriesKey(Place("PK", asn), "", "bgp", source="ioda") for asn in range(SERIES)]
    return [SourceSeries(key, 600, times, np.full(BINS, float(number))) for key in keys]


def main(where: str, first: int) -> None:
    with open_store(where) as store:
        print("open", flush=True)
        for number in range(first, first + 1000):
            store.facts.put_series(batch(number))
            print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
