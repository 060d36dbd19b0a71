"""Votes: verdicts to votes to series, in SQL; ``analysis.series.aggregate`` is the reference and the explanation.

Outcomes: how many measurements of some targets were made, and how many failed, counted by the engine.

A year of a country is millions of measurements: what is shown of them is counted where they lie.

Rates: how fast data came to probes under innocuous names, from the facts of their downloads.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fanous.analysis.series.aggregate import (
    BLOCKED_DNS,
    BLOCKED_PATH,
    PROBE_MAJORITY,
    THROTTLED,
    Ballots,
    series_of,
)
from fanous.analysis.series.repeats import MOST
from fanous.model.coverage import MeasurementCount
from fanous.model.place import Access, Place
from fanous.model.series import Ints, Rate, Series, SeriesKey, Votes
from fanous.model.verdict import SLOWNESS
from fanous.store.batch import ticks
from fanous.store.engine import IN_WINDOW, Engine, window

_IS_SLOW = f"(layer = 'transfer' OR position(mechanism, '{SLOWNESS}') > 0)"
_SLOWED = f"layer != 'dns' AND (state = 'throttled' OR (symptom AND {_IS_SLOW}))"
_BLOCKED = f"layer != 'dns' AND (state = 'blocked' OR (symptom AND NOT {_IS_SLOW}))"

# -1 = no vote.  Every column but the verdict's own has one value a measurement: any() picks it.
_BY_MEASUREMENT = f"""
SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe,
    any(access) AS line, any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros,
    countIf(layer = 'dns' AND (state = 'blocked' OR symptom)) > 0 AS dns_blocked,
    countIf(layer = 'dns' AND state = 'ok') > 0 AS dns_ok,
    countIf(layer = 'dns' AND controlled) > 0 AS dns_controlled,
    countIf({_BLOCKED}) > 0 AS path_blocked,
    countIf(layer != 'dns' AND state = 'ok') > 0 AS path_ok,
    countIf({_SLOWED}) > 0 AS path_throttled,
    countIf(layer != 'dns' AND controlled) > 0 AS path_controlled,
    if(path_throttled, countIf({_SLOWED} AND controlled) > 0, path_controlled) AS throttled_controlled,
    multiIf(dns_blocked, 1, dns_ok, 0, -1) AS dns_vote,
    multiIf(path_blocked, 1, path_ok, 0, -1) AS path_vote,
    multiIf(path_throttled, 1, path_ok AND NOT path_blocked, 0, -1) AS throttled_vote %(more)s
FROM verdicts
WHERE country %(places)s {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
    AND {IN_WINDOW} %(which)s
GROUP BY uid, target
"""
# What only the witnesses of an incident need: the mechanism named by the most severe, first verdict.
_DETAILS = f""",
    argMinIf(mechanism, (state != 'blocked', mechanism = '', number),
        layer = 'dns' AND (state = 'blocked' OR symptom)) AS dns_mechanism,
    argMinIf(mechanism, (state != 'blocked', mechanism = '', number), {_BLOCKED}) AS path_mechanism,
    argMinIf(mechanism, (mechanism = '', number), {_SLOWED}) AS throttled_mechanism,
    avgIf(kbps, {_SLOWED} AND NOT isNaN(kbps)) AS rate
"""
_IN_SIGNALS = f"""
ARRAY JOIN
    ['{BLOCKED_DNS}', '{BLOCKED_PATH}', '{THROTTLED}'] AS signal,
    [dns_vote, path_vote, throttled_vote] AS vote,
    [dns_controlled, path_controlled, throttled_controlled] AS with_control
"""
_VOTES = f"""
SELECT target, network, from_probe, micros, signal, vote, with_control,
    if(signal = '{BLOCKED_DNS}', resolver, 0) AS resolver_network
FROM ({_BY_MEASUREMENT}) {_IN_SIGNALS}
WHERE vote >= 0
"""
_BY_PROBE = f"""
SELECT network, target, signal, resolver_network, from_probe,
    intDiv(micros, {{step:Int64}} * 1000000) * {{step:Int64}} AS bin,
    avg(vote) >= {PROBE_MAJORITY} AS seen, max(with_control) AS checked, count() AS made
FROM ({_VOTES})
GROUP BY network, target, signal, resolver_network, bin, from_probe
"""
_BINS = f"""
SELECT network, target, signal, resolver_network, bin, sum(seen) AS saw, count() AS probes,
    sum(checked) AS checked_probes, sum(made) AS measurements,
    groupArray((sipHash64(from_probe), seen, checked, made)) AS ballots
FROM ({_BY_PROBE})
GROUP BY network, target, signal, resolver_network, bin
"""
# Single ballots are needed only where a probe may have been overruled (``analysis.series.repeats``): somebody said yes
# and somebody no, and one of them more than once.
_SERIES = f"""
SELECT network, target, signal, resolver_network, groupArray(bin),
    groupArray(saw / probes), groupArray(probes), groupArray(checked_probes), groupArray(measurements),
    sum(saw) BETWEEN 1 AND sum(probes) - 1
        AND uniqExactArray(ballots.1) BETWEEN {MOST + 2} AND sum(probes) - 1 AS contested,
    if(contested, arrayFlatten(groupArray(ballots)), []) AS theirs,
    theirs.1, theirs.2, theirs.3, theirs.4
FROM ({_BINS})
GROUP BY network, target, signal, resolver_network
ORDER BY network, target, signal, resolver_network
"""
# One row a measurement and target: a third of the rows that are made of it here (``_witnesses``).
_WITNESSES = f"""
SELECT uid, micros / 1000000, network, resolver, target, from_probe, line, via,
    dns_vote, path_vote, throttled_vote, dns_controlled, path_controlled, throttled_controlled,
    dns_mechanism, path_mechanism, throttled_mechanism, rate
FROM ({_BY_MEASUREMENT})
WHERE dns_vote >= 0 OR path_vote >= 0 OR throttled_vote >= 0
ORDER BY micros, uid, target
"""
_WORKING = f"""
SELECT uid, micros / 1000000, network, 0, target, '{BLOCKED_PATH}', from_probe,
    0, dns_controlled OR path_controlled, '', nan, line, via
FROM ({_BY_MEASUREMENT})
WHERE (dns_ok OR path_ok) AND NOT (dns_blocked OR path_blocked OR path_throttled)
ORDER BY micros, uid, target
"""


class VoteAnswers:
    """The votes and the series made of them.

    Attributes:
        _engine: with the table ``verdicts``.
    """

    _engine: Engine

    def series(
        self, country: str, since: float, until: float, step: int = 600, targets: Sequence[str] | None = None
    ) -> list[Series]:
        """``blocked_dns``, ``blocked_path`` and ``throttled`` for each network and target, as
        ``analysis.series.aggregate.series`` gives them.  ``since`` and ``until`` should be multiples of ``step``:
        a bin that the window cuts holds only what is inside.

        Args:
            targets: ``None`` = all.
        """
        sql = _SERIES % _parts(targets)
        rows = self._engine.rows(sql, step=step, **_parameters(country, since, until, targets))
        return [_series(country, step, *row) for row in rows]

    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        """The same before it is gathered in bins, by time."""
        sql = _WITNESSES % _parts(targets, more=_DETAILS)
        return _witnesses(self._engine.columns(sql, **_parameters(country, since, until, targets)))

    def working_elsewhere(self, country: str, since: float, until: float, targets: Sequence[str]) -> Votes:
        """Measurements of other countries that found all layers to work, by time (``blocked_path``)."""
        sql = _WORKING % _parts(targets, places="!=")
        return _votes(self._engine.columns(sql, **_parameters(country, since, until, targets)))


def _parts(targets: Sequence[str] | None, *, places: str = "=", more: str = "") -> dict[str, str]:
    """What of ``_BY_MEASUREMENT`` differs from question to question."""
    which = "" if targets is None else "AND target IN {targets:Array(String)}"
    return {"places": places, "which": which, "more": more}


def _parameters(country: str, since: float, until: float, targets: Sequence[str] | None) -> dict[str, Any]:
    named = {} if targets is None else {"targets": list(targets)}
    return {"country": country, **window(since, until), **named}


def _witnesses(columns: list[list[Any]]) -> Votes:
    """The columns of ``_WITNESSES``, a row for each signal of which a measurement says yes or no.

    Within a measurement and target signals stand in the order of their names.
    """
    uids, times, asns, resolvers, targets, probes, access, sources, *by_signal, kbps = columns or [
        [] for _ in range(18)
    ]
    said, controlled, mechanisms = (
        np.array(by_signal[first : first + 3], kind).reshape(3, -1).T
        for first, kind in ((0, np.int64), (3, np.bool_), (6, object))
    )
    row, signal = np.nonzero(said >= 0)

    def each(values: list[Any], kind: type) -> Any:
        return np.array(values, kind)[row]

    return Votes(
        uids=each(uids, object),
        times=each(times, float),
        asns=each(asns, int),
        resolver_asns=np.where(signal == 0, each(resolvers, int), 0),
        targets=each(targets, object),
        signals=np.array([BLOCKED_DNS, BLOCKED_PATH, THROTTLED], object)[signal],
        probes=each(probes, object),
        seen=said[row, signal] == 1,
        controlled=controlled[row, signal],
        mechanisms=mechanisms[row, signal],
        kbps=np.where(signal == 2, each(kbps, float), np.nan),
        access=each(access, object),
        sources=each(sources, object),
    )


def _votes(columns: list[list[Any]]) -> Votes:
    """The columns of ``_WORKING`` are the fields of ``Votes`` in order."""
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
    *in_bins, _, _, probes, seen, checked, made = columns
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


_FELL = "(state = 'blocked' OR symptom OR (state = 'throttled' AND layer != 'dns'))"
# A measurement speaks if any of its targets has a vote (``store.votes``); it failed if one of them did.
_OF_TARGETS = f"""
FROM verdicts
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target IN {{targets:Array(String)}}
    AND ({_FELL} OR state = 'ok') AND {IN_WINDOW}
"""
# Rows stand in order of days: the first and the last day are found at the ends, and only they are looked at.
_ENDS = f"""
SELECT toUnixTimestamp64Micro(min(started_at)) / 1000000, toUnixTimestamp64Micro(max(started_at)) / 1000000
{_OF_TARGETS} AND toDate(started_at) IN (
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day LIMIT 1),
    (SELECT toDate(started_at) AS day {_OF_TARGETS} ORDER BY day DESC LIMIT 1)
) HAVING count() > 0
"""
# The engine tells identifiers apart by 128 bits of a hash, as it says of ``uniqExact``.
_OUTCOMES = f"""
SELECT asn, roundDown(toUnixTimestamp64Micro(started_at), {{edges:Array(Int64)}}) AS edge, uniqExact(uid),
    uniqExactIf(uid, {_FELL})
{_OF_TARGETS} GROUP BY asn, edge ORDER BY asn, edge
"""


class OutcomeAnswers:
    """What was measured of targets, counted.

    Attributes:
        _engine: with the table ``verdicts``.
    """

    _engine: Engine

    def ends(
        self, country: str, since: float, until: float, targets: Sequence[str]
    ) -> tuple[float, float] | None:
        """When the first and the last measurement was made that says yes or no of one of the targets."""
        rows = self._engine.rows(_ENDS, **_asked(country, since, until, targets))
        return (rows[0][0], rows[0][1]) if rows else None

    def outcomes(
        self, country: str, since: float, until: float, targets: Sequence[str], edges: Sequence[float]
    ) -> list[MeasurementCount]:
        """Measurements that say yes or no of one of the targets, counted by network and stretch of time.

        Args:
            edges: unix seconds, ascending, where stretches begin; what is earlier counts to the first.
        """
        at = [ticks(edge) for edge in edges]
        rows = self._engine.rows(_OUTCOMES, edges=at, **_asked(country, since, until, targets))
        return [MeasurementCount(asn, edge / 1_000_000, made, failed) for asn, edge, made, failed in rows]


def _asked(country: str, since: float, until: float, targets: Sequence[str]) -> dict[str, Any]:
    return {"country": country, "targets": list(targets), **window(since, until)}


# Downloads are few beside all else that is observed: they are found first, and only their measurements read.
_RATES = f"""
WITH controls AS (
    SELECT uid, max(kbps) AS fastest FROM observations
    WHERE layer = 'transfer' AND role = 'control' AND vantage = 'probe' AND NOT isNaN(kbps) AND {IN_WINDOW}
    GROUP BY uid
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


class RateAnswers:
    """Rates of downloads.

    Attributes:
        _engine: with the tables ``measurements`` and ``observations``.
    """

    _engine: Engine

    def rates(self, since: float, until: float) -> list[Rate]:
        """Rates of downloads under innocuous names, in all countries, by time."""
        return [
            Rate(uid, country, asn, Access(access), probe, at, kbps, rtt, beside, source)
            for uid, country, asn, access, probe, at, kbps, rtt, beside, source in self._engine.rows(
                _RATES, **window(since, until)
            )
        ]
