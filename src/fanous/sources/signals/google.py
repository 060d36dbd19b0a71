"""Google: traffic from a country to a product, requested as the Transparency Report's chart requests it.

The interface is not documented.  Its shape is the one that public readers of it describe: 6 bytes before the JSON,
then ``[0][1]`` with rows ``[milliseconds, [[_, value]]]``.

A time is the *end* of its bin, UTC.  An answer in bins of three hours and another in bins of two, for the same six
weeks and product, show this: if both write ends, each value of the one agrees with the other for the same hours, to
1.6 % (root mean square of the differences, as a share of the mean); read as beginnings, they differ by 13.7 %, and
by more if only one of them is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import SeriesKey
from fanous.sources.answer import Moment, converted, decoded, read_each
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, plain
from fanous.sources.signals.rows import begins, median_step, series_of

WINDOW = 28 * DAY
ADDRESS = "https://transparencyreport.google.com/transparencyreport/api/v3/traffic/fraction"
PRODUCTS = {"19": ("search", ""), "21": ("youtube", "youtube")}
"""Number of the product -> its name, and our platform of that name, if there is one."""
GUARD = b")]}'"
LONGEST = 6
"""Bytes before the JSON: the guard and line breaks."""
WIDTH = 1000
"""Number of points requested."""


class Google(LiveSource):
    """It has no series of networks or regions."""

    name = "google"
    title = "Google Transparency Report"
    help = "traffic of a country to Search and YouTube (the name of a file must contain product=19 or product=21)"
    page = "https://transparencyreport.google.com/traffic"
    licence = "page terms"
    credit = "Google"
    address = ADDRESS
    every = 1800

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        since = min(ask.since, ask.until - WINDOW)  # each answer has its own scale, like Radar's
        for product in PRODUCTS:
            query = (
                f"start={since * 1000}&end={ask.until * 1000}&width={WIDTH}"
                f"&product={product}&region={ask.country}"
            )
            yield Piece(f"product={product}", f"{ADDRESS}?{query}", since, ask.until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        product = name.rpartition("product=")[2][:2]
        if product not in PRODUCTS:
            raise Rejected(
                "the file's name must contain the product: product=19 (Search) or product=21 (YouTube)"
            )
        document = decoded(unguarded(data), list[Any], "Google's answer")
        try:
            rows = converted(document[0][1], list[Any], "not a response of the traffic chart")
        except (IndexError, KeyError, TypeError):
            raise Rejected("not a response of the traffic chart: there is no [0][1]") from None
        points, rejects = read_each(rows, _point)
        subtype, target = PRODUCTS[product]
        key = SeriesKey(Place(country), target, "google_traffic", source=self.name, subtype=subtype)
        levels = series_of(key, 0, dict(points))
        step = median_step(levels.times, SIGNALS["google_traffic"].step)
        levels = replace(levels, step=step, times=begins(key, step, levels.times))
        return Parsed((levels,) if points else (), rejects)


def unguarded(data: bytes) -> bytes:
    """The JSON without its guard."""
    return data.removeprefix(GUARD).lstrip() if data.startswith(GUARD) else data[LONGEST:]


def _point(row: Any) -> tuple[int, float]:
    try:
        at, value = converted(row[0] / 1000, Moment, "the time of a row"), plain(row[1][0][1])
    except (IndexError, KeyError, TypeError, OverflowError):
        value = None
    if value is None:
        raise Rejected(f"not a row of a time and a value: {str(row)[:60]}")
    return int(at), value
