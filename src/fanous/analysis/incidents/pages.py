"""Pages: sites of one event that may show a page of their own are judged apart."""

from collections.abc import Sequence

import numpy as np

from fanous.analysis.detectors.finding import Finding, inside
from fanous.analysis.explanations.comparisons import Comparisons
from fanous.analysis.explanations.site import may_be_of_site
from fanous.analysis.series.controls import CONTROLS, works_elsewhere
from fanous.model.series import Votes


def by_whose_page(group: Sequence[Finding], votes: Votes, known: Comparisons) -> list[list[Finding]]:
    """The findings of one event, apart from those on sites that may show a page of their own.

    That sites begin to fail together shows that they were cut together, but a site may also react to the event by
    itself: with a notice, or by turning visitors away.  If its page came to all of its visitors from the country, it is
    judged alone.
    """
    theirs = {
        target for target in {f.target for f in group} if _has_page_of_its_own(target, group, votes, known)
    }
    parts = ([f for f in group if (f.target in theirs) is own] for own in (False, True))
    return [part for part in parts if part]


def _has_page_of_its_own(target: str, group: Sequence[Finding], votes: Votes, known: Comparisons) -> bool:
    """Did it show one, while no network of the country got the usual page?"""
    own = [finding for finding in group if finding.target == target]
    of_it = votes.where(votes.targets == target)
    witness = of_it.where(inside(of_it, own) & of_it.seen)
    nowhere = of_it.where(np.zeros(len(of_it), np.bool_))
    controls = works_elsewhere(of_it, nowhere, [f.anomaly.key for f in own], witness.times)
    return may_be_of_site(witness, known) and len(controls) < CONTROLS
