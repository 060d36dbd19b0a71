"""Answers of publishers, retyped: keys, types and odd values are exact, figures and places are made up.

README.md names for each file the public repository or page, path and commit that it imitates.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
ANSWERS = {
    path.name: path.read_bytes()
    for path in sorted(FOLDER.iterdir())
    if path.suffix in (".json", ".csv", ".txt")
}

_PARTS = {
    "/v2/signals/raw/": "ioda_signals.json",
    "/v2/outages/events": "ioda_events.json",
    "/v2/outages/alerts": "ioda_alerts.json",
    "/v2/entities/query": "ioda_regions.json",
    "/data/country-resource-stats/": "ripestat_country_resource_stats.json",
    "/radar/netflows/": "radar_netflows.json",
    "/radar/tcp_resets_timeouts/": "radar_tcp_resets.json",
    "/radar/annotations/outages": "radar_outages.json",
    "/radar/traffic_anomalies": "radar_anomalies.json",
    "/userstats-relay-country.csv": "tor_relay.csv",
    "/userstats-bridge-country.csv": "tor_bridge.csv",
    "/traffic/fraction": "google_traffic.txt",
}


def answer_to(path: str) -> str:
    """Name of the file that answers a request for ``path``."""
    return next(name for part, name in _PARTS.items() if part in path)


SOURCES_OF = {
    "ioda_signals.json": "ioda",
    "ioda_regions.json": "ioda",
    "ioda_events.json": "ioda-outages",
    "ioda_alerts.json": "ioda-outages",
    "ripestat_country_resource_stats.json": "ripestat",
    "radar_netflows.json": "radar",
    "radar_tcp_resets.json": "radar",
    "radar_outages.json": "radar-outages",
    "radar_anomalies.json": "radar-outages",
    "tor_relay.csv": "tor",
    "tor_bridge.csv": "tor",
    "google_traffic.txt": "google",
}
"""File -> the source that reads it."""
