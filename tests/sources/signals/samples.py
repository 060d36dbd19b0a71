"""One small sound file of each kind, for what holds for all kinds.

Shapes, and where they are described in public:
- ioda: ``SignalsController.php`` and ``TimeSeries`` of github.com/CAIDA/ioda-api (entityType, entityCode,
  datasource, from, step, values); nested values as ``ApPacketLatencyAndLossRateComponent.js`` of
  github.com/InetIntel/ioda-ui reads them.
- ioda-outages: ``OutagesController.php``, ``OutagesEventNormalizer.php`` and ``OutagesAlertNormalizer.php``
  of github.com/CAIDA/ioda-api.
- atlas: ``tests.sources.remote.fake_atlas`` says where.
- ripestat: stat.ripe.net/docs/02.data-api/country-resource-stats.html.
- radar: developers.cloudflare.com/api, ``radar/netflows`` and ``radar/tcp_resets_timeouts``.
- radar-outages: developers.cloudflare.com/api, ``radar/annotations/outages`` and ``radar/traffic_anomalies``.
- tor: the head of metrics.torproject.org/userstats-relay-country.csv.
- google: readers of the Transparency Report's chart; not documented by its publisher.
"""

import json
from typing import Any

from tests.sources.remote.fake_atlas import atlas_document
from tests.sources.signals.mrt_files import table

T0 = 1_700_006_400
"""15 November 2023, 00:00 UTC."""


def ioda_series(**changes: Any) -> dict[str, Any]:
    plain = {
        "entityType": "country",
        "entityCode": "PK",
        "entityName": "Pakistan",
        "datasource": "bgp",
        "subtype": "",
        "from": T0,
        "until": T0 + 900,
        "step": 300,
        "nativeStep": 300,
        "values": [100, None, 0],
    }
    return plain | changes


def ioda(*series: dict[str, Any]) -> bytes:
    return json.dumps({"type": "signals", "error": None, "data": [list(series)]}).encode()


def ioda_event(**changes: Any) -> dict[str, Any]:
    plain = {
        "location": "country/PK",
        "start": T0,
        "duration": 7200,
        "uncertainty": None,
        "status": 0,
        "fraction": None,
        "score": 1234.5,
        "location_name": "Pakistan",
        "overlaps_window": False,
    }
    return plain | changes


def ioda_alert(at: int, level: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "datasource": "ping-slash24",
        "entity": {"code": "PK", "name": "Pakistan", "type": "country", "attrs": {}},
        "time": at,
        "level": level,
        "condition": "< 0.8",
        "value": 900,
        "historyValue": 5000,
    }
    return plain | changes


def ioda_outages(kind: str, *entries: Any, until: int = T0 + 86400) -> bytes:
    asked = {"from": str(T0 - 86400), "until": str(until)}
    told = {"type": f"outages.{kind}", "error": None, "requestParameters": asked, "data": list(entries)}
    return json.dumps(told).encode()


def radar_outage(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "550",
        "asns": [],
        "asnsDetails": [],
        "dataSource": "ALL",
        "eventType": "OUTAGE",
        "locations": ["PK"],
        "locationsDetails": [{"code": "PK", "name": "Pakistan"}],
        "outage": {"outageCause": "GOVERNMENT_DIRECTED", "outageType": "NATIONWIDE"},
        "startDate": "2023-11-15T00:00:00Z",
        "endDate": "2023-11-15T02:00:00Z",
        "description": "Mobile networks were cut",
        "linkedUrl": "https://example.org/told",
        "scope": None,
    }
    return plain | changes


def radar_anomaly(**changes: Any) -> dict[str, Any]:
    plain = {
        "uuid": "55a57f33-8bc0-4984-b4df-fdaff72df39d",
        "type": "AS",
        "status": "VERIFIED",
        "startDate": "2023-11-15T00:00:00Z",
        "endDate": "2023-11-15T02:00:00Z",
        "asnDetails": {"asn": "17557", "name": "PTCL", "locations": {"code": "PK", "name": "Pakistan"}},
        "visibleInDataSources": ["NETFLOWS", "HTTP"],
    }
    return plain | changes


def radar_told(**lists: Any) -> bytes:
    return json.dumps({"success": True, "errors": [], "result": lists}).encode()


def ripestat(*stats: dict[str, Any], **changes: Any) -> bytes:
    told = {"resource": "PK", "resolution": "5m", "stats": list(stats)} | changes
    return json.dumps({"status": "ok", "messages": [], "data": told}).encode()


def stat(start: str, end: str, **changes: Any) -> dict[str, Any]:
    timeline = [{"starttime": start, "endtime": end}]
    return {"timeline": timeline, "asns_ris": 90, "v4_prefixes_ris": 2000, "v6_prefixes_ris": 300} | changes


def radar(**columns: list[Any]) -> bytes:
    return json.dumps({"success": True, "errors": [], "result": {"meta": {}, "main": columns}}).encode()


RADAR_TIMES = ["2023-11-15T00:00:00Z", "2023-11-15T00:15:00Z"]

SAMPLES: dict[str, bytes] = {
    "atlas": atlas_document(T0, T0 + 3600),
    "ioda-csv": (
        b'"Time (UTC)","Google (Search)","BGP (#Visible /24s)"\n'
        b'"2025-12-01 00:00:00","20.5","99.5"\n"2025-12-01 00:30:00","","99.25"\n'
    ),
    "csv": b"time,value\n2025-12-01T00:00Z,1\n2025-12-01T01:00Z,0\n",
    "ioda": ioda(ioda_series(), ioda_series(datasource="gtr", subtype="WEB_SEARCH", step=1800)),
    "ioda-outages": ioda_outages("events", ioda_event()),
    "radar-outages": radar_told(annotations=[radar_outage()]),
    "ripestat": ripestat(stat("2023-11-15T00:00:00", "2023-11-15T00:10:00")),
    "radar": radar(timestamps=RADAR_TIMES, values=["0.5", "1"]),
    "tor": (
        b"#\n# The Tor Project\n#\n# URL: https://metrics.torproject.org/userstats-relay-country.csv?\n"
        b"date,country,users,lower,upper,frac\n2023-11-14,pk,5000,,,70\n2023-11-15,pk,5100,4000,6000,71\n"
    ),
    "ndt": b"TestTime,MeanThroughputMbps\n2023-12-17T15:01:00Z,1.5\n2023-12-17T16:01:00Z,2.5\n",
    "mrt": table(T0, {"39.32.0.0/16": {0: 17557, 1: 17557, 2: 17557}}),
    "google": b")]}'\n\n"
    + json.dumps([["tr", [[T0 * 1000, [[0, 0.5]]], [(T0 + 1800) * 1000, [[0, 0.6]]]]]]).encode(),
}

NAMES = {"google": "product=21"}
"""What a saved answer must be called, where its bytes do not say all."""
