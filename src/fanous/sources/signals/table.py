"""Table: a CSV file of any shape, with the columns that the user names.

Rows of one place and bin are combined into one value: a table of single answers becomes a series of how many
answered, a table of counties one series for the country.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from fanous.analysis.series.signals import SIGNALS, TABLE
from fanous.errors import FanousError
from fanous.model.instant import DAY, to_iso
from fanous.model.place import Access, Place, written_asn
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
    Stamp,
    TableColumns,
)
from fanous.sources.signals.rows import (
    CsvRows,
    is_nothing,
    number,
    reader,
    reading_of,
    series_of_file,
    zone_of,
)

COUNTING = (Gather.COUNT, Gather.DISTINCT)
MOST_BINS = 2_000_000
"""Most bins of one place: four years of minutes.  A wrong time must not fill the memory with zeros."""

MOST_FILLED = 10 * MOST_BINS
"""Most bins of all places together that are counted as 0 where they have no rows: two rows of each of a thousand
places, years apart, must not become gigabytes."""

_GATHERED: dict[Gather, Callable[[list[float]], float]] = {
    Gather.MEDIAN: lambda values: float(np.median(values)),
    Gather.MEAN: lambda values: float(np.mean(values)),
    Gather.SUM: lambda values: float(np.sum(values)),
}


@dataclass(slots=True)
class _Place:
    """Rows of one place.

    Attributes:
        instants: as written, unix seconds.
        values: of each row; ``texts`` instead, if rows are counted.
    """

    instants: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class CsvTable(SeriesFiles):
    """Needs ``About.columns``."""

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
        self._places: dict[Place, _Place] = {}
        self._entities: dict[str, Place] = {}
        self.decimal = "."

    def add(self, line: int, row: dict[str, str]) -> str:
        """Add one row.  Returns why it cannot be used; empty = it was added."""
        columns = self._columns
        instant = self._instant(row[columns.time])
        if instant is None:
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
        place = self._places.setdefault(self._entity(name), _Place())
        place.instants.append(instant)
        if columns.gather in COUNTING:
            place.texts.append(text)
        else:
            place.values.append(value)
        place.lines.append(line)
        return ""

    def _entity(self, name: str) -> Place:
        known = self._entities.get(name)
        if known is None:
            known = self._entities[name] = _entity(self._country, name)
        return known

    def readings(self) -> Iterator[Reading]:
        if not self._places:
            return
        columns = self._columns
        bins = self._bins()
        self._check_ranges(bins)
        for entity, place in self._places.items():
            key = SeriesKey(entity, columns.target, columns.signal, Access.ANY, 0, TABLE, columns.value[:40])
            yield self._reading(key, place, bins)

    def _check_ranges(self, bins: "_Bins") -> None:
        """Raise ``FanousError`` if the series would have too many bins; before the first is stored."""
        filled, step = 0, bins.step
        for place in self._places.values():
            first, last = bins.start(min(place.instants)), bins.start(max(place.instants))
            filled += (last - first) // step
            if (last - first) // step > MOST_BINS:
                raise FanousError(
                    f"the times in this table range from {to_iso(first)} to {to_iso(last)}, too far apart for a step "
                    f"of {step} s: correct the wrong ones, or use a wider --step"
                )
        if self._columns.empty_is_zero and filled > MOST_FILLED:
            raise FanousError(
                f"with --empty-is-zero the {len(self._places):,} places of this table have {filled:,} bins of {step} s "
                f"together, and {MOST_FILLED:,} are the most: use a wider --step, or a table for each part of them"
            )

    def _bins(self) -> "_Bins":
        """The bins of this table: as the user says, as its own times suggest, or as usual for the signal.

        They begin in local time, which in some countries differs by half an hour from UTC; if the times are
        those of a series, they begin where these do.
        """
        columns = self._columns
        own = None if columns.gather in COUNTING else _rhythm([p.instants for p in self._places.values()])
        step = columns.step or (own[0] if own else 0) or SIGNALS[columns.signal].step
        first = next(iter(self._places.values())).instants[0]
        offset = datetime.fromtimestamp(first, self._zone).utcoffset()
        phase = -int(offset.total_seconds()) % step if offset else 0
        if own and own[0] == step:
            phase = own[1]
        at_end = columns.stamp is Stamp.END
        if columns.stamp is Stamp.KNOWN:
            at_end = SIGNALS[columns.signal].stamped_at_end
        return _Bins(step, phase, step if at_end else 0)

    def _reading(self, key: SeriesKey, place: _Place, bins: "_Bins") -> Reading:
        columns = self._columns
        starts = [bins.start(instant) for instant in place.instants]
        if columns.gather in COUNTING:
            texts: dict[int, list[str]] = {}
            for start, text in zip(starts, place.texts, strict=True):
                texts.setdefault(start, []).append(text)
            one_each = columns.gather is Gather.DISTINCT
            gathered = {at: float(len(set(own) if one_each else own)) for at, own in texts.items()}
        else:
            values: dict[int, list[float]] = {}
            for start, value in zip(starts, place.values, strict=True):
                values.setdefault(start, []).append(value)
            gathered = {at: _measured(own, columns.gather) for at, own in values.items()}
        if columns.empty_is_zero:
            gathered |= dict.fromkeys(_empty(gathered, bins.step), 0.0)
        levels = series_of_file(key, bins.step, list(gathered), list(gathered.values()), columns.licence)
        return reading_of(levels, starts, place.lines)


@dataclass(frozen=True, slots=True)
class _Bins:
    """Bins of ``step`` seconds that begin ``phase`` seconds after a multiple of it.

    Attributes:
        behind: seconds by which a time is after the beginning of the bin that it names.
    """

    step: int
    phase: int
    behind: int

    def start(self, instant: float) -> int:
        return int((instant - self.behind - self.phase) // self.step * self.step) + self.phase


LEAST_TIMES = 24
MOSTLY = 0.75
"""Times count as those of a series if at least this share is known, and this share of their distances are equal."""


def _rhythm(places: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """Step and phase of a table whose times are those of a series; None = irregular, or the step does not divide a
    day."""
    times = [np.unique(np.asarray(own, np.int64)) for own in places]
    gaps = np.concatenate([np.diff(own) for own in times])
    if len(gaps) < LEAST_TIMES:
        return None
    widths, counts = np.unique(gaps, return_counts=True)
    step = int(widths[np.argmax(counts)])
    if counts.max() < MOSTLY * len(gaps) or step < SHORTEST or step > DAY or DAY % step:
        return None
    phases, many = np.unique(np.concatenate(times) % step, return_counts=True)
    return step, int(phases[np.argmax(many)])


SHORTEST = 60
"""Fewest seconds of a bin: no publisher has finer ones."""


def _empty(gathered: Collection[int], step: int) -> Sequence[int]:
    return [start for start in range(min(gathered), max(gathered), step) if start not in gathered]


def _measured(values: list[float], gather: Gather) -> float:
    known = [value for value in values if value == value]
    return _GATHERED[gather](known) if known else float("nan")


def _entity(country: str, name: str) -> Place:
    """``AS17557`` is a network, the country's own code the country, anything else a region."""
    asn = written_asn(name) if name.upper().startswith("AS") else 0
    if asn:
        return Place(country, asn)
    return Place(country) if name.upper() == country else Place(country, region=region_of(country, name))


CSV = Source(
    name=TABLE,
    title="an imported table",
    remark="series of a table of the user's",  # the wording that bundles have always used
    help="any CSV table; the options marked csv name its columns",
    licence="not stated",
    is_open=False,
    credit="",
    files=CsvTable(),
    takes_columns=True,
)
