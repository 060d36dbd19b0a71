"""Frame: incidents as Arrow tables, for notebooks and exports: one row per incident, network or interval.

Lists are lists, times are timestamps in UTC, and an unknown value is null, never 0.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import pyarrow as pa

from fanous.base.text import printable
from fanous.model.incident import Estimate, Incident, Interval
from fanous.wording.narrative import sentence
from fanous.wording.words import counts_users, status_word

_TIME = pa.timestamp("s", tz="UTC")
_TEXTS = pa.list_(pa.string())
_INTERVALS = pa.list_(pa.struct([("start", _TIME), ("end", _TIME)]))

INCIDENT_COLUMNS = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("id", "provenance", "country", "kind", "status", "scope", "access")
        ),
        *((name, _TEXTS) for name in ("targets", "mechanisms", "entities")),
        *(
            (name, _TIME)
            for name in (
                *("onset", "onset_earliest", "onset_latest", "end", "end_earliest", "end_latest"),
                *("confirmed_at", "first_published_at", "lasting_since", "level_now_at"),
                *("reached", "reached_earliest", "reached_latest"),
            )
        ),
        ("intervals", _INTERVALS),
        ("confidence", pa.float64()),
        *((f"users_{name}", pa.float64()) for name in ("mean", "low", "high", "observed")),
        *((f"kbps_{name}", pa.float64()) for name in ("mean", "low", "high")),
        *((f"level_{name}", pa.float64()) for name in ("mean", "low", "high", "worst", "now")),
        *((name, pa.int64()) for name in ("measurements", "probes", "networks", "controls")),
        ("probes_are", pa.string()),
        ("families", _TEXTS),
        *((name, pa.string()) for name in ("rule", "rules_version", "detector_version", "sentence")),
    ]
)
"""Shares are 0 to 1, of users (``users``, null without user figures) or of the earlier baseline
(``level``); ``kbps`` is in kbit/s."""

NETWORK_COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "provenance", "country", "kind", "status", "entity")),
        ("asn", pa.int64()),
        ("targets", _TEXTS),
        ("intervals", _INTERVALS),
        ("first", _TIME),
        ("last", _TIME),
        ("measurements", pa.int64()),
        ("probes", pa.int64()),
        ("probability", pa.float64()),
    ]
)
"""``asn`` is null for a region or the country, ``last`` if it is ongoing."""

INTERVAL_COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "provenance", "country", "kind", "status", "entity")),
        ("n", pa.int64()),
        ("start", _TIME),
        ("end", _TIME),
        ("hours", pa.float64()),
    ]
)
"""``entity`` is null in the rows of the incident as a whole, and names a network or region in the others."""


def incident_table(incidents: Iterable[Incident]) -> pa.Table:
    """One row per incident (``INCIDENT_COLUMNS``)."""
    return pa.Table.from_pylist([_incident(incident) for incident in incidents], schema=INCIDENT_COLUMNS)


def network_table(incidents: Iterable[Incident]) -> pa.Table:
    """One row per network, or region, of an incident (``NETWORK_COLUMNS``)."""
    rows = [
        _about(incident)
        | {
            "entity": network.entity,
            "asn": network.asn or None,
            "targets": list(network.targets),
            "intervals": _spans(network.intervals),
            "first": _time(network.intervals[0].start) if network.intervals else None,
            "last": _time(network.intervals[-1].end) if network.intervals else None,
            "measurements": network.measurements,
            "probes": network.probes,
            "probability": network.probability,
        }
        for incident in incidents
        for network in incident.networks
    ]
    return pa.Table.from_pylist(rows, schema=NETWORK_COLUMNS)


def interval_table(incidents: Iterable[Incident]) -> pa.Table:
    """One row per interval of each incident, and of each of its networks (``INTERVAL_COLUMNS``)."""
    rows = []
    for incident in incidents:
        for entity, intervals in (
            (None, incident.intervals),
            *((n.entity, n.intervals) for n in incident.networks),
        ):
            rows += [
                _about(incident)
                | {
                    "entity": entity,
                    "n": n,
                    "start": _time(span.start),
                    "end": _time(span.end),
                    "hours": None if span.end is None else (span.end - span.start) / 3600,
                }
                for n, span in enumerate(intervals, 1)
            ]
    return pa.Table.from_pylist(rows, schema=INTERVAL_COLUMNS)


def _about(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "provenance": str(incident.provenance),
        "country": incident.country,
        "kind": str(incident.kind),
        "status": str(incident.status),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    users, counted = incident.users if counts_users(incident.country) else None, incident.evidence
    return _about(incident) | {
        "scope": str(incident.scope),
        "access": str(incident.access),
        "targets": list(incident.targets),
        "mechanisms": list(incident.mechanisms),
        "entities": list(incident.entities),
        "onset": _time(incident.onset),
        "onset_earliest": _time(incident.onset_earliest),
        "onset_latest": _time(incident.onset_latest),
        "end": _time(incident.end),
        "end_earliest": _time(incident.end_earliest),
        "end_latest": _time(incident.end_latest),
        "reached": _time(incident.reached),
        "reached_earliest": _time(incident.reached_earliest),
        "reached_latest": _time(incident.reached_latest),
        "confirmed_at": _time(incident.confirmed_at),
        "first_published_at": _time(incident.first_published_at),
        "lasting_since": _time(incident.lasting_since),
        "intervals": _spans(incident.intervals),
        "confidence": incident.confidence,
        "users_mean": users and users.mean,
        "users_low": users and users.low,
        "users_high": users and users.high,
        "users_observed": users and users.observed,
        **_estimate("kbps", incident.kbps, ("mean", "low", "high")),
        **_estimate("level", incident.level, ("mean", "low", "high", "worst", "now")),
        "level_now_at": None if incident.level is None else _time(incident.level.now_at),
        "measurements": counted.measurements,
        "probes": counted.probes,
        "networks": counted.networks,
        "controls": counted.controls,
        "probes_are": counted.probes_are,
        "families": [str(family) for family in counted.families],
        "rule": incident.rule or None,
        "rules_version": incident.rules_version,
        "detector_version": incident.detector_version,
        "sentence": sentence(incident),
    }


def _estimate(name: str, figure: Estimate | None, parts: tuple[str, ...]) -> dict[str, float | None]:
    return {f"{name}_{part}": None if figure is None else getattr(figure, part) for part in parts}


def _time(instant: float | None) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(int(instant), UTC)


def _spans(intervals: Iterable[Interval]) -> list[dict[str, datetime | None]]:
    return [{"start": _time(interval.start), "end": _time(interval.end)} for interval in intervals]


class IncidentList(list[Incident]):
    """Incidents in order; a notebook shows them as a table."""

    def table(self) -> pa.Table:
        """One row per incident (``INCIDENT_COLUMNS``)."""
        return incident_table(self)

    def networks(self) -> pa.Table:
        """One row per network, or region, of an incident: what failed there, and when."""
        return network_table(self)

    def intervals(self) -> pa.Table:
        """One row per interval of each incident and of each of its networks."""
        return interval_table(self)

    def _repr_html_(self) -> str:
        return html_table(
            ("id", "status", "what", "onset", "end"),
            [
                (
                    incident.id,
                    status_word(incident),
                    sentence(incident),
                    time_shown(incident.onset),
                    time_shown(incident.end),
                )
                for incident in self
            ],
        )


def time_shown(instant: float | None) -> str:
    return "" if instant is None else f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M} UTC"


def html_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table for notebooks; names from measurements are escaped.  At most the first ``MOST_ROWS`` are shown."""

    def cells(row: Sequence[object], tag: str) -> str:
        return "".join(f"<{tag}>{escape(printable(str(cell)))}</{tag}>" for cell in row)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows[:MOST_ROWS])
    more = f"<p>{len(rows) - MOST_ROWS:,} more rows</p>" if len(rows) > MOST_ROWS else ""
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>{body}</tbody></table>{more}"


MOST_ROWS = 100
