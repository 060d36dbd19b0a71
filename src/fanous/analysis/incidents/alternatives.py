"""Alternatives: explanations that take a claim back - the platform failed, an instrument or a line did.

All need more than one voice, so that a few liars cannot make a true incident disappear.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from fanous.model.alternatives import Alternatives, LineRecord, Onset, Software
from fanous.model.votes import Votes

NEW_COUNTRIES = 3
"""METHODS 1: a platform is down, rather than blocked, if it began to fail in three countries at once."""

ONSET_PROBES = 2
"""Failing probes in each of them: one is a bad line."""

ONSET_SHARE = 0.5
"""Of the measurements made there at the time."""

CLEAN = 0.1
CLEAN_MEASUREMENTS = 5
"""A country counts only if the target worked there before: where it has been blocked for years, it always
fails, and on any evening a few countries block the same platform."""

ONE_SOFTWARE = 0.95
"""Share of the failing probes that run one version."""

OTHER_PROBES = 3
OTHER_SHARE = 0.3
"""On every network named, so many probes with other software must find the target to work, in number and
beside those that fail: what only one version sees, where others look too, is the version's own.  A fifth of
the probes, or all those on one network of several, can lie without taking a claim back."""

LINE_FAULTS = (
    *("", "dns", "dns.timeout", "dns.refused", "ip.unreachable", "tcp", "tcp.timeout", "tls", "tls.timeout"),
    *("http", "http.timeout", "quic.drop", "quic.drop.target"),
)
"""Mechanisms that a bad line, carrier or resolver gives as well; nothing there forges, resets or answers."""

LINE_TARGETS = 5
"""So many targets a probe must have measured meanwhile before it tells anything of its line."""

LINE_SHARE = 0.6
"""Where so much of what else a probe measures fails like a bad line, no target was singled out.  Of lists of
sites that are tested for blocking, the strictest censors cut less, and forge or reset most of that."""

LINE_PROBES = 0.5
"""Of the probes that saw it on a network: half of them must have such a line, so that a few liars that
report everything as failing take nothing back."""


def other_explanation(known: Alternatives, controlled: bool) -> str:
    """What explains the failures better than interference does; empty = nothing known does.

    Args:
        controlled: most failing measurements carried a normal control: whatever fails in other countries,
            the target worked for somebody outside at that very minute.
    """
    return defect(known.software) or ("" if controlled else platform_down(known.onsets))


def platform_down(onsets: Iterable[Onset]) -> str:
    """The countries in which the target began to fail at the same time, if they are enough."""
    new = sorted(onset.country for onset in onsets if _is_new(onset))
    if len(new) < NEW_COUNTRIES:
        return ""
    return f"the platform itself was down: it began to fail in {', '.join(new)} at the same time"


def _is_new(onset: Onset) -> bool:
    return (
        onset.probes >= ONSET_PROBES
        and onset.failing >= ONSET_SHARE * onset.measured
        and onset.measured_before >= CLEAN_MEASUREMENTS
        and onset.failing_before <= CLEAN * onset.measured_before
    )


def bad_lines(lines: Sequence[LineRecord]) -> frozenset[int]:
    """Networks on which the probes that saw it could reach hardly anything else either.

    Where most of them measured too little to tell (each measurement may stand under a name of its own), what
    all probes of the network measured does.
    """
    saw, tell, bad = Counter[int](), Counter[int](), Counter[int]()
    for line in lines:
        if not line.of_all:
            saw[line.asn] += 1
            tell[line.asn] += line.targets >= LINE_TARGETS
            bad[line.asn] += _is_bad(line)
    whole = {line.asn for line in lines if line.of_all and _is_bad(line)}
    few_tell = {asn for asn in saw if 2 * tell[asn] < saw[asn]}
    return frozenset(
        asn for asn in saw if (asn in whole if asn in few_tell else bad[asn] >= LINE_PROBES * saw[asn])
    )


def _is_bad(line: LineRecord) -> bool:
    return line.targets >= LINE_TARGETS and line.failing >= LINE_SHARE * line.others


def broken_machine(inside: Votes) -> str:
    """The one probe that sees it, where enough others on its network do not.

    Args:
        inside: votes on the networks in question, while it was seen there.
    """
    failing = set(inside.probes[inside.seen].tolist())
    networks = set(inside.asns[inside.seen].tolist())
    working = set(inside.probes[np.isin(inside.asns, list(networks)) & ~inside.seen].tolist()) - failing
    if len(failing) != 1 or len(networks) != 1 or len(working) < OTHER_PROBES:
        return ""
    return (
        f"an instrument's defect: one probe alone sees it, while {len(working)} others on AS{networks.pop()} "
        "reach the target meanwhile"
    )


def defect(software: Sequence[Software]) -> str:
    """The one version that sees it, where other versions on the same networks do not."""
    failing = Counter[str]()
    for row in software:
        failing[row.name] += row.failing
    ((name, most),) = failing.most_common(1) or [("", 0)]
    if not most or most < ONE_SOFTWARE * failing.total():
        return ""
    others = Counter[int]()
    for row in software:
        if row.name != name:
            others[row.asn] += row.working
    affected = [row for row in software if row.name == name and row.failing]
    if any(others[row.asn] < max(OTHER_PROBES, OTHER_SHARE * row.failing) for row in affected):
        return ""
    return (
        f"an instrument's defect: only {name or 'software without a name'} sees it, while other software "
        f"finds it to work on the same networks ({others.total()} probes)"
    )
