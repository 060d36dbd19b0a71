"""User weights: which share of a country's users is on which network."""

from dataclasses import dataclass

from fanous.model.place import Access


@dataclass(frozen=True, slots=True)
class NetworkWeight:
    """Users of one network.

    Attributes:
        asn: the network.
        share: of the country's users (all access classes together), 0..1.
        access: the line that this network sells; ``any`` = both or unknown.
        operator: who runs it; several networks may have one operator.
    """

    asn: int
    share: float
    access: Access
    operator: str


@dataclass(frozen=True, slots=True)
class UserWeights:
    """A country's networks by users.

    Attributes:
        country: ISO 3166-1 alpha-2.
        networks: each ASN once; the shares sum to at most 1, the rest is on networks not listed.
        error: relative standard deviation of a share (the weights' own error).
        source: where the figures come from, with year.
    """

    country: str
    networks: tuple[NetworkWeight, ...]
    error: float
    source: str
