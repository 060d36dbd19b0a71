"""Radar's outages and traffic anomalies: what Cloudflare's staff and its detector say.

Fields as the published description has them (developers.cloudflare.com/api, ``radar/annotations/outages`` and
``radar/traffic_anomalies``).  In their words, an anomaly *might point to an outage*; its claim says no more.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.incident import Scope
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.place import written_asn
from fanous.sources.claims import QUOTED, Told, lasted, told
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import decoded, field, json_like, windows
from fanous.sources.signals.radar import ADDRESS, CREDIT, LICENCE, TOKEN, result_of
from fanous.sources.signals.rows import reader

SOURCE = "radar-outages"
WINDOW = 366 * DAY
CALLS = ("annotations/outages", "traffic_anomalies")
MOST = 1000
"""Entries requested at once; a country has a few dozen a year."""
WHO = "Cloudflare Radar"
PAGE = "https://radar.cloudflare.com/outage-center"
SCOPES = {"NATIONWIDE": Scope.NATION, "REGIONAL": Scope.REGION}
"""``outageType`` -> how far it reached; for NETWORK, ``asns`` names the networks."""
PLATFORM = "PLATFORM"
"""An outage of a service, not of a network."""


SHAPE = {
    "success": bool,
    "errors": [object],
    "messages?": object,
    "result": {
        "annotations?": [
            {
                "id": object,
                "asns": [float],
                "asnsDetails?": object,
                "locations": [str],
                "locationsDetails?": object,
                "dataSource": str,
                "eventType": str,
                "outage": {"outageCause": str, "outageType": str},
                "startDate": str,
                "endDate?": (str, None),
                "description?": (str, None),
                "scope?": (str, None),
                "linkedUrl?": (str, None),
                "origins?": object,
                "originsDetails?": object,
                "isInstantaneous?": bool,
            }
        ],
        "trafficAnomalies?": [
            {
                "uuid": str,
                "type": str,
                "status": str,
                "startDate": str,
                "endDate?": (str, None),
                "asnDetails?": object,
                "locationDetails?": object,
                "originDetails?": object,
                "visibleInDataSources?": object,
            }
        ],
    },
}
"""developers.cloudflare.com/api, ``radar/annotations/outages`` and ``radar/traffic_anomalies``."""


class RadarOutages:
    """See ``LiveSource``."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            window = f"dateStart={to_iso(since)}&dateEnd={to_iso(until)}&limit={MOST}&format=json"
            for place in (f"location={ask.country}", *(f"asn={asn}" for asn in ask.networks)):
                for call in CALLS:
                    yield Piece(f"{call}?{place}", f"{ADDRESS}/{call}?{place}&{window}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        result = result_of(decoded(data))
        for key, read in (("annotations", outages), ("trafficAnomalies", anomalies)):
            entries = field(result, key)
            if isinstance(entries, list):
                claims, rejects = read(entries, country)
                return Parsed((), rejects, claims)
        raise Rejected("not a response with Radar's outages or anomalies: there are no such lists")


def outages(entries: Sequence[Any], country: str) -> Told:
    """Curated outages (``annotations``)."""

    def claim(entry: Any) -> Claim | None:
        kind, cause = field(entry, "outage", "outageType"), field(entry, "outage", "outageCause")
        locations = field(entry, "locations")
        if not isinstance(locations, list) or country not in locations:
            raise Rejected(f"no outage of {country}: its locations are {str(locations)[:40]}")
        if kind == PLATFORM:
            return None
        words = [field(entry, "description"), f"cause: {cause}" if cause else "", field(entry, "scope")]
        span = _span(entry)
        networks = _networks(field(entry, "asns") or [])
        quote = "; ".join(str(word) for word in words if word)
        return _claim(country, Said.OUTAGE, networks, span, (field(entry, "linkedUrl"), quote, kind))

    return told(entries, claim)


def anomalies(entries: Sequence[Any], country: str) -> Told:
    """Traffic anomalies (``trafficAnomalies``)."""

    def claim(entry: Any) -> Claim | None:
        asn = field(entry, "asnDetails", "asn")
        place = field(entry, "asnDetails", "location", "code") or field(
            entry, "asnDetails", "locations", "code"
        )
        if (field(entry, "locationDetails", "code") or place) not in (country, None):
            raise Rejected(f"an anomaly of another country than {country}")
        if asn is None and field(entry, "locationDetails", "code") is None:
            return None  # about the origin servers of a cloud, not about a network
        status = str(field(entry, "status") or "unverified").lower()
        told_by = field(entry, "visibleInDataSources")
        seen = told_by if isinstance(told_by, list) else []
        quote = f"a traffic anomaly, {status}" + (f", seen in {', '.join(map(str, seen))}" if seen else "")
        networks = _networks([] if asn is None else [asn])
        return _claim(country, Said.DISRUPTED, networks, _span(entry), (None, quote, None))

    return told(entries, claim)


def _span(entry: Any) -> tuple[float, float, bool]:
    """Beginning, end, and whether it was over by then; without an end, only its beginning is known."""
    instant = reader(UTC)
    ended = field(entry, "endDate")
    start, end = instant(str(field(entry, "startDate"))), instant(str(ended)) if ended else None
    if start is None or (ended and end is None):
        raise Rejected("`startDate` or `endDate` is not a time")
    if end is not None and end <= start:
        raise Rejected("it ends before it begins")
    return start, start + HOUR if end is None else end, end is not None


def _networks(asns: Any) -> tuple[int, ...]:
    numbers = {written_asn(str(asn)) for asn in asns} if isinstance(asns, list) else {0}
    if 0 in numbers:
        raise Rejected(f"not network numbers: {str(asns)[:40]}")
    return tuple(sorted(numbers))


def _claim(
    country: str,
    said: Said,
    networks: tuple[int, ...],
    span: tuple[float, float, bool],
    words: tuple[Any, str, Any],
) -> Claim:
    since, until, over = span
    link, quote, kind = words
    return Claim(
        who=WHO,
        said=said,
        country=country,
        since=since,
        until=until,
        networks=networks,
        scope=SCOPES.get(str(kind)),
        hours=lasted(since, until if over else None),
        link=str(link)[:QUOTED] if str(link).startswith(("https://", "http://")) else PAGE,
        quote=quote[:QUOTED],
    )


RADAR_OUTAGES = Source(
    name=SOURCE,
    title="Cloudflare Radar, its outages and anomalies",
    help="outages and traffic anomalies that Cloudflare reports, stored as claims",
    page=PAGE,
    licence=LICENCE,
    is_open=False,
    credit=CREDIT,
    live=RadarOutages(),
    address=ADDRESS,
    may_be_empty=True,
    differs=json_like(SHAPE),
    every=1800,
    window=WINDOW,
    settles=30 * DAY,
    token=TOKEN,
)
