"""Evidence: what was measured about an event, in one table, and what a claim rests on.

``analysis.explanations.comparisons`` counts in the table.
"""

from collections.abc import Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.model.evidence import KINDS, Evidence, EvidenceScope, column
from fanous.model.incident import Incident, Interval
from fanous.model.instant import DAY
from fanous.model.measurement import ENCRYPTED, Provenance, weakest
from fanous.model.place import Family
from fanous.model.series import Ints, RatePair
from fanous.model.threshold import threshold
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

_FELL = "state IN ('blocked', 'throttled', 'down') OR symptom"

# --- the table -------------------------------------------------------------------------------------------

MOST_ROWS = threshold(
    "incidents.evidence_rows",
    20_000,
    "Measurements that are compared with an event, besides its own: they take some 12 MB and half a second to read. "
    "Beyond that, those of the same network, target and outcome, before, during or after the event, are sampled by the "
    "digests of their names, and each that stays stands for several.",
)

AROUND = DAY
"""Seconds before and after the event that the table covers."""

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
# What its own networks say of the event's targets is kept whole, as ``votes`` has it too: probes are counted there.
_CELLS = f"""
SELECT *, network AS asn, began AS started_at, target IN {{targets:Array(String)}} AS claimed,
    {IN_STRETCHES} AS here, {IN_ANY_STRETCH} AS then, sipHash64(uid) AS digest,
    claimed AND then AND place = {{country:String}} AND network IN {{places:Array(UInt32)}} AS is_whole,
    intDiv(toUnixTimestamp(began), {{slot_width:UInt32}}) AS slot,
    sipHash64(is_whole, place, if(network IN {{places:Array(UInt32)}}, network, 0), target, fails, works, lookup,
        here, then, slot IN {{slots:Array(UInt32)}}, slot < {{first_slot:UInt32}}) AS cell
FROM ({_MEASURED})
"""
_BOUNDED = f"""
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY is_whole ORDER BY rank, digest, uid, target) AS place_in_line FROM (
        SELECT *, count() OVER (PARTITION BY cell) AS members,
            row_number() OVER (PARTITION BY cell ORDER BY digest, uid) AS rank
        FROM ({_CELLS})
    )
)
WHERE is_whole OR place_in_line <= {{most:UInt64}}
"""
_PAGES = f"""
SELECT uid, target, groupUniqArray(sipHash64(status_code, title, body_length, server, header_names)) AS shown
FROM observations
WHERE country = {{country:String}} AND vantage = 'probe' AND layer = 'http' AND failure IS NULL
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
WHERE country = {{country:String}} AND vantage = 'helper' AND layer = 'dns' AND failure IS NULL
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
    WHERE country = {{country:String}} AND vantage = 'probe' AND layer = 'dns' AND failure IS NULL
        AND notEmpty(answers) AND target IN {{targets:Array(String)}}
        AND asn IN {{places:Array(UInt32)}} AND {IN_ANY_STRETCH}
    GROUP BY uid, target
) AS answered
INNER JOIN (
    SELECT target, groupUniqArrayArray(answers) AS earlier FROM observations
    WHERE {_HELPERS}
        AND toUnixTimestamp64Micro(started_at) BETWEEN {{since:Int64}} - {{before:Int64}} AND {{since:Int64}} - 1
    GROUP BY target
) AS earlier USING (target)
LEFT JOIN (
    SELECT target, groupUniqArrayArray(answers) AS present, groupUniqArrayArray(answer_asns) AS networks
    FROM observations WHERE {_HELPERS} AND {IN_ANY_STRETCH}
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
    toLowCardinality(version), resolver, toLowCardinality(lookup), connected, usual_page, %(asked)s, cell, members, rank
FROM ({_BOUNDED}) AS measured
LEFT JOIN ({_HEADERS}) AS headers USING (uid) %(joins)s
"""
_OF_OBSERVATIONS = {
    "pages": (_PAGES, {"shown": "CAST([], 'Array(UInt64)')"}),
    "hosting": (_HOSTS, {"hosts": "CAST([], 'Array(UInt32)')"}),
    "former": (_ANSWERS, {"former": "false", "outdated": "false"}),
}
"""What can be asked of single observations -> its query, and its columns with what stands there otherwise: planning the
queries takes as long as the rest."""


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

    def provenance_of(self, incident: Incident, known: Set[Provenance]) -> Provenance:
        """The weakest provenance of what an incident is made of: the measurements in which a target of it failed.

        An outage is made of everything known, since its baseline is; but what strangers sent counts only if probes are
        among what shows it.  The same goes for an incident whose measurements are gone.

        Args:
            known: ``provenances`` of the country.
        """
        if len(known) > 1 and incident.targets:
            asns = [network.asn for network in incident.networks]
            claim = _claim(incident.country, incident.targets, asns, incident.intervals)
            if seen := {Provenance(name) for (name,) in self.engine.rows(_PROVENANCES_SEEN, **claim)}:
                return weakest(seen)
        families = incident.evidence.families
        return weakest(known if not families or Family.EDGE in families else known - {Provenance.UNVOUCHED})

    def evidence(
        self,
        scope: EvidenceScope,
        *,
        slots: Sequence[int] = (),
        pages: bool = False,
        hosting: bool = False,
        former: bool = False,
    ) -> Evidence:
        """What was measured about an event, from a day before until a day after it.

        Columns that are read from single observations are only filled if they are asked for.

        Args:
            slots: unix seconds // ``ONSET_SLOT`` of the times at which the targets failed, to be counted apart.
            pages, hosting, former: ask for these columns.
        """
        # Who only reads incidents loads nothing that concludes.
        from fanous.analysis.explanations.comparisons import ONSET_BASELINE, ONSET_SLOT
        from fanous.analysis.explanations.resolver import MOVED_WITHIN, UNANSWERED
        from fanous.analysis.explanations.site import OWN_PAGES

        since = min((one.start for one in scope.intervals), default=0.0)
        until = min(LAST, max((one.until for one in scope.intervals), default=0.0))
        first_slot = min(slots, default=0)
        abroad = min(since - AROUND, first_slot * ONSET_SLOT - ONSET_BASELINE) if slots else since - AROUND
        asked, joins = list[str](), list[str]()
        for (name, (query, empty)), is_asked in zip(
            _OF_OBSERVATIONS.items(), (pages, hosting, former), strict=True
        ):
            asked += empty if is_asked else map(" AS ".join, zip(empty.values(), empty, strict=True))
            joins += [f"LEFT JOIN ({query}) AS {name} USING (uid, target)"] if is_asked else []
        columns = self.engine.columns(
            _EVIDENCE % {"asked": ", ".join(asked), "joins": " ".join(joins)},
            country=scope.country,
            targets=list(scope.targets),
            **in_stretches({**scope.stretches, 0: scope.intervals}),
            first=ticks(since - AROUND),
            abroad=ticks(abroad),
            last=ticks(until + AROUND),
            slots=list(slots),
            first_slot=first_slot,
            slot_width=ONSET_SLOT,
            unanswered=list(UNANSWERED),
            own_pages=list(OWN_PAGES),
            before=ticks(MOVED_WITHIN),
            most=MOST_ROWS,
        )
        *columns, cells, members, ranks = columns or [[] for _ in range(len(KINDS) + 3)]
        counts = _counts(*(np.array(one, np.uint64) for one in (cells, members, ranks)))
        return Evidence(scope, *[*map(column, columns, KINDS), counts])

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


def _counts(cells: NDArray[np.uint64], members: NDArray[np.uint64], ranks: NDArray[np.uint64]) -> Ints:
    """How many members of its cell each row stands for; together all of them."""
    _, places, kept = np.unique(cells, return_inverse=True, return_counts=True)
    of_cell = kept[places].astype(np.uint64)
    return (members // of_cell + (ranks <= members % of_cell)).astype(np.int64)
