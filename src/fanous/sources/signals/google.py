"""Google: traffic from a country to a product, requested as the Transparency Report's chart requests it.

The interface is not documented.  Its shape is the one that public readers of it describe: 6 bytes before the JSON,
then ``[0][1]`` with rows ``[milliseconds, [[_, value]]]``.

A time is the *end* of its bin, UTC.  An answer in bins of three hours and another in bins of two, for the same six
weeks and product, show this: if both write ends, each value of the one agrees with the other for the same hours, to
1.6 % (root mean square of the differences, as a share of the mean); read as beginnings, they differ by 13.7 %, and
by more if only one of them is.
"""

from collections.abc import Iterator
from typing import Any

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.instant import DAY
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import MOST_SAID, decoded, plain, whole
from fanous.sources.signals.rows import begins, median_step, series_of_file

SOURCE = "google"
WINDOW = 28 * DAY
ADDRESS = "https://transparencyreport.google.com/transparencyreport/api/v3/traffic/fraction"
PRODUCTS = {"19": ("search", ""), "21": ("youtube", "youtube")}
"""Number of the product -> its name, and our platform of that name, if there is one."""
GUARD = b")]}'"
LONGEST = 6
"""Bytes before the JSON: the guard and line breaks."""
WIDTH = 1000
"""Number of points requested."""


class Google:
    """See ``LiveSource``; it has no series of networks or regions."""

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
        document = decoded(unguarded(data))
        try:
            rows = document[0][1]
        except (IndexError, KeyError, TypeError):
            raise Rejected("not a response of the traffic chart: there is no [0][1]") from None
        if not isinstance(rows, list):
            raise Rejected("not a response of the traffic chart: [0][1] is not a list")
        bins: dict[int, float] = {}
        rejects = []
        for number, row in enumerate(rows, 1):
            found = _row(row)
            if found is None:
                rejects.append((number, f"not a row of a time and a value: {str(row)[:60]}"))
            else:
                bins[found[0]] = found[1]
        return Parsed(_series(bins, country, product), tuple(rejects))


def unguarded(data: bytes) -> bytes:
    """The JSON without its guard."""
    return data.removeprefix(GUARD).lstrip() if data.startswith(GUARD) else data[LONGEST:]


def differs(data: bytes) -> list[str]:
    """See ``Source.differs``: its lists are positional, so the reader itself says what it cannot find."""
    try:
        parsed = Google().parse(data, "XX", f"product={next(iter(PRODUCTS))}")
    except Rejected as reason:
        return [str(reason)]
    return [why for _, why in parsed.rejects[:MOST_SAID]] or ([] if parsed.series else ["it has no rows"])


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
    return (SourceSeries(key, step, begins(key, step, levels.times), levels.values),)


GOOGLE = Source(
    name=SOURCE,
    title="Google Transparency Report",
    help="traffic of a country to Search and YouTube (the name of a file must contain product=19 or product=21)",
    page="https://transparencyreport.google.com/traffic",
    licence="page terms",
    is_open=False,
    credit="Google",
    live=Google(),
    address=ADDRESS,
    differs=differs,
    every=1800,
    window=WINDOW,
)
