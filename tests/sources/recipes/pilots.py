"""Pilots: a made-up publisher of reports on outages, ``{"reports": [{"since": time, "until": time}]}``."""

from collections.abc import Iterator
from typing import Any

from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.instant import DAY
from fanous.sources.claims import lasted, told
from fanous.sources.connector import Get, Parsed, Piece, Query, Source
from fanous.sources.signals.live import LATEST, decoded, field, whole, windows

SOURCE = "pilots"
WINDOW = 366 * DAY
ADDRESS = "https://pilots.example.org"


class Pilots:
    """See ``LiveSource``."""

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        for since, until in windows(ask.since, ask.until, WINDOW):
            yield Piece(ask.country, f"{ADDRESS}/{ask.country}?from={since}", since, until)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        reports = field(decoded(data), "reports")
        if not isinstance(reports, list):
            raise Rejected("no answer of Pilots: there are no `reports`")

        def claim(report: Any) -> Claim:
            since, until = (whole(field(report, key), 0, LATEST) for key in ("since", "until"))
            if since is None or until is None:
                raise Rejected("a report without `since` or `until`")
            return Claim(
                who="Pilots",
                said=Said.OUTAGE,
                country=country,
                since=float(since),
                until=float(until),
                hours=lasted(since, until),
                link=ADDRESS,
            )

        claims, rejects = told(reports, claim)
        return Parsed((), rejects, claims)


PILOTS = Source(
    name=SOURCE,
    title="Pilots, their reports",
    help="outages that pilots report, stored as claims",
    page=ADDRESS,
    licence="CC BY 4.0",
    is_open=True,
    credit="Pilots",
    live=Pilots(),
    address=ADDRESS,
    every=1800,
    window=WINDOW,
)
