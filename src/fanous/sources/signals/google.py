"""Google: traffic to a product from a country, as the Transparency Report's chart asks for it.

The interface is not documented; its shape is the one that public readers of it describe: 6 bytes before the
JSON, then ``[0][1]`` with rows ``[milliseconds, [[_, value]]]``.
"""

from collections.abc import Iterator
from typing import Any

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import SOURCES
from fanous.sources.signals.files import median_step, series_of_file
from fanous.sources.signals.live import Get, Parsed, Piece, Query, decoded, plain, whole

SOURCE = "google"
ADDRESS = "https://transparencyreport.google.com/transparencyreport/api/v3/traffic/fraction"
PRODUCTS = {"19": ("search", ""), "21": ("youtube", "youtube")}
"""Number of the product -> its name, and the platform where it is one of ours."""
GUARD = b")]}'"
LONGEST = 6
"""Bytes before the JSON: the guard and line breaks."""
WIDTH = 1000
"""Points asked for."""


class Google:
    """See ``LiveSource``; of networks and regions it knows nothing."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        since = min(ask.since, ask.until - SOURCES[SOURCE].window)  # scaled to each answer, as Radar's
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
                "the file's name must say the product, product=19 (Search) or product=21 (YouTube)"
            )
        document = decoded(data.removeprefix(GUARD).lstrip() if data.startswith(GUARD) else data[LONGEST:])
        try:
            rows = document[0][1]
        except (IndexError, KeyError, TypeError):
            raise Rejected("no answer of the traffic chart: there is no [0][1]") from None
        if not isinstance(rows, list):
            raise Rejected("no answer of the traffic chart: [0][1] is no list")
        bins: dict[int, float] = {}
        rejects = []
        for number, row in enumerate(rows, 1):
            found = _row(row)
            if found is None:
                rejects.append((number, f"no row of a time and a value: {str(row)[:60]}"))
            else:
                bins[found[0]] = found[1]
        return Parsed(_series(bins, country, product), tuple(rejects))


def _row(row: Any) -> tuple[int, float] | None:
    try:
        at, value = whole(row[0], 0, 7 * 10**12), plain(row[1][0][1])
    except (IndexError, KeyError, TypeError):
        return None
    return None if at is None or value is None else (at // 1000, value)


def _series(bins: dict[int, float], country: str, product: str) -> tuple[SourceSeries, ...]:
    if not bins:
        return ()
    subtype, target = PRODUCTS[product]
    key = SeriesKey(Place(country), target, "google_traffic", Access.ANY, 0, SOURCE, subtype)
    levels = series_of_file(key, 0, list(bins), list(bins.values()))
    step = median_step(levels.times, SIGNALS["google_traffic"].step)
    return (SourceSeries(key, step, levels.times, levels.values),)
