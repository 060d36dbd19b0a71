"""Reachability: who could reach what: over time as a line for each target, and during an incident as a
matrix.

A line is the share of users for whom a target worked as usual, neither blocked nor slowed down: a target that
loads at a tenth of its speed does not count.  In each bin the networks that were measured speak for all, each
weighted by its users if figures are published, otherwise all alike.  A bin without a measurement has no value.

A cell of the matrix (networks x targets) is *blocked* or *slowed* only where the incident names the network and the
target; which of the two is decided by most of its failing measurements.  No data is a separate state.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import ceil

from fanous.model.incident import Incident, Kind
from fanous.model.place import Access, UserWeights
from fanous.model.series import Spread, Votes, within

STEPS = (600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800)
MOST_BINS = 72
"""As many points as can be distinguished in a chart on a phone."""

LEAST_BINS = 12
FILLED = 0.7
"""Share of bins with a value above which a line looks like a line and not like a row of dots."""

LEAST_MADE = 3
"""Fewest measurements per bin: with fewer, chance would look like an event."""


@dataclass(frozen=True, slots=True)
class ShareLine:
    """How much of one target was reachable, bin by bin.

    Attributes:
        shares: 0..1, one per bin; ``None`` = not measured, or too little.
        blocked: the share for which it was blocked, with 0 where nothing was measured; what is neither in
            ``shares`` nor here was slowed down.  Empty = the line does not tell them apart.
        ranges: the lowest and the highest value behind each share; empty = there is one value behind each.
    """

    target: str
    shares: tuple[float | None, ...]
    blocked: tuple[float, ...] = ()
    ranges: tuple[tuple[float, float] | None, ...] = ()

    @classmethod
    def of(cls, name: str, steps: Sequence[Spread | None], whole: float = 1.0) -> "ShareLine":
        """A series as shares of a whole, with the range of each step.  A step without values keeps its gap."""
        shares = tuple(None if step is None else step.median / whole for step in steps)
        ranges = tuple(
            None if step is None else (step.lowest / whole, step.highest / whole) for step in steps
        )
        return cls(name, shares, ranges=ranges)

    def stack(self) -> tuple[tuple[float, float] | None, ...]:
        """For each bin the share that was blocked, and the share that was blocked or slowed down."""
        return tuple(
            None if share is None else (blocked, 1 - share)
            for share, blocked in zip(self.shares, self.blocked, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one chart, on the same bins.

    Attributes:
        start: unix seconds, UTC, of the first bin.
        step: seconds.
        by_users: weighted by published user figures.
    """

    start: int
    step: int
    lines: tuple[ShareLine, ...]
    by_users: bool

    @property
    def bins(self) -> int:
        return len(self.lines[0].shares) if self.lines else 0

    @property
    def end(self) -> int:
        return self.start + self.bins * self.step


def reachable(
    votes: Votes, targets: Sequence[str], since: float, until: float, weights: UserWeights | None
) -> Lines:
    """One line per target over ``[since, until)``, in the finest bins that were mostly measured.

    A measurement fails if any of its votes saw interference.
    """
    known = {weight.asn: weight.share for weight in weights.networks} if weights else {}
    steps = [step for step in STEPS if LEAST_BINS <= (until - since) / step <= MOST_BINS - 1] or [STEPS[-1]]
    for step in steps:
        lines = _lines(votes, targets, since, until, step, known)
        shares = [share for line in lines.lines for share in line.shares]
        if sum(share is not None for share in shares) >= FILLED * len(shares):
            break
    return _trimmed(lines)


def _trimmed(lines: Lines) -> Lines:
    """Drops the bins before the first and after the last in which anything was measured: the data begin and
    end there, and an empty half of a picture would add nothing."""
    measured = [n for n in range(lines.bins) if any(line.shares[n] is not None for line in lines.lines)]
    if not measured:
        return lines
    first, last = measured[0], measured[-1] + 1
    kept = tuple(
        ShareLine(line.target, line.shares[first:last], line.blocked[first:last]) for line in lines.lines
    )
    return Lines(lines.start + first * lines.step, lines.step, kept, lines.by_users)


def _lines(
    votes: Votes, targets: Sequence[str], since: float, until: float, step: int, known: dict[int, float]
) -> Lines:
    start = int(since // step) * step
    bins = max(1, ceil((until - start) / step))
    tallies: dict[str, list[Tally]] = {target: [{} for _ in range(bins)] for target in targets}
    for (target, at, asn), fate in _fates(votes, set(targets), start, step, bins).items():
        tallies[target][at][asn] = Counter(fate.values())
    lines = []
    for target in targets:
        shares = [_shares(tally, known) for tally in tallies[target]]
        lines.append(
            ShareLine(
                target,
                tuple(None if share is None else share[0] for share in shares),
                tuple(0.0 if share is None else share[1] for share in shares),
            )
        )
    return Lines(start, step, tuple(lines), bool(known))


class Effect(IntEnum):
    """What became of a measurement; of two votes on it the greater counts."""

    WORKED = 0
    SLOWED = 1
    BLOCKED = 2


Tally = dict[int, Counter[Effect]]
"""ASN -> measurements by what became of them."""


def _fates(
    votes: Votes, targets: set[str], start: int, step: int, bins: int
) -> dict[tuple[str, int, int], dict[str, Effect]]:
    """(target, bin, ASN) -> measurement -> what became of it."""
    fates: dict[tuple[str, int, int], dict[str, Effect]] = defaultdict(dict)
    columns = (votes.uids, votes.times, votes.asns, votes.targets, votes.signals, votes.seen)
    for uid, time, asn, target, signal, seen in zip(*(column.tolist() for column in columns), strict=True):
        at = int(time - start) // step
        if target in targets and 0 <= at < bins:
            fate = fates[target, at, asn]
            own = (Effect.SLOWED if signal == THROTTLED else Effect.BLOCKED) if seen else Effect.WORKED
            fate[uid] = max(fate.get(uid, Effect.WORKED), own)
    return fates


def _shares(tally: Tally, known: dict[int, float]) -> tuple[float, float] | None:
    """For one bin: the share for which it worked, and the share for which it was blocked."""
    if sum(fates.total() for fates in tally.values()) < LEAST_MADE:
        return None
    weighed = {asn: known.get(asn, 0.0) if known else 1.0 for asn in tally}
    whole = sum(weighed.values())
    if not whole:
        return None

    def share(fate: Effect) -> float:
        return sum(weighed[asn] * fates[fate] / fates.total() for asn, fates in tally.items()) / whole

    return share(Effect.WORKED), share(Effect.BLOCKED)


THROTTLED = "throttled"
"""The signal of ``fanous.analysis.series.signals`` whose votes say *slowed*."""


LARGE = 0.02
"""A network with at least this share of users gets a row even if no one measured there: the gap must show."""


class Reachability(StrEnum):
    """One target on one network."""

    NO_DATA = "no data"
    REACHABLE = "reachable"
    SOME_FAILED = "some failed"
    SLOWED = "slowed"
    BLOCKED = "blocked"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Reached:
    """One network: a cell for each target.

    Attributes:
        share: share of the country's users, 0..1; ``None`` = not known.
        measurements: number of these targets' measurements while it was on.
    """

    asn: int
    share: float | None
    access: Access
    cells: tuple[Reachability, ...]
    measurements: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows by users if these are known, then by measurements.

    Attributes:
        unseen: networks not listed: below ``LARGE`` of the users, and without a measurement.
    """

    targets: tuple[str, ...]
    rows: tuple[Reached, ...]
    unseen: int = 0


def matrix(incident: Incident, votes: Votes, targets: Sequence[str], weights: UserWeights | None) -> Matrix:
    """Who could reach what.

    Args:
        votes: the country's; those outside the incident's intervals are ignored.
        targets: columns, in order.
    """
    made, failed, slowed = _counts(votes.where(within(votes.times, incident.intervals)))
    named = {network.asn: network.targets for network in incident.networks if network.asn}
    known = {weight.asn: weight for weight in weights.networks} if weights else {}
    rows = []
    for asn in {asn for asn, target in made if target in targets} | set(named) | set(known):
        cells = tuple(
            _cell(
                incident.kind,
                target in named.get(asn, ()),
                made[asn, target],
                failed[asn, target],
                slowed[asn, target],
            )
            for target in targets
        )
        weight = known.get(asn)
        rows.append(
            Reached(
                asn,
                weight.share if weight else None,
                weight.access if weight else Access.ANY,
                cells,
                sum(made[asn, target] for target in targets),
            )
        )
    rows.sort(key=lambda row: (-(row.share or 0.0), -row.measurements, row.asn))
    shown = [row for row in rows if row.measurements or row.asn in named or (row.share or 0.0) >= LARGE]
    return Matrix(tuple(targets), tuple(shown), len(rows) - len(shown))


def beside(incident: Incident, votes: Votes, most: int) -> list[str]:
    """Targets measured during the incident that it does not name: most measured first."""
    inside = votes.where(within(votes.times, incident.intervals))
    uids: dict[str, set[str]] = defaultdict(set)
    for uid, target in zip(inside.uids.tolist(), inside.targets.tolist(), strict=True):
        uids[target].add(uid)
    others = [target for target in uids if target and target not in incident.targets]
    return sorted(others, key=lambda target: (-len(uids[target]), target))[:most]


Places = Counter[tuple[int, str]]
"""(ASN, target) -> measurements."""


def _counts(votes: Votes) -> tuple[Places, Places, Places]:
    """Measurements made, failed, and failed by being slowed."""
    made: dict[tuple[int, str], set[str]] = defaultdict(set)
    failed: dict[tuple[int, str], set[str]] = defaultdict(set)
    slowed: dict[tuple[int, str], set[str]] = defaultdict(set)
    columns = (votes.uids, votes.asns, votes.targets, votes.signals, votes.seen)
    for uid, asn, target, signal, seen in zip(*(column.tolist() for column in columns), strict=True):
        made[asn, target].add(uid)
        if seen:
            (slowed if signal == THROTTLED else failed)[asn, target].add(uid)
    for place, uids in slowed.items():
        failed[place] |= uids
    return (
        Counter({place: len(uids) for place, uids in made.items()}),
        Counter({place: len(uids) for place, uids in failed.items()}),
        Counter({place: len(uids) for place, uids in slowed.items()}),
    )


def _cell(kind: Kind, named: bool, made: int, failed: int, slowed: int) -> Reachability:
    if named:
        if kind is Kind.OUTAGE:
            return Reachability.OFFLINE
        return Reachability.SLOWED if slowed * 2 > failed or kind is Kind.SLOWDOWN else Reachability.BLOCKED
    if not made:
        return Reachability.NO_DATA
    return Reachability.SOME_FAILED if failed else Reachability.REACHABLE
