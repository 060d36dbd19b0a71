"""RIPEstat: how many prefixes and networks of a country are visible in routing, in 5-minute bins since 2004.

The data call is ``country-resource-stats`` (stat.ripe.net/docs/02.data-api/country-resource-stats.html).
"""

from collections.abc import Iterator
from datetime import UTC
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import asdict

from fanous.errors import Rejected
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.answer import LATEST, converted, decoded, read_each
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import MOST_BINS, LiveSource, merged, windows
from fanous.sources.signals.rows import LARGEST, reader

WINDOW = 28 * DAY
"""Others have seen coarser bins in answers about longer windows (28 days: 1 h, 29 days: 1 day, for a sibling call and
without ``resolution``)."""
ASKED = "5m"
ADDRESS = "https://stat.ripe.net/data/country-resource-stats/data.json"
MISSING = -1
"""How the ``*_stats`` fields say that nothing is known; no count can be -1, so it means missing in any field."""
STEPS = {"5m": 300, "1h": 3600, "1d": 86400, "1w": 604800}


Count = Annotated[float, Meta(ge=MISSING, le=LARGEST)]


class Stretch(Struct):
    """The first bin and the last."""

    starttime: str
    endtime: str


class Stat(
    Struct, rename={"asns": "asns_ris", "prefixes_v4": "v4_prefixes_ris", "prefixes_v6": "v6_prefixes_ris"}
):
    """Counts under the names of our signals, as the crate ripestat-common 0.0.5 reads them
    (src/resources/country_resource_stats.rs)."""

    timeline: list[Stretch]
    asns: Count | None
    prefixes_v4: Count | None
    prefixes_v6: Count | None


class Resources(Struct):
    stats: list[Any]
    resource: str | None = None
    resolution: str | None = None


class StatsAnswer(Struct):
    """As every data call of RIPEstat has it (stat.ripe.net/docs/data_api)."""

    data: Resources | None = None
    status: str | None = None
    messages: Any = None


class RipeStat(LiveSource):
    """It has no series of networks or regions."""

    name = "ripestat"
    title = "RIPEstat"
    help = "prefixes and networks of a country visible in routing"
    page = "https://stat.ripe.net"
    licence = "RIPE NCC terms of service"
    credit = "RIPE NCC"
    address = ADDRESS
    every = 1800
    settles = DAY

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            query = f"resource={ask.country.lower()}&starttime={since}&endtime={until}&resolution={ASKED}"
            yield Piece(f"country/{ask.country}", f"{ADDRESS}?{query}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        answer = decoded(data, StatsAnswer, "RIPEstat's answer")
        resources = answer.data
        if answer.status not in ("ok", None) or resources is None:
            messages = str(answer.messages or "`data` is missing")[:200]
            raise Rejected(f"not a response of country-resource-stats: {messages}")
        resolution, about = resources.resolution or ASKED, resources.resource or country
        step = STEPS.get(resolution)
        if step is None:
            raise Rejected(f"an unknown resolution: {resolution[:20]}")
        if about.upper() != country:
            raise Rejected(f"an answer about {about[:20]}, not {country}")
        read, rejects = read_each(resources.stats, lambda stat: _levels(stat, country, step))
        # This matters for our requests; a saved answer is accepted as it is.
        if step != STEPS[ASKED] and name.startswith("country/"):
            why = f"bins of {resolution}, though {ASKED} were asked for: coarser than we need"
            rejects = ((0, why), *rejects)
        return Parsed(merged([levels for of_stat in read for levels in of_stat]), rejects)


def _levels(entry: Any, country: str, step: int) -> list[SourceSeries]:
    stat = converted(entry, Stat, "counts")
    times = _bins(stat.timeline, step)
    return [
        SourceSeries(
            SeriesKey(Place(country), "", signal, source=RipeStat.name),
            step,
            times,
            np.full(len(times), np.nan if count == MISSING else count),
        )
        for signal, count in asdict(stat).items()
        if signal != "timeline" and count is not None
    ]


def _bins(timeline: list[Stretch], step: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """All bins from each start to its end, inclusive: both name bins."""
    if not timeline:
        raise Rejected("no timeline")
    instant = reader(UTC)
    pieces = []
    for stretch in timeline:
        first, last = instant(stretch.starttime), instant(stretch.endtime)
        if first is None or last is None:
            raise Rejected(f"a stretch without times: {str(stretch)[:80]}")
        start, end = int(first), int(last)
        if not 0 <= start <= end < LATEST or (end - start) // step > MOST_BINS:
            raise Rejected(f"an impossible stretch of time: {str(stretch)[:80]}")
        pieces.append(np.arange(start // step * step, end + 1, step, dtype=np.int64))
    return np.unique(np.concatenate(pieces))
