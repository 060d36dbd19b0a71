"""Connector: how records of one public source are read, and how each becomes a measurement with facts.

Redaction: what every redacted record has in common - minutes, and digests in place of identifiers.

A redacted record is a record of the same source, with less in it: the same connector parses it.

Sources: one table of every public source of ready-made series - its terms, and how often it may be asked.

A licence that is not free, or not stated, never enters the open-data export.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from fanous.model.instant import to_iso
from fanous.model.measurement import ParsedMeasurement, Record

OnReject = Callable[[int, str], None]
"""Called with the 1-based line (row, member) that cannot be used and the reason, in words; with
``WHOLE_FILE`` for what is to be said of the file and rejects no line."""

WHOLE_FILE = 0

OnProgress = Callable[[int], None]
"""Called now and then with the bytes of the (compressed) file consumed so far."""


class MeasurementSource(Protocol):
    """One source.  ``read`` is the I/O half, ``parse`` the pure half, run again when rules change."""

    def read(
        self, path: Path, on_reject: OnReject, on_progress: OnProgress | None = None
    ) -> Iterator[Record]:
        """Records of one file, in the order of the file, with flat memory.

        What cannot be used is told to ``on_reject`` and left out; what was read before a file breaks off
        is kept.

        Raises:
            FanousError: the file is missing, unreadable or not of this source.
        """
        ...

    def parse(self, record: Record) -> ParsedMeasurement:
        """The measurement in ``record.data`` with its observations; pure.

        Raises:
            Rejected: it cannot be used; the message is the reason.
        """
        ...


MINUTE = 60
"""Public records carry minutes.  The detectors' bins are whole minutes, so no measurement changes its bin."""

DIGITS = 32
"""Hex digits of a digest: 128 bits, so that no two identifiers of any store meet."""

_CLOCK = re.compile(r"(?<![0-9a-fA-F:])([0-2]\d:[0-5]\d):[0-5]\d(?:\.\d+)?")


def to_minute(instant: float) -> str:
    """The minute in which ``instant`` lies, as RFC 3339."""
    return to_iso(instant // MINUTE * MINUTE)


def digest(identifier: str) -> str:
    """Stands for an identifier that holds a time to the second (``measurement_uid``, ``report_id``).

    Whoever has the original record can compute it and find the record again; the way back is closed.
    """
    return sha256(b"fanous evidence\0" + identifier.encode("utf-8", "replace")).hexdigest()[:DIGITS]


def without_seconds(text: str) -> str:
    """Clock times in a text to the minute, as long as they were: ``15:04:05`` -> ``15:04:00``."""
    return _CLOCK.sub(lambda found: found[1] + re.sub(r"\d", "0", found[0][len(found[1]) :]), text)


def pruned(value: Any, wanted: Any) -> Any:
    """``value`` with only what ``wanted`` names.

    Args:
        wanted: ``None`` = all of it; a map = these keys; a list of one = each element so; ``{"*": ...}`` =
            every key of a map so.  Where the value has another form, nothing of it is kept.
    """
    if wanted is None:
        return value
    if isinstance(wanted, list):
        return [pruned(each, wanted[0]) for each in value] if isinstance(value, list) else None
    if not isinstance(value, dict):
        return None
    if "*" in wanted:
        return {key: pruned(each, wanted["*"]) for key, each in value.items()}
    return {key: pruned(value[key], wanted[key]) for key in wanted if key in value}


DAY = 86400


@dataclass(frozen=True, slots=True)
class PublicSource:
    """One source.

    Attributes:
        name: stored with every series; on the command line too.
        title: who publishes it, for people.
        page: where a reader finds it; empty = the user's own files.
        licence: as its publisher states it.
        is_open: may its values enter the open-data export?
        credit: how it must be named where its values are shown.
        every: seconds between two pulls of the newest values; 0 = files only.
        window: seconds that one request may span; 0 = files only.
        a_minute: requests that we allow ourselves in a minute: none of these publishers states a limit that
            is lower, and a monitor of one country needs a few an hour.
        settles: seconds after which its values change no more, so that a backfill need not ask again.
        token: environment variable that holds the key; empty = none is needed.
    """

    name: str
    title: str
    page: str
    licence: str
    is_open: bool
    credit: str
    every: int = 0
    window: int = 0
    a_minute: int = 20
    settles: int = 2 * DAY
    token: str = ""


_GTRC = "(c) Georgia Tech Research Corporation"
_IODA = "https://ioda.inetintel.cc.gatech.edu"
_RIPE = "RIPE NCC terms of service"
_ROUTES = "RIPE NCC or RouteViews terms, by who collected the file"

_TABLE = (
    PublicSource("ioda", "IODA", _IODA, _GTRC, False, "IODA, Georgia Tech", every=600, window=30 * DAY),
    PublicSource(
        "ioda-outages",
        "IODA, its events and alerts",
        _IODA,
        _GTRC,
        False,
        "IODA, Georgia Tech",
        every=1800,
        window=90 * DAY,
    ),
    PublicSource("ioda-csv", "IODA, a file of its dashboard", _IODA, _GTRC, False, "IODA, Georgia Tech"),
    PublicSource(
        "ripestat",
        "RIPEstat",
        "https://stat.ripe.net",
        _RIPE,
        False,
        "RIPE NCC",
        every=1800,
        window=30 * DAY,
        settles=DAY,
    ),
    PublicSource("ris", "RIPE RIS Live", "https://ris-live.ripe.net", _RIPE, False, "RIPE NCC", every=1),
    PublicSource(
        "mrt", "Routing tables and updates as MRT files", "https://ris.ripe.net", _ROUTES, False, ""
    ),
    PublicSource(
        "radar",
        "Cloudflare Radar",
        "https://radar.cloudflare.com",
        "CC BY-NC 4.0",
        False,
        "Cloudflare Radar",
        every=900,
        window=28 * DAY,
        token="CLOUDFLARE_API_TOKEN",
    ),
    PublicSource(
        "radar-outages",
        "Cloudflare Radar, its outages and anomalies",
        "https://radar.cloudflare.com/outage-center",
        "CC BY-NC 4.0",
        False,
        "Cloudflare Radar",
        every=1800,
        window=366 * DAY,
        settles=30 * DAY,
        token="CLOUDFLARE_API_TOKEN",
    ),
    PublicSource(
        "tor",
        "Tor Metrics",
        "https://metrics.torproject.org",
        "CC0",
        True,
        "The Tor Project",
        every=6 * 3600,
        window=366 * DAY,
        settles=7 * DAY,
    ),
    PublicSource(
        "google",
        "Google Transparency Report",
        "https://transparencyreport.google.com/traffic",
        "page terms",
        False,
        "Google",
        every=1800,
        window=28 * DAY,
    ),
    PublicSource(
        "ndt",
        "M-Lab NDT, rows of a query",
        "https://www.measurementlab.net",
        "CC0, not verified",
        False,
        "M-Lab",
    ),
    PublicSource("csv", "a table of the user's", "", "not stated", False, ""),
    PublicSource("edge", "downloads of our own probes", "", "ours", True, "Fanous"),
    PublicSource("scan", "our own active probing", "", "ours", True, "Fanous"),
)

SOURCES: dict[str, PublicSource] = {source.name: source for source in _TABLE}
