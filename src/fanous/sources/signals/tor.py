"""Tor Metrics: how many people in a country use Tor, one value a day.

The files are ``userstats-relay-country.csv`` and ``userstats-bridge-country.csv`` of
metrics.torproject.org: a preamble of lines with ``#``, then ``date,country,users,lower,upper,frac``.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isnan

from fanous.errors import Rejected
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import columns, windows
from fanous.sources.signals.rows import number, reader, series_of_file

SOURCE = "tor"
WINDOW = 366 * DAY
ADDRESS = "https://metrics.torproject.org"
FILES = {"relay": "userstats-relay-country.csv", "bridge": "userstats-bridge-country.csv"}


class Tor:
    """See ``LiveSource``; it has no series of networks or regions."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            first, last = (datetime.fromtimestamp(t, UTC).date() for t in (since, until - 1))
            for file in FILES.values():
                query = f"start={first}&end={last}&country={ask.country.lower()}&events=off"
                yield Piece(file, f"{ADDRESS}/{file}?{query}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        lines = data.decode("utf-8", "replace").replace("\0", "").splitlines()
        preamble = " ".join(line for line in lines if line.startswith("#"))
        signal = "tor_bridge" if "bridge" in f"{name} {preamble}".lower() else "tor_relay"
        body = [(at, line) for at, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
        if not body:
            raise Rejected("nothing below the preamble")
        columns = [column.strip() for column in body[0][1].split(",")]
        missing = [column for column in ("date", "country", "users") if column not in columns]
        if missing:
            raise Rejected(f"its first line lacks {', '.join(missing)}")
        key = SeriesKey(Place(country), "", signal, Access.ANY, 0, SOURCE)
        if not data.endswith((b"\n", b"\r")):
            body.pop()  # cut off, perhaps within a number
        times, values, rejects = _values(body[1:], columns, country)
        series = (series_of_file(key, DAY, times, values),) if times else ()
        return Parsed(series, tuple(rejects))


def _values(
    body: list[tuple[int, str]], columns: list[str], country: str
) -> tuple[list[int], list[float], list[tuple[int, str]]]:
    """Days, users, and what could not be read; lines about other countries are skipped."""
    instant = reader(UTC)
    times: list[int] = []
    values: list[float] = []
    rejects: list[tuple[int, str]] = []
    for at, line in body:
        fields = _fields(line)
        if len(fields) != len(columns):
            rejects.append((at, f"{len(fields)} fields where the first line names {len(columns)}"))
            continue
        row = dict(zip(columns, fields, strict=True))
        if row["country"].strip().upper() != country:
            continue
        day, users = instant(row["date"]), number(row["users"])
        if day is None or users is None or (not isnan(users) and users < 0):
            rejects.append((at, f"no day with a number of users: {line[:60]!r}"))
            continue
        times.append(int(day))
        values.append(users)
    return times, values, rejects


def _fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


TOR = Source(
    name=SOURCE,
    title="Tor Metrics",
    help="Tor users of a country, one value a day (files: userstats-relay-country.csv, userstats-bridge-country.csv)",
    page="https://metrics.torproject.org",
    licence="CC0",
    is_open=True,
    credit="The Tor Project",
    live=Tor(),
    address=ADDRESS,
    differs=columns("date", "country", "users", "lower", "upper", "frac"),
    every=6 * HOUR,
    window=WINDOW,
    settles=7 * DAY,
)
