"""IODA: connectivity of a country, its regions and its networks, from IODA's public interface (version 2).

Written from the interface's public description: parameters and fields of ``/signals/raw`` and ``/entities/query`` in
``SignalsController.php``, ``EntitiesController.php`` and ``TimeSeriesNormalizer.php`` of
github.com/InetIntel/ioda-api at a5fac0e7 (March 2026); no line of it is copied.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec import field as named

from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY
from fanous.model.place import Place, written_asn
from fanous.model.series import SeriesKey, SourceSeries
from fanous.refdata.countries import region_of
from fanous.sources.answer import Moment, converted, decoded, field, read_each
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, merged, on_grid, plain, windows

WINDOW = 30 * DAY
ADDRESS = "https://api.ioda.inetintel.cc.gatech.edu/v2"
PAGE = "https://ioda.inetintel.cc.gatech.edu"
LICENCE = "(c) Georgia Tech Research Corporation"
CREDIT = "IODA, Georgia Tech"

KNOWN = frozenset({"bgp", "ping-slash24", "merit-nt", "gtr", "gtr-norm", "mozilla"})
"""Datasources whose values are numbers; our signals have the same names.  All others are skipped, including new ones:
``gtr-sarima`` is a forecast, ``ucsd-nt`` a telescope that was replaced, ``upstream-delay-penult-*`` is about networks
along the path.
"""
NESTED = {
    "ping-slash24-loss": ("loss_pct", 0.01),
    "ping-slash24-latency": ("median_latency", 1.0),
}
"""Datasources whose values are lists of objects: the field of ``agg_values``, and the factor that converts it to our
unit (fields as IODA's dashboard reads them: ``ApPacketLatencyAndLossRateComponent.js`` of InetIntel/ioda-ui)."""

PART = "geoasn"
"""A network's part in one country: a different series from that of the whole network, distinguished by subtype."""

LOOKUP, REGIONS = "entities.lookup", "regions"
"""The envelope's ``type`` of a list of places, and the name of the piece that asks for it."""

CODES_A_REQUEST = 20
"""Places in one request (the code may be a list with commas): 20 places over 30 days are about 5 MB."""


class Envelope(Struct, rename={"request": "requestParameters"}):
    """Every answer (``Envelope.php``)."""

    data: Any = None
    type: Any = None
    error: Any = None
    request: Any = None


def opened(data: bytes, what: str) -> Envelope:
    """An answer whose ``data`` is a list.

    Raises:
        Rejected: it is another, or says that something is wrong.
    """
    envelope = decoded(data, Envelope, "IODA's answer")
    if envelope.error:
        raise Rejected(f"IODA says: {str(envelope.error)[:200]}")
    if not isinstance(envelope.data, list):
        raise Rejected(f"not a response with IODA's {what}: `data` is not a list")
    return envelope


class PublishedSeries(Struct, rename="camel"):
    """As ``TimeSeriesNormalizer.php`` and ``TimeSeriesSetNormalizer.php`` write it; of a place about which nothing is
    known, there is none."""

    datasource: str
    entity_type: str
    entity_code: str
    start: Moment = named(name="from")
    step: Annotated[float, Meta(ge=1, le=7 * DAY)]
    values: list[Any]
    entity_name: Any = None
    subtype: str | None = None


class Ioda(LiveSource):
    """It may ask for networks and regions."""

    name = "ioda"
    title = "IODA"
    help = "routing, probing, telescope and usage signals of a country, its regions and networks"
    page = PAGE
    licence = LICENCE
    credit = CREDIT
    address = ADDRESS
    every = 600

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        places = [f"country/{ask.country}"]
        if ask.regions:
            regions = f"{ADDRESS}/entities/query?entityType=region&relatedTo=country/{ask.country}"
            try:
                places += _batched("region", _codes(opened(get(regions), "entities")))
            except (FanousError, Rejected):
                # The country's series do not depend on it.  It is requested again as a piece, whose failure is
                # reported.
                yield Piece(REGIONS, regions, ask.since, ask.until)
        if ask.networks:
            places += _batched("asn", [str(asn) for asn in ask.networks])
        for since, until in windows(ask.since, ask.until, WINDOW):
            for place in places:
                url = f"{ADDRESS}/signals/raw/{place}?from={since}&until={until}"
                yield Piece(place, url, since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        envelope = opened(data, "entities" if name == REGIONS else "signals")
        if envelope.type == LOOKUP:
            _codes(envelope)
            return Parsed(())
        # A list (places) of lists (signals).
        entries = (
            entry for group in envelope.data for entry in (group if isinstance(group, list) else [group])
        )
        series, rejects = read_each(entries, lambda entry: _levels(entry, country))
        return Parsed(merged(series), rejects)


def _levels(entry: Any, country: str) -> SourceSeries | None:
    """One series; ``None`` = an unknown datasource, which is not an error."""
    signal = field(entry, "datasource")
    if isinstance(signal, str) and signal not in KNOWN and signal not in NESTED:
        return None
    published = converted(entry, PublishedSeries, f"a series of {str(signal)[:40]}")
    kind, code = published.entity_type, published.entity_code
    number = code.partition("-")[0]
    asn = written_asn(number) if number[:1].isdigit() else 0
    if kind == "country" and code == country:
        place = Place(country)
    elif kind == "region":
        place = Place(country, region=region_of(country, str(published.entity_name or code)[:80]))
    elif kind in ("asn", PART) and asn:
        place = Place(country, asn)
    else:
        raise Rejected(f"a series of another place than {country} and its networks: {kind[:20]} {code[:20]}")
    subtype = f"{published.subtype or ''} {PART if kind == PART else ''}".strip()
    key = SeriesKey(place, "", signal, source=Ioda.name, subtype=subtype[:80])

    def nested(value: Any) -> float | None:
        """``[{"agg_values": {name: 1.5}}]``; a number as it is."""
        name, unit = NESTED[signal]
        if isinstance(value, list):
            value = field(value[0], "agg_values", name) if value else None
        reading = plain(value)
        return None if reading is None else reading * unit

    read = nested if signal in NESTED else plain
    return on_grid(key, int(published.start), int(published.step), published.values, read)


def _codes(envelope: Envelope) -> list[str]:
    """Codes of the entities in an answer.

    Raises:
        Rejected: none of them has one.
    """
    codes = [str(field(place, "code") or "") for place in envelope.data]
    usable = [code for code in codes if code.isascii() and code.isalnum()]
    if codes and not usable:
        raise Rejected("not a response with IODA's entities: none of them has a `code`")
    return usable


def _batched(kind: str, codes: list[str]) -> list[str]:
    starts = range(0, len(codes), CODES_A_REQUEST)
    return [f"{kind}/{','.join(codes[start : start + CODES_A_REQUEST])}" for start in starts]
