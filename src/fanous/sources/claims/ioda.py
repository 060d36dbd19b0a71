"""IODA's events and alerts: the outages that its own detector reports.

Fields as the interface's public description has them: ``/outages/events`` and ``/outages/alerts`` in
``OutagesController.php``, ``OutagesEventsService.php``, ``OutagesEventNormalizer.php`` and
``OutagesAlertNormalizer.php`` of github.com/InetIntel/ioda-api at a5fac0e7; no line of it is copied.  Regions are
skipped: a claim names networks or a country.  Alerts and events by the method ``sarima`` are left out, as IODA's own
pages leave them out (``ActionOutages.js`` of InetIntel/ioda-ui at 1032915e).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.instant import DAY
from fanous.model.place import written_asn
from fanous.sources.answer import LATEST, Moment, converted, decoded, field, read_each
from fanous.sources.claims import Claims, claims_of, lasted
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.signals.ioda import ADDRESS, CREDIT, LICENCE, PAGE, Envelope, opened
from fanous.sources.signals.live import LiveSource, plain, windows

WINDOW = 90 * DAY
CALLS = {"outages/events": "&format=codf", "outages/alerts": ""}
BEFORE = 7 * DAY
"""Seconds requested before the window; an outage that began earlier would seem to begin with the answer."""
LIMIT = 500
"""Entries per page: IODA's default, beyond which it says nothing about the rest."""
MOST_PAGES = 40
"""20,000 entries for one place in 97 days: more than there have ever been."""
IGNORED = "*.sarima"
WHO = "IODA"
EVENTS, ALERTS = "outages.events", "outages.alerts"
"""The envelope's ``type``."""
CRITICAL, NORMAL = "critical", "normal"
"""Levels of an alert; a *warning* about routing means one prefix in a hundred, comes several times a week, and is not a
claim."""


class IodaEvent(Struct):
    """``OutagesEventNormalizer.php``, in the format ``codf``."""

    location: str
    start: Moment
    duration: Moment
    overlaps_window: Any = None
    score: Any = None


class Entity(Struct):
    type: str
    code: str


class Alert(Struct, rename={"expected": "historyValue"}):
    """``OutagesAlertNormalizer.php``: a change of the level of a data source at one place."""

    datasource: str
    entity: Entity
    time: Moment
    level: str
    value: Any = None
    expected: Any = None


class IodaOutages(LiveSource):
    """One request per place, so that a failure affects no other place."""

    name = "ioda-outages"
    title = "IODA, its events and alerts"
    help = "outages that IODA's detector reports, stored as claims"
    page = PAGE
    licence = LICENCE
    credit = CREDIT
    address = ADDRESS
    may_be_empty = True
    every = 1800

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        places = [("country", ask.country), *(("asn", str(asn)) for asn in ask.networks)]
        for since, until in windows(ask.since, ask.until, WINDOW):
            for kind, code in places:
                for call, more in CALLS.items():
                    query = f"entityType={kind}&entityCode={code}&from={since - BEFORE}&until={until}{more}"
                    query += f"&ignoreMethods={IGNORED}&limit={LIMIT}&page=0"
                    yield Piece(f"{call}/{kind}/{code}", f"{ADDRESS}/{call}?{query}", since, until)

    def next_page(self, url: str, data: bytes) -> str | None:
        entries = decoded(data, Envelope, "IODA's answer").data
        if not isinstance(entries, list) or len(entries) < LIMIT:
            return None
        start, _, number = url.rpartition("&page=")
        if int(number) + 1 == MOST_PAGES:
            raise Rejected(f"more than {MOST_PAGES * LIMIT:,} events or alerts of one place")
        return f"{start}&page={int(number) + 1}"

    def joined(self, pages: Sequence[bytes]) -> bytes:
        if len(pages) == 1:
            return pages[0]
        first, *others = (opened(page, f"page {number}") for number, page in enumerate(pages))
        for envelope in others:
            first.data += envelope.data
        return msgspec.json.encode(first)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        envelope = opened(data, "events or alerts")
        if envelope.type not in (EVENTS, ALERTS):
            raise Rejected(
                f"not a response with IODA's events or alerts: `type` is {str(envelope.type)[:40]!r}"
            )
        until = plain(field(envelope.request, "until"))  # IODA repeats it as a text or as a number
        asked = int(until) if until is not None and 0 <= until <= LATEST else None
        read = events if envelope.type == EVENTS else alerts
        claims, rejects = read(envelope.data, country, asked)
        return Parsed((), rejects, claims)


def events(entries: Sequence[Any], country: str, asked_until: int | None) -> Claims:
    """Events in the format ``codf``.

    Args:
        asked_until: end of the requested window.  An event that was not over is given that end and
            ``overlaps_window``, which is also true of one that began before the window (``buildEvents``).
    """

    def claim(entry: Any) -> Claim | None:
        event = converted(entry, IodaEvent, "an event")
        networks = _networks(event.location, country)
        if networks is None:
            return None
        start, end = int(event.start), int(event.start) + max(int(event.duration), 1)
        overlaps = event.overlaps_window
        over = not overlaps if asked_until is None else (end < asked_until or overlaps is False)
        score = plain(event.score)
        quote = "an event of IODA's" if score is None or score != score else f"an event of score {score:.0f}"
        return _claim(WHO, country, networks, (start, end, over), quote)

    return claims_of(entries, claim)


def alerts(entries: Sequence[Any], country: str, asked_until: int | None) -> Claims:
    """An outage lasts from a critical alert to the next normal one of the same data source and place."""

    def located(entry: Any) -> tuple[tuple[int, ...], Alert] | None:
        alert = converted(entry, Alert, "an alert")
        networks = _networks(f"{alert.entity.type}/{alert.entity.code}", country)
        return None if networks is None else (networks, alert)

    read, rejects = read_each(entries, located)
    known = sorted(read, key=lambda pair: int(pair[1].time))
    normal: dict[tuple[str, tuple[int, ...]], int] = {}
    ends: list[int | None] = []  # when each alert's subject was normal again
    for networks, alert in reversed(known):
        ends.append(normal.get((alert.datasource, networks)))
        if alert.level == NORMAL:
            normal[alert.datasource, networks] = int(alert.time)
    claims = []
    levels: dict[tuple[str, tuple[int, ...]], str] = {}
    for (networks, alert), end in zip(known, reversed(ends), strict=True):
        before = levels.get((alert.datasource, networks))
        levels[alert.datasource, networks] = alert.level
        if alert.level != CRITICAL or before == CRITICAL:
            continue
        at, datasource = int(alert.time), alert.datasource[:40]
        until = max(at + 1, asked_until or at + 1) if end is None else end
        quote = f"{alert.datasource}: {str(alert.value)[:20]} where {str(alert.expected)[:20]} was expected"
        span = at, until, end is not None
        claims.append(_claim(f"{WHO}, an alert of {datasource}", country, networks, span, quote))
    return tuple(claims), rejects


def _networks(location: str, country: str) -> tuple[int, ...] | None:
    """The networks; empty = the country itself, ``None`` = a place that a claim cannot name.

    Raises:
        Rejected: it is in another country, or not a place.
    """
    kind, _, code = location.partition("/")
    if kind == "country":
        if code != country:
            raise Rejected(f"about {code[:20]}, not {country}")
        return ()
    number = code.partition("-")[0]
    asn = written_asn(number) if number[:1].isdigit() else 0
    if kind in ("asn", "geoasn") and asn:
        return (asn,)
    if kind in ("region", "county", "continent"):
        return None
    raise Rejected(f"no place: {location[:40]!r}")


def _claim(
    who: str, country: str, networks: tuple[int, ...], span: tuple[int, int, bool], quote: str
) -> Claim:
    """A claim; ``span`` is its beginning, its end, and whether it was over by then."""
    since, until, over = span
    place = f"asn/{networks[0]}" if networks else f"country/{country}"
    return Claim(
        who=who,
        said=Said.OUTAGE,
        country=country,
        since=float(since),
        until=float(until),
        networks=networks,
        hours=lasted(since, until if over else None),
        link=f"{PAGE}/{place}?from={since - 43200}&until={since + 43200}",
        quote=quote,
    )
