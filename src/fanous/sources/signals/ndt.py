"""NDT: rows of M-Lab's speed tests, as a query of its tables returns them in CSV.

A time (``TestTime`` or ``date``) and ``MeanThroughputMbps`` are required; ``MinRTT`` (ms), ``LossRate`` (0 to 1) and an
ASN are read if present.  The names are those of M-Lab's unified views ("NDT unified views" at measurementlab.net:
``a.TestTime``, ``a.MeanThroughputMbps``, ``client.Network.ASNumber``).  A bin has the median of its tests, and their
number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from math import isnan
from pathlib import Path

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.model.place import Access, Place, written_asn
from fanous.model.series import SeriesKey
from fanous.sources.connector import About, OnProgress, OnReject, OnRepeat, Reading, SeriesFiles, Source
from fanous.sources.signals.rows import CsvRows, number, reader, reading_of, series_of_file

SOURCE = "ndt"
TIMES = ("TestTime", "a.TestTime", "a_TestTime", "test_time", "date")
SPEEDS = ("MeanThroughputMbps", "a.MeanThroughputMbps", "a_MeanThroughputMbps")
ASNS = ("ClientASNumber", "client.Network.ASNumber", "client_Network_ASNumber", "asn", "ASN")
OTHERS = {
    "ndt_rtt_ms": (("MinRTT", "a.MinRTT", "a_MinRTT"), 1.0),
    "ndt_loss": (("LossRate", "a.LossRate", "a_LossRate"), 1.0),
}
KBPS = 1000.0
"""kbit/s in one Mbit/s."""


@dataclass(slots=True)
class _Tests:
    """Tests of one place and signal."""

    values: dict[int, list[float]] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, at: int, value: float, line: int) -> None:
        self.values.setdefault(at, []).append(value)
        self.times.append(at)
        self.lines.append(line)


class Ndt(SeriesFiles):
    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table = CsvRows(path, on_reject, on_repeat, on_progress)
        rows = iter(table.rows([]))
        tests: dict[tuple[Place, str], _Tests] = {}
        instant = reader(UTC)
        for line, fields in rows:
            row = dict(zip(table.columns, fields, strict=True))
            time = _first(row, TIMES, path)
            at = instant(time)
            if at is None:
                on_reject(line, f"{time[:40]!r} is not a time")
                continue
            speed = number(_first(row, SPEEDS, path))
            if speed is None or isnan(speed) or speed < 0:
                on_reject(line, "no speed")
                continue
            for place in _places(about.country, row):
                for signal, value in _values(row, speed):
                    start = int(at) // SIGNALS[signal].step * SIGNALS[signal].step
                    tests.setdefault((place, signal), _Tests()).add(start, value, line)
        yield from _readings(tests)


def _first(row: dict[str, str], names: tuple[str, ...], path: Path) -> str:
    """The value in the first of these columns that the table has.

    Raises:
        FanousError: it has none of them.
    """
    for name in names:
        if name in row:
            return row[name]
    raise FanousError(f"{path}: no column of {', '.join(names)}; it has {', '.join(row)[:300]}")


def _places(country: str, row: dict[str, str]) -> Iterator[Place]:
    yield Place(country)
    for name in ASNS:
        asn = written_asn(row.get(name, "").strip().removesuffix(".0"))
        if asn:
            yield Place(country, asn)
            return


def _values(row: dict[str, str], speed: float) -> Iterator[tuple[str, float]]:
    yield "ndt_kbps", speed * KBPS
    yield "ndt_tests", speed
    for signal, (names, unit) in OTHERS.items():
        told = next((row[name] for name in names if name in row), "")
        value = number(told)
        if value is not None and not isnan(value) and value >= 0:
            yield signal, value * unit


def _readings(tests: dict[tuple[Place, str], _Tests]) -> Iterator[Reading]:
    for (place, signal), own in tests.items():
        if signal == "ndt_tests":
            gathered = {at: float(len(values)) for at, values in own.values.items()}
        else:
            gathered = {at: float(np.median(values)) for at, values in own.values.items()}
        key = SeriesKey(place, "", signal, Access.ANY, 0, SOURCE)
        levels = series_of_file(key, SIGNALS[signal].step, list(gathered), list(gathered.values()))
        yield reading_of(levels, own.times, own.lines)


NDT = Source(
    name=SOURCE,
    title="M-Lab NDT, rows of a query",
    help="CSV rows of M-Lab's speed tests",
    page="https://www.measurementlab.net",
    licence="CC0, not verified",
    is_open=False,
    credit="M-Lab",
    files=Ndt(),
)
