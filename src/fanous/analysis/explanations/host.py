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


def _gives_false_answers(event: NamedEvent) -> bool:
    return 2 * int(np.isin(event.seen.mechanisms, IN_ITS_PLACE).sum()) >= len(event.seen)


def _common(event: NamedEvent) -> frozenset[int]:
    """Hosting networks that all targets share."""
    return frozenset[int].intersection(*map(event.hosts, event.targets))


def _unreached(event: NamedEvent) -> frozenset[int]:
    """Those of them of which no other site was reached."""
    others = (event.hosts(target) for target in event.known.reached if target not in event.targets)
    return _common(event).difference(*others)


@Subject.HOST.row(
    "host.may_fail", Consequence.SUSPECT, "The network that hosts these sites, or the way to it, has failed."
)
@of_targets
def _host(event: NamedEvent) -> Weighing:
    """That takes several targets, not all of them platforms, which may have a network of their own."""
    if _gives_false_answers(event):
        return excluded("false_answers")
    common, unreached = _common(event), _unreached(event)
    if not any("." in target for target in event.targets):
        return excluded("is_platform")
    if not common:
        is_known = all(map(event.hosts, event.targets))
        return excluded("hosts_differ") if is_known else untested("host_unknown")
    if not unreached:
        return excluded("host_reached", entities=ases(common))
    if len(event.targets) < HOST_SITES:
        return untested("few_sites", some=len(event.targets), needed=HOST_SITES)
    return holds("host.may_fail", sites=len(event.targets), entities=ases(unreached))


@Subject.HOST.row("route.may_fail", Consequence.SUSPECT, "The way from one network to the site has failed.")
@of_targets
def _route(event: NamedEvent) -> Weighing:
    """For a site that drops connections, a lone network whose route to it is broken is enough, until it lasts longer
    than faults do."""
    networks = set(event.seen.asns.tolist())
    if _gives_false_answers(event):
        return excluded("false_answers")
    if len(networks) > 1:
        return excluded("several_networks", entities=ases(networks))
    if not sites(event.targets):
        return excluded("is_platform")
    if not alike(event.seen):
        return excluded("not_alike", mechanisms=ways(event.seen))
    if is_long(event.seen):
        return excluded("lasts")
    if event.are_apart(event.targets):
        return excluded("hosts_differ")
    if _common(event) and not _unreached(event):
        return excluded("host_reached", entities=ases(_common(event)))
    return holds("route.may_fail", entities=ases(networks))


@Subject.HOST.row(
    "routes.may_fail",
    Consequence.SUSPECT,
    "The ways to several hosts have failed at once, as when a route leaks or a cable breaks.",
)
@of_targets
def _routes(event: NamedEvent) -> Weighing:
    """Connections then get no answer, in the same way on all networks, and no site of these hosts is reached.  Three
    other targets that are reached show that some were singled out; so does lasting longer than faults do."""
    targets = sites(event.targets)
    others = set(event.known.reached).difference(event.targets)
    if not targets:
        return excluded("is_platform")
    if alike(event.seen) not in UNREACHED:
        return excluded("not_alike", mechanisms=ways(event.seen))
    if not event.are_apart(targets):
        return excluded("one_host") if _common(event) else untested("host_unknown")
    if len(others) >= OTHER_NAMES:
        return excluded("others_reached", some=len(others))
    if is_long(event.seen):
        return excluded("lasts")
    hosts = frozenset[int].union(*map(event.hosts, targets))
    if any(hosts & event.hosts(other) for other in others):
        return excluded("host_reached", entities=ases(hosts))
    beside = worked_beside(event)
    if beside:
        return excluded("worked_beside", networks=(f"AS{beside}",))
    return holds("routes.may_fail", sites=len(targets), entities=ases(hosts))


HOST = (_host, _route, _routes)
