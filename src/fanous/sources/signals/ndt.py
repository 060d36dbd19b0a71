"""NDT: rows of M-Lab's speed tests, as a query of its tables returns them in CSV.

A time (``TestTime`` or ``date``) and ``MeanThroughputMbps`` are required; ``MinRTT`` (ms), ``LossRate`` (0 to 1) and an
ASN are read if present.  The names are those of M-Lab's unified views ("NDT unified views" at measurementlab.net:
``a.TestTime``, ``a.MeanThroughputMbps``, ``client.Network.ASNumber``).  A bin has the median of its tests, and their
number.
"""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.model.place import Place, written_asn
from fanous.model.series import SeriesKey
from fanous.sources.connector import About, OnProgress, OnReject, OnRepeat, Reading, SeriesFiles
from fanous.sources.signals.rows import CsvRows, binned, number, reader, reading_of, series_of

TIMES = ("TestTime", "a.TestTime", "a_TestTime", "test_time", "date")
SPEEDS = ("MeanThroughputMbps", "a.MeanThroughputMbps", "a_MeanThroughputMbps")
ASNS = ("ClientASNumber", "client.Network.ASNumber", "client_Network_ASNumber", "asn", "ASN")
OTHERS = {
    "ndt_rtt_ms": ("MinRTT", "a.MinRTT", "a_MinRTT"),
    "ndt_loss": ("LossRate", "a.LossRate", "a_LossRate"),
}
KBPS = 1000.0
"""kbit/s in one Mbit/s."""


class Ndt(SeriesFiles):
    name = "ndt"
    title = "M-Lab NDT, rows of a query"
    help = "CSV rows of M-Lab's speed tests"
    page = "https://www.measurementlab.net"
    licence = "CC0, not verified"
    credit = "M-Lab"

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table, instant = CsvRows(path, on_reject, on_repeat, on_progress), reader(UTC)
        tests: dict[tuple[Place, str], list[tuple[int, float, int]]] = {}
        for line, fields in table.rows():
            row = dict(zip(table.columns, fields, strict=True))
            time = _first(row, TIMES, path)
            at = instant(time)
            if at is None:
                on_reject(line, f"{time[:40]!r} is not a time")
                continue
            speed = number(_first(row, SPEEDS, path))
            if speed is None or not speed >= 0:
                on_reject(line, "no speed")
                continue
            asns = (written_asn(row.get(name, "").strip().removesuffix(".0")) for name in ASNS)
            asn = next(filter(None, asns), 0)
            for place in (
                (Place(about.country), Place(about.country, asn)) if asn else (Place(about.country),)
            ):
                for signal, value in _values(row, speed):
                    start = int(at) // SIGNALS[signal].step * SIGNALS[signal].step
                    tests.setdefault((place, signal), []).append((start, value, line))
        for (place, signal), rows in tests.items():
            starts, values, lines = zip(*rows, strict=True)
            bins = binned(starts, values, len if signal == "ndt_tests" else np.median)
            key = SeriesKey(place, "", signal, source=self.name)
            yield reading_of(series_of(key, SIGNALS[signal].step, bins), list(starts), list(lines))


def _first(row: dict[str, str], names: tuple[str, ...], path: Path) -> str:
    """The value in the first of these columns that the table has.

    Raises:
        FanousError: it has none of them.
    """
    for name in names:
        if name in row:
            return row[name]
    raise FanousError(f"{path}: no column of {', '.join(names)}; it has {', '.join(row)[:300]}")


def _values(row: dict[str, str], speed: float) -> Iterator[tuple[str, float]]:
    yield "ndt_kbps", speed * KBPS
    yield "ndt_tests", speed
    for signal, names in OTHERS.items():
        value = number(next((row[name] for name in names if name in row), ""))
        if value is not None and value >= 0:
            yield signal, value
