"""Parts: the regions and networks of a country, next to the country's own series.

Of the hundreds of networks that are watched, one or another is dark at almost any time.  So the loss of a part supports
one of the whole country only if the part is large enough to account for it, and what a network really lost, its country
lost too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from fanous.analysis.series.anomalies import earliest_start, is_country, left
from fanous.analysis.series.baselines import shares
from fanous.analysis.series.signals import SIGNALS
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Access, Place, UserWeights
from fanous.model.series import Anomaly, Series, SeriesKey
from fanous.model.threshold import threshold

ACCOUNTS_FOR = threshold(
    "incidents.parts_account_share",
    1 / 3,
    "Share of the country's loss that the networks or regions that fell must account for to support it: figures "
    "of users are good to a factor of two, of addresses to a factor of three.",
)

COUNTED = frozenset({"/24s", "prefixes", "addresses"})
"""Units of addresses: what a network loses, its country loses."""

UNSEEN = threshold(
    "incidents.parts_unseen_share",
    0.4,
    "Share of users assumed in places without a series, or on networks that no one ever measured, if neither users nor "
    "addresses are known.",
)

BESIDE = threshold(
    "incidents.parts_beside_seconds",
    6 * HOUR,
    "Time before and after the onset in which the country's level is compared: it drifts, and swings by the "
    "day.",
)

CLEAR = threshold(
    "incidents.parts_clear",
    3.0,
    "Standard deviations of the country's series that a network's loss must be, to be seen in it.",
)

FOUND = threshold(
    "incidents.parts_found_share",
    0.5,
    "Share of the network's loss that the country must have lost: some of its addresses may be abroad.",
)


SLIVER = threshold(
    "incidents.parts_sliver_share",
    0.005,
    "Share of the country's users and addresses below which one low value of a place raises no suspicion: of 79 "
    "networks of India, most with a few blocks, 18 blipped so in a month. Where neither share is known, no "
    "place is that small.",
)


class Parts:
    """The series of a country, of its regions and networks, and figures of its networks' users."""

    def __init__(self, series: Sequence[Series], weights: UserWeights | None = None) -> None:
        """
        Args:
            weights: None = there are no figures for this country.
        """
        self.series = {one.key: one for one in series if len(one)}
        self.users: dict[int, float] = (
            {network.asn: network.share for network in weights.networks} if weights else {}
        )
        self.access = {network.asn: network.access for network in weights.networks} if weights else {}
        self.networks, self.regions = (
            {
                key.place
                for key in self.series
                if not is_country(key.place) and bool(key.place.asn) is of_network
            }
            for of_network in (True, False)
        )

    def account_for(self, whole: Anomaly, parts: Iterable[Anomaly]) -> bool:
        """Can these parts together have caused the country's loss?"""
        lost: dict[Place, float] = {}
        for part in parts:
            place = part.key.place
            lost[place] = max(lost.get(place, 0.0), self._size(part) * (1 - left(part)))
        return sum(lost.values()) >= ACCOUNTS_FOR * (1 - left(whole))

    def lost_by_country(self, part: Anomaly) -> bool:
        """Do the country's own figures show what a network lost?  False if they are too coarse, or missing."""
        whole = self._of_country(part.key)
        size = None if whole is None else self._share_of(part, whole)
        told = None if whole is None else shares(whole, part.start_latest)
        if size is None or told is None:
            return False
        before = told.between(part.start_latest - BESIDE, earliest_start(part))
        after = told.between(part.start_latest, min(part.last_seen, part.start_latest + BESIDE))
        expected = size * (1 - left(part))
        if not len(before) or not len(after) or expected < CLEAR * told.noise:
            return False
        return float(np.median(before) - np.median(after)) >= FOUND * expected

    def are_mobile(self, asns: Iterable[int]) -> bool:
        """Are all networks whose access is known mobile ones, and is any known?"""
        return {self.access[asn] for asn in asns if asn in self.access} == {Access.MOBILE}

    def is_blip(self, anomaly: Anomaly) -> bool:
        """Is it one low value of a place too small to matter to the country?  It may be a fault of that one table."""
        place = anomaly.key.place
        return anomaly.bins <= 1 and not is_country(place) and self._size(anomaly) < SLIVER

    def _size(self, part: Anomaly) -> float:
        """Share of the country's users or addresses, whichever is more: many users share an address on mobile lines.

        If neither is known, all networks, or regions, with a series count the same.
        """
        place = part.key.place
        whole = self._of_country(part.key)
        addresses = None if whole is None else self._share_of(part, whole)
        known = [share for share in (addresses, self.users.get(place.asn)) if share is not None]
        alike = self.networks if place.asn else self.regions
        return max(known, default=(1 - UNSEEN) / max(1, len(alike)))

    def _share_of(self, part: Anomaly, whole: Series) -> float | None:
        """Share of the country's addresses before the loss; None = unknown."""
        own = self.series.get(part.key)
        if own is None:
            return None
        here, all_of_it = (_level(one, part.start) for one in (own, whole))
        return min(1.0, here / all_of_it) if here and all_of_it else None

    def _of_country(self, key: SeriesKey) -> Series | None:
        """The country's own series from the same source; None = there is none, or it does not count addresses."""
        if SIGNALS[key.signal].unit not in COUNTED:
            return None
        return self.series.get(replace(key, place=Place(key.place.country)))


def _level(one: Series, before: float) -> float:
    """Median of the week before an instant; 0 = unknown, or scaled by the publisher, since counts are whole."""
    inside = one.values[(one.times < before) & (one.times >= before - 7 * DAY)]
    known = inside[~np.isnan(inside)]
    return float(np.median(known)) if len(known) and not (known % 1).any() else 0.0
