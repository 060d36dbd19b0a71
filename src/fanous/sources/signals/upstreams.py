"""Upstreams: networks all of whose paths pass the same neighbour, read from routing tables.  Pure but for reading."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fanous.model.threshold import threshold

LEAST_PEERS = threshold(
    "refdata.upstream_peers",
    10,
    "Fewest networks that collectors peer with whose paths to a network must all pass the same neighbour: each shows "
    "only the path it likes best, so a few may all prefer the same one of two upstreams.",
)


@dataclass(slots=True)
class AsPaths:
    """The network next to each origin, path by path.

    Attributes:
        only: origin -> the neighbour that all of its paths pass; 0 = there are several.
        peers: origin -> who has a path to it, up to ``LEAST_PEERS``.
    """

    only: dict[int, int] = field(default_factory=dict)
    peers: dict[int, set[int]] = field(default_factory=dict)

    def add(self, peer: int, path: str) -> None:
        """One path, as ``65001 65002 65003``, the origin last.  One that ends in a set says nothing.

        Args:
            peer: who prefers it; 0 = that is not known, so that it only rules out a single neighbour.
        """
        hops = path.split()
        origin = hops[-1] if hops else ""
        before = next((hop for hop in reversed(hops) if hop != origin), "")
        if not (origin.isdecimal() and before.isdecimal()):
            return
        asn, neighbour = int(origin), int(before)
        if self.only.setdefault(asn, neighbour) != neighbour:
            self.only[asn] = 0
            self.peers.pop(asn, None)
        elif self.only[asn] and peer and len(peers := self.peers.setdefault(asn, set())) < LEAST_PEERS:
            peers.add(peer)

    def add_all(self, paths: Iterable[tuple[int, str]]) -> None:
        """As ``add``, of peer and path."""
        for peer, path in paths:
            self.add(peer, path)

    def upstreams(self) -> dict[int, int]:
        """Network -> its one upstream, where enough peers show it."""
        return {asn: self.only[asn] for asn, peers in self.peers.items() if len(peers) >= LEAST_PEERS}
