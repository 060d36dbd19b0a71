"""Tides: files of a made-up tide gauge, a time and a value per line."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from fanous.model.place import Place
from fanous.model.series import SeriesKey
from fanous.sources.connector import About, OnProgress, OnReject, OnRepeat, Reading, SeriesFiles
from fanous.sources.signals.rows import CsvRows, number, reader, reading_of, series_of


class Tides(SeriesFiles):
    name = "tides"
    title = "Tide gauges"
    help = "readings of tide gauges, CSV"
    licence = "not stated"

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table = CsvRows(path, on_reject, on_repeat, on_progress)
        instant, bins, times, lines = reader(UTC), dict[int, float](), list[int](), list[int]()
        for line, (time, text) in table.rows(["time", "value"]):
            at, value = instant(time), number(text)
            if at is None or value is None:
                on_reject(line, f"not a time and a number: {time[:40]!r}, {text[:40]!r}")
                continue
            bins[int(at)] = value
            times.append(int(at))
            lines.append(line)
        key = SeriesKey(Place(about.country), "", "tide_gauge", source=self.name)
        yield reading_of(series_of(key, 600, bins), times, lines)
