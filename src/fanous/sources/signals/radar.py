"""Cloudflare Radar: traffic of a country or network, and connections that end early in a reset or time-out.

Every answer is scaled to its own maximum, so one request covers the whole window, at least 28 days.  Values of two
requests are never compared: the later ones replace the earlier.
Fields as the published interface description has them (developers.cloudflare.com/api, ``radar/netflows``
and ``radar/tcp_resets_timeouts``).
"""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.instant import DAY, to_iso
from fanous.model.place import Access, Place, written_asn
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import decoded, field, json_like, plain
from fanous.sources.signals.rows import reader, series_of_file

SOURCE = "radar"
WINDOW = 28 * DAY
ADDRESS = "https://api.cloudflare.com/client/v4/radar"
LICENCE = "CC BY-NC 4.0"
CREDIT = "Cloudflare Radar"
TOKEN = "CLOUDFLARE_API_TOKEN"
CALLS = {
    "netflows/timeseries": "radar_netflows",
    "tcp_resets_timeouts/timeseries_groups": "radar_tampering",
}
TAMPERED = ("post_syn", "post_ack", "post_psh", "later_in_flow")
"""Stages at which a connection ended early; all other connections are ``no_match``."""
STEP = 900


COLUMNS = {"timestamps": [str]}
SHAPE = {
    "success": bool,
    "errors": [object],
    "messages?": object,
    "result": {
        "meta": object,
        "main": (
            COLUMNS | {"values": [str]},
            COLUMNS | {f"{name}": [str] for name in (*TAMPERED, "no_match")},
        ),
    },
}
"""Values are texts (developers.cloudflare.com/api, ``radar/netflows``, ``radar/tcp_resets_timeouts``)."""


class Radar:
    """See ``LiveSource``; it has no series of regions."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        since = min(ask.since, ask.until - WINDOW) // STEP * STEP
        window = (
            f"dateStart={to_iso(since)}&dateEnd={to_iso(ask.until)}&aggInterval=15m&format=json&name=main"
        )
        places = [f"location={ask.country}", *(f"asn={asn}" for asn in ask.networks)]
        for place in places:
            for call in CALLS:
                yield Piece(f"{call}?{place}", f"{ADDRESS}/{call}?{place}&{window}", since, ask.until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        result = result_of(decoded(data))
        told = field(result, "main") or field(result, "serie_0")
        times = field(told, "timestamps")
        if not isinstance(times, list):
            raise Rejected("not a Radar time series: it has no timestamps")
        _, _, asn = name.partition("asn=")
        return _parsed(told, times, Place(country, written_asn(asn)))


def result_of(document: Any) -> Any:
    """The content of the envelope.

    Raises:
        Rejected: Radar says that it failed.
    """
    if field(document, "success") is not True:
        errors = str(field(document, "errors") or "`success` is not true")[:200]
        raise Rejected(f"Radar says: {errors}")
    return field(document, "result")


def _parsed(told: dict[str, Any], times: list[Any], place: Place) -> Parsed:
    signal = "radar_netflows" if "values" in told else "radar_tampering"
    columns: list[Any] = [told.get(name) for name in (("values",) if "values" in told else TAMPERED)]
    if not all(isinstance(column, list) and len(column) == len(times) for column in columns):
        raise Rejected("as many values as timestamps are needed")
    instant = reader(UTC)
    rejects: list[tuple[int, str]] = []
    bins: dict[int, float] = {}
    for number, row in enumerate(zip(times, *columns, strict=True), 1):
        text, values = row[0], list(row[1:])
        numbers: list[float | None] = list(map(plain, values))
        at = instant(str(text))
        if at is None:
            rejects.append((number, f"{str(text)[:40]!r} is not a time"))
            continue
        if None in numbers:
            rejects.append((number, f"no number: {str(values)[:60]}"))
            continue
        bins[int(at)] = sum(value for value in numbers if value is not None)
    key = SeriesKey(place, "", signal, Access.ANY, 0, SOURCE)
    series: tuple[SourceSeries, ...] = ()
    if bins:
        series = (series_of_file(key, SIGNALS[signal].step, list(bins), list(bins.values())),)
    return Parsed(series, tuple(rejects))


RADAR = Source(
    name=SOURCE,
    title="Cloudflare Radar",
    help="traffic of a country or network, and connections cut early",
    page="https://radar.cloudflare.com",
    licence=LICENCE,
    is_open=False,
    credit=CREDIT,
    live=Radar(),
    address=ADDRESS,
    differs=json_like(SHAPE),
    every=900,
    window=WINDOW,
    token=TOKEN,
)
