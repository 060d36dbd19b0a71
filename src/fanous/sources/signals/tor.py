"""Tor Metrics: how many people in a country use Tor, one value a day.

The files are ``userstats-relay-country.csv`` and ``userstats-bridge-country.csv`` of
metrics.torproject.org: a preamble of lines with ``#``, then ``date,country,users,lower,upper,frac``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from fanous.errors import Rejected
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import SeriesKey
from fanous.sources.answer import read_each
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, windows
from fanous.sources.signals.rows import number, reader, series_of

FILES = ("userstats-relay-country.csv", "userstats-bridge-country.csv")


class Tor(LiveSource):
    """It has no series of networks or regions."""

    name = "tor"
    title = "Tor Metrics"
    help = f"Tor users of a country, one value a day (files: {', '.join(FILES)})"
    page = address = "https://metrics.torproject.org"
    licence = "CC0"
    is_open = True
    credit = "The Tor Project"
    every = 6 * HOUR
    settles = 7 * DAY

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, 366 * DAY):
            first, last = (datetime.fromtimestamp(at, UTC).date() for at in (since, until - 1))
            query = f"start={first}&end={last}&country={ask.country.lower()}&events=off"
            for file in FILES:
                yield Piece(file, f"{self.address}/{file}?{query}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        # What follows the last line break is cut off, perhaps within a number.
        *lines, _ = data.decode("utf-8", "replace").replace("\0", "").split("\n")
        head = next((line for line in lines if line.strip() and not line.startswith("#")), "")
        columns, instant = [column.strip() for column in head.split(",")], reader(UTC)
        if missing := [column for column in ("date", "country", "users") if column not in columns]:
            raise Rejected(f"the first line below its preamble lacks {', '.join(missing)}")

        def day(line: str) -> tuple[int, float] | None:
            if line == head or line.startswith("#") or not line.strip():
                return None
            if line.count(",") != head.count(","):
                raise Rejected(f"{line.count(',') + 1} fields where the first line names {len(columns)}")
            row = dict(zip(columns, line.split(","), strict=True))
            if row["country"].strip().upper() != country:
                return None
            at, users = instant(row["date"]), number(row["users"])
            if at is None or users is None or users < 0:
                raise Rejected(f"no day with a number of users: {line[:60]!r}")
            return int(at), users

        days, rejects = read_each(lines, day)
        signal = "tor_bridge" if "bridge" in f"{name} {data[:1000]!r}".lower() else "tor_relay"
        key = SeriesKey(Place(country), "", signal, source=self.name)
        return Parsed((series_of(key, DAY, dict(days)),) if days else (), rejects)
