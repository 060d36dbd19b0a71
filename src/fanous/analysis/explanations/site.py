"""The site itself: it drops the connections of a country's visitors, or shows them a page of its own.

It does so on all networks of the country at once and at the same step, while networks that block an address differ: in
how, in when, in whether they do.  Conversely, a page that a site may show to visitors from the country comes from the
network after all, if sites of different hosting networks have it in common.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.detectors.finding import Finding, inside
from fanous.analysis.explanations.comparisons import Comparisons
from fanous.analysis.explanations.event import (
    OTHER_NAMES,
    NamedEvent,
    alike,
    hosts_of,
    of_targets,
    other_way,
    sites,
    spans,
    ways,
)
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
)
from fanous.analysis.series.controls import CONTROLS, SPARED_SHARE, works_elsewhere
from fanous.analysis.series.voices import helped
from fanous.model.series import Votes, within
from fanous.model.verdict import ERROR_PAGE, OTHER_PAGE

OWN_PAGES = (OTHER_PAGE, ERROR_PAGE)
"""Mechanisms of pages that a site itself may show to visitors from one country, so a site that
worked abroad is not a control: only another network of the same country is."""


@Subject.SITE.row(
    "site.may_refuse", Consequence.SUSPECT, "The site itself drops connections from this country."
)
@of_targets
def _may_refuse(event: NamedEvent) -> Weighing:
    """Platforms are served to all countries from many places, and none is known to have dropped a country without a
    word."""
    way = alike(event.seen)
    if not sites(event.targets):
        return excluded("is_platform")
    if not way:
        return excluded("not_alike", mechanisms=ways(event.seen))
    if event.are_apart(event.targets):
        return excluded("hosts_differ")
    beside = worked_beside(event)
    if beside:
        return excluded("worked_beside", networks=(f"AS{beside}",))
    return holds("site.may_refuse", networks=len(np.unique(event.seen.asns)), mechanisms=(way,))


def worked_beside(event: NamedEvent) -> int:
    """A network of the country on which it worked while it failed on another, before, during and after; 0 = none.

    What a network measured right before the first failure and right after the last does not show this.
    """
    votes = event.whole.votes.where(event.whole.votes.times <= event.now)
    failed = np.isin(votes.uids, votes.uids[votes.seen])
    signals = np.isin(votes.signals, [finding.anomaly.key.signal for finding in event.sessions])
    failing = dict(spans(event.seen))
    for asn in np.unique(votes.asns).tolist():
        others = [span for other, span in failing.items() if other != asn]
        failed_there = [finding.stretch for finding in event.sessions if finding.asn == asn]
        rows = (
            signals & (votes.asns == asn) & within(votes.times, others) & ~within(votes.times, failed_there)
        )
        if int(rows.sum()) >= CONTROLS and float((~failed[rows]).mean()) >= SPARED_SHARE:
            return int(asn)
    return 0


@Subject.SITE.row(
    "site.own_page", Consequence.SAY, "The site itself shows this page to visitors from this country."
)
@of_targets
def _own_page(event: NamedEvent) -> Weighing:
    """Another network of the country that gets the usual page shows that the site does not turn visitors away."""
    if not may_be_sites_own(event.seen):
        return other_way(event.seen)
    if not may_be_of_site(event.seen, event.known):
        return excluded("page_of_others")
    if len(event.controls) >= CONTROLS:
        return excluded("usual_page_beside", some=len(event.controls))
    if helped(event.seen):
        return excluded("helper_got_page")
    return holds("site.own_page")


# --- whose page? ----------------------------------------------------------------------------------------


def may_be_sites_own(witness: Votes, but: NDArray[np.bool_] | bool = False) -> bool:
    """Did at least half of the failing measurements get a page that the site itself may show to visitors from here?

    Args:
        but: shape (n,): those of which it is known that the page is not the site's.
    """
    return 2 * int((np.isin(witness.mechanisms, OWN_PAGES) & ~np.asarray(but)).sum()) >= len(witness) > 0


def shared_pages(witness: Votes, known: Comparisons) -> NDArray[np.bool_]:
    """Failing votes whose page another site, of another hosting network, has on the same network: shape (n,).

    A delivery network, a parking service or a shield shows one page for many sites, too, but for its customers alone;
    and a broken proxy shows its own in place of everything, whereas a notice leaves most sites alone.
    """
    hosts = {one.target: hosts_of(one) for one in known.hosting}
    cells = {
        (page.asn, target)
        for page in known.pages
        if page.others >= OTHER_NAMES
        for target in page.targets
        for other in page.targets
        if hosts.get(target) and hosts.get(other) and hosts[target].isdisjoint(hosts[other])
    }
    pairs = zip(witness.asns.tolist(), witness.targets.tolist(), strict=True)
    return np.isin(witness.mechanisms, OWN_PAGES) & np.array([pair in cells for pair in pairs], np.bool_)


def may_be_of_site(witness: Votes, known: Comparisons) -> bool:
    """Did at least half of the failing measurements get a page that the site itself may show to visitors from here?"""
    return may_be_sites_own(witness, shared_pages(witness, known))


def by_whose_page(group: Sequence[Finding], votes: Votes, known: Comparisons) -> list[list[Finding]]:
    """The findings of one event, apart from those on sites that may show a page of their own.

    That sites begin to fail together shows that they were cut together, but a site may also react to the event by
    itself: with a notice, or by turning visitors away.  If its page came to all of its visitors from the country, it is
    judged alone.
    """
    theirs = {
        target for target in {f.target for f in group} if _has_page_of_its_own(target, group, votes, known)
    }
    parts = ([f for f in group if (f.target in theirs) is is_theirs] for is_theirs in (False, True))
    return [part for part in parts if part]


def _has_page_of_its_own(target: str, group: Sequence[Finding], votes: Votes, known: Comparisons) -> bool:
    """Did it show one, while no network of the country got the usual page?"""
    findings = [finding for finding in group if finding.target == target]
    of_it = votes.where(votes.targets == target)
    witness = of_it.where(inside(of_it, findings) & of_it.seen)
    nowhere = of_it.where(np.zeros(len(of_it), np.bool_))
    controls = works_elsewhere(of_it, nowhere, [f.anomaly.key for f in findings], witness.times)
    return may_be_of_site(witness, known) and len(controls) < CONTROLS


SITE = (_may_refuse, _own_page)
