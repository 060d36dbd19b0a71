"""Cloudflare Radar: traffic of a country or network, and connections that end early in a reset or time-out.

Every answer is scaled to its own maximum, so one request covers the whole window, at least 28 days.  Values of two
requests are never compared: the later ones replace the earlier.
Fields as the published interface description has them (developers.cloudflare.com/api, ``radar/netflows``
and ``radar/tcp_resets_timeouts``).
"""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from msgspec import Struct

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.instant import DAY, to_iso
from fanous.model.place import Place, written_asn
from fanous.model.series import SeriesKey
from fanous.sources.answer import decoded, field, read_each
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, plain
from fanous.sources.signals.rows import reader, series_of

WINDOW = 28 * DAY
ADDRESS = "https://api.cloudflare.com/client/v4/radar"
LICENCE = "CC BY-NC 4.0"
CREDIT = "Cloudflare Radar"
TOKEN = "CLOUDFLARE_API_TOKEN"
CALLS = ("netflows/timeseries", "tcp_resets_timeouts/timeseries_groups")
TAMPERED = ("post_syn", "post_ack", "post_psh", "later_in_flow")
"""Stages at which a connection ended early; all other connections are ``no_match``."""
STEP = 900


class Radar(LiveSource):
    """It has no series of regions."""

    name = "radar"
    title = "Cloudflare Radar"
    help = "traffic of a country or network, and connections cut early"
    page = "https://radar.cloudflare.com"
    licence = LICENCE
    credit = CREDIT
    address = ADDRESS
    every = 900
    token = TOKEN

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
        result = result_of(data)
        columns = field(result, "main") or field(result, "serie_0")
        times = field(columns, "timestamps")
        if not isinstance(times, list):
            raise Rejected("not a Radar time series: it has no timestamps")
        signal, names = ("netflows", ("values",)) if "values" in columns else ("tampering", TAMPERED)
        parts: list[Any] = [columns.get(part) for part in names]
        if not all(isinstance(part, list) and len(part) == len(times) for part in parts):
            raise Rejected("as many values as timestamps are needed")
        instant = reader(UTC)

        def point(row: tuple[Any, ...]) -> tuple[int, float]:
            at, numbers = instant(str(row[0])), [plain(value) for value in row[1:]]
            if at is None:
                raise Rejected(f"{str(row[0])[:40]!r} is not a time")
            known = [value for value in numbers if value is not None]
            if len(known) < len(numbers):
                raise Rejected(f"no number: {str(list(row[1:]))[:60]}")
            return int(at), sum(known)

        points, rejects = read_each(zip(times, *parts, strict=True), point)
        place = Place(country, written_asn(name.partition("asn=")[2]))
        key = SeriesKey(place, "", f"radar_{signal}", source=self.name)
        levels = series_of(key, SIGNALS[key.signal].step, dict(points))
        return Parsed((levels,) if points else (), rejects)


class RadarEnvelope(Struct):
    success: Any = None
    errors: Any = None
    result: Any = None


def result_of(data: bytes) -> Any:
    """The content of an answer.

    Raises:
        Rejected: Radar says that it failed.
    """
    envelope = decoded(data, RadarEnvelope, "Radar's answer")
    if envelope.success is not True:
        raise Rejected(f"Radar says: {str(envelope.errors or '`success` is not true')[:200]}")
    return envelope.result
