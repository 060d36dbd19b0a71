"""Table: a CSV file of any shape, with the columns that the user names.

Rows of one place and bin are combined into one value: a table of single answers becomes a series of how many
answered, a table of counties one series of the country.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey
from fanous.refdata.countries import region_of
from fanous.sources.connector import (
    WHOLE_FILE,
    About,
    Gather,
    OnProgress,
    OnReject,
    OnRepeat,
    Reading,
    SeriesFiles,
    Source,
    TableColumns,
)
from fanous.sources.signals.files import reading_of, series_of_file
from fanous.sources.signals.rows import CsvRows, is_nothing, number, reader, zone_of

SOURCE = "csv"
COUNTING = (Gather.COUNT, Gather.DISTINCT)
MOST_BINS = 2_000_000
"""Bins of one place: four years of minutes.  A wrong time must not fill the memory with zeros."""

_GATHERED: dict[Gather, Callable[[list[float]], float]] = {
    Gather.MEDIAN: lambda values: float(np.median(values)),
    Gather.MEAN: lambda values: float(np.mean(values)),
    Gather.SUM: lambda values: float(np.sum(values)),
}


@dataclass(slots=True)
class _Place:
    """Rows of one place.

    Attributes:
        values: bin -> its numbers; ``texts`` instead, if rows are counted.
    """

    values: dict[int, list[float]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class CsvTable:
    """See ``SeriesFiles``; needs ``About.columns``."""

    def begin(self) -> SeriesFiles:
        return self

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        columns = _checked(about.columns)
        table = CsvRows(path, on_reject, on_repeat, on_progress)
        lines = _Lines(columns, about.country)
        if DAY % (columns.step or DAY):
            on_reject(
                WHOLE_FILE,
                f"a day is not a whole number of bins of {columns.step} s (--step): the series is stored and "
                f"shown, but not searched for outages",
            )
        for line, fields in table.rows([c for c in (columns.time, columns.value, columns.place) if c]):
            lines.decimal = table.decimal
            why = lines.add(line, dict(zip(table.columns, fields, strict=True)))
            if why:
                on_reject(line, why)
        yield from lines.readings()


def _checked(columns: TableColumns | None) -> TableColumns:
    if columns is None:
        raise FanousError("name the columns of the table: --time NAME --value NAME, and --signal")
    if columns.signal not in SIGNALS or not SIGNALS[columns.signal].is_quantity:
        known = ", ".join(name for name, signal in SIGNALS.items() if signal.is_quantity)
        raise FanousError(f"unknown signal {columns.signal!r}: use one of {known}")
    if columns.empty_is_zero and columns.gather not in COUNTING:
        raise FanousError("--empty-is-zero works only with --gather count or distinct")
    return columns


class _Lines:
    """All rows of a table by place.

    Attributes:
        decimal: the decimal separator.
    """

    def __init__(self, columns: TableColumns, country: str) -> None:
        self._columns = columns
        self._country = country
        self._zone = zone_of(columns.zone)
        self._instant = reader(self._zone)
        self._offset: int | None = None
        self._places: dict[Place, _Place] = {}
        self._entities: dict[str, Place] = {}
        self._step = columns.step or SIGNALS[columns.signal].step
        self.decimal = "."

    def add(self, line: int, row: dict[str, str]) -> str:
        """Add one row.  Returns why it cannot be used; empty = it was added."""
        columns = self._columns
        try:
            instant = self._instant(row[columns.time])
        except (ValueError, OverflowError):
            return f"{row[columns.time][:40]!r} is not a time"
        text = row[columns.value].strip()
        if columns.gather in COUNTING:
            if is_nothing(text):
                return f"{columns.value} is empty"
            value = 0.0
        else:
            found = number(text, self.decimal)
            if found is None:
                return f"{text[:40]!r} is not a number"
            value = found
        name = row[columns.place].strip() if columns.place else ""
        if columns.place and not name:
            return f"{columns.place} is empty"
        start = self._bin(instant)
        place = self._places.setdefault(self._entity(name), _Place())
        if columns.gather in COUNTING:
            place.texts.setdefault(start, []).append(text)
        else:
            place.values.setdefault(start, []).append(value)
        place.times.append(start)
        place.lines.append(line)
        return ""

    def _bin(self, instant: float) -> int:
        """Bins begin on the local clock, which in some countries differs by half an hour from UTC."""
        if self._offset is None:
            offset = datetime.fromtimestamp(instant, self._zone).utcoffset()
            self._offset = -int(offset.total_seconds()) % self._step if offset else 0
        return int((instant - self._offset) // self._step * self._step) + self._offset

    def _entity(self, name: str) -> Place:
        known = self._entities.get(name)
        if known is None:
            known = self._entities[name] = _entity(self._country, name)
        return known

    def readings(self) -> Iterator[Reading]:
        for entity, place in self._places.items():
            key = SeriesKey(entity, "", self._columns.signal, Access.ANY, 0, SOURCE, self._columns.value[:40])
            yield self._reading(key, place)

    def _reading(self, key: SeriesKey, place: _Place) -> Reading:
        columns = self._columns
        if columns.gather is Gather.COUNT:
            gathered = {start: float(len(texts)) for start, texts in place.texts.items()}
        elif columns.gather is Gather.DISTINCT:
            gathered = {start: float(len(set(texts))) for start, texts in place.texts.items()}
        else:
            gathered = {start: _measured(values, columns.gather) for start, values in place.values.items()}
        if columns.empty_is_zero:
            gathered |= dict.fromkeys(self._empty(gathered), 0.0)
        levels = series_of_file(key, self._step, list(gathered), list(gathered.values()))
        return reading_of(levels, place.times, place.lines)

    def _empty(self, gathered: dict[int, float]) -> Sequence[int]:
        first, last = min(gathered), max(gathered)
        if (last - first) // self._step > MOST_BINS:
            raise FanousError(
                f"the times in this table range from {first} to {last} (unix seconds): too far apart for a "
                f"step of {self._step} s; correct the wrong ones, or leave out --empty-is-zero"
            )
        return [start for start in range(first, last, self._step) if start not in gathered]


def _measured(values: list[float], gather: Gather) -> float:
    known = [value for value in values if value == value]
    return _GATHERED[gather](known) if known else float("nan")


def _entity(country: str, name: str) -> Place:
    """``AS17557`` is a network, the country's own code the country, anything else a region."""
    digits = name.upper().removeprefix("AS")
    if digits != name.upper() and digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**32:
        return Place(country, int(digits))
    return Place(country) if name.upper() == country else Place(country, region=region_of(country, name))


CSV = Source(
    name=SOURCE,
    title="a table of the user's",
    help="any CSV table; the options marked csv name its columns",
    licence="not stated",
    is_open=False,
    credit="",
    files=CsvTable(),
    takes_columns=True,
)
