"""IODA CSV: the file that IODA's dashboard exports, a ``Time (UTC)`` column and a column a signal.

The dashboard may have scaled the values of each column for its chart, so they are a source of their own
(``ioda-csv``): levels of a column compare with that column alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from math import nan
from pathlib import Path

import numpy as np

from fanous.connectors.connector import OnProgress, OnReject
from fanous.connectors.levels.clock import reader
from fanous.connectors.levels.reading import (
    About,
    LevelFiles,
    OnRepeat,
    Reading,
    levels_of,
    median_step,
    reading_of,
)
from fanous.connectors.levels.rows import Table, number
from fanous.errors import FanousError
from fanous.model.entity import Access, Entity
from fanous.model.levels import Levels
from fanous.model.series import SeriesKey
from fanous.signals import SIGNALS

SOURCE = "ioda-csv"
TIME = "Time (UTC)"

_SIGNALS = (
    (re.compile(r"google\s*\((.+)\)", re.IGNORECASE), "gtr"),
    (re.compile(r"telescope\b.*", re.IGNORECASE), "merit-nt"),
    (re.compile(r"bgp\b.*", re.IGNORECASE), "bgp"),
    (re.compile(r"active probing\b.*loss.*", re.IGNORECASE), "ping-slash24-loss"),
    (re.compile(r"active probing\b.*(?:latency|delay).*", re.IGNORECASE), "ping-slash24-latency"),
    (re.compile(r"active probing\b.*", re.IGNORECASE), "ping-slash24"),
    (re.compile(r"mozilla\b.*", re.IGNORECASE), "mozilla"),
)
"""The heads of columns as the dashboard writes them."""

PRODUCTS = {"SEARCH": "WEB_SEARCH"}
"""Names of the dashboard's legend -> names of IODA's interface."""


@dataclass(slots=True)
class _Column:
    key: SeriesKey
    at: int
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, at: int, value: float | None, line: int) -> None:
        self.times.append(at)
        self.values.append(nan if value is None else value)
        self.lines.append(line)

    def reading(self) -> Iterator[Reading]:
        """Its bins at its own step: a slow signal is blank in most lines of a fast table."""
        levels = levels_of(self.key, 0, self.times, self.values)
        measured = levels.times[~np.isnan(levels.values)]
        if not len(measured):
            return
        step = median_step(measured, SIGNALS[self.key.signal].step)
        own = ((levels.times - measured[0]) % step == 0) | ~np.isnan(levels.values)
        kept = Levels(self.key, step, levels.times[own], levels.values[own])
        inside = set(kept.times.tolist())
        chosen = [(t, n) for t, n in zip(self.times, self.lines, strict=True) if t in inside]
        yield reading_of(kept, [t for t, _ in chosen], [n for _, n in chosen])


class IodaCsv:
    """See ``LevelFiles``."""

    def begin(self) -> LevelFiles:
        return self

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table = Table(path, on_reject, on_repeat, on_progress)
        rows = table.rows([TIME])
        instant = reader(UTC)
        columns: list[_Column] = []
        known: set[int] = set()
        for line, fields in rows:
            columns = columns or _columns(table, about.country)
            try:
                at = int(instant(fields[table.columns.index(TIME)]))
            except ValueError:
                on_reject(line, f"{fields[0][:40]!r} is no time")
                continue
            if at in known:
                on_reject(line, "this time stands in an earlier line with other values")
                continue
            values = [number(fields[column.at]) for column in columns]
            if None in values:
                on_reject(line, f"a value is no number: {','.join(fields)[:80]!r}")
                continue
            known.add(at)
            for column, value in zip(columns, values, strict=True):
                column.add(at, value, line)
        for column in columns:
            yield from column.reading()


def _columns(table: Table, country: str) -> list[_Column]:
    """The columns whose heads are known.

    Raises:
        FanousError: there is none.
    """
    found = []
    for at, head in enumerate(table.columns):
        key = _key(head, country)
        if key is not None:
            found.append(_Column(key, at))
    if not found:
        raise FanousError(
            f"{table.path}: no column is a signal of IODA's dashboard; "
            f"it has {', '.join(table.columns)[:300]}"
        )
    return found


def _key(head: str, country: str) -> SeriesKey | None:
    for pattern, signal in _SIGNALS:
        match = pattern.fullmatch(head)
        if match:
            legend = match[1].strip().upper().replace(" ", "_")[:40] if match.groups() else ""
            return SeriesKey(Entity(country), "", signal, Access.ANY, 0, SOURCE, PRODUCTS.get(legend, legend))
    return None
