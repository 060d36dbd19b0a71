"""Vote SQL: verdicts to votes to series, as queries made from the declarations of ``analysis.series.signals``.

``analysis.series.aggregate`` is the reference in plain Python, and explains them.  A signal with ``layers``
is counted from verdicts; each gets its columns here, so a new one needs only its declaration.
"""

from fanous.analysis.series.aggregate import BLOCKED_PATH, PROBE_MAJORITY
from fanous.analysis.series.repeats import MOST
from fanous.analysis.series.signals import COUNTED, PATH_LAYERS, Signal, Symptoms
from fanous.model.incident import Kind
from fanous.model.measurement import Layer
from fanous.model.verdict import SLOWNESS, State
from fanous.store.engine import IN_WINDOW

_IS_SLOW = f"(layer = 'transfer' OR position(mechanism, '{SLOWNESS}') > 0)"
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
    """Which verdicts a measurement has, by layers."""
    columns = []
    for group in dict.fromkeys(map(_group, COUNTED)):
        first, *others = (signal for signal in COUNTED if _group(signal) == group)
        where = _layers(first)
        columns += [
            f"countIf({_shows(first)}) > 0 AS {_seen(first)}",
            f"countIf({where} AND state = 'ok') > 0 AS {group}_ok",
            *(f"countIf({_shows(signal)}) > 0 AS {_seen(signal)}" for signal in others),
            f"countIf({where} AND controlled) > 0 AS {group}_controlled",
        ]
    # Slowness is found by comparison: only a control that came with a slow verdict says anything about
    # it.
    return columns + [
        f"if({_seen(signal)}, countIf({_shows(signal)} AND controlled) > 0, {_group(signal)}_controlled) "
        f"AS {_short(signal)}_controlled"
        for signal in COUNTED
        if signal.symptoms is Symptoms.SLOW
    ]


def _vote(signal: Signal) -> str:
    """SQL: 1 = it says so, 0 = it says the contrary, -1 = no vote."""
    works = f"{_group(signal)}_ok"
    if signal.yields_to:
        (other,) = (each for each in COUNTED if each.name == signal.yields_to)
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

_COLUMNS = ",\n    ".join([*_verdict_columns(), *map(_vote, COUNTED)])
# Every column but the verdict's own has one value per measurement: any() picks it.
_BY_MEASUREMENT = f"""
SELECT uid, target, any(asn) AS network, any(resolver_asn) AS resolver, any(probe) AS from_probe,
    any(access) AS line, any(source) AS via, toUnixTimestamp64Micro(any(started_at)) AS micros,
    {_COLUMNS} %(more)s
FROM verdicts
WHERE country %(places)s {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
    AND {IN_WINDOW} %(which)s
GROUP BY uid, target
"""
_MECHANISMS = ",\n    ".join(map(_mechanism, COUNTED))
DETAILS = f""",
    {_MECHANISMS},
    avgIf(kbps, {_any([_shows(signal) for signal in RATED])} AND NOT isNaN(kbps)) AS rate
"""
"""Columns that only queries about an incident's witnesses need."""

_IN_SIGNALS = f"""
ARRAY JOIN
    [{", ".join(f"'{signal.name}'" for signal in COUNTED)}] AS signal,
    [{_each("vote")}] AS vote,
    [{_each("controlled")}] AS with_control
"""
_VOTES = f"""
SELECT target, network, from_probe, micros, signal, vote, with_control,
    if({_any(_OF_RESOLVERS)}, resolver, 0) AS resolver_network
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
    groupArray(sipHash64(from_probe)) AS voters, groupArray(seen) AS seen_each, groupArray(checked) AS checked_each,
    groupArray(made) AS made_each
FROM ({_BY_PROBE})
GROUP BY network, target, signal, resolver_network, bin
"""
# Single ballots are needed only where a probe may have been overruled (``analysis.series.repeats``): some probe said
# yes and some probe no, and one of them more than once.
# The outer query is separate because the engine would otherwise compute each of its columns repeatedly.
_BINS_BY_SERIES = f"""
SELECT network, target, signal, resolver_network, groupArray(bin) AS bins, groupArray(saw / probes) AS shares,
    groupArray(probes) AS probes_each, groupArray(checked_probes) AS checked_probes_each,
    groupArray(measurements) AS measurements_each,
    sum(saw) BETWEEN 1 AND sum(probes) - 1
        AND uniqExactArray(voters) BETWEEN {MOST + 2} AND sum(probes) - 1 AS contested,
    groupArrayArray(voters) AS by, groupArrayArray(seen_each) AS seen, groupArrayArray(checked_each) AS checked,
    groupArrayArray(made_each) AS made
FROM ({_BINS})
GROUP BY network, target, signal, resolver_network
"""
SERIES = f"""
SELECT network, target, signal, resolver_network, bins, shares, probes_each, checked_probes_each, measurements_each,
    if(contested, by, []), if(contested, seen, []), if(contested, checked, []), if(contested, made, [])
FROM ({_BINS_BY_SERIES})
ORDER BY network, target, signal, resolver_network
"""
SHARED = f"""
SELECT target, groupUniqArray(source) AS sources FROM verdicts
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target != '' AND {IN_WINDOW}
GROUP BY target, asn HAVING length(sources) > 1 ORDER BY target, asn
"""
"""Targets that several sources measured on one network."""

WITNESSES = f"""
SELECT uid, micros / 1000000, network, resolver, target, from_probe, line, via,
    {_each("vote")}, {_each("controlled")},
    {_each("mechanism")}, rate
FROM ({_BY_MEASUREMENT})
WHERE {" OR ".join(f"{_short(signal)}_vote >= 0" for signal in COUNTED)}
ORDER BY micros, uid, target
"""
"""One row per measurement and target: a third of the rows that ``votes`` makes of them."""

WORKING = f"""
SELECT uid, micros / 1000000, network, 0, target, '{BLOCKED_PATH}', from_probe,
    0, {_any([f"{_group(signal)}_controlled" for signal in COUNTED])}, '', nan, line, via
FROM ({_BY_MEASUREMENT})
WHERE ({_any([f"{_group(signal)}_ok" for signal in COUNTED])}) AND NOT ({_any([*map(_seen, COUNTED)])})
ORDER BY micros, uid, target
"""

_STATE = {Kind.BLOCKING: State.BLOCKED, Kind.THROTTLING: State.THROTTLED}


def _voted(state: State, answer: int) -> str:
    """SQL: did a signal that proves this state give this answer?"""
    votes = [f"{_short(one)}_vote = {answer}" for one in COUNTED if _STATE[one.proves[0]] is state]
    return f"({_any(votes)})"


def _named_mechanism(state: State) -> str:
    """The mechanism of the first signal of this state that names one."""
    own = [one for one in COUNTED if _STATE[one.proves[0]] is state]
    cases = ", ".join(
        f"{_short(one)}_vote = 1 AND {_short(one)}_mechanism != '', {_short(one)}_mechanism" for one in own
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
        {_any([f"{_short(one)}_vote = 0" for one in COUNTED])}, 'ok', 'unclear') AS outcome,
    multiIf(outcome = 'blocked', {_named_mechanism(State.BLOCKED)},
        outcome = 'throttled', {_named_mechanism(State.THROTTLED)}, '') AS mechanism
FROM (
    SELECT uid, target, any(asn) AS network, any(country) AS cc, any(source) AS via, any(test_name) AS test,
        toUnixTimestamp64Micro(any(started_at)) AS micros, {_COLUMNS}, {_MECHANISMS}
    {_COUNTED_ONES}
    GROUP BY uid, target
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
