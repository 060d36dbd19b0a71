"""IODA CSV: the file that IODA's dashboard exports, with a ``Time (UTC)`` column and one column per signal.

The dashboard may have scaled the values of each column for its chart.  That makes the file a separate source
(``ioda-csv``), whose values can be compared only within their column.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import chain
from math import nan
from pathlib import Path

import numpy as np

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import (
    WHOLE_FILE,
    About,
    OnProgress,
    OnReject,
    OnRepeat,
    Reading,
    SeriesFiles,
)
from fanous.sources.signals.ioda import CREDIT, LICENCE, PAGE
from fanous.sources.signals.rows import CsvRows, median_step, number, reader, reading_of, series_of

TIME = "Time (UTC)"
_TIME = re.compile(r"time \(utc\)|(?:date ?)?time|date", re.IGNORECASE)
"""The header of the time column, also as changed by a spreadsheet or a chart's own export; no other time zone
matches."""

_PROBING = r"(?:active probing|ping-slash24)\b"
_WHOSE = r"(?:(?:packet|package|probe|response|probe/response|pings?) )?"
_SIGNALS = tuple(
    (re.compile(pattern, re.IGNORECASE), signal)
    for pattern, signal in (
        (r"google\s*\((.+)\)|google ([a-z ]+)|gtr(?:\.(\w+))?", "gtr"),
        (r"gtr-norm(?:\.(\w+))?", "gtr-norm"),
        (r"(?:network )?telescope\b.*|merit-nt", "merit-nt"),
        (r"bgp\b.*", "bgp"),
        (_PROBING + ".*loss.*|" + _WHOSE + r"loss(?: rate)?(?: ?\(.*\))?|loss_pct", "ping-slash24-loss"),
        (
            _PROBING + r".*(?:latency|delay|rtt|median).*|(?:median )?(?:rtt )?latency(?: ?\(.*\))?"
            r"|median(?: ?\(.*\))?|median_latency",
            "ping-slash24-latency",
        ),
        (_PROBING + ".*", "ping-slash24"),
        (r"mozilla\b.*", "mozilla"),
    )
)
"""The headers of columns as the dashboard writes them, and as IODA's interface names the same signals.

The chart of probes names its lines ``Median`` and ``Loss``, its legend ``Median Latency`` and
``Probe/Response Loss`` (``ApPacketLatencyAndLossRateComponent.js`` of InetIntel/ioda-ui); ``loss_pct`` and
``median_latency`` are the fields that it reads."""

LONGEST_HEAD = 200
"""Most characters of a header that are read; the dashboard's have up to 50."""

PERCENT = 0.01
"""Converts IODA's loss, which it gives and draws in percent, to a share."""
_SHARE = re.compile(r"share|fraction|ratio|0 ?(?:-|\.\.|to) ?1\b", re.IGNORECASE)
"""Marks, in a header, a loss that has already been converted to a share."""

PRODUCTS = {"SEARCH": "WEB_SEARCH"}
"""Names of the dashboard's legend -> names of IODA's interface."""


@dataclass(slots=True)
class _Column:
    """One signal; ``unit`` converts the field at index ``at`` of each line to our unit."""

    key: SeriesKey
    at: int
    unit: float = 1.0
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, at: int, value: float | None, line: int) -> None:
        self.times.append(at)
        self.values.append(nan if value is None else value * self.unit)
        self.lines.append(line)

    def reading(self) -> Iterator[Reading]:
        """The column's bins at its own step: in a table with a short step, a signal with a long one is blank in most
        lines."""
        levels = series_of(self.key, 0, dict(zip(self.times, self.values, strict=True)))
        measured = levels.times[~np.isnan(levels.values)]
        if not len(measured):
            return
        step = median_step(measured, SIGNALS[self.key.signal].step)
        own = ((levels.times - measured[0]) % step == 0) | ~np.isnan(levels.values)
        kept = SourceSeries(self.key, step, levels.times[own], levels.values[own])
        inside = set(kept.times.tolist())
        chosen = [(t, n) for t, n in zip(self.times, self.lines, strict=True) if t in inside]
        yield reading_of(kept, [t for t, _ in chosen], [n for _, n in chosen])


class IodaCsv(SeriesFiles):
    name = "ioda-csv"
    title = "IODA, a file of its dashboard"
    help = "CSV files that IODA's dashboard exports"
    page = PAGE
    licence = LICENCE
    credit = CREDIT

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading]:
        table = CsvRows(path, on_reject, on_repeat, on_progress)
        instant = reader(UTC)
        columns: list[_Column] = []
        known: set[int] = set()
        unreadable, first = 0, ""
        clock = 0
        for line, fields in table.rows():
            if not columns:
                clock, columns = _columns(table, about.country, on_reject)
            seconds = instant(fields[clock])
            if seconds is None:
                on_reject(line, f"{fields[clock][:40]!r} is not a time")
                continue
            at = int(seconds)
            if at in known:
                on_reject(line, "an earlier line has the same time with other values")
                continue
            values = [number(fields[column.at], table.decimal) for column in columns]
            if all(value is None for value in values):
                on_reject(line, f"no number among the values: {','.join(fields)[:80]!r}")
                continue
            known.add(at)
            for column, value in zip(columns, values, strict=True):
                column.add(at, value, line)
                if value is None:  # neither a number nor a known sign for no value
                    unreadable += 1
                    first = first or f"{fields[column.at][:40]!r} in line {line}"
        if not columns:  # a header without rows may not be this kind of file
            _columns(table, about.country, on_reject)
        if unreadable:
            what = "1 value is not a number" if unreadable == 1 else f"{unreadable:,} values are not numbers"
            why = f"{what} (first {first}): treated as not measured; the rest of the line counts"
            on_reject(WHOLE_FILE, why)
        for reading in chain.from_iterable(column.reading() for column in columns):
            step = reading.levels.step
            if DAY % step:  # no detector will look at it
                on_reject(
                    WHOLE_FILE,
                    f"{reading.levels.key.signal} comes every {step} s, and a day is not a whole number of such "
                    f"steps: it is stored and shown, but not searched for outages",
                )
            yield reading


def _columns(table: CsvRows, country: str, on_reject: OnReject) -> tuple[int, list[_Column]]:
    """The index of the times, and the columns whose headers are known, each series once.

    Raises:
        FanousError: there are none.
    """
    heads = table.columns
    clock = next((at for at, head in enumerate(heads) if _TIME.fullmatch(head)), None)
    if clock is None:
        has = ", ".join(heads)[:300] or "nothing"
        raise FanousError(
            f"{table.path}: the first line lacks {TIME}; it has {has}. Times on another clock: "
            "`fanous ingest csv --time COLUMN --value COLUMN --zone ZONE --signal NAME`"
        )
    found: dict[SeriesKey, _Column] = {}
    for at, head in enumerate(heads):
        key = None if at == clock else _key(head, country)
        if key is not None and key not in found:
            is_percent = key.signal == "ping-slash24-loss" and not _SHARE.search(head)
            found[key] = _Column(key, at, PERCENT if is_percent else 1.0)
        elif at != clock:
            why = "occurs twice" if key else "is not a known signal of IODA's dashboard"
            on_reject(WHOLE_FILE, f"the column {head[:60]!r} {why}: skipped")
    if not found:
        raise FanousError(
            f"{table.path}: no column is a known signal of IODA's dashboard; it has {', '.join(heads)[:300]}"
        )
    return clock, list(found.values())


def _key(head: str, country: str) -> SeriesKey | None:
    for pattern, signal in _SIGNALS:
        match = pattern.fullmatch(head[:LONGEST_HEAD])
        if match:
            legend = next((g for g in match.groups() if g), "").strip().upper().replace(" ", "_")[:40]
            return SeriesKey(
                Place(country), "", signal, source=IodaCsv.name, subtype=PRODUCTS.get(legend, legend)
            )
    return None
