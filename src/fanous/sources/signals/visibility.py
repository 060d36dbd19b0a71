"""Visibility: which prefixes of a country the peers of a collector see, route by route.  Pure.

A prefix is visible while at least half of the peers with a full table have a route to it, which is how IODA counts: a
peer that sees little must not look like an outage.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.signals.rows import series_of

STEP = 300
"""Seconds per bin: collectors close a file of updates every 5 or 15 minutes."""
FULL_TABLE = 0.5
"""A peer has a full table if it sends at least this share of the routes of the peer that sends the most."""
SEEN_BY = 0.5
"""Share of the peers with a full table that must have a route."""

CountryOf = Callable[[str], str | None]
"""Address -> ISO 3166-1 alpha-2, ``None`` = unknown."""


@dataclass(frozen=True, slots=True)
class Count:
    """Visible prefixes at one moment.

    Attributes:
        networks: origin ASN -> (IPv4, IPv6 prefixes).
    """

    v4: int
    v6: int
    networks: dict[int, tuple[int, int]]


@dataclass(slots=True)
class Visibility:
    """The routes to one country's prefixes.

    Attributes:
        routes: prefix -> peer -> origin ASN (0 = unknown).
        sizes: peer -> routes of any country in its table.
    """

    country: str
    country_of: CountryOf
    routes: dict[str, dict[str, int]] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)
    _own: dict[str, bool] = field(default_factory=dict)

    def load(self, peer: str, prefix: str, origin: int) -> None:
        """One route of a table."""
        self.sizes[peer] += 1
        self.announce(peer, prefix, origin)

    def announce(self, peer: str, prefix: str, origin: int) -> None:
        """A peer has a route now."""
        if self._is_own(prefix):
            self.routes.setdefault(prefix, {})[peer] = origin

    def withdraw(self, peer: str, prefix: str) -> None:
        """A peer no longer has a route."""
        self.routes.get(prefix, {}).pop(peer, None)

    def forget(self, peer: str) -> None:
        """A peer went away; its silence is not an outage."""
        self.sizes.pop(peer, None)
        for seen in self.routes.values():
            seen.pop(peer, None)

    def _is_own(self, prefix: str) -> bool:
        own = self._own.get(prefix)
        if own is None:
            own = self._own[prefix] = self.country_of(prefix.partition("/")[0]) == self.country
        return own

    def count(self) -> Count:
        """What is visible now."""
        least = FULL_TABLE * max(self.sizes.values(), default=0)
        full = {peer for peer, size in self.sizes.items() if size >= least}
        needed = max(1.0, SEEN_BY * len(full))
        networks: dict[int, list[int]] = {}
        total = [0, 0]
        for prefix, seen in self.routes.items():
            origins = [origin for peer, origin in seen.items() if peer in full]
            if len(origins) < needed:
                continue
            version = 1 if ":" in prefix else 0
            total[version] += 1
            origin = Counter(origins).most_common(1)[0][0]
            networks.setdefault(origin, [0, 0])[version] += 1
        return Count(total[0], total[1], {asn: (v4, v6) for asn, (v4, v6) in networks.items()})


@dataclass(slots=True)
class RecordedRoute:
    """Counts, bin by bin, and the series made of them."""

    source: str
    country: str
    counts: dict[int, Count] = field(default_factory=dict)

    def levels(self, also: set[int]) -> Iterator[SourceSeries]:
        """One series per signal for the country and for every network.

        Args:
            also: networks that were visible before; one that is no longer visible gets a 0.
        """
        times = sorted(self.counts)
        if not times:
            return
        counts = [self.counts[at] for at in times]
        known = sorted(also.union(*(count.networks for count in counts)) - {0})
        for signal, values in (
            ("prefixes_v4", [count.v4 for count in counts]),
            ("prefixes_v6", [count.v6 for count in counts]),
            ("asns", [len(count.networks.keys() - {0}) for count in counts]),
        ):
            yield self._series(Place(self.country), signal, times, values)
        for asn in known:
            pairs = [count.networks.get(asn, (0, 0)) for count in counts]
            yield self._series(Place(self.country, asn), "prefixes_v4", times, [v4 for v4, _ in pairs])
            if asn in also or any(v6 for _, v6 in pairs):
                yield self._series(Place(self.country, asn), "prefixes_v6", times, [v6 for _, v6 in pairs])

    def _series(self, place: Place, signal: str, times: list[int], values: list[int]) -> SourceSeries:
        key = SeriesKey(place, "", signal, source=self.source)
        return series_of(key, STEP, dict(zip(times, values, strict=True)))
