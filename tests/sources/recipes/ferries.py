"""Ferries: a made-up publisher on the internet, whose answers are ``{"step": seconds, "from": time, "values": []}``."""

from collections.abc import Iterator

from fanous.errors import Rejected
from fanous.model.instant import DAY
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import decoded, field, on_grid, whole, windows

SOURCE = "ferries"
WINDOW = 30 * DAY
ADDRESS = "https://ferries.example.org"


class Ferries:
    """See ``LiveSource``."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            yield Piece(ask.country, f"{ADDRESS}/{ask.country}?from={since}&until={until}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        document = decoded(data)
        start, step = (whole(field(document, key), 0, 2**32) for key in ("from", "step"))
        values = field(document, "values")
        if start is None or not step or not isinstance(values, list):
            raise Rejected("no answer of Ferries: `from`, `step` or `values` is missing")
        key = SeriesKey(Place(country), "", "tide_gauge", Access.ANY, 0, SOURCE)
        return Parsed((on_grid(key, start, step, values),))


FERRIES = Source(
    name=SOURCE,
    title="Ferries",
    help="sailings of a country's ferries",
    page=ADDRESS,
    licence="CC0",
    is_open=True,
    credit="Ferries",
    live=Ferries(),
    address=ADDRESS,
    every=600,
    window=WINDOW,
)
