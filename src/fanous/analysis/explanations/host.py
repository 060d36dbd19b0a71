"""The host: what several sites have in common has failed, or a route to it.

If a hosting network fails, all of its sites fail, and no others.  A route that leaks, or a cable that breaks, takes
whole hosts with all their sites.
"""

import numpy as np

from fanous.analysis.explanations.event import (
    IN_ITS_PLACE,
    OTHER_NAMES,
    NamedEvent,
    alike,
    ases,
    of_targets,
    sites,
    ways,
)
from fanous.analysis.explanations.explanation import (
    Consequence,
    Explanation,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.explanations.site import worked_beside
from fanous.analysis.series.voices import is_long
from fanous.model.threshold import threshold

UNREACHED = ("ip.unreachable", "tcp.timeout")
"""Mechanisms that a broken route shows: nothing came back."""

HOST_SITES = threshold(
    "incidents.host_sites",
    3,
    "Fewest sites of one hosting network that fail together before the host comes into question: two are often "
    "one owner's.",
)


def _gives_false_answers(claim: NamedEvent) -> bool:
    return 2 * int(np.isin(claim.seen.mechanisms, IN_ITS_PLACE).sum()) >= len(claim.seen)


def _common(claim: NamedEvent) -> frozenset[int]:
    """Hosting networks that all targets share."""
    return frozenset[int].intersection(*map(claim.hosts, claim.targets))


def _unreached(claim: NamedEvent) -> frozenset[int]:
    """Those of them of which no other site was reached."""
    others = (claim.hosts(target) for target in claim.known.reached if target not in claim.targets)
    return _common(claim).difference(*others)


@of_targets
def _host(claim: NamedEvent) -> Weighing:
    """That takes several targets, not all of them platforms, which may have a network of their own."""
    if _gives_false_answers(claim):
        return excluded("false_answers")
    common, unreached = _common(claim), _unreached(claim)
    if not any("." in target for target in claim.targets):
        return excluded("is_platform")
    if not common:
        is_known = all(map(claim.hosts, claim.targets))
        return excluded("hosts_differ") if is_known else untested("host_unknown")
    if not unreached:
        return excluded("host_reached", entities=ases(common))
    if len(claim.targets) < HOST_SITES:
        return untested("few_sites", some=len(claim.targets), needed=HOST_SITES)
    return holds("host.may_fail", sites=len(claim.targets), entities=ases(unreached))


@of_targets
def _route(claim: NamedEvent) -> Weighing:
    """For a site that drops connections, a lone network whose route to it is broken is enough, until it lasts longer
    than faults do."""
    networks = set(claim.seen.asns.tolist())
    if _gives_false_answers(claim):
        return excluded("false_answers")
    if len(networks) > 1:
        return excluded("several_networks", entities=ases(networks))
    if not sites(claim.targets):
        return excluded("is_platform")
    if not alike(claim.seen):
        return excluded("not_alike", mechanisms=ways(claim.seen))
    if is_long(claim.seen):
        return excluded("lasts")
    if claim.are_apart(claim.targets):
        return excluded("hosts_differ")
    if _common(claim) and not _unreached(claim):
        return excluded("host_reached", entities=ases(_common(claim)))
    return holds("route.may_fail", entities=ases(networks))


@of_targets
def _routes(claim: NamedEvent) -> Weighing:
    """Connections then get no answer, in the same way on all networks, and no site of these hosts is reached.  Three
    other targets that are reached show that some were singled out; so does lasting longer than faults do."""
    targets = sites(claim.targets)
    others = set(claim.known.reached).difference(claim.targets)
    if not targets:
        return excluded("is_platform")
    if alike(claim.seen) not in UNREACHED:
        return excluded("not_alike", mechanisms=ways(claim.seen))
    if not claim.are_apart(targets):
        return excluded("one_host") if _common(claim) else untested("host_unknown")
    if len(others) >= OTHER_NAMES:
        return excluded("others_reached", some=len(others))
    if is_long(claim.seen):
        return excluded("lasts")
    hosts = frozenset[int].union(*map(claim.hosts, targets))
    if any(hosts & claim.hosts(other) for other in others):
        return excluded("host_reached", entities=ases(hosts))
    beside = worked_beside(claim)
    if beside:
        return excluded("worked_beside", networks=(f"AS{beside}",))
    return holds("routes.may_fail", sites=len(targets), entities=ases(hosts))


HOST = (
    Explanation(
        "host.may_fail",
        Subject.HOST,
        Consequence.SUSPECT,
        "The network that hosts these sites, or the way to it, has failed.",
        _host,
    ),
    Explanation(
        "route.may_fail",
        Subject.HOST,
        Consequence.SUSPECT,
        "The way from one network to the site has failed.",
        _route,
    ),
    Explanation(
        "routes.may_fail",
        Subject.HOST,
        Consequence.SUSPECT,
        "The ways to several hosts have failed at once, as when a route leaks or a cable breaks.",
        _routes,
    ),
)
