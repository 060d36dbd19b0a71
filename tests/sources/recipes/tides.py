"""Tides: files of a made-up tide gauge, a time and a value per line."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey
from fanous.sources.connector import About, OnProgress, OnReject, OnRepeat, Reading, SeriesFiles, Source
from fanous.sources.signals.rows import CsvRows, number, reader, reading_of, series_of_file

SOURCE = "tides"
STEP = 600


class Tides(SeriesFiles):
    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table = CsvRows(path, on_reject, on_repeat, on_progress)
        instant, times, values, lines = reader(UTC), list[int](), list[float](), list[int]()
        for line, (time, value) in table.rows(["time", "value"]):
            found = number(value)
            at = instant(time)
            if found is None or at is None:
                on_reject(line, f"not a time and a number: {time[:40]!r}, {value[:40]!r}")
                continue
            times.append(int(at))
            values.append(found)
            lines.append(line)
        key = SeriesKey(Place(about.country), "", "tide_gauge", Access.ANY, 0, SOURCE)
        yield reading_of(series_of_file(key, STEP, times, values), times, lines)


TIDES = Source(
    name=SOURCE,
    title="Tide gauges",
    help="readings of tide gauges, CSV",
    licence="not stated",
    is_open=False,
    credit="",
    files=Tides(),
)
