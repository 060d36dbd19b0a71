"""The instrument: the program with which it was measured, its version, or a single device is at fault.

What only one version sees while others look too is that version's own fault.  A fifth of the probes, or all of one
network among several, can lie without causing a retraction.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fanous.analysis.explanations.event import NamedEvent
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.explanations.service import CLEAN_MEASUREMENTS, NEW_COUNTRIES, ONSET_SHARE, is_clean
from fanous.base.groups import grouped
from fanous.model.incident import Release, Software
from fanous.model.threshold import threshold

ONE_SOFTWARE = threshold(
    "incidents.software_share",
    0.95,
    "Share of the failing probes that run one version of the software, from which the fault may be that "
    "version's.",
)

EACH_SOFTWARE = threshold(
    "incidents.software_each_share",
    0.8,
    "As `incidents.software_share`, where each network has a version of its own: other things fail there, too.",
)

OTHER_PROBES = threshold(
    "incidents.software_other_probes",
    3,
    "Probes with other software that must reach the target on each network named.",
)
OTHER_SHARE = threshold(
    "incidents.software_other_share",
    0.3,
    "Share, compared with the probes that fail, that those with other software must be: a fifth of the probes, "
    "or all of one network among several, can lie without causing a retraction.",
)


@Subject.INSTRUMENT.row(
    "software.defect", Consequence.RETRACT, "The version of the program that measured it is at fault."
)
def _defect(event: NamedEvent) -> Weighing:
    software = event.known.software
    name = _lone(software)
    others = [row for row in software if row.name != name]
    if not name:
        return _not_one(software)
    if not _reach_it(name, software, others):
        return _not_reached(others)
    return holds("software.defect", software=name, probes=sum(row.working for row in others))


@Subject.INSTRUMENT.row(
    "software.nettest", Consequence.SUSPECT, "Only one version of the test sees it, and may fail by itself."
)
def _nettest(event: NamedEvent) -> Weighing:
    """It retracts nothing, since a newer version may try more: the only one that sees a block may be the only one that
    looks for it."""
    nettests = event.known.nettests
    name = _lone(nettests)
    test = name.partition(" ")[0]
    others = [row for row in nettests if row.name != name and row.name.partition(" ")[0] == test]
    if not name:
        return _not_one(nettests)
    if not _reach_it(name, nettests, others):
        return _not_reached(others)
    return holds("software.nettest", release=name, probes=sum(row.working for row in others))


@Subject.INSTRUMENT.row(
    "software.each", Consequence.SUSPECT, "A few devices saw it, each behind a filter of its own."
)
def _each(event: NamedEvent) -> Weighing:
    """A filter of one office on each network looks like this, since a version is mostly one device."""
    software = event.known.software
    failing = working = networks = 0
    for rows in grouped(software, lambda row: row.asn).values():
        worst = max(rows, key=lambda row: row.failing)
        others = [row for row in rows if row.name != worst.name]
        if worst.name and worst.failing and _reach_it(worst.name, rows, others):
            failing += worst.failing
            working += sum(row.working for row in others)
            networks += 1
    if networks < 2 or failing < EACH_SOFTWARE * sum(row.failing for row in software):
        return _not_one(software)
    return holds("software.each", networks=networks, probes=working)


def _lone(software: Sequence[Software]) -> str:
    """The name of the one version that nearly all failing probes run; empty = there is none."""
    failing = Counter[str]()
    for row in software:
        failing[row.name] += row.failing
    ((name, most),) = failing.most_common(1) or [("", 0)]
    return name if most and most >= ONE_SOFTWARE * failing.total() else ""


def _reach_it(name: str, software: Sequence[Software], others: Sequence[Software]) -> bool:
    """Did enough probes with these others reach the target on every network on which that version fails?"""
    working = Counter[int]()
    for row in others:
        working[row.asn] += row.working
    affected = [row for row in software if row.name == name and row.failing]
    return all(working[row.asn] >= max(OTHER_PROBES, OTHER_SHARE * row.failing) for row in affected)


def _not_one(software: Sequence[Software]) -> Weighing:
    versions = {row.name for row in software if row.failing and row.name}
    if len(versions) > 1:
        return excluded("several_versions", some=len(versions))
    return untested("one_version") if versions else untested("version_unknown")


def _not_reached(others: Sequence[Software]) -> Weighing:
    if any(row.failing for row in others):
        return excluded("several_versions", some=len({row.name for row in others if row.failing}) + 1)
    return untested("one_version")


@Subject.INSTRUMENT.row(
    "software.release",
    Consequence.RETRACT,
    "The version of the test no longer fits the service, and fails in other countries too.",
)
def _release(event: NamedEvent) -> Weighing:
    """A nettest that no longer fits its service fails wherever it is still run; if no newer one is run in this country,
    only other countries show that."""
    releases, country = event.known.releases, event.whole.country
    here = [row for row in releases if row.country == country]
    worst = max(here, key=lambda row: row.failing, default=None)
    if worst is None or not worst.failing:
        return untested("version_unknown")
    if worst.failing < ONE_SOFTWARE * _sum(here)[0]:
        return excluded("several_versions", some=sum(row.failing > 0 for row in here))
    fails, works = [], 0
    for place in sorted({row.country for row in releases} - {country}):
        there = [row for row in releases if (row.country, row.test_name) == (place, worst.test_name)]
        own, others = (
            [row for row in there if (row.version == worst.version) is same] for same in (True, False)
        )
        if is_clean(*_sum(own)):
            works += 1
        elif _mostly_fails(*_sum(own)) and is_clean(*_sum(others)):
            fails.append(place)
    if works and works >= len(fails):
        return excluded("release_works", some=works)
    if len(fails) < NEW_COUNTRIES:
        return untested("release_not_elsewhere")
    return holds("software.release", release=f"{worst.test_name} {worst.version}", countries=tuple(fails))


def _sum(releases: Sequence[Release]) -> tuple[int, int]:
    return sum(row.failing for row in releases), sum(row.measured for row in releases)


def _mostly_fails(failing: int, measured: int) -> bool:
    return measured >= CLEAN_MEASUREMENTS and failing >= ONSET_SHARE * measured


@Subject.INSTRUMENT.row("probe.defect", Consequence.RETRACT, "The one device that saw it is at fault.")
def _device(event: NamedEvent) -> Weighing:
    """A network that has enough evidence of its own to be named was seen by more than one device."""
    if event.is_named:
        return excluded("several_probes", some=len(set(event.witness.probes.tolist())))
    votes = event.measured
    failing = set(votes.probes[votes.seen].tolist())
    networks = set(votes.asns[votes.seen].tolist())
    working = set(votes.probes[np.isin(votes.asns, list(networks)) & ~votes.seen].tolist()) - failing
    if len(failing) > 1 or len(networks) > 1:
        return excluded("several_probes", some=len(failing))
    if not failing:
        return untested("nothing_usable")
    if len(working) < OTHER_PROBES:
        return untested("few_neighbours", some=len(working), needed=OTHER_PROBES)
    return holds("probe.defect", networks=(f"AS{networks.pop()}",), probes=len(working))


INSTRUMENT = (_defect, _release, _device, _nettest, _each)
