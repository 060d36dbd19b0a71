"""Probes: the networks of a generated country, the probes on them with their small defects, and when they measure.

An organisation's probe keeps to a schedule, a volunteer's runs when its owner's day allows: at random, and
less at night.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Keeper(StrEnum):
    """Who runs a probe, and so how often it measures."""

    OPERATOR = "operator"
    VOLUNTEER = "volunteer"


class Flaw(StrEnum):
    """Defects of a probe that are not interference."""

    NONE = "none"
    VPN = "vpn"
    """Its user tunnels out of the country."""
    PORTAL = "portal"
    """It sits behind a login page for a while."""
    LOSSY = "lossy"
    """A bad line: failures ten times as often, in bursts."""


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """One provider, as a probe's record names it."""

    country: str
    asn: int
    name: str
    mobile: bool
    resolver_ip: str
    rtt: float
    """Seconds to a server abroad and back."""
    vantage_points: int = 0
    volunteers: int = 2


@dataclass(frozen=True, slots=True)
class SimulatedProbe:
    """One device.

    Attributes:
        number: unique within the file.
        ipv6: does its network carry IPv6?
    """

    number: int
    network: SimulatedNetwork
    keeper: Keeper
    ipv6: bool
    flaw: Flaw = Flaw.NONE


PAKISTAN = (
    SimulatedNetwork(
        "PK", 45669, "Mobilink GSM, Pakistan Mobile Communication Ltd.", True, "119.160.80.164", 0.14, 1, 3
    ),
    SimulatedNetwork("PK", 59257, "CMPak Limited", True, "111.119.187.1", 0.15, 1, 3),
    SimulatedNetwork("PK", 24499, "Telenor Pakistan (Pvt) Ltd", True, "119.153.128.1", 0.16, 0, 4),
    SimulatedNetwork("PK", 56167, "PTML", True, "119.152.0.1", 0.15, 0, 4),
    SimulatedNetwork(
        "PK", 17557, "Pakistan Telecommunication company limited", False, "119.159.255.36", 0.12, 1, 4
    ),
    SimulatedNetwork(
        "PK", 9541, "Cyber Internet Services (Private) Limited", False, "203.101.160.1", 0.12, 1, 3
    ),
    SimulatedNetwork("PK", 23674, "Nayatel (Pvt) Ltd", False, "203.82.48.3", 0.11, 1, 2),
    SimulatedNetwork("PK", 38193, "TRANSWORLD ASSOCIATES (PVT) LIMITED", False, "119.63.132.2", 0.11, 0, 3),
    SimulatedNetwork("PK", 38264, "Wateen Telecom Limited", False, "58.27.197.1", 0.13, 0, 3),
)

ELSEWHERE = (
    SimulatedNetwork("IN", 55836, "Reliance Jio Infocomm Limited", True, "49.45.0.1", 0.05, 0, 2),
    SimulatedNetwork("IN", 24560, "Bharti Airtel Ltd., Telemedia Services", False, "122.160.0.1", 0.04, 0, 2),
    SimulatedNetwork(
        "AE", 5384, "EMIRATES TELECOMMUNICATIONS GROUP COMPANY", False, "213.42.20.20", 0.03, 0, 2
    ),
)
"""Neighbouring countries, in which the platforms work."""


Span = tuple[float, float]
"""``[start, end)`` in unix seconds."""

ORDINARY = 3 * 3600.0
"""Seconds between rounds of an organisation's probe in ordinary times."""

WATCHING = 1200.0
"""Seconds between rounds while an announced event is watched."""

A_DAY = 2.0
"""Rounds of a volunteer's probe in an ordinary day."""

CURIOUS = 6.0
"""How many times more often volunteers measure while their apps do not work (they run it by hand)."""

NIGHT_UTC = (20, 3)
"""Hours between which hardly any device is awake: 1 to 8 in the morning in Karachi."""

AWAKE_AT_NIGHT = 0.3


def rounds_of(
    probe: SimulatedProbe, window: Span, watch: Span, trouble: Span | None, chance: Random
) -> Iterator[float]:
    """Unix seconds within ``window`` at which the probe begins a round, ascending.

    Args:
        watch: when an organisation's probes measure more often.
        trouble: when apps do not work for the probe's owner; ``None`` = never.
    """
    since, until = window
    if probe.keeper is Keeper.OPERATOR:
        yield from _by_the_clock(since + probe.number * 97 % 1200, until, watch, chance)
    else:
        yield from _by_chance(since, until, trouble or (until, until), chance)


def _by_the_clock(at: float, until: float, watch: Span, chance: Random) -> Iterator[float]:
    while at < until:
        yield at + chance.uniform(0, 30)
        within = watch[0] <= at + WATCHING <= watch[1]
        at += WATCHING if within else ORDINARY


def _by_chance(at: float, until: float, trouble: Span, chance: Random) -> Iterator[float]:
    """Rounds drawn at the highest rate, then thinned to the rate of the moment."""
    while (at := at + chance.expovariate(A_DAY * CURIOUS / 86_400)) < until:
        hour = at % 86_400 / 3600
        asleep = hour >= NIGHT_UTC[0] or hour < NIGHT_UTC[1]
        share = 1.0 if trouble[0] <= at < trouble[1] else 1 / CURIOUS
        if chance.random() < share * (AWAKE_AT_NIGHT if asleep else 1.0):
            yield at
