"""Events: what explanations are weighed against, for anomalies of measurements that may be one event.

``MeasuredEvent`` is everything that was measured of it.  ``NamedEvent`` is what remains for the networks that are
named, up to a moment: a live monitor confirms at the first moment at which no explanation is left.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.comparisons import Comparisons
from fanous.analysis.explanations.explanation import Weighing, excluded, untested
from fanous.analysis.rules.addresses import host_of
from fanous.analysis.series.voices import NETWORK_PROBES
from fanous.model.incident import Hosting, Interval
from fanous.model.series import Floats, Votes
from fanous.model.threshold import threshold
from fanous.model.verdict import BLOCK_ADDRESS, BOGON, FORGED

BY_ADDRESS = ("ip.unreachable", "tcp.refused", "tcp.reset", "tcp.timeout")
"""Mechanisms of a connection that was never made: a site's own filter of countries shows the same."""

IN_ITS_PLACE = (BOGON, BLOCK_ADDRESS, FORGED, "dns.nxdomain", "http.blockpage", "http.redirect")
"""Mechanisms of false answers and notices: no host that fails gives them."""


MOST = threshold(
    "incidents.alike_share",
    0.9,
    "Share of the failures from which they all count as alike: during a block other things fail, too.",
)

OTHER_NAMES = threshold(
    "incidents.resolver_names",
    3,
    "Other targets for which a resolver must have answered (or whose pages came unchanged) to have singled "
    "something out: as many as measurements make a control.",
)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredEvent:
    """Everything that was measured of an event.

    Attributes:
        votes: of the country, on the event's targets.
        elsewhere: of other countries on the same targets, if they say *works*.
        group: the event's findings.
        findings: all of the country, including the event's.
    """

    country: str
    votes: Votes
    elsewhere: Votes
    group: Sequence[Finding]
    findings: Sequence[Finding]
    known: Comparisons

    @property
    def is_of_line(self) -> bool:
        """Is it about the line itself, with no target singled out?"""
        return any(not finding.target for finding in self.group)


@dataclass(frozen=True, slots=True, eq=False)
class NamedEvent:
    """What remains of an event for the networks that are named.

    Attributes:
        sessions: its findings on these networks.
        is_named: do they have enough evidence of their own to be named?
        measured: all votes there, while it was on.
        witness: the failing ones of these.
        seen: those of ``witness`` that may confirm it, up to ``now``.
        controls: when the target worked elsewhere (``controls.works_elsewhere``), ascending.
    """

    whole: MeasuredEvent
    sessions: Sequence[Finding]
    is_named: bool
    measured: Votes
    witness: Votes
    seen: Votes
    controls: Floats
    now: float = np.inf

    @property
    def known(self) -> Comparisons:
        """What the table of evidence says besides the votes."""
        return self.whole.known

    @property
    def targets(self) -> frozenset[str]:
        """Targets that were seen to fail."""
        return frozenset(str(target) for target in self.seen.targets)

    def hosts(self, target: str) -> frozenset[int]:
        """Networks of a target's addresses, as the helper found them; empty = unknown."""
        return frozenset(host for one in self.known.hosting if one.target == target for host in hosts_of(one))

    def are_apart(self, targets: Collection[str]) -> bool:
        """Are two of the targets in different hosting networks, so that no single owner or host decides on both?"""
        places = [hosts for target in targets if (hosts := self.hosts(target))]
        return any(one.isdisjoint(other) for n, one in enumerate(places) for other in places[:n])


def hosts_of(hosting: Hosting) -> frozenset[int]:
    """Networks that host a target, each by the one that runs it."""
    return frozenset(map(host_of, hosting.networks))


def sites(targets: frozenset[str]) -> frozenset[str]:
    """The targets, if all are sites; a platform's name has no dot."""
    return targets if all("." in target for target in targets) else frozenset()


def alike(seen: Votes) -> str:
    """The one way in which connections fail on all networks; empty = there are several, or it is another."""
    ways = set[str]()
    for asn in np.unique(seen.asns):
        own = Counter(seen.mechanisms[seen.asns == asn].tolist())
        way, most = own.most_common(1)[0]
        if most < MOST * own.total() or way not in BY_ADDRESS:
            return ""
        ways.add(str(way))
    return ways.pop() if len(ways) == 1 else ""


def spans(seen: Votes) -> Iterator[tuple[int, Interval]]:
    """Each network, and the time between its third failing probe and its last failure."""
    for asn in np.unique(seen.asns).tolist():
        own = seen.where(seen.asns == asn)
        _, firsts = np.unique(own.probes.astype(str), return_index=True)
        if len(firsts) >= NETWORK_PROBES:
            third = float(np.sort(own.times[firsts])[NETWORK_PROBES - 1])
            yield asn, Interval(third, float(own.times.max()))


def ways(seen: Votes) -> tuple[str, ...]:
    """Mechanisms of the failures, the most frequent first."""
    return tuple(str(way) for way, _ in Counter(seen.mechanisms.tolist()).most_common(3) if way)


def other_way(seen: Votes) -> Weighing:
    """The way in which it failed does not fit, if it is known."""
    return excluded("other_way", mechanisms=ways(seen)) if ways(seen) else untested("nothing_usable")


def ases(asns: Collection[int]) -> tuple[str, ...]:
    """As places are written: ``AS17557``."""
    return tuple(f"AS{asn}" for asn in sorted(asns))


def of_targets(test: Callable[[NamedEvent], Weighing]) -> Callable[[NamedEvent], Weighing]:
    """A test of an explanation that concerns sites and services, and needs failures to look at."""

    @wraps(test)
    def weigh(event: NamedEvent) -> Weighing:
        if event.whole.is_of_line:
            return excluded("no_target")
        return test(event) if len(event.seen) else untested("nothing_usable")

    return weigh
