"""Coverage: what was measured, and which measurements allow no conclusion.

Times are unix seconds, UTC; windows half-open ``[since, until)``.  Only sound measurements count (no
``defect``) unless a row says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from fanous.analysis.series.signals import OF_PRODUCTS, products_of
from fanous.model.coverage import ALLOW_LIST, NO_NETWORK, NOTHING_OUTSIDE, Arrival, LineState, Look
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Access, Family, Place
from fanous.model.reason import Param, Reason
from fanous.model.series import Series, SeriesKey
from fanous.store.cache import remembered
from fanous.store.engine import AT_IN_WINDOW, IN_WINDOW, FactsPart, ticks, window


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why nothing was concluded.

    Attributes:
        rule_id: id of the rule that said so; empty = the measurement itself was unsound.
        why: the rule's sentence (one of them, if they contain figures), or the measurement's defect.
    """

    rule_id: str
    why: str
    measurements: int


@dataclass(frozen=True, slots=True)
class Insufficient:
    """A target that was measured but about which nothing can be concluded.

    Attributes:
        measurements: all of the target's in the window, including unsound ones.
        reasons: at least one, most frequent first.
    """

    target: str
    measurements: int
    reasons: tuple[Doubt, ...]

    @property
    def reason(self) -> Reason:
        """The most frequent reason, and for how many measurements it holds."""
        first = self.reasons[0]
        names: dict[str, Param] = {
            "rule": first.rule_id,
            "why": first.why,
            "some": first.measurements,
            "all": self.measurements,
        }
        return Reason("not_judged", names)


@dataclass(frozen=True, slots=True)
class Heard:
    """One network in a window.

    Attributes:
        at: time of its last sound measurement.
        probes: number of independent probes.
    """

    country: str
    asn: int
    at: float
    measurements: int
    probes: int


@dataclass(frozen=True, slots=True)
class Within:
    """What was measured in a country in a window.

    Attributes:
        measurements: sound ones.
        networks: from which they were made.
        sources: public sources whose series have values then, by name.
        hours_measured: hours of the window, counted from its beginning, in which there is either.
    """

    measurements: int
    networks: int
    sources: tuple[str, ...] = ()
    hours_measured: int = 0

    def __bool__(self) -> bool:
        return bool(self.measurements or self.sources)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How recent one source's measurements are.

    Attributes:
        at: when the latest in the window was made, unix seconds.
        measurements, countries: how many, in the window.
    """

    source: str
    at: float
    measurements: int
    countries: int


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """One network in one country.

    Attributes:
        name: the name that most of its measurements give; empty = none.
        last: time of its last sound measurement, unix seconds.
    """

    country: str
    asn: int
    name: str
    measurements: int
    last: float


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When measurements came through one source.

    Attributes:
        bins: unix seconds, ascending: hours in which any came.
        last: unix seconds; when the last one came.
        measurements: in all.
    """

    source: str
    bins: tuple[int, ...]
    last: float
    measurements: int


@dataclass(frozen=True, slots=True)
class Soundness:
    """How many measurements from one version of a probe's software cannot be used.

    Attributes:
        unsound: those of ``measurements`` with a defect.
    """

    software: str
    measurements: int
    unsound: int
    probes: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """Measurements dated later than they were received.

    Attributes:
        ahead: the part of ``measurements`` dated in the future; the same for ``probes_ahead`` and ``probes``.
    """

    measurements: int
    ahead: int
    probes_ahead: int
    probes: int


MEASUREMENTS = "measurements"
"""Name of the signal that ``volume`` returns."""

_SPAN = """
SELECT toUnixTimestamp64Micro(min(first)) / 1000000, toUnixTimestamp64Micro(max(last)) / 1000000 FROM (
    SELECT min(started_at) AS first, max(started_at) AS last
    FROM measurements WHERE country = {country:String} AND defect = '' HAVING count() > 0
    UNION ALL
    SELECT min(at) AS first, max(at) AS last
    FROM levels WHERE country = {country:String} AND value IS NOT NULL HAVING count() > 0
) HAVING count() > 0
"""
_MEASURED = f"""
SELECT toUnixTimestamp64Micro(min(started_at)) / 1000000, toUnixTimestamp64Micro(max(started_at)) / 1000000
FROM measurements WHERE country = {{country:String}} AND defect = '' AND {IN_WINDOW} HAVING count() > 0
"""
_BIN_IN_WINDOW = (
    f"at >= fromUnixTimestamp64Micro({{since:Int64}} - {ticks(DAY)}, 'UTC') "
    "AND at < fromUnixTimestamp64Micro({until:Int64}, 'UTC') "
    "AND toUnixTimestamp64Micro(at) + toInt64(step) * 1000000 > {since:Int64}"
)
"""Does a bin reach into the window, even if it begins before it?  Detectors read none that is longer than a day."""
_SERIES_IN = f"country = {{country:String}} AND value IS NOT NULL AND {_BIN_IN_WINDOW}"
_SERIES_OF = f"""{_SERIES_IN} AND (
    target IN {{targets:Array(String)}}
    OR (target = '' AND signal IN {{traffic:Array(String)}} AND lower(subtype) IN {{products:Array(String)}})
)"""
_SOUND_IN = f"measurements WHERE country = {{country:String}} AND defect = '' AND {IN_WINDOW}"
_SOUND_OF = f"""verdicts
WHERE country = {{country:String}} AND target IN {{targets:Array(String)}} AND defect = '' AND {IN_WINDOW}"""


def _within(sound: str, series: str) -> str:
    """Measurements, networks, sources of series, and hours (from ``since`` on) in which either has something.

    Args:
        sound: the table and condition of the measurements; ``series``: the condition of the bins.
    """
    hour = ticks(HOUR)
    return f"""
SELECT uniqExact(uid), uniqExact(asn), (SELECT groupUniqArray(source) FROM levels WHERE {series}), (
    SELECT uniqExact(hour) FROM (
        SELECT toUInt64(intDiv(toUnixTimestamp64Micro(started_at) - {{since:Int64}}, {hour})) AS hour FROM {sound}
        UNION ALL
        SELECT arrayJoin(range(
            toUInt64(intDiv(greatest(begins - {{since:Int64}}, 0), {hour})),
            toUInt64(intDiv(least(ends, {{until:Int64}}) - 1 - {{since:Int64}}, {hour}) + 1)
        )) AS hour FROM (
            SELECT toUnixTimestamp64Micro(at) AS begins, begins + toInt64(step) * 1000000 AS ends
            FROM levels WHERE {series}
        )
    )
) FROM {sound}
"""


_VOLUME_IN = _within(_SOUND_IN, _SERIES_IN)
_VOLUME_OF = _within(_SOUND_OF, _SERIES_OF)
_TARGETS = f"""
SELECT DISTINCT target FROM verdicts
WHERE country = {{country:String}} AND target != '' AND defect = '' AND {IN_WINDOW} ORDER BY target
"""
_COUNTRIES = f"""
SELECT DISTINCT country FROM (
    SELECT country FROM measurements WHERE {IN_WINDOW} AND country != 'ZZ'
    UNION ALL
    SELECT country FROM levels WHERE {AT_IN_WINDOW}
) ORDER BY country
"""
_NETWORKS = """
SELECT asn, argMax(network_name, (times, network_name)) FROM (
    SELECT asn, network_name, count() AS times FROM measurements
    WHERE country = {country:String} AND asn != 0 AND network_name != '' GROUP BY asn, network_name
) GROUP BY asn ORDER BY asn
"""
_KNOWN_NETWORKS = """
SELECT country, asn, argMax(network_name, (times, network_name)), sum(times), max(last) FROM (
    SELECT country, asn, network_name, count() AS times, toUnixTimestamp64Micro(max(started_at)) / 1000000 AS last
    FROM measurements WHERE country != 'ZZ' AND asn != 0 AND defect = '' GROUP BY country, asn, network_name
) GROUP BY country, asn ORDER BY country, asn
"""
_KNOWN_TARGETS = """
SELECT target, count() FROM measurements WHERE target != '' AND defect = '' GROUP BY target ORDER BY target
"""
_ARRIVED = f"""
SELECT asn, count(), countIf(started_at < (
    SELECT max(started_at) FROM measurements
    WHERE country = {{country:String}} AND defect = ''
        AND received_at <= fromUnixTimestamp64Micro({{after:Int64}}, 'UTC')
))
FROM measurements
WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND target IN {{targets:Array(String)}}
    AND received_at > fromUnixTimestamp64Micro({{after:Int64}}, 'UTC') AND {IN_WINDOW}
GROUP BY asn ORDER BY asn
"""
_SENT = "source NOT IN {ordered:Array(String)}"
"""Measurements that probes send unprompted: those that we order from other people's vantage points are no sign of life
of a network, since a probe that loses packets there is taken offline."""

_VOLUME = f"""
SELECT asn, groupArray(bin), groupArray(made), groupArray(probes) FROM (
    SELECT asn, intDiv(toUnixTimestamp64Micro(started_at), {{step:Int64}} * 1000000) * {{step:Int64}} AS bin,
        count() AS made, uniqExact(probe) AS probes
    FROM measurements
    WHERE country = {{country:String}} AND asn != 0 AND defect = '' AND {_SENT} AND {IN_WINDOW}
    GROUP BY asn, bin
) GROUP BY asn ORDER BY asn
"""
_FRESH = f"""
SELECT source, toUnixTimestamp64Micro(max(started_at)) / 1000000, count(), uniqExact(country)
FROM measurements WHERE defect = '' AND country != 'ZZ' AND {IN_WINDOW}
GROUP BY source ORDER BY source
"""


def _heard(where: str) -> str:
    """Networks with sound measurements in the countries that a condition selects."""
    return f"""
SELECT country, asn, toUnixTimestamp64Micro(max(started_at)) / 1000000, count(), uniqExact(probe)
FROM measurements WHERE defect = '' AND asn != 0 AND {where} AND {_SENT} AND {IN_WINDOW}
GROUP BY country, asn ORDER BY country, asn
"""


_HEARD, _HEARD_IN = _heard("country != 'ZZ'"), _heard("country = {country:String}")
_LOOKS = f"""
SELECT uid, country, asn, access, probe, toUnixTimestamp64Micro(started_at) / 1000000 AS at,
    multiIf(defect = '', 'online', defect = '{NO_NETWORK}', 'offline',
        defect = '{NOTHING_OUTSIDE}', 'intranet', 'allow_list') AS line, source,
    toUnixTimestamp64Micro(receipt) / 1000000, vouched
FROM measurements
WHERE test_name = 'fanous_health' AND asn != 0 AND country != 'ZZ'
    AND defect IN ('', '{NO_NETWORK}', '{NOTHING_OUTSIDE}', '{ALLOW_LIST}') AND {IN_WINDOW}
ORDER BY at, uid
"""
_JUDGED = f"""
SELECT uid, target, defect = '' AND max(state != 'insufficient') AS concluded,
    if(defect != '' OR concluded, '', argMin(rule_id, number)) AS rule,
    multiIf(defect != '', defect, concluded, '', argMin(why, number)) AS sentence
FROM verdicts
WHERE country = {{country:String}} AND target != '' AND {IN_WINDOW} AND target NOT IN (
    SELECT DISTINCT target FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND state != 'insufficient' AND {IN_WINDOW}
)
GROUP BY uid, target, defect
"""
# Targets with conclusions go first: they are nearly all, and grouping them would be wasted work.
# Sentences of one rule differ in their figures: one of them stands for all.  A measurement whose target
# has several verdicts counts with the first of them.
_INSUFFICIENT = f"""
SELECT target, sum(made) AS all_made, groupArray((rule, why, made))
FROM (
    SELECT target, concluded, rule, min(sentence) AS why, count() AS made FROM ({_JUDGED})
    GROUP BY target, concluded, rule, if(rule = '', sentence, '')
) GROUP BY target HAVING NOT max(concluded) ORDER BY all_made DESC, target
"""


# The marker of a segment is written last of all, and removed first: nothing changes without it.
_BROUGHT_IN = """
SELECT country, count(), groupBitXor(cityHash64(segment, committed_at)) FROM segments
GROUP BY country ORDER BY country
"""

# The monitor's own health: counted by when measurements were *received*, because the clocks of probes are
# among the things examined.
STEP = 3600
"""Width of the bins of ``Arrivals``; seconds."""

_RECEIVED = "received_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')"
_ARRIVALS = f"""
SELECT source,
    arraySort(groupUniqArray(intDiv(toUnixTimestamp64Micro(received_at), {STEP} * 1000000) * {STEP})),
    max(toUnixTimestamp64Micro(received_at)) / 1000000, count()
FROM measurements WHERE {_RECEIVED} GROUP BY source ORDER BY source
"""
_SOUNDNESS = f"""
SELECT software, count(), countIf(defect != ''), uniqExact(probe)
FROM measurements WHERE {_RECEIVED} AND software != '' GROUP BY software ORDER BY software
"""
_CLOCKS = f"""
SELECT count(), countIf(started_at > addSeconds(received_at, {{slack:Int64}})),
    uniqExactIf(probe, started_at > addSeconds(received_at, {{slack:Int64}})), uniqExact(probe)
FROM measurements WHERE {_RECEIVED}
"""


MARKS_SECONDS = 1
"""Seconds for which the last check for new measurements is trusted, since pages make many queries at once."""


class CoverageFacts(FactsPart):
    """What was measured, where, by whom, and how it arrived."""

    def span(self, country: str) -> tuple[float, float] | None:
        """When the first and last sound measurement was made, or bin of a public source's series began;
        ``None`` = there is neither."""
        rows = self.engine.rows(_SPAN, country=country)
        return (rows[0][0], rows[0][1]) if rows else None

    def measured(self, country: str, since: float = -inf) -> tuple[float, float] | None:
        """When the first (from ``since`` on) and the last sound measurements were made; ``None`` = there are none."""
        rows = self.engine.rows(_MEASURED, country=country, **window(since, inf))
        return (rows[0][0], rows[0][1]) if rows else None

    def within(self, country: str, since: float, until: float, targets: Sequence[str] = ()) -> Within:
        """What a window holds.

        Args:
            targets: measurements of these alone, and series of their traffic; empty = all.
        """
        sql, asked = _VOLUME_IN, {"country": country, **window(since, until)}
        if targets:
            sql = _VOLUME_OF
            asked |= {
                "targets": list(targets),
                "traffic": list(OF_PRODUCTS),
                "products": products_of(targets),
            }
        ((made, networks, sources, hours),) = self.engine.rows(sql, **asked)
        return Within(made, networks, tuple(sorted(sources)), hours)

    def targets(self, country: str, since: float, until: float) -> list[str]:
        """Targets of sound measurements, sorted."""
        rows = self.engine.rows(_TARGETS, country=country, **window(since, until))
        return [target for (target,) in rows]

    @remembered(60)
    def countries(self, since: float = -inf, until: float = inf) -> list[str]:
        """Countries with measurements or levels, sorted."""
        return [country for (country,) in self.engine.rows(_COUNTRIES, **window(since, until))]

    def arrived(
        self, country: str, targets: Sequence[str], since: float, until: float | None, after: float
    ) -> list[Arrival]:
        """Sound measurements of the targets, made in the window, that were received after an instant."""
        span = window(since, inf if until is None else until)
        rows = self.engine.rows(_ARRIVED, country=country, targets=list(targets), after=ticks(after), **span)
        return [Arrival(asn, measured, late) for asn, measured, late in rows]

    @remembered(MARKS_SECONDS)
    def brought_in(self) -> dict[str, tuple[int, int]]:
        """Country -> a mark that changes when measurements of the country are added, judged again or removed.
        Cheap: it reads no measurement."""
        return {country: (count, mark) for country, count, mark in self.engine.rows(_BROUGHT_IN)}

    @remembered(300, of_measurements=True)
    def networks(self, country: str) -> dict[int, str]:
        """ASN -> the name that most of its measurements give."""
        return dict(self.engine.rows(_NETWORKS, country=country))

    @remembered(300)
    def known_networks(self) -> list[KnownNetwork]:
        """Networks of all countries that were ever measured, by country and ASN."""
        return [KnownNetwork(*row) for row in self.engine.rows(_KNOWN_NETWORKS)]

    @remembered(300)
    def known_targets(self) -> dict[str, int]:
        """Every target ever measured -> its number of measurements."""
        return dict(self.engine.rows(_KNOWN_TARGETS))

    @remembered(15, of_measurements=True)
    def volume(self, country: str, since: float, until: float, step: int = 3600) -> list[Series]:
        """Sound measurements per bin, one series per network: signal ``measurements``, no target; ``counts``
        are the probes.  Empty bins are not listed."""
        rows = self.engine.rows(
            _VOLUME, country=country, step=step, ordered=_ordered(), **window(since, until)
        )
        return [_volume(country, step, *row) for row in rows]

    @remembered(15, of_measurements=True)
    def heard(self, since: float, until: float) -> list[Heard]:
        """Networks of all countries with sound measurements, by country and ASN."""
        rows = self.engine.rows(_HEARD, ordered=_ordered(), **window(since, until))
        return [Heard(*row) for row in rows]

    @remembered(60, of_measurements=True)
    def freshness(self, since: float, until: float) -> list[Freshness]:
        """Sources of sound measurements in all countries, by name."""
        return [Freshness(*row) for row in self.engine.rows(_FRESH, **window(since, until))]

    @remembered(15, of_measurements=True)
    def heard_in(self, country: str, since: float, until: float) -> list[Heard]:
        """The same for one country, by ASN."""
        rows = self.engine.rows(_HEARD_IN, country=country, ordered=_ordered(), **window(since, until))
        return [Heard(*row) for row in rows]

    def looks(self, since: float, until: float) -> list[Look]:
        """Probes' checks of their own lines, in all countries, by time.

        Probes behind a login page are left out, because their checks are unreliable."""
        rows = self.engine.rows(_LOOKS, **window(since, until))
        return [
            Look(uid, country, asn, Access(access), probe, at, LineState(line), source, receipt, vouched)
            for uid, country, asn, access, probe, at, line, source, receipt, vouched in rows
        ]

    @remembered(60, of_measurements=True)
    def insufficient(self, country: str, since: float, until: float) -> list[Insufficient]:
        """Targets that were measured but about which no rule could conclude anything, most measured first.

        A symptom (``Verdict.symptom``) is not a conclusion, though the detectors count it: a target here may
        be in an incident too.
        """
        rows = self.engine.rows(_INSUFFICIENT, country=country, **window(since, until))
        return [
            Insufficient(target, measured, tuple(sorted((Doubt(*r) for r in reasons), key=_order)))
            for target, measured, reasons in rows
        ]

    def arrivals(self, since: float) -> list[Arrivals]:
        """When measurements were received, by source."""
        rows = self.engine.rows(_ARRIVALS, since=ticks(since))
        return [Arrivals(source, tuple(bins), last, count) for source, bins, last, count in rows]

    def soundness(self, since: float) -> list[Soundness]:
        """What was received from each version of a probe's software, by name."""
        return [Soundness(*row) for row in self.engine.rows(_SOUNDNESS, since=ticks(since))]

    def clocks(self, since: float, slack: float) -> Clocks:
        """How many received measurements are dated later than their receipt.

        Args:
            slack: seconds by which a clock may be ahead.
        """
        return Clocks(*self.engine.rows(_CLOCKS, since=ticks(since), slack=int(slack))[0])


LATE = 3 * DAY
"""Data that ended longer ago are history; the slowest public source has one value a day."""


def end_of_data(last: float | None, now: float) -> float:
    """Where a window ends: now, or at the end of the data.

    Args:
        last: when the last of them was measured; ``None`` = there are none.
    """
    return now if last is None or last >= now - LATE else last


def whole_hours(since: float, until: float) -> tuple[float, float]:
    """A window widened to whole hours, so that within an hour it stays the same and kept answers can be used."""
    return since // HOUR * HOUR, -(-until // HOUR) * HOUR


def _ordered() -> list[str]:
    """Sources whose measurements are ordered from other people's vantage points."""
    from fanous.sources.measurements import FAMILY_OF  # loads every reader, which few queries need

    return [name for name, family in FAMILY_OF.items() if family is Family.REMOTE]


def _order(reason: Doubt) -> tuple[int, str, str]:
    return -reason.measurements, reason.rule_id, reason.why


def _volume(
    country: str, step: int, asn: int, bins: list[int], measured: list[int], probes: list[int]
) -> Series:
    times = np.array(bins, np.int64)
    order = np.argsort(times)
    measurements = np.array(measured, np.int64)[order]
    return Series(
        key=SeriesKey(Place(country, asn), "", MEASUREMENTS),
        step=step,
        times=times[order],
        values=measurements.astype(np.float64),
        counts=np.array(probes, np.int64)[order],
        controlled=np.zeros(len(times), np.int64),
        measurements=measurements,
    )
