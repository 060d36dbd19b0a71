"""Controls: did a target work elsewhere while it failed on the networks named?  Rule C2 asks for three of them."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from fanous.model.instant import HOUR
from fanous.model.series import Floats, Ints, SeriesKey, Votes
from fanous.model.threshold import threshold

CONTROLS = threshold(
    "incidents.controls", 3, "Fewest measurements in which the target worked elsewhere at the time."
)

CONTROL_WINDOW = threshold(
    "incidents.control_window_seconds",
    1 * HOUR,
    "How far from a failing measurement a control, or the failure of another network that is witness to it, may lie "
    "and still count as *at the same time*: faults of two networks days apart are two faults.",
)

SPARED_SHARE = threshold(
    "incidents.spared_share",
    0.7,
    "Share of what a network measured near the failing hours that must have worked for it to be a control: as "
    "clearly as it fails on those named. If a site is down for everyone, thin networks fail too, and only what "
    "they measured just before and after works.",
)


def spared(asns: Ints, failed: NDArray[np.bool_]) -> list[int]:
    """Networks on which the target mostly works.

    Args:
        asns: ASNs of measurements near the failing hours on networks that are not named.
        failed: shape as ``asns``.
    """
    return [int(asn) for asn in np.unique(asns) if (~failed[asns == asn]).mean() >= SPARED_SHARE]


def works_elsewhere(votes: Votes, elsewhere: Votes, keys: Collection[SeriesKey], failing: Floats) -> Floats:
    """Since when it is known that a target worked on an unaffected network, or abroad, close to a failing hour.

    Each measurement counts once.  It worked if no signal says otherwise: a successful lookup shows little where no
    connection could be made.

    Args:
        votes: the country's votes about the incident's targets.
        elsewhere: votes of other countries.
        keys: of the series that show the incident.
        failing: unix seconds, ascending: when it failed on the networks named.

    Returns:
        Unix seconds, ascending.
    """
    targets = list({key.target for key in keys})
    others = votes.where(~np.isin(votes.asns, [key.place.asn for key in keys]))
    others = others.where(np.isin(others.targets, targets) & _is_near(others.times, failing))
    failed = np.isin(others.uids, others.uids[others.seen])
    works = ~failed & np.isin(others.signals, list({key.signal for key in keys}))
    works &= np.isin(others.asns, spared(others.asns, failed))
    abroad = ~elsewhere.seen & np.isin(elsewhere.targets, targets) & _is_near(elsewhere.times, failing)
    controls = (others.where(works), elsewhere.where(abroad))
    _, firsts = np.unique(np.concatenate([one.uids for one in controls]), return_index=True)
    return np.sort(np.concatenate([one.known_at for one in controls])[firsts])


def _is_near(times: Floats, failing: Floats) -> NDArray[np.bool_]:
    """Which of ``times`` are within ``CONTROL_WINDOW`` of one of ``failing`` (ascending)."""
    if not len(failing):
        return np.zeros(len(times), np.bool_)
    after = np.searchsorted(failing, times)
    distance = np.minimum(
        np.abs(times - failing[np.minimum(after, len(failing) - 1)]),
        np.abs(times - failing[np.maximum(after - 1, 0)]),
    )
    return np.asarray(distance <= CONTROL_WINDOW)
