"""RIPEstat: how many prefixes and networks of a country are visible in routing, in 5-minute bins since 2004.

The data call is ``country-resource-stats`` (stat.ripe.net/docs/02.data-api/country-resource-stats.html).
"""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import numpy as np

from fanous.errors import Rejected
from fanous.model.instant import DAY
from fanous.model.place import Access, Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import LATEST, MOST_BINS, decoded, field, json_like, merged, plain, windows
from fanous.sources.signals.rows import reader

SOURCE = "ripestat"
WINDOW = 28 * DAY
"""Others have seen coarser bins in answers about longer windows (28 days: 1 h, 29 days: 1 day, for a sibling call and
without ``resolution``)."""
ASKED = "5m"
ADDRESS = "https://stat.ripe.net/data/country-resource-stats/data.json"

FIELDS = {"asns_ris": "asns", "v4_prefixes_ris": "prefixes_v4", "v6_prefixes_ris": "prefixes_v6"}
"""Their field -> our signal."""
MISSING = -1
"""How the ``*_stats`` fields say that nothing is known; no count can be -1, so it means missing in any field."""
STEPS = {"5m": 300, "1h": 3600, "1d": 86400, "1w": 604800}


SHAPE = {
    "status": str,
    "messages": [object],
    "data": {
        "resource": str,
        "resolution": str,
        "stats": [
            {
                "timeline": [{"starttime": str, "endtime": str}],
                "asns_ris": (float, None),
                "v4_prefixes_ris": (float, None),
                "v6_prefixes_ris": (float, None),
                "asns_stats": (float, None),
                "v4_prefixes_stats": (float, None),
                "v6_prefixes_stats": (float, None),
                "stats_date": (str, None),
            }
        ],
        "query_starttime": str,
        "query_endtime": str,
        "earliest_time": str,
        "latest_time": str,
        "hd_latest_time": str,
    },
    "see_also": object,
    "version": object,
    "data_call_name": str,
    "data_call_status": str,
    "cached": bool,
    "query_id": str,
    "process_time": object,
    "server_id": str,
    "build_version": str,
    "status_code": float,
    "time": str,
}
"""``data`` as the crate ripestat-common 0.0.5 reads it (src/resources/country_resource_stats.rs), the rest as every
data call of RIPEstat has it (stat.ripe.net/docs/data_api)."""


class RipeStat:
    """See ``LiveSource``; it has no series of networks or regions."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            query = f"resource={ask.country.lower()}&starttime={since}&endtime={until}&resolution={ASKED}"
            yield Piece(f"country/{ask.country}", f"{ADDRESS}?{query}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        document = decoded(data)
        told = field(document, "data")
        if field(document, "status") not in ("ok", None) or not isinstance(field(told, "stats"), list):
            messages = str(field(document, "messages") or "`data.stats` is not a list")[:200]
            raise Rejected(f"not a response of country-resource-stats: {messages}")
        step = STEPS.get(str(told.get("resolution") or "5m"))
        if step is None:
            raise Rejected(f"an unknown resolution: {str(told['resolution'])[:20]}")
        if str(told.get("resource") or country).upper() != country:
            raise Rejected(f"an answer about {str(told['resource'])[:20]}, not {country}")
        series: list[SourceSeries] = []
        rejects = []
        if step != STEPS[ASKED] and name.startswith(
            "country/"
        ):  # this matters for our requests; a saved answer is accepted as it is
            rejects.append(
                (0, f"bins of {told['resolution']}, though {ASKED} were asked for: coarser than we need")
            )
        for number, stat in enumerate(told["stats"], 1):
            try:
                series += _levels(stat, country, step)
            except Rejected as reason:
                rejects.append((number, str(reason)))
        return Parsed(merged(series), tuple(rejects))


def _levels(stat: Any, country: str, step: int) -> Iterator[SourceSeries]:
    times = _bins(field(stat, "timeline"), step)
    for name, signal in FIELDS.items():
        if field(stat, name) is None:
            continue
        value = plain(None if stat[name] == MISSING else stat[name])
        if value is None:
            raise Rejected(f"{name} is not a number: {str(stat[name])[:40]!r}")
        key = SeriesKey(Place(country), "", signal, Access.ANY, 0, SOURCE)
        yield SourceSeries(key, step, times, np.full(len(times), value))


def _bins(timeline: Any, step: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """All bins from each start to its end, inclusive: both name bins."""
    if not isinstance(timeline, list) or not timeline:
        raise Rejected("no timeline")
    instant = reader(UTC)
    pieces = []
    for stretch in timeline:
        first, last = (instant(str(field(stretch, name))) for name in ("starttime", "endtime"))
        if first is None or last is None:
            raise Rejected(f"a stretch without times: {str(stretch)[:80]}")
        start, end = int(first), int(last)
        if not 0 <= start <= end < LATEST or (end - start) // step > MOST_BINS:
            raise Rejected(f"an impossible stretch of time: {str(stretch)[:80]}")
        pieces.append(np.arange(start // step * step, end + 1, step, dtype=np.int64))
    return np.unique(np.concatenate(pieces))


RIPESTAT = Source(
    name=SOURCE,
    title="RIPEstat",
    help="prefixes and networks of a country visible in routing",
    page="https://stat.ripe.net",
    licence="RIPE NCC terms of service",
    is_open=False,
    credit="RIPE NCC",
    live=RipeStat(),
    address=ADDRESS,
    differs=json_like(SHAPE),
    every=1800,
    window=WINDOW,
    settles=DAY,
)
