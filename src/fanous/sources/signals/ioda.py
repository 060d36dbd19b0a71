"""IODA: connectivity of a country, its regions and its networks, from IODA's public interface (version 2).

Written from the interface's public description: parameters and fields of ``/signals/raw`` and ``/entities/query`` in
``SignalsController.php``, ``EntitiesController.php`` and ``TimeSeriesNormalizer.php`` of
github.com/InetIntel/ioda-api at a5fac0e7 (March 2026); no line of it is copied.
"""

from collections.abc import Iterator
from typing import Any

from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY
from fanous.model.place import Access, Place, written_asn
from fanous.model.series import SeriesKey, SourceSeries
from fanous.refdata.countries import region_of
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import decoded, field, json_like, merged, on_grid, plain, whole, windows

SOURCE = "ioda"
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


ENVELOPE = {
    "type": str,
    "metadata": object,
    "requestParameters": object,
    "error": (str, None),
    "perf": object,
    "copyright?": str,
}
"""Fields of every answer (``Envelope.php``), besides ``data``."""

SHAPE = ENVELOPE | {
    "data": [
        [
            {
                "entityType": str,
                "entityCode": str,
                "entityName": str,
                "entityFqid": str,
                "datasource": str,
                "subtype": (str, None),
                "from": float,
                "until": float,
                "step": float,
                "nativeStep": float,
                "values": [object],
            }
        ]
    ]
}
"""As ``TimeSeriesNormalizer.php`` and ``TimeSeriesSetNormalizer.php`` write it; IODA also uses it for a place about
which nothing is known, with an empty list."""


class Ioda:
    """See ``LiveSource``."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        places = [f"country/{ask.country}"]
        if ask.regions:
            regions = f"{ADDRESS}/entities/query?entityType=region&relatedTo=country/{ask.country}"
            try:
                places += _batched("region", _codes(get(regions)))
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
        document = decoded(data)
        error = field(document, "error")
        if error:
            raise Rejected(f"IODA says: {str(error)[:200]}")
        groups = field(document, "data")
        if field(document, "type") == LOOKUP and isinstance(groups, list):
            _codes(data)
            return Parsed(())
        if not isinstance(groups, list):
            raise Rejected("not a response with IODA's signals: `data` is not a list")
        series, rejects = [], []
        for number, one in enumerate(_flat(groups), 1):
            try:
                levels = _series(one, country)
            except Rejected as reason:
                rejects.append((number, str(reason)))
                continue
            if levels is not None:
                series.append(levels)
        return Parsed(merged(series), tuple(rejects))


def _flat(groups: list[Any]) -> Iterator[Any]:
    """``data`` is a list (places) of lists (signals)."""
    for group in groups:
        if isinstance(group, list):
            yield from group
        else:
            yield group


def _series(one: Any, country: str) -> SourceSeries | None:
    """One series; ``None`` = an unknown datasource, which is not an error."""
    signal = field(one, "datasource")
    if not isinstance(one, dict) or not isinstance(signal, str):
        raise Rejected("a series without a datasource")
    if signal not in KNOWN and signal not in NESTED:
        return None
    start, step = whole(one.get("from"), 0, 7_000_000_000), whole(one.get("step"), 1, 7 * DAY)
    values = one.get("values")
    if start is None or step is None or not isinstance(values, list):
        raise Rejected(f"{signal}: `from`, `step` or `values` is missing or odd")
    subtype = one.get("subtype") or ""
    if not isinstance(subtype, str):
        raise Rejected(f"{signal}: the subtype is not a string")
    if one.get("entityType") == PART:
        subtype = f"{subtype} {PART}".strip()
    key = SeriesKey(_place(one, country), "", signal, Access.ANY, 0, SOURCE, subtype[:80])
    if signal in NESTED:
        name, unit = NESTED[signal]
        return on_grid(key, start, step, values, lambda value: _nested(value, name, unit))
    return on_grid(key, start, step, values)


def _nested(value: Any, name: str, unit: float) -> float | None:
    """``[{"agg_values": {name: 1.5}}]``; a number as it is."""
    if isinstance(value, list):
        value = field(value[0], "agg_values", name) if value else None
    number = plain(value)
    return None if number is None else number * unit


def _place(one: dict[str, Any], country: str) -> Place:
    kind, code = one.get("entityType"), str(one.get("entityCode") or "")
    if kind == "country":
        if code != country:
            raise Rejected(f"a series of {code[:20]}, not of {country}")
        return Place(country)
    if kind == "region":
        return Place(country, region=region_of(country, str(one.get("entityName") or code)[:80]))
    if kind in ("asn", PART):
        number = code.partition("-")[0]
        asn = written_asn(number) if number[:1].isdigit() else 0
        if asn:
            return Place(country, asn)
    raise Rejected(f"a series of an unknown place: {str(kind)[:20]} {code[:20]}")


def _codes(data: bytes) -> list[str]:
    """Codes of the entities in an answer.

    Raises:
        Rejected: it is not such an answer.
    """
    entities = field(decoded(data), "data")
    if not isinstance(entities, list):
        raise Rejected("not a response with IODA's entities: `data` is not a list")
    codes = [str(field(place, "code") or "") for place in entities]
    usable = [code for code in codes if code.isascii() and code.isalnum()]
    if entities and not usable:
        raise Rejected("not a response with IODA's entities: none of them has a `code`")
    return usable


def _batched(kind: str, codes: list[str]) -> list[str]:
    starts = range(0, len(codes), CODES_A_REQUEST)
    return [f"{kind}/{','.join(codes[start : start + CODES_A_REQUEST])}" for start in starts]


IODA = Source(
    name=SOURCE,
    title="IODA",
    help="routing, probing, telescope and usage signals of a country, its regions and networks",
    page=PAGE,
    licence=LICENCE,
    is_open=False,
    credit=CREDIT,
    live=Ioda(),
    address=ADDRESS,
    differs=json_like(SHAPE),
    every=600,
    window=WINDOW,
)
