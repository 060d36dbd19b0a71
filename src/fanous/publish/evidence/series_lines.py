"""Series lines: ready-made series as zstd JSON lines, a series a line.

They hold no person: a source, a place, a signal, and a value a bin.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
from msgspec import Struct

from fanous.analysis.series.signals import SIGNALS
from fanous.model.place import Access, Place
from fanous.model.series import Series, SeriesKey
from fanous.model.source_series import SourceSeries
from fanous.publish.evidence.container import BundleRefused
from fanous.publish.evidence.lines import LineWriter, unpacked
from fanous.refdata.sources import SOURCES
from fanous.store.series import check_series


class SeriesLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One series; ``times`` are unix seconds at which each bin begins, ``values`` as the source gave them."""

    source: str
    signal: str
    subtype: str
    country: str
    region: str
    asn: int
    access: Access
    target: str
    step: int
    times: list[int]
    values: list[float]


_decoder = msgspec.json.Decoder(SeriesLine)


def pack_series(series: Iterable[Series]) -> bytes:
    """Series as one packed part."""
    writer = LineWriter()
    for one in series:
        key, place = one.key, one.key.place
        writer.add_line(
            SeriesLine(
                key.source, key.signal, key.subtype, place.country, place.region, place.asn, key.access,
                key.target, one.step, one.times.tolist(), one.values.tolist(),
            )
        )  # fmt: skip
    return writer.packed()


def unpack_series(packed: bytes, name: str) -> list[SourceSeries]:
    """The series of a part, as a store takes them.

    Raises:
        Refused: it does not unpack, or a line is no series that this version knows.
    """
    found = []
    for number, line in unpacked(packed, name, _decoder, "a series"):
        if line.source not in SOURCES or line.signal not in SIGNALS or line.step <= 0:
            raise BundleRefused(
                f"{name}, line {number}: no source {line.source!r} with the signal {line.signal!r}"
            )
        if len(line.times) != len(line.values):
            raise BundleRefused(
                f"{name}, line {number}: {len(line.times)} times and {len(line.values)} values"
            )
        found.append(_levels(line, f"{name}, line {number}"))
    return found


def _levels(line: SeriesLine, place: str) -> SourceSeries:
    key = SeriesKey(
        Place(line.country, line.asn, line.region), line.target, line.signal, line.access, 0,
        line.source, line.subtype,
    )  # fmt: skip
    try:
        levels = SourceSeries(
            key, line.step, np.array(line.times, np.int64), np.array(line.values, np.float64)
        )
        check_series([levels])
    except (ValueError, OverflowError) as error:
        raise BundleRefused(f"{place}: {error}") from error
    return levels
