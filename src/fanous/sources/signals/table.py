"""Table: a CSV file of any shape, with the columns that the user names.

Rows of one place and bin are combined into one value: a table of single answers becomes a series of how many
answered, a table of counties one series for the country.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from fanous.analysis.series.signals import SIGNALS, TABLE
from fanous.errors import FanousError
from fanous.model.instant import DAY, to_iso
from fanous.model.place import Place, written_asn
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
    Stamp,
    TableColumns,
)
from fanous.sources.signals.rows import (
    CsvRows,
    binned,
    is_nothing,
    number,
    reader,
    reading_of,
    series_of,
    zone_of,
)

MOST_BINS = 2_000_000
"""Most bins of one place: four years of minutes.  A wrong time must not fill the memory with zeros."""

MOST_FILLED = 10 * MOST_BINS
"""Most bins of all places together that are counted as 0 where they have no rows: two rows of each of a thousand
places, years apart, must not become gigabytes."""

COUNTING = (Gather.COUNT, Gather.DISTINCT)

_GATHERED: dict[Gather, Callable[[list[Any]], float]] = {
    Gather.MEDIAN: lambda values: float(np.median(values)),
    Gather.MEAN: lambda values: float(np.mean(values)),
    Gather.SUM: lambda values: float(np.sum(values)),
    Gather.COUNT: len,
    Gather.DISTINCT: lambda texts: len(set(texts)),
}


@dataclass(slots=True)
class _Rows:
    """Rows of one place.

    Attributes:
        instants: as written, unix seconds.
        values: of each row; its text, if rows are counted.
    """

    instants: list[float] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class CsvTable(SeriesFiles):
    """Needs ``About.columns``."""

    name = TABLE
    title = "an imported table"
    remark = "series of a table of the user's"  # the wording that bundles have always used
    help = "any CSV table; the options marked csv name its columns"
    licence = "not stated"
    takes_columns = True

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        columns = about.columns
        if columns is None:
            raise FanousError("name the columns of the table: --time NAME --value NAME, and --signal")
        if columns.signal not in SIGNALS or not SIGNALS[columns.signal].is_quantity:
            known = ", ".join(name for name, signal in SIGNALS.items() if signal.is_quantity)
            raise FanousError(f"unknown signal {columns.signal!r}: use one of {known}")
        if columns.empty_is_zero and columns.gather not in COUNTING:
            raise FanousError("--empty-is-zero works only with --gather count or distinct")
        if DAY % (columns.step or DAY):
            on_reject(
                WHOLE_FILE,
                f"a day is not a whole number of bins of {columns.step} s (--step): the series is stored and "
                f"shown, but not searched for outages",
            )
        table, zone = CsvRows(path, on_reject, on_repeat, on_progress), zone_of(columns.zone)
        instant, place_of = reader(zone), cache(lambda name: _place(about.country, name))
        places: dict[Place, _Rows] = {}
        for line, fields in table.rows([c for c in (columns.time, columns.value, columns.place) if c]):
            row = dict(zip(table.columns, fields, strict=True))
            at, text = instant(row[columns.time]), row[columns.value].strip()
            name = row[columns.place].strip() if columns.place else ""
            value = text if columns.gather in COUNTING else number(text, table.decimal)
            if at is None:
                on_reject(line, f"{row[columns.time][:40]!r} is not a time")
            elif value is None:
                on_reject(line, f"{text[:40]!r} is not a number")
            elif columns.gather in COUNTING and is_nothing(text):
                on_reject(line, f"{columns.value} is empty")
            elif columns.place and not name:
                on_reject(line, f"{columns.place} is empty")
            else:
                rows = places.setdefault(place_of(name), _Rows())
                rows.instants.append(at)
                rows.values.append(value)
                rows.lines.append(line)
        if places:
            yield from _readings(columns, zone, places)


def _readings(columns: TableColumns, zone: tzinfo, places: dict[Place, _Rows]) -> Iterator[Reading]:
    bins = _bins_of(columns, zone, list(places.values()))
    _check_ranges(bins, list(places.values()), columns.empty_is_zero)

    def gathered(values: list[Any]) -> float:
        return _GATHERED[columns.gather]([value for value in values if value == value] or [nan])

    for place, rows in places.items():
        starts = [bins.start(instant) for instant in rows.instants]
        values = binned(starts, rows.values, gathered)
        if columns.empty_is_zero:
            values = dict.fromkeys(range(min(values), max(values), bins.step), 0.0) | values
        key = SeriesKey(place, columns.target, columns.signal, source=TABLE, subtype=columns.value[:40])
        yield reading_of(series_of(key, bins.step, values, columns.licence), starts, rows.lines)


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


def _bins_of(columns: TableColumns, zone: tzinfo, places: Sequence[_Rows]) -> _Bins:
    """The bins of a table: as the user says, as its own times suggest, or as usual for the signal.

    They begin in local time, which in some countries differs by half an hour from UTC; if the times are
    those of a series, they begin where these do.
    """
    rhythm = None if columns.gather in COUNTING else _rhythm([rows.instants for rows in places])
    step = columns.step or (rhythm[0] if rhythm else 0) or SIGNALS[columns.signal].step
    offset = datetime.fromtimestamp(places[0].instants[0], zone).utcoffset()
    phase = -int(offset.total_seconds()) % step if offset else 0
    if rhythm and rhythm[0] == step:
        phase = rhythm[1]
    at_end = columns.stamp is Stamp.END
    if columns.stamp is Stamp.KNOWN:
        at_end = SIGNALS[columns.signal].stamped_at_end
    return _Bins(step, phase, step if at_end else 0)


def _check_ranges(bins: _Bins, places: Sequence[_Rows], empty_is_zero: bool) -> None:
    """Raise ``FanousError`` if the series would have too many bins; before the first is stored."""
    filled, step = 0, bins.step
    for rows in places:
        first, last = bins.start(min(rows.instants)), bins.start(max(rows.instants))
        filled += (last - first) // step
        if (last - first) // step > MOST_BINS:
            raise FanousError(
                f"the times in this table range from {to_iso(first)} to {to_iso(last)}, too far apart for a step "
                f"of {step} s: correct the wrong ones, or use a wider --step"
            )
    if empty_is_zero and filled > MOST_FILLED:
        raise FanousError(
            f"with --empty-is-zero the {len(places):,} places of this table have {filled:,} bins of {step} s "
            f"together, and {MOST_FILLED:,} are the most: use a wider --step, or a table for each part of them"
        )


LEAST_TIMES = 24
MOSTLY = 0.75
"""Times count as those of a series if at least this share is known, and this share of their distances are equal."""

SHORTEST = 60
"""Fewest seconds of a bin: no publisher has finer ones."""


def _rhythm(places: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """Step and phase of a table whose times are those of a series; None = irregular, or the step does not divide a
    day."""
    times = [np.unique(np.asarray(instants, np.int64)) for instants in places]
    gaps = np.concatenate([np.diff(instants) for instants in times])
    if len(gaps) < LEAST_TIMES:
        return None
    widths, counts = np.unique(gaps, return_counts=True)
    step = int(widths[np.argmax(counts)])
    if counts.max() < MOSTLY * len(gaps) or step < SHORTEST or step > DAY or DAY % step:
        return None
    phases, many = np.unique(np.concatenate(times) % step, return_counts=True)
    return step, int(phases[np.argmax(many)])


def _place(country: str, name: str) -> Place:
    """``AS17557`` is a network, the country's own code the country, anything else a region."""
    asn = written_asn(name) if name.upper().startswith("AS") else 0
    if asn:
        return Place(country, asn)
    return (
        Place(country) if name.upper() in ("", country) else Place(country, region=region_of(country, name))
    )
