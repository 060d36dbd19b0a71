"""External controls: where a target worked while it failed on the networks named; a control of rule C2."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.confirm import CONTROL_WINDOW, spared
from fanous.analysis.incidents.group import TypedAnomaly
from fanous.model.series import Floats
from fanous.model.votes import Votes


def works_elsewhere(votes: Votes, elsewhere: Votes, named: Sequence[TypedAnomaly], failing: Floats) -> Floats:
    """When a target worked on an unaffected network, or abroad, near a failing hour.

    Worked is what no signal says the contrary of: that a name was looked up shows little where no connection
    could be made.

    Args:
        votes: of the country, about its targets.
        elsewhere: of other countries.
        named: what the incident is about.
        failing: unix seconds, ascending: when it failed on the networks named.

    Returns:
        Unix seconds, ascending.
    """
    keys = [finding.anomaly.key for finding in named]
    targets = list({key.target for key in keys})
    others = votes.where(~np.isin(votes.asns, [key.place.asn for key in keys]))
    others = others.where(np.isin(others.targets, targets) & _is_near(others.times, failing))
    failed = np.isin(others.uids, others.uids[others.seen])
    works = ~failed & np.isin(others.signals, list({key.signal for key in keys}))
    works &= np.isin(others.asns, spared(others.asns, failed))
    abroad = ~elsewhere.seen & np.isin(elsewhere.targets, targets) & _is_near(elsewhere.times, failing)
    return np.sort(np.concatenate([others.times[works], elsewhere.times[abroad]]))


def _is_near(times: Floats, failing: Floats) -> NDArray[np.bool_]:
    """Which of ``times`` stand within ``CONTROL_WINDOW`` of one of ``failing`` (ascending)."""
    if not len(failing):
        return np.zeros(len(times), np.bool_)
    after = np.searchsorted(failing, times)
    distance = np.minimum(
        np.abs(times - failing[np.minimum(after, len(failing) - 1)]),
        np.abs(times - failing[np.maximum(after - 1, 0)]),
    )
    return np.asarray(distance <= CONTROL_WINDOW)
