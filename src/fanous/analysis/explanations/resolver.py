"""The resolver or the name: lookups fail without anyone having chosen the names that fail.

One resolver may have a fault, or not reach the name servers of one hosting network.  Both fail for names that no one
chose; a block leaves most names alone, and does not stop at the customers of one hosting network.  A public resolver
may filter by itself, and people choose it for that.  A name's own servers may be at fault: if its signatures are
broken, resolvers that check them fail in every country.  And a site that has moved leaves its former address in caches.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import wraps

import numpy as np

from fanous.analysis.explanations.comparisons import is_intercepted
from fanous.analysis.explanations.event import (
    BY_ADDRESS,
    MOST,
    OTHER_NAMES,
    NamedEvent,
    ases,
    of_targets,
    other_way,
)
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.explanations.line import LINE_TARGETS
from fanous.analysis.rules.addresses import MAY_FILTER, PUBLIC_RESOLVERS
from fanous.analysis.series.voices import is_long
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.reason import Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold
from fanous.model.verdict import FORGED

OF_DNS = "dns"
"""Mechanisms of lookups begin with this."""

UNANSWERED = ("dns", "dns.timeout")
NO_ANSWER = (*UNANSWERED, "dns.refused")
"""Mechanisms of a resolver that gives no answer at all; a wrong one, or one that denies the name, is a choice.  A
resolver that refuses chooses, too, if it answers for other names."""

NAMES_SHARE = threshold(
    "incidents.resolver_failing_share",
    0.6,
    "Most of the targets looked up through a resolver that may have failed for it to have singled something "
    "out: as for lines (`incidents.line_target_share`).",
)


MOVED_WITHIN = threshold(
    "incidents.moved_within_seconds",
    28 * DAY,
    "Time before an event in which the helper's answers count as former addresses: as long as the history that "
    "is read.",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Resolver:
    """The one network whose resolvers are behind the failures.

    Attributes:
        lookups: the failures that count.
        is_silent: did it give no answers, rather than false ones?
        failing, answered: names for which it failed, and for which it answered, the event's included.
    """

    networks: tuple[str, ...]
    lookups: Votes
    is_silent: bool
    failing: frozenset[str]
    answered: frozenset[str]

    @property
    def fails_for_most(self) -> bool:
        return len(self.failing) > NAMES_SHARE * len(self.failing | self.answered)

    @property
    def has_singled_out(self) -> bool:
        """Does it answer for enough other names to show that what fails was chosen?"""
        return len(self.answered) >= OTHER_NAMES and not self.fails_for_most


def _resolver(event: NamedEvent) -> _Resolver | Weighing:
    """The one resolver behind the failures, or what shows that there is none."""
    seen = event.seen
    no_answer = np.isin(seen.mechanisms, NO_ANSWER)
    is_silent = int(no_answer.sum()) >= MOST * len(seen)
    of_names = np.array([way.startswith(OF_DNS) for way in seen.mechanisms.tolist()], np.bool_)
    lookups = seen.where(no_answer if is_silent else of_names)
    if len(lookups) < MOST * len(seen):
        return other_way(seen)
    resolvers = set(np.where(lookups.resolver_asns > 0, lookups.resolver_asns, lookups.asns).tolist())
    if len(resolvers) != 1:
        return excluded("several_resolvers", resolvers=ases(resolvers))
    targets = event.targets
    names = [
        name
        for name in event.known.names
        if (name.resolver_asn or name.asn) in resolvers and name.target not in targets
    ]
    answered = frozenset(name.target for name in names if name.answered > name.failing)
    failing = targets.union(name.target for name in names if name.target not in answered)
    return _Resolver(ases(resolvers), lookups, is_silent, failing, answered)


def _of_one_resolver(
    test: Callable[[NamedEvent, _Resolver], Weighing],
) -> Callable[[NamedEvent], Weighing]:
    """A test of the one resolver behind the failures; where there is none, that is the answer."""

    @of_targets
    @wraps(test)
    def weigh(event: NamedEvent) -> Weighing:
        resolver = _resolver(event)
        return resolver if isinstance(resolver, Weighing) else test(event, resolver)

    return weigh


@Subject.RESOLVER.row("resolver.at_fault", Consequence.SUSPECT, "The one resolver behind it has a fault.")
@_of_one_resolver
def _at_fault(_: NamedEvent, resolver: _Resolver) -> Weighing:
    if not resolver.is_silent:
        return excluded("false_answers")
    if resolver.has_singled_out:
        return excluded("names_answered", some=len(resolver.answered))
    return holds("resolver.at_fault", resolvers=resolver.networks)


@Subject.RESOLVER.row(
    "resolver.denies_most", Consequence.SUSPECT, "The one resolver behind it denies nearly all names."
)
@_of_one_resolver
def _denies_most(event: NamedEvent, resolver: _Resolver) -> Weighing:
    """A wrong answer, or a denial that the name exists, is deliberate, unless nearly all names are denied."""
    if resolver.is_silent:
        return excluded("no_false_answers")
    if str(Family.EDGE) in event.seen.sources:
        return excluded("own_probes_compare")
    if is_long(event.seen):
        return excluded("lasts")
    if not resolver.fails_for_most:
        return excluded("names_answered", some=len(resolver.answered))
    if len(resolver.failing) < LINE_TARGETS:
        return untested("few_names", some=len(resolver.failing), needed=LINE_TARGETS)
    every = len(resolver.failing | resolver.answered)
    return holds("resolver.denies_most", resolvers=resolver.networks, some=len(resolver.failing), all=every)


@Subject.RESOLVER.row(
    "resolver.one_host",
    Consequence.SUSPECT,
    "The one resolver behind it cannot reach the name servers of one host.",
)
@_of_one_resolver
def _one_host(event: NamedEvent, resolver: _Resolver) -> Weighing:
    if not resolver.is_silent:
        return excluded("false_answers")
    if not resolver.has_singled_out:
        return untested("few_names", some=len(resolver.answered), needed=OTHER_NAMES)
    unclear = np.isin(resolver.lookups.mechanisms, UNANSWERED) & ~resolver.lookups.controlled
    if not unclear.any():
        return excluded("found_otherwise")
    if not _are_of_one_host(event, resolver.answered):
        return excluded("host_answered")
    return holds("resolver.one_host", resolvers=resolver.networks)


def _are_of_one_host(event: NamedEvent, answered: Collection[str]) -> bool:
    """Are all names in one hosting network (or is there one name only, and its network is not known), of which no
    name was answered?"""
    common = frozenset[int].intersection(*map(event.hosts, event.targets))
    if not common:
        return len(event.targets) == 1
    return not all(any(host in event.hosts(name) for name in answered) for host in common)


@Subject.RESOLVER.row(
    "resolver.public_only", Consequence.SUSPECT, "A public resolver that people choose filters by itself."
)
@of_targets
def _public_only(event: NamedEvent) -> Weighing:
    """If two operators of such resolvers give wrong answers there, they were forged on the path."""
    seen = event.seen
    through = seen.resolver_asns[(seen.resolver_asns > 0) & (seen.resolver_asns != seen.asns)]
    resolvers = set(through.tolist())
    if len(through) < MOST * len(seen):
        are_known = int((seen.resolver_asns > 0).sum()) >= MOST * len(seen)
        return excluded("own_resolvers") if are_known else untested("resolvers_unknown")
    if len(resolvers) != 1:
        return excluded("several_resolvers", resolvers=ases(resolvers))
    if not resolvers <= MAY_FILTER:
        return excluded("resolver_does_not_filter", resolvers=ases(resolvers))
    networks = ases(set(seen.asns.tolist()))
    return holds("resolver.public_only", resolvers=ases(resolvers), entities=networks)


@Subject.RESOLVER.row(
    "name.at_fault", Consequence.SUSPECT, "The name's own servers or signatures are at fault."
)
@of_targets
def _name_at_fault(event: NamedEvent) -> Weighing:
    unclear = np.isin(event.seen.mechanisms, UNANSWERED) & ~event.seen.controlled
    if float(unclear.mean()) < MOST:
        return other_way(event.seen)
    if event.known.unanswered:
        return holds("name.at_fault", countries=event.known.unanswered)
    return excluded("answered_abroad") if len(event.whole.elsewhere) else untested("not_abroad")


@Subject.RESOLVER.row(
    "name.moved", Consequence.SUSPECT, "The name has moved, and caches keep its former address."
)
@of_targets
def _moved(event: NamedEvent) -> Weighing:
    """A former address in the hosting network of the present one is not a wrong answer, but nothing may answer there
    any more, or with another site's certificate.  Where more than one address serves a site, it is unlikely that all
    failures are at a former one.
    """
    seen = event.seen
    forged = seen.mechanisms == FORGED
    certificates = np.array([is_intercepted(way) for way in seen.mechanisms.tolist()], np.bool_)
    there = np.isin(seen.mechanisms, BY_ADDRESS) | certificates
    if not (forged | there).any():
        return other_way(seen)
    has_moved = 2 * int((forged & np.isin(seen.uids, [*event.known.former])).sum()) >= len(seen)
    outdated = float((there & np.isin(seen.uids, [*event.known.outdated])).mean()) >= MOST
    if not has_moved and not outdated:
        return excluded("no_former_address")
    return holds("name.moved", networks=len(np.unique(seen.asns)))


RESOLVER = (_at_fault, _denies_most, _one_host, _public_only, _name_at_fault, _moved)


# --- through whose resolvers ----------------------------------------------------------------------------

LEAST_SHARE = threshold(
    "incidents.resolver_share",
    0.1,
    "Share of the failures from which the resolvers behind wrong or missing answers are named, as mechanisms "
    "are.",
)


def through_resolvers(witness: Votes) -> Iterator[Reason]:
    """Through which resolvers wrong answers came: the networks' own, public ones, or those of another network."""
    lookups = witness.where(witness.resolver_asns > 0)
    if len(lookups) < LEAST_SHARE * len(witness) or not len(lookups):
        return
    pairs = Counter(zip(lookups.asns.tolist(), lookups.resolver_asns.tolist(), strict=True))
    of_network = Counter(lookups.asns.tolist())
    named = [pair for pair, n in pairs.items() if n >= LEAST_SHARE * of_network[pair[0]]]
    others = [pair for pair in named if pair[0] != pair[1]]
    if own := {asn for asn, resolver in named if asn == resolver}:
        yield Reason("resolver.own", {"entities": ases(own)})
    for code, is_public in (("resolver.public", True), ("resolver.other", False)):
        if chosen := [pair for pair in others if (pair[1] in PUBLIC_RESOLVERS) is is_public]:
            asns, resolvers = ({pair[side] for pair in chosen} for side in (0, 1))
            yield Reason(code, {"entities": ases(asns), "resolvers": ases(resolvers)})
