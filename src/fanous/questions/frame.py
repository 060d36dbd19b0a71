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
    return pa.Table.from_pylist([_incident(one) for one in incidents], schema=INCIDENT_COLUMNS)


def network_table(incidents: Iterable[Incident]) -> pa.Table:
    """One row per network, or region, of an incident (``NETWORK_COLUMNS``)."""
    rows = [
        _about(one)
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
        for one in incidents
        for network in one.networks
    ]
    return pa.Table.from_pylist(rows, schema=NETWORK_COLUMNS)


def interval_table(incidents: Iterable[Incident]) -> pa.Table:
    """One row per interval of each incident, and of each of its networks (``INTERVAL_COLUMNS``)."""
    rows = []
    for one in incidents:
        for entity, intervals in ((None, one.intervals), *((n.entity, n.intervals) for n in one.networks)):
            rows += [
                _about(one)
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


def _about(one: Incident) -> dict[str, Any]:
    return {
        "id": one.id,
        "provenance": str(one.provenance),
        "country": one.country,
        "kind": str(one.kind),
        "status": str(one.status),
    }


def _incident(one: Incident) -> dict[str, Any]:
    users, counted = one.users if counts_users(one.country) else None, one.evidence
    return _about(one) | {
        "scope": str(one.scope),
        "access": str(one.access),
        "targets": list(one.targets),
        "mechanisms": list(one.mechanisms),
        "entities": list(one.entities),
        "onset": _time(one.onset),
        "onset_earliest": _time(one.onset_earliest),
        "onset_latest": _time(one.onset_latest),
        "end": _time(one.end),
        "end_earliest": _time(one.end_earliest),
        "end_latest": _time(one.end_latest),
        "reached": _time(one.reached),
        "reached_earliest": _time(one.reached_earliest),
        "reached_latest": _time(one.reached_latest),
        "confirmed_at": _time(one.confirmed_at),
        "first_published_at": _time(one.first_published_at),
        "lasting_since": _time(one.lasting_since),
        "intervals": _spans(one.intervals),
        "confidence": one.confidence,
        "users_mean": users and users.mean,
        "users_low": users and users.low,
        "users_high": users and users.high,
        "users_observed": users and users.observed,
        **_estimate("kbps", one.kbps, ("mean", "low", "high")),
        **_estimate("level", one.level, ("mean", "low", "high", "worst", "now")),
        "level_now_at": None if one.level is None else _time(one.level.now_at),
        "measurements": counted.measurements,
        "probes": counted.probes,
        "networks": counted.networks,
        "controls": counted.controls,
        "probes_are": counted.probes_are,
        "families": [str(family) for family in counted.families],
        "rule": one.rule or None,
        "rules_version": one.rules_version,
        "detector_version": one.detector_version,
        "sentence": sentence(one),
    }


def _estimate(name: str, figure: Estimate | None, parts: tuple[str, ...]) -> dict[str, float | None]:
    return {f"{name}_{part}": None if figure is None else getattr(figure, part) for part in parts}


def _time(instant: float | None) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(int(instant), UTC)


def _spans(intervals: Iterable[Interval]) -> list[dict[str, datetime | None]]:
    return [{"start": _time(one.start), "end": _time(one.end)} for one in intervals]


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
                (one.id, status_word(one), sentence(one), time_shown(one.onset), time_shown(one.end))
                for one in self
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
