"""Votes: from verdicts to votes, series and counts, in SQL.

``analysis.series.aggregate`` is the reference for series in plain Python, and explains them.  A year of a country is
millions of measurements, so the engine counts them where they are stored.  A signal with ``layers``
(``analysis.series.signals``) is counted from verdicts; each gets its columns here, so a new one needs only its
declaration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from fanous.analysis.series.aggregate import BLOCKED_PATH, MOST, PROBE_MAJORITY, Ballots, series_of
from fanous.analysis.series.line import LEAST_BAD, MINUTES, Line
from fanous.analysis.series.signals import COUNTED, PATH_LAYERS, Signal, Symptoms
from fanous.model.coverage import MeasurementCount, Outcomes
from fanous.model.incident import Kind
from fanous.model.measurement import REDIRECT, Layer, Role
from fanous.model.place import Access, Place
from fanous.model.series import Ints, Rate, Series, SeriesKey, Votes
from fanous.model.verdict import LEAST_RATIO, LINE, STARVED, TIMED_OUT, State
from fanous.store.cache import remembered
from fanous.store.engine import IN_WINDOW, FactsPart, ticks, window

_WITH_DATA = f"multiSearchAny(mechanism, {list(STARVED)})"
_IS_SLOW = f"(layer = 'transfer' OR {_WITH_DATA})"
_STARVES = f"(symptom AND ({_WITH_DATA}))"
_TIMED_OUT = (
    f"(layer != '{Layer.TRANSFER}' AND state = '{State.BLOCKED}' AND endsWith(mechanism, '{TIMED_OUT}'))"
)
_SYMPTOM = {
    Symptoms.ALL: "symptom",
    Symptoms.SLOW: f"(symptom AND {_IS_SLOW})",
    Symptoms.NOT_SLOW: f"(symptom AND NOT {_IS_SLOW})",
}


def _group(signal: Signal) -> str:
    """Prefix of columns about a signal's layers, shared by signals of the same layers."""
    return "path" if signal.layers == PATH_LAYERS else "_".join(signal.layers)


def _layers(signal: Signal) -> str:
    if signal.layers == PATH_LAYERS:
        return f"layer != '{Layer.DNS}'"
    names = [f"'{layer}'" for layer in signal.layers]
    return f"layer = {names[0]}" if len(names) == 1 else f"layer IN ({', '.join(names)})"


def _shows(signal: Signal) -> str:
    """SQL: does a verdict say what the signal counts?"""
    states = " OR ".join(f"state = '{state}'" for state in signal.states)
    return f"{_layers(signal)} AND ({states} OR {_SYMPTOM[signal.symptoms]})"


def _seen(signal: Signal) -> str:
    """Name of the column: does a verdict of the measurement say so?"""
    return f"{_group(signal)}_{'_'.join(signal.states)}"


def _short(signal: Signal) -> str:
    """Prefix of columns about the signal itself."""
    return signal.name.removeprefix("blocked_")


def _verdict_columns() -> list[str]:
    """Which verdicts a measurement has, by layer, and whether its line must be known (``analysis.series.line``)."""
    columns = []
    for group in dict.fromkeys(map(_group, COUNTED)):
        where = next(_layers(signal) for signal in COUNTED if _group(signal) == group)
        columns += [
            f"countIf({where} AND state = 'ok') > 0 AS {group}_ok",
            f"countIf({where} AND controlled AND NOT {_STARVES}) > 0 AS {group}_checked",
        ]
    for signal in COUNTED:
        for kind, which in (
            ("sure", f"NOT {_STARVES} AND NOT {_TIMED_OUT}"),
            ("starved", _STARVES),
            ("timed_out", _TIMED_OUT),
        ):
            # 2 = with a control of its own.
            columns.append(f"maxIf(1 + controlled, {_shows(signal)} AND {which}) AS {_short(signal)}_{kind}")
    return columns


def _in_view_of_line() -> list[str]:
    """SQL: what of this counts; ``line`` is how the line was, ``sender_known`` whether it is known who sent it."""
    columns = []
    for signal in COUNTED:
        sure, starved, timed_out = (f"{_short(signal)}_{kind}" for kind in ("sure", "starved", "timed_out"))
        columns.append(
            f"{sure} > 0 OR {timed_out} > 0 OR ({starved} > 0 AND line != '{Line.BAD}') AS {_seen(signal)}"
        )
        # A control that came with another verdict of the measurement says nothing about what was seen.
        controlled = (
            f"{sure} = 2 OR ({timed_out} = 2 AND line != '{Line.BAD}') "
            f"OR ({starved} = 2 AND line = '{Line.WELL}' AND sender_known)"
        )
        columns.append(
            f"if({_seen(signal)}, {controlled}, {_group(signal)}_checked) AS {_short(signal)}_controlled"
        )
    return [*columns, *map(_vote, COUNTED)]


def _vote(signal: Signal) -> str:
    """SQL: 1 = it says so, 0 = it says the contrary, -1 = no vote."""
    works = f"{_group(signal)}_ok"
    if signal.yields_to:
        (other,) = (rival for rival in COUNTED if rival.name == signal.yields_to)
        works += f" AND NOT {_seen(other)}"
    return f"multiIf({_seen(signal)}, 1, {works}, 0, -1) AS {_short(signal)}_vote"


def _mechanism(signal: Signal) -> str:
    """The mechanism named by the most severe, first verdict; a symptom of slowness is as good as a verdict."""
    severe = "" if signal.symptoms is Symptoms.SLOW else f"state != '{signal.states[0]}', "
    order = f"({severe}mechanism = '', number)"
    return f"argMinIf(mechanism, {order}, {_shows(signal)}) AS {_short(signal)}_mechanism"


def _each(column: str) -> str:
    return ", ".join(f"{_short(signal)}_{column}" for signal in COUNTED)


def _any(columns: list[str]) -> str:
    return " OR ".join(dict.fromkeys(columns))


_OF_RESOLVERS = [f"signal = '{signal.name}'" for signal in COUNTED if signal.by_resolver]
RATED = tuple(signal for signal in COUNTED if State.THROTTLED in signal.states)
"""Signals whose votes carry a rate."""

_VERDICTS, _COLUMNS = ",\n    ".join(_verdict_columns()), ",\n    ".join(_in_view_of_line())

_IS_SENDER_KNOWN = "probe != uid"
_SENDER = f"concat(country, ' ', toString(asn), ' ', if({_IS_SENDER_KNOWN}, probe, ''))"
_MICROS = int(MINUTES * 1_000_000)
_HOUR_QUARTER = f"intDiv(micros, {_MICROS})"
_RATE = "NOT isNaN(kbps)"
_ACCOUNT = f"""
SELECT uid, target, any({_SENDER}) AS sender, toUnixTimestamp64Micro(any(started_at)) AS micros,
    countIf({_STARVES}) > 0 AS starves, countIf({_TIMED_OUT}) > 0 AS timed_out,
    any({_IS_SENDER_KNOWN}) AS sender_known,
    if(countIf(state = 'ok' AND {_RATE}) > 0, maxIf(kbps, state = 'ok' AND {_RATE}), nan) AS came,
    if(countIf({_STARVES} AND {_RATE}) > 0, minIf(kbps, {_STARVES} AND {_RATE}), nan) AS at_most,
    starves OR countIf(mechanism = '{LINE}') > 0 AS is_bad
FROM verdicts
WHERE asn != 0 AND defect = '' AND {IN_WINDOW} %(among)s
"""
# Only senders with something to ask about are looked at; on most days they are few.
_QUESTIONED = f"FROM verdicts WHERE ({_STARVES} OR {_TIMED_OUT}) AND {IN_WINDOW} %(among)s"
_IN_COMPANY = f"""
FROM (
    SELECT *, arrayJoin([-1, 0, 1]) + {_HOUR_QUARTER} AS slot FROM (
        {_ACCOUNT} AND uid IN (SELECT uid {_QUESTIONED}) GROUP BY uid, target
    ) WHERE starves OR timed_out
) AS asked
INNER JOIN (
    SELECT *, {_HOUR_QUARTER} AS slot FROM (
        {_ACCOUNT} AND {_SENDER} IN (SELECT {_SENDER} {_QUESTIONED}) GROUP BY uid, target
    )
) AS other ON asked.sender = other.sender AND asked.slot = other.slot
WHERE other.target != asked.target
    AND other.micros >= asked.micros - {_MICROS} AND other.micros < asked.micros + {_MICROS}
"""
COMPANY = f"SELECT DISTINCT other.uid {_IN_COMPANY} AND asked.target IN {{targets:Array(String)}} ORDER BY other.uid"
"""What was measured next to these targets and shows how the line was."""
_LINES = f"""
SELECT uid, target, any(sender_known) AS sender_known,
    countIf(nearest.1) AS bad,
    countIf(NOT nearest.1 AND NOT isNaN(nearest.2) AND NOT at_most >= {LEAST_RATIO} * nearest.2) AS good,
    multiIf(NOT any(starves), if(bad >= {LEAST_BAD} AND bad > good, '{Line.BAD}', '{Line.WELL}'),
        good > bad, '{Line.WELL}', bad > 0 AND good = 0, '{Line.BAD}', '{Line.UNKNOWN}') AS line
FROM (
    SELECT asked.uid AS uid, asked.target AS target, any(asked.sender_known) AS sender_known,
        any(asked.starves) AS starves, any(asked.at_most) AS at_most,
        argMin((other.is_bad, other.came), (abs(other.micros - asked.micros), other.uid)) AS nearest
    {_IN_COMPANY}
    GROUP BY asked.uid, asked.target, other.target
)
GROUP BY uid, target
"""
"""(uid, target) -> the line of each measurement that starves or times out, as ``analysis.series.line`` finds it."""
OF_COUNTRY = {"among": "AND country = {country:String} AND country != 'ZZ'"}
_WITH_LINES = f"LEFT JOIN ({_LINES}) AS lines USING (uid, target)"
_NO_LINES = ", '' AS line, false AS sender_known"
_WHICH = "AND target IN {targets:Array(String)}"
_HAS_QUESTIONED = f"SELECT 1 {_QUESTIONED} %%(which)s LIMIT 1" % OF_COUNTRY

# Every column but the verdict's own has one value per measurement: any() picks it.
_BY_MEASUREMENT = f"""
SELECT *, {_COLUMNS} FROM (
    SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe,
        any(access) AS over, any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros,
        toUnixTimestamp64Micro(any(receipt)) AS receipt_micros, any(vouched) AS is_vouched,
        any(volunteer) AS is_volunteer, {_VERDICTS} %(more)s
    FROM verdicts
    WHERE country %(places)s {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
        AND {IN_WINDOW} %(which)s
    GROUP BY uid, target
) AS measured %(lines)s
"""
_MECHANISMS = ",\n    ".join(map(_mechanism, COUNTED))


def _roles(where: str, name: str) -> str:
    """SQL: the roles of the verdicts of a measurement for which something holds, in order, between blanks."""
    return f"arrayStringConcat(arraySort(groupUniqArrayIf(role, {where})), ' ') AS {name}"


_CUT = ",\n    ".join(_roles(_shows(signal), f"{_short(signal)}_cut") for signal in COUNTED)
DETAILS = f""",
    {_MECHANISMS},
    {_CUT},
    {_roles("state = 'ok'", "roles_ok")},
    avgIf(kbps, {_any([_shows(signal) for signal in RATED])} AND NOT isNaN(kbps)) AS rate
"""
"""Columns that only queries about an incident's witnesses need."""

_WIDTH = "if(is_vouched, {vouched_step:Int64}, {step:Int64})"
_BY_PROBE = f"""
SELECT network, target, signal, if({_any(_OF_RESOLVERS)}, resolver, 0) AS resolver_network, from_probe,
    intDiv(micros, {_WIDTH} * 1000000) * {_WIDTH} AS bin,
    avg(vote) >= {PROBE_MAJORITY} AS seen, max(with_control) AS checked, max(is_vouched) AS known, count() AS made
FROM ({_BY_MEASUREMENT})
ARRAY JOIN
    [{", ".join(f"'{signal.name}'" for signal in COUNTED)}] AS signal,
    [{_each("vote")}] AS vote,
    [{_each("controlled")}] AS with_control
WHERE vote >= 0
GROUP BY network, target, signal, resolver_network, bin, from_probe
"""
_BINS = f"""
SELECT network, target, signal, resolver_network, bin, sum(seen) AS saw, count() AS probes,
    sum(checked) AS checked_probes, sum(made) AS measurements, sum(known) AS known_probes,
    groupArray(sipHash64(from_probe)) AS voters, groupArray(seen) AS seen_each, groupArray(checked) AS checked_each,
    groupArray(made) AS made_each, groupArray(known) AS known_each
FROM ({_BY_PROBE})
GROUP BY network, target, signal, resolver_network, bin
"""
_BINS_BY_SERIES = f"""
SELECT network, target, signal, resolver_network, groupArray(bin) AS bins, groupArray(saw / probes) AS shares,
    groupArray(probes) AS probes_each, groupArray(checked_probes) AS checked_probes_each,
    groupArray(measurements) AS measurements_each, groupArray(known_probes) AS known_probes_each,
    sum(saw) AS yes, sum(probes) AS ballots, uniqExactArray(voters) AS people,
    groupArrayArray(voters) AS by, groupArrayArray(seen_each) AS seen, groupArrayArray(checked_each) AS checked,
    groupArrayArray(made_each) AS made, groupArrayArray(known_each) AS known
FROM ({_BINS})
GROUP BY network, target, signal, resolver_network
"""
# Single ballots are needed only where a probe may have been overruled (``analysis.series.aggregate``): some probe said
# yes and some probe no, and one of them more than once.
SERIES = f"""
SELECT network, target, signal, resolver_network, bins, shares, probes_each, checked_probes_each, measurements_each,
    known_probes_each,
    if(0 < yes AND yes < ballots AND {MOST + 1} < people AND people < ballots,
        (by, seen, checked, made, known), ([], [], [], [], []))
FROM ({_BINS_BY_SERIES})
ORDER BY network, target, signal, resolver_network
"""
SHARED = f"""
SELECT target, groupUniqArray(source) AS sources, max(vouched) AS answered FROM verdicts
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target != '' AND {IN_WINDOW}
GROUP BY target, asn HAVING length(sources) > 1 OR answered AND NOT min(vouched) ORDER BY target, asn
"""
"""Targets that several sources, or vouched probes and others, measured on one network."""

WITNESSES = f"""
SELECT uid, micros / 1000000, network, resolver, target, from_probe, over, via, receipt_micros / 1000000,
    is_vouched, is_volunteer, {_each("vote")}, {_each("controlled")},
    {_each("mechanism")}, {_each("cut")}, roles_ok, rate
FROM ({_BY_MEASUREMENT})
WHERE {" OR ".join(f"{_short(signal)}_vote >= 0" for signal in COUNTED)}
ORDER BY micros, uid, target
"""
"""One row per measurement and target: a third of the rows that ``votes`` makes of them."""

WORKING = f"""
SELECT uid, micros / 1000000, network, 0, target, '{BLOCKED_PATH}', from_probe,
    0, {_any([f"{_group(signal)}_checked" for signal in COUNTED])}, '', nan, over, via, receipt_micros / 1000000,
    is_vouched, is_volunteer
FROM ({_BY_MEASUREMENT})
WHERE ({_any([f"{_group(signal)}_ok" for signal in COUNTED])}) AND NOT ({_any([*map(_seen, COUNTED)])})
ORDER BY micros, uid, target
"""

_STATE = {Kind.BLOCKING: State.BLOCKED, Kind.THROTTLING: State.THROTTLED}


def _voted(state: State, answer: int) -> str:
    """SQL: did a signal that proves this state give this answer?"""
    votes = [f"{_short(rule)}_vote = {answer}" for rule in COUNTED if _STATE[rule.proves[0]] is state]
    return f"({_any(votes)})"


def _named_mechanism(state: State) -> str:
    """The mechanism of the first signal of this state that names one."""
    rules = [rule for rule in COUNTED if _STATE[rule.proves[0]] is state]
    cases = ", ".join(
        f"{_short(r)}_vote = 1 AND {_short(r)}_mechanism != '', {_short(r)}_mechanism" for r in rules
    )
    return f"multiIf({cases}, '')"


AXES = {
    "time": "edge",
    "country": "cc",
    "network": "network",
    "target": "target",
    "mechanism": "mechanism",
    "source": "via",
}
"""What measurements can be counted by -> its column in ``TALLY``."""

_COUNTED_ONES = f"""
FROM verdicts
WHERE country != 'ZZ' AND asn != 0 AND defect = '' AND target != '' AND {IN_WINDOW} %(filters)s
"""
TALLY_SIZE = f"SELECT count() {_COUNTED_ONES}"
"""Verdicts that ``TALLY`` would read."""

_OUTCOMES = f"""
SELECT uid, micros, target, network, cc, via, test,
    multiIf({_voted(State.BLOCKED, 1)}, 'blocked', {_voted(State.THROTTLED, 1)}, 'throttled',
        {_any([f"{_short(rule)}_vote = 0" for rule in COUNTED])}, 'ok', 'unclear') AS outcome,
    multiIf(outcome = 'blocked', {_named_mechanism(State.BLOCKED)},
        outcome = 'throttled', {_named_mechanism(State.THROTTLED)}, '') AS mechanism
FROM (
    SELECT *, {_COLUMNS} FROM (
        SELECT uid, target, any(asn) AS network, any(country) AS cc, any(source) AS via, any(test_name) AS test,
            toUnixTimestamp64Micro(any(started_at)) AS micros, {_VERDICTS}, {_MECHANISMS}
        {_COUNTED_ONES}
        GROUP BY uid, target
    ) AS measured {_WITH_LINES}
)
"""
TALLY = f"""
SELECT %(columns)s, count() AS measurements,
    countIf(outcome = 'ok') AS ok, countIf(outcome = 'blocked') AS blocked,
    countIf(outcome = 'throttled') AS throttled, countIf(outcome = 'unclear') AS unclear
FROM (SELECT *, roundDown(micros, {{edges:Array(Int64)}}) AS edge FROM ({_OUTCOMES}))
GROUP BY %(columns)s ORDER BY %(columns)s LIMIT {{most:Int64}}
"""
"""Measurements by what became of them: blocked, slowed, worked, or no rule could say.  One of two targets counts once
for each."""

LISTED = f"""
SELECT uid, micros, target, network, cc, via, test, outcome, mechanism FROM ({_OUTCOMES})
WHERE (micros, uid, target) < ({{at:Int64}}, {{uid:String}}, {{of:String}})
ORDER BY micros DESC, uid DESC, target DESC LIMIT {{most:Int64}}
"""
"""Single measurements among them, newest first, after a position in that order."""


_FELL = "(state = 'blocked' OR symptom OR (state = 'throttled' AND layer != 'dns'))"
# A measurement counts if any of its targets has a vote.
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
_FAILURES = f"""
SELECT network, roundDown(micros, {{edges:Array(Int64)}}) AS edge, uniqExact(uid),
    uniqExactIf(uid, {_any([*map(_seen, COUNTED)])})
FROM ({_BY_MEASUREMENT})
WHERE {_any([f"{_short(signal)}_vote >= 0" for signal in COUNTED])}
GROUP BY network, edge ORDER BY network, edge
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
    controls.fastest, if(empty(trips.uid), nan, trips.rtt), m.target, m.source,
    toUnixTimestamp64Micro(m.receipt) / 1000000, m.vouched
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
        vouched_step: int = 0,
        *,
        only_vouched: bool = False,
    ) -> list[Series]:
        """``blocked_dns``, ``blocked_path`` and ``throttled`` for each network and target, as
        ``analysis.series.aggregate.series`` gives them.  ``since`` and ``until`` should be multiples of ``step``:
        a bin cut by the window counts only what is inside.

        Args:
            targets, sources: ``None`` = all.
            vouched_step: bin width of vouched voices, a divisor of ``step``; 0 = the same.
            only_vouched: leave out voices for whom no one answers.
        """
        with_lines = self._has_questioned(country, since, until, targets)
        sql = SERIES % _parts(targets, sources, with_lines=with_lines, only_vouched=only_vouched)
        steps = {"step": step, "vouched_step": vouched_step or step}
        rows = self.engine.rows(sql, **steps, **_parameters(country, since, until, targets, sources))
        return [_series(country, (step, vouched_step), *row) for row in rows]

    @remembered(15, of_measurements=True)
    def series_of_targets(
        self,
        country: str,
        since: float,
        until: float,
        step: int,
        targets: Sequence[str] | None,
        vouched_step: int,
    ) -> list[Series]:
        """``series`` of some targets (``None`` = all), which a page needs in each of its languages."""
        return self.series(country, since, until, step, targets, vouched_step=vouched_step)

    def _has_questioned(
        self, country: str, since: float, until: float, targets: Sequence[str] | None
    ) -> bool:
        """Did any measurement of these targets starve or time out, so that its line must be known?

        Without any, planning the query that finds lines still takes a tenth of a second.
        """
        sql = _HAS_QUESTIONED % {"which": _WHICH if targets is not None else ""}
        return bool(self.engine.rows(sql, **_parameters(country, since, until, targets)))

    def shared(self, country: str, since: float, until: float) -> list[tuple[str, tuple[str, ...], bool]]:
        """Targets that several sources, or vouched probes and others, measured on one network, with these sources and
        whether any was vouched: a row for each network."""
        rows = self.engine.rows(SHARED, country=country, **window(since, until))
        return [(target, tuple(sources), bool(answered)) for target, sources, answered in rows]

    @remembered(15, of_measurements=True)
    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        """The votes that ``series`` aggregates in bins, by time."""
        with_lines = self._has_questioned(country, since, until, targets)
        sql = WITNESSES % _parts(targets, more=DETAILS, with_lines=with_lines)
        return _witnesses(self.engine.columns(sql, **_parameters(country, since, until, targets)))

    def company(self, country: str, since: float, until: float, targets: Sequence[str]) -> list[str]:
        """The measurements of other targets that say how the line was on which these starved or timed out."""
        rows = self.engine.rows(COMPANY % OF_COUNTRY, **_asked(country, since, until, targets))
        return [uid for (uid,) in rows]

    def working_elsewhere(self, country: str, since: float, until: float, targets: Sequence[str]) -> Votes:
        """Measurements of other countries that found all layers to work, by time (``blocked_path``)."""
        sql = WORKING % _parts(targets, places="!=", with_lines=False)
        # The columns of ``WORKING`` are the fields of ``Votes`` in order, without roles.
        columns = self.engine.columns(sql, **_parameters(country, since, until, targets))
        plain = (object, float, int, int, object, object, object, bool, bool, object, float, object, object)
        kinds = (*plain, float, bool, bool)
        no_roles = np.full(len(columns[0]) if columns else 0, "", object)
        return Votes(*[*map(np.array, columns or [[] for _ in kinds], kinds), no_roles, no_roles])

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
        sql = _FAILURES % _parts(targets)
        rows = self.engine.rows(sql, edges=at, **_asked(country, since, until, targets))
        return [MeasurementCount(asn, edge / 1_000_000, m, failed) for asn, edge, m, failed in rows]

    def rates(self, country: str, since: float, until: float) -> list[Rate]:
        """Rates of downloads under innocuous names, by time: of the country and, to compare with, of all others;
        none where the country has none."""
        if not self.engine.rows(_HAS_DOWNLOADS, country=country, **window(since, until)):
            return []
        return [
            Rate(uid, country, asn, Access(access), probe, at, kbps, rtt, beside, source, receipt, vouched)
            for uid, country, asn, access, probe, at, kbps, rtt, beside, source, receipt, vouched in (
                self.engine.rows(_RATES, **window(since, until))
            )
        ]


def _parts(
    targets: Sequence[str] | None,
    sources: Sequence[str] | None = None,
    *,
    places: str = "=",
    more: str = "",
    with_lines: bool = True,
    only_vouched: bool = False,
) -> dict[str, str]:
    """The parts of the SQL that differ from query to query.

    Args:
        with_lines: the lines of measurements that starve or time out; without them, none may be needed.
    """
    which = "" if targets is None else _WHICH
    if sources is not None:
        which += " AND source IN {sources:Array(String)}"
    if only_vouched:
        which += " AND vouched"
    lines = _WITH_LINES % OF_COUNTRY if with_lines else ""
    more += "" if with_lines else _NO_LINES
    return {"places": places, "which": which, "more": more, "lines": lines}


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
    (
        uids,
        times,
        asns,
        resolvers,
        targets,
        probes,
        access,
        sources,
        receipts,
        vouched,
        volunteer,
        *by_signal,
        reached,
        kbps,
    ) = columns or [[] for _ in range(13 + 4 * number)]
    roles = list(zip(*by_signal[3 * number :], reached, strict=True))

    def of_signals(part: int, kind: type) -> Any:
        """One of the three columns of each signal, as an array with a row per measurement."""
        columns = by_signal[part * number : (part + 1) * number]
        return np.array(columns, kind).reshape(number, -1).T

    said, controlled, mechanisms = of_signals(0, np.int64), of_signals(1, np.bool_), of_signals(2, object)
    row, signal = np.nonzero(said >= 0)
    by_resolver = np.array([rule.by_resolver for rule in COUNTED], np.bool_)[signal]
    rated = np.array([rule in RATED for rule in COUNTED], np.bool_)[signal]

    def each(values: list[Any], kind: type) -> Any:
        return np.array(values, kind)[row]

    told = [
        _told(roles[which], index if said[which, index] == 1 else -1)
        for which, index in zip(row.tolist(), signal.tolist(), strict=True)
    ]

    return Votes(
        uids=each(uids, object),
        times=each(times, float),
        asns=each(asns, int),
        resolver_asns=np.where(by_resolver, each(resolvers, int), 0),
        targets=each(targets, object),
        signals=np.array([rule.name for rule in COUNTED], object)[signal],
        probes=each(probes, object),
        seen=said[row, signal] == 1,
        controlled=controlled[row, signal],
        mechanisms=mechanisms[row, signal],
        kbps=np.where(rated, each(kbps, float), np.nan),
        access=each(access, object),
        sources=each(sources, object),
        receipts=each(receipts, float),
        vouched=each(vouched, bool),
        volunteer=each(volunteer, bool),
        cut=np.array([cut for cut, _ in told], object),
        reached=np.array([worked for _, worked in told], object),
    )


@lru_cache(maxsize=4096)
def _told(of_measurement: tuple[str, ...], said: int) -> tuple[str, str]:
    """The roles that failed, as one signal shows, and those that worked in every respect.

    A page behind a redirect to another service's host is a page of the role that was asked for.

    Args:
        of_measurement: roles that failed, for each signal; last those with a step that worked.
        said: number of the signal; -1 = it does not show that any failed.
    """
    *failed, worked = (set(names.split()) for names in of_measurement)
    asked = worked.union(*failed) - {REDIRECT} or {Role.WEB.value}
    cut = failed[said] if said >= 0 else set[str]()
    if REDIRECT in cut:
        cut = cut - {REDIRECT} | asked
    reached = worked.difference({REDIRECT}, cut, *failed)
    return " ".join(sorted(cut)), " ".join(sorted(reached))


def _series(
    country: str,
    steps: tuple[int, int],
    asn: int,
    target: str,
    signal: str,
    resolver_asn: int,
    times: list[int],
    *columns: Any,
) -> Series:
    key = SeriesKey(Place(country, asn), target, signal, resolver_asn=resolver_asn)
    starts = np.array(times, np.int64)
    *in_bins, (probes, *ballots) = columns
    step, vouched_step = steps
    if probes:
        bins = np.repeat(starts, np.array(in_bins[1], np.int64))
        return series_of(key, step, _ballots(bins, probes, *ballots), vouched_step)
    order = np.argsort(starts)
    values, counts, controlled, measurements, vouched = (np.array(column)[order] for column in in_bins)
    return Series(
        key=key,
        step=vouched_step if vouched_step and vouched.any() else step,
        times=starts[order],
        values=values.astype(np.float64),
        counts=counts.astype(np.int64),
        controlled=controlled.astype(np.int64),
        measurements=measurements.astype(np.int64),
        vouched=vouched.astype(np.int64),
    )


def _ballots(bins: Ints, probes: list[float], *columns: list[float]) -> Ballots:
    seen, controlled, measurements, vouched = (np.array(column, np.int64) for column in columns)
    numbers = np.unique(np.array(probes, np.uint64), return_inverse=True)[1]
    return Ballots(bins, numbers, seen == 1, controlled == 1, measurements, vouched == 1)


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
            axes: names of ``AXES``, at least one.
            edges: unix seconds, ascending, at which bins of ``time`` begin; what is earlier counts with the first.
            most: most rows; further ones are left out.
        """
        filters, values = _filters(scope)
        columns = ", ".join(AXES[axis] for axis in axes)
        rows = self.engine.rows(
            TALLY % {"columns": columns, "filters": filters, "among": _among(scope)},
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
        sql = LISTED % {"filters": filters, "among": _among(scope)}
        rows = self.engine.rows(sql, at=at, uid=uid, of=of, most=most, **values)
        return [CountedMeasurement(*row) for row in rows]


def _among(scope: CountScope) -> str:
    """Where a sender's other measurements are looked for: of any target."""
    sql = "AND country != 'ZZ'"
    if scope.countries:
        sql += " AND country IN {countries:Array(String)}"
    if scope.networks:
        sql += " AND asn IN {networks:Array(UInt32)}"
    return sql


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
