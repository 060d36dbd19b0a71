"""Lines: what a liar with a few internet connections can send, or one lying publisher can deliver.

Described by senders, connections and hours.  Nothing here comes from a detector or is a setting of one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import STATED
from fanous.model.series import Series
from fanous_lab.evaluation.simulate.series import COUNTRIES, FIRST, quiet_month
from fanous_lab.evaluation.simulate.votes import ABROAD, RATE, SimulatedAttempt

QUIET = 40.0
"""Hours before a raid in which honest people measure, if they do."""

ROUND = 0.5
"""Hours between two rounds of a patient liar."""

COLLECTOR_NAMES = 2
"""Names under which one connection sends: a collector gives one to its IPv4 /24 and one to its IPv6 /48, and keeps
them."""

VERSIONS = ("3.16.7", "3.18.1", "3.19.2", "3.20.0")
"""Of the software that people have."""

LURE = "call-0300-1234567-to-restore-your-internet.net"
"""A name as a message (attack T6 of December 2026)."""

OWN_PROBES = 3
"""Probes of an organisation on each network of a true event."""


@dataclass(frozen=True, slots=True)
class Raid:
    """Lies told as they are made: a block that never was, or denials of a true one.

    Attributes:
        lines: internet connections of the liars on each network; one that sends to OONI may claim any network.
        networks: that they say they are on.
        hours: how long they keep it up.
        honest: volunteers on each network who measure the target, with OONI's probe; 0 = no one watches it.
        through: ``edge`` = by a collector's door, ``ooni`` = to OONI, from anywhere.
        denies: they deny a true block that own probes see, instead of making one up.
        back: hours by which their records are dated back; 0 = they are sent as they are made.
        names: under which one connection sends in a round; through OONI each run is one, and claims what software it
            likes.
    """

    lines: int
    networks: int
    hours: float
    honest: int
    through: str
    denies: bool = False
    back: float = 0.0
    names: int = COLLECTOR_NAMES

    @property
    def until(self) -> float:
        return QUIET + self.hours + 4


def raid_attempts(raid: Raid, seed: int) -> list[SimulatedAttempt]:
    """All attempts on the raid's networks, in the order of time."""
    attempts = [
        a for asn in range(1, raid.networks + 1) for a in _of_network(raid, asn, Random(f"{seed}/{asn}"))
    ]
    return sorted(attempts, key=lambda attempt: attempt.hour)


def _of_network(raid: Raid, asn: int, chance: Random) -> Iterator[SimulatedAttempt]:
    on = (QUIET, QUIET + raid.hours) if raid.denies else (0.0, 0.0)
    yield from volunteers(raid.honest, asn, raid.until, on, "ooni", chance)
    if raid.denies:
        yield from own_probes(OWN_PROBES, asn, raid.until, on, 1 / 12, chance)
    start = QUIET + chance.uniform(0, ROUND)
    for turn in range(int(raid.hours / ROUND)):
        for name in range(raid.lines * raid.names):
            hour = start + turn * ROUND + chance.uniform(0, ROUND / 10)
            told = lie(raid.through, hour, asn, turn, name, fails=not raid.denies)
            yield replace(told, received=hour + raid.back if raid.back else None)


def volunteers(
    number: int, asn: int, until: float, on: tuple[float, float], through: str, chance: Random
) -> Iterator[SimulatedAttempt]:
    """People on one network who measure a target every other hour, and what they see of a block.

    Args:
        on: hours from and to which it is blocked.
        through: as in ``Raid``; to OONI, each measurement is a run without a name, by one of a few versions.
    """
    for person in range(number):
        hour, turn = chance.uniform(0, 1 / RATE), 0
        version = VERSIONS[person % len(VERSIONS)]
        while hour < until:
            name = f"honest {asn}.{person}"
            sender = f"run {name}.{turn}" if through == "ooni" else f"{STATED}{name}"
            yield SimulatedAttempt(
                hour, asn, sender, _is_within(hour, on), through, vouched=False, software=f"probe {version}"
            )
            hour, turn = hour + chance.expovariate(RATE), turn + 1


def own_probes(
    number: int, asn: int, until: float, on: tuple[float, float], every: float, chance: Random
) -> Iterator[SimulatedAttempt]:
    """An organisation's probes on one network; ``on`` as for ``volunteers``, ``every`` = hours between two rounds."""
    for probe in range(number):
        hour = chance.uniform(0, every)
        while hour < until:
            yield SimulatedAttempt(hour, asn, f"own {asn}.{probe}", _is_within(hour, on), "edge")
            hour += every


def lie(through: str, hour: float, asn: int, turn: int, name: int, *, fails: bool) -> SimulatedAttempt:
    """What one name of a liar says in one round: to OONI as a run, whose software it makes up."""
    sender = f"run {asn}.{turn}.{name}" if through == "ooni" else f"{STATED}line {asn}.{name}"
    return SimulatedAttempt(
        hour, asn, sender, fails, through, vouched=False, software=f"probe {VERSIONS[0]}-{name}"
    )


def _is_within(hour: float, span: tuple[float, float]) -> bool:
    return span[0] <= hour < span[1]


@dataclass(frozen=True, slots=True)
class Silencing:
    """A true block of some networks that volunteers see, and lies that the target works there.

    Attributes:
        asns: networks of the block, largest first.
        honest: volunteers on each.
        through: as in ``Raid``, for all.
        lines: connections of the liars on each network that they speak for; 0 = no one lies.
        networks: for which they speak, from the first on.
        names: as in ``Raid``.
    """

    asns: tuple[int, ...]
    honest: int
    through: str
    lines: int
    networks: int
    names: int = COLLECTOR_NAMES


SILENCED_HOURS = 12.0
BEFOREHAND = 6.0
"""Hours of the block, and hours before it from which the liars measure, so that they are not new to the network."""

SILENCED_UNTIL = QUIET + SILENCED_HOURS + 4


def silencing_attempts(silencing: Silencing, seed: int) -> list[SimulatedAttempt]:
    """All attempts on the networks, in the order of time; people measure alike whether anyone lies or not."""
    on = (QUIET, QUIET + SILENCED_HOURS)
    attempts: list[SimulatedAttempt] = []
    for number, asn in enumerate(silencing.asns):
        chance = Random(f"{seed}/{asn}/people")
        attempts += volunteers(silencing.honest, asn, SILENCED_UNTIL, on, silencing.through, chance)
        if number < silencing.networks:
            attempts += _denials(silencing, asn, Random(f"{seed}/{asn}/denials"))
    return sorted(attempts, key=lambda attempt: attempt.hour)


def _denials(silencing: Silencing, asn: int, chance: Random) -> Iterator[SimulatedAttempt]:
    start = QUIET - BEFOREHAND
    for turn in range(int((SILENCED_UNTIL - start) / ROUND)):
        for name in range(silencing.lines * silencing.names):
            hour = start + turn * ROUND + chance.uniform(0, ROUND / 10)
            yield lie(silencing.through, hour, asn, turn, name, fails=False)


@dataclass(frozen=True, slots=True)
class Prelude:
    """A true block of two networks, and lies about the time before it: that the target failed already.

    Attributes:
        lines: internet connections of the liars on each network that they attack.
        networks: that they attack: 1 or 2.
        hours: before the block for which they keep it up, as it goes on.
        honest: volunteers on each network.
        own: probes of an organisation on each network.
        share: of the liars' reports that say that it fails; the others say that it works.
    """

    lines: int
    networks: int
    hours: float
    honest: int
    own: int
    share: float = 1.0


PRELUDE = 168.0
"""Hours of ordinary measurements before the block."""

OWN_ROUNDS = 2.0
"""Rounds of an own probe in an hour: fewer than the twelve of a real one, so that a draw takes a second."""

BLOCK_HOURS = 12.0
ATTACKED = 2
"""Networks of the block."""


def prelude_attempts(prelude: Prelude, seed: int) -> list[SimulatedAttempt]:
    """All attempts on both networks, in the order of time; without liars if there are no lines."""
    attempts = [
        watcher
        for asn in range(1, ATTACKED + 1)
        for watcher in (*_watchers(prelude, asn, seed), *_poison(prelude, asn, seed))
    ]
    return sorted(attempts, key=lambda attempt: attempt.hour)


def _watchers(prelude: Prelude, asn: int, seed: int) -> Iterator[SimulatedAttempt]:
    """People and own probes, who measure alike whether anyone lies or not."""
    chance, end = Random(f"{seed}/{asn}/watchers"), PRELUDE + BLOCK_HOURS
    for number in range(prelude.honest):
        hour = chance.uniform(0, 1 / RATE)
        while hour < end:
            yield SimulatedAttempt(
                hour, asn, f"{STATED}honest {asn}.{number}", hour >= PRELUDE, "edge", vouched=False
            )
            hour += chance.expovariate(RATE)
    yield from own_probes(prelude.own, asn, end, (PRELUDE, end), 1 / OWN_ROUNDS, chance)


def _poison(prelude: Prelude, asn: int, seed: int) -> Iterator[SimulatedAttempt]:
    if asn > prelude.networks:
        return
    chance = Random(f"{seed}/{asn}/liars")
    for turn in range(int(prelude.hours / ROUND)):
        for name in range(prelude.lines * COLLECTOR_NAMES):
            hour = PRELUDE - prelude.hours + turn * ROUND + chance.uniform(0, ROUND / 10)
            fails = chance.random() < prelude.share
            yield SimulatedAttempt(hour, asn, f"{STATED}line {asn}.{name}", fails, "edge", vouched=False)


def works_abroad(until: float, seed: int) -> list[SimulatedAttempt]:
    """People abroad, for whom the target works all the while."""
    chance = Random(f"{seed}/abroad")
    hours = sorted(chance.uniform(0, until) for _ in range(int(4 * until)))
    return [SimulatedAttempt(hour, ABROAD, f"abroad {n}", False) for n, hour in enumerate(hours)]


LEFT, LIE_HOURS = 0.15, 4
"""What a lying publisher says is left, and for how long (attack T8 of December 2026)."""

OF_OBSERVATORY = ("bgp", "ping-slash24", "merit-nt")


def lied_about(seed: int, signals: Sequence[str], of_others: Sequence[str] = ()) -> list[Series]:
    """A quiet month of a country of which an observatory says that so much was lost, and so do others.

    Args:
        signals: the series of the observatory that lie.
        of_others: series of other publishers that say the same.
    """
    start = FIRST + 28 * DAY + Random(f"{seed}/lie").randrange(0, int(DAY), 1800)
    found = []
    for series in quiet_month(COUNTRIES[0], seed):
        name = series.key.signal
        source = "ioda" if name in (*OF_OBSERVATORY, *signals) else "made up"
        lies = name in (*signals, *of_others)
        gone = (series.times >= start) & (series.times < start + LIE_HOURS * HOUR) & lies
        values = series.values * (1 - (1 - LEFT) * gone)
        found.append(replace(series, key=replace(series.key, source=source), values=values))
    return found
