"""Evidence: what supports a claim about targets, networks and intervals, and what else could explain it."""

from collections.abc import Sequence, Set
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.model.evidence import Evidence, EvidenceScope
from fanous.model.incident import (
    Hosting,
    Incident,
    Interval,
    LineRecord,
    NameRecord,
    Onset,
    Release,
    Run,
    SharedPage,
    Software,
    Stretches,
)
from fanous.model.instant import DAY
from fanous.model.measurement import ENCRYPTED, Provenance, weakest
from fanous.model.place import Family
from fanous.model.series import Ints, RatePair
from fanous.store.engine import (
    AT_IN_WINDOW,
    IN_ANY_STRETCH,
    IN_INTERVALS,
    IN_STRETCHES,
    IN_WINDOW,
    LAST,
    FactsPart,
    in_any,
    in_stretches,
    ticks,
    window,
)

_PROVENANCES = f"""
SELECT DISTINCT provenance FROM (
    SELECT DISTINCT provenance FROM measurements WHERE country = {{country:String}} AND {IN_WINDOW}
    UNION ALL
    SELECT DISTINCT provenance FROM levels FINAL WHERE country = {{country:String}} AND {AT_IN_WINDOW}
)
"""
_PROVENANCES_SEEN = f"""
SELECT DISTINCT provenance FROM verdicts
WHERE country = {{country:String}} AND target IN {{targets:Array(String)}} AND asn IN {{asns:Array(UInt32)}}
    AND (state IN ('blocked', 'throttled', 'down') OR symptom) AND {IN_INTERVALS}
"""

LEAST_VOICES = 3
"""Fewest measurements of a target for it to count for a network's lines as a whole: one device on a bad line measures a
list of sites once.
"""

_FELL = "state IN ('blocked', 'throttled', 'down') OR symptom"
_LIKE_A_FAULT = "(state = 'throttled' OR mechanism IN {faults:Array(String)})"
_ONSETS = f"""
SELECT place, uniqExactIf(from_probe, fell AND fresh), countIf(fell AND fresh), countIf(fresh),
    countIf(fell AND NOT fresh), countIf(NOT fresh)
FROM (
    SELECT uid, any(country) AS place, any(probe) AS from_probe, countIf({_FELL}) > 0 AS fell,
        intDiv(toUnixTimestamp(any(started_at)), {{width:UInt32}}) AS slot,
        slot IN {{slots:Array(UInt32)}} AS fresh
    FROM verdicts
    WHERE country != {{country:String}} AND country != 'ZZ' AND asn != 0 AND defect = ''
        AND target IN {{targets:Array(String)}} AND {IN_WINDOW}
    GROUP BY uid, target HAVING (fell OR countIf(state = 'ok') > 0) AND (fresh OR slot < {{first:UInt32}})
)
GROUP BY place ORDER BY place
"""
_VERSIONS = f"""
SELECT software, network, countIf(failed), countIf(NOT failed)
FROM (
    SELECT software, network, from_probe, max(fell) AS failed
    FROM (
        SELECT uid, any(asn) AS network, any(probe) AS from_probe, countIf({_FELL}) > 0 AS fell FROM verdicts
        WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND defect = ''
            AND target IN {{targets:Array(String)}} AND {IN_INTERVALS}
            AND (empty({{sources:Array(String)}}) OR source IN {{sources:Array(String)}})
        GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
    ) AS told
    INNER JOIN (
        SELECT uid, any(__VERSION__) AS software FROM measurements
        WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND {IN_INTERVALS} GROUP BY uid
    ) AS headers USING (uid)
    GROUP BY software, network, from_probe
)
GROUP BY software, network ORDER BY software, network
"""
# Versions of the software that measured, and of the nettest (``telegram 0.3.1``); one without a version says nothing.
_SOFTWARE = _VERSIONS.replace("__VERSION__", "software")
_NETTESTS = _VERSIONS.replace(
    "__VERSION__", "if(test_version = '', '', concat(test_name, ' ', test_version))"
)
_RELEASES = f"""
SELECT place, nettest, version, countIf(fell), count()
FROM (
    SELECT uid, any(country) AS place, countIf({_FELL}) > 0 AS fell FROM verdicts
    WHERE country != 'ZZ' AND asn != 0 AND defect = ''
        AND (country != {{country:String}} OR asn IN {{asns:Array(UInt32)}})
        AND target IN {{targets:Array(String)}} AND {IN_INTERVALS}
    GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
) AS told
INNER JOIN (
    SELECT uid, any(test_name) AS nettest, any(test_version) AS version FROM measurements
    WHERE test_version != '' AND {IN_INTERVALS} GROUP BY uid
) AS headers USING (uid)
GROUP BY place, nettest, version ORDER BY place, nettest, version
"""
# Only measurements that a bundle contains: the conclusion must come out the same there.
_RUNS = f"""
SELECT probe, software, test_name, test_version, resolver_asn,
    toUnixTimestamp64Micro(min(started_at)) / 1000000, toUnixTimestamp64Micro(max(started_at)) / 1000000
FROM measurements
WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND source IN {{sources:Array(String)}}
    AND {IN_INTERVALS} AND uid IN (
        SELECT uid FROM verdicts
        WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND defect = ''
            AND target IN {{targets:Array(String)}} AND {IN_INTERVALS}
    )
GROUP BY probe, software, test_name, test_version, resolver_asn
ORDER BY probe, software, test_name, test_version, resolver_asn
"""
# Our own probes check their line themselves; what they measure on a bad one means nothing.
_MEANWHILE = f"""
SELECT uid, target, any(asn) AS network, any(probe) AS from_probe,
    target IN {{targets:Array(String)}} AS claimed,
    countIf({_FELL}) > 0 AS fell, fell AND countIf(({_FELL}) AND NOT {_LIKE_A_FAULT}) = 0 AS lost
FROM verdicts
WHERE country = {{country:String}} AND defect = '' AND source != 'edge' AND target != '' AND {IN_STRETCHES}
GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
"""
_COUNTED = "network, count(), countIf(NOT claimed), sumIf(share, NOT claimed)"
_LINES = f"""
SELECT {_COUNTED}, false
FROM (
    SELECT network, from_probe, claimed, avg(lost) AS share, max(fell AND claimed) AS saw FROM ({_MEANWHILE})
    GROUP BY network, from_probe, target, claimed
)
GROUP BY network, from_probe HAVING max(saw)
ORDER BY network, from_probe
"""
_ALL_LINES = f"""
SELECT {_COUNTED}, true
FROM (
    SELECT network, claimed, avg(lost) AS share FROM ({_MEANWHILE})
    GROUP BY network, target, claimed HAVING count() >= {LEAST_VOICES}
)
GROUP BY network ORDER BY network
"""

_NAMES = f"""
SELECT network, resolver, target, countIf(fell), countIf(NOT fell) FROM (
    SELECT target, any(asn) AS network, any(resolver_asn) AS resolver, countIf({_FELL}) > 0 AS fell
    FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND target != '' AND layer = 'dns' AND {IN_STRETCHES}
    GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
)
GROUP BY network, resolver, target ORDER BY network, resolver, target
"""
_HOSTING = f"""
SELECT target, arraySort(arrayFilter(one -> one != 0, groupUniqArrayArray(answer_asns))) AS networks
FROM observations
WHERE country = {{country:String}} AND vantage = 'helper' AND layer = 'dns' AND failure IS NULL AND target != ''
    AND {IN_STRETCHES}
GROUP BY target HAVING notEmpty(networks) ORDER BY target
"""
_REACHED = f"""
SELECT DISTINCT target FROM (
    SELECT target, countIf({_FELL}) > 0 AS fell FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND target != '' AND {IN_STRETCHES}
    GROUP BY uid, target HAVING NOT fell AND countIf(state = 'ok' AND layer != 'dns') > 0
)
ORDER BY target
"""
_ON_NETWORKS = f"""
SELECT network, place, countIf(fell), count() FROM (
    SELECT any(asn) AS network, any(country) AS place, countIf({_FELL}) > 0 AS fell FROM verdicts
    WHERE country NOT IN ('ZZ', {{country:String}}) AND defect = '' AND target IN {{targets:Array(String)}}
        AND {IN_STRETCHES}
    GROUP BY uid, target HAVING fell OR countIf(state = 'ok') > 0
)
GROUP BY network, place ORDER BY network, place
"""
_UNANSWERED = f"""
SELECT country, groupUniqArray(uid) AS uids FROM verdicts
WHERE country NOT IN ('ZZ', {{country:String}}) AND asn != 0 AND defect = '' AND layer = 'dns' AND symptom
    AND target IN {{targets:Array(String)}} AND mechanism IN {{mechanisms:Array(String)}} AND {IN_INTERVALS}
GROUP BY country ORDER BY country
"""
_OF_HELPER = """
country = {country:String} AND vantage = 'helper' AND layer = 'dns' AND failure IS NULL
    AND target IN {targets:Array(String)}"""
# An answer is in question if it has no address or network in common with what the helper finds at the time, and no
# address with what the measurement's own encrypted resolvers gave.
_FORMER = f"""
SELECT DISTINCT uid FROM (
    SELECT uid, target, groupArrayIf((answers, answer_asns), resolver NOT IN {ENCRYPTED}) AS plain,
        groupUniqArrayArrayIf(answers, resolver IN {ENCRYPTED}) AS encrypted
    FROM observations
    WHERE country = {{country:String}} AND vantage = 'probe' AND layer = 'dns' AND failure IS NULL
        AND notEmpty(answers) AND target IN {{targets:Array(String)}} AND asn IN {{asns:Array(UInt32)}}
        AND {IN_INTERVALS}
    GROUP BY uid, target
) AS answered
INNER JOIN (
    SELECT target, groupUniqArrayArray(answers) AS earlier FROM observations
    WHERE {_OF_HELPER} AND toUnixTimestamp64Micro(started_at) BETWEEN {{from:Int64}} AND {{to:Int64}}
    GROUP BY target
) AS before USING (target)
LEFT JOIN (
    SELECT target, groupUniqArrayArray(answers) AS present, groupUniqArrayArray(answer_asns) AS networks
    FROM observations WHERE {_OF_HELPER} AND {IN_INTERVALS}
    GROUP BY target
) AS now USING (target)
WHERE notEmpty(arrayFilter(
        one -> NOT hasAny(tupleElement(one, 1), arrayConcat(present, encrypted))
            AND ({{nearby:Bool}} OR NOT hasAny(tupleElement(one, 2), arrayFilter(asn -> asn != 0, networks))),
        plain
    ) AS odd)
    AND (NOT {{nearby:Bool}} OR notEmpty(present))
    AND arrayAll(one -> has(earlier, tupleElement(one, 1)[1]), odd)
ORDER BY uid
"""
# A page without a title has too little to be recognised by.
_SHARED_PAGES = f"""
SELECT network, arraySort(groupUniqArray(target)) AS targets, others FROM (
    SELECT asn AS network, target, status_code, title, body_length, server, header_names
    FROM observations
    WHERE country = {{country:String}} AND vantage = 'probe' AND layer = 'http' AND failure IS NULL AND title != ''
        AND {IN_STRETCHES} AND uid IN (
            SELECT uid FROM verdicts
            WHERE country = {{country:String}} AND defect = '' AND layer = 'http' AND {IN_STRETCHES}
                AND mechanism IN {{mechanisms:Array(String)}}
        )
) AS pages
LEFT JOIN (
    SELECT asn AS network, uniqExact(target) AS others FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND rule_id = 'http.same_page' AND {IN_STRETCHES}
    GROUP BY network
) AS proper USING (network)
GROUP BY network, status_code, title, body_length, server, header_names, others HAVING length(targets) > 1
ORDER BY network, targets
"""


# --- the table -------------------------------------------------------------------------------------------

MOST_ROWS = 50_000
"""Rows of a table of evidence: some 30 MB, and a second of reading.  Beyond that, the fullest cells (a network, target,
half-hour and outcome) lose rows first, those with the largest digests of their uids; each row that stays stands for
several."""

AROUND = DAY
"""Seconds before and after the event that the table covers."""

CELL = 1800
CELLS = 200
"""Seconds of a cell, and fewest cells of an event: those of a longer one are wider."""

_READ = """
uid, target, country, asn, access, started_at, source, probe, resolver_asn, test_name, layer, state, symptom, mechanism,
rule_id, controlled, kbps
"""
_DNS = "layer = 'dns'"
_NO_ANSWER = f"{_DNS} AND symptom AND mechanism IN {{unanswered:Array(String)}}"
_NEAR_EVENT = IN_WINDOW.replace("since", "first").replace("until", "last")
_ABROAD = IN_WINDOW.replace("since", "abroad").replace("until", "last")
_MEASURED = f"""
SELECT uid, target, any(country) AS place, any(asn) AS network, any(access) AS over, any(started_at) AS began,
    any(source) AS via, any(probe) AS from_probe, any(resolver_asn) AS resolver, any(test_name) AS test,
    countIf({_FELL}) > 0 AS fails, NOT fails AND countIf(state = 'ok') > 0 AS works,
    groupUniqArrayIf(toString(mechanism), ({_FELL}) AND state != 'throttled') AS ways,
    max(controlled) AS has_control, minIf(kbps, ({_FELL}) AND NOT isNaN(kbps)) AS rate,
    multiIf(countIf({_NO_ANSWER}) > 0, 'unanswered', countIf({_DNS} AND ({_FELL})) > 0, 'fails',
        countIf({_DNS} AND state = 'ok') > 0, 'works', '') AS lookup,
    countIf(state = 'ok' AND layer != 'dns') > 0 AS connected, countIf(rule_id = 'http.same_page') > 0 AS usual_page
FROM (
    SELECT {_READ} FROM verdicts
    WHERE country = {{country:String}} AND defect = '' AND asn != 0 AND {_NEAR_EVENT}
        AND (target IN {{targets:Array(String)}} OR (asn IN {{places:Array(UInt32)}} AND target != ''))
    UNION ALL
    SELECT {_READ} FROM verdicts
    WHERE country NOT IN ('ZZ', {{country:String}}) AND defect = '' AND asn != 0 AND {_ABROAD}
        AND target IN {{targets:Array(String)}}
)
GROUP BY uid, target
"""
# What its own networks say about the event itself is kept whole as long as there is room: there probes are counted.
_BOUNDED = f"""
SELECT *, count() OVER (PARTITION BY cell) AS members,
    row_number() OVER (PARTITION BY cell ORDER BY digest, uid) AS rank
FROM (
    SELECT *, network AS asn, began AS started_at, target IN {{targets:Array(String)}} AS claimed,
        {IN_STRETCHES} AS here, {IN_ANY_STRETCH} AS then, sipHash64(uid) AS digest,
        place = {{country:String}} AND network IN {{places:Array(UInt32)}} AS is_its_own,
        sipHash64(place, if(network IN {{places:Array(UInt32)}}, network, 0), target, fails, works, here, then,
            intDiv(toUnixTimestamp64Micro(began), {{cell:Int64}})) AS cell
    FROM ({_MEASURED})
)
ORDER BY is_its_own AND claimed AND then DESC, rank, digest, uid LIMIT {{most:UInt64}}
"""
_PAGES = f"""
SELECT uid, target, groupUniqArray(sipHash64(status_code, title, body_length, server, header_names)) AS shown
FROM observations
WHERE {{pages:Bool}} AND country = {{country:String}} AND vantage = 'probe' AND layer = 'http' AND failure IS NULL
    AND title != '' AND {IN_STRETCHES} AND uid IN (
        SELECT uid FROM verdicts
        WHERE country = {{country:String}} AND defect = '' AND layer = 'http' AND {IN_STRETCHES}
            AND mechanism IN {{own_pages:Array(String)}}
    )
GROUP BY uid, target
"""
_HOSTS = f"""
SELECT uid, target, arraySort(arrayFilter(one -> one != 0, groupUniqArrayArray(answer_asns))) AS hosts
FROM observations
WHERE {{hosting:Bool}} AND country = {{country:String}} AND vantage = 'helper' AND layer = 'dns' AND failure IS NULL
    AND target != '' AND {IN_STRETCHES}
GROUP BY uid, target
"""
_HELPERS = """
country = {country:String} AND vantage = 'helper' AND layer = 'dns' AND failure IS NULL
    AND target IN {targets:Array(String)}"""

# An answer is in question if it has no address or network in common with what the helper finds at the time, and no
# address with what the measurement's own encrypted resolvers gave.
_ANSWERS = f"""
SELECT uid, target, arrayFilter(one -> NOT hasAny(one.1, arrayConcat(present, encrypted)), plain) AS moved,
    arrayFilter(one -> NOT hasAny(one.2, arrayFilter(asn -> asn != 0, networks)), moved) AS wrong,
    notEmpty(wrong) AND arrayAll(one -> has(earlier, one.1[1]), wrong) AS former,
    notEmpty(present) AND notEmpty(moved) AND arrayAll(one -> has(earlier, one.1[1]), moved) AS outdated
FROM (
    SELECT uid, target, groupArrayIf((answers, answer_asns), resolver NOT IN {ENCRYPTED}) AS plain,
        groupUniqArrayArrayIf(answers, resolver IN {ENCRYPTED}) AS encrypted
    FROM observations
    WHERE {{before:Int64}} > 0 AND country = {{country:String}} AND vantage = 'probe' AND layer = 'dns'
        AND failure IS NULL AND notEmpty(answers) AND target IN {{targets:Array(String)}}
        AND asn IN {{places:Array(UInt32)}} AND {IN_ANY_STRETCH}
    GROUP BY uid, target
) AS answered
INNER JOIN (
    SELECT target, groupUniqArrayArray(answers) AS earlier FROM observations
    WHERE {{before:Int64}} > 0 AND {_HELPERS}
        AND toUnixTimestamp64Micro(started_at) BETWEEN {{since:Int64}} - {{before:Int64}} AND {{since:Int64}} - 1
    GROUP BY target
) AS earlier USING (target)
LEFT JOIN (
    SELECT target, groupUniqArrayArray(answers) AS present, groupUniqArrayArray(answer_asns) AS networks
    FROM observations WHERE {{before:Int64}} > 0 AND {_HELPERS} AND {IN_ANY_STRETCH}
    GROUP BY target
) AS now USING (target)
"""
_HEADERS = f"""
SELECT uid, any(software) AS software, any(test_version) AS version FROM measurements
WHERE {_NEAR_EVENT} AND (country != {{country:String}} OR asn IN {{places:Array(UInt32)}})
GROUP BY uid
"""
_EVIDENCE = f"""
SELECT uid, toLowCardinality(place), network, toLowCardinality(over), toUnixTimestamp64Micro(began) / 1000000,
    toLowCardinality(target), claimed, here, then, fails, works, ways, has_control, if(rate = 0, nan, rate),
    toLowCardinality(via), from_probe, toLowCardinality(software), toLowCardinality(test),
    toLowCardinality(version), resolver, toLowCardinality(lookup), connected, usual_page, shown, hosts, former,
    outdated, cell, members, rank
FROM ({_BOUNDED}) AS measured
LEFT JOIN ({_HEADERS}) AS headers USING (uid)
LEFT JOIN ({_PAGES}) AS pages USING (uid, target)
LEFT JOIN ({_HOSTS}) AS hosts USING (uid, target)
LEFT JOIN ({_ANSWERS}) AS answers USING (uid, target)
"""


_OWN = "target IN {targets:Array(String)} AND NOT isNaN(kbps)"
_CONTROL = "target NOT IN {targets:Array(String)} AND failure IS NULL AND NOT isNaN(kbps)"
# As in ``analysis.rules.transfer``: medians of a measurement, other names as its control, without the helper.
_PAIRS = f"""
SELECT from_probe, network, about, own, control FROM (
    SELECT uid, any(asn) AS network, anyIf(target, {_OWN}) AS about, medianIf(kbps, {_OWN}) AS own,
        medianIf(kbps, {_CONTROL}) AS control
    FROM observations
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND layer = 'transfer'
        AND vantage = 'probe' AND {IN_INTERVALS}
    GROUP BY uid HAVING own > 0 AND control > 0
) AS told
INNER JOIN (
    SELECT uid, any(probe) AS from_probe FROM measurements
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND defect = '' AND {IN_INTERVALS}
    GROUP BY uid
) AS headers USING (uid)
ORDER BY uid
"""


_NEAR = "toUnixTimestamp64Micro(started_at) >= {near:Int64}"
_RESTS_ON = f"""
SELECT DISTINCT segment, position FROM measurements
WHERE {IN_WINDOW} AND uid IN (
    SELECT uid FROM verdicts
    WHERE {IN_WINDOW} AND if(
        country = {{country:String}},
        {{of_line:Bool}} OR target IN {{targets:Array(String)}} OR {_NEAR},
        target IN {{targets:Array(String)}} AND {_NEAR}
    )
)
"""
# By address alone: a handshake cut after the connection was made is cut by its name.
_FAILING = f"""
SELECT target, groupUniqArray(ip) FROM (
    SELECT target, asn, ip, countIf(failure IS NOT NULL) AS failing, count() AS tried
    FROM observations
    WHERE country = {{country:String}} AND asn IN {{asns:Array(UInt32)}} AND layer = 'tcp'
        AND vantage = 'probe' AND ip != '' AND target != '' AND {IN_INTERVALS}
    GROUP BY target, asn, ip HAVING failing * 2 >= tried
) AS cut
GROUP BY target ORDER BY target
"""


class EvidenceFacts(FactsPart):
    """The evidence for a claim, and against it."""

    def provenances(self, country: str, since: float, until: float) -> set[Provenance]:
        """Provenances of all measurements of a country and of its series."""
        rows = self.engine.rows(_PROVENANCES, country=country, **window(since, until))
        return {Provenance(name) for (name,) in rows}

    def provenances_seen(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> set[Provenance]:
        """Provenances of the measurements in which one of the targets failed on one of the networks."""
        rows = self.engine.rows(_PROVENANCES_SEEN, **_claim(country, targets, asns, intervals))
        return {Provenance(name) for (name,) in rows}

    def provenance_of(self, incident: Incident, known: Set[Provenance]) -> Provenance:
        """The weakest provenance of what an incident is made of.

        An outage is made of everything known, since its baseline is; but what strangers sent counts only if probes are
        among what shows it.  The same goes for an incident whose measurements are gone.

        Args:
            known: ``provenances`` of the country.
        """
        if len(known) > 1 and incident.targets:
            asns = [network.asn for network in incident.networks]
            seen = self.provenances_seen(incident.country, incident.targets, asns, incident.intervals)
            if seen:
                return weakest(seen)
        families = incident.evidence.families
        return weakest(known if not families or Family.EDGE in families else known - {Provenance.UNVOUCHED})

    def evidence(
        self,
        scope: EvidenceScope,
        *,
        abroad_since: float = inf,
        unanswered: Sequence[str] = (),
        own_pages: Sequence[str] = (),
        hosting: bool = False,
        former: float = 0.0,
    ) -> Evidence:
        """What was measured about an event, from a day before until a day after it.

        Columns that are read from single observations are only filled if they are asked for.

        Args:
            abroad_since: unix seconds, if measurements of other countries are needed from an earlier time on.
            unanswered: mechanisms of lookups that had no answer.
            own_pages: mechanisms of pages that are not the helper's; empty = ``pages`` is not asked for.
            hosting: ask for the column.
            former: seconds before the event in which addresses count as ``former``; 0 = these columns are not asked
                for.
        """
        since = min((one.start for one in scope.intervals), default=0.0)
        until = min(LAST, max((one.until for one in scope.intervals), default=0.0))
        abroad = window(min(abroad_since, since - AROUND), until + AROUND)
        columns = self.engine.columns(
            _EVIDENCE,
            country=scope.country,
            targets=list(scope.targets),
            **in_stretches({**scope.stretches, 0: scope.intervals}),
            first=ticks(since - AROUND),
            abroad=abroad["since"],
            last=abroad["until"],
            unanswered=list(unanswered),
            pages=bool(own_pages),
            own_pages=list(own_pages),
            hosting=hosting,
            before=ticks(former),
            cell=ticks(CELL * max(1, round((until - since) / CELLS / CELL))),
            most=MOST_ROWS,
        )
        *columns, cells, members, ranks = columns or [[] for _ in range(len(_KINDS) + 3)]
        counts = _counts(*(np.array(one, np.uint64) for one in (cells, members, ranks)))
        return Evidence(scope, *[*map(_array, columns, _KINDS), counts])

    def onsets_elsewhere(
        self, country: str, targets: Sequence[str], slots: Sequence[int], width: int, before: float
    ) -> list[Onset]:
        """How the targets fared in every other country, by country.

        Args:
            slots: unix seconds // ``width`` of the times at which they failed in ``country``: *then*.
            width: seconds.
            before: seconds before the first of them that count as *before*.
        """
        if not slots:
            return []
        first, last = min(slots), max(slots)
        asked: dict[str, Any] = {"country": country, "targets": list(targets), "slots": list(slots)}
        asked |= {"width": width, "first": first, **window(first * width - before, (last + 1) * width)}
        return [Onset(*row) for row in self.engine.rows(_ONSETS, **asked)]

    def software(
        self,
        country: str,
        targets: Sequence[str],
        asns: Sequence[int],
        intervals: Sequence[Interval],
        sources: Sequence[str] = (),
        *,
        of_nettests: bool = False,
    ) -> list[Software]:
        """What each version of a probe's software found in the intervals, by name and network.

        Args:
            sources: whose measurements count; empty = all.
            of_nettests: each version of a nettest instead, named ``telegram 0.3.1``; those without one are left out.
        """
        asked = {"sources": list(sources), **_claim(country, targets, asns, intervals)}
        rows = self.engine.rows(_NETTESTS if of_nettests else _SOFTWARE, **asked)
        return [Software(*row) for row in rows if row[0] or not of_nettests]

    def releases(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[Release]:
        """What each version of a nettest found in the intervals: on these networks, and in every other country."""
        return [
            Release(*row) for row in self.engine.rows(_RELEASES, **_claim(country, targets, asns, intervals))
        ]

    def runs(
        self,
        country: str,
        targets: Sequence[str],
        asns: Sequence[int],
        intervals: Sequence[Interval],
        sources: Sequence[str],
    ) -> list[Run]:
        """The runs, of these sources, in which a target was measured on one of the networks in the intervals.

        A run that changed its resolver or software is listed once for each.
        """
        asked = {"sources": list(sources), **_claim(country, targets, asns, intervals)}
        return [Run(*row) for row in self.engine.rows(_RUNS, **asked)]

    def lines(
        self, country: str, targets: Sequence[str], stretches: Stretches, faults: Sequence[str]
    ) -> list[LineRecord]:
        """How each probe (not ours) that saw a target fail fared with other targets, and how its whole network fared.

        Args:
            faults: mechanisms that a bad line can cause too.
        """
        asked: dict[str, Any] = {"country": country, "targets": list(targets), "faults": list(faults)}
        asked |= in_stretches(stretches)
        return [LineRecord(*row) for sql in (_LINES, _ALL_LINES) for row in self.engine.rows(sql, **asked)]

    def names(self, country: str, stretches: Stretches) -> list[NameRecord]:
        """How the lookups of each target fared, by network and the resolver's network."""
        asked = {"country": country, **in_stretches(stretches)}
        return [NameRecord(*row) for row in self.engine.rows(_NAMES, **asked)]

    def hosting(self, country: str, stretches: Stretches) -> list[Hosting]:
        """Where the helper found each target, in measurements made on the networks."""
        asked = {"country": country, **in_stretches(stretches)}
        return [Hosting(target, tuple(networks)) for target, networks in self.engine.rows(_HOSTING, **asked)]

    def shared_pages(self, country: str, stretches: Stretches, mechanisms: Sequence[str]) -> list[SharedPage]:
        """Pages, alike in everything that is kept of them, that probes on a network got for several targets.

        Args:
            mechanisms: of verdicts on such pages.
        """
        asked = {"country": country, "mechanisms": list(mechanisms), **in_stretches(stretches)}
        rows = self.engine.rows(_SHARED_PAGES, **asked)
        return [SharedPage(asn, tuple(targets), others) for asn, targets, others in rows]

    def reached(self, country: str, stretches: Stretches) -> list[str]:
        """Targets to which connections were made on the networks, and of which nothing failed."""
        asked = {"country": country, **in_stretches(stretches)}
        return [target for (target,) in self.engine.rows(_REACHED, **asked)]

    def former_answers(
        self,
        country: str,
        targets: Sequence[str],
        asns: Sequence[int],
        intervals: Sequence[Interval],
        before: float,
        *,
        nearby: bool = False,
    ) -> list[str]:
        """Measurements in which every answer that is not right now is an address that the helper had found before.

        A measurement has the answers of several resolvers: the right one, next to a forged one, was found before, too.

        Args:
            before: seconds before the first of the intervals.
            nearby: an answer is not right merely because it is in the hosting network of the right one: a site may move
                within it.
        """
        first = min(one.start for one in intervals)
        asked = {
            **_claim(country, targets, asns, intervals),
            "from": ticks(first - before),
            "to": ticks(first) - 1,
            "nearby": nearby,
        }
        return [uid for (uid,) in self.engine.rows(_FORMER, **asked)]

    def unanswered_elsewhere(
        self,
        country: str,
        targets: Sequence[str],
        intervals: Sequence[Interval],
        mechanisms: Sequence[str],
    ) -> dict[str, list[str]]:
        """Other country -> measurements in which lookups of the targets had no answer, and no control says why."""
        asked = {"country": country, "targets": list(targets), "mechanisms": list(mechanisms)}
        return dict(self.engine.rows(_UNANSWERED, **asked, **in_any(intervals)))

    def on_networks_elsewhere(
        self, country: str, targets: Sequence[str], stretches: Stretches
    ) -> list[tuple[int, str, int, int]]:
        """How the targets fared on the same networks in other countries: ASN, country, failing and all measurements."""
        asked = {"country": country, "targets": list(targets), **in_stretches(stretches)}
        return [
            (asn, place, fell, made) for asn, place, fell, made in self.engine.rows(_ON_NETWORKS, **asked)
        ]

    def rate_pairs(
        self, country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
    ) -> list[RatePair]:
        """Rates of the targets and of other names in the same measurement, for probes on these networks in the
        intervals; measurements without both are left out."""
        return [
            RatePair(*row) for row in self.engine.rows(_PAIRS, **_claim(country, targets, asns, intervals))
        ]

    def rests_on(self, incident: Incident, since: float, until: float, near: float) -> dict[str, set[int]]:
        """Where the raw records are that a bundle of the incident may need: name of a segment -> positions.

        These are the country's measurements of its targets, everything that was measured there from ``near`` on (in
        which a bad line would show), and what other countries measured of its targets then.
        """
        targets = {*incident.targets, *(target for one in incident.networks for target in one.targets)}
        found: dict[str, set[int]] = {}
        rows = self.engine.rows(
            _RESTS_ON,
            country=incident.country,
            targets=sorted(targets),
            of_line=incident.is_of_line,
            near=ticks(near),
            **window(since, until),
        )
        for segment, position in rows:
            found.setdefault(segment, set()).add(position)
        return found

    def failing_addresses(
        self, country: str, asns: Sequence[int], intervals: Sequence[Interval]
    ) -> dict[str, frozenset[str]]:
        """Target -> addresses to which at least half of the connections from one of these networks failed in
        the intervals."""
        rows = self.engine.rows(_FAILING, country=country, asns=list(asns), **in_any(intervals))
        return {target: frozenset(ips) for target, ips in rows}


def _claim(
    country: str, targets: Sequence[str], asns: Sequence[int], intervals: Sequence[Interval]
) -> dict[str, Any]:
    return {"country": country, "targets": list(targets), "asns": list(asns), **in_any(intervals)}


_KINDS: tuple[type, ...] = (
    *(object, object, int, object, float, object, bool, bool, bool, bool, bool, tuple, bool, float, object),
    *(object, object, object, object, int, object, bool, bool, tuple, tuple, bool, bool),
)
"""Of the columns of ``_EVIDENCE``, in the order of ``Evidence``."""


def _array(values: list[Any], kind: type) -> Any:
    if kind is tuple:
        return np.fromiter(map(tuple, values), object, len(values))
    return np.array(values, kind)


def _counts(cells: NDArray[np.uint64], members: NDArray[np.uint64], ranks: NDArray[np.uint64]) -> Ints:
    """How many members of its cell each row stands for; together all of them."""
    _, places, kept = np.unique(cells, return_inverse=True, return_counts=True)
    of_cell = kept[places].astype(np.uint64)
    return (members // of_cell + (ranks <= members % of_cell)).astype(np.int64)
