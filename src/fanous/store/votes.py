"""Votes: from verdicts to votes, series and counts, in SQL.

``analysis.series.aggregate`` is the reference for series, and explains them.  A year of a country is millions
of measurements, so the engine counts them where they are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fanous.analysis.series.aggregate import Ballots, series_of
from fanous.analysis.series.signals import COUNTED
from fanous.model.coverage import MeasurementCount, Outcomes
from fanous.model.place import Access, Place
from fanous.model.series import Ints, Rate, Series, SeriesKey, Votes
from fanous.store.engine import IN_WINDOW, FactsPart, ticks, window
from fanous.store.memory import remembered
from fanous.store.vote_sql import (
    AXES,
    DETAILS,
    LISTED,
    RATED,
    SERIES,
    SHARED,
    TALLY,
    TALLY_SIZE,
    WITNESSES,
    WORKING,
)

_FELL = "(state = 'blocked' OR symptom OR (state = 'throttled' AND layer != 'dns'))"
# A measurement counts if any of its targets has a vote (``store.votes``); it failed if one of them did.
_OF_TARGETS = f"""
FROM verdicts
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target IN {{targets:Array(String)}}
    AND ({_FELL} OR state = 'ok') AND {IN_WINDOW}
"""
# Rows are ordered by day: the first and last day are found at the ends, and only these are read.
_ENDS = f"""
SELECT toUnixTimestamp64Micro(min(started_at)) / 1000000, toUnixTimestamp64Micro(max(started_at)) / 1000000
{_OF_TARGETS} AND toDate(started_at) IN (
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day LIMIT 1),
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day DESC LIMIT 1)
) HAVING count() > 0
"""
# The engine distinguishes identifiers by 128 bits of a hash, as documented for ``uniqExact``.
_OUTCOMES = f"""
SELECT asn, roundDown(toUnixTimestamp64Micro(started_at), {{edges:Array(Int64)}}) AS edge, uniqExact(uid),
    uniqExactIf(uid, {_FELL})
{_OF_TARGETS} GROUP BY asn, edge ORDER BY asn, edge
"""

_DOWNLOADS = f"""
FROM observations
WHERE layer = 'transfer' AND role = 'control' AND vantage = 'probe' AND NOT isNaN(kbps) AND {IN_WINDOW}
"""
_HAS_DOWNLOADS = f"SELECT 1 {_DOWNLOADS} AND country = {{country:String}} LIMIT 1"
# Downloads are few among all observations: they are found first, and only their measurements are read.
_RATES = f"""
WITH controls AS (
    SELECT uid, max(kbps) AS fastest {_DOWNLOADS} GROUP BY uid
), trips AS (
    SELECT uid, 1000 * quantileExact(seconds) AS rtt FROM observations
    WHERE layer = 'tcp' AND vantage = 'probe' AND failure IS NULL AND NOT isNaN(seconds) AND {IN_WINDOW}
        AND uid IN (SELECT uid FROM controls)
    GROUP BY uid
)
SELECT m.uid, m.country, m.asn, m.access, m.probe, toUnixTimestamp64Micro(m.started_at) / 1000000 AS made,
    controls.fastest, if(empty(trips.uid), nan, trips.rtt), m.target, m.source
FROM measurements AS m
INNER JOIN controls ON m.uid = controls.uid
LEFT JOIN trips ON m.uid = trips.uid
WHERE m.defect = '' AND m.asn != 0 AND m.country != 'ZZ' AND {IN_WINDOW.replace("started_at", "m.started_at")}
ORDER BY made, m.uid
"""


class VoteFacts(FactsPart):
    """Votes from verdicts, series of them, and counts; and rates of downloads."""

    def series(
        self,
        country: str,
        since: float,
        until: float,
        step: int = 600,
        targets: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
    ) -> list[Series]:
        """``blocked_dns``, ``blocked_path`` and ``throttled`` for each network and target, as
        ``analysis.series.aggregate.series`` gives them.  ``since`` and ``until`` should be multiples of ``step``:
        a bin cut by the window counts only what is inside.

        Args:
            targets, sources: ``None`` = all.
        """
        sql = SERIES % _parts(targets, sources)
        rows = self.engine.rows(sql, step=step, **_parameters(country, since, until, targets, sources))
        return [_series(country, step, *row) for row in rows]

    def shared(self, country: str, since: float, until: float) -> list[tuple[str, tuple[str, ...]]]:
        """Targets that several sources measured on one network, with these sources: a row for each network."""
        rows = self.engine.rows(SHARED, country=country, **window(since, until))
        return [(target, tuple(sources)) for target, sources in rows]

    @remembered(15, of_measurements=True)
    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        """The votes that ``series`` aggregates in bins, by time."""
        sql = WITNESSES % _parts(targets, more=DETAILS)
        return _witnesses(self.engine.columns(sql, **_parameters(country, since, until, targets)))

    def working_elsewhere(self, country: str, since: float, until: float, targets: Sequence[str]) -> Votes:
        """Measurements of other countries that found all layers to work, by time (``blocked_path``)."""
        sql = WORKING % _parts(targets, places="!=")
        return _votes(self.engine.columns(sql, **_parameters(country, since, until, targets)))

    def ends(
        self, country: str, since: float, until: float, targets: Sequence[str]
    ) -> tuple[float, float] | None:
        """When the first and the last measurement with a vote on one of the targets were made."""
        rows = self.engine.rows(_ENDS, **_asked(country, since, until, targets))
        return (rows[0][0], rows[0][1]) if rows else None

    def outcomes(
        self, country: str, since: float, until: float, targets: Sequence[str], edges: Sequence[float]
    ) -> list[MeasurementCount]:
        """Measurements with a vote on one of the targets, counted by network and stretch of time.

        Args:
            edges: unix seconds, ascending, where stretches begin; what is earlier counts with the first.
        """
        at = [ticks(edge) for edge in edges]
        rows = self.engine.rows(_OUTCOMES, edges=at, **_asked(country, since, until, targets))
        return [MeasurementCount(asn, edge / 1_000_000, made, failed) for asn, edge, made, failed in rows]

    def rates(self, country: str, since: float, until: float) -> list[Rate]:
        """Rates of downloads under innocuous names, by time: of the country and, to compare with, of all others;
        none where the country has none."""
        if not self.engine.rows(_HAS_DOWNLOADS, country=country, **window(since, until)):
            return []
        return [
            Rate(uid, country, asn, Access(access), probe, at, kbps, rtt, beside, source)
            for uid, country, asn, access, probe, at, kbps, rtt, beside, source in self.engine.rows(
                _RATES, **window(since, until)
            )
        ]


def _parts(
    targets: Sequence[str] | None,
    sources: Sequence[str] | None = None,
    *,
    places: str = "=",
    more: str = "",
) -> dict[str, str]:
    """The parts of the SQL that differ from query to query."""
    which = "" if targets is None else "AND target IN {targets:Array(String)}"
    if sources is not None:
        which += " AND source IN {sources:Array(String)}"
    return {"places": places, "which": which, "more": more}


def _parameters(
    country: str,
    since: float,
    until: float,
    targets: Sequence[str] | None,
    sources: Sequence[str] | None = None,
) -> dict[str, Any]:
    named = {"targets": targets, "sources": sources}
    lists = {name: list(wanted) for name, wanted in named.items() if wanted is not None}
    return {"country": country, **window(since, until), **lists}


def _witnesses(columns: list[list[Any]]) -> Votes:
    """The columns of ``WITNESSES``, a row for each signal on which a measurement votes yes or no.

    Within a measurement and target, signals are in the order of their declarations.
    """
    number = len(COUNTED)
    uids, times, asns, resolvers, targets, probes, access, sources, *by_signal, kbps = columns or [
        [] for _ in range(9 + 3 * number)
    ]

    def of_signals(part: int, kind: type) -> Any:
        """One of the three columns of each signal, as an array with a row per measurement."""
        columns = by_signal[part * number : (part + 1) * number]
        return np.array(columns, kind).reshape(number, -1).T

    said, controlled, mechanisms = of_signals(0, np.int64), of_signals(1, np.bool_), of_signals(2, object)
    row, signal = np.nonzero(said >= 0)
    by_resolver = np.array([one.by_resolver for one in COUNTED], np.bool_)[signal]
    rated = np.array([one in RATED for one in COUNTED], np.bool_)[signal]

    def each(values: list[Any], kind: type) -> Any:
        return np.array(values, kind)[row]

    return Votes(
        uids=each(uids, object),
        times=each(times, float),
        asns=each(asns, int),
        resolver_asns=np.where(by_resolver, each(resolvers, int), 0),
        targets=each(targets, object),
        signals=np.array([one.name for one in COUNTED], object)[signal],
        probes=each(probes, object),
        seen=said[row, signal] == 1,
        controlled=controlled[row, signal],
        mechanisms=mechanisms[row, signal],
        kbps=np.where(rated, each(kbps, float), np.nan),
        access=each(access, object),
        sources=each(sources, object),
    )


def _votes(columns: list[list[Any]]) -> Votes:
    """The columns of ``WORKING`` are the fields of ``Votes`` in order."""
    kinds = (object, float, int, int, object, object, object, bool, bool, object, float, object, object)
    return Votes(*map(np.array, columns or [[] for _ in kinds], kinds))


def _series(
    country: str,
    step: int,
    asn: int,
    target: str,
    signal: str,
    resolver_asn: int,
    times: list[int],
    *columns: list[float],
) -> Series:
    key = SeriesKey(Place(country, asn), target, signal, resolver_asn=resolver_asn)
    starts = np.array(times, np.int64)
    *in_bins, probes, seen, checked, made = columns
    if probes:
        return series_of(
            key,
            step,
            _ballots(np.repeat(starts, np.array(in_bins[1], np.int64)), probes, seen, checked, made),
        )
    order = np.argsort(starts)
    values, counts, controlled, measurements = (np.array(column)[order] for column in in_bins)
    return Series(
        key=key,
        step=step,
        times=starts[order],
        values=values.astype(np.float64),
        counts=counts.astype(np.int64),
        controlled=controlled.astype(np.int64),
        measurements=measurements.astype(np.int64),
    )


def _ballots(bins: Ints, probes: list[float], *columns: list[float]) -> Ballots:
    seen, controlled, measurements = (np.array(column, np.int64) for column in columns)
    numbers = np.unique(np.array(probes, np.uint64), return_inverse=True)[1]
    return Ballots(bins, numbers, seen == 1, controlled == 1, measurements)


def _asked(country: str, since: float, until: float, targets: Sequence[str]) -> dict[str, Any]:
    return {"country": country, "targets": list(targets), **window(since, until)}


@dataclass(frozen=True, slots=True)
class CountScope:
    """Which measurements are counted.  An empty tuple stands for all.

    Attributes:
        since, until: unix seconds, UTC, half-open.
        layers: count only verdicts of these layers (``dns``, ``tls``); a measurement without one is left out.
    """

    since: float
    until: float
    countries: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    but: tuple[str, ...] = field(default=(), kw_only=True)
    """Targets to leave out if ``targets`` names none: those measured only for comparison."""


AxisValue = str | int
"""A bin's beginning for ``time`` (unix seconds), an ASN for ``network``, otherwise text; empty mechanism = unknown."""


@dataclass(frozen=True, slots=True)
class CountedMeasurement:
    """One measurement of one target, and what became of it.

    Attributes:
        micros: when it was made, in unix microseconds, UTC.
        outcome: ``ok``, ``blocked``, ``throttled`` or ``unclear``.
        mechanism: empty = none, or unknown.
    """

    uid: str
    micros: int
    target: str
    asn: int
    country: str
    source: str
    test_name: str
    outcome: str
    mechanism: str


class CountFacts(FactsPart):
    """Counts of measurements by outcome."""

    def verdicts_within(self, scope: CountScope) -> int:
        """How many verdicts ``tally`` would read, which is its cost."""
        filters, values = _filters(scope)
        ((count,),) = self.engine.rows(TALLY_SIZE % {"filters": filters}, **values)
        return int(count)

    def tally(
        self, scope: CountScope, axes: Sequence[str], edges: Sequence[float], most: int
    ) -> list[tuple[tuple[AxisValue, ...], Outcomes]]:
        """Values on the axes -> outcomes of the measurements there, in order of the values.

        Args:
            axes: names of ``vote_sql.AXES``, at least one.
            edges: unix seconds, ascending, at which bins of ``time`` begin; what is earlier counts with the first.
            most: most rows; further ones are left out.
        """
        filters, values = _filters(scope)
        columns = ", ".join(AXES[axis] for axis in axes)
        rows = self.engine.rows(
            TALLY % {"columns": columns, "filters": filters},
            edges=[ticks(edge) for edge in edges],
            most=most,
            **values,
        )
        return [
            (
                tuple(
                    value // 1_000_000 if axis == "time" else value
                    for axis, value in zip(axes, row, strict=False)
                ),
                Outcomes(*row[len(axes) :]),
            )
            for row in rows
        ]

    def counted_ones(
        self, scope: CountScope, most: int, after: tuple[int, str, str] | None = None
    ) -> list[CountedMeasurement]:
        """The measurements that ``tally`` counts, newest first.

        Args:
            after: ``micros``, uid and target of the previous one; ``None`` = from the newest.
        """
        filters, values = _filters(scope)
        at, uid, of = after or (2**62, "", "")
        rows = self.engine.rows(LISTED % {"filters": filters}, at=at, uid=uid, of=of, most=most, **values)
        return [CountedMeasurement(*row) for row in rows]


def _filters(scope: CountScope) -> tuple[str, dict[str, Any]]:
    """Conditions, and the values of their parameters."""
    sql, values = "", dict[str, Any](window(scope.since, scope.until))
    for column, kind, name, wanted in (
        ("country", "String", "countries", scope.countries),
        ("asn", "UInt32", "networks", scope.networks),
        ("target", "String", "targets", scope.targets),
        ("layer", "String", "layers", scope.layers),
    ):
        if wanted:
            sql += f" AND {column} IN {{{name}:Array({kind})}}"
            values[name] = list(wanted)
    if scope.but and not scope.targets:
        sql += " AND target NOT IN {but:Array(String)}"
        values["but"] = list(scope.but)
    return sql, values
