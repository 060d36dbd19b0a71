"""Sources: one table of every public source of ready-made series - its terms, and how often it may be asked.

A licence that is not free, or not stated, never enters the open-data export.
"""

from dataclasses import dataclass

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
