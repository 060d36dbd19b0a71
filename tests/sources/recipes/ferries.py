"""Ferries: a made-up publisher on the internet, whose answers are ``{"step": seconds, "from": time, "values": []}``."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import SeriesKey
from fanous.sources.answer import decoded
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, on_grid, windows


class Answer(Struct):
    start: int = field(name="from")
    step: int
    values: list[Any]


class Ferries(LiveSource):
    name = "ferries"
    title = "Ferries"
    help = "sailings of a country's ferries"
    page = address = "https://ferries.example.org"
    licence = "CC0"
    is_open = True
    credit = "Ferries"
    every = 600

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, 30 * DAY):
            yield Piece(ask.country, f"{self.address}/{ask.country}?from={since}&until={until}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        answer = decoded(data, Answer, "Ferries' answer")
        key = SeriesKey(Place(country), "", "tide_gauge", source=self.name)
        return Parsed((on_grid(key, answer.start, answer.step, answer.values),))
