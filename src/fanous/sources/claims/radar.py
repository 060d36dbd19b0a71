"""Radar's outages and traffic anomalies: what Cloudflare's staff and its detector say.

Fields as the published description has them (developers.cloudflare.com/api, ``radar/annotations/outages`` and
``radar/traffic_anomalies``).  In their words, an anomaly *might point to an outage*; its claim says no more.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.incident import Scope
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.place import written_asn
from fanous.sources.answer import converted, field
from fanous.sources.claims import QUOTED, Claims, claims_of, lasted
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.live import LiveSource, windows
from fanous.sources.signals.radar import ADDRESS, CREDIT, LICENCE, TOKEN, result_of
from fanous.sources.signals.rows import reader

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


class Outage(Struct, rename="camel"):
    outage_type: Any = None
    outage_cause: Any = None


class OutageDates(Struct, rename="camel", kw_only=True):
    """When it was; without an end, only its beginning is known."""

    start_date: str
    end_date: str | None = None


class Annotation(OutageDates, rename="camel", kw_only=True):
    """A curated outage (developers.cloudflare.com/api, ``radar/annotations/outages``)."""

    locations: list[str]
    outage: Outage | None = None
    asns: list[int] | None = None
    description: Any = None
    scope: Any = None
    linked_url: Any = None


class TrafficAnomaly(OutageDates, rename="camel", kw_only=True):
    """``radar/traffic_anomalies``."""

    status: Any = None
    asn_details: Any = None
    location_details: Any = None
    visible_in_data_sources: Any = None


class RadarOutages(LiveSource):
    name = "radar-outages"
    title = "Cloudflare Radar, its outages and anomalies"
    help = "outages and traffic anomalies that Cloudflare reports, stored as claims"
    page = PAGE
    licence = LICENCE
    credit = CREDIT
    address = ADDRESS
    may_be_empty = True
    every = 1800
    settles = 30 * DAY
    token = TOKEN

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            window = f"dateStart={to_iso(since)}&dateEnd={to_iso(until)}&limit={MOST}&format=json"
            for place in (f"location={ask.country}", *(f"asn={asn}" for asn in ask.networks)):
                for call in CALLS:
                    yield Piece(f"{call}?{place}", f"{ADDRESS}/{call}?{place}&{window}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        result = result_of(data)
        for key, read in (("annotations", outages), ("trafficAnomalies", anomalies)):
            entries = field(result, key)
            if isinstance(entries, list):
                claims, rejects = read(entries, country)
                return Parsed((), rejects, claims)
        raise Rejected("not a response with Radar's outages or anomalies: there are no such lists")


def outages(entries: Sequence[Any], country: str) -> Claims:
    """Curated outages (``annotations``)."""

    def claim(entry: Any) -> Claim | None:
        annotation = converted(entry, Annotation, "an outage")
        outage = annotation.outage or Outage()
        kind, cause = outage.outage_type, outage.outage_cause
        if country not in annotation.locations:
            raise Rejected(f"no outage of {country}: its locations are {str(annotation.locations)[:40]}")
        if kind == PLATFORM:
            return None
        words = [annotation.description, f"cause: {cause}" if cause else "", annotation.scope]
        link = str(annotation.linked_url)
        return Claim(
            who=WHO,
            said=Said.OUTAGE,
            country=country,
            networks=_networks(annotation.asns or []),
            scope=SCOPES.get(str(kind)),
            link=link[:QUOTED] if link.startswith(("https://", "http://")) else PAGE,
            quote="; ".join(str(word) for word in words if word)[:QUOTED],
            **_span(annotation),
        )

    return claims_of(entries, claim)


def anomalies(entries: Sequence[Any], country: str) -> Claims:
    """Traffic anomalies (``trafficAnomalies``)."""

    def claim(entry: Any) -> Claim | None:
        anomaly = converted(entry, TrafficAnomaly, "an anomaly")
        network, here = anomaly.asn_details, field(anomaly.location_details, "code")
        asn = field(network, "asn")
        place = here or field(network, "location", "code") or field(network, "locations", "code")
        if place not in (country, None):
            raise Rejected(f"an anomaly of another country than {country}")
        if asn is None and here is None:
            return None  # about the origin servers of a cloud, not about a network
        sources = anomaly.visible_in_data_sources
        seen = f", seen in {', '.join(map(str, sources))}" if sources and isinstance(sources, list) else ""
        return Claim(
            who=WHO,
            said=Said.DISRUPTED,
            country=country,
            networks=_networks([] if asn is None else [asn]),
            link=PAGE,
            quote=f"a traffic anomaly, {str(anomaly.status or 'unverified').lower()}{seen}"[:QUOTED],
            **_span(anomaly),
        )

    return claims_of(entries, claim)


def _span(spell: OutageDates) -> dict[str, Any]:
    """Beginning, end and hours of a claim."""
    instant = reader(UTC)
    start, end = instant(spell.start_date), instant(spell.end_date) if spell.end_date else None
    if start is None or (spell.end_date and end is None):
        raise Rejected("`startDate` or `endDate` is not a time")
    if end is not None and end <= start:
        raise Rejected("it ends before it begins")
    return {"since": start, "until": start + HOUR if end is None else end, "hours": lasted(start, end)}


def _networks(asns: Sequence[Any]) -> tuple[int, ...]:
    numbers = {written_asn(str(asn)) for asn in asns}
    if 0 in numbers:
        raise Rejected(f"not network numbers: {str(asns)[:40]}")
    return tuple(sorted(numbers))
