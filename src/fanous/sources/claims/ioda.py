"""IODA's events and alerts: the outages that its own detector reports.

Fields as the interface's public description has them: ``/outages/events`` and ``/outages/alerts`` in
``OutagesController.php``, ``OutagesEventsService.php``, ``OutagesEventNormalizer.php`` and
``OutagesAlertNormalizer.php`` of github.com/InetIntel/ioda-api at a5fac0e7; no line of it is copied.  Regions are
skipped: a claim names networks or a country.  Alerts and events by the method ``sarima`` are left out, as IODA's own
pages leave them out (``ActionOutages.js`` of InetIntel/ioda-ui at 1032915e).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.instant import DAY
from fanous.model.place import written_asn
from fanous.sources.claims import Told, lasted, told
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.ioda import ADDRESS, CREDIT, ENVELOPE, LICENCE, PAGE
from fanous.sources.signals.live import LATEST, decoded, field, json_like, plain, whole, windows

SOURCE = "ioda-outages"
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


SHAPE = ENVELOPE | {
    "data": (
        [
            {
                "location": str,
                "start": float,
                "duration": float,
                "uncertainty": object,
                "method": str,
                "datasource": (str, None),
                "status": float,
                "fraction": object,
                "score": float,
                "location_name": str,
                "overlaps_window": bool,
            }
        ],
        [
            {
                "datasource": str,
                "entity": {"code": str, "name": str, "type": str, "attrs": object, "subnames?": object},
                "time": float,
                "level": str,
                "condition": str,
                "value": (float, None),
                "historyValue": (float, None),
                "method": str,
            }
        ],
    ),
}
"""Events in the format ``codf``, or alerts."""


class IodaOutages:
    """See ``LiveSource`` and ``Paged``; one request per place, so that a failure affects no other place."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        places = [("country", ask.country), *(("asn", str(asn)) for asn in ask.networks)]
        for since, until in windows(ask.since, ask.until, WINDOW):
            for kind, code in places:
                for call, more in CALLS.items():
                    query = f"entityType={kind}&entityCode={code}&from={since - BEFORE}&until={until}{more}"
                    query += f"&ignoreMethods={IGNORED}&limit={LIMIT}&page=0"
                    yield Piece(f"{call}/{kind}/{code}", f"{ADDRESS}/{call}?{query}", since, until)

    def next_page(self, url: str, data: bytes) -> str | None:
        entries = field(decoded(data), "data")
        if not isinstance(entries, list) or len(entries) < LIMIT:
            return None
        start, _, number = url.rpartition("&page=")
        if int(number) + 1 == MOST_PAGES:
            raise Rejected(f"more than {MOST_PAGES * LIMIT:,} events or alerts of one place")
        return f"{start}&page={int(number) + 1}"

    def joined(self, pages: Sequence[bytes]) -> bytes:
        if len(pages) == 1:
            return pages[0]
        documents = [decoded(page) for page in pages]
        for number, document in enumerate(documents):
            if field(document, "error") or not isinstance(field(document, "data"), list):
                raise Rejected(
                    f"page {number}: {str(field(document, 'error') or '`data` is not a list')[:200]}"
                )
        entries = [entry for document in documents for entry in document["data"]]
        return msgspec.json.encode(documents[0] | {"data": entries})

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        document = decoded(data)
        error, kind = field(document, "error"), field(document, "type")
        if error:
            raise Rejected(f"IODA says: {str(error)[:200]}")
        entries = field(document, "data")
        if kind not in (EVENTS, ALERTS) or not isinstance(entries, list):
            raise Rejected(f"not a response with IODA's events or alerts: `type` is {str(kind)[:40]!r}")
        until = field(document, "requestParameters", "until")
        asked = whole(plain(until), 0, LATEST)  # IODA repeats it as a text or as a number
        claims, rejects = (events if kind == EVENTS else alerts)(entries, country, asked)
        return Parsed((), rejects, claims)


def events(entries: Sequence[Any], country: str, asked_until: int | None) -> Told:
    """Events in the format ``codf``.

    Args:
        asked_until: end of the requested window.  An event that was not over is given that end and
            ``overlaps_window``, which is also true of one that began before the window (``buildEvents``).
    """

    def claim(entry: Any) -> Claim | None:
        place = _place(str(field(entry, "location") or ""), country)
        start = whole(field(entry, "start"), 0, LATEST)
        length = whole(field(entry, "duration"), 0, LATEST)
        if start is None or length is None:
            raise Rejected("an event without `start` or `duration`")
        if place is None:
            return None
        end = start + max(length, 1)
        overlaps = field(entry, "overlaps_window")
        over = not overlaps if asked_until is None else (end < asked_until or overlaps is False)
        score = plain(field(entry, "score"))
        quote = "an event of IODA's" if score is None or score != score else f"an event of score {score:.0f}"
        return _claim(WHO, country, place, (start, end, over), quote)

    return told(entries, claim)


@dataclass(frozen=True, slots=True)
class _Alert:
    """One change of the level of a data source at one place."""

    datasource: str
    networks: tuple[int, ...]
    at: int
    level: str
    quote: str

    @property
    def about(self) -> tuple[str, tuple[int, ...]]:
        """The sequence of alerts that it belongs to."""
        return self.datasource, self.networks


def alerts(entries: Sequence[Any], country: str, asked_until: int | None) -> Told:
    """An outage lasts from a critical alert to the next normal one of the same data source and place."""
    known: list[_Alert] = []
    rejects: list[tuple[int, str]] = []
    for number, entry in enumerate(entries, 1):
        try:
            found = _alert(entry, country)
        except Rejected as reason:
            rejects.append((number, str(reason)))
        else:
            known += [found] if found is not None else []
    known.sort(key=lambda alert: alert.at)
    claims = []
    ends = _ends(known)
    levels: dict[tuple[str, tuple[int, ...]], str] = {}
    for alert, end in zip(known, ends, strict=True):
        before = levels.get(alert.about)
        levels[alert.about] = alert.level
        if alert.level != CRITICAL or before == CRITICAL:
            continue
        until = max(alert.at + 1, asked_until or alert.at + 1) if end is None else end
        who = f"{WHO}, an alert of {alert.datasource}"
        span = alert.at, until, end is not None
        claims.append(_claim(who, country, alert.networks, span, alert.quote))
    return tuple(claims), tuple(rejects)


def _ends(known: Sequence[_Alert]) -> list[int | None]:
    """When each alert's subject was normal again; ``None`` = not in this answer."""
    normal: dict[tuple[str, tuple[int, ...]], int] = {}
    ends: list[int | None] = []
    for alert in reversed(known):
        ends.append(normal.get(alert.about))
        if alert.level == NORMAL:
            normal[alert.about] = alert.at
    return ends[::-1]


def _alert(entry: Any, country: str) -> _Alert | None:
    datasource, level = field(entry, "datasource"), field(entry, "level")
    at = whole(field(entry, "time"), 0, LATEST)
    if not isinstance(datasource, str) or not isinstance(level, str) or at is None:
        raise Rejected("an alert without `datasource`, `level` or `time`")
    kind, code = field(entry, "entity", "type"), field(entry, "entity", "code")
    place = _place(f"{kind}/{code}", country)
    if place is None:
        return None
    value, before = field(entry, "value"), field(entry, "historyValue")
    quote = f"{datasource}: {str(value)[:20]} where {str(before)[:20]} was expected"
    return _Alert(datasource[:40], place, at, level, quote)


def _place(location: str, country: str) -> tuple[int, ...] | None:
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


IODA_OUTAGES = Source(
    name=SOURCE,
    title="IODA, its events and alerts",
    help="outages that IODA's detector reports, stored as claims",
    page=PAGE,
    licence=LICENCE,
    is_open=False,
    credit=CREDIT,
    live=IodaOutages(),
    address=ADDRESS,
    may_be_empty=True,
    differs=json_like(SHAPE),
    every=1800,
    window=WINDOW,
)
