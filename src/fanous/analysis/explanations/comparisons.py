"""Comparisons: what a table of evidence says about other countries, software, lines, names and hosts.

Each counts one thing, when it is first asked for; what the counts mean is decided by the rows of the table of
explanations.  Measurements are
counted by the number that a row stands for, probes by the names of those that are in the table.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.model.evidence import Evidence, EvidenceScope, Flags, LookupOutcome
from fanous.model.incident import (
    ForeignNetwork,
    Hosting,
    LineRecord,
    NameRecord,
    Onset,
    Release,
    Run,
    SharedPage,
    Software,
)
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.threshold import threshold

LEAST_VOICES = threshold(
    "incidents.line_voices",
    3,
    "Fewest measurements of a target for it to count for a network's lines as a whole: one device on a bad line "
    "measures a list of sites once.",
)


LINE_FAULTS = (
    *("", "dns", "dns.timeout", "dns.refused", "ip.unreachable", "tcp", "tcp.timeout", "tls", "tls.timeout"),
    *("http", "http.timeout", "quic.drop", "quic.drop.target"),
)
"""Mechanisms that a bad line, carrier or resolver shows too: nothing is forged, reset or answered."""

ABROAD = threshold(
    "incidents.unanswered_abroad",
    2,
    "Lookups without an answer in one other country at the time, from which the name itself is in question: one "
    "is a lost packet.",
)

INTERCEPTED = "tls.mitm"
"""Mechanisms of certificates that are not the site's begin with this."""

ONSET_SLOT = threshold(
    "incidents.platform_slot_seconds",
    1800,
    "What failed elsewhere in those half-hours in which the target mostly failed here failed at the same time. "
    "Whole times are compared, since one stray failure moves an onset by hours.",
)
ONSET_BASELINE = threshold(
    "incidents.platform_baseline_seconds",
    7 * DAY,
    "Time, before the first half-hour in which the target mostly failed here, in which it must have worked "
    "elsewhere.",
)

LONGEST_FAILURE = threshold(
    "incidents.platform_failure_slots",
    96,
    "Half-hours: what fails for longer is not a platform's own failure. The longest failure of a large platform "
    "lasted a day (Facebook on 13 March 2019).",
)


def is_intercepted(mechanism: str) -> bool:
    """Was another certificate shown than the site's?"""
    return mechanism.startswith(INTERCEPTED)


@dataclass(frozen=True, eq=False)
class Comparisons:
    """What the evidence of one event says, each counted once, when an explanation asks for it.

    Attributes:
        slots: unix seconds // ``ONSET_SLOT`` of the times at which the targets failed in the event's country.
        homes: ASN of a network that is registered in another country -> that country.
        sources: whose software is compared; empty = all.  If one family is judged by itself, the programs of others
            do not show that its own is at fault: a censor who knows them can let them through.
        of_runs: sources that name runs of a test and no probes.
    """

    evidence: Evidence
    slots: Collection[int] = ()
    homes: Mapping[int, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    of_runs: Sequence[str] = ()

    @cached_property
    def onsets(self) -> tuple[Onset, ...]:
        """How the targets fared in every other country that measured them, by country."""
        if not self.slots:
            return ()
        first, evidence = min(self.slots), self.evidence
        since = first * ONSET_SLOT - ONSET_BASELINE
        rows = evidence.where(
            ~evidence.at_home & evidence.claimed & evidence.decided & (evidence.times >= since)
        )
        slots = rows.times // ONSET_SLOT
        is_then, is_before = np.isin(slots, [*self.slots]), slots < first
        return tuple(
            Onset(
                place,
                len({*rows.probes[of_it & rows.fails & is_then].tolist()}),
                *(
                    int(rows.counts[of_it & which].sum())
                    for which in (rows.fails & is_then, is_then, rows.fails & is_before, is_before)
                ),
            )
            for place, of_it in _each(rows.countries)
            if (of_it & (is_then | is_before)).any()
        )

    @cached_property
    def software(self) -> tuple[Software, ...]:
        """How each version of the measuring software fared."""
        return software(self.evidence, self.sources)

    @cached_property
    def nettests(self) -> tuple[Software, ...]:
        """How each version of a nettest fared."""
        return software(self.evidence, self.sources, of_nettests=True)

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """What each version of a nettest found: on the event's networks, and in every other country."""
        of_it = self.evidence.on_its_networks | (self.evidence.then & ~self.evidence.at_home)
        rows = self.evidence.where(
            of_it & self.evidence.claimed & self.evidence.decided & (self.evidence.versions != "")
        )
        return tuple(
            Release(place, test, version, failing, made)
            for (place, test, version), (failing, made) in _counted(
                rows, rows.countries, rows.tests, rows.versions
            )
        )

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs that saw it; one that changed its resolver or software is listed once for each."""
        rows = self.evidence.where(
            self.evidence.on_its_networks
            & self.evidence.claimed
            & np.isin(self.evidence.sources.astype(str), self.of_runs)
        )
        made: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        keys = _zip(rows.probes, rows.software, rows.tests, rows.versions, rows.resolver_asns)
        for key, at in zip(keys, rows.times.tolist(), strict=True):
            made[key].append(at)
        return tuple(Run(*[*key, min(times), max(times)]) for key, times in sorted(made.items()))

    @cached_property
    def lines(self) -> tuple[LineRecord, ...]:
        """How those who saw it fared with other targets."""
        return lines(self.evidence, LINE_FAULTS)

    @cached_property
    def inspected(self) -> tuple[LineRecord, ...]:
        """As ``lines``, where *failing* means that another certificate was shown."""
        rows = self.evidence.on_its_networks & self.evidence.claimed & self.evidence.fails
        ways = {way for own in self.evidence.mechanisms[rows].tolist() for way in own if is_intercepted(way)}
        return lines(self.evidence, ways) if ways else ()

    @cached_property
    def names(self) -> tuple[NameRecord, ...]:
        """How the lookups of each target fared, by network and the resolver's network."""
        rows = self.evidence.where(
            self.evidence.here & self.evidence.at_home & (self.evidence.lookups != str(LookupOutcome.NONE))
        )
        failed = rows.lookups != str(LookupOutcome.WORKS)
        return tuple(
            NameRecord(asn, resolver, target, failing, made - failing)
            for (asn, resolver, target), (failing, made) in _counted(
                rows, rows.asns, rows.resolver_asns, rows.targets, fails=failed
            )
        )

    @cached_property
    def hosting(self) -> tuple[Hosting, ...]:
        """Where the helper found each target, in measurements made on the networks."""
        rows = self.evidence.where(self.evidence.here & self.evidence.at_home)
        found: dict[str, set[int]] = defaultdict(set)
        for target, networks in _zip(rows.targets, rows.hosting):
            found[target].update(networks)
        return tuple(
            Hosting(target, tuple(sorted(networks))) for target, networks in sorted(found.items()) if networks
        )

    @cached_property
    def pages(self) -> tuple[SharedPage, ...]:
        """Pages, alike in everything that is kept of them, that probes on a network got for several targets."""
        rows = self.evidence.where(self.evidence.here & self.evidence.at_home)
        proper: dict[int, set[str]] = defaultdict(set)
        for asn, target in _zip(rows.asns[rows.usual_page], rows.targets[rows.usual_page]):
            proper[asn].add(target)
        showing: dict[tuple[int, int], set[str]] = defaultdict(set)
        for asn, target, pages in _zip(rows.asns, rows.targets, rows.pages):
            for page in pages:
                showing[asn, page].add(target)
        found = [
            SharedPage(asn, tuple(sorted(targets)), len(proper[asn]))
            for (asn, _), targets in showing.items()
            if len(targets) > 1
        ]
        return tuple(sorted(found, key=lambda page: (page.asn, page.targets)))

    @cached_property
    def reached(self) -> tuple[str, ...]:
        """Targets to which connections were made on the networks, in measurements in which nothing failed."""
        rows = self.evidence.here & self.evidence.at_home & self.evidence.works & self.evidence.connected
        return tuple(sorted({*self.evidence.targets[rows].tolist()} - {""}))

    @cached_property
    def unanswered(self) -> tuple[str, ...]:
        """Other countries in which lookups of the targets had no answer at the time."""
        return tuple(place for place, uids in unanswered(self.evidence).items() if len(uids) >= ABROAD)

    @cached_property
    def former(self) -> frozenset[str]:
        """Measurements whose wrong answers were right in the weeks before."""
        return frozenset(self.evidence.uids[self.evidence.former & self.evidence.on_its_networks].tolist())

    @cached_property
    def outdated(self) -> frozenset[str]:
        """As ``former``, if an answer is not right merely because it is in the hosting network of the right one."""
        return frozenset(self.evidence.uids[self.evidence.outdated & self.evidence.on_its_networks].tolist())

    @cached_property
    def foreign(self) -> tuple[ForeignNetwork, ...]:
        """How the targets fared in other countries on the event's networks that are registered abroad."""
        rows = self.evidence.where(
            ~self.evidence.at_home & self.evidence.here & self.evidence.claimed & self.evidence.decided
        )
        elsewhere: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
        for (asn, place), (failing, measured) in _counted(rows, rows.asns, rows.countries):
            elsewhere[asn].append((place, failing, measured))
        return tuple(ForeignNetwork(asn, home, tuple(elsewhere[asn])) for asn, home in self.homes.items())


NOTHING = Comparisons(Evidence.nothing(EvidenceScope("", (), {})))
"""Where only votes are known."""


def software(
    evidence: Evidence, sources: Sequence[str] = (), *, of_nettests: bool = False
) -> tuple[Software, ...]:
    """What each version of the software found on the event's networks, by name and network, in probes.

    Args:
        sources: whose measurements count; empty = all.
        of_nettests: each version of a nettest instead, named ``telegram 0.3.1``; those without one are left out.
    """
    chosen = evidence.on_its_networks & evidence.claimed & evidence.decided
    if sources:
        chosen &= np.isin(evidence.sources.astype(str), sources)
    rows = evidence.where(chosen)
    names = rows.software.tolist()
    if of_nettests:
        names = [f"{test} {version}" if version else "" for test, version in _zip(rows.tests, rows.versions)]
    fell: dict[tuple[str, int, str], bool] = defaultdict(bool)
    for name, (asn, probe, fails) in zip(names, _zip(rows.asns, rows.probes, rows.fails), strict=True):
        fell[name, asn, probe] |= fails
    found: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for (name, asn, _), fails in fell.items():
        found[name, asn].append(fails)
    return tuple(
        Software(name, asn, sum(own), len(own) - sum(own))
        for (name, asn), own in sorted(found.items())
        if name or not of_nettests
    )


def lines(evidence: Evidence, faults: Collection[str]) -> tuple[LineRecord, ...]:
    """How each probe that saw a target fail fared with other targets, and how its whole network fared.

    Our own probes check their line themselves; what they measure on a bad one means nothing.

    Args:
        faults: mechanisms that a bad line can cause, too.
    """
    rows = evidence.where(
        evidence.here & evidence.at_home & evidence.decided & (evidence.sources != str(Family.EDGE))
    )
    lost = rows.fails & _all_in(rows, faults)
    failing = rows.where(rows.claimed & rows.fails)
    saw = {*_zip(failing.asns, failing.probes)}
    own: dict[tuple[int, str], list[tuple[bool, float]]] = defaultdict(list)
    whole: dict[int, list[tuple[bool, float]]] = defaultdict(list)
    by_probe = _counted(rows, rows.asns, rows.probes, rows.targets, rows.claimed, fails=lost)
    for (asn, probe, _, claimed), (gone, made) in by_probe:
        if (asn, probe) in saw:
            own[asn, probe].append((claimed, gone / made))
    for (asn, _, claimed), (gone, made) in _counted(rows, rows.asns, rows.targets, rows.claimed, fails=lost):
        if made >= LEAST_VOICES:
            whole[asn].append((claimed, gone / made))
    return (
        *(_line(asn, shares, of_all=False) for (asn, _), shares in own.items()),
        *(_line(asn, shares, of_all=True) for asn, shares in whole.items()),
    )


def _line(asn: int, shares: Sequence[tuple[bool, float]], *, of_all: bool) -> LineRecord:
    others = [share for claimed, share in shares if not claimed]
    return LineRecord(asn, len(shares), len(others), sum(others), of_all)


def unanswered(evidence: Evidence) -> Mapping[str, Collection[str]]:
    """Other country -> measurements in which lookups of the targets had no answer, and no control says why."""
    rows = (
        ~evidence.at_home
        & evidence.claimed
        & evidence.then
        & (evidence.lookups == str(LookupOutcome.UNANSWERED))
    )
    return {
        place: {*evidence.uids[rows & of_it].tolist()}
        for place, of_it in _each(evidence.countries)
        if (rows & of_it).any()
    }


# --- columns ---------------------------------------------------------------------------------------------

Column = NDArray[Any]


def _zip(*columns: Column) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)


def _each(column: Column) -> Iterator[tuple[str, Flags]]:
    """Each value, ascending, and its rows."""
    for value in sorted({*column.tolist()}):
        yield value, column == value


def _counted(
    rows: Evidence, *keys: Column, fails: Flags | None = None
) -> Iterator[tuple[tuple[Any, ...], tuple[int, int]]]:
    """Each combination of values, ascending: how many measurements failed, and how many were made."""
    made: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for *key, fell, count in _zip(*keys, rows.fails if fails is None else fails, rows.counts):
        own = made[tuple(key)]
        own[0] += fell * count
        own[1] += count
    return ((key, (own[0], own[1])) for key, own in sorted(made.items()))


def _all_in(rows: Evidence, faults: Collection[str]) -> Flags:
    """Rows that failed in no other way; throttling is a fault, too."""
    known: dict[tuple[str, ...], bool] = {}
    for ways in rows.mechanisms.tolist():
        if ways not in known:
            known[ways] = {*faults}.issuperset(ways)
    return np.array([known[ways] for ways in rows.mechanisms.tolist()], np.bool_)
