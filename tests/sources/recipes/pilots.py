"""Pilots: a made-up publisher of reports on outages, ``{"reports": [{"since": time, "until": time}]}``."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from fanous.model.claim import Claim, Said
from fanous.model.instant import DAY
from fanous.sources.answer import Moment, converted, decoded
from fanous.sources.claims import claims_of, lasted
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, windows


class Answer(Struct):
    reports: list[Any]


class Report(Struct):
    since: Moment
    until: Moment


class Pilots(LiveSource):
    name = "pilots"
    title = "Pilots, their reports"
    help = "outages that pilots report, stored as claims"
    page = address = "https://pilots.example.org"
    licence = "CC BY 4.0"
    is_open = True
    credit = "Pilots"
    every = 1800

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, 366 * DAY):
            yield Piece(ask.country, f"{self.address}/{ask.country}?from={since}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        def claim(entry: Any) -> Claim:
            report = converted(entry, Report, "a report")
            return Claim(
                who="Pilots",
                said=Said.OUTAGE,
                country=country,
                since=report.since,
                until=report.until,
                hours=lasted(report.since, report.until),
                link=self.address,
            )

        claims, rejects = claims_of(decoded(data, Answer, "Pilots' answer").reports, claim)
        return Parsed((), rejects, claims)
